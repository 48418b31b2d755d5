"""What the tests on real parts share."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from bot.adapters.database.engine import Database
from bot.adapters.database.engine import database_url as parsed
from bot.adapters.database.migrate import migrate
from tests.integration.patience import GOOGLE_LIMITS, PATIENCE_SECONDS


@pytest.fixture
def patient_with_google(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let Google's answers take their time."""
    for limit in GOOGLE_LIMITS:
        monkeypatch.setattr(limit, PATIENCE_SECONDS)


@pytest_asyncio.fixture(loop_scope="session")
async def database(database_url: str) -> AsyncIterator[Database]:
    """A migrated database."""
    made = Database(parsed(database_url))
    await asyncio.to_thread(migrate, made.engine)
    yield made
    made.close()
