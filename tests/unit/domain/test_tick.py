"""One tick of a watch: each bucket is judged once, and what could not be read is never taken for good."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from bot.domain.flags import Colour, flags
from bot.domain.judge import Alarm, AlarmKind, Judged, JudgeState, Level
from bot.domain.looked import Asked, CloudLook, Looked
from bot.domain.observation import BUCKET, Bucket, BucketsRead, Minute, MinutesRead, Observation, Tally
from bot.domain.playbook import Playbook
from bot.domain.readings import Metric, Side, Source
from bot.domain.tick import LATE, Ticked, ticked
from bot.domain.watch import SourceState, Watch, WatchSource, rolled_back
from tests.unit.domain.test_watch import a_watch, seen
from tests.unit.usecases.watch_world import a_minute
from tests.values import CANARY, NOON, STABLE, a_playbook, seconds


class Recorder:
    """A judge that writes down what it was shown, and raises what it was told to."""

    def __init__(self, *alarms: Alarm) -> None:
        self.shown: list[Observation] = []
        self.alarms = alarms

    def __call__(self, state: JudgeState, seen: Observation, playbook: Playbook) -> Judged:
        """See `bot.domain.judge.judge`."""
        self.shown.append(seen)
        return Judged(state=replace(state, requests=state.requests + 1), alarms=self.alarms)

    @property
    def counted(self) -> list[tuple[Source, datetime]]:
        """Source and beginning of everything that had counts."""
        return [(o.source, o.since) for o in self.shown if o.canary is not None]


def a_bucket(since: datetime, *, readable: bool = True, errors: int = 0) -> Bucket:
    """Return ten requests of the canary and ninety of stable."""
    return Bucket(
        since=since,
        until=since + BUCKET,
        canary=Tally(requests=10, errors=errors) if readable else None,
        stable=Tally(requests=90) if readable else None,
    )


def read(begins: float, count: int, **more: Any) -> BucketsRead:
    """Return so many buckets, the first so many seconds after noon."""
    since = NOON + seconds(begins)
    readable = more.get("problem") is None
    found = tuple(a_bucket(since + n * BUCKET, readable=readable) for n in range(count))
    return BucketsRead(buckets=found, lag_seconds=2.0, live=True, **more)


def watched(**more: Any) -> Watch:
    """Return a watch that reads from noon on."""
    return replace(a_watch(of=seen(split_at=NOON)), **more)


def tick(
    watch: Watch, after: float = 12, judge: Recorder | None = None, **looked: Any
) -> tuple[Ticked, Recorder]:
    """Take in what was read by so many seconds after noon."""
    judge = judge or Recorder()
    found = Looked(at=NOON + seconds(after), **looked)
    return ticked(watch, found, a_playbook(), judge=judge), judge


def test_every_closed_bucket_is_judged_in_order_and_the_next_read_begins_behind_it() -> None:
    after, judge = tick(watched(), 32, buckets=read(0, 3))

    assert judge.counted == [(Source.REQUEST_LOG, NOON + seconds(10 * n)) for n in range(3)]
    assert after.watch.read_until == NOON + seconds(30)
    assert after.watch.carried.tick == 1
    assert after.watch.looked_at == NOON + seconds(32)


def test_a_bucket_carries_the_share_that_the_canary_had_for_certain() -> None:
    _, judge = tick(watched(percent=10), buckets=read(0, 1), cloud=CloudLook(share=50))
    _, less = tick(watched(percent=10), buckets=read(0, 1), cloud=CloudLook(share=5))

    assert (judge.shown[0].canary_percent, less.shown[0].canary_percent) == (10, 5)


def test_a_changed_share_is_noticed_once() -> None:
    after, _ = tick(watched(), cloud=CloudLook(share=50))
    again, _ = tick(after.watch, cloud=CloudLook(share=50))

    assert (after.percent_before, after.watch.percent) == (10, 50)
    assert again.percent_before is None


@pytest.mark.parametrize("share", [None, 0])
def test_a_share_that_is_gone_or_unknown_is_not_a_changed_one(share: int | None) -> None:
    after, _ = tick(watched(), cloud=CloudLook(share=share, problem="?"))

    assert (after.watch.percent, after.percent_before) == (10, None)


def failing_log(watch: Watch, after: float, **looked: Any) -> tuple[Ticked, Recorder]:
    """Tick while the request log cannot be read."""
    return tick(watch, after, buckets=read(0, 0, problem="unreachable"), **looked)


def test_a_log_that_fails_is_asked_again_before_the_time_is_given_up() -> None:
    soon, judge = tick(watched(), 22, buckets=read(0, 2, problem="unreachable"))

    assert soon.watch.read_until == NOON
    assert judge.counted == []

    later, judge = tick(watched(), 41, buckets=read(0, 3, problem="unreachable"))

    assert later.watch.read_until == NOON + seconds(20)
    assert judge.counted == []


def test_a_log_that_says_nothing_at_all_is_given_up_as_well() -> None:
    after, _ = failing_log(watched(), 75)

    assert after.watch.read_until == NOON + seconds(50)
    assert after.watch.sources[WatchSource.REQUEST_LOG].problem == "unreachable"


def test_after_an_outage_the_buckets_that_are_there_again_are_judged_once() -> None:
    lost, _ = failing_log(watched(), 22)

    back, judge = tick(lost.watch, 32, buckets=read(0, 3))

    assert len(judge.counted) == 3
    assert back.watch.sources[WatchSource.REQUEST_LOG].problem is None


def minutes(*ends: float, **more: Any) -> MinutesRead:
    """Return minutes of both sides that ended so many seconds after noon."""
    found: list[Minute] = []
    for end in ends:
        found += [a_minute(name, ended=NOON + seconds(end), **more) for name in (CANARY, STABLE)]
    return MinutesRead(minutes=tuple(found))


def test_while_the_log_works_minutes_serve_memory_and_cpu_only() -> None:
    after, judge = tick(watched(), 132, buckets=read(0, 13), minutes=minutes(60, 120))

    assert {source for source, _ in judge.counted} == {Source.REQUEST_LOG}
    gauges = [o.canary_gauges for o in judge.shown if o.canary_gauges]
    assert [g.until for g in gauges] == [NOON + seconds(60), NOON + seconds(120)]
    assert after.watch.carried.gauges_until == NOON + seconds(120)


def test_gauges_of_a_minute_are_judged_once_however_often_it_is_read() -> None:
    once, _ = tick(watched(), 70, minutes=minutes(60))

    _, judge = tick(once.watch, 100, minutes=minutes(60))

    assert judge.shown == []


def test_a_minute_whose_cpu_has_not_come_yet_is_waited_for_and_then_taken_as_it_is() -> None:
    _, soon = tick(watched(), 240, minutes=minutes(60, cpu=None))
    _, late = tick(watched(), 241, minutes=minutes(60, cpu=None))

    assert soon.shown == []
    assert len(late.shown) == 1


def test_while_the_log_fails_whole_minutes_of_monitoring_take_its_place_each_once() -> None:
    lost, judge = failing_log(watched(), 200, minutes=minutes(60, 120))
    again, twice = failing_log(lost.watch, 230, minutes=minutes(60, 120, 180))

    assert judge.counted == [(Source.MONITORING, NOON + seconds(s)) for s in (0, 60)]
    assert twice.counted == [(Source.MONITORING, NOON + seconds(120))]
    assert again.watch.minutes_until == NOON + seconds(180)
    assert judge.shown[-1].canary_p95_ms == 120.0


def test_a_minute_that_the_log_has_told_part_of_is_not_counted_twice() -> None:
    told, _ = tick(watched(), 32, buckets=read(0, 3))

    _, judge = failing_log(told.watch, 200, minutes=minutes(60, 120))

    assert judge.counted == [(Source.MONITORING, NOON + seconds(60))]


def test_a_minute_without_points_is_no_data_and_not_zero() -> None:
    _, judge = failing_log(watched(), 200, minutes=minutes(60, requests=None, memory=None, cpu=None))

    assert judge.shown == []


def test_minutes_of_another_revision_are_left_out() -> None:
    strange = MinutesRead(minutes=(a_minute("ion-api-00009-old", ended=NOON + seconds(60)),))

    after, judge = failing_log(watched(), 200, minutes=strange)

    assert judge.shown == []
    assert all(r.value is None for r in after.watch.readings)


def test_a_log_whose_newest_entries_are_minutes_late_is_called_late_and_never_green() -> None:
    stuck, _ = tick(watched(read_until=NOON), 90, buckets=read(0, 0))
    assert stuck.watch.sources[WatchSource.REQUEST_LOG].problem is None

    late, _ = tick(watched(read_until=NOON), 91, buckets=read(0, 0))
    assert late.watch.sources[WatchSource.REQUEST_LOG].problem == LATE


def test_a_watch_that_slept_begins_an_hour_back_at_most() -> None:
    after, _ = tick(watched(), 3 * 3600, buckets=read(0, 0))

    assert after.watch.read_until == NOON + seconds(2 * 3600)


def test_whatever_fails_is_never_green() -> None:
    well, _ = tick(watched(), 62, buckets=read(0, 6), minutes=minutes(60))
    thresholds = a_playbook().thresholds
    shown = flags(well.watch.readings, thresholds, now=NOON + seconds(62))
    assert {flag.colour for flag in shown} == {Colour.GREEN}

    blind, _ = failing_log(well.watch, 100, minutes=MinutesRead(problem="denied"))

    shown = flags(blind.watch.readings, thresholds, now=NOON + seconds(100))
    assert {flag.colour for flag in shown} == {Colour.GREY}
    assert {flag.reading.metric for flag in shown} == set(Metric)


def test_each_source_says_when_it_was_well_last() -> None:
    well, _ = tick(watched(), 12, buckets=read(0, 1), minutes=minutes(0), cloud=CloudLook(share=10))
    denied = MinutesRead(problem="denied")

    lost, _ = tick(well.watch, 72, minutes=denied, cloud=CloudLook(problem="unreachable"))

    sources = lost.watch.sources
    assert sources[WatchSource.MONITORING] == SourceState(well_at=NOON + seconds(12), problem="denied")
    assert sources[WatchSource.CLOUD_RUN].well_at == NOON + seconds(12)
    assert sources[WatchSource.REQUEST_LOG].problem is None


def asked(after: float, canary: bool | None, *, stable: bool | None = True) -> Asked:
    """Return a probe that began so many seconds after noon."""
    return Asked(at=NOON + seconds(after), canary=canary, stable=stable)


def test_failed_probes_are_counted_in_a_row_with_how_far_they_lie_apart() -> None:
    watch = watched()
    shown = []
    for after in (0, 5, 10):
        done, judge = tick(watch, after, asked=asked(after, False))
        watch = done.watch
        shown += [o.probed for o in judge.shown]

    assert [(p.canary_failures, p.apart_seconds) for p in shown if p] == [(1, 0), (2, 5), (3, 10)]

    done, judge = tick(watch, 15, asked=asked(15, True))

    assert done.watch.carried.failures == 0
    assert judge.shown[0].probed is not None
    assert judge.shown[0].probed.canary_failures == 0


def test_a_canary_that_asks_to_be_left_alone_is_neither_well_nor_failing() -> None:
    failed, _ = tick(watched(), 0, asked=asked(0, False))

    later, judge = tick(failed.watch, 5, asked=asked(5, None))

    assert later.watch.carried.failures == 1
    assert judge.shown[0].probed is not None
    assert judge.shown[0].probed.canary_well is None


def test_a_probe_comes_with_the_newest_counts_or_alone() -> None:
    _, together = tick(watched(), 22, buckets=read(0, 2), asked=asked(22, True))
    _, alone = tick(watched(), 5, asked=asked(5, True))

    assert [o.probed is not None for o in together.shown] == [False, True]
    (only,) = alone.shown
    assert (only.canary, only.since, only.until) == (None, NOON + seconds(5), NOON + seconds(5))


def test_a_clock_that_was_put_back_begins_anew_instead_of_waiting_for_it() -> None:
    ahead = watched(read_until=NOON + seconds(3600), judge=JudgeState(requests=99))

    after, judge = tick(ahead, 15, buckets=read(3600, 1))

    assert after.put_back_seconds == 3585
    assert after.watch.read_until == NOON + seconds(10)
    assert (after.watch.judge.requests, judge.shown) == (0, [])


def test_a_clock_that_differs_a_little_changes_nothing() -> None:
    after, _ = tick(watched(read_until=NOON + seconds(75)), 15)

    assert (after.put_back_seconds, after.watch.read_until) == (0.0, NOON + seconds(75))


CAUTION = Alarm(kind=AlarmKind.ERROR_RATE_ONCE, level=Level.TELL, at=NOON, revision=CANARY)


def test_a_caution_makes_the_watch_look_more_closely_and_is_told_once() -> None:
    first, _ = tick(watched(), judge=Recorder(CAUTION), buckets=read(0, 1))
    more, _ = tick(first.watch, 22, judge=Recorder(CAUTION), buckets=read(10, 1))

    assert first.closely_since is AlarmKind.ERROR_RATE_ONCE
    assert more.closely_since is None
    assert more.watch.closely(now=NOON + seconds(22 + 599))
    assert not more.watch.closely(now=NOON + seconds(22 + 600))


def after_rollback(*buckets: Bucket, said: dict[str, str] | None = None) -> Ticked:
    """Tick a watch of stable after a rollback at noon."""
    watch = rolled_back(watched(), at=NOON)
    watch = replace(watch, judge=replace(watch.judge, said=said or {}))
    read = BucketsRead(buckets=buckets)
    looked = Looked(at=buckets[-1].until + seconds(2), buckets=read, asked=asked(0, None))
    return ticked(watch, looked, a_playbook(), judge=Recorder())


def stable_buckets(count: int, errors: int) -> list[Bucket]:
    """Return so many buckets in which stable had so many errors of a hundred requests."""
    tally = Tally(requests=100, errors=errors)
    return [
        Bucket(since=since, until=since + BUCKET, canary=Tally(), stable=tally)
        for since in (NOON + n * BUCKET for n in range(count))
    ]


def test_stable_that_is_red_after_a_rollback_is_told_and_nothing_else() -> None:
    after = after_rollback(*stable_buckets(4, 2))

    (alarm,) = after.alarms
    assert (alarm.kind, alarm.level) == (AlarmKind.SHARED, Level.TELL)
    assert alarm.facts["afterwards"]
    assert alarm.facts["stable_value"] == 2.0
    assert after.watch.judge.requests == 0


@pytest.mark.parametrize(("count", "errors"), [(3, 2), (4, 1), (4, 0)])
def test_stable_on_the_line_or_seen_too_briefly_is_not_red(count: int, errors: int) -> None:
    assert after_rollback(*stable_buckets(count, errors)).alarms == ()


def test_stable_is_said_to_be_red_once() -> None:
    assert after_rollback(*stable_buckets(6, 50), said={"shared": "tell"}).alarms == ()


def test_what_the_canary_left_behind_before_the_traffic_moved_is_not_stables() -> None:
    sick = [
        Bucket(since=b.since - seconds(30), until=b.until - seconds(30), canary=b.canary, stable=b.stable)
        for b in stable_buckets(4, 50)
    ]

    assert after_rollback(*sick).alarms == ()


def names(found: Sequence[Observation]) -> set[str]:
    """Return whose observations these are."""
    return {observation.revision for observation in found}


def test_all_that_is_shown_is_the_canarys_own() -> None:
    _, judge = tick(watched(), 200, buckets=read(0, 19), minutes=minutes(60), asked=asked(200, True))

    assert names(judge.shown) == {CANARY}
    assert {r.side for r in tick(watched(), 12, buckets=read(0, 1))[0].watch.readings} == set(Side)
