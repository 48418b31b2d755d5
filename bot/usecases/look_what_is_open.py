"""Reading what is still open of an incident."""

from bot.domain.follow_up import FollowUp, FollowUpState
from bot.domain.incident import Incident
from bot.domain.paging import Page, PageState
from bot.domain.playbook import Playbook
from bot.domain.rollback import RollbackState
from bot.domain.still_open import StillOpen, still_open
from bot.usecases.ports import Transaction


def look_what_is_open(tx: Transaction, incident: Incident, playbook: Playbook) -> StillOpen:
    """Return what waits for somebody in `incident` now."""
    number = incident.number
    rollbacks = tx.rollbacks_of(number)
    return still_open(
        incident,
        playbook,
        running=_running(tx, incident),
        rolled_back=any(rollback.state is RollbackState.VERIFIED for rollback in rollbacks),
        pages=tx.find(Page, incident=number, state=PageState.WAITING),
        follow_ups=tx.find(FollowUp, incident=number, state=FollowUpState.OPEN),
    )


def _running(tx: Transaction, incident: Incident) -> bool:
    holders = (tx.running_rollback(incident.target), tx.running_change(incident.target))
    return any(holder is not None and holder.incident == incident.number for holder in holders)
