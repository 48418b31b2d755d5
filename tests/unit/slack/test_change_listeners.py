"""What people press, fill in and submit to change a canary: read rightly, or refused with words that help."""

import json
from typing import Any

import pytest
from slack_bolt.response import BoltResponse

from bot.domain.change import Change, ChangeKind
from bot.domain.incident import IncidentState
from bot.domain.resources import Resources
from bot.slack.listeners import change
from bot.usecases.ports import Said, Workflow
from tests.fakes import FakePlaybooks, HeldClock
from tests.unit.slack.test_table import Slack
from tests.values import an_incident


class Modal(Slack):
    """Slack with an open incident 1 and the listeners of changes."""

    def __init__(self) -> None:
        super().__init__()
        change.register(self.table, store=self.store, playbooks=FakePlaybooks(), clock=HeldClock())

    async def with_incident(self, **more: Any) -> "Modal":
        """Store incident 1."""
        await self.store.change(lambda tx: tx.add_incident(an_incident(**more)))
        return self

    async def fill_in(
        self, callback: str, values: dict[str, Any], metadata: str = "1:C0CRITICAL:canary"
    ) -> BoltResponse:
        """Submit a modal with `values` by action."""
        fields = {action: {action: value} for action, value in values.items()}
        view = {
            "id": "V1", "type": "modal", "callback_id": callback, "private_metadata": metadata,
            "state": {"values": fields}, "blocks": [{"type": "section", "block_id": "first"}],
        }  # fmt: skip
        return await self.interaction(type="view_submission", view=view)

    @property
    def changes(self) -> list[Change]:
        """Every change that was asked for."""
        return list(self.store.kept.changes.values())


def written(value: str | None) -> dict[str, Any]:
    return {"type": "number_input", "value": value}


def chosen(value: str | None) -> dict[str, Any]:
    return {"type": "static_select", "selected_option": {"value": value} if value else None}


def errors(answer: BoltResponse) -> dict[str, str]:
    body = json.loads(answer.body or "{}")
    found: dict[str, str] = body.get("errors", {})
    return found


@pytest.mark.parametrize("action", ["change.reduce_traffic", "change.add_resources"])
async def test_a_press_opens_the_modal_of_the_incidents_target(action: str) -> None:
    slack = await Modal().with_incident()

    await slack.press(action, "1")

    [(method, sent)] = slack.client.asked
    view = sent["view"] if isinstance(sent["view"], dict) else json.loads(sent["view"])
    assert method == "views.open"
    assert view["callback_id"] == action
    assert view["private_metadata"] == "1:C0OPERATIONS:canary"
    assert slack.changes == []


@pytest.mark.parametrize(
    ("state", "value", "said"),
    [
        (IncidentState.CLOSED, "1", Said.ALREADY_CLOSED),
        (IncidentState.OPEN, "7", Said.NO_SUCH_INCIDENT),
    ],
)
async def test_a_press_on_an_old_card_opens_nothing_and_says_why(
    state: IncidentState, value: str, said: Said
) -> None:
    slack = await Modal().with_incident(state=state)

    await slack.press("change.reduce_traffic", value)

    assert slack.client.asked == []
    assert [notice["what"] for notice in slack.store.notices()] == [said]


@pytest.mark.parametrize("percent", [1, 5, 99])
async def test_a_share_is_asked_for_where_the_modal_was_opened(percent: int) -> None:
    slack = Modal()

    answer = await slack.fill_in("change.reduce_traffic", {"change.percent": written(str(percent))})

    [asked] = slack.changes
    assert errors(answer) == {}
    assert (asked.kind, asked.percent, asked.incident) == (ChangeKind.REDUCE_TRAFFIC, percent, 1)
    assert (asked.target, asked.channel, asked.asked_by) == ("canary", "C0CRITICAL", "U0SENA")
    assert slack.store.started(Workflow.PREPARE_CHANGE) == [{"change": asked.id}]


@pytest.mark.parametrize("value", [None, "", " ", "0", "100", "-3", "5.5", "1e1", "٥", "five", "9" * 40])
async def test_anything_but_a_percentage_is_named_at_its_field(value: str | None) -> None:
    slack = Modal()

    answer = await slack.fill_in("change.reduce_traffic", {"change.percent": written(value)})

    assert set(errors(answer)) == {"change.percent"}
    assert slack.changes == []


async def test_nothing_at_all_is_a_rollback_and_the_modal_says_which_command() -> None:
    answer = await Modal().fill_in("change.reduce_traffic", {"change.percent": written("0")})

    assert "/rollback canary" in errors(answer)["change.percent"]


async def test_resources_are_asked_for_as_far_as_they_are_chosen() -> None:
    slack = Modal()
    values = {
        "change.memory": chosen("2048"),
        "change.cpu": chosen(None),
        "change.min_instances": written(None),
        "change.max_instances": written("20"),
    }

    await slack.fill_in("change.add_resources", values, metadata=":C0OPERATIONS:chat")

    [asked] = slack.changes
    assert asked.resources == Resources(memory_mib=2048, max_instances=20)
    assert (asked.target, asked.incident) == ("chat", None)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({}, "change.memory"),
        ({"change.min_instances": written("0")}, "change.min_instances"),
        ({"change.max_instances": written("1001")}, "change.max_instances"),
        ({"change.max_instances": written("1.5")}, "change.max_instances"),
        (
            {"change.min_instances": written("6"), "change.max_instances": written("5")},
            "change.max_instances",
        ),
    ],
)
async def test_what_makes_no_sense_is_named_at_its_field(values: dict[str, Any], field: str) -> None:
    slack = Modal()

    answer = await slack.fill_in("change.add_resources", values)

    assert set(errors(answer)) == {field}
    assert slack.changes == []


async def test_a_submission_that_slack_delivers_twice_counts_once() -> None:
    slack = Modal()

    for _ in range(2):
        await slack.fill_in("change.reduce_traffic", {"change.percent": written("5")})

    assert len(slack.changes) == 1


@pytest.mark.parametrize(("action", "choice"), [("change.go", "do_it"), ("change.cancel", "cancel")])
async def test_a_press_on_the_card_is_written_down_for_a_workflow(action: str, choice: str) -> None:
    slack = Modal()

    await slack.press(action, "cafe")

    [arguments] = slack.store.started(Workflow.DECIDE_CHANGE)
    decision = json.loads(arguments["decision"])
    assert (decision["change"], decision["choice"], decision["person"]) == ("cafe", choice, "U0SENA")
