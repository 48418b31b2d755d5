"""Scouting: every half minute, which canaries nobody watches yet, and which watches are stuck."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from bot.domain.faults import CloudFault
from bot.domain.ids import PersonId, TargetName
from bot.domain.playbook import Playbook, Target
from bot.domain.timeline import BACKOUT
from bot.domain.watch import CanarySeen, EndedWhy, Watch, begins_by_itself
from bot.usecases.begin_watch import begin_watch, end_watch, start_turn, watch_of
from bot.usecases.look_at_target import look_at_target
from bot.usecases.ports import Clock, Cloud, Playbooks, Steps, Store, Transaction, Workflow
from bot.usecases.see_canary import has_part_of_it, see_canary

log = structlog.get_logger()

#: How often: a canary that has just got traffic is watched within this.
SCOUT_EVERY = timedelta(seconds=30)
#: The one timer's id.
ALL = "all"
#: So many targets are looked at at once, and each for so long, so that one that hangs holds nobody up.
LOOKS_AT_ONCE, LOOK_WITHIN_SECONDS = 8, 10.0


@dataclass(frozen=True, kw_only=True)
class Scouting:
    """What scouting may touch."""

    store: Store
    playbooks: Playbooks
    cloud: Cloud
    clock: Clock


async def scout(arguments: Mapping[str, str], *, steps: Steps, use: Scouting) -> None:
    """Look around once, and set the timer of the next time."""
    await steps.step("scout", lambda: _scout(use), into=str)


def scout_again(tx: Transaction, *, at: datetime) -> None:
    """Set the one timer of the next scouting."""
    tx.wake(Workflow.SCOUT, ALL, at=at)


async def _scout(use: Scouting) -> str:
    playbook, now = use.playbooks.current(), use.clock()
    known = await use.store.look(lambda tx: {watch.id: watch for watch in tx.find(Watch)})
    looked = await _look_at_unwatched(known, playbook, use)
    for watch in known.values():
        if watch.going_on and (playbook.target(watch.id) is None or watch.overdue(now=now)):
            await use.store.change(lambda tx, id=watch.id: _look_after(tx, id, playbook, at=now))  # type: ignore[misc]
    for name, seen in looked.items():
        await use.store.change(lambda tx, n=name, s=seen: _begin(tx, n, s, playbook, at=now))  # type: ignore[misc]
    await use.store.change(lambda tx: scout_again(tx, at=now + SCOUT_EVERY))
    return f"{len(looked)} begun"


async def _look_at_unwatched(
    known: Mapping[TargetName, Watch], playbook: Playbook, use: Scouting
) -> dict[TargetName, CanarySeen]:
    """Return the canaries that are to be watched from now on, by target."""
    if not playbook.watch.starts_by_itself:
        return {}
    few = asyncio.Semaphore(LOOKS_AT_ONCE)
    names = [TargetName(name) for name in playbook.targets]
    free = [name for name in names if not (name in known and known[name].going_on)]
    canaries = await asyncio.gather(*(_canary_of(name, playbook.targets[name], few, use) for name in free))
    return {
        name: seen
        for name, seen in zip(free, canaries, strict=True)
        if seen is not None and begins_by_itself(seen, known.get(name))
    }


async def _canary_of(
    name: TargetName, target: Target, few: asyncio.Semaphore, use: Scouting
) -> CanarySeen | None:
    """Return the target's canary if part of the traffic is its; a target that cannot be read has none."""
    async with few:
        try:
            sight = await asyncio.wait_for(look_at_target(target, cloud=use.cloud), LOOK_WITHIN_SECONDS)
        except (CloudFault, TimeoutError) as trouble:
            log.warning("not_scouted", target=name, why=str(trouble)[:300] or "no answer in time")
            return None
    seen = see_canary(target, sight)
    return seen if seen is not None and has_part_of_it(seen, target) else None


def _begin(tx: Transaction, name: TargetName, seen: CanarySeen, playbook: Playbook, *, at: datetime) -> None:
    last = watch_of(tx, name)
    # Another replica may have scouted at the same moment.
    if begins_by_itself(seen, last) and not (last and last.going_on):
        begin_watch(tx, name, seen, last=last, playbook=playbook, by=PersonId(BACKOUT), at=at)


def _look_after(tx: Transaction, name: TargetName, playbook: Playbook, *, at: datetime) -> None:
    """Give a watch that is stuck to another turn, and end one whose target is gone."""
    watch = watch_of(tx, name)
    if watch is None or not watch.going_on:
        return
    if playbook.target(name) is None:
        end_watch(tx, watch, EndedWhy.TARGET_GONE, playbook=playbook, at=at)
    elif watch.overdue(now=at):
        woken = replace(watch, turn=watch.turn + 1, looked_at=at)
        tx.keep(woken)
        start_turn(tx, woken)
