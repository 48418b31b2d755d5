"""Brings the database to this version's tables, ours by Alembic and the engine's by itself."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine

#: The migrations stand beside the package, in a checkout and in an installed wheel alike.
MIGRATIONS = Path(__file__).resolve().parents[3] / "migrations"


class UnknownVersion(Exception):
    """The database was migrated by a newer release than this one."""


def alembic_config() -> Config:
    """Return Alembic's configuration, without a file."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    return config


def migrate(engine: Engine, *, to: str = "head") -> None:
    """Migrate up (or, with an older `to`, down) in one transaction: all of it or nothing."""
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
    wanted = ScriptDirectory.from_config(alembic_config()).get_current_head()
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision() == wanted


def _refuse_the_future(connection: object, config: Config) -> None:
    found = MigrationContext.configure(connection).get_current_revision()  # type: ignore[arg-type]
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if found is not None and found not in known:
        raise UnknownVersion(
            f"the database is at version {found}, which this release does not know: "
            "start the newer release again, or restore a backup"
        )
