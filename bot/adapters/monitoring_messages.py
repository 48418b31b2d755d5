"""Cloud Monitoring's messages in and out: queries for aligned minutes, and points as readings."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from bot.adapters.google import quoted
from bot.domain.readings import Metric, Reading, Side, Source
from bot.domain.traffic import SideAddress

if TYPE_CHECKING:
    from google.cloud import monitoring_v3

#: The shortest alignment Google allows, and the rate at which Cloud Run is sampled.
MINUTE = timedelta(seconds=60)
#: How far back a query reaches. Points may be invisible for 240 s; older than this they are stale anyway.
LOOK_BACK = timedelta(minutes=10)
#: Google keeps minutes for so long. Source: Cloud Monitoring, "Data retention".
LONGEST = timedelta(weeks=6)
#: The value of ``response_code_class`` that counts as an error. 4xx is the caller's mistake.
ERROR_CLASS = "5xx"

#: The metric label that tells 5xx from the rest.
RESPONSE_CLASS = "metric.labels.response_code_class"


@dataclass(frozen=True, kw_only=True)
class Query:
    """What is asked of Cloud Monitoring: a metric, aligned to minutes and joined for each group.

    `reducer` is Google's name of what joins the series of a group. A percentile there is taken over the
    merged histograms; aligning to a percentile and then averaging, as is often seen, averages
    percentiles. Source: reference/cloud-run-and-canary.md, C.2.
    """

    name: str
    metric_type: str
    reducer: str
    aligner: str = "ALIGN_DELTA"
    by: tuple[str, ...] = ()


_MEMORY_TYPE = "run.googleapis.com/container/memory/utilizations"
REQUESTS = Query(
    name=Metric.ERROR_RATE,
    metric_type="run.googleapis.com/request_count",
    reducer="REDUCE_SUM",
    by=(RESPONSE_CLASS,),
)
LATENCY = Query(
    name=Metric.P95,
    metric_type="run.googleapis.com/request_latencies",
    reducer="REDUCE_PERCENTILE_95",
)
MEMORY = Query(name=Metric.MEMORY, metric_type=_MEMORY_TYPE, reducer="REDUCE_PERCENTILE_99")
MEMORY_MEDIAN = Query(name="memory_median", metric_type=_MEMORY_TYPE, reducer="REDUCE_PERCENTILE_50")
CPU = Query(
    name=Metric.CPU,
    metric_type="run.googleapis.com/container/cpu/utilizations",
    reducer="REDUCE_PERCENTILE_99",
)
#: A gauge, one sample a minute for each state: active and idle instances make them all.
INSTANCES = Query(
    name="instances",
    metric_type="run.googleapis.com/container/instance_count",
    reducer="REDUCE_SUM",
    aligner="ALIGN_MAX",
)
QUERIES = {Metric.ERROR_RATE: REQUESTS, Metric.P95: LATENCY, Metric.MEMORY: MEMORY, Metric.CPU: CPU}


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

    @classmethod
    def of_minutes(cls, since: datetime, until: datetime) -> "Window":
        """Return the window of the whole minutes between two times, at most `LONGEST` back."""
        last = until.astimezone(UTC).replace(second=0, microsecond=0)
        first = -(-since.timestamp() // MINUTE.total_seconds()) * MINUTE.total_seconds()
        return cls(since=max(datetime.fromtimestamp(first, UTC), last - LONGEST), until=last)


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
        wanted = address.name
        return tuple(point for point in self.points if point.group == wanted)


def time_series_request(
    query: Query, scope: Scope, window: Window, *, project: str, region: str, page_size: int = 0
) -> "monitoring_v3.ListTimeSeriesRequest":
    """Return the request for every minute of `query` in `window`, one series for each group.

    `page_size` is in points; 0 leaves it to Google.
    """
    from google.cloud import monitoring_v3

    conditions = {
        "metric.type": query.metric_type,
        "resource.type": "cloud_run_revision",
        "resource.labels.location": region,
        "resource.labels.service_name": scope.service,
    }
    return monitoring_v3.ListTimeSeriesRequest(
        name=f"projects/{project}",
        filter=" AND ".join(f"{name}={quoted(value)}" for name, value in conditions.items()),
        interval=monitoring_v3.TimeInterval(start_time=window.since, end_time=window.until),
        aggregation=monitoring_v3.Aggregation(
            alignment_period=MINUTE,
            per_series_aligner=query.aligner,
            cross_series_reducer=query.reducer,
            group_by_fields=[f"resource.labels.{scope.label}", *query.by],
        ),
        view=monitoring_v3.ListTimeSeriesRequest.TimeSeriesView.FULL,
        page_size=page_size,
    )


def points_of(series: Any, scope: Scope) -> tuple[Point, ...]:
    """Return the points of one series; those that are not a number are left out.

    Args:
        series: a bare protobuf message. A week has 10,080 minutes, and the wrappers cost the event loop
            twenty times as much.
        scope: what was asked about.
    """
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


def _number(value: Any) -> float:
    return float(value.int64_value if value.WhichOneof("value") == "int64_value" else value.double_value)


def _bounds(interval: Any) -> tuple[datetime, datetime]:
    until = _moment(interval.end_time)
    since = _moment(interval.start_time) if interval.HasField("start_time") else until
    return (since if since < until else until - MINUTE), until


def _moment(stamp: Any) -> datetime:
    return datetime.fromtimestamp(stamp.seconds + stamp.nanos / 1e9, UTC)


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
