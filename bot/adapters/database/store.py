"""Transactions: short, retried when two writers collide, and never begun without a database."""

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from bot.adapters.database.engine import Database
from bot.adapters.database.transaction import SqlTransaction, Starter
from bot.usecases.ports import Store, StoreDown, TargetBusy, Transaction

T = TypeVar("T")

#: How often a transaction is tried when another one got there first. Each try reads afresh, so the
#: second one normally sees what the winner did and takes the other branch.
TRIES = 5
#: SQLSTATEs of "try again": serialization failure and deadlock.
COLLISIONS = frozenset({"40001", "40P01"})


class SqlStore(Store):
    """`Store` over one `Database`."""

    def __init__(self, database: Database, start: Starter) -> None:
        self._database = database
        self._starter = start

    async def change(self, work: Callable[[Transaction], T]) -> T:
        """See `Store.change`."""
        return await self._database.write(lambda engine: self._committed(engine, work))

    async def look(self, work: Callable[[Transaction], T]) -> T:
        """See `Store.look`."""
        return await self._database.read(lambda engine: self._rolled_back(engine, work))

    def _committed(self, engine: Engine, work: Callable[[Transaction], T]) -> T:
        for tries_left in reversed(range(TRIES)):
            try:
                with Session(engine, expire_on_commit=False) as session, session.begin():
                    return work(SqlTransaction(session, self._starter))
            except (TargetBusy, StaleDataError):
                if not tries_left:
                    raise
            except (DBAPIError, PoolTimeout) as error:
                if not (tries_left and _collided(error)):
                    raise _translated(error) from error
        raise AssertionError("the last try returns or raises")

    def _rolled_back(self, engine: Engine, work: Callable[[Transaction], T]) -> T:
        try:
            with Session(engine) as session:
                return work(SqlTransaction(session, self._starter, locks=False))
        except (DBAPIError, PoolTimeout) as error:
            raise _translated(error) from error


def _collided(error: Exception) -> bool:
    if isinstance(error, IntegrityError):
        return True
    return isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) in COLLISIONS


def _translated(error: Exception) -> Exception:
    """Turn "the database is gone, full or locked" into `StoreDown`; our own mistakes stay as they are."""
    if isinstance(error, (OperationalError, PoolTimeout)):
        return StoreDown(str(getattr(error, "orig", None) or error))
    return error
