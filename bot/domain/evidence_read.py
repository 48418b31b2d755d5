"""What the sources of evidence said, before files and a first reading are made of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bot.domain.configuration import Configuration, Difference, differences
from bot.domain.exhibit import Moment
from bot.domain.first_reading import Clients
from bot.domain.ids import IncidentNumber, TargetName
from bot.domain.log_lines import LogLines
from bot.domain.observation import MinutesRead, Tally
from bot.domain.playbook import Target
from bot.domain.readings import ProbeResult, Reading, RequestCounts, Side
from bot.domain.rollback import Rollback
from bot.domain.traffic import Sides, TargetState


@dataclass(frozen=True, kw_only=True)
class Occasion:
    """What evidence is taken about: which sides, at which moment, over which window.

    `at` is when it was asked for, which names the files; ``since`` <= t < ``until`` is what the logs are
    read over (the first reading counts from `counted_since` on). All aware, UTC. `deployed_at` is None
    where nobody knows it.
    """

    incident: IncidentNumber
    moment: Moment
    at: datetime
    name: TargetName
    target: Target
    sides: Sides
    since: datetime
    until: datetime
    deployed_at: datetime | None = None
    rollback: Rollback | None = None

    @property
    def counted_since(self) -> datetime:
        """From when on the first reading counts: at the verdict, since the traffic had settled.

        So before and after can be compared; the files hold the whole window.
        """
        settled = self.rollback.settled_at if self.rollback else None
        if self.moment is not Moment.VERIFICATION or settled is None:
            return self.since
        return min(max(settled, self.since), self.until)

    @property
    def canary(self) -> str:
        """The canary's revision or service; empty: there is none."""
        side = self.sides.canary
        return side.name if side else ""

    @property
    def stable(self) -> str:
        """Stable's revision or service."""
        return self.sides.stable.name


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """A source that gave nothing; `why` is one line."""

    why: str


@dataclass(frozen=True, kw_only=True)
class EvidenceRead:
    """What every source answered, or why it did not.

    `state` and `configurations` are Cloud Run's; `counts` are the request log's over the last minute,
    `endpoints` over the whole window, as are the error lines of each side and Cloud Run's own lines.
    `unprobed` names why a side was not asked: it has no address of its own.
    """

    error_logs: LogLines | Refusal
    slow_requests: LogLines | Refusal
    readings: tuple[Reading, ...] | Refusal
    counts: Mapping[Side, RequestCounts] | Refusal
    minutes: MinutesRead | Refusal
    state: TargetState | Refusal
    configurations: Mapping[Side, Configuration | Refusal]
    probes: Mapping[Side, ProbeResult | Refusal]
    error_lines: Mapping[Side, LogLines | Refusal]
    system: LogLines | Refusal
    endpoints: Mapping[Side, Mapping[str, Tally] | Refusal]
    clients: Clients | Refusal | None
    unprobed: Mapping[Side, str] = field(default_factory=dict)

    @property
    def differences(self) -> tuple[Difference, ...] | None:
        """What canary and stable have set differently; None where one of them could not be read."""
        stable, canary = (self.configurations.get(side) for side in (Side.STABLE, Side.CANARY))
        if isinstance(stable, Configuration) and isinstance(canary, Configuration):
            return differences(stable, canary)
        return None
