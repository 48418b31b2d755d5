"""Which endpoint a request was for: method and path, without the query and without ids."""

import re
from typing import Any
from urllib.parse import urlsplit

from bot.adapters.log_buckets import Counted
from bot.adapters.request_log import latency_ms
from bot.domain.observation import Tally

#: How many endpoints are told apart; whatever comes after them is `OTHER`.
MOST_ENDPOINTS = 50
OTHER = "other"
#: A longer path says no more to anybody.
LONGEST_PATH = 200

_ID = re.compile(r"\d+|[0-9a-f]{8,}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def endpoint(method: str, url: str) -> str:
    """Return such as ``GET /api/session/{id}``."""
    return f"{method or 'GET'} {path_of(url)}"


def path_of(url: str) -> str:
    """Return such as ``/api/session/{id}``.

    Digits, UUIDs and eight or more hexadecimal digits between two slashes are ids.
    """
    try:
        path = urlsplit(url).path
    except ValueError:
        path = ""
    parts = ("{id}" if _ID.fullmatch(part) else part for part in path[:LONGEST_PATH].split("/"))
    return "/".join(parts) or "/"


class Endpoints:
    """What each endpoint answered. `entries` counts the log's, whether they were requests or not."""

    def __init__(self) -> None:
        self.entries = 0
        self._counted: dict[str, Counted] = {}

    def count(self, entry: Any) -> None:
        """Count a log entry (a bare protobuf message)."""
        self.entries += 1
        if not entry.HasField("http_request"):
            return
        answer = entry.http_request
        name = endpoint(answer.request_method, answer.request_url)
        if name not in self._counted and len(self._counted) >= MOST_ENDPOINTS:
            name = OTHER
        self._counted.setdefault(name, Counted()).count(answer.status, latency_ms(answer))

    def tallies(self) -> dict[str, Tally]:
        """Return them, the busiest first."""
        by_requests = sorted(self._counted.items(), key=lambda item: -item[1].requests)
        return {name: counted.tally() for name, counted in by_requests}
