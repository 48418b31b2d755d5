"""A message of ours as plain text, for a terminal."""

import re
from typing import Any

from bot.slack.views.rollback_message import Message

_SIGNS = {
    ":white_check_mark:": "✓",
    ":x:": "✗",
    ":warning:": "!",
    ":rotating_light:": "!!",
    ":information_source:": "i",
    ":grey_question:": "?",
    ":hourglass_flowing_sand:": "…",
    ":hourglass:": "…",
    ":pushpin:": "·",
    ":red_circle:": "●",
    ":large_yellow_circle:": "●",
    ":large_green_circle:": "●",
    ":white_circle:": "○",
    ":no_entry:": "✗",
    ":scales:": "·",
}


def as_plain_text(message: Message) -> str:
    """Return the texts of a message's blocks, without controls and without Slack's marks."""
    return "\n".join(unmarked(text) for block in message.blocks for text in _texts(block))


def _texts(block: dict[str, Any]) -> list[str]:
    if block["type"] in ("header", "section") and "text" in block:
        return [block["text"]["text"]]
    if block["type"] == "section":
        return [field["text"] for field in block.get("fields", ())]
    return [element["text"] for element in block["elements"]] if block["type"] == "context" else []


def unmarked(text: str) -> str:
    """Return a text of ours without emphasis, with signs for its emoji."""
    signs = re.sub(r":[a-z_]+:", lambda found: _SIGNS.get(found[0], found[0]), text)
    return re.sub(r"(?<!\w)\*([^*\n]+)\*(?!\w)", r"\1", signs)
