"""What a notice speaks of now: read for the modal, and read again when its text comes back."""

from datetime import datetime

from bot.domain.announcement import NoticeFacts
from bot.domain.incident import Incident
from bot.domain.playbook import Playbook
from bot.usecases.ports import Transaction


def notice_facts(
    tx: Transaction, incident: Incident, notice: str, *, playbook: Playbook, at: datetime
) -> NoticeFacts:
    """Return the facts for `notice`, a key of the playbook. Raises `KeyError` when there is none."""
    rollbacks = [r for r in tx.rollbacks_of(incident.number) if r.requested_at is not None]
    return NoticeFacts(
        incident=incident,
        scenario=playbook.scenario(incident.scenario),
        plan=playbook.notices[notice],
        rollback=rollbacks[-1] if rollbacks else None,
        playbook_name=playbook.name,
        time_zone=playbook.time_zone,
        at=at,
        names=tx.names(),
    )
