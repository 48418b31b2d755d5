"""Where memory is heading: the study's own numbers, a sample a minute, and both sides of each line."""

import json
from pathlib import Path
from typing import Any

import pytest

from bot.domain.memory_trend import MemoryRun, Sample, memory_fed, memory_trend

STUDY: dict[str, Any] = json.loads(Path(__file__).with_name("detection_vectors.json").read_text())["memory"]
#: A clock's own seconds, so that digits would be lost if they were squared.
SOME_TIME = 1_800_000_000.0


def every(seconds: float, *percents: float) -> list[Sample]:
    return [(SOME_TIME + number * seconds, percent) for number, percent in enumerate(percents)]


def rising(*, to: float, by: float, samples: int = 10) -> list[Sample]:
    """One sample a minute, each `by` points above the last, the newest at `to`."""
    return every(60, *(to - by * (samples - 1 - number) for number in range(samples)))


def runs(samples: list[Sample], **options: Any) -> list[MemoryRun]:
    run, found = MemoryRun(), []
    for length in range(1, len(samples) + 1):
        run, _ = memory_fed(run, samples[:length], **options)
        found.append(run)
    return found


def first_warning(found: list[MemoryRun]) -> int | None:
    return next((number for number, run in enumerate(found) if run.warns), None)


def first_trigger(found: list[MemoryRun]) -> int | None:
    return next((number for number, run in enumerate(found) if run.fires), None)


def test_the_trend_is_the_studys_sample_by_sample() -> None:
    samples = every(10, *[60.0] * STUDY["flat_before"], *STUDY["percent"])

    found = runs(samples, least_samples=60)

    assert first_warning(found) == STUDY["first_warning"]
    assert first_trigger(found) == STUDY["first_trigger"]
    assert memory_trend(samples[:59], least_samples=60) is None
    for number, fitted, per_minute in STUDY["seen"]:
        trend = memory_trend(samples[: number + 1], least_samples=60)
        assert trend is not None
        assert [trend.fitted, trend.per_minute] == pytest.approx([fitted, per_minute], abs=1e-6)


def test_ten_samples_a_minute_apart_make_a_trend() -> None:
    trend = memory_trend(rising(to=80, by=2))

    assert trend is not None
    assert [trend.fitted, trend.per_minute] == pytest.approx([80, 2])
    assert trend.seconds_to_red == pytest.approx(150)
    assert trend.seconds_to_full == pytest.approx(600)
    assert trend.rises_surely


def test_two_of_a_windows_minutes_may_be_missing_but_not_more() -> None:
    samples = rising(to=80, by=2)

    assert memory_trend([*samples[:3], *samples[5:]]) is not None
    assert memory_trend([*samples[:3], *samples[6:]]) is None


def test_many_samples_of_a_short_time_make_no_trend() -> None:
    assert memory_trend(every(1, *[60.0] * 400)) is None


def test_nothing_makes_no_trend() -> None:
    assert memory_trend([]) is None
    assert memory_fed(MemoryRun(rising=2, over=2), []) == (MemoryRun(), None)


def test_what_is_older_than_the_window_is_left_out() -> None:
    old = every(60, *[10.0] * 20)
    newer = [(at + 1200, percent) for at, percent in rising(to=80, by=2)]

    assert memory_trend(old + newer) == memory_trend(newer)


def test_falling_memory_never_reaches_the_line() -> None:
    trend = memory_trend(rising(to=60, by=-2))

    assert trend is not None
    assert (trend.seconds_to_red, trend.seconds_to_full) == (None, None)
    assert not trend.rises_surely


def test_scatter_is_no_rise() -> None:
    trend = memory_trend(every(60, 75, 82, 74, 83, 75, 82, 76, 83, 75, 84))

    assert trend is not None
    assert trend.per_minute > 0
    assert not trend.rises_surely


@pytest.mark.parametrize(
    ("to", "by", "rises"),
    [
        (75.0, 2.0, True),  # Red in exactly 5 minutes.
        (74.9, 2.0, False),
        (70.0, 3.0, True),
        (69.9, 9.0, False),  # Not yet yellow, however fast.
        (90.0, 1.0, True),
        (90.0, 0.0, False),
    ],
)
def test_memory_rises_towards_red_from_yellow_on_if_it_gets_there_soon(
    to: float, by: float, rises: bool
) -> None:
    run, _ = memory_fed(MemoryRun(), rising(to=to, by=by))

    assert run.rising == int(rises)


@pytest.mark.parametrize(("percent", "fires"), [(85.0, None), (85.1, 2)])
def test_three_samples_in_a_row_over_the_line_fire(percent: float, fires: int | None) -> None:
    assert first_trigger(runs(every(60, *[percent] * 5))) == fires


def test_one_sample_below_the_line_begins_the_row_anew() -> None:
    assert first_trigger(runs(every(60, 90, 90, 80, 90, 90))) is None
