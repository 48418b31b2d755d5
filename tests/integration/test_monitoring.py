"""The Cloud Monitoring adapter: one call a metric, late data, and no fault that escapes."""

import asyncio
from datetime import UTC, datetime, timedelta
from socket import socket
from typing import Any

import pytest
from google.cloud import monitoring_v3
from google.rpc.status_pb2 import Status
from grpc import StatusCode as Code

from bot.adapters.monitoring import CloudMonitoring
from bot.domain.ids import RevisionName, ServiceName
from bot.domain.observation import Minute, MinutesRead
from bot.domain.readings import Metric, Reading, Side
from bot.domain.traffic import SideAddress, Sides
from tests.integration.patience import PATIENCE_SECONDS
from tests.integration.scripted_google import Script, scripted_google
from tests.journeys.world import until
from tests.unit.adapters.targets import PROJECT, revisions_target, services_target

API, CHAT, CHAT_CANARY = ServiceName("ion-api"), ServiceName("ion-chat"), ServiceName("ion-chat-canary")
STABLE, CANARY = RevisionName("ion-api-00041-kim"), RevisionName("ion-api-00042-lee")
SPLIT = Sides(
    stable=SideAddress(service=API, revision=STABLE), canary=SideAddress(service=API, revision=CANARY)
)
TWO_SERVICES = Sides(stable=SideAddress(service=CHAT), canary=SideAddress(service=CHAT_CANARY))
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
NOW = NOON + timedelta(seconds=41)
MINUTE = timedelta(minutes=1)
Answer = monitoring_v3.ListTimeSeriesResponse

pytestmark = pytest.mark.usefixtures("patient_with_google")
Readings = dict[tuple[Side, Metric], Reading]


def series(
    group: str, values: dict[datetime, float], kind: str = "", *, label: str = "revision_name"
) -> monitoring_v3.TimeSeries:
    return monitoring_v3.TimeSeries(
        metric={"labels": {"response_code_class": kind}} if kind else {},
        resource={"labels": {label: group}},
        points=[
            {"interval": {"start_time": at - MINUTE, "end_time": at}, "value": {"double_value": value}}
            for at, value in values.items()
        ],
    )


def by_metric(**answers: Any) -> Script:
    """Answer by the metric's last words: request_count, request_latencies, memory, cpu."""
    return lambda request: next(
        (answer for name, answer in answers.items() if name in request.filter), Answer()
    )


async def read(
    script: Script, sides: Sides = SPLIT, target: Any = None
) -> dict[tuple[Side, Metric], Reading]:
    async with scripted_google(script) as google:
        metrics = CloudMonitoring(f"http://{google.address}", PROJECT)
        readings = await metrics.read(target or revisions_target(), sides, now=NOW)
        await metrics.close()
    assert len(readings) == len({(r.side, r.metric) for r in readings})
    return {(reading.side, reading.metric): reading for reading in readings}


def a_split_minute(request: Any) -> Any:
    return by_metric(
        request_count=Answer(
            time_series=[
                series(CANARY, {NOON: 190, NOON - MINUTE: 100}, "2xx"),
                series(CANARY, {NOON: 10}, "5xx"),
                series(STABLE, {NOON: 1800, NOON - MINUTE: 1700}, "2xx"),
            ]
        ),
        request_latencies=Answer(time_series=[series(CANARY, {NOON: 812.0}), series(STABLE, {NOON: 148.0})]),
        memory=Answer(time_series=[series(CANARY, {NOON: 0.9}), series(STABLE, {NOON: 0.4})]),
        cpu=Answer(time_series=[series(CANARY, {NOON: 0.5}), series(STABLE, {NOON: 0.25})]),
    )(request)


async def test_every_metric_of_both_sides_is_read_in_one_call_a_metric() -> None:
    requests: list[Any] = []

    def script(request: Any) -> Any:
        requests.append(request)
        return a_split_minute(request)

    readings = await read(script)

    assert len(requests) == 4
    assert {key: reading.value for key, reading in readings.items()} == {
        (Side.CANARY, Metric.ERROR_RATE): 5.0,
        (Side.CANARY, Metric.P95): 812.0,
        (Side.CANARY, Metric.MEMORY): 90.0,
        (Side.CANARY, Metric.CPU): 50.0,
        (Side.STABLE, Metric.ERROR_RATE): 0.0,
        (Side.STABLE, Metric.P95): 148.0,
        (Side.STABLE, Metric.MEMORY): 40.0,
        (Side.STABLE, Metric.CPU): 25.0,
    }


async def test_samples_errors_and_the_minute_come_with_the_value() -> None:
    readings = await read(a_split_minute)

    rate, p95 = readings[Side.CANARY, Metric.ERROR_RATE], readings[Side.CANARY, Metric.P95]
    assert (rate.sample, rate.errors, rate.since, rate.until) == (200, 10, NOON - MINUTE, NOON)
    assert (p95.sample, p95.errors) == (200, None)
    assert rate.age(now=NOW) == timedelta(seconds=41)


async def test_two_calls_within_a_minute_ask_about_the_same_minutes() -> None:
    ends: set[datetime] = set()

    def script(request: Any) -> Any:
        ends.add(request.interval.end_time)
        return Answer()

    async with scripted_google(script) as google:
        metrics = CloudMonitoring(f"http://{google.address}", PROJECT)
        for second in (1, 30, 59):
            await metrics.read(revisions_target(), SPLIT, now=NOON + timedelta(seconds=second))
        await metrics.close()

    assert ends == {NOON}


async def test_a_late_metric_shows_the_age_of_its_own_newest_minute() -> None:
    older = NOON - 3 * MINUTE
    script = by_metric(
        request_count=Answer(time_series=[series(CANARY, {NOON: 60, older: 50}, "2xx")]),
        request_latencies=Answer(time_series=[series(CANARY, {older: 300.0})]),
    )

    readings = await read(script)

    p95 = readings[Side.CANARY, Metric.P95]
    assert (p95.until, p95.sample) == (older, 50)
    assert readings[Side.CANARY, Metric.ERROR_RATE].until == NOON


async def test_two_services_are_read_as_wholes() -> None:
    def script(request: Any) -> Any:
        service = CHAT_CANARY if f'"{CHAT_CANARY}"' in request.filter else CHAT
        assert request.aggregation.group_by_fields[0] == "resource.labels.service_name"
        errors = 3.0 if service == CHAT_CANARY else 1.0
        counts = [
            series(service, {NOON: 100 - errors}, "2xx", label="service_name"),
            series(service, {NOON: errors}, "5xx", label="service_name"),
        ]
        return by_metric(request_count=Answer(time_series=counts))(request)

    readings = await read(script, TWO_SERVICES, services_target())

    assert len(readings) == 8
    assert readings[Side.CANARY, Metric.ERROR_RATE].value == 3.0
    assert readings[Side.STABLE, Metric.ERROR_RATE].value == 1.0


async def test_without_a_canary_only_stable_is_read() -> None:
    readings = await read(a_split_minute, Sides(stable=SPLIT.stable, canary=None))

    assert {side for side, _ in readings} == {Side.STABLE}
    assert readings[Side.STABLE, Metric.P95].value == 148.0


async def test_no_series_is_no_data_for_the_window_that_was_asked_for() -> None:
    readings = await read(lambda _: Answer())

    assert {(r.value, r.sample, r.problem, r.until) for r in readings.values()} == {(None, 0, None, NOON)}


async def test_incomplete_data_is_a_problem_and_no_value() -> None:
    counts = Answer(
        time_series=[series(CANARY, {NOON: 100}, "2xx")],
        execution_errors=[Status(code=14, message="a shard did not answer")],
    )

    reading = (await read(by_metric(request_count=counts)))[Side.CANARY, Metric.ERROR_RATE]

    assert (reading.value, reading.problem) == (None, "incomplete data: a shard did not answer")


async def test_every_page_of_a_metric_is_read() -> None:
    def script(request: Any) -> Any:
        if "request_count" not in request.filter:
            return Answer()
        if not request.page_token:
            return Answer(time_series=[series(CANARY, {NOON: 99}, "2xx")], next_page_token="more")
        return Answer(time_series=[series(CANARY, {NOON: 1}, "5xx")])

    assert (await read(script))[Side.CANARY, Metric.ERROR_RATE].value == 1.0


async def test_one_metrics_fault_leaves_the_others_alone() -> None:
    def script(request: Any) -> Any:
        return Code.PERMISSION_DENIED if "memory" in request.filter else a_split_minute(request)

    readings = await read(script)

    assert readings[Side.CANARY, Metric.MEMORY].problem == "permission: Google's sentence"
    assert [r.metric for r in readings.values() if r.problem] == [Metric.MEMORY, Metric.MEMORY]


async def test_a_p95_without_its_request_count_has_no_sample() -> None:
    def script(request: Any) -> Any:
        return Code.RESOURCE_EXHAUSTED if "request_count" in request.filter else a_split_minute(request)

    reading = (await read(script))[Side.CANARY, Metric.P95]

    assert (reading.value, reading.sample, reading.problem) == (812.0, 0, None)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (Code.PERMISSION_DENIED, "permission"),
        (Code.RESOURCE_EXHAUSTED, "quota"),
        (Code.INVALID_ARGUMENT, "invalid"),
        (Code.UNAUTHENTICATED, "login"),
        (Code.NOT_FOUND, "not_found"),
        (Code.UNAVAILABLE, "unreachable"),
        (Code.INTERNAL, "other"),
    ],
)
async def test_every_fault_is_a_problem_and_never_an_exception(code: Code, kind: str) -> None:
    readings = await read(lambda _: code)

    assert len(readings) == 8
    assert {(r.value, r.problem) for r in readings.values()} == {(None, f"{kind}: Google's sentence")}


async def test_the_metrics_are_asked_for_side_by_side() -> None:
    everyone_is_here = asyncio.Barrier(4)

    async def wait_for_the_others(request: Any) -> Any:
        await asyncio.wait_for(everyone_is_here.wait(), timeout=PATIENCE_SECONDS / 2)
        return a_split_minute(request)

    readings = await read(wait_for_the_others)

    assert {reading.problem for reading in readings.values()} == {None}


async def test_a_metric_that_takes_too_long_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    asking: dict[asyncio.Task[Any] | None, asyncio.Timeout] = {}
    timeout, of_a_metric = asyncio.timeout, PATIENCE_SECONDS + 1

    def noted(seconds: float | None) -> asyncio.Timeout:
        limit = timeout(seconds)
        if seconds == of_a_metric:
            asking[asyncio.current_task()] = limit
        return limit

    monkeypatch.setattr("bot.adapters.monitoring.METRIC_SECONDS", of_a_metric)
    monkeypatch.setattr("bot.adapters.monitoring.asyncio.timeout", noted)

    def left() -> list[asyncio.Timeout]:
        return [limit for task, limit in asking.items() if task is not None and not task.done()]

    async def stuck(request: Any) -> Any:
        if "memory" in request.filter:
            # The others are answered: now the time of this one is over.
            await until(lambda: len(asking) == 4 and len(left()) == 1, what="the other three")
            left()[0].reschedule(asyncio.get_running_loop().time())
            await asyncio.sleep(PATIENCE_SECONDS)
        return a_split_minute(request)

    readings = await read(stuck)

    assert readings[Side.CANARY, Metric.MEMORY].problem == "unreachable: Google did not answer in time"
    assert readings[Side.CANARY, Metric.ERROR_RATE].value == 5.0


async def test_a_dead_endpoint_is_a_problem(silent_port: socket) -> None:
    metrics = CloudMonitoring(f"http://127.0.0.1:{silent_port.getsockname()[1]}", PROJECT)

    readings = await metrics.read(revisions_target(), SPLIT, now=NOW)

    assert all((reading.problem or "").startswith("unreachable: ") for reading in readings)
    await metrics.close()


async def test_a_target_without_a_project_is_a_problem() -> None:
    metrics = CloudMonitoring("http://127.0.0.1:9", "")

    readings = await metrics.read(revisions_target(project=""), SPLIT, now=NOW)

    assert all("GOOGLE_CLOUD_PROJECT" in (reading.problem or "") for reading in readings)


def test_a_wrong_endpoint_is_refused_when_the_adapter_is_built() -> None:
    with pytest.raises(ValueError, match="CLOUD_MONITORING_ENDPOINT"):
        CloudMonitoring("http://monitoring.example.com:80", PROJECT)


async def minutes(
    script: Script, *, since: datetime = NOON - 3 * MINUTE, until: datetime = NOW, target: Any = None
) -> MinutesRead:
    async with scripted_google(script) as google:
        metrics = CloudMonitoring(f"http://{google.address}", PROJECT)
        read = await metrics.minutes(target or revisions_target(), since=since, until=until)
        await metrics.close()
    return read


def with_instances(request: Any) -> Any:
    if "instance_count" in request.filter:
        return Answer(time_series=[series(CANARY, {NOON: 2})])
    return a_split_minute(request)


async def test_every_minute_is_one_row_of_all_its_metrics() -> None:
    requests: list[Any] = []

    def script(request: Any) -> Any:
        requests.append(request)
        return with_instances(request)

    read = await minutes(script)

    assert len(requests) == 6
    assert read.problem is None
    assert [(m.until, m.name) for m in read.minutes] == [
        (NOON - MINUTE, STABLE),
        (NOON - MINUTE, CANARY),
        (NOON, STABLE),
        (NOON, CANARY),
    ]
    assert read.of(CANARY)[-1] == Minute(
        name=CANARY,
        since=NOON - MINUTE,
        until=NOON,
        requests=200,
        errors=10,
        p95_ms=812.0,
        memory=90.0,
        memory_median=90.0,
        cpu=50.0,
        instances=2,
    )
    before = read.of(CANARY)[0]
    assert (before.requests, before.errors, before.p95_ms) == (100, 0, None)


async def test_the_window_is_of_whole_minutes() -> None:
    windows = set()

    def script(request: Any) -> Any:
        windows.add((request.interval.start_time, request.interval.end_time))
        return Answer()

    await minutes(script, since=NOON - MINUTE * 2.5, until=NOON + timedelta(seconds=59))
    await minutes(script, since=NOON - MINUTE * 2, until=NOON)
    await minutes(script, since=NOON - timedelta(weeks=9), until=NOON)

    assert windows == {(NOON - MINUTE * 2, NOON), (NOON - timedelta(weeks=6), NOON)}


async def test_within_one_minute_nothing_is_asked() -> None:
    def script(request: Any) -> Any:
        raise AssertionError(request)

    read = await minutes(script, since=NOON + timedelta(seconds=1), until=NOON + timedelta(seconds=59))

    assert read == MinutesRead()


async def test_the_median_and_the_instances_are_asked_for_as_google_can_answer_them() -> None:
    asked: dict[tuple[str, str], tuple[str, list[str]]] = {}

    def script(request: Any) -> Any:
        how = request.aggregation
        kind = request.filter.split('"')[1].removeprefix("run.googleapis.com/")
        asked[kind, how.cross_series_reducer.name] = (
            how.per_series_aligner.name,
            list(how.group_by_fields),
        )
        return Answer()

    await minutes(script)

    revision = "resource.labels.revision_name"
    assert asked == {
        ("request_count", "REDUCE_SUM"): ("ALIGN_DELTA", [revision, "metric.labels.response_code_class"]),
        ("request_latencies", "REDUCE_PERCENTILE_95"): ("ALIGN_DELTA", [revision]),
        ("container/memory/utilizations", "REDUCE_PERCENTILE_99"): ("ALIGN_DELTA", [revision]),
        ("container/memory/utilizations", "REDUCE_PERCENTILE_50"): ("ALIGN_DELTA", [revision]),
        ("container/cpu/utilizations", "REDUCE_PERCENTILE_99"): ("ALIGN_DELTA", [revision]),
        ("container/instance_count", "REDUCE_SUM"): ("ALIGN_MAX", [revision]),
    }


async def test_a_week_comes_in_pages() -> None:
    week = [NOON - n * MINUTE for n in range(7 * 24 * 60)]

    def script(request: Any) -> Any:
        if "request_count" not in request.filter:
            return Answer()
        start = int(request.page_token or 0)
        end = start + request.page_size
        values = dict.fromkeys(week[start:end], 60.0)
        return Answer(
            time_series=[series(CANARY, values, "2xx")],
            next_page_token=str(end) if end < len(week) else "",
        )

    read = await minutes(script, since=NOON - timedelta(days=7))

    assert len(read.minutes) == len(week)
    assert {m.requests for m in read.minutes} == {60}
    assert read.minutes[0].until == NOON - timedelta(days=7) + MINUTE


async def test_one_metrics_fault_leaves_its_field_empty_and_is_named() -> None:
    def script(request: Any) -> Any:
        return Code.PERMISSION_DENIED if "latencies" in request.filter else with_instances(request)

    read = await minutes(script)

    assert read.problem == "p95: permission: Google's sentence"
    newest = read.of(CANARY)[-1]
    assert (newest.requests, newest.p95_ms, newest.memory) == (200, None, 90.0)


async def test_a_fault_of_every_metric_is_named_once() -> None:
    read = await minutes(lambda _: Code.UNAUTHENTICATED)

    assert read == MinutesRead(problem="login: Google's sentence")


async def test_points_that_cannot_be_are_left_out_and_the_newer_of_two_counts() -> None:
    script = by_metric(
        request_count=Answer(
            time_series=[
                series(CANARY, {NOON: 100, NOON - MINUTE: -5, NOON + MINUTE: 7}, "2xx"),
                series(CANARY, {NOON: 120}, "2xx"),
            ]
        ),
        request_latencies=Answer(time_series=[series(CANARY, {NOON: float("nan")})]),
    )

    read = await minutes(script)

    assert [(m.until, m.requests, m.p95_ms) for m in read.minutes] == [(NOON, 120, None)]


async def test_two_services_are_two_names() -> None:
    def script(request: Any) -> Any:
        service = CHAT_CANARY if f'"{CHAT_CANARY}"' in request.filter else CHAT
        assert request.aggregation.group_by_fields[0] == "resource.labels.service_name"
        counts = [series(service, {NOON: 5}, "5xx", label="service_name")]
        return by_metric(request_count=Answer(time_series=counts))(request)

    read = await minutes(script, target=services_target())

    assert [(m.name, m.requests, m.errors) for m in read.minutes] == [(CHAT, 5, 5), (CHAT_CANARY, 5, 5)]
