"""Cloud Logging's entries as lines people read."""

import json
from collections.abc import Mapping
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
#: Read of one entry's text for that, characters. What is cut off must not be half a secret, and what
#: is replaced makes room; an entry itself may hold 256 KiB.
_READ_OF_ONE = 16_000
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
    between = "\n…\n"
    return f"{text[:_BEGINNING]}{between}{text[-(LONGEST_MESSAGE - _BEGINNING - len(between)) :]}"


def _endpoint(entry: Any) -> str:
    """Return what an entry is about; only a path where it does not say by which method."""
    if entry.HasField("http_request") and entry.http_request.request_url:
        return endpoint(entry.http_request.request_method, entry.http_request.request_url)
    if not entry.HasField("json_payload"):
        return ""
    payload = _plain(entry.json_payload)
    method, _, path = _first(payload, _PATH_KEYS).rpartition(" ")
    method = (method or _first(payload, _METHOD_KEYS)).upper()
    if not (path.startswith("/") or "://" in path):
        return ""
    return endpoint(method, path) if method in _METHODS else path_of(path)


def _first(payload: Mapping[str, Any], keys: tuple[str, ...]) -> str:
    return next((payload[key] for key in keys if isinstance(payload.get(key), str)), "")


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
    return redact(text[:_READ_OF_ONE])


def _request(entry: Any) -> tuple[str, str]:
    seen = entry.http_request
    # Without host and query the same path comes together.
    path = "/" + seen.request_url.partition("://")[2].partition("/")[2].partition("?")[0]
    took = f"{seen.latency.ToMicroseconds() / 1000:.0f} ms" if seen.HasField("latency") else ""
    return f"{seen.request_method} {path} → {seen.status}", took


def _plain(payload: Any) -> Mapping[str, Any]:
    from google.protobuf.json_format import MessageToDict

    found: Mapping[str, Any] = MessageToDict(payload)
    return found


def _payload(entry: Any) -> tuple[Redacted, Redacted]:
    if not entry.HasField("json_payload"):
        return _clean(entry.text_payload), _clean("")
    payload = _plain(entry.json_payload)
    key = next((k for k in _MESSAGE_KEYS if isinstance(payload.get(k), str)), None)
    rest = _listed({name: value for name, value in payload.items() if name != key})
    return (_clean(payload[key]), rest) if key else (rest, _clean(""))


def _listed(fields: Mapping[str, Any]) -> Redacted:
    """Return ``name=value, …``; a value goes whole where its name tells that it is a secret."""
    clean = {name: redact_named(name, _short(value)[:_READ_OF_ONE]) for name, value in fields.items()}
    told = redact(", ".join(f"{name}={value.text}" for name, value in clean.items()))
    return replace(told, count=told.count + sum(value.count for value in clean.values()))


def _short(value: Any) -> str:
    return (
        str(value) if isinstance(value, str | int | float | bool) else json.dumps(value, ensure_ascii=False)
    )
