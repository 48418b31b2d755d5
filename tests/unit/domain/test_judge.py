"""Deciding: every rule on both sides and on its line, in sequences, and with input that makes no sense."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from bot.domain.alarm import Alarm, AlarmKind, Level
from bot.domain.detection import height
from bot.domain.flags import Colour
from bot.domain.judge import Judged, JudgeState, judge
from bot.domain.observation import Gauges, Observation, Probed, Tally
from bot.domain.plausible import Ignored
from bot.domain.playbook import Playbook
from bot.domain.readings import Source
from tests.values import CANARY, NOON, STABLE, a_playbook, seconds

TEXT = {"en": "x", "ko": "x"}
RULES = [
    {"when": when, "situation": TEXT, "verdict": TEXT, "action": TEXT, "readings": readings}
    for when, readings in (
        ("error_rate_once", 1),
        ("error_rate_in_a_row", 3),
        ("data_loss", 1),
        ("memory_explosion", 1),
        ("service_down", 1),
    )
]
WELL = Tally(requests=900, errors=2)


def playbook(**more: Any) -> Playbook:
    """Return a playbook with the guide's rules."""
    return a_playbook(rules=RULES, **more)


PLAYBOOK = playbook()


def a_bucket(
    number: int, canary: Tally | None, stable: Tally | None = WELL, *, length: float = 10, **more: Any
) -> Observation:
    """Return the bucket `number` (from 0) after noon."""
    since = NOON + seconds(number * length)
    values: dict[str, Any] = {
        "revision": CANARY,
        "since": since,
        "until": since + seconds(length),
        "source": Source.REQUEST_LOG,
        "canary": canary,
        "stable": stable,
        "canary_percent": 5,
    }
    return Observation(**(values | more))


def judged_all(
    seen: Iterable[Observation], playbook: Playbook = PLAYBOOK, state: JudgeState | None = None
) -> list[Judged]:
    """Judge one observation after the other."""
    results, state = [], state or JudgeState()
    for one in seen:
        results.append(judge(state, one, playbook))
        state = results[-1].state
    return results


def alarms(results: Sequence[Judged]) -> list[tuple[AlarmKind, Level]]:
    """Return what was raised, in order."""
    return [(alarm.kind, alarm.level) for result in results for alarm in result.alarms]


def raised(results: Sequence[Judged], kind: AlarmKind, level: Level | None = None) -> list[Alarm]:
    """Return the alarms of one kind."""
    return [
        alarm
        for result in results
        for alarm in result.alarms
        if alarm.kind is kind and level in (None, alarm.level)
    ]


def errors(count: int, *, of: int = 1000) -> Tally:
    """Return a bucket of `of` requests with `count` errors."""
    return Tally(requests=of, errors=count)


def readings(*buckets: Tally, stable: Tally = WELL) -> list[Observation]:
    """Return three buckets of each: one reading each."""
    spread = [tally for tally in buckets for _ in range(3)]
    return [a_bucket(number, tally, stable) for number, tally in enumerate(spread)]


# The guide's readings.


def test_a_healthy_canary_raises_nothing() -> None:
    results = judged_all(a_bucket(n, errors(2)) for n in range(200))

    assert alarms(results) == []
    assert results[-1].state.score_percent == 0


def test_one_reading_above_one_percent_tells() -> None:
    results = judged_all(readings(errors(11)))

    assert alarms(results) == [(AlarmKind.ERROR_RATE_ONCE, Level.TELL)]
    facts = results[-1].alarms[0].facts
    assert (facts["value"], facts["limit"], facts["in_a_row"], facts["readings"]) == (1.1, 1.0, 1, 3)
    assert (facts["requests"], facts["errors"], facts["metric"]) == (3000, 33, "error_rate")


def test_on_the_line_a_reading_is_not_red() -> None:
    results = judged_all(readings(errors(10), errors(10), errors(10)))

    assert alarms(results) == []
    assert results[-1].reading is not None
    assert results[-1].reading.error_rate is Colour.YELLOW


def test_three_red_readings_in_a_row_recommend_a_rollback() -> None:
    results = judged_all(readings(errors(11), errors(11), errors(11)))

    assert alarms(results) == [
        (AlarmKind.ERROR_RATE_ONCE, Level.TELL),
        (AlarmKind.ERROR_RATE_IN_A_ROW, Level.RECOMMEND),
    ]
    assert raised(results, AlarmKind.ERROR_RATE_IN_A_ROW)[0].at == NOON + seconds(90)


def test_a_yellow_reading_between_begins_the_row_anew() -> None:
    results = judged_all(readings(errors(11), errors(11), errors(8), errors(11), errors(11)))

    assert raised(results, AlarmKind.ERROR_RATE_IN_A_ROW) == []
    assert results[-1].state.error_streak.bad == 2


def test_the_third_reading_acts_once_the_trigger_has_fired_too() -> None:
    results = judged_all(a_bucket(n, errors(50)) for n in range(12))

    levels = [alarm.level for alarm in raised(results, AlarmKind.ERROR_RATE_IN_A_ROW)]
    assert levels[-1] is Level.ACT
    first = raised(results, AlarmKind.ERROR_RATE_IN_A_ROW, Level.ACT)[0]
    assert first.at >= NOON + seconds(90)
    assert first.facts["trigger_percent"] == 100


def test_as_many_readings_are_wanted_as_the_rule_says() -> None:
    two = [rule | {"readings": 2} if rule["when"] == "error_rate_in_a_row" else rule for rule in RULES]

    results = judged_all(readings(errors(11), errors(11)), a_playbook(rules=two))

    assert raised(results, AlarmKind.ERROR_RATE_IN_A_ROW)[0].facts["readings"] == 2


def test_a_situation_without_a_rule_is_not_judged() -> None:
    results = judged_all(readings(errors(11), errors(11), errors(11)), a_playbook(rules=[]))

    assert alarms(results) == []


def test_too_few_requests_prove_nothing_and_make_the_reading_longer() -> None:
    results = judged_all(a_bucket(n, Tally(requests=10, errors=1)) for n in range(5))

    assert [result.reading is not None for result in results] == [False] * 4 + [True]
    assert results[-1].reading is not None
    assert results[-1].reading.requests == 50
    assert alarms(results) == [(AlarmKind.ERROR_RATE_ONCE, Level.TELL)]


def test_the_longest_reading_with_too_few_requests_is_inconclusive() -> None:
    results = judged_all(a_bucket(n, Tally(requests=1, errors=1)) for n in range(30))

    assert [n for n, result in enumerate(results) if result.reading] == [29]
    assert results[-1].reading is not None
    assert results[-1].reading.error_rate is Colour.GREY
    assert results[-1].state.error_streak.bad == 0


def test_an_inconclusive_reading_leaves_the_row_as_it_is() -> None:
    thin = [a_bucket(6 + n, Tally(requests=1)) for n in range(30)]
    rest = [a_bucket(36 + n, errors(11)) for n in range(3)]

    # The pause is 5 min, as long as data may be old, so the row still holds.
    results = judged_all([*readings(errors(11), errors(11)), *thin, *rest])

    assert results[-1].state.error_streak.bad == 3


def test_what_was_gathered_before_a_long_gap_is_no_part_of_a_reading() -> None:
    results = judged_all(a_bucket(n, errors(11)) for n in (0, 1, 33, 34, 35))

    assert [result.reading is not None for result in results] == [False] * 4 + [True]
    assert results[-1].reading is not None
    assert results[-1].reading.requests == 3000


def test_a_row_that_lies_too_far_back_begins_anew() -> None:
    later = [a_bucket(6 + 31 + n, errors(11)) for n in range(3)]

    results = judged_all([*readings(errors(11), errors(11)), *later])

    assert results[-1].state.error_streak.bad == 1


@pytest.mark.parametrize(("count", "colour"), [(2, Colour.GREY), (3, Colour.RED)])
def test_a_reading_with_too_few_errors_is_never_red(count: int, colour: Colour) -> None:
    tallies = [Tally(requests=30, errors=1 if n < count else 0) for n in range(3)]

    results = judged_all(a_bucket(n, tally) for n, tally in enumerate(tallies))

    assert results[-1].reading is not None
    assert results[-1].reading.error_rate is colour


def test_zero_traffic_is_inconclusive() -> None:
    results = judged_all(a_bucket(n, Tally(), canary_percent=None) for n in range(60))

    assert alarms(results) == []
    assert all(r.reading is None or r.reading.error_rate is Colour.GREY for r in results)


def test_a_minute_of_monitoring_is_a_reading_by_itself() -> None:
    minutes = [a_bucket(n, errors(11), length=60, source=Source.MONITORING) for n in range(3)]

    results = judged_all(minutes)

    assert [result.reading is not None for result in results] == [True] * 3
    assert raised(results, AlarmKind.ERROR_RATE_IN_A_ROW)[0].facts["source"] == "monitoring"


def test_a_source_that_failed_neither_breaks_nor_continues_the_row() -> None:
    gap = [a_bucket(n, None, None, problem="log: unavailable") for n in range(6, 9)]
    rest = [a_bucket(n, errors(11)) for n in range(9, 12)]

    before = judged_all(readings(errors(11), errors(11)))[-1].state
    during = judged_all(gap, state=before)

    assert all(result.state == before and not result.alarms for result in during)
    after = judged_all(rest, state=during[-1].state)
    assert raised(after, AlarmKind.ERROR_RATE_IN_A_ROW)


def test_both_as_bad_is_told_and_never_recommended() -> None:
    results = judged_all(readings(errors(50), errors(50), errors(50), stable=errors(50)))

    assert {level for _, level in alarms(results)} == {Level.TELL}
    assert {kind for kind, _ in alarms(results)} == {AlarmKind.SHARED}


def test_three_readings_as_red_on_both_sides_are_told_of() -> None:
    results = judged_all(readings(errors(11), errors(11), errors(11), stable=errors(11)))

    assert alarms(results) == [(AlarmKind.SHARED, Level.TELL)]
    assert results[-1].alarms[0].facts["stable_is_bad"] == pytest.approx(0.011)


def test_a_canary_that_is_far_worse_than_a_red_stable_is_still_its_own_fault() -> None:
    results = judged_all(readings(errors(500), errors(500), errors(500), stable=errors(12)))

    assert raised(results, AlarmKind.ERROR_RATE_IN_A_ROW)
    assert not raised(results, AlarmKind.SHARED)


def test_without_stable_to_compare_with_it_is_recommended_and_never_acted_on() -> None:
    results = judged_all(a_bucket(n, errors(50), None) for n in range(20))

    assert Level.RECOMMEND in {level for _, level in alarms(results)}
    assert Level.ACT not in {level for _, level in alarms(results)}
    assert raised(results, AlarmKind.EARLY_WARNING)[0].facts["no_baseline"] is True


# The score.


def test_however_bad_it_is_the_warning_takes_thirty_seconds_and_the_trigger_ninety() -> None:
    results = judged_all(a_bucket(n, errors(50)) for n in range(12))

    warned = raised(results, AlarmKind.EARLY_WARNING)
    assert [(alarm.level, (alarm.at - NOON).total_seconds()) for alarm in warned] == [
        # From the first bucket on: it is 10 s long itself.
        (Level.RECOMMEND, 40),
        (Level.NEARLY, 90),
        (Level.ACT, 100),
    ]
    assert warned[0].facts["stable_value"] == pytest.approx(0.22)
    assert [alarm.before for alarm in warned] == [None, Level.RECOMMEND, Level.NEARLY]
    assert warned[1].facts["trigger_percent"] == pytest.approx(92.6)
    assert warned[2].facts["seconds"] == 100


def the_streaks_and_the_scores(results: Sequence[Judged]) -> set[AlarmKind]:
    """Return which kinds were nearly sure."""
    return {alarm.kind for result in results for alarm in result.alarms if alarm.level is Level.NEARLY}


def test_what_is_red_in_a_row_is_nearly_sure_with_the_score() -> None:
    results = judged_all(a_bucket(n, errors(50)) for n in range(12))

    assert the_streaks_and_the_scores(results) == {AlarmKind.EARLY_WARNING, AlarmKind.ERROR_RATE_IN_A_ROW}


def test_without_three_red_readings_only_the_score_is_nearly_sure() -> None:
    # Too few requests in ninety seconds for a reading.
    late = playbook(thresholds={"min_requests": 100_000})

    results = judged_all((a_bucket(n, errors(50)) for n in range(12)), late)

    assert the_streaks_and_the_scores(results) == {AlarmKind.EARLY_WARNING}


def test_a_minute_of_cloud_monitoring_is_never_nearly_enough() -> None:
    results = judged_all(a_bucket(n, errors(300, of=6000), length=60) for n in range(12))

    assert raised(results, AlarmKind.EARLY_WARNING, Level.ACT)
    assert the_streaks_and_the_scores(results) == set()


def test_a_canary_that_stable_does_not_differ_from_is_never_nearly_blamed() -> None:
    results = judged_all(a_bucket(n, errors(50), errors(45, of=900)) for n in range(12))

    assert the_streaks_and_the_scores(results) == set()


def test_without_stable_traffic_it_is_never_nearly_sure() -> None:
    results = judged_all(a_bucket(n, errors(50), Tally()) for n in range(12))

    assert the_streaks_and_the_scores(results) == set()


def test_slowness_is_nearly_sure_only_where_it_may_act() -> None:
    auto = playbook(watch={"early_warning": {"mode": "auto"}})
    slow_ones = [a_bucket(n, slow(200), QUICK) for n in range(12)]

    assert AlarmKind.RESPONSE_TIME not in the_streaks_and_the_scores(judged_all(slow_ones))
    assert AlarmKind.RESPONSE_TIME in the_streaks_and_the_scores(judged_all(slow_ones, auto))


def test_a_full_score_that_does_not_prove_it_yet_is_not_called_shared() -> None:
    # Half of the traffic each: six times as bad as stable, but at first by few errors only.
    stable = [errors(1 if n % 3 == 2 else 0, of=40) for n in range(20)]

    results = judged_all(a_bucket(n, errors(2, of=40), stable[n], canary_percent=50) for n in range(20))

    full = [result for result in results if result.state.score_percent == 100]
    assert AlarmKind.EARLY_WARNING not in {alarm.kind for alarm in full[0].alarms}
    assert raised(results, AlarmKind.SHARED) == []
    assert raised(results, AlarmKind.EARLY_WARNING)


def test_a_quiet_first_bucket_does_not_make_the_score_easy_to_fill() -> None:
    first = judged_all([a_bucket(0, Tally())])[-1].state

    assert first.height == pytest.approx(
        height(requests=1000, risk=0.0005, healthy_ratio=0.005, line=0.01), abs=0.05
    )


def test_errors_at_the_red_line_never_fill_the_score() -> None:
    results = judged_all(a_bucket(n, errors(10)) for n in range(500))

    assert results[-1].state.score_percent == 0


def test_an_alarm_is_raised_once_while_it_lasts() -> None:
    results = judged_all(a_bucket(n, errors(50)) for n in range(200))

    assert len(alarms(results)) == len(set(alarms(results)))


def test_an_alarm_that_is_over_is_raised_anew() -> None:
    bad, calm = [errors(50)] * 6, [errors(0)] * 100

    results = judged_all(a_bucket(n, tally) for n, tally in enumerate([*bad, *calm, *bad]))

    assert len(raised(results, AlarmKind.ERROR_RATE_ONCE)) == 2
    assert len(raised(results, AlarmKind.EARLY_WARNING, Level.RECOMMEND)) == 2
    assert AlarmKind.EARLY_WARNING in {kind for result in results for kind in result.over}


def test_a_rate_that_flaps_between_red_and_yellow_is_told_once() -> None:
    results = judged_all(readings(*[errors(11), errors(8)] * 10))

    assert alarms(results) == [(AlarmKind.ERROR_RATE_ONCE, Level.TELL)]


# Response time.


def slow(count: int, *, of: int = 1000) -> Tally:
    """Return a bucket in which `count` requests took 600 ms and the others 100."""
    return Tally(requests=of, latencies=((110, of - count), (600, count)))


QUICK = Tally(requests=900, latencies=((110, 890), (600, 10)))


def test_slowness_is_warned_of_and_only_recommended() -> None:
    results = judged_all(a_bucket(n, slow(200), QUICK) for n in range(15))

    assert {alarm.level for alarm in raised(results, AlarmKind.RESPONSE_TIME)} == {Level.RECOMMEND}
    facts = raised(results, AlarmKind.RESPONSE_TIME)[0].facts
    assert (facts["metric"], facts["limit"], facts["slow_percent"]) == ("p95", 500, 20.0)


def test_slowness_acts_where_the_early_warning_may() -> None:
    may = playbook(watch={"early_warning": {"mode": "auto"}})

    results = judged_all((a_bucket(n, slow(200), QUICK) for n in range(15)), may)

    acted = raised(results, AlarmKind.RESPONSE_TIME, Level.ACT)
    assert [(alarm.at - NOON).total_seconds() for alarm in acted] == [100]


def test_slowness_on_both_sides_is_shared() -> None:
    results = judged_all(a_bucket(n, slow(200), slow(200)) for n in range(15))

    assert alarms(results) == [(AlarmKind.SHARED, Level.TELL)]


def test_five_percent_slow_requests_fill_nothing() -> None:
    results = judged_all(a_bucket(n, slow(50), QUICK) for n in range(100))

    assert raised(results, AlarmKind.RESPONSE_TIME) == []


@pytest.mark.parametrize(("p95", "count"), [(500.0, 0), (500.1, 1)])
def test_three_minutes_with_a_red_p95_recommend(p95: float, count: int) -> None:
    minutes = [
        a_bucket(n, errors(0), length=60, source=Source.MONITORING, canary_p95_ms=p95, stable_p95_ms=150.0)
        for n in range(4)
    ]

    results = judged_all(minutes)

    assert len(raised(results, AlarmKind.RESPONSE_TIME, Level.RECOMMEND)) == count


def test_a_red_p95_on_both_sides_is_shared() -> None:
    minutes = [
        a_bucket(n, errors(0), length=60, source=Source.MONITORING, canary_p95_ms=800.0, stable_p95_ms=700.0)
        for n in range(3)
    ]

    assert alarms(judged_all(minutes)) == [(AlarmKind.SHARED, Level.TELL)]


# Down.


def a_probe(
    at: float, *, well: bool | None, stable: bool | None = True, failures: int = 0, apart: float = 0
) -> Observation:
    """Return an observation that holds nothing but a probe."""
    now = NOON + seconds(at)
    probed = Probed(
        at=now, canary_well=well, stable_well=stable, canary_failures=failures, apart_seconds=apart
    )
    return Observation(revision=CANARY, since=now, until=now, source=Source.PROBE, probed=probed)


@pytest.mark.parametrize(
    ("failures", "apart", "level"),
    [(2, 10, None), (3, 9.9, None), (3, 10, Level.ACT), (4, 15, Level.ACT)],
)
def test_three_failed_probes_in_ten_seconds_are_a_service_that_is_down(
    failures: int, apart: float, level: Level | None
) -> None:
    results = judged_all([a_probe(0, well=True), a_probe(20, well=False, failures=failures, apart=apart)])

    assert alarms(results) == ([(AlarmKind.SERVICE_DOWN, level)] if level else [])


def test_a_probe_that_fails_on_both_sides_is_shared() -> None:
    results = judged_all([a_probe(0, well=True), a_probe(20, well=False, stable=False, failures=3, apart=10)])

    assert alarms(results) == [(AlarmKind.SHARED, Level.TELL)]


def test_a_probe_without_stable_beside_it_only_recommends() -> None:
    results = judged_all([a_probe(0, well=True), a_probe(20, well=False, stable=None, failures=3, apart=10)])

    assert alarms(results) == [(AlarmKind.SERVICE_DOWN, Level.RECOMMEND)]


def test_a_health_address_that_never_answered_only_recommends() -> None:
    results = judged_all([a_probe(20, well=False, failures=3, apart=10)])

    assert alarms(results) == [(AlarmKind.SERVICE_DOWN, Level.RECOMMEND)]


def test_a_canary_that_answers_its_users_is_not_down() -> None:
    seen = [a_bucket(2, errors(0)), a_probe(35, well=False, failures=4, apart=15)]

    results = judged_all([a_probe(0, well=True), *seen])

    assert alarms(results) == [(AlarmKind.SERVICE_DOWN, Level.TELL)]
    assert results[-1].alarms[0].facts["answers_requests"] is True


def test_a_probe_that_answers_again_ends_it_and_the_next_time_is_told_anew() -> None:
    down = [a_probe(20, well=False, failures=3, apart=10), a_probe(60, well=False, failures=3, apart=10)]

    results = judged_all([a_probe(0, well=True), down[0], a_probe(40, well=True), down[1]])

    assert len(raised(results, AlarmKind.SERVICE_DOWN, Level.ACT)) == 2


def test_nothing_but_failures_for_thirty_seconds_is_down() -> None:
    results = judged_all(a_bucket(n, Tally(requests=4, errors=4)) for n in range(6))

    down = raised(results, AlarmKind.SERVICE_DOWN)
    assert [(alarm.level, (alarm.at - NOON).total_seconds()) for alarm in down] == [(Level.ACT, 40)]
    assert down[0].facts["failures"] == 16


def test_nothing_but_failures_on_both_sides_is_shared() -> None:
    results = judged_all(a_bucket(n, errors(40, of=40), errors(900, of=900)) for n in range(6))

    assert raised(results, AlarmKind.SERVICE_DOWN) == []
    assert raised(results, AlarmKind.SHARED)


def test_requests_that_never_come_are_down_only_with_a_failing_probe() -> None:
    quiet = [a_bucket(n, Tally()) for n in range(3)]
    failing = Probed(at=NOON + seconds(30), canary_well=False, stable_well=True, canary_failures=1)

    alone = judged_all(quiet)
    confirmed = judged_all([a_probe(0, well=True), *quiet[:2], replace(quiet[2], probed=failing)])
    after = judged_all([a_bucket(3, Tally())], state=confirmed[-1].state)

    assert alarms(alone) == []
    assert raised([*confirmed, *after], AlarmKind.SERVICE_DOWN, Level.ACT)[0].facts["missing"] >= 20


@pytest.mark.parametrize(("age", "count"), [(300, 1), (301, 0)])
def test_a_probe_from_long_ago_confirms_no_silence(age: int, count: int) -> None:
    failing = a_probe(0, well=False, failures=1)
    quiet = [replace(a_bucket(n, Tally()), since=NOON, until=NOON) for n in range(1)]
    silent = [replace(one, since=NOON + seconds(age - 40), until=NOON + seconds(age)) for one in quiet]

    assert len(alarms(judged_all([failing, *silent]))) == count


def test_a_canary_that_gets_no_traffic_is_not_silent() -> None:
    quiet = [a_bucket(n, Tally(), canary_percent=0) for n in range(30)]
    failing = a_probe(29, well=False, failures=1)

    assert alarms(judged_all([a_probe(0, well=True), failing, *quiet])) == []


# Containers.


def gauges(number: int, *, memory: float | None = None, cpu: float | None = None, **more: Any) -> Observation:
    """Return a minute of gauges, without counts."""
    at = NOON + seconds(60 * number)
    return a_bucket(
        number, None, None, length=60, canary_gauges=Gauges(until=at, memory=memory, cpu=cpu), **more
    )


def test_memory_that_rises_towards_its_limit_is_recommended_and_over_it_acted_on() -> None:
    results = judged_all(gauges(n, memory=min(60.0 + 2.6 * max(0, n - 3), 99.0)) for n in range(20))

    found = raised(results, AlarmKind.MEMORY_EXPLOSION)
    assert [alarm.level for alarm in found] == [Level.RECOMMEND, Level.ACT]
    assert found[0].facts["value"] < 85 < found[1].facts["value"]
    assert found[0].facts["full_in_seconds"] == pytest.approx(
        (100 - found[0].facts["value"]) / 2.6 * 60, rel=0.2
    )


def test_memory_that_is_high_and_flat_is_only_told_of() -> None:
    results = judged_all(gauges(n, memory=88.0) for n in range(20))

    assert alarms(results) == [(AlarmKind.MEMORY_EXPLOSION, Level.TELL)]


def test_memory_on_its_line_is_not_over_it() -> None:
    assert alarms(judged_all(gauges(n, memory=85.0) for n in range(20))) == []


def test_memory_that_is_as_full_on_stable_is_shared() -> None:
    full = Gauges(until=NOON, memory=95.0)

    results = judged_all(gauges(n, memory=86.0 + n, stable_gauges=full) for n in range(10))

    assert alarms(results) == [(AlarmKind.SHARED, Level.TELL)]


def test_samples_with_a_hole_between_them_are_not_in_a_row() -> None:
    results = judged_all([gauges(0, memory=90), gauges(1, memory=91), gauges(12, memory=92)])

    assert alarms(results) == []
    assert results[-1].state.memory_run.over == 1


def test_the_same_sample_again_changes_nothing() -> None:
    first = judged_all(gauges(n, memory=86.0 + n) for n in range(2))

    again = judged_all([gauges(1, memory=87.0)] * 5, state=first[-1].state)

    assert again[-1].state == first[-1].state


@pytest.mark.parametrize(("cpu", "count"), [(90.0, 0), (90.1, 1)])
def test_a_cpu_red_three_times_in_a_row_is_told_of(cpu: float, count: int) -> None:
    results = judged_all(gauges(n, cpu=cpu) for n in range(5))

    assert alarms(results) == [(AlarmKind.CPU, Level.TELL)] * count


# Bad input.


def test_a_duplicate_and_a_late_point_are_named_and_change_nothing() -> None:
    before = judged_all(a_bucket(n, errors(50)) for n in range(3))[-1].state

    again = judge(before, a_bucket(2, errors(900)), PLAYBOOK)
    late = judge(before, a_bucket(0, errors(900)), PLAYBOOK)
    overlapping = judge(before, replace(a_bucket(2, errors(900)), until=NOON + seconds(40)), PLAYBOOK)

    assert [r.ignored for r in (again, late, overlapping)] == [
        Ignored.TWICE, Ignored.LATE, Ignored.OVERLAPS,
    ]  # fmt: skip
    assert all(result.state == before and not result.alarms for result in (again, late, overlapping))


def test_a_minute_of_monitoring_is_not_too_late_for_buckets_that_could_not_be_read() -> None:
    unread = [a_bucket(n, None, None) for n in range(20)]
    minute = a_bucket(0, errors(11), length=60, source=Source.MONITORING)

    results = judged_all([*unread, a_probe(200, well=True), minute])

    assert results[-1].ignored is None
    assert results[-1].reading is not None


def test_another_revision_begins_anew() -> None:
    results = judged_all(readings(errors(11), errors(11)))

    other = judge(results[-1].state, a_bucket(6, errors(11), revision=STABLE), PLAYBOOK)

    assert other.state.revision == STABLE
    assert other.state.error_streak.bad == 0
    assert other.state.requests == 1000


def test_a_late_point_of_the_revision_before_does_not_begin_anew() -> None:
    before = judged_all(readings(errors(11)))[-1].state

    late = judge(before, a_bucket(0, errors(11), revision=STABLE), PLAYBOOK)

    assert (late.state, late.ignored) == (before, Ignored.OTHER_REVISION)


NAN: Any = float("nan")


@pytest.mark.parametrize(
    ("tally", "why"),
    [
        (Tally(requests=10, errors=11), Ignored.MORE_ERRORS_THAN_REQUESTS),
        (Tally(requests=-1), Ignored.NEGATIVE),
        (Tally(requests=10, errors=-1), Ignored.NEGATIVE),
        (Tally(requests=NAN), Ignored.NOT_A_NUMBER),
        (Tally(requests=10, errors=NAN), Ignored.NOT_A_NUMBER),
        (Tally(requests=10**15), Ignored.TOO_LARGE),
        (Tally(requests=10, latencies=((100, 11),)), Ignored.MORE_LATENCIES_THAN_REQUESTS),
        (Tally(requests=10, latencies=((100, -1),)), Ignored.NEGATIVE),
        (Tally(requests=10, latencies=((100, NAN),)), Ignored.NOT_A_NUMBER),
    ],
)
def test_counts_that_cannot_be_are_named_and_not_weighed(tally: Tally, why: Ignored) -> None:
    of_canary = judge(JudgeState(revision=CANARY), a_bucket(0, tally), PLAYBOOK)
    of_stable = judge(JudgeState(revision=CANARY), a_bucket(0, errors(50), tally), PLAYBOOK)

    assert (of_canary.ignored, of_canary.state) == (why, JudgeState(revision=CANARY))
    # Without stable's counts there is no baseline; the canary's are weighed all the same.
    assert of_stable.ignored is why
    assert of_stable.state.errors_warning.stable_requests == 0


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1.0, 9000.0])
def test_gauges_that_are_no_percentage_are_named_and_not_weighed(value: float) -> None:
    result = judge(JudgeState(revision=CANARY), gauges(0, memory=value, cpu=value), PLAYBOOK)

    assert result.ignored in (Ignored.NOT_A_NUMBER, Ignored.NO_PERCENTAGE)
    assert result.state.memory == ()
    assert result.state.cpu_streak.bad == 0


def test_a_window_without_length_is_named() -> None:
    empty = replace(a_bucket(0, errors(50)), until=NOON)

    assert judge(JudgeState(), empty, PLAYBOOK).ignored is Ignored.NO_LENGTH


# What holds for every sequence.


@st.composite
def sequences(draw: st.DrawFn) -> list[Observation]:
    """Draw up to an hour of buckets of any kind, in the order of time."""
    number, seen = 0, []
    for _ in range(draw(st.integers(1, 40))):
        number += draw(st.integers(0, 2))
        requests = draw(st.sampled_from([0, 3, 60, 400]))
        bad = draw(st.integers(0, requests))
        late = draw(st.integers(0, requests))
        canary = Tally(requests=requests, errors=bad, latencies=((110, requests - late), (600, late)))
        stable = draw(st.sampled_from([None, Tally(), WELL, QUICK, errors(90), errors(900, of=900)]))
        bucket = a_bucket(number, canary if draw(st.booleans()) else None, stable)
        if draw(st.booleans()):
            memory = draw(st.floats(0, 120))
            bucket = replace(
                bucket, canary_gauges=Gauges(until=bucket.until, memory=memory, cpu=draw(st.floats(0, 120)))
            )
        if draw(st.booleans()):
            failures = draw(st.integers(0, 5))
            bucket = replace(
                bucket,
                probed=Probed(
                    at=bucket.until,
                    canary_well=failures == 0,
                    stable_well=draw(st.sampled_from([True, False, None])),
                    canary_failures=failures,
                    apart_seconds=5.0 * max(0, failures - 1),
                ),
            )
        seen.append(bucket)
        number += 1
    return seen


@settings(max_examples=30, deadline=None)
@given(sequences())
def test_an_observation_that_comes_twice_changes_nothing(seen: list[Observation]) -> None:
    once = judged_all(seen)
    twice = judged_all(one for observation in seen for one in (observation, observation))

    assert twice[-1].state == once[-1].state
    assert alarms(twice) == alarms(once)


@settings(max_examples=20, deadline=None)
@given(sequences(), st.data())
def test_judging_goes_on_identically_after_the_state_was_kept(
    seen: list[Observation], data: st.DataObject
) -> None:
    kept = TypeAdapter(JudgeState)
    cut = data.draw(st.integers(0, len(seen)))
    straight = judged_all(seen)

    before = judged_all(seen[:cut])
    state = before[-1].state if before else JudgeState()
    read = kept.validate_json(kept.dump_json(state))
    after = judged_all(seen[cut:], state=read)

    assert read == state
    assert (after or before)[-1].state == straight[-1].state
    assert alarms([*before, *after]) == alarms(straight)


def shuffled(value: Any, order: Any) -> Any:
    """Return JSON with the keys of every object in another order."""
    if isinstance(value, dict):
        keys = list(value)
        order.shuffle(keys)
        return {key: shuffled(value[key], order) for key in keys}
    return [shuffled(one, order) for one in value] if isinstance(value, list) else value


@settings(max_examples=30, deadline=None)
@given(sequences(), st.randoms(use_true_random=False))
def test_a_kept_state_is_read_whatever_the_order_of_its_keys(seen: list[Observation], order: Any) -> None:
    kept = TypeAdapter(JudgeState)
    state = judged_all(seen)[-1].state

    assert kept.validate_python(shuffled(kept.dump_python(state, mode="json"), order)) == state


@settings(max_examples=20, deadline=None)
@given(sequences())
def test_what_is_nearly_sure_of_the_scores_is_never_raised_after_it_was_sure(seen: list[Observation]) -> None:
    said: dict[AlarmKind, Level] = {}

    for result in judged_all(seen):
        for alarm in result.alarms:
            assert alarm.level is not Level.NEARLY or said.get(alarm.kind) is not Level.ACT
            said[alarm.kind] = alarm.level
        for kind in result.over:
            said.pop(kind, None)


@settings(max_examples=20, deadline=None)
@given(sequences())
def test_nothing_is_acted_on_without_stable_to_compare_with(seen: list[Observation]) -> None:
    alone = [
        replace(one, stable=None, probed=one.probed and replace(one.probed, stable_well=None)) for one in seen
    ]

    acted = [
        alarm
        for result in judged_all(alone)
        for alarm in result.alarms
        if alarm.level is Level.ACT and alarm.kind is not AlarmKind.MEMORY_EXPLOSION
    ]

    assert acted == []


def test_facts_are_plain_json() -> None:
    seen = [
        *(a_bucket(n, slow(200), WELL) for n in range(6)),
        *(a_bucket(6 + n, errors(1000), WELL) for n in range(6)),
        *(gauges(n, memory=86.0 + n, cpu=99.0) for n in range(10)),
        a_probe(1000, well=False, failures=3, apart=10),
    ]

    facts = [alarm.facts for result in judged_all(seen) for alarm in result.alarms]

    plain = TypeAdapter(dict[str, str | int | float | bool | None])
    assert all(plain.validate_python(one, strict=True) == one for one in facts)
    assert all({"metric", "source", "until"} <= set(one) for one in facts)
    assert all(datetime.fromisoformat(one["until"]).tzinfo for one in facts)
