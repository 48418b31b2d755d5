"""Several processes on one database: a dead one is replaced, a woken one changes nothing."""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url

from bot.domain.rollback import RollbackState
from tests.journeys.kept import assert_rolled_back_once, everything_told, kept
from tests.journeys.killed_bot import LEASE, NAME
from tests.journeys.world import PATIENCE_SECONDS, Bot, World, backout, running_bot, until
from tests.postgres import PostgresServer

WITH_SHORT_LEASE = ("-m", "tests.journeys.killed_bot")
#: Seconds. Shorter, and a busy machine makes the bot that goes on a second zombie.
SHORT = "5"


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> str:
    """An empty PostgreSQL database."""
    return postgres_server.create_database()


@contextlib.asynccontextmanager
async def replicas(world: World, url: str) -> AsyncIterator[dict[str, Bot]]:
    """Run two bots on one database, by name."""
    async with contextlib.AsyncExitStack() as stack:
        yield {
            name: await stack.enter_async_context(
                running_bot(world, url, command=WITH_SHORT_LEASE, extra={LEASE: SHORT, NAME: name})
            )
            for name in ("one", "two")
        }


def ask(url: str, question: str) -> str | None:
    """Ask the workflow engine's tables; return the first value of the first row."""
    where = make_url(url)
    with psycopg.connect(dbname=where.database, user="postgres", host=str(where.query["host"])) as connection:
        row = connection.execute(question.encode()).fetchone()
    return None if row is None else str(row[0])


def owner(url: str) -> str | None:
    """Return the name of the bot that carries out the rollback."""
    found = ask(url, "SELECT executor_id FROM dbos.workflow_status WHERE workflow_uuid LIKE 'rollback:%'")
    return found.partition("-")[0] if found else None


def guarded(url: str) -> bool:
    """True when the step before the write is done."""
    return bool(ask(url, "SELECT 1 FROM dbos.operation_outputs WHERE function_name = 'guard'"))


def once(world: World, when: Callable[[str, str], bool], act: Callable[[], None]) -> asyncio.Event:
    """Act at the first call to Google for which `when` is true."""
    happened = asyncio.Event()

    async def hook(method: str, moment: str) -> None:
        is_it = not happened.is_set() and await asyncio.to_thread(when, method, moment)
        # Another call may have been looked at in the meantime.
        if is_it and not happened.is_set():
            act()
            happened.set()

    world.cloud.hook = hook
    return happened


async def test_when_a_replica_dies_for_good_the_other_goes_on(world: World, postgres_url: str) -> None:
    async with replicas(world, postgres_url) as running:
        died: list[str] = []

        def kill() -> None:
            died.append(owner(postgres_url) or "")
            process = running[died[0]].process
            assert process is not None
            process.kill()

        killed = once(world, lambda method, when: (method, when) == ("UpdateService", "after"), kill)
        await world.slack.slash("U0SENA", "C0OPERATIONS", "/rollback canary force errors")
        await asyncio.wait_for(killed.wait(), PATIENCE_SECONDS)
        left = await everything_told(world, postgres_url)

    assert left.rollbacks[0].state is RollbackState.VERIFIED
    assert_rolled_back_once(world, left)
    assert owner(postgres_url) != died[0]


@pytest.mark.parametrize("moment", ["after it looked", "before it wrote"])
async def test_a_woken_zombie_changes_nothing(world: World, postgres_url: str, moment: str) -> None:
    async with replicas(world, postgres_url) as running:
        asleep: list[int] = []

        def stop() -> None:
            process = running[owner(postgres_url) or ""].process
            assert process is not None
            asleep.append(process.pid)
            os.kill(process.pid, signal.SIGSTOP)

        def is_it(method: str, when: str) -> bool:
            if moment == "before it wrote":
                return (method, when) == ("UpdateService", "after")
            return (method, when) == ("GetService", "after") and guarded(postgres_url)

        stopped = once(world, is_it, stop)
        await world.slack.slash("U0SENA", "C0OPERATIONS", "/rollback canary force errors")
        await asyncio.wait_for(stopped.wait(), PATIENCE_SECONDS)
        try:
            await until(lambda: kept(postgres_url).rollbacks[0].state is RollbackState.VERIFIED)
        finally:
            os.kill(asleep[0], signal.SIGCONT)
        await asyncio.sleep(3)
        left = await everything_told(world, postgres_url)

    assert left.rollbacks[0].state is RollbackState.VERIFIED
    assert_rolled_back_once(world, left)


async def test_a_second_worker_on_a_sqlite_file_says_so_in_one_line(world: World, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'backout.db'}"
    async with running_bot(world, url):
        second = await backout(Bot(world=world, database_url=url).environment(), "worker")
        third = await backout(Bot(world=world, database_url=url).environment(), "serve")

    for ran in (second, third):
        assert ran.code == 2
        (line,) = ran.complained.splitlines()
        assert "another process is the worker" in line


async def test_the_next_worker_may_begin_when_the_first_was_killed(world: World, tmp_path: Path) -> None:
    bot = Bot(world=world, database_url=f"sqlite:///{tmp_path / 'backout.db'}")
    await bot.start()
    await bot.kill()

    await bot.start()
    await world.slack.slash("U0SENA", "C0OPERATIONS", "/rollback canary force errors")
    left = await everything_told(world, bot.database_url)
    await bot.stop()

    assert_rolled_back_once(world, left)
