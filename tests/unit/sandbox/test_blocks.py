"""Block Kit validation: what passes, what does not, and where the line runs."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.sandbox.slack.blocks import MARKDOWN_TOTAL, Surface, validate

Json = dict[str, Any]


def plain(text: str = "x") -> Json:
    return {"type": "plain_text", "text": text}


def mrkdwn(text: str = "x") -> Json:
    return {"type": "mrkdwn", "text": text}


def section(**more: Any) -> Json:
    return {"type": "section", "text": mrkdwn(), **more}


def button(**more: Any) -> Json:
    return {"type": "button", "text": plain(), **more}


def actions(*elements: Json, **more: Any) -> Json:
    return {"type": "actions", "elements": list(elements), **more}


def option(text: str = "x", value: str = "x", **more: Any) -> Json:
    return {"text": plain(text), "value": value, **more}


def options(count: int) -> list[Json]:
    return [option(value=str(number)) for number in range(count)]


def asking(element: Json | None = None, **more: Any) -> Json:
    given = element or {"type": "plain_text_input", "action_id": "a"}
    return {"type": "input", "label": plain(), "element": given, **more}


def modal(*blocks: Json, **more: Any) -> Json:
    return {"type": "modal", "title": plain(), "submit": plain(), "blocks": list(blocks), **more}


def table(rows: int = 1, cells: int = 1, **more: Any) -> Json:
    return {"type": "table", "rows": [[{"type": "raw_text", "text": "x"}] * cells] * rows, **more}


def confirm(**more: Any) -> Json:
    return {"title": plain(), "text": mrkdwn(), "confirm": plain(), "deny": plain(), **more}


def one_message(blocks: Any, surface: Surface = "message") -> tuple[str, str]:
    """Return message and pointer of the only fault."""
    (found,) = validate(blocks, surface)
    return found["message"], found["pointer"]


VALID = [
    {"type": "header", "text": plain("x" * 150)},
    section(text=mrkdwn("x" * 3000)),
    section(text=plain(), accessory=button(style="danger", value="", url="https://example.com")),
    {"type": "section", "fields": [mrkdwn("x" * 2000)] * 10},
    {"type": "divider"},
    {"type": "image", "image_url": "https://example.com/a.png", "alt_text": "a", "title": plain()},
    {"type": "image", "slack_file": {"id": "F1"}, "alt_text": "a"},
    {"type": "context", "elements": [mrkdwn()] * 10},
    actions(*[button(action_id=str(number)) for number in range(25)]),
    actions(button(confirm=confirm(style="danger"))),
    actions({"type": "static_select", "action_id": "a", "options": options(100)}),
    actions({"type": "static_select", "option_groups": [{"label": plain(), "options": options(2)}]}),
    actions({"type": "overflow", "options": options(5)}),
    actions({"type": "checkboxes", "options": [{"text": mrkdwn(), "value": "x"}]}),
    asking(optional=True, hint=plain()),
    asking({"type": "number_input", "is_decimal_allowed": False, "min_value": "1"}),
    {"type": "markdown", "text": "x" * MARKDOWN_TOTAL},
    table(rows=100, cells=20),
    {"type": "alert", "text": mrkdwn(), "level": "error"},
    {"type": "card", "title": mrkdwn()},
    {"type": "plan", "title": "x", "tasks": [{"type": "task_card", "task_id": "1", "title": "x"}]},
    {"type": "container", "title": plain(), "child_blocks": [section()]},
    {"type": "context_actions", "elements": [{"type": "icon_button", "icon": "trash", "text": plain()}]},
    {
        "type": "rich_text",
        "elements": [
            {
                "type": "rich_text_section",
                "elements": [{"type": "text", "text": "x", "style": {"bold": True}}],
            },
            {
                "type": "rich_text_list",
                "style": "bullet",
                "elements": [{"type": "rich_text_section", "elements": [{"type": "user", "user_id": "U1"}]}],
            },
            {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": "x"}]},
        ],
    },
]


@pytest.mark.parametrize("block", VALID, ids=lambda block: block["type"])
def test_a_block_at_its_limits_passes(block: Json) -> None:
    assert validate([block], "message") == []


#: Elements that may be asked for in a modal and, but for those that are typed, used in a message.
CHOOSING: list[Json] = [
    {"type": "users_select", "initial_user": "U0SENA", "placeholder": plain()},
    {"type": "channels_select", "initial_channel": "C0STATUS"},
    {"type": "conversations_select", "default_to_current_conversation": True},
    {"type": "multi_static_select", "options": options(100), "max_selected_items": 3},
    {"type": "multi_static_select", "option_groups": [{"label": plain(), "options": options(2)}]},
    {"type": "multi_users_select", "initial_users": ["U0SENA"]},
    {"type": "static_select", "option_groups": [{"label": plain(), "options": options(2)}] * 2},
    {"type": "checkboxes", "options": options(10), "initial_options": options(2)},
    {"type": "radio_buttons", "options": options(10), "initial_option": options(1)[0]},
    {"type": "datepicker", "initial_date": "2025-10-22"},
    {"type": "timepicker", "initial_time": "14:05", "timezone": "Asia/Seoul"},
    {"type": "datetimepicker", "initial_date_time": 1_761_141_903},
]
TYPING: list[Json] = [
    {"type": "plain_text_input", "multiline": True, "min_length": 0, "max_length": 3000},
    {"type": "plain_text_input", "initial_value": "x" * 3000},
    {
        "type": "plain_text_input",
        "dispatch_action_config": {"trigger_actions_on": ["on_enter_pressed", "on_character_entered"]},
    },
    {"type": "number_input", "is_decimal_allowed": True, "min_value": "0", "max_value": "100"},
]


@pytest.mark.parametrize("element", CHOOSING, ids=lambda element: element["type"])
def test_what_is_chosen_from_stands_in_modals_homes_and_messages(element: Json) -> None:
    used = actions({**element, "action_id": "a"})

    assert validate([used], "message") == []
    assert validate({"type": "home", "blocks": [used]}, "home") == []
    assert validate(modal(asking({**element, "action_id": "a"}, dispatch_action=True)), "modal") == []


@pytest.mark.parametrize("element", TYPING, ids=lambda element: element["type"])
def test_what_is_typed_into_stands_in_input_blocks_alone(element: Json) -> None:
    assert validate(modal(asking(element, dispatch_action=True)), "modal") == []
    assert one_message([actions(element)])[1] == "/0/elements/0/type"


INVALID: list[tuple[Json, str, str]] = [
    ({"type": "nonsense"}, "unsupported type: nonsense", "/0/type"),
    ({"text": plain()}, "missing required field: type", "/0"),
    ({"type": "header", "text": plain("x" * 151)}, "must be less than 151 characters", "/0/text/text"),
    ({"type": "header", "text": mrkdwn()}, "unsupported type: mrkdwn", "/0/text/type"),
    ({"type": "header"}, "missing required field: text", "/0"),
    ({"type": "section"}, "must define either `text` or `fields`", "/0"),
    (section(text=mrkdwn("")), "must be more than 0 characters", "/0/text/text"),
    (section(text=mrkdwn("x" * 3001)), "must be less than 3001 characters", "/0/text/text"),
    (section(text="x"), "must be an object", "/0/text"),
    (section(fields=[mrkdwn()] * 11), "no more than 10 items allowed", "/0/fields"),
    (section(fields=[mrkdwn("x" * 2001)]), "must be less than 2001 characters", "/0/fields/0/text"),
    (section(fields=[]), "no fewer than 1 items allowed", "/0/fields"),
    (section(color="red"), "invalid additional property: color", "/0/color"),
    (section(block_id="x" * 256), "must be less than 256 characters", "/0/block_id"),
    (section(text={**mrkdwn(), "emoji": True}), "invalid additional property: emoji", "/0/text/emoji"),
    (
        section(accessory={"type": "plain_text_input", "action_id": "a"}),
        "unsupported type: plain_text_input",
        "/0/accessory/type",
    ),
    (actions(), "no fewer than 1 items allowed", "/0/elements"),
    (
        actions(*[button(action_id=str(number)) for number in range(26)]),
        "no more than 25 items allowed",
        "/0/elements",
    ),
    (
        actions(button(action_id="a"), button(action_id="a")),
        "`action_id` must be unique: a",
        "/0",
    ),
    (actions(button(action_id="x" * 256)), "must be less than 256 characters", "/0/elements/0/action_id"),
    (actions(button(style="default")), "must be a valid enum value", "/0/elements/0/style"),
    (actions(button(text=plain("x" * 76))), "must be less than 76 characters", "/0/elements/0/text/text"),
    (actions(button(text=mrkdwn())), "unsupported type: mrkdwn", "/0/elements/0/text/type"),
    (actions(button(value="x" * 2001)), "must be less than 2001 characters", "/0/elements/0/value"),
    (actions(button(url="x" * 10)), "must be a valid URL", "/0/elements/0/url"),
    (actions(button(disabled=True)), "invalid additional property: disabled", "/0/elements/0/disabled"),
    (
        actions(button(accessibility_label="x" * 76)),
        "must be less than 76 characters",
        "/0/elements/0/accessibility_label",
    ),
    (
        actions(button(confirm=confirm(title=plain("x" * 101)))),
        "must be less than 101 characters",
        "/0/elements/0/confirm/title/text",
    ),
    (
        actions(button(confirm=confirm(text=mrkdwn("x" * 301)))),
        "must be less than 301 characters",
        "/0/elements/0/confirm/text/text",
    ),
    (
        actions(button(confirm=confirm(confirm=plain("x" * 31)))),
        "must be less than 31 characters",
        "/0/elements/0/confirm/confirm/text",
    ),
    (
        actions(button(confirm={key: value for key, value in confirm().items() if key != "deny"})),
        "missing required field: deny",
        "/0/elements/0/confirm",
    ),
    (
        actions({"type": "static_select", "options": options(101)}),
        "no more than 100 items allowed",
        "/0/elements/0/options",
    ),
    (
        actions({"type": "static_select"}),
        "must define exactly one of `options` or `option_groups`",
        "/0/elements/0",
    ),
    (
        actions({"type": "static_select", "options": options(1), "initial_option": option(value="9")}),
        "must match one of the options",
        "/0/elements/0/initial_option",
    ),
    (
        actions({"type": "static_select", "options": [option(text="x" * 76)]}),
        "must be less than 76 characters",
        "/0/elements/0/options/0/text/text",
    ),
    (
        actions({"type": "static_select", "options": [option(value="x" * 76)]}),
        "must be less than 76 characters",
        "/0/elements/0/options/0/value",
    ),
    (
        actions({"type": "static_select", "options": [option(description=plain("x" * 76))]}),
        "must be less than 76 characters",
        "/0/elements/0/options/0/description/text",
    ),
    (
        actions({"type": "checkboxes", "options": options(11)}),
        "no more than 10 items allowed",
        "/0/elements/0/options",
    ),
    (
        actions({"type": "radio_buttons", "options": options(11)}),
        "no more than 10 items allowed",
        "/0/elements/0/options",
    ),
    (
        actions({"type": "overflow", "options": options(6)}),
        "no more than 5 items allowed",
        "/0/elements/0/options",
    ),
    ({"type": "context", "elements": [mrkdwn()] * 11}, "no more than 10 items allowed", "/0/elements"),
    ({"type": "context", "elements": [button()]}, "unsupported type: button", "/0/elements/0/type"),
    ({"type": "image", "image_url": "https://example.com"}, "missing required field: alt_text", "/0"),
    (
        {"type": "image", "alt_text": "a"},
        "must define exactly one of `image_url` or `slack_file`",
        "/0",
    ),
    (
        {"type": "image", "image_url": "https://example.com", "alt_text": "x" * 2001},
        "must be less than 2001 characters",
        "/0/alt_text",
    ),
    (
        {"type": "image", "image_url": "https://e.com/" + "x" * 3000, "alt_text": "a"},
        "must be less than 3001 characters",
        "/0/image_url",
    ),
    (table(rows=101), "no more than 100 items allowed", "/0/rows"),
    (table(cells=21), "no more than 20 items allowed", "/0/rows/0"),
    (table(column_settings=[{}] * 21), "no more than 20 items allowed", "/0/column_settings"),
    ({"type": "markdown", "text": ""}, "must be more than 0 characters", "/0/text"),
    ({"type": "card"}, "must define either `hero_image` or `title` or `actions` or `body`", "/0"),
    (
        {"type": "carousel", "elements": [{"type": "card", "title": plain()}] * 11},
        "no more than 10 items allowed",
        "/0/elements",
    ),
    (
        {"type": "container", "child_blocks": [{"type": "markdown", "text": "x"}]},
        "unsupported type: markdown",
        "/0/child_blocks/0/type",
    ),
    (
        {"type": "rich_text", "elements": [{"type": "text", "text": "x"}]},
        "unsupported type: text",
        "/0/elements/0/type",
    ),
]


@pytest.mark.parametrize(("block", "message", "pointer"), INVALID)
def test_a_block_over_its_limits_is_named(block: Json, message: str, pointer: str) -> None:
    assert one_message([block]) == (message, pointer)


def test_an_error_has_the_shape_of_blocks_validate() -> None:
    (found,) = validate([{"type": "header", "text": plain("x" * 151)}], "message")

    assert found == {
        "code": "failed_constraint",
        "message": "must be less than 151 characters",
        "field": "text",
        "pointer": "/0/text/text",
        "constraint": {"type": "max_length", "expected": ["150"], "got": "151"},
    }


def test_every_fault_is_reported() -> None:
    blocks = [section(text=mrkdwn("")), {"type": "nonsense"}, section(color="red")]

    assert [found["pointer"] for found in validate(blocks, "message")] == [
        "/0/text/text",
        "/1/type",
        "/2/color",
    ]


@pytest.mark.parametrize(("surface", "most"), [("message", 50), ("modal", 100), ("home", 100)])
def test_a_surface_holds_so_many_blocks(surface: Surface, most: int) -> None:
    assert validate([section()] * most, surface) == []
    assert one_message([section()] * (most + 1), surface) == (f"no more than {most} items allowed", "")


def test_a_block_id_stands_once() -> None:
    assert one_message([section(block_id="a"), section(block_id="a")]) == ("`block_id` must be unique: a", "")


def test_an_action_id_may_stand_in_two_blocks() -> None:
    blocks = [actions(button(action_id="a")), actions(button(action_id="a"))]

    assert validate(blocks, "message") == []


def test_a_message_holds_one_table() -> None:
    assert one_message([table(), table()]) == ("only_one_table_allowed", "")


def test_all_markdown_counts_together() -> None:
    half = {"type": "markdown", "text": "x" * (MARKDOWN_TOTAL // 2)}
    more = {"type": "markdown", "text": "x" * (MARKDOWN_TOTAL // 2 + 1)}

    assert validate([half, half], "message") == []
    assert one_message([half, more])[0] == "markdown must be less than 12001 characters in total"


@pytest.mark.parametrize("block", [{"type": "markdown", "text": "x"}, table()])
def test_some_blocks_stand_in_messages_only(block: Json) -> None:
    kind = block["type"]

    assert one_message(modal(block), "modal") == (f"unsupported type: {kind}", "/blocks/0/type")


def test_a_message_is_checked_with_pointers_from_its_root() -> None:
    message = {"text": "x", "blocks": [{"type": "nonsense"}]}

    assert one_message(message) == ("unsupported type: nonsense", "/blocks/0/type")


def test_a_modal_passes() -> None:
    view = modal(
        section(),
        asking(),
        callback_id="c",
        private_metadata="x" * 3000,
        close=plain("x" * 24),
        notify_on_close=True,
    )

    assert validate(view, "modal") == []


@pytest.mark.parametrize("part", ["title", "submit", "close"])
def test_the_words_of_a_modal_are_short(part: str) -> None:
    view = modal(section(), **{part: plain("x" * 25)})

    assert one_message(view, "modal") == ("must be less than 25 characters", f"/{part}/text")


def test_a_modal_that_asks_needs_a_submit_button() -> None:
    view = {key: value for key, value in modal(asking()).items() if key != "submit"}

    assert one_message(view, "modal") == ("missing required field: submit", "")


@pytest.mark.parametrize(
    ("more", "pointer"),
    [
        ({"private_metadata": "x" * 3001}, "/private_metadata"),
        ({"callback_id": "x" * 256}, "/callback_id"),
        ({"colour": "red"}, "/colour"),
        ({"title": mrkdwn()}, "/title/type"),
    ],
)
def test_a_modal_over_its_limits_is_named(more: Json, pointer: str) -> None:
    assert one_message(modal(section(), **more), "modal")[1] == pointer


def test_a_modal_needs_a_title_and_blocks() -> None:
    found = validate({"type": "modal"}, "modal")

    assert {problem["message"] for problem in found} == {
        "missing required field: title",
        "missing required field: blocks",
    }


def test_a_home_is_not_a_modal() -> None:
    assert validate({"type": "home", "blocks": [section()]}, "home") == []
    assert one_message({"type": "home", "blocks": []}, "modal") == ("unsupported type: home", "/type")


@pytest.mark.parametrize("payload", [None, "x", 3])
def test_something_that_is_no_payload_is_an_error(payload: Any) -> None:
    assert len(validate(payload, "message")) == 1


@pytest.mark.parametrize("blocks", [{}, "x", [None], [3], [{"type": 3}], [{"type": []}], [actions({})]])
def test_garbage_is_an_error(blocks: Any) -> None:
    assert validate(modal() | {"blocks": blocks}, "modal") != []


def mutants(value: Any) -> st.SearchStrategy[Any]:
    """Return payloads like `value`, with some of its parts replaced by anything."""
    junk = st.one_of(st.none(), st.integers(), st.text(max_size=3), st.just([]), st.just({}), st.just([{}]))
    same: st.SearchStrategy[Any] = st.just(value)
    if isinstance(value, dict):
        same = st.fixed_dictionaries({key: mutants(inner) for key, inner in value.items()})
    elif isinstance(value, list):
        same = st.tuples(*map(mutants, value)).map(list)
    return st.one_of(same, same, same, junk)


SMALL = [block for block in VALID if len(str(block)) < 1000]


@given(st.sampled_from(SMALL).flatmap(mutants))
@settings(max_examples=200, deadline=None, database=None)
def test_no_payload_crashes_the_check(block: Any) -> None:
    assert isinstance(validate([block], "message"), list)
    assert isinstance(validate(block, "modal"), list)
