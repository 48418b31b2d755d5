"""The last hour in one line: to scale, with gaps where nobody knows."""

from datetime import timedelta

import pytest

from bot.domain.observation import Point, SideValues
from bot.domain.readings import Metric, Side
from bot.slack.views.sparkline import COLUMNS, GAP, columns, sparkline
from tests.values import NOON


def point(minutes_ago: float, value: float | None) -> Point:
    return Point(at=NOON - timedelta(minutes=minutes_ago), canary=SideValues(error_rate=value))


@pytest.mark.parametrize(
    ("value", "block"),
    [
        (0.0, "▁"), (0.124, "▁"), (0.125, "▂"), (0.5, "▅"), (0.874, "▇"), (0.875, "█"), (1.0, "█"),
        (7.0, "█"), (-1.0, "▁"),
    ],
)  # fmt: skip
def test_a_value_is_as_high_as_its_part_of_the_top(value: float, block: str) -> None:
    assert sparkline([value], top=1.0) == block


@pytest.mark.parametrize("value", [None, float("nan"), float("inf")])
def test_what_nobody_knows_is_a_gap_and_no_zero(value: float | None) -> None:
    assert sparkline([0.0, value, 1.0], top=1.0) == f"▁{GAP}█"


def test_a_top_of_nothing_leaves_everything_low() -> None:
    assert sparkline([0.0, 3.0], top=0.0) == "▁▁"


def test_the_newest_two_minutes_are_the_last_column_and_the_worse_of_them_counts() -> None:
    found = columns(
        [point(0, 1.0), point(1.9, 5.0), point(2, 3.0)], Metric.ERROR_RATE, Side.CANARY, until=NOON
    )

    assert found[-2:] == [3.0, 5.0]
    assert found[:-2] == [None] * (COLUMNS - 2)


@pytest.mark.parametrize("minutes_ago", [60, 600, -0.1])
def test_what_is_older_than_an_hour_or_from_the_future_is_left_out(minutes_ago: float) -> None:
    found = columns([point(minutes_ago, 1.0)], Metric.ERROR_RATE, Side.CANARY, until=NOON)

    assert found == [None] * COLUMNS


def test_the_oldest_minute_of_the_hour_is_the_first_column() -> None:
    assert columns([point(59.9, 1.0)], Metric.ERROR_RATE, Side.CANARY, until=NOON)[0] == 1.0


def test_a_minute_without_a_number_hides_no_other() -> None:
    points = [point(1, 2.0), point(0.5, None), point(0.2, float("nan"))]

    assert columns(points, Metric.ERROR_RATE, Side.CANARY, until=NOON)[-1] == 2.0


def test_each_side_and_each_metric_has_its_own_line() -> None:
    both = Point(at=NOON, canary=SideValues(p95=900.0), stable=SideValues(p95=80.0))

    assert columns([both], Metric.P95, Side.CANARY, until=NOON)[-1] == 900.0
    assert columns([both], Metric.P95, Side.STABLE, until=NOON)[-1] == 80.0
    assert columns([both], Metric.CPU, Side.STABLE, until=NOON)[-1] is None
