"""The last seconds of traffic per revision, for the sandbox's page."""

import time
from collections import deque
from dataclasses import dataclass

from bot.sandbox.cloud.ledger import LineWritten, RequestSeen

#: How far the page looks back.
WINDOW_SECONDS = 10.0


@dataclass(frozen=True, kw_only=True)
class Rates:
    """One revision's last `WINDOW_SECONDS`; without requests nothing is known of errors and P95."""

    requests_per_second: float
    error_percent: float | None
    p95_ms: float | None


class RecentTraffic:
    """Keeps `WINDOW_SECONDS` of requests."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, RequestSeen]] = deque()
        self._since = time.monotonic()

    def saw_request(self, seen: RequestSeen) -> None:
        now = time.monotonic()
        self._seen.append((now, seen))
        self._forget(now)

    def saw_line(self, line: LineWritten) -> None:
        """Lines do not count."""

    def clear(self) -> None:
        """Forget everything."""
        self._seen.clear()
        self._since = time.monotonic()

    def rates(self, service: str, revision: str) -> Rates:
        """Return what `revision` of `service` did in the last `WINDOW_SECONDS`, or since the start."""
        now = time.monotonic()
        self._forget(now)
        mine = [s for _, s in self._seen if s.service == service and s.revision == revision]
        if not mine:
            return Rates(requests_per_second=0.0, error_percent=None, p95_ms=None)
        ordered = sorted(s.latency_ms for s in mine)
        return Rates(
            requests_per_second=len(mine) / max(min(now - self._since, WINDOW_SECONDS), 1.0),
            error_percent=100 * sum(s.status >= 500 for s in mine) / len(mine),
            p95_ms=ordered[max(-(-len(ordered) * 95 // 100), 1) - 1],
        )

    def _forget(self, now: float) -> None:
        while self._seen and self._seen[0][0] < now - WINDOW_SECONDS:
            self._seen.popleft()
