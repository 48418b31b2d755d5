"""*I'm on it*: the clock stops, and whoever answered gets the contact's role while it is free."""

from dataclasses import replace
from typing import Any

from bot.domain.ids import PersonId
from bot.domain.paging import Page, PageState, Reach, answered_late, moved, reach
from bot.domain.timeline import Event
from bot.usecases.act import Deed, Doing, Reply
from bot.usecases.ports import Said, Showing
from bot.usecases.send_page import call_off_pages, contact_facts, end_page, tell


def _answer(doing: Doing) -> Reply | None:
    page = doing.tx.kept(Page, doing.act.words["page"])
    if page.state is PageState.WAITING:
        _in_time(doing, page)
        return None
    if page.state is PageState.UNANSWERED and page.answered_by is None:
        return _late(doing, page)
    return how_it_stands(doing, page)


def _in_time(doing: Doing, page: Page) -> None:
    answered = moved(page, PageState.ANSWERED, at=doing.at, by=doing.act.person)
    end_page(doing.tx, answered, doing.playbook)
    _tell(doing, page, Event.PAGE_ANSWERED)
    _call_off_others(doing, page)
    _give_role(doing, page)


def _late(doing: Doing, page: Page) -> Reply | None:
    """Take help that comes late: it stops the clock all the same, unless somebody else is on it."""
    line = doing.tx.find(Page, origin=page.origin)
    first = next((p for p in line if p.answered_by is not None), None)
    end_page(doing.tx, answered_late(page, by=doing.act.person, at=doing.at), doing.playbook)
    _tell(doing, page, Event.PAGE_ANSWERED_LATE, other=first.answered_by if first else None)
    _call_off_others(doing, page)
    _give_role(doing, page)
    if all(p.state in (PageState.UNANSWERED, PageState.DECLINED) for p in line):
        # The channel was told that nobody had come.
        doing.tx.show(Showing.PAGE_END, page.origin, channel=doing.channel)
    return _taken(doing, first, late=True) if first else None


def _tell(doing: Doing, page: Page, event: Event, **facts: Any) -> None:
    contact = doing.playbook.contacts[page.contact]
    meant = contact.user if contact.user != doing.act.person else None
    called = reach(contact) is Reach.TELEPHONE
    after = round((doing.at - page.created_at).total_seconds(), 1)
    about = {"instead_of": meant, "called": called, "after_seconds": after}
    tell(doing.tx, page, event, doing.playbook, at=doing.at, by=doing.act.person, **about | facts)


def _call_off_others(doing: Doing, page: Page) -> None:
    """Stop the rest of this escalation, and any other that calls the same contact."""
    waiting = doing.tx.find(Page, incident=page.incident, state=PageState.WAITING)
    needless = tuple(p for p in waiting if p.origin == page.origin or p.contact == page.contact)
    call_off_pages(doing.tx, needless, doing.playbook, at=doing.at, by=doing.act.person)


def _give_role(doing: Doing, page: Page) -> None:
    person = _who_came(doing, page)
    if person is not None and page.contact not in doing.incident.roles:
        doing.save(replace(doing.incident, roles={**doing.incident.roles, page.contact: person}))


def _who_came(doing: Doing, page: Page) -> PersonId | None:
    """Who is there now: whoever pressed, except where they have only called somebody by telephone."""
    contact = doing.playbook.contacts[page.contact]
    if reach(contact) is Reach.TELEPHONE:
        return PersonId(contact.user) if contact.user else None
    return doing.act.person


def how_it_stands(doing: Doing, page: Page) -> Reply:
    """Tell whoever presses on a page that has ended how it stands now; nothing is changed."""
    if page.answered_by == doing.act.person:
        return Reply(what=Said.PAGE_YOURS, facts=contact_facts(doing.playbook, page.contact))
    line = doing.tx.find(Page, origin=page.origin)
    first = page if page.answered_by else next((p for p in line if p.answered_by is not None), None)
    if first is not None:
        return _taken(doing, first, late=False)
    waiting = next((p for p in line if p.state is PageState.WAITING), None)
    facts = contact_facts(doing.playbook, page.contact) | {"state": page.state.value}
    following = contact_facts(doing.playbook, waiting.contact) if waiting else None
    return Reply(what=Said.PAGE_ENDED, facts=facts | {"next": following})


def _taken(doing: Doing, page: Page, *, late: bool) -> Reply:
    at = page.answered_at or doing.at
    facts = {"by": page.answered_by, "at": at.isoformat(), "late": late}
    return Reply(what=Said.PAGE_TAKEN, facts=facts | contact_facts(doing.playbook, page.contact))


ANSWER_PAGE = Deed(do=_answer)
