"""Quotas: so many requests a minute, and not one more."""

import grpc
import pytest

from bot.sandbox.cloud.behaviour import Behaviour
from bot.sandbox.cloud.quotas import Quotas
from bot.sandbox.cloud.rejection import Rejection


class Clock:
    """Monotonic seconds, held."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def refused(quotas: Quotas, method: str) -> bool:
    try:
        quotas.spend(method)
    except Rejection as rejection:
        return rejection.code is grpc.StatusCode.RESOURCE_EXHAUSTED
    return False


def test_the_last_of_a_minute_is_answered_and_the_next_is_not() -> None:
    clock = Clock()
    quotas = Quotas(Behaviour(run_writes_per_minute=30), now=clock)

    spent = [refused(quotas, "UpdateService") for _ in range(31)]

    assert spent == [False] * 30 + [True]


@pytest.mark.parametrize(("seconds", "still"), [(59.9, True), (60.0, False), (60.1, False)])
def test_a_request_is_forgotten_after_a_minute(seconds: float, still: bool) -> None:
    clock = Clock()
    quotas = Quotas(Behaviour(log_reads_per_minute=1), now=clock)
    quotas.spend("ListLogEntries")

    clock.now = seconds

    assert refused(quotas, "ListLogEntries") is still


def test_reads_writes_logs_and_metrics_are_counted_apart() -> None:
    one_each = Behaviour(
        run_reads_per_minute=1, run_writes_per_minute=1, log_reads_per_minute=1, metric_reads_per_minute=1
    )
    quotas = Quotas(one_each, now=Clock())
    methods = ("GetService", "UpdateService", "ListLogEntries", "ListTimeSeries")

    assert [refused(quotas, method) for method in methods] == [False] * 4
    assert refused(quotas, "GetOperation")
    assert not refused(quotas, "TailLogEntries")


def test_without_a_limit_nothing_is_refused() -> None:
    quotas = Quotas(Behaviour(), now=Clock())

    assert not any(refused(quotas, "GetService") for _ in range(1000))


def test_the_error_names_quota_and_project() -> None:
    quotas = Quotas(Behaviour(run_reads_per_minute=1), now=Clock())
    quotas.spend("GetService")

    with pytest.raises(Rejection, match="Quota exceeded for quota metric") as caught:
        quotas.spend("ListRevisions")

    cause = caught.value.cause
    assert cause is not None
    assert cause.metadata["quota_limit"] == "ReadPerMinutePerProjectRegion"
    assert "locations/us-central1" in caught.value.detail
