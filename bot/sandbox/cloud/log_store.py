"""Log entries: the request log and the containers' lines, for an hour at most."""

import itertools
import time
from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable
from dataclasses import dataclass

from bot.sandbox.cloud.audit import ChangeAsked
from bot.sandbox.cloud.behaviour import Behaviour
from bot.sandbox.cloud.ledger import LineWritten, RequestSeen
from bot.sandbox.names import PROJECT

KEPT_SECONDS = 3600.0
#: About a quarter of an hour of the default load, 40 MB.
MOST_RECORDS = 60_000

REQUESTS = f"projects/{PROJECT}/logs/run.googleapis.com%2Frequests"
STDERR = f"projects/{PROJECT}/logs/run.googleapis.com%2Fstderr"
#: Changes of a service. Google writes them under the resource, without a revision.
ACTIVITY = f"projects/{PROJECT}/logs/cloudaudit.googleapis.com%2Factivity"
SYSTEM = f"projects/{PROJECT}/logs/run.googleapis.com%2Fvarlog%2Fsystem"

#: google.logging.type.LogSeverity
SEVERITIES = {
    "DEFAULT": 0,
    "DEBUG": 100,
    "INFO": 200,
    "NOTICE": 300,
    "WARNING": 400,
    "ERROR": 500,
    "CRITICAL": 600,
    "ALERT": 700,
    "EMERGENCY": 800,
}

#: What Cloud Run writes into the request log when no container answered.
NO_ANSWER = (
    "The request failed because either the HTTP response was malformed or connection to the instance "
    "had an error. Additional troubleshooting documentation can be found at: "
    "https://cloud.google.com/run/docs/troubleshooting#malformed-response-or-connection-error"
)

#: Ten times 0.1 is a little less than one.
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRecord:
    """One entry, readable from `received` on. Times are seconds since the epoch."""

    log_name: str
    severity: int
    timestamp: float
    received: float
    insert_id: str
    service: str
    revision: str
    trace: str
    request: RequestSeen | None = None
    text: str | None = None
    json: dict[str, str | float] | None = None
    change: ChangeAsked | None = None


class LogStore:
    """Records in the order they can be read."""

    def __init__(self, behaviour: Behaviour, now: Callable[[], float] = time.time) -> None:
        self._behaviour = behaviour
        self._now = now
        self._records: list[LogRecord] = []
        self._numbers = itertools.count(1)
        self._owed_late = 0.0

    def clear(self) -> None:
        """Forget everything."""
        self._records.clear()
        self._owed_late = 0.0

    def saw_request(self, seen: RequestSeen) -> None:
        """Write a line of the request log, stamped with the request's arrival."""
        name = "ERROR" if seen.status >= 500 else "WARNING" if seen.status >= 400 else "INFO"
        self._append(
            seen.service,
            seen.revision,
            log_name=REQUESTS,
            severity=name,
            at=seen.at.timestamp() + self._behaviour.clock_ahead_seconds,
            trace=seen.trace,
            request=seen,
            text=None if seen.reached else NO_ANSWER,
        )

    def saw_line(self, line: LineWritten) -> None:
        """Write a line: structured when it knows a latency, plain text otherwise."""
        json: dict[str, str | float] | None = None
        if line.latency_ms is not None:
            json = {
                "message": line.message,
                "method": line.method,
                "path": line.path,
                "latency_ms": round(line.latency_ms, 1),
            }
        self._append(
            line.service,
            line.revision,
            log_name=SYSTEM if line.by_platform else STDERR,
            severity=line.severity,
            at=line.at.timestamp(),
            trace=line.trace,
            text=None if json else line.message,
            json=json,
        )

    def saw_change(self, change: ChangeAsked) -> None:
        """Write a line of the audit log: a notice, or an error when the change was refused."""
        if self._behaviour.audit_log:
            self._append(
                change.service,
                "",
                log_name=ACTIVITY,
                severity="ERROR" if change.code else "NOTICE",
                at=self._now(),
                trace="",
                change=change,
            )

    def between(self, since: float, until: float) -> list[LogRecord]:
        """Return what became readable after `since` and up to `until`, in that order."""
        start = bisect_right(self._records, since, key=_received)
        return self._records[start : bisect_right(self._records, until, key=_received)]

    def _append(
        self,
        service: str,
        revision: str,
        *,
        log_name: str,
        severity: str,
        at: float,
        trace: str,
        request: RequestSeen | None = None,
        text: str | None = None,
        json: dict[str, str | float] | None = None,
        change: ChangeAsked | None = None,
    ) -> None:
        insort(
            self._records,
            LogRecord(
                log_name=log_name,
                severity=SEVERITIES[severity],
                timestamp=at,
                received=self._now() + self._behaviour.log_lag_seconds + self._late_seconds(),
                insert_id=_insert_id(at, next(self._numbers)),
                service=service,
                revision=revision,
                trace=f"projects/{PROJECT}/traces/{trace}" if trace else "",
                request=request,
                text=text,
                json=json,
                change=change,
            ),
            key=_received,
        )
        self._trim()

    def _late_seconds(self) -> float:
        """Return how late the next entry is besides: every tenth, not one in ten by chance."""
        self._owed_late += self._behaviour.log_late_ratio
        if self._owed_late < 1 - _ROUNDING:
            return 0.0
        self._owed_late -= 1
        return self._behaviour.log_late_seconds

    def _trim(self) -> None:
        """Drop the oldest in strides, so that dropping stays cheap."""
        if len(self._records) > MOST_RECORDS * 1.1:
            del self._records[: len(self._records) - MOST_RECORDS]
        oldest = self._now() - KEPT_SECONDS
        if self._records[0].received < oldest - 60:
            del self._records[: bisect_left(self._records, oldest, key=_received)]


def _insert_id(at: float, number: int) -> str:
    """Return 24 hexadecimal digits, as Cloud Run's are: seconds, microseconds, and what makes it unique."""
    microseconds = round(at * 1e6)
    return f"{microseconds // 10**6:08x}{microseconds % 10**6:08x}{number & 0xFFFFFFFF:08x}"


def _received(record: LogRecord) -> float:
    return record.received
