"""Cloud Logging's entries as lines people read."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from bot.adapters.endpoints import endpoint, path_of
from bot.domain.log_lines import LogLine
from bot.domain.redaction import Redacted, redact, redact_named

#: Kept of one entry's text, characters.
LONGEST_MESSAGE, LONGEST_DETAIL = 500, 300
#: So much of that is its beginning: Java's stack traces say first what they are, Python's last.
_BEGINNING = 160
#: Read of one entry's text for that, characters, half of it at each end; an entry may hold 256 KiB.
_READ_OF_ONE = 4_000
#: What stands within so many characters of where the middle was cut out may be half a secret.
_NEAR_A_CUT = 200
#: Stands for what was left out.
_BETWEEN = "\n…\n"
_KEY_BEGINS, _KEY_ENDS = "-----BEGIN", "-----END"
#: Under which keys applications write what they have to say, the first one found.
_MESSAGE_KEYS = ("message", "msg", "textPayload", "error")
#: Under which keys they write what a line is about, and by which method it was asked for.
_PATH_KEYS, _METHOD_KEYS = ("endpoint", "path", "url"), ("method", "http_method", "httpMethod")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
#: google.logging.type.LogSeverity
_SEVERITIES = {
    0: "DEFAULT", 100: "DEBUG", 200: "INFO", 300: "NOTICE", 400: "WARNING", 500: "ERROR",
    600: "CRITICAL", 700: "ALERT", 800: "EMERGENCY",
}  # fmt: skip


def log_line(entry: Any) -> LogLine:
    """Return one entry (a bare protobuf message) as a line."""
    message, detail = _said(entry)
    about = _clean(_endpoint(entry))
    labels = entry.resource.labels
    return LogLine(
        at=datetime.fromtimestamp(entry.timestamp.ToMicroseconds() / 1e6, UTC),
        severity=_SEVERITIES.get(entry.severity, "DEFAULT"),
        message=_both_ends(message.text),
        detail=detail.text[:LONGEST_DETAIL],
        service=labels.get("service_name", ""),
        revision=labels.get("revision_name", ""),
        endpoint=about.text,
        trace=entry.trace.rpartition("/")[2],
        redacted=message.count + detail.count + about.count,
    )


def _both_ends(text: str) -> str:
    """Return a text, or its beginning and its end where it is too long."""
    if len(text) <= LONGEST_MESSAGE:
        return text
    return f"{text[:_BEGINNING]}{_BETWEEN}{text[-(LONGEST_MESSAGE - _BEGINNING - len(_BETWEEN)) :]}"


def _read(text: str) -> str:
    """Return what is read of a text: all of it, or both its ends, which show no half of a secret.

    Names that tell and prefixes stand in front of secrets, so the end is the one that needs care.
    """
    if len(text) <= _READ_OF_ONE:
        return text
    half = _READ_OF_ONE // 2
    return _without_last_word(text[:half]) + _BETWEEN + _without_first_words(text[-half:])


def _without_last_word(text: str) -> str:
    """Return it up to the last white space near its end, else without all that is near."""
    near = len(text) - _NEAR_A_CUT
    found = list(re.finditer(r"\s", text[near:]))
    return text[: near + (found[-1].start() if found else 0)]


def _without_first_words(text: str) -> str:
    """Return it without what is near its beginning: whole words, a whole line if that is no long one.

    A word (or the rest of a private key) goes however long it is: its beginning, which tells what it is,
    is gone already. So does the word whose name was cut off.
    """
    end = text.find(_KEY_ENDS)
    if end >= 0 and _KEY_BEGINS not in text[:end]:
        return text[end:]
    line = text.find("\n", 0, len(text) // 2)
    space = re.compile(r"\s").search(text, _NEAR_A_CUT)
    at = line if line >= 0 else space.start() if space else len(text)
    return text[at:].lstrip()


def _endpoint(entry: Any) -> str:
    """Return what an entry is about; only a path where it does not say by which method."""
    if entry.HasField("http_request") and entry.http_request.request_url:
        return endpoint(entry.http_request.request_method, entry.http_request.request_url)
    if not entry.HasField("json_payload"):
        return ""
    payload = entry.json_payload.fields
    method, _, path = _first(payload, _PATH_KEYS).rpartition(" ")
    method = (method or _first(payload, _METHOD_KEYS)).upper()
    if not (path.startswith("/") or "://" in path):
        return ""
    return endpoint(method, path) if method in _METHODS else path_of(path)


def _first(payload: Mapping[str, Any], keys: tuple[str, ...]) -> str:
    """Return the text under the first of `keys` that holds one; the fields of a protobuf ``Struct``."""
    return next((payload[key].string_value for key in keys if _is_text(payload, key)), "")


def _is_text(payload: Mapping[str, Any], key: str) -> bool:
    return key in payload and bool(payload[key].HasField("string_value"))


def _said(entry: Any) -> tuple[Redacted, Redacted]:
    """Return what repeats and what differs; a request says its method and path, whatever its payload."""
    said, rest = _payload(entry)
    if not entry.HasField("http_request"):
        return said if said.text else _clean("(no text)"), rest
    path, took = _request(entry)
    if not said.text:
        return _clean(path), _clean(took)
    return said, _clean(", ".join(filter(None, (path, took))))


def _clean(text: str) -> Redacted:
    return redact(_read(text))


def _request(entry: Any) -> tuple[str, str]:
    seen = entry.http_request
    # Without host and query the same path comes together.
    path = "/" + seen.request_url.partition("://")[2].partition("/")[2].partition("?")[0]
    took = f"{seen.latency.ToMicroseconds() / 1000:.0f} ms" if seen.HasField("latency") else ""
    return f"{seen.request_method} {path} → {seen.status}", took


def _payload(entry: Any) -> tuple[Redacted, Redacted]:
    if not entry.HasField("json_payload"):
        return _clean(entry.text_payload), _clean("")
    payload = entry.json_payload.fields
    key = next((k for k in _MESSAGE_KEYS if _is_text(payload, k)), None)
    rest = _listed(payload, without=key)
    return (_clean(payload[key].string_value), rest) if key else (rest, _clean(""))


def _listed(fields: Mapping[str, Any], *, without: str | None) -> Redacted:
    """Return ``name=value, …``; a value goes whole where its name tells that it is a secret.

    Whole fields until `_READ_OF_ONE` characters are reached; protobuf keeps no order among them anyway.
    """
    told, length, count = [], 0, 0
    for name in fields:
        if name == without or length > _READ_OF_ONE:
            continue
        value = redact_named(name, _read(_short(fields[name])))
        told.append(f"{name}={value.text}")
        length, count = length + len(told[-1]), count + value.count
    listed = _clean(", ".join(told))
    return replace(listed, count=listed.count + count)


def _short(value: Any) -> str:
    """Return a protobuf ``Value`` as text: JSON, which is walked no further than it is read."""
    if value.HasField("string_value"):
        return str(value.string_value)
    if value.HasField("bool_value"):
        return str(value.bool_value)
    pieces, length = [], 0
    for piece in _json(value):
        pieces.append(piece)
        length += len(piece)
        if length > _READ_OF_ONE:
            break
    return "".join(pieces)


def _json(value: Any) -> Iterator[str]:
    """Write a protobuf ``Value`` as JSON, piece by piece."""
    kind = value.WhichOneof("kind")
    if kind == "struct_value":
        yield from _json_object(value.struct_value.fields)
    elif kind == "list_value":
        yield from _json_list(value.list_value.values)
    else:
        known = None if kind in (None, "null_value") else getattr(value, kind)
        yield json.dumps(known, ensure_ascii=False)


def _json_object(fields: Mapping[str, Any]) -> Iterator[str]:
    comma = "{"
    for name in fields:
        yield f"{comma}{json.dumps(name, ensure_ascii=False)}: "
        yield from _json(fields[name])
        comma = ", "
    yield "}" if fields else "{}"


def _json_list(values: Any) -> Iterator[str]:
    comma = "["
    for value in values:
        yield comma
        yield from _json(value)
        comma = ", "
    yield "]" if values else "[]"
