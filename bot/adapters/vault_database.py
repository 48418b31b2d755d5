"""Evidence in the database, in a table of its own: contents are never read with the rows that list them."""

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Engine, delete, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from bot.adapters.database.engine import Database
from bot.adapters.database.tables import ExhibitContentRow
from bot.adapters.vault_place import parts_of
from bot.usecases.ports import NotKept, StoreDown, Vault

T = TypeVar("T")


class DatabaseVault(Vault):
    """`Vault` over our own database.

    Where that cannot be reached it raises `StoreDown`, as everything else that needs it does: whoever puts
    evidence waits for the database, and loses nothing.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, place: str, content: bytes) -> None:
        """See `Vault.put`."""
        parts_of(place)

        def put(engine: Engine) -> None:
            with Session(engine) as session, session.begin():
                session.merge(ExhibitContentRow(place=place, content=content))

        await self._database.write(_reachable(put))

    async def get(self, place: str) -> bytes:
        """See `Vault.get`."""
        parts_of(place)
        wanted = select(ExhibitContentRow.content).where(ExhibitContentRow.place == place)

        def get(engine: Engine) -> bytes | None:
            with Session(engine) as session:
                return session.scalars(wanted).one_or_none()

        found = await self._database.read(_reachable(get))
        if found is None:
            raise NotKept(f"nothing is kept at {place}")
        return found

    async def drop(self, place: str) -> None:
        """See `Vault.drop`."""
        parts_of(place)

        def drop(engine: Engine) -> None:
            with Session(engine) as session, session.begin():
                session.execute(delete(ExhibitContentRow).where(ExhibitContentRow.place == place))

        await self._database.write(_reachable(drop))


def _reachable(work: Callable[[Engine], T]) -> Callable[[Engine], T]:
    def run(engine: Engine) -> T:
        try:
            return work(engine)
        except (OperationalError, PoolTimeout) as error:
            raise StoreDown(str(getattr(error, "orig", None) or error)) from error

    return run
