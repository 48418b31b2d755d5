"""What is seen of a canary and of stable in one short window, and minute by minute: the watch's raw material.

Counts, not percentages: a percentage forgets over how many requests it was, and cannot be added up.
"""

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, field, fields, replace
from datetime import datetime, timedelta

from bot.domain.readings import Side, Source

#: Length of one bucket. Source: reference/detection.md, "Definition".
BUCKET = timedelta(seconds=10)
#: Upper bounds of a latency histogram, milliseconds, each about a fifth more than the last. The guide's
#: lines, 200 and 500 ms, are among them, so that what lies on a line is counted exactly.
LATENCY_BOUNDS_MS: tuple[int, ...] = (
    1, 2, 5, 10, 15, 20, 25, 30, 40, 50, 60, 75, 90, 110, 130, 150, 175, 200, 240, 280, 330, 400, 500, 600,
    720, 850, 1000, 1200, 1500, 1800, 2200, 2700, 3300, 4000, 5000, 6000, 7500, 10_000, 15_000, 20_000,
    30_000, 60_000, 120_000, 300_000, 900_000, 3_600_000,
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Tally:
    """What one side answered in a window: requests, responses of class 5xx, and how long they took.

    `latencies` is a sparse histogram: upper bound (one of `LATENCY_BOUNDS_MS`) and count, ascending.
    """

    requests: int = 0
    errors: int = 0
    latencies: tuple[tuple[int, int], ...] = ()

    def slower_than(self, line_ms: float) -> int:
        """Count the requests slower than `line_ms`; exact where the line is one of the bounds."""
        return sum(count for bound, count in self.latencies if bound > line_ms)

    def percentile_ms(self, percent: float) -> float | None:
        """Return the latency that `percent` of the requests stayed within; None without latencies.

        Within a histogram's cell the requests are taken to lie evenly.
        """
        total = sum(count for _, count in self.latencies)
        if not total:
            return None
        rank, seen = total * percent / 100, 0.0
        for bound, count in self.latencies:
            if seen + count >= rank:
                lower = lower_bound_ms(bound)
                return lower + (bound - lower) * (rank - seen) / count
            seen += count
        return float(self.latencies[-1][0])

    def __add__(self, other: "Tally") -> "Tally":
        """Return both together."""
        counts = dict(self.latencies)
        for bound, count in other.latencies:
            counts[bound] = counts.get(bound, 0) + count
        return Tally(
            requests=self.requests + other.requests,
            errors=self.errors + other.errors,
            latencies=tuple(sorted(counts.items())),
        )


def cell_of(latency_ms: float) -> int:
    """Return the upper bound of the histogram's cell that `latency_ms` falls into."""
    place = bisect_left(LATENCY_BOUNDS_MS, latency_ms)
    return LATENCY_BOUNDS_MS[min(place, len(LATENCY_BOUNDS_MS) - 1)]


def lower_bound_ms(bound: int) -> int:
    """Return where the cell that ends at `bound` begins."""
    place = bisect_left(LATENCY_BOUNDS_MS, bound)
    return LATENCY_BOUNDS_MS[place - 1] if place else 0


def tally(latencies_ms: Iterable[float], *, requests: int, errors: int) -> Tally:
    """Return a tally of single latencies."""
    counts: dict[int, int] = {}
    for latency in latencies_ms:
        cell = cell_of(latency)
        counts[cell] = counts.get(cell, 0) + 1
    return Tally(requests=requests, errors=errors, latencies=tuple(sorted(counts.items())))


@dataclass(frozen=True, kw_only=True)
class Gauges:
    """How full one side's containers were at `until` (aware, UTC), percent 0 to 100; None: not known.

    `memory` is that of the fullest instances (P99 over all of them), `memory_median` that of the middle
    one: where both are high, every instance is full.
    """

    until: datetime
    memory: float | None = None
    memory_median: float | None = None
    cpu: float | None = None
    instances: int | None = None


@dataclass(frozen=True, kw_only=True)
class Probed:
    """What asking both sides' health addresses came to at `at` (aware, UTC); None: was not asked.

    `canary_failures` counts the canary's failed probes in a row up to now, `apart_seconds` how far the
    first of them lies back.
    """

    at: datetime
    canary_well: bool | None
    stable_well: bool | None
    canary_failures: int = 0
    apart_seconds: float = 0.0
    problem: str | None = None


@dataclass(frozen=True, kw_only=True)
class Bucket:
    """What both sides answered in ``since`` <= t < ``until``; None: could not be read, which is not zero."""

    since: datetime
    until: datetime
    canary: Tally | None
    stable: Tally | None


@dataclass(frozen=True, kw_only=True)
class BucketsRead:
    """Closed buckets, oldest first, without gaps between them.

    `live` is True where they came from the open stream, False where the log was listed instead.
    `lag_seconds` is how late entries come at present. `suppressed` counts entries Google left out of
    the stream, `late` those that came after their bucket was closed, `twice` repetitions that were
    left out, `odd` those with an impossible time or latency (`oddity` names one): each while these
    buckets went by. `problem` says why the log could not be read; the buckets of that time hold None then.
    """

    buckets: tuple[Bucket, ...] = ()
    live: bool = False
    lag_seconds: float = 0.0
    suppressed: int = 0
    late: int = 0
    twice: int = 0
    odd: int = 0
    oddity: str | None = None
    problem: str | None = None


@dataclass(frozen=True, kw_only=True)
class Minute:
    """One aligned minute of one revision (or service, by the target's topology) from Cloud Monitoring.

    Percent are 0 to 100. None: no point for it, which is not zero. ``since`` < t <= ``until`` (UTC).
    """

    name: str
    since: datetime
    until: datetime
    requests: int | None = None
    errors: int | None = None
    p95_ms: float | None = None
    memory: float | None = None
    memory_median: float | None = None
    cpu: float | None = None
    instances: int | None = None


@dataclass(frozen=True, kw_only=True)
class MinutesRead:
    """Minutes of every revision (or service) that had any, oldest first.

    `problem` names what could not be read; its fields are None in every minute.
    """

    minutes: tuple[Minute, ...] = ()
    problem: str | None = None

    def of(self, name: str) -> tuple[Minute, ...]:
        """Return the minutes of one revision or service."""
        return tuple(minute for minute in self.minutes if minute.name == name)


@dataclass(frozen=True, kw_only=True)
class Observation:
    """Everything one turn of the watch looked at, for one bucket of time.

    `revision` is the canary's name: readings of another one never add up with these. `source` says
    where the counts are from; they are None where it failed. `length_seconds` is the bucket's: 10 from
    the request log, 60 from Cloud Monitoring. Gauges and probe are None where nothing new was read.
    A probe (or gauges) that no bucket waits for comes alone: no counts, ``since`` == ``until`` == now. It
    has its own time and is never too late, and it does not make a minute of Monitoring that ends before
    it too late: while the log cannot be read those come minutes behind. `canary_p95_ms` and
    `stable_p95_ms` are for a source that has P95 ready-made instead of latencies (Cloud Monitoring).
    """

    revision: str
    since: datetime
    until: datetime
    source: Source
    canary: Tally | None = None
    stable: Tally | None = None
    canary_gauges: Gauges | None = None
    stable_gauges: Gauges | None = None
    probed: Probed | None = None
    canary_percent: int | None = None
    problem: str | None = None
    canary_p95_ms: float | None = None
    stable_p95_ms: float | None = None

    @property
    def length_seconds(self) -> float:
        """How long the bucket is."""
        return (self.until - self.since).total_seconds()


@dataclass(frozen=True, kw_only=True)
class SideValues:
    """One side's numbers of one minute, as they are drawn: percent, and milliseconds for P95."""

    error_rate: float | None = None
    p95: float | None = None
    memory: float | None = None
    cpu: float | None = None
    requests: int | None = None


@dataclass(frozen=True, kw_only=True)
class Point:
    """One minute of both sides, ended at `at` (aware, UTC)."""

    at: datetime
    canary: SideValues = field(default_factory=SideValues)
    stable: SideValues = field(default_factory=SideValues)

    def side(self, side: Side) -> SideValues:
        """Return one side's numbers."""
        return self.canary if side is Side.CANARY else self.stable

    def over(self, other: "Point") -> "Point":
        """Return the same minute with `other`'s numbers wherever this one has none."""
        return replace(
            self,
            canary=_first_known(self.canary, other.canary),
            stable=_first_known(self.stable, other.stable),
        )


def minute_by_minute(points: Iterable[Point]) -> tuple[Point, ...]:
    """Return one point of each minute, oldest first; what a later one of `points` knows counts."""
    known: dict[datetime, Point] = {}
    for point in points:
        known[point.at] = point.over(known[point.at]) if point.at in known else point
    return tuple(known[at] for at in sorted(known))


def _first_known(best: SideValues, other: SideValues) -> SideValues:
    missing = {f.name: getattr(other, f.name) for f in fields(best) if getattr(best, f.name) is None}
    return replace(best, **missing)
