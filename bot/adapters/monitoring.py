"""Cloud Monitoring: the newest aligned minute of every metric, for each side of a split."""

import asyncio
from datetime import datetime
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
    Answer,
    Point,
    Scope,
    Window,
    points_of,
    reading_of,
    time_series_request,
)
from bot.domain.faults import CloudFault
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
        addresses = _addresses(sides)
        asked = [(m, s) for s in {Scope.of(a) for a in addresses.values()} for m in Metric]
        answers = dict(
            zip(
                asked,
                await asyncio.gather(*(self._ask(target, metric, scope, window) for metric, scope in asked)),
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

    async def _ask(self, target: Target, metric: Metric, scope: Scope, window: Window) -> Answer:
        try:
            with faults_named(f"read {metric} of {scope.service}"):
                project = project_of(target, self._project)
                client = await self._google.client(_metrics_client)
                request = time_series_request(metric, scope, window, project=project, region=target.region)
                async with asyncio.timeout(METRIC_SECONDS):
                    return await _answer(client, request, scope)
        except CloudFault as fault:
            return Answer(problem=in_one_line(fault))


async def _answer(
    client: "monitoring_v3.MetricServiceAsyncClient",
    request: "monitoring_v3.ListTimeSeriesRequest",
    scope: Scope,
) -> Answer:
    points: list[Point] = []
    problem = None
    async for page in pages(client.list_time_series, request, timeout_seconds=PAGE_SECONDS):
        for error in page.execution_errors:
            problem = problem or f"incomplete data: {error.message}"
        for series in page.time_series:
            points.extend(points_of(series, scope))
    return Answer(points=tuple(points), problem=problem)


def _addresses(sides: Sides) -> dict[Side, SideAddress]:
    """Each side that is there, the canary first."""
    canary = {Side.CANARY: sides.canary} if sides.canary is not None else {}
    return {**canary, Side.STABLE: sides.stable}
