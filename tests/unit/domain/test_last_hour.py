"""The last hour, from the watch and from Cloud Monitoring."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.last_hour import (
    Happened,
    completed,
    hour_of_minutes,
    hour_of_watch,
    is_whole,
    newest_data,
)
from bot.domain.observation import Minute, MinutesRead, Point, SideValues
from bot.domain.readings import Metric
from tests.unit.slack.views.watch_views import a_point, a_watch
from tests.values import CANARY, CANARY_TARGET, NOON, STABLE, a_reading, seconds


def a_minute(name: str, *, ago: int, **more: int) -> Minute:
    """Return the minute of `name` that ended so many minutes before noon."""
    until = NOON - timedelta(minutes=ago)
    return Minute(name=name, since=until - timedelta(minutes=1), until=until, **more)


def test_the_watch_keeps_what_is_older_than_an_hour_to_itself() -> None:
    watch = a_watch(points=(a_point(61), a_point(60), a_point(0)), deployed_at=NOON - timedelta(minutes=61))

    hour = hour_of_watch(watch, until=NOON)

    assert [point.at for point in hour.points] == [NOON - timedelta(minutes=60), NOON]
    assert (hour.canary, hour.stable, hour.happened) == (CANARY, STABLE, ())


def test_what_happened_within_the_hour_is_marked() -> None:
    deployed, back = NOON - timedelta(minutes=60), NOON

    hour = hour_of_watch(a_watch(deployed_at=deployed, rolled_back_at=back), until=NOON)

    assert hour.happened == ((deployed, Happened.DEPLOYED), (back, Happened.ROLLED_BACK))


def test_minutes_of_both_sides_meet_and_what_is_not_known_is_not_zero() -> None:
    read = MinutesRead(
        minutes=(
            a_minute(CANARY, ago=2, requests=200, errors=3),
            a_minute(STABLE, ago=2, requests=0, errors=0),
            a_minute(STABLE, ago=1, requests=100),
            a_minute("ion-api-old", ago=1, requests=100, errors=100),
            a_minute(STABLE, ago=61, requests=100, errors=1),
        )
    )

    hour = hour_of_minutes(CANARY_TARGET, read, canary=CANARY, stable=STABLE, until=NOON)

    first, second = hour.points
    assert first.canary.error_rate == 1.5
    assert first.stable.error_rate is None
    assert (second.canary, second.stable.error_rate) == (SideValues(), None)


def test_without_a_canary_stable_is_alone() -> None:
    read = MinutesRead(minutes=(a_minute(STABLE, ago=1, requests=100, errors=1),))

    hour = hour_of_minutes(CANARY_TARGET, read, canary="", stable=STABLE, until=NOON)

    assert [point.stable.error_rate for point in hour.points] == [1.0]


def test_what_the_watch_has_not_seen_is_monitorings() -> None:
    seen = Point(at=NOON, canary=SideValues(error_rate=0.5), stable=SideValues(error_rate=0.0))
    hour = hour_of_watch(a_watch(points=(seen,)), until=NOON)
    read = MinutesRead(
        minutes=(
            a_minute(CANARY, ago=1, requests=100, errors=2),
            a_minute(CANARY, ago=0, requests=100, errors=3, memory=40),
            a_minute(STABLE, ago=0, requests=100, errors=4),
        )
    )

    before, now = completed(hour, read).points

    assert (before.canary.error_rate, before.stable.error_rate) == (2.0, None)
    assert (now.canary.error_rate, now.canary.memory, now.stable.error_rate) == (0.5, 40, 0.0)


@pytest.mark.parametrize(("ago", "whole"), [(60, True), (55, True), (54, False)])
def test_an_hour_is_whole_when_it_goes_back_far_enough(ago: int, whole: bool) -> None:
    assert is_whole(hour_of_watch(a_watch(points=(a_point(ago), a_point(0))), until=NOON)) is whole


def test_only_numbers_make_a_watch_young() -> None:
    old, empty = a_reading(until=NOON - seconds(90)), a_reading(Metric.CPU, None, until=NOON)

    assert newest_data(a_watch(readings=(old, empty))) == old.until
    assert newest_data(replace(a_watch(), readings=(empty,))) is None
