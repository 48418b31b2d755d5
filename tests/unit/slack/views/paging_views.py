"""Every view of pages and follow-ups in every state, with texts to be put wherever people's texts go."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

from bot.domain.follow_up import FollowUp, FollowUpState
from bot.domain.ids import PersonId
from bot.domain.incident import Incident, IncidentState
from bot.domain.paging import Page, PageState, first_page
from bot.domain.playbook import Playbook
from bot.domain.timeline import Event
from bot.slack.text import Words
from bot.slack.views.follow_up_modals import drop_modal, give_modal, move_modal
from bot.slack.views.follow_ups_card import follow_up_due_message, follow_ups_card
from bot.slack.views.notices import notice_message
from bot.slack.views.page_message import page_end_message, page_message
from bot.slack.views.page_modals import cant_modal, page_modal
from bot.slack.views.rollback_message import Message
from tests.paging import CONTACTS, a_playbook_with_contacts
from tests.values import CANARY_TARGET, NOON, SENA, an_incident

BOARD = "https://sandbox.slack.com/archives/C0CRITICAL/p1772000000000100"


def a_hostile_playbook(hostile: str) -> Playbook:
    """Return contacts whose names and roles are `hostile`, as far as the playbook takes them."""
    word = hostile.strip()[:70] or "x"
    contacts = {
        key: plan | {"role": {"en": word, "ko": word}} | ({"name": word} if plan.get("name") else {})
        for key, plan in CONTACTS.items()
    }
    only_sena = {"user": SENA, "group": None}
    return a_playbook_with_contacts(
        contacts | {"backend": contacts["backend"] | only_sena, "devops": contacts["devops"] | only_sena}
    )


def pages(playbook: Playbook, hostile: str) -> Iterator[tuple[str, Page]]:
    """Yield a page to every contact in every state."""
    for key in ("deployment_lead", "backend", "manager"):
        page = first_page(
            playbook, key, id="12-a", incident=an_incident().number, by=SENA, reason=hostile, at=NOON
        )
        for state in PageState:
            answered = state is PageState.ANSWERED
            ended = replace(page, state=state, why=hostile, answered_by=SENA if answered else None)
            yield f"{key} {state}", replace(ended, answered_at=NOON if answered else None)
        late = replace(page, state=PageState.UNANSWERED, answered_by=SENA, answered_at=NOON)
        yield f"{key} late", late
        yield f"{key} by itself", replace(page, asked_by="backout", reason="")
        yield f"{key} elsewhere", replace(page, channel="#critical-incidents")


def lines(page: Page) -> Iterator[list[Page]]:
    """Yield a page alone, and with the one that followed."""
    yield [page]
    yield [page, replace(page, id="12-a-2", contact="devops", attempt=2)]


def page_messages(hostile: str, words: Words) -> Iterator[tuple[str, Message]]:
    """Yield every message about pages."""
    playbook = a_hostile_playbook(hostile)
    for incident in some_incidents(hostile):
        for title, page in pages(playbook, hostile):
            for line in lines(page):
                told = page_message(page, line, incident, playbook, words)
                yield f"page {title} {len(line)} {incident.state}", told
                yield f"end {title} {len(line)}", page_end_message(line, incident, playbook, words)


def some_incidents(hostile: str) -> Iterator[Incident]:
    """Yield open and closed incidents, with and without a commander and a scenario."""
    yield an_incident(seen=hostile, scenario="errors")
    yield an_incident(commander=SENA)
    yield an_incident(state=IncidentState.CLOSED, closed_at=NOON)


def follow_ups(hostile: str) -> Iterator[tuple[str, FollowUp]]:
    """Yield a follow-up in every state."""
    task = FollowUp(
        id="12-add_tests",
        incident=an_incident().number,
        target=CANARY_TARGET,
        key="add_tests",
        titles={"en": hostile.strip()[:1000] or "x", "ko": hostile.strip()[:1000] or "x"},
        state=FollowUpState.OPEN,
        created_at=NOON,
        due_at=NOON + timedelta(days=7),
    )
    yield "nobody's", task
    yield "a role's", replace(task, owner_role="backend", postpones_deployment=True)
    yield "moved", replace(task, owner=SENA, by=SENA, why=hostile)
    yield "of the command line", replace(task, owner=PersonId(f"cli:{hostile}"[:60]))
    for state in (FollowUpState.DONE, FollowUpState.DROPPED):
        yield f"{state}", replace(task, state=state, by=SENA, ended_at=NOON, why=hostile)
    yield "left out", replace(task, state=FollowUpState.DROPPED, ended_at=NOON)


def follow_up_messages(hostile: str, words: Words) -> Iterator[tuple[str, Message]]:
    """Yield every message about follow-ups."""
    playbook, number = a_hostile_playbook(hostile), an_incident().number
    every = [follow_up for _, follow_up in follow_ups(hostile)]
    for title, follow_up in follow_ups(hostile):
        yield f"card {title}", follow_ups_card(number, [follow_up], playbook, words)
        yield f"due {title}", follow_up_due_message(follow_up, playbook, words)
    full = [replace(f, id=f"12-task_{n}") for n, f in enumerate((every * 3)[:20])]
    yield "full card", follow_ups_card(number, full, playbook, words, page=2, pages=3)
    yield "empty card", follow_ups_card(number, [], playbook, words)


def task_notices(hostile: str, words: Words) -> Iterator[tuple[str, Message]]:
    """Yield every line to one person about pages and follow-ups."""
    who = {"role": {"en": hostile, "ko": hostile}, "name": hostile, "contact": "backend", "incident": 12}
    for what in ("paged", "paged_before", "page_nobody", "page_yours"):
        for empty in ([], [who, who]):
            facts = who | {"what": what, "due_at": NOON.isoformat(), "empty": empty}
            yield what, notice_message(facts, words, now=NOON)
    for late in (True, False):
        facts = who | {"what": "page_taken", "by": SENA, "at": NOON.isoformat(), "late": late}
        yield f"taken {late}", notice_message(facts, words, now=NOON)
    for state in PageState:
        for following in (None, who):
            facts = who | {"what": "page_ended", "state": state.value, "next": following}
            yield f"ended {state}", notice_message(facts, words, now=NOON)
    task = {"follow_up": "12-add_tests", "title": {"en": hostile, "ko": hostile}, "due_at": NOON.isoformat()}
    for what in ("follow_up_saved", "follow_up_stands", "follow_up_given", "follow_up_due"):
        for open_or_not in FollowUpState:
            for owner in (None, SENA):
                facts = task | {"what": what, "state": open_or_not.value, "by": SENA, "owner": owner}
                for days in (0, 9):
                    now = NOON + timedelta(days=days)
                    yield f"{what} {open_or_not}", notice_message(facts, words, now=now)


def task_messages(hostile: str, words: Words) -> Iterator[tuple[str, Message]]:
    """Yield everything that is said about pages and follow-ups."""
    yield from page_messages(hostile, words)
    yield from follow_up_messages(hostile, words)
    yield from task_notices(hostile, words)


def task_modals(hostile: str, words: Words) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every modal about pages and follow-ups."""
    playbook = a_hostile_playbook(hostile)
    yield "page", page_modal(an_incident(), playbook, words, channel="C0OPERATIONS")
    yield "nobody", page_modal(an_incident(), a_playbook_with_contacts({}), words, channel="C0OPERATIONS")
    many = {f"c{n}": CONTACTS["backend"] for n in range(120)}
    yield "many", page_modal(an_incident(), a_playbook_with_contacts(many), words, channel="C0OPERATIONS")
    yield "can't", cant_modal("12-a", words, channel="C0OPERATIONS")
    for title, follow_up in follow_ups(hostile):
        yield f"give {title}", give_modal(follow_up, words, channel="C0OPERATIONS")
        day = follow_up.due_at.date()
        yield f"move {title}", move_modal(follow_up, words, day=day, channel="C0OPERATIONS")
        yield f"drop {title}", drop_modal(follow_up, words, channel="C0OPERATIONS")


def task_facts(event: Event, text: str) -> dict[str, Any]:
    """Return what the use-cases write down with an event about pages or follow-ups; empty for others."""
    if event.value.startswith("page_"):
        who = {"contact": "backend", "role": {"en": text, "ko": text}, "name": text, "page": "12-a"}
        return who | {
            "due_at": NOON.isoformat(), "reason": text, "attempt": 1, "after_seconds": 12.5, "why": text,
            "instead_of": SENA, "other": SENA, "within_seconds": 60.0, "channel": "#backend", "detail": text,
        }  # fmt: skip
    if event.value.startswith("follow_up"):
        title = {"en": text, "ko": text}
        return {
            "follow_up": "12-add_tests", "title": title, "titles": [title, title], "owner": SENA,
            "before": NOON.isoformat(), "due_at": NOON.isoformat(), "why": text,
        }  # fmt: skip
    return {}
