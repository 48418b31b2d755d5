"""Block Kit as Slack checks it: the blocks, what a surface may hold, and the rules over a whole payload."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

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
from bot.sandbox.slack.block_elements import (
    BUTTON,
    IDENTIFIER,
    IMAGE,
    IN_ACTIONS,
    IN_CONTEXT,
    IN_CONTEXT_ACTIONS,
    IN_INPUT,
    IN_SECTION,
    SLACK_FILE,
    element,
    plain,
    text,
)
from bot.sandbox.slack.block_rich_text import RICH_TEXT

Surface = Literal["message", "modal", "home"]

ID: dict[str, Check] = {"block_id": IDENTIFIER}
TABLE_CELLS: dict[str, Check] = {
    "raw_text": Shape(must={"text": characters(3000, minimum=0)}),
    "raw_number": Shape(must={"value": anything}, may={"text": characters(3000, minimum=0)}),
    "rich_text": RICH_TEXT,
}
COLUMN_SETTING = Shape(may={"align": one_of("left", "center", "right"), "is_wrapped": boolean})
TASK_CARD = Shape(
    must={"task_id": characters(255), "title": characters(255)},
    may={
        **ID,
        "status": one_of("pending", "in_progress", "complete", "error"),
        "details": RICH_TEXT,
        "output": RICH_TEXT,
        "sources": anything,
    },
)
CARD = Shape(
    may={
        **ID,
        "hero_image": IMAGE,
        "icon": IMAGE,
        "title": text(150),
        "subtitle": text(150),
        "body": text(200),
        "actions": items(typed({"button": BUTTON}, frozenset({"button"})), 1, 5),
    },
    some=("hero_image", "title", "actions", "body"),
)
IN_CONTAINER = frozenset(
    {
        "actions",
        "context",
        "divider",
        "file",
        "header",
        "image",
        "input",
        "rich_text",
        "section",
        "table",
        "video",
    }
)


def _child_block(value: Any, pointer: str) -> Iterator[Problem]:
    # Looked up late: the container is itself a row of the table its children are checked by.
    yield from typed(BLOCKS, IN_CONTAINER)(value, pointer)


#: What each kind of block must and may hold.
BLOCKS: dict[str, Check] = {
    "header": Shape(must={"text": plain(150)}, may={**ID, "level": integer(1, 6)}),
    "section": Shape(
        may={
            **ID,
            "text": text(3000),
            "fields": items(text(2000), 1, 10),
            "accessory": element(IN_SECTION),
            "expand": boolean,
        },
        some=("text", "fields"),
    ),
    "divider": Shape(may=ID),
    "image": Shape(
        must={"alt_text": characters(2000)},
        may={**ID, "title": plain(2000), "image_url": url(), "slack_file": SLACK_FILE},
        exactly_one=("image_url", "slack_file"),
    ),
    "context": Shape(must={"elements": items(element(IN_CONTEXT), 1, 10)}, may=ID),
    "actions": Shape(must={"elements": items(element(IN_ACTIONS), 1, 25)}, may=ID),
    "context_actions": Shape(must={"elements": items(element(IN_CONTEXT_ACTIONS), 1, 5)}, may=ID),
    "input": Shape(
        must={"label": plain(2000), "element": element(IN_INPUT)},
        may={**ID, "hint": plain(2000), "optional": boolean, "dispatch_action": boolean},
    ),
    "rich_text": RICH_TEXT,
    "markdown": Shape(must={"text": characters(12000)}, may=ID),
    "table": Shape(
        must={"rows": items(items(typed(TABLE_CELLS, frozenset(TABLE_CELLS)), 1, 20), 1, 100)},
        may={**ID, "column_settings": items(COLUMN_SETTING, 0, 20)},
    ),
    "data_table": Shape(
        must={"rows": anything, "caption": characters(255)}, may={**ID, "page_size": integer(1, 100)}
    ),
    "alert": Shape(
        must={"text": text(3000)},
        may={**ID, "level": one_of("default", "info", "warning", "error", "success")},
    ),
    "task_card": TASK_CARD,
    "plan": Shape(
        must={"title": characters(255)},
        may={**ID, "tasks": items(typed({"task_card": TASK_CARD}, frozenset({"task_card"})), 0, 50)},
    ),
    "card": CARD,
    "carousel": Shape(must={"elements": items(typed({"card": CARD}, frozenset({"card"})), 1, 10)}, may=ID),
    "container": Shape(
        must={"child_blocks": items(_child_block, 1, 10)},
        may={
            **ID,
            "title": plain(150),
            "rich_text_title": RICH_TEXT,
            "subtitle": plain(150),
            "width": anything,
            "icon": anything,
            "is_collapsible": boolean,
            "default_collapsed": boolean,
            "has_header_divider": boolean,
        },
    ),
    "file": Shape(must={"external_id": characters(255), "source": one_of("remote")}, may=ID),
    "video": Shape(
        must={
            "alt_text": characters(2000),
            "title": plain(199),
            "thumbnail_url": url(),
            "video_url": url(),
        },
        may={
            **ID,
            "title_url": url(),
            "description": plain(199),
            "provider_name": characters(49),
            "provider_icon_url": url(),
            "author_name": characters(49),
        },
    ),
}

#: Blocks that only messages can hold; a modal can hold an alert as well.
ONLY_IN_MESSAGES = frozenset(
    {
        "markdown",
        "table",
        "data_table",
        "context_actions",
        "task_card",
        "plan",
        "card",
        "carousel",
        "container",
        "file",
    }
)
ON_SURFACE: dict[Surface, frozenset[str]] = {
    "message": frozenset(BLOCKS),
    "modal": frozenset(BLOCKS) - ONLY_IN_MESSAGES,
    "home": frozenset(BLOCKS) - ONLY_IN_MESSAGES - {"alert"},
}
MOST_BLOCKS: dict[Surface, int] = {"message": 50, "modal": 100, "home": 100}
#: All markdown blocks of a payload together, characters.
MARKDOWN_TOTAL = 12_000

VIEW_KEYS: dict[str, Check] = {
    "private_metadata": characters(3000, minimum=0),
    "callback_id": characters(255, minimum=0),
    "external_id": characters(255, minimum=0),
}
VIEWS: dict[str, Check] = {
    "modal": Shape(
        must={"title": plain(24), "blocks": anything},
        may={
            **VIEW_KEYS,
            "submit": plain(24),
            "close": plain(24),
            "clear_on_close": boolean,
            "notify_on_close": boolean,
            "submit_disabled": boolean,
        },
    ),
    "home": Shape(must={"blocks": anything}, may=VIEW_KEYS),
}


def validate(payload: Any, surface: Surface) -> list[Problem]:
    """Return what Slack would object to, in document order and in the shape of ``blocks.validate``.

    Args:
        payload: a list of blocks, a view, or a message; pointers are relative to it.
        surface: where it is going to be shown.
    """
    if isinstance(payload, list):
        return list(_blocks(payload, surface, ""))
    if not isinstance(payload, dict):
        return [problem("must be an array or an object", "", "type", ["array", "object"])]
    if surface == "message":
        return list(_blocks(payload.get("blocks") or [], surface, "/blocks"))
    return list(_view(payload, surface))


def _view(view: dict[str, Any], surface: Surface) -> Iterator[Problem]:
    yield from typed(VIEWS, frozenset({surface}))(view, "")
    blocks = view.get("blocks", [])
    yield from _blocks(blocks, surface, "/blocks")
    asks = any(block.get("type") == "input" for block in _objects(blocks))
    if surface == "modal" and asks and "submit" not in view:
        yield problem("missing required field: submit", "", "required", "submit")


def _blocks(blocks: Any, surface: Surface, pointer: str) -> Iterator[Problem]:
    check = items(typed(BLOCKS, ON_SURFACE[surface]), 0, MOST_BLOCKS[surface])
    yield from check(blocks, pointer)
    yield from _over_all(_objects(blocks), pointer)


def _over_all(blocks: Sequence[dict[str, Any]], pointer: str) -> Iterator[Problem]:
    """Rules that no block can break alone."""
    for block_id in _repeated(block.get("block_id") for block in blocks):
        yield problem(f"`block_id` must be unique: {block_id}", pointer, "unique", got=block_id)
    for index, block in enumerate(blocks):
        for action_id in _repeated(part.get("action_id") for part in elements_of(block)):
            yield problem(
                f"`action_id` must be unique: {action_id}", f"{pointer}/{index}", "unique", got=action_id
            )
    if sum(block.get("type") == "table" for block in blocks) > 1:
        yield problem("only_one_table_allowed", pointer, "max_items", 1)
    markdown = sum(len(str(block.get("text", ""))) for block in blocks if block.get("type") == "markdown")
    if markdown > MARKDOWN_TOTAL:
        message = f"markdown must be less than {MARKDOWN_TOTAL + 1} characters in total"
        yield problem(message, pointer, "max_length", MARKDOWN_TOTAL, markdown)


def _repeated(identifiers: Iterator[Any]) -> list[str]:
    counted = Counter(name for name in identifiers if isinstance(name, str))
    return [name for name, times in counted.items() if times > 1]


def _objects(values: Any) -> list[dict[str, Any]]:
    return [value for value in values if isinstance(value, dict)] if isinstance(values, list) else []


def elements_of(block: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the elements of one block that a person could use, in order."""
    single = [block.get("accessory"), block.get("element")]
    elements = block.get("elements") if block.get("type") != "rich_text" else []
    return _objects([*single, *(elements if isinstance(elements, list) else [])])
