"""Reading everything a watch looks at, each source at its own pace and all at once.

Nothing here raises because of a source: what could not be read says so.
"""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar
from urllib.parse import urlsplit

from bot.domain.faults import CloudFault
from bot.domain.ids import RevisionName
from bot.domain.looked import Asked, CloudLook, Looked
from bot.domain.observation import BUCKET, BucketsRead, MinutesRead
from bot.domain.playbook import Target, Topology
from bot.domain.readings import ProbeResult, Side
from bot.domain.tick import ASKED_BACK
from bot.domain.traffic import TargetState
from bot.domain.watch import Watch, WatchSource, WatchState
from bot.usecases.gather_evidence import health_url
from bot.usecases.look_at_target import look_at_target
from bot.usecases.ports import Clock, Cloud, Metrics, Prober, RequestStream
from bot.usecases.see_canary import see_canary, share_of

T = TypeVar("T")

#: How often Cloud Run is read; its quota allows far more (reference/cloud-run-and-canary.md, B.4).
LOOK_EVERY = timedelta(seconds=30)
#: Cloud Monitoring makes one point a minute. More often while a caution asks for closer watching.
MINUTES_EVERY, MINUTES_EVERY_CLOSELY = timedelta(seconds=60), timedelta(seconds=30)
PROBE_EVERY, PROBE_AGAIN = timedelta(seconds=10), timedelta(seconds=5)
#: So many failures in a row mean that a service is down. Source: the issue, "three failures 5 s apart".
FAILURES_OF_DOWN = 3
PROBE_WITHIN_SECONDS = 2.0
#: An address that leads to both sides is asked so often before stable is said not to answer.
SHARED_TRIES = 3
#: A bucket that is not closed yet is asked for again; a log that fails is given more time.
BUCKET_AGAIN, LOG_AGAIN = timedelta(seconds=1), timedelta(seconds=5)
#: How late entries are taken to come while nobody knows better.
USUAL_LAG_SECONDS = 2.0
#: No source holds up the others for longer.
READ_WITHIN_SECONDS = 8.0
SHORTEST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 0.2, 10.0
#: What is due so soon is read along: one transaction is kept instead of two.
TOGETHER = timedelta(seconds=5)
NO_ANSWER = "no answer in time"
#: Why a canary is not probed: traffic reaches it through the shared address only.
NO_ADDRESS = "no_address"


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What reading may touch."""

    cloud: Cloud
    stream: RequestStream
    metrics: Metrics
    prober: Prober
    clock: Clock


class Sources:
    """One target's sources during one turn of its watch: remembers when each was asked last."""

    def __init__(self, watch: Watch, target: Target, use: Reading) -> None:
        self._target = target
        self._use = use
        self._asked = _asked_before(watch)
        self._state: TargetState | None = None

    def follow(self, target: Target) -> None:
        """Go on with the target as the playbook in force describes it."""
        self._target = target

    def wait_seconds(self, watch: Watch, *, probes: bool) -> float:
        """Return how long nothing is due, seconds: never so long that a clock put back would matter."""
        now = self._use.clock()
        due = {source: self._due(source, watch) for source in self._sources(probes)}
        first, bucket = min(due.values()), due[WatchSource.REQUEST_LOG]
        if first < bucket <= first + TOGETHER and not _suspicious(watch):
            first = bucket
        return min(max((first - now).total_seconds(), SHORTEST_WAIT_SECONDS), LONGEST_WAIT_SECONDS)

    async def look(self, watch: Watch) -> CloudLook:
        """Read Cloud Run now, due or not."""
        self._asked[WatchSource.CLOUD_RUN] = self._use.clock()
        return await self._look(watch)

    async def read(self, watch: Watch, *, probes: bool) -> Looked:
        """Read whatever is due, all at once."""
        now = self._use.clock()
        sources = self._sources(probes)
        due = {source for source in sources if self._is_due(source, watch, now)}
        if due:
            # The log has nothing to give before its bucket is closed.
            soon = now + TOGETHER
            due |= {s for s in sources if s is not WatchSource.REQUEST_LOG and self._due(s, watch) <= soon}
        self._asked |= dict.fromkeys(due, now)
        first = None
        if self._state is None and WatchSource.CLOUD_RUN in due:
            # Where the health addresses are is known by Cloud Run only.
            first = await self._look(watch)
        buckets, minutes, asked, cloud = await asyncio.gather(
            self._buckets(watch) if WatchSource.REQUEST_LOG in due else _nothing(),
            self._minutes() if WatchSource.MONITORING in due else _nothing(),
            self._probe(watch, at=now) if WatchSource.PROBE in due else _nothing(),
            self._look(watch) if first is None and WatchSource.CLOUD_RUN in due else _nothing(),
        )
        at = self._use.clock()
        return Looked(at=at, buckets=buckets, minutes=minutes, asked=asked, cloud=first or cloud)

    def _sources(self, probes: bool) -> list[WatchSource]:
        return [source for source in WatchSource if probes or source is not WatchSource.PROBE]

    def _is_due(self, source: WatchSource, watch: Watch, now: datetime) -> bool:
        asked = self._asked.get(source)
        put_back = asked is not None and now < asked
        return put_back or self._due(source, watch) <= now

    def _due(self, source: WatchSource, watch: Watch) -> datetime:
        asked = self._asked.get(source)
        if source is WatchSource.REQUEST_LOG:
            return self._bucket_due(watch, asked)
        if asked is None:
            return watch.created_at
        if source is WatchSource.MONITORING:
            closely = watch.closely(now=self._use.clock())
            return asked + (MINUTES_EVERY_CLOSELY if closely else MINUTES_EVERY)
        if source is WatchSource.PROBE:
            return asked + (PROBE_AGAIN if _suspicious(watch) else PROBE_EVERY)
        return asked + LOOK_EVERY

    def _bucket_due(self, watch: Watch, asked: datetime | None) -> datetime:
        known = watch.sources.get(WatchSource.REQUEST_LOG)
        lag = known.lag_seconds if known else USUAL_LAG_SECONDS
        closes = (watch.read_until or watch.created_at) + BUCKET + timedelta(seconds=lag)
        if asked is None:
            return closes
        return max(closes, asked + (LOG_AGAIN if known and known.problem else BUCKET_AGAIN))

    async def _buckets(self, watch: Watch) -> BucketsRead:
        since = watch.read_until or watch.created_at
        reading = self._use.stream.buckets(self._target, watch.sides, since=since, until=self._use.clock())
        return await _in_time(reading) or BucketsRead(problem=NO_ANSWER)

    async def _minutes(self) -> MinutesRead:
        until = self._use.clock()
        reading = self._use.metrics.minutes(self._target, since=until - ASKED_BACK, until=until)
        return await _in_time(reading) or MinutesRead(problem=NO_ANSWER)

    async def _look(self, watch: Watch) -> CloudLook:
        try:
            sight = await _in_time(look_at_target(self._target, cloud=self._use.cloud))
        except CloudFault as fault:
            return CloudLook(problem=str(fault))
        if sight is None:
            return CloudLook(problem=NO_ANSWER)
        self._state = sight.state
        share = share_of(watch.canary, self._target, sight.state)
        unreadable = "the canary's share is not readable" if share is None else None
        return CloudLook(seen=see_canary(self._target, sight), share=share, problem=unreadable)

    async def _probe(self, watch: Watch, *, at: datetime) -> Asked | None:
        if self._state is None:
            return None
        where = addresses(self._target, self._state, canary=watch.canary, stable=watch.stable)
        canary = where.canary if watch.state is WatchState.WATCHING else None
        asks = await asyncio.gather(
            self._ask(canary, Side.CANARY) if canary else _nothing(),
            self._ask_stable(where.stable, shared=where.shared),
        )
        problem = next((a.problem for a in asks if a is not None and not a.sent), None)
        if canary is None and watch.state is WatchState.WATCHING:
            problem = NO_ADDRESS
        return Asked(at=at, canary=well(asks[0]), stable=well(asks[1]), problem=problem)

    async def _ask_stable(self, url: str, *, shared: bool) -> ProbeResult:
        answer = await self._ask(url, Side.STABLE)
        for _ in range(SHARED_TRIES - 1 if shared else 0):
            if well(answer) is not False:
                break
            answer = await self._ask(url, Side.STABLE)
        return answer

    async def _ask(self, url: str, side: Side) -> ProbeResult:
        return await self._use.prober.probe(
            url, side, requests=1, pause_ms=0, timeout_seconds=PROBE_WITHIN_SECONDS
        )


def _asked_before(watch: Watch) -> dict[WatchSource, datetime]:
    """Return when the turn before has read what need not be read at once again."""
    known = ((source, watch.sources.get(source)) for source in (WatchSource.MONITORING, WatchSource.PROBE))
    return {source: state.well_at for source, state in known if state and state.well_at and not state.problem}


def _suspicious(watch: Watch) -> bool:
    """True while the canary has failed a probe, and it is not known yet whether it is down."""
    return 0 < watch.carried.failures < FAILURES_OF_DOWN


async def _nothing() -> None:
    """Stand in for a source whose turn it is not."""


async def _in_time(reading: Awaitable[T]) -> T | None:
    try:
        return await asyncio.wait_for(reading, READ_WITHIN_SECONDS)
    except TimeoutError:
        return None


def well(result: ProbeResult | None) -> bool | None:
    """Say whether a service answered well; None where it was not asked, or asked to be left alone."""
    if result is None or result.failures + result.answered_well == 0:
        return None
    return result.answered_well > 0


@dataclass(frozen=True, kw_only=True)
class Addresses:
    """What is probed. `canary` is None where it has no address of its own; `shared` leads to both sides."""

    canary: str | None
    stable: str
    shared: bool


def addresses(target: Target, state: TargetState, *, canary: str, stable: str) -> Addresses:
    """Return both sides' health addresses.

    A revision has one of its own only under a traffic tag. What the playbook configures is taken as
    stable's, but it may well lead through the split.
    """
    path = urlsplit(target.health_url).path if target.health_url else "/health"
    if target.topology is Topology.SERVICES:
        own = state.canary.uri if state.canary else None
        return Addresses(
            canary=_joined(own, path), stable=health_url(target, state), shared=bool(target.health_url)
        )
    tagged = {share.revision: share.uri for share in state.switch.observed if share.tag and share.uri}
    own_stable = None if target.health_url else _joined(tagged.get(RevisionName(stable)), path)
    return Addresses(
        canary=_joined(tagged.get(RevisionName(canary)), path),
        stable=own_stable or health_url(target, state),
        shared=own_stable is None,
    )


def _joined(uri: str | None, path: str) -> str | None:
    return f"{uri.rstrip('/')}{path or '/'}" if uri else None
