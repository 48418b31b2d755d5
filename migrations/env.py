"""Runs migrations inside one explicit transaction, restricted to our own tables."""

from typing import Any

from alembic import context
from sqlalchemy import Connection, text

from bot.adapters.database.tables import Base

OUR_TABLES = frozenset(Base.metadata.tables)
#: Any number that nobody else uses: two replicas that migrate at once take turns.
MIGRATION_LOCK = 7_202_611_22


def ours(name: str | None, kind: str, _parents: Any) -> bool:
    """Keep the workflow engine's tables, which share the SQLite file, out of sight."""
    return kind != "table" or name in OUR_TABLES


def run(connection: Connection) -> None:
    """Migrate on a connection whose transaction the caller owns.

    SQLite's DDL is transactional only inside an explicit BEGIN, which our engine sends; Alembic's
    own belief that it is not ("transactional_ddl = False") is overruled.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        include_name=ours,
        transactional_ddl=True,
        render_as_batch=True,
        compare_type=True,
    )
    context.run_migrations()


run(context.config.attributes["connection"])
