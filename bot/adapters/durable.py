"""Durable workflows on DBOS Transact: the one file that knows the engine.

Our rows and the workflow they ask for are written in one transaction, under an id that is the
idempotency key. What DBOS leaves to a paid service, taking over from a replica that died, is done
here with a lease and a sweep (reference/durable-work.md, sections 3 and 10).
"""

import asyncio
import fcntl
import os
import secrets
import socket
import threading
import time
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, Any, TypeVar

import structlog
from dbos import DBOS, DBOSClient, DBOSConfig, DBOSPortableJSONSerializer
from pydantic import TypeAdapter
from sqlalchemy import BigInteger, Engine, ExceptionContext, cast, delete, event, func, select
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from bot.adapters.database.engine import IDLE_IN_TRANSACTION_SECONDS, Database
from bot.adapters.database.tables import ReplicaRow
from bot.usecases.ports import Steps, StoreDown, Workflow

T = TypeVar("T")
log = structlog.get_logger()

#: A workflow of ours: its thread and its arguments.
Run = Callable[[Steps, Mapping[str, str]], Awaitable[None]]
#: Told when a workflow breaks off with an error nobody foresaw: workflow, arguments, reference.
Broken = Callable[[Workflow, Mapping[str, str], str], Awaitable[None]]

APPLICATION = "backout"
#: Constant, so that a new release goes on with what the old one began; incompatible edits use
#: `DBOS.patch`. The default, a hash of the source, would strand work at every deployment.
APPLICATION_VERSION = "1"
WORK_QUEUE, POST_QUEUE = "work", "post"
#: How often a queue is looked at, seconds. A person waits for the first, Slack's limits for the second.
WORK_POLL_SECONDS, POST_POLL_SECONDS = 0.1, 0.15
#: A worker that has not renewed its lease for this long is taken to be dead.
LEASE_SECONDS = 15.0
#: How often leases are renewed and orphans looked for.
SWEEP_SECONDS = LEASE_SECONDS / 3
#: A workflow that died this often stays down and is reported, instead of killing worker after worker.
MOST_RECOVERIES = 10
STORE_RETRY_SECONDS = 1.0
#: Whoever looks whether there is a worker holds its lock for an instant; a starting worker tries again.
LOCK_TRIES, LOCK_PAUSE_SECONDS = 20, 0.01


class AlreadyWorking(Exception):
    """Another process is the worker of this SQLite file."""


class Durable:
    """Starts workflows from any process; runs them in the one that has launched."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._url = database.url.render_as_string(hide_password=False)
        self._client: DBOSClient | None = None
        self._executor = "local" if database.is_sqlite else f"{socket.gethostname()}-{secrets.token_hex(8)}"
        self._lock: IO[str] | None = None
        self._sweeping: asyncio.Task[None] | None = None
        #: Held while the lease is written: a renewal that is under way must not outlive its end.
        self._leasing = threading.Lock()
        self._running: set[asyncio.Task[Any]] = set()
        self._stopping = False

    def migrate(self) -> None:
        """Bring the engine's own tables up to date."""
        DBOS.migrate(self._url)

    def start(
        self, session: Session, workflow: Workflow, id: str, arguments: dict[str, str], lane: str | None
    ) -> None:
        """Start a workflow when `session` commits; an id that was used before starts nothing.

        Workflows of one `lane` run one after another, in the order of their ids.
        """
        options: dict[str, Any] = {
            "workflow_name": workflow.value,
            "workflow_id": id,
            "queue_name": POST_QUEUE if lane else WORK_QUEUE,
            "app_version": APPLICATION_VERSION,
        }
        if lane:
            options["queue_partition_key"] = lane
        self._sender().enqueue_in_transaction(session, options, arguments)  # type: ignore[arg-type]

    def _sender(self) -> DBOSClient:
        if self._client is None:
            self._client = DBOSClient(
                system_database_url=self._url,
                serializer=DBOSPortableJSONSerializer(),
                application_name=APPLICATION,
                lazy=True,
                retry_connection_errors=False,
            )
        return self._client

    async def launch(self, runs: Mapping[Workflow, Run], *, broken: Broken) -> None:
        """Become a worker: take up what was left unfinished, then whatever comes.

        Must be awaited in the event loop that the workflows are to run on.

        Raises:
            AlreadyWorking: on SQLite, another process is the worker.
        """
        if self._database.is_sqlite:
            self._lock = _lock_file(Path(f"{self._database.url.database}.worker"))
        DBOS(config=self._config())
        for workflow, run in runs.items():
            self._register(workflow, run, broken)
        if not self._database.is_sqlite:
            await self._database.write(self._renew_lease)
        DBOS.launch()
        await DBOS.register_queue_async(WORK_QUEUE, polling_interval_sec=WORK_POLL_SECONDS)
        await DBOS.register_queue_async(
            POST_QUEUE, polling_interval_sec=POST_POLL_SECONDS, partition_concurrency=1
        )
        if not self._database.is_sqlite:
            self._sweeping = asyncio.create_task(self._sweep_for_ever())

    def _config(self) -> DBOSConfig:
        return DBOSConfig(
            name=APPLICATION,
            system_database_url=self._url,
            application_version=APPLICATION_VERSION,
            executor_id=self._executor,
            sys_db_idle_transaction_timeout_sec=IDLE_IN_TRANSACTION_SECONDS,
            serializer=DBOSPortableJSONSerializer(),
            notification_listener_polling_interval_sec=0.2,
            console_log_level="ERROR",
            log_level="ERROR",
            run_migrations=False,
        )

    async def shutdown(self) -> None:
        """Stop taking work; what is running breaks off and is taken up again by the next worker."""
        self._stopping = True
        if self._sweeping:
            self._sweeping.cancel()
        # The engine takes its threads away under running workflows, and they would see errors.
        running = list(self._running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await asyncio.to_thread(DBOS.destroy)
        # It had made its own threads the loop's default ones, and took them away just now.
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor())
        if not self._database.is_sqlite:
            await self._database.write(self._end_lease)
        self.close()

    def close(self) -> None:
        """Let go of connections and of the worker's lock."""
        if self._client is not None:
            self._client.destroy()
        if self._lock is not None:
            self._lock.close()

    async def refuse_a_second(self) -> None:
        """Raise `AlreadyWorking` when this would be a second worker of a SQLite file."""
        if self._database.is_sqlite:
            _lock_file(Path(f"{self._database.url.database}.worker")).close()

    async def workers_alive(self) -> bool:
        """True when some process is running workflows on this database."""
        return await self.count_workers() > 0

    async def count_workers(self) -> int:
        """Return how many processes run workflows on this database."""
        if self._database.is_sqlite:
            return int(_is_locked(Path(f"{self._database.url.database}.worker")))
        return len(await self._database.read(_live_replicas))

    async def _sweep_for_ever(self) -> None:
        """Renew our lease and take over from the dead, until cancelled.

        Level-triggered: every round compares all owners of running work with all live leases, so
        a round that was missed costs time and nothing else.
        """
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            try:
                await self._database.write(self._renew_lease)
                await self._take_over()
            except Exception:
                log.exception("sweep_failed")

    async def _take_over(self) -> None:
        # Owners first, leases second: whoever begins to work in between has a lease by then.
        pending = await DBOS.list_workflows_async(status="PENDING", load_input=False, load_output=False)
        live = await self._database.read(_live_replicas)
        dead = {w.executor_id for w in pending if w.executor_id} - live
        if dead:
            log.warning("taking_over", replicas=sorted(dead))
            await asyncio.to_thread(DBOS._recover_pending_workflows, sorted(dead))

    def _register(self, workflow: Workflow, run: Run, broken: Broken) -> None:
        async def wrapped(arguments: dict[str, str]) -> None:
            task = asyncio.current_task()
            if self._stopping or task is None:
                raise asyncio.CancelledError
            self._running.add(task)
            try:
                await run(_DbosSteps(), arguments)
            except Exception:
                reference = secrets.token_hex(4)
                log.exception("workflow_broken", workflow=workflow.value, reference=reference, **arguments)
                await _once_the_database_is_back(lambda: broken(workflow, arguments, reference))
                raise
            finally:
                self._running.discard(task)

        wrapped.__qualname__ = f"workflow_{workflow.value}"
        DBOS.workflow(name=workflow.value, max_recovery_attempts=MOST_RECOVERIES)(wrapped)

    def _renew_lease(self, engine: Engine) -> None:
        """Renew our lease by the database's clock."""
        expires = _now_ms() + int(LEASE_SECONDS * 1000)
        with self._leasing:
            if self._stopping:
                return
            with engine.begin() as connection:
                mine = postgresql.insert(ReplicaRow).values(id=self._executor, expires_ms=expires)
                connection.execute(
                    mine.on_conflict_do_update(index_elements=["id"], set_={"expires_ms": expires})
                )

    def _end_lease(self, engine: Engine) -> None:
        with self._leasing, engine.begin() as connection:
            connection.execute(delete(ReplicaRow).where(ReplicaRow.id == self._executor))


@event.listens_for(Engine, "handle_error")
def _no_connection_is_a_lost_one(context: ExceptionContext) -> None:
    """Let the engine wait for a database that cannot be reached, whatever the driver calls that.

    Where a socket file is missing psycopg says "connection is bad" and not "connection failed", and
    the engine would give up: the workflow would break, or never start.
    """
    if context.connection is None and isinstance(context.sqlalchemy_exception, OperationalError):
        context.is_disconnect = True


def _now_ms() -> Any:
    return cast(func.extract("epoch", func.clock_timestamp()) * 1000, BigInteger)


def _live_replicas(engine: Engine) -> frozenset[str]:
    with engine.connect() as connection:
        return frozenset(connection.scalars(select(ReplicaRow.id).where(ReplicaRow.expires_ms > _now_ms())))


def _lock_file(path: Path) -> IO[str]:
    """Return the worker's lock, held until closed. Raises `AlreadyWorking`."""
    handle = path.open("a")
    for tries_left in reversed(range(LOCK_TRIES)):
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except OSError as error:
            if not tries_left:
                handle.close()
                raise AlreadyWorking(f"another process is the worker ({path} is locked)") from error
            time.sleep(LOCK_PAUSE_SECONDS)
    handle.truncate(0)
    handle.write(str(os.getpid()))
    handle.flush()
    return handle


def _is_locked(path: Path) -> bool:
    """True when a worker holds the lock. A shared lock for a moment: two who look do not see each other."""
    with path.open("a") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
    return False


class _DbosSteps(Steps):
    """A workflow's steps, remembered by DBOS."""

    async def step(self, name: str, action: Callable[[], Awaitable[T]], *, into: type[T]) -> T:
        """See `Steps.step`."""
        adapter: TypeAdapter[T] = TypeAdapter(into)

        async def run() -> Any:
            return adapter.dump_python(await _once_the_database_is_back(action), mode="json")

        return adapter.validate_python(await DBOS.run_step_async({"name": name}, run))

    async def sleep(self, seconds: float) -> None:
        """See `Steps.sleep`."""
        await DBOS.sleep_async(seconds)


async def _once_the_database_is_back(action: Callable[[], Awaitable[T]]) -> T:
    """Nothing may be done that could not be recorded, so a step waits for its database."""
    while True:
        try:
            return await action()
        except (StoreDown, OperationalError, PoolTimeout) as error:
            log.error("waiting_for_database", why=str(error)[:300])
            await asyncio.sleep(STORE_RETRY_SECONDS)
