"""Brings the database to this version's tables, ours by Alembic and the engine's by itself.

Alembic is imported where it is used: a process that only answers Slack never migrates.
"""

from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine

from bot.beside import beside

if TYPE_CHECKING:
    from alembic.config import Config

MIGRATIONS = beside("migrations")


class UnknownVersion(Exception):
    """The database was migrated by a newer release than this one."""


def alembic_config() -> "Config":
    """Return Alembic's configuration, without a file."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    return config


def migrate(engine: Engine, *, to: str = "head") -> None:
    """Migrate up (or, with an older `to`, down) in one transaction: all of it or nothing."""
    from alembic import command

    config = alembic_config()
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        if to == "head":
            _refuse_the_future(connection, config)
            command.upgrade(config, to)
        else:
            command.downgrade(config, to)


def is_current(engine: Engine) -> bool:
    """True when the database is at this release's version."""
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory

    wanted = ScriptDirectory.from_config(alembic_config()).get_current_head()
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision() == wanted


def _refuse_the_future(connection: Connection, config: "Config") -> None:
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory

    found = MigrationContext.configure(connection).get_current_revision()
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if found is not None and found not in known:
        raise UnknownVersion(
            f"the database is at version {found}, which this release does not know: "
            "start the newer release again, or restore a backup"
        )
