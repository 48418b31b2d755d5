"""What a watch shows of both sides."""

from dataclasses import replace

import pytest

from bot.domain.observation import BUCKET, Bucket, Point, SideValues, Tally
from bot.domain.readings import Metric, Reading, Side, Source
from bot.domain.watch_numbers import (
    best_readings,
    error_rate_of,
    gauges_of,
    log_readings,
    minute_readings,
    minute_tally,
    points_filled,
    points_with,
    recent_with,
    tally_of,
)
from tests.unit.usecases.watch_world import a_minute
from tests.values import NOON, a_playbook, a_reading, seconds


def a_bucket(begins: float = 0, *, canary: int | None = 10, errors: int = 0, stable: int = 90) -> Bucket:
    """Return a bucket that begins so many seconds after noon."""
    since = NOON + seconds(begins)
    own = Tally(requests=canary, errors=errors, latencies=((150, canary),)) if canary is not None else None
    return Bucket(
        since=since,
        until=since + BUCKET,
        canary=own,
        stable=Tally(requests=stable, latencies=((150, stable),)) if canary is not None else None,
    )


def buckets(count: int, **more: int) -> list[Bucket]:
    """Return so many buckets from noon on."""
    return [a_bucket(10 * place, **more) for place in range(count)]


def test_a_minute_of_buckets_is_kept_when_it_holds_enough_requests() -> None:
    kept = recent_with((), buckets(12), a_playbook())

    assert [b.since for b in kept] == [NOON + seconds(10 * place) for place in range(6, 12)]


def test_thin_traffic_makes_the_reading_longer_until_it_is_enough() -> None:
    kept = recent_with((), buckets(60, canary=2), a_playbook())

    assert sum(b.canary.requests for b in kept if b.canary) == 50
    assert len(kept) == 25


def test_no_traffic_makes_it_five_minutes_long_and_no_longer() -> None:
    assert len(recent_with((), buckets(60, canary=0), a_playbook())) == 30


def test_a_bucket_that_comes_twice_is_counted_once() -> None:
    once = recent_with((), buckets(3), a_playbook())

    assert recent_with(once, buckets(3), a_playbook()) == once


def test_buckets_that_could_not_be_read_are_left_out() -> None:
    kept = recent_with((), [a_bucket(0), a_bucket(10, canary=None)], a_playbook())

    assert [b.since for b in kept] == [NOON]


def test_a_reading_says_over_how_many_requests_and_how_old_it_is() -> None:
    readings = log_readings(buckets(6, errors=1), problem=None, now=NOON + seconds(70))

    rate = next(r for r in readings if (r.metric, r.side) == (Metric.ERROR_RATE, Side.CANARY))
    assert (rate.value, rate.sample, rate.errors) == (10.0, 60, 6)
    assert (rate.since, rate.until, rate.source) == (NOON, NOON + seconds(60), Source.REQUEST_LOG)
    assert {(r.metric, r.side) for r in readings} == {
        (metric, side) for metric in (Metric.ERROR_RATE, Metric.P95) for side in Side
    }


def test_without_requests_there_is_no_error_rate() -> None:
    readings = log_readings(buckets(6, canary=0), problem=None, now=NOON)

    assert [r.value for r in readings if r.side is Side.CANARY] == [None, None]


def test_a_log_that_fails_takes_the_values_away() -> None:
    readings = log_readings(buckets(6), problem="unreachable", now=NOON)

    assert {(r.value, r.problem) for r in readings} == {(None, "unreachable")}


def test_the_newest_minute_of_monitoring_counts_for_each_metric() -> None:
    minutes = [
        a_minute(ended=NOON, memory=50.0, cpu=None),
        a_minute(ended=NOON + seconds(60), memory=None, cpu=20.0),
    ]

    found = {
        r.metric: r
        for r in minute_readings(minutes, Side.CANARY, since=NOON, now=NOON + seconds(90), problem=None)
    }

    assert (found[Metric.MEMORY].value, found[Metric.MEMORY].until) == (50.0, NOON)
    assert (found[Metric.CPU].value, found[Metric.CPU].until) == (20.0, NOON + seconds(60))
    assert {r.source for r in found.values()} == {Source.MONITORING}


def test_monitoring_that_fails_has_no_values() -> None:
    found = minute_readings([a_minute()], Side.STABLE, since=NOON, now=NOON, problem="denied")

    assert {(r.value, r.problem) for r in found} == {(None, "denied")}
    assert {r.metric for r in found} == set(Metric)


def an_official(value: float | None = 0.3, sample: int = 60) -> Reading:
    """Return Cloud Monitoring's error rate of the canary."""
    return a_reading(value=value, sample=sample, source=Source.MONITORING)


@pytest.mark.parametrize(
    ("log", "official", "chosen"),
    [
        (a_reading(sample=50), an_official(), Source.REQUEST_LOG),
        (a_reading(sample=49), an_official(sample=50), Source.MONITORING),
        (a_reading(sample=49), an_official(sample=49), Source.REQUEST_LOG),
        (a_reading(value=None), an_official(sample=3), Source.MONITORING),
        (a_reading(value=None), an_official(value=None), Source.REQUEST_LOG),
    ],
)
def test_the_log_comes_first_where_it_rests_on_enough_requests(
    log: Reading, official: Reading, chosen: Source
) -> None:
    best, beside = best_readings([log], [official], least=50)

    assert [r.source for r in best] == [chosen]
    assert [r.source for r in beside] == ([Source.MONITORING] if chosen is Source.REQUEST_LOG else [])


def test_memory_and_cpu_come_from_monitoring_alone() -> None:
    memory = a_reading(Metric.MEMORY, 40.0, source=Source.MONITORING)

    best, beside = best_readings([a_reading()], [memory], least=50)

    assert {r.metric for r in best} == {Metric.MEMORY, Metric.ERROR_RATE}
    assert beside == ()


def points(until: float, *, have: tuple[Point, ...] = (), before: float = 0) -> tuple[Point, ...]:
    """Return the points once the log was read until so many seconds after noon."""
    recent = [b for b in buckets(60, errors=1) if b.until <= NOON + seconds(until)]
    return points_with(have, recent[-6:], before=NOON + seconds(before), until=NOON + seconds(until))


def test_a_minute_becomes_a_point_when_it_is_whole() -> None:
    assert points(50) == ()

    (point,) = points(60)

    assert point.at == NOON + seconds(60)
    assert (point.canary.error_rate, point.canary.requests, point.stable.requests) == (10.0, 60, 540)


def test_a_minute_nothing_is_known_about_leaves_a_gap_that_shows() -> None:
    found = points(180)

    assert [p.at for p in found] == [NOON + seconds(60 * n) for n in (1, 2, 3)]
    assert [p.canary.requests for p in found] == [None, None, 60]


def test_a_minute_that_comes_again_is_one_point() -> None:
    once = points(120)

    assert points(120, have=once) == once


def test_only_the_last_hour_is_kept() -> None:
    long_ago = tuple(Point(at=NOON - seconds(60 * n)) for n in range(70, 0, -1))

    assert len(points(60, have=long_ago)) == 60


def test_monitoring_adds_memory_and_cpu_and_fills_what_the_log_left_open() -> None:
    at = NOON + seconds(60)
    counted = Point(at=at, canary=SideValues(error_rate=1.0, requests=100), stable=SideValues())
    official = a_minute(ended=at, requests=90, errors=9, memory=77.0)
    stable = a_minute("stable", ended=at, requests=500, errors=5)

    (point,) = points_filled([counted], [official], [stable])

    assert (point.canary.error_rate, point.canary.requests, point.canary.memory) == (1.0, 100, 77.0)
    assert (point.stable.error_rate, point.stable.requests, point.stable.p95) == (1.0, 500, 120.0)


@pytest.mark.parametrize(("requests", "errors"), [(None, 0), (60, None)])
def test_a_minute_without_a_point_is_not_zero(requests: int | None, errors: int | None) -> None:
    minute = a_minute(requests=requests, errors=errors)

    assert minute_tally(minute) is None
    assert error_rate_of(minute) is None


def test_a_minute_without_memory_and_cpu_has_no_gauges() -> None:
    assert gauges_of(a_minute(memory=None, cpu=None)) is None
    assert gauges_of(None) is None
    gauges = gauges_of(a_minute(memory=None))
    assert gauges is not None
    assert (gauges.memory, gauges.cpu) == (None, 30.0)


def test_a_side_that_was_never_read_has_no_tally() -> None:
    unread = replace(a_bucket(), stable=None)

    assert tally_of([unread], Side.STABLE) is None
    assert tally_of([unread, a_bucket(10)], Side.STABLE) == a_bucket(10).stable
