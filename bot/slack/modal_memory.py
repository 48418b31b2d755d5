"""What a modal remembers between being opened and submitted: where it was opened, and what it is about."""

from collections.abc import Mapping
from typing import Any

from bot.domain.ids import ChannelId


def remember(channel: str, *facts: str) -> str:
    """Return a modal's private_metadata; no fact may hold a line break."""
    return "\n".join((channel, *facts))


def recall(view: Mapping[str, Any]) -> tuple[ChannelId, list[str]]:
    """Return the channel where a modal was opened, and its facts."""
    channel, *facts = view["private_metadata"].split("\n")
    return ChannelId(channel), facts
