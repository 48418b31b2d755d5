"""The fields of a log entry that filters can name, and how each compares."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from enum import Enum

from bot.sandbox.cloud.audit import SERVICE, ChangeAsked
from bot.sandbox.cloud.log_store import SEVERITIES, LogRecord
from bot.sandbox.cloud.metric_types import RESOURCE_TYPE
from bot.sandbox.cloud.rejection import invalid
from bot.sandbox.names import PROJECT, REGION


class Kind(Enum):
    """What a field holds, which says how a filter's value is read."""

    TEXT = "text"
    NUMBER = "number"
    SEVERITY = "severity"
    TIME = "time"
    DURATION = "duration"
    #: Text or number, whichever the entry holds.
    FREE = "free"


#: None is a missing field: "all comparisons using missing fields silently fail".
Value = str | float | None
Field = tuple[Kind, Callable[[LogRecord], Value]]

_DURATION = re.compile(r"^(-?\d+(?:\.\d+)?)(h|m|s|ms|us|ns)$")
_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}


def field(path: str) -> Field:
    """Return the kind and the reader of the field at `path`.

    Raises:
        Rejection: INVALID_ARGUMENT when log entries have no such field.
    """
    head, _, rest = path.partition(".")
    known = _PLAIN.get(_plain(path))
    if known is not None:
        return known
    if _plain(head) == "jsonpayload" and rest:
        return Kind.FREE, lambda record: (record.json or {}).get(rest)
    if _plain(head) == "labels" and rest:
        return Kind.TEXT, lambda _: None
    if _plain(path).startswith("resource.labels."):
        name = path.split(".", 2)[2].strip('"')
        return Kind.TEXT, lambda record: _resource_labels(record).get(name)
    raise invalid(f"Unparseable filter: field not found: '{path}'.")


def literal(kind: Kind, text: str, *, path: str) -> str | float:
    """Return a filter's value as the field's kind compares it.

    Raises:
        Rejection: INVALID_ARGUMENT when it cannot be read as that kind.
    """
    if kind is Kind.SEVERITY:
        return _severity(text)
    if kind is Kind.TIME:
        return _time(text)
    if kind is Kind.DURATION:
        return _duration(text)
    if kind is Kind.NUMBER:
        return _number(text, path)
    return text.lower()


def _plain(path: str) -> str:
    return path.replace("_", "").lower()


def _severity(text: str) -> float:
    if text.upper() in SEVERITIES:
        return SEVERITIES[text.upper()]
    if text.isdecimal():
        return int(text)
    raise invalid(f"Unparseable filter: '{text}' is not a severity.")


def _time(text: str) -> float:
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise invalid(f"Unparseable filter: '{text}' is not a time.") from error
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()


def _duration(text: str) -> float:
    found = _DURATION.match(text)
    if found is None:
        raise invalid(f"Unparseable filter: '{text}' is not a duration such as 0.5s.")
    return float(found.group(1)) * _SECONDS[found.group(2)]


def _number(text: str, path: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise invalid(f"Unparseable filter: '{path}' is a number, '{text}' is not.") from error


def _resource_labels(record: LogRecord) -> dict[str, str]:
    return {
        "project_id": PROJECT,
        "location": REGION,
        "service_name": record.service,
        "revision_name": record.revision,
        "configuration_name": record.service,
    }


def _status(record: LogRecord) -> Value:
    return record.request.status if record.request else None


def _latency(record: LogRecord) -> Value:
    return record.request.latency_ms / 1000 if record.request else None


def _method(record: LogRecord) -> Value:
    return record.request.method if record.request else None


def _url(record: LogRecord) -> Value:
    return record.request.url if record.request else None


def _remote_ip(record: LogRecord) -> Value:
    return record.request.client if record.request else None


def _user_agent(record: LogRecord) -> Value:
    return record.request.user_agent if record.request else None


def _changed(read: Callable[[ChangeAsked], Value]) -> Callable[[LogRecord], Value]:
    return lambda record: read(record.change) if record.change else None


_PLAIN: dict[str, Field] = {
    "severity": (Kind.SEVERITY, lambda record: record.severity),
    "timestamp": (Kind.TIME, lambda record: record.timestamp),
    "receivetimestamp": (Kind.TIME, lambda record: record.received),
    "logname": (Kind.TEXT, lambda record: record.log_name),
    "insertid": (Kind.TEXT, lambda record: record.insert_id),
    "trace": (Kind.TEXT, lambda record: record.trace),
    "resource.type": (Kind.TEXT, lambda _: RESOURCE_TYPE),
    "textpayload": (Kind.TEXT, lambda record: record.text or ""),
    "httprequest.status": (Kind.NUMBER, _status),
    "httprequest.latency": (Kind.DURATION, _latency),
    "httprequest.requestmethod": (Kind.TEXT, _method),
    "httprequest.requesturl": (Kind.TEXT, _url),
    "httprequest.useragent": (Kind.TEXT, _user_agent),
    "httprequest.remoteip": (Kind.TEXT, _remote_ip),
    "operation.id": (Kind.TEXT, _changed(lambda change: change.operation)),
    "protopayload.methodname": (Kind.TEXT, _changed(lambda change: change.method)),
    "protopayload.servicename": (Kind.TEXT, _changed(lambda _: SERVICE)),
    "protopayload.resourcename": (Kind.TEXT, _changed(lambda change: change.resource)),
    "protopayload.authenticationinfo.principalemail": (Kind.TEXT, _changed(lambda change: change.principal)),
    "protopayload.status.code": (Kind.NUMBER, _changed(lambda change: change.code)),
    "protopayload.status.message": (Kind.TEXT, _changed(lambda change: change.message)),
}
