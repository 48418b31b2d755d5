"""Arming in two steps, with what it would have done; switching off by anybody."""

from datetime import timedelta
from typing import Any

from bot.domain.alarm import AlarmKind, Level
from bot.domain.alert import AlertState
from bot.domain.back_test import back_test
from bot.domain.ids import ChannelId
from bot.domain.observation import Minute
from bot.domain.timeline import AUDIT, Event
from bot.usecases.arm_automatics import Arming, ask_to_arm, automatics_facts
from bot.usecases.back_test import DAYS, TIMES_SHOWN, Past, back_test_facts
from bot.usecases.ports import Workflow
from tests.alerts import an_alarming_playbook
from tests.unit.domain.test_back_test import split
from tests.unit.usecases.alert_world import AlertWorld, a_world
from tests.values import CANARY, CANARY_TARGET, GITCO, HOME, LUBIT, NOON, SENA, seconds


def in_the_past(minutes: list[Minute], *, days: float) -> tuple[Minute, ...]:
    """Return the minutes so many days earlier."""
    back = timedelta(days=days)
    return tuple(
        Minute(name=m.name, since=m.since - back, until=m.until - back, requests=m.requests, errors=m.errors)
        for m in minutes
    )


def told(world: AlertWorld) -> dict[str, Any]:
    """Return what was said last."""
    return dict(world.store.notices()[-1])


async def test_the_first_step_shows_what_it_would_have_done() -> None:
    world = await a_world(armed=False)
    world.metrics.recorded = in_the_past(split(range(1, 21), errors=40), days=3)

    await world.arm(Arming.ASK)

    shown = told(world)
    assert (shown["what"], shown["days"], shown["minutes"], shown["canaries"]) == ("back_test", 7, 20, 1)
    assert (shown["count"], shown["would_act"], shown["problem"]) == (1, True, "")
    (time,) = shown["times"]
    assert (time["canary"], time["mode"], time["level"]) == (CANARY, "auto", "act")
    assert not shown["armed"]
    assert Event.AUTOMATICS_ARMED not in world.events(AUDIT)


async def test_only_the_last_seven_days_count() -> None:
    world = await a_world(armed=False)
    failing = split(range(1, 21), errors=40)
    world.metrics.recorded = in_the_past(failing, days=DAYS + 1)

    await world.arm(Arming.ASK)

    assert (told(world)["minutes"], told(world)["count"]) == (0, 0)


async def test_what_cannot_be_read_is_said_and_holds_nobody_up() -> None:
    world = await a_world(armed=False)
    world.metrics.problem = "403 monitoring.timeSeries.list denied"

    await world.arm(Arming.ASK)

    assert told(world)["problem"] == "403 monitoring.timeSeries.list denied"
    assert told(world)["minutes"] == 0


async def test_the_second_step_arms_and_is_written_down_everywhere() -> None:
    world = await a_world(armed=False)

    await world.arm()

    known = world.automatics()
    assert (known.armed, known.by, known.at) == (True, SENA, NOON)
    assert (told(world)["what"], told(world)["armed"], told(world)["changed"]) == ("automatics", True, True)
    for chain in (AUDIT, "watch:canary:3"):
        assert world.facts(Event.AUTOMATICS_ARMED, chain)["target"] == "canary"
    assert world.store.kept.messages["watch:canary:3"].wanted == 1


async def test_arming_again_changes_nothing() -> None:
    world = await a_world(armed=False)
    await world.arm()
    world.clock.now += seconds(60)

    await world.arm(by=LUBIT)

    assert (world.automatics().by, told(world)["changed"]) == (SENA, False)
    assert world.events(AUDIT).count(Event.AUTOMATICS_ARMED) == 1


async def test_whoever_may_not_roll_back_may_not_let_the_bot_do_it() -> None:
    world = await a_world(armed=False)

    for step in (Arming.ASK, Arming.ARM):
        await world.arm(step, GITCO)

        assert (told(world)["what"], told(world)["doing"]) == ("refused", "arm")
    assert Event.AUTOMATICS_ARMED not in world.events(AUDIT)
    assert Event.ACT_REFUSED in world.events(AUDIT)


async def test_anybody_may_switch_it_off() -> None:
    world = await a_world()

    await world.arm(Arming.DISARM, GITCO)

    known = world.automatics()
    assert (known.armed, known.off_why, known.by) == (False, "person", GITCO)
    assert world.facts(Event.AUTOMATICS_OFF)["why"] == "person"


async def test_switching_off_stops_a_countdown_in_time() -> None:
    world = await a_world()
    await world.alarm(AlarmKind.EARLY_WARNING, Level.ACT)

    await world.arm(Arming.DISARM, GITCO)
    await world.later(10)

    assert (world.asked(), world.alert().state) == ([], AlertState.OPEN)


async def test_an_open_incident_hears_of_it() -> None:
    world = await a_world()
    await world.alarm()

    await world.arm(Arming.DISARM, GITCO)

    assert world.facts(Event.AUTOMATICS_OFF, "incident:1")["why"] == "person"


async def test_a_target_that_is_gone_from_the_playbook_is_not_armed() -> None:
    world = await a_world(armed=False)

    await world.arm(target="gone")
    await world.arm(Arming.ASK, target="gone")

    assert world.told() == ["not_watched", "not_watched"]


async def test_asking_to_arm_is_accepted_once() -> None:
    world = await a_world(armed=False)

    for _ in range(2):
        await ask_to_arm(
            "once",
            CANARY_TARGET,
            SENA,
            acting_team=HOME,
            channel=ChannelId("C0OPERATIONS"),
            store=world.store,
            clock=world.clock,
        )

    assert len(world.store.started(Workflow.ARM)) == 1


async def test_the_status_says_what_would_keep_the_bot_from_acting_now() -> None:
    world = await a_world()
    await world.armed(refused=(CANARY,), held_until=NOON + seconds(60), held_by=GITCO)
    playbook = world.playbooks.current()

    facts = await world.store.look(lambda tx: automatics_facts(tx, CANARY_TARGET, playbook, at=NOON))

    assert (facts["armed"], facts["canary"], facts["not_by_itself"]) == (True, CANARY, "person_said_no")
    assert (facts["held_by"], facts["held_until"]) == (GITCO, (NOON + seconds(60)).isoformat())


async def test_a_hold_that_is_over_is_not_shown() -> None:
    world = AlertWorld()
    await world.armed(held_until=NOON, held_by=GITCO)
    playbook = world.playbooks.current()

    facts = await world.store.look(lambda tx: automatics_facts(tx, CANARY_TARGET, playbook, at=NOON))

    assert (facts["held_until"], facts["held_by"], "canary" in facts) == (None, None, False)


def test_a_notice_shows_the_newest_times_and_counts_all() -> None:
    minutes = []
    for number in range(TIMES_SHOWN + 3):
        minutes += split(range(20 * number, 20 * number + 15), errors=40, canary=f"ion-api-{number:05d}")
    playbook = an_alarming_playbook()
    past = Past(since=NOON, until=NOON, found=back_test(minutes, playbook))

    facts = back_test_facts(past, playbook)

    assert facts["count"] == TIMES_SHOWN + 3
    assert len(facts["times"]) == TIMES_SHOWN
    assert facts["times"][-1]["canary"] == f"ion-api-{TIMES_SHOWN + 2:05d}"
