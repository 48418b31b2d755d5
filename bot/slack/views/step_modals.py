"""The modals of a step: why it is skipped, not OK or other than the bot saw it, and whom it is given to."""

from datetime import datetime
from typing import Any

from bot.domain.ids import ChannelId
from bot.domain.steps import Step
from bot.slack.ids import ActionId, CallbackId
from bot.slack.text import Words
from bot.slack.views.checklist_card import StepChoice, StepPress, read_press
from bot.slack.views.parts import Block, plain, question, section
from bot.slack.views.step_words import mark_line, owner_line

#: Longest reason. Slack counts along while it is typed and takes no more.
LONGEST_WHY = 500


def why_modal(press: StepPress, step: Step, words: Words, *, channel: str, now: datetime) -> dict[str, Any]:
    """Ask for the reason. `channel` is where it was opened."""
    element: Block = {
        "type": "plain_text_input",
        "action_id": ActionId.STEP_WHY,
        "multiline": True,
        "max_length": LONGEST_WHY,
    }
    asked = question(label=_label(press.choice, words), element=element, block="why", optional=False)
    stands = [section(mark_line(step.mark, words, now=now))] if step.mark else []
    return _modal(
        CallbackId.STEP_WHY,
        press,
        channel,
        _title(press.choice, words),
        [_what(step, words), *stands, asked],
        words,
    )


def assign_modal(press: StepPress, step: Step, words: Words, *, channel: str) -> dict[str, Any]:
    """Ask whom the step is for."""
    element: Block = {
        "type": "users_select",
        "action_id": ActionId.STEP_OWNER,
        "placeholder": plain(words.plain("Choose a person"), limit=150),
    }
    asked = question(label=words.plain("Who does it?"), element=element, block="owner", optional=False)
    blocks = [_what(step, words), section(owner_line(step, words)), asked]
    return _modal(CallbackId.STEP_ASSIGN, press, channel, words.plain("Assign the step"), blocks, words)


def read_metadata(metadata: str) -> tuple[StepPress, ChannelId]:
    """Return which press a modal belongs to, and where it was opened."""
    value, _, channel = metadata.rpartition(":")
    return read_press(value), ChannelId(channel)


def _modal(
    callback: CallbackId, press: StepPress, channel: str, title: str, blocks: list[Block], words: Words
) -> dict[str, Any]:
    return {
        "type": "modal",
        "callback_id": callback,
        "private_metadata": f"{press.value()}:{channel}",
        "title": plain(title, limit=24),
        "submit": plain(words.plain("Save"), limit=24),
        "close": plain(words.plain("Cancel"), limit=24),
        "blocks": blocks,
    }


def _what(step: Step, words: Words) -> Block:
    return section(words.bold(step.plan.title.in_(words.locale)))


def _title(choice: StepChoice, words: Words) -> str:
    return {
        StepChoice.SKIP: words.plain("Skip the step"),
        StepChoice.NOT_OK: words.plain("The step is not OK"),
        StepChoice.UNDO_BECAUSE: words.plain("Undo the mark"),
    }.get(choice) or words.plain("The step is done")


def _label(choice: StepChoice, words: Words) -> str:
    return {
        StepChoice.SKIP: words.plain("Why is it skipped?"),
        StepChoice.NOT_OK: words.plain("What is not OK?"),
    }.get(choice) or words.plain("Why, although Backout saw it otherwise?")
