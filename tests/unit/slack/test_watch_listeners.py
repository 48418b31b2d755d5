"""What people type and press about watches, alerts and automatics: read rightly, and written down once."""

import json
from typing import Any

import pytest
from slack_bolt.response import BoltResponse

from bot.slack.listeners import alert, canary, watch
from bot.usecases.ports import Workflow
from tests.fakes import FakePlaybooks, HeldClock
from tests.unit.slack.test_table import Slack, text_of


class Watching(Slack):
    """Slack with the listeners of watches and alerts."""

    def __init__(self) -> None:
        super().__init__()
        clock, playbooks = HeldClock(), FakePlaybooks()
        canary.register(self.table, store=self.store, playbooks=playbooks, clock=clock)
        watch.register(self.table, store=self.store, playbooks=playbooks, clock=clock)
        alert.register(self.table, store=self.store, clock=clock)

    async def fill_in(self, why: str | None) -> BoltResponse:
        """Submit why it is not the canary."""
        view = {
            "id": "V1", "type": "modal", "callback_id": "alert.not_the_canary",
            "private_metadata": "C0CRITICAL\ncanary-3-1",
            "state": {"values": {"alert.why": {"alert.why": {"type": "plain_text_input", "value": why}}}},
            "blocks": [{"type": "input", "block_id": "alert.why"}],
        }  # fmt: skip
        return await self.interaction(type="view_submission", view=view)

    def answers(self) -> list[dict[str, Any]]:
        """Every answer to an alert that was accepted."""
        return [json.loads(given["answer"]) for given in self.store.started(Workflow.ANSWER_ALERT)]

    def arming(self) -> list[dict[str, Any]]:
        """Every wish about automatics that was accepted."""
        return [json.loads(given["request"]) for given in self.store.started(Workflow.ARM)]


@pytest.mark.parametrize(
    ("text", "target", "wanted"),
    [
        ("watch", "canary", "watch"),
        ("watch chat", "chat", "watch"),
        ("WATCH  Chat ", "chat", "watch"),
        ("unwatch", "canary", "unwatch"),
        ("unwatch chat", "chat", "unwatch"),
    ],
)
async def test_a_watch_is_asked_for_by_command(text: str, target: str, wanted: str) -> None:
    slack = Watching()

    answer = await slack.command("/canary", text)

    [asked] = slack.store.started(Workflow.ASK_WATCH)
    assert (asked["target"], asked["wanted"]) == (target, wanted)
    assert (asked["person"], asked["channel"], asked["team"]) == ("U0SENA", "C0OPERATIONS", "T0HOME")
    assert f"*{target}*" in text_of(answer)


@pytest.mark.parametrize("verb", ["watch", "unwatch", "auto", "disarm"])
async def test_a_target_that_is_not_there_starts_nothing_and_names_the_nearest(verb: str) -> None:
    slack = Watching()

    answer = await slack.command("/canary", f"{verb} chaat")

    assert f"/canary {verb} chat" in text_of(answer)
    assert slack.store.started(Workflow.ASK_WATCH) == slack.store.started(Workflow.ARM) == []


@pytest.mark.parametrize(("text", "arming"), [("auto chat", "ask"), ("disarm chat", "disarm")])
async def test_automatics_are_asked_about_and_switched_off_by_command(text: str, arming: str) -> None:
    slack = Watching()

    await slack.command("/canary", text)

    [asked] = slack.arming()
    assert (asked["target"], asked["arming"], asked["person"]) == ("chat", arming, "U0SENA")
    assert (asked["channel"], asked["acting_team"]) == ("C0OPERATIONS", "T0HOME")


@pytest.mark.parametrize(("action", "arming"), [("automatics.arm", "arm"), ("automatics.disarm", "disarm")])
async def test_the_second_step_is_a_button(action: str, arming: str) -> None:
    slack = Watching()

    await slack.press(action, "canary")

    [asked] = slack.arming()
    assert (asked["target"], asked["arming"]) == ("canary", arming)


async def test_a_command_never_arms() -> None:
    slack = Watching()

    for text in ("auto", "auto canary", "arm canary", "auto on"):
        await slack.command("/canary", text)

    assert "arm" not in [asked["arming"] for asked in slack.arming()]


@pytest.mark.parametrize(
    ("action", "reply"), [("alert.stop", "stop"), ("alert.roll_back", "roll_back"), ("alert.hold", "hold")]
)
async def test_a_press_on_an_alert_is_written_down_for_a_workflow(action: str, reply: str) -> None:
    slack = Watching()

    await slack.press(action, "canary-3-1")

    [given] = slack.answers()
    assert (given["alert"], given["reply"], given["person"]) == ("canary-3-1", reply, "U0SENA")
    assert (given["channel"], given["acting_team"]) == ("C0OPERATIONS", "T0HOME")


async def test_a_press_that_slack_delivers_twice_counts_once() -> None:
    slack = Watching()

    for _ in range(2):
        await slack.press("alert.stop", "canary-3-1")

    assert len(slack.answers()) == 1


async def test_not_the_canary_asks_why_first() -> None:
    slack = Watching()

    await slack.press("alert.not_the_canary", "canary-3-1")

    [(method, sent)] = slack.client.asked
    view = sent["view"] if isinstance(sent["view"], dict) else json.loads(sent["view"])
    assert method == "views.open"
    assert (view["callback_id"], view["private_metadata"]) == (
        "alert.not_the_canary",
        "C0OPERATIONS\ncanary-3-1",
    )
    assert slack.answers() == []


async def test_why_it_is_not_the_canary_goes_along_and_is_answered_where_it_was_pressed() -> None:
    slack = Watching()

    await slack.fill_in("the database\u202e is down")

    [given] = slack.answers()
    assert (given["reply"], given["why"]) == ("not_the_canary", "the database is down")
    assert (given["alert"], given["channel"]) == ("canary-3-1", "C0CRITICAL")


@pytest.mark.parametrize("why", [None, "", "   "])
async def test_without_a_reason_nothing_is_written_down(why: str | None) -> None:
    slack = Watching()

    answer = await slack.fill_in(why)

    assert set(json.loads(answer.body)["errors"]) == {"alert.why"}
    assert slack.answers() == []


async def test_a_watch_is_stopped_from_its_message() -> None:
    slack = Watching()

    await slack.press("watch.stop", "chat:3")

    [asked] = slack.store.started(Workflow.ASK_WATCH)
    assert (asked["target"], asked["wanted"]) == ("chat", "unwatch")


async def test_rolling_back_from_a_watch_asks_first_as_the_command_does() -> None:
    slack = Watching()

    await slack.press("watch.roll_back", "chat")

    [rollback] = slack.store.kept.rollbacks.values()
    assert (rollback.target, rollback.forced, rollback.asked_by) == ("chat", False, "U0SENA")
    assert len(slack.store.started(Workflow.PREPARE)) == 1


async def test_the_status_is_asked_for_from_a_watch() -> None:
    slack = Watching()

    await slack.press("canary.status", "chat")

    [asked] = slack.store.started(Workflow.STATUS)
    assert (asked["target"], asked["person"]) == ("chat", "U0SENA")


async def test_the_help_names_the_words() -> None:
    text = text_of(await Watching().command("/canary", "help"))

    for verb in ("watch", "unwatch", "auto", "disarm"):
        assert f"/canary {verb} [TARGET]" in text
