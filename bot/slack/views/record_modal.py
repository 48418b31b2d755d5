"""The modal that asks people for what only they know."""

from collections.abc import Iterable
from typing import Any

from bot.domain.ids import incident_label
from bot.domain.incident import FailureType, Incident, Severity
from bot.domain.review import Found
from bot.slack.ids import ActionId, CallbackId
from bot.slack.text import Words
from bot.slack.views.incident_words import failure_name, severity_name
from bot.slack.views.parts import Block, option, plain, question, select

#: Longest texts a person may fill in; Slack's own limit for a text input is 3000.
LONGEST_TEXT = 2000
MOST_USERS = 1_000_000_000
MOST_MINUTES = 100_000


def record_modal(
    incident: Incident, words: Words, *, channel: str, found: Iterable[Found] = ()
) -> dict[str, Any]:
    """Render the modal with what is known already filled in.

    Args:
        channel: where it was opened.
        found: what people found in the review, shown below the cause while that is empty.
    """
    people = incident.people
    return {
        "type": "modal",
        "callback_id": CallbackId.COMPLETE_RECORD,
        "private_metadata": f"{incident.number}:{channel}",
        "title": plain(words.plain("Record of {label}", label=incident_label(incident.number)), limit=24),
        "submit": plain(words.plain("Save"), limit=24),
        "close": plain(words.plain("Cancel"), limit=24),
        "blocks": [
            _choice(
                ActionId.RECORD_TYPE,
                words.plain("Failure type"),
                {f.value: failure_name(f, words) for f in FailureType},
                incident.failure_type.value,
                words,
            ),
            _choice(
                ActionId.RECORD_SEVERITY,
                words.plain("Severity"),
                {s.value: severity_name(s, words) for s in Severity},
                incident.severity.value,
                words,
            ),
            _text(
                ActionId.RECORD_CAUSE,
                words.plain("Root cause"),
                people.cause,
                hint=None if people.cause else _found_words(found, words),
            ),
            _number(ActionId.RECORD_USERS, words.plain("Users affected"), people.users_affected, MOST_USERS),
            _choice(
                ActionId.RECORD_DATA_LOSS,
                words.plain("Data loss"),
                {"yes": words.plain("yes"), "no": words.plain("no")},
                {True: "yes", False: "no", None: None}[people.data_loss],
                words,
            ),
            _number(
                ActionId.RECORD_DOWN, words.plain("Service down, minutes"), people.down_minutes, MOST_MINUTES
            ),
            _text(ActionId.RECORD_ACTIONS, words.plain("Other actions taken"), people.actions),
            _text(
                ActionId.RECORD_IMPROVEMENTS,
                words.plain("Improvements: how to prevent it next time"),
                people.improvements,
            ),
        ],
    }


def _found_words(found: Iterable[Found], words: Words) -> str | None:
    told = "; ".join(f"{one.point.in_(words.locale)}: {' '.join(one.note.split())}" for one in found)
    return words.plain("Found in the review: {found}", found=told) if told else None


def _text(action: ActionId, label: str, initial: str, *, hint: str | None = None) -> Block:
    element: Block = {
        "type": "plain_text_input",
        "action_id": action,
        "multiline": True,
        "max_length": LONGEST_TEXT,
    }
    if initial:
        element["initial_value"] = initial
    return question(label=label, element=element, block=action, hint=hint)


def _number(action: ActionId, label: str, initial: int | None, most: int) -> Block:
    element: Block = {
        "type": "number_input",
        "action_id": action,
        "is_decimal_allowed": False,
        "min_value": "0",
        "max_value": str(most),
    }
    if initial is not None:
        element["initial_value"] = str(initial)
    return question(label=label, element=element, block=action)


def _choice(
    action: ActionId, label: str, choices: dict[str, str], initial: str | None, words: Words
) -> Block:
    options = {value: option(text, value) for value, text in choices.items()}
    element = select(
        action=action,
        placeholder=words.plain("Choose"),
        options=options.values(),
        initial=options[initial] if initial else None,
    )
    return question(label=label, element=element, block=action)
