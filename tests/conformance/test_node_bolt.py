"""An app on Slack's own framework for Node hears our Slack and answers it, over HTTP and by Socket Mode."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import pytest_asyncio

from bot.sandbox import names
from bot.sandbox.run import free_port
from bot.sandbox.slack import SandboxSlack
from tests.conformance.node import Script, running_script
from tests.journeys.world import World, texts, until

OPERATIONS, LUBIT = "C0OPERATIONS", "U0LUBIT"


@dataclass(frozen=True)
class App:
    """The app, and the Slack it is installed in."""

    script: Script
    slack: SandboxSlack

    async def heard(self, kind: str) -> dict[str, Any]:
        """Return the next thing it heard, which is of this kind."""
        told = await self.script.hear()
        assert told["kind"] == kind, told
        body: dict[str, Any] = told.get("body", {})
        return body

    async def posted(self, text: str) -> dict[str, Any]:
        """Wait for a message that says this."""

        def look() -> list[dict[str, Any]]:
            return [one for one in self.slack.messages(OPERATIONS) if one["text"] == text]

        return (await until(look, what=f"{text!r}"))[-1]


@pytest_asyncio.fixture(scope="module", loop_scope="session", params=["http", "socket"])
async def app(world: World, request: pytest.FixtureRequest) -> AsyncIterator[App]:
    """The app, asked by signed requests or by socket."""
    slack, port = world.slack, free_port()
    slack.reset()
    slack.events_url = f"http://127.0.0.1:{port}/slack/events"
    common = {"url": slack.api_url, "token": names.BOT_TOKEN}
    by_socket = request.param == "socket"
    await slack.socket_mode.switch(on=by_socket)
    async with running_script("bolt.mjs") as script:
        how = {"appToken": names.APP_TOKEN} if by_socket else {"secret": names.SIGNING_SECRET, "port": port}
        script.say({**common, **how})
        app = App(script, slack)
        await app.heard("ready")
        yield app
    await slack.socket_mode.switch(on=False)


async def test_a_command_is_answered_for_the_person_alone(app: App) -> None:
    delivery = await app.slack.slash(LUBIT, OPERATIONS, "/canary status")

    heard = await app.heard("command")
    answer = app.slack.messages(OPERATIONS, user=LUBIT)[-1]
    assert delivery.shown is None
    assert (heard["command"], heard["text"], heard["user_id"]) == ("/canary", "status", LUBIT)
    assert (answer["text"], answer["ephemeral_for"]) == ("It sings", LUBIT)


async def test_a_modal_is_opened_refused_and_closed(app: App) -> None:
    await app.slack.slash(LUBIT, OPERATIONS, "/incident new")
    await app.heard("command")
    (view,) = await until(lambda: app.slack.views(LUBIT), what="a modal")

    refused = await app.slack.submit(LUBIT, view["id"], {"bad": "a bit"})
    first = await app.heard("submission")
    still_open = app.slack.views(LUBIT)
    await app.slack.submit(LUBIT, view["id"], {"bad": "very"})
    second = await app.heard("submission")

    assert refused.body == {"response_action": "errors", "errors": {"how": "Say more"}}
    assert [one["id"] for one in still_open] == [view["id"]]
    values = [one["view"]["state"]["values"]["how"]["bad"]["value"] for one in (first, second)]
    assert values == ["a bit", "very"]
    assert app.slack.views(LUBIT) == []


async def test_a_button_is_pressed_and_its_message_replaced(app: App) -> None:
    await app.slack.slash(LUBIT, OPERATIONS, "/rollback canary")
    await app.heard("command")
    everybody = await app.posted("Everybody sees this")
    question = await app.posted("Press?")

    await app.slack.click(LUBIT, OPERATIONS, question["ts"], "press")
    heard = await app.heard("action")
    replaced = await app.posted("Pressed")

    assert everybody["ephemeral_for"] is None
    assert heard["actions"][0]["value"] == "it"
    assert heard["message"]["ts"] == heard["container"]["message_ts"] == question["ts"]
    assert (replaced["ts"], replaced.get("blocks")) == (question["ts"], None)


async def test_shortcuts_are_heard(app: App) -> None:
    await app.slack.say(LUBIT, OPERATIONS, "look")
    message = app.slack.messages(OPERATIONS)[-1]

    await app.slack.press_shortcut(LUBIT, "declare_incident")
    first = await app.heard("shortcut")
    await app.slack.press_message_shortcut(LUBIT, OPERATIONS, message["ts"], "add_to_timeline")
    second = await app.heard("shortcut")

    assert (first["type"], first["callback_id"]) == ("shortcut", "declare_incident")
    assert (second["type"], second["message"]["text"]) == ("message_action", "look")


async def test_events_are_heard_and_a_home_published(app: App) -> None:
    await app.slack.say(LUBIT, OPERATIONS, "this one")
    ts = app.slack.messages(OPERATIONS)[-1]["ts"]

    await app.slack.react("U0GITCO", OPERATIONS, ts, "pushpin")
    reaction = await app.heard("event")
    await app.slack.open_home(LUBIT)
    opened = await app.heard("event")
    home = await until(lambda: app.slack.home(LUBIT), what="a Home")

    assert reaction["item"] == {"type": "message", "channel": OPERATIONS, "ts": ts}
    assert (opened["type"], opened["tab"]) == ("app_home_opened", "home")
    assert "Welcome <@U0LUBIT>" in texts(home)


@pytest.mark.parametrize("app", ["http"], indirect=True)
async def test_what_we_did_not_sign_is_refused(app: App) -> None:
    forged = {"X-Slack-Request-Timestamp": "1531420618", "X-Slack-Signature": "v0=00"}

    async with httpx.AsyncClient(trust_env=False) as http:
        answer = await http.post(app.slack.events_url, data={"command": "/canary"}, headers=forged)

    assert answer.status_code == 401


@pytest.mark.parametrize("app", ["socket"], indirect=True)
async def test_it_comes_back_when_its_socket_ends(app: App) -> None:
    before = app.slack.socket_mode.opened

    await app.slack.socket_mode.refresh()
    await until(lambda: app.slack.socket_mode.opened > before, what="another socket")
    delivery = await app.slack.slash(LUBIT, OPERATIONS, "/canary status")

    assert delivery.shown is None
    assert (await app.heard("command"))["text"] == "status"
