"""Histograms: merged before a percentile is taken, cut without losing a value."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.sandbox.cloud.histogram import Buckets, Histogram, latency_buckets, merge, utilization_buckets
from bot.sandbox.cloud.latency import APPLICATION, SLOW_FACTOR

TENS = Buckets("linear", tuple(10.0 * i for i in range(11)), width=10)


def a_histogram(*values: float) -> Histogram:
    histogram = Histogram(TENS)
    for value in values:
        histogram.add(value)
    return histogram


def test_a_percentile_is_interpolated_inside_its_bucket() -> None:
    histogram = a_histogram(*[15.0] * 4, *[45.0] * 4)

    assert histogram.percentile(50) == pytest.approx(20)  # the whole of 10 to 20
    assert histogram.percentile(75) == pytest.approx(45)  # half of 40 to 50
    assert histogram.percentile(100) == pytest.approx(50)


def test_merged_histograms_have_the_percentile_of_all_values_not_the_mean_of_percentiles() -> None:
    many_fast, few_slow = a_histogram(*[15.0] * 96), a_histogram(*[85.0] * 4)

    merged = merge([many_fast, few_slow], TENS)

    assert merged.percentile(95) == pytest.approx(10 + 10 * 95 / 96)
    assert few_slow.percentile(95) == pytest.approx(89.5)


def test_without_values_there_is_no_percentile() -> None:
    assert a_histogram().percentile(95) is None
    assert a_histogram().message().count == 0


def test_an_edge_belongs_to_the_bucket_above_it_and_the_rest_to_the_open_ones() -> None:
    assert [TENS.index(value) for value in (-1, 0, 9.9, 10, 99, 100, 1000)] == [0, 1, 1, 2, 10, 11, 11]
    assert a_histogram(1000.0).percentile(50) == 100


@given(
    st.lists(st.floats(0, 200), max_size=50),
    st.lists(st.floats(0, 1), max_size=5),
)
def test_the_parts_of_a_histogram_add_up_to_it(values: list[float], cuts: list[float]) -> None:
    whole = a_histogram(*values)
    edges = [0.0, *sorted(cuts), 1.0]

    parts = [whole.part(begin, end) for begin, end in pairwise(edges)]

    assert +merge(parts, TENS).counts == whole.counts


def test_the_message_carries_counts_mean_and_bounds() -> None:
    message = a_histogram(15, 15, 45).message()

    assert (message.count, message.mean) == (3, pytest.approx(25))
    assert list(message.bucket_counts) == [0, 0, 2, 0, 0, 1]
    assert message.bucket_options.linear_buckets.width == 10
    assert message.bucket_options.linear_buckets.num_finite_buckets == 10


def test_the_buckets_cover_what_is_measured() -> None:
    assert latency_buckets().bounds[-1] > 60_000
    assert utilization_buckets().index(1.0) == 101


def test_the_latency_model_has_the_p95_of_the_guide() -> None:
    assert APPLICATION.share_below(150) == pytest.approx(0.95)
    assert APPLICATION.share_below(800 / SLOW_FACTOR) == pytest.approx(0.95)
