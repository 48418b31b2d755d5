"""WatchingTarget one deployment: a turn of about a minute, tick by tick, and then the next turn.

Every tick is one transaction that first checks that nobody else has gone on. So a turn can break off
anywhere, and be taken twice: the log is read on from where the last kept tick ended.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.domain.ids import TargetName
from bot.domain.judge import Level, judge
from bot.domain.looked import Looked
from bot.domain.playbook import Playbook
from bot.domain.tick import Judge, ticked
from bot.domain.watch import EndedWhy, Watch, WatchState
from bot.usecases.begin_watch import end_watch, watch_of
from bot.usecases.keep_tick import Tick, is_restless, is_still, keep_tick
from bot.usecases.ports import (
    Clock,
    Cloud,
    Metrics,
    Playbooks,
    Prober,
    RequestStream,
    Steps,
    Store,
    Transaction,
)
from bot.usecases.read_sources import Reading, Sources
from bot.usecases.rollback_progress import Pause

#: How long one turn is. A replica that dies is replaced whatever it is; this only bounds a workflow's length.
TURN_FOR = timedelta(seconds=60)
#: How often the message is edited: while there is something to see, and else.
SHOW_EVERY, SHOW_EVERY_WHEN_CALM = timedelta(seconds=10), timedelta(seconds=60)


@dataclass(frozen=True, kw_only=True)
class WatchingTarget:
    """What watching a target may touch. `judge` decides; there is no other one in production."""

    store: Store
    playbooks: Playbooks
    cloud: Cloud
    stream: RequestStream
    metrics: Metrics
    prober: Prober
    clock: Clock
    pause: Pause = asyncio.sleep
    judge: Judge = judge

    @property
    def reading(self) -> Reading:
        """The part of it that reading may touch."""
        return Reading(
            cloud=self.cloud,
            stream=self.stream,
            metrics=self.metrics,
            prober=self.prober,
            clock=self.clock,
        )


async def watch_target(arguments: Mapping[str, str], *, steps: Steps, use: WatchingTarget) -> None:
    """Take one turn of a watch."""
    await steps.step("turn", lambda: _take(arguments, use), into=str)


async def _take(arguments: Mapping[str, str], use: WatchingTarget) -> str:
    target, number, turn = TargetName(arguments["target"]), int(arguments["number"]), int(arguments["turn"])
    watch = await use.store.look(lambda tx: watch_of(tx, target))
    if watch is None or not watch.going_on or (watch.number, watch.turn) != (number, turn):
        return "somebody else's turn"
    found = use.playbooks.current().target(target)
    if found is None:
        return await _target_is_gone(watch, use)
    return await Turn(watch, Sources(watch, found, use.reading), use).take()


async def _target_is_gone(watch: Watch, use: WatchingTarget) -> str:
    now, playbook = use.clock(), use.playbooks.current()

    def end(tx: Transaction) -> str:
        kept = watch_of(tx, watch.id)
        if kept is None or not is_still(kept, watch):
            return "somebody else's turn"
        end_watch(tx, kept, EndedWhy.TARGET_GONE, playbook=playbook, at=now)
        return "target gone"

    return await use.store.change(end)


class Turn:
    """One turn under way, from the watch as it was kept last."""

    def __init__(self, watch: Watch, sources: Sources, use: WatchingTarget) -> None:
        self.watch = watch
        self._turn = watch.turn
        self._sources = sources
        self._use = use
        self._began = use.clock()
        # The turn before has shown it when it was over.
        self._shown = watch.looked_at or watch.created_at

    async def take(self) -> str:
        """Tick until the turn is over, the watch has ended, or somebody else has gone on."""
        while True:
            looked = await self.read()
            if not looked.nothing_new and not await self.keep(looked):
                return "over"
            if self.over:
                return "next turn"
            probes = self._use.playbooks.current().watch.probe
            await self._use.pause(self._sources.wait_seconds(self.watch, probes=probes))

    @property
    def over(self) -> bool:
        """True once the watch has been handed to its next turn."""
        return self.watch.turn != self._turn

    async def read(self) -> Looked:
        """Read what is due; before anything irreversible could follow, Cloud Run as well."""
        playbook = self._use.playbooks.current()
        target = playbook.target(self.watch.id)
        if target is None:
            return Looked(at=self._use.clock())
        self._sources.follow(target)
        looked = await self._sources.read(self.watch, probes=playbook.watch.probe)
        if looked.cloud is None and self._would_act(looked, playbook):
            cloud = await self._sources.look(self.watch)
            looked = replace(looked, cloud=cloud, at=self._use.clock())
        return looked

    def _would_act(self, looked: Looked, playbook: Playbook) -> bool:
        if self.watch.state is not WatchState.WATCHING:
            return False
        after = ticked(self.watch, looked, playbook, judge=self._use.judge)
        return any(alarm.level is Level.ACT for alarm in after.alarms)

    async def keep(self, looked: Looked) -> bool:
        """Keep what was read; False when the watch has ended or somebody else has gone on."""
        playbook = self._use.playbooks.current()
        tick = Tick(
            expected=self.watch,
            looked=looked,
            playbook=playbook,
            judge=self._use.judge,
            last=abs(self._use.clock() - self._began) >= TURN_FOR,
            show=self._is_due_to_show(playbook, at=looked.at),
        )
        if tick.show:
            self._shown = looked.at
        kept = await self._use.store.change(lambda tx: keep_tick(tx, tick))
        self.watch = kept or self.watch
        return kept is not None

    def _is_due_to_show(self, playbook: Playbook, *, at: datetime) -> bool:
        every = SHOW_EVERY if is_restless(self.watch, playbook, at=at) else SHOW_EVERY_WHEN_CALM
        return abs(at - self._shown) >= every
