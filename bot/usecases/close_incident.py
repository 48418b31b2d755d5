"""Closing an incident, with its final record, and opening it again within a day."""

from dataclasses import replace
from datetime import timedelta

from bot.domain.incident import Incident, IncidentState
from bot.domain.playbook import Permission
from bot.domain.still_open import StillOpen
from bot.domain.timeline import Event
from bot.usecases.act import Deed, Doing, Reply
from bot.usecases.look_what_is_open import look_what_is_open
from bot.usecases.open_incident import keep_fresh
from bot.usecases.page_contact import call_off_all
from bot.usecases.plan_follow_ups import plan_follow_ups
from bot.usecases.ports import Said, Showing
from bot.usecases.remind_post_mortem import expect_meeting
from bot.usecases.show_record import show_record

#: After that something new has happened, and a new incident tells it better.
REOPEN_WITHIN = timedelta(days=1)


def _close(doing: Doing) -> Reply:
    if doing.incident.state is IncidentState.CLOSED:
        return Reply(what=Said.INCIDENT_CLOSED)
    left = look_what_is_open(doing.tx, doing.incident, doing.playbook)
    if left.keeps_it_open:
        return cannot_end(left)
    doing.write(Event.INCIDENT_CLOSED, open=_counts(left))
    end(doing, replace(doing.incident, state=IncidentState.CLOSED, closed_at=doing.at))
    doing.tx.show(Showing.CLOSED, f"{doing.incident.number}:{doing.act.key}", channel=doing.channel)
    return Reply(what=Said.INCIDENT_CLOSED)


def cannot_end(left: StillOpen) -> Reply:
    """Say what keeps an incident open."""
    if left.running:
        return Reply(what=Said.STILL_RUNNING)
    return Reply(
        what=Said.NEEDED_TO_CLOSE, facts={"steps": [line.title.model_dump() for line in left.needed]}
    )


def end(doing: Doing, ended: Incident) -> None:
    """Store an incident that is over, call nobody any more, and post its record for good."""
    doing.save(ended)
    call_off_all(doing.tx, ended, doing.playbook, at=doing.at, by=doing.act.person)
    plan_follow_ups(doing.tx, ended, doing.playbook, at=doing.at)
    expect_meeting(doing.tx, ended, doing.playbook, at=doing.at)
    show_record(doing.tx, ended.number, channel=doing.channel, at=doing.at)


def _counts(left: StillOpen) -> dict[str, int]:
    return {
        "steps": len(left.steps) + len(left.clock),
        "follow_ups": len(left.follow_ups),
        "pages": len(left.pages),
    }


def _reopen(doing: Doing) -> Reply:
    incident = doing.incident
    if incident.state is IncidentState.OPEN or incident.closed_at is None:
        return Reply(what=Said.IS_OPEN)
    if incident.merged_into is not None:
        return Reply(what=Said.WAS_JOINED, facts={"into": incident.merged_into})
    other = doing.tx.open_incident(incident.target)
    if other is not None:
        return Reply(what=Said.OTHER_IS_OPEN, facts={"other": other.number, "target": incident.target})
    if doing.at - incident.closed_at > REOPEN_WITHIN:
        return Reply(what=Said.TOO_LATE_TO_REOPEN, facts={"target": incident.target})
    doing.save(replace(incident, state=IncidentState.OPEN, closed_at=None))
    doing.write(Event.INCIDENT_REOPENED, why=doing.act.words.get("why", ""))
    keep_fresh(doing.tx, incident.number, at=doing.at)
    return Reply(what=Said.REOPENED)


CLOSE = Deed(do=_close, permission=Permission.COMPLETE_RECORD, commander_may=True, when_closed=True)
REOPEN = Deed(do=_reopen, permission=Permission.COMPLETE_RECORD, commander_may=True, when_closed=True)
