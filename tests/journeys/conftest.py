"""One sandbox a test process, begun anew for each test."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.journeys.world import Bot, World, running_bot, running_world, until
from tests.postgres import PostgresServer


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def shared_world(postgres_server: PostgresServer) -> AsyncIterator[World]:
    """The sandbox of this test process.

    After the PostgreSQL server, whose start forks: under gRPC's threads that now and then crashes.
    """
    async with running_world() as world:
        yield world


@pytest.fixture
def world(shared_world: World) -> World:
    """The sandbox, on its first morning."""
    shared_world.reset()
    return shared_world


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def standing_bot(shared_world: World, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Bot]:
    """One bot on SQLite for a whole file of tests that leave little behind."""
    file = tmp_path_factory.mktemp("bot") / "backout.db"
    shared_world.reset()
    async with running_bot(shared_world, f"sqlite:///{file}") as bot:
        # Asking who it is, it is ready already; no test is to take that for its own doing.
        await until(lambda: any(call.method == "bots.info" for call in shared_world.slack.calls))
        yield bot
