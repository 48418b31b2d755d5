"""The review's card: what to look at, what differs there already filled in, and few clicks."""

from dataclasses import replace
from typing import Any

import pytest

from bot.domain.checklist import Mark, StepState
from bot.domain.guide import Analysis
from bot.domain.incident import FromPeople, Incident, IncidentState
from bot.domain.playbook import Playbook
from bot.domain.review import found_in_review, reviewed
from bot.sandbox.slack.blocks import validate
from bot.slack.text import LOCALES, Words
from bot.slack.views.modals import LONGEST_WHY
from bot.slack.views.record_modal import record_modal
from bot.slack.views.review_card import (
    MOST_WITH_BUTTONS,
    Configured,
    ReviewChoice,
    ReviewPress,
    found_modal,
    read_review_press,
    review_card,
)
from bot.slack.views.rollback_message import Message
from tests.first_readings import some_differences
from tests.guide import the_guide
from tests.unit.slack.markup import all_texts, foreign_markup, mrkdwn_texts
from tests.values import NOON, SENA, a_playbook, an_incident

EN = Words(locale="en")
GUIDE = the_guide()
HOSTILE = "<!channel> <https://evil.example|x> & `code` *bold*\n```<!here>"
READ = Configured(at=NOON, differences=some_differences())


def a_mark(state: StepState, why: str = "") -> Mark:
    return Mark(state=state, by=SENA, at=NOON, why=why)


def an_incident_with(**marks: Mark) -> Incident:
    """Return an incident with marks by part and place, such as ``code_1``."""
    return an_incident(marks={f"review.{key[:-2]}.{key[-1]}": mark for key, mark in marks.items()})


def a_guide_of(points: int, *, text: str = "Look here", parts: int = 1) -> Playbook:
    point = {"en": text, "ko": text, "shows": "environment"}
    review = [
        {"key": "k" * 39 + str(n), "title": point | {"shows": None}, "points": [point] * points}
        for n in range(parts)
    ]
    for part in review:
        del part["title"]["shows"]  # type: ignore[attr-defined]
    return a_playbook(analysis=Analysis.model_validate({"review": review}).model_dump(mode="json"))


def shown(message: Message) -> str:
    return "\n".join(all_texts(message.blocks))


def a_card(incident: Incident, configured: Configured = READ, playbook: Playbook = GUIDE) -> str:
    return shown(review_card(incident, playbook, EN, configured=configured))


def controls(message: Message) -> list[dict[str, Any]]:
    """Return what can be pressed or chosen."""
    rows = [e for b in message.blocks if b["type"] == "actions" for e in b["elements"]]
    menus = [o for b in message.blocks if "accessory" in b for o in b["accessory"]["options"]]
    return [*rows, *menus]


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("text", ["debug", HOSTILE, "<" * 2000, "", "세" * 3000])
@pytest.mark.parametrize("count", [1, 50])
def test_it_is_valid_block_kit_and_rings_nobody(locale: str, text: str, count: int) -> None:
    marks = {"code_1": a_mark(StepState.NOT_OK, text or "x"), "code_2": a_mark(StepState.DONE)}
    incident = an_incident_with(**marks)
    for configured in (
        Configured(at=NOON, differences=some_differences(text, count=count)),
        Configured(at=NOON, problem=text),
        Configured(),
    ):
        message = review_card(incident, GUIDE, Words(locale=locale), configured=configured, project="p")

        assert validate(message.blocks, "message") == []
        for part in (message.text, *mrkdwn_texts(message.blocks)):
            assert [r for r in foreign_markup(part) if "console.cloud.google.com" not in r] == []


@pytest.mark.parametrize("points", [1, 9, 18, 19, 40, 41, 200])
@pytest.mark.parametrize("locale", LOCALES)
def test_a_review_of_any_length_fits_into_a_message(points: int, locale: str) -> None:
    parts = 1 if points < 40 else 9
    playbook = a_guide_of(-(-points // parts), text="<" * 150, parts=parts)

    message = review_card(an_incident(), playbook, Words(locale=locale), configured=READ)

    assert validate(message.blocks, "message") == []


def test_points_that_do_not_fit_are_counted() -> None:
    assert "1 more points are in the playbook." in a_card(an_incident(), playbook=a_guide_of(41))
    assert "more points" not in a_card(an_incident(), playbook=a_guide_of(40))


def test_an_open_point_is_settled_with_one_press() -> None:
    message = review_card(an_incident(), GUIDE, EN, configured=READ)

    found = controls(message)

    assert [one["text"]["text"] for one in found] == ["Nothing here", "Found something …"] * 10
    assert [read_review_press(one["value"]) for one in found[:2]] == [
        ReviewPress(choice=ReviewChoice.NOTHING, incident=an_incident().number, point="code.1", seen="0"),
        ReviewPress(choice=ReviewChoice.FOUND, incident=an_incident().number, point="code.1", seen="0"),
    ]


@pytest.mark.parametrize(("points", "menu"), [(MOST_WITH_BUTTONS, False), (MOST_WITH_BUTTONS + 1, True)])
def test_a_long_review_has_menus_instead_of_buttons(points: int, menu: bool) -> None:
    message = review_card(an_incident(), a_guide_of(points), EN, configured=READ)

    assert any("accessory" in block for block in message.blocks) is menu


def test_a_settled_point_shows_who_said_what_and_can_be_opened_again() -> None:
    incident = an_incident_with(
        code_1=a_mark(StepState.NOT_OK, "a loop without end"), code_2=a_mark(StepState.DONE)
    )

    message = review_card(incident, GUIDE, EN, configured=READ)

    text = shown(message)
    assert ":mag: New feature: recommendation engine" in text
    assert "a loop without end" in text
    assert ":white_check_mark: New feature: multi-turn conversation" in text
    assert "found nothing" in text
    assert "2 of 10 points looked at, something found at 1" in text
    menus = [
        [o["text"]["text"] for o in b["accessory"]["options"]] for b in message.blocks if "accessory" in b
    ]
    assert menus == [["Nothing here", "Open again"], ["Found something …", "Open again"]]


def test_people_review_on_after_the_incident_is_closed() -> None:
    closed = an_incident(state=IncidentState.CLOSED, closed_at=NOON)

    assert controls(review_card(closed, GUIDE, EN, configured=READ))


def test_what_differs_stands_beside_its_point() -> None:
    text = a_card(an_incident())

    environment = text.index("Environment variables\n• `LOG_LEVEL`: stable `info` → canary `debug`")
    resources = text.index("Resource allocation\n• `memory`: stable `info` → canary `debug`")
    network = text.index("Network policy\n• `ingress`: stable `info` → canary `debug`")
    assert environment < resources < network


def test_what_is_not_set_is_told_from_what_is_empty() -> None:
    differences = some_differences("", count=2)

    text = a_card(an_incident(), Configured(at=NOON, differences=differences))

    assert "• `LOG_LEVEL`: stable `info` → canary empty" in text
    assert "• `LOG_LEVEL1`: stable not set → canary empty" in text


def test_no_difference_is_told_from_nothing_read_and_from_no_canary() -> None:
    def about_settings(configured: Configured) -> str:
        return a_card(an_incident(), configured).partition("Environment variables\n")[2].partition("\n")[0]

    assert about_settings(Configured(at=NOON, differences=())).startswith("No difference between")
    assert about_settings(Configured()) == "Not read yet."
    assert about_settings(Configured(at=NOON, problem="denied")) == ":x: Not read, because: denied"
    assert about_settings(Configured(at=NOON)) == "There was no canary to compare with stable."


def test_many_differences_are_cut_and_counted() -> None:
    text = a_card(an_incident(), Configured(at=NOON, differences=some_differences("x" * 80, count=60)))

    assert "more, in the configuration's file." in text


def test_pages_that_help_are_a_press_away() -> None:
    message = review_card(an_incident(), GUIDE, EN, configured=READ, project="p")

    assert "<https://console.cloud.google.com/profiler/" in shown(message)
    assert "Look at: " not in a_card(an_incident(), playbook=a_playbook())


def test_a_playbook_without_a_review_says_so() -> None:
    assert "has no points for a review" in a_card(an_incident(), playbook=a_playbook())


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("note", ["", "a loop", "<" * LONGEST_WHY])
def test_the_modal_asks_what_was_found(locale: str, note: str) -> None:
    incident = an_incident_with(code_1=a_mark(StepState.NOT_OK, note))
    point = reviewed(incident, GUIDE, "code.1")
    assert point is not None
    press = ReviewPress(choice=ReviewChoice.FOUND, incident=incident.number, point="code.1", seen="0")

    modal = found_modal(press, point, Words(locale=locale), channel="C0OPERATIONS")

    assert validate(modal, "modal") == []


@pytest.mark.parametrize("cause", ["", "a leak"])
def test_what_was_found_is_offered_as_the_records_cause_while_that_is_empty(cause: str) -> None:
    incident = an_incident_with(code_1=a_mark(StepState.NOT_OK, "a loop\nwithout end"))
    incident = replace(incident, people=FromPeople(cause=cause))
    found = found_in_review(incident, GUIDE)

    modal = record_modal(incident, EN, channel="C0OPERATIONS", found=found)

    (asked,) = [block for block in modal["blocks"] if block["block_id"] == "record.cause"]
    offered = "Found in the review: New feature: recommendation engine: a loop without end"
    assert asked.get("hint", {}).get("text") == (None if cause else offered)
    assert validate(modal, "modal") == []


def test_much_that_was_found_still_fits_into_the_records_modal() -> None:
    marks = {f"review.code.{n}": a_mark(StepState.NOT_OK, "x" * LONGEST_WHY) for n in range(1, 5)}
    incident = an_incident(marks=marks)

    modal = record_modal(incident, EN, channel="C0OPERATIONS", found=found_in_review(incident, GUIDE))

    assert validate(modal, "modal") == []
