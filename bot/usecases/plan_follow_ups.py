"""A scenario's follow-ups become tasks: at the verdict of the rollback, or when the incident is closed."""

from datetime import datetime
from typing import Any

from bot.domain.follow_up import FollowUp, FollowUpState, next_reminder, planned
from bot.domain.ids import ChannelId
from bot.domain.incident import Incident, IncidentState
from bot.domain.playbook import Playbook
from bot.domain.rollback import RollbackState
from bot.domain.timeline import Event
from bot.usecases.journal import Line, write_lines
from bot.usecases.ports import Transaction, Workflow
from bot.usecases.show_follow_ups import show_follow_ups

#: The canary is out of traffic: from here on there is an afterwards.
_ROLLED_BACK = (RollbackState.VERIFIED, RollbackState.NOT_VERIFIED)


def plan_follow_ups(tx: Transaction, incident: Incident, playbook: Playbook, *, at: datetime) -> None:
    """Bring an incident's follow-ups in line with its scenario, `at` (aware, UTC).

    To be called with the incident's lock held at the verdict of its rollback, when it is closed, and
    when its scenario changes; before there is an afterwards nothing is planned. Calling it again
    changes nothing. An incident that was joined to another leaves them to that one.
    """
    if incident.merged_into is not None:
        return
    known = tx.find(FollowUp, incident=incident.number)
    if not (known or _is_over(tx, incident)):
        return
    changed = planned(incident, playbook, known, at=at)
    for follow_up in changed:
        tx.keep(follow_up)
        set_reminder(tx, follow_up, at=at)
    if changed:
        _tell(tx, incident, playbook, changed, at=at)


def _is_over(tx: Transaction, incident: Incident) -> bool:
    closed = incident.state is not IncidentState.OPEN
    return closed or any(r.state in _ROLLED_BACK for r in tx.rollbacks_of(incident.number))


def set_reminder(tx: Transaction, follow_up: FollowUp, *, at: datetime) -> None:
    """Remind of a follow-up when it is due, as long as it is open; `at` (UTC) is now."""
    if follow_up.state is not FollowUpState.OPEN:
        tx.let_sleep(Workflow.FOLLOW_UP, follow_up.id)
        return
    begun = f"{at:%Y%m%d%H%M%S%f}"
    when = next_reminder(follow_up, at=at)
    tx.wake(Workflow.FOLLOW_UP, follow_up.id, at=when, follow_up=follow_up.id, begun=begun, turn="0")


def _tell(
    tx: Transaction, incident: Incident, playbook: Playbook, changed: tuple[FollowUp, ...], *, at: datetime
) -> None:
    channel = ChannelId(playbook.channels.incidents)
    present = [f for f in changed if f.state is FollowUpState.OPEN]
    gone = [f for f in changed if f.state is FollowUpState.DROPPED]
    stamp = f"{incident.scenario}:{at.isoformat()}"
    lines = [
        Line(event=event, key=f"{event}:{stamp}", facts={"titles": [dict(f.titles) for f in found]})
        for event, found in ((Event.FOLLOW_UPS_PLANNED, present), (Event.FOLLOW_UPS_LEFT_OUT, gone))
        if found
    ]
    write_lines(tx, incident.number, lines, at=at, channel=channel)
    show_follow_ups(tx, incident.number, channel=channel)


def title_facts(follow_up: FollowUp) -> dict[str, Any]:
    """Return which follow-up something is about, as JSON facts."""
    return {"follow_up": follow_up.id, "title": dict(follow_up.titles)}
