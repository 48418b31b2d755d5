"""From an alarm to an alert, an incident and a countdown."""

from dataclasses import replace

import pytest

from bot.domain.alarm import AlarmKind, Level
from bot.domain.alert import AlertState
from bot.domain.automatics import NotByItself
from bot.domain.change import ChangeState
from bot.domain.diagnosis import Given
from bot.domain.incident import IncidentState, Severity
from bot.domain.people import AUTOMATICS
from bot.domain.playbook import Playbook
from bot.domain.rollback import RollbackState
from bot.domain.timeline import Event
from bot.domain.watch import EndedWhy
from bot.usecases.answer_alert import Reply
from bot.usecases.begin_watch import end_watch
from bot.usecases.end_alerts import end_alerts
from bot.usecases.open_incident import open_incident
from bot.usecases.ports import Showing, Transaction, Workflow
from bot.usecases.raise_alert import PREPARING_TAKES
from tests.alerts import a_watch, an_alarm, an_alarming_playbook, an_alert
from tests.drills import a_drill
from tests.guide import in_scenario
from tests.unit.usecases.alert_world import AlertWorld, a_world
from tests.values import (
    CANARY,
    GITCO,
    NOON,
    SENA,
    a_change,
    a_decided_rollback,
    a_plan,
    an_incident,
    seconds,
)


async def test_a_recommendation_opens_an_alert_with_an_incident() -> None:
    world = await a_world()

    await world.alarm(value=5.1)

    alert, incident = world.alert(), world.incident()
    assert (alert.state, alert.kind, alert.mode) == (AlertState.OPEN, AlarmKind.ERROR_RATE_IN_A_ROW, "auto")
    assert (alert.incident, alert.minutes, alert.percent) == (incident.number, 42.0, 10)
    assert alert.not_by_itself == NotByItself.NOT_CONFIRMED
    assert world.watched().alerts == 1
    assert world.store.kept.messages["alert:canary-3-1"].channel == "#critical-incidents"


async def test_the_incident_is_handed_over_filled_in() -> None:
    world = await a_world()

    await world.alarm(value=5.1)

    incident = world.incident()
    assert (incident.scenario, incident.scenario_at, incident.severity) == ("error_rate", NOON, Severity.HIGH)
    assert (incident.opened_by, incident.deployed_at) == (AUTOMATICS, world.watched().deployed_at)
    assert incident.seen == "error rate 0.2 % → 5.1 %, P95 150 ms → 160 ms"
    opened = world.facts(Event.INCIDENT_OPENED, "incident:1")
    assert opened["watched"] is True
    assert (opened["minutes"], opened["scenario"]) == (42.0, "error_rate")
    assert opened["before"] == {"error_rate": 0.2, "p95": 150.0}
    assert opened["now"] == {"error_rate": 5.1, "p95": 160.0}
    assert world.store.started(Workflow.FIND_ANSWERS) == [
        {"incident": "1", "target": "canary", "alert": "canary-3-1", "turn": "1"}
    ]


def pictures(world: AlertWorld) -> list[str]:
    return [m.subject for m in world.store.kept.messages.values() if m.what is Showing.INCIDENT_PICTURE]


async def test_a_detection_has_a_picture_and_a_further_alarm_of_its_alert_none() -> None:
    world = await a_world()

    await world.alarm(value=5.1)
    await world.alarm(AlarmKind.RESPONSE_TIME, value=900)

    assert pictures(world) == ["1:detection:canary-3-1"]


async def test_memory_has_a_picture_of_its_own_whenever_an_alert_comes_to_be_about_it() -> None:
    at_once, later = await a_world(), await a_world()

    await at_once.alarm(AlarmKind.MEMORY_EXPLOSION)
    await later.alarm(value=5.1)
    for _ in range(2):
        await later.alarm(AlarmKind.MEMORY_EXPLOSION)

    both = ["1:detection:canary-3-1", "1:memory:canary-3-1"]
    assert pictures(at_once) == pictures(later) == both


async def test_what_opens_no_incident_has_no_picture() -> None:
    world = await a_world(an_alarming_playbook({"service_down": "tell"}))

    await world.alarm(AlarmKind.SERVICE_DOWN, Level.ACT)

    assert pictures(world) == []


@pytest.mark.parametrize(("ended", "opens"), [(0, False), (299, False), (300, True)])
async def test_what_is_left_to_see_of_a_drill_that_is_over_opens_no_incident(
    ended: float, opens: bool
) -> None:
    world = await a_world()
    over = a_drill(created_at=NOON - seconds(600), ended_at=NOON - seconds(ended))
    await world.store.change(lambda tx: tx.keep(over))

    await world.alarm(value=5.1)

    assert bool(world.store.kept.incidents) is opens
    assert (world.alert().incident is not None) is opens


async def test_both_timelines_tell_of_the_alarm() -> None:
    world = await a_world()

    await world.alarm(value=5.1)

    for chain in ("watch:canary:3", "incident:1"):
        told = world.facts(Event.ALARM_RAISED, chain)
        assert (told["kind"], told["level"], told["mode"]) == ("error_rate_in_a_row", "recommend", "auto")
        assert (told["alert"], told["value"], told["revision"]) == ("canary-3-1", 5.1, CANARY)


async def test_people_are_called_as_for_an_incident_of_their_own() -> None:
    world = await a_world(
        an_alarming_playbook(
            contacts={
                "lead": {
                    "role": {"en": "Lead", "ko": "리더"},
                    "name": "Sena",
                    "user": "U0SENA",
                    "within_minutes": 1,
                    "page_at": ["critical"],
                }
            }
        )
    )

    await world.alarm(AlarmKind.SERVICE_DOWN, Level.RECOMMEND)

    assert world.store.started(Workflow.PAGE) == [{"incident": "1"}]
    assert world.incident().severity is Severity.CRITICAL


async def test_empty_slots_are_named_when_the_bot_opens_an_incident_too() -> None:
    world = await a_world()

    await world.alarm()

    assert world.facts(Event.SLOTS_EMPTY, "incident:1")["roles"] == [
        {"en": "Monitoring", "ko": "모니터링 담당"}
    ]


async def test_an_open_incident_is_joined_and_keeps_what_people_said() -> None:
    world = await a_world()
    draft, playbook = an_incident(severity=Severity.MEDIUM, seen="users complain"), world.playbooks.current()
    await world.store.change(lambda tx: open_incident(tx, draft, playbook=playbook, at=NOON))

    await world.alarm()

    incident = world.incident()
    assert (incident.number, incident.severity, incident.seen) == (1, Severity.MEDIUM, "users complain")
    assert world.events("incident:1") == [Event.INCIDENT_JOINED, Event.ALARM_RAISED]


async def test_a_caution_is_a_line_and_nothing_else() -> None:
    world = await a_world()

    await world.alarm(AlarmKind.ERROR_RATE_ONCE, Level.TELL)
    await world.alarm(AlarmKind.CPU, Level.TELL)

    assert world.events() == [Event.ALARM_RAISED, Event.ALARM_RAISED]
    assert (world.alerts(), dict(world.store.kept.incidents), world.watched().alerts) == ([], {}, 0)


async def test_what_stable_shares_is_told_with_an_incident_and_never_rolled_back() -> None:
    world = await a_world()

    await world.alarm(AlarmKind.SHARED, Level.TELL, metric="error_rate")
    await world.later(60)

    assert (world.alert().state, world.incident().scenario) == (AlertState.TOLD, "error_rate")
    assert world.asked() == []


async def test_a_rule_that_only_tells_opens_no_incident() -> None:
    world = await a_world(an_alarming_playbook({"service_down": "tell"}))

    await world.alarm(AlarmKind.SERVICE_DOWN, Level.ACT)

    assert (world.alert().state, world.alert().incident) == (AlertState.TOLD, None)
    assert dict(world.store.kept.incidents) == {}


async def test_one_canary_has_one_unanswered_alert() -> None:
    world = await a_world()

    await world.alarm()
    await world.alarm(AlarmKind.RESPONSE_TIME, Level.RECOMMEND, value=812.0, limit=500.0)

    (alert,) = world.alerts()
    assert [facts["kind"] for facts in alert.also] == ["response_time"]
    assert world.watched().alerts == 1
    assert len(world.store.started(Workflow.FIND_ANSWERS)) == 1


async def test_several_alarms_of_one_moment_are_one_alert() -> None:
    world = await a_world()

    await world.alarms(an_alarm(AlarmKind.EARLY_WARNING, Level.ACT), an_alarm(level=Level.RECOMMEND))

    (alert,) = world.alerts()
    assert (alert.kind, alert.state) == (AlarmKind.EARLY_WARNING, AlertState.COUNTDOWN)


async def test_a_sure_alarm_on_an_armed_target_announces_the_rollback() -> None:
    world = await a_world()

    await world.alarm(AlarmKind.EARLY_WARNING, Level.ACT)

    alert = world.alert()
    assert (alert.state, alert.fires_at, alert.not_by_itself) == (
        AlertState.COUNTDOWN,
        NOON + seconds(10),
        "",
    )
    told = world.facts(Event.AUTOMATIC_ANNOUNCED, "incident:1")
    assert (told["stop_seconds"], told["kind"]) == (10, "early_warning")
    assert world.store.kept.timers["fire:canary-3-1"][0] == alert.fires_at
    assert (world.asked(), world.pages()) == ([], [])


async def test_a_later_alarm_may_begin_the_countdown() -> None:
    world = await a_world()
    await world.alarm(AlarmKind.EARLY_WARNING, Level.RECOMMEND)

    world.clock.now += seconds(50)
    await world.alarm(AlarmKind.EARLY_WARNING, Level.ACT)

    (alert,) = world.alerts()
    assert (alert.state, alert.fires_at) == (AlertState.COUNTDOWN, NOON + seconds(60))


async def test_a_score_that_is_nearly_full_announces_the_rollback_ahead() -> None:
    world = await a_world()
    await world.alarm(AlarmKind.EARLY_WARNING, Level.RECOMMEND)

    world.clock.now += seconds(50)
    await world.nearly(before=Level.RECOMMEND)

    (alert,) = world.alerts()
    assert (alert.state, alert.fires_at, alert.called) == (AlertState.COUNTDOWN, NOON + seconds(60), True)
    told = world.facts(Event.AUTOMATIC_ANNOUNCED, "incident:1")
    assert (told["stop_seconds"], told["if_full"]) == (10, True)
    assert world.facts(Event.ALARM_RAISED)["level"] == Level.NEARLY


async def test_what_is_sure_is_announced_without_an_if() -> None:
    world = await a_world()

    await world.alarm(AlarmKind.EARLY_WARNING, Level.ACT)

    assert world.facts(Event.AUTOMATIC_ANNOUNCED)["if_full"] is False


NOT_ANNOUNCED = [
    pytest.param(an_alarming_playbook(early={"stop_seconds": 9}), True, id="too little time to stop it"),
    pytest.param(an_alarming_playbook(early={"stop_seconds": 0}), True, id="no time to stop it"),
    pytest.param(an_alarming_playbook(early={"mode": "recommend"}), True, id="in mode recommend"),
    pytest.param(an_alarming_playbook(), False, id="not armed"),
]


@pytest.mark.parametrize(("playbook", "armed"), NOT_ANNOUNCED)
async def test_a_score_that_is_nearly_full_is_no_news_where_nothing_is_announced(
    playbook: Playbook, armed: bool
) -> None:
    world = await a_world(playbook, armed=armed)
    await world.alarm(AlarmKind.EARLY_WARNING, Level.RECOMMEND)
    before, lines = world.alert(), world.events()

    await world.nearly(before=Level.RECOMMEND)

    assert (world.alert(), world.events()) == (before, lines)


@pytest.mark.parametrize(("playbook", "armed"), NOT_ANNOUNCED)
async def test_a_score_that_is_nearly_full_at_once_is_a_recommendation_where_nothing_is_announced(
    playbook: Playbook, armed: bool
) -> None:
    world = await a_world(playbook, armed=armed)

    await world.nearly()

    assert (world.alert().state, world.alert().facts["level"]) == (AlertState.OPEN, Level.RECOMMEND)
    assert (Event.AUTOMATIC_ANNOUNCED in world.events(), world.incident().number) == (False, 1)


async def test_on_hold_nothing_is_announced_ahead() -> None:
    world = await a_world()
    await world.armed(held_until=NOON + seconds(300))

    await world.nearly()

    assert world.alert().state is AlertState.OPEN


async def test_what_people_know_already_calls_them_anew_when_it_begins_to_count_down() -> None:
    world = await a_world()
    await world.alarm(AlarmKind.EARLY_WARNING, Level.RECOMMEND)
    before = set(world.store.kept.messages)

    await world.alarm(AlarmKind.EARLY_WARNING, Level.ACT)

    assert "alert:canary-3-1" in before
    assert {key for key in world.store.kept.messages if key.startswith("alert:")} == {
        "alert:canary-3-1",
        "alert:canary-3-1:countdown",
    }


async def test_a_countdown_that_is_the_first_people_hear_calls_once() -> None:
    world = await a_world()

    await world.alarm(AlarmKind.EARLY_WARNING, Level.ACT)

    assert [key for key in world.store.kept.messages if key.startswith("alert:")] == ["alert:canary-3-1"]


async def test_stable_turning_bad_stops_the_countdown() -> None:
    world = await a_world()
    await world.alarm(AlarmKind.EARLY_WARNING, Level.ACT)

    await world.alarm(AlarmKind.SHARED, Level.TELL)
    await world.later(60)

    assert world.alert().state is AlertState.OPEN
    assert world.facts(Event.AUTOMATIC_STOPPED)["why"] == NotByItself.NOT_CONFIRMED
    assert world.asked() == []


@pytest.mark.parametrize(
    ("known", "why"),
    [
        ({"armed": False}, NotByItself.NOT_ARMED),
        ({"held_until": NOON + seconds(60)}, NotByItself.ON_HOLD),
        ({"fired_at": (NOON - seconds(600),)}, NotByItself.TOO_MANY_THIS_HOUR),
        ({"fired_at": (NOON - seconds(7200), NOON - seconds(7300))}, NotByItself.TOO_MANY_TODAY),
        ({"rolled_to": (CANARY,)}, NotByItself.ROLLED_TO),
        ({"rolled_from": (CANARY,)}, NotByItself.PERSON_PUT_IT_BACK),
        ({"refused": (CANARY,)}, NotByItself.PERSON_SAID_NO),
    ],
)
async def test_the_alert_says_why_the_bot_leaves_it_to_people(
    known: dict[str, object], why: NotByItself
) -> None:
    world = await a_world()
    await world.armed(**known)

    await world.alarm(AlarmKind.SERVICE_DOWN, Level.ACT)

    assert (world.alert().state, world.alert().not_by_itself) == (AlertState.OPEN, why)


async def test_in_mode_recommend_it_says_what_auto_would_have_done() -> None:
    world = await a_world(an_alarming_playbook({"service_down": "recommend"}))

    await world.alarm(AlarmKind.SERVICE_DOWN, Level.ACT)

    alert = world.alert()
    assert (alert.state, alert.mode, alert.not_by_itself) == (AlertState.OPEN, "recommend", "rule_mode")
    assert alert.facts["held_back"] == ""


async def test_a_rollback_or_a_change_that_runs_comes_first() -> None:
    rolling, changing = await a_world(), await a_world()
    await rolling.keep(a_decided_rollback(RollbackState.APPLIED))
    await changing.store.change(lambda tx: tx.add_change(a_change(state=ChangeState.REQUESTED)))

    for world in (rolling, changing):
        await world.alarm(AlarmKind.SERVICE_DOWN, Level.ACT)

        assert world.alert().not_by_itself == NotByItself.ALREADY_RUNNING


async def test_where_a_question_comes_before_a_rollback_no_machine_answers_it() -> None:
    world = await a_world()
    draft, playbook = in_scenario("data_loss"), world.playbooks.current()
    await world.store.change(lambda tx: open_incident(tx, draft, playbook=playbook, at=NOON))

    await world.alarm(AlarmKind.SERVICE_DOWN, Level.ACT)

    assert world.alert().not_by_itself == NotByItself.SAFETY_FIRST


async def test_once_people_have_said_it_is_safe_the_bot_may() -> None:
    world = await a_world()
    playbook = world.playbooks.current()
    scenario = playbook.scenario("data_loss")
    assert scenario is not None
    assert scenario.before_rollback is not None
    safe = next(a for a in scenario.before_rollback.answers if not a.holds_back)
    given = Given(question=scenario.before_rollback.key, answer=safe.key, by=SENA, at=NOON)
    draft = in_scenario("data_loss", answers=(given,))
    await world.store.change(lambda tx: open_incident(tx, draft, playbook=playbook, at=NOON))

    await world.alarm(AlarmKind.SERVICE_DOWN, Level.ACT)

    assert world.alert().state is AlertState.COUNTDOWN


async def test_what_a_person_called_not_the_canary_is_only_a_line_for_the_rest_of_the_watch() -> None:
    world = await a_world()
    await world.alarm()
    await world.answer(Reply.NOT_THE_CANARY, GITCO, why="the load test")

    await world.alarm(level=Level.ACT)
    await world.alarm(AlarmKind.SERVICE_DOWN, Level.ACT)

    assert [a.state for a in world.alerts()] == [AlertState.NOT_THE_CANARY, AlertState.OPEN]
    assert world.alerts()[1].kind is AlarmKind.SERVICE_DOWN
    assert world.alerts()[1].not_by_itself == NotByItself.PERSON_SAID_NO
    assert world.events().count(Event.ALARM_RAISED) == 3


async def test_the_next_watch_hears_that_kind_again() -> None:
    world = await a_world()
    await world.alarm()
    await world.answer(Reply.NOT_THE_CANARY, GITCO, why="the load test")
    await world.watch(number=4)

    await world.alarm()

    assert world.alert("canary-4-1").state is AlertState.OPEN


async def test_an_unanswered_alert_of_an_earlier_watch_is_over() -> None:
    world = await a_world()
    await world.keep_values(an_alert(id="canary-2-1", canary="ion-api-00041-old"))

    await world.alarm()

    assert world.alert("canary-2-1").state is AlertState.OVER
    assert world.alert().state is AlertState.OPEN


async def test_alerts_end_with_their_watch_and_nothing_fires_after_it() -> None:
    world = await a_world()
    await world.alarm(AlarmKind.EARLY_WARNING, Level.ACT)
    playbook = world.playbooks.current()

    def end(tx: Transaction) -> None:
        end_alerts(tx, a_watch(), playbook=playbook, at=NOON)

    await world.store.change(end)
    await world.later(60)

    assert world.alert().state is AlertState.OVER
    assert world.asked() == []


async def test_anybodys_rollback_answers_the_alert() -> None:
    world = await a_world()
    await world.alarm(AlarmKind.EARLY_WARNING, Level.ACT)

    rollback = await world.decided()
    await world.later(60)

    alert = world.alert()
    assert (alert.state, alert.rollback, alert.by) == (AlertState.ROLLED_BACK, rollback.id, SENA)
    assert len(world.asked()) == 1
    assert world.automatics().rolled_from == (CANARY,)


@pytest.mark.parametrize(
    ("state", "alerts"),
    [
        (RollbackState.APPLIED, 1),
        (RollbackState.VERIFIED, 1),
        (RollbackState.NOT_VERIFIED, 2),
        (RollbackState.FAILED, 2),
    ],
)
async def test_after_a_rollback_that_works_the_canarys_last_requests_are_no_news(
    state: RollbackState, alerts: int
) -> None:
    world = await a_world()
    await world.alarm()
    rollback = await world.decided()
    await world.store.change(lambda tx: tx.save_rollback(replace(tx.rollback(rollback.id), state=state)))
    world.clock.now += PREPARING_TAKES

    await world.alarm(AlarmKind.EARLY_WARNING)

    assert len(world.alerts()) == alerts
    assert world.events().count(Event.ALARM_RAISED) == 2


async def test_while_a_rollback_is_prepared_only_what_stable_shares_is_news() -> None:
    world = await a_world()
    await world.alarm()
    await world.answer(Reply.ROLL_BACK)

    await world.alarm(AlarmKind.EARLY_WARNING)
    before = len(world.alerts())
    await world.alarm(AlarmKind.SHARED, Level.TELL)

    assert before == 1
    assert [alert.kind for alert in world.alerts()][1:] == [AlarmKind.SHARED]


async def test_a_rollback_without_a_watch_is_remembered_as_well() -> None:
    world = AlertWorld()

    await world.decided()

    assert world.automatics().rolled_from == (a_plan().canary,)
    assert not world.automatics().armed


async def test_an_alert_of_a_closed_incident_opens_a_new_one_with_the_next_alarm() -> None:
    world = await a_world()
    await world.alarm()
    closed = replace(world.incident(), state=IncidentState.CLOSED)
    await world.store.change(lambda tx: tx.save_incident(closed))

    await world.alarm(AlarmKind.RESPONSE_TIME, Level.RECOMMEND)

    assert (world.incident().number, world.alert().incident) == (2, 2)


async def test_a_canary_that_somebody_took_out_by_hand_is_left_to_people_when_it_comes_back() -> None:
    world = await a_world()
    watch, playbook = world.watched(), world.playbooks.current()

    def end(tx: Transaction) -> None:
        end_watch(tx, watch, EndedWhy.CANARY_HAS_NONE, playbook=playbook, at=NOON)

    await world.store.change(end)
    await world.watch(number=4)
    await world.alarm(AlarmKind.SERVICE_DOWN, Level.ACT)

    assert world.alert("canary-4-1").not_by_itself == NotByItself.PERSON_PUT_IT_BACK


@pytest.mark.parametrize("why", [EndedWhy.BY_A_PERSON, EndedWhy.CANARY_HAS_ALL, EndedWhy.NEW_CANARY])
async def test_a_watch_that_ends_otherwise_says_nothing_of_the_canary(why: EndedWhy) -> None:
    world = await a_world()
    watch, playbook = world.watched(), world.playbooks.current()

    def end(tx: Transaction) -> None:
        end_watch(tx, watch, why, playbook=playbook, at=NOON)

    await world.store.change(end)

    assert world.automatics().rolled_from == ()
