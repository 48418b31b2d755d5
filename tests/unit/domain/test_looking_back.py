"""Statistics over incidents, checked against sets that were counted by hand."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.alarm import AlarmKind
from bot.domain.alert import Alert, AlertState
from bot.domain.ids import IncidentNumber, RollbackId
from bot.domain.incident import Incident, IncidentState
from bot.domain.looking_back import (
    REPORT,
    Begun,
    Figures,
    Past,
    Report,
    Stage,
    Wanted,
    Way,
    look_back,
    months_between,
    read_written,
    spread,
    written,
)
from bot.domain.people import AUTOMATICS
from bot.domain.rollback import Rollback, RollbackState
from tests.drills import a_drill
from tests.values import (
    CANARY,
    CANARY_TARGET,
    CHAT_TARGET,
    NOON,
    SENA,
    STABLE,
    a_plan,
    a_rollback,
    an_incident,
)

SEOUL = "Asia/Seoul"
ALL = Wanted(since=NOON - timedelta(days=400), until=NOON + timedelta(days=400))


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


def closed(number: int, *, detect: float | None = 10, resolve: float = 30, **more: Any) -> Incident:
    """Return a closed incident, opened `detect` minutes after the deployment, closed `resolve` after that."""
    opened_at: datetime = more.pop("opened_at", NOON)
    known: dict[str, Any] = {
        "number": IncidentNumber(number),
        "state": IncidentState.CLOSED,
        "opened_at": opened_at,
        "deployed_at": None if detect is None else opened_at - minutes(detect),
        "closed_at": opened_at + minutes(resolve),
    }
    return an_incident(**(known | more))


def done(number: int, *, decide: float = 1, settle: float = 2, verify: float = 3, **more: Any) -> Rollback:
    """Return a verified rollback of incident `number`, asked for at noon, with what each step took."""
    requested_at: datetime = more.pop("requested_at", NOON + minutes(decide))
    known: dict[str, Any] = {
        "id": RollbackId(f"r{number}"),
        "incident": IncidentNumber(number),
        "plan": a_plan(),
        "decided_by": SENA,
        "deployed_at": NOON - minutes(10),
        "requested_at": requested_at,
        "applied_at": requested_at + minutes(settle / 2),
        "settled_at": requested_at + minutes(settle),
        "ended_at": requested_at + minutes(settle + verify),
    }
    return replace(a_rollback(RollbackState.VERIFIED), **(known | more))


def an_alert(id: str = "a1", state: AlertState = AlertState.OPEN, **more: Any) -> Alert:
    alert = Alert(
        id=id,
        target=CANARY_TARGET,
        state=state,
        created_at=NOON,
        kind=AlarmKind.ERROR_RATE_IN_A_ROW,
        mode="recommend",
        canary=CANARY,
        stable=STABLE,
        percent=10,
    )
    return replace(alert, **more)


def figures(*incidents: Incident, rollbacks: tuple[Rollback, ...] = (), alerts: Any = ()) -> Figures:
    return report(*incidents, rollbacks=rollbacks, alerts=alerts).all


def report(
    *incidents: Incident, rollbacks: Any = (), alerts: Any = (), begun: Any = (), wanted: Wanted = ALL
) -> Report:
    past = Past(incidents=incidents, rollbacks=tuple(rollbacks), alerts=tuple(alerts), begun=tuple(begun))
    return look_back(past, wanted)


# Drills.


def test_a_drill_leaves_no_trace_in_any_figure() -> None:
    earlier = NOON - minutes(60)
    real: dict[str, Any] = {
        "incidents": (closed(1, opened_at=earlier),),
        "rollbacks": (done(1, asked_at=earlier),),
        "alerts": (an_alert(created_at=earlier, incident=IncidentNumber(1)),),
        "begun": (a_watch_of(at=earlier),),
    }
    practised: dict[str, Any] = {
        "incidents": (closed(2, drill="d1"),),
        "rollbacks": (done(2, plan=a_plan(canary="practised")),),
        "alerts": (an_alert("in_drill", incident=IncidentNumber(2)),),
        "begun": (a_watch_of("practised", at=NOON - minutes(5)),),
    }
    together = {name: real[name] + practised[name] for name in real}

    found = look_back(Past(**together, drills=(a_drill(),)), ALL)

    assert found == look_back(Past(**real), ALL)
    assert found.canaries is not None
    assert (found.canaries.seen, found.canaries.rolled_back) == (1, 1)


@pytest.mark.parametrize(("after", "counts"), [(-1, 1), (0, 0), (59, 0), (60, 1)])
def test_an_alert_of_no_incident_counts_unless_it_was_raised_in_a_drill(after: float, counts: int) -> None:
    alert = an_alert(created_at=NOON + minutes(after), incident=None)

    found = look_back(Past(alerts=(alert,), drills=(a_drill(),)), ALL)

    assert sum(rule.alerts for rule in found.rules) == counts


def test_an_alert_of_another_target_counts_during_a_drill() -> None:
    alert = an_alert(target=CHAT_TARGET, incident=None)

    assert look_back(Past(alerts=(alert,), drills=(a_drill(),)), ALL).rules[0].alerts == 1


def test_a_rollback_whose_incident_is_beyond_the_span_goes_by_when_it_was_asked_for() -> None:
    found = look_back(Past(rollbacks=(done(7),), drills=(a_drill(),)), ALL)

    assert found.canaries is not None
    assert (found.canaries.seen, found.canaries.rolled_back) == (0, 0)


def test_the_canary_that_was_watched_when_a_drill_began_was_never_seen() -> None:
    watched, other = a_watch_of("practised", at=NOON - minutes(20)), a_watch_of(at=NOON - minutes(20))

    found = look_back(Past(begun=(watched, other), drills=(a_drill(),), drilled=(watched,)), ALL)

    assert found.canaries is not None
    assert found.canaries.seen == 1


# Durations.


@pytest.mark.parametrize(
    ("took", "median", "worst"),
    [([10], 10, 10), ([10, 30], 20, 30), ([30, 10, 20], 20, 30), ([1, 2, 3, 100], 2.5, 100)],
)
def test_median_and_worst_of_one_of_an_even_and_of_an_odd_number(
    took: list[float], median: float, worst: float
) -> None:
    found = figures(*(closed(n, detect=minutes) for n, minutes in enumerate(took, 1))).spreads[Stage.DETECT]

    assert (found.median, found.worst, found.known) == (60 * median, 60 * worst, len(took))
    assert found.incident == took.index(worst) + 1


def test_of_none_nothing_is_known_and_it_is_not_nought() -> None:
    found = figures()

    assert found.incidents == 0
    assert all(
        (s.median, s.worst, s.incident, s.known) == (None, None, None, 0) for s in found.spreads.values()
    )


def test_what_is_not_known_is_left_out_and_said() -> None:
    found = figures(closed(1, detect=10), closed(2, detect=None), closed(3, detect=20)).spreads[Stage.DETECT]

    assert (found.median, found.known, found.left_out) == (15 * 60, 2, 1)


def test_what_ends_before_it_began_is_not_known_either() -> None:
    exactly_at_once, before = closed(1, detect=0), closed(2, detect=-1)

    found = figures(exactly_at_once, before).spreads[Stage.DETECT]

    assert (found.median, found.known, found.left_out) == (0, 1, 1)


def test_the_stages_of_one_incident_follow_each_other() -> None:
    incident = closed(1, detect=10, resolve=60, decided_at=NOON + minutes(1))

    found = figures(incident, rollbacks=(done(1),)).spreads

    assert {stage: found[stage].median for stage in Stage} == {
        Stage.DETECT: 600,
        Stage.DECIDE: 60,
        Stage.ROLL_BACK: 120,
        Stage.VERIFY: 180,
        Stage.RESOLVE: 3600,
    }


@pytest.mark.parametrize("first", ["alert", "rollback", "incident"])
def test_whoever_saw_it_first_has_detected_it(first: str) -> None:
    early, late = NOON - minutes(5), NOON
    incident = closed(1, detect=10, opened_at=NOON, deployed_at=NOON - minutes(10))
    incident = replace(incident, opened_at=early if first == "incident" else late)
    alert = an_alert(created_at=early if first == "alert" else late, incident=IncidentNumber(1))
    rollback = done(1, asked_at=early if first == "rollback" else late)

    found = figures(incident, rollbacks=(rollback,), alerts=(alert,)).spreads

    assert found[Stage.DETECT].median == 5 * 60
    assert found[Stage.DECIDE].median == 6 * 60


def test_an_incident_without_a_rollback_was_never_decided() -> None:
    found = figures(closed(1)).spreads

    assert (found[Stage.DECIDE].known, found[Stage.DECIDE].left_out) == (0, 1)
    assert (found[Stage.ROLL_BACK].known, found[Stage.ROLL_BACK].left_out) == (0, 0)


def test_an_open_incident_is_not_resolved_yet() -> None:
    still = an_incident(number=IncidentNumber(2))

    found = figures(closed(1), still)

    assert (found.incidents, found.open) == (2, 1)
    assert (found.spreads[Stage.RESOLVE].known, found.spreads[Stage.RESOLVE].left_out) == (1, 1)


def test_a_reopened_incident_counts_until_it_was_closed_for_good() -> None:
    reopened = closed(1, resolve=500)

    assert figures(reopened).spreads[Stage.RESOLVE].worst == 500 * 60


def test_a_rollback_that_never_settled_took_nobody_knows_how_long() -> None:
    failed = done(1, settled_at=None, state=RollbackState.FAILED)

    found = figures(closed(1), rollbacks=(failed,)).spreads

    assert [found[stage].left_out for stage in (Stage.ROLL_BACK, Stage.VERIFY)] == [1, 1]


def test_one_that_was_not_verified_has_no_time_to_verify() -> None:
    found = figures(closed(1), rollbacks=(done(1, state=RollbackState.NOT_VERIFIED),)).spreads

    assert (found[Stage.ROLL_BACK].known, found[Stage.VERIFY].known) == (1, 0)


def test_each_rollback_of_an_incident_counts_and_the_incidents_own_number_is_the_longest() -> None:
    first, second = done(1, settle=2), done(1, settle=6, id=RollbackId("again"))

    found = report(closed(1), rollbacks=(first, second))

    assert found.all.spreads[Stage.ROLL_BACK].median == 4 * 60
    assert found.incidents[0].seconds[Stage.ROLL_BACK] == 6 * 60


# Joined ones.


def test_joined_incidents_count_once_from_the_first_sign_of_any() -> None:
    into = closed(2, detect=10, resolve=60)
    joined = closed(1, opened_at=NOON - minutes(4), detect=None, resolve=5, merged_into=IncidentNumber(2))

    found = report(into, joined)

    assert found.all.incidents == 1
    assert found.all.spreads[Stage.DETECT].median == 6 * 60
    assert found.all.spreads[Stage.RESOLVE].median == 64 * 60
    assert found.incidents[0].joined == (1,)


def test_what_was_joined_on_ends_up_where_the_last_one_did() -> None:
    first = closed(1, opened_at=NOON - minutes(9), merged_into=IncidentNumber(2))
    second = closed(2, merged_into=IncidentNumber(3))
    last = closed(3, deployed_at=NOON - minutes(10))

    found = report(first, second, last, rollbacks=(done(1),))

    assert found.all.incidents == 1
    assert found.all.rollbacks == 1
    assert found.incidents[0].joined == (1, 2)


def test_the_deployment_may_be_known_from_the_joined_one_only() -> None:
    into = closed(2, detect=None)
    joined = closed(1, detect=7, merged_into=IncidentNumber(2))

    assert figures(into, joined).spreads[Stage.DETECT].median == 7 * 60


# Rollbacks and rules.


def test_rollbacks_are_told_apart_by_how_they_came_about() -> None:
    by_bot = done(1, id=RollbackId("bot"), asked_by=AUTOMATICS, decided_by=AUTOMATICS, forced=True)
    accepted = done(2, id=RollbackId("accepted"), forced=True)
    told = done(3, id=RollbackId("told"))
    forced = done(4, id=RollbackId("forced"), forced=True)
    alerts = [
        an_alert("1", AlertState.ROLLED_BACK, rollback=RollbackId("accepted"), incident=IncidentNumber(2)),
        an_alert("2", AlertState.ROLLED_BACK, rollback="told", mode="tell", incident=IncidentNumber(3)),
    ]

    found = figures(*map(closed, range(1, 5)), rollbacks=(by_bot, accepted, told, forced), alerts=alerts)

    assert found.ways == {Way.AUTOMATIC: 1, Way.ACCEPTED: 1, Way.BY_HAND: 1, Way.FORCED: 1}
    assert found.outcomes == {RollbackState.VERIFIED: 4}


def test_what_was_never_decided_is_no_rollback() -> None:
    cancelled = a_rollback(RollbackState.CANCELLED, incident=IncidentNumber(1))

    assert figures(closed(1), rollbacks=(cancelled,)).rollbacks == 0


def test_a_rule_says_how_often_it_was_wrong() -> None:
    gravest = {"kind": "memory_explosion", "level": "act"}
    alerts = [
        an_alert("1", AlertState.NOT_THE_CANARY),
        an_alert("2", AlertState.ROLLED_BACK, by=SENA),
        an_alert("3", AlertState.ROLLED_BACK, by=AUTOMATICS),
        an_alert("4", AlertState.OVER),
        an_alert(
            "5", AlertState.OPEN, facts={"kind": "error_rate_in_a_row", "level": "tell"}, also=(gravest,)
        ),
    ]

    row, memory = report(alerts=alerts).rules

    assert (row.kind, row.alerts, row.false_alarms) == (AlarmKind.ERROR_RATE_IN_A_ROW, 4, 1)
    assert (row.rolled_back, row.automatic, row.false_share) == (1, 1, 0.25)
    assert (memory.kind, memory.alerts, memory.false_share) == (AlarmKind.MEMORY_EXPLOSION, 1, 0)


# Months, scenarios, targets.


@pytest.mark.parametrize(
    ("opened_at", "month"),
    [
        (datetime(2026, 9, 30, 14, 59, 59, tzinfo=UTC), "2026-09"),
        (datetime(2026, 9, 30, 15, 0, tzinfo=UTC), "2026-10"),
        (datetime(2026, 10, 31, 14, 59, 59, tzinfo=UTC), "2026-10"),
        (datetime(2026, 10, 31, 15, 0, tzinfo=UTC), "2026-11"),
    ],
)
def test_a_month_begins_where_the_team_lives(opened_at: datetime, month: str) -> None:
    wanted = replace(ALL, zone=SEOUL)

    found = report(closed(1, opened_at=opened_at), wanted=wanted)

    assert [key for key, _ in found.by_month] == [month]
    assert found.incidents[0].month == month


def test_a_month_without_incidents_is_shown_and_empty() -> None:
    january, march = NOON.replace(month=1), NOON.replace(month=3)

    found = report(closed(1, opened_at=january), closed(2, opened_at=march))

    assert [(key, of.incidents) for key, of in found.by_month] == [
        ("2026-01", 1),
        ("2026-02", 0),
        ("2026-03", 1),
    ]


def test_the_end_of_a_year_is_no_gap() -> None:
    assert months_between("2026-02", "2025-11") == ["2025-11", "2025-12", "2026-01", "2026-02"]
    assert months_between() == []


@pytest.mark.parametrize(("seconds", "counts"), [(-1, 0), (0, 1), (59, 1), (60, 0)])
def test_a_span_has_its_beginning_and_not_its_end(seconds: int, counts: int) -> None:
    wanted = Wanted(since=NOON, until=NOON + minutes(1))

    found = report(closed(1, opened_at=NOON + timedelta(seconds=seconds)), wanted=wanted)

    assert found.all.incidents == counts


def test_scenarios_come_most_frequent_first_with_what_has_none() -> None:
    leak = "memory_leak"

    found = report(closed(1), closed(2, scenario=leak), closed(3, scenario=leak))

    assert [(key, of.incidents) for key, of in found.by_scenario] == [("memory_leak", 2), ("", 1)]
    assert found.scenarios_by_month == {"memory_leak": {"2026-03": 2}, "": {"2026-03": 1}}


def test_one_scenario_or_one_target_alone_can_be_looked_back_on() -> None:
    leak = closed(1, scenario="memory_leak")
    chat = closed(2, target=CHAT_TARGET)
    alert = an_alert(incident=IncidentNumber(1))

    scenario = report(leak, chat, alerts=[alert, an_alert("2")], wanted=replace(ALL, scenario="memory_leak"))
    target = report(leak, chat, alerts=[alert], wanted=replace(ALL, target=CHAT_TARGET))

    assert ([told.number for told in scenario.incidents], scenario.rules[0].alerts) == ([1], 1)
    assert scenario.canaries is None
    assert ([told.number for told in target.incidents], target.rules) == ([2], ())


# Change failure rate.


def a_watch_of(canary: str = CANARY, at: datetime = NOON, **more: Any) -> Begun:
    known: dict[str, Any] = {
        "target": CANARY_TARGET,
        "canary": canary,
        "deployed_at": NOON - minutes(10),
        "at": at,
    }
    return Begun(**(known | more))


def rate(*begun: Begun, rollbacks: Any = (), wanted: Wanted = ALL) -> tuple[int, int, int]:
    found = report(closed(1), begun=begun, rollbacks=rollbacks, wanted=wanted).canaries
    assert found is not None
    return found.rolled_back, found.seen, found.unwatched


def test_the_change_failure_rate_is_of_different_canaries() -> None:
    watched = [a_watch_of(), a_watch_of(at=NOON + minutes(90)), a_watch_of("two"), a_watch_of("three")]

    assert rate(*watched, rollbacks=(done(1),)) == (1, 3, 0)


def test_without_a_canary_there_is_no_rate() -> None:
    found = report(closed(1)).canaries

    assert found is not None
    assert (found.seen, found.failure_rate) == (0, None)


def test_a_canary_that_nobody_watched_counts_once_it_is_rolled_back() -> None:
    assert rate(rollbacks=(done(1),)) == (1, 1, 1)


def test_a_canary_that_was_rolled_back_twice_failed_once() -> None:
    again = done(1, id=RollbackId("again"), requested_at=NOON + minutes(50))

    assert rate(a_watch_of(), rollbacks=(done(1), again)) == (1, 1, 0)


def test_a_rollback_that_moved_no_traffic_is_no_failed_change() -> None:
    nothing = done(1, applied_at=None, state=RollbackState.NOTHING_TO_DO)

    assert rate(a_watch_of(), rollbacks=(nothing,)) == (0, 1, 0)


def test_a_service_that_keeps_its_name_is_another_canary_with_each_deployment() -> None:
    first = a_watch_of("chat-canary", deployed_at=NOON - minutes(10))
    second = a_watch_of("chat-canary", at=NOON + minutes(60), deployed_at=NOON + minutes(50))
    rolled_back = done(1, plan=a_plan(canary="chat-canary"), deployed_at=NOON + minutes(50))

    assert rate(first, second, rollbacks=(rolled_back,)) == (1, 2, 0)


def test_where_cloud_run_did_not_say_when_it_is_the_newest_deployment_by_then() -> None:
    first = a_watch_of("chat-canary", deployed_at=NOON - minutes(10))
    second = a_watch_of("chat-canary", at=NOON + minutes(60), deployed_at=NOON + minutes(50))
    undated = a_watch_of("chat-canary", at=NOON + minutes(70), deployed_at=None)
    earlier = a_watch_of("chat-canary", at=NOON - minutes(20), deployed_at=None)

    assert rate(first, second, undated, earlier) == (0, 2, 0)
    assert rate(undated, earlier) == (0, 1, 0)


def test_a_canary_counts_where_it_was_first_seen_whenever_it_failed() -> None:
    first, later = NOON - timedelta(days=40), NOON
    watched = [a_watch_of(at=first), a_watch_of(at=later)]
    rolled_back = done(1, requested_at=later)

    then = report(
        closed(1), begun=watched, rollbacks=(rolled_back,), wanted=replace(ALL, until=first + minutes(1))
    )
    now = report(closed(1), begun=watched, rollbacks=(rolled_back,), wanted=replace(ALL, since=later))

    assert then.canaries is not None
    assert now.canaries is not None
    assert (then.canaries.seen, then.canaries.rolled_back) == (1, 1)
    assert then.canaries_by_month[0][0] == "2026-01"
    assert now.canaries.seen == 0


def test_another_targets_canaries_are_another_targets() -> None:
    chat = a_watch_of("chat-canary", target=CHAT_TARGET)

    assert rate(a_watch_of(), chat, wanted=replace(ALL, target=CHAT_TARGET)) == (0, 1, 0)


# Whatever the past.

SCENARIOS = [None, "memory_leak", "service_down"]


@st.composite
def pasts(draw: st.DrawFn) -> Past:
    count = draw(st.integers(0, 8))
    moments = st.integers(-500_000, 500_000).map(lambda at: NOON + minutes(at))
    known = st.none() | st.integers(-5, 10_000)
    incidents, rollbacks = [], []
    for number in range(1, count + 1):
        opened_at = draw(moments)
        into = draw(st.none() | st.integers(1, count))
        incidents.append(
            closed(
                number,
                opened_at=opened_at,
                detect=draw(known),
                resolve=draw(st.integers(0, 10_000)),
                scenario=draw(st.sampled_from(SCENARIOS)),
                merged_into=IncidentNumber(into) if into and into > number else None,
            )
        )
        for n in range(draw(st.integers(0, 2))):
            requested_at = opened_at + minutes(draw(st.integers(0, 100)))
            settle = draw(st.integers(0, 50))
            one = done(number, id=RollbackId(f"{number}-{n}"), asked_at=opened_at, requested_at=requested_at)
            rollbacks.append(replace(one, settled_at=requested_at + minutes(settle)))
    return Past(incidents=tuple(incidents), rollbacks=tuple(rollbacks))


EVER = Wanted(since=NOON - timedelta(days=4000), until=NOON + timedelta(days=4000), zone=SEOUL)


@given(past=pasts())
def test_scenarios_and_months_are_parts_of_the_whole(past: Past) -> None:
    found = look_back(past, EVER)

    for parts in (found.by_scenario, found.by_month):
        assert sum(of.incidents for _, of in parts) == found.all.incidents
        assert sum(of.rollbacks for _, of in parts) == found.all.rollbacks
        for stage in Stage:
            assert sum(of.spreads[stage].known for _, of in parts) == found.all.spreads[stage].known
            worst = [of.spreads[stage].worst for _, of in parts]
            assert max((w for w in worst if w is not None), default=None) == found.all.spreads[stage].worst


@given(past=pasts(), order=st.randoms(use_true_random=False))
def test_the_order_of_what_is_read_makes_no_difference(past: Past, order: Any) -> None:
    shuffled = list(past.incidents)
    order.shuffle(shuffled)

    assert look_back(replace(past, incidents=tuple(shuffled)), EVER) == look_back(past, EVER)


@given(past=pasts(), minutes_more=st.integers(0, 20_000))
def test_one_more_incident_never_lowers_the_worst_and_a_worse_one_is_it(
    past: Past, minutes_more: int
) -> None:
    before = look_back(past, EVER).all.spreads[Stage.RESOLVE]
    worse = (before.worst or 0) / 60 + minutes_more

    more = closed(99, resolve=worse)
    after = look_back(replace(past, incidents=(*past.incidents, more)), EVER).all.spreads[Stage.RESOLVE]

    assert after.worst == pytest.approx(60 * worse)
    assert after.median is not None
    assert after.median >= (before.median or 0)
    assert after.known == before.known + 1


@given(took=st.lists(st.tuples(st.floats(0, 1e9), st.integers(1, 50).map(IncidentNumber)), min_size=1))
def test_the_median_lies_between_the_shortest_and_the_worst(took: list[tuple[float, IncidentNumber]]) -> None:
    found = spread(took, of=len(took) + 3)

    assert found.median is not None
    assert min(took)[0] <= found.median <= (found.worst or 0)
    assert (found.worst, found.incident) in took
    assert (found.known, found.left_out) == (len(took), 3)


@given(past=pasts())
def test_a_report_comes_back_from_json_as_it_was(past: Past) -> None:
    found = look_back(past, EVER)

    assert REPORT.validate_json(REPORT.dump_json(found)) == found


def test_what_is_wanted_fits_on_a_button_and_comes_back() -> None:
    wanted = Wanted(
        since=NOON, until=NOON + minutes(1), zone="America/Argentina/ComodRivadavia", scenario="s" * 40,
        target="t" * 40,
    )  # fmt: skip

    assert read_written(written(wanted)) == wanted
    assert len(written(wanted)) <= 160
