"""Red, yellow, green and grey: on every threshold, and on both sides of it."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.flags import Colour, Flag, GreyWhy, flag, flags, looks_healthy
from bot.domain.playbook import Thresholds
from bot.domain.readings import Metric, Side
from tests.values import HEALTHY, NOON, a_reading, seconds

GUIDE = Thresholds()


def colour_of(metric: Metric, value: float) -> Colour:
    return flag(a_reading(metric, value), GUIDE, now=NOON).colour


@pytest.mark.parametrize(
    ("metric", "yellow_above", "red_above"),
    [(Metric.ERROR_RATE, 0.5, 1.0), (Metric.P95, 200, 500), (Metric.MEMORY, 70, 85), (Metric.CPU, 70, 90)],
)
def test_a_metric_changes_colour_just_above_the_guides_numbers(
    metric: Metric, yellow_above: float, red_above: float
) -> None:
    values = (0, yellow_above, yellow_above + 0.001, red_above, red_above + 0.001)

    colours = [colour_of(metric, value) for value in values]

    assert colours == [Colour.GREEN, Colour.GREEN, Colour.YELLOW, Colour.YELLOW, Colour.RED]


def grey_why(**reading: object) -> GreyWhy | None:
    found = flag(a_reading(**reading), GUIDE, now=NOON)  # type: ignore[arg-type]
    assert (found.colour is Colour.GREY) == (found.why is not None)
    return found.why


def test_a_reading_without_a_value_is_grey() -> None:
    assert grey_why(value=None) is GreyWhy.NO_DATA


def test_a_source_that_failed_is_grey_and_says_so() -> None:
    assert grey_why(value=None, problem="403 from Google") is GreyWhy.SOURCE_FAILED


@pytest.mark.parametrize(
    ("age_seconds", "why"), [(300, None), (300.001, GreyWhy.STALE), (9999, GreyWhy.STALE)]
)
def test_data_is_stale_once_it_is_older_than_five_minutes(age_seconds: float, why: GreyWhy | None) -> None:
    assert grey_why(until=NOON - seconds(age_seconds)) is why


@pytest.mark.parametrize("metric", [Metric.ERROR_RATE, Metric.P95])
@pytest.mark.parametrize(
    ("sample", "why"), [(0, GreyWhy.TOO_FEW_REQUESTS), (49, GreyWhy.TOO_FEW_REQUESTS), (50, None)]
)
def test_fewer_than_fifty_requests_prove_nothing(metric: Metric, sample: int, why: GreyWhy | None) -> None:
    assert grey_why(metric=metric, sample=sample) is why


@pytest.mark.parametrize("metric", [Metric.MEMORY, Metric.CPU])
def test_memory_and_cpu_need_no_requests(metric: Metric) -> None:
    assert grey_why(metric=metric, sample=1) is None


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -0.1])
def test_a_number_that_cannot_be_is_no_data(value: float) -> None:
    assert grey_why(value=value) is GreyWhy.NO_DATA


@pytest.mark.parametrize(
    ("errors", "colour"), [(2, Colour.YELLOW), (3, Colour.RED), (None, Colour.RED), (0, Colour.YELLOW)]
)
def test_an_error_rate_made_of_too_few_errors_is_never_red(errors: int | None, colour: Colour) -> None:
    reading = a_reading(Metric.ERROR_RATE, 5.0, errors=errors)

    assert flag(reading, GUIDE, now=NOON, min_errors=3).colour is colour
    assert flags([reading], GUIDE, now=NOON, min_errors=3)[0].colour is colour


def test_errors_say_nothing_about_another_metric() -> None:
    assert flag(a_reading(Metric.P95, 900, errors=0), GUIDE, now=NOON, min_errors=3).colour is Colour.RED


def test_red_seen_over_few_requests_stays_grey() -> None:
    assert grey_why(value=100.0, sample=1) is GreyWhy.TOO_FEW_REQUESTS


def test_the_worst_comes_first_then_the_canary_then_the_guides_order() -> None:
    readings = [
        a_reading(Metric.CPU, 10),
        a_reading(Metric.P95, 999, Side.STABLE),
        a_reading(Metric.MEMORY, None),
        a_reading(Metric.P95, 300),
        a_reading(Metric.MEMORY, 99),
        a_reading(Metric.ERROR_RATE, 5),
    ]

    coloured = flags(readings, GUIDE, now=NOON)

    assert [(f.colour, f.reading.side, f.reading.metric) for f in coloured] == [
        (Colour.RED, Side.CANARY, Metric.ERROR_RATE),
        (Colour.RED, Side.CANARY, Metric.MEMORY),
        (Colour.RED, Side.STABLE, Metric.P95),
        (Colour.YELLOW, Side.CANARY, Metric.P95),
        (Colour.GREY, Side.CANARY, Metric.MEMORY),
        (Colour.GREEN, Side.CANARY, Metric.CPU),
    ]


def healthy(*changed: Flag) -> bool:
    coloured = {(f.reading.side, f.reading.metric): f for f in flags(HEALTHY, GUIDE, now=NOON)}
    coloured |= {(f.reading.side, f.reading.metric): f for f in changed}
    return looks_healthy(coloured.values())


def test_a_canary_with_everything_green_looks_healthy() -> None:
    assert healthy()


@pytest.mark.parametrize("metric", list(Metric))
@pytest.mark.parametrize("colour", [Colour.RED, Colour.YELLOW])
def test_one_coloured_flag_is_enough_not_to_look_healthy(metric: Metric, colour: Colour) -> None:
    assert not healthy(Flag(reading=a_reading(metric), colour=colour))


@pytest.mark.parametrize(
    ("metric", "still_healthy"),
    [(Metric.ERROR_RATE, False), (Metric.P95, False), (Metric.MEMORY, True), (Metric.CPU, True)],
)
def test_only_memory_and_cpu_may_be_grey(metric: Metric, still_healthy: bool) -> None:
    assert healthy(Flag(reading=a_reading(metric), colour=Colour.GREY)) is still_healthy


def test_a_sick_stable_side_does_not_make_the_canary_look_sick() -> None:
    assert healthy(Flag(reading=a_reading(Metric.P95, 900, Side.STABLE), colour=Colour.RED))


def test_no_readings_at_all_do_not_look_healthy() -> None:
    assert not looks_healthy([])


@given(
    value=st.none() | st.floats(0, 1e6),
    sample=st.integers(0, 200),
    age=st.floats(0, 1000),
    metric=st.sampled_from(Metric),
)
def test_whatever_is_missing_old_or_thin_is_never_green(
    value: float | None, sample: int, age: float, metric: Metric
) -> None:
    reading = a_reading(metric, value, sample=sample, until=NOON - timedelta(seconds=age))

    coloured = flag(reading, GUIDE, now=NOON)

    thin = metric in (Metric.ERROR_RATE, Metric.P95) and sample < 50
    if value is None or age > 300 or thin:
        assert coloured.colour is Colour.GREY
