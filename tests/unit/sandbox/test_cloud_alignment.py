"""Alignment: what of a series falls into a period, and what is made up where nothing does."""

import random
from typing import Any

import pytest
from google.cloud.monitoring_v3 import Aggregation

from bot.sandbox.cloud.alignment import Periods, align
from bot.sandbox.cloud.histogram import Histogram, latency_buckets
from bot.sandbox.cloud.metric_types import DELTA, DISTRIBUTION, GAUGE, INT64, Value
from bot.sandbox.cloud.series import Point, Series

Aligner: Any = Aggregation.Aligner
MINUTES = Periods(start=0, end=300, seconds=60)


def a_series(*points: Point, kind: int = DELTA, value: int = INT64) -> Series:
    buckets = latency_buckets() if value == DISTRIBUTION else None
    return Series(labels={}, kind=kind, value=value, buckets=buckets, points=list(points))


def values(series: Series) -> dict[float, Value]:
    """Return the values by the end of their periods."""
    return {point.end: point.value for point in series.points}


def a_histogram(*latencies: float) -> Histogram:
    made = Histogram(latency_buckets())
    for latency in latencies:
        made.add(latency)
    return made


@pytest.mark.parametrize("seed", range(20))
def test_every_point_is_counted_in_the_periods_it_reaches_into(seed: int) -> None:
    rng = random.Random(seed)
    edges = sorted({rng.uniform(0, 300) for _ in range(80)} | {60.0, 120.0})
    points = [
        Point(start, end, rng.randint(0, 9)) for start, end in zip(edges[::2], edges[1::2], strict=False)
    ]
    gauges = [Point(end, end, rng.randint(0, 9)) for end in edges]

    summed = values(align(a_series(*points), Aligner.ALIGN_DELTA, MINUTES))
    largest = values(align(a_series(*gauges, kind=GAUGE), Aligner.ALIGN_MAX, MINUTES))

    for end in (60.0, 120.0, 180.0, 240.0, 300.0):
        parts = [
            int(p.value * min(max((end - p.start) / (p.end - p.start), 0), 1))
            - int(p.value * min(max((end - 60 - p.start) / (p.end - p.start), 0), 1))
            for p in points
            if p.end > end - 60 and p.start < end and isinstance(p.value, int)
        ]
        inside = [g.value for g in gauges if end - 60 < g.end <= end and isinstance(g.value, int)]
        assert summed.get(end) == (sum(parts) if parts else None)
        assert largest.get(end) == (max(inside) if inside else None)


def test_a_point_on_the_edge_belongs_to_the_period_that_ends_there() -> None:
    deltas = a_series(Point(0, 60, 1), Point(60, 120, 2))
    gauges = a_series(Point(60, 60, 1), Point(60.001, 60.001, 2), kind=GAUGE)

    assert values(align(deltas, Aligner.ALIGN_DELTA, MINUTES)) == {60: 1, 120: 2}
    assert values(align(gauges, Aligner.ALIGN_MAX, MINUTES)) == {60: 1, 120: 2}


def test_periods_without_data_are_left_out() -> None:
    series = a_series(Point(0, 60, 10), Point(180, 240, 40))

    assert values(align(series, Aligner.ALIGN_DELTA, MINUTES)) == {60: 10, 240: 40}


def test_periods_between_two_with_data_are_made_up_where_google_does() -> None:
    series = a_series(Point(0, 60, 10), Point(180, 240, 40))

    delta = values(align(series, Aligner.ALIGN_DELTA, MINUTES, interpolate=True))
    rate = values(align(series, Aligner.ALIGN_RATE, MINUTES, interpolate=True))
    total = values(align(series, Aligner.ALIGN_SUM, MINUTES, interpolate=True))

    assert delta == {60: 10, 120: 20, 180: 30, 240: 40}
    assert rate[120] == pytest.approx(20 / 60)
    assert total == {60: 10, 240: 40}


def test_a_distribution_is_made_up_of_parts_of_its_neighbours() -> None:
    series = a_series(
        Point(0, 60, a_histogram(*[10.0] * 8)), Point(120, 180, a_histogram(*[100.0] * 8)), value=DISTRIBUTION
    )

    between = values(align(series, Aligner.ALIGN_DELTA, MINUTES, interpolate=True))[120]

    assert isinstance(between, Histogram)
    assert sorted(between.counts.values()) == [4, 4]
