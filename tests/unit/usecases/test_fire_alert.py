"""The bot rolls back by itself: when nobody stops it, and only while everything it rests on holds."""

import asyncio
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.alarm import AlarmKind, Level
from bot.domain.alert import AlertState
from bot.domain.automatics import HOLD_FOR, NotByItself
from bot.domain.ids import RevisionName
from bot.domain.incident import IncidentState
from bot.domain.people import AUTOMATICS
from bot.domain.playbook import Permission, Playbook
from bot.domain.rollback import RollbackState
from bot.domain.timeline import AUDIT, Event
from bot.domain.watch import WatchState
from bot.usecases.answer_alert import Reply
from bot.usecases.authorize import authorize
from bot.usecases.ports import Workflow
from bot.usecases.remind_checklist import in_command
from bot.usecases.report_breakage import report_breakage
from tests.alerts import an_alarming_playbook
from tests.unit.usecases.alert_world import AlertWorld, a_world
from tests.unit.usecases.world import GONE
from tests.values import (
    CANARY,
    GITCO,
    NOON,
    SENA,
    SICK,
    STABLE,
    a_decided_rollback,
    a_plan,
    a_rollback,
    a_state,
    seconds,
    share,
)

NEWER = RevisionName("ion-api-00043-new")


async def counting(playbook: Playbook | None = None) -> AlertWorld:
    """Return a world in which the bot is about to roll back."""
    world = await a_world(playbook)
    await world.alarm(AlarmKind.EARLY_WARNING, Level.ACT, value=5.1)
    assert world.alert().state is AlertState.COUNTDOWN
    return world


async def test_nobody_stops_it_so_the_very_same_rollback_begins() -> None:
    world = await counting()

    await world.later(10)

    (rollback,) = world.asked()
    assert (rollback.asked_by, rollback.forced, rollback.state) == (AUTOMATICS, True, RollbackState.ASKED)
    assert rollback.reason == "early warning: error rate 0.2 % → 5.1 %, P95 150 ms → 160 ms"
    alert = world.alert()
    assert (alert.state, alert.rollback, alert.by) == (AlertState.ROLLED_BACK, rollback.id, AUTOMATICS)
    assert world.facts(Event.AUTOMATIC_FIRED, "incident:1")["rollback"] == rollback.id


@pytest.mark.parametrize(("waited", "asked"), [(9.9, 0), (10.0, 1), (10.1, 1)])
async def test_people_have_all_of_the_announced_time(waited: float, asked: int) -> None:
    world = await counting()

    await world.later(waited)

    assert len(world.asked()) == asked


async def test_zero_seconds_to_stop_it_acts_at_once() -> None:
    world = await counting(an_alarming_playbook(early={"stop_seconds": 0}))

    await world.later(0)

    assert len(world.asked()) == 1


async def test_it_is_off_afterwards_until_somebody_arms_it_again() -> None:
    world = await counting()

    await world.later(10)

    known = world.automatics()
    assert (known.armed, known.off_why, known.by) == (False, "fired", AUTOMATICS)
    assert (known.fired_at, known.rolled_to) == ((NOON + seconds(10),), (STABLE,))
    assert Event.AUTOMATICS_OFF in world.events(AUDIT)


async def test_the_deployment_lead_is_called_because_the_bot_has_acted() -> None:
    world = await counting()

    await world.later(10)

    (page,) = world.pages()
    assert (page.contact, page.asked_by) == ("deployment_lead", "backout")
    assert page.reason.startswith(f"Backout: {CANARY} → {STABLE} · early warning: error rate")


async def test_a_lead_who_is_called_already_is_not_called_twice() -> None:
    contacts = an_alarming_playbook().model_dump(mode="json")["contacts"]
    world = await a_world(
        an_alarming_playbook(contacts={"first": contacts["deployment_lead"] | {"then": None}})
    )
    await world.alarm(AlarmKind.SERVICE_DOWN, Level.ACT, value=None)

    await world.later(10)
    await world.later(1)

    assert [page.contact for page in world.pages()] == ["first"]


async def test_it_goes_through_to_a_proven_end() -> None:
    world = await counting()
    await world.later(10)
    (rollback,) = world.asked()

    await world.prepare(rollback.id)
    ended = await world.carry_out(rollback.id)

    assert ended.state is RollbackState.VERIFIED
    assert (ended.decided_by, ended.incident) == (AUTOMATICS, 1)
    assert world.automatics().rolled_from == (CANARY,)
    assert world.alert().state is AlertState.ROLLED_BACK
    incident = world.incident()
    assert (incident.scenario, incident.severity) == ("error_rate", "high")
    assert incident.decided_at == NOON + seconds(10)
    assert "refused" not in world.told()


async def test_the_incident_keeps_what_the_watch_saw_though_the_numbers_come_later() -> None:
    world = await a_world()
    await world.alarm(AlarmKind.SERVICE_DOWN, Level.ACT, value=None)
    await world.later(10)
    (rollback,) = world.asked()

    await world.prepare(rollback.id)

    assert world.store.rollback(rollback.id).before[0].value == SICK[0].value
    assert (world.incident().scenario, world.incident().severity) == ("service_down", "critical")


@pytest.mark.parametrize("permission", list(Permission))
async def test_the_bot_may_roll_back_and_nothing_else(permission: Permission) -> None:
    world = AlertWorld()

    no = await authorize(
        AUTOMATICS,
        permission,
        acting_team=None,
        playbook=world.playbooks.current(),
        people=world.people,
    )

    assert (no is None) is (permission is Permission.ROLL_BACK)


async def test_whoever_came_first_is_reminded_where_the_bot_opened_the_incident() -> None:
    world = await counting()
    incident = world.incident()

    assert in_command(incident) == AUTOMATICS
    assert in_command(replace(incident, roles={"backend": GITCO})) == GITCO
    assert in_command(replace(incident, roles={"backend": GITCO}, commander=SENA)) == SENA
    assert in_command(replace(incident, roles={"backend": GITCO}, opened_by=SENA)) == SENA


async def test_it_happens_once_however_often_it_wakes_up() -> None:
    world = await counting()
    arguments = dict(world.store.kept.timers["fire:canary-3-1"][2])
    await world.later(10)

    await world.woken(Workflow.FIRE, arguments)
    await world.later(3600)

    assert len(world.asked()) == 1


async def test_a_clock_that_is_behind_waits() -> None:
    world = await counting()
    arguments = dict(world.store.kept.timers["fire:canary-3-1"][2])

    await world.woken(Workflow.FIRE, arguments)

    assert (world.asked(), world.alert().state) == ([], AlertState.COUNTDOWN)
    await world.later(10)
    assert len(world.asked()) == 1


# Announced while the score was but nearly full.


async def announced(playbook: Playbook | None = None) -> AlertWorld:
    """Return a world in which a rollback is announced that is not sure yet."""
    world = await a_world(playbook)
    await world.nearly(90.0)
    assert world.alert().state is AlertState.COUNTDOWN
    return world


async def full(world: AlertWorld) -> None:
    """Let the judge find the score full, and raise that."""
    await world.score(100.0)
    await world.alarm(AlarmKind.EARLY_WARNING, Level.ACT)


async def test_full_in_time_it_begins_when_the_countdown_is_over() -> None:
    world = await announced()
    await world.later(9)
    await full(world)

    assert world.asked() == []
    await world.later(1.1)

    assert len(world.asked()) == 1
    assert world.alert().at == NOON + seconds(10.1)
    assert world.events().count(Event.AUTOMATIC_ANNOUNCED) == 1


async def test_full_a_little_later_it_begins_at_once() -> None:
    world = await announced()
    await world.later(10)
    assert (world.asked(), world.alert().state) == ([], AlertState.COUNTDOWN)
    world.clock.now += seconds(3)

    await full(world)
    await world.later(0.1)

    assert len(world.asked()) == 1


async def test_full_at_the_very_moment_its_timer_has_gone_off_already_it_is_not_forgotten() -> None:
    world = await announced()
    await world.later(10)

    await full(world)
    await world.later(0.1)

    assert len(world.asked()) == 1


@pytest.mark.parametrize(("waited", "state"), [(19.9, AlertState.COUNTDOWN), (20, AlertState.OPEN)])
async def test_not_full_it_waits_for_one_more_bucket_and_is_called_off(
    waited: float, state: AlertState
) -> None:
    world = await announced()
    await world.later(10)

    await world.later(waited)

    assert (world.asked(), world.alert().state) == ([], state)


async def test_what_is_called_off_is_told_and_left_to_people() -> None:
    world = await announced()

    await world.later(10)
    await world.later(20)
    await world.later(3600)

    assert (world.asked(), world.alert().fires_at) == ([], None)
    assert world.alert().not_by_itself == NotByItself.NOT_CONFIRMED
    assert world.facts(Event.AUTOMATIC_STOPPED, "incident:1")["why"] == NotByItself.NOT_CONFIRMED
    assert world.automatics().armed


async def test_a_score_that_has_fallen_calls_it_off_at_the_end_of_the_countdown() -> None:
    world = await announced()
    await world.score(89.9)

    await world.later(10)

    assert (world.asked(), world.alert().state) == ([], AlertState.OPEN)
    assert world.facts(Event.AUTOMATIC_STOPPED)["why"] == NotByItself.NOT_CONFIRMED


async def test_full_after_it_was_called_off_it_is_announced_anew() -> None:
    world = await announced()
    await world.score(80.0)
    await world.later(10)

    await full(world)

    assert (world.asked(), world.alert().fires_at) == ([], NOON + seconds(20))
    await world.later(10)
    assert len(world.asked()) == 1


async def test_stable_turning_bad_calls_off_what_was_announced_ahead() -> None:
    world = await announced()

    await world.alarm(AlarmKind.SHARED, Level.TELL)
    await world.later(60)

    assert (world.asked(), world.alert().state) == ([], AlertState.OPEN)


@pytest.mark.parametrize("pressed_after", [3, 10, 25])
async def test_stop_stops_what_was_announced_ahead_while_it_waits_too(pressed_after: float) -> None:
    world = await announced()
    await world.later(pressed_after)

    await world.answer(Reply.STOP, GITCO)
    await full(world)
    await world.later(60)

    assert world.asked() == []
    assert world.alert().state is AlertState.STOPPED


async def test_switched_off_meanwhile_it_is_not_begun_though_the_score_is_full() -> None:
    world = await announced()
    await world.armed(armed=False)
    await full(world)

    await world.later(10.1)

    assert (world.asked(), world.alert().not_by_itself) == ([], NotByItself.NOT_ARMED)


async def test_a_full_score_without_its_alarm_is_not_acted_on() -> None:
    world = await announced()
    await world.score(100.0)

    await world.later(10)
    await world.later(20)

    assert (world.asked(), world.alert().state) == ([], AlertState.OPEN)


async def test_a_rule_that_may_act_is_not_held_up_by_one_as_sure_that_only_recommends() -> None:
    world = await a_world(an_alarming_playbook(early={"mode": "recommend"}))
    await world.alarm(AlarmKind.EARLY_WARNING, Level.ACT)
    await world.alarm(AlarmKind.ERROR_RATE_IN_A_ROW, Level.ACT)

    await world.later(10)

    assert len(world.asked()) == 1


async def test_a_rule_that_only_recommends_makes_none_sure_that_is_but_nearly() -> None:
    world = await a_world(an_alarming_playbook(early={"mode": "recommend"}))
    await world.nearly(kind=AlarmKind.ERROR_RATE_IN_A_ROW)
    await world.alarm(AlarmKind.EARLY_WARNING, Level.ACT)

    await world.later(10.1)
    await world.later(20)

    assert (world.asked(), world.alert().state) == ([], AlertState.OPEN)


#: What may happen, in any order: the score moves, an alarm is raised or is over, people press, time goes by.
HAPPENS = st.one_of(
    st.tuples(st.just("nearly"), st.sampled_from([89.0, 90.0, 99.0])),
    st.tuples(st.just("score"), st.sampled_from([50.0, 89.0, 90.0, 100.0])),
    st.tuples(st.just("recommend"), st.just(0.0)),
    st.tuples(st.just("shared"), st.just(0.0)),
    st.tuples(st.just("over"), st.just(0.0)),
    st.tuples(st.just("hold"), st.just(0.0)),
    st.tuples(st.just("act"), st.just(0.0)),
    st.tuples(st.just("later"), st.sampled_from([0.1, 5.0, 10.0, 20.0, 900.0])),
)


async def _happens(world: AlertWorld, what: str, number: float) -> None:
    match what:
        case "nearly":
            await world.nearly(number)
        case "score":
            await world.score(number)
        case "recommend":
            await world.alarm(AlarmKind.EARLY_WARNING, Level.RECOMMEND)
        case "shared":
            await world.alarm(AlarmKind.SHARED, Level.TELL)
        case "over":
            await world.recover()
        case "hold" if world.alerts():
            await world.answer(Reply.HOLD, GITCO, alert=world.alerts()[-1].id)
        case "act":
            await full(world)
        case "later":
            await world.later(number)


@settings(max_examples=60, deadline=None)
@given(st.lists(HAPPENS, max_size=12))
def test_whatever_happens_a_rollback_is_asked_for_only_after_the_judge_was_sure(
    happens: list[tuple[str, float]],
) -> None:
    async def live() -> None:
        world, sure = await a_world(), False
        for what, number in happens:
            sure = sure or what == "act"
            await _happens(world, what, number)
            assert sure or not world.asked()
        await world.later(60)
        assert len(world.asked()) <= sure

    asyncio.run(live())


# What has changed meanwhile.


@pytest.mark.parametrize(
    ("known", "why"),
    [
        ({"armed": False}, NotByItself.NOT_ARMED),
        ({"refused": (CANARY,)}, NotByItself.PERSON_SAID_NO),
        ({"rolled_from": (CANARY,)}, NotByItself.PERSON_PUT_IT_BACK),
        ({"rolled_to": (CANARY,)}, NotByItself.ROLLED_TO),
        ({"fired_at": (NOON,)}, NotByItself.TOO_MANY_THIS_HOUR),
    ],
)
async def test_what_was_said_meanwhile_calls_it_off(known: dict[str, object], why: NotByItself) -> None:
    world = await counting()
    await world.armed(**known)

    await world.later(10)

    assert world.asked() == []
    assert (world.alert().state, world.alert().not_by_itself) == (AlertState.OPEN, why)
    for chain in ("watch:canary:3", "incident:1"):
        assert world.facts(Event.AUTOMATIC_STOPPED, chain)["why"] == why
    assert world.pages() == []


async def test_a_rollback_that_began_meanwhile_is_not_doubled() -> None:
    world = await counting()
    await world.keep(a_decided_rollback(RollbackState.REQUESTED, incident=None))

    await world.later(10)

    assert world.alert().not_by_itself == NotByItself.ALREADY_RUNNING
    assert len(world.asked()) == 1


async def test_a_canary_that_has_recovered_is_left_alone() -> None:
    world = await counting()
    await world.recover()

    await world.later(10)

    assert (world.asked(), world.alert().not_by_itself) == ([], NotByItself.NOT_CONFIRMED)


async def test_a_rule_that_may_no_longer_act_does_not() -> None:
    world = await counting()
    world.playbooks.playbook = an_alarming_playbook(early={"mode": "recommend"})

    await world.later(10)

    assert (world.asked(), world.alert().not_by_itself) == ([], NotByItself.RULE_MODE)


async def test_whoever_closed_the_incident_is_at_it() -> None:
    world = await counting()
    closed = replace(world.incident(), state=IncidentState.CLOSED)
    await world.store.change(lambda tx: tx.save_incident(closed))

    await world.later(10)

    assert (world.asked(), world.alert().not_by_itself) == ([], NotByItself.PERSON_SAID_NO)


async def test_a_migration_that_was_named_meanwhile_holds_it_back() -> None:
    world = await counting()
    named = replace(world.incident(), scenario="data_loss")
    await world.store.change(lambda tx: tx.save_incident(named))

    await world.later(10)

    assert (world.asked(), world.alert().not_by_itself) == ([], NotByItself.SAFETY_FIRST)


@pytest.mark.parametrize(
    "more",
    [
        {"state": WatchState.ENDED},
        {"state": WatchState.AFTERWARDS},
        {"number": 4},
        {"canary": NEWER},
    ],
    ids=["ended", "afterwards", "another watch", "another canary"],
)
async def test_another_deployment_is_never_rolled_back_by_an_older_alert(more: dict[str, object]) -> None:
    world = await counting()
    await world.keep_values(replace(world.watched(), **more))  # type: ignore[arg-type]

    await world.later(10)

    assert (world.asked(), world.alert().state) == ([], AlertState.OVER)


async def test_a_target_that_is_gone_is_left_alone() -> None:
    world = AlertWorld()

    await world.woken(Workflow.FIRE, {"alert": "canary-3-1", "target": "canary"})

    assert world.asked() == []


# On hold.


async def test_after_a_hold_it_is_announced_anew_where_it_is_still_as_bad() -> None:
    world = await counting()
    await world.answer(Reply.HOLD, GITCO)

    await world.later(HOLD_FOR.total_seconds() - 1)
    assert (world.asked(), world.alert().state) == ([], AlertState.OPEN)
    await world.later(1)

    assert (world.asked(), world.alert().state) == ([], AlertState.COUNTDOWN)
    assert world.events().count(Event.AUTOMATIC_ANNOUNCED) == 2
    await world.later(10)
    assert len(world.asked()) == 1


async def test_after_a_hold_a_canary_that_has_recovered_is_left_alone() -> None:
    world = await counting()
    await world.answer(Reply.HOLD, GITCO)
    await world.recover()

    await world.later(HOLD_FOR.total_seconds())
    await world.later(3600)

    assert (world.asked(), world.alert().not_by_itself) == ([], NotByItself.NOT_CONFIRMED)


async def test_a_hold_that_is_renewed_goes_on() -> None:
    world = await counting()
    await world.answer(Reply.HOLD, GITCO)
    await world.later(600)
    await world.answer(Reply.HOLD, GITCO)

    await world.later(301)

    assert (world.asked(), world.alert().not_by_itself) == ([], NotByItself.ON_HOLD)
    await world.later(600)
    assert world.alert().state is AlertState.COUNTDOWN


async def test_what_begins_during_a_hold_is_announced_after_it() -> None:
    world = await a_world()
    await world.armed(held_until=NOON + seconds(300))
    await world.alarm(AlarmKind.SERVICE_DOWN, Level.ACT, value=None)

    await world.later(300)

    assert world.alert().state is AlertState.COUNTDOWN


# What cannot be carried out.


async def test_a_rollback_that_cannot_be_prepared_gives_the_alert_back_to_people() -> None:
    world = await counting()
    await world.later(10)
    (rollback,) = world.asked()
    world.cloud.next_looks.append(GONE)

    await world.prepare(rollback.id)

    alert = world.alert()
    assert (alert.state, alert.not_by_itself, alert.rollback) == (AlertState.OPEN, "could_not", None)
    told = world.facts(Event.AUTOMATIC_STOPPED, "incident:1")
    assert (told["why"], told["what"], told["detail"]) == ("could_not", "fault", GONE.detail)
    assert world.told() == []


async def test_a_canary_without_traffic_is_nothing_to_roll_back() -> None:
    world = await counting()
    await world.later(10)
    (rollback,) = world.asked()
    world.cloud.state = a_state(share(STABLE, 100))

    await world.prepare(rollback.id)

    assert world.alert().not_by_itself == "could_not"
    assert world.facts(Event.AUTOMATIC_STOPPED)["what"] == "nothing_to_roll_back"
    assert (world.told(), world.cloud.writes) == ([], [])


async def test_somebody_who_was_faster_is_left_to_it() -> None:
    world = await counting()
    await world.later(10)
    mine = world.asked()[0]
    await world.decided(a_rollback(id="beef", plan=a_plan()))

    await world.prepare(mine.id)

    assert world.store.rollback(mine.id).state is RollbackState.CANCELLED
    assert "already_running" not in world.told()


async def test_a_deployment_made_meanwhile_is_not_rolled_back_unasked() -> None:
    world = await counting()
    await world.later(10)
    (rollback,) = world.asked()
    newer = replace(world.cloud.state.switch.revisions[0], name=NEWER)
    revisions = (newer, *world.cloud.state.switch.revisions)
    world.cloud.state = a_state(share(STABLE, 90), share(NEWER, 10), revisions=revisions)

    await world.prepare(rollback.id)

    asked = world.store.rollback(rollback.id)
    assert (asked.state, asked.forced, world.cloud.writes) == (RollbackState.ASKED, False, [])
    assert f"rollback:{rollback.id}" in world.store.kept.messages
    assert world.alert().state is AlertState.OPEN


async def test_the_bot_asks_afresh_when_the_deployment_changes_before_it_writes() -> None:
    world = await counting()
    await world.later(10)
    (rollback,) = world.asked()
    await world.prepare(rollback.id)
    newer = replace(world.cloud.state.switch.revisions[0], name=NEWER)
    revisions = (newer, *world.cloud.state.switch.revisions)
    world.cloud.state = a_state(share(STABLE, 90), share(NEWER, 10), revisions=revisions)

    ended = await world.carry_out(rollback.id)

    assert (ended.state, world.cloud.writes) == (RollbackState.FAILED, [])
    assert [r.forced for r in world.asked()] == [True, False]


async def test_a_person_who_gives_the_canary_traffic_again_is_not_overruled() -> None:
    world = await counting()
    await world.later(10)
    (rollback,) = world.asked()
    await world.prepare(rollback.id)
    world.cloud.next_looks.extend([None, None, None, lambda _: a_state(last_modifier="sena@example.com")])

    ended = await world.carry_out(rollback.id)

    assert (ended.state, ended.problem) == (RollbackState.FAILED, "fighting:sena@example.com")
    assert len(world.cloud.writes) == 1


async def test_a_countdown_that_breaks_off_is_left_to_people() -> None:
    world = await counting()
    arguments = dict(world.store.kept.timers["fire:canary-3-1"][2])

    await report_breakage(
        Workflow.FIRE,
        arguments,
        "ref-1",
        store=world.store,
        playbooks=world.playbooks,
        clock=world.clock,
    )

    assert (world.alert().state, world.alert().not_by_itself) == (AlertState.OPEN, "could_not")
    assert world.facts(Event.AUTOMATIC_STOPPED, "incident:1")["detail"] == "ref-1"


async def test_an_error_of_our_own_before_the_card_gives_the_alert_back() -> None:
    world = await counting()
    await world.later(10)
    (rollback,) = world.asked()

    await report_breakage(
        Workflow.PREPARE,
        {"rollback": rollback.id},
        "ref-1",
        store=world.store,
        playbooks=world.playbooks,
        clock=world.clock,
    )

    assert (world.alert().state, world.told()) == (AlertState.OPEN, [])


async def test_an_error_of_our_own_is_told_in_the_timeline_and_to_nobody_called_backout() -> None:
    world = await counting()
    await world.later(10)
    (rollback,) = world.asked()
    await world.prepare(rollback.id)

    await report_breakage(
        Workflow.ROLLBACK,
        {"rollback": rollback.id},
        "ref-1",
        store=world.store,
        playbooks=world.playbooks,
        clock=world.clock,
    )

    assert world.told() == []
    assert Event.FAULT in world.events("incident:1")
