"""Cloud Monitoring: the newest aligned minute of every metric, for each side of a split."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from bot.adapters.google import (
    GoogleConnection,
    GoogleEndpoint,
    faults_named,
    in_one_line,
    pages,
    project_of,
)
from bot.adapters.monitoring_messages import (
    QUERIES,
    Answer,
    Point,
    Query,
    Scope,
    Window,
    points_of,
    reading_of,
    time_series_request,
)
from bot.adapters.monitoring_minutes import MINUTE_QUERIES, minutes_read
from bot.domain.faults import CloudFault
from bot.domain.observation import MinutesRead
from bot.domain.playbook import Target
from bot.domain.readings import Metric, Reading, Side
from bot.domain.traffic import SideAddress, Sides
from bot.usecases.ports import Metrics

if TYPE_CHECKING:
    from google.cloud import monitoring_v3

#: For one page of one metric.
PAGE_SECONDS = 5.0
#: For one metric, however many pages it has.
METRIC_SECONDS = 10.0
#: The same for more than `SHORT`: a week is read for somebody who has time.
LONG_PAGE_SECONDS, LONG_METRIC_SECONDS = 20.0, 60.0
SHORT = timedelta(hours=2)
#: Reading more at once would hold up the event loop.
PAGE_POINTS = 10_000


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long one metric, and one page of it, may take."""

    page_seconds: float
    metric_seconds: float

    @classmethod
    def over(cls, window: Window) -> "Patience":
        """Return what is right for so long a window."""
        if window.until - window.since <= SHORT:
            return cls(page_seconds=PAGE_SECONDS, metric_seconds=METRIC_SECONDS)
        return cls(page_seconds=LONG_PAGE_SECONDS, metric_seconds=LONG_METRIC_SECONDS)


def _metrics_client() -> "type[monitoring_v3.MetricServiceAsyncClient]":
    from google.cloud.monitoring_v3 import MetricServiceAsyncClient

    return MetricServiceAsyncClient


class CloudMonitoring(Metrics):
    """The Cloud Monitoring API v3.

    Args:
        endpoint: the setting ``CLOUD_MONITORING_ENDPOINT``, see `GoogleEndpoint.parse`.
        project: Google Cloud project of targets that name none.
    """

    def __init__(self, endpoint: str, project: str) -> None:
        self._google = GoogleConnection(GoogleEndpoint.parse(endpoint, setting="CLOUD_MONITORING_ENDPOINT"))
        self._project = project

    async def close(self) -> None:
        """Close the connection."""
        await self._google.close()

    async def read(self, target: Target, sides: Sides, *, now: datetime) -> tuple[Reading, ...]:
        """See `Metrics.read`. One call for each metric of each service, all at once."""
        window = Window.before(now)
        patience = Patience.over(window)
        addresses = _addresses(sides)
        asked = [(m, s) for s in {Scope.of(a) for a in addresses.values()} for m in Metric]
        answers = dict(
            zip(
                asked,
                await asyncio.gather(
                    *(self._ask(target, QUERIES[metric], scope, window, patience) for metric, scope in asked)
                ),
                strict=True,
            )
        )
        return tuple(
            reading_of(
                metric,
                side,
                answers[metric, Scope.of(address)],
                address,
                requests=answers[Metric.ERROR_RATE, Scope.of(address)],
                window=window,
            )
            for side, address in addresses.items()
            for metric in Metric
        )

    async def minutes(self, target: Target, *, since: datetime, until: datetime) -> MinutesRead:
        """See `Metrics.minutes`. One call for each metric of each service, all at once."""
        window = Window.of_minutes(since, until)
        if window.since >= window.until:
            return MinutesRead()
        patience = Patience.over(window)
        asked = [(query, scope) for scope in _scopes(target) for query in MINUTE_QUERIES]
        answers = await asyncio.gather(
            *(self._ask(target, query, scope, window, patience) for query, scope in asked)
        )
        return minutes_read([(query, a) for (query, _), a in zip(asked, answers, strict=True)], window)

    async def _ask(
        self, target: Target, query: Query, scope: Scope, window: Window, patience: Patience
    ) -> Answer:
        try:
            with faults_named(f"read {query.name} of {scope.service}"):
                project = project_of(target, self._project)
                client = await self._google.client(_metrics_client)
                request = time_series_request(
                    query, scope, window, project=project, region=target.region, page_size=PAGE_POINTS
                )
                async with asyncio.timeout(patience.metric_seconds):
                    return await _answer(client, request, scope, page_seconds=patience.page_seconds)
        except CloudFault as fault:
            return Answer(problem=in_one_line(fault))


async def _answer(
    client: "monitoring_v3.MetricServiceAsyncClient",
    request: "monitoring_v3.ListTimeSeriesRequest",
    scope: Scope,
    *,
    page_seconds: float,
) -> Answer:
    points: list[Point] = []
    problem = None
    async for page in pages(client.list_time_series, request, timeout_seconds=page_seconds):
        for error in page.execution_errors:
            problem = problem or f"incomplete data: {error.message}"
        for series in page.time_series.pb:
            points.extend(points_of(series, scope))
    return Answer(points=tuple(points), problem=problem)


def _scopes(target: Target) -> tuple[Scope, ...]:
    """Return what the minutes of a target are about: its revisions, or its two services."""
    if target.canary_service is None:
        return (Scope(service=target.service, by_revision=True),)
    services = (target.canary_service, target.service)
    return tuple(Scope(service=service, by_revision=False) for service in services)


def _addresses(sides: Sides) -> dict[Side, SideAddress]:
    """Each side that is there, the canary first."""
    canary = {Side.CANARY: sides.canary} if sides.canary is not None else {}
    return {**canary, Side.STABLE: sides.stable}
