"""The pieces of Block Kit that the views are made of, each within Slack's limits.

Limits: reference/slack-platform.md, A5. Text is cut visibly before it is too long; the views
themselves never come near the limits with texts of ours.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Any

Block = dict[str, Any]

SECTION_LIMIT = 3000
HEADER_LIMIT = 150
BUTTON_LIMIT = 75
CONTEXT_ELEMENTS = 10


def mrkdwn(text: str) -> Block:
    """Return a text object in which nothing is linked or rung that we did not write ourselves."""
    return {"type": "mrkdwn", "text": fit(text, SECTION_LIMIT), "verbatim": True}


def plain(text: str, *, limit: int = SECTION_LIMIT) -> Block:
    """Return a plain text object."""
    fitting = text if len(text) <= limit else text[: limit - 1] + "…"
    return {"type": "plain_text", "text": fitting, "emoji": True}


def header(text: str) -> Block:
    """Return a header."""
    return {"type": "header", "text": plain(text, limit=HEADER_LIMIT)}


def section(text: str) -> Block:
    """Return a paragraph."""
    return {"type": "section", "text": mrkdwn(text)}


def fields(texts: Sequence[str]) -> Block:
    """Return up to ten short texts in two columns."""
    return {"type": "section", "fields": [mrkdwn(fit(text, 2000)) for text in texts[:10]]}


def context(*texts: str) -> Block:
    """Return small grey lines."""
    return {"type": "context", "elements": [mrkdwn(fit(text, 2000)) for text in texts[:CONTEXT_ELEMENTS]]}


def actions(*elements: Block) -> Block:
    """Return a row of controls."""
    return {"type": "actions", "elements": list(elements)}


def button(
    text: str, *, action: str, value: str, style: str | None = None, confirm: Block | None = None
) -> Block:
    """Return a button; `value` is a lookup key and never a parameter."""
    made: Block = {
        "type": "button",
        "text": plain(text, limit=BUTTON_LIMIT),
        "action_id": action,
        "value": value,
    }
    if style:
        made["style"] = style
    if confirm:
        made["confirm"] = confirm
    return made


def link_button(text: str, *, action: str, url: str) -> Block:
    """Return a button that opens a page; Slack tells us of the press as well."""
    return {"type": "button", "text": plain(text, limit=BUTTON_LIMIT), "action_id": action, "url": url}


def confirm(*, title: str, text: str, yes: str, no: str, danger: bool = False) -> Block:
    """Return a confirm dialog."""
    made: Block = {
        "title": plain(title, limit=100),
        "text": mrkdwn(fit(text, 300)),
        "confirm": plain(yes, limit=30),
        "deny": plain(no, limit=30),
    }
    return made | ({"style": "danger"} if danger else {})


def option(text: str, value: str) -> Block:
    """Return one choice of a select."""
    return {"text": plain(text, limit=75), "value": value}


def select(*, action: str, placeholder: str, options: Iterable[Block], initial: Block | None = None) -> Block:
    """Return a drop-down."""
    made: Block = {
        "type": "static_select",
        "action_id": action,
        "placeholder": plain(placeholder, limit=150),
        "options": list(options)[:100],
    }
    return made | ({"initial_option": initial} if initial else {})


def overflow(*, action: str, options: Sequence[Block]) -> Block:
    """Return a menu behind three dots; it takes five options."""
    return {"type": "overflow", "action_id": action, "options": list(options)[:5]}


def question(
    *, label: str, element: Block, block: str, hint: str | None = None, optional: bool = True
) -> Block:
    """Return a modal's question."""
    made: Block = {
        "type": "input",
        "block_id": block,
        "label": plain(label, limit=2000),
        "element": element,
        "optional": optional,
    }
    return made | ({"hint": plain(hint, limit=2000)} if hint else {})


DIVIDER: Block = {"type": "divider"}


#: A reference or an entity that has lost its end; it would be shown raw.
_TORN = re.compile(r"(<[^>]*|&[a-z]*)$")


def pieces(text: str, limit: int = SECTION_LIMIT - 100) -> list[str]:
    """Return escaped text in pieces of `limit` characters at most, cut between words where there are any."""
    found = []
    while len(text) > limit:
        # A reference longer than a piece is none of ours; it is shown raw rather than for ever.
        piece = _TORN.sub("", text[:limit]) or text[:limit]
        space = max(piece.rfind(" "), piece.rfind("\n"))
        piece = piece[: space + 1] if space > limit // 2 else piece
        found.append(piece)
        text = text[len(piece) :]
    return [*found, text] if text.strip() or not found else found


def fit(text: str, limit: int) -> str:
    """Return escaped text cut to `limit` characters, never inside a reference or an entity."""
    return text if len(text) <= limit else _TORN.sub("", text[: limit - 1]) + "…"
