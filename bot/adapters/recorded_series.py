"""A recorded series as observations: what is odd is named with its line, and never acted on wrongly.

Columns: ``time`` (when the window ended), ``requests`` and ``errors`` of the window, and ``side``
(``canary`` or ``stable``) or ``revision``; optional ``latencies`` (``110:45 600:3``: upper bound in
milliseconds and count) or ``le_500``, ``le_inf`` (as Prometheus counts), ``p95_ms``, ``memory``, ``cpu``
(percent). CSV, JSON (an array of objects) or JSON lines.
"""

import math
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

from bot.adapters.recorded_cells import Cells
from bot.adapters.recorded_rows import LE, Row, read_rows
from bot.domain.observation import Gauges, Observation, Tally, cell_of
from bot.domain.readings import Side, Source
from bot.domain.recorded import BadSeries, NoSeries, Oddity, Recorded

#: What the sides are called elsewhere.
_SIDES = {
    "canary": Side.CANARY, "experiment": Side.CANARY, "candidate": Side.CANARY, "preview": Side.CANARY,
    "stable": Side.STABLE, "legacy": Side.STABLE, "baseline": Side.STABLE, "control": Side.STABLE,
    "primary": Side.STABLE,
}  # fmt: skip
#: A window of a minute or more is a reading by itself, as Cloud Monitoring's are.
_READING_BY_ITSELF_SECONDS = 60.0
#: Longer windows say nothing about a deployment that is watched.
_LONGEST_STEP_SECONDS = 3600.0
#: A window may be so much longer than the usual one before it is a gap.
_GAP_FACTOR = 1.5
#: Counts that never fall over so many windows, and rise in most of them, are counters.
_COUNTER_ROWS, _COUNTER_RISES = 8, 0.8


@dataclass(frozen=True, kw_only=True)
class _Point:
    """One side's window that ended at `at`, as far as it can be read; None: says nothing."""

    line: int
    at: datetime
    side: Side
    revision: str
    requests: int | None = None
    errors: int | None = None
    latencies: tuple[tuple[int, int], ...] | None = None
    p95_ms: float | None = None
    memory: float | None = None
    cpu: float | None = None

    @property
    def tally(self) -> Tally | None:
        """The counts, where there are any."""
        if self.requests is None or self.errors is None:
            return None
        return Tally(requests=self.requests, errors=self.errors, latencies=self.latencies or ())


def read_series(path: Path, *, canary: str | None = None, cumulative: bool | None = None) -> Recorded:
    """Read a recorded series.

    Args:
        path: CSV, JSON or JSON lines.
        canary: the revision that is the canary, where the file has no column ``side``.
        cumulative: whether counts go on from window to window; None: looked for.

    Raises:
        BadSeries: nothing of it can be used.
    """
    rows, columns, remarks = read_rows(path)
    if "time" not in columns:
        raise BadSeries(NoSeries.NO_TIME, file=path.name)
    if not {"requests", "errors"} <= columns and not {"memory", "cpu"} & columns:
        raise BadSeries(NoSeries.NO_COUNTS, file=path.name)
    cells = Cells(rows, columns)
    points = list(_points(rows, cells, _canary_name(rows, columns, canary, cells), path))
    if not points:
        raise BadSeries(NoSeries.NO_ROWS, file=path.name)
    series = {side: _in_order([p for p in points if p.side is side], cells) for side in Side}
    if not series[Side.CANARY]:
        raise BadSeries(NoSeries.UNKNOWN_CANARY, canary=canary or Side.CANARY.value)
    counters = _are_counters(series[Side.CANARY], cells) if cumulative is None else cumulative
    if counters:
        series = {side: _differences(found, cells) for side, found in series.items()}
    series = {side: [_checked(point, cells) for point in found] for side, found in series.items()}
    step = _step(series[Side.CANARY])
    seen = tuple(_observations(series[Side.CANARY], series[Side.STABLE], step, cells))
    return Recorded(
        observations=seen,
        remarks=tuple(sorted((*remarks, *cells.remarks), key=lambda one: one.line or 0)),
        canary=series[Side.CANARY][-1].revision,
        step_seconds=step.total_seconds(),
        rows=len(rows),
        cumulative=counters,
    )


# Who is the canary.


def _canary_name(
    rows: Sequence[Row], columns: frozenset[str], wanted: str | None, cells: Cells
) -> str | None:
    """The canary's revision; None where the file has a column ``side`` that says it."""
    if wanted is None and "side" in columns:
        return None
    if "revision" not in columns:
        if "side" in columns or wanted is not None:
            raise BadSeries(NoSeries.UNKNOWN_CANARY, canary=wanted)
        cells.remark(Oddity.NO_STABLE, None)
        return ""
    requests: defaultdict[str, float] = defaultdict(float)
    for row in rows:
        requests[_text(row, "revision")] += cells.quietly(row, "requests")
    requests.pop("", None)
    if wanted is not None:
        if wanted not in requests:
            raise BadSeries(NoSeries.UNKNOWN_CANARY, canary=wanted, known=", ".join(sorted(requests)[:9]))
        return wanted
    if len(requests) > 2:
        raise BadSeries(NoSeries.WHICH_CANARY, known=", ".join(sorted(requests)[:9]))
    fewest = min(requests, key=lambda name: (requests[name], name), default="")
    cells.remark(Oddity.GUESSED_CANARY if len(requests) == 2 else Oddity.NO_STABLE, None, canary=fewest)
    return fewest


def _text(row: Row, column: str) -> str:
    value = row.cells.get(column)
    return "" if value is None else str(value).strip()


def _side(row: Row, canary: str | None) -> Side | None:
    if canary is None:
        return _SIDES.get(_text(row, "side").lower())
    return Side.CANARY if _text(row, "revision") == canary else Side.STABLE


# Lines.


def _points(rows: Iterable[Row], cells: Cells, canary: str | None, path: Path) -> Iterator[_Point]:
    for row in rows:
        side = _side(row, canary)
        if side is None:
            cells.remark(Oddity.NO_SIDE, row.line, found=_text(row, "side"))
            continue
        at = cells.time(row)
        if at is None:
            continue
        yield _Point(
            line=row.line,
            at=at,
            side=side,
            revision=_text(row, "revision") or side.value,
            requests=cells.count(row, "requests"),
            errors=cells.count(row, "errors"),
            latencies=_latencies(row, cells),
            p95_ms=cells.number(row, "p95_ms"),
            memory=cells.number(row, "memory"),
            cpu=cells.number(row, "cpu"),
        )


def _latencies(row: Row, cells: Cells) -> tuple[tuple[int, int], ...] | None:
    """A window's histogram in our own cells; None where the line has none that can be read."""
    found = cells.histogram(row) if "latencies" in cells.columns else _from_bounds(row, cells)
    if found is None:
        return None
    counts: Counter[int] = Counter()
    for bound, count in found:
        counts[cell_of(bound)] += count
    return tuple(sorted((bound, count) for bound, count in counts.items() if count))


def _from_bounds(row: Row, cells: Cells) -> list[tuple[float, int]] | None:
    if not cells.bounds:
        return None
    below, found = 0, []
    for column in cells.bounds:
        count = cells.count(row, column)
        if count is None:
            return None
        if count < below:
            cells.remark(Oddity.BAD_LATENCIES, row.line, column=column, found=count)
            return None
        match = LE.fullmatch(column)
        bound = match["bound"] if match else "inf"
        found.append((math.inf if bound == "inf" else float(bound), count - below))
        below = count
    return found


# Their order.


def _in_order(points: list[_Point], cells: Cells) -> list[_Point]:
    """The longest part of `points` whose times rise; whatever stands beside it is named.

    One time from the future would otherwise make everything behind it too late. Several revisions of
    stable in one window are added up.
    """
    points = _added_up(points, cells)
    kept = _longest_rise([point.at for point in points])
    there = {points[place].at: points[place] for place in kept}
    times, chosen = sorted(there), set(kept)
    for place, point in enumerate(points):
        if place in chosen:
            continue
        if point.at in there:
            cells.remark(Oddity.TWICE, point.line, first=there[point.at].line)
            continue
        behind = [points[other] for other in kept if other > place]
        ahead = bool(behind) and point.at > behind[0].at
        oddity = Oddity.FUTURE if ahead or point.at > times[-1] else Oddity.LATE
        cells.remark(oddity, point.line, found=point.at.isoformat())
    return [points[place] for place in kept]


def _added_up(points: list[_Point], cells: Cells) -> list[_Point]:
    """Stable may be more than one revision: what ended at the same time belongs together."""
    if not points or points[0].side is Side.CANARY or len({p.revision for p in points}) < 2:
        return points
    together: dict[datetime, _Point] = {}
    seen: set[tuple[datetime, str]] = set()
    for point in points:
        if (point.at, point.revision) in seen:
            cells.remark(Oddity.TWICE, point.line, first=together[point.at].line)
            continue
        seen.add((point.at, point.revision))
        before = together.get(point.at)
        together[point.at] = point if before is None else _sum(before, point)
    return list(together.values())


def _sum(one: _Point, other: _Point) -> _Point:
    both = (one.tally or Tally()) + (other.tally or Tally())
    return replace(
        one,
        requests=both.requests,
        errors=both.errors,
        latencies=both.latencies or None,
        memory=_larger(one.memory, other.memory),
        cpu=_larger(one.cpu, other.cpu),
        p95_ms=_larger(one.p95_ms, other.p95_ms),
    )


def _larger(one: float | None, other: float | None) -> float | None:
    return max((value for value in (one, other) if value is not None), default=None)


def _longest_rise(times: Sequence[datetime]) -> list[int]:
    """Places of the longest part of `times` that strictly rises, in order."""
    ends: list[datetime] = []
    places: list[int] = []
    before: list[int] = []
    for place, at in enumerate(times):
        length = bisect_left(ends, at)
        before.append(places[length - 1] if length else -1)
        if length == len(ends):
            ends.append(at)
            places.append(place)
        elif at < ends[length]:  # Of two at the same time the first one stays.
            ends[length], places[length] = at, place
    chosen, place = [], places[-1] if places else -1
    while place >= 0:
        chosen.append(place)
        place = before[place]
    return chosen[::-1]


# Counters.


def _are_counters(points: Sequence[_Point], cells: Cells) -> bool:
    """Whether the counts look like counters: they rise from window to window, or begin anew."""
    counts = [point.requests for point in points if point.requests is not None]
    steps = list(pairwise(counts))
    if len(counts) < _COUNTER_ROWS:
        return False
    rises = sum(before < after for before, after in steps)
    resets = sum(after < before / 2 for before, after in steps)
    grows = max(counts) > 3 * max(counts[0], 1) or resets > 0
    found = rises >= _COUNTER_RISES * len(steps) and rises + resets == len(steps) and grows
    if found:
        cells.remark(Oddity.COUNTERS_FOUND, None)
    return found


def _differences(points: Sequence[_Point], cells: Cells) -> list[_Point]:
    """What came in each window, from counters; the first line is only where they begin."""
    found: list[_Point] = []
    for before, point in pairwise(points):
        if before.requests is None or point.requests is None or point.revision != before.revision:
            found.append(replace(point, requests=None, errors=None, latencies=None))
        elif point.requests < before.requests or (point.errors or 0) < (before.errors or 0):
            # It counts from nothing again: what it holds came since then.
            cells.remark(Oddity.COUNTER_RESET, point.line, before=before.requests, found=point.requests)
            found.append(point)
        else:
            found.append(_difference(before, point))
    return found


def _difference(before: _Point, point: _Point) -> _Point:
    requests = (point.requests or 0) - (before.requests or 0)
    errors = None if point.errors is None or before.errors is None else point.errors - before.errors
    earlier = dict(before.latencies or ())
    latencies = [(bound, count - earlier.get(bound, 0)) for bound, count in point.latencies or ()]
    known = point.latencies is not None and all(count >= 0 for _, count in latencies)
    kept = tuple((bound, count) for bound, count in latencies if count) if known else None
    return replace(point, requests=requests, errors=errors, latencies=kept)


def _checked(point: _Point, cells: Cells) -> _Point:
    """A window whose numbers contradict each other says nothing."""
    tally = point.tally
    if tally is None:
        return replace(point, requests=None, errors=None, latencies=None)
    if tally.errors > tally.requests:
        cells.remark(Oddity.MORE_ERRORS, point.line, errors=tally.errors, requests=tally.requests)
        return replace(point, requests=None, errors=None, latencies=None)
    timed = sum(count for _, count in tally.latencies)
    if timed > tally.requests:
        cells.remark(Oddity.MORE_LATENCIES, point.line, timed=timed, requests=tally.requests)
        return replace(point, latencies=None)
    return point


# Windows.


def _step(points: Sequence[_Point]) -> timedelta:
    """The usual length of a window: the distance most lines have from the one before."""
    distances = Counter(round((b.at - a.at).total_seconds(), 1) for a, b in pairwise(points))
    if not distances:
        raise BadSeries(NoSeries.NO_STEP)
    usual = max(distances, key=lambda length: (distances[length], -length))
    if usual > _LONGEST_STEP_SECONDS:
        raise BadSeries(NoSeries.NO_STEP, seconds=usual)
    return timedelta(seconds=usual)


def _observations(
    canary: Sequence[_Point], stable: Sequence[_Point], step: timedelta, cells: Cells
) -> Iterator[Observation]:
    times = [point.at for point in stable]
    missing: list[int] = []
    before: _Point | None = None
    for point in canary:
        since = point.at - step
        if before is not None:
            since = _since(before, point, step, cells)
        beside = _nearest(stable, times, point.at, step / 2)
        if stable and beside is None:
            missing.append(point.line)
        yield _observation(point, beside, since, step)
        before = point
    if missing:
        cells.remark(Oddity.STABLE_MISSING, missing[0], count=len(missing))
    gone = [point for point in stable if canary and point.at > canary[-1].at + step / 2]
    if gone:
        last = canary[-1]
        cells.remark(Oddity.DISAPPEARED, last.line, canary=last.revision, count=len(gone))
        yield from (_unread(last.revision, point, step) for point in gone)


def _since(before: _Point, point: _Point, step: timedelta, cells: Cells) -> datetime:
    distance = point.at - before.at
    if distance <= _GAP_FACTOR * step:
        return before.at
    cells.remark(Oddity.GAP, point.line, seconds=round((distance - step).total_seconds()), first=before.line)
    return point.at - step


def _nearest(
    points: Sequence[_Point], times: Sequence[datetime], at: datetime, within: timedelta
) -> _Point | None:
    place = bisect_left(times, at)
    beside = [points[one] for one in (place - 1, place) if 0 <= one < len(points)]
    nearest = min(beside, key=lambda point: abs(point.at - at), default=None)
    return nearest if nearest is not None and abs(nearest.at - at) <= within else None


def _observation(point: _Point, beside: _Point | None, since: datetime, step: timedelta) -> Observation:
    own, other = point.tally, beside.tally if beside else None
    share = None
    if own and other and own.requests + other.requests:
        share = round(100 * own.requests / (own.requests + other.requests))
    return Observation(
        revision=point.revision,
        since=since,
        until=point.at,
        source=_source(step),
        canary=own,
        stable=other,
        canary_gauges=_gauges(point),
        stable_gauges=_gauges(beside) if beside else None,
        canary_percent=share,
        canary_p95_ms=point.p95_ms,
        stable_p95_ms=beside.p95_ms if beside else None,
    )


def _source(step: timedelta) -> Source:
    long = step.total_seconds() >= _READING_BY_ITSELF_SECONDS
    return Source.MONITORING if long else Source.REQUEST_LOG


def _gauges(point: _Point) -> Gauges | None:
    if point.memory is None and point.cpu is None:
        return None
    return Gauges(until=point.at, memory=point.memory, cpu=point.cpu)


def _unread(canary: str, point: _Point, step: timedelta) -> Observation:
    """A window of which only stable is known: the canary is not at fault for having no lines."""
    return Observation(revision=canary, since=point.at - step, until=point.at, source=_source(step))
