"""Cloud Logging: what each side answered in a window, and the lines that a filter finds."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from copy import copy
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
from bot.adapters.log_reads import Call, ReadsOfProjects
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
from bot.domain.faults import CloudFault, FaultKind
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
        self._stands_back = False

    def standing_back(self) -> "CloudLogging":
        """Return one with the same connection, for a machine that looks again soon: others read first."""
        other = copy(self)
        other._stands_back = True
        return other

    async def close(self) -> None:
        """Close the connection."""
        await self._google.close()

    async def count(
        self, target: Target, sides: Sides, *, since: datetime, until: datetime, only: Side | None = None
    ) -> dict[Side, RequestCounts]:
        """See `RequestLog.count`. Both sides are counted in one call.

        Beyond `MOST_ENTRIES`, or what the quota has left, the newest ones are counted, of both sides, so
        their shares stay true.
        """
        both = {Side.CANARY: sides.canary, Side.STABLE: sides.stable}
        asked = both if only is None else {only: both[only]}
        addresses = {side: address for side, address in asked.items() if address is not None}
        tallies = {side: Tally() for side in addresses}
        truncated, problem = False, None
        try:
            with faults_named("read the request log"):
                project = project_of(target, self._project)
                client = await self._google.client(logging_client)
                written = request_log_filter(project, target.region, addresses, since=since, until=until)
                request = list_request(project, written, page_size=PAGE_SIZE)
                call = self._in_turn(project, client)
                async with asyncio.timeout(COUNT_SECONDS):
                    truncated = await _tally_all(call, request, addresses, tallies)
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
                call = self._in_turn(project, client)
                async with asyncio.timeout(COUNT_SECONDS):
                    lines, more = await _newest(call, request, limit=limit)
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
                call = self.standing_back()._in_turn(project, client)
                async with asyncio.timeout(COUNT_SECONDS):
                    return await count_clients(call, request, side)
        except CloudFault as fault:
            log.warning("clients_not_counted", service=side.service, fault=in_one_line(fault))
            return None

    def _in_turn(self, project: str, client: "LoggingServiceV2AsyncClient") -> Call:
        reads = self._reads.of(project)
        return reads.waiting(
            client.list_log_entries, reads.wait_for_spare if self._stands_back else reads.first
        )


async def _newest(call: Call, request: Any, *, limit: int) -> tuple[tuple[LogLine, ...], bool]:
    """Return the first `limit` lines, and whether there are more."""
    found: list[LogLine] = []
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
    call: Call, request: Any, addresses: Mapping[Side, SideAddress], tallies: Mapping[Side, Tally]
) -> bool:
    """Count entries into `tallies`; return True when there were more than may be counted."""
    left = MOST_ENTRIES
    try:
        async with aclosing(pages(call, request, timeout_seconds=PAGE_SECONDS)) as listing:
            async for page in listing:
                # The bare protobuf messages: the wrappers cost the event loop much more.
                entries = page.entries.pb
                tally_entries(entries[:left], addresses, tallies)
                if len(entries) > left or (len(entries) == left and page.next_page_token):
                    return True
                left -= len(entries)
    except CloudFault as fault:
        # Our own line is too long for another page: the newest entries are counted, and say enough.
        if fault.kind is not FaultKind.QUOTA or left == MOST_ENTRIES:
            raise
        return True
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
