"""Scouting: which canaries begin to be watched, and which watches are given another turn."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.faults import CloudFault
from bot.domain.playbook import Target
from bot.domain.timeline import BACKOUT, Event
from bot.domain.traffic import TargetState
from bot.domain.watch import EndedWhy, Watch, WatchState
from bot.usecases.ports import Showing, Workflow
from bot.usecases.scout import LOOKS_AT_ONCE
from tests.fakes import FakeCloud
from tests.unit.usecases.watch_world import RULES, WatchWorld, one_target, split
from tests.unit.usecases.world import GONE
from tests.values import (
    CANARY,
    CHAT_TARGET,
    NOON,
    SENA,
    STABLE,
    a_playbook,
    a_services_state,
    a_state,
    seconds,
    share,
)


class ManyClouds(FakeCloud):
    """Cloud Run with many targets, by the service that stays; `most` is how many were looked at at once."""

    def __init__(self, world: WatchWorld, states: dict[str, TargetState | CloudFault]) -> None:
        super().__init__(a_state(), world.clock)
        self.states = states
        self.looks: list[str] = []
        self.most = self._now = 0

    async def look(self, target: Target) -> TargetState:
        """See `Cloud.look`."""
        self.looks.append(target.service)
        self._now += 1
        self.most = max(self.most, self._now)
        await asyncio.sleep(0)
        self._now -= 1
        state = self.states[target.service]
        if isinstance(state, CloudFault):
            raise state
        return state


def watches(world: WatchWorld) -> dict[str, Watch]:
    """Return every target's watch."""
    return {value.id: value for value in world.store.kept.shelf.values() if isinstance(value, Watch)}


async def test_a_canary_with_part_of_the_traffic_is_watched_from_the_next_scouting_on() -> None:
    world = WatchWorld()

    await world.scout()

    watch = world.watch()
    assert (watch.canary, watch.stable, watch.percent, watch.number) == (CANARY, STABLE, 10, 1)
    assert watch.deployed_at == NOON - timedelta(hours=1)
    (line,) = world.lines(Event.WATCH_BEGUN)
    assert (line.actor, line.facts["by_itself"], line.facts["percent"]) == (BACKOUT, True, 10)
    assert world.store.kept.messages["watch:canary:1"].what is Showing.WATCH
    assert world.store.started(Workflow.WATCH) == [{"target": "canary", "number": "1", "turn": "0"}]


async def test_the_next_scouting_is_half_a_minute_later() -> None:
    world = WatchWorld()

    await world.scout()

    assert world.store.kept.timers["scout:all"] == (NOON + seconds(30), Workflow.SCOUT, {})


@pytest.mark.parametrize(
    "state",
    [
        a_state(share(STABLE, 100)),
        a_state(share(CANARY, 100)),
        a_state(share(STABLE, 100), share(CANARY, 0, tag="canary")),
    ],
    ids=["none", "all", "tag only"],
)
async def test_a_canary_that_has_none_or_all_of_the_traffic_is_not_watched(state: TargetState) -> None:
    world = WatchWorld()
    world.cloud.state = state

    await world.scout()

    assert watches(world) == {}
    assert "scout:all" in world.store.kept.timers


@pytest.mark.parametrize(("written", "watched"), [("0", 0), ("1", 1), ("10", 1), ("100", 1), ("ten", 0)])
async def test_a_canary_service_is_watched_with_any_share_that_a_router_gives_it(
    written: str, watched: int
) -> None:
    world = WatchWorld(a_playbook(rules=RULES))
    chat = a_services_state(written)
    world.cloud = ManyClouds(world, {"ion-api": a_state(share(STABLE, 100)), "ion-chat": chat})

    await world.scout()

    assert len(watches(world)) == watched
    if watched:
        watch = watches(world)[CHAT_TARGET]
        assert (watch.canary, watch.identity) == ("ion-chat-canary", CANARY)


async def test_what_is_watched_already_is_neither_read_nor_begun_again() -> None:
    world = WatchWorld()
    cloud = ManyClouds(world, {"ion-api": split(10)})
    world.cloud = cloud
    await world.scout()
    world.clock.now += seconds(30)

    await world.scout()

    assert cloud.looks == ["ion-api"]
    assert world.watch().number == 1


async def test_a_playbook_may_leave_the_beginning_to_people() -> None:
    world = WatchWorld(a_playbook(rules=RULES, targets=one_target(), watch={"starts_by_itself": False}))
    cloud = ManyClouds(world, {"ion-api": split(10)})
    world.cloud = cloud

    await world.scout()

    assert (watches(world), cloud.looks) == ({}, [])
    assert "scout:all" in world.store.kept.timers


async def test_a_target_that_cannot_be_read_hurts_no_other() -> None:
    world = WatchWorld(a_playbook(rules=RULES))
    world.cloud = ManyClouds(world, {"ion-api": GONE, "ion-chat": a_services_state("10")})

    await world.scout()

    assert list(watches(world)) == [CHAT_TARGET]


async def test_fifty_targets_are_looked_at_a_few_at_a_time() -> None:
    one = one_target()["canary"]
    targets = {f"target-{n}": one | {"service": f"service-{n}"} for n in range(50)}
    world = WatchWorld(a_playbook(rules=RULES, targets=targets))
    cloud = ManyClouds(world, {f"service-{n}": split(10) for n in range(50)})
    world.cloud = cloud

    await world.scout()

    assert len(watches(world)) == 50
    assert cloud.most == LOOKS_AT_ONCE


async def test_a_watch_that_has_lost_its_turn_is_given_another_one_and_the_old_turn_is_fenced() -> None:
    world = WatchWorld()
    await world.scout()
    stuck = world.a_turn()
    looked = await stuck.read()
    world.clock.now += seconds(91)

    await world.scout()

    assert world.store.started(Workflow.WATCH)[-1] == {"target": "canary", "number": "1", "turn": "1"}
    assert not await stuck.keep(looked)
    assert (await world.turns(1)).turn == 2


async def test_a_watch_that_has_just_been_given_a_turn_is_not_given_another() -> None:
    world = WatchWorld()
    await world.scout()
    world.clock.now += seconds(91)
    await world.scout()
    world.clock.now += seconds(30)

    await world.scout()

    assert world.watch().turn == 1


async def test_a_target_that_left_the_playbook_ends_its_watch() -> None:
    world = WatchWorld()
    await world.scout()
    world.playbooks.playbook = a_playbook(rules=RULES, targets={"other": one_target()["canary"]})
    world.cloud.state = a_state(share(STABLE, 100))

    await world.scout()

    watch = world.watch()
    assert (watch.state, watch.ended_why) == (WatchState.ENDED, EndedWhy.TARGET_GONE)


@pytest.mark.parametrize(
    ("why", "number"),
    [
        (EndedWhy.CANARY_HAS_NONE, 2),
        (EndedWhy.CANARY_HAS_ALL, 1),
        (EndedWhy.BY_A_PERSON, 1),
    ],
)
async def test_a_deployment_is_watched_again_when_it_gets_traffic_again_but_not_against_a_person(
    why: EndedWhy, number: int
) -> None:
    world = WatchWorld()
    await world.scout()
    ended = replace(world.watch(), state=WatchState.ENDED, ended_why=why, ended_by=SENA)
    await world.store.change(lambda tx: tx.keep(ended))

    await world.scout()

    assert world.watch().number == number


async def test_two_replicas_that_scout_at_once_begin_one_watch() -> None:
    world = WatchWorld()

    await asyncio.gather(*(world.scout() for _ in range(4)))

    assert world.watch().number == 1
    assert len(world.store.started(Workflow.WATCH)) == 1
