"""How the canary stands, or why that cannot be said."""

import pytest

from bot.domain.rollback import RollbackState
from bot.domain.status import RollbackLine, ServingLine
from bot.domain.traffic import TargetState
from bot.usecases.ports import Workflow
from bot.usecases.report_status import STATUS, ask_for_status, read_status, report_status
from tests.fakes import FakeSteps
from tests.unit.usecases.world import GONE, World
from tests.values import (
    CANARY,
    CANARY_TARGET,
    CHAT_TARGET,
    NOON,
    SENA,
    SICK,
    STABLE,
    a_rollback,
    a_services_state,
    a_state,
    share,
)

CHANNEL = a_rollback().channel


@pytest.mark.parametrize(
    ("state", "serving"),
    [
        (
            a_state(),
            [
                ServingLine(name=STABLE, percent=90, role="stable"),
                ServingLine(name=CANARY, percent=10, role="canary"),
            ],
        ),
        (a_state(share(STABLE, 100)), [ServingLine(name=STABLE, percent=100, role="stable")]),
    ],
)
async def test_who_serves_comes_largest_first(state: TargetState, serving: list[ServingLine]) -> None:
    status = await read_status(CANARY_TARGET, use=World(state).reporting)

    assert list(status.serving) == serving
    assert (status.settled, status.last_modifier, status.problem) == (True, "deployer@example.com", None)


@pytest.mark.parametrize(
    ("written", "serving"), [("25", [("ion-chat", 75), ("ion-chat-canary", 25)]), ("ten", [])]
)
async def test_two_services_serve_what_the_variable_says(
    written: str, serving: list[tuple[str, int]]
) -> None:
    status = await read_status(CHAT_TARGET, use=World(a_services_state(written)).reporting)

    assert [(line.name, line.percent) for line in status.serving] == serving


async def test_a_change_under_way_is_said() -> None:
    status = await read_status(CANARY_TARGET, use=World(a_state(reconciling=True)).reporting)

    assert not status.settled


async def test_what_is_going_on_is_told() -> None:
    world = World()
    await world.decided()

    status = await read_status(CANARY_TARGET, use=world.reporting)

    assert status.incident == 1
    assert status.rollback == RollbackLine(state=RollbackState.REQUESTED, by=SENA, at=NOON)


async def test_a_card_that_was_only_asked_for_is_no_rollback_yet() -> None:
    world = World()
    await world.keep(a_rollback())

    status = await read_status(CANARY_TARGET, use=world.reporting)

    assert (status.incident, status.rollback) == (None, None)


async def test_when_google_cannot_be_read_the_rest_is_still_told() -> None:
    world = World()
    await world.decided()
    world.cloud.next_looks.append(GONE)

    status = await read_status(CANARY_TARGET, use=world.reporting)

    assert status.problem == "read service ion-api: unreachable: no route"
    assert (status.incident, status.serving, status.readings) == (1, (), ())


async def test_a_question_is_answered_once_to_the_person_who_asked() -> None:
    world = World()
    for _ in range(2):
        await ask_for_status("k", CANARY_TARGET, SENA, CHANNEL, store=world.store, clock=world.clock)  # type: ignore[arg-type]
    (arguments,) = world.store.started(Workflow.STATUS)

    await report_status(arguments, steps=FakeSteps(), use=world.reporting)

    message = world.store.kept.messages["notice:status:k"]
    told = STATUS.validate_python(message.facts["status"])
    assert (message.person, message.channel) == (SENA, CHANNEL)
    assert (told.target, len(told.readings)) == (CANARY_TARGET, len(SICK))
