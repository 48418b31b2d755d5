"""Queries for aligned minutes, and what their points say, with messages built by hand."""

import math
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from google.cloud import monitoring_v3

from bot.adapters.monitoring_messages import (
    LATENCY,
    QUERIES,
    Answer,
    Scope,
    Window,
    points_of,
    reading_of,
    time_series_request,
)
from bot.domain.ids import RevisionName, ServiceName
from bot.domain.readings import Metric, Reading, Side, Source
from bot.domain.traffic import SideAddress

STABLE, CANARY = "ion-api-00041-kim", "ion-api-00042-lee"
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
WINDOW = Window.before(NOON)
BY_REVISION = Scope(service="ion-api", by_revision=True)
AS_A_WHOLE = Scope(service="ion-chat", by_revision=False)
SPLIT_CANARY = SideAddress(service=ServiceName("ion-api"), revision=RevisionName(CANARY))
WHOLE_CHAT = SideAddress(service=ServiceName("ion-chat"))


def series(
    values: dict[datetime, float], *, group: str = CANARY, kind: str = "", label: str = "revision_name"
) -> monitoring_v3.TimeSeries:
    """One series with a point ending at each time, newest first as Google sends them."""
    points = [
        monitoring_v3.Point(
            interval=monitoring_v3.TimeInterval(start_time=until - MINUTE, end_time=until),
            value=typed(value),
        )
        for until, value in sorted(values.items(), reverse=True)
    ]
    return monitoring_v3.TimeSeries(
        metric={"labels": {"response_code_class": kind}} if kind else {},
        resource={"type": "cloud_run_revision", "labels": {label: group}},
        points=points,
    )


def typed(value: float) -> monitoring_v3.TypedValue:
    if isinstance(value, int):
        return monitoring_v3.TypedValue(int64_value=value)
    return monitoring_v3.TypedValue(double_value=value)


def answer(*all_series: monitoring_v3.TimeSeries, scope: Scope = BY_REVISION) -> Answer:
    return Answer(points=tuple(point for one in all_series for point in points_of(type(one).pb(one), scope)))


def read(metric: Metric, given: Answer, **more: Any) -> Reading:
    kept: dict[str, Any] = {"requests": Answer(), "window": WINDOW, **more}
    return reading_of(metric, Side.CANARY, given, kept.pop("address", SPLIT_CANARY), **kept)


def test_a_window_ends_with_the_last_whole_minute_so_that_every_call_cuts_the_same_minutes() -> None:
    early, late = (Window.before(NOON + timedelta(seconds=s)) for s in (1, 59))

    assert early == late == Window(since=NOON - timedelta(minutes=10), until=NOON)


def test_a_window_is_utc_whatever_the_clock_says() -> None:
    seoul = timezone(timedelta(hours=9))

    assert Window.before(NOON.astimezone(seoul)).until.tzinfo is UTC


@pytest.mark.parametrize(
    ("metric", "metric_type", "reducer", "classes"),
    [
        (Metric.ERROR_RATE, "request_count", "REDUCE_SUM", True),
        (Metric.P95, "request_latencies", "REDUCE_PERCENTILE_95", False),
        (Metric.MEMORY, "container/memory/utilizations", "REDUCE_PERCENTILE_99", False),
        (Metric.CPU, "container/cpu/utilizations", "REDUCE_PERCENTILE_99", False),
    ],
)
def test_each_metric_is_asked_for_as_google_can_answer_it(
    metric: Metric, metric_type: str, reducer: str, classes: bool
) -> None:
    request = time_series_request(QUERIES[metric], BY_REVISION, WINDOW, project="p", region="us-central1")

    assert request.name == "projects/p"
    assert request.filter == (
        f'metric.type="run.googleapis.com/{metric_type}" AND resource.type="cloud_run_revision" AND '
        'resource.labels.location="us-central1" AND resource.labels.service_name="ion-api"'
    )
    assert request.aggregation.alignment_period == MINUTE
    assert request.aggregation.per_series_aligner.name == "ALIGN_DELTA"
    assert request.aggregation.cross_series_reducer.name == reducer
    by_class = ["metric.labels.response_code_class"] if classes else []
    assert list(request.aggregation.group_by_fields) == ["resource.labels.revision_name", *by_class]
    assert (request.interval.start_time, request.interval.end_time) == (WINDOW.since, WINDOW.until)


def test_a_whole_service_is_grouped_by_its_name() -> None:
    request = time_series_request(LATENCY, AS_A_WHOLE, WINDOW, project="p", region="us-central1")

    assert list(request.aggregation.group_by_fields) == ["resource.labels.service_name"]


def test_an_error_rate_is_errors_of_all_requests_in_percent() -> None:
    reading = read(
        Metric.ERROR_RATE,
        answer(series({NOON: 190}, kind="2xx"), series({NOON: 7}, kind="4xx"), series({NOON: 3}, kind="5xx")),
    )

    assert reading == Reading(
        metric=Metric.ERROR_RATE,
        side=Side.CANARY,
        source=Source.MONITORING,
        value=1.5,
        sample=200,
        errors=3,
        since=NOON - MINUTE,
        until=NOON,
    )


def test_only_the_newest_minute_counts() -> None:
    given = answer(
        series({NOON - 2 * MINUTE: 100, NOON - MINUTE: 50}, kind="2xx"),
        series({NOON - 2 * MINUTE: 40, NOON - 3 * MINUTE: 40}, kind="5xx"),
    )

    reading = read(Metric.ERROR_RATE, given)

    assert (reading.value, reading.sample, reading.errors) == (0.0, 50, 0)
    assert (reading.since, reading.until) == (NOON - 2 * MINUTE, NOON - MINUTE)


def test_no_requests_are_no_error_rate_rather_than_zero_percent() -> None:
    reading = read(Metric.ERROR_RATE, answer(series({NOON: 0}, kind="2xx")))

    assert (reading.value, reading.sample, reading.problem) == (None, 0, None)
    assert reading.until == NOON


def test_the_other_sides_numbers_are_left_out() -> None:
    given = answer(series({NOON: 100}, kind="5xx", group=STABLE), series({NOON: 50}, kind="2xx"))

    assert read(Metric.ERROR_RATE, given).value == 0.0


def test_a_whole_service_is_the_sum_over_its_revisions() -> None:
    given = answer(
        series({NOON: 99}, kind="2xx", group="ion-chat", label="service_name"),
        series({NOON: 1}, kind="5xx", group="ion-chat", label="service_name"),
        scope=AS_A_WHOLE,
    )

    assert read(Metric.ERROR_RATE, given, address=WHOLE_CHAT).value == 1.0


def test_no_series_is_no_data_over_the_window_that_was_asked_for() -> None:
    for metric in Metric:
        reading = read(metric, answer())

        assert (reading.value, reading.sample, reading.problem) == (None, 0, None)
        assert (reading.since, reading.until) == (WINDOW.since, WINDOW.until)


def test_a_problem_hides_whatever_points_came_with_it() -> None:
    points = answer(series({NOON: 100}, kind="2xx")).points

    reading = read(Metric.ERROR_RATE, Answer(points=points, problem="incomplete data: a shard is down"))

    assert (reading.value, reading.sample) == (None, 0)
    assert reading.problem == "incomplete data: a shard is down"


def test_a_p95_counts_the_requests_of_its_own_minute() -> None:
    requests = answer(
        series({NOON: 70, NOON - MINUTE: 40}, kind="2xx"),
        series({NOON - MINUTE: 2}, kind="5xx"),
        series({NOON - MINUTE: 999}, kind="2xx", group=STABLE),
    )

    reading = read(Metric.P95, answer(series({NOON - MINUTE: 612.5})), requests=requests)

    assert (reading.value, reading.sample, reading.errors) == (612.5, 42, None)
    assert reading.until == NOON - MINUTE


def test_a_p95_whose_requests_are_not_to_be_seen_yet_has_no_sample() -> None:
    assert read(Metric.P95, answer(series({NOON: 612.5}))).sample == 0


@pytest.mark.parametrize("metric", [Metric.MEMORY, Metric.CPU])
def test_utilizations_are_shown_in_percent(metric: Metric) -> None:
    reading = read(metric, answer(series({NOON: 0.625})))

    assert (reading.value, reading.sample, reading.errors) == (62.5, 1, None)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_what_is_not_a_number_is_no_data(value: float) -> None:
    assert read(Metric.P95, answer(series({NOON: value}))).value is None


def test_a_point_without_a_beginning_is_a_minute_long() -> None:
    point = monitoring_v3.Point(
        interval=monitoring_v3.TimeInterval(end_time=NOON), value=monitoring_v3.TypedValue(double_value=0.5)
    )
    given = monitoring_v3.TimeSeries(resource={"labels": {"revision_name": CANARY}}, points=[point])

    reading = read(Metric.CPU, answer(given))

    assert (reading.since, reading.until) == (NOON - MINUTE, NOON)


def test_times_are_plain_and_utc() -> None:
    reading = read(Metric.CPU, answer(series({NOON: 0.5})))

    assert (type(reading.until), reading.until.tzinfo) == (datetime, UTC)
