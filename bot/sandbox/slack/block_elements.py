"""Block Kit's text objects, options and interactive elements, as a table of what each must and may hold.

Source of the limits: the doc comments of Slack's own type package (@slack/types 3.2) and docs.slack.dev.
"""

from collections.abc import Iterator
from typing import Any

from bot.sandbox.slack.block_checks import (
    Check,
    Problem,
    Shape,
    anything,
    boolean,
    characters,
    integer,
    items,
    one_of,
    problem,
    typed,
    url,
)

IDENTIFIER = characters(255)


def plain(maximum: int) -> Check:
    """Accept a ``plain_text`` object."""
    shape = Shape(must={"text": characters(maximum)}, may={"emoji": boolean})
    return typed({"plain_text": shape}, frozenset({"plain_text"}))


def text(maximum: int) -> Check:
    """Accept a ``plain_text`` or a ``mrkdwn`` object."""
    shapes = {
        "plain_text": Shape(must={"text": characters(maximum)}, may={"emoji": boolean}),
        "mrkdwn": Shape(must={"text": characters(maximum)}, may={"verbatim": boolean}),
    }
    return typed(shapes, frozenset(shapes))


CONFIRM = Shape(
    must={"title": plain(100), "text": text(300), "confirm": plain(30), "deny": plain(30)},
    may={"style": one_of("primary", "danger")},
)
#: 75 characters for `value` is what @slack/types says; other packages allow 150. The smaller one is safe.
OPTION = Shape(must={"text": plain(75), "value": characters(75)}, may={"description": plain(75)})
TICK_OPTION = Shape(must={"text": text(75), "value": characters(75)}, may={"description": text(75)})
OVERFLOW_OPTION = Shape(
    must={"text": plain(75), "value": characters(75)}, may={"description": plain(75), "url": url()}
)
OPTION_GROUP = Shape(must={"label": plain(75), "options": items(OPTION, 1, 100)})
DISPATCH = Shape(must={"trigger_actions_on": items(one_of("on_enter_pressed", "on_character_entered"), 1, 2)})
SLACK_FILE = Shape(may={"id": characters(255), "url": url()}, exactly_one=("id", "url"))

BASE: dict[str, Check] = {"action_id": IDENTIFIER}
ASKED: dict[str, Check] = {**BASE, "confirm": CONFIRM}
CHOSEN: dict[str, Check] = {**ASKED, "focus_on_load": boolean}
HINTED: dict[str, Check] = {**CHOSEN, "placeholder": plain(150)}
SEVERAL: dict[str, Check] = {**HINTED, "max_selected_items": integer(1, 100)}
TYPED: dict[str, Check] = {
    **BASE,
    "placeholder": plain(150),
    "focus_on_load": boolean,
    "dispatch_action_config": DISPATCH,
}
OPTIONS: dict[str, Check] = {
    "options": items(OPTION, 1, 100),
    "option_groups": items(OPTION_GROUP, 1, 100),
}


def offers_its_initial_choice(shape: Shape) -> Check:
    """Check `shape`, and that what is chosen at first is among what can be chosen."""

    def check(value: Any, pointer: str) -> Iterator[Problem]:
        yield from shape(value, pointer)
        offered = [option.get("value") for option in options_of(value)]
        first = value.get("initial_option")
        chosen = [first] if isinstance(first, dict) else value.get("initial_options") or []
        for option in chosen:
            if isinstance(option, dict) and option.get("value") not in offered:
                key = "initial_option" if isinstance(first, dict) else "initial_options"
                yield problem("must match one of the options", f"{pointer}/{key}", "enum", offered)

    return check


def options_of(element: dict[str, Any]) -> list[dict[str, Any]]:
    """Return every option of an element, those inside option groups as well."""
    groups = [group for group in element.get("option_groups") or [] if isinstance(group, dict)]
    lists = [element.get("options") or [], *(group.get("options") or [] for group in groups)]
    return [
        option for options in lists if isinstance(options, list) for option in options if _is_object(option)
    ]


def _is_object(value: Any) -> bool:
    return isinstance(value, dict)


IMAGE = Shape(
    must={"alt_text": characters(2000)},
    may={"image_url": url(), "slack_file": SLACK_FILE},
    exactly_one=("image_url", "slack_file"),
)
FEEDBACK_BUTTON = Shape(
    must={"text": plain(75), "value": characters(2000)}, may={"accessibility_label": characters(75)}
)
BUTTON = Shape(
    must={"text": plain(75)},
    may={
        **ASKED,
        "url": url(),
        "value": characters(2000, minimum=0),
        "style": one_of("primary", "danger"),
        "accessibility_label": characters(75),
        "visible_to_user_ids": items(characters(50), 1, 100),
    },
)

#: What each kind of element must and may hold.
ELEMENTS: dict[str, Check] = {
    "button": BUTTON,
    "workflow_button": Shape(
        must={"text": plain(75), "workflow": anything},
        may={**BASE, "style": one_of("primary", "danger"), "accessibility_label": characters(75)},
    ),
    "icon_button": Shape(
        must={"text": plain(75), "icon": one_of("trash")},
        may={
            **ASKED,
            "value": characters(2000),
            "accessibility_label": characters(75),
            "visible_to_user_ids": items(characters(50), 1, 100),
        },
    ),
    "feedback_buttons": Shape(
        must={"positive_button": FEEDBACK_BUTTON, "negative_button": FEEDBACK_BUTTON}, may=BASE
    ),
    "image": IMAGE,
    "plain_text": plain(2000),
    "mrkdwn": text(2000),
    "overflow": Shape(must={"options": items(OVERFLOW_OPTION, 1, 5)}, may=ASKED),
    "checkboxes": offers_its_initial_choice(
        Shape(
            must={"options": items(TICK_OPTION, 1, 10)},
            may={**CHOSEN, "initial_options": items(TICK_OPTION, 1, 10)},
        )
    ),
    "radio_buttons": offers_its_initial_choice(
        Shape(must={"options": items(TICK_OPTION, 1, 10)}, may={**CHOSEN, "initial_option": TICK_OPTION})
    ),
    "static_select": offers_its_initial_choice(
        Shape(
            may={**HINTED, **OPTIONS, "initial_option": OPTION},
            exactly_one=("options", "option_groups"),
        )
    ),
    "multi_static_select": offers_its_initial_choice(
        Shape(
            may={**SEVERAL, **OPTIONS, "initial_options": items(OPTION, 1, 100)},
            exactly_one=("options", "option_groups"),
        )
    ),
    "external_select": Shape(may={**HINTED, "initial_option": OPTION, "min_query_length": integer(0, 100)}),
    "multi_external_select": Shape(
        may={
            **SEVERAL,
            "initial_options": items(OPTION, 1, 100),
            "min_query_length": integer(0, 100),
        }
    ),
    "users_select": Shape(may={**HINTED, "initial_user": characters(50)}),
    "multi_users_select": Shape(may={**SEVERAL, "initial_users": items(characters(50), 1, 100)}),
    "channels_select": Shape(
        may={**HINTED, "initial_channel": characters(50), "response_url_enabled": boolean}
    ),
    "multi_channels_select": Shape(may={**SEVERAL, "initial_channels": items(characters(50), 1, 100)}),
    "conversations_select": Shape(
        may={
            **HINTED,
            "initial_conversation": characters(50),
            "default_to_current_conversation": boolean,
            "response_url_enabled": boolean,
            "filter": anything,
        }
    ),
    "multi_conversations_select": Shape(
        may={
            **SEVERAL,
            "initial_conversations": items(characters(50), 1, 100),
            "default_to_current_conversation": boolean,
            "filter": anything,
        }
    ),
    "datepicker": Shape(may={**HINTED, "initial_date": characters(10, minimum=10)}),
    "timepicker": Shape(
        may={**HINTED, "initial_time": characters(5, minimum=5), "timezone": characters(100)}
    ),
    "datetimepicker": Shape(may={**CHOSEN, "initial_date_time": integer(10**9, 10**10 - 1)}),
    "plain_text_input": Shape(
        may={
            **TYPED,
            "initial_value": characters(3000, minimum=0),
            "multiline": boolean,
            "min_length": integer(0, 3000),
            "max_length": integer(1, 3000),
        }
    ),
    "rich_text_input": Shape(
        may={**TYPED, "initial_value": anything, "min_lines": anything, "max_lines": anything}
    ),
    "number_input": Shape(
        must={"is_decimal_allowed": boolean},
        may={
            **TYPED,
            "initial_value": characters(100),
            "min_value": characters(100),
            "max_value": characters(100),
        },
    ),
    "email_text_input": Shape(may={**TYPED, "initial_value": characters(3000)}),
    "url_text_input": Shape(may={**TYPED, "initial_value": characters(3000)}),
    "file_input": Shape(
        may={**BASE, "filetypes": items(characters(50), 1, 100), "max_files": integer(1, 10)}
    ),
}

SELECTS = frozenset(
    f"{several}{kind}_select"
    for several in ("", "multi_")
    for kind in ("static", "external", "users", "channels", "conversations")
)
TICKED = frozenset({"checkboxes", "radio_buttons"})
PICKERS = frozenset({"datepicker", "timepicker"})

#: Which elements may stand where.
IN_SECTION = SELECTS | TICKED | PICKERS | {"button", "image", "overflow", "workflow_button"}
IN_ACTIONS = (
    SELECTS
    | TICKED
    | PICKERS
    | {"button", "overflow", "workflow_button", "datetimepicker", "rich_text_input"}
)
IN_CONTEXT = frozenset({"image", "plain_text", "mrkdwn"})
IN_CONTEXT_ACTIONS = frozenset({"feedback_buttons", "icon_button"})
IN_INPUT = (
    SELECTS
    | TICKED
    | PICKERS
    | {
        "datetimepicker",
        "plain_text_input",
        "rich_text_input",
        "number_input",
        "email_text_input",
        "url_text_input",
        "file_input",
    }
)


def element(allowed: frozenset[str]) -> Check:
    """Accept an element that may stand in this kind of block."""
    return typed(ELEMENTS, allowed)
