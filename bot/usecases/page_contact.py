"""Calling somebody to an incident: a person asks for it, or its severity does."""

import hashlib
from datetime import datetime

from bot.domain.incident import Incident
from bot.domain.paging import Page, PageState, Turn, first_page, first_turn
from bot.domain.playbook import Playbook
from bot.domain.timeline import BACKOUT
from bot.usecases.act import Deed, Doing, Reply
from bot.usecases.ports import Said, Transaction
from bot.usecases.send_page import call_off_pages, contact_facts, send_page, tell_empty

#: A contact who is called or has come is not called a second time by the bot itself.
_THERE_OR_CALLED = (PageState.WAITING, PageState.ANSWERED)


def _page(doing: Doing) -> Reply:
    wanted = doing.act.words["contact"]
    if wanted not in doing.playbook.contacts:
        return Reply(what=Said.PAGE_NOBODY, facts={"name": wanted, "role": {"en": wanted, "ko": wanted}})
    turn = first_turn(doing.playbook, wanted)
    waiting = _waiting(doing.tx, doing.incident, turn)
    if waiting is not None:
        facts = {"due_at": waiting.due_at.isoformat(), "by": waiting.asked_by}
        return Reply(what=Said.PAGED_BEFORE, facts=facts | contact_facts(doing.playbook, waiting.contact))
    page = call_in(
        doing.tx,
        doing.incident,
        doing.playbook,
        turn,
        id=page_id(doing),
        by=doing.act.person,
        reason=doing.act.words.get("reason", ""),
        at=doing.at,
    )
    empty = [contact_facts(doing.playbook, key) for key in turn.empty]
    if page is None:
        return Reply(what=Said.PAGE_NOBODY, facts=contact_facts(doing.playbook, wanted))
    facts = contact_facts(doing.playbook, page.contact) | {"due_at": page.due_at.isoformat(), "empty": empty}
    return Reply(what=Said.PAGED, facts=facts)


def page_id(doing: Doing) -> str:
    """Return the id of the page that an act asks for: the same act, the same page."""
    return f"{doing.incident.number}-{hashlib.sha256(doing.act.key.encode()).hexdigest()[:12]}"


def _waiting(tx: Transaction, incident: Incident, turn: Turn) -> Page | None:
    called = tx.find(Page, incident=incident.number, contact=turn.contact, state=PageState.WAITING)
    return called[0] if called else None


def call_in(
    tx: Transaction,
    incident: Incident,
    playbook: Playbook,
    turn: Turn,
    *,
    id: str,
    by: str,
    reason: str,
    at: datetime,
) -> Page | None:
    """Page whose turn it is, and write down which slots were found empty; None when nobody is left."""
    tell_empty(tx, incident.number, turn.empty, playbook, origin=id, at=at)
    if turn.contact is None:
        return None
    page = first_page(playbook, turn.contact, id=id, incident=incident.number, by=by, reason=reason, at=at)
    send_page(tx, page, playbook, at=at, by=by)
    return page


def page_by_severity(tx: Transaction, incident: Incident, playbook: Playbook, *, at: datetime) -> None:
    """Page everybody whom the playbook calls at this severity, each once for it.

    For when an incident opens or its severity is raised; the caller holds the incident's lock.
    """
    for key, contact in playbook.contacts.items():
        if incident.severity in contact.page_at:
            _page_once(tx, incident, playbook, key, at=at)


def _page_once(tx: Transaction, incident: Incident, playbook: Playbook, key: str, *, at: datetime) -> None:
    id = f"{incident.number}-{incident.severity}-{key}"
    call_unless_there(tx, incident, playbook, key, id=id, reason="", at=at)


def call_unless_there(
    tx: Transaction,
    incident: Incident,
    playbook: Playbook,
    key: str,
    *,
    id: str,
    reason: str,
    at: datetime,
) -> None:
    """Let the bot call contact `key`, once for each `id`, unless they are called already or have come."""
    turn = first_turn(playbook, key)
    pages = tx.find(Page, incident=incident.number)
    there = any(p.contact == turn.contact and p.state in _THERE_OR_CALLED for p in pages)
    if not there and id not in {p.origin for p in pages}:
        call_in(tx, incident, playbook, turn, id=id, by=BACKOUT, reason=reason, at=at)


def calls_at(playbook: Playbook, incident: Incident) -> bool:
    """True when the playbook calls anybody by itself at the incident's severity."""
    return any(incident.severity in contact.page_at for contact in playbook.contacts.values())


def call_off_all(tx: Transaction, incident: Incident, playbook: Playbook, *, at: datetime, by: str) -> None:
    """Call off whatever still waits for an answer in an incident that is being closed."""
    call_off_pages(tx, tx.find(Page, incident=incident.number), playbook, at=at, by=by)


PAGE = Deed(do=_page)
