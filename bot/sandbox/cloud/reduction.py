"""Reduction: many aligned series to one for each group of labels."""

from collections.abc import Callable, Sequence
from typing import Any

from google.cloud.monitoring_v3 import Aggregation

from bot.sandbox.cloud.histogram import Histogram, merge
from bot.sandbox.cloud.metric_types import DELTA, DISTRIBUTION, DOUBLE, GAUGE, INT64, Value
from bot.sandbox.cloud.rejection import invalid
from bot.sandbox.cloud.series import Point, Series

_Reducer = Aggregation.Reducer
_PERCENT = {
    _Reducer.REDUCE_PERCENTILE_99: 99,
    _Reducer.REDUCE_PERCENTILE_95: 95,
    _Reducer.REDUCE_PERCENTILE_50: 50,
    _Reducer.REDUCE_PERCENTILE_05: 5,
}
_KNOWN = {
    _Reducer.REDUCE_SUM,
    _Reducer.REDUCE_MEAN,
    _Reducer.REDUCE_MAX,
    _Reducer.REDUCE_MIN,
    _Reducer.REDUCE_COUNT,
    *_PERCENT,
}


def check_reducer(reducer: Aggregation.Reducer, *, value: int) -> None:
    """Refuse a reducer that does not fit the aligned series.

    Raises:
        Rejection: INVALID_ARGUMENT.
    """
    numbers_only = reducer in (_Reducer.REDUCE_MAX, _Reducer.REDUCE_MIN)
    if reducer not in _KNOWN or (numbers_only and value == DISTRIBUTION):
        raise invalid(
            f'Field aggregation.crossSeriesReducer had an invalid value of "{reducer.name}" '
            "for the value type of the aligned series."
        )


def reduce(series: Sequence[Series], reducer: Aggregation.Reducer, group_by: Sequence[str]) -> list[Series]:
    """Return one series for each combination of the `group_by` labels, points newest first."""
    groups: dict[tuple[str, ...], list[Series]] = {}
    for one in series:
        groups.setdefault(tuple(one.labels.get(label, "") for label in group_by), []).append(one)
    return [
        _reduced(dict(zip(group_by, labels, strict=True)), members, reducer)
        for labels, members in groups.items()
    ]


def _reduced(labels: dict[str, str], members: list[Series], reducer: Aggregation.Reducer) -> Series:
    first = members[0]
    by_end: dict[float, list[Point]] = {}
    for member in members:
        for point in member.points:
            by_end.setdefault(point.end, []).append(point)
    value_type = _value_type(first, reducer)
    kind = DELTA if first.kind == DELTA and value_type == first.value else GAUGE
    points = []
    for end in sorted(by_end, reverse=True):
        value = _value([point.value for point in by_end[end]], first, reducer)
        if value is not None:
            points.append(Point(by_end[end][0].start if kind == DELTA else end, end, value))
    return Series(labels=labels, kind=kind, value=value_type, buckets=first.buckets, points=points)


def _value_type(series: Series, reducer: Aggregation.Reducer) -> int:
    if reducer == _Reducer.REDUCE_COUNT:
        return INT64
    return DOUBLE if reducer in _PERCENT or reducer == _Reducer.REDUCE_MEAN else series.value


def _value(values: list[Value], series: Series, reducer: Aggregation.Reducer) -> Value | None:
    if reducer == _Reducer.REDUCE_COUNT:
        return len(values)
    histograms = [value for value in values if isinstance(value, Histogram)]
    if histograms and series.buckets is not None:
        return _of_distributions(merge(histograms, series.buckets), reducer)
    return _of_numbers([value for value in values if not isinstance(value, Histogram)], reducer)


def _of_distributions(merged: Histogram, reducer: Aggregation.Reducer) -> Value | None:
    if reducer in _PERCENT:
        return merged.percentile(_PERCENT[reducer])
    if reducer == _Reducer.REDUCE_MEAN:
        return merged.total / merged.count if merged.count else None
    return merged


def _of_numbers(values: list[float], reducer: Aggregation.Reducer) -> Value:
    if reducer in _PERCENT:
        return sorted(values)[max(-(-len(values) * _PERCENT[reducer] // 100), 1) - 1]
    return _FOLDS[reducer](values)


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)


_FOLDS: dict[Any, Callable[[list[float]], float]] = {
    _Reducer.REDUCE_SUM: sum,
    _Reducer.REDUCE_MEAN: _mean,
    _Reducer.REDUCE_MAX: max,
    _Reducer.REDUCE_MIN: min,
}
