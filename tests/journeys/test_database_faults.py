"""The database goes away in the middle: nothing is done that could not be recorded, and nothing is lost."""

import asyncio
import sqlite3
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path

import pytest

from bot.domain.rollback import RollbackState
from tests.journeys.kept import assert_rolled_back_once, everything_told, kept
from tests.journeys.world import PATIENCE_SECONDS, World, running_bot, texts, until
from tests.restartable_postgres import RestartablePostgres, restartable_postgres

FORCE = "/rollback canary force errors"
OUTAGE_SECONDS = 3.0


@pytest.fixture
def postgres() -> Iterator[RestartablePostgres]:
    """A server of our own."""
    with restartable_postgres() as server:
        yield server


def at(world: World, method: str, when: str, act: Callable[[], Coroutine[None, None, None]]) -> asyncio.Event:
    """Act at the first such call to Google, which waits for it; return what is set once that is done."""
    acting: list[asyncio.Task[None]] = []
    done = asyncio.Event()

    async def hook(called: str, moment: str) -> None:
        if (called, moment) == (method, when) and not acting:
            acting.append(asyncio.create_task(act()))
            acting[0].add_done_callback(lambda _: done.set())
            # Whoever has called may give up before that is done.
            await asyncio.shield(acting[0])

    world.cloud.hook = hook
    return done


@pytest.mark.parametrize(
    ("method", "when"), [("GetService", "after"), ("UpdateService", "before"), ("UpdateService", "after")]
)
async def test_postgresql_is_away_for_some_seconds_and_nothing_is_lost(
    world: World, postgres: RestartablePostgres, method: str, when: str
) -> None:
    async def stop() -> None:
        await asyncio.to_thread(postgres.stop)

    async with running_bot(world, postgres.url):
        stopped = at(world, method, when, stop)
        await world.slack.slash("U0SENA", "C0OPERATIONS", FORCE)
        await asyncio.wait_for(stopped.wait(), PATIENCE_SECONDS)
        await asyncio.sleep(OUTAGE_SECONDS)
        await asyncio.to_thread(postgres.start)
        left = await everything_told(world, postgres.url)

    assert left.rollbacks[0].state is RollbackState.VERIFIED
    assert_rolled_back_once(world, left)


async def test_without_a_database_a_command_is_refused_aloud_and_not_carried_out_later(
    world: World, postgres: RestartablePostgres
) -> None:
    async with running_bot(world, postgres.url):
        await asyncio.to_thread(postgres.stop)
        answer = await world.slack.slash("U0SENA", "C0OPERATIONS", FORCE)
        said = texts(answer.body) if answer.body else answer.text
        await asyncio.to_thread(postgres.start)
        await asyncio.sleep(2)

    assert answer.status == 200
    assert "nothing was recorded" in said
    assert kept(postgres.url).rollbacks == ()
    assert world.cloud.updates == []


async def test_a_sqlite_file_that_somebody_locks_is_waited_for(world: World, tmp_path: Path) -> None:
    file = tmp_path / "backout.db"
    url = f"sqlite:///{file}"

    async def lock() -> None:
        locks.append(sqlite3.connect(file, isolation_level=None, timeout=PATIENCE_SECONDS))
        locks[0].execute("BEGIN EXCLUSIVE")

    locks: list[sqlite3.Connection] = []
    async with running_bot(world, url):
        locked = at(world, "UpdateService", "before", lock)
        await world.slack.slash("U0SENA", "C0OPERATIONS", FORCE)
        await asyncio.wait_for(locked.wait(), PATIENCE_SECONDS)
        await until(lambda: world.cloud.updates, what="the write")
        await asyncio.sleep(OUTAGE_SECONDS)
        locks[0].rollback()
        locks[0].close()
        left = await everything_told(world, url)

    assert left.rollbacks[0].state is RollbackState.VERIFIED
    assert_rolled_back_once(world, left)
