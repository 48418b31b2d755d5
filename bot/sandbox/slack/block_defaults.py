"""What Slack fills in by itself before it keeps blocks: ids, and the defaults of text objects."""

import copy
import itertools
import secrets
import string
from collections.abc import Mapping, Sequence
from typing import Any

from bot.sandbox.slack.block_elements import ELEMENTS
from bot.sandbox.slack.blocks import BLOCKS, elements_of

_ALPHABET = string.ascii_letters + string.digits
_TEXTS = {"plain_text": ("emoji", True), "mrkdwn": ("verbatim", False)}
_INTERACTIVE = frozenset(ELEMENTS) - {"image", "plain_text", "mrkdwn"}


def kept_blocks(blocks: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return a copy of valid `blocks` as Slack would store and return them."""
    kept: list[dict[str, Any]] = copy.deepcopy(list(map(dict, blocks)))
    for block in kept:
        if block["type"] in BLOCKS and not (block.get("block_id") and block["type"] != "markdown"):
            block["block_id"] = _short_id()
        for element in elements_of(block):
            if element.get("type") in _INTERACTIVE:
                element.setdefault("action_id", _short_id())
        _fill_texts(block)
    return kept


def _fill_texts(value: Any) -> None:
    if isinstance(value, list):
        for inner in value:
            _fill_texts(inner)
    elif isinstance(value, dict):
        if value.get("type") in _TEXTS:
            key, default = _TEXTS[value["type"]]
            value.setdefault(key, default)
        for inner in list(value.values()):
            _fill_texts(inner)


def text_of(value: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return a copy of one text object with its defaults filled in."""
    if value is None:
        return None
    filled = dict(value)
    _fill_texts(filled)
    return filled


def _short_id() -> str:
    return "".join(itertools.islice(iter(lambda: secrets.choice(_ALPHABET), None), 5))
