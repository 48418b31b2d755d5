"""One Google project's request log in buckets: followed as it comes in, listed where that has holes."""

from collections.abc import Collection
from datetime import datetime

from bot.adapters.log_buckets import KEPT_BUCKETS, LogBuckets, Service, begins, bucket_of
from bot.adapters.log_follower import LogFollower
from bot.adapters.log_lister import LogLister
from bot.adapters.log_reads import LogReads
from bot.adapters.request_log import Connect
from bot.domain.observation import BUCKET, Bucket, BucketsRead, Tally
from bot.domain.traffic import SideAddress, Sides
from bot.usecases.ports import Clock

#: A bucket that cannot be read is tried for so long after its close, then it is told as unreadable.
PATIENCE_SECONDS = 20.0
TOO_OLD = "too old: only the newest quarter of an hour of the request log is read"


class LogTail:
    """Reads the request log of one project's services.

    Args:
        project: its id.
        connect: returns the client; may raise what Google's libraries raise.
        clock: what this machine's clock says; the entries' times are compared with it.
        reads: of the project's log.
    """

    def __init__(self, project: str, *, connect: Connect, clock: Clock, reads: LogReads) -> None:
        self._clock = clock
        self.buckets = LogBuckets()
        self.follower = LogFollower(project, connect=connect, buckets=self.buckets, clock=clock)
        self._lister = LogLister(project, connect=connect, buckets=self.buckets, reads=reads)
        #: The first bucket that was last asked for of each service.
        self._asked_from: dict[Service, int] = {}

    async def close(self) -> None:
        """End the session."""
        await self.follower.close()

    async def read(self, region: str, sides: Sides, *, since: datetime, until: datetime) -> BucketsRead:
        """See `RequestStream.buckets`."""
        services = tuple({(region, side.service) for side in (sides.stable, sides.canary) if side})
        first, now = bucket_of(since.timestamp()), min(until, self._clock()).timestamp()
        self.follower.ask(services)
        self._asked_from.update(dict.fromkeys(services, first))
        self.buckets.settle(now)
        problem = await self._fill(services, first, now)
        last = self._told_to(services, first, now)
        left_out = self.buckets.left_out(services, first, last)
        return BucketsRead(
            buckets=tuple(self._bucket(region, sides, number) for number in range(first, last)),
            live=self._is_live(services, first, last),
            lag_seconds=self.buckets.lag.seconds,
            suppressed=left_out.suppressed,
            late=left_out.late,
            twice=left_out.twice,
            odd=left_out.odd,
            oddity=self.buckets.oddity if left_out.odd else None,
            problem=problem,
        )

    async def _fill(self, services: tuple[Service, ...], first: int, now: float) -> str | None:
        """List what is closed and not known; return why something is still missing."""
        oldest, last = bucket_of(now) - KEPT_BUCKETS + 1, self.buckets.closed_by(now)
        if not self.buckets.holes(services, first, last):
            return None
        if self.buckets.lag.doubt:
            return self.buckets.lag.doubt
        others = self._with_holes(max(first, oldest), last)
        problem = await self._lister.fill(services, max(first, oldest), last, others=others, at=now)
        return problem or (TOO_OLD if first < oldest else None)

    def _with_holes(self, first: int, last: int) -> list[Service]:
        """Return every service somebody still asks about that has holes where it was asked about."""
        wanted = self.follower.wanted()
        self._asked_from = {s: number for s, number in self._asked_from.items() if s in wanted}
        return [
            service
            for service, asked_from in self._asked_from.items()
            if self.buckets.holes([service], max(first, asked_from), last)
        ]

    def _told_to(self, services: Collection[Service], first: int, now: float) -> int:
        """Return the first bucket that is not told yet: open, or not readable for a moment only."""
        number, last = first, max(self.buckets.closed_by(now), first)
        given_up = bucket_of(now - self.buckets.lag.seconds - PATIENCE_SECONDS)
        while number < last and (number < given_up or not self.buckets.holes(services, number, number + 1)):
            number += 1
        return number

    def _bucket(self, region: str, sides: Sides, number: int) -> Bucket:
        return Bucket(
            since=begins(number),
            until=begins(number) + BUCKET,
            canary=self._side(region, sides.canary, number) if sides.canary else None,
            stable=self._side(region, sides.stable, number),
        )

    def _side(self, region: str, side: SideAddress, number: int) -> Tally | None:
        slot = self.buckets.slot((region, side.service), number)
        return slot.tally(side.revision) if slot is not None else None

    def _is_live(self, services: Collection[Service], first: int, last: int) -> bool:
        """True when the newest bucket came from the stream; without one, when the stream speaks."""
        if first >= last:
            return self.buckets.covers
        slots = [self.buckets.slot(service, last - 1) for service in services]
        return all(slot is not None and slot.listed_at is None for slot in slots)
