"""Durable work on both databases: what was started is done, by whoever is there to do it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError

from bot.adapters import durable as durable_file
from bot.adapters.database.engine import Database
from bot.adapters.database.engine import database_url as parsed
from bot.adapters.database.migrate import migrate
from bot.adapters.database.store import SqlStore
from bot.adapters.durable import AlreadyWorking, Durable
from bot.usecases.ports import Steps, StoreDown, Transaction, Workflow
from tests.journeys.world import until
from tests.values import NOON


@pytest.fixture(autouse=True)
def _quick_sweeps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(durable_file, "SWEEP_SECONDS", 0.2)


@pytest_asyncio.fixture(loop_scope="session")
async def database(database_url: str) -> AsyncIterator[Database]:
    """A migrated database, the engine's tables included."""
    made = Database(parsed(database_url))
    await asyncio.to_thread(migrate, made.engine)
    await asyncio.to_thread(Durable(made).migrate)
    yield made
    made.close()


@dataclass
class Worker:
    """A worker of this process, with what happened in it."""

    durable: Durable
    store: SqlStore
    did: list[str] = field(default_factory=list)
    broke: list[tuple[Workflow, Mapping[str, str]]] = field(default_factory=list)

    async def saw(self, *wanted: str) -> None:
        """Wait until everything `wanted` was done."""
        await until(lambda: set(wanted) <= set(self.did), what=f"{wanted}")


Work = Callable[[Worker, Steps, Mapping[str, str]], Awaitable[None]]


@contextlib.asynccontextmanager
async def working(database: Database, work: Work) -> AsyncIterator[Worker]:
    """Run `work` as every workflow while the block runs."""
    durable = Durable(database)
    worker = Worker(durable=durable, store=SqlStore(database, durable.start))

    async def broken(workflow: Workflow, arguments: Mapping[str, str], _: str) -> None:
        worker.broke.append((workflow, arguments))

    async def run(steps: Steps, arguments: Mapping[str, str]) -> None:
        await work(worker, steps, arguments)

    await durable.launch(dict.fromkeys(Workflow, run), broken=broken)
    try:
        yield worker
    finally:
        await durable.shutdown()
        # The engine makes its threads the loop's own, and takes them along when it goes.
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor())


async def note(worker: Worker, steps: Steps, arguments: Mapping[str, str]) -> None:
    """Write the workflow's name down, in a step."""

    async def write() -> str:
        worker.did.append(arguments["name"])
        return arguments["name"]

    await steps.step("note", write, into=str)


async def start(store: SqlStore, id: str, **arguments: str) -> None:
    await store.change(lambda tx: tx.start(Workflow.STATUS, id, **arguments))


async def test_what_is_started_with_a_transaction_is_done(database: Database) -> None:
    async with working(database, note) as worker:
        await start(worker.store, "1", name="one")
        await worker.saw("one")


async def test_the_same_id_again_starts_nothing(database: Database) -> None:
    async with working(database, note) as worker:
        for _ in range(5):
            await start(worker.store, "1", name="one")
        await start(worker.store, "2", name="two")
        await worker.saw("one", "two")

    assert worker.did.count("one") == 1


async def test_taking_evidence_that_hangs_holds_up_nothing_else(database: Database) -> None:
    for_ever = asyncio.Event()

    async def work(worker: Worker, steps: Steps, arguments: Mapping[str, str]) -> None:
        if arguments["name"].startswith("evidence"):
            worker.did.append(arguments["name"])
            await for_ever.wait()
        await note(worker, steps, arguments)

    async with working(database, work) as worker:

        def begin(tx: Transaction) -> None:
            for number in range(40):
                tx.start(Workflow.COLLECT, f"{number}:decision-1", name=f"evidence {number}")

        await worker.store.change(begin)
        await worker.saw(*(f"evidence {number}" for number in range(40)))
        await worker.store.change(lambda tx: tx.start(Workflow.ROLLBACK, "1", name="the rollback"))
        await worker.saw("the rollback")


async def test_of_ten_starts_at_once_one_is_done(database: Database) -> None:
    async with working(database, note) as worker:
        await asyncio.gather(*[start(worker.store, "1", name="one") for _ in range(10)])
        await worker.saw("one")
        await start(worker.store, "2", name="two")
        await worker.saw("two")

    assert worker.did == ["one", "two"]


async def test_a_transaction_that_failed_started_nothing(database: Database) -> None:
    def fail(tx: Transaction) -> None:
        tx.first_time("press:1", at=NOON)
        tx.start(Workflow.STATUS, "1", name="never")
        raise LookupError("broke off")

    async with working(database, note) as worker:
        with pytest.raises(LookupError):
            await worker.store.change(fail)
        await start(worker.store, "2", name="two")
        await worker.saw("two")

    with database.engine.connect() as connection:
        kept = connection.execute(text(_COUNT[database.is_sqlite])).scalar()
    assert worker.did == ["two"]
    assert kept == 1
    assert await worker.store.look(lambda tx: tx.first_time("press:1", at=NOON))


#: How many workflows the engine knows; on PostgreSQL its tables are in a schema of their own.
_COUNT = {
    True: "SELECT count(*) FROM workflow_status",
    False: "SELECT count(*) FROM dbos.workflow_status",
}


async def test_what_was_started_without_a_worker_waits_for_one(database: Database) -> None:
    asleep = Durable(database)
    await start(SqlStore(database, asleep.start), "1", name="one")
    asleep.close()

    async with working(database, note) as worker:
        await worker.saw("one")


async def test_messages_of_one_lane_go_one_after_another_in_the_order_of_their_ids(
    database: Database,
) -> None:
    at_once: list[int] = []

    async def slowly(worker: Worker, steps: Steps, arguments: Mapping[str, str]) -> None:
        at_once.append(len(at_once) - len(worker.did))
        await asyncio.sleep(0.02)
        worker.did.append(arguments["key"])

    async with working(database, slowly) as worker:

        def send(tx: Transaction) -> None:
            for number in range(6):
                worker.durable.start(
                    tx._session, Workflow.POST, f"post:{number:03d}", {"key": f"{number}"}, "C0OPERATIONS"  # type: ignore[attr-defined]
                )  # fmt: skip

        await worker.store.change(send)
        await worker.saw(*"012345")

    assert worker.did == list("012345")
    assert set(at_once) == {0}


async def test_a_step_that_was_recorded_is_not_done_again_after_the_restart(database: Database) -> None:
    async def two_steps(worker: Worker, steps: Steps, arguments: Mapping[str, str]) -> None:
        await note(worker, steps, arguments)
        if arguments["name"] not in recovered:
            recovered.add(arguments["name"])
            await asyncio.Event().wait()
        await steps.step("second", lambda: _did(worker, "second"), into=str)

    recovered: set[str] = set()
    async with working(database, two_steps) as first:
        await start(first.store, "1", name="one")
        await until(lambda: recovered, what="a first step that is recorded")
    async with working(database, two_steps) as second:
        await second.saw("second")

    assert first.did == ["one"]
    assert second.did == ["second"]


async def _did(worker: Worker, what: str) -> str:
    worker.did.append(what)
    return what


async def test_a_polite_stop_is_no_breakage_and_the_next_worker_goes_on(database: Database) -> None:
    limits = [10_000, 3]

    async def busy(worker: Worker, steps: Steps, arguments: Mapping[str, str]) -> None:
        for _ in range(limits[0]):
            await steps.step("tick", lambda: _did(worker, "tick"), into=str)
        worker.did.append(arguments["name"])

    async with working(database, busy) as first:
        for number in range(3):
            await start(first.store, f"{number}", name=f"busy {number}")
        await first.saw("tick")
    limits.pop(0)
    async with working(database, busy) as second:
        await second.saw("busy 0", "busy 1", "busy 2")

    assert first.broke == second.broke == []
    assert set(first.did) == {"tick"}


async def test_a_workflow_that_breaks_is_reported_once(database: Database) -> None:
    async def break_off(worker: Worker, steps: Steps, arguments: Mapping[str, str]) -> None:
        if arguments["name"] == "bad":
            raise RuntimeError("nobody foresaw this")
        await note(worker, steps, arguments)

    async with working(database, break_off) as worker:
        await start(worker.store, "1", name="bad")
        await start(worker.store, "2", name="good")
        await worker.saw("good")
        await until(lambda: worker.broke, what="the report")

    assert worker.broke == [(Workflow.STATUS, {"name": "bad"})]


async def test_a_step_waits_for_a_database_that_is_down(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(durable_file, "STORE_RETRY_SECONDS", 0.01)
    tries: list[int] = []

    async def stubborn(worker: Worker, steps: Steps, arguments: Mapping[str, str]) -> None:
        async def act() -> str:
            tries.append(1)
            if len(tries) < 4:
                raise StoreDown("connection refused")
            return await _did(worker, "done")

        await steps.step("act", act, into=str)

    async with working(database, stubborn) as worker:
        await start(worker.store, "1", name="one")
        await worker.saw("done")

    assert len(tries) == 4
    assert worker.broke == []


async def test_a_sleep_ends(database: Database) -> None:
    async def nap(worker: Worker, steps: Steps, arguments: Mapping[str, str]) -> None:
        await steps.sleep(0.05)
        worker.did.append("awake")

    async with working(database, nap) as worker:
        await start(worker.store, "1", name="one")
        await worker.saw("awake")


async def test_whether_a_worker_is_there_is_seen_from_outside(database: Database) -> None:
    outside = Durable(database)

    before = await outside.workers_alive()
    async with working(database, note) as worker:
        during = await outside.workers_alive()
    # A renewal that was under way when the worker stopped may come after its end.
    await database.write(worker.durable._renew_lease)
    after = await outside.workers_alive()

    assert (before, during, after) == (False, True, False)


async def test_a_sqlite_file_has_one_worker(tmp_path: Path) -> None:
    database = Database(parsed(f"sqlite:///{tmp_path / 'backout.db'}"))
    await asyncio.to_thread(migrate, database.engine)
    await asyncio.to_thread(Durable(database).migrate)

    async with working(database, note):
        with pytest.raises(AlreadyWorking, match="another process is the worker"):
            await Durable(database).launch({}, broken=_nobody)

    async with working(database, note) as next_one:
        await start(next_one.store, "1", name="one")
        await next_one.saw("one")
    database.close()


async def _nobody(*_: Any) -> None:
    raise AssertionError("nothing broke")


def test_a_database_without_a_socket_counts_as_one_to_wait_for(tmp_path: Path) -> None:
    nowhere = create_engine(f"postgresql+psycopg://nobody@/nothing?host={tmp_path}")

    with pytest.raises(OperationalError) as failed:
        nowhere.connect()

    # What the workflow engine's own retry goes by.
    assert failed.value.connection_invalidated
