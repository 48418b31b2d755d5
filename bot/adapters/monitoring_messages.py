"""Cloud Monitoring's messages in and out: queries for aligned minutes, and points as readings."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from bot.adapters.google import quoted
from bot.domain.readings import Metric, Reading, Side, Source
from bot.domain.traffic import SideAddress

if TYPE_CHECKING:
    from google.cloud import monitoring_v3

#: The shortest alignment Google allows, and the rate at which Cloud Run is sampled.
MINUTE = timedelta(seconds=60)
#: How far back a query reaches. Points may be invisible for 240 s; older than this they are stale anyway.
LOOK_BACK = timedelta(minutes=10)
#: The value of ``response_code_class`` that counts as an error. 4xx is the caller's mistake.
ERROR_CLASS = "5xx"

METRIC_TYPES = {
    Metric.ERROR_RATE: "run.googleapis.com/request_count",
    Metric.P95: "run.googleapis.com/request_latencies",
    Metric.MEMORY: "run.googleapis.com/container/memory/utilizations",
    Metric.CPU: "run.googleapis.com/container/cpu/utilizations",
}
#: Google's name of the reducer that joins the series of a group. A percentile here is taken over
#: the merged histograms; aligning to a percentile and then averaging, as is often seen, averages
#: percentiles. Source: reference/cloud-run-and-canary.md, C.2.
REDUCERS = {
    Metric.ERROR_RATE: "REDUCE_SUM",
    Metric.P95: "REDUCE_PERCENTILE_95",
    Metric.MEMORY: "REDUCE_PERCENTILE_99",
    Metric.CPU: "REDUCE_PERCENTILE_99",
}


@dataclass(frozen=True, kw_only=True)
class Window:
    """The time a query asks about, `since` < t <= `until`, aware, UTC."""

    since: datetime
    until: datetime

    @classmethod
    def before(cls, now: datetime) -> "Window":
        """Return the window that ends with the last whole minute.

        Google counts alignment periods back from the end of the query: ended at any second, every
        call would cut other minutes, and three readings would not be three distinct minutes.
        """
        until = now.astimezone(UTC).replace(second=0, microsecond=0)
        return cls(since=until - LOOK_BACK, until=until)


@dataclass(frozen=True, kw_only=True)
class Scope:
    """What one query is about: a service, split by revision or as a whole."""

    service: str
    by_revision: bool

    @classmethod
    def of(cls, address: SideAddress) -> "Scope":
        """Return the scope in which the numbers of `address` are found."""
        return cls(service=address.service, by_revision=address.revision is not None)

    @property
    def label(self) -> str:
        """The resource label the query groups by."""
        return "revision_name" if self.by_revision else "service_name"


@dataclass(frozen=True, kw_only=True)
class Point:
    """One aligned minute of one group, in Google's unit (requests, ms, or a ratio 0 to 1)."""

    group: str
    response_class: str
    since: datetime
    until: datetime
    value: float


@dataclass(frozen=True, kw_only=True)
class Answer:
    """The points of one query; with a `problem` they say nothing."""

    points: tuple[Point, ...] = ()
    problem: str | None = None

    def about(self, address: SideAddress) -> tuple[Point, ...]:
        """Return the points of one side."""
        wanted = address.revision or address.service
        return tuple(point for point in self.points if point.group == wanted)


def time_series_request(
    metric: Metric, scope: Scope, window: Window, *, project: str, region: str
) -> "monitoring_v3.ListTimeSeriesRequest":
    """Return the query for every minute of `metric` in `window`, one series for each group."""
    from google.cloud import monitoring_v3

    conditions = {
        "metric.type": METRIC_TYPES[metric],
        "resource.type": "cloud_run_revision",
        "resource.labels.location": region,
        "resource.labels.service_name": scope.service,
    }
    grouped = [f"resource.labels.{scope.label}"]
    if metric is Metric.ERROR_RATE:
        grouped.append("metric.labels.response_code_class")
    return monitoring_v3.ListTimeSeriesRequest(
        name=f"projects/{project}",
        filter=" AND ".join(f"{name}={quoted(value)}" for name, value in conditions.items()),
        interval=monitoring_v3.TimeInterval(start_time=window.since, end_time=window.until),
        aggregation=monitoring_v3.Aggregation(
            alignment_period=MINUTE,
            per_series_aligner="ALIGN_DELTA",
            cross_series_reducer=REDUCERS[metric],
            group_by_fields=grouped,
        ),
        view=monitoring_v3.ListTimeSeriesRequest.TimeSeriesView.FULL,
    )


def points_of(series: "monitoring_v3.TimeSeries", scope: Scope) -> tuple[Point, ...]:
    """Return the points of one series; those that are not a number are left out."""
    group = series.resource.labels.get(scope.label, "")
    response_class = series.metric.labels.get("response_code_class", "")
    found = []
    for point in series.points:
        value = _number(point.value)
        if math.isfinite(value):
            since, until = _bounds(point.interval)
            found.append(
                Point(group=group, response_class=response_class, since=since, until=until, value=value)
            )
    return tuple(found)


def _number(value: "monitoring_v3.TypedValue") -> float:
    return float(value.int64_value if "int64_value" in value else value.double_value)


def _bounds(interval: "monitoring_v3.TimeInterval") -> tuple[datetime, datetime]:
    until = datetime.fromtimestamp(interval.end_time.timestamp(), UTC)
    started = interval.start_time
    since = datetime.fromtimestamp(started.timestamp(), UTC) if started else until
    return (since if since < until else until - MINUTE), until


def reading_of(
    metric: Metric, side: Side, answer: Answer, address: SideAddress, *, requests: Answer, window: Window
) -> Reading:
    """Return the newest minute of one side.

    Args:
        metric: what to read.
        side: which side the reading is filed under.
        answer: what Google said about `metric`.
        address: where the side's numbers are.
        requests: what Google said about the request count, for the sample of a P95.
        window: what was asked for; it bounds a reading without a value.
    """
    points = answer.about(address)
    if answer.problem or not points:
        return _nothing(metric, side, window, problem=answer.problem)
    newest = max(point.until for point in points)
    minute = [point for point in points if point.until == newest]
    if metric is Metric.ERROR_RATE:
        return _error_rate(side, minute)
    value = minute[0].value if metric is Metric.P95 else minute[0].value * 100
    counted = (point for point in requests.about(address) if point.until == newest)
    return Reading(
        metric=metric,
        side=side,
        source=Source.MONITORING,
        value=value,
        sample=_sum(counted) if metric is Metric.P95 else len(minute),
        since=minute[0].since,
        until=newest,
    )


def _error_rate(side: Side, minute: list[Point]) -> Reading:
    requests = _sum(minute)
    errors = _sum(point for point in minute if point.response_class == ERROR_CLASS)
    return Reading(
        metric=Metric.ERROR_RATE,
        side=side,
        source=Source.MONITORING,
        # Of no requests none failed, and that is not 0 %.
        value=100 * errors / requests if requests else None,
        sample=requests,
        since=minute[0].since,
        until=minute[0].until,
        errors=errors,
    )


def _sum(points: Iterable[Point]) -> int:
    return round(sum(point.value for point in points))


def _nothing(metric: Metric, side: Side, window: Window, *, problem: str | None) -> Reading:
    return Reading(
        metric=metric,
        side=side,
        source=Source.MONITORING,
        value=None,
        sample=0,
        since=window.since,
        until=window.until,
        problem=problem,
    )
