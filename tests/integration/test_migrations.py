"""Migrations build exactly the models, forwards and backwards, on both databases; all of them or nothing."""

import multiprocessing
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import Any

import alembic.op
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, inspect, text

from bot.adapters.database.engine import Database
from bot.adapters.database.engine import database_url as parsed
from bot.adapters.database.migrate import UnknownVersion, is_current, migrate
from bot.adapters.database.tables import Base
from bot.adapters.durable import Durable

OUR_TABLES = frozenset(Base.metadata.tables)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """An empty database."""
    made = Database(parsed(database_url))
    yield made
    made.close()


@pytest.fixture
def engine(database: Database) -> Engine:
    """Its writing engine."""
    return database.engine


def tables(engine: Engine) -> set[str]:
    """Return the names of all tables, whoever made them."""
    with engine.connect() as connection:
        inspector = inspect(connection)
        names = {
            name for schema in inspector.get_schema_names() for name in inspector.get_table_names(schema)
        }
    return {name for name in names if not name.startswith(("pg_", "sql_", "sqlite_"))}


def shape(engine: Engine) -> dict[str, Any]:
    """Return our tables with columns, indexes and triggers, to be compared."""
    with engine.connect() as connection:
        inspector = inspect(connection)
        where = "name FROM sqlite_master" if engine.dialect.name == "sqlite" else "tgname FROM pg_trigger"
        triggers = connection.execute(text(f"SELECT {where}")).scalars()
        return {
            "triggers": sorted(name for name in triggers if name.startswith("timeline_entry_keep")),
            **{
                table: (
                    [(c["name"], str(c["type"]), c["nullable"]) for c in inspector.get_columns(table)],
                    sorted(str(i["name"]) for i in inspector.get_indexes(table)),
                )
                for table in sorted(OUR_TABLES & set(inspector.get_table_names()))
            },
        }


def differences(engine: Engine) -> list[Any]:
    """Return what Alembic would still have to change, the workflow engine's own tables left aside."""
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "compare_type": True,
                "include_name": lambda name, kind, _: kind != "table" or name in OUR_TABLES,
            },
        )
        return list(compare_metadata(context, Base.metadata))


def test_migrations_build_exactly_the_models(database: Database) -> None:
    migrate(database.engine)
    Durable(database).migrate()

    assert differences(database.engine) == []
    assert is_current(database.engine)


def test_up_down_and_up_again_is_the_same_as_up(engine: Engine) -> None:
    migrate(engine)
    first = shape(engine)

    migrate(engine, to="base")
    nothing = tables(engine) & OUR_TABLES
    migrate(engine)

    assert nothing == set()
    assert shape(engine) == first
    assert first["triggers"]


def test_migrating_twice_changes_nothing(engine: Engine) -> None:
    migrate(engine)
    first = shape(engine)

    migrate(engine)

    assert shape(engine) == first


def test_what_is_kept_stays_when_it_is_migrated_again(engine: Engine) -> None:
    migrate(engine)
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO replica (id, expires_ms) VALUES ('me', 1)"))

    migrate(engine)

    with engine.connect() as connection:
        assert connection.execute(text("SELECT id FROM replica")).scalars().all() == ["me"]


def test_the_workflow_engines_tables_are_left_alone(database: Database) -> None:
    migrate(database.engine)
    Durable(database).migrate()
    before = tables(database.engine) - OUR_TABLES

    migrate(database.engine, to="base")
    migrate(database.engine)

    assert "workflow_status" in before
    assert tables(database.engine) - OUR_TABLES == before


def test_the_workflow_engine_may_migrate_first(database: Database) -> None:
    Durable(database).migrate()
    migrate(database.engine)
    Durable(database).migrate()

    assert differences(database.engine) == []


class Broken(Exception):
    """Something went wrong half way."""


@pytest.mark.parametrize("made_first", [1, 4, len(OUR_TABLES) - 1])
def test_a_migration_that_fails_half_way_leaves_nothing_behind(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, made_first: int
) -> None:
    create, made = alembic.op.create_table, count()

    def create_a_few(*arguments: Any, **more: Any) -> Any:
        if next(made) == made_first:
            raise Broken
        return create(*arguments, **more)

    monkeypatch.setattr(alembic.op, "create_table", create_a_few)
    with pytest.raises(Broken):
        migrate(engine)
    left = tables(engine)
    monkeypatch.undo()
    migrate(engine)

    assert left == set()
    assert differences(engine) == []


def test_going_back_half_way_leaves_everything(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    migrate(engine)
    first = shape(engine)

    def refuse(*_: Any, **__: Any) -> None:
        raise Broken

    monkeypatch.setattr(alembic.op, "drop_table", refuse)
    with pytest.raises(Broken):
        migrate(engine, to="base")

    assert shape(engine) == first


def test_a_database_of_a_newer_release_is_refused_in_one_clear_sentence(engine: Engine) -> None:
    migrate(engine)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(UnknownVersion, match=r"version 9999.*does not know.*start the newer release") as told:
        migrate(engine)

    assert "\n" not in str(told.value)
    assert not is_current(engine)


def _migrate_in_a_process(url: str, at: Any, failed: Any) -> None:
    database = Database(parsed(url))
    at.wait()
    try:
        migrate(database.engine)
        Durable(database).migrate()
    except BaseException as error:
        failed.put(repr(error))
        raise
    finally:
        database.close()


def test_a_new_file_may_be_opened_by_many_at_the_same_instant(tmp_path: Path) -> None:
    def open_it(url: str, at: threading.Barrier) -> str:
        database = Database(parsed(url))
        at.wait()
        try:
            with database.engine.begin() as connection:
                return str(connection.exec_driver_sql("PRAGMA journal_mode").scalar())
        finally:
            database.close()

    with ThreadPoolExecutor(4) as pool:
        for n in range(25):
            at = threading.Barrier(4)
            opened = [pool.submit(open_it, f"sqlite:///{tmp_path}/{n}.db", at) for _ in range(4)]
            assert [each.result() for each in opened] == ["wal"] * 4


def test_two_processes_may_migrate_at_once(database: Database, database_url: str) -> None:
    spawn = multiprocessing.get_context("spawn")
    at, failed = spawn.Barrier(2), spawn.Queue()
    both = [spawn.Process(target=_migrate_in_a_process, args=(database_url, at, failed)) for _ in range(2)]

    for process in both:
        process.start()
    for process in both:
        process.join(180)

    assert [process.exitcode for process in both] == [0, 0]
    assert differences(database.engine) == []
    assert "workflow_status" in tables(database.engine)
