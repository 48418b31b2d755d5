"""Alignment: the raw points of one series to one point a period, counted back from the interval's end."""

from collections.abc import Callable
from dataclasses import dataclass, replace
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


def align(series: Series, aligner: Aggregation.Aligner, periods: Periods) -> Series:
    """Return `series` with one point for each period that holds data, newest first."""
    rule = _RULES[aligner]
    kind = series.kind if rule.keeps_kind else GAUGE
    points = []
    for start, end in periods.newest_first():
        value = _value(series, aligner, start, end)
        if value is not None:
            points.append(Point(start if kind == DELTA else end, end, value))
    return replace(series, kind=kind, value=rule.makes or series.value, points=points)


def _value(series: Series, aligner: Aggregation.Aligner, start: float, end: float) -> Value | None:
    if series.kind == DELTA:
        parts = [_part(p, start, end) for p in series.points if p.end > start and p.start < end]
    else:
        parts = [p.value for p in series.points if start < p.end <= end]
    if not parts:
        return None
    if aligner in _PERCENT:
        merged = _sum(parts, series)
        return merged.percentile(_PERCENT[aligner]) if isinstance(merged, Histogram) else None
    if aligner == _Aligner.ALIGN_RATE:
        return _number(_sum(parts, series)) / (end - start)
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
