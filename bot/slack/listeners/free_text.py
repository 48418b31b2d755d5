"""What people typed, without secrets and personal data: so no listener ever sees one, and none is kept.

Everything a request leads to (an act, a workflow's arguments, a timeline) is made from what stands here.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from bot.domain.redaction import Redacted, redact
from bot.slack.commands import typed
from bot.slack.ids import ActionId
from bot.slack.listeners.requests import Payload
from bot.slack.text import escape

#: What is of use only as it was typed: a link to a meeting with its password.
_SPARED = frozenset({ActionId.POST_MORTEM_PLACE})


def without_secrets(body: Payload) -> tuple[Payload, int]:
    """Return a command's, a press's or a submission's payload redacted, and how many were replaced.

    The payload itself is not changed, and is returned as it is where there is nothing to replace.
    """
    if "command" in body:
        return _command(body)
    view = body.get("view")
    return _filled_in(body, view) if isinstance(view, Mapping) else (body, 0)


def _command(body: Payload) -> tuple[Payload, int]:
    # Slack sends & as &amp;, which would end a password; what is left is written as Slack writes it.
    found = redact(typed(str(body.get("text") or "")))
    return ({**body, "text": escape(found.text)}, found.count) if found.count else (body, 0)


def _filled_in(body: Payload, view: Mapping[str, Any]) -> tuple[Payload, int]:
    values = (view.get("state") or {}).get("values") or {}
    given = dict(_given(view))
    count, clean = 0, {}
    for block, fields in values.items():
        clean[block] = dict(fields)
        for action, field in fields.items():
            if action in _SPARED:
                continue
            found = _field(field, given.get(action, ""))
            if found.count:
                clean[block][action] = {**field, "value": found.text}
                count += found.count
    if not count:
        return body, 0
    return {**body, "view": {**view, "state": {**view["state"], "values": clean}}}, count


def _field(field: Mapping[str, Any], given: str) -> Redacted:
    """Redact what was typed into a field; what stood in it before comes from us, and may stay."""
    text = field.get("value")
    if not isinstance(text, str) or field.get("type") == "number_input":
        return Redacted(text="", count=0)
    return redact(text, spare=given)


def _given(view: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield each text field's action id with what we had put into it.

    The address of a team's own help desk, which its template for a notice holds, is meant to be read.
    """
    for block in view.get("blocks") or ():
        element = block.get("element") or {}
        if element.get("initial_value"):
            yield str(element.get("action_id")), str(element["initial_value"])
