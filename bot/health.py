"""How we are: alive, ready, and a few numbers for Prometheus."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from bot.adapters.database.counts import Counts, count, is_migrated
from bot.bootstrap import House
from bot.domain.rollback import RollbackState

#: Shorter than the second after which Cloud Run and Kubernetes take silence for an answer.
ANSWER_WITHIN_SECONDS = 0.8
#: Source: prometheus.io, "Exposition formats", text-based format.
PROMETHEUS_TEXT = "text/plain; version=0.0.4; charset=utf-8"


class NotWell(Exception):
    """What keeps us from working, in a few words without addresses or secrets."""


@dataclass(frozen=True, kw_only=True)
class Gauge:
    """One number that goes up and down, or one for each value of `label`."""

    name: str
    help: str
    values: Mapping[str, int]
    label: str | None = None

    def __str__(self) -> str:
        samples = (f"{self.name}{self._labels(value)} {number}" for value, number in self.values.items())
        head = (f"# HELP {self.name} {self.help}", f"# TYPE {self.name} gauge")
        return "\n".join((*head, *samples))

    def _labels(self, value: str) -> str:
        if self.label is None:
            return ""
        escaped = value.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")
        return f'{{{self.label}="{escaped}"}}'


def health_routes(house: House, *, within_seconds: float = ANSWER_WITHIN_SECONDS) -> list[Route]:
    """Return ``/healthz``, ``/readyz`` and ``/metrics``.

    Args:
        house: whose health it is.
        within_seconds: how long the database may take before it counts as down.
    """

    async def healthz(_: Request) -> Response:
        return PlainTextResponse("alive\n")

    async def readyz(_: Request) -> Response:
        try:
            await _check(house, within_seconds)
        except NotWell as problem:
            return JSONResponse({"ready": False, "problems": [str(problem)]}, status_code=503)
        return JSONResponse({"ready": True, "problems": []})

    async def metrics(_: Request) -> Response:
        try:
            text = await _metrics(house, within_seconds)
        except NotWell as problem:
            return PlainTextResponse(f"{problem}\n", status_code=503)
        return Response(text, media_type=PROMETHEUS_TEXT)

    return [Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", metrics)]


async def _check(house: House, within_seconds: float) -> None:
    """Raise `NotWell` unless the database answers and somebody works on it."""
    try:
        async with asyncio.timeout(within_seconds):
            if not await house.database.read(is_migrated):
                raise NotWell("the database has no tables: run backout migrate")
            if not await house.durable.workers_alive():
                raise NotWell("no worker is running")
    except (SQLAlchemyError, OSError) as error:
        raise _no_answer(error) from error


async def _metrics(house: House, within_seconds: float) -> str:
    """Return the numbers in Prometheus' text format. Raises `NotWell`."""
    try:
        async with asyncio.timeout(within_seconds):
            counts = await house.database.read(count)
            workers = await house.durable.count_workers()
    except (SQLAlchemyError, OSError) as error:
        raise _no_answer(error) from error
    gauges = _gauges(counts, workers, targets=house.playbooks.current().targets)
    return "".join(f"{gauge}\n" for gauge in gauges)


def _no_answer(error: Exception) -> NotWell:
    if isinstance(error, TimeoutError):
        return NotWell("the database does not answer in time")
    return NotWell(f"the database cannot be reached: {type(error).__name__}")


def _gauges(counts: Counts, workers: int, *, targets: Mapping[str, object]) -> list[Gauge]:
    """Name the numbers. What could be counted and is not there is 0, so that an alert can rely on it."""
    return [
        Gauge(
            name="backout_rollbacks",
            help="Rollbacks by the state they are in now.",
            label="state",
            values=dict.fromkeys(RollbackState, 0) | dict(counts.rollbacks),
        ),
        Gauge(
            name="backout_incidents_open",
            help="Open incidents by target.",
            label="target",
            values=dict.fromkeys(targets, 0) | dict(counts.open_incidents),
        ),
        Gauge(
            name="backout_messages_waiting",
            help="Messages of which Slack has not seen the newest state.",
            values={"": counts.messages_waiting},
        ),
        Gauge(
            name="backout_workers_alive",
            help="Processes that run the durable work on this database.",
            values={"": workers},
        ),
    ]
