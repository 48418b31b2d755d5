"""The databases that the other tests stand on."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import psutil
import pytest
from sqlalchemy import Engine, create_engine, inspect, make_url, text
from sqlalchemy.exc import OperationalError

from tests.postgres import PostgresServer, running_postgres

_CHECKOUT = Path(__file__).parents[2]


def _ask(url: str, question: str) -> object:
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            return connection.scalar(text(question))
    finally:
        engine.dispose()


def _two_engines(url: str) -> tuple[Engine, Engine]:
    return create_engine(url), create_engine(url)


def test_a_database_is_empty_and_takes_tables(database_url: str) -> None:
    engine = create_engine(database_url)

    with engine.begin() as connection:
        before = inspect(connection).get_table_names()
        connection.execute(text("CREATE TABLE notes (id INTEGER PRIMARY KEY)"))

    assert before == []
    assert inspect(engine).get_table_names() == ["notes"]
    engine.dispose()


def test_the_url_says_which_kind_of_database_it_is(database_url: str, request: pytest.FixtureRequest) -> None:
    backend = make_url(database_url).get_backend_name()

    assert f"[{backend}]" in request.node.name


def test_the_server_is_a_real_postgresql(postgres_server: PostgresServer) -> None:
    version = _ask(postgres_server.create_database(), "SHOW server_version_num")

    assert int(str(version)) >= 180000


def test_durability_is_off_so_nothing_is_proven_about_power_cuts(postgres_server: PostgresServer) -> None:
    assert _ask(postgres_server.create_database(), "SHOW fsync") == "off"


def test_the_server_listens_on_no_network_address(postgres_server: PostgresServer) -> None:
    assert _ask(postgres_server.create_database(), "SHOW listen_addresses") == ""


def test_two_connections_see_each_others_commits_and_nothing_sooner(
    postgres_server: PostgresServer,
) -> None:
    first, second = _two_engines(postgres_server.create_database())
    with first.begin() as connection:
        connection.execute(text("CREATE TABLE clicks (id INTEGER)"))
    count = text("SELECT count(*) FROM clicks")

    with first.connect() as writer, second.connect() as reader:
        writer.execute(text("INSERT INTO clicks VALUES (1)"))
        before = reader.scalar(count)
        writer.commit()
        after = reader.scalar(count)

    assert (before, after) == (0, 1)
    first.dispose()
    second.dispose()


def test_a_copy_starts_with_what_its_template_held(postgres_server: PostgresServer) -> None:
    template = postgres_server.create_database()
    engine = create_engine(template)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE steps AS SELECT 7 AS id"))
    engine.dispose()

    copy = postgres_server.create_database(copy_of=template)

    assert _ask(copy, "SELECT id FROM steps") == 7


def test_a_dropped_database_is_gone_even_while_somebody_is_connected(
    postgres_server: PostgresServer,
) -> None:
    url = postgres_server.create_database()
    engine = create_engine(url)
    with engine.connect() as connection:
        postgres_server.drop_database(url)

        with pytest.raises(OperationalError):
            connection.execute(text("SELECT 1"))

    engine.dispose()
    with pytest.raises(OperationalError, match="does not exist"):
        _ask(url, "SELECT 1")


def test_a_server_leaves_no_process_and_no_file_behind() -> None:
    with running_postgres() as server:
        url = server.create_database()
        directory = Path(str(make_url(url).query["host"]))
        postmaster = psutil.Process(int((directory / "data" / "postmaster.pid").read_text().split()[0]))

    assert not postmaster.is_running()
    assert not directory.exists()


def test_a_server_ends_with_the_process_that_started_it_even_after_a_kill() -> None:
    program = """
        import time
        from tests.postgres import running_postgres
        with running_postgres() as server:
            print(server.create_database(), flush=True)
            time.sleep(60)
    """
    with subprocess.Popen(
        (sys.executable, "-c", textwrap.dedent(program)), cwd=_CHECKOUT, stdout=subprocess.PIPE, text=True
    ) as tests:
        assert tests.stdout is not None
        url = make_url(tests.stdout.readline().strip())
        os.kill(tests.pid, signal.SIGKILL)
    directory = Path(str(url.query["host"]))

    give_up = time.monotonic() + 60
    while directory.exists() and time.monotonic() < give_up:
        time.sleep(0.02)

    assert not directory.exists()
