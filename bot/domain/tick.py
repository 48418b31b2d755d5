"""One tick of a watch: what was read goes in, the watch after it comes out. Pure; no clock, no I/O."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.domain.afterwards import stable_afterwards
from bot.domain.bad_input import bad_entries, with_bad, with_ignored
from bot.domain.judge import Alarm, AlarmKind, Ignored, Judged, JudgeState
from bot.domain.looked import Asked, CloudLook, Looked
from bot.domain.observation import BucketsRead, Observation
from bot.domain.observing import PATIENCE, New, failures_after, name_of, observations, what_is_new
from bot.domain.playbook import Playbook
from bot.domain.readings import Metric, Reading, Side, Source
from bot.domain.watch import (
    CLOSELY_FOR,
    SourceState,
    Watch,
    WatchSource,
    WatchState,
    whole_bucket,
)
from bot.domain.watch_numbers import (
    best_readings,
    log_readings,
    minute_readings,
    points_filled,
    points_with,
    recent_with,
)

#: Decides; the one function is `bot.domain.judge.judge`.
Judge = Callable[[JudgeState, Observation, Playbook], Judged]

#: Entries that are so late say nothing about now: Cloud Monitoring takes the log's place.
LATE_AFTER = timedelta(seconds=90)
#: Nobody can act on what is older than this; a watch that slept for longer begins here.
READ_BACK_AT_MOST = timedelta(hours=1)
#: Our clock and the log's may differ so much; beyond it our clock has been put back.
CLOCK_MAY_DIFFER = timedelta(seconds=60)
#: Points of Cloud Monitoring come minutes late and out of order, so so much is read again each time.
ASKED_BACK = timedelta(minutes=6)
#: What a source says whose newest entries are minutes late.
LATE = "late"


@dataclass(frozen=True, kw_only=True)
class Ticked:
    """The watch after a tick, and the alarms that were raised, in order.

    `put_back_seconds` is how far our clock was put back, `percent_before` the canary's share where it has
    changed, `closely_since` the alarm for which it is watched more closely from now on.
    """

    watch: Watch
    alarms: tuple[Alarm, ...] = ()
    put_back_seconds: float = 0.0
    percent_before: int | None = None
    closely_since: AlarmKind | None = None


def ticked(watch: Watch, looked: Looked, playbook: Playbook, *, judge: Judge) -> Ticked:
    """Take in what was read: sources, numbers, probes, and the judge's state with its alarms."""
    at, before = looked.at, watch
    put_back = _put_back(watch, at)
    if put_back:
        watch, looked = _begun_anew(watch, at), replace(looked, buckets=None)
    watch = _with_sources(watch, looked)
    new = what_is_new(watch, looked)
    seen = observations(watch, looked, new)
    watch = _with_buckets(watch, looked, new, playbook)
    watch = _with_probe(watch, looked.asked)
    watch = _with_minutes(watch, looked, new)
    watch = _with_readings(watch, looked, playbook)
    watch, alarms = _judged(watch, seen, playbook, judge, at=at)
    watch = _with_bad_entries(watch, looked.buckets)
    watch, closely = _closely(watch, alarms, at=at)
    watch, percent_before = _with_share(watch, looked.cloud)
    carried = replace(watch.carried, tick=before.carried.tick + 1)
    return Ticked(
        watch=replace(watch, looked_at=at, carried=carried),
        alarms=alarms,
        put_back_seconds=put_back,
        percent_before=percent_before,
        closely_since=closely,
    )


def _put_back(watch: Watch, at: datetime) -> float:
    ahead = (watch.read_until or at) - at
    return ahead.total_seconds() if ahead > CLOCK_MAY_DIFFER else 0.0


def _begun_anew(watch: Watch, at: datetime) -> Watch:
    """Forget what seems to be from the future: nothing that comes now could be added to it."""
    carried = replace(watch.carried, recent=(), gauges_until=None, failures=0, failing_since=None)
    until = whole_bucket(at)
    return replace(watch, read_until=until, minutes_until=None, judge=JudgeState(), carried=carried)


# Sources.


def _with_sources(watch: Watch, looked: Looked) -> Watch:
    new: dict[WatchSource, SourceState] = {}
    if looked.buckets is not None:
        new[WatchSource.REQUEST_LOG] = _log_state(watch, looked.buckets, at=looked.at)
    if looked.minutes is not None:
        new[WatchSource.MONITORING] = _state(watch, WatchSource.MONITORING, looked.minutes.problem, looked.at)
    if looked.asked is not None:
        new[WatchSource.PROBE] = _state(watch, WatchSource.PROBE, looked.asked.problem, looked.at)
    if looked.cloud is not None:
        new[WatchSource.CLOUD_RUN] = _state(watch, WatchSource.CLOUD_RUN, looked.cloud.problem, looked.at)
    return replace(watch, sources={**watch.sources, **new}) if new else watch


def _state(watch: Watch, source: WatchSource, problem: str | None, at: datetime) -> SourceState:
    known = watch.sources.get(source, SourceState())
    return replace(known, problem=problem, well_at=known.well_at if problem else at)


def _log_state(watch: Watch, read: BucketsRead, *, at: datetime) -> SourceState:
    known = watch.sources.get(WatchSource.REQUEST_LOG, SourceState())
    newest = read.buckets[-1].until if read.buckets else watch.read_until or at
    late = LATE if at - newest > LATE_AFTER else None
    state = _state(watch, WatchSource.REQUEST_LOG, read.problem or late, at)
    suppressed = read.suppressed if read.buckets else known.suppressed
    return replace(state, lag_seconds=read.lag_seconds, live=read.live, suppressed=suppressed)


# What is judged.


def _judged(
    watch: Watch, seen: Iterable[Observation], playbook: Playbook, judge: Judge, *, at: datetime
) -> tuple[Watch, tuple[Alarm, ...]]:
    if watch.state is WatchState.AFTERWARDS:
        return stable_afterwards(watch, playbook, at=at)
    state, alarms, ignored = watch.judge, list[Alarm](), list[tuple[Ignored, Source]]()
    for observation in seen:
        judged = judge(state, observation, playbook)
        state = judged.state
        alarms += judged.alarms
        if judged.ignored is not None:
            ignored.append((judged.ignored, observation.source))
    carried = replace(watch.carried, bad=with_ignored(watch.carried.bad, ignored))
    return replace(watch, judge=state, carried=carried), tuple(alarms)


def _closely(watch: Watch, alarms: Sequence[Alarm], *, at: datetime) -> tuple[Watch, AlarmKind | None]:
    if not alarms:
        return watch, None
    news = None if watch.closely(now=at) else alarms[0].kind
    return replace(watch, closely_until=at + CLOSELY_FOR), news


# What is remembered and shown.


def _with_buckets(watch: Watch, looked: Looked, new: New, playbook: Playbook) -> Watch:
    """Go on behind the buckets that were read, and give up what a failing log will not say any more."""
    if looked.buckets is None:
        return watch
    began = watch.read_until or whole_bucket(watch.created_at)
    oldest = looked.at - (PATIENCE if looked.buckets.problem else READ_BACK_AT_MOST)
    until = max([began, whole_bucket(oldest), *(bucket.until for bucket in new.buckets)])
    recent = watch.carried.recent
    if new.buckets:
        recent = recent_with(recent, new.buckets, playbook)
    return replace(
        watch,
        read_until=until,
        points=points_with(watch.points, recent, before=began, until=until),
        carried=replace(watch.carried, recent=recent),
    )


def _with_bad_entries(watch: Watch, read: BucketsRead | None) -> Watch:
    bad = bad_entries(read)
    return (
        replace(watch, carried=replace(watch.carried, bad=with_bad(watch.carried.bad, bad))) if bad else watch
    )


def _with_probe(watch: Watch, asked: Asked | None) -> Watch:
    if asked is None:
        return watch
    failures, since = failures_after(watch, asked)
    return replace(watch, carried=replace(watch.carried, failures=failures, failing_since=since))


def _with_minutes(watch: Watch, looked: Looked, new: New) -> Watch:
    read = looked.minutes
    if read is None or read.problem is not None:
        return watch
    canary, stable = read.of(name_of(watch, Side.CANARY)), read.of(name_of(watch, Side.STABLE))
    carried = watch.carried
    return replace(
        watch,
        points=points_filled(watch.points, canary, stable),
        minutes_until=new.counted[-1].until if new.counted else watch.minutes_until,
        carried=replace(carried, gauges_until=new.gauged[-1].until) if new.gauged else carried,
    )


def _with_readings(watch: Watch, looked: Looked, playbook: Playbook) -> Watch:
    if looked.buckets is None and looked.minutes is None:
        return watch
    state = watch.sources.get(WatchSource.REQUEST_LOG)
    log = log_readings(watch.carried.recent, problem=state.problem if state else None, now=looked.at)
    least = playbook.thresholds.min_requests
    readings, beside = best_readings(log, _official(watch, looked), least=least)
    return replace(watch, readings=readings, official=beside)


def _official(watch: Watch, looked: Looked) -> list[Reading]:
    read = looked.minutes
    if read is None:
        of_monitoring = (r for r in watch.readings if r.source is Source.MONITORING)
        return sorted([*of_monitoring, *watch.official], key=_order)
    return [
        reading
        for side in (Side.CANARY, Side.STABLE)
        for reading in minute_readings(
            read.of(name_of(watch, side)),
            side,
            since=looked.at - ASKED_BACK,
            now=looked.at,
            problem=read.problem,
        )
    ]


def _order(reading: Reading) -> tuple[bool, int]:
    return reading.side is Side.STABLE, list(Metric).index(reading.metric)


def _with_share(watch: Watch, cloud: CloudLook | None) -> tuple[Watch, int | None]:
    if cloud is None or not cloud.share or cloud.share == watch.percent:
        return watch, None
    return replace(watch, percent=cloud.share), watch.percent
