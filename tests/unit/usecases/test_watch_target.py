"""Watching one deployment turn by turn: what is read, kept, told, and how it ends."""

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from bot.domain.alert import AlertState
from bot.domain.flags import Colour, flags
from bot.domain.ids import RevisionName
from bot.domain.judge import AlarmKind, Judged, JudgeState, Level, judge
from bot.domain.observation import Observation, Tally
from bot.domain.playbook import Playbook
from bot.domain.readings import Metric, Side, Source
from bot.domain.rollback import RollbackState
from bot.domain.timeline import BACKOUT, Event, first_broken
from bot.domain.watch import EndedWhy, WatchSource, WatchState
from bot.usecases.ports import Showing, StoreDown, Workflow
from bot.usecases.report_breakage import report_breakage
from bot.usecases.watch_target import watch_target
from tests.fakes import FakeSteps
from tests.unit.usecases.watch_world import (
    RULES,
    WatchWorld,
    a_minute,
    failing,
    one_target,
    split,
)
from tests.unit.usecases.world import GONE
from tests.values import (
    CANARY,
    CANARY_TARGET,
    NOON,
    SENA,
    STABLE,
    a_decided_rollback,
    a_playbook,
    a_revision,
    an_incident,
    seconds,
)

OUT = "https://canary.example.com/health"
STABLES = "https://stable.example.com/health"


def quiet(state: JudgeState, seen: Observation, playbook: Playbook) -> Judged:
    """Count what is shown, and raise nothing."""
    counted = seen.canary.requests if seen.canary else 0
    return Judged(state=replace(state, revision=seen.revision, requests=state.requests + counted))


async def begun(playbook: Playbook | None = None, **more: Any) -> WatchWorld:
    """Return a world in which the scout has just begun a watch."""
    world = WatchWorld(playbook, **more)
    await world.scout()
    return world


async def test_a_turn_lasts_a_minute_and_hands_the_watch_to_the_next_one() -> None:
    world = await begun()

    watch = await world.turns(1)

    assert seconds(60) <= world.clock() - NOON < seconds(75)
    assert watch.turn == 1
    assert world.store.started(Workflow.WATCH)[-1] == {"target": "canary", "number": "1", "turn": "1"}


async def test_every_bucket_is_judged_once_over_many_turns() -> None:
    world = await begun(judge=quiet)

    watch = await world.turns(5)

    assert watch.read_until is not None
    buckets = (watch.read_until - (NOON - seconds(60))) / seconds(10)
    assert watch.judge.requests == 10 * buckets


async def test_what_is_shown_has_both_sides_with_source_size_and_age() -> None:
    world = await begun()
    world.metrics.recorded = tuple(
        a_minute(name, ended=NOON + timedelta(minutes=n)) for name in (CANARY, STABLE) for n in range(-5, 3)
    )

    watch = await world.turns(3)

    shown = {(r.metric, r.side): r for r in watch.readings}
    assert set(shown) == {(metric, side) for metric in Metric for side in Side}
    rate, memory = shown[Metric.ERROR_RATE, Side.CANARY], shown[Metric.MEMORY, Side.CANARY]
    assert (rate.source, rate.sample, rate.until) == (Source.REQUEST_LOG, 60, watch.read_until)
    assert (memory.source, memory.value, memory.until) == (Source.MONITORING, 40.0, NOON + seconds(120))
    assert [p.canary.memory for p in watch.points] == [40.0, 40.0, 40.0, None]
    assert {(r.metric, r.source) for r in watch.official} == {
        (metric, Source.MONITORING) for metric in (Metric.ERROR_RATE, Metric.P95)
    }


async def test_a_turn_that_dies_before_it_keeps_anything_reads_the_same_buckets_again() -> None:
    world = await begun(judge=quiet)
    turn = world.a_turn()
    world.clock.now += seconds(30)
    lost = await turn.read()

    again = world.a_turn()
    found = await again.read()
    await again.keep(found)

    assert lost.buckets == found.buckets
    assert world.watch().read_until == NOON + seconds(20)
    assert world.watch().judge.requests == 80


async def test_a_worker_that_woke_up_late_changes_nothing() -> None:
    world = await begun(judge=quiet)
    slow = world.a_turn()
    world.clock.now += seconds(30)
    read_before = await slow.read()
    quick = world.a_turn()
    await quick.keep(await quick.read())
    kept = world.watch()

    assert not await slow.keep(read_before)

    assert world.watch() == kept


async def test_an_older_turn_changes_nothing() -> None:
    world = await begun(judge=quiet)
    first = world.store.started(Workflow.WATCH)[0]
    await world.turns(2)
    kept, asked = world.watch(), len(world.stream.asked)

    await watch_target(first, steps=FakeSteps(), use=world.watching)

    assert (world.watch(), len(world.stream.asked)) == (kept, asked)


async def test_a_turn_is_carried_out_once_however_often_its_workflow_is_replayed() -> None:
    world, steps = await begun(judge=quiet), FakeSteps()
    arguments = world.store.started(Workflow.WATCH)[0]
    await world.turn(steps)
    kept = world.watch()

    world.store.kept.workflows["again"] = (Workflow.WATCH, arguments)
    await world.turn(steps)

    assert world.watch() == kept


# Sources that fail, one by one.


async def test_a_log_that_fails_for_half_a_minute_is_told_and_so_is_its_return() -> None:
    world = await begun(judge=quiet)
    await world.turns(1)
    world.stream.problem = "unreachable"
    await world.turns(2)
    world.stream.problem = None
    await world.turns(1)

    lost, back = world.lines(Event.WATCH_SOURCE)
    assert lost.facts == {"source": "request_log", "well": False, "problem": "unreachable"}
    assert back.facts["well"]
    assert back.facts["seconds"] >= 110


async def test_one_failed_call_is_no_news() -> None:
    world = await begun(judge=quiet)
    await world.turns(1)
    world.cloud.next_looks.append(GONE)

    await world.turns(1)

    assert world.lines(Event.WATCH_SOURCE) == []


async def test_while_the_log_fails_the_canary_is_judged_by_cloud_monitoring() -> None:
    world = await begun()
    world.stream.problem = "unreachable"
    world.metrics.recorded = tuple(
        a_minute(name, ended=NOON + timedelta(minutes=n), errors=6 if name == CANARY else 0)
        for name in (CANARY, STABLE)
        for n in range(1, 9)
    )

    await world.turns(6)

    raised = [line.facts for line in world.lines(Event.ALARM_RAISED)]
    in_a_row = [facts for facts in raised if facts["kind"] == AlarmKind.ERROR_RATE_IN_A_ROW]
    assert in_a_row
    assert {facts["source"] for facts in raised} == {"monitoring"}


@pytest.mark.parametrize("source", list(WatchSource))
async def test_a_source_that_fails_is_shown_so_and_its_numbers_are_not_green(source: WatchSource) -> None:
    world = await begun(judge=quiet)
    world.stream.problem = "no" if source is WatchSource.REQUEST_LOG else None
    world.metrics.problem = "no" if source is WatchSource.MONITORING else None
    if source is WatchSource.CLOUD_RUN:
        world.cloud.next_looks.extend([GONE] * 20)
    if source is WatchSource.PROBE:
        world.cloud.state = replace(
            split(10), switch=replace(split(10).switch, observed=split(10).switch.observed[:2])
        )

    watch = await world.turns(2)

    assert watch.sources[source].problem
    assert [e.facts["source"] for e in world.lines(Event.WATCH_SOURCE)] == [source.value]
    green = {
        flag.reading.source
        for flag in flags(watch.readings, a_playbook().thresholds, now=world.clock())
        if flag.colour is Colour.GREEN
    }
    assert source.value not in {one.value for one in green}


async def test_with_every_source_gone_nothing_is_concluded_and_nothing_is_green() -> None:
    world = await begun()
    world.stream.problem = world.metrics.problem = "no"
    world.prober.down = {OUT, STABLES}
    world.cloud.next_looks.extend([GONE] * 50)

    watch = await world.turns(4)

    assert watch.state is WatchState.WATCHING
    assert not [e for e in world.lines(Event.ALARM_RAISED) if e.facts["level"] != Level.TELL]
    shown = flags(watch.readings, a_playbook().thresholds, now=world.clock())
    assert {flag.colour for flag in shown} == {Colour.GREY}


async def test_a_watch_whose_clock_is_put_back_goes_on_and_says_so() -> None:
    world = await begun(judge=quiet)
    await world.turns(1)
    world.clock.now -= timedelta(hours=1)

    watch = await world.turns(2)

    (line,) = world.lines(Event.WATCH_CHANGED)
    assert line.facts["what"] == "clock_back"
    assert watch.read_until is not None
    assert abs(watch.read_until - world.clock()) < seconds(30)
    rate = next(r for r in watch.readings if (r.metric, r.side) == (Metric.ERROR_RATE, Side.CANARY))
    assert (rate.until, rate.sample) == (watch.read_until, 60)
    assert all(point.at <= world.clock() for point in watch.points)


async def test_no_traffic_is_no_data_and_no_alarm() -> None:
    world = await begun()
    world.stream.answering = lambda side, since: Tally()

    watch = await world.turns(6)

    assert world.lines(Event.ALARM_RAISED) == []
    shown = flags(watch.readings, a_playbook().thresholds, now=world.clock())
    assert {flag.colour for flag in shown} == {Colour.GREY}


# Probes.


async def test_both_sides_are_probed_at_their_own_addresses_every_ten_seconds() -> None:
    world = await begun(judge=quiet)

    await world.turns(3)

    own = [at for side, url, at in world.prober.asked if (side, url) == (Side.CANARY, OUT)]
    gaps = [(later - before).total_seconds() for before, later in pairwise(own)]
    assert max(gaps) <= 15
    assert sum(gaps) / len(gaps) <= 10.5
    assert {url for side, url, _ in world.prober.asked if side is Side.STABLE} == {STABLES}


async def test_a_canary_that_is_down_is_recommended_for_rollback_within_35_seconds() -> None:
    world = await begun()
    await world.turns(2)
    went_down = world.clock() + seconds(1)
    world.prober.down = {OUT}

    def answering(side: Side, since: Any) -> Tally:
        return Tally() if side is Side.CANARY and since >= went_down else failing(0)(side, since)

    world.stream.answering = answering
    await world.turns(1)

    (alert,) = world.alerts()
    assert alert.kind is AlarmKind.SERVICE_DOWN
    assert alert.created_at - went_down <= seconds(35)


async def test_a_canary_that_asks_to_be_left_alone_is_not_down() -> None:
    world = await begun()
    world.prober.throttled = {OUT}

    await world.turns(2)

    assert world.lines(Event.ALARM_RAISED) == []
    assert world.watch().carried.failures == 0


async def test_a_canary_without_an_address_of_its_own_is_not_probed_and_it_is_said_once() -> None:
    world = await begun(judge=quiet)
    bare = split(10).switch
    world.cloud.state = replace(split(10), switch=replace(bare, observed=bare.observed[:2]))

    await world.turns(4)

    assert {side for side, _, _ in world.prober.asked} == {Side.STABLE}
    (line,) = world.lines(Event.WATCH_SOURCE)
    assert line.facts["problem"] == "no_address"


async def test_stable_behind_a_shared_address_is_asked_again_before_it_is_called_down() -> None:
    world = await begun(judge=quiet)
    bare = split(10).switch
    world.cloud.state = replace(split(10), switch=replace(bare, observed=bare.observed[:2]))
    world.prober.down = {"https://ion-api.example.com/health"}
    turn = world.a_turn()

    looked = await turn.read()

    assert len(world.prober.asked) == 3
    assert looked.asked is not None
    assert looked.asked.stable is False


async def test_a_playbook_may_leave_probing_out() -> None:
    world = await begun(a_playbook(rules=RULES, targets=one_target(), watch={"probe": False}))

    await world.turns(2)

    assert world.prober.asked == []


# Decisions and what is told.


async def test_a_sick_canary_is_told_of_then_recommended_for_rollback_with_an_incident() -> None:
    world = await begun()
    await world.turns(2)
    world.stream.answering = failing(5)

    await world.turns(2)

    kinds = [(e.facts["kind"], e.facts["level"]) for e in world.lines(Event.ALARM_RAISED)]
    assert kinds[0] == (AlarmKind.ERROR_RATE_ONCE, Level.TELL)
    assert (AlarmKind.ERROR_RATE_IN_A_ROW, Level.RECOMMEND) in kinds
    (alert,) = world.alerts()
    assert (alert.state, alert.incident) == (AlertState.OPEN, 1)
    assert world.watch().alerts == 1


async def test_cloud_run_is_read_right_before_an_alarm_that_may_act() -> None:
    world = await begun()
    await world.turns(2)
    world.stream.answering = failing(25)
    looks: list[tuple[Any, bool]] = []
    turn = world.a_turn()

    while True:
        looked = await turn.read()
        looks.append((looked, looked.cloud is not None))
        before = world.watch()
        await turn.keep(looked)
        acts = [a for a in world.lines(Event.ALARM_RAISED) if a.facts["level"] == Level.ACT]
        if acts:
            break
        assert before.number == 1
        await world.clock.pause(5)
        if turn.over:
            turn = world.a_turn()

    assert looks[-1][1]


async def test_a_caution_shows_in_the_thread_that_the_watch_looks_more_closely() -> None:
    world = await begun()
    await world.turns(1)
    world.stream.answering = failing(5)

    watch = await world.turns(1)

    closely = [e for e in world.lines(Event.WATCH_CHANGED) if e.facts["what"] == "closely"]
    assert [e.facts["kind"] for e in closely] == [AlarmKind.ERROR_RATE_ONCE]
    assert watch.closely(now=world.clock())


async def test_the_five_minute_check_writes_every_flag_of_both_sides() -> None:
    world = await begun(judge=quiet)

    await world.turns(11)

    first, second = world.lines(Event.WATCH_CHECK)
    assert second.at - first.at >= timedelta(minutes=5)
    assert {(f["side"], f["metric"]) for f in first.facts["flags"]} == {
        (side.value, metric.value) for side in Side for metric in Metric
    }
    assert {"colour", "why", "value", "sample", "errors", "source", "until", "problem"} <= set(
        first.facts["flags"][0]
    )


async def test_one_error_in_fifty_requests_is_not_red_in_the_check_either() -> None:
    world = await begun(judge=quiet)
    world.stream.answering = lambda side, since: Tally(requests=10, errors=int(since.second // 10 == 0))

    await world.turns(6)

    (line,) = world.lines(Event.WATCH_CHECK)
    (rate,) = [f for f in line.facts["flags"] if (f["side"], f["metric"]) == ("canary", "error_rate")]
    assert (rate["errors"], rate["sample"], rate["colour"]) == (1, 60, "yellow")


async def test_the_check_stands_in_the_open_incidents_timeline_as_well() -> None:
    world = await begun(judge=quiet)
    await world.store.change(lambda tx: tx.add_incident(an_incident()))

    await world.turns(6)

    (line,) = [e for e in world.store.kept.chains["incident:1"] if e.event is Event.WATCH_CHECK]
    assert line.facts["canary"] == CANARY


async def test_a_check_that_shows_the_same_as_the_last_one_stays_out_of_the_thread() -> None:
    world = await begun(judge=quiet)
    await world.turns(6)
    posted = {k for k in world.store.kept.messages if k.startswith("watch_log:")}

    await world.turns(5)

    assert len(world.lines(Event.WATCH_CHECK)) == 2
    assert {k for k in world.store.kept.messages if k.startswith("watch_log:")} == posted


async def test_a_calm_watch_edits_its_message_once_a_minute_and_a_restless_one_every_ten_seconds() -> None:
    world = await begun(judge=quiet)
    await world.turns(1)
    before = world.store.kept.messages["watch:canary:1"].wanted
    await world.turns(4)
    calm = world.store.kept.messages["watch:canary:1"].wanted - before
    world.stream.answering = failing(5)
    await world.turns(1)
    before = world.store.kept.messages["watch:canary:1"].wanted
    await world.turns(1)
    restless = world.store.kept.messages["watch:canary:1"].wanted - before

    assert 3 <= calm <= 5
    assert 5 <= restless <= 7


async def test_the_first_numbers_are_shown_at_once_and_the_next_calm_ones_are_not() -> None:
    world = await begun(judge=quiet)
    turn = world.a_turn()
    before = world.store.kept.messages["watch:canary:1"].wanted

    await turn.keep(await turn.read())
    first = world.store.kept.messages["watch:canary:1"].wanted
    await world.clock.pause(12)
    await turn.keep(await turn.read())

    assert world.watch().readings
    assert first == before + 1
    assert world.store.kept.messages["watch:canary:1"].wanted == first


async def test_the_timeline_is_unbroken_and_its_lines_stand_in_the_watchs_thread() -> None:
    world = await begun()
    world.stream.answering = failing(5)
    await world.turns(4)

    assert first_broken(world.lines()) is None
    logs = [m for m in world.store.kept.messages.values() if m.what is Showing.WATCH_LOG]
    assert logs
    assert {m.under for m in logs} == {"watch:canary:1"}
    assert world.store.kept.messages["watch:canary:1"].channel == "#critical-incidents"


# How it ends.


async def test_bad_input_is_named_once_and_again_every_ten_minutes_while_it_goes_on() -> None:
    world = await begun(judge=judge)
    world.stream.answering = lambda side, since: Tally(requests=10, errors=-1 if side is Side.CANARY else 0)
    await world.turns(9)

    def told() -> list[dict[str, Any]]:
        found = (line.facts for line in world.lines(Event.WATCH_CHANGED))
        return [dict(facts) for facts in found if facts["what"] == "ignored"]

    (first,) = told()
    assert (first["kind"], first["source"]) == ("negative", "request_log")
    await world.turns(3)
    _, again = told()
    assert 55 <= again["count"] <= 65
    assert world.alerts() == []

    world.stream.answering = failing(0)
    await world.turns(11)
    assert 0 < told()[2]["count"] < 20
    await world.turns(11)
    assert len(told()) == 3


async def test_entries_of_the_log_that_come_late_are_named_in_the_watchs_thread() -> None:
    world = await begun(judge=quiet)
    await world.turns(1)
    posted = {k for k in world.store.kept.messages if k.startswith("watch_log:")}
    world.stream.late = 2

    await world.turns(1)

    (line,) = world.lines(Event.WATCH_CHANGED)
    assert (line.facts["kind"], line.facts["count"]) == ("late_entries", 2)
    assert len({k for k in world.store.kept.messages if k.startswith("watch_log:")} - posted) == 1


async def test_a_changed_share_is_told_and_the_watch_goes_on() -> None:
    world = await begun(judge=quiet)
    await world.turns(1)
    world.cloud.state = split(50)

    watch = await world.turns(1)

    (line,) = world.lines(Event.WATCH_CHANGED)
    assert line.facts == {"what": "percent", "percent": 50, "before": 10}
    assert (watch.percent, watch.going_on) == (50, True)


@pytest.mark.parametrize(("percent", "why"), [(100, EndedWhy.CANARY_HAS_ALL), (0, EndedWhy.CANARY_HAS_NONE)])
async def test_a_watch_ends_when_the_canary_has_all_or_none(percent: int, why: EndedWhy) -> None:
    world = await begun(judge=quiet)
    await world.turns(1)
    world.cloud.state = split(percent)

    watch = await world.turns(1)

    assert (watch.state, watch.ended_why) == (WatchState.ENDED, why)
    (line,) = world.lines(Event.WATCH_ENDED)
    assert (line.actor, line.facts["why"]) == (BACKOUT, why.value)
    assert len(world.store.started(Workflow.WATCH)) == 2


async def test_a_revision_that_disappears_ends_the_watch_without_an_alarm() -> None:
    world = await begun()
    await world.turns(1)
    gone = split(0).switch
    world.cloud.state = replace(split(0), switch=replace(gone, revisions=(a_revision(STABLE),)))

    watch = await world.turns(1)

    assert watch.ended_why is EndedWhy.CANARY_HAS_NONE
    assert world.lines(Event.ALARM_RAISED) == []


async def test_another_canary_ends_the_watch_and_begins_one_of_its_own() -> None:
    world = await begun()
    await world.turns(2)
    newer = RevisionName("ion-api-00043-pak")
    state = split(10, canary=newer)
    revisions = (a_revision(newer, age_hours=0.1), *state.switch.revisions)
    world.cloud.state = replace(state, switch=replace(state.switch, revisions=revisions))

    await world.turns(1)

    watch = world.watch()
    assert (watch.number, watch.canary, watch.going_on) == (2, newer, True)
    assert world.lines(Event.WATCH_ENDED)[0].facts["why"] == EndedWhy.NEW_CANARY
    assert watch.judge == JudgeState()
    assert world.store.started(Workflow.WATCH)[-1] == {"target": "canary", "number": "2", "turn": "0"}


async def rolled_back_world(**more: Any) -> WatchWorld:
    """Return a world whose canary was watched, and rolled back by Backout just now."""
    world = await begun(judge=quiet)
    await world.turns(1)
    at = world.clock()
    rollback = a_decided_rollback(
        RollbackState.SETTLED, requested_at=at, applied_at=at, settled_at=at, incident=None, **more
    )
    await world.store.change(lambda tx: tx.add_rollback(rollback))
    world.cloud.state = split(0)
    return world


async def test_after_our_own_rollback_stable_is_watched_for_a_while_and_then_the_watch_ends() -> None:
    world = await rolled_back_world()

    watch = await world.turns(1)

    assert (watch.state, watch.percent) == (WatchState.AFTERWARDS, 0)
    (line,) = world.lines(Event.WATCH_CHANGED)
    assert (line.facts["what"], line.facts["rollback"]) == ("afterwards", "f00d")
    probed = [side for side, _, at in world.prober.asked if at > line.at]
    assert set(probed) <= {Side.STABLE}

    while (watch := await world.turns(1)).going_on:
        assert world.clock() - NOON < timedelta(minutes=30)

    assert watch.ended_why is EndedWhy.CANARY_HAS_NONE
    assert watch.ended_at is not None
    assert watch.rolled_back_at is not None
    assert watch.ended_at - watch.rolled_back_at >= timedelta(minutes=15)


async def test_stable_that_is_red_after_the_rollback_is_told_to_people_and_never_rolled_back() -> None:
    world = await rolled_back_world()
    await world.turns(1)
    sick = Tally(requests=100, errors=10, latencies=((150, 100),))
    world.stream.answering = lambda side, since: sick if side is Side.STABLE else Tally()

    await world.turns(3)

    (alert,) = world.alerts()
    assert (alert.kind, alert.state) == (AlarmKind.SHARED, AlertState.TOLD)
    assert len(world.store.kept.rollbacks) == 1


async def test_a_canary_that_gets_traffic_again_after_a_rollback_gets_a_new_watch() -> None:
    world = await rolled_back_world()
    await world.turns(1)
    world.cloud.state = split(10)

    await world.turns(1)

    assert (world.watch().number, world.watch().state) == (2, WatchState.WATCHING)


@pytest.mark.parametrize("state", [RollbackState.FAILED, RollbackState.CANCELLED])
async def test_a_canary_that_somebody_else_took_out_ends_the_watch(state: RollbackState) -> None:
    world = await rolled_back_world()
    kept = world.store.rollback()
    await world.store.change(lambda tx: tx.save_rollback(replace(kept, state=state)))

    watch = await world.turns(1)

    assert watch.ended_why is EndedWhy.CANARY_HAS_NONE


async def test_when_the_watch_ends_nobody_has_to_answer_its_alerts_any_more() -> None:
    world = await begun()
    world.stream.answering = failing(5)
    await world.turns(3)
    world.cloud.state = split(0)

    await world.turns(1)

    assert {alert.state for alert in world.alerts()} == {AlertState.OVER}


async def test_a_target_that_left_the_playbook_ends_its_watch() -> None:
    world = await begun(judge=quiet)
    await world.turns(1)
    other = {"other": one_target()[CANARY_TARGET]}
    world.playbooks.playbook = a_playbook(rules=RULES, targets=other)

    watch = await world.turns(1)

    assert watch.ended_why is EndedWhy.TARGET_GONE


async def test_a_watch_that_a_person_ended_meanwhile_is_left_alone() -> None:
    world = await begun(judge=quiet)
    turn = world.a_turn()
    looked = await turn.read()
    kept = world.watch()
    await world.store.change(
        lambda tx: tx.keep(
            replace(kept, state=WatchState.ENDED, ended_why=EndedWhy.BY_A_PERSON, ended_by=SENA)
        )
    )

    assert not await turn.keep(looked)

    assert world.watch().ended_by == SENA


# When something breaks.


async def test_without_its_database_a_turn_keeps_nothing() -> None:
    world = await begun(judge=quiet)
    turn = world.a_turn()
    looked = await turn.read()
    world.store.down = True

    with pytest.raises(StoreDown):
        await turn.keep(looked)

    world.store.down = False
    assert await turn.keep(looked)


async def break_off(world: WatchWorld, workflow: Workflow, reference: str) -> None:
    """Report that the newest workflow of a kind broke off."""
    arguments = world.store.started(workflow)[-1] if workflow is Workflow.WATCH else {}
    await report_breakage(
        workflow, arguments, reference, store=world.store, playbooks=world.playbooks, clock=world.clock
    )


async def test_a_turn_that_breaks_off_leaves_the_watch_blind_but_going_on() -> None:
    world = await begun(judge=quiet)
    await world.turns(2)

    await break_off(world, Workflow.WATCH, "beef")
    await break_off(world, Workflow.WATCH, "cafe")

    watch = world.watch()
    (line,) = world.lines(Event.WATCH_SOURCE)
    assert (line.facts["source"], line.facts["problem"]) == ("request_log", "broken:beef")
    shown = flags(watch.readings, a_playbook().thresholds, now=world.clock())
    assert {flag.colour for flag in shown} == {Colour.GREY}

    world.clock.now += seconds(95)
    await world.scout()
    await world.turns(1)

    assert [e.facts["well"] for e in world.lines(Event.WATCH_SOURCE)] == [False, True]


async def test_an_older_turn_that_breaks_off_blinds_nobody() -> None:
    world = await begun(judge=quiet)
    await world.turns(2)
    old = world.store.started(Workflow.WATCH)[0]
    kept = world.watch()

    await report_breakage(
        Workflow.WATCH, old, "beef", store=world.store, playbooks=world.playbooks, clock=world.clock
    )

    assert world.watch() == kept


async def test_a_scouting_that_breaks_off_is_followed_by_the_next_one() -> None:
    world = WatchWorld()

    await break_off(world, Workflow.SCOUT, "beef")

    (due, workflow, _) = world.store.kept.timers["scout:all"]
    assert (due, workflow) == (NOON + seconds(30), Workflow.SCOUT)
