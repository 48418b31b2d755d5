"""The team's past drills: in a database of their own, so that no drill ever touches production's.

The bot of a drill works on a fresh database each time; only how the drill went is kept for the next one.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from sqlalchemy import Engine, inspect, text

from bot.adapters.database.engine import Database, database_url
from bot.adapters.database.migrate import is_current, migrate
from bot.adapters.database.store import SqlStore
from bot.domain.drill import Drill
from bot.drill.refused import NotForDrills
from bot.slack.text import N_

#: In the working directory. Deliberately not what DATABASE_URL says: that is production's on many machines.
DEFAULT_URL = "sqlite:///backout-drills.db"


class NothingKept:
    """Where a script drilled, there is nothing to compare a team with."""

    async def all(self) -> tuple[Drill, ...]:
        """Return none."""
        return ()

    async def add(self, drill: Drill) -> None:
        """Forget it."""


class PastDrills:
    """The drills kept at `url`, which no bot works on: their rows would mark what is real as a drill."""

    def __init__(self, url: str = DEFAULT_URL) -> None:
        self._url = database_url(url)

    async def all(self) -> tuple[Drill, ...]:
        """Return every drill, oldest first, without the numbers of their incidents, which are gone.

        Raises:
            NotForDrills: see there.
        """
        if self._is_new_file():
            return ()
        async with self._opened() as store:
            return await store.look(lambda tx: tuple(tx.find(Drill)))

    async def add(self, drill: Drill) -> None:
        """Keep a drill that has ended. Raises `NotForDrills`."""
        async with self._opened() as store:
            await store.change(lambda tx: tx.keep(replace(drill, incident=None)))

    def _is_new_file(self) -> bool:
        return self._url.drivername == "sqlite" and not Path(self._url.database or "").exists()

    @asynccontextmanager
    async def _opened(self) -> AsyncIterator[SqlStore]:
        database = Database(self._url)
        try:
            if await asyncio.to_thread(_is_a_bots, database.engine):
                raise NotForDrills(
                    N_(
                        "The database {name} holds incidents of a bot. Name another one with --database: "
                        "drills are kept by themselves."
                    ),
                    name=self._url.database,
                )
            await self._make_current(database)
            yield SqlStore(database, lambda *_: None)
        finally:
            await asyncio.to_thread(database.close)

    @staticmethod
    async def _make_current(database: Database) -> None:
        if database.is_sqlite:
            await asyncio.to_thread(migrate, database.engine)
        elif not await asyncio.to_thread(is_current, database.engine):
            raise NotForDrills(
                N_("The database of the drills is not at this version's tables. Run on it: {command}"),
                command="backout migrate",
            )


def _is_a_bots(engine: Engine) -> bool:
    """True where an incident is kept. Of a version that is not ours no more is read than that."""
    if not inspect(engine).has_table("incident"):
        return False
    with engine.connect() as connection:
        return connection.execute(text("SELECT 1 FROM incident LIMIT 1")).first() is not None
