"""Whom a page calls, who is next, and that no page ends twice."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.guide import Contact
from bot.domain.ids import IncidentNumber
from bot.domain.paging import (
    NEXT_STATES,
    IllegalMove,
    Page,
    PageState,
    Reach,
    Turn,
    answered_late,
    empty_slots,
    first_page,
    first_turn,
    following_page,
    moved,
    next_contact,
    place_of,
    reach,
)
from bot.domain.playbook import Playbook
from tests.paging import CONTACTS, a_playbook_with_contacts, contact
from tests.values import GITCO, NOON, SENA

PLAYBOOK = a_playbook_with_contacts()


def a_page(to: str = "deployment_lead", playbook: Playbook = PLAYBOOK, **more: Any) -> Page:
    known: dict[str, Any] = {
        "id": "12-a",
        "incident": IncidentNumber(12),
        "by": SENA,
        "reason": "errors",
        "at": NOON,
    }
    return first_page(playbook, to, **known | more)


def test_a_page_is_due_as_many_minutes_after_it_was_made_as_the_guide_says() -> None:
    page = a_page("backend")

    assert page.due_at - page.created_at == timedelta(minutes=2)
    assert (page.channel, page.origin, page.attempt, page.state) == ("#backend", "12-a", 1, PageState.WAITING)


def test_the_next_in_line_is_whom_the_playbook_names() -> None:
    assert next_contact(PLAYBOOK, a_page()) == Turn(contact="backend")


def test_an_empty_slot_is_passed_and_named() -> None:
    assert next_contact(PLAYBOOK, a_page("devops")) == Turn(contact="manager", empty=("nobody",))


def test_the_line_ends_at_the_manager() -> None:
    assert next_contact(PLAYBOOK, a_page("manager")) == Turn(contact=None)


def test_whoever_calls_an_empty_slot_gets_the_next_in_line() -> None:
    assert first_turn(PLAYBOOK, "nobody") == Turn(contact="manager", empty=("nobody",))
    assert first_turn(PLAYBOOK, "backend") == Turn(contact="backend")


def test_an_empty_slot_with_nobody_behind_it_is_the_end() -> None:
    playbook = a_playbook_with_contacts(contact("manager", name=""))

    assert first_turn(playbook, "nobody") == Turn(contact=None, empty=("nobody", "manager"))


def test_nobody_is_called_twice_where_the_playbook_goes_in_a_circle() -> None:
    playbook = a_playbook_with_contacts(contact("backend", then="deployment_lead"))

    assert next_contact(playbook, a_page("backend"), tried={"deployment_lead"}) == Turn(contact=None)


def test_empty_slots_that_point_at_each_other_are_passed_once() -> None:
    empty = {"role": {"en": "x", "ko": "x"}, "within_minutes": 1}
    playbook = a_playbook_with_contacts({"a": empty | {"then": "b"}, "b": empty | {"then": "a"}})

    assert first_turn(playbook, "a") == Turn(contact=None, empty=("a", "b"))
    assert empty_slots(playbook) == ("a", "b")


def test_the_playbooks_empty_slots_are_named_in_its_order() -> None:
    assert empty_slots(PLAYBOOK) == ("nobody",)


@pytest.mark.parametrize(
    ("fields", "how", "where"),
    [
        ({"channel": "#backend", "user": "U0GITCO"}, Reach.SLACK, "#backend"),
        ({"user": "U0GITCO"}, Reach.SLACK, "U0GITCO"),
        ({"group": "S0DEVOPS"}, Reach.SLACK, "#incidents"),
        ({"phone": "+82 2 1234 5678"}, Reach.TELEPHONE, "#incidents"),
        ({}, Reach.NOBODY_THERE, "#incidents"),
        ({"name": "", "channel": "#backend"}, Reach.NOBODY_THERE, "#backend"),
    ],
)
def test_a_contact_is_reached_in_slack_by_telephone_or_not_at_all(
    fields: dict[str, Any], how: Reach, where: str
) -> None:
    plan = Contact.model_validate(
        {"role": {"en": "x", "ko": "x"}, "name": "Gitco", "within_minutes": 1} | fields
    )

    assert reach(plan) is how
    assert place_of(plan, incidents="#incidents") == where


def test_the_next_page_carries_the_reason_on_and_has_the_same_id_on_every_replica() -> None:
    first = a_page()
    later = NOON + timedelta(minutes=1)

    following = following_page(PLAYBOOK, first, "backend", at=later)

    assert (following.id, following.origin, following.attempt) == ("12-a-2", "12-a", 2)
    assert (following.reason, following.asked_by, following.created_at) == ("errors", SENA, later)
    assert following_page(PLAYBOOK, following, "devops", at=later).id == "12-a-3"


@pytest.mark.parametrize("wanted", [s for s in PageState if s is not PageState.WAITING])
def test_a_page_that_waits_may_end_in_any_way(wanted: PageState) -> None:
    assert moved(a_page(), wanted, at=NOON, by=GITCO).state is wanted


@pytest.mark.parametrize("ended", [s for s in PageState if s is not PageState.WAITING])
@pytest.mark.parametrize("wanted", list(PageState))
def test_a_page_that_has_ended_stays_as_it_ended(ended: PageState, wanted: PageState) -> None:
    page = moved(a_page(), ended, at=NOON, by=GITCO)

    assert NEXT_STATES[ended] == frozenset()
    with pytest.raises(IllegalMove, match=ended):
        moved(page, wanted, at=NOON)


def test_an_answer_says_who_and_when_and_a_refusal_why() -> None:
    later = NOON + timedelta(seconds=30)

    answered = moved(a_page(), PageState.ANSWERED, at=later, by=GITCO)
    declined = moved(a_page(), PageState.DECLINED, at=later, by=GITCO, why="on a train")

    assert (answered.answered_by, answered.answered_at, answered.late) == (GITCO, later, False)
    assert (declined.answered_by, declined.why) == (None, "on a train")


def test_a_late_answer_stays_visibly_late() -> None:
    page = answered_late(moved(a_page(), PageState.UNANSWERED, at=NOON), by=GITCO, at=NOON)

    assert page.late
    assert (page.state, page.answered_by) == (PageState.UNANSWERED, GITCO)


@st.composite
def any_line(draw: st.DrawFn) -> Playbook:
    """Contacts that follow each other in any way, empty slots and circles included."""
    keys = [f"c{n}" for n in range(draw(st.integers(1, 7)))]
    chosen = {
        key: CONTACTS["backend"]
        | {
            "then": draw(st.sampled_from([*keys, None])),
            "name": draw(st.sampled_from(["X", ""])),
        }
        for key in keys
    }
    return a_playbook_with_contacts(chosen)


@given(playbook=any_line())
def test_every_escalation_ends_and_calls_nobody_twice(playbook: Playbook) -> None:
    turn, called = first_turn(playbook, "c0"), []
    while turn.contact is not None:
        called.append(turn.contact)
        turn = next_contact(playbook, a_page(turn.contact, playbook), tried=called)

    assert len(called) == len(set(called)) <= len(playbook.contacts)
    assert all(playbook.contacts[key].name for key in called)
