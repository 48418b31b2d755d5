"""What one tick of a watch has read from its sources."""

from dataclasses import dataclass
from datetime import datetime

from bot.domain.observation import BucketsRead, MinutesRead
from bot.domain.watch import CanarySeen


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What both health addresses answered to a probe begun at `at`; None: was not asked, or said "later"."""

    at: datetime
    canary: bool | None
    stable: bool | None
    problem: str | None = None


@dataclass(frozen=True, kw_only=True)
class CloudLook:
    """What Cloud Run showed: the canary with traffic, and the share of the one that is watched.

    `share` is None where it could not be told, `problem` says why.
    """

    seen: CanarySeen | None = None
    share: int | None = None
    problem: str | None = None


@dataclass(frozen=True, kw_only=True)
class Looked:
    """Everything one tick read, done at `at` (aware, UTC). None: it was not this source's turn."""

    at: datetime
    buckets: BucketsRead | None = None
    minutes: MinutesRead | None = None
    asked: Asked | None = None
    cloud: CloudLook | None = None

    @property
    def nothing_new(self) -> bool:
        """True when only the log was asked, and its next bucket is not closed yet."""
        read = self.buckets
        quiet = read is not None and not read.buckets and read.problem is None
        return quiet and self.minutes is None and self.asked is None and self.cloud is None
