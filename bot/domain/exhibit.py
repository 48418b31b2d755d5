"""Evidence as files: what was read, when, from where, and the hash that shows whether it was touched.

Not to be confused with `bot.domain.rollback.Evidence`, a proof of a rollback. Source of kinds and names:
guide, "Cause analysis", step 1.
"""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from bot.domain.ids import IncidentNumber, RollbackId


class Moment(StrEnum):
    """When evidence is taken: at the decision, at the verdict, or because a person asked for it."""

    DECISION = "decision"
    VERIFICATION = "verification"
    ASKED = "asked"


class ExhibitKind(StrEnum):
    """What a file holds. The guide names the first, the third and the fourth."""

    ERROR_LOGS = "error_logs"
    SLOW_REQUESTS = "slow_requests"
    METRICS_SNAPSHOT = "metrics_snapshot"
    CANARY_CONFIG = "canary_config"
    TRAFFIC = "traffic"
    PROBE = "probe"
    RECORD = "record"


#: Kept for good: what people wrote and read, not what machines logged.
KEPT_FOREVER = frozenset({ExhibitKind.RECORD})


@dataclass(frozen=True, kw_only=True)
class Exhibit:
    """One file of evidence. Times are aware, UTC.

    `id` is ``<snapshot>:<name>``; `snapshot` is the id of the `Snapshot` (or of the edition of the record,
    ``12:record-3``) it belongs to. `name` is the file's, `source` the query or address it was read with.
    `size` is in bytes, `sha256` in hex, of exactly what is kept. `redacted` says how many secrets and
    personal data were replaced. `problem` is set where the source could not be read: there is no content
    then. `dropped_at` is when retention took the content away; hash and size stay.
    """

    id: str
    incident: IncidentNumber
    snapshot: str
    kind: ExhibitKind
    name: str
    created_at: datetime
    source: str
    size: int = 0
    sha256: str = ""
    redacted: int = 0
    problem: str | None = None
    dropped_at: datetime | None = None

    @property
    def place(self) -> str:
        """Where its content is kept in a `Vault`: a relative path of safe characters.

        The hash is part of it: a process that slept through its lease never overwrites what another has kept.
        """
        return f"INC-{self.incident}/{self.folder}/{self.sha256[:12]}/{self.name}"

    @property
    def folder(self) -> str:
        """The folder of its snapshot, such as ``decision-k3v9``."""
        return self.snapshot.partition(":")[2].replace(":", "-")


def snapshot_id(number: IncidentNumber, moment: Moment, about: RollbackId | str) -> str:
    """Return the id of a snapshot: ``12:decision-k3v9…``; `about` is a rollback's id, or a request's key."""
    return f"{number}:{moment}-{about}"


def exhibit_name(kind: ExhibitKind, at: datetime, ending: str) -> str:
    """Return a file's name as the guide writes it: ``error_logs_20251022_140512.txt`` (UTC)."""
    return f"{kind}_{at.astimezone(UTC):%Y%m%d_%H%M%S}.{ending}"


def sha256_of(content: bytes) -> str:
    """Return the SHA-256 of a file, hex."""
    return hashlib.sha256(content).hexdigest()
