"""Requests a minute: what a project may ask of Google, and how it is told that it asked too much."""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import grpc

from bot.sandbox.cloud.behaviour import Behaviour
from bot.sandbox.cloud.rejection import Cause, Rejection
from bot.sandbox.cloud.resources import LOCATION
from bot.sandbox.names import PROJECT

MINUTE = 60.0


@dataclass(frozen=True, kw_only=True)
class Quota:
    """One limit: `switch` is the field of `Behaviour` that says how many a minute, 0 for no limit."""

    switch: str
    service: str
    metric: str
    limit: str
    methods: frozenset[str]

    @property
    def where(self) -> str:
        """Whom the limit is counted for."""
        return LOCATION if self.limit.endswith("Region") else f"projects/{PROJECT}"


#: Names of Cloud Run's from published error texts (reference/cloud-run-and-canary.md, B.4).
QUOTAS = (
    Quota(
        switch="run_reads_per_minute",
        service="run.googleapis.com",
        metric="run.googleapis.com/read_regional",
        limit="ReadPerMinutePerProjectRegion",
        methods=frozenset(
            {
                "GetService",
                "ListServices",
                "GetRevision",
                "ListRevisions",
                "GetOperation",
                "WaitOperation",
                "TestIamPermissions",
            }
        ),
    ),
    Quota(
        switch="run_writes_per_minute",
        service="run.googleapis.com",
        metric="run.googleapis.com/write_regional",
        limit="WritePerMinutePerProjectRegion",
        methods=frozenset({"UpdateService", "DeleteService"}),
    ),
    Quota(
        switch="log_reads_per_minute",
        service="logging.googleapis.com",
        metric="logging.googleapis.com/read_requests",
        limit="ReadRequestsPerMinutePerProject",
        methods=frozenset({"ListLogEntries"}),
    ),
    Quota(
        switch="metric_reads_per_minute",
        service="monitoring.googleapis.com",
        metric="monitoring.googleapis.com/query_requests",
        limit="QueryRequestsPerMinutePerProject",
        methods=frozenset({"ListTimeSeries"}),
    ),
)


class Quotas:
    """What was asked in the last minute. A refused request is not counted."""

    def __init__(self, behaviour: Behaviour, *, now: Callable[[], float] = time.monotonic) -> None:
        self._behaviour = behaviour
        self._now = now
        self._spent: dict[str, deque[float]] = {quota.switch: deque() for quota in QUOTAS}

    def clear(self) -> None:
        """Begin a new minute."""
        for spent in self._spent.values():
            spent.clear()

    def spend(self, method: str) -> None:
        """Count one call of `method`.

        Raises:
            Rejection: RESOURCE_EXHAUSTED, when it is one too many within a minute.
        """
        for quota in QUOTAS:
            if method in quota.methods:
                self._spend(quota)

    def _spend(self, quota: Quota) -> None:
        spent, now = self._spent[quota.switch], self._now()
        while spent and spent[0] <= now - MINUTE:
            spent.popleft()
        most: int = getattr(self._behaviour, quota.switch)
        if 0 < most <= len(spent):
            raise _exhausted(quota)
        spent.append(now)


def _exhausted(quota: Quota) -> Rejection:
    return Rejection(
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        f"Quota exceeded for quota metric '{quota.metric}' and limit '{quota.limit}' of service "
        f"'{quota.service}' for consumer '{quota.where}'.",
        Cause(
            reason="RATE_LIMIT_EXCEEDED",
            domain="googleapis.com",
            metadata={
                "service": quota.service,
                "quota_metric": quota.metric,
                "quota_limit": quota.limit,
                "consumer": f"projects/{PROJECT}",
            },
        ),
    )
