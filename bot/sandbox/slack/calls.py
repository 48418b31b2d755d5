"""The log of Web API calls, for whoever wants to know what the bot did."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Call:
    """One Web API call. `at` is in epoch seconds; `response` is None when the connection was dropped."""

    method: str
    params: dict[str, Any]
    response: dict[str, Any] | None
    at: float
    status: int = 200
