"""Engines: SQLite with one writer and full flushes, or PostgreSQL; nobody else knows the difference."""

import asyncio
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from sqlalchemy import Engine, create_engine, event, make_url
from sqlalchemy.engine import URL

T = TypeVar("T")

#: How long a SQLite writer waits for another process's transaction, milliseconds.
BUSY_TIMEOUT_MS = 30_000
#: How long a connection to PostgreSQL may take, and how long one may stay silent; seconds. What the URL says
#: of ``connect_timeout`` or ``tcp_user_timeout`` goes before.
CONNECT_SECONDS = 2
#: PostgreSQL ends a session that idles this long inside a transaction. A process that was stopped there (a
#: frozen container) holds locks that everybody else waits for; ours take milliseconds.
IDLE_IN_TRANSACTION_SECONDS = 10
#: Connections of one process to PostgreSQL, besides the workflow engine's own.
POOL_SIZE = 5


def database_url(written: str) -> URL:
    """Return the URL with our drivers: sqlite3, or psycopg 3 for ``postgres://`` and ``postgresql://``.

    Raises:
        ValueError: neither SQLite nor PostgreSQL; the sentence says what to write.
    """
    try:
        url = make_url(written)
    except Exception as error:
        raise ValueError(_WRITE_INSTEAD) from error
    if url.drivername in ("postgres", "postgresql", "postgresql+psycopg"):
        return url.set(drivername="postgresql+psycopg")
    if url.drivername == "sqlite" and url.database and url.database != ":memory:":
        return url
    raise ValueError(_WRITE_INSTEAD)


_WRITE_INSTEAD = "write sqlite:///backout.db or postgresql://user:password@host/database"


class Database:
    """One database and the threads that talk to it.

    SQLite gets one writing thread, whose transactions begin IMMEDIATE: a read followed by a write
    in a deferred transaction fails with SQLITE_BUSY whatever the time-out, and competing writers
    starve each other (reference/performance.md, rows 7 and 8). Readers have threads of their own.
    """

    def __init__(self, url: URL) -> None:
        self.url = url
        self.is_sqlite = url.drivername == "sqlite"
        self.engine = _sqlite(url, begin="BEGIN IMMEDIATE") if self.is_sqlite else _postgres(url)
        # Who looks sees one moment of it all, as a reader of SQLite does anyway.
        self._reading_engine = (
            _sqlite(url, begin="BEGIN")
            if self.is_sqlite
            else self.engine.execution_options(isolation_level="REPEATABLE READ")
        )
        writers = 1 if self.is_sqlite else POOL_SIZE
        self._writers = ThreadPoolExecutor(writers, thread_name_prefix="database-writer")
        self._readers = ThreadPoolExecutor(2, thread_name_prefix="database-reader")

    async def write(self, work: Callable[[Engine], T]) -> T:
        """Run `work` in a writing thread."""
        return await asyncio.get_running_loop().run_in_executor(self._writers, work, self.engine)

    async def read(self, work: Callable[[Engine], T]) -> T:
        """Run `work` in a reading thread."""
        return await asyncio.get_running_loop().run_in_executor(self._readers, work, self._reading_engine)

    def close(self) -> None:
        """Finish what runs, then close all connections."""
        self._writers.shutdown()
        self._readers.shutdown()
        self.engine.dispose()
        self._reading_engine.dispose()


def _postgres(url: URL) -> Engine:
    # Somebody waits for the answer, and Slack for 3 s: a server behind a black hole counts as down.
    waits = {"connect_timeout": CONNECT_SECONDS, "tcp_user_timeout": CONNECT_SECONDS * 1000}
    engine = create_engine(
        url,
        pool_size=POOL_SIZE,
        max_overflow=2,
        pool_pre_ping=True,
        pool_timeout=10,
        connect_args={name: wait for name, wait in waits.items() if name not in url.query},
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        # Not among the connection's options: poolers in between refuse those.
        connection.execute(f"SET idle_in_transaction_session_timeout = {IDLE_IN_TRANSACTION_SECONDS * 1000}")
        connection.commit()

    return engine


def _sqlite(url: URL, *, begin: str) -> Engine:
    engine = create_engine(url)

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        # The driver's own transaction handling begins too late; we send BEGIN ourselves.
        connection.isolation_level = None
        connection.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
        _keep_a_write_ahead_log(connection)
        # NORMAL does not flush on commit, so it would be no promise.
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")

    @event.listens_for(engine, "begin")
    def begin_transaction(connection: Any) -> None:
        connection.exec_driver_sql(begin)

    return engine


def _keep_a_write_ahead_log(connection: Any) -> None:
    # The one switch that does not wait for another process's lock, whatever the busy time-out: two
    # that open a new file together meet here, and the second is told "locked" at once.
    deadline = time.monotonic() + BUSY_TIMEOUT_MS / 1000
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
        time.sleep(0.01)
