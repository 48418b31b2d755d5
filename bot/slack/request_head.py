"""What the gate reads before the body: address, headers, and what they claim. All of it raises `Refused`."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.types import Scope

from bot.slack.bodies import decode_form, decode_json
from bot.slack.refusals import Refusal, Refused

PATH = "/slack/events"
#: Slack sends along the message that was pressed on: its text of up to 40,000 characters (nine bytes
#: each for Hangul in a form), and the same again as blocks.
MAX_BODY_BYTES = 2 * 1024 * 1024
#: Older or newer is refused. Source: docs.slack.dev, "Verifying requests from Slack".
MAX_AGE_SECONDS = 300

Decoder = Callable[[bytes], dict[str, Any]]
_DECODERS: Mapping[bytes, Decoder] = {
    b"application/x-www-form-urlencoded": decode_form,
    b"application/json": decode_json,
}
_CONTENT_TYPE = re.compile(rb"([a-z/-]+)(?: *; *charset=utf-8)?")
_LENGTH = re.compile(rb"[0-9]{1,10}")
_TIMESTAMP = re.compile(rb"[0-9]{1,10}")
_SIGNATURE = re.compile(rb"v0=[0-9a-f]{64}")
#: Headers that decide something, here or further in. Of two, two readers may believe different ones.
_SINGLE = frozenset({b"content-type", b"content-length", b"content-encoding", b"transfer-encoding"})


@dataclass(frozen=True)
class Head:
    """What the headers claim; nothing of it is proven yet. `length` is in bytes, None when not declared."""

    timestamp: bytes
    signature: bytes
    length: int | None
    decode: Decoder


def read_head(scope: Scope, *, now: float) -> Head:
    """Return the claims of a well-formed request. `now` is in seconds since 1970."""
    _check_address(scope)
    headers = _headers(scope)
    decode = _decoder(headers)
    timestamp, signature = _credentials(headers)
    _check_age(timestamp, now=now)
    return Head(timestamp=timestamp, signature=signature, length=_length(headers), decode=decode)


def _check_address(scope: Scope) -> None:
    if scope["path"] != PATH:
        raise Refused(Refusal.WRONG_PATH)
    if scope["method"] != "POST":
        raise Refused(Refusal.WRONG_METHOD)
    # Bolt would read it, and no signature covers it.
    if scope.get("query_string"):
        raise Refused(Refusal.QUERY_STRING)


def _headers(scope: Scope) -> dict[bytes, bytes]:
    found: dict[bytes, bytes] = {}
    for raw_name, value in scope["headers"]:
        name = raw_name.lower()
        if name in found and (name in _SINGLE or name.startswith(b"x-slack-")):
            raise Refused(Refusal.DUPLICATE_HEADER)
        # They make Bolt skip its listener. Slack never sends them, and no signature covers them.
        if name.startswith(b"x-slack-bolt-"):
            raise Refused(Refusal.UNEXPECTED_HEADER)
        found[name] = value
    return found


def _decoder(headers: Mapping[bytes, bytes]) -> Decoder:
    if headers.get(b"content-encoding", b"identity") != b"identity":
        raise Refused(Refusal.CONTENT_ENCODING)
    match = _CONTENT_TYPE.fullmatch(headers.get(b"content-type", b"").lower())
    if match is None or match[1] not in _DECODERS:
        raise Refused(Refusal.CONTENT_TYPE)
    return _DECODERS[match[1]]


def _credentials(headers: Mapping[bytes, bytes]) -> tuple[bytes, bytes]:
    timestamp = headers.get(b"x-slack-request-timestamp")
    signature = headers.get(b"x-slack-signature")
    if timestamp is None or signature is None:
        raise Refused(Refusal.UNSIGNED)
    if not _TIMESTAMP.fullmatch(timestamp):
        raise Refused(Refusal.TIMESTAMP)
    if not _SIGNATURE.fullmatch(signature):
        raise Refused(Refusal.SIGNATURE)
    return timestamp, signature


def _check_age(timestamp: bytes, *, now: float) -> None:
    age_seconds = now - int(timestamp)
    if abs(age_seconds) > MAX_AGE_SECONDS:
        # In the log, the same age again and again means that our own clock is wrong.
        raise Refused(Refusal.STALE, age_seconds=round(age_seconds))


def _length(headers: Mapping[bytes, bytes]) -> int | None:
    declared = headers.get(b"content-length")
    if declared is None:
        return None
    if not _LENGTH.fullmatch(declared):
        raise Refused(Refusal.CONTENT_LENGTH)
    if int(declared) > MAX_BODY_BYTES:
        raise Refused(Refusal.TOO_LARGE)
    return int(declared)
