"""The bot's own tables, read and changed as another process would."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from bot.adapters.database.engine import Database
from bot.adapters.database.engine import database_url as parsed
from bot.adapters.database.tables import Base, EntryRow, ExhibitRow, RollbackRow
from bot.domain.timeline import AUDIT


@contextmanager
def session(database_url: str) -> Iterator[Session]:
    """One transaction on a running bot's database."""
    database = Database(parsed(database_url))
    try:
        with Session(database.engine, expire_on_commit=False) as opened, opened.begin():
            yield opened
    finally:
        database.close()


def count(database_url: str, table: type[Base]) -> int:
    """Return how many rows `table` has."""
    with session(database_url) as opened:
        return opened.scalar(select(func.count()).select_from(table)) or 0


def audited(database_url: str) -> list[tuple[str, str, str]]:
    """Return what was written down outside of incidents: event, actor, and why ("" where nothing is said)."""
    lines = select(EntryRow).where(EntryRow.chain == AUDIT).order_by(EntryRow.sequence)
    with session(database_url) as opened:
        return [(line.event, line.actor, line.facts.get("why", "")) for line in opened.scalars(lines)]


def timeline(database_url: str, chain: str) -> list[tuple[str, str, dict[str, Any]]]:
    """Return a timeline's lines in order: event, actor, facts."""
    lines = select(EntryRow).where(EntryRow.chain == chain).order_by(EntryRow.sequence)
    with session(database_url) as opened:
        return [(line.event, line.actor, line.facts) for line in opened.scalars(lines)]


def filed_records(database_url: str) -> dict[str, str]:
    """Return the hashes of the filed editions of records, by file name."""
    filed = select(ExhibitRow).where(ExhibitRow.kind == "record", ExhibitRow.problem.is_(None))
    with session(database_url) as opened:
        return {row.name: row.sha256 for row in opened.scalars(filed)}


def states(database_url: str) -> list[str]:
    """Return the state of every rollback, oldest first."""
    with session(database_url) as opened:
        return list(opened.scalars(select(RollbackRow.state).order_by(RollbackRow.asked_at)))


def change_rollbacks(database_url: str, **values: object) -> None:
    """Overwrite columns of every rollback."""
    with session(database_url) as opened:
        opened.execute(update(RollbackRow).values(**values))
