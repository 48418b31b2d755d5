"""Slack's cursors: opaque to the caller, the next position to us."""

import base64
from collections.abc import Sequence
from typing import Any

from bot.sandbox.slack.web_api.arguments import ApiError, Arguments


def page(found: Sequence[Any], arguments: Arguments, *, default: int) -> tuple[list[Any], str]:
    """Return the part of `found` that `limit` and `cursor` ask for, and the next cursor or nothing."""
    start = _position(arguments.text("cursor"))
    end = start + arguments.integer("limit", default)
    return list(found[start:end]), _cursor(end) if end < len(found) else ""


def _cursor(position: int) -> str:
    return base64.b64encode(f"next:{position}".encode()).decode()


def _position(cursor: str | None) -> int:
    if cursor is None:
        return 0
    try:
        return int(base64.b64decode(cursor, validate=True).decode().removeprefix("next:"))
    except ValueError:
        raise ApiError("invalid_cursor") from None
