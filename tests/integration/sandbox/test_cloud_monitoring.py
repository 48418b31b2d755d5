"""The sandbox's Cloud Monitoring says what the traffic did, late, and refuses what Google refuses."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.api_core import exceptions
from google.cloud import monitoring_v3

from bot.sandbox.cloud import Fault
from bot.sandbox.cloud.ledger import RequestSeen
from bot.sandbox.names import API_CANARY, API_SERVICE, API_STABLE, PROJECT
from tests.integration.sandbox.google_clients import PATIENCE_SECONDS, Google, running_cloud

Aligner = monitoring_v3.Aggregation.Aligner
Reducer = monitoring_v3.Aggregation.Reducer
View = monitoring_v3.ListTimeSeriesRequest.TimeSeriesView

COUNT = "run.googleapis.com/request_count"
LATENCIES = "run.googleapis.com/request_latencies"
CPU = "run.googleapis.com/container/cpu/utilizations"
MEMORY = "run.googleapis.com/container/memory/utilizations"
INSTANCES = "run.googleapis.com/container/instance_count"
BY_REVISION = ["resource.labels.revision_name"]
BY_CLASS = [*BY_REVISION, "metric.labels.response_code_class"]


@pytest.fixture
async def google() -> AsyncIterator[Google]:
    async with running_cloud() as running:
        yield running


def metric_filter(metric: str, *more: str) -> str:
    return " AND ".join(
        (
            'resource.type="cloud_run_revision"',
            f'resource.labels.service_name="{API_SERVICE}"',
            f'metric.type="{metric}"',
            *more,
        )
    )


def a_request(metric: str = COUNT, **changes: Any) -> dict[str, Any]:
    """Return the request of the design: one minute a point, summed by revision and class."""
    end = changes.pop("end", None) or datetime.now(UTC)
    aggregation = {
        "alignment_period": timedelta(seconds=changes.pop("period_seconds", 60)),
        "per_series_aligner": changes.pop("aligner", Aligner.ALIGN_DELTA),
        "cross_series_reducer": changes.pop("reducer", Reducer.REDUCE_SUM),
        "group_by_fields": changes.pop("group_by", BY_REVISION),
    }
    minutes = changes.pop("minutes", 10)
    return {
        "name": f"projects/{PROJECT}",
        "filter": metric_filter(metric),
        "interval": {"start_time": end - timedelta(minutes=minutes), "end_time": end},
        "aggregation": aggregation,
    } | changes


async def read(google: Google, metric: str = COUNT, **changes: Any) -> list[monitoring_v3.TimeSeries]:
    return [s async for s in await google.metrics.list_time_series(a_request(metric, **changes))]


@dataclass(frozen=True, kw_only=True)
class Past:
    """A cloud of which only the healthy hour before `end` is looked at; nobody asks anything any more."""

    google: Google
    end: datetime

    async def read(self, metric: str = COUNT, **changes: Any) -> list[monitoring_v3.TimeSeries]:
        return await read(self.google, metric, end=self.end, **changes)


@pytest.fixture(scope="module")
async def past() -> AsyncIterator[Past]:
    end = datetime.now(UTC)
    async with running_cloud(requests_per_second=20) as running:
        await running.quiet()
        yield Past(google=running, end=end)


def by_revision(series: list[monitoring_v3.TimeSeries]) -> dict[str, Any]:
    """Return the newest value of each revision."""
    return {s.resource.labels["revision_name"]: s.points[0].value for s in series}


async def test_request_counts_are_what_the_users_counted(google: Google) -> None:
    google.cloud.set_fault(API_SERVICE, Fault.ERRORS, on=True)
    await google.asked(API_SERVICE, times=120, until=lambda answers: answers[API_CANARY, 200] > 0)
    await google.measured()

    series = await read(google, group_by=BY_CLASS, period_seconds=600)

    counted: Counter[tuple[str, str]] = Counter()
    for (revision, status), times in google.cloud.answers(API_SERVICE).items():
        counted[revision, f"{status // 100}xx"] += times
    measured = {
        (s.resource.labels["revision_name"], s.metric.labels["response_code_class"]): s.points[
            0
        ].value.int64_value
        for s in series
    }
    assert measured == counted
    assert sum(counted.values()) > 100


async def test_requests_that_reach_no_container_are_not_counted(google: Google) -> None:
    google.cloud.set_fault(API_SERVICE, Fault.DOWN, on=True)
    google.cloud.set_fault(API_SERVICE, Fault.DOWN, on=True, revision=API_STABLE)
    answers = await google.asked(API_SERVICE, times=30)
    await google.measured()

    assert answers["", 503] >= 30
    assert [s for s in await read(google) if s.points[0].value.int64_value] == []


async def test_a_sample_is_seen_late(google: Google) -> None:
    google.cloud.behaviour.visible_after_seconds = 300
    await google.asked(API_SERVICE)
    await google.measured()

    early = await read(google)
    google.cloud.behaviour.visible_after_seconds = 0
    late = await read(google)

    assert early == []
    assert by_revision(late)[API_STABLE].int64_value > 0


async def test_the_hour_before_the_start_was_healthy(past: Past) -> None:
    counts = await past.read(minutes=60, group_by=BY_CLASS)
    p95 = await past.read(LATENCIES, minutes=60, reducer=Reducer.REDUCE_PERCENTILE_95)

    assert {s.metric.labels["response_code_class"] for s in counts} == {"2xx"}
    by_name = {s.resource.labels["revision_name"]: s for s in counts}
    assert len(by_name[API_STABLE].points) >= 59
    assert 9 <= len(by_name[API_CANARY].points) <= 11
    stable = [point.value.int64_value for point in by_name[API_STABLE].points]
    assert all(1000 <= count <= 1300 for count in stable[2:9])
    assert all(stable[i] > 1120 for i in range(15, 55))  # all the traffic, before the canary came
    values = [point.value.double_value for s in p95 for point in s.points]
    assert all(130 <= value <= 200 for value in values)


async def test_points_come_newest_first_and_end_on_whole_periods_before_the_end(past: Past) -> None:
    series = await past.read(minutes=5)

    ends = [point.interval.end_time for point in series[0].points]
    wanted = [past.end - timedelta(minutes=minute) for minute in range(5)]
    assert [abs((a - b).total_seconds()) < 0.001 for a, b in zip(ends, wanted, strict=True)] == [True] * 5
    first = series[0].points[0].interval
    assert (first.end_time - first.start_time).total_seconds() == pytest.approx(60)


def answered(google: Google, revision: str, *, after_ms: float, times: int = 1) -> None:
    """Let `revision` have answered so many requests after exactly so long."""
    seen = RequestSeen(
        service=API_SERVICE,
        revision=revision,
        method="GET",
        url="",
        status=200,
        latency_ms=after_ms,
        at=datetime.now(UTC),
        trace="",
        user_agent="",
        reached=True,
    )
    for _ in range(times):
        google.cloud._world.container(API_SERVICE, revision).ledger.request(seen)


async def test_p95_merges_the_histograms_before_it_takes_the_percentile(google: Google) -> None:
    for number in range(100):
        answered(google, API_STABLE, after_ms=50 + number, times=9)
        answered(google, API_CANARY, after_ms=450 + 4 * number)
    await google.measured()

    right = by_revision(await read(google, LATENCIES, reducer=Reducer.REDUCE_PERCENTILE_95))
    together = await read(google, LATENCIES, reducer=Reducer.REDUCE_PERCENTILE_50, group_by=[])

    # A bucket is a tenth wide.
    assert right[API_STABLE].double_value == pytest.approx(145, rel=0.1)
    assert right[API_CANARY].double_value == pytest.approx(830, rel=0.1)
    # The 500th of all: nine in ten are stable's.
    assert together[0].points[0].value.double_value == pytest.approx(105, rel=0.1)


async def test_distributions_can_be_summed_and_averaged(past: Past) -> None:
    summed = by_revision(await past.read(LATENCIES, minutes=3))
    mean = by_revision(await past.read(LATENCIES, minutes=3, reducer=Reducer.REDUCE_MEAN))
    percentile = await past.read(
        LATENCIES, minutes=3, aligner=Aligner.ALIGN_PERCENTILE_95, reducer=Reducer.REDUCE_NONE
    )

    distribution = summed[API_STABLE].distribution_value
    assert sum(distribution.bucket_counts) == distribution.count > 500
    assert distribution.bucket_options.exponential_buckets.growth_factor == pytest.approx(1.1)
    assert 60 < mean[API_STABLE].double_value < 120
    assert {s.metric.labels["response_code"] for s in percentile} == {"200"}


async def test_utilizations_are_ratios_and_instances_follow_the_load(past: Past) -> None:
    cpu = by_revision(await past.read(CPU, reducer=Reducer.REDUCE_PERCENTILE_99))
    memory = by_revision(await past.read(MEMORY, reducer=Reducer.REDUCE_PERCENTILE_95))
    instances = by_revision(
        await past.read(
            INSTANCES,
            aligner=Aligner.ALIGN_NEXT_OLDER,
            group_by=[*BY_REVISION],
            filter=metric_filter(INSTANCES, 'metric.labels.state="active"'),
            minutes=5,
        )
    )

    assert 0 < cpu[API_CANARY].double_value < cpu[API_STABLE].double_value < 0.7
    assert 0.3 < memory[API_STABLE].double_value < 0.7
    assert 1 <= instances[API_CANARY].int64_value <= instances[API_STABLE].int64_value <= 4


async def test_a_leak_fills_every_instance_alike_until_it_is_mended(google: Google) -> None:
    async def memory(since: datetime) -> dict[str, list[float]]:
        """Return each sample's mean by revision."""
        interval = {"start_time": since, "end_time": datetime.now(UTC)}
        found = await read(google, MEMORY, aggregation={}, interval=interval)
        means = {s.resource.labels["revision_name"]: s.points for s in found}
        return {name: [p.value.distribution_value.mean for p in points] for name, points in means.items()}

    began = datetime.now(UTC)
    google.cloud.behaviour.leak_per_minute = 20.0
    google.cloud.set_fault(API_SERVICE, Fault.LEAK, on=True)
    google.cloud.load(API_SERVICE, 20)

    # It is killed when it is full, so of all its moments the fullest is looked for.
    async with asyncio.timeout(PATIENCE_SECONDS):
        while max((leaking := await memory(began)).get(API_CANARY, [0])) <= 0.95:  # noqa: ASYNC110
            await asyncio.sleep(0.1)  # what is awaited is not ours to signal
    google.cloud.set_fault(API_SERVICE, Fault.LEAK, on=False)
    await google.measured()
    mended = datetime.now(UTC)
    # A leak that went on would fill it in that time.
    async with asyncio.timeout(PATIENCE_SECONDS):
        while len((after := await memory(mended)).get(API_CANARY, ())) < 8:  # noqa: ASYNC110
            await asyncio.sleep(0.1)

    assert leaking[API_STABLE] == pytest.approx([0.6] * len(leaking[API_STABLE]), abs=0.06)
    assert max(after[API_CANARY]) < 0.7


async def test_other_aligners_and_reducers_work_on_numbers(past: Past) -> None:
    one: dict[str, Any] = {"minutes": 2, "group_by": []}
    total = (await past.read(**one))[0].points[1].value.int64_value
    rate = (await past.read(aligner=Aligner.ALIGN_RATE, **one))[0].points[1].value.double_value
    most = await past.read(aligner=Aligner.ALIGN_SUM, reducer=Reducer.REDUCE_MAX, **one)
    mean = await past.read(aligner=Aligner.ALIGN_SUM, reducer=Reducer.REDUCE_MEAN, **one)
    p99 = await past.read(aligner=Aligner.ALIGN_SUM, reducer=Reducer.REDUCE_PERCENTILE_99, **one)

    assert rate == pytest.approx(total / 60, rel=0.05)
    assert most[0].points[1].value.int64_value == pytest.approx(0.9 * total, rel=0.1)
    assert mean[0].points[1].value.double_value == pytest.approx(total / 2, rel=0.05)
    assert p99[0].points[1].value.double_value == most[0].points[1].value.int64_value


async def test_raw_series_are_listed_without_an_aggregation(past: Past) -> None:
    raw = await past.read(aggregation={}, minutes=5)
    newest = await past.read(aggregation={}, interval={"end_time": past.end})
    headers = await past.read(aggregation={}, view=View.HEADERS)

    assert {(s.metric.labels["response_code"], s.resource.labels["service_name"]) for s in raw} == {
        ("200", API_SERVICE)
    }
    assert [len(s.points) for s in newest] == [1, 1]
    assert [len(s.points) for s in headers] == [0, 0]
    assert raw[0].unit == "1"


LABELS = {
    'resource.labels.revision_name="ion-api-00042-lee"': {API_CANARY},
    'resource.label.revision_name = "ion-api-00042-lee"': {API_CANARY},
    'resource.labels.revision_name!="ion-api-00042-lee"': {API_STABLE},
    'NOT resource.labels.revision_name="ion-api-00042-lee"': {API_STABLE},
    '(resource.labels.revision_name="a" OR resource.labels.revision_name="ion-api-00042-lee")': {API_CANARY},
    'resource.labels.revision_name=starts_with("ion-api-00042")': {API_CANARY},
    'resource.labels.revision_name=monitoring.regex.full_match(".*-kim")': {API_STABLE},
    'resource.labels.location="europe-west1"': set(),
    'metric.labels.response_code_class="5xx"': set(),
    'metric.labels.response_code="200"': {API_CANARY, API_STABLE},
}


@pytest.mark.parametrize("label", LABELS)
async def test_label_filters_are_really_applied(past: Past, label: str) -> None:
    found = await past.read(filter=metric_filter(COUNT, label))

    assert {s.resource.labels["revision_name"] for s in found} == LABELS[label]


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no filter": ({"filter": ""}, "must not be empty"),
    "garbage": ({"filter": "give me everything"}, "not a comparison"),
    "half a filter": ({"filter": 'metric.type="'}, "syntax error"),
    "unbalanced": ({"filter": f'(metric.type="{COUNT}"'}, "syntax error"),
    "no metric": ({"filter": 'resource.type="cloud_run_revision"'}, "Exactly one metric type"),
    "two metrics": ({"filter": f'metric.type="{COUNT}" OR metric.type="{CPU}"'}, "Exactly one metric type"),
    "an unknown label": ({"filter": metric_filter(COUNT, 'metric.labels.colour="red"')}, "valid combination"),
    "an unknown field": ({"filter": metric_filter(COUNT, 'colour="red"')}, "not a field"),
    "another resource": (
        {"filter": f'resource.type="gce_instance" AND metric.type="{COUNT}"'},
        "combination",
    ),
    "a bad pattern": (
        {"filter": metric_filter(COUNT, 'resource.labels.location=monitoring.regex.full_match("(")')},
        "invalid value",
    ),
    "an unknown function": (
        {"filter": metric_filter(COUNT, 'resource.labels.location=near("x")')},
        "function",
    ),
    "a size": ({"filter": metric_filter(COUNT, 'resource.labels.location>"x"')}, "needs a number"),
    "short periods": ({"period_seconds": 59}, "at least 60 seconds"),
    "no end": ({"interval": {}}, "endTime"),
    "an end before the start": (
        {
            "interval": {
                "start_time": datetime(2026, 1, 2, tzinfo=UTC),
                "end_time": datetime(2026, 1, 1, tzinfo=UTC),
            }
        },
        "startTime",
    ),
    "the mean of distributions": ({"metric": LATENCIES, "aligner": Aligner.ALIGN_MEAN}, "ALIGN_MEAN"),
    "the largest of distributions": ({"metric": LATENCIES, "aligner": Aligner.ALIGN_MAX}, "ALIGN_MAX"),
    "the rate of distributions": ({"metric": LATENCIES, "aligner": Aligner.ALIGN_RATE}, "ALIGN_RATE"),
    "the percentile of numbers": ({"aligner": Aligner.ALIGN_PERCENTILE_95}, "ALIGN_PERCENTILE_95"),
    "the next older delta": ({"aligner": Aligner.ALIGN_NEXT_OLDER}, "ALIGN_NEXT_OLDER"),
    "the delta of a gauge": ({"metric": INSTANCES}, "ALIGN_DELTA"),
    "an unknown aligner": ({"aligner": Aligner.ALIGN_STDDEV}, "ALIGN_STDDEV"),
    "the larger distribution": ({"metric": LATENCIES, "reducer": Reducer.REDUCE_MAX}, "REDUCE_MAX"),
    "a reducer without an aligner": ({"aligner": Aligner.ALIGN_NONE}, "ALIGN_NONE"),
    "an unknown group": ({"group_by": ["resource.labels.colour"]}, "groupByFields"),
    "a bad token": ({"page_token": "next"}, "page_token"),
    "a bad name": ({"name": PROJECT}, "Field name"),
}


@pytest.mark.parametrize("case", REFUSED)
async def test_requests_that_google_refuses_are_refused(past: Past, case: str) -> None:
    changes, why = REFUSED[case]

    with pytest.raises(exceptions.InvalidArgument, match=why):
        await past.read(**changes)


async def test_unknown_metrics_and_projects_are_refused_in_their_own_way(past: Past) -> None:
    with pytest.raises(exceptions.NotFound, match="Cannot find metric"):
        await past.read(filter='metric.type="run.googleapis.com/colour"')
    with pytest.raises(exceptions.PermissionDenied):
        await past.read(name="projects/other")
    with pytest.raises(exceptions.MethodNotImplemented):
        await past.read(secondary_aggregation={"per_series_aligner": Aligner.ALIGN_MAX})


async def test_no_series_can_be_asked_for() -> None:
    async with running_cloud(requests_per_second=20, no_series=True) as google:
        assert await read(google) == []


async def test_points_come_in_pages(past: Past) -> None:
    whole = await past.read()
    pager = await past.google.metrics.list_time_series(a_request(page_size=7, end=past.end))
    pages = [page async for page in pager.pages]

    sizes = [sum(len(s.points) for s in page.time_series) for page in pages]
    assert sizes == [7, 7, sum(len(s.points) for s in whole) - 14]


async def test_the_descriptor_says_how_often_and_how_late(google: Google) -> None:
    name = f"projects/{PROJECT}/metricDescriptors/{COUNT}"

    descriptor = await google.metrics.get_metric_descriptor(name=name)

    assert descriptor.metadata.sample_period.ToTimedelta() == timedelta(seconds=0.2)
    assert descriptor.metadata.ingest_delay.ToTimedelta() == timedelta()
    with pytest.raises(exceptions.NotFound):
        await google.metrics.get_metric_descriptor(name=name + "s")


async def test_a_reset_forgets_what_was_measured(google: Google) -> None:
    await google.asked(API_SERVICE, times=10)
    await google.measured()
    assert await read(google)

    google.cloud.reset()

    assert await read(google) == []
