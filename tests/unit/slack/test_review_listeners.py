"""What people press and write in the review: read rightly, and accepted once."""

import json
from typing import Any

import pytest
from slack_bolt.response import BoltResponse

from bot.domain.checklist import Mark, StepState
from bot.domain.steps import seen_mark
from bot.slack.listeners import review
from bot.slack.views.review_card import ReviewChoice, ReviewPress
from bot.usecases.ports import Workflow
from tests.fakes import FakePlaybooks, HeldClock
from tests.guide import the_guide
from tests.unit.slack.test_table import Slack
from tests.values import NOON, SENA, an_incident

MARK = Mark(state=StepState.NOT_OK, by=SENA, at=NOON, why="a leak")


class Reviewing(Slack):
    """Slack with the listeners of the review, and one incident."""

    def __init__(self, **marks: Mark) -> None:
        super().__init__()
        self.incident = an_incident(marks={f"review.code.{key[1:]}": mark for key, mark in marks.items()})
        self.store.kept.incidents[self.incident.number] = self.incident
        playbooks = FakePlaybooks(the_guide())
        review.register(self.table, store=self.store, playbooks=playbooks, clock=HeldClock())

    def value(self, choice: ReviewChoice, seen: str = "0", point: str = "code.1") -> str:
        """Return what a control carries."""
        return ReviewPress(choice=choice, incident=self.incident.number, point=point, seen=seen).value()

    async def presses(self, choice: ReviewChoice, **more: Any) -> BoltResponse:
        """Press a button of a point."""
        return await self.press(f"review.point#{choice}", self.value(choice, **more))

    async def writes(self, note: str | None, **more: Any) -> BoltResponse:
        """Submit what was found."""
        field = {"type": "plain_text_input", "value": note}
        view = {
            "id": "V1", "type": "modal", "callback_id": "review.point",
            "private_metadata": f"C0CRITICAL\n{self.value(ReviewChoice.FOUND, **more)}",
            "state": {"values": {"review.note": {"review.note": field}}},
            "blocks": [{"type": "input", "block_id": "review.note"}],
        }  # fmt: skip
        return await self.interaction(type="view_submission", view=view)

    def acts(self) -> list[dict[str, Any]]:
        """Every act that was accepted."""
        return [json.loads(given["act"]) for given in self.store.started(Workflow.ACT)]

    def opened(self) -> list[dict[str, Any]]:
        """Every modal that was opened."""
        return [asked["view"] for method, asked in self.client.asked if method == "views.open"]


async def test_nothing_here_is_one_press() -> None:
    slack = Reviewing()

    await slack.presses(ReviewChoice.NOTHING)

    [act] = slack.acts()
    assert (act["verb"], act["incident"], act["person"]) == ("review", 12, "U0SENA")
    assert act["words"] == {"point": "code.1", "state": "done", "seen": "0", "why": ""}
    assert slack.opened() == []


async def test_a_choice_of_the_menu_counts_as_a_press() -> None:
    slack = Reviewing(p1=MARK)
    chosen = {"value": slack.value(ReviewChoice.OPEN, seen=seen_mark(MARK))}

    await slack.press("review.point", type="overflow", selected_option=chosen)

    [act] = slack.acts()
    assert act["words"]["state"] == "todo"


async def test_found_something_asks_what_first() -> None:
    slack = Reviewing()

    await slack.presses(ReviewChoice.FOUND)

    [modal] = slack.opened()
    assert "New feature: recommendation engine" in json.dumps(modal)
    assert slack.acts() == []


async def test_nobody_types_into_a_modal_that_is_too_late() -> None:
    slack = Reviewing(p1=MARK)

    await slack.presses(ReviewChoice.FOUND, seen="0")

    assert slack.opened() == []
    assert [act["words"]["state"] for act in slack.acts()] == ["not_ok"]


@pytest.mark.parametrize("gone", ["the point", "the incident"])
async def test_a_point_or_an_incident_that_is_gone_is_answered_where_it_is_weighed(gone: str) -> None:
    slack = Reviewing()
    if gone == "the incident":
        slack.store.kept.incidents.clear()

    await slack.presses(ReviewChoice.FOUND, point="code.99" if gone == "the point" else "code.1")

    assert len(slack.acts()) == 1
    assert slack.opened() == []


async def test_what_was_found_is_written_down_where_the_modal_was_opened() -> None:
    slack = Reviewing()

    await slack.writes("  256 MiB is too little \n")

    [act] = slack.acts()
    assert (act["channel"], act["words"]["why"], act["words"]["state"]) == (
        "C0CRITICAL",
        "256 MiB is too little",
        "not_ok",
    )


async def test_an_empty_note_is_asked_for_again() -> None:
    slack = Reviewing()

    answer = await slack.writes("  ")

    assert json.loads(answer.body)["errors"] == {"review.note": "Write what was found."}
    assert slack.acts() == []
