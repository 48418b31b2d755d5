"""The incidents of a drill: found, and closed when it is over, so that nothing real ever joins one."""

from dataclasses import replace
from datetime import datetime

from bot.domain.drill import Drill
from bot.domain.follow_up import FollowUp, FollowUpState, moved
from bot.domain.ids import ChannelId, PersonId
from bot.domain.incident import Incident, IncidentState
from bot.domain.incident_search import Search
from bot.domain.playbook import Playbook
from bot.domain.timeline import BACKOUT, Event
from bot.usecases.editions import edition_of_incident
from bot.usecases.journal import Line, write_lines
from bot.usecases.page_contact import call_off_all
from bot.usecases.plan_follow_ups import set_reminder
from bot.usecases.ports import Transaction
from bot.usecases.read_case import seals_of
from bot.usecases.show_follow_ups import show_follow_ups
from bot.usecases.show_incident import show_incident
from bot.usecases.show_record import show_record

#: More incidents than one drill can lead to.
_MOST = 100


def incidents_of(tx: Transaction, drill: Drill) -> tuple[Incident, ...]:
    """Return the incidents that belong to a drill, oldest first."""
    search = Search(target=drill.target, since=drill.created_at, until=drill.until)
    found, _ = tx.search_incidents(search, limit=_MOST)
    return tuple(incident for incident in reversed(found) if incident.drill == drill.id)


def clear_up(tx: Transaction, drill: Drill, current: Playbook | None, *, at: datetime) -> None:
    """Close what is open of a drill that is over, and drop what it left to do; `at` is aware, UTC.

    Nobody is called or reminded any more. `current` is the playbook for incidents older than editions are.
    """
    for incident in incidents_of(tx, drill):
        playbook = edition_of_incident(tx, incident) or current
        if playbook is not None:
            close_incident(tx, incident, playbook, at=at)


def close_incident(tx: Transaction, incident: Incident, playbook: Playbook, *, at: datetime) -> None:
    """Close an incident of a drill that is over, if it is open, and drop what it left to do."""
    # Whoever looked for it locked nothing: its record may have been completed since.
    incident = tx.incident(incident.number)
    channel = ChannelId(playbook.channels.incidents)
    is_open = incident.state is IncidentState.OPEN
    if is_open:
        tx.save_incident(replace(incident, state=IncidentState.CLOSED, closed_at=at))
        show_incident(tx, incident.number, channel=channel)
        call_off_all(tx, incident, playbook, at=at, by=BACKOUT)
    _drop_follow_ups(tx, incident, playbook, at=at)
    # What was sealed when somebody closed it has changed by the dropping.
    facts = {"drill": incident.drill, "seals": seals_of(tx, incident.number)}
    line = Line(event=Event.DRILL_ENDED, key=f"drill_ended:{incident.drill}", facts=facts)
    write_lines(tx, incident.number, [line], at=at, channel=channel)
    if is_open:
        show_record(tx, incident.number, channel=channel, at=at)


def _drop_follow_ups(tx: Transaction, incident: Incident, playbook: Playbook, *, at: datetime) -> None:
    """Drop what a drill's incident left to do: it would hold up the next real deployment."""
    open_ones = tx.find(FollowUp, incident=incident.number, state=FollowUpState.OPEN)
    for follow_up in open_ones:
        dropped = moved(follow_up, FollowUpState.DROPPED, at=at, by=PersonId(BACKOUT))
        tx.keep(dropped)
        set_reminder(tx, dropped, at=at)
    if open_ones:
        show_follow_ups(tx, incident.number, channel=ChannelId(playbook.channels.incidents))
