"""What can be looked at by a command, without an incident: the guide's own filters, limits and probe."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from bot.domain.guide import Action, Does, Short


class LogKind(StrEnum):
    """Which lines of the log."""

    ERRORS = "errors"
    SLOW = "slow"
    CANARY = "canary"


_REVISION = "resource.type=cloud_run_revision"

#: Source: guide, "Cause analysis" (errors, 100), scenario 2 (slow, 10), scenario 5 (canary, 50). The
#: guide's severity=ERROR would leave out what is worse, and its latency is the application's own.
LOGS: Mapping[LogKind, Action] = {
    LogKind.ERRORS: Action(
        key="errors",
        title=Short(en="Errors in the log", ko="로그의 에러"),
        does=Does.LOGS,
        filter=f"{_REVISION} AND severity>=ERROR",
        limit=100,
    ),
    LogKind.SLOW: Action(
        key="slow",
        title=Short(en="Slow requests", ko="느린 요청"),
        does=Does.LOGS,
        filter=f'{_REVISION} AND (httpRequest.latency>"0.5s" OR jsonPayload.latency_ms>500)',
        limit=10,
    ),
    LogKind.CANARY: Action(
        key="canary",
        title=Short(en="The canary's log", ko="Canary 로그"),
        does=Does.LOGS,
        filter=f"{_REVISION} AND resource.labels.service_name={{canary}}",
        limit=50,
    ),
}

METRICS = Action(key="metrics", title=Short(en="Metrics now", ko="현재 메트릭"), does=Does.METRICS)

#: How many requests go to each side, and how long the pause between two may be, milliseconds.
MOST_REQUESTS, LONGEST_PAUSE_MS = 100, 10_000
#: Source: guide, ``rate_limit_probe.ps1 -RequestsPerSide 20 -DelayMsBetweenRequests 100``.
USUAL_REQUESTS, USUAL_PAUSE_MS = 20, 100


@dataclass(frozen=True, kw_only=True)
class CanaryLook:
    """What somebody asked to see: `log` for a log, `requests` to each side and `pause_ms` for a probe."""

    does: Does
    log: LogKind = LogKind.ERRORS
    requests: int = USUAL_REQUESTS
    pause_ms: int = USUAL_PAUSE_MS

    def action(self) -> Action:
        """Return it as an action of the playbook is written."""
        if self.does is Does.LOGS:
            return LOGS[self.log]
        if self.does is Does.METRICS:
            return METRICS
        return Action(
            key="probe",
            title=Short(en="Both sides, asked directly", ko="양쪽에 직접 보낸 요청"),
            does=Does.PROBE,
            requests=self.requests,
            pause_ms=self.pause_ms,
        )
