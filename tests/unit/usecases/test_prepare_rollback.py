"""From a request to a question, to the act, or to a clear no."""

from dataclasses import replace

import pytest

from bot.domain.faults import CloudFault, FaultKind
from bot.domain.ids import IncidentNumber, PersonId, RevisionName
from bot.domain.incident import FailureType
from bot.domain.readings import Metric, Side, Source
from bot.domain.rollback import RollbackState
from bot.domain.timeline import AUDIT, Event
from bot.usecases.ask_for_rollback import AskForRollback, again_id, ask_for_rollback
from bot.usecases.carry_out_rollback import carry_out_rollback
from bot.usecases.learn_numbers import learn_numbers
from bot.usecases.ports import Showing, Workflow
from tests.fakes import FakeSteps, calm
from tests.unit.usecases.world import GONE, World
from tests.values import (
    BOTH,
    CANARY,
    CANARY_TARGET,
    CHAT_TARGET,
    GITCO,
    HOME,
    NOON,
    SENA,
    SICK,
    STABLE,
    a_person,
    a_plan,
    a_reading,
    a_revision,
    a_rollback,
    a_services_plan,
    a_services_state,
    a_state,
    share,
)

CHANNEL = a_rollback().channel
CARD = f"{Showing.ROLLBACK}:f00d"


def a_request(**more: object) -> AskForRollback:
    known = {"key": "k", "target": CANARY_TARGET, "person": SENA, "acting_team": HOME, "channel": CHANNEL}
    return AskForRollback(**(known | more))  # type: ignore[arg-type]


async def test_a_request_is_written_down_and_prepared_by_a_workflow() -> None:
    world = World()

    id, in_drill = await ask_for_rollback(
        a_request(reason="errors"), store=world.store, clock=world.clock, playbook=world.playbooks.current()
    )

    assert id is not None
    assert not in_drill
    kept = world.store.rollback(id)
    assert (kept.state, kept.reason, kept.asked_at) == (RollbackState.ASKED, "errors", NOON)
    assert world.store.started(Workflow.PREPARE) == [{"rollback": id}]


async def test_the_same_request_again_changes_nothing() -> None:
    world = World()
    ask = {"store": world.store, "clock": world.clock, "playbook": world.playbooks.current()}

    first = await ask_for_rollback(a_request(), **ask)  # type: ignore[arg-type]
    second = await ask_for_rollback(a_request(), **ask)  # type: ignore[arg-type]

    assert (first.id is None, second.id) == (False, None)
    assert len(world.store.kept.rollbacks) == len(world.store.kept.workflows) == 1


def test_a_request_asked_again_has_one_id_however_often() -> None:
    id = a_rollback().id

    assert [again_id(id), again_id(again_id(id))] == ["f00d-2", "f00d-3"]


async def test_a_card_shows_plan_numbers_and_age_of_the_deployment() -> None:
    world = World()
    await world.keep(a_rollback())

    await world.prepare()

    kept = world.store.rollback()
    assert (kept.state, kept.plan) == (RollbackState.ASKED, a_plan())
    assert kept.deployed_at == BOTH[0].created_at
    assert {r.metric for r in kept.before} == set(Metric)
    assert world.store.kept.messages[CARD].channel == CHANNEL
    assert world.cloud.writes == []


async def test_fresh_log_numbers_are_taken_where_they_rest_on_enough_requests() -> None:
    world = World()
    await world.keep(a_rollback())

    await world.prepare()

    sources = {(r.side, r.metric): r.source for r in world.store.rollback().before}
    assert sources[Side.STABLE, Metric.ERROR_RATE] is Source.REQUEST_LOG
    assert world.store.rollback().before[0].value == 12.5


async def test_when_monitoring_gives_no_answer_in_time_the_log_is_enough() -> None:
    world = World()
    world.metrics.times_out = True
    await world.keep(a_rollback())

    await world.prepare()

    before = {(r.side, r.metric): r for r in world.store.rollback().before}
    assert before[Side.STABLE, Metric.P95].value == 50.0
    assert before[Side.CANARY, Metric.MEMORY].problem == "no answer in time"


async def test_preparing_twice_asks_once() -> None:
    world = World()
    await world.keep(a_rollback())

    await world.prepare()
    await world.prepare()

    assert world.store.kept.messages[CARD].wanted == 1


@pytest.mark.parametrize(
    ("person", "why"),
    [
        (a_person(GITCO), "no_role"),
        (a_person(SENA, guest=True), "guest"),
        (a_person(SENA, team_id="T0PARTNER"), "outsider"),
    ],
)
async def test_whoever_may_not_is_told_who_may_and_the_refusal_is_audited(person: object, why: str) -> None:
    world = World()
    world.people.people[person.id] = person  # type: ignore[attr-defined, assignment]
    await world.keep(a_rollback(asked_by=person.id))  # type: ignore[attr-defined]

    await world.prepare()

    assert world.store.rollback().state is RollbackState.REFUSED
    assert world.store.notices() == [
        {"what": "refused", "why": why, "people": [SENA, "U0LUBIT"], "target": "canary"}
    ]
    assert world.store.events(AUDIT) == [Event.ROLLBACK_REFUSED]
    assert CARD not in world.store.kept.messages


async def test_force_does_not_skip_authorization() -> None:
    world = World()
    await world.keep(a_rollback(asked_by=GITCO, forced=True))

    await world.prepare()

    assert world.store.rollback().state is RollbackState.REFUSED
    assert world.store.started(Workflow.ROLLBACK) == []


async def test_when_slack_cannot_say_nobody_may() -> None:
    world = World()
    world.people.silent = True
    await world.keep(a_rollback())

    await world.prepare()

    assert world.store.notices()[0]["why"] == "slack_cannot_say"


async def test_somebody_at_the_command_line_is_not_looked_up_in_slack() -> None:
    world = World()
    world.people.silent = True
    await world.keep(a_rollback(asked_by=PersonId("cli:sena")))

    await world.prepare()

    assert world.store.rollback().plan == a_plan()


@pytest.mark.parametrize(
    ("state", "target", "serving"),
    [
        (a_state(share(STABLE, 100)), CANARY_TARGET, STABLE),
        (a_services_state("0"), CHAT_TARGET, "ion-chat"),
    ],
)
async def test_nothing_to_roll_back_is_said_and_nothing_done(
    state: object, target: str, serving: str
) -> None:
    world = World(state)  # type: ignore[arg-type]
    await world.keep(a_rollback(target=target))

    await world.prepare()

    assert world.store.rollback().state is RollbackState.NOTHING_TO_DO
    assert [(n["what"], n["serving"]) for n in world.store.notices()] == [("nothing_to_roll_back", serving)]
    assert CARD not in world.store.kept.messages


async def test_a_fault_of_google_ends_it_with_words_and_the_line_by_hand() -> None:
    world = World()
    world.cloud.next_looks.append(GONE)
    await world.keep(a_rollback())

    await world.prepare()

    kept, (notice,) = world.store.rollback(), world.store.notices()
    assert kept.state is RollbackState.FAILED
    assert kept.problem == "unreachable:read service ion-api:no route"
    assert (notice["what"], notice["kind"], notice["changed"]) == ("fault", "unreachable", False)
    assert notice["by_hand"].startswith("gcloud run services update-traffic ion-api ")


async def test_a_permission_that_is_missing_is_named() -> None:
    world = World()
    world.cloud.next_looks.append(
        CloudFault(doing="read", kind=FaultKind.PERMISSION, detail="no", permission="run.services.get")
    )
    await world.keep(a_rollback())

    await world.prepare()

    assert world.store.notices()[0]["permission"] == "run.services.get"


async def test_when_the_traffic_does_not_tell_a_person_chooses() -> None:
    world = World(a_state(share(CANARY, 100)))
    await world.keep(a_rollback())

    await world.prepare()

    kept = world.store.rollback()
    assert (kept.state, kept.plan) == (RollbackState.ASKED, None)
    assert kept.candidates == (a_revision(STABLE),)
    assert kept.problem == f"canary_has_everything:{CANARY}"
    assert CARD in world.store.kept.messages


async def test_force_does_not_guess_which_revision_is_stable() -> None:
    world = World(a_state(share(CANARY, 100)))
    await world.keep(a_rollback(forced=True))

    await world.prepare()

    assert world.store.rollback().state is RollbackState.ASKED
    assert world.store.started(Workflow.ROLLBACK) == []


async def test_once_stable_is_chosen_the_card_shows_what_was_really_read() -> None:
    old = RevisionName("ion-api-00040-old")
    three = (*BOTH, a_revision(old, age_hours=48))
    world = World(a_state(share(old, 40), share(STABLE, 40), share(CANARY, 20), revisions=three))
    await world.keep(a_rollback(forced=True))

    await world.prepare(stable=STABLE)

    kept = world.store.rollback()
    assert kept.plan == a_plan(canary_percent=60)
    assert kept.state is RollbackState.ASKED
    assert kept.before


async def test_a_variable_nobody_can_read_leaves_no_choice() -> None:
    world = World(a_services_state("ten"))
    await world.keep(a_rollback(target=CHAT_TARGET))

    await world.prepare()

    kept = world.store.rollback()
    assert kept.state is RollbackState.FAILED
    assert kept.problem == "variable_unreadable:CANARY_TRAFFIC_PERCENTAGE='ten'"
    assert CARD in world.store.kept.messages


async def test_force_goes_at_once() -> None:
    world = World()
    await world.keep(a_rollback(forced=True))

    await world.prepare()

    kept = world.store.rollback()
    assert (kept.state, kept.decided_by, kept.incident) == (RollbackState.REQUESTED, SENA, 1)
    assert world.store.started(Workflow.ROLLBACK) == [{"rollback": "f00d"}]


async def test_force_on_a_healthy_canary_goes_at_once_too() -> None:
    world = World()
    world.metrics.readings = (a_reading(), *SICK[1:])
    await world.keep(a_rollback(forced=True))

    await world.prepare()

    assert world.store.rollback().state is RollbackState.REQUESTED


async def test_force_while_another_one_runs_starts_nothing() -> None:
    world = World()
    running = await world.decided()
    await world.keep(a_rollback(id="beef", forced=True))

    await world.prepare("beef")

    assert world.store.rollback("beef").state is RollbackState.CANCELLED
    assert world.store.notices()[0]["what"] == "already_running"
    assert world.store.started(Workflow.ROLLBACK) == [{"rollback": running.id}]


async def test_two_services_are_prepared_like_one() -> None:
    world = World(a_services_state("25"))
    await world.keep(a_rollback(target=CHAT_TARGET))

    await world.prepare()

    kept = world.store.rollback()
    assert kept.plan == a_services_plan(canary_percent=25)
    assert kept.deployed_at == a_services_state().canary.updated_at  # type: ignore[union-attr]


async def test_a_thin_log_does_not_replace_monitorings_number() -> None:
    world = World()
    world.metrics.readings = (a_reading(source=Source.MONITORING),)
    world.requests.counting = lambda side, since, until: calm(Side.CANARY, since, until)
    await world.keep(a_rollback())

    await world.prepare()

    assert world.store.rollback().before[0].source is Source.MONITORING


async def test_the_numbers_of_a_forced_rollback_name_the_failure() -> None:
    world = World()
    await world.keep(a_rollback(forced=True))

    await world.prepare()

    assert len(world.store.rollback().before) == len(SICK)
    assert world.store.kept.incidents[IncidentNumber(1)].failure_type is FailureType.ERROR_RATE
    assert Event.READING_BEFORE in world.store.events("incident:1")


async def test_numbers_learned_while_it_is_under_way_are_not_overwritten() -> None:
    world = World()
    decided = await world.decided(a_rollback(plan=a_plan(), forced=True))
    playbook = world.playbooks.current()

    async def learn(_: float) -> None:
        await world.store.change(lambda tx: learn_numbers(tx, decided.id, SICK, playbook, at=NOON))
        await world.clock.pause(0.5)

    use = replace(world.carrying, pause=learn)
    await carry_out_rollback(decided.id, steps=FakeSteps(), use=use)

    assert (world.store.rollback().state, world.store.rollback().before) == (RollbackState.VERIFIED, SICK)
