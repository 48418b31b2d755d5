"""Bodies: what the standard library reads in a form, read faster and without its leniency."""

import json
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.slack.bodies import MAX_DEPTH, MalformedBody, decode_form, decode_json

_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
_NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True).filter(
    lambda name: name not in {"payload", "command", "ssl_check"}
)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | _TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXT, inner, max_size=4),
)


@given(fields=st.dictionaries(_NAMES, _TEXT, max_size=8), name=_TEXT)
def test_a_command_reads_as_the_standard_library_reads_it(fields: dict[str, str], name: str) -> None:
    body = urlencode({**fields, "command": name})

    assert decode_form(body.encode()) == dict(parse_qsl(body, keep_blank_values=True))


@given(value=st.text("%0123456789abcdefABCDEFgz+ -_.~\t\0/:", max_size=12))
def test_a_value_is_read_as_the_standard_library_reads_it_or_refused(value: str) -> None:
    body = f"command={value}"

    try:
        read = decode_form(body.encode())
    except MalformedBody:
        return

    assert read == dict(parse_qsl(body, keep_blank_values=True, strict_parsing=True, errors="strict"))


@given(payload=st.dictionaries(_TEXT, _JSON, max_size=5))
def test_a_click_comes_out_as_it_was_put_in(payload: dict[str, Any]) -> None:
    body = urlencode({"payload": json.dumps(payload)})

    assert decode_form(body.encode()) == payload


@given(event=st.dictionaries(_TEXT, _JSON, max_size=5))
def test_an_event_comes_out_as_it_was_put_in(event: dict[str, Any]) -> None:
    assert decode_json(json.dumps(event, ensure_ascii=False).encode()) == event


def test_a_command_may_speak_of_a_payload() -> None:
    body = urlencode({"command": "/incident", "text": "note bad payload={}"}).encode()

    assert decode_form(body) == {"command": "/incident", "text": "note bad payload={}"}


def test_nesting_is_read_up_to_the_limit_and_no_further() -> None:
    deepest = b'{"a":' + b"[" * (MAX_DEPTH - 1) + b"]" * (MAX_DEPTH - 1) + b"}"
    deeper = b'{"a":' + b"[" * MAX_DEPTH + b"]" * MAX_DEPTH + b"}"

    decode_json(deepest)

    with pytest.raises(MalformedBody):
        decode_json(deeper)


def test_a_refusal_repeats_nothing_of_the_body() -> None:
    with pytest.raises(MalformedBody) as raised:
        decode_json(b'{"token": "secret", }')

    assert str(raised.value) == ""
