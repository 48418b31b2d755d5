"""The figures of a failure record: each out of stored readings and minutes, None where nothing says it.

A missing figure is never 0, and an estimate says that it is one and how it is made.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import isfinite

from bot.domain.exhibit import Moment
from bot.domain.first_reading import Clients
from bot.domain.observation import Point, SideValues, minute_by_minute
from bot.domain.playbook import Thresholds
from bot.domain.readings import Metric, Side, Source
from bot.domain.rollback import Proof, Rollback, Verdict
from bot.domain.snapshot import Snapshot

MINUTE = timedelta(minutes=1)
#: Metrics that are made of requests, and so need enough of them.
_OF_REQUESTS = frozenset({Metric.ERROR_RATE, Metric.P95})
_PROOFS = {Metric.ERROR_RATE: Proof.ERROR_RATE, Metric.P95: Proof.P95}


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One number of one side: in the metric's unit, from data that ended at `at` (aware, UTC).

    `sample` counts requests, None for memory and CPU. `source` is None for a minute of the evidence, which
    the watch or Cloud Monitoring may have seen.
    """

    value: float
    side: Side
    at: datetime
    sample: int | None = None
    source: Source | None = None


@dataclass(frozen=True, kw_only=True)
class Symptom:
    """One metric of the failure: before it, at its worst, and after the rollback.

    `before` is the canary's own first green minute, or stable where the canary never had one; `peak` the
    canary's worst minute between deployment and verdict, or what was read at the decision where that was
    worse; `after` is stable's, from the proof or from the evidence taken at the verdict.
    """

    metric: Metric
    before: Figure | None = None
    peak: Figure | None = None
    after: Figure | None = None

    @property
    def rise(self) -> float | None:
        """How far it rose from before to its worst, in the metric's unit; None where either is unknown."""
        return None if self.before is None or self.peak is None else self.peak.value - self.before.value


@dataclass(frozen=True, kw_only=True)
class Downtime:
    """Whole minutes in which nobody was answered well, and in which the canary answered nobody well.

    A minute counts where requests came and every one of them ended in an error. None: no minute says.
    """

    everybody: int | None
    canary: int | None


@dataclass(frozen=True, kw_only=True)
class Window:
    """The time a record is about: from the deployment (None: not known) to the verdict (None: to the end)."""

    since: datetime | None
    until: datetime | None

    def holds(self, at: datetime) -> bool:
        """True for a minute that ended after the deployment and began before the verdict."""
        begun = self.since is None or at > self.since
        return begun and (self.until is None or at - MINUTE < self.until)


def merged(snapshots: Iterable[Snapshot]) -> tuple[Point, ...]:
    """Return the minutes of all snapshots, oldest first; what a later one read of a minute counts."""
    return minute_by_minute(point for snapshot in snapshots for point in snapshot.points)


def symptoms(
    rollback: Rollback | None,
    points: Sequence[Point],
    after: Sequence[Point],
    *,
    window: Window,
    thresholds: Thresholds,
) -> tuple[Symptom, ...]:
    """Return every metric of which anything is known.

    Args:
        rollback: the newest one, None where there was none.
        points: the minutes of all evidence, oldest first.
        after: those of the evidence taken at the verdict.
        window: deployment to verdict.
        thresholds: what green is, and how many requests a number needs.
    """
    found = (_symptom(m, rollback, points, after, window=window, thresholds=thresholds) for m in Metric)
    return tuple(s for s in found if (s.before, s.peak, s.after) != (None, None, None))


def _symptom(
    metric: Metric,
    rollback: Rollback | None,
    points: Sequence[Point],
    after: Sequence[Point],
    *,
    window: Window,
    thresholds: Thresholds,
) -> Symptom:
    canary = [f for f in _minutes(points, metric, Side.CANARY, thresholds) if window.holds(f.at)]
    stable = _minutes(points, metric, Side.STABLE, thresholds)
    read = _read_before(rollback, metric, thresholds)
    worst = max([*canary, *read[Side.CANARY]], key=lambda figure: figure.value, default=None)
    return Symptom(
        metric=metric,
        before=_before(metric, canary, stable, read[Side.STABLE], worst, window, thresholds),
        peak=worst,
        after=_after(metric, rollback, _minutes(after, metric, Side.STABLE, thresholds)),
    )


def _minutes(points: Iterable[Point], metric: Metric, side: Side, thresholds: Thresholds) -> list[Figure]:
    """Return one side's minutes that say something of a metric, oldest first."""
    found = []
    for point in points:
        values = point.side(side)
        value, requests = getattr(values, metric.value), values.requests
        enough = metric not in _OF_REQUESTS or (requests or 0) >= thresholds.min_requests
        if value is not None and isfinite(value) and enough:
            sample = requests if metric in _OF_REQUESTS else None
            found.append(Figure(value=value, side=side, at=point.at, sample=sample))
    return found


def _read_before(
    rollback: Rollback | None, metric: Metric, thresholds: Thresholds
) -> dict[Side, list[Figure]]:
    found: dict[Side, list[Figure]] = {Side.CANARY: [], Side.STABLE: []}
    for reading in rollback.before if rollback else ():
        enough = metric not in _OF_REQUESTS or reading.sample >= thresholds.min_requests
        if reading.metric is not metric or reading.value is None or not enough:
            continue
        sample = reading.sample if metric in _OF_REQUESTS else None
        found[reading.side].append(
            Figure(
                value=reading.value,
                side=reading.side,
                at=reading.until,
                sample=sample,
                source=reading.source,
            )
        )
    return found


def _before(
    metric: Metric,
    canary: list[Figure],
    stable: list[Figure],
    read: list[Figure],
    worst: Figure | None,
    window: Window,
    thresholds: Thresholds,
) -> Figure | None:
    """The canary's first green minute before its worst; else stable, as near to the deployment as known."""
    # On the line the calmer colour holds, as in `bot.domain.flags`.
    highest = thresholds.limits(metric).yellow_above
    green = (f for f in canary if (worst is None or f.at < worst.at) and f.value <= highest)
    own = next(green, None)
    if own is not None:
        return own
    earlier = [figure for figure in stable if window.since is not None and figure.at <= window.since]
    return next(iter([*earlier[-1:], *read, *stable]), None)


def _after(metric: Metric, rollback: Rollback | None, minutes: list[Figure]) -> Figure | None:
    if rollback is None:
        return None
    proof = next((e for e in rollback.evidence if e.proof is _PROOFS.get(metric)), None)
    if proof is not None and proof.value is not None and proof.verdict is not Verdict.INCONCLUSIVE:
        return Figure(
            value=proof.value,
            side=Side.STABLE,
            at=proof.until,
            sample=proof.sample,
            source=Source(proof.source),
        )
    settled = rollback.settled_at
    later = [figure for figure in minutes if settled is not None and figure.at - MINUTE >= settled]
    return later[-1] if later else None


def clients_of(snapshots: Sequence[Snapshot]) -> Clients | None:
    """Return the newest count of distinct clients taken at a decision, else the newest of any other."""
    counted = [s for s in snapshots if s.reading.clients is not None]
    decided = [s for s in counted if s.moment is Moment.DECISION]
    newest = (decided or counted)[-1:]
    return newest[0].reading.clients if newest else None


def downtime(points: Iterable[Point], window: Window) -> Downtime:
    """Estimate how long nobody was answered well, out of whole minutes of which the requests are known."""
    inside = [point for point in points if window.holds(point.at)]
    return Downtime(
        everybody=_count(_nobody_answered_well(point.canary, point.stable) for point in inside),
        canary=_count(_nobody_answered_well(point.canary) for point in inside),
    )


def _count(minutes: Iterable[bool | None]) -> int | None:
    known = [minute for minute in minutes if minute is not None]
    return sum(known) if known else None


def _nobody_answered_well(*sides: SideValues) -> bool | None:
    """True when requests came and all of them failed; None where none came, or something is unknown."""
    if any(values.requests is None for values in sides):
        return None
    asked = [values.error_rate for values in sides if values.requests]
    if not asked or None in asked:
        return None
    return all(rate is not None and rate >= 100 for rate in asked)
