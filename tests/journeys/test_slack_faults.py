"""Slack fails in every way it can: the rollback goes on, and each message arrives, once."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from bot.domain.rollback import RollbackState
from tests.journeys.kept import Kept, assert_rolled_back_once, everything_told, kept
from tests.journeys.world import PATIENCE_SECONDS, Bot, World, running_bot, texts, until

FORCE = "/rollback canary force errors"
#: The bot, sending as fast as it can.
QUICK = ("-m", "tests.journeys.killed_bot")

#: What one call of Slack may suffer: how it fails, and whether it took effect all the same.
FAULTS: dict[str, dict[str, Any]] = {
    "429": {"retry_after": 1},
    "500": {"status": 500},
    "500 after the effect": {"status": 500, "after_effect": True},
    "503": {"status": 503, "error": "service_unavailable"},
    "internal_error": {"error": "internal_error", "after_effect": True},
    "fatal_error": {"error": "fatal_error", "after_effect": True},
    "no answer": {"drop_connection": True},
    "no answer after the effect": {"drop_connection": True, "after_effect": True},
}


async def roll_back(world: World, url: str) -> Kept:
    """Roll back by force, and wait until everything is told."""
    async with running_bot(world, url, command=QUICK):
        await world.slack.slash("U0SENA", "C0OPERATIONS", FORCE)
        return await everything_told(world, url)


@pytest.fixture
def url(tmp_path: Any) -> str:
    """An empty SQLite database: what Slack does has nothing to do with the kind."""
    return f"sqlite:///{tmp_path / 'backout.db'}"


@pytest.mark.parametrize("fault", FAULTS)
async def test_every_message_is_there_once_whatever_slack_did(world: World, url: str, fault: str) -> None:
    for method in ("chat.postMessage", "chat.update", "files.getUploadURLExternal"):
        world.slack.fail_next(method, times=2, **FAULTS[fault])
    world.slack.fail_next("files.completeUploadExternal", **FAULTS[fault])

    left = await roll_back(world, url)

    assert left.rollbacks[0].state is RollbackState.VERIFIED
    assert_rolled_back_once(world, left)


async def test_a_channel_that_does_not_exist_sends_the_card_to_whoever_asked(world: World, url: str) -> None:
    await world.make_the_canary_fail()
    world.slack.fail_next("chat.postMessage", error="channel_not_found")

    async with running_bot(world, url):
        await world.slack.slash("U0SENA", "C0OPERATIONS", "/rollback canary errors")
        await until(lambda: direct_messages(world, "U0SENA"), what="the card")

    (card,) = direct_messages(world, "U0SENA")
    assert "rollback" in card["metadata"]["event_payload"]["key"]
    assert world.message("C0OPERATIONS", having="rollback.go") is None


async def test_a_channel_without_the_bot_hears_of_it_in_a_direct_message(world: World, url: str) -> None:
    world.slack.fail_next("chat.postEphemeral", error="not_in_channel")

    async with running_bot(world, url):
        await world.slack.slash("U0GITCO", "C0OPERATIONS", "/rollback canary errors")
        await until(lambda: direct_messages(world, "U0GITCO"), what="the refusal")

    (refusal,) = direct_messages(world, "U0GITCO")
    assert "Nothing was done" in texts(refusal)


def direct_messages(world: World, user: str) -> list[dict[str, Any]]:
    """Return what the bot wrote to one person."""
    conversations = world.slack.workspace.contents.conversations.values()
    mine = [c.id for c in conversations if c.is_im and c.describe(0).get("user") == user]
    return [message for channel in mine for message in world.slack.messages(channel, user=user)]


async def test_an_incident_channel_that_is_not_there_does_not_hold_the_rollback_back(
    world: World, url: str
) -> None:
    async with running_bot(world, url):
        world.slack.workspace.contents.conversations["C0CRITICAL"].archived = True
        await world.slack.slash("U0SENA", "C0OPERATIONS", FORCE)
        await world.seen("C0OPERATIONS", having="rolled back and verified")

    assert len(world.cloud.updates) == 1


async def test_slack_is_down_from_the_write_on_and_told_everything_when_it_is_back(
    world: World, url: str, slack_down: "SlackDown"
) -> None:
    written, is_down = asyncio.Event(), asyncio.Event()

    async def hold(method: str, when: str) -> None:
        if (method, when) == ("UpdateService", "after"):
            written.set()
            await is_down.wait()

    async with running_bot(world, url):
        world.cloud.hook = hold
        await world.slack.slash("U0SENA", "C0OPERATIONS", FORCE)
        await asyncio.wait_for(written.wait(), PATIENCE_SECONDS)
        await slack_down.begin()
        is_down.set()
        await until(lambda: kept(url).rollbacks[0].state is RollbackState.VERIFIED, what="the verdict")
        told_meanwhile = kept(url).unsent
        await slack_down.end()
        left = await everything_told(world, url)

    assert told_meanwhile > 0
    assert_rolled_back_once(world, left)
    card = world.message("C0OPERATIONS", having="rolled back and verified")
    assert card is not None


class SlackDown:
    """Takes Slack's address away and gives it back."""

    def __init__(self, world: World) -> None:
        self._slack = world.slack
        self._port = int(world.slack.base_url.rpartition(":")[2])
        self._meanwhile = contextlib.ExitStack()
        self.down = False

    async def begin(self) -> None:
        """Refuse every connection from now on."""
        self.down = True
        await self._slack.stop()
        self._meanwhile.enter_context(_kept_free(self._port))

    async def end(self) -> None:
        """Be there again, at the same address."""
        if self.down:
            self._meanwhile.close()
            await self._slack.start(port=self._port)
            self.down = False


@contextlib.contextmanager
def _kept_free(port: int) -> Iterator[None]:
    """Let nobody else have a port meanwhile: it is taken, but nobody listens."""
    with socket.socket() as kept_free:
        kept_free.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        kept_free.bind(("127.0.0.1", port))
        yield


@pytest.fixture
async def slack_down(world: World) -> AsyncIterator[SlackDown]:
    """A switch that is off again when the test is over."""
    switch = SlackDown(world)
    yield switch
    await switch.end()


@pytest.mark.parametrize("fault", [{"status": 500}, {"drop_connection": True}, {"error": "missing_scope"}])
@pytest.mark.parametrize("method", ["users.info", "usergroups.users.list"])
async def test_when_slack_cannot_say_who_somebody_is_nobody_acts_and_the_reason_is_told(
    world: World, url: str, method: str, fault: dict[str, Any]
) -> None:
    async with running_bot(world, url):
        world.slack.fail_next(method, times=50, **fault)
        await world.slack.slash("U0LUBIT", "C0OPERATIONS", FORCE)
        refusal = await world.seen("C0OPERATIONS", having="Nothing was done", user="U0LUBIT")

    assert refusal["ephemeral_for"] == "U0LUBIT"
    assert "could not be checked, because Slack did not answer" in texts(refusal)
    assert world.cloud.updates == []
    assert [r.state for r in kept(url).rollbacks] == [RollbackState.REFUSED]


async def test_one_short_failure_to_say_who_somebody_is_is_waited_out(world: World, url: str) -> None:
    world.slack.fail_next("users.info", status=503)

    left = await roll_back(world, url)

    assert left.rollbacks[0].state is RollbackState.VERIFIED


async def test_a_bot_that_starts_while_slack_is_down_works_when_it_is_back(
    world: World, url: str, slack_down: SlackDown
) -> None:
    bot = Bot(world=world, database_url=url)
    await slack_down.begin()
    await bot.start()
    await asyncio.sleep(0.5)
    await slack_down.end()
    try:
        await world.slack.slash("U0SENA", "C0OPERATIONS", FORCE)
        left = await everything_told(world, url)
    finally:
        await bot.stop()

    assert_rolled_back_once(world, left)
