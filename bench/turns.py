"""What whole turns of the watch cost: read, decide and keep, on a real SQLite file.

Only Google and Slack are left out: the fakes of the tests answer for them, at once. The clock is ours and
moves when a turn pauses, so what is measured is processor time alone.
"""

import asyncio
import gc
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psutil
from sqlalchemy.orm import Session

from bot.adapters.database.engine import Database, database_url
from bot.adapters.database.migrate import migrate
from bot.adapters.database.store import SqlStore
from bot.domain.ids import ServiceName, TargetName
from bot.domain.observation import BucketsRead, Minute, MinutesRead, Tally
from bot.domain.playbook import Playbook, Target, Topology
from bot.domain.readings import ProbeResult, Side
from bot.domain.traffic import Sides
from bot.domain.watch import Watch
from bot.usecases.begin_watch import watch_of
from bot.usecases.ports import Store
from bot.usecases.scout import Scouting, scout
from bot.usecases.watch_target import WatchingTarget, watch_target
from tests.fakes import FakeCloud, FakeMetrics, FakePlaybooks, FakeProber, FakeSteps, FakeStream, HeldClock
from tests.values import CANARY, NOON, STABLE, a_state, share

#: What each bucket's requests took: a histogram as wide as a real service's, all of it green.
LATENCIES = tuple((bound, 5) for bound in (5, 10, 15, 20, 25, 30, 40, 50, 60, 75, 90, 110, 130, 150))


@dataclass(frozen=True, kw_only=True)
class TurnCost:
    """What watching cost: of one core, and how the process (bytes) and the file grew after the first part."""

    core_share: float
    ticks: int
    resident_first: int
    resident_last: int
    file_first: int
    file_last: int


def cost_of_turns(playbook: Playbook, *, targets: int, minutes: int, parts: int) -> TurnCost:
    """Watch so many targets for so many simulated minutes in one process, a few minutes at a time."""
    return asyncio.run(_watched(playbook, targets=targets, minutes=minutes, parts=parts))


async def _watched(playbook: Playbook, *, targets: int, minutes: int, parts: int) -> TurnCost:
    names = [TargetName(f"target-{number}") for number in range(targets)]
    each = Target(topology=Topology.REVISIONS, region="us-central1", service=ServiceName("ion-api"))
    watched = playbook.model_copy(update={"targets": dict.fromkeys(names, each)})
    process, spent, ticks = psutil.Process(), 0.0, 0
    resident: list[int] = []
    kept: list[int] = []
    with _store() as (store, file):
        uses = {name: _watching(store, watched) for name in names}
        await _begin(store, watched)
        for part in range(1, parts + 1):
            until = NOON + timedelta(minutes=minutes * part / parts)
            began = time.process_time()
            for name, use in uses.items():
                ticks += await _until(name, use, until)
            spent += time.process_time() - began
            gc.collect()
            resident.append(process.memory_info().rss)
            kept.append(file.stat().st_size)
    return TurnCost(
        core_share=spent / (minutes * 60),
        ticks=ticks,
        resident_first=resident[0],
        resident_last=resident[-1],
        file_first=kept[0],
        file_last=kept[-1],
    )


async def _begin(store: Store, playbook: Playbook) -> None:
    clock = HeldClock()
    use = Scouting(store=store, playbooks=FakePlaybooks(playbook), cloud=_cloud(clock), clock=clock)
    await scout({}, steps=FakeSteps(), use=use)


async def _until(name: TargetName, use: "_Use", until: datetime) -> int:
    """Take turns of a target's watch until that time, and return how many ticks they had."""
    before = use.stream.ticks
    while use.clock() < until:
        watch = await use.watching.store.look(lambda tx: watch_of(tx, name))
        if watch is None or not watch.going_on:
            raise RuntimeError(f"the watch of {name} is over: {watch}")
        await watch_target(_arguments(watch), steps=FakeSteps(), use=use.watching)
    return use.stream.ticks - before


def _arguments(watch: Watch) -> Mapping[str, str]:
    return {"target": watch.id, "number": str(watch.number), "turn": str(watch.turn)}


@dataclass(frozen=True, kw_only=True)
class _Use:
    watching: WatchingTarget
    clock: HeldClock
    stream: "_Stream"


def _watching(store: Store, playbook: Playbook) -> _Use:
    clock = HeldClock()
    stream = _Stream(_healthy)
    watching = WatchingTarget(
        store=store,
        playbooks=FakePlaybooks(playbook),
        cloud=_cloud(clock),
        stream=stream,
        metrics=_Minutes(clock),
        prober=_Prober(),
        clock=clock,
        pause=clock.pause,
    )
    return _Use(watching=watching, clock=clock, stream=stream)


def _cloud(clock: HeldClock) -> FakeCloud:
    """A canary with a tenth of the traffic, and an address of its own for each revision."""
    tags = (share(STABLE, 0, tag="stable"), share(CANARY, 0, tag="canary"))
    addressed = [replace(line, uri=f"https://{line.tag}.example.com") for line in tags]
    return FakeCloud(a_state(share(STABLE, 90), share(CANARY, 10), *addressed), clock)


def _healthy(side: Side, since: datetime) -> Tally:
    scale = 9 if side is Side.STABLE else 1
    latencies = tuple((bound, count * scale) for bound, count in LATENCIES)
    return Tally(requests=sum(count for _, count in latencies), latencies=latencies)


class _Stream(FakeStream):
    """A request log that counts how often it is asked, and remembers nothing else: memory is measured."""

    ticks = 0

    async def buckets(self, target: Target, sides: Sides, *, since: datetime, until: datetime) -> BucketsRead:
        self.ticks += 1
        read = await super().buckets(target, sides, since=since, until=until)
        self.asked.clear()
        return read


class _Prober(FakeProber):
    """Health addresses that answer well, and are not remembered."""

    async def probe(
        self, url: str, side: Side, *, requests: int, pause_ms: int, timeout_seconds: float = 30.0
    ) -> ProbeResult:
        answer = await super().probe(
            url, side, requests=requests, pause_ms=pause_ms, timeout_seconds=timeout_seconds
        )
        self.urls.clear()
        return answer


class _Minutes(FakeMetrics):
    """Cloud Monitoring with healthy minutes of both sides, as far as they are known by now."""

    def __init__(self, clock: HeldClock) -> None:
        super().__init__()
        self._clock = clock

    async def minutes(self, target: Target, *, since: datetime, until: datetime) -> MinutesRead:
        ended = self._clock().replace(second=0, microsecond=0) - timedelta(minutes=2)
        recorded = [
            _minute(name, ended - timedelta(minutes=n)) for n in range(4) for name in (CANARY, STABLE)
        ]
        self.recorded = tuple(recorded)
        return await super().minutes(target, since=since, until=until)


def _minute(name: str, ended: datetime) -> Minute:
    begun = Minute(name=name, since=ended - timedelta(minutes=1), until=ended)
    return replace(
        begun, requests=420, errors=0, p95_ms=150.0, memory=55.0, memory_median=50.0, cpu=30.0, instances=4
    )


@contextmanager
def _store() -> Iterator[tuple[Store, Path]]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "backout.db"
        database = Database(database_url(f"sqlite:///{file}"))
        try:
            migrate(database.engine)
            yield SqlStore(database, _starts_nothing), file
        finally:
            database.close()


def _starts_nothing(_: Session, *__: Any) -> None:
    """No workflow engine: the turns are taken here."""
