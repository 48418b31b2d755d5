"""The frame of a modal, and the questions that several modals ask."""

from collections.abc import Mapping, Sequence
from typing import Any

from bot.slack.ids import ActionId
from bot.slack.text import Words
from bot.slack.views.parts import Block, option, plain, question, select

#: Slack's own limit for a text input, characters.
LONGEST_INPUT = 3000
#: A reason is a sentence or a few, characters.
LONGEST_WHY = 1000


def modal(
    *, callback: str, title: str, blocks: Sequence[Block], memory: str, words: Words, submit: str | None
) -> dict[str, Any]:
    """Return a modal; without `submit` it only shows. `memory` is what it remembers."""
    made: dict[str, Any] = {
        "type": "modal",
        "callback_id": callback,
        "private_metadata": memory,
        "title": plain(title, limit=24),
        "close": plain(words.plain("Cancel") if submit else words.plain("Close the window"), limit=24),
        "blocks": list(blocks),
    }
    return made | ({"submit": plain(submit, limit=24)} if submit else {})


def long_text(
    action: str, label: str, *, initial: str = "", hint: str | None = None, optional: bool = False,
    limit: int = LONGEST_INPUT,
) -> Block:  # fmt: skip
    """Return a question for a text of several lines."""
    element: Block = {
        "type": "plain_text_input", "action_id": action, "multiline": True, "max_length": limit,
    }  # fmt: skip
    if initial:
        element["initial_value"] = initial
    return question(label=label, element=element, block=action, hint=hint, optional=optional)


def why_question(words: Words) -> Block:
    """Ask for the reason of a change; it stands in the timeline."""
    return long_text(
        ActionId.WHY, words.plain("Why?"), hint=words.plain("It stands in the timeline."), limit=LONGEST_WHY
    )


def choice(
    action: str, label: str, choices: Mapping[str, str], *, initial: str | None, words: Words,
    block: str | None = None, tells: bool = False,
) -> Block:  # fmt: skip
    """Return a question with one answer of several.

    Args:
        choices: value to what is read.
        block: the block's id where it is not the action's: another id makes Slack forget what was chosen.
        tells: let us know at once what was chosen.
    """
    options = {value: option(text, value) for value, text in choices.items()}
    element = select(
        action=action,
        placeholder=words.plain("Choose"),
        options=options.values(),
        initial=options.get(initial or ""),
    )
    made = question(label=label, element=element, block=block or action, optional=False)
    return made | ({"dispatch_action": True} if tells else {})
