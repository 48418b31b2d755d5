"""Readings: percentiles, ages, and what a probe counts as well."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.readings import Metric, percentile
from tests.values import NOON, a_probe, a_reading, seconds

NUMBERS = st.lists(st.floats(0, 1e6), min_size=1, max_size=60).map(tuple)


@pytest.mark.parametrize(
    ("values", "percent", "expected"),
    [
        ((), 95, None),
        ((7.0,), 1, 7.0),
        ((7.0,), 95, 7.0),
        ((7.0,), 100, 7.0),
        ((3.0, 1.0, 2.0), 50, 2.0),
        (tuple(float(n) for n in range(1, 101)), 95, 95.0),
        (tuple(float(n) for n in range(1, 21)), 95, 19.0),
        (tuple(float(n) for n in range(1, 20)), 95, 19.0),
        (tuple(float(n) for n in range(1, 101)), 99.9, 100.0),
        (tuple(float(n) for n in range(1, 101)), 100, 100.0),
    ],
)
def test_a_percentile_is_the_nearest_rank(
    values: tuple[float, ...], percent: float, expected: float | None
) -> None:
    assert percentile(values, percent) == expected


@given(NUMBERS, st.floats(0.1, 100))
def test_a_percentile_is_a_value_that_so_many_do_not_exceed(
    values: tuple[float, ...], percent: float
) -> None:
    found = percentile(values, percent)

    assert found in values
    assert sum(v <= found for v in values) >= len(values) * percent / 100 - 1e-9


@given(NUMBERS, st.randoms())
def test_the_order_of_values_does_not_matter(values: tuple[float, ...], random: object) -> None:
    assert percentile(values, 95) == percentile(tuple(reversed(values)), 95)


def test_an_age_is_never_negative() -> None:
    reading = a_reading(until=NOON + seconds(5))

    assert reading.age(now=NOON) == timedelta()
    assert reading.age(now=NOON + seconds(9)) == seconds(4)


def test_throttled_probes_are_neither_good_nor_failures() -> None:
    assert a_probe(sent=5, failures=1, throttled=2).answered_well == 2


def test_percent_for_all_but_response_times() -> None:
    assert [metric.unit for metric in Metric] == ["%", "ms", "%", "%"]
