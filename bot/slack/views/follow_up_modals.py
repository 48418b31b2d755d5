"""The modals of follow-ups: to whom, until when, and why it is dropped."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from bot.domain.follow_up import FollowUp
from bot.domain.ids import incident_label
from bot.domain.people import COMMAND_LINE
from bot.slack.ids import ActionId, CallbackId
from bot.slack.modal_memory import remember
from bot.slack.text import Words
from bot.slack.views.modals import LONGEST_WHY, long_text, modal
from bot.slack.views.parts import Block, question, section


def give_modal(follow_up: FollowUp, words: Words, *, channel: str) -> dict[str, Any]:
    """Ask who is to do it."""
    element: Block = {"type": "users_select", "action_id": ActionId.FOLLOW_UP_OWNER}
    if follow_up.owner is not None and not follow_up.owner.startswith(COMMAND_LINE):
        element["initial_user"] = follow_up.owner
    label, block = words.plain("Who does it?"), ActionId.FOLLOW_UP_OWNER
    asked = question(label=label, element=element, block=block, optional=False)
    title, submit = words.plain("Give to somebody"), words.plain("Give")
    return _modal(CallbackId.FOLLOW_UP_ASSIGN, title, submit, follow_up, [asked], words, channel)


def move_modal(follow_up: FollowUp, words: Words, *, day: date, channel: str) -> dict[str, Any]:
    """Ask until when, and why; `day` is when it is due now, in the playbook's zone."""
    element: Block = {
        "type": "datepicker",
        "action_id": ActionId.FOLLOW_UP_DAY,
        "initial_date": day.isoformat(),
    }
    label, block = words.plain("Due on"), ActionId.FOLLOW_UP_DAY
    asked = question(label=label, element=element, block=block, optional=False)
    why = _why(words.plain("Why is it moved?"))
    title, submit = words.plain("Move the date"), words.plain("Move")
    return _modal(CallbackId.FOLLOW_UP_MOVE, title, submit, follow_up, [asked, why], words, channel)


def drop_modal(follow_up: FollowUp, words: Words, *, channel: str) -> dict[str, Any]:
    """Ask why it need not be done."""
    why = _why(words.plain("Why need it not be done?"))
    title, submit = words.plain("Drop the follow-up"), words.plain("Drop it")
    return _modal(CallbackId.FOLLOW_UP_DROP, title, submit, follow_up, [why], words, channel)


def _why(label: str) -> Block:
    return long_text(ActionId.FOLLOW_UP_WHY, label, limit=LONGEST_WHY)


def _modal(
    callback: CallbackId,
    title: str,
    submit: str,
    follow_up: FollowUp,
    questions: Sequence[Block],
    words: Words,
    channel: str,
) -> dict[str, Any]:
    about = words.say(
        "{label}: {title}",
        label=incident_label(follow_up.incident),
        title=words.bold(follow_up.title_in(words.locale)),
    )
    return modal(
        callback=callback,
        title=title,
        # What is asked comes first: what is wrong is shown at the first block.
        blocks=[*questions, section(about)],
        memory=remember(channel, follow_up.id),
        words=words,
        submit=submit,
    )
