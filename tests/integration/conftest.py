"""What the tests on real parts share."""

import asyncio
from collections.abc import AsyncIterator

import pytest_asyncio

from bot.adapters.database.engine import Database
from bot.adapters.database.engine import database_url as parsed
from bot.adapters.database.migrate import migrate


@pytest_asyncio.fixture(loop_scope="session")
async def database(database_url: str) -> AsyncIterator[Database]:
    """A migrated database."""
    made = Database(parsed(database_url))
    await asyncio.to_thread(migrate, made.engine)
    yield made
    made.close()
