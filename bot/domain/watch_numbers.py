"""What a watch shows: readings of both sides from the newest buckets and minutes, and a point a minute."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bot.domain.observation import Bucket, Gauges, Minute, Point, SideValues, Tally
from bot.domain.playbook import Playbook
from bot.domain.readings import Metric, Reading, Side, Source
from bot.domain.watch import KEPT_POINTS

MINUTE = timedelta(minutes=1)


def recent_with(recent: Sequence[Bucket], new: Iterable[Bucket], playbook: Playbook) -> tuple[Bucket, ...]:
    """Return the newest buckets that were read: a minute of them, or as many as a reading needs.

    Thin traffic makes a reading longer, up to the playbook's longest; a bucket that came before is left out.
    """
    known = {bucket.since: bucket for bucket in recent}
    for bucket in new:
        if bucket.canary is not None or bucket.stable is not None:
            known[bucket.since] = bucket
    ordered = sorted(known.values(), key=lambda bucket: bucket.since)
    if not ordered:
        return ()
    end, requests = ordered[-1].until, 0
    longest = max(MINUTE, timedelta(seconds=playbook.watch.longest_reading_seconds))
    kept: list[Bucket] = []
    for bucket in reversed(ordered):
        enough = requests >= playbook.thresholds.min_requests and bucket.since < end - MINUTE
        if enough or bucket.since < end - longest:
            break
        kept.append(bucket)
        requests += bucket.canary.requests if bucket.canary else 0
    return tuple(reversed(kept))


def tally_of(buckets: Iterable[Bucket], side: Side) -> Tally | None:
    """Return one side of several buckets together; None where none of them could be read."""
    counted = [b.canary if side is Side.CANARY else b.stable for b in buckets]
    total: Tally | None = None
    for one in counted:
        if one is not None:
            total = one if total is None else total + one
    return total


def log_readings(recent: Sequence[Bucket], *, problem: str | None, now: datetime) -> tuple[Reading, ...]:
    """Return error rate and P95 of both sides, by the request log.

    `problem` takes the values away: what was seen before the log failed says nothing about now.
    """
    since, until = (recent[0].since, recent[-1].until) if recent else (now, now)
    return tuple(
        reading
        for side in (Side.CANARY, Side.STABLE)
        for reading in _of_tally(tally_of(recent, side), side, since, until, problem)
    )


def _of_tally(
    tally: Tally | None, side: Side, since: datetime, until: datetime, problem: str | None
) -> tuple[Reading, Reading]:
    requests, errors = (tally.requests, tally.errors) if tally else (0, 0)
    known = tally is not None and problem is None
    rate = Reading(
        metric=Metric.ERROR_RATE,
        side=side,
        source=Source.REQUEST_LOG,
        value=100 * errors / requests if known and requests else None,
        sample=requests,
        errors=errors,
        since=since,
        until=until,
        problem=problem,
    )
    slow = tally.percentile_ms(95) if tally is not None and problem is None else None
    timed = sum(count for _, count in tally.latencies) if tally else 0
    return rate, replace(rate, metric=Metric.P95, value=slow, sample=timed, errors=None)


def minute_readings(
    minutes: Iterable[Minute], side: Side, *, since: datetime, now: datetime, problem: str | None
) -> tuple[Reading, ...]:
    """Return Cloud Monitoring's newest number of each metric for one side.

    `since` is where the window that was asked for begins: a metric without a point in it has no value.
    """
    newest = {metric: _empty(metric, side, since, now, problem) for metric in Metric}
    if problem is None:
        for minute in minutes:
            for reading in _of_minute(minute, side):
                newest[reading.metric] = reading
    return tuple(newest.values())


def _empty(metric: Metric, side: Side, since: datetime, until: datetime, problem: str | None) -> Reading:
    return Reading(
        metric=metric,
        side=side,
        source=Source.MONITORING,
        value=None,
        sample=0,
        since=since,
        until=until,
        problem=problem,
    )


def _of_minute(minute: Minute, side: Side) -> list[Reading]:
    rate, requests = error_rate_of(minute), minute.requests or 0
    found = [
        (Metric.ERROR_RATE, rate, requests),
        (Metric.P95, minute.p95_ms, requests),
        (Metric.MEMORY, minute.memory, 1),
        (Metric.CPU, minute.cpu, 1),
    ]
    return [
        Reading(
            metric=metric,
            side=side,
            source=Source.MONITORING,
            value=value,
            sample=sample,
            errors=minute.errors if metric is Metric.ERROR_RATE else None,
            since=minute.since,
            until=minute.until,
        )
        for metric, value, sample in found
        if value is not None
    ]


def error_rate_of(minute: Minute) -> float | None:
    """Return a minute's error rate, percent; None without requests or without a count of errors."""
    if not minute.requests or minute.errors is None:
        return None
    return 100 * minute.errors / minute.requests


def minute_tally(minute: Minute | None) -> Tally | None:
    """Return a minute's counts, without latencies; None where Monitoring had no point for them."""
    if minute is None or minute.requests is None or minute.errors is None:
        return None
    return Tally(requests=minute.requests, errors=minute.errors)


def gauges_of(minute: Minute | None) -> Gauges | None:
    """Return a minute's memory and CPU, None where it has neither."""
    if minute is None or (minute.memory is None and minute.cpu is None):
        return None
    return Gauges(
        until=minute.until,
        memory=minute.memory,
        memory_median=minute.memory_median,
        cpu=minute.cpu,
        instances=minute.instances,
    )


def best_readings(
    log: Iterable[Reading], official: Iterable[Reading], *, least: int
) -> tuple[tuple[Reading, ...], tuple[Reading, ...]]:
    """Return one reading for each metric of each side, and Monitoring's that others were better than.

    The log is seconds late and Monitoring minutes, so the log's comes first where it rests on `least`
    requests, or where Monitoring's does not either. Where neither has a value, the log's says why.
    """
    fresh = {(r.metric, r.side): r for r in log}
    chosen, beside = [], []
    for reading in official:
        other = fresh.pop((reading.metric, reading.side), None)
        if other is None or _says_more(reading, other, least):
            chosen.append(reading)
        else:
            chosen.append(other)
            beside.append(reading)
    return (*chosen, *fresh.values()), tuple(beside)


def _says_more(official: Reading, log: Reading, least: int) -> bool:
    if official.value is None:
        return False
    return log.value is None or (log.sample < least <= official.sample)


def whole_minute(at: datetime) -> datetime:
    """Return the beginning of the minute that `at` lies in."""
    return datetime.fromtimestamp(int(at.timestamp()) // 60 * 60, UTC)


def points_with(
    points: Sequence[Point], recent: Sequence[Bucket], *, before: datetime, until: datetime
) -> tuple[Point, ...]:
    """Return the points with one more for each minute that ended in ``before`` < t <= ``until``.

    A minute that nothing is known about is a point without numbers: the gap has to show.
    """
    ends, end = [], whole_minute(before) + MINUTE
    while end <= until:
        ends.append(end)
        end += MINUTE
    if not ends:
        return tuple(points)
    made = [_point(end, recent) for end in ends[-KEPT_POINTS:]]
    known = [point for point in points if point.at < made[0].at]
    return tuple([*known, *made][-KEPT_POINTS:])


def _point(end: datetime, recent: Sequence[Bucket]) -> Point:
    inside = [bucket for bucket in recent if end - MINUTE <= bucket.since < end]
    return Point(
        at=end, canary=_values(tally_of(inside, Side.CANARY)), stable=_values(tally_of(inside, Side.STABLE))
    )


def _values(tally: Tally | None) -> SideValues:
    if tally is None:
        return SideValues()
    rate = 100 * tally.errors / tally.requests if tally.requests else None
    return SideValues(error_rate=rate, p95=tally.percentile_ms(95), requests=tally.requests)


def points_filled(
    points: Sequence[Point], canary: Iterable[Minute], stable: Iterable[Minute]
) -> tuple[Point, ...]:
    """Return the points with Monitoring's numbers: memory and CPU, and the others where the log has none."""
    official = {(Side.CANARY, m.until): m for m in canary} | {(Side.STABLE, m.until): m for m in stable}
    if not official:
        return tuple(points)
    return tuple(
        replace(
            point,
            canary=_filled(point.canary, official.get((Side.CANARY, point.at))),
            stable=_filled(point.stable, official.get((Side.STABLE, point.at))),
        )
        if (Side.CANARY, point.at) in official or (Side.STABLE, point.at) in official
        else point
        for point in points
    )


def _filled(values: SideValues, minute: Minute | None) -> SideValues:
    if minute is None:
        return values
    counted = values.requests is not None
    return SideValues(
        error_rate=values.error_rate if counted else error_rate_of(minute),
        p95=values.p95 if counted else minute.p95_ms,
        requests=values.requests if counted else minute.requests,
        memory=minute.memory if minute.memory is not None else values.memory,
        cpu=minute.cpu if minute.cpu is not None else values.cpu,
    )
