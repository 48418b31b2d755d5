"""Which vault keeps the contents of evidence: the database, a directory, or a bucket."""

import re

from bot.adapters.database.engine import Database
from bot.adapters.vault_bucket import BucketVault
from bot.adapters.vault_database import DatabaseVault
from bot.adapters.vault_directory import DirectoryVault
from bot.usecases.ports import Vault

DATABASE = "database"
_BUCKET = "gs://"
#: A bucket's name, and folders of the same safe characters as `Exhibit.place`.
_ADDRESS = re.compile(r"gs://(?P<bucket>[a-z0-9][a-z0-9._-]{1,220}[a-z0-9])(?P<folder>(/[A-Za-z0-9._-]+)*)/?")


def checked_setting(written: str) -> str:
    """Return the setting ``BACKOUT_EVIDENCE`` as it is used.

    Raises:
        ValueError: it is none of the three; the sentence says what to write.
    """
    wanted = written.strip()
    if wanted.lower() in ("", DATABASE):
        return DATABASE
    if wanted.startswith(_BUCKET):
        found = _ADDRESS.fullmatch(wanted)
        if found is None or ".." in wanted:
            raise ValueError("this is no bucket: lower-case letters, digits, - _ . and then folders")
        return wanted.rstrip("/")
    if ":/" in wanted:
        raise ValueError("only gs:// buckets are known")
    if "/" not in wanted:
        # A word alone is more likely a slip of the pen than a directory beside the program.
        raise ValueError(f"a directory is written with a slash, such as ./{wanted}")
    return wanted


def make_vault(setting: str, *, database: Database, project: str) -> Vault:
    """Return the vault that `setting` (see `checked_setting`) names. Connects to nothing yet.

    Args:
        database: where the contents go without a place of their own.
        project: the Google Cloud project that calls to a bucket are made from.
    """
    if setting == DATABASE:
        return DatabaseVault(database)
    found = _ADDRESS.fullmatch(setting)
    if found is not None:
        return BucketVault(found["bucket"], folder=found["folder"].strip("/"), project=project)
    return DirectoryVault(setting)
