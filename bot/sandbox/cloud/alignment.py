"""Alignment: the raw points of one series to one point a period, counted back from the interval's end."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from google.cloud.monitoring_v3 import Aggregation

from bot.sandbox.cloud.histogram import Histogram, merge
from bot.sandbox.cloud.metric_types import DELTA, DISTRIBUTION, DOUBLE, GAUGE, INT64, Value
from bot.sandbox.cloud.rejection import invalid
from bot.sandbox.cloud.series import Point, Series

_Aligner = Aggregation.Aligner
_NUMBERS = "number"
_ANY = "any"
_DISTRIBUTIONS = "distribution"


@dataclass(frozen=True)
class _Rule:
    """What an aligner takes and makes. `makes` None: the value type stays."""

    kinds: tuple[int, ...]
    values: str
    makes: int | None = None
    keeps_kind: bool = False


#: Source: the Aligner enumeration's own comments.
_RULES = {
    _Aligner.ALIGN_DELTA: _Rule((DELTA,), _ANY, keeps_kind=True),
    _Aligner.ALIGN_RATE: _Rule((DELTA,), _NUMBERS, DOUBLE),
    _Aligner.ALIGN_NEXT_OLDER: _Rule((GAUGE,), _ANY),
    _Aligner.ALIGN_MIN: _Rule((GAUGE, DELTA), _NUMBERS),
    _Aligner.ALIGN_MAX: _Rule((GAUGE, DELTA), _NUMBERS),
    _Aligner.ALIGN_MEAN: _Rule((GAUGE, DELTA), _NUMBERS, DOUBLE),
    _Aligner.ALIGN_SUM: _Rule((GAUGE, DELTA), _ANY),
    _Aligner.ALIGN_COUNT: _Rule((GAUGE, DELTA), _ANY, INT64),
    _Aligner.ALIGN_PERCENTILE_99: _Rule((GAUGE, DELTA), _DISTRIBUTIONS, DOUBLE),
    _Aligner.ALIGN_PERCENTILE_95: _Rule((GAUGE, DELTA), _DISTRIBUTIONS, DOUBLE),
    _Aligner.ALIGN_PERCENTILE_50: _Rule((GAUGE, DELTA), _DISTRIBUTIONS, DOUBLE),
    _Aligner.ALIGN_PERCENTILE_05: _Rule((GAUGE, DELTA), _DISTRIBUTIONS, DOUBLE),
}
_PERCENT = {
    _Aligner.ALIGN_PERCENTILE_99: 99,
    _Aligner.ALIGN_PERCENTILE_95: 95,
    _Aligner.ALIGN_PERCENTILE_50: 50,
    _Aligner.ALIGN_PERCENTILE_05: 5,
}


@dataclass(frozen=True, kw_only=True)
class Periods:
    """The aligned periods of a query: `seconds` long, ending at `end` and before, until `start`."""

    start: float
    end: float
    seconds: float

    def newest_first(self) -> list[tuple[float, float]]:
        """Return (start, end) of every period that ends after `start`."""
        found, end = [], self.end
        while end > self.start:
            found.append((end - self.seconds, end))
            end -= self.seconds
        return found


def check_aligner(aligner: Aggregation.Aligner, *, kind: int, value: int) -> None:
    """Refuse an aligner that does not fit the metric.

    Raises:
        Rejection: INVALID_ARGUMENT.
    """
    rule = _RULES.get(aligner)
    distribution = value == DISTRIBUTION
    fits = rule is not None and kind in rule.kinds
    if rule is None or not fits or (rule.values == _NUMBERS and distribution):
        raise _unfit(aligner, kind, value)
    if rule.values == _DISTRIBUTIONS and not distribution:
        raise _unfit(aligner, kind, value)


#: Aligners that make up what is missing: "if the selected alignment period results in periods with no data,
#: then the aligned value for such a period is created by interpolation". Source: the Aligner's comments.
_INTERPOLATING = (_Aligner.ALIGN_DELTA, _Aligner.ALIGN_RATE)


def align(
    series: Series, aligner: Aggregation.Aligner, periods: Periods, *, interpolate: bool = False
) -> Series:
    """Return `series`, oldest point first, with one for each period that holds data, newest first.

    With `interpolate` some aligners fill the periods between two that hold data, too.
    """
    rule = _RULES[aligner]
    kind = series.kind if rule.keeps_kind else GAUGE
    inside = _Inside(series)
    spans = periods.newest_first()
    values = [_value(series, inside.values(start, end), aligner, seconds=end - start) for start, end in spans]
    if interpolate and aligner in _INTERPOLATING:
        values = _filled(values)
    points = [
        Point(start if kind == DELTA else end, end, value)
        for (start, end), value in zip(spans, values, strict=True)
        if value is not None
    ]
    return replace(series, kind=kind, value=rule.makes or series.value, points=points)


def _filled(values: list[Value | None]) -> list[Value | None]:
    """Return `values` with a straight line over every gap between two of them."""
    known = [index for index, value in enumerate(values) if value is not None]
    filled = list(values)
    for before, after in pairwise(known):
        for index in range(before + 1, after):
            filled[index] = _between(values[before], values[after], (index - before) / (after - before))
    return filled


def _between(first: Value | None, last: Value | None, share: float) -> Value:
    """Return the value `share` of the way (0 to 1) from `first` to `last`."""
    if isinstance(first, Histogram) and isinstance(last, Histogram):
        return merge([first.part(0.0, 1 - share), last.part(0.0, share)], first.buckets)
    assert isinstance(first, (int, float))
    assert isinstance(last, (int, float))
    value = first + (last - first) * share
    return round(value) if isinstance(first, int) and isinstance(last, int) else value


class _Inside:
    """What of a series fell into a period, found by halving: a period looks at its own points only."""

    def __init__(self, series: Series) -> None:
        self._points = series.points
        self._ends = [point.end for point in series.points]
        self._starts = [point.start for point in series.points] if series.kind == DELTA else None

    def values(self, start: float, end: float) -> list[Value]:
        """Return the values from `start` to `end`, oldest first, of a delta only what falls between them."""
        first = bisect_right(self._ends, start)
        if self._starts is None:
            return [point.value for point in self._points[first : bisect_right(self._ends, end)]]
        last = bisect_left(self._starts, end)
        return [_part(point, start, end) for point in self._points[first:last]]


def _value(
    series: Series, parts: list[Value], aligner: Aggregation.Aligner, *, seconds: float
) -> Value | None:
    if not parts:
        return None
    if aligner in _PERCENT:
        merged = _sum(parts, series)
        return merged.percentile(_PERCENT[aligner]) if isinstance(merged, Histogram) else None
    if aligner == _Aligner.ALIGN_RATE:
        return _number(_sum(parts, series)) / seconds
    if aligner == _Aligner.ALIGN_NEXT_OLDER:
        return parts[-1]
    if aligner in _FOLDS:
        return _FOLDS[aligner]([_number(part) for part in parts])
    return len(parts) if aligner == _Aligner.ALIGN_COUNT else _sum(parts, series)


def _mean(numbers: list[float]) -> float:
    return sum(numbers) / len(numbers)


_FOLDS: dict[Any, Callable[[list[float]], float]] = {
    _Aligner.ALIGN_MIN: min,
    _Aligner.ALIGN_MAX: max,
    _Aligner.ALIGN_MEAN: _mean,
}


def _part(point: Point, start: float, end: float) -> Value:
    """Return what of `point` fell into the period, whole numbers, as if it had come evenly."""
    length = point.end - point.start
    begin = min(max((start - point.start) / length, 0.0), 1.0)
    finish = min(max((end - point.start) / length, 0.0), 1.0)
    if isinstance(point.value, Histogram):
        return point.value if (begin, finish) == (0.0, 1.0) else point.value.part(begin, finish)
    return int(point.value * finish) - int(point.value * begin)


def _sum(parts: list[Value], series: Series) -> Value:
    if series.buckets is not None:
        return merge([part for part in parts if isinstance(part, Histogram)], series.buckets)
    return sum(_number(part) for part in parts)


def _number(value: Value) -> float:
    assert not isinstance(value, Histogram)
    return value


def _unfit(aligner: Aggregation.Aligner, kind: int, value: int) -> Exception:
    kinds = {GAUGE: "GAUGE", DELTA: "DELTA"}
    values = {INT64: "INT64", DOUBLE: "DOUBLE", DISTRIBUTION: "DISTRIBUTION"}
    return invalid(
        f'Field aggregation.perSeriesAligner had an invalid value of "{aligner.name}": '
        f"The aligner cannot be applied to metrics with kind {kinds[kind]} and value type {values[value]}."
    )
