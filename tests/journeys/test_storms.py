"""Many people, many clicks, several processes: one rollback, and everybody is told."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.domain.rollback import RollbackState
from bot.sandbox.slack.deliveries import Delivery
from tests.journeys.kept import assert_rolled_back_once, everything_told
from tests.journeys.world import Bot, World, running_bot, texts, until

#: Those who may roll back; they take turns.
DECIDERS = ("U0SENA", "U0LUBIT")
CLICKS = 50


@contextlib.asynccontextmanager
async def bots(world: World, database_url: str, count: int, **options: Any) -> AsyncIterator[list[Bot]]:
    """Run several bots on one database."""
    async with contextlib.AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(running_bot(world, database_url, **options)) for _ in range(count)
        ]


async def click(world: World, bot: Bot, user: str, ts: str) -> Delivery:
    """Click *Roll back* so that it reaches this bot: the address is read before anything is awaited."""
    world.slack.events_url = bot.events_url
    return await world.slack.click(user, "C0OPERATIONS", ts, "rollback.go")


async def slash(world: World, bot: Bot, user: str, line: str) -> Delivery:
    """Type a command so that it reaches this bot."""
    world.slack.events_url = bot.events_url
    return await world.slack.slash(user, "C0OPERATIONS", line)


def told(world: World) -> Counter[str]:
    """Count the notices that reached somebody, by person."""
    answered = [call for call in world.slack.calls if call.method == "chat.postEphemeral" and call.response]
    return Counter(call.params["user"] for call in answered if call.response and call.response["ok"])


@pytest.fixture
def processes(database_url: str) -> int:
    """How many bots one database takes: on SQLite one process is the worker."""
    return 1 if database_url.startswith("sqlite") else 2


async def test_fifty_clicks_at_once_are_one_rollback_and_forty_nine_answers(
    world: World, database_url: str, processes: int
) -> None:
    await world.make_the_canary_fail()
    async with bots(world, database_url, processes) as running:
        await world.slack.slash("U0SENA", "C0OPERATIONS", "/rollback canary errors")
        card = await world.seen("C0OPERATIONS", having="rollback.go")

        clicks = [
            click(world, running[n % processes], DECIDERS[n // processes % 2], card["ts"])
            for n in range(CLICKS)
        ]
        answers = await asyncio.gather(*clicks)
        await until(lambda: told(world).total() >= CLICKS - 1, what="everybody to be told")
        left = await everything_told(world, database_url)

    assert {answer.status for answer in answers} == {200}
    assert {answer.shown for answer in answers} == {None}
    assert left.rollbacks[0].state is RollbackState.VERIFIED
    assert_rolled_back_once(world, left)
    assert told(world).total() == CLICKS - 1
    clicked = Counter(DECIDERS[n // processes % 2] for n in range(CLICKS))
    assert told(world) == clicked - Counter([str(left.rollbacks[0].decided_by)])
    in_english = world.slack.messages("C0OPERATIONS", user="U0LUBIT")
    assert len([m for m in in_english if "was faster" in texts(m)]) == told(world)["U0LUBIT"]


async def test_two_forced_rollbacks_at_the_same_moment_are_one(
    world: World, database_url: str, processes: int
) -> None:
    one_was_told = asyncio.Event()

    async def hold(method: str, when: str) -> None:
        # Nothing would be left to do for whoever is looked after once it is over.
        if (method, when) == ("UpdateService", "before"):
            await one_was_told.wait()

    async with bots(world, database_url, processes) as running:
        world.cloud.hook = hold
        await asyncio.gather(
            slash(world, running[0], "U0SENA", "/rollback canary force errors"),
            slash(world, running[-1], "U0LUBIT", "/rollback canary force errors"),
        )
        await until(lambda: told(world), what="one of them to be told")
        one_was_told.set()
        left = await everything_told(world, database_url)

    states = sorted(rollback.state for rollback in left.rollbacks)
    assert states == [RollbackState.CANCELLED, RollbackState.VERIFIED]
    assert_rolled_back_once(world, left)
    (winner,) = [r.asked_by for r in left.rollbacks if r.state is RollbackState.VERIFIED]
    (loser,) = told(world)
    assert loser != winner
    whispers = [m for m in world.slack.messages("C0OPERATIONS", user=loser) if m["ephemeral_for"]]
    assert f"<@{winner}>" in texts(whispers[-1])


async def test_two_targets_are_rolled_back_side_by_side(
    world: World, database_url: str, processes: int
) -> None:
    world.bring_users("chat")

    async with bots(world, database_url, processes) as running:
        await asyncio.gather(
            slash(world, running[0], "U0SENA", "/rollback canary force errors"),
            slash(world, running[-1], "U0LUBIT", "/rollback chat force errors"),
        )
        left = await everything_told(world, database_url, files=2)

    assert [rollback.state for rollback in left.rollbacks] == [RollbackState.VERIFIED] * 2
    assert {rollback.target for rollback in left.rollbacks} == {"canary", "chat"}
    assert len(left.incidents) == len(world.cloud.updates) == 2
