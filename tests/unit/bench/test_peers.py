"""The rules we measure ourselves against, on small series made by hand."""

import numpy as np
import pytest

from bench.peers import Window, argo_rollouts, flagger, guide, is_higher, kayenta, windows

GOOD, BAD, EMPTY, ON_THE_LINE = (1000, 2), (1000, 50), (0, 0), (1000, 10)


def minutes(*readings: tuple[int, int]) -> list[Window]:
    """One window a minute, known when it ends."""
    return [
        Window(known_at=number * 60.0, requests=requests, bad=bad)
        for number, (requests, bad) in enumerate(readings, 1)
    ]


def test_a_window_is_known_so_long_after_it_ended() -> None:
    found = windows(np.array([10, 20]), np.array([1, 0]), seconds=300, lags=[60, 180])

    assert list(found) == [
        Window(known_at=360, requests=10, bad=1),
        Window(known_at=780, requests=20, bad=0),
    ]


@pytest.mark.parametrize(
    ("readings", "fires_at"),
    [
        ((BAD, BAD, BAD), 180),
        ((BAD, BAD, GOOD, BAD, BAD), None),
        ((BAD, BAD, ON_THE_LINE, BAD, BAD, BAD), 360),
        ((BAD, EMPTY, BAD, BAD), 240),
    ],
)
def test_the_guide_wants_three_bad_readings_in_a_row(
    readings: tuple[tuple[int, int], ...], fires_at: float | None
) -> None:
    assert guide(minutes(*readings)) == fires_at


@pytest.mark.parametrize(
    ("checks", "fires_at"),
    [
        ((BAD, BAD, BAD), 240),  # One interval after the third.
        ((BAD, GOOD, BAD, GOOD, BAD), 360),  # A passed check forgives nothing.
        ((BAD, EMPTY, BAD), 240),  # No values: failed.
        ((BAD, ON_THE_LINE, BAD), None),
    ],
)
def test_flagger_adds_up_failed_checks_and_acts_at_the_next_one(
    checks: tuple[tuple[int, int], ...], fires_at: float | None
) -> None:
    assert flagger(minutes(*checks), threshold=3) == fires_at


@pytest.mark.parametrize(
    ("measurements", "fires_at"),
    [
        ((BAD, BAD, BAD), None),
        ((BAD, BAD, BAD, BAD), 240),
        ((BAD, GOOD, BAD, EMPTY, BAD, GOOD, BAD), 420),
    ],
)
def test_argo_rollouts_fails_on_the_fourth_with_a_failure_limit_of_three(
    measurements: tuple[tuple[int, int], ...], fires_at: float | None
) -> None:
    assert argo_rollouts(minutes(*measurements), failure_limit=3) == fires_at


def test_kayenta_fails_a_canary_that_is_higher_in_most_minutes() -> None:
    canary = minutes(*[(1000, 50 + number) for number in range(20)])
    stable = minutes(*[(1000, 2 + number % 3) for number in range(20)])

    assert kayenta(canary, stable) == 300


def test_kayenta_passes_a_canary_like_stable() -> None:
    alike = minutes(*[(1000, 2 + number % 5) for number in range(60)])

    assert kayenta(alike, alike) is None


def test_kayenta_dilutes_what_began_late() -> None:
    healthy = [(1000, 2 + number % 5) for number in range(60)]
    canary = minutes(*healthy, *[(1000, 50)] * 10)

    assert kayenta(canary, minutes(*healthy, *healthy[:10])) is None


def test_kayenta_is_asked_about_so_many_minutes_at_most() -> None:
    canary = minutes(*[(1000, 2 + number % 3) for number in range(10)], *[(1000, 80)] * 60)
    stable = minutes(*[(1000, 2 + number % 3) for number in range(70)])

    assert kayenta(canary, stable) is not None
    assert kayenta(canary, stable, minutes=10) is None


@pytest.mark.parametrize(("shift", "higher"), [(0.0, False), (0.5, False), (20.0, True)])
def test_a_shift_is_higher_only_beyond_the_scatter(shift: float, higher: bool) -> None:
    values = np.arange(30, dtype=np.float64)

    assert is_higher(values + shift, values) is higher
