"""What all tests share: databases, ports, how examples are tried, and who runs in one test process."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from socket import socket

import pytest
from _pytest.fixtures import FixtureDef
from hypothesis import HealthCheck, settings

from tests.postgres import PostgresServer, running_postgres

# The gate tries the same examples each time; with BACKOUT_FUZZ=1 others, to look for what nobody thought of.
# How long one takes says how busy the machine is, and nothing about the code.
settings.register_profile(
    "steady",
    derandomize=not os.environ.get("BACKOUT_FUZZ"),
    deadline=None,
    # No example changes what a fixture made in a way that the next one minds.
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("steady")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """One real PostgreSQL server per test process, started when the first test asks."""
    with running_postgres() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Return the SQLAlchemy URL of an empty database, once for each kind we promise to run on."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'backout.db'}"
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    url = server.create_database()
    yield url
    server.drop_database(url)


@pytest.fixture
def silent_port() -> Iterator[socket]:
    """A port of this machine where nobody listens, and nobody else can until the test is over."""
    with socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep tests that share something costly in one test process: otherwise each process makes its own."""
    for item in items:
        if shared := _shared(item):
            item.add_marker(pytest.mark.xdist_group(shared))


def pytest_collection_finish() -> None:
    """Let each test process choose from ports of its own; a program that it starts chooses from all.

    Between the choice and the start of who is to listen there, and while a killed bot is down, a port is
    nobody's.
    """
    sandbox = sys.modules.get("bot.sandbox.run")
    if sandbox is not None:
        number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
        count = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
        vars(sandbox)["OUR_PORTS"] = sandbox.OUR_PORTS[number % count :: count]


def _shared(item: pytest.Item) -> str:
    """Return which fixtures of its module a test shares, parameters included, or "browser"."""
    # pytest has no public way to ask for a fixture's scope.
    known: dict[str, list[FixtureDef[object]]] = item._fixtureinfo.name2fixturedefs  # type: ignore[attr-defined]
    names = sorted(name for name, found in known.items() if found[-1].scope == "module")
    if not names:
        return "browser" if "browser" in known else ""
    parameters = getattr(getattr(item, "callspec", None), "params", {})
    chosen = [str(parameters[name]) for name in names if name in parameters]
    return " ".join([item.path.stem, *chosen])
