"""Reading every source of evidence at once, each with a deadline of its own and each failing by itself."""

import asyncio
import re
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from bot.domain.configuration import Configuration
from bot.domain.evidence_read import EvidenceRead, Occasion, Refusal
from bot.domain.faults import CloudFault
from bot.domain.first_reading import Clients
from bot.domain.guide import Does
from bot.domain.last_hour import HOUR
from bot.domain.log_lines import SYSTEM_FILTER, LogLines, canary_filter
from bot.domain.observation import MinutesRead, Tally
from bot.domain.playbook import Playbook
from bot.domain.readings import ProbeResult, Reading, RequestCounts, Side
from bot.domain.traffic import SideAddress, TargetState
from bot.usecases.look_at_target import LOG_WINDOW
from bot.usecases.ports import Cloud, LogReader, Metrics, Prober, RequestLog, RequestStream
from bot.usecases.read_sources import addresses

T = TypeVar("T")

#: No source is waited for longer; the others are kept all the same.
SOURCE_SECONDS = 20.0
NO_ANSWER = f"no answer within {SOURCE_SECONDS:g} s"
NO_LOG = "the request log could not be read"
#: Why the canary is not probed: traffic reaches it through the shared address only.
NO_ADDRESS = "it has no address of its own: its revision carries no traffic tag"
#: Requests to each side's health address, and between two of them. They are seen in the request log.
PROBES, PROBE_PAUSE_MS = 5, 100
#: How many lines a file holds where the playbook does not say (guide: 100), and how many error lines of
#: each side the statistics are made of: Google gives no more at once.
USUAL_LINES, STATISTICS_LINES = 100, 1000
#: The guide's filters, for a playbook without them. Source: guide, "Cause analysis" and scenario 2.
ERROR_FILTER = "resource.type=cloud_run_revision AND severity=ERROR"
SLOW_FILTER = "resource.type=cloud_run_revision AND jsonPayload.latency_ms > 500"
#: The platform's own latency, for applications that log none under the guide's name
#: (reference/cloud-run-and-canary.md, C.4).
SLOW_REQUEST = 'resource.type="cloud_run_revision" AND httpRequest.latency>"0.5s"'
#: By which keys the playbook's evidence and scenario 2's look for slow requests are found.
ERROR_LOGS, SLOW_REQUESTS = "error_logs", "slow_requests"
_EXACTLY_ERROR = re.compile(r'\bseverity\s*=\s*"?ERROR"?(?=\W|$)')
_SERVICE, _REVISION = "resource.labels.service_name", "resource.labels.revision_name"


@dataclass(frozen=True, kw_only=True)
class Sources:
    """Everything evidence is read from."""

    cloud: Cloud
    metrics: Metrics
    requests: RequestLog
    logs: LogReader
    stream: RequestStream
    prober: Prober


async def read_all(
    occasion: Occasion, playbook: Playbook, sources: Sources, *, state: TargetState | Refusal | None = None
) -> EvidenceRead:
    """Read all sources at once. Never raises because of a source.

    Args:
        playbook: the incident's edition, for its filters.
        state: Cloud Run's, where it was read just now.
    """
    reader = _Reader(occasion, playbook, sources)
    async with asyncio.TaskGroup() as group:
        looked = group.create_task(reader.state() if state is None else _known(state))
        errors = group.create_task(reader.error_logs())
        slow = group.create_task(reader.slow_requests())
        readings = group.create_task(reader.readings())
        counts = group.create_task(reader.counts())
        minutes = group.create_task(reader.minutes())
        configurations = group.create_task(reader.configurations())
        probed = group.create_task(reader.probes(looked))
        lines = group.create_task(reader.error_lines())
        system = group.create_task(reader.system())
        endpoints = group.create_task(reader.endpoints())
        clients = group.create_task(reader.clients())
    probes, unprobed = probed.result()
    return EvidenceRead(
        error_logs=errors.result(),
        slow_requests=slow.result(),
        readings=readings.result(),
        counts=counts.result(),
        minutes=minutes.result(),
        state=looked.result(),
        configurations=configurations.result(),
        probes=probes,
        unprobed=unprobed,
        error_lines=lines.result(),
        system=system.result(),
        endpoints=endpoints.result(),
        clients=clients.result(),
    )


async def in_time(reading: Awaitable[T]) -> T | Refusal:
    """Return what `reading` gives, or why it gives nothing."""
    try:
        async with asyncio.timeout(SOURCE_SECONDS):
            return await reading
    except TimeoutError:
        return Refusal(why=NO_ANSWER)
    except CloudFault as fault:
        return Refusal(why=f"{fault.kind}: {fault.detail}"[:500])


def at_least_errors(written: str) -> str:
    """Return a filter that finds CRITICAL and worse where it asks for ERROR: ``gcloud`` readers mean that.

    Source: reference/cloud-run-and-canary.md, C.4.
    """
    return _EXACTLY_ERROR.sub("severity>=ERROR", written)


def side_filter(side: SideAddress) -> str:
    """Return the filter for the error lines of one side."""
    written = f'resource.type="cloud_run_revision" AND severity>=ERROR AND {_SERVICE}="{side.service}"'
    return f'{written} AND {_REVISION}="{side.revision}"' if side.revision else written


async def _known(state: TargetState | Refusal) -> TargetState | Refusal:
    return state


class _Reader:
    """Reads each source for one occasion, in time."""

    def __init__(self, occasion: Occasion, playbook: Playbook, sources: Sources) -> None:
        self._occasion = occasion
        self._playbook = playbook
        self._sources = sources
        both = {Side.CANARY: occasion.sides.canary, Side.STABLE: occasion.sides.stable}
        self._sides: dict[Side, SideAddress] = {side: where for side, where in both.items() if where}

    async def state(self) -> TargetState | Refusal:
        return await in_time(self._sources.cloud.look(self._occasion.target))

    async def error_logs(self) -> LogLines | Refusal:
        plan = next((one for one in self._playbook.analysis.evidence if one.key == ERROR_LOGS), None)
        written = at_least_errors((plan.filter if plan else None) or ERROR_FILTER)
        return await self._entries(self._of_target(written), limit=(plan and plan.limit) or USUAL_LINES)

    async def slow_requests(self) -> LogLines | Refusal:
        actions = (action for scenario in self._playbook.scenarios for action in scenario.actions)
        look = next((a for a in actions if a.does is Does.LOGS and a.key == SLOW_REQUESTS), None)
        guides = (look.filter if look else None) or SLOW_FILTER
        return await self._entries(self._of_target(f"({guides}) OR ({SLOW_REQUEST})"), limit=USUAL_LINES)

    async def error_lines(self) -> dict[Side, LogLines | Refusal]:
        return await _each(
            {side: self._counted_entries(side_filter(where)) for side, where in self._sides.items()}
        )

    async def system(self) -> LogLines | Refusal:
        return await self._counted_entries(self._of_target(SYSTEM_FILTER))

    async def readings(self) -> tuple[Reading, ...] | Refusal:
        on = self._occasion
        return await in_time(self._sources.metrics.read(on.target, on.sides, now=on.until))

    async def counts(self) -> Mapping[Side, RequestCounts] | Refusal:
        on = self._occasion
        since = on.until - LOG_WINDOW
        return await in_time(self._sources.requests.count(on.target, on.sides, since=since, until=on.until))

    async def minutes(self) -> MinutesRead | Refusal:
        on = self._occasion
        return await in_time(self._sources.metrics.minutes(on.target, since=on.until - HOUR, until=on.until))

    async def configurations(self) -> dict[Side, Configuration | Refusal]:
        target, cloud = self._occasion.target, self._sources.cloud
        return await _each(
            {side: in_time(cloud.configuration(target, where)) for side, where in self._sides.items()}
        )

    async def endpoints(self) -> dict[Side, Mapping[str, Tally] | Refusal]:
        return await _each({side: self._endpoints_of(where) for side, where in self._sides.items()})

    async def _endpoints_of(self, where: SideAddress) -> Mapping[str, Tally] | Refusal:
        on = self._occasion
        found = await in_time(
            self._sources.stream.endpoints(on.target, where, since=on.counted_since, until=on.until)
        )
        return Refusal(why=NO_LOG) if found is None else found

    async def clients(self) -> Clients | Refusal | None:
        on, canary = self._occasion, self._sides.get(Side.CANARY)
        if canary is None:
            return None
        found = await in_time(
            self._sources.logs.clients(on.target, canary, since=on.counted_since, until=on.until)
        )
        return Refusal(why=NO_LOG) if found is None else found

    async def probes(
        self, looked: Awaitable[TargetState | Refusal]
    ) -> tuple[dict[Side, ProbeResult | Refusal], dict[Side, str]]:
        """Ask both sides' health addresses, which Cloud Run knows; and why one was not asked."""
        on, state = self._occasion, await looked
        if isinstance(state, Refusal):
            return {Side.STABLE: state}, {}
        where = addresses(on.target, state, canary=on.canary, stable=on.stable)
        urls = {Side.STABLE: where.stable} | ({Side.CANARY: where.canary} if where.canary else {})
        unprobed = {Side.CANARY: NO_ADDRESS} if on.canary and not where.canary else {}
        probe = self._sources.prober.probe
        asks = {
            side: in_time(probe(url, side, requests=PROBES, pause_ms=PROBE_PAUSE_MS))
            for side, url in urls.items()
        }
        return await _each(asks), unprobed

    def _of_target(self, written: str) -> str:
        return canary_filter(written, self._occasion.sides.canary, self._occasion.sides)

    async def _counted_entries(self, written: str) -> LogLines | Refusal:
        """Return what the first reading counts."""
        return await self._entries(written, limit=STATISTICS_LINES, since=self._occasion.counted_since)

    async def _entries(
        self, written: str, *, limit: int, since: datetime | None = None
    ) -> LogLines | Refusal:
        on = self._occasion
        return await in_time(
            self._sources.logs.entries(
                on.target,
                written,
                limit=min(limit, STATISTICS_LINES),
                since=since or on.since,
                until=on.until,
            )
        )


async def _each(readings: Mapping[Side, Awaitable[T]]) -> dict[Side, T]:
    """Await them all at once."""
    return dict(zip(readings, await asyncio.gather(*readings.values()), strict=True))
