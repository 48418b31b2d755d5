"""What an engine's connections promise on PostgreSQL."""

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, event, text
from sqlalchemy.exc import DBAPIError

from bot.adapters.database import engine as engines
from bot.adapters.database.engine import Database
from bot.adapters.database.engine import database_url as parsed
from tests.postgres import PostgresServer

#: Longer than the frozen session may idle, as long as anybody's patience.
GIVE_UP_SECONDS = 60


@pytest.fixture
def url(postgres_server: PostgresServer) -> Iterator[str]:
    """A PostgreSQL database with one row."""
    url = postgres_server.create_database()
    database = Database(parsed(url))
    with database.engine.begin() as connection:
        connection.execute(text("CREATE TABLE thing (owner text)"))
        connection.execute(text("INSERT INTO thing VALUES ('nobody')"))
    database.close()
    yield url
    postgres_server.drop_database(url)


def take(engine: Engine, who: str) -> None:
    """Make the row somebody's; gives up in the end on somebody else's lock."""
    with engine.begin() as connection:
        connection.execute(text(f"SET LOCAL lock_timeout = '{GIVE_UP_SECONDS}s'"))
        connection.execute(text("UPDATE thing SET owner = :who"), {"who": who})


async def test_who_stops_in_the_middle_of_a_transaction_does_not_keep_its_locks(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    frozen, other = Database(parsed(url)), Database(parsed(url))
    locked, thawed = threading.Event(), threading.Event()

    def freeze_in_the_middle(engine: Engine) -> None:
        with engine.begin() as connection:
            connection.execute(text("UPDATE thing SET owner = 'the frozen one'"))
            locked.set()
            thawed.wait()

    # Nobody else's session: theirs might be kept waiting by the machine.
    with monkeypatch.context() as short:
        short.setattr(engines, "IDLE_IN_TRANSACTION_SECONDS", 1)
        freezing = asyncio.create_task(frozen.write(freeze_in_the_middle))
        assert await asyncio.to_thread(locked.wait, GIVE_UP_SECONDS)
    try:
        await other.write(lambda engine: take(engine, "the other"))
    finally:
        thawed.set()

    with pytest.raises(DBAPIError) as refused:
        await freezing
    assert refused.value.connection_invalidated
    # The pool has noticed: the next transaction gets a connection that works.
    await frozen.write(lambda engine: take(engine, "the thawed one"))
    with other.engine.connect() as connection:
        assert connection.execute(text("SELECT owner FROM thing")).scalars().all() == ["the thawed one"]
    frozen.close()
    other.close()


@pytest.mark.parametrize(("said", "seconds"), [("", "2"), ("?connect_timeout=60", "60")])
def test_the_url_may_say_how_long_a_connection_may_take(said: str, seconds: str) -> None:
    database = Database(parsed(f"postgresql://nobody@127.0.0.1:9/nothing{said}"))
    given: dict[str, Any] = {}

    @event.listens_for(database.engine, "do_connect")
    def note(_dialect: Any, _record: Any, _arguments: Any, options: dict[str, Any]) -> None:
        given.update(options)
        raise LookupError("that was enough")

    with pytest.raises(LookupError):
        database.engine.connect()

    assert str(given["connect_timeout"]) == seconds
    database.close()
