"""Pages of a list, and the tokens between them."""

from collections.abc import Sequence
from typing import Any

from bot.sandbox.cloud.rejection import invalid


def page(items: Sequence[Any], request: Any, *, default: int, most: int) -> tuple[Sequence[Any], str]:
    """Return the page `request` asks for and the token of the next one, empty after the last.

    Raises:
        Rejection: INVALID_ARGUMENT for a negative size or a token we never gave.
    """
    if request.page_size < 0:
        raise invalid("page_size: Must not be negative.")
    size = min(request.page_size or default, most)
    start = offset_of(request.page_token)
    end = start + size
    return items[start:end], token_of(end) if end < len(items) else ""


def token_of(offset: int) -> str:
    """Return the token of the page that begins at `offset`."""
    return f"at-{offset}"


def offset_of(token: str) -> int:
    """Return where the page of `token` begins; without a token, at the start.

    Raises:
        Rejection: INVALID_ARGUMENT for a token we never gave.
    """
    if not token:
        return 0
    prefix, _, digits = token.partition("-")
    if prefix != "at" or not digits.isdecimal():
        raise invalid("page_token: Not a token of this listing.")
    return int(digits)
