"""Reading a text as Slack does: which references in it ring, link or name somebody."""

import re
from collections.abc import Iterator
from typing import Any

#: References that our own views write: a moment, a member by id, a message or a canvas of our workspace.
_OURS = re.compile(
    r"!date\^\d+\^[^<>|]*\|[^<>|]*|@[UW][A-Z0-9]+"
    r"|https://backout\.slack\.com/(?:archives/[CG][A-Z0-9]+/p\d+|docs/T[A-Z0-9]+/F[A-Z0-9]+)\|[^<>|]*"
)


def references(text: str) -> list[str]:
    """Return what stands between ``<`` and ``>``; Slack escapes every other one."""
    return re.findall(r"<([^<>]*)>", text)


def foreign_markup(text: str, *, known: frozenset[str] = frozenset()) -> list[str]:
    """Return the references that are not ours, and every ``<`` or ``>`` that is in none.

    Args:
        known: ids of people we may mention; empty: any id.
    """
    found = [r for r in references(text) if not _OURS.fullmatch(r)]
    found += [r for r in references(text) if r.startswith("@") and known and r[1:] not in known]
    stray = re.sub(r"<[^<>]*>", "", text)
    return found + [c for c in stray if c in "<>"]


def mrkdwn_texts(node: Any) -> Iterator[str]:
    """Yield every text in blocks that Slack reads as mrkdwn."""
    if isinstance(node, dict):
        if node.get("type") == "mrkdwn":
            yield node["text"]
        for child in node.values():
            yield from mrkdwn_texts(child)
    elif isinstance(node, list):
        for child in node:
            yield from mrkdwn_texts(child)


def all_texts(node: Any) -> Iterator[str]:
    """Yield every text in blocks, whatever its type."""
    if isinstance(node, dict):
        if node.get("type") in ("mrkdwn", "plain_text"):
            yield node["text"]
        for child in node.values():
            yield from all_texts(child)
    elif isinstance(node, list):
        for child in node:
            yield from all_texts(child)
