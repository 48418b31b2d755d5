"""What really happened: every request an ingress answered, every line a container wrote."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestSeen:
    """One request as the ingress saw it.

    `latency_ms` is from the request's arrival to the answer's departure, `at` the arrival (UTC), `client`
    the address it came from. `startup_ms` of the latency went by until an instance was up.
    `reached` is False when no container answered: such a request is in the log, but Cloud
    Monitoring's request_count leaves it out.
    """

    service: str
    revision: str
    method: str
    url: str
    status: int
    latency_ms: float
    at: datetime
    trace: str
    user_agent: str
    reached: bool
    client: str = ""
    startup_ms: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LineWritten:
    """One line a container wrote; structured when `latency_ms` is known, plain text otherwise.

    `by_platform` is True where Cloud Run wrote it about the container.
    """

    service: str
    revision: str
    severity: str
    message: str
    at: datetime
    trace: str
    path: str
    method: str = ""
    latency_ms: float | None = None
    by_platform: bool = False


class Witness(Protocol):
    """Somebody who keeps some of it."""

    def saw_request(self, seen: RequestSeen) -> None:
        """Take note of an answered request, right after its answer."""

    def saw_line(self, line: LineWritten) -> None:
        """Take note of a line, right after it was written."""


class Ledger:
    """Tells every witness."""

    def __init__(self, *witnesses: Witness) -> None:
        self._witnesses = witnesses

    def request(self, seen: RequestSeen) -> None:
        """Report an answered request."""
        for witness in self._witnesses:
            witness.saw_request(seen)

    def line(self, line: LineWritten) -> None:
        """Report a written line."""
        for witness in self._witnesses:
            witness.saw_line(line)
