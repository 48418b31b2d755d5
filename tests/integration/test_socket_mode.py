"""Socket Mode: the bot as in production, with no address that Slack could reach."""

import asyncio
import contextlib
import copy
import sqlite3
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.names import APP_ID, APP_TOKEN, BOT_TOKEN, TEAM_ID
from bot.sandbox.run import read_manifest
from bot.sandbox.slack import SandboxSlack
from bot.sandbox.slack.deliveries import Delivery
from bot.slack.recipients import Identity
from bot.slack.socket_mode import Client, socket_mode
from tests.journeys.world import PATIENCE_SECONDS, Bot, World, running_world, until

#: May roll back, and reads English: the language of what is said at once depends on nothing else.
LUBIT = "U0LUBIT"
US = Identity(team_id=TEAM_ID, app_id=APP_ID)
#: Nobody listens there: what came over HTTP would be lost.
NOWHERE = "http://127.0.0.1:9/slack/events"


@contextlib.asynccontextmanager
async def a_slack() -> AsyncIterator[SandboxSlack]:
    """Serve a workspace whose app is in Socket Mode."""
    slack = SandboxSlack(manifest=read_manifest(), events_url=NOWHERE, patience_seconds=PATIENCE_SECONDS)
    await slack.socket_mode.switch(on=True)
    await slack.start()
    try:
        yield slack
    finally:
        await slack.stop()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def world() -> AsyncIterator[World]:
    async with running_world() as running:
        await running.slack.socket_mode.switch(on=True)
        yield running


@pytest.fixture
def slack(world: World) -> SandboxSlack:
    return world.slack


def a_bot(world: World, directory: Path, **more: str) -> Bot:
    extra = {"SLACK_APP_TOKEN": APP_TOKEN, **more}
    return Bot(world=world, database_url=f"sqlite:///{directory}/backout.db", extra=extra)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def bot(world: World, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Bot]:
    """A bot that has no signing secret."""
    bot = a_bot(world, tmp_path_factory.mktemp("bot"), SLACK_SIGNING_SECRET="")
    try:
        await bot.start()
        world.slack.events_url = NOWHERE
        await until(lambda: world.slack.socket_mode.connections, what="the bot's socket")
        yield bot
    finally:
        await bot.stop()


def rows(bot: Bot, table: str) -> int:
    """Return how many rows the bot has in a table."""
    with sqlite3.connect(bot.database_url.removeprefix("sqlite:///")) as database:
        (number,) = database.execute(f"SELECT count(*) FROM {table}").fetchone()
    database.close()
    return int(number)


async def listening(slack: SandboxSlack, *, bots: int = 1) -> None:
    """Wait until so many bots have a socket open.

    A bot gives its socket up where this process stood still for seconds, as it may on a busy machine. That
    has to be read before it shows in what is counted.
    """
    for _ in range(20):
        await asyncio.sleep(0)
    await until(lambda: slack.socket_mode.connections == bots, what=f"the sockets of {bots} bots")


async def typed(slack: SandboxSlack, line: str, *, bots: int = 1) -> Delivery:
    """Type a command while so many bots listen."""
    await listening(slack, bots=bots)
    return await slack.slash(LUBIT, "C0OPERATIONS", line)


async def is_acknowledged(slack: SandboxSlack, envelope: dict[str, Any]) -> bool:
    """Send an envelope, and say whether it is acknowledged before three commands that are sent after it.

    Only where all of them go over one socket that says something; else all are sent again.
    """

    def is_under_way(sent_before: int) -> bool:
        return envelope in slack.socket_mode.sent[sent_before:]

    while True:
        await listening(slack)
        opened, sent = slack.socket_mode.opened, len(slack.socket_mode.sent)
        sending = asyncio.create_task(slack.socket_mode.send(envelope))
        await until(partial(is_under_way, sent), what="the envelope")
        after = [await typed(slack, "/incident list") for _ in range(3)]
        acknowledged = sending.done() and sending.exception() is None
        sending.cancel()
        assert [(delivery.status, delivery.shown) for delivery in after] == [(200, None)] * 3
        if slack.socket_mode.opened == opened:
            return acknowledged


async def test_a_rollback_is_asked_for_and_cancelled_by_socket(bot: Bot, world: World) -> None:
    asked = await typed(world.slack, "/rollback canary too slow")
    card = await world.seen("C0OPERATIONS", having="too slow")
    await listening(world.slack)
    pressed = await world.slack.click(LUBIT, "C0OPERATIONS", card["ts"], "rollback.cancel")
    ended = await world.seen("C0OPERATIONS", having="cancelled by")

    assert (asked.status, asked.shown) == (200, None)
    assert "canary" in asked.body["text"]
    assert (pressed.status, pressed.text, pressed.shown) == (200, "", None)
    assert ended["ts"] == card["ts"]
    assert world.cloud.updates == []


async def test_without_a_signing_secret_nothing_is_served_over_http(bot: Bot) -> None:
    async with httpx.AsyncClient(trust_env=False) as client:
        events = await client.post(bot.events_url, data={"command": "/rollback", "text": "canary force"})
        alive = await client.get(bot.events_url.replace("/slack/events", "/healthz"))

    assert events.status_code == 404
    assert alive.status_code == 200


async def test_the_same_envelope_twice_is_one_request(bot: Bot, world: World, slack: SandboxSlack) -> None:
    before = rows(bot, "rollback")
    first = await typed(slack, "/rollback chat sent only once")
    envelope = slack.socket_mode.sent[-1]
    await world.seen("C0OPERATIONS", having="sent only once")
    counted = rows(bot, "rollback"), rows(bot, "request"), rows(bot, "message")

    await listening(slack)
    again = await slack.socket_mode.send({**envelope, "retry_attempt": 1, "retry_reason": "timeout"})

    assert again["text"] == first.body["text"]
    assert (rows(bot, "rollback"), rows(bot, "request"), rows(bot, "message")) == counted
    assert counted[0] == before + 1


async def test_an_event_that_comes_again_is_one_request(bot: Bot, world: World, slack: SandboxSlack) -> None:
    before = rows(bot, "request")
    await listening(slack)
    await slack.open_home(LUBIT)
    await until(lambda: slack.home(LUBIT), what="the Home")
    envelope = {**slack.socket_mode.sent[-1], "envelope_id": "again", "retry_attempt": 1}

    await listening(slack)
    acknowledged = await slack.socket_mode.send({**envelope, "retry_reason": "timeout"})

    assert acknowledged == {}
    assert rows(bot, "request") == before + 1


@pytest.mark.parametrize("how", ["warned", "refreshed", "cut"])
async def test_the_bot_comes_back_after_a_disconnect(bot: Bot, slack: SandboxSlack, how: str) -> None:
    await listening(slack)
    before = slack.socket_mode.opened

    if how == "warned":
        await slack.socket_mode.warn()
    elif how == "refreshed":
        await slack.socket_mode.refresh()
    else:
        slack.socket_mode.cut()
    await until(
        lambda: slack.socket_mode.opened > before and slack.socket_mode.connections == 1,
        what="one new socket and no old one",
    )
    answered = await typed(slack, "/rollback help")

    assert (answered.status, answered.shown) == (200, None)
    assert "/rollback" in answered.body["text"]


@pytest.mark.parametrize(
    "foreign", [{"api_app_id": "A0OTHER"}, {"api_app_id": None}, {"team_id": "T0OTHER"}, {"team_id": None}]
)
async def test_a_command_for_another_app_or_team_is_not_acknowledged_and_does_nothing(
    bot: Bot, world: World, slack: SandboxSlack, foreign: dict[str, Any]
) -> None:
    await typed(slack, "/incident list")
    envelope = copy.deepcopy(slack.socket_mode.sent[-1])
    envelope["envelope_id"] += "-foreign"
    envelope["payload"] |= {"command": "/rollback", "text": "canary force", "trigger_id": "1.2.3"} | foreign
    counted = rows(bot, "rollback"), rows(bot, "request"), rows(bot, "message")

    assert not await is_acknowledged(slack, envelope)

    assert (rows(bot, "rollback"), rows(bot, "request"), rows(bot, "message")) == counted
    assert world.cloud.updates == []


async def test_a_click_for_another_team_is_not_acknowledged_and_does_nothing(
    bot: Bot, world: World, slack: SandboxSlack
) -> None:
    await typed(slack, "/rollback canary a click from elsewhere")
    card = await world.seen("C0OPERATIONS", having="a click from elsewhere")
    await listening(slack)
    await slack.click(LUBIT, "C0OPERATIONS", card["ts"], "rollback.cancel")
    envelope = copy.deepcopy(slack.socket_mode.sent[-1])
    envelope["envelope_id"] += "-foreign"
    envelope["payload"] |= {"team": {"id": "T0OTHER", "domain": "other"}, "trigger_id": "4.5.6"}
    counted = rows(bot, "request")

    assert not await is_acknowledged(slack, envelope)

    assert rows(bot, "request") == counted


async def test_slack_out_of_order_at_start_keeps_nobody_from_starting_and_then_the_words_are_those_of_http(
    world: World, tmp_path: Path
) -> None:
    lines = ("/rollback help", "/rollback canry", "/rollback canary words", "/canary", "/incident list")
    async with a_slack() as slack:
        bot = a_bot(World(slack=slack, cloud=world.cloud), tmp_path)
        slack.fail_next("apps.connections.open", status=500, times=1000)
        try:
            await bot.start()  # Until it is ready.
            await slack.socket_mode.switch(on=False)
            over_http = [await slack.slash(LUBIT, "C0OPERATIONS", line) for line in lines]
            await slack.socket_mode.switch(on=True)
            slack.stop_failing("apps.connections.open")
            by_socket = [await typed(slack, line) for line in lines]
        finally:
            await bot.stop()

    assert [delivery.status for delivery in over_http] == [200] * len(lines)
    assert [delivery.body for delivery in by_socket] == [delivery.body for delivery in over_http]


async def test_a_rollback_is_verified_though_every_socket_of_two_bots_breaks_on_the_way(
    bot: Bot, world: World, slack: SandboxSlack
) -> None:
    web = ("-m", "bot.cli", "web")
    other = Bot(world=world, database_url=bot.database_url, extra=bot.extra, command=web)
    await world.make_the_canary_fail()
    try:
        await other.start()
        slack.events_url = NOWHERE

        asked = await typed(slack, "/rollback canary force by socket", bots=2)
        before = slack.socket_mode.opened
        slack.socket_mode.cut(1)
        await slack.socket_mode.refresh()
        await until(
            lambda: slack.socket_mode.opened >= before + 2 and slack.socket_mode.connections == 2,
            what="two new sockets",
        )
        verdict = await world.seen("C0OPERATIONS", having="is rolled back and verified")
        helped = [await typed(slack, "/rollback help", bots=2) for _ in range(2)]
    finally:
        await other.stop()

    assert (asked.status, asked.shown) == (200, None)
    assert verdict["text"]
    assert [(delivery.status, delivery.shown) for delivery in helped] == [(200, None)] * 2
    assert len(world.cloud.updates) == 1


# The handler alone -----------------------------------------------------------------------------------


async def _authorize(**_: Any) -> AuthorizeResult:
    return AuthorizeResult(enterprise_id=None, team_id=TEAM_ID, bot_token=BOT_TOKEN)


def an_app(slack: SandboxSlack) -> AsyncApp:
    """Return a Bolt app that repeats what it is told."""
    client = AsyncWebClient(token=BOT_TOKEN, base_url=slack.api_url, retry_handlers=[])
    app = AsyncApp(
        client=client, authorize=_authorize, request_verification_enabled=False, process_before_response=True
    )

    @app.command("/rollback")
    async def repeat(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack(text=body["text"])

    return app


def an_envelope(text: str) -> dict[str, Any]:
    fields = {"command": "/rollback", "text": text, "team_id": TEAM_ID, "api_app_id": APP_ID}
    return {
        "envelope_id": f"envelope {text}",
        "type": "slash_commands",
        "payload": {**fields, "user_id": LUBIT, "channel_id": "C0OPERATIONS"},
        "accepts_response_payload": True,
    }


async def known() -> Identity:
    return US


@pytest_asyncio.fixture(loop_scope="session")
async def lone_slack() -> AsyncIterator[SandboxSlack]:
    async with a_slack() as slack:
        yield slack


async def test_a_socket_that_breaks_while_it_opens_is_opened_at_a_new_address(
    lone_slack: SandboxSlack,
) -> None:
    lone_slack.socket_mode.breaking = 2

    # Half of the pause is how long a sign of life may take before the socket is given up.
    async with socket_mode(an_app(lone_slack), APP_TOKEN, known, pause_seconds=1.0):
        await until(lambda: lone_slack.socket_mode.connections, what="a socket")
        ack = await lone_slack.socket_mode.send(an_envelope("still there"))

    assert ack["text"] == "still there"


async def test_a_socket_that_slack_ends_is_replaced_once_though_slack_says_so_twice(
    lone_slack: SandboxSlack,
) -> None:
    web_client = AsyncWebClient(base_url=lone_slack.api_url, retry_handlers=[])
    # So seldom that it does not look for itself.
    client = Client(app_token=APP_TOKEN, web_client=web_client, ping_interval=3600)
    try:
        await client.connect()  # type: ignore[no-untyped-call]

        # What the SDK does about the end of a socket and about the message before that, at their closest.
        await client.disconnect()  # type: ignore[no-untyped-call]
        await asyncio.gather(client.connect_to_new_endpoint(), client.connect_to_new_endpoint(force=True))
        after_its_end = lone_slack.socket_mode.opened
        await client.connect_to_new_endpoint(force=True)
        after_another_message = lone_slack.socket_mode.opened
    finally:
        await client.close()  # type: ignore[no-untyped-call]

    assert (after_its_end, after_another_message) == (2, 3)


async def test_no_socket_is_opened_before_the_bot_knows_who_it_is(lone_slack: SandboxSlack) -> None:
    told: asyncio.Future[Identity] = asyncio.get_running_loop().create_future()

    async with socket_mode(an_app(lone_slack), APP_TOKEN, lambda: told):
        await asyncio.sleep(0.3)
        before = lone_slack.socket_mode.opened
        told.set_result(US)
        await until(lambda: lone_slack.socket_mode.connections, what="a socket")

    assert before == 0


async def test_leaving_closes_the_socket(lone_slack: SandboxSlack) -> None:
    async with socket_mode(an_app(lone_slack), APP_TOKEN, known):
        await until(lambda: lone_slack.socket_mode.connections, what="a socket")

    await until(lambda: not lone_slack.socket_mode.connections, what="the socket's end")


async def test_leaving_works_while_slack_is_out_of_order(lone_slack: SandboxSlack) -> None:
    lone_slack.fail_next("apps.connections.open", status=500, times=1000)

    async with (
        asyncio.timeout(PATIENCE_SECONDS),
        socket_mode(an_app(lone_slack), APP_TOKEN, known, pause_seconds=0.1),
    ):
        await asyncio.sleep(0.3)

    assert lone_slack.socket_mode.opened == 0
