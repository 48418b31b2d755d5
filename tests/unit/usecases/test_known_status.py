"""What is answered at once from the watch, and what a workflow has to read."""

from dataclasses import replace

import pytest

from bot.domain.ids import ChannelId
from bot.domain.readings import Metric
from bot.domain.status import ServingLine
from bot.domain.watch import SourceState, Watch, WatchSource, WatchState
from bot.usecases.known_status import YOUNG_ENOUGH, Known, ask_for_metrics, read_known
from bot.usecases.ports import Workflow
from tests.unit.slack.views.watch_views import a_watch
from tests.unit.usecases.world import World
from tests.values import (
    CANARY,
    CANARY_TARGET,
    CHAT_TARGET,
    HEALTHY,
    NOON,
    SENA,
    STABLE,
    a_reading,
    seconds,
)

CHANNEL = ChannelId("C0OPERATIONS")


async def known(world: World, *watches: Watch) -> Known | None:
    """Keep the watches and return what is known of the canary target."""
    for watch in watches:
        await world.store.change(lambda tx, watch=watch: tx.keep(watch))  # type: ignore[misc]
    return await read_known(CANARY_TARGET, store=world.store, clock=world.clock)


async def metrics(world: World) -> Known | None:
    """Ask for the metrics of the canary target."""
    return await ask_for_metrics(
        "k", CANARY_TARGET, SENA, CHANNEL, acting_team="T0HOME", store=world.store, clock=world.clock
    )


async def test_a_watch_tells_the_status_without_asking_anybody() -> None:
    world = World()
    silent = {WatchSource.PROBE: SourceState(problem="no route"), WatchSource.MONITORING: SourceState()}

    found = await known(world, a_watch(readings=HEALTHY, sources=silent))

    assert found is not None
    assert found.status.serving == (
        ServingLine(name=STABLE, percent=90, role="stable"),
        ServingLine(name=CANARY, percent=10, role="canary"),
    )
    assert (found.status.readings, found.status.seen_at) == (HEALTHY, NOON)
    assert found.status.silent == (("probe", "no route"),)
    assert len(found.hour.points) == 60


async def test_after_a_rollback_stable_serves_alone() -> None:
    found = await known(World(), a_watch(state=WatchState.AFTERWARDS, percent=0))

    assert found is not None
    assert found.status.serving == (ServingLine(name=STABLE, percent=100, role="stable"),)


@pytest.mark.parametrize(
    "watch",
    [
        a_watch(state=WatchState.ENDED),
        a_watch(id=CHAT_TARGET),
        a_watch(readings=()),
        a_watch(readings=(a_reading(Metric.CPU, None),)),
        a_watch(readings=(a_reading(until=NOON - YOUNG_ENOUGH),)),
    ],
    ids=["ended", "another target's", "nothing read", "no number", "old"],
)
async def test_what_is_not_known_now_is_not_answered(watch: Watch) -> None:
    assert await known(World(), watch) is None


async def test_a_number_a_second_short_of_old_is_an_answer() -> None:
    young = a_reading(until=NOON - YOUNG_ENOUGH + seconds(1))

    assert await known(World(), a_watch(readings=(young,))) is not None


async def test_known_metrics_are_followed_by_one_picture() -> None:
    world = World()
    await known(world, a_watch())

    first, again = await metrics(world), await metrics(world)

    assert first == again is not None
    (asked,) = world.store.started(Workflow.PICTURE)
    assert asked == {"key": "k", "target": CANARY_TARGET, "person": SENA, "channel": CHANNEL}
    assert world.store.started(Workflow.CANARY_LOOK) == []


async def test_unknown_metrics_are_read_by_one_workflow() -> None:
    world = World()
    await known(world, replace(a_watch(), state=WatchState.ENDED))

    assert await metrics(world) is await metrics(world) is None

    (asked,) = world.store.started(Workflow.CANARY_LOOK)
    assert (asked["does"], asked["target"], asked["team"]) == ("metrics", CANARY_TARGET, "T0HOME")
    assert world.store.started(Workflow.PICTURE) == []
