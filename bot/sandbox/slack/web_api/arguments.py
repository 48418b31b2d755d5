"""The arguments of a Web API call, as strings from a form or as values from JSON; and Slack's errors."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]


class ApiError(Exception):
    """Slack answers ``ok: false``. `more` goes into the answer beside the code."""

    def __init__(self, code: str, **more: Any) -> None:
        super().__init__(code)
        self.code = code
        self.more = more


def invalid_arguments(*messages: str) -> ApiError:
    """Return the error for arguments that break a method's form."""
    lines = [f"[ERROR] {message}" for message in messages]
    return ApiError("invalid_arguments", response_metadata={"messages": lines})


@dataclass(frozen=True)
class Arguments:
    """What the caller sent, without the token."""

    given: Mapping[str, Any] = field(default_factory=dict)

    def text(self, name: str) -> str | None:
        """Return an argument as a string; None when it is missing or empty."""
        value = self.given.get(name)
        return None if value in (None, "") else str(value)

    def required(self, name: str) -> str:
        """Return an argument that must be there."""
        value = self.text(name)
        if value is None:
            raise invalid_arguments(f"missing required field: {name}")
        return value

    def flag(self, name: str) -> bool:
        """Return a boolean; Slack takes ``1`` and ``true`` for yes."""
        return str(self.given.get(name, "")).lower() in {"1", "true"}

    def integer(self, name: str, default: int, *, maximum: int = 1000) -> int:
        """Return a whole number, at least 1 and at most `maximum`."""
        value = self.text(name)
        if value is None:
            return default
        if not value.isdigit() or int(value) == 0:
            raise ApiError("invalid_limit" if name == "limit" else "invalid_arguments")
        return min(int(value), maximum)

    def has(self, name: str) -> bool:
        """Say whether the argument was sent at all."""
        return self.given.get(name) is not None

    def json(self, name: str, error: str) -> Any:
        """Return an argument that is JSON, sent as text or as it is; None when missing.

        Raises:
            ApiError: with code `error`, when the text is not JSON.
        """
        value = self.given.get(name)
        if not isinstance(value, str):
            return value
        if not value:
            return None
        try:
            return json.loads(value)
        except ValueError:
            raise ApiError(error) from None
