"""Opening an incident: one per target, with the playbook as it is now."""

from dataclasses import replace
from datetime import datetime

from bot.domain.drill import Drill
from bot.domain.edition import edition_of
from bot.domain.ids import ChannelId, IncidentNumber, TargetName
from bot.domain.incident import Incident
from bot.domain.paging import empty_slots
from bot.domain.playbook import Playbook
from bot.domain.timeline import Event
from bot.usecases.drill_incidents import close_incident
from bot.usecases.editions import playbook_of
from bot.usecases.journal import Line, write_lines
from bot.usecases.page_contact import calls_at
from bot.usecases.ports import NotKept, Transaction, Workflow
from bot.usecases.show_incident import FRESH_EVERY, show_incident


def incident_to_join(
    tx: Transaction, target: TargetName, *, playbook: Playbook, at: datetime
) -> Incident | None:
    """Return and lock the open incident of `target`, None when there is none.

    One of a drill that is over, which nobody has ended, is closed first: nothing real may join it.
    """
    found = tx.open_incident(target)
    if found is None or not found.drill or tx.kept(Drill, found.drill).covers(at):
        return found
    close_incident(tx, found, playbook_of(tx, found, playbook), at=at)
    return None


def drill_under_way(tx: Transaction, target: TargetName, *, at: datetime) -> Drill | None:
    """Return the drill that covers `at` (aware, UTC) on `target`."""
    return next((drill for drill in reversed(tx.find(Drill, target=target)) if drill.covers(at)), None)


def drill_echoes(tx: Transaction, target: TargetName, *, at: datetime) -> bool:
    """True when a drill of `target` is over since so short a time that machines still see its failure."""
    return any(drill.echoes(at) for drill in tx.find(Drill, target=target))


def open_incident(tx: Transaction, draft: Incident, *, playbook: Playbook, at: datetime) -> Incident:
    """Store `draft` as a new incident and return it with its number; its cards appear.

    The caller has made sure that none is open on its target, and writes the opening line. While a drill is
    under way on the target the incident belongs to it, and its first line says so.
    """
    edition = edition_of(playbook, at=at)
    try:
        tx.kept(type(edition), edition.id)
    except NotKept:
        tx.keep(edition)
    drill = drill_under_way(tx, draft.target, at=at)
    opened = tx.add_incident(
        replace(
            draft,
            playbook=edition.id,
            playbook_version=edition.version,
            drill=drill.id if drill else "",
        )
    )
    channel = ChannelId(playbook.channels.incidents)
    show_incident(tx, opened.number, channel=channel)
    if drill is not None:
        write_lines(tx, opened.number, [begun_line(drill, playbook)], at=at, channel=channel)
    keep_fresh(tx, opened.number, at=at)
    if calls_at(playbook, opened):
        # In a transaction of its own, so that the opening line stands before the calls.
        tx.start(Workflow.PAGE, f"opened:{opened.number}", incident=str(opened.number))
    return opened


def begun_line(drill: Drill, playbook: Playbook) -> Line:
    """Return the line that says that all this is a drill, and of what."""
    scenario = playbook.scenario(drill.scenario)
    facts = {
        "drill": drill.id,
        "scenario": drill.scenario,
        "scenario_name": scenario.name.model_dump() if scenario else None,
        "began_at": drill.created_at.isoformat(),
    }
    return Line(event=Event.DRILL_BEGUN, key=f"drill:{drill.id}", facts=facts)


def slots_lines(playbook: Playbook, *, key: str) -> list[Line]:
    """Return the line that names the contacts nobody can be called by, none when every slot is filled."""
    empty = [playbook.contacts[contact].role.model_dump() for contact in empty_slots(playbook)]
    return [Line(event=Event.SLOTS_EMPTY, key=f"empty:{key}", facts={"roles": empty})] if empty else []


def keep_fresh(tx: Transaction, number: IncidentNumber, *, at: datetime) -> None:
    """Let the cards, which count minutes, be rendered anew from `at` on."""
    tx.wake(Workflow.TICK, str(number), at=at + FRESH_EVERY, incident=str(number))
