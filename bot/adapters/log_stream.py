"""Cloud Logging's request log as it comes in, for every watched service."""

import asyncio
from contextlib import aclosing
from datetime import datetime
from typing import Any

from bot.adapters.endpoints import Endpoints
from bot.adapters.google import GoogleConnection, GoogleEndpoint, faults_named, in_one_line, pages, project_of
from bot.adapters.log_reads import LogReads, ReadsOfProjects
from bot.adapters.log_tail import LogTail
from bot.adapters.request_log import (
    MOST_ENTRIES,
    PAGE_SECONDS,
    PAGE_SIZE,
    list_request,
    logging_client,
    request_log_filter,
)
from bot.domain.faults import CloudFault
from bot.domain.observation import BUCKET, Bucket, BucketsRead, Tally
from bot.domain.playbook import Target
from bot.domain.readings import Side
from bot.domain.traffic import SideAddress, Sides
from bot.usecases.ports import Clock, RequestStream

#: For the listing of endpoints, however many pages it has.
ENDPOINTS_SECONDS = 30.0


class LogStream(RequestStream):
    """The Cloud Logging API v2, one tail session for each Google project.

    Belongs to the event loop that first reads from it.

    Args:
        endpoint: the setting ``CLOUD_LOGGING_ENDPOINT``, see `GoogleEndpoint.parse`.
        project: Google Cloud project of targets that name none.
        clock: this machine's.
        reads: those of `CloudLogging`, where there is one beside it.
    """

    def __init__(
        self, endpoint: str, project: str, clock: Clock, *, reads: ReadsOfProjects | None = None
    ) -> None:
        self._google = GoogleConnection(GoogleEndpoint.parse(endpoint, setting="CLOUD_LOGGING_ENDPOINT"))
        self._project = project
        self._clock = clock
        self._reads = reads or ReadsOfProjects()
        self._tails: dict[str, LogTail] = {}

    async def close(self) -> None:
        """End every session and close the connection."""
        tails, self._tails = self._tails, {}
        await asyncio.gather(*(tail.close() for tail in tails.values()))
        await self._google.close()

    async def buckets(self, target: Target, sides: Sides, *, since: datetime, until: datetime) -> BucketsRead:
        """See `RequestStream.buckets`. Nothing older than a quarter of an hour is read."""
        try:
            project = project_of(target, self._project)
        except CloudFault as fault:
            return BucketsRead(buckets=_unread(since, until), problem=in_one_line(fault))
        return await self._tail(project).read(target.region, sides, since=since, until=until)

    async def endpoints(
        self, target: Target, side: SideAddress, *, since: datetime, until: datetime
    ) -> dict[str, Tally] | None:
        """See `RequestStream.endpoints`.

        Beyond `MOST_ENTRIES` the newest ones are counted, so that the endpoints' shares stay true. At
        most fifty endpoints are told apart, the others are one called ``other``.
        """
        found = Endpoints()
        try:
            with faults_named("read the request log"):
                project = project_of(target, self._project)
                client = await self._google.client(logging_client)
                written = request_log_filter(
                    project, target.region, {Side.STABLE: side}, since=since, until=until
                )
                request = list_request(project, written, page_size=PAGE_SIZE)
                async with asyncio.timeout(ENDPOINTS_SECONDS):
                    await _count(client, request, found, self._reads.of(project))
        except CloudFault:
            return None
        return found.tallies()

    def _tail(self, project: str) -> LogTail:
        if project not in self._tails:
            self._tails[project] = LogTail(
                project,
                connect=lambda: self._google.client(logging_client),
                clock=self._clock,
                reads=self._reads.of(project),
            )
        return self._tails[project]


async def _count(client: Any, request: Any, found: Endpoints, reads: LogReads) -> None:
    call = reads.waiting(client.list_log_entries, reads.wait_for_spare)
    listing = pages(call, request, timeout_seconds=PAGE_SECONDS)
    async with aclosing(listing):
        async for page in listing:
            for entry in page.entries.pb[: MOST_ENTRIES - found.entries]:
                found.count(entry)
            if found.entries >= MOST_ENTRIES:
                return


def _unread(since: datetime, until: datetime) -> tuple[Bucket, ...]:
    ended: list[Bucket] = []
    while since + BUCKET <= until:
        ended.append(Bucket(since=since, until=since + BUCKET, canary=None, stable=None))
        since += BUCKET
    return tuple(ended)
