"""A press of a button: of any number, exactly one starts the rollback."""

from datetime import timedelta
from typing import Any

import pytest

from bot.domain.ids import IncidentNumber, PersonId, RevisionName, RollbackId
from bot.domain.incident import FailureType, Severity
from bot.domain.rollback import CARD_GOOD_FOR, Rollback, RollbackState
from bot.domain.timeline import AUDIT, Event
from bot.usecases.decide_rollback import Choice, Decision, accept_decision, decide_rollback
from bot.usecases.ports import NotKept, Showing, Workflow
from tests.fakes import FakeSteps
from tests.unit.usecases.world import World
from tests.values import (
    CANARY,
    CHAT_TARGET,
    GITCO,
    HEALTHY,
    HOME,
    LUBIT,
    NOON,
    SENA,
    SICK,
    STABLE,
    a_plan,
    a_revision,
    a_rollback,
    a_services_plan,
    seconds,
)

CARD = f"{Showing.ROLLBACK}:f00d"


def a_card(**more: Any) -> Rollback:
    known: dict[str, Any] = {"plan": a_plan(), "before": SICK}
    return a_rollback(**(known | more))


async def press(
    world: World,
    choice: Choice = Choice.ROLL_BACK,
    *,
    key: str = "press-1",
    by: PersonId = SENA,
    team: str | None = HOME,
    stable: str | None = None,
    id: str = "f00d",
) -> str:
    """Press a button, let the workflow run, and return what came of it."""
    decision = Decision(
        rollback=RollbackId(id),
        choice=choice,
        person=by,
        acting_team=team,
        channel=a_rollback().channel,  # type: ignore[arg-type]
        stable=RevisionName(stable) if stable else None,
    )
    await accept_decision(key, decision, store=world.store, clock=world.clock)
    steps = FakeSteps()
    _, arguments = world.store.kept.workflows[f"{Workflow.DECIDE}:{id}:{key}"]
    await decide_rollback(arguments, steps=steps, use=world.acting)
    return str(steps.done["decide"])


async def test_roll_back_opens_an_incident_and_starts_the_work() -> None:
    world = World()
    await world.keep(a_card())
    await world.clock.pause(30)

    said = await press(world, by=LUBIT)

    kept = world.store.rollback()
    assert said == "requested"
    assert (kept.state, kept.decided_by, kept.requested_at) == (
        RollbackState.REQUESTED,
        LUBIT,
        NOON + seconds(30),
    )
    incident = world.store.kept.incidents[IncidentNumber(1)]
    assert (incident.failure_type, incident.severity) == (FailureType.ERROR_RATE, Severity.HIGH)
    assert incident.opened_by == SENA
    assert world.store.started(Workflow.ROLLBACK) == [{"rollback": "f00d"}]
    assert {CARD, "board:1"} <= set(world.store.kept.messages)


async def test_the_timeline_opens_with_request_readings_and_decision() -> None:
    world = World()
    await world.keep(a_card())

    await press(world, by=LUBIT)

    entries = world.store.kept.chains["incident:1"]
    assert [e.event for e in entries] == [
        Event.INCIDENT_OPENED,
        Event.ROLLBACK_ASKED,
        *[Event.READING_BEFORE] * len(SICK),
        Event.ROLLBACK_DECIDED,
    ]
    assert (entries[1].actor, entries[-1].actor) == (SENA, LUBIT)
    assert entries[1].facts["reason"] == "errors after the deployment"
    assert entries[-1].facts["stable"] == STABLE


async def test_fifty_presses_start_one_rollback() -> None:
    world = World()
    await world.keep(a_card())

    said = [await press(world, key=f"press-{n}", by=(SENA, LUBIT)[n % 2]) for n in range(50)]

    assert said == ["requested", *["decided before"] * 49]
    assert len(world.store.started(Workflow.ROLLBACK)) == len(world.store.kept.incidents) == 1


async def test_the_same_press_again_is_not_weighed_again() -> None:
    world = World()
    await world.keep(a_card())

    await press(world)
    await press(world)

    assert len(world.store.started(Workflow.DECIDE)) == 1


async def test_a_second_rollback_joins_the_open_incident() -> None:
    world = World()
    await world.keep(a_card(), a_card(id="beef"))
    await press(world)
    await world.carry_out()

    await press(world, id="beef", key="press-2")

    assert world.store.rollback("beef").incident == 1
    assert Event.INCIDENT_JOINED in world.store.events("incident:1")


async def test_whoever_pressed_late_is_told_who_was_faster() -> None:
    world = World()
    await world.keep(a_card())
    await press(world, by=LUBIT)

    await press(world, key="press-2")

    (notice,) = world.store.notices()
    assert (notice["what"], notice["by"], notice["state"]) == ("already_decided", LUBIT, "requested")
    assert notice["at"] == NOON.isoformat()


@pytest.mark.parametrize("choice", list(Choice))
async def test_every_button_is_refused_to_who_may_not(choice: Choice) -> None:
    world = World()
    await world.keep(a_card())

    said = await press(world, choice, by=GITCO)

    assert said == "refused"
    assert world.store.rollback() == a_card()
    assert world.store.events(AUDIT) == [Event.ROLLBACK_REFUSED]
    assert world.store.notices()[0]["people"] == [SENA, LUBIT]


async def test_a_press_from_another_workspace_is_refused() -> None:
    world = World()
    await world.keep(a_card())

    assert await press(world, team="T0PARTNER") == "refused"
    assert world.store.notices()[0]["why"] == "outsider"


async def test_whoever_lost_the_role_since_asking_is_refused() -> None:
    world = World()
    await world.keep(a_card(asked_by=LUBIT))
    world.people.groups["S0DEVOPS"] = frozenset()

    assert await press(world, by=LUBIT) == "refused"


@pytest.mark.parametrize(
    ("age", "said"),
    [
        (CARD_GOOD_FOR, "requested"),
        (CARD_GOOD_FOR + timedelta(microseconds=1), "expired"),
        (timedelta(days=9), "expired"),
    ],
)
async def test_a_card_is_good_for_a_quarter_of_an_hour(age: timedelta, said: str) -> None:
    world = World()
    await world.keep(a_card())
    world.clock.now += age

    assert await press(world) == said


async def test_an_expired_card_does_nothing_and_says_so() -> None:
    world = World()
    await world.keep(a_card())
    world.clock.now += timedelta(hours=1)

    await press(world)

    assert world.store.rollback().state is RollbackState.EXPIRED
    assert world.store.notices() == [{"what": "card_expired", "target": "canary"}]
    assert world.store.started(Workflow.ROLLBACK) == []


async def test_a_healthy_canary_is_asked_about_once_more() -> None:
    world = World()
    await world.keep(a_card(before=HEALTHY))

    said = [await press(world, key=f"press-{n}") for n in range(2)]

    assert said == ["asked once more", "requested"]
    decided = world.store.kept.chains["incident:1"][-1]
    assert decided.facts["healthy"] is True


async def test_cancel_changes_nothing_and_is_audited() -> None:
    world = World()
    await world.keep(a_card())

    said = await press(world, Choice.CANCEL, by=LUBIT)

    kept = world.store.rollback()
    assert (said, kept.state, kept.decided_by) == ("cancelled", RollbackState.CANCELLED, LUBIT)
    assert world.store.events(AUDIT) == [Event.ROLLBACK_CANCELLED]
    assert world.store.kept.incidents == {}


async def test_what_was_cancelled_stays_cancelled() -> None:
    world = World()
    await world.keep(a_card())
    await press(world, Choice.CANCEL)

    assert await press(world, key="press-2") == "decided before"


async def test_while_another_rollback_runs_no_second_one_starts() -> None:
    world = World()
    await world.keep(a_card(), a_card(id="beef"))
    await press(world)

    said = await press(world, id="beef", key="press-2")

    assert said == "another one is running"
    assert world.store.notices()[0]["what"] == "already_running"
    assert len(world.store.started(Workflow.ROLLBACK)) == 1


async def test_another_target_is_free_meanwhile() -> None:
    world = World()
    await world.keep(a_card(), a_card(id="beef", target=CHAT_TARGET, plan=a_services_plan()))
    await press(world)

    assert await press(world, id="beef", key="press-2") == "requested"
    assert set(world.store.kept.incidents) == {1, 2}


UNSURE = {
    "plan": None,
    "candidates": (a_revision(STABLE),),
    "problem": f"canary_has_everything:{CANARY}",
}


async def test_a_chosen_stable_revision_is_prepared_anew() -> None:
    world = World()
    await world.keep(a_card(**UNSURE))

    said = await press(world, Choice.STABLE, stable=STABLE)

    kept = world.store.rollback()
    assert (said, kept.state, kept.candidates) == ("stable chosen", RollbackState.ASKED, ())
    assert world.store.started(Workflow.PREPARE) == [{"rollback": "f00d", "stable": STABLE}]


@pytest.mark.parametrize("stable", [None, CANARY, "ion-api-99999-zzz"])
async def test_only_a_revision_that_was_offered_can_be_chosen(stable: str | None) -> None:
    world = World()
    await world.keep(a_card(**UNSURE))

    assert await press(world, Choice.STABLE, stable=stable) == "not a candidate"
    assert world.store.rollback() == a_card(**UNSURE)


async def test_a_rollback_without_a_plan_is_not_started() -> None:
    world = World()
    await world.keep(a_card(**UNSURE))

    assert await press(world) == "no plan yet"
    assert world.store.started(Workflow.ROLLBACK) == []


async def test_a_press_on_a_card_nobody_knows_breaks_off() -> None:
    world = World()

    with pytest.raises(NotKept):
        await press(world, id="0000")
