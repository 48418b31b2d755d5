"""How everything that belongs to a drill says so in its first words: nobody may be frightened by practice."""

from collections.abc import Iterable
from typing import Any

from bot.slack.ids import DRILL_BLOCK
from bot.slack.text import Markup, Words
from bot.slack.views.parts import HEADER_LIMIT, SECTION_LIMIT, Block, context, fit
from bot.slack.views.rollback_message import Message

#: Slack's limits. Source: reference/slack-platform.md, A5; `chat.update` takes no longer text.
MOST_IN_MODAL = 100
MOST_BLOCKS, TEXT_LIMIT, CONTEXT_LIMIT = 50, 4000, 2000


def drill_word(words: Words) -> str:
    """Return the one word that marks a drill."""
    return words.plain("DRILL")


def drill_line(words: Words) -> Markup:
    """Return the line above whatever belongs to a drill."""
    return words.say(
        "{drill} · This is practice: nothing is really broken.", drill=words.bold(drill_word(words))
    )


def marked(text: str, words: Words) -> str:
    """Return `text`, safe or plain as it was, with the mark before it."""
    return f"{drill_word(words)}: {text}"


def marked_if(drill: str | bool, text: Markup, words: Words) -> Markup:
    """Return a safe text, with the mark before it where it is about a drill."""
    return Markup(marked(text, words)) if drill else text


def has_mark(blocks: Iterable[Block]) -> bool:
    """True when blocks carry the mark: those of a message or a modal, ours or as Slack echoes them."""
    return any(block.get("block_id") == DRILL_BLOCK for block in blocks)


def marked_answer(answer: str | Message | dict[str, Any], words: Words) -> str | Message | dict[str, Any]:
    """Return what answers one person, a line, a message or a modal, with the mark first."""
    if isinstance(answer, str):
        return Markup(marked(answer, words))
    return marked_message(answer, words) if isinstance(answer, Message) else marked_modal(answer, words)


def marked_modal(modal: dict[str, Any], words: Words) -> dict[str, Any]:
    """Return a finished modal that begins with the mark, once, within Slack's limits."""
    blocks = modal["blocks"]
    return modal if has_mark(blocks) else modal | {"blocks": _marked(blocks, words, most=MOST_IN_MODAL)}


def marked_message(message: Message, words: Words) -> Message:
    """Return a finished message that begins with the mark, within Slack's limits.

    A message that has every block it may have carries the mark in the first block that has a text.
    """
    text = fit(marked(message.text, words), TEXT_LIMIT)
    return Message(text=text, blocks=_marked(message.blocks, words, most=MOST_BLOCKS))


def _marked(blocks: list[Block], words: Words, *, most: int) -> list[Block]:
    if not blocks:
        return []
    if len(blocks) < most:
        return [context(drill_line(words)) | {"block_id": DRILL_BLOCK}, *blocks]
    return _in_the_first_text(blocks, words)


def _in_the_first_text(blocks: list[Block], words: Words) -> list[Block]:
    for place, block in enumerate(blocks):
        found = _with_mark(block, words)
        if found is not None:
            return [*blocks[:place], found | {"block_id": DRILL_BLOCK}, *blocks[place + 1 :]]
    return blocks


def _with_mark(block: Block, words: Words) -> Block | None:
    """Return a header, paragraph or grey line with the mark before its text, None for any other block."""
    if block["type"] == "header":
        return block | {"text": _text(block["text"], HEADER_LIMIT, words)}
    if block["type"] == "section" and "text" in block:
        return block | {"text": _text(block["text"], SECTION_LIMIT, words)}
    if block["type"] == "context" and block["elements"][0]["type"] == "mrkdwn":
        first, *rest = block["elements"]
        return block | {"elements": [_text(first, CONTEXT_LIMIT, words), *rest]}
    return None


def _text(text: dict[str, Any], limit: int, words: Words) -> dict[str, Any]:
    return text | {"text": fit(marked(text["text"], words), limit)}
