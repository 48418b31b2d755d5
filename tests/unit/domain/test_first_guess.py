"""The first guess of what kind of failure it is, and how bad."""

import pytest

from bot.domain.first_guess import first_guess
from bot.domain.flags import Colour, Flag
from bot.domain.ids import IncidentNumber, incident_label
from bot.domain.incident import FailureType, Severity
from bot.domain.readings import Metric, Side
from tests.values import a_reading


def seen(metric: Metric, colour: Colour, side: Side = Side.CANARY) -> Flag:
    return Flag(reading=a_reading(metric, side=side), colour=colour)


@pytest.mark.parametrize(
    ("metric", "colour", "failure", "severity"),
    [
        (Metric.ERROR_RATE, Colour.RED, FailureType.ERROR_RATE, Severity.HIGH),
        (Metric.P95, Colour.RED, FailureType.RESPONSE_TIME, Severity.HIGH),
        (Metric.MEMORY, Colour.RED, FailureType.MEMORY, Severity.CRITICAL),
        (Metric.CPU, Colour.RED, FailureType.OTHER, Severity.HIGH),
        (Metric.ERROR_RATE, Colour.YELLOW, FailureType.ERROR_RATE, Severity.MEDIUM),
        (Metric.P95, Colour.YELLOW, FailureType.RESPONSE_TIME, Severity.MEDIUM),
        (Metric.MEMORY, Colour.YELLOW, FailureType.MEMORY, Severity.MEDIUM),
        (Metric.CPU, Colour.YELLOW, FailureType.OTHER, Severity.MEDIUM),
        (Metric.ERROR_RATE, Colour.GREEN, FailureType.OTHER, Severity.MEDIUM),
        (Metric.ERROR_RATE, Colour.GREY, FailureType.OTHER, Severity.MEDIUM),
    ],
)
def test_one_flag_points_to_a_failure(
    metric: Metric, colour: Colour, failure: FailureType, severity: Severity
) -> None:
    assert first_guess([seen(metric, colour)]) == (failure, severity)


def test_memory_comes_before_everything_else_of_its_colour() -> None:
    flags = [seen(Metric.ERROR_RATE, Colour.RED), seen(Metric.MEMORY, Colour.RED)]

    assert first_guess(flags) == (FailureType.MEMORY, Severity.CRITICAL)


def test_red_comes_before_yellow_memory() -> None:
    flags = [seen(Metric.MEMORY, Colour.YELLOW), seen(Metric.P95, Colour.RED)]

    assert first_guess(flags) == (FailureType.RESPONSE_TIME, Severity.HIGH)


def test_stables_flags_say_nothing_about_the_canarys_failure() -> None:
    assert first_guess([seen(Metric.MEMORY, Colour.RED, Side.STABLE)]) == (FailureType.OTHER, Severity.MEDIUM)


def test_without_flags_somebody_still_had_a_reason() -> None:
    assert first_guess([]) == (FailureType.OTHER, Severity.MEDIUM)


def test_an_incident_is_called_by_its_number() -> None:
    assert incident_label(IncidentNumber(12)) == "INC-12"
