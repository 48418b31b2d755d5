"""How often the log of each project is read, and who goes first where many want to."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

from bot.domain.faults import CloudFault, FaultKind

#: Pages a minute that Google lets be read of one project, by everybody together; commonly quoted, and not
#: on Google's own page. Source: reference/cloud-run-and-canary.md, C.4.
QUOTA = 60
#: Of such a quota we take so many at once and so many a minute, in no minute more than both together; the
#: rest is left to people with `gcloud`.
READS_AT_ONCE, READS_PER_MINUTE = 30, 25
#: Of those the watch, the checklist and the slow part of evidence leave so many to whoever judges a rollback
#: or has pressed a button: the longest count there is, `MOST_ENTRIES` in pages of `PAGE_SIZE`.
KEPT_FOR_PEOPLE = 5
#: So long a listing stands in line, all its pages together. A source of evidence is given up after 20 s, and
#: whoever waits is to hear why.
LONGEST_WAIT_SECONDS = 15.0
#: Beyond what is waited for, so that a clock that rounds has surely moved far enough.
_MOMENT_SECONDS = 0.01
_EACH_SECONDS = 60 / READS_PER_MINUTE

Call = Callable[..., Awaitable[Any]]
#: Waits in line for one read, for so many seconds at the most. Raises `CloudFault` (QUOTA).
Turn = Callable[[float], Awaitable[None]]


class LogReads:
    """The reads of one project's log: `READS_AT_ONCE`, and `READS_PER_MINUTE` more as time goes by.

    Belongs to one event loop.

    Args:
        quota: the project's; with another than `QUOTA` all three are as many times more or fewer.
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
        self._kept = KEPT_FOR_PEOPLE * quota / QUOTA
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
        if self._left < 1 + self._kept:
            return False
        self._left -= 1
        return True

    async def wait_for_spare(self, within_seconds: float = LONGEST_WAIT_SECONDS) -> None:
        """Take a read that leaves enough to people, as soon as there is one.

        Raises:
            CloudFault: there is none in time (QUOTA).
        """
        until = self._now() + within_seconds
        while not self.spare():
            wait_seconds = (1 + self._kept - self._left) * self._each_seconds + _MOMENT_SECONDS
            if self._now() + wait_seconds > until:
                raise self._too_many()
            await self._pause(wait_seconds)

    async def first(self, within_seconds: float = LONGEST_WAIT_SECONDS) -> None:
        """Take the next read there is, ahead of whoever waits for a spare one.

        Raises:
            CloudFault: so many stand in line already that there is none in time (QUOTA).
        """
        self._refill()
        wait_seconds = (1 - self._left) * self._each_seconds
        if wait_seconds > within_seconds:
            raise self._too_many()
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

    def waiting(self, call: Call, turn: Turn) -> Call:
        """Return `call` (a client's list method, for the pages of one listing) as one that waits in line.

        Where Google refuses a page nevertheless, for others read the project's log as well, it is asked for
        once more when it is its turn again.
        """
        left_seconds = LONGEST_WAIT_SECONDS

        async def in_line() -> None:
            nonlocal left_seconds
            began = self._now()
            await turn(left_seconds)
            left_seconds -= self._now() - began

        async def in_turn(**given: Any) -> Any:
            from google.api_core.exceptions import TooManyRequests

            await in_line()
            try:
                return await call(**given)
            except TooManyRequests:
                self.refused()
            await in_line()
            return await call(**given)

        return in_turn

    def _too_many(self) -> CloudFault:
        detail = f"the log is read {self.per_minute:g} times a minute, and too many wait to read it"
        return CloudFault(doing="read the log", kind=FaultKind.QUOTA, detail=detail)

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
