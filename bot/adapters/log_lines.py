"""Cloud Logging's entries as lines people read."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from bot.domain.log_lines import LogLine

#: Kept of one entry's text, characters; a stack trace's first lines say what it is.
LONGEST_MESSAGE, LONGEST_DETAIL = 500, 300
#: Under which keys applications write what they have to say, the first one found.
_MESSAGE_KEYS = ("message", "msg", "textPayload", "error")
#: google.logging.type.LogSeverity
_SEVERITIES = {
    0: "DEFAULT", 100: "DEBUG", 200: "INFO", 300: "NOTICE", 400: "WARNING", 500: "ERROR",
    600: "CRITICAL", 700: "ALERT", 800: "EMERGENCY",
}  # fmt: skip


def log_line(entry: Any) -> LogLine:
    """Return one entry (a bare protobuf message) as a line."""
    message, detail = _said(entry)
    labels = entry.resource.labels
    return LogLine(
        at=datetime.fromtimestamp(entry.timestamp.ToMicroseconds() / 1e6, UTC),
        severity=_SEVERITIES.get(entry.severity, "DEFAULT"),
        message=message[:LONGEST_MESSAGE],
        detail=detail[:LONGEST_DETAIL],
        service=labels.get("service_name", ""),
        revision=labels.get("revision_name", ""),
    )


def _said(entry: Any) -> tuple[str, str]:
    """Return what repeats and what differs; a request says its method and path, whatever its payload."""
    request = _request(entry) if entry.HasField("http_request") else None
    if entry.HasField("json_payload"):
        said, rest = _structured(_plain(entry.json_payload))
    else:
        said, rest = entry.text_payload, ""
    if request is None:
        return said or "(no text)", rest
    return (said, ", ".join(filter(None, request))) if said else request


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


def _structured(payload: Mapping[str, Any]) -> tuple[str, str]:
    key = next((k for k in _MESSAGE_KEYS if isinstance(payload.get(k), str)), None)
    rest = {name: value for name, value in payload.items() if name != key}
    detail = ", ".join(f"{name}={_short(value)}" for name, value in rest.items())
    return (str(payload[key]), detail) if key else (detail, "")


def _short(value: Any) -> str:
    return (
        str(value) if isinstance(value, str | int | float | bool) else json.dumps(value, ensure_ascii=False)
    )
