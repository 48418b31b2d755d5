"""What people answer to an alert: who may, who was first, and what each answer changes."""

import pytest

from bot.domain.alarm import AlarmKind, Level
from bot.domain.alert import AlertState
from bot.domain.automatics import HOLD_FOR, NotByItself
from bot.domain.ids import ChannelId
from bot.domain.people import AUTOMATICS
from bot.domain.rollback import RollbackState
from bot.domain.timeline import AUDIT, Event
from bot.usecases.answer_alert import AlertAnswer, Reply, accept_alert_answer, answer_alert
from bot.usecases.open_incident import open_incident
from bot.usecases.ports import Showing, Workflow
from tests.fakes import FakeSteps
from tests.guide import in_scenario
from tests.unit.usecases.alert_world import FIRST, AlertWorld, a_world
from tests.values import (
    CANARY,
    GITCO,
    HOME,
    LUBIT,
    NOON,
    SENA,
    STABLE,
    a_decided_rollback,
    a_person,
    a_state,
    seconds,
    share,
)

HERE = ChannelId("C0INCIDENTS")


async def asking() -> AlertWorld:
    """Return a world with an alert that recommends a rollback."""
    world = await a_world()
    await world.alarm(value=5.1)
    return world


async def counting() -> AlertWorld:
    """Return a world in which the bot is about to roll back."""
    world = await a_world()
    await world.alarm(AlarmKind.EARLY_WARNING, Level.ACT, value=5.1)
    return world


# Roll back now.


async def test_roll_back_now_asks_no_second_time() -> None:
    world = await asking()

    await world.answer(Reply.ROLL_BACK)
    (rollback,) = world.asked()
    await world.prepare(rollback.id)

    started = world.store.rollback(rollback.id)
    assert (started.state, started.decided_by) == (RollbackState.REQUESTED, SENA)
    assert started.reason == "error rate in a row: error rate 0.2 % → 5.1 %, P95 150 ms → 160 ms"
    assert (world.alert().state, world.alert().by) == (AlertState.ROLLED_BACK, SENA)
    assert world.facts(Event.ALERT_ANSWERED, "incident:1")["rollback"] == rollback.id


async def test_who_may_not_roll_back_may_not_do_it_here_either() -> None:
    world = await asking()

    await world.answer(Reply.ROLL_BACK, GITCO)

    assert (world.asked(), world.alert().state, world.told()) == ([], AlertState.OPEN, ["refused"])
    assert Event.ACT_REFUSED in world.events(AUDIT)


async def test_roll_back_now_ends_the_countdown() -> None:
    world = await counting()

    await world.answer(Reply.ROLL_BACK, LUBIT)
    await world.later(60)

    (rollback,) = world.asked()
    assert rollback.asked_by == LUBIT
    assert world.automatics().armed


async def test_whoever_stopped_the_bot_may_still_roll_back() -> None:
    world = await counting()
    await world.answer(Reply.STOP, GITCO)

    await world.answer(Reply.ROLL_BACK)

    assert (world.alert().state, world.asked()[0].asked_by) == (AlertState.ROLLED_BACK, SENA)


async def test_a_rollback_that_runs_is_not_asked_for_again() -> None:
    world = await asking()
    await world.keep(a_decided_rollback(RollbackState.APPLIED, incident=None))

    await world.answer(Reply.ROLL_BACK)

    assert (len(world.asked()), world.told()) == (1, ["already_running"])


async def test_where_a_migration_may_be_in_the_way_the_question_comes_first() -> None:
    world = await a_world()
    draft, playbook = in_scenario("data_loss"), world.playbooks.current()
    await world.store.change(lambda tx: open_incident(tx, draft, playbook=playbook, at=NOON))
    await world.alarm()

    await world.answer(Reply.ROLL_BACK)
    (rollback,) = world.asked()
    await world.prepare(rollback.id)

    assert (rollback.forced, world.store.rollback(rollback.id).state) == (False, RollbackState.ASKED)
    assert world.store.kept.messages[f"rollback:{rollback.id}"].what is Showing.ROLLBACK
    assert world.alert().state is AlertState.OPEN


async def test_what_cannot_be_rolled_back_gives_the_alert_back() -> None:
    world = await asking()
    await world.answer(Reply.ROLL_BACK)
    (rollback,) = world.asked()
    world.cloud.state = a_state(share(STABLE, 100))

    await world.prepare(rollback.id)

    assert (world.alert().state, world.alert().by) == (AlertState.OPEN, None)
    assert world.alert().not_by_itself == NotByItself.NOT_CONFIRMED
    assert world.told() == ["alert_answered", "nothing_to_roll_back"]


# Stop.


async def test_anybody_may_stop_the_bot_and_it_stays_off() -> None:
    world = await counting()

    await world.answer(Reply.STOP, GITCO)
    await world.later(60)

    assert (world.asked(), world.alert().state, world.alert().by) == ([], AlertState.STOPPED, GITCO)
    known = world.automatics()
    assert (known.armed, known.off_why, known.by, known.refused) == (False, "stopped", GITCO, (CANARY,))
    assert world.facts(Event.AUTOMATIC_STOPPED, "incident:1")["why"] == "person"
    assert Event.AUTOMATICS_OFF in world.events(AUDIT)
    (notice,) = world.store.notices()
    assert (notice["what"], notice["automatics_off"]) == ("alert_answered", True)


async def test_after_a_stop_arming_again_does_not_touch_that_canary() -> None:
    world = await counting()
    await world.answer(Reply.STOP, GITCO)
    await world.arm()

    await world.alarm(AlarmKind.SERVICE_DOWN, Level.ACT)

    assert world.alerts()[-1].not_by_itself == NotByItself.PERSON_SAID_NO


async def test_what_does_not_count_down_cannot_be_stopped() -> None:
    world = await asking()

    await world.answer(Reply.STOP, GITCO)

    assert (world.alert().state, world.told()) == (AlertState.OPEN, ["alert_decided"])
    assert world.automatics().armed


async def test_a_stop_that_comes_too_late_says_what_the_bot_has_done() -> None:
    world = await counting()
    await world.later(10)

    await world.answer(Reply.STOP, GITCO)

    (notice,) = world.store.notices()
    assert (notice["what"], notice["state"], notice["by"]) == ("alert_decided", "rolled_back", AUTOMATICS)
    assert notice["at"] == (NOON + seconds(10)).isoformat()


# Hold.


async def test_anybody_may_hold_the_automatics_for_a_quarter_of_an_hour() -> None:
    world = await counting()

    await world.answer(Reply.HOLD, GITCO)
    await world.later(60)

    until = NOON + HOLD_FOR
    assert (world.asked(), world.alert().state) == ([], AlertState.OPEN)
    assert world.alert().not_by_itself == NotByItself.ON_HOLD
    known = world.automatics()
    assert (known.held_until, known.held_by, known.armed) == (until, GITCO, True)
    for chain in ("watch:canary:3", "incident:1", AUDIT):
        assert world.facts(Event.AUTOMATICS_HELD, chain)["until"] == until.isoformat()
    assert world.store.notices()[0]["until"] == until.isoformat()


async def test_holding_what_only_recommends_keeps_the_bot_off_the_target() -> None:
    world = await asking()
    await world.answer(Reply.HOLD, GITCO)

    await world.alarm(AlarmKind.SERVICE_DOWN, Level.ACT)

    assert world.alert().not_by_itself == NotByItself.ON_HOLD


# Not the canary.


async def test_not_the_canary_ends_the_alert_with_the_reason() -> None:
    world = await counting()

    await world.answer(Reply.NOT_THE_CANARY, GITCO, why="the load test <!channel>")
    await world.later(60)

    alert = world.alert()
    assert (alert.state, alert.by) == (AlertState.NOT_THE_CANARY, GITCO)
    assert alert.why == "the load test <!channel>"
    assert world.asked() == []
    assert world.automatics().refused == (CANARY,)
    assert world.automatics().armed
    told = world.facts(Event.ALERT_ANSWERED, "incident:1")
    assert (told["reply"], told["why"]) == ("not_the_canary", "the load test <!channel>")


async def test_the_incident_stays_open_for_people_to_close() -> None:
    world = await asking()

    await world.answer(Reply.NOT_THE_CANARY, GITCO, why="the load test")

    assert world.incident().state == "open"


# Who was first, and who may at all.


@pytest.mark.parametrize("second", list(Reply))
async def test_of_two_answers_one_counts_and_the_other_is_told_who_was_first(second: Reply) -> None:
    world = await asking()
    await world.answer(Reply.NOT_THE_CANARY, GITCO, why="the load test")

    await world.answer(second, SENA)

    notice = world.store.notices()[-1]
    assert (notice["what"], notice["by"], notice["why"]) == ("alert_decided", GITCO, "the load test")
    assert (world.alert().by, world.asked()) == (GITCO, [])


async def test_the_same_press_twice_is_one_answer() -> None:
    world = await asking()

    await world.answer(Reply.ROLL_BACK, key="once")
    await world.answer(Reply.ROLL_BACK, key="once")

    assert (len(world.asked()), world.told()) == (1, ["alert_answered"])


@pytest.mark.parametrize(
    "more", [{"guest": True}, {"team_id": "T0ELSE"}, {"bot": True}, {"deactivated": True}]
)
async def test_whoever_is_not_one_of_us_answers_nothing(more: dict[str, object]) -> None:
    world = await counting()
    world.people.people[GITCO] = a_person(GITCO, **more)

    await world.answer(Reply.STOP, GITCO)

    assert (world.alert().state, world.told()) == (AlertState.COUNTDOWN, ["refused"])


@pytest.mark.parametrize("reply", [Reply.ROLL_BACK, Reply.NOT_THE_CANARY])
async def test_when_slack_cannot_say_who_it_is_nothing_is_answered(reply: Reply) -> None:
    world = await asking()
    world.people.silent = True

    await world.answer(reply)

    assert (world.alert().state, world.store.notices()[0]["why"]) == (AlertState.OPEN, "slack_cannot_say")


@pytest.mark.parametrize("reply", [Reply.STOP, Reply.HOLD])
async def test_but_the_bot_is_kept_from_acting_all_the_same(reply: Reply) -> None:
    world = await counting()
    world.people.silent = True

    await world.answer(reply, GITCO)
    await world.later(60)

    assert (world.asked(), world.told()) == ([], ["alert_answered"])


async def test_a_press_in_the_last_moment_counts_although_weighing_it_takes_a_while() -> None:
    world = await counting()
    world.clock.now += seconds(9.9)
    press = AlertAnswer(alert=FIRST, reply=Reply.STOP, person=GITCO, acting_team=HOME, channel=HERE)
    await accept_alert_answer("late", press, store=world.store, clock=world.clock)

    await world.later(0.1)
    assert world.alert().state is AlertState.COUNTDOWN
    arguments = world.store.started(Workflow.ANSWER_ALERT)[0]
    await answer_alert(arguments, steps=FakeSteps(), use=world.acting)

    assert (world.alert().state, world.asked()) == (AlertState.STOPPED, [])


async def test_presses_that_are_never_weighed_delay_the_bot_only_once() -> None:
    world = await counting()
    world.people.people[GITCO] = a_person(GITCO, guest=True)
    world.clock.now += seconds(9)
    await world.answer(Reply.STOP, GITCO)
    world.clock.now += seconds(4)
    await world.answer(Reply.STOP, GITCO)

    await world.later(0.9)
    assert world.asked() == []
    await world.later(0.1)

    assert len(world.asked()) == 1


async def test_an_alert_nobody_knows_is_answered_by_nothing() -> None:
    world = await asking()

    await world.answer(Reply.STOP, alert="canary-9-9")

    assert world.told() == []


async def test_an_alert_of_an_ended_watch_can_be_answered_without_it() -> None:
    world = await asking()
    await world.watch(number=4, canary="ion-api-00043-new")

    await world.answer(Reply.NOT_THE_CANARY, GITCO, why="old")

    assert world.automatics().refused == (CANARY,)
    assert Event.ALERT_ANSWERED in world.events("incident:1")
    assert world.people.people[GITCO].team_id == HOME
