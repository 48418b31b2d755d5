"""Opening an incident: one per target, with the playbook as it is now."""

from dataclasses import replace
from datetime import datetime

from bot.domain.edition import edition_of
from bot.domain.ids import ChannelId, IncidentNumber
from bot.domain.incident import Incident
from bot.domain.paging import empty_slots
from bot.domain.playbook import Playbook
from bot.domain.timeline import Event
from bot.usecases.journal import Line
from bot.usecases.page_contact import calls_at
from bot.usecases.ports import NotKept, Transaction, Workflow
from bot.usecases.show_incident import FRESH_EVERY, show_incident


def open_incident(tx: Transaction, draft: Incident, *, playbook: Playbook, at: datetime) -> Incident:
    """Store `draft` as a new incident and return it with its number; its cards appear.

    The caller has made sure that none is open on its target, and writes the opening line.
    """
    edition = edition_of(playbook, at=at)
    try:
        tx.kept(type(edition), edition.id)
    except NotKept:
        tx.keep(edition)
    opened = tx.add_incident(replace(draft, playbook=edition.id, playbook_version=edition.version))
    show_incident(tx, opened.number, channel=ChannelId(playbook.channels.incidents))
    keep_fresh(tx, opened.number, at=at)
    if calls_at(playbook, opened):
        # In a transaction of its own, so that the opening line stands before the calls.
        tx.start(Workflow.PAGE, f"opened:{opened.number}", incident=str(opened.number))
    return opened


def slots_lines(playbook: Playbook, *, key: str) -> list[Line]:
    """Return the line that names the contacts nobody can be called by, none when every slot is filled."""
    empty = [playbook.contacts[contact].role.model_dump() for contact in empty_slots(playbook)]
    return [Line(event=Event.SLOTS_EMPTY, key=f"empty:{key}", facts={"roles": empty})] if empty else []


def keep_fresh(tx: Transaction, number: IncidentNumber, *, at: datetime) -> None:
    """Let the cards, which count minutes, be rendered anew from `at` on."""
    tx.wake(Workflow.TICK, str(number), at=at + FRESH_EVERY, incident=str(number))
