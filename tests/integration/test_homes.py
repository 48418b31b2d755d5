"""Whose Home is rendered anew, and where messages stand: on SQLite and on PostgreSQL alike."""

import asyncio
import time
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from bot.adapters.database.engine import Database
from bot.adapters.database.store import SqlStore
from bot.adapters.database.tables import MessageRow, TimerRow
from bot.domain.ids import ChannelId, IncidentNumber
from bot.domain.last_seen import LastSeen, SeenKind, seen_id
from bot.usecases.ports import Showing, Workflow
from bot.usecases.show_home import open_home, refresh_homes
from tests.fakes import FakeSteps
from tests.values import GITCO, SENA

ONE, TWO = IncidentNumber(1), IncidentNumber(2)


@pytest.fixture
def store(database: Database) -> SqlStore:
    """The store under test; what it starts is not carried out."""
    return SqlStore(database, lambda *_: None)


def now() -> datetime:
    """Return the real time: whose Home is fresh is decided by it."""
    return datetime.now(UTC)


def a_visit(person: str, *, ago: timedelta = timedelta()) -> LastSeen:
    """Return somebody's visit to their Home."""
    return LastSeen(id=seen_id(SeenKind.HOME, person), kind=SeenKind.HOME, created_at=now() - ago)  # type: ignore[arg-type]


def timers(database: Database) -> list[TimerRow]:
    """Return what waits."""
    with Session(database.engine) as session:
        return list(session.scalars(select(TimerRow).where(TimerRow.workflow == Workflow.HOMES)))


def homes(database: Database) -> dict[str, int]:
    """Return how often each Home was asked for."""
    with Session(database.engine) as session:
        found = session.scalars(select(MessageRow).where(MessageRow.what == Showing.HOME))
        return {row.subject: row.wanted for row in found}


async def test_where_nobody_looks_nothing_is_rendered(store: SqlStore, database: Database) -> None:
    await store.change(lambda tx: tx.keep(a_visit(SENA, ago=timedelta(hours=2))))

    await store.change(lambda tx: tx.refresh_homes(ONE))

    assert timers(database) == []


async def test_changes_of_one_second_are_one_rendering(store: SqlStore, database: Database) -> None:
    await store.change(lambda tx: tx.keep(a_visit(SENA)))

    first = int(time.time())
    for _ in range(20):
        await store.change(lambda tx: tx.refresh_homes(ONE))
    last = int(time.time())

    due = sorted(int(row.due_at.timestamp()) for row in timers(database))
    assert due == sorted(set(due)) != []
    assert first < due[0] <= due[-1] <= last + 1


async def test_incidents_that_change_at_once_do_not_wait_for_each_other(
    store: SqlStore, database: Database
) -> None:
    await store.change(lambda tx: tx.keep(a_visit(SENA)))

    await asyncio.gather(*(store.change(lambda tx, n=n: tx.refresh_homes(n)) for n in (ONE, TWO) * 5))  # type: ignore[misc]

    assert {row.id.split(":")[1] for row in timers(database)} == {"1", "2"}


async def test_only_those_who_looked_within_the_hour_get_it(store: SqlStore, database: Database) -> None:
    await open_home("event:1", SENA, store=store, clock=now)
    await store.change(lambda tx: tx.keep(a_visit(GITCO, ago=timedelta(minutes=61))))

    await refresh_homes({}, steps=FakeSteps(), store=store, clock=now)

    assert homes(database) == {SENA: 2}


async def test_an_opening_that_slack_tells_twice_is_one(store: SqlStore, database: Database) -> None:
    for _ in range(2):
        await open_home("event:1", SENA, store=store, clock=now)

    assert homes(database) == {SENA: 1}


async def test_a_message_is_found_where_it_was_posted(store: SqlStore, database: Database) -> None:
    await store.change(lambda tx: tx.show(Showing.BOARD, "1", channel=ChannelId("#critical-incidents")))
    assert await store.look(lambda tx: tx.standing("board:1")) is None
    assert await store.look(lambda tx: tx.standing("board:2")) is None

    with Session(database.engine) as session, session.begin():
        session.execute(update(MessageRow).values(sent_channel="C0CRITICAL", ts="1.000001"))

    assert await store.look(lambda tx: tx.standing("board:1")) == ("C0CRITICAL", "1.000001")
