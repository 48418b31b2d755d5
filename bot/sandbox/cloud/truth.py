"""What really happened to the users, counted at the service: what a record's figures are held against."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from bot.sandbox.cloud.ledger import LineWritten, RequestSeen

#: More than the log keeps.
MOST_KEPT = 100_000
#: Who asks by this name is the bot and no user.
_OUR_OWN = "backout/"


@dataclass(frozen=True, kw_only=True)
class Truth:
    """One revision in a time span. `errors` are answers of class 5xx, `latencies_ms` are sorted.

    `clients` are distinct addresses, `failing_clients` those with at least one error. `endings` is what
    Cloud Run wrote about its containers, oldest first, and `kills` how many of those ran out of memory.
    """

    requests: int
    errors: int
    latencies_ms: tuple[float, ...]
    clients: int
    failing_clients: int
    endings: tuple[str, ...]

    @property
    def kills(self) -> int:
        """How many containers were killed for their memory."""
        return sum(text.startswith("Memory limit") for text in self.endings)

    def percentile_ms(self, percent: float) -> float | None:
        """Return the latency that `percent` of the requests do not exceed, None without requests."""
        if not self.latencies_ms:
            return None
        place = max(-(-len(self.latencies_ms) * percent // 100), 1)
        return self.latencies_ms[int(place) - 1]


class Accounts:
    """Keeps every request and everything the platform wrote, probes of the bot left out."""

    def __init__(self) -> None:
        self._requests: deque[RequestSeen] = deque(maxlen=MOST_KEPT)
        self._endings: deque[LineWritten] = deque(maxlen=MOST_KEPT)

    def saw_request(self, seen: RequestSeen) -> None:
        """Keep a request of a user."""
        if _OUR_OWN not in seen.user_agent:
            self._requests.append(seen)

    def saw_line(self, line: LineWritten) -> None:
        """Keep what the platform wrote."""
        if line.by_platform:
            self._endings.append(line)

    def clear(self) -> None:
        """Forget everything."""
        self._requests.clear()
        self._endings.clear()

    def truth(
        self, service: str, revision: str, *, since: datetime, until: datetime | None, path: str | None
    ) -> Truth:
        """Return what happened in ``since`` <= t < ``until``, by the requests' arrival."""
        mine = [
            seen
            for seen in self._requests
            if (seen.service, seen.revision) == (service, revision)
            and _within(seen.at, since, until)
            and (path is None or _path(seen.url) == path)
        ]
        failed = [seen for seen in mine if seen.status >= 500]
        return Truth(
            requests=len(mine),
            errors=len(failed),
            latencies_ms=tuple(sorted(seen.latency_ms for seen in mine)),
            clients=_distinct(mine),
            failing_clients=_distinct(failed),
            endings=tuple(
                line.message
                for line in self._endings
                if (line.service, line.revision) == (service, revision) and _within(line.at, since, until)
            ),
        )


def _within(at: datetime, since: datetime, until: datetime | None) -> bool:
    return since <= at and (until is None or at < until)


def _path(url: str) -> str:
    return "/" + url.partition("://")[2].partition("/")[2].partition("?")[0]


def _distinct(requests: Iterable[RequestSeen]) -> int:
    return len({seen.client for seen in requests if seen.client})
