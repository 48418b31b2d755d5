"""What the use-cases need from the world, in their own words. Adapters keep these promises."""

from datetime import datetime
from typing import Protocol

from bot.domain.playbook import Target
from bot.domain.readings import ProbeResult, Reading, RequestCounts, Side
from bot.domain.rollback import Write
from bot.domain.traffic import Sides, TargetState


class Clock(Protocol):
    """Tells the time."""

    def __call__(self) -> datetime:
        """Return now, aware, UTC."""


class Cloud(Protocol):
    """Cloud Run. Every method raises `CloudFault` and nothing else when Google does not oblige."""

    async def look(self, target: Target) -> TargetState:
        """Return the services of `target` as they are now, with the revisions of `switch`.

        On topology ``services`` a canary service that does not exist is None in the answer; a
        missing router or stable service raises `CloudFault` (NOT_FOUND).
        """

    async def write(self, target: Target, write: Write, *, state: TargetState) -> None:
        """Send one minimal `UpdateService` and return once Google has accepted it.

        Does not wait for it to take effect and does not retry. `state` is what was just read; its
        etag goes along. Refuses (ValueError) whatever does not add to 100 % or names LATEST.
        """

    async def missing_permissions(self, target: Target) -> frozenset[str]:
        """Return those of ``run.services.get`` and ``run.services.update`` that we do not hold."""


class Metrics(Protocol):
    """Cloud Monitoring: the official numbers, minutes late."""

    async def read(self, target: Target, sides: Sides, *, now: datetime) -> tuple[Reading, ...]:
        """Return the newest aligned minute of every metric for each side in `sides`, never raising.

        Always one reading for each metric of each side. A source that fails or holds nothing is a
        reading without a value (see `Reading.problem`); its window is the one that was asked for.
        """


class RequestLog(Protocol):
    """Cloud Logging's request log: real users, seconds late."""

    async def count(
        self, target: Target, sides: Sides, *, since: datetime, until: datetime
    ) -> dict[Side, RequestCounts]:
        """Return what each side in `sides` answered in the window, never raising.

        A log that could not be read is an entry with `RequestCounts.problem`.
        """


class Prober(Protocol):
    """Asks a service's health URL itself."""

    async def probe(self, url: str, side: Side, *, requests: int, pause_ms: int) -> ProbeResult:
        """Send `requests` GETs one after another, 30 s time-out each, never raising.

        Follows no redirects and reads at most 64 KiB of an answer.
        """
