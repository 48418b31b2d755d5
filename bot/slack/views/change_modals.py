"""The modals that ask how much less traffic, or how much more of what, a canary should get."""

from typing import Any

from bot.domain.ids import IncidentNumber, TargetName, incident_label
from bot.domain.resources import CPU_CHOICES_MILLI, MEMORY_CHOICES_MIB, MOST_INSTANCES, Resource
from bot.slack.ids import ActionId, CallbackId
from bot.slack.text import Words
from bot.slack.views.change_words import resource_amount
from bot.slack.views.parts import Block, option, plain, question, section, select


def reduce_traffic_modal(
    target: TargetName,
    incident: IncidentNumber | None,
    percent_now: int | None,
    words: Words,
    *,
    channel: str,
) -> dict[str, Any]:
    """Ask for the canary's new share.

    `percent_now` is its share where it is known. `channel` is where the card goes.
    """
    most = percent_now - 1 if percent_now is not None and percent_now > 1 else 99
    element: Block = {
        "type": "number_input",
        "action_id": ActionId.CHANGE_PERCENT,
        "is_decimal_allowed": False,
        "min_value": "0",
        "max_value": "100",
        "placeholder": plain(words.plain("such as 5"), limit=150),
    }
    asked = question(
        label=words.plain("The canary's share of the traffic, percent"),
        element=element,
        block=ActionId.CHANGE_PERCENT,
        hint=words.plain("A whole number from 1 to {most}, lower than it is now.", most=most),
        optional=False,
    )
    return _modal(
        CallbackId.REDUCE_TRAFFIC,
        words.plain("Reduce the traffic"),
        [section(_first_line(target, incident, words)), asked],
        _metadata(target, incident, channel),
        words,
    )


def add_resources_modal(
    target: TargetName, incident: IncidentNumber | None, words: Words, *, channel: str
) -> dict[str, Any]:
    """Ask for more memory, CPU or instances; whatever is left empty stays as it is."""
    blocks = [
        section(_first_line(target, incident, words)),
        _choice(ActionId.CHANGE_MEMORY, Resource.MEMORY, words.plain("Memory of an instance"), words),
        _choice(ActionId.CHANGE_CPU, Resource.CPU, words.plain("CPU of an instance"), words),
        _number(ActionId.CHANGE_MIN_INSTANCES, words.plain("Min instances"), words),
        _number(ActionId.CHANGE_MAX_INSTANCES, words.plain("Max instances"), words),
    ]
    metadata = _metadata(target, incident, channel)
    return _modal(CallbackId.ADD_RESOURCES, words.plain("Add resources"), blocks, metadata, words)


def _modal(
    callback: CallbackId, title: str, blocks: list[Block], metadata: str, words: Words
) -> dict[str, Any]:
    return {
        "type": "modal",
        "callback_id": callback,
        "private_metadata": metadata,
        "title": plain(title, limit=24),
        "submit": plain(words.plain("Look and ask"), limit=24),
        "close": plain(words.plain("Cancel"), limit=24),
        "blocks": blocks,
    }


def _metadata(target: TargetName, incident: IncidentNumber | None, channel: str) -> str:
    return f"{incident or ''}:{channel}:{target}"


def read_metadata(written: str) -> tuple[TargetName, IncidentNumber | None, str]:
    """Return target, incident and channel of a submitted modal."""
    number, channel, target = written.split(":", 2)
    return TargetName(target), IncidentNumber(int(number)) if number else None, channel


def _first_line(target: TargetName, incident: IncidentNumber | None, words: Words) -> str:
    about = words.bold(target if incident is None else f"{incident_label(incident)} · {target}")
    return words.say(
        "{about}. Nothing is changed yet: a card in the channel shows from what to what it goes, and asks.",
        about=about,
    )


def _choice(action: ActionId, resource: Resource, label: str, words: Words) -> Block:
    choices = MEMORY_CHOICES_MIB if resource is Resource.MEMORY else CPU_CHOICES_MILLI
    options = [option(resource_amount(resource, amount), str(amount)) for amount in choices]
    element = select(action=action, placeholder=words.plain("Leave as it is"), options=options)
    return question(label=label, element=element, block=action)


def _number(action: ActionId, label: str, words: Words) -> Block:
    element: Block = {
        "type": "number_input",
        "action_id": action,
        "is_decimal_allowed": False,
        "min_value": "0",
        "max_value": str(MOST_INSTANCES),
        "placeholder": plain(words.plain("Leave as it is"), limit=150),
    }
    return question(label=label, element=element, block=action)
