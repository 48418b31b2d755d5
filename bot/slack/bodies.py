"""What a request from Slack carries: the fields of a command, the payload of a click, or an event.

Bolt's own parser takes any form that holds the letters ``payload`` for a click, so that the command
``/incident note bad payload`` comes out empty: whoever hands Bolt a request should hand it this dict.
"""

import binascii
import json
import re
from collections.abc import Mapping
from itertools import chain
from typing import Any, Never

#: Deeper than any payload of Slack's (a rich text list in a message in a click is about 15 deep) and far
#: from the depth at which Python gives up.
MAX_DEPTH = 64
_MAX_FIELDS = 64
_FIELD_NAME = re.compile(rb"[a-z][a-z0-9_]{0,63}")
#: A form must hold one of these, or it is not Slack's.
_FORM_KINDS = frozenset({"payload", "command", "ssl_check"})


class MalformedBody(ValueError):
    """The body is not one that Slack sends. Carries no detail: a forger would only learn from it."""


def decode_form(body: bytes) -> dict[str, Any]:
    """Return the fields of a command, or the object inside `payload`; raises `MalformedBody`."""
    fields = _fields(body)
    if len(_FORM_KINDS & fields.keys()) != 1:
        raise MalformedBody
    if "payload" not in fields:
        return dict(fields)
    if len(fields) != 1:
        raise MalformedBody
    return _json_object(fields["payload"])


def decode_json(body: bytes) -> dict[str, Any]:
    """Return the object of an event; raises `MalformedBody`."""
    return _json_object(_text(body))


def _fields(body: bytes) -> dict[str, str]:
    pairs = body.split(b"&", _MAX_FIELDS)
    fields: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition(b"=")
        if not equals or not _FIELD_NAME.fullmatch(name):
            raise MalformedBody
        fields[name.decode()] = _text(_percent_decoded(value))
    # Of two fields with one name, two readers may believe different ones.
    if len(fields) != len(pairs):
        raise MalformedBody
    return fields


def _percent_decoded(value: bytes) -> bytes:
    """Undo the form encoding in C: a click carries its whole message, 10 KB and more.

    Quoted-printable differs from percent-encoding in its sign, and in line breaks and bare signs, which
    a form never holds. Each decoded escape is two bytes shorter: any other length means a broken escape.
    """
    if b"=" in value or b"\n" in value or b"\r" in value:
        raise MalformedBody
    decoded = binascii.a2b_qp(value.replace(b"+", b" ").replace(b"%", b"="))
    if len(decoded) != len(value) - 2 * value.count(b"%"):
        raise MalformedBody
    return decoded


def _text(body: bytes) -> str:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedBody from error


def _json_object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise MalformedBody from error
    if not isinstance(value, dict) or _deeper_than(MAX_DEPTH, value):
        raise MalformedBody
    return value


def _refuse_constant(_: str) -> Never:
    """NaN and Infinity are Python's idea, not JSON's."""
    raise MalformedBody


def _deeper_than(depth: int, value: Mapping[str, Any]) -> bool:
    level: list[Any] = [value]
    for _ in range(depth):
        level = list(chain.from_iterable(_inside(container) for container in level))
        if not level:
            return False
    return True


def _inside(container: Any) -> list[Any]:
    held = container.values() if isinstance(container, dict) else container
    return [item for item in held if isinstance(item, dict | list)]
