"""Completing the record, closing the incident, and a workflow that broke off."""

import pytest

from bot.domain.acts import Act, Verb
from bot.domain.ids import ChannelId, IncidentNumber, PersonId
from bot.domain.incident import FailureType, FromPeople, IncidentState, Severity
from bot.domain.rollback import RollbackState
from bot.domain.timeline import AUDIT, Event
from bot.usecases.act import accept_act, carry_out_act
from bot.usecases.complete_record import RecordAnswers, accept_answers, complete_record
from bot.usecases.deeds import DEEDS
from bot.usecases.ports import Workflow
from bot.usecases.report_breakage import report_breakage
from tests.fakes import FakeSteps
from tests.unit.usecases.world import World
from tests.values import (
    CANARY_TARGET,
    GITCO,
    HOME,
    LUBIT,
    NOON,
    SENA,
    a_plan,
    a_rollback,
)

CHANNEL = a_rollback().channel
ONE = IncidentNumber(1)
PEOPLE = FromPeople(cause="a <leak>", users_affected=3, data_loss=False, down_minutes=2, improvements="tests")


async def a_world_with_an_incident() -> World:
    world = World()
    await world.decided()
    await world.carry_out()
    return world


# Completing the record.


async def complete(world: World, by: PersonId = SENA, *, key: str = "k", team: str | None = HOME) -> None:
    answers = RecordAnswers(
        incident=ONE,
        person=by,
        acting_team=team,
        channel=CHANNEL,  # type: ignore[arg-type]
        failure_type=FailureType.MEMORY,
        severity=Severity.CRITICAL,
        people=PEOPLE,
    )
    await accept_answers(key, answers, store=world.store, clock=world.clock)
    _, arguments = world.store.kept.workflows[f"{Workflow.COMPLETE_RECORD}:1:{key}"]
    await complete_record(arguments, steps=FakeSteps(), use=world.acting)


@pytest.mark.parametrize("by", [SENA, GITCO])
async def test_answers_go_into_the_record_with_who_and_when(by: PersonId) -> None:
    world = await a_world_with_an_incident()

    await complete(world, by)

    incident = world.store.kept.incidents[ONE]
    assert (incident.failure_type, incident.severity) == (FailureType.MEMORY, Severity.CRITICAL)
    assert (incident.people.cause, incident.people.by, incident.people.at) == (
        "a <leak>",
        by,
        world.clock.now,
    )


async def test_a_completed_record_is_a_new_edition() -> None:
    world = await a_world_with_an_incident()

    await complete(world)

    assert world.store.kept.incidents[ONE].edition == 2
    assert "record:1" in world.store.kept.messages
    assert [a["edition"] for a in world.store.started(Workflow.PUBLISH)] == ["1", "2"]
    assert world.store.events("incident:1")[-2:] == [Event.RECORD_COMPLETED, Event.RECORD_POSTED]
    assert world.store.notices() == [{"what": "record_saved", "incident": 1}]


async def test_the_same_answers_again_change_nothing() -> None:
    world = await a_world_with_an_incident()

    await complete(world)
    await complete(world)

    assert len(world.store.started(Workflow.COMPLETE_RECORD)) == 1
    assert world.store.events("incident:1").count(Event.RECORD_COMPLETED) == 1


@pytest.mark.parametrize(("by", "team"), [(LUBIT, HOME), (SENA, "T0PARTNER")])
async def test_answers_of_who_may_not_are_refused_and_audited(by: PersonId, team: str) -> None:
    world = await a_world_with_an_incident()
    before = world.store.kept.incidents[ONE]

    await complete(world, by, team=team)

    assert world.store.kept.incidents[ONE] == before
    assert world.store.events(AUDIT) == [Event.RECORD_REFUSED]
    assert world.store.notices()[0]["what"] == "refused"


# Closing.


async def close(world: World, by: PersonId = SENA, *, number: int = 1, key: str = "k") -> None:
    act = Act(
        verb=Verb.CLOSE,
        incident=IncidentNumber(number),
        person=by,
        acting_team=HOME,
        channel=ChannelId(CHANNEL),
        key=key,
    )
    await accept_act(act, store=world.store, clock=world.clock)
    _, arguments = world.store.kept.workflows[f"{Workflow.ACT}:{number}:close:{key}"]
    await carry_out_act(arguments, steps=FakeSteps(), use=world.acting, deeds=DEEDS)


async def test_a_closed_incident_says_who_closed_it() -> None:
    world = await a_world_with_an_incident()

    await close(world, GITCO)

    incident = world.store.kept.incidents[ONE]
    assert (incident.state, incident.closed_at) == (IncidentState.CLOSED, world.clock.now)
    closed, posted = world.store.kept.chains["incident:1"][-2:]
    assert (closed.event, closed.actor) == (Event.INCIDENT_CLOSED, GITCO)
    assert posted.event is Event.RECORD_POSTED


async def test_closing_twice_writes_one_line() -> None:
    world = await a_world_with_an_incident()

    await close(world)
    await close(world, key="k2")

    assert world.store.events("incident:1").count(Event.INCIDENT_CLOSED) == 1
    assert [n["what"] for n in world.store.notices()] == ["incident_closed"] * 2


async def test_the_next_rollback_opens_a_new_incident() -> None:
    world = await a_world_with_an_incident()
    await close(world)

    await world.decided(a_rollback(id="beef", plan=a_plan()))

    assert world.store.rollback("beef").incident == 2


async def test_an_incident_with_a_running_rollback_stays_open() -> None:
    world = World()
    await world.decided()

    await close(world)

    assert world.store.kept.incidents[ONE].state is IncidentState.OPEN
    assert world.store.notices() == [{"what": "still_running", "incident": 1}]


async def test_an_unknown_incident_cannot_be_closed() -> None:
    world = World()

    await close(world, number=7)

    assert world.store.notices() == [{"what": "no_such_incident", "incident": 7}]


async def test_whoever_may_not_close_is_refused_and_audited() -> None:
    world = await a_world_with_an_incident()

    await close(world, LUBIT)

    assert world.store.kept.incidents[ONE].state is IncidentState.OPEN
    assert world.store.events(AUDIT) == [Event.ACT_REFUSED]


# A workflow that broke off.


async def broken(world: World, workflow: Workflow, **arguments: str) -> None:
    await report_breakage(
        workflow, arguments, "1a2b3c4d", store=world.store, playbooks=world.playbooks, clock=world.clock
    )


@pytest.mark.parametrize(
    ("applied", "ending"), [(False, RollbackState.FAILED), (True, RollbackState.NOT_VERIFIED)]
)
async def test_a_rollback_that_broke_off_ends_and_lets_go_of_its_target(
    applied: bool, ending: RollbackState
) -> None:
    world = World()
    await world.decided()
    if applied:
        await world.carry_out(steps=FakeSteps({"settle": "verified"}))

    await broken(world, Workflow.ROLLBACK, rollback="f00d")

    kept = world.store.rollback()
    assert (kept.state, kept.problem) == (ending, "broken:1a2b3c4d")
    assert await world.store.look(lambda tx: tx.running_rollback(CANARY_TARGET)) is None
    assert world.store.events("incident:1")[-1] is Event.FAULT


async def test_whoever_waits_for_a_broken_rollback_is_told_the_line_by_hand() -> None:
    world = World()
    await world.decided()

    await broken(world, Workflow.ROLLBACK, rollback="f00d")

    (notice,) = world.store.notices()
    assert (notice["what"], notice["reference"]) == ("broken", "1a2b3c4d")
    assert notice["by_hand"].startswith(
        "gcloud run services update-traffic ion-api --to-revisions=ion-api-00041"
    )


async def test_a_broken_preparation_changes_no_rollback() -> None:
    world = World()
    await world.keep(a_rollback())

    await broken(world, Workflow.PREPARE, rollback="f00d")

    assert world.store.rollback() == a_rollback()
    assert world.store.notices()[0]["what"] == "broken"


async def test_a_breakage_after_the_end_leaves_the_end_alone() -> None:
    world = await a_world_with_an_incident()

    await broken(world, Workflow.ROLLBACK, rollback="f00d")

    assert world.store.rollback().state is RollbackState.VERIFIED


async def test_a_broken_answer_tells_the_person_who_asked() -> None:
    world = World()

    await broken(world, Workflow.STATUS, key="k", target="canary", person=SENA, channel=CHANNEL)

    message = world.store.kept.messages["notice:broken:1a2b3c4d"]
    assert (message.person, message.channel) == (SENA, CHANNEL)
    assert world.clock.now == NOON


async def test_a_broken_post_has_nobody_to_tell() -> None:
    world = World()

    await broken(world, Workflow.POST, key="rollback:f00d")

    assert world.store.kept.messages == {}
