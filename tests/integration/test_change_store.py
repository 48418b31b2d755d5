"""What a store promises about changes: kept whole, one running per target, whoever asks at once."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from bot.adapters.database.engine import Database
from bot.adapters.database.engine import database_url as parsed
from bot.adapters.database.migrate import migrate
from bot.adapters.database.store import SqlStore
from bot.domain.change import RUNNING_CHANGE, Change, ChangeKind, ChangePlan, ChangeState
from bot.domain.change_plan import make_change_plan
from bot.domain.ids import ChangeId, IncidentNumber
from bot.domain.resources import Resources
from bot.usecases.ports import NotKept, Store, TargetBusy, Transaction
from tests.fakes import FakeStore
from tests.postgres import PostgresServer
from tests.values import (
    CHAT_TARGET,
    NOON,
    SENA,
    a_change,
    a_decided_rollback,
    a_state,
    a_target,
    an_incident,
    seconds,
)


@pytest_asyncio.fixture(loop_scope="session")
async def database(database_url: str) -> AsyncIterator[SqlStore]:
    """A store on a migrated database, for what only a database can race for."""
    made = Database(parsed(database_url))
    await asyncio.to_thread(migrate, made.engine)
    yield SqlStore(made, lambda *_: None)
    made.close()


@pytest_asyncio.fixture(params=["fake", "sqlite", "postgresql"], loop_scope="session")
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    """The fake, and a store on each database."""
    if request.param == "fake":
        yield FakeStore()
        return
    server: PostgresServer | None = None
    url = f"sqlite:///{tmp_path / 'backout.db'}"
    if request.param == "postgresql":
        server = request.getfixturevalue("postgres_server")
        url = server.create_database()
    made = Database(parsed(url))
    await asyncio.to_thread(migrate, made.engine)
    yield SqlStore(made, lambda *_: None)
    made.close()
    if server is not None:
        server.drop_database(url)


async def keep(store: Store, *changes: Change) -> None:
    def add(tx: Transaction) -> None:
        for change in changes:
            tx.add_change(change)

    await store.change(add)


def alone(id: str = "cafe", **more: Any) -> Change:
    """Return a change that belongs to no incident."""
    return a_change(id=ChangeId(id), **({"incident": None} | more))


def a_full_change(kind: ChangeKind) -> Change:
    change = (
        alone(kind=kind)
        if kind is ChangeKind.REDUCE_TRAFFIC
        else replace(a_change(kind), incident=None, resources=Resources(memory_mib=1024, max_instances=7))
    )
    plan = make_change_plan(a_target(), a_state(), change)
    assert isinstance(plan, ChangePlan)
    return replace(
        change, plan=plan, state=ChangeState.DONE, decided_by=SENA, requested_at=NOON,
        applied_at=NOON + seconds(1), settled_at=NOON + seconds(2), ended_at=NOON + seconds(2),
        problem="slow", writes=2,
    )  # fmt: skip


@pytest.mark.parametrize("kind", ChangeKind)
async def test_a_change_comes_back_as_it_was_stored(store: Store, kind: ChangeKind) -> None:
    full = a_full_change(kind)

    await keep(store, full)

    assert await store.look(lambda tx: tx.change(full.id)) == full


async def test_a_change_that_was_never_stored_is_not_kept(store: Store) -> None:
    with pytest.raises(NotKept):
        await store.look(lambda tx: tx.change(ChangeId("nope")))


async def test_one_change_runs_on_a_target_and_another_may_on_another(store: Store) -> None:
    running = {"state": ChangeState.REQUESTED, "requested_at": NOON}
    await keep(store, alone("a", **running), alone("b"), alone("c", target=CHAT_TARGET, **running))

    with pytest.raises(TargetBusy):
        await store.change(lambda tx: tx.save_change(alone("b", **running)))

    found = await store.look(lambda tx: tx.running_change(CHAT_TARGET))
    assert found is not None
    assert found.id == "c"


@pytest.mark.parametrize("state", ChangeState)
async def test_a_change_holds_its_target_while_it_runs_and_no_longer(
    store: Store, state: ChangeState
) -> None:
    change = alone(state=state)
    await keep(store, change)

    holder = await store.look(lambda tx: tx.running_change(change.target))

    assert (holder is not None) == (state in RUNNING_CHANGE)


async def test_a_rollback_may_run_beside_a_change(store: Store) -> None:
    change = alone(state=ChangeState.APPLIED)
    await keep(store, change)

    await store.change(lambda tx: tx.add_rollback(a_decided_rollback(incident=None)))

    assert await store.look(lambda tx: tx.running_rollback(change.target)) is not None


async def test_an_incidents_changes_come_in_order(store: Store) -> None:
    incident = await store.change(lambda tx: tx.add_incident(an_incident(number=IncidentNumber(0))))
    later = alone("b", incident=incident.number, asked_at=NOON + seconds(5))
    await keep(store, later, alone("a", incident=incident.number), alone("c"))

    found = await store.look(lambda tx: tx.changes_of(incident.number))

    assert [change.id for change in found] == ["a", "b"]


async def test_of_many_who_start_one_at_once_a_single_one_does(database: SqlStore) -> None:
    ids = [f"change-{n}" for n in range(6)]
    await keep(database, *(alone(id) for id in ids))

    def start(id: str, tx: Transaction) -> bool:
        change = tx.change(ChangeId(id))
        if tx.running_change(change.target) is not None:
            return False
        tx.save_change(replace(change, state=ChangeState.REQUESTED, requested_at=NOON))
        return True

    started = await asyncio.gather(
        *(database.change(lambda tx, id=id: start(id, tx)) for id in ids)  # type: ignore[misc]
    )

    assert sorted(started) == [False] * 5 + [True]
