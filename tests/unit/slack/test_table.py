"""Bolt and our table: whatever happens, Slack gets an answer, and nobody is left believing it worked."""

import json
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

import pytest
from slack_bolt.async_app import AsyncApp, AsyncBoltRequest
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.context.async_context import AsyncBoltContext
from slack_bolt.response import BoltResponse
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from structlog.testing import capture_logs

from bot.slack.listeners import canary, change, close, incident, looking_back, record, rollback, show
from bot.slack.listeners.table import Request, Table
from bot.slack.text import Words
from bot.usecases.ports import StoreDown, Workflow
from tests.fakes import FakePlaybooks, FakeStore, HeldClock
from tests.values import an_incident

FORM = {"content-type": ["application/x-www-form-urlencoded"]}


class NotedClient(AsyncWebClient):
    """Notes what it is asked to do; `refuses` makes Slack refuse it."""

    def __init__(self) -> None:
        super().__init__(token="xoxb-test")
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.refuses = False

    async def api_call(self, api_method: str, **more: Any) -> Any:
        """Note the call instead of making it."""
        self.asked.append((api_method, more.get("json") or more.get("params") or {}))
        if self.refuses:
            raise SlackApiError("refused", {"ok": False, "error": "expired_trigger_id"})  # type: ignore[no-untyped-call]
        return {"ok": True}


async def _authorize(**_: Any) -> AuthorizeResult:
    return AuthorizeResult(enterprise_id=None, team_id="T0HOME", bot_token="xoxb-test")


async def _no_zone(person: str) -> str | None:
    return None


class Slack:
    """A table behind Bolt, and what Slack would send to it."""

    def __init__(self) -> None:
        self.client = NotedClient()
        self.store = FakeStore()
        self.no_words = False
        self.table = Table(words_for=self._words_for)
        self.app = AsyncApp(
            client=self.client,
            authorize=_authorize,
            request_verification_enabled=False,
            process_before_response=True,
        )
        self.app.use(self._use_our_client)
        self.table.attach(self.app)

    async def _use_our_client(self, context: AsyncBoltContext, next: Callable[[], Awaitable[None]]) -> None:
        # Bolt makes a client of its own for each request.
        context["client"] = self.client
        await next()

    async def _words_for(self, person: str) -> Words:
        if self.no_words:
            raise StoreDown("no database, no language")
        return Words(locale="en")

    def with_everything(self) -> "Slack":
        """Register every listener the bot has."""
        playbooks, clock = FakePlaybooks(), HeldClock()
        rollback.register(self.table, store=self.store, playbooks=playbooks, clock=clock)
        change.register(self.table, store=self.store, playbooks=playbooks, clock=clock)
        canary.register(self.table, store=self.store, playbooks=playbooks, clock=clock)
        incident.register(self.table, store=self.store)
        looking_back.register(
            self.table,
            store=self.store,
            playbooks=playbooks,
            clock=clock,
            zone_of=_no_zone,
            slack_url=lambda: "",
        )
        show.register(self.table, store=self.store, clock=clock)
        record.register(self.table, store=self.store, playbooks=playbooks, clock=clock)
        close.register(self.table, store=self.store, playbooks=playbooks, clock=clock)
        return self

    async def _form(self, fields: Mapping[str, str]) -> BoltResponse:
        request = AsyncBoltRequest(body=urlencode(fields), headers=dict(FORM))
        return await self.app.async_dispatch(request)

    async def command(self, command: str, text: str = "", **more: str) -> BoltResponse:
        """Type a slash command."""
        known = {
            "command": command, "text": text, "user_id": "U0SENA", "team_id": "T0HOME",
            "channel_id": "C0OPERATIONS", "trigger_id": "1.2.abc", "api_app_id": "A0BACKOUT",
        }  # fmt: skip
        return await self._form(known | more)

    async def interaction(self, **payload: Any) -> BoltResponse:
        """Press or submit something."""
        known: dict[str, Any] = {
            "user": {"id": "U0SENA", "team_id": "T0HOME"}, "team": {"id": "T0HOME"},
            "api_app_id": "A0BACKOUT", "channel": {"id": "C0OPERATIONS"}, "trigger_id": "3.4.def",
            "token": "t",
        }  # fmt: skip
        return await self._form({"payload": json.dumps(known | payload)})

    async def press(self, action_id: str, value: str = "12", **more: Any) -> BoltResponse:
        """Press a button."""
        action = {"type": "button", "action_id": action_id, "block_id": "b", "value": value} | more
        return await self.interaction(type="block_actions", actions=[action])

    async def submit(self, callback_id: str, values: dict[str, Any] | None = None) -> BoltResponse:
        """Submit a modal."""
        view = {
            "id": "V1", "type": "modal", "callback_id": callback_id, "private_metadata": "12:C0OPERATIONS",
            "state": {"values": values or {}}, "blocks": [{"type": "input", "block_id": "first"}],
        }  # fmt: skip
        return await self.interaction(type="view_submission", view=view)

    async def event(self, **event: Any) -> BoltResponse:
        """Deliver an event."""
        body = {"type": "event_callback", "team_id": "T0HOME", "api_app_id": "A0BACKOUT", "event": event}
        request = AsyncBoltRequest(body=json.dumps(body), headers={"content-type": ["application/json"]})
        return await self.app.async_dispatch(request)


def text_of(answer: BoltResponse) -> str:
    return str(json.loads(answer.body)["text"])


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """What fails here on purpose is not printed."""
    with capture_logs():
        yield


# Nothing leaves a listener.


@pytest.mark.parametrize("error", [RuntimeError("bug"), StoreDown("gone"), KeyError("x"), TimeoutError()])
async def test_a_command_that_fails_is_answered_with_words(error: Exception) -> None:
    slack = Slack()

    async def fail(request: Request) -> str:
        raise error

    slack.table.commands["/rollback"] = fail

    answer = await slack.command("/rollback", "canary")

    assert answer.status == 200
    assert "*nothing will be done*" in text_of(answer)
    assert "reference `" in text_of(answer)


@pytest.mark.parametrize("error", [RuntimeError("bug"), StoreDown("gone")])
async def test_a_press_that_fails_is_answered_and_told_directly(error: Exception) -> None:
    slack = Slack()

    async def fail(request: Request, action: Mapping[str, Any]) -> None:
        raise error

    slack.table.presses["rollback.go"] = fail

    answer = await slack.press("rollback.go")

    assert answer.status == 200
    ((method, said),) = slack.client.asked
    assert (method, said["channel"]) == ("chat.postMessage", "U0SENA")
    assert "*nothing will be done*" in said["text"]


async def test_a_press_that_fails_while_slack_refuses_too_is_still_answered() -> None:
    slack = Slack()
    slack.client.refuses = True

    async def fail(request: Request, action: Mapping[str, Any]) -> None:
        raise RuntimeError("bug")

    slack.table.presses["rollback.go"] = fail

    assert (await slack.press("rollback.go")).status == 200


@pytest.mark.parametrize("error", [RuntimeError("bug"), StoreDown("gone")])
async def test_a_submission_that_fails_leaves_the_modal_open(error: Exception) -> None:
    slack = Slack()

    async def fail(request: Request) -> None:
        raise error

    slack.table.submissions["record.complete"] = fail

    answer = await slack.submit("record.complete")

    said = json.loads(answer.body)
    assert (answer.status, said["response_action"]) == (200, "errors")
    assert "nothing will be done" in said["errors"]["first"]


async def test_a_modal_that_slack_does_not_open_is_told_directly() -> None:
    slack = Slack()
    slack.client.refuses = True

    async def open_modal(request: Request, action: Mapping[str, Any]) -> dict[str, Any]:
        return {"type": "modal"}

    slack.table.presses["record.complete"] = open_modal

    answer = await slack.press("record.complete")

    assert answer.status == 200
    assert [method for method, _ in slack.client.asked] == ["views.open", "chat.postMessage"]


async def test_without_a_database_the_answer_comes_in_english_and_says_so() -> None:
    slack = Slack().with_everything()
    slack.no_words = slack.store.down = True

    answer = await slack.command("/rollback", "canary")

    assert answer.status == 200
    assert "The database cannot be reached" in text_of(answer)
    assert "`backout rollback`" in text_of(answer)


async def test_an_error_shows_no_words_of_its_own() -> None:
    slack = Slack()

    async def fail(request: Request) -> str:
        raise RuntimeError("xoxb-secret and <!channel>")

    slack.table.commands["/rollback"] = fail

    answer = await slack.command("/rollback")

    assert "secret" not in text_of(answer)


# Nothing is unknown to Bolt.


async def test_an_unknown_command_is_answered() -> None:
    answer = await Slack().command("/unknown")

    assert (answer.status, "not known" in answer.body) == (200, True)


async def test_an_unknown_button_is_answered() -> None:
    assert (await Slack().press("from.an.older.version")).status == 200


async def test_an_unknown_modal_is_answered() -> None:
    assert (await Slack().submit("from.an.older.version")).status == 200


@pytest.mark.parametrize(
    "payload",
    [
        {"type": "view_closed", "view": {"id": "V1", "type": "modal", "callback_id": "x"}},
        {"type": "shortcut", "callback_id": "x"},
        {"type": "message_action", "callback_id": "x", "message": {"ts": "1"}},
    ],
)
async def test_what_we_did_not_ask_for_is_answered(payload: dict[str, Any]) -> None:
    assert (await Slack().interaction(**payload)).status == 200


@pytest.mark.parametrize(
    "event",
    [
        {"type": "app_mention", "user": "U1", "text": "hi", "channel": "C1", "ts": "1.1"},
        {"type": "message", "user": "U1", "text": "hi", "channel": "D1", "channel_type": "im", "ts": "1.1"},
        {"type": "message", "subtype": "message_changed", "channel": "C1", "ts": "1.1"},
        {"type": "app_home_opened", "user": "U1", "channel": "D1", "tab": "home"},
        {"type": "something_new"},
    ],
)
async def test_every_event_is_answered(event: dict[str, Any]) -> None:
    assert (await Slack().event(**event)).status == 200


# What the bot listens to.


async def test_a_command_is_in_the_database_before_it_is_answered() -> None:
    slack = Slack().with_everything()

    answer = await slack.command("/rollback", "canary force 오류율 <!here>")

    (kept,) = slack.store.kept.rollbacks.values()
    assert text_of(answer) == "Looking at *canary* …"
    assert json.loads(answer.body)["response_type"] == "ephemeral"
    assert (kept.asked_by, kept.forced, kept.channel) == ("U0SENA", True, "C0OPERATIONS")
    assert kept.acting_team == "T0HOME"


@pytest.mark.parametrize("times", [2, 5])
async def test_a_redelivered_command_changes_nothing(times: int) -> None:
    slack = Slack().with_everything()

    for _ in range(times):
        assert (await slack.command("/rollback", "canary")).status == 200

    assert len(slack.store.kept.rollbacks) == 1


async def test_two_commands_are_two_requests() -> None:
    slack = Slack().with_everything()

    await slack.command("/rollback", "canary", trigger_id="1.1.a")
    await slack.command("/rollback", "canary", trigger_id="1.1.b")

    assert len(slack.store.kept.rollbacks) == 2


async def test_a_wrong_command_starts_nothing() -> None:
    slack = Slack().with_everything()

    for command in ("/rollback", "/canary", "/incident"):
        assert (await slack.command(command, "zzz")).status == 200

    assert slack.store.kept.workflows == {}


@pytest.mark.parametrize(("action", "choice"), [("rollback.go", "roll_back"), ("rollback.cancel", "cancel")])
async def test_a_press_is_weighed_by_a_workflow(action: str, choice: str) -> None:
    slack = Slack().with_everything()

    answer = await slack.press(action, "f00d")

    (arguments,) = slack.store.started(Workflow.DECIDE)
    decision = json.loads(arguments["decision"])
    assert answer.status == 200
    assert (decision["rollback"], decision["choice"], decision["person"]) == ("f00d", choice, "U0SENA")


async def test_a_chosen_stable_revision_is_weighed_too() -> None:
    slack = Slack().with_everything()

    await slack.press(
        "rollback.choose_stable",
        type="static_select",
        block_id="stable:f00d",
        selected_option={"value": "ion-api-00041-kim", "text": {"type": "plain_text", "text": "x"}},
    )

    (arguments,) = slack.store.started(Workflow.DECIDE)
    decision = json.loads(arguments["decision"])
    assert (decision["choice"], decision["stable"]) == ("stable", "ion-api-00041-kim")


async def test_the_status_is_asked_for() -> None:
    slack = Slack().with_everything()

    answer = await slack.command("/canary", "status chat")

    (arguments,) = slack.store.started(Workflow.STATUS)
    assert (text_of(answer), arguments["target"]) == ("Looking at *chat* …", "chat")


async def an_open_incident(slack: Slack) -> None:
    await slack.store.change(lambda tx: tx.add_incident(an_incident()))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("list", "*INC-1* · canary"),
        ("export 1", "Writing the timeline of *INC-1*"),
        ("export", "Writing the timeline of *INC-1*"),
        ("show 7", "There is no INC-7"),
        ("close 7", "There is no INC-7"),
    ],
)
async def test_incidents_are_listed_and_exported(text: str, said: str) -> None:
    slack = Slack().with_everything()
    await an_open_incident(slack)

    answer = await slack.command("/incident", text)

    assert said in text_of(answer)
    assert len(slack.store.started(Workflow.ACT)) == text.startswith("export")


@pytest.mark.parametrize(("text", "callback"), [("show 1", "timeline.show"), ("close", "incident.close")])
async def test_a_timeline_is_shown_and_closing_is_asked_in_a_modal(text: str, callback: str) -> None:
    slack = Slack().with_everything()
    await an_open_incident(slack)

    answer = await slack.command("/incident", text)

    ((method, asked),) = slack.client.asked
    assert (answer.status, method) == (200, "views.open")
    assert f'"callback_id": "{callback}"' in json.dumps(asked["view"])
    assert slack.store.started(Workflow.ACT) == []


@pytest.mark.parametrize("by", ["press", "command"])
async def test_the_record_is_asked_for_in_a_modal(by: str) -> None:
    slack = Slack().with_everything()
    await an_open_incident(slack)

    if by == "press":
        answer = await slack.press("record.complete", "1")
    else:
        answer = await slack.command("/incident", "record 1", trigger_id="3.4.def")

    ((method, asked),) = slack.client.asked
    assert (answer.status, method, asked["trigger_id"]) == (200, "views.open", "3.4.def")


def typed(action: str, value: str) -> dict[str, Any]:
    return {action: {action: {"type": "plain_text_input", "value": value}}}


def chosen(action: str, value: str) -> dict[str, Any]:
    return {action: {action: {"type": "static_select", "selected_option": {"value": value}}}}


async def test_a_submitted_record_is_accepted() -> None:
    slack = Slack().with_everything()
    values = (
        typed("record.cause", "a <leak>")
        | typed("record.users", "3")
        | typed("record.down", "")
        | chosen("record.type", "memory")
        | chosen("record.severity", "critical")
        | chosen("record.data_loss", "no")
    )

    answer = await slack.submit("record.complete", values)

    (arguments,) = slack.store.started(Workflow.COMPLETE_RECORD)
    answers = json.loads(arguments["answers"])
    assert (answer.status, answer.body) == (200, "")
    assert (answers["incident"], answers["failure_type"], answers["severity"]) == (12, "memory", "critical")
    people = answers["people"]
    assert (people["cause"], people["users_affected"], people["data_loss"]) == ("a <leak>", 3, False)
    assert people["down_minutes"] is None


@pytest.mark.parametrize("wrong", ["-1", "1.5", "many", "1000000001", "²", "1e3"])
async def test_a_number_that_is_none_is_pointed_at(wrong: str) -> None:
    slack = Slack().with_everything()

    answer = await slack.submit("record.complete", typed("record.users", wrong))

    said = json.loads(answer.body)
    assert said["response_action"] == "errors"
    assert said["errors"] == {"record.users": "Write a whole number from 0 to 1000000000."}
    assert slack.store.kept.workflows == {}
