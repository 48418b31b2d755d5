"""A process that slept through its lease: what it saw before is no reason to act any more."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from bot.domain.rollback import Rollback, RollbackState
from bot.domain.timeline import Event
from bot.domain.traffic import TargetState
from tests.unit.usecases.world import World
from tests.values import seconds


def meanwhile(world: World, change: Callable[[Rollback], Rollback]) -> Callable[[TargetState], TargetState]:
    """Return a look at Cloud Run that lasts so long that another process goes on with the rollback."""

    def look(state: TargetState) -> TargetState:
        world.store.kept.rollbacks.update(
            {id: change(rollback) for id, rollback in world.store.kept.rollbacks.items()}
        )
        return state

    return look


@pytest.mark.parametrize("state", [RollbackState.VERIFIED, RollbackState.NOT_VERIFIED, RollbackState.FAILED])
async def test_it_does_not_write_when_the_rollback_has_ended(state: RollbackState) -> None:
    world = World()
    await world.decided()
    # The first look guards, the second one is what the write is decided on.
    world.cloud.next_looks.extend([None, meanwhile(world, lambda r: replace(r, state=state, writes=1))])

    ended = await world.carry_out()

    assert ended.state is state
    assert world.cloud.writes == []
    assert Event.WRITE_SENT not in world.store.events("incident:1")


async def test_it_does_not_write_what_another_process_is_just_writing() -> None:
    world = World()
    await world.decided()
    world.cloud.next_looks.extend([None, meanwhile(world, lambda r: replace(r, writes=1))])

    await world.carry_out()

    assert [e for e in world.store.events("incident:1") if e is Event.WRITE_SENT] == [Event.WRITE_SENT]
    assert world.store.rollback().writes == 2


async def test_it_does_not_call_unsettled_what_another_process_is_proving() -> None:
    world = World()
    await world.decided()
    world.cloud.lag_looks = 1
    settled = meanwhile(world, lambda r: replace(r, state=RollbackState.SETTLED, settled_at=world.clock()))

    def sleep_long(state: TargetState) -> TargetState:
        world.clock.now += seconds(10_000)
        return settled(state)

    world.cloud.next_looks.extend([None, None, None, sleep_long])

    ended = await world.carry_out()

    assert ended.state is RollbackState.VERIFIED
