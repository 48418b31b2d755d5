"""What judging remembers of one canary from one observation to the next."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bot.domain.alarm import AlarmKind
from bot.domain.detection import Excess, Run
from bot.domain.flags import Colour
from bot.domain.memory_trend import MemoryRun
from bot.domain.observation import Probed, Tally
from bot.domain.readings import Source


@dataclass(frozen=True, kw_only=True)
class Streak:
    """Bad readings in a row, each of a window of its own; the last one ended at `until`."""

    bad: int = 0
    until: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Gathered:
    """A reading that is still being gathered, from `since` on: until it is long enough and full enough.

    `seconds` is the time that was counted: what could not be read is not in it. `p95_ms` and
    `stable_p95_ms` are those that came ready-made, without the latencies they are made of.
    """

    since: datetime | None = None
    seconds: float = 0.0
    canary: Tally = field(default_factory=Tally)
    stable: Tally = field(default_factory=Tally)
    p95_ms: float | None = None
    stable_p95_ms: float | None = None


@dataclass(frozen=True, kw_only=True)
class Concluded:
    """One finished reading of the guide's rule, ``since`` <= t < ``until`` (UTC), and how it came out.

    A GREY colour proves nothing: too few requests, or above the red line with too few errors; it leaves
    the streak as it is. `shared` and `slow_shared` say that a red one is as red on stable. `slow` counts
    the requests slower than the red line for P95, of `timed` whose latency is known.
    """

    since: datetime
    until: datetime
    source: Source
    requests: int
    errors: int
    stable_requests: int
    stable_errors: int
    error_rate: Colour
    p95: Colour
    shared: bool = False
    slow_shared: bool = False
    slow: int = 0
    timed: int = 0
    p95_ms: float | None = None
    stable_p95_ms: float | None = None

    @property
    def error_percent(self) -> float | None:
        """The canary's error rate, 0 to 100; None without requests."""
        return 100 * self.errors / self.requests if self.requests else None

    @property
    def stable_error_percent(self) -> float | None:
        """Stable's error rate, 0 to 100; None without requests."""
        return 100 * self.stable_errors / self.stable_requests if self.stable_requests else None


@dataclass(frozen=True, kw_only=True)
class JudgeState:
    """What judging remembers of one canary between two observations; small, and plain JSON when kept.

    `until` is the end of the newest bucket whose counts were weighed, `good_since` the beginning of the
    newest one in which the canary answered a request well. `height` and `slow_height` say where the scores
    are full. `newest` is the last finished reading. `memory` are the newest samples (time, percent), oldest
    first. `said` is the highest level that was raised, by kind, while its condition lasts: an alarm is
    raised when it becomes true or truer, not each time it is true. `requests` and `seconds` count the
    canary's requests and the time since the watch began. A streak of *shared* readings counts those in
    which stable was as bad. `was_well`: a probe has reached the canary.
    """

    revision: str = ""
    until: datetime | None = None
    good_since: datetime | None = None
    errors_warning: Excess = field(default_factory=Excess)
    errors_trigger: Excess = field(default_factory=Excess)
    slow_warning: Excess = field(default_factory=Excess)
    slow_trigger: Excess = field(default_factory=Excess)
    height: float | None = None
    slow_height: float | None = None
    outage: Run = field(default_factory=Run)
    silence: Run = field(default_factory=Run)
    gathered: Gathered = field(default_factory=Gathered)
    newest: Concluded | None = None
    error_streak: Streak = field(default_factory=Streak)
    shared_streak: Streak = field(default_factory=Streak)
    slow_streak: Streak = field(default_factory=Streak)
    slow_shared_streak: Streak = field(default_factory=Streak)
    cpu_streak: Streak = field(default_factory=Streak)
    gauges_until: datetime | None = None
    memory: tuple[tuple[datetime, float], ...] = ()
    memory_run: MemoryRun = field(default_factory=MemoryRun)
    probed: Probed | None = None
    was_well: bool = False
    said: Mapping[str, str] = field(default_factory=dict)
    requests: int = 0
    seconds: float = 0.0

    @property
    def score_percent(self) -> float:
        """How full the warning score for errors is, 0 to 100."""
        return full_percent(self.errors_warning, self.height)

    @property
    def trigger_percent(self) -> float:
        """How full the trigger score for errors is, 0 to 100."""
        return full_percent(self.errors_trigger, self.height)


def trigger_percent_of(kind: AlarmKind, state: JudgeState) -> float:
    """Return how full the trigger score is that an alarm of this kind goes by, 0 to 100."""
    if kind is AlarmKind.RESPONSE_TIME:
        return full_percent(state.slow_trigger, state.slow_height)
    return state.trigger_percent


def full_percent(score: Excess, height: float | None) -> float:
    """Return how full a score is, 0 to 100, with one decimal."""
    return round(min(100.0, 100 * score.level / height), 1) if height else 0.0
