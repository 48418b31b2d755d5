"""What the evidence says at first sight is what really happened, and people review the rest."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from bot.domain.exhibit import Moment
from bot.domain.first_reading import Ending
from bot.domain.message_shape import shape
from bot.domain.readings import Side
from bot.domain.snapshot import Snapshot
from bot.domain.timeline import Event, first_broken
from bot.sandbox.cloud import Fault
from bot.sandbox.cloud.container import FAILURES
from bot.slack.text import LOCALES
from tests.journeys.incidents import board_of, close, logged, opened
from tests.journeys.kept import kept
from tests.journeys.stored import everything_in, stored
from tests.journeys.world import HURRIED_LOAD, Bot, World, running_bot, texts, until

CRITICAL = "C0CRITICAL"
SENA, GITCO = "U0SENA", "U0GITCO"
#: What the first reading and the review are called, and what is said of new errors.
WORDS = {
    "en": ("first reading of the evidence", "the evidence after the rollback", "not on stable"),
    "ko": ("증거 1차 요약", "롤백 후의 증거", "안정 버전에는 없음"),
}
FOUND = {"en": "and found: the new image has half the memory", "ko": "검토에서 문제 발견: "}


@pytest_asyncio.fixture(loop_scope="session", params=LOCALES)
async def bot(world: World, tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Bot]:
    """A bot on SQLite, in one language."""
    url = f"sqlite:///{tmp_path / 'backout.db'}"
    async with running_bot(world, url, locale=request.param) as running:
        yield running


async def a_failure_that_is_over(world: World) -> None:
    """Let the canary fail for a while, until every failed request stands in the log."""
    await world.make_the_canary_fail()
    world.cloud.set_fault("ion-api", Fault.ERRORS, False)
    await asyncio.sleep(4 * world.cloud.behaviour.log_lag_seconds)


async def taken(url: str, moment: Moment) -> Snapshot:
    """Wait for what is taken at a moment."""
    await until(lambda: stored(url, Snapshot, moment=moment), what=f"evidence: {moment}")
    return stored(url, Snapshot, moment=moment)[0]


def in_the_thread(world: World, board: dict[str, Any], key: str) -> dict[str, Any] | None:
    """Return the message under a board whose key begins so."""
    for message in world.slack.messages(CRITICAL, thread_ts=board["ts"]):
        known = ((message.get("metadata") or {}).get("event_payload") or {}).get("key", "")
        if known.startswith(key):
            return dict(message)
    return None


async def test_the_planted_errors_are_named_as_new_and_counted_as_the_service_counted(
    bot: Bot, world: World
) -> None:
    first, after, new = WORDS[bot.locale]
    await a_failure_that_is_over(world)

    await world.slack.slash(SENA, "C0OPERATIONS", "/rollback canary force errors")
    snapshot = await taken(bot.database_url, Moment.DECISION)

    reading = snapshot.reading
    truth = world.cloud.truth("ion-api", snapshot.canary, since=reading.since, until=reading.until)
    assert truth.errors >= 3
    # Each is told twice, by the application and by the request log, and counted once.
    assert (reading.failed[0], reading.counted[0]) == (truth.errors, truth.errors)
    assert sum(group.canary or 0 for group in reading.groups) == truth.errors
    assert reading.repeated[0] == truth.errors
    assert reading.cut == (False, False)
    assert {group.shape for group in reading.groups} <= {shape(failure) for failure in FAILURES}
    assert all(group.is_new for group in reading.groups)
    assert reading.canary_kinds == reading.new_kinds == len(reading.groups)
    assert all(name.partition(" ")[2].startswith("/api/") for g in reading.groups for name, _ in g.endpoints)
    assert all(sum(count for _, count in g.endpoints) == g.canary for g in reading.groups)

    await until(lambda: after in everything_in(world, CRITICAL), what=after)
    board = await board_of(world, 1)
    shown = texts(in_the_thread(world, board, f"first_reading:{snapshot.id}") or {})
    assert first in shown
    for group in reading.groups:
        assert group.shape in shown
        assert any(failure in shown for failure in FAILURES if shape(failure) == group.shape)
    assert shown.count(new) == len(reading.groups)
    verdict = await taken(bot.database_url, Moment.VERIFICATION)
    assert (verdict.reading.failed[0], verdict.reading.counted[0]) == (0, 0)
    compared = texts(in_the_thread(world, board, f"first_reading:{verdict.id}") or {})
    assert str(truth.errors) in compared


@pytest.mark.parametrize("bot", ["en"], indirect=True)
async def test_kills_for_memory_are_counted_and_lead_to_the_profile(bot: Bot, world: World) -> None:
    world.cloud.behaviour.leak_per_minute = 60.0
    world.cloud.set_fault("ion-api", Fault.LEAK, True)
    world.cloud.load("ion-api", HURRIED_LOAD)
    beginning = datetime.now(UTC)
    await until(lambda: world.cloud.truth("ion-api", since=beginning).kills, what="a kill")
    world.cloud.set_fault("ion-api", Fault.LEAK, False)
    world.bring_users("canary")
    await asyncio.sleep(4 * world.cloud.behaviour.log_lag_seconds)

    await world.slack.slash(SENA, "C0OPERATIONS", "/rollback canary force memory")
    snapshot = await taken(bot.database_url, Moment.DECISION)

    reading = snapshot.reading
    truth = world.cloud.truth("ion-api", snapshot.canary, since=reading.since, until=reading.until)
    assert [(end.side, end.why, end.count) for end in reading.endings or ()] == [
        (Side.CANARY, Ending.OUT_OF_MEMORY, truth.kills)
    ]
    board = await board_of(world, 1)
    message = await until(
        lambda: in_the_thread(world, board, f"first_reading:{snapshot.id}"), what="the first reading"
    )
    assert f":boom: out of memory, {truth.kills} ×" in texts(message)
    links = [e["url"] for b in message["blocks"] if b["type"] == "actions" for e in b["elements"]]
    assert links == [snapshot.profiler]
    assert snapshot.canary in snapshot.profiler


async def test_people_review_point_by_point_and_after_closing_too(bot: Bot, world: World) -> None:
    await world.slack.slash(SENA, "C0OPERATIONS", "/rollback canary force errors")
    board = await board_of(world, 1)

    def card(*having: str) -> dict[str, Any] | None:
        message = in_the_thread(world, board, "review:1")
        return message if message and all(part in texts(message) for part in having) else None

    message = await until(card, what="the review")
    assert "LOG_LEVEL" in texts(message) or "image" in texts(message)

    await world.slack.click(SENA, CRITICAL, message["ts"], "review.point#code.1.nothing")
    await until(lambda: kept(bot.database_url).lines(Event.REVIEWED), what="the first point's line")
    await world.slack.click(GITCO, CRITICAL, message["ts"], "review.point#infrastructure.2.found")
    view = await opened(world, GITCO, callback="review.point")
    await world.slack.submit(GITCO, view["id"], {"review.note": "the new image has half the memory"})

    await logged(world, board, having=FOUND[bot.locale])
    await until(lambda: card("the new image has half the memory"), what="the finding on the card")

    await close(world, SENA, await board_of(world, 1, having="incident.close"))
    await until(lambda: kept(bot.database_url).incidents[0].closed_at, what="the end of the incident")
    await world.slack.click(GITCO, CRITICAL, message["ts"], "review.point#code.2.nothing")
    await until(lambda: len(kept(bot.database_url).lines(Event.REVIEWED)) == 3, what="the third line")

    left = kept(bot.database_url)
    assert [
        (line.actor, line.facts["point"], line.facts["state"]) for line in left.lines(Event.REVIEWED)
    ] == [
        (SENA, "code.1", "done"),
        (GITCO, "infrastructure.2", "not_ok"),
        (GITCO, "code.2", "done"),
    ]
    assert first_broken(left.timeline) is None
