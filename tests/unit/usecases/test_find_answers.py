"""The hand-over answers what a machine knows, in the diagnosis and in the timeline."""

from dataclasses import replace
from datetime import timedelta

from bot.domain.alarm import AlarmKind, Level
from bot.domain.diagnosis import Given
from bot.domain.incident import IncidentState
from bot.domain.observation import Minute
from bot.domain.people import AUTOMATICS
from bot.domain.readings import Metric
from bot.domain.timeline import Event
from bot.usecases.find_answers import MOST_TURNS
from bot.usecases.ports import Workflow
from tests.unit.domain.test_machine_answers import endpoints
from tests.unit.usecases.alert_world import AlertWorld, a_world
from tests.values import CANARY, GITCO, NOON, a_reading


async def slow(*, armed: bool = False) -> AlertWorld:
    """Return a world in which the canary has become slow."""
    world = await a_world(armed=armed)
    await world.alarm(AlarmKind.RESPONSE_TIME, Level.RECOMMEND, value=812.0, limit=500.0)
    return world


def leaking(world: AlertWorld, *, minutes: int = 40, median: float = 0.95) -> None:
    """Let memory grow from the deployment on, on every instance."""
    deployed_at = world.watched().deployed_at
    assert deployed_at is not None
    world.metrics.recorded = tuple(
        Minute(
            name=CANARY,
            since=deployed_at + timedelta(minutes=n),
            until=deployed_at + timedelta(minutes=n + 1),
            memory=50.0 + n,
            memory_median=(50.0 + n) * median,
            instances=4,
        )
        for n in range(minutes)
    )


def answers(world: AlertWorld) -> list[tuple[str, str, str]]:
    """Return what the incident's diagnosis says, and who said it."""
    return [(one.question, one.answer, one.by) for one in world.incident().answers]


async def test_a_slow_canary_is_diagnosed_as_far_as_numbers_go() -> None:
    world = await slow()
    world.stream.by_endpoint[CANARY] = endpoints(True, True, True)

    await world.find_answers()

    assert answers(world) == [("all_endpoints", "yes", AUTOMATICS), ("resources_normal", "yes", AUTOMATICS)]
    told = [e for e in world.store.kept.chains["incident:1"] if e.event is Event.QUESTION_ANSWERED]
    assert [entry.actor for entry in told] == [AUTOMATICS, AUTOMATICS]
    assert told[0].facts["found"] == {
        "finds": "all_endpoints_slow",
        "slow": 3,
        "endpoints": 3,
        "slowest": "GET /0",
    }
    assert told[1].facts["found"] == {"finds": "resources_normal", "memory": 40.0, "cpu": 30.0}
    assert (told[0].facts["answer"], told[0].facts["revised"]) == ("yes", False)
    assert told[0].facts["say"]["ko"]


async def test_a_leak_is_diagnosed_from_its_minutes() -> None:
    world = await a_world()
    await world.alarm(AlarmKind.MEMORY_EXPLOSION, Level.RECOMMEND, memory=91.0)
    leaking(world)

    await world.find_answers()

    assert answers(world) == [
        ("every_instance", "yes", AUTOMATICS),
        ("since_when", "after_deployment", AUTOMATICS),
    ]


async def test_what_people_have_answered_is_not_overruled() -> None:
    world = await slow()
    world.stream.by_endpoint[CANARY] = endpoints(True, True, True)
    theirs = Given(question="all_endpoints", answer="no", by=GITCO, at=NOON)
    known = replace(world.incident(), answers=(theirs,))
    await world.store.change(lambda tx: tx.save_incident(known))

    await world.find_answers()

    assert answers(world)[0] == ("all_endpoints", "no", GITCO)


async def test_what_cannot_be_told_stays_a_question_and_is_looked_at_again() -> None:
    world = await slow()
    world.stream.problem = "the log cannot be read"

    await world.find_answers()
    assert answers(world) == []
    world.stream.problem = None
    world.stream.by_endpoint[CANARY] = endpoints(True, True)
    await world.later(60)

    assert answers(world)[0] == ("all_endpoints", "yes", AUTOMATICS)


async def test_it_gives_up_after_a_few_minutes() -> None:
    world = await slow()
    await world.find_answers()

    for _ in range(10):
        await world.later(60)

    assert len([w for w in world.store.kept.workflows if w.startswith("find_answers")]) == MOST_TURNS
    assert not [timer for timer in world.store.kept.timers if timer.startswith("find_answers")]
    assert answers(world) == []


async def test_nothing_more_is_looked_up_once_everything_is_answered() -> None:
    world = await slow()
    world.stream.by_endpoint[CANARY] = endpoints(True, True)

    await world.find_answers()
    await world.find_answers()

    assert not [timer for timer in world.store.kept.timers if timer.startswith("find_answers")]
    assert world.events("incident:1").count(Event.QUESTION_ANSWERED) == 2


async def test_yellow_memory_is_not_normal() -> None:
    world = await slow()
    world.stream.by_endpoint[CANARY] = endpoints(True, False)
    full = (a_reading(Metric.MEMORY, 71.0), a_reading(Metric.CPU, 30.0))
    await world.keep_values(replace(world.watched(), readings=full))

    await world.find_answers()

    assert [(question, answer) for question, answer, _ in answers(world)] == [
        ("all_endpoints", "no"),
        ("resources_normal", "no"),
    ]


async def test_a_closed_incident_is_left_as_it_is() -> None:
    world = await slow()
    world.stream.by_endpoint[CANARY] = endpoints(True, True)
    closed = replace(world.incident(), state=IncidentState.CLOSED)
    await world.store.change(lambda tx: tx.save_incident(closed))

    await world.find_answers()

    assert answers(world) == []


async def test_a_scenario_without_questions_asks_google_nothing() -> None:
    world = await a_world()
    await world.alarm()

    await world.find_answers()

    assert (answers(world), world.store.started(Workflow.FIND_ANSWERS) != []) == ([], True)
    assert not [timer for timer in world.store.kept.timers if timer.startswith("find_answers")]
