"""When errors have dropped sharply, when everything is green, and when neither can be told."""

from typing import Any

import pytest

from bot.domain.flags import Colour, flags
from bot.domain.observed import all_green, errors_dropped
from bot.domain.readings import Metric, Side
from tests.values import NOON, a_playbook, a_reading, counts, seconds


def before(errors: int = 100, requests: int = 10_000) -> list[Any]:
    """Return both sides before the rollback: the errors are the canary's."""
    return [
        counts(requests=requests * 9 // 10),
        counts(Side.CANARY, requests=requests - requests * 9 // 10, errors=errors),
    ]


def after(errors: int = 0, requests: int = 10_000) -> list[Any]:
    """Return both sides since."""
    return [counts(requests=requests, errors=errors), counts(Side.CANARY, requests=0)]


@pytest.mark.parametrize(("errors", "sharp"), [(0, True), (9, True), (10, True), (11, False), (100, False)])
def test_nine_of_ten_errors_must_be_gone(errors: int, sharp: bool) -> None:
    found = errors_dropped(before(100), after(errors))

    assert found is not None
    assert found.ok is sharp
    assert found.facts["before"] == {"errors": 100, "requests": 10_000}
    assert found.facts["after"] == {"errors": errors, "requests": 10_000}


@pytest.mark.parametrize(("errors", "sharp"), [(5, True), (6, False)])
def test_at_half_the_requests_half_the_errors_are_expected(errors: int, sharp: bool) -> None:
    found = errors_dropped(before(100), after(errors, requests=5_000))

    assert found is not None
    assert found.ok is sharp


@pytest.mark.parametrize(("errors", "told"), [(0, False), (9, False), (10, True)])
def test_with_fewer_than_ten_errors_before_nothing_can_be_told(errors: int, told: bool) -> None:
    assert (errors_dropped(before(errors), after()) is not None) is told


@pytest.mark.parametrize(("requests", "told"), [(0, False), (999, False), (1000, True)])
def test_with_too_few_requests_since_nothing_can_be_told(requests: int, told: bool) -> None:
    assert (errors_dropped(before(100), after(requests=requests)) is not None) is told


def test_errors_that_still_come_from_the_canary_count() -> None:
    found = errors_dropped(
        before(100), [counts(requests=9_000), counts(Side.CANARY, requests=1_000, errors=90)]
    )

    assert found is not None
    assert not found.ok


@pytest.mark.parametrize("broken", [{"problem": "quota"}, {"truncated": True}])
@pytest.mark.parametrize("place", range(4))
def test_a_log_that_was_not_read_whole_tells_nothing(broken: dict[str, Any], place: int) -> None:
    read = [*before(), *after()]
    read[place] = counts(read[place].side, requests=100, errors=50, **broken)

    assert errors_dropped(read[:2], read[2:]) is None


GREEN = {Metric.ERROR_RATE: 0.1, Metric.P95: 80.0, Metric.MEMORY: 40.0, Metric.CPU: 30.0}


def coloured(**values: float | None) -> Any:
    """Return stable's flags, green unless said otherwise; None leaves a metric out."""
    wanted = {metric: values.get(metric.value, value) for metric, value in GREEN.items()}
    readings = [a_reading(m, v, Side.STABLE) for m, v in wanted.items() if v is not None]
    return flags(readings, a_playbook().thresholds, now=NOON + seconds(1))


def test_everything_green_is_green() -> None:
    found = all_green(coloured())

    assert found is not None
    assert found.ok
    assert {flag["metric"] for flag in found.facts["flags"]} == {metric.value for metric in Metric}


@pytest.mark.parametrize(("metric", "on_the_line", "over"), [("cpu", 70.0, 70.1), ("error_rate", 0.5, 0.51)])
def test_on_the_line_it_is_green_and_over_it_not(metric: str, on_the_line: float, over: float) -> None:
    calm, bad = all_green(coloured(**{metric: on_the_line})), all_green(coloured(**{metric: over}))

    assert calm is not None
    assert bad is not None
    assert calm.ok
    assert not bad.ok


@pytest.mark.parametrize("metric", [metric.value for metric in Metric])
def test_a_metric_that_is_missing_is_not_green(metric: str) -> None:
    assert all_green(coloured(**{metric: None})) is None


def test_grey_is_not_green() -> None:
    few = a_reading(Metric.P95, 80.0, Side.STABLE, sample=3)
    others = [a_reading(m, v, Side.STABLE) for m, v in GREEN.items() if m is not Metric.P95]
    shown = flags([few, *others], a_playbook().thresholds, now=NOON + seconds(1))

    assert Colour.GREY in {flag.colour for flag in shown}
    assert all_green(shown) is None


def test_red_is_red_even_where_something_else_is_missing() -> None:
    found = all_green(coloured(error_rate=12.0, cpu=None))

    assert found is not None
    assert not found.ok
