"""How often the log of each project is read, and who goes first where many want to."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

from bot.domain.faults import CloudFault, FaultKind

#: Pages a minute that Google lets be read of one project, by everybody together.
#: Source: reference/cloud-run-and-canary.md, C.4.
QUOTA = 60
#: Of such a quota we take so many at once and so many a minute, in no minute more than both together; the
#: rest is left to people with `gcloud`.
READS_AT_ONCE, READS_PER_MINUTE = 30, 25
#: Of those the watch and the slow part of evidence leave so many to whoever judges a rollback or has pressed
#: a button: the longest count there is, `MOST_ENTRIES` in pages of `PAGE_SIZE`.
KEPT_FOR_PEOPLE = 5
#: Nobody stands in line for longer; a source of evidence is given up after 20 s.
LONGEST_WAIT_SECONDS = 20.0
#: Beyond what is waited for, so that a clock that rounds has surely moved far enough.
_MOMENT_SECONDS = 0.01
_EACH_SECONDS = 60 / READS_PER_MINUTE

Call = Callable[..., Awaitable[Any]]


class LogReads:
    """The reads of one project's log: `READS_AT_ONCE`, and `READS_PER_MINUTE` more as time goes by.

    Belongs to one event loop.

    Args:
        quota: the project's; with another than `QUOTA` those two are as many times more or fewer.
        now: monotonic seconds.
        pause: waits so many seconds.
    """

    def __init__(
        self,
        *,
        quota: float = QUOTA,
        now: Callable[[], float] = time.monotonic,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._now = now
        self._pause = pause
        self._at_once = READS_AT_ONCE * quota / QUOTA
        self._each_seconds = _EACH_SECONDS * QUOTA / quota
        #: Below zero by as many as stand in line.
        self._left = self._at_once
        self._at = now()

    @property
    def per_minute(self) -> float:
        """How many there are in the long run."""
        return 60 / self._each_seconds

    def spare(self) -> bool:
        """Take a read that leaves enough to people; False when there is none now."""
        self._refill()
        if self._left < 1 + KEPT_FOR_PEOPLE:
            return False
        self._left -= 1
        return True

    async def wait_for_spare(self) -> None:
        """Take a read that leaves enough to people, as soon as there is one."""
        while not self.spare():
            await self._pause((1 + KEPT_FOR_PEOPLE - self._left) * self._each_seconds + _MOMENT_SECONDS)

    async def first(self) -> None:
        """Take the next read there is, ahead of whoever waits for a spare one.

        Raises:
            CloudFault: too many stand in line already (QUOTA).
        """
        self._refill()
        wait_seconds = (1 - self._left) * self._each_seconds
        if wait_seconds > LONGEST_WAIT_SECONDS:
            detail = f"the log is read {self.per_minute:g} times a minute, and too many wait to read it"
            raise CloudFault(doing="read the log", kind=FaultKind.QUOTA, detail=detail)
        self._left -= 1
        if wait_seconds > 0:
            try:
                await self._pause(wait_seconds)
            except asyncio.CancelledError:
                self._left += 1
                raise

    def refused(self) -> None:
        """Begin at nothing: Google says that others have read all there is."""
        self._refill()
        self._left = min(self._left, 0.0)

    def waiting(self, call: Call, turn: Callable[[], Awaitable[None]]) -> Call:
        """Return `call` (a client's list method) as one that waits for its `turn`.

        Where Google refuses it nevertheless, for others read the project's log as well, it is called once
        more when it is its turn again.
        """

        async def in_turn(**given: Any) -> Any:
            from google.api_core.exceptions import TooManyRequests

            await turn()
            try:
                return await call(**given)
            except TooManyRequests:
                self.refused()
            await turn()
            return await call(**given)

        return in_turn

    def _refill(self) -> None:
        now = self._now()
        self._left = min(self._left + (now - self._at) / self._each_seconds, self._at_once)
        self._at = now


class ReadsOfProjects:
    """The reads of every project, shared by all who read logs in this process; `begin` makes a project's."""

    def __init__(self, begin: Callable[[], LogReads] = LogReads) -> None:
        self._begin = begin
        self._reads: dict[str, LogReads] = {}

    def of(self, project: str) -> LogReads:
        """Return a project's, always the same ones."""
        if project not in self._reads:
            self._reads[project] = self._begin()
        return self._reads[project]
