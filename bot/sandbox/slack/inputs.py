"""What people put into elements: plain values become `state.values` and `actions[]`, if the client agrees."""

import copy
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bot.sandbox.slack.block_elements import options_of
from bot.sandbox.slack.blocks import elements_of

Json = dict[str, Any]

#: element type -> (key of the state, key of the initial value). These hold text, ids or dates as they are.
_PLAIN = {
    "plain_text_input": ("value", "initial_value"),
    "number_input": ("value", "initial_value"),
    "email_text_input": ("value", "initial_value"),
    "url_text_input": ("value", "initial_value"),
    "rich_text_input": ("rich_text_value", "initial_value"),
    "datepicker": ("selected_date", "initial_date"),
    "timepicker": ("selected_time", "initial_time"),
    "datetimepicker": ("selected_date_time", "initial_date_time"),
    "users_select": ("selected_user", "initial_user"),
    "channels_select": ("selected_channel", "initial_channel"),
    "conversations_select": ("selected_conversation", "initial_conversation"),
    "multi_users_select": ("selected_users", "initial_users"),
    "multi_channels_select": ("selected_channels", "initial_channels"),
    "multi_conversations_select": ("selected_conversations", "initial_conversations"),
    "file_input": ("files", "initial_files"),
}
_ONE_OPTION = frozenset({"static_select", "external_select", "radio_buttons", "overflow"})
_OPTIONS = frozenset({"multi_static_select", "multi_external_select", "checkboxes"})
#: An overflow menu forgets; everything else above is remembered in the state.
STATEFUL = (frozenset(_PLAIN) | _ONE_OPTION | _OPTIONS) - {"overflow"}
_LISTS = _OPTIONS | {kind for kind in _PLAIN if kind.startswith("multi_")} | {"file_input"}

#: The line Slack's own client shows under an input it will not send.
REQUIRED = "Please complete this required field."


def selection(element: Mapping[str, Any], plain: Any) -> Json:
    """Return what the element reports once `plain` is chosen: the keys beside `type`.

    Args:
        element: the element as it stands in the block.
        plain: a text, a date, an id, an option's value, or a list of them; None for nothing.

    Raises:
        LookupError: `plain` names an option the element does not offer, or more than it lets people choose.
    """
    kind = element["type"]
    if kind in _LISTS and len(plain or []) > element.get("max_selected_items", len(plain or [])):
        raise LookupError(f"{element.get('action_id')} takes {element['max_selected_items']} at most")
    if kind in _PLAIN:
        empty: Any = [] if kind in _LISTS else None
        return {_PLAIN[kind][0]: empty if plain in (None, "", []) else plain}
    if kind in _ONE_OPTION:
        return {"selected_option": None if plain in (None, "") else _option(element, plain)}
    if kind in _OPTIONS:
        return {"selected_options": [_option(element, value) for value in plain or []]}
    return {}


def _option(element: Mapping[str, Any], value: str) -> Json:
    for option in options_of(dict(element)):
        if option.get("value") == value:
            return copy.deepcopy(option)
    raise LookupError(f"{element.get('action_id')} offers no option {value!r}")


def initial(element: Mapping[str, Any]) -> Json:
    """Return what the element reports before anybody touched it."""
    kind = element["type"]
    if kind in _PLAIN:
        key, initial_key = _PLAIN[kind]
        return {key: copy.deepcopy(element.get(initial_key, [] if kind in _LISTS else None))}
    if kind in _OPTIONS:
        return {"selected_options": copy.deepcopy(element.get("initial_options", []))}
    return {"selected_option": copy.deepcopy(element.get("initial_option"))}


def stateful_elements(blocks: Sequence[Mapping[str, Any]]) -> Iterator[tuple[Mapping[str, Any], Json]]:
    """Yield every block with each of its elements that keeps what people put in."""
    for block in blocks:
        for element in elements_of(block):
            if element.get("type") in STATEFUL:
                yield block, element


def initial_state(blocks: Sequence[Mapping[str, Any]], before: Mapping[str, Json] | None = None) -> Json:
    """Return `state.values` of fresh blocks; entries of `before` at the same place survive."""
    values: Json = {}
    for block, element in stateful_elements(blocks):
        kept = (before or {}).get(block["block_id"], {}).get(element["action_id"])
        if kept is None or kept["type"] != element["type"] or not _still_offered(element, kept):
            kept = {"type": element["type"], **initial(element)}
        values.setdefault(block["block_id"], {})[element["action_id"]] = kept
    return values


def _still_offered(element: Mapping[str, Any], entry: Json) -> bool:
    """Say whether what was chosen can still be chosen; true where there are no options to choose from."""
    one = entry.get("selected_option")
    chosen = entry.get("selected_options") or ([one] if one else [])
    offered = [option.get("value") for option in options_of(dict(element))]
    is_fixed = element["type"] in _ONE_OPTION | _OPTIONS and not element["type"].endswith("external_select")
    return not is_fixed or all(option["value"] in offered for option in chosen)


def filled_state(blocks: Sequence[Mapping[str, Any]], before: Json, plain: Mapping[str, Any]) -> Json:
    """Return `state.values` after people filled in `plain`.

    Args:
        blocks: the view's blocks.
        before: the state so far; whatever `plain` does not name stays.
        plain: {action_id: plain value}, or {block_id: {action_id: plain value}} where an action_id repeats.

    Raises:
        LookupError: `plain` names an input that is not there, or an option that is not offered.
    """
    values = copy.deepcopy(before)
    unused = set(plain)
    for block, element in stateful_elements(blocks):
        block_id, action_id = block["block_id"], element["action_id"]
        own = plain.get(block_id)
        source, key = (own, block_id) if isinstance(own, Mapping) else (plain, action_id)
        if action_id in source:
            unused.discard(key)
            chosen = selection(element, source[action_id])
            values.setdefault(block_id, {})[action_id] = {"type": element["type"], **chosen}
    if unused:
        raise LookupError(f"the view has no input {', '.join(sorted(unused))}")
    return values


def client_errors(blocks: Sequence[Mapping[str, Any]], values: Json) -> dict[str, str]:
    """Return what Slack's client complains about before it sends anything: {block_id: line}."""
    errors: dict[str, str] = {}
    for block, element in stateful_elements(blocks):
        if block["type"] != "input":
            continue
        entry = values.get(block["block_id"], {}).get(element["action_id"], {})
        line = _complaint(element, entry, optional=bool(block.get("optional")))
        if line is not None:
            errors[block["block_id"]] = line
    return errors


def _complaint(element: Json, entry: Json, *, optional: bool) -> str | None:
    filled = next((value for key, value in entry.items() if key != "type" and value), None)
    if filled is None:
        return None if optional else REQUIRED
    if not isinstance(filled, str):
        return None
    if len(filled) < element.get("min_length", 0):
        return f"Please enter at least {element['min_length']} characters."
    if len(filled) > element.get("max_length", 3000):
        return f"Please enter no more than {element.get('max_length', 3000)} characters."
    return _number_complaint(element, filled) if element["type"] == "number_input" else None


def _number_complaint(element: Json, text: str) -> str | None:
    try:
        number = float(text)
    except ValueError:
        return "Please enter a number."
    if not math.isfinite(number):
        return "Please enter a number."
    if not element["is_decimal_allowed"] and not number.is_integer():
        return "Please enter a whole number."
    if number < float(element.get("min_value", "-inf")) or number > float(element.get("max_value", "inf")):
        return "Please enter a number within the allowed range."
    return None


def chosen_places(blocks: list[Json], values: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Return block_id, action_id and channel of each choice that the app may answer in."""
    for block in blocks:
        element = block.get("element", {})
        if not element.get("response_url_enabled"):
            continue
        state = values[block["block_id"]][element["action_id"]]
        channel = state.get("selected_channel") or state.get("selected_conversation")
        if channel:
            yield block["block_id"], element["action_id"], channel
