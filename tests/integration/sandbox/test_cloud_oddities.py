"""What Google's documentation says in passing, or people found out: each odd thing as it is there."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from google.api_core import exceptions
from google.cloud import monitoring_v3, run_v2
from google.cloud.audit import audit_log_pb2
from google.cloud.logging_v2.types import LogEntry, TailLogEntriesRequest, TailLogEntriesResponse

from bot.sandbox.cloud.metric_types import GOOGLE_LAGS
from bot.sandbox.names import API_CANARY, API_SERVICE, API_STABLE, PROJECT
from tests.integration.sandbox.google_clients import (
    PATIENCE_SECONDS,
    Google,
    eventually,
    line,
    path,
    running_cloud,
)

State = run_v2.Condition.State
Severity = run_v2.Condition.Severity
Why = run_v2.Condition.CommonReason
WhyRevision = run_v2.Condition.RevisionReason
Aligner = monitoring_v3.Aggregation.Aligner
Reducer = monitoring_v3.Aggregation.Reducer
View = monitoring_v3.ListTimeSeriesRequest.TimeSeriesView
NOT_CONSUMED = TailLogEntriesResponse.SuppressionInfo.Reason.NOT_CONSUMED

COUNT = "run.googleapis.com/request_count"
LATENCIES = "run.googleapis.com/request_latencies"
MEMORY = "run.googleapis.com/container/memory/utilizations"
MISSING = "ion-api-00001-old"


@pytest.fixture(scope="module")
async def running() -> AsyncIterator[Google]:
    async with running_cloud(requests_per_second=20, sample_seconds=60) as running:
        yield running


@pytest.fixture
async def google(running: Google) -> Google:
    """The same cloud for everybody, back at its start, with an hour of metrics and nobody asking anything."""
    await running.quiet()
    running.cloud.reset()
    await running.quiet()
    return running


def by_type(conditions: Any) -> dict[str, Any]:
    return {one.type_: one for one in conditions}


async def test_a_generation_that_failed_is_not_observed_and_says_what_failed(google: Google) -> None:
    google.cloud.behaviour.failures_keep_generation = True
    before = await google.read(API_SERVICE)

    await google.route(API_SERVICE, line(MISSING, 100))
    failed = await google.settled(API_SERVICE)
    await google.route(API_SERVICE, line(API_STABLE, 100))
    mended = await google.settled(API_SERVICE)

    assert (failed.generation, failed.observed_generation) == (before.generation + 1, before.generation)
    assert failed.terminal_condition.reason == Why.UNKNOWN
    assert failed.terminal_condition.severity == Severity.ERROR
    states = {kind: one.state for kind, one in by_type(failed.conditions).items()}
    assert states == {
        "RoutesReady": State.CONDITION_FAILED,
        "ConfigurationsReady": State.CONDITION_SUCCEEDED,
    }
    assert mended.observed_generation == mended.generation == before.generation + 2
    assert mended.terminal_condition.reason == Why.COMMON_REASON_UNDEFINED


async def test_a_generation_is_observed_again_although_an_older_revision_failed(google: Google) -> None:
    google.cloud.behaviour.failures_keep_generation = True
    google.cloud.behaviour.new_revisions_fail = True

    await google.cloud.deploy(API_SERVICE, percent=100)
    failed = await google.settled(API_SERVICE)
    await google.route(API_SERVICE, line(API_STABLE, 100))
    rolled_back = await google.settled(API_SERVICE)

    assert failed.observed_generation == failed.generation - 1
    assert failed.terminal_condition.reason == Why.REVISION_FAILED
    assert rolled_back.observed_generation == rolled_back.generation
    states = {kind: one.state for kind, one in by_type(rolled_back.conditions).items()}
    assert states == {
        "RoutesReady": State.CONDITION_SUCCEEDED,
        "ConfigurationsReady": State.CONDITION_FAILED,
    }


async def test_a_revision_that_did_not_start_says_so(google: Google) -> None:
    google.cloud.behaviour.new_revisions_fail = True

    name = await google.cloud.deploy(API_SERVICE, percent=0)
    await google.settled(API_SERVICE)
    revision = await google.revisions.get_revision(name=f"{path(API_SERVICE)}/revisions/{name}")

    ready = by_type(revision.conditions)["Ready"]
    assert ready.state == State.CONDITION_FAILED
    assert ready.revision_reason == WhyRevision.HEALTH_CHECK_CONTAINER_ERROR


async def test_minimum_instances_are_not_kept_for_a_revision_without_traffic(google: Google) -> None:
    service = await google.read(API_SERVICE)
    template = run_v2.RevisionTemplate(
        containers=service.template.containers,
        scaling=run_v2.RevisionScaling(min_instance_count=2, max_instance_count=5),
    )
    update = run_v2.Service(name=path(API_SERVICE), template=template)
    await google.update(update, "template.containers", "template.scaling", "template.revision")
    name = (await google.settled(API_SERVICE)).latest_ready_revision

    idle = by_type((await google.revisions.get_revision(name=name)).conditions)
    await google.route(API_SERVICE, line(API_STABLE, 90), line(name.rpartition("/")[2], 10))
    await google.settled(API_SERVICE)
    serving = by_type((await google.revisions.get_revision(name=name)).conditions)

    assert idle["MinInstancesProvisioned"].revision_reason == WhyRevision.MIN_INSTANCES_NOT_PROVISIONED
    assert idle["MinInstancesProvisioned"].severity == Severity.INFO
    assert serving["MinInstancesProvisioned"].state == State.CONDITION_SUCCEEDED


async def test_a_revision_without_traffic_is_cold_and_only_the_log_counts_its_start(google: Google) -> None:
    google.cloud.behaviour.cold_start_seconds = 0.5
    google.cloud.behaviour.sample_seconds = 0.1
    await google.route(API_SERVICE, line(API_STABLE, 100), line(API_CANARY, 0, "canary"))
    uri = (await google.settled(API_SERVICE)).traffic_statuses[1].uri
    since = datetime.now(UTC)

    async with httpx.AsyncClient(trust_env=False, timeout=PATIENCE_SECONDS) as prober:
        await prober.get(uri + "/health", headers={"user-agent": "cold"})
        # Whoever had to wait again would wait for ever.
        google.cloud.behaviour.cold_start_seconds = 3600
        await prober.get(uri + "/health", headers={"user-agent": "cold"})
    await google.measured()
    first, second = await entries(google, "httpRequest.userAgent=cold")
    interval = {"start_time": since, "end_time": datetime.now(UTC)}
    measured = await read(google, counts(LATENCIES, interval=interval))

    startup = timedelta(seconds=0.5)
    assert first.http_request.latency.ToTimedelta() > startup
    distributions = [point.value.distribution_value for one in measured for point in one.points]
    logged = sum(
        one.http_request.latency.ToTimedelta() / timedelta(milliseconds=1) for one in (first, second)
    )
    assert sum(one.count for one in distributions) == 2
    assert sum(one.count * one.mean for one in distributions) <= logged - 499


async def test_a_deleted_service_is_gone_with_its_revisions_and_addresses(google: Google) -> None:
    parent = path("x").partition("/services/")[0]
    google.cloud.delete(API_SERVICE)

    with pytest.raises(exceptions.NotFound):
        await google.read(API_SERVICE)
    with pytest.raises(exceptions.NotFound):
        await google.revisions.list_revisions(parent=path(API_SERVICE))
    listed = [one.name async for one in await google.services.list_services(parent=parent)]
    whole = await google.services.list_services({"parent": parent, "show_deleted": True})
    deleted = [one.name async for one in whole if one.delete_time]
    async with httpx.AsyncClient(trust_env=False, timeout=PATIENCE_SECONDS) as prober:
        answer = await prober.get(google.cloud.uris[API_SERVICE] + "/health")
    google.cloud.reset()

    assert path(API_SERVICE) not in listed
    assert deleted == [path(API_SERVICE)]
    assert answer.status_code == 404
    assert (await google.read(API_SERVICE)).traffic_statuses[0].percent == 90


def counts(metric: str = COUNT, **changes: Any) -> dict[str, Any]:
    """Return a request for the last minutes, each summed by revision."""
    now = datetime.now(UTC)
    return {
        "name": f"projects/{PROJECT}",
        "filter": f'metric.type="{metric}" AND resource.labels.service_name="{API_SERVICE}"',
        "interval": {"start_time": now - timedelta(minutes=10), "end_time": now},
        "aggregation": changes.pop("aggregation", {}),
    } | changes


async def read(google: Google, request: dict[str, Any]) -> list[monitoring_v3.TimeSeries]:
    return [one async for one in await google.metrics.list_time_series(request)]


async def test_each_metric_is_as_late_as_it_is_at_google(google: Google) -> None:
    google.cloud.behaviour.metric_lags = GOOGLE_LAGS

    async def newest_age(metric: str) -> tuple[float, float]:
        """Return how old the newest sample was at most and at least when it was read, seconds."""
        before = datetime.now(UTC)
        (first, *_) = await read(google, counts(metric))
        after = datetime.now(UTC)
        end = first.points[0].interval.end_time
        return (after - end).total_seconds(), (before - end).total_seconds()

    ages = {metric: await newest_age(metric) for metric in (COUNT, LATENCIES, MEMORY)}
    descriptor = await google.metrics.get_metric_descriptor(
        name=f"projects/{PROJECT}/metricDescriptors/{MEMORY}"
    )

    for metric, lag in ((COUNT, 180), (LATENCIES, 180), (MEMORY, 60)):
        at_most, at_least = ages[metric]
        assert lag <= at_most
        assert at_least < lag + 60
    assert descriptor.metadata.ingest_delay.ToTimedelta() == timedelta(seconds=60)
    assert list(descriptor.monitored_resource_types) == ["cloud_run_revision"]


async def test_the_labels_of_a_metric_are_in_its_descriptor(google: Google) -> None:
    name = f"projects/{PROJECT}/metricDescriptors/{COUNT}"

    descriptor = await google.metrics.get_metric_descriptor(name=name)

    assert [one.key for one in descriptor.labels] == ["response_code", "response_code_class"]


async def test_the_newest_minute_can_still_grow(google: Google) -> None:
    fixed = counts()
    whole = (await read(google, fixed))[0].points

    google.cloud.behaviour.newest_grows_seconds = 90
    growing = (await read(google, fixed))[0].points

    assert growing[0].value.int64_value == whole[0].value.int64_value // 2
    assert growing[3:] == whole[3:]


async def test_an_answer_can_be_incomplete_and_say_so(google: Google) -> None:
    whole = await google.metrics.list_time_series(counts())
    google.cloud.behaviour.execution_errors = "one zone did not answer"

    partial = await google.metrics.list_time_series(counts())

    async for page in partial.pages:
        assert [error.message for error in page.execution_errors] == ["one zone did not answer"]
        assert len(page.time_series) < len([one async for one in whole])


async def test_a_page_of_headers_counts_series_and_not_points(google: Google) -> None:
    pager = await google.metrics.list_time_series(counts(view=View.HEADERS, page_size=1))

    sizes = [len(page.time_series) async for page in pager.pages]

    assert sizes == [1, 1]


async def test_a_metric_that_may_not_be_read_is_named(google: Google) -> None:
    google.cloud.behaviour.refused_permissions = frozenset({"monitoring.timeSeries.list"})

    with pytest.raises(exceptions.PermissionDenied) as caught:
        await read(google, counts())

    assert caught.value.reason == "IAM_PERMISSION_DENIED"
    assert caught.value.metadata["permission"] == "monitoring.timeSeries.list"


async def entries(google: Google, text: str = "") -> list[LogEntry]:
    request = {"resource_names": [f"projects/{PROJECT}"], "filter": text, "page_size": 1000}
    return [one async for one in await google.logging.list_log_entries(request)]


def audited(entry: LogEntry) -> Any:
    message = audit_log_pb2.AuditLog()
    assert LogEntry.pb(entry).proto_payload.Unpack(message)
    return message


async def test_changes_are_in_the_audit_log_with_who_made_them_and_what_came_of_it(google: Google) -> None:
    operation = await google.route(API_SERVICE, line(API_STABLE, 100))
    with pytest.raises(exceptions.InvalidArgument):
        await google.route(API_SERVICE, line(API_STABLE, 90))
    await google.settled(API_SERVICE)
    await google.cloud.deploy(API_SERVICE, percent=10)

    activity = await entries(google, 'logName:"cloudaudit.googleapis.com%2Factivity"')
    mine = await entries(google, 'protoPayload.authenticationInfo.principalEmail:"backout@"')
    failed = await entries(google, "protoPayload.status.code=3 AND severity=ERROR")

    methods = [audited(one).method_name.rpartition(".")[2] for one in activity]
    assert methods == ["UpdateService", "UpdateService", "ReplaceService"]
    assert [one.operation.id for one in mine] == [operation.operation.name, ""]
    assert [audited(one).status.message for one in failed] == [
        "spec.traffic: Traffic targets sum to 90, want 100."
    ]
    assert {one.resource.labels["revision_name"] for one in activity} == {""}
    assert audited(failed[0]).resource_name == path(API_SERVICE)


async def test_a_dry_run_leaves_no_trace_in_the_audit_log(google: Google) -> None:
    wanted = run_v2.Service(name=path(API_SERVICE), traffic=[line(API_STABLE, 100)])

    await google.update(wanted, "traffic", validate_only=True)

    assert await entries(google, "logName:activity") == []


async def test_more_listings_than_the_quota_are_refused(google: Google) -> None:
    google.cloud.behaviour.log_reads_per_minute = 2
    await entries(google)
    await entries(google)

    with pytest.raises(exceptions.ResourceExhausted, match=r"logging\.googleapis\.com"):
        await entries(google)


async def test_a_tail_says_what_its_reader_was_too_slow_for(google: Google) -> None:
    google.cloud.behaviour.not_consumed = 7

    async def requests() -> AsyncIterator[TailLogEntriesRequest]:
        yield TailLogEntriesRequest(resource_names=[f"projects/{PROJECT}"], buffer_window=timedelta())
        await eventually(lambda: bool(answered))

    answered: list[Any] = []
    stream: Any = await google.logging.tail_log_entries(requests())
    await eventually(lambda: "TailLogEntries" in [call.method for call in google.cloud.calls])
    google.cloud.load(API_SERVICE, 50)
    answered.append(await anext(aiter(stream)))
    stream.cancel()

    info = answered[0].suppression_info
    assert [(one.reason, one.suppressed_count) for one in info] == [(NOT_CONSUMED, 7)]
