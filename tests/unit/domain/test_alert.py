"""What an alarm comes to by the playbook's modes, and how one alert takes in later alarms."""

from dataclasses import replace

import pytest

from bot.domain.alarm import AlarmKind, Level
from bot.domain.alert import (
    Alert,
    AlertState,
    Way,
    Weighed,
    alarm_facts,
    called_off,
    ended,
    joined,
    may_yet_fill,
    muted,
    still_true,
    waits_for_the_score,
    was_on_hold,
    way_of,
    weigh,
    without_announcing,
)
from bot.domain.automatics import NotByItself
from bot.domain.detection import Excess
from bot.domain.guide import Mode
from bot.domain.judge_state import JudgeState
from tests.alerts import an_alarm, an_alarming_playbook, an_alert
from tests.values import CANARY, GITCO, NOON, a_playbook, seconds

AUTO, RECOMMEND, TELL = (Way(mode=mode) for mode in (Mode.AUTO, Mode.RECOMMEND, Mode.TELL))


def take_in(
    alert: Alert,
    kind: AlarmKind,
    level: Level,
    way: Way = AUTO,
    against: NotByItself | None = None,
) -> Alert:
    alarm = an_alarm(kind, level)
    weighed = weigh(alarm, way, against=against)
    return joined(alert, weighed, alarm_facts(alarm, weighed, seen="5.1 %"), at=NOON + seconds(30))


def announced(percent: float = 90.0) -> Alert:
    """Return an alert whose rollback is announced while the score is but nearly full."""
    alarm = an_alarm(AlarmKind.EARLY_WARNING, Level.NEARLY, trigger_percent=percent)
    weighed = weigh(alarm, AUTO, against=None)
    return joined(an_alert(), weighed, alarm_facts(alarm, weighed, seen="5.1 %"), at=NOON)


# By the modes.


@pytest.mark.parametrize(
    ("mode", "level", "state", "why", "held_back"),
    [
        (Mode.AUTO, Level.ACT, AlertState.COUNTDOWN, None, None),
        (Mode.AUTO, Level.RECOMMEND, AlertState.OPEN, "not_confirmed", "not_confirmed"),
        (Mode.RECOMMEND, Level.ACT, AlertState.OPEN, "rule_mode", None),
        (Mode.RECOMMEND, Level.RECOMMEND, AlertState.OPEN, "rule_mode", "not_confirmed"),
        (Mode.TELL, Level.ACT, AlertState.TOLD, "rule_mode", None),
        (Mode.TELL, Level.RECOMMEND, AlertState.TOLD, "rule_mode", "not_confirmed"),
    ],
)
def test_the_mode_and_the_evidence_say_what_happens(
    mode: Mode, level: Level, state: AlertState, why: str | None, held_back: str | None
) -> None:
    weighed = weigh(an_alarm(level=level), Way(mode=mode), against=None)

    assert (weighed.state, weighed.not_by_itself, weighed.held_back) == (state, why, held_back)


def test_what_speaks_against_it_makes_it_a_recommendation() -> None:
    weighed = weigh(an_alarm(level=Level.ACT), AUTO, against=NotByItself.NOT_ARMED)

    assert (weighed.state, weighed.not_by_itself) == (AlertState.OPEN, NotByItself.NOT_ARMED)


def test_in_the_other_mode_the_same_would_have_held_it_back() -> None:
    weighed = weigh(an_alarm(level=Level.ACT), RECOMMEND, against=NotByItself.ON_HOLD)

    assert (weighed.not_by_itself, weighed.held_back) == (NotByItself.RULE_MODE, NotByItself.ON_HOLD)


def test_without_stable_traffic_the_bot_never_acts() -> None:
    weighed = weigh(an_alarm(AlarmKind.EARLY_WARNING, no_baseline=True), AUTO, against=None)

    assert (weighed.state, weighed.not_by_itself) == (AlertState.OPEN, NotByItself.NO_BASELINE)


@pytest.mark.parametrize("kind", [AlarmKind.ERROR_RATE_ONCE, AlarmKind.CPU])
def test_a_caution_is_a_line_and_no_alert(kind: AlarmKind) -> None:
    assert weigh(an_alarm(kind, Level.TELL), TELL, against=None).state is None


def test_that_stable_is_as_bad_is_told_and_nothing_is_rolled_back() -> None:
    weighed = weigh(an_alarm(AlarmKind.SHARED, Level.TELL), TELL, against=None)

    assert weighed.state is AlertState.TOLD


def test_each_kind_has_its_mode_in_the_playbook() -> None:
    playbook = an_alarming_playbook(
        {"service_down": "tell", "memory_explosion": "recommend"}, early={"mode": "auto", "stop_seconds": 20}
    )

    ways = {kind: way_of(playbook, kind) for kind in AlarmKind}

    assert ways[AlarmKind.ERROR_RATE_IN_A_ROW] == Way(mode=Mode.AUTO, stop_seconds=10)
    assert ways[AlarmKind.SERVICE_DOWN].mode is ways[AlarmKind.ERROR_RATE_ONCE].mode is Mode.TELL
    assert ways[AlarmKind.MEMORY_EXPLOSION].mode is Mode.RECOMMEND
    early = Way(mode=Mode.AUTO, stop_seconds=20)
    assert ways[AlarmKind.EARLY_WARNING] == ways[AlarmKind.RESPONSE_TIME] == early
    assert ways[AlarmKind.SHARED].mode is ways[AlarmKind.CPU].mode is Mode.TELL


def test_a_playbook_without_rules_recommends() -> None:
    assert way_of(a_playbook(), AlarmKind.SERVICE_DOWN) == Way(mode=Mode.RECOMMEND)


# Later alarms.


def test_a_later_alarm_of_another_kind_stands_beside_the_first() -> None:
    alert = take_in(an_alert(), AlarmKind.RESPONSE_TIME, Level.RECOMMEND)

    assert (alert.kind, alert.state) == (AlarmKind.ERROR_RATE_IN_A_ROW, AlertState.OPEN)
    assert [facts["kind"] for facts in alert.also] == ["response_time"]
    assert alert.kinds == {"error_rate_in_a_row", "response_time"}


def test_the_same_kind_again_is_said_once_with_its_newest_numbers() -> None:
    alert = take_in(an_alert(), AlarmKind.ERROR_RATE_IN_A_ROW, Level.ACT, against=NotByItself.NOT_ARMED)

    assert (alert.facts["level"], alert.also) == ("act", ())
    assert alert.not_by_itself == NotByItself.NOT_ARMED


def test_a_later_alarm_may_begin_a_countdown() -> None:
    alert = take_in(an_alert(not_by_itself="not_confirmed"), AlarmKind.EARLY_WARNING, Level.ACT)

    assert (alert.state, alert.not_by_itself) == (AlertState.COUNTDOWN, "")
    assert alert.fires_at == NOON + seconds(40)
    assert alert.gravest["kind"] == "early_warning"


def test_a_countdown_is_not_lengthened_by_a_later_alarm() -> None:
    counting = take_in(an_alert(), AlarmKind.EARLY_WARNING, Level.ACT)

    again = take_in(counting, AlarmKind.SERVICE_DOWN, Level.ACT)
    calmer = take_in(counting, AlarmKind.RESPONSE_TIME, Level.RECOMMEND, RECOMMEND)

    assert again.fires_at == calmer.fires_at == counting.fires_at
    assert (again.state, calmer.state) == (AlertState.COUNTDOWN, AlertState.COUNTDOWN)
    assert calmer.mode == Mode.AUTO


def test_what_was_only_told_may_turn_into_a_recommendation_and_not_back() -> None:
    told = an_alert(AlertState.TOLD, kind=AlarmKind.SHARED, facts={"kind": "shared", "level": "tell"})

    asked = take_in(told, AlarmKind.EARLY_WARNING, Level.RECOMMEND, RECOMMEND)

    assert (asked.state, asked.kind) == (AlertState.OPEN, AlarmKind.SHARED)
    assert take_in(asked, AlarmKind.SHARED, Level.TELL, TELL).state is AlertState.OPEN


def test_a_countdown_is_called_off_when_stable_turns_out_to_be_as_bad() -> None:
    counting = take_in(an_alert(), AlarmKind.EARLY_WARNING, Level.ACT)

    alert = take_in(counting, AlarmKind.SHARED, Level.TELL, TELL)

    assert (alert.state, alert.fires_at) == (AlertState.OPEN, None)
    assert alert.not_by_itself == NotByItself.NOT_CONFIRMED


def test_a_graver_alarm_says_anew_why_the_bot_does_not_act() -> None:
    alert = an_alert(not_by_itself="rule_mode", mode="recommend")

    graver = take_in(alert, AlarmKind.SERVICE_DOWN, Level.ACT, against=NotByItself.ON_HOLD)
    as_grave = take_in(alert, AlarmKind.EARLY_WARNING, Level.RECOMMEND)

    assert (graver.not_by_itself, graver.mode) == ("on_hold", "auto")
    assert was_on_hold(graver)
    assert (as_grave.not_by_itself, as_grave.mode) == ("rule_mode", "recommend")
    assert not was_on_hold(as_grave)


def test_an_answer_ends_the_countdown() -> None:
    counting = take_in(an_alert(), AlarmKind.EARLY_WARNING, Level.ACT)

    over = ended(counting, AlertState.NOT_THE_CANARY, by=GITCO, at=NOON, why="the load test")

    assert (over.state, over.by, over.at, over.why, over.fires_at) == (
        AlertState.NOT_THE_CANARY,
        GITCO,
        NOON,
        "the load test",
        None,
    )


# What is nearly sure.


@pytest.mark.parametrize(
    ("stop_seconds", "state", "why"),
    [
        (0, AlertState.OPEN, NotByItself.NOT_CONFIRMED),
        (9, AlertState.OPEN, NotByItself.NOT_CONFIRMED),
        (10, AlertState.COUNTDOWN, None),
        (11, AlertState.COUNTDOWN, None),
    ],
)
def test_what_is_nearly_sure_is_announced_where_people_have_a_bucket_to_stop_it(
    stop_seconds: int, state: AlertState, why: NotByItself | None
) -> None:
    way = Way(mode=Mode.AUTO, stop_seconds=stop_seconds)

    weighed = weigh(an_alarm(level=Level.NEARLY), way, against=None)

    assert (weighed.state, weighed.not_by_itself) == (state, why)


@pytest.mark.parametrize(("way", "state"), [(RECOMMEND, AlertState.OPEN), (TELL, AlertState.TOLD)])
def test_what_is_nearly_sure_is_announced_in_no_other_mode(way: Way, state: AlertState) -> None:
    weighed = weigh(an_alarm(level=Level.NEARLY), way, against=None)

    assert (weighed.state, weighed.held_back) == (state, NotByItself.NOT_CONFIRMED)


def test_nothing_is_announced_that_something_speaks_against() -> None:
    weighed = weigh(an_alarm(level=Level.NEARLY), AUTO, against=NotByItself.NOT_ARMED)

    assert (weighed.state, weighed.not_by_itself) == (AlertState.OPEN, NotByItself.NOT_ARMED)


@pytest.mark.parametrize(
    ("before", "level"),
    [(None, Level.RECOMMEND), (Level.TELL, Level.RECOMMEND), (Level.RECOMMEND, None)],
)
def test_not_announced_it_is_a_recommendation_unless_that_was_said(
    before: Level | None, level: Level | None
) -> None:
    alarm = replace(an_alarm(level=Level.NEARLY), before=before)

    known = without_announcing(alarm)

    assert (known.level if known else None) == level


def test_an_announced_rollback_waits_for_the_score_until_something_is_sure() -> None:
    waiting = announced()
    sure = take_in(waiting, AlarmKind.EARLY_WARNING, Level.ACT)
    otherwise_sure = take_in(waiting, AlarmKind.SERVICE_DOWN, Level.ACT)

    assert (waiting.state, sure.state) == (AlertState.COUNTDOWN, AlertState.COUNTDOWN)
    assert (waits_for_the_score(waiting) or {})["kind"] == "early_warning"
    assert waits_for_the_score(sure) is waits_for_the_score(otherwise_sure) is None
    assert sure.fires_at == waiting.fires_at == NOON + seconds(10)
    assert waits_for_the_score(called_off(waiting, NotByItself.NOT_CONFIRMED)) is None


def test_nothing_rests_on_what_is_but_nearly_sure() -> None:
    assert not still_true(announced(), {"early_warning": "nearly"})
    # Not even where the judge is sure by now of what no alarm has told.
    assert not still_true(announced(), {"early_warning": "act"})


@pytest.mark.parametrize(("level", "may"), [(8.9, False), (9.0, True), (9.1, True)])
def test_the_score_may_yet_fill_while_it_has_not_fallen(level: float, may: bool) -> None:
    judged = JudgeState(errors_trigger=Excess(level=level), height=10.0)

    assert may_yet_fill(announced(percent=90.0), judged) is may


def test_slowness_waits_for_its_own_score() -> None:
    alarm = an_alarm(AlarmKind.RESPONSE_TIME, Level.NEARLY, trigger_percent=90.0)
    weighed = weigh(alarm, AUTO, against=None)
    alert = joined(an_alert(), weighed, alarm_facts(alarm, weighed, seen="600 ms"), at=NOON)

    assert may_yet_fill(alert, JudgeState(slow_trigger=Excess(level=9.0), slow_height=10.0))
    assert not may_yet_fill(alert, JudgeState(errors_trigger=Excess(level=9.0), height=10.0))


def test_the_gravest_are_all_that_are_as_grave() -> None:
    both = take_in(take_in(an_alert(), AlarmKind.EARLY_WARNING, Level.ACT), AlarmKind.SERVICE_DOWN, Level.ACT)

    assert both.gravest_kinds == ("early_warning", "service_down")


# What still holds.


def test_a_countdown_rests_on_what_the_judge_still_says() -> None:
    counting = take_in(an_alert(), AlarmKind.EARLY_WARNING, Level.ACT)

    assert still_true(counting, {"early_warning": "act"})
    assert not still_true(counting, {"early_warning": "recommend", "error_rate_in_a_row": "recommend"})
    assert not still_true(counting, {"service_down": "act"})
    assert not still_true(counting, {})


def test_what_is_not_the_canary_is_not_said_again_of_it() -> None:
    refused = an_alert(AlertState.NOT_THE_CANARY, also=({"kind": "response_time"},))
    stopped = an_alert(AlertState.STOPPED, kind=AlarmKind.SERVICE_DOWN)

    assert muted([refused, stopped], canary=CANARY) == {"error_rate_in_a_row", "response_time"}
    assert muted([refused, stopped], canary="ion-api-00043-new") == frozenset()


def test_an_alert_keeps_what_the_alarm_knew() -> None:
    alarm = an_alarm(level=Level.ACT, in_a_row=3)
    weighed = Weighed(state=AlertState.OPEN, way=RECOMMEND, held_back=NotByItself.NOT_ARMED)

    facts = alarm_facts(alarm, weighed, seen="error rate 0.2 % → 5.1 %")

    assert facts["in_a_row"] == 3
    assert (facts["kind"], facts["level"], facts["at"]) == ("error_rate_in_a_row", "act", NOON.isoformat())
    assert (facts["seen"], facts["held_back"]) == ("error rate 0.2 % → 5.1 %", "not_armed")
