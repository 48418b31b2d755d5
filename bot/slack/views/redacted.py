"""How many secrets and personal data were replaced in what somebody wrote, said to that person."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bot.slack.text import Markup, Words
from bot.slack.views.parts import context, plain, section
from bot.slack.views.rollback_message import Message


def replaced_line(count: int, words: Words) -> Markup:
    """Say how many were replaced."""
    return words.say(
        ":lock: Secrets or personal data in what you wrote: {count}. They were replaced before anything was "
        "kept or posted.",
        count=count,
    )


def text_with_count(text: str, count: int, words: Words) -> Markup:
    """Return what answers somebody, with the line beneath it if there is something to say."""
    return Markup(f"{text}\n{replaced_line(count, words)}" if count else text)


def message_with_count(message: Message, count: int, words: Words) -> Message:
    """Return a message, with the line beneath it if there is something to say."""
    if not count:
        return message
    return replace(message, blocks=[*message.blocks, context(replaced_line(count, words))])


def modal_with_count(modal: Mapping[str, Any], count: int, words: Words) -> dict[str, Any]:
    """Return a modal, with the line at its end if there is something to say."""
    if not count:
        return dict(modal)
    return {**modal, "blocks": [*modal["blocks"], context(replaced_line(count, words))]}


def taken_modal(count: int, words: Words) -> dict[str, Any]:
    """Return what stands in the place of a modal that was taken: nothing else would tell its sender."""
    return {
        "type": "modal",
        "title": plain(words.plain("Taken, with a change"), limit=24),
        "close": plain(words.plain("Close"), limit=24),
        "blocks": [section(replaced_line(count, words))],
    }
