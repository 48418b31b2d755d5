"""Cloud Logging: what each side answered in a window, and the lines that a filter finds."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

import structlog

from bot.adapters.google import (
    GoogleConnection,
    GoogleEndpoint,
    faults_named,
    in_one_line,
    pages,
    project_of,
)
from bot.adapters.log_clients import count_clients
from bot.adapters.log_lines import log_line
from bot.adapters.log_reads import LogReads, ReadsOfProjects
from bot.adapters.request_log import (
    MOST_ENTRIES,
    PAGE_SECONDS,
    PAGE_SIZE,
    belongs,
    is_error,
    latency_ms,
    list_request,
    logging_client,
    request_log_filter,
    within,
)
from bot.domain.faults import CloudFault
from bot.domain.first_reading import Clients
from bot.domain.log_lines import LogLine, LogLines
from bot.domain.playbook import Target, Topology
from bot.domain.readings import RequestCounts, Side
from bot.domain.traffic import SideAddress, Sides
from bot.usecases.ports import LogReader, RequestLog

if TYPE_CHECKING:
    from google.cloud.logging_v2.services.logging_service_v2 import LoggingServiceV2AsyncClient

log = structlog.get_logger()

#: For one call, however many (empty) pages it has.
COUNT_SECONDS = 30.0
#: So many entries are made lines at once, in a thread, so that a timeout is noticed between two of them.
_CHUNK = 50


@dataclass
class Tally:
    """What was counted for one side so far; latencies in milliseconds."""

    requests: int = 0
    errors: int = 0
    latencies_ms: list[float] = field(default_factory=list)

    def count(self, status: int, latency_ms: float | None) -> None:
        self.requests += 1
        self.errors += is_error(status)
        if latency_ms is not None:
            self.latencies_ms.append(latency_ms)


class CloudLogging(RequestLog, LogReader):
    """The Cloud Logging API v2.

    Args:
        endpoint: the setting ``CLOUD_LOGGING_ENDPOINT``, see `GoogleEndpoint.parse`.
        project: Google Cloud project of targets that name none.
        reads: those of `LogStream`, where there is one beside it.
    """

    def __init__(self, endpoint: str, project: str, *, reads: ReadsOfProjects | None = None) -> None:
        self._google = GoogleConnection(GoogleEndpoint.parse(endpoint, setting="CLOUD_LOGGING_ENDPOINT"))
        self._project = project
        self._reads = reads or ReadsOfProjects()

    async def close(self) -> None:
        """Close the connection."""
        await self._google.close()

    async def count(
        self, target: Target, sides: Sides, *, since: datetime, until: datetime
    ) -> dict[Side, RequestCounts]:
        """See `RequestLog.count`. Both sides are counted in one call.

        Beyond `MOST_ENTRIES` the newest ones are counted, of both sides, so their shares stay true.
        """
        both = {Side.CANARY: sides.canary, Side.STABLE: sides.stable}
        addresses = {side: address for side, address in both.items() if address is not None}
        tallies = {side: Tally() for side in addresses}
        truncated, problem = False, None
        try:
            with faults_named("read the request log"):
                project = project_of(target, self._project)
                client = await self._google.client(logging_client)
                written = request_log_filter(project, target.region, addresses, since=since, until=until)
                request = list_request(project, written, page_size=PAGE_SIZE)
                async with asyncio.timeout(COUNT_SECONDS):
                    truncated = await _tally_all(client, request, addresses, tallies, self._reads.of(project))
        except CloudFault as fault:
            tallies, problem = {side: Tally() for side in addresses}, in_one_line(fault)
        return {
            side: RequestCounts(
                side=side,
                since=since,
                until=until,
                requests=tally.requests,
                errors=tally.errors,
                latencies_ms=tuple(tally.latencies_ms),
                truncated=truncated,
                problem=problem,
            )
            for side, tally in tallies.items()
        }

    async def entries(
        self, target: Target, written: str, *, limit: int, since: datetime, until: datetime
    ) -> LogLines:
        """See `LogReader.entries`. A filter that Google does not understand is a problem like any other."""
        lines: tuple[LogLine, ...] = ()
        more, problem = False, None
        try:
            with faults_named("read the log"):
                project = project_of(target, self._project)
                client = await self._google.client(logging_client)
                request = list_request(project, f"{written} AND {within(since, until)}", page_size=limit + 1)
                async with asyncio.timeout(COUNT_SECONDS):
                    lines, more = await _newest(client, request, self._reads.of(project), limit=limit)
        except CloudFault as fault:
            problem = in_one_line(fault)
        return LogLines(
            lines=lines, filter=written, limit=limit, since=since, until=until, more=more, problem=problem
        )

    async def clients(
        self, target: Target, side: SideAddress, *, since: datetime, until: datetime
    ) -> Clients | None:
        """See `LogReader.clients`. Beyond `MOST_ENTRIES` it is the clients of the newest ones."""
        if target.topology is Topology.SERVICES:
            return None
        try:
            with faults_named("count the clients in the request log"):
                project = project_of(target, self._project)
                client = await self._google.client(logging_client)
                # Any side will do: the filter is made from the address.
                addresses = {Side.CANARY: side}
                written = request_log_filter(project, target.region, addresses, since=since, until=until)
                request = list_request(project, written, page_size=PAGE_SIZE)
                async with asyncio.timeout(COUNT_SECONDS):
                    return await count_clients(client, request, side, reads=self._reads.of(project))
        except CloudFault as fault:
            log.warning("clients_not_counted", service=side.service, fault=in_one_line(fault))
            return None


async def _newest(
    client: "LoggingServiceV2AsyncClient", request: Any, reads: LogReads, *, limit: int
) -> tuple[tuple[LogLine, ...], bool]:
    """Return the first `limit` lines, and whether there are more."""
    found: list[LogLine] = []
    call = reads.waiting(client.list_log_entries, reads.first)
    listing = pages(call, request, timeout_seconds=PAGE_SECONDS)
    async with aclosing(listing):
        async for page in listing:
            found += await _in_chunks(page.entries.pb[: limit + 1 - len(found)])
            if len(found) > limit:
                break
    return tuple(found[:limit]), len(found) > limit


async def _in_chunks(entries: Sequence[Any]) -> list[LogLine]:
    """Return entries (bare protobuf messages) as lines, made off the event loop: redacting takes its time."""
    found: list[LogLine] = []
    for at in range(0, len(entries), _CHUNK):
        found += await asyncio.to_thread(_lines, entries[at : at + _CHUNK])
    return found


def _lines(entries: Sequence[Any]) -> list[LogLine]:
    return [log_line(entry) for entry in entries]


async def _tally_all(
    client: "LoggingServiceV2AsyncClient",
    request: Any,
    addresses: Mapping[Side, SideAddress],
    tallies: Mapping[Side, Tally],
    reads: LogReads,
) -> bool:
    """Count entries into `tallies`; return True when there were more than `MOST_ENTRIES`."""
    left = MOST_ENTRIES
    call = reads.waiting(client.list_log_entries, reads.first)
    listing = pages(call, request, timeout_seconds=PAGE_SECONDS)
    async with aclosing(listing):
        async for page in listing:
            # The bare protobuf messages: the wrappers cost the event loop much more.
            entries = page.entries.pb
            tally_entries(entries[:left], addresses, tallies)
            if len(entries) > left or (len(entries) == left and page.next_page_token):
                return True
            left -= len(entries)
    return False


def tally_entries(entries: Any, addresses: Mapping[Side, SideAddress], tallies: Mapping[Side, Tally]) -> None:
    """Count each log entry (a bare protobuf message) for every side it belongs to."""
    for entry in entries:
        if not entry.HasField("http_request"):
            continue
        answer = entry.http_request
        latency = latency_ms(answer)
        for side, address in addresses.items():
            if belongs(entry.resource.labels, address):
                tallies[side].count(answer.status, latency)
