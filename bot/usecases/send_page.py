"""Sending a page, ending it, and passing it on: what every way of paging has in common.

Whoever calls these holds the incident's lock, so of any number of clicks, timers and replicas one
after the other sees what the one before did: an escalation never has two pages that wait.
"""

from datetime import datetime
from typing import Any

from bot.domain.ids import ChannelId, IncidentNumber
from bot.domain.paging import Page, PageState, following_page, moved, next_contact
from bot.domain.playbook import Playbook
from bot.domain.timeline import BACKOUT, Event
from bot.usecases.journal import Line, write_lines
from bot.usecases.ports import Showing, Transaction, Workflow


def send_page(tx: Transaction, page: Page, playbook: Playbook, *, at: datetime, by: str = BACKOUT) -> None:
    """Post a new page where its contact is, and wake up when nobody has answered in time."""
    tx.keep(page)
    _show(tx, page, playbook)
    tx.wake(Workflow.PAGE, page.id, at=page.due_at, page=page.id, incident=str(page.incident))
    facts = {"due_at": page.due_at.isoformat(), "reason": page.reason, "attempt": page.attempt}
    tell(tx, page, Event.PAGE_SENT, playbook, at=at, by=by, **facts)


def end_page(tx: Transaction, page: Page, playbook: Playbook) -> None:
    """Store a page that has ended; its clock stops, and its message says how it ended."""
    tx.keep(page)
    tx.let_sleep(Workflow.PAGE, page.id)
    _show(tx, page, playbook)


def _show(tx: Transaction, page: Page, playbook: Playbook) -> None:
    """Bring the page up to date, and the board, which names the calls that wait."""
    tx.show(Showing.PAGE, page.id, channel=ChannelId(page.channel))
    tx.show(Showing.BOARD, str(page.incident), channel=ChannelId(playbook.channels.incidents))


def pass_on(tx: Transaction, page: Page, playbook: Playbook, *, at: datetime) -> None:
    """Page the next in line after `page` has ended without help; at the end of the line, say so."""
    tried = {p.contact for p in tx.find(Page, origin=page.origin)}
    turn = next_contact(playbook, page, tried=tried)
    tell_empty(tx, page.incident, turn.empty, playbook, origin=page.origin, at=at)
    if turn.contact is not None:
        send_page(tx, following_page(playbook, page, turn.contact, at=at), playbook, at=at)
        return
    tell(tx, page, Event.PAGE_NOBODY_LEFT, playbook, at=at)
    tx.show(Showing.PAGE_END, page.origin, channel=ChannelId(playbook.channels.incidents))


def call_off_pages(
    tx: Transaction, pages: tuple[Page, ...], playbook: Playbook, *, at: datetime, by: str = BACKOUT
) -> None:
    """Call off those of `pages` that still wait: nobody needs to answer them any more."""
    for page in pages:
        if page.state is PageState.WAITING:
            end_page(tx, moved(page, PageState.CALLED_OFF, at=at), playbook)
            tell(tx, page, Event.PAGE_CALLED_OFF, playbook, at=at, by=by)


def tell_empty(
    tx: Transaction,
    number: IncidentNumber,
    empty: tuple[str, ...],
    playbook: Playbook,
    *,
    origin: str,
    at: datetime,
) -> None:
    """Write down that slots of the playbook are empty, once per escalation `origin`."""
    lines = [
        Line(
            event=Event.PAGE_SLOT_EMPTY,
            key=f"{Event.PAGE_SLOT_EMPTY}:{origin}:{contact}",
            facts=contact_facts(playbook, contact),
        )
        for contact in empty
    ]
    write_lines(tx, number, lines, at=at, channel=ChannelId(playbook.channels.incidents))


def tell(
    tx: Transaction,
    page: Page,
    event: Event,
    playbook: Playbook,
    *,
    at: datetime,
    by: str = BACKOUT,
    **facts: Any,
) -> None:
    """Write what happened to a page into the timeline, once per page and kind."""
    about = contact_facts(playbook, page.contact) | {"page": page.id}
    line = Line(event=event, key=f"{event}:{page.id}", actor=by, facts=about | facts)
    write_lines(tx, page.incident, [line], at=at, channel=ChannelId(playbook.channels.incidents))


def contact_facts(playbook: Playbook, key: str) -> dict[str, Any]:
    """Return who a contact is, as JSON facts that need no playbook to be read."""
    contact = playbook.contacts[key]
    return {
        "contact": key,
        "role": {"en": contact.role.en, "ko": contact.role.ko},
        "name": contact.name,
        "phone": contact.phone or "",
    }
