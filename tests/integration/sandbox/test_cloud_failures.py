"""The guide's failures as Cloud Monitoring and Cloud Logging tell of them: 5 %, 800 ms, or nothing at all."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from google.cloud import monitoring_v3
from google.cloud.logging_v2.types import LogEntry

from bot.sandbox.cloud import Fault
from bot.sandbox.names import (
    API_CANARY,
    API_SERVICE,
    CHAT_CANARY_SERVICE,
    CHAT_SERVICE,
    PROJECT,
)
from tests.integration.sandbox.google_clients import Google, eventually, running_cloud

COUNT = "run.googleapis.com/request_count"
LATENCIES = "run.googleapis.com/request_latencies"
Aggregation = monitoring_v3.Aggregation
REQUESTS = f'log_name="projects/{PROJECT}/logs/run.googleapis.com%2Frequests"'
PER_SECOND = 60.0
REQUESTS_OF_EACH = 100
BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)
#: What ails whom here, each with all the users of its service.
ILL = {CHAT_CANARY_SERVICE: Fault.ERRORS, CHAT_SERVICE: Fault.SLOW, API_SERVICE: Fault.LOST}


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What Monitoring says of one service: answers by class, and the P95 of all of them."""

    answers: dict[str, int]
    p95_ms: float | None


@pytest.fixture(scope="module")
async def google() -> AsyncIterator[Google]:
    """A cloud in which three services failed, each in its way, until everything was answered and measured."""
    async with running_cloud() as running:
        await running.cloud.move(API_SERVICE, 100)
        await running.settled(API_SERVICE)
        for service, fault in ILL.items():
            running.cloud.set_fault(service, fault, on=True)
            running.cloud.load(service, PER_SECOND)
        await eventually(
            lambda: all(sum(running.cloud.answers(service).values()) >= REQUESTS_OF_EACH for service in ILL)
        )
        await running.quiet()
        await running.measured()
        yield running


async def seen(google: Google, service: str) -> Seen:
    """Read a service's last ten minutes."""
    by_class = await _series(google, service, COUNT, Aggregation.Reducer.REDUCE_SUM)
    p95 = await _series(google, service, LATENCIES, Aggregation.Reducer.REDUCE_PERCENTILE_95)
    return Seen(
        answers={
            one.metric.labels["response_code_class"]: one.points[0].value.int64_value for one in by_class
        },
        p95_ms=p95[0].points[0].value.double_value if p95 else None,
    )


async def _series(google: Google, service: str, metric: str, reducer: int) -> list[monitoring_v3.TimeSeries]:
    now = datetime.now(UTC)
    request = {
        "name": f"projects/{PROJECT}",
        "filter": f'metric.type="{metric}" AND resource.labels.service_name="{service}"',
        "interval": {"start_time": now - timedelta(minutes=10), "end_time": now},
        "aggregation": {
            "alignment_period": timedelta(minutes=10),
            "per_series_aligner": Aggregation.Aligner.ALIGN_DELTA,
            "cross_series_reducer": reducer,
            "group_by_fields": ["metric.labels.response_code_class"] if metric == COUNT else [],
        },
    }
    return [one async for one in await google.metrics.list_time_series(request)]


async def entries(google: Google, service: str, text: str) -> list[LogEntry]:
    found = f'resource.labels.service_name="{service}" AND {text}'
    request = {"resource_names": [f"projects/{PROJECT}"], "filter": found, "page_size": 1000}
    return [one async for one in await google.logging.list_log_entries(request)]


async def test_errors_are_five_percent_of_the_answers_and_of_the_log(google: Google) -> None:
    told = await seen(google, CHAT_CANARY_SERVICE)
    failed = await entries(google, CHAT_CANARY_SERVICE, f"{REQUESTS} AND httpRequest.status>=500")
    lines = await entries(google, CHAT_CANARY_SERVICE, "severity=ERROR AND NOT httpRequest.status>=100")

    asked = sum(told.answers.values())
    assert asked >= REQUESTS_OF_EACH
    assert told.answers["5xx"] == asked // 20 == len(failed) == len(lines)


async def test_slow_answers_have_a_p95_around_800_ms_and_are_in_the_log(google: Google) -> None:
    told = await seen(google, CHAT_SERVICE)
    slow = await entries(google, CHAT_SERVICE, "jsonPayload.latency_ms > 500")

    # 640 to 960 ms is the slowest tenth, give or take; what a busy machine adds the users feel as well.
    felt = google.cloud.truth(CHAT_SERVICE, since=BEGINNING).percentile_ms(95)
    assert told.p95_ms == pytest.approx(felt, rel=0.1)
    assert told.p95_ms is not None
    assert told.p95_ms > 500
    assert told.answers.keys() == {"2xx"}
    assert slow
    assert all(500 < entry.json_payload["latency_ms"] < 1000 for entry in slow)


async def test_lost_conversations_look_healthy_everywhere(google: Google) -> None:
    told = await seen(google, API_SERVICE)
    lines = await entries(google, API_SERVICE, "logName:stderr OR severity>=WARNING")

    assert told.answers.keys() == {"2xx"}
    assert told.p95_ms is not None
    assert lines == []
    assert google.cloud.lost_conversations(API_SERVICE) > 0
    assert google.cloud.snapshot()["services"][0]["lost_conversations"] > 0


async def test_a_service_that_does_not_answer_is_in_the_log_and_no_metric_counts_it(google: Google) -> None:
    before = await seen(google, API_SERVICE)
    google.cloud.set_fault(API_SERVICE, Fault.DOWN, on=True)
    await google.asked(API_SERVICE, times=10, per_second=PER_SECOND)
    await google.measured()

    refused = await entries(google, API_SERVICE, f"{REQUESTS} AND httpRequest.status=503")
    (ended,) = await entries(google, API_SERVICE, 'textPayload="Container called exit(1)."')

    assert await seen(google, API_SERVICE) == before
    assert len(refused) >= 10
    assert ended.resource.labels["revision_name"] == API_CANARY
