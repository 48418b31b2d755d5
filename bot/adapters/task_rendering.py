"""Pages and follow-ups as messages: reads the stored facts and hands them to a view."""

from collections.abc import Mapping
from typing import Any

from bot.domain.follow_up import FollowUp
from bot.domain.ids import IncidentNumber, incident_in
from bot.domain.incident import Incident
from bot.domain.paging import Page
from bot.domain.playbook import Playbook
from bot.slack.text import Words
from bot.slack.views.follow_ups_card import follow_up_buttons, follow_up_due_message, follow_ups_card
from bot.slack.views.page_message import page_end_message, page_message
from bot.slack.views.rollback_message import Message
from bot.usecases.editions import playbook_of
from bot.usecases.ports import Said, Showing, Transaction
from bot.usecases.show_follow_ups import on_page, pages_for

#: What this module renders.
TASKS = frozenset({Showing.PAGE, Showing.PAGE_END, Showing.FOLLOW_UPS, Showing.FOLLOW_UP_DUE})
#: Notices about one follow-up, which carry its buttons.
ABOUT_ONE = frozenset({Said.FOLLOW_UP_DUE, Said.FOLLOW_UP_GIVEN})


def task_message(
    tx: Transaction,
    what: Showing,
    subject: str,
    facts: Mapping[str, Any],
    *,
    current: Playbook,
    words: Words,
) -> Message:
    """Return what `what` of `subject` looks like now. A page's `facts` may hold the board's address."""
    if what is Showing.PAGE:
        page = tx.kept(Page, subject)
        incident, playbook = _about(tx, page.incident, current)
        line = _line(tx, page.origin)
        return page_message(page, line, incident, playbook, words, board=facts.get("board"))
    if what is Showing.PAGE_END:
        line = _line(tx, subject)
        incident, playbook = _about(tx, incident_in(subject), current)
        return page_end_message(line, incident, playbook, words)
    if what is Showing.FOLLOW_UP_DUE:
        follow_up = tx.kept(FollowUp, subject.partition("@")[0])
        _, playbook = _about(tx, follow_up.incident, current)
        return follow_up_due_message(follow_up, playbook, words)
    number, _, page_number = subject.partition(":")
    return follow_ups_page(tx, IncidentNumber(int(number)), int(page_number), current=current, words=words)


def follow_ups_page(
    tx: Transaction, number: IncidentNumber, page: int, *, current: Playbook, words: Words
) -> Message:
    """Return one card of an incident's follow-ups."""
    _, playbook = _about(tx, number, current)
    found = tx.find(FollowUp, incident=number)
    pages = pages_for(len(found))
    return follow_ups_card(number, on_page(found, page), playbook, words, page=page, pages=pages)


def with_buttons(tx: Transaction, told: Message, facts: Mapping[str, Any], words: Words) -> Message:
    """Return a notice about one follow-up with its buttons as it stands now."""
    follow_up = tx.kept(FollowUp, facts["follow_up"])
    return Message(text=told.text, blocks=[*told.blocks, follow_up_buttons(follow_up, words)])


def _line(tx: Transaction, origin: str) -> list[Page]:
    return sorted(tx.find(Page, origin=origin), key=lambda page: page.attempt)


def _about(tx: Transaction, number: IncidentNumber, current: Playbook) -> tuple[Incident, Playbook]:
    incident = tx.incident(number)
    return incident, playbook_of(tx, incident, current)
