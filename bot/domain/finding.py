"""What a look at the world found: kept as it was read, so that it reads the same for ever."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.domain.guide import Does
from bot.domain.ids import TargetName
from bot.domain.log_lines import LogLines
from bot.domain.readings import ProbeResult, Reading
from bot.domain.rollback import Rollback
from bot.domain.status import Status
from bot.domain.traffic import ServiceState

#: What can be looked at from a button.
READS = frozenset({Does.STATUS, Does.METRICS, Does.LOGS, Does.DESCRIBE, Does.PROBE, Does.HEALTH})


class About(StrEnum):
    """What could not be read."""

    CLOUD_RUN = "cloud_run"
    LOG = "log"
    PROBE = "probe"


@dataclass(frozen=True, kw_only=True)
class Unread:
    """What could not be read, and why: a source's own words, raw."""

    about: About
    why: str


class Remark(StrEnum):
    """What a reader has to know about a finding."""

    CANARY_HAS_NO_ADDRESS = "canary_has_no_address"
    STABLE_BEHIND_SPLIT = "stable_behind_split"
    CANARY_NOT_THERE = "canary_not_there"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One look. `titles` is what was asked for, by language; only what was read is set.

    `by_hand` is the plain ``gcloud`` line that reads the same, empty where there is none.
    """

    does: Does
    titles: Mapping[str, str]
    target: TargetName
    read_at: datetime
    status: Status | None = None
    log: LogLines | None = None
    service: ServiceState | None = None
    probes: tuple[ProbeResult, ...] = ()
    unread: tuple[Unread, ...] = ()
    remarks: tuple[Remark, ...] = ()
    by_hand: str = ""
    pause_ms: int = 0


def newest_numbers(
    rollbacks: Iterable[Rollback], findings: Iterable[Finding]
) -> tuple[tuple[Reading, ...], datetime] | None:
    """Return the newest readings of an incident and when they were read (aware, UTC); None without any."""
    known = [(rollback.before, rollback.asked_at) for rollback in rollbacks]
    known += [(finding.status.readings, finding.status.read_at) for finding in findings if finding.status]
    return max((one for one in known if one[0]), key=lambda one: one[1], default=None)
