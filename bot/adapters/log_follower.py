"""Follows the request log of one project's services with one tail session at a time."""

import asyncio
import time
from collections.abc import AsyncIterator, Collection
from datetime import timedelta
from typing import Any

import structlog

from bot.adapters.google import faults_named, in_one_line
from bot.adapters.log_buckets import LogBuckets, Service
from bot.adapters.request_log import Connect, requests_in, services_filter
from bot.domain.faults import CloudFault
from bot.usecases.ports import Clock

#: How long Google holds entries back to put them in order; its own default.
BUFFER = timedelta(seconds=2)
#: A session ends after an hour anyway (the client's time-out), so it is renewed a little earlier.
SESSION_SECONDS = 3540.0
#: A service nobody has asked about for so long is not followed any more.
IDLE_SECONDS = 60.0
#: How often it is looked at whether a session is still wanted and still hears anything.
LOOK_SECONDS = 5.0
#: Services that are added one after another come into one session.
DEBOUNCE_SECONDS = 0.5
#: Between a session that broke and the next one.
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 1.0, 60.0

log = structlog.get_logger()


class LogFollower:
    """Feeds `buckets` for as long as anybody asks. Google allows ten sessions in a project."""

    def __init__(self, project: str, *, connect: Connect, buckets: LogBuckets, clock: Clock) -> None:
        self._project = project
        self._connect = connect
        self._buckets = buckets
        self._clock = clock
        #: When each service was last asked about, monotonic seconds.
        self._asked: dict[Service, float] = {}
        self._following: asyncio.Task[None] | None = None
        self._more = asyncio.Event()

    def ask(self, services: Collection[Service]) -> None:
        """Follow `services` for another `IDLE_SECONDS`."""
        for service in services:
            if service not in self._asked:
                self._more.set()
            self._asked[service] = time.monotonic()
        if self._following is None or self._following.done():
            self._following = asyncio.get_running_loop().create_task(self._follow())

    @property
    def is_following(self) -> bool:
        """True while a session is open, or is about to be."""
        return self._following is not None and not self._following.done()

    async def close(self) -> None:
        """End the session."""
        following, self._following = self._following, None
        if following is not None:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)

    def wanted(self) -> frozenset[Service]:
        """Forget whom nobody asks about any more, and return the others."""
        since = time.monotonic() - IDLE_SECONDS
        self._asked = {service: asked for service, asked in self._asked.items() if asked >= since}
        return frozenset(self._asked)

    async def _follow(self) -> None:
        """Keep one session open for as long as anybody asks."""
        await asyncio.sleep(DEBOUNCE_SECONDS)
        pause = FIRST_PAUSE_SECONDS
        while services := self.wanted():
            try:
                with faults_named("follow the request log"):
                    await self._session(services)
            except CloudFault as fault:
                log.warning("log_stream_broke", project=self._project, problem=in_one_line(fault))
            else:
                log.info("log_stream_ended", project=self._project)
            pause = FIRST_PAUSE_SECONDS if self._buckets.covers else min(pause * 2, LONGEST_PAUSE_SECONDS)
            self._buckets.stopped()
            if self.wanted() <= services:
                await asyncio.sleep(pause)

    async def _session(self, services: frozenset[Service]) -> None:
        """Follow `services` until the session breaks, is an hour old, or is not what is wanted any more."""
        client = await self._connect()
        self._more.clear()
        self._buckets.opened(services, at=self._clock().timestamp())
        ended = asyncio.Event()
        written = services_filter(self._project, services)
        call: Any = await client.tail_log_entries(
            _requesting(self._project, written, ended), retry=None, timeout=SESSION_SECONDS + 60
        )
        hearing = asyncio.ensure_future(self._hear(call))
        outgrown = asyncio.ensure_future(self._outgrown(services))
        try:
            await asyncio.wait({hearing, outgrown}, timeout=SESSION_SECONDS, return_when="FIRST_COMPLETED")
            if hearing.done():
                hearing.result()
        finally:
            # The library waits for our half of a broken call for ever, so it is ended as well.
            ended.set()
            call.cancel()
            for task in (hearing, outgrown):
                task.cancel()
            await asyncio.gather(hearing, outgrown, return_exceptions=True)

    async def _hear(self, call: Any) -> None:
        async for response in call:
            suppressed = sum(info.suppressed_count for info in response.suppression_info)
            at = self._clock().timestamp()
            self._buckets.heard(requests_in(response.entries.pb), suppressed=suppressed, at=at)

    async def _outgrown(self, services: frozenset[Service]) -> None:
        """Return when more services are wanted than these, or none at all, or when nothing is heard."""
        while True:
            try:
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._more.wait()
                self._more.clear()
                await asyncio.sleep(DEBOUNCE_SECONDS)
            except TimeoutError:
                pass
            wanted = self.wanted()
            if not wanted or not wanted <= services or self._buckets.is_deaf:
                return


async def _requesting(project: str, written: str, ended: asyncio.Event) -> AsyncIterator[Any]:
    """Send one request and keep our half open: Google ends a session whose half is closed."""
    from google.cloud.logging_v2.types import TailLogEntriesRequest

    yield TailLogEntriesRequest(resource_names=[f"projects/{project}"], filter=written, buffer_window=BUFFER)
    await ended.wait()
