"""Logs as JSON in the shape Cloud Logging reads, with secrets left out."""

import logging
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any

import structlog

from bot.domain.redaction import redact_named

Event = MutableMapping[str, Any]

_SEVERITIES = {
    "debug": "DEBUG",
    "info": "INFO",
    "warning": "WARNING",
    "error": "ERROR",
    "critical": "CRITICAL",
}


def set_up_logs() -> None:
    """Write one JSON object a line to standard error; libraries speak from WARNING on."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
            structlog.processors.format_exc_info,
            _for_cloud_logging,
            _without_secrets,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(level=logging.WARNING, format="%(message)s", handlers=[_IntoStructlog()], force=True)


def _for_cloud_logging(_: Any, method: str, event: Event) -> Event:
    event["severity"] = _SEVERITIES.get("error" if method == "exception" else method, "DEFAULT")
    event["message"] = event.pop("event", "")
    return event


def _without_secrets(_: Any, __: str, event: Event) -> Event:
    return {key: _redacted(key, value) for key, value in event.items()}


def _redacted(name: str, value: Any) -> Any:
    """Return `value`, which stands under `name`, without secrets and personal data."""
    if isinstance(value, str):
        return redact_named(name, value).text
    if isinstance(value, (list, tuple)):
        return [_redacted(name, part) for part in value]
    if isinstance(value, Mapping):
        return {key: _redacted(str(key), part) for key, part in value.items()}
    if value is None or isinstance(value, int | float):
        return value
    return redact_named(name, repr(value)).text


class _IntoStructlog(logging.Handler):
    """Hands the standard library's records to structlog, so that there is one shape and one filter."""

    def emit(self, record: logging.LogRecord) -> None:
        log = structlog.get_logger(library=record.name)
        say = log.error if record.levelno >= logging.ERROR else log.warning
        say(record.getMessage()[:2000], exc_info=record.exc_info or None)
