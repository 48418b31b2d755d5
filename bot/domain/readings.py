"""Readings: one number about one side, with where it came from, over how much, and how old it is."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class Side(StrEnum):
    """Which half of the traffic split a reading is about."""

    CANARY = "canary"
    STABLE = "stable"


class Metric(StrEnum):
    """The guide's metrics, "Metrics to watch during a deployment"."""

    ERROR_RATE = "error_rate"
    P95 = "p95"
    MEMORY = "memory"
    CPU = "cpu"

    @property
    def unit(self) -> str:
        """``%`` (0 to 100, never a ratio) or ``ms``."""
        return "ms" if self is Metric.P95 else "%"


class Source(StrEnum):
    """Where a number was read."""

    MONITORING = "monitoring"
    REQUEST_LOG = "request_log"
    PROBE = "probe"
    CLOUD_RUN = "cloud_run"


@dataclass(frozen=True, kw_only=True)
class Reading:
    """One metric of one side over one window.

    ``value`` is in ``metric.unit``; None means that no number could be read, and ``problem`` says
    why in one line (None there: the source answered, but held no data). A missing value is never
    zero and never green.

    ``sample`` counts what the value was made of: requests for error rate and P95, points for
    memory and CPU. ``errors`` is the numerator of an error rate (responses of class 5xx).
    ``since`` and ``until`` bound the window, aware, UTC.
    """

    metric: Metric
    side: Side
    source: Source
    value: float | None
    sample: int
    since: datetime
    until: datetime
    errors: int | None = None
    problem: str | None = None

    def age(self, *, now: datetime) -> timedelta:
        """Return how old the newest data in this reading is; never negative."""
        return max(now - self.until, timedelta())


@dataclass(frozen=True, kw_only=True)
class RequestCounts:
    """What the request log held for one side in one window (``since`` <= t < ``until``, UTC).

    ``latencies_ms`` are all latencies in the window, milliseconds, in no order. ``truncated`` is set when
    only the newest entries were counted, of whichever side: shares are true, and a side without any may
    have had some. ``problem`` is set when the log could not be read; then the counts say nothing.
    """

    side: Side
    since: datetime
    until: datetime
    requests: int
    errors: int
    latencies_ms: tuple[float, ...] = ()
    truncated: bool = False
    problem: str | None = None


@dataclass(frozen=True, kw_only=True)
class ProbeResult:
    """What a handful of requests to one health URL answered.

    ``failures`` counts answers outside 2xx and requests without an answer; 429 and answers with
    ``Retry-After`` are in ``throttled`` and are not failures (the service asked us to slow down).
    ``latencies_ms`` holds the latency of each answered request. ``status`` is the newest answer's HTTP
    status. ``problem`` is the last failure in words.
    """

    side: Side
    url: str
    sent: int
    failures: int
    throttled: int
    latencies_ms: tuple[float, ...]
    since: datetime
    until: datetime
    status: int | None = None
    problem: str | None = None

    @property
    def answered_well(self) -> int:
        """Requests that got a 2xx."""
        return self.sent - self.failures - self.throttled


def percentile(values: tuple[float, ...], percent: float) -> float | None:
    """Return the nearest-rank percentile of ``values``, None when there are none.

    Args:
        values: numbers in any order.
        percent: 0 < percent <= 100.
    """
    if not values:
        return None
    ordered = sorted(values)
    rank = -(-len(ordered) * percent // 100)
    return ordered[max(int(rank), 1) - 1]
