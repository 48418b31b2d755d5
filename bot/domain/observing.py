"""From what a tick has read to what the judge gets to see: everything once, in time order."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import takewhile

from bot.domain.looked import Asked, CloudLook, Looked
from bot.domain.observation import Bucket, BucketsRead, Minute, MinutesRead, Observation, Probed
from bot.domain.readings import Side, Source
from bot.domain.watch import Watch, WatchSource, WatchState
from bot.domain.watch_numbers import gauges_of, minute_tally

#: A log that fails is asked again for so long; then the time that could not be read is given up.
PATIENCE = timedelta(seconds=20)
#: A minute's memory and CPU are waited for so long where only one of them has come.
GAUGES_WITHIN = timedelta(minutes=3)


def log_fails(watch: Watch) -> bool:
    """True while the request log cannot be read, or says nothing about now."""
    state = watch.sources.get(WatchSource.REQUEST_LOG)
    return state is not None and state.problem is not None


@dataclass(frozen=True, kw_only=True)
class New:
    """What of all that was read was never seen before; `counted` minutes stand in for a log that fails."""

    buckets: tuple[Bucket, ...] = ()
    counted: tuple[Minute, ...] = ()
    gauged: tuple[Minute, ...] = ()


def what_is_new(watch: Watch, looked: Looked) -> New:
    """Return what is to be judged; the watch's sources are as they are after this read."""
    buckets = _taken(looked.buckets, at=looked.at) if looked.buckets else ()
    if looked.minutes is None:
        return New(buckets=buckets)
    return New(
        buckets=buckets,
        counted=_unsaid(watch, buckets, looked.minutes, at=looked.at) if log_fails(watch) else (),
        gauged=_gauged(watch, looked.minutes, at=looked.at),
    )


def _taken(read: BucketsRead, *, at: datetime) -> tuple[Bucket, ...]:
    """Return the buckets up to the first one that could not be read and is still worth asking for again."""
    return tuple(takewhile(lambda b: _readable(b) or b.until <= at - PATIENCE, read.buckets))


def _readable(bucket: Bucket) -> bool:
    return bucket.canary is not None or bucket.stable is not None


def _unsaid(
    watch: Watch, buckets: Sequence[Bucket], read: MinutesRead, *, at: datetime
) -> tuple[Minute, ...]:
    """Return the canary's whole minutes that the log said nothing about, and will not any more."""
    said = [bucket.until for bucket in (*watch.carried.recent, *buckets) if _readable(bucket)]
    since = max([watch.created_at, *said, *([watch.minutes_until] if watch.minutes_until else [])])
    return tuple(
        minute
        for minute in read.of(name_of(watch, Side.CANARY))
        if minute_tally(minute) is not None and minute.since >= since and minute.until <= at - PATIENCE
    )


def _gauged(watch: Watch, read: MinutesRead, *, at: datetime) -> tuple[Minute, ...]:
    """Return the canary's minutes whose memory and CPU are complete, or as complete as they will be."""
    known = watch.carried.gauges_until
    return tuple(
        minute
        for minute in read.of(name_of(watch, Side.CANARY))
        if (known is None or minute.until > known)
        and gauges_of(minute) is not None
        and ((minute.memory is not None and minute.cpu is not None) or at - minute.until > GAUGES_WITHIN)
    )


def observations(watch: Watch, looked: Looked, new: New) -> list[Observation]:
    """Return everything new in time order; the probe comes with the newest counts, or alone."""
    stable = {}
    if looked.minutes is not None:
        stable = {minute.until: minute for minute in looked.minutes.of(name_of(watch, Side.STABLE))}
    counted = [
        *(_of_bucket(watch, bucket, _percent(watch, looked.cloud)) for bucket in new.buckets),
        *(_of_minute(watch, minute, stable.get(minute.until)) for minute in new.counted),
    ]
    gauges = [_of_gauges(watch, m, stable.get(m.until), at=looked.at) for m in new.gauged]
    probed = _probed(watch, looked.asked)
    if probed is None:
        return [*gauges, *counted]
    if counted:
        return [*gauges, *counted[:-1], replace(counted[-1], probed=probed)]
    return [*gauges, replace(_alone(watch, Source.PROBE, looked.at), probed=probed)]


def _percent(watch: Watch, cloud: CloudLook | None) -> int:
    """Return the share the canary had for certain: while it changes, requests it misses are no silence."""
    if cloud is None or cloud.share is None:
        return watch.percent
    return min(watch.percent, cloud.share)


def _of_bucket(watch: Watch, bucket: Bucket, percent: int) -> Observation:
    return Observation(
        revision=watch.canary,
        since=bucket.since,
        until=bucket.until,
        source=Source.REQUEST_LOG,
        canary=bucket.canary,
        stable=bucket.stable,
        canary_percent=percent,
    )


def _of_minute(watch: Watch, minute: Minute, stable: Minute | None) -> Observation:
    return Observation(
        revision=watch.canary,
        since=minute.since,
        until=minute.until,
        source=Source.MONITORING,
        canary=minute_tally(minute),
        stable=minute_tally(stable),
        canary_percent=watch.percent,
        canary_p95_ms=minute.p95_ms,
        stable_p95_ms=stable.p95_ms if stable else None,
    )


def _of_gauges(watch: Watch, minute: Minute, stable: Minute | None, *, at: datetime) -> Observation:
    alone = _alone(watch, Source.MONITORING, at)
    return replace(alone, canary_gauges=gauges_of(minute), stable_gauges=gauges_of(stable))


def _alone(watch: Watch, source: Source, at: datetime) -> Observation:
    return Observation(revision=watch.canary, since=at, until=at, source=source, canary_percent=watch.percent)


def name_of(watch: Watch, side: Side) -> str:
    """Return what Cloud Monitoring calls a side: its revision, or its service on topology ``services``."""
    address = watch.sides.stable if side is Side.STABLE else watch.sides.canary
    if address is None:
        return watch.canary
    return address.name


def _probed(watch: Watch, asked: Asked | None) -> Probed | None:
    if asked is None or watch.state is not WatchState.WATCHING:
        return None
    failures, since = failures_after(watch, asked)
    return Probed(
        at=asked.at,
        canary_well=asked.canary,
        stable_well=asked.stable,
        canary_failures=failures,
        apart_seconds=max((asked.at - since).total_seconds(), 0.0) if since else 0.0,
        problem=asked.problem,
    )


def failures_after(watch: Watch, asked: Asked) -> tuple[int, datetime | None]:
    """Count failures in a row. A canary that says "later" is neither well nor failing."""
    carried = watch.carried
    if asked.canary is None:
        return carried.failures, carried.failing_since
    if asked.canary:
        return 0, None
    since = carried.failing_since
    if since is None or since > asked.at:
        since = asked.at
    return carried.failures + 1, since
