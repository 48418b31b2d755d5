"""``google.monitoring.v3.MetricService``: ListTimeSeries over what the traffic really did."""

import time
from collections.abc import Callable
from datetime import UTC
from typing import Any

import grpc
from google.cloud import monitoring_v3
from google.cloud.monitoring_v3 import Aggregation

from bot.sandbox.cloud.alignment import Periods, align, check_aligner
from bot.sandbox.cloud.behaviour import Behaviour
from bot.sandbox.cloud.histogram import Histogram
from bot.sandbox.cloud.metric_descriptors import describe
from bot.sandbox.cloud.metric_types import (
    DELTA,
    INT64,
    METRIC_TYPES,
    RESOURCE_TYPE,
    MetricType,
    Value,
    half,
)
from bot.sandbox.cloud.monitoring_filter import (
    MetricFilter,
    known_labels,
    label_key,
    parse_metric_filter,
)
from bot.sandbox.cloud.paging import page
from bot.sandbox.cloud.permissions import demand
from bot.sandbox.cloud.reduction import check_reducer, reduce
from bot.sandbox.cloud.rejection import Rejection, denied, invalid, not_found
from bot.sandbox.cloud.rpc import Gate
from bot.sandbox.cloud.samples import Owner, Samples
from bot.sandbox.cloud.series import Point, Series
from bot.sandbox.names import PROJECT, REGION

ListAnswer: Any = monitoring_v3.ListTimeSeriesResponse.pb()
PointMessage: Any = monitoring_v3.Point.pb()

#: Source: Aggregation.alignment_period, "must be at least 60 seconds".
SHORTEST_PERIOD_SECONDS = 60
MOST_POINTS = 100_000
#: google.rpc.Code
UNAVAILABLE = 14
LIST_PERMISSION = "monitoring.timeSeries.list"


class MonitoringApi:
    """Cloud Monitoring over `samples`."""

    def __init__(
        self, samples: Samples, *, behaviour: Behaviour, now: Callable[[], float] = time.time
    ) -> None:
        self._samples = samples
        self._behaviour = behaviour
        self._now = now

    def handlers(self, gate: Gate) -> tuple[Any, ...]:
        """Return the gRPC handlers."""
        return (
            grpc.method_handlers_generic_handler(
                "google.monitoring.v3.MetricService",
                {
                    "ListTimeSeries": gate.unary(
                        "ListTimeSeries", self._list, monitoring_v3.ListTimeSeriesRequest
                    ),
                    "GetMetricDescriptor": gate.unary(
                        "GetMetricDescriptor", self._describe, monitoring_v3.GetMetricDescriptorRequest
                    ),
                },
            ),
        )

    async def _list(self, request: Any) -> Any:
        _check_project(request.name)
        demand(self._behaviour, LIST_PERMISSION, request.name)
        wanted = parse_metric_filter(request.filter)
        start, end = _interval(request.interval)
        check_aggregation(request, wanted.metric)
        if self._behaviour.no_series:
            return ListAnswer()
        found = self._aggregate(request, wanted, start, end)
        if self._behaviour.execution_errors:
            found = found[: len(found) // 2]
        answer = _answer(found, wanted.metric, request)
        if self._behaviour.execution_errors:
            answer.execution_errors.add(code=UNAVAILABLE, message=self._behaviour.execution_errors)
        return answer

    async def _describe(self, request: Any) -> Any:
        prefix = f"projects/{PROJECT}/metricDescriptors/"
        metric = METRIC_TYPES.get(request.name.removeprefix(prefix))
        demand(self._behaviour, "monitoring.metricDescriptors.get", request.name)
        if metric is None or not request.name.startswith(prefix):
            raise not_found(f"Could not find descriptor for metric '{request.name}'.")
        return describe(metric, name=request.name, behaviour=self._behaviour)

    def _aggregate(self, request: Any, wanted: MetricFilter, start: float, end: float) -> list[Series]:
        aggregation = request.aggregation
        if aggregation.per_series_aligner == Aggregation.Aligner.ALIGN_NONE:
            since = start if start < end else end - MOST_RECENT_SECONDS
            found = [_newest_first(s, start, end) for s in self._raw(wanted, since, end)]
            return [series for series in found if series.points]
        period = aggregation.alignment_period.total_seconds()
        periods = Periods(start=start, end=end, seconds=period)
        raw = self._raw(wanted, start - period, end)
        aligned = [
            align(s, aggregation.per_series_aligner, periods, interpolate=self._behaviour.interpolates_gaps)
            for s in raw
        ]
        if aggregation.cross_series_reducer == Aggregation.Reducer.REDUCE_NONE:
            return aligned
        group_by = [label_key(path) for path in aggregation.group_by_fields]
        return reduce(aligned, aggregation.cross_series_reducer, group_by)

    def _raw(self, wanted: MetricFilter, since: float, until: float) -> list[Series]:
        found: dict[tuple[Owner, tuple[str, ...]], Series | None] = {}
        metric = wanted.metric
        visible = self._now() - self._behaviour.lag_of(metric.name)
        whole = visible - self._behaviour.newest_grows_seconds
        for owner in self._samples.owners():
            if wanted.service not in ("", owner[0]):
                continue
            for sample in self._samples.finished(owner, since=since, until=visible):
                if sample.start >= until:
                    continue
                begin = sample.start if metric.kind == DELTA else sample.end
                for labels, value in metric.read(sample):
                    if (owner, labels) not in found:
                        series = _series(metric, owner, labels)
                        found[owner, labels] = series if wanted.passes(series.labels) else None
                    if (kept := found[owner, labels]) is not None:
                        seen = half(value) if metric.kind == DELTA and sample.end > whole else value
                        kept.points.append(Point(begin, sample.end, seen))
        return [series for series in found.values() if series is not None]


def check_aggregation(request: Any, metric: MetricType) -> None:
    """Refuse what Google refuses in an aggregation.

    Raises:
        Rejection: INVALID_ARGUMENT; UNIMPLEMENTED for a second aggregation, which Google knows and we do not.
    """
    aggregation = request.aggregation
    aligner, reducer = aggregation.per_series_aligner, aggregation.cross_series_reducer
    if request.secondary_aggregation.per_series_aligner or request.secondary_aggregation.cross_series_reducer:
        raise Rejection(grpc.StatusCode.UNIMPLEMENTED, "The sandbox knows no secondary aggregation.")
    if aligner == Aggregation.Aligner.ALIGN_NONE:
        if reducer != Aggregation.Reducer.REDUCE_NONE:
            raise invalid("Field aggregation.perSeriesAligner must not be ALIGN_NONE with a reducer.")
        return
    if aggregation.alignment_period.total_seconds() < SHORTEST_PERIOD_SECONDS:
        raise invalid("Field aggregation.alignmentPeriod had an invalid value: Must be at least 60 seconds.")
    check_aligner(aligner, kind=metric.kind, value=metric.value)
    if reducer != Aggregation.Reducer.REDUCE_NONE:
        check_reducer(reducer, value=metric.value)
        _check_groups(aggregation.group_by_fields, metric)


def _check_groups(paths: Any, metric: MetricType) -> None:
    for path in paths:
        if label_key(path) not in known_labels(metric):
            raise invalid(f'Field aggregation.groupByFields had an invalid value of "{path}".')


def _check_project(name: str) -> None:
    if not name.startswith("projects/"):
        raise invalid(f'Field name had an invalid value of "{name}".')
    if name != f"projects/{PROJECT}":
        raise denied(LIST_PERMISSION, name)


def _interval(interval: Any) -> tuple[float, float]:
    if not interval.end_time:
        raise invalid("Field interval.endTime had an invalid value: Required.")
    end = interval.end_time.astimezone(UTC).timestamp()
    start = interval.start_time.astimezone(UTC).timestamp() if interval.start_time else end
    if start > end:
        raise invalid("Field interval.startTime had an invalid value: Must not be after the end time.")
    return start, end


def _series(metric: MetricType, owner: Owner, values: tuple[str, ...]) -> Series:
    service, revision = owner
    resource = (PROJECT, REGION, service, revision, service)
    names = ("project_id", "location", "service_name", "revision_name", "configuration_name")
    labels = {f"resource.labels.{n}": v for n, v in zip(names, resource, strict=True)}
    labels |= {f"metric.labels.{n}": v for n, v in zip(metric.labels, values, strict=True)}
    return Series(labels=labels, kind=metric.kind, value=metric.value, buckets=metric.buckets)


def _newest_first(series: Series, start: float, end: float) -> Series:
    """Return the raw series in the interval; one moment means the newest point up to it."""
    inside = [p for p in series.points[::-1] if p.end <= end]
    if start == end:
        series.points = inside[:1]
    else:
        series.points = [p for p in inside if p.end > start]
    return series


#: How far back "the newest point" of an interval without a start may lie.
MOST_RECENT_SECONDS = 300.0


def _answer(found: list[Series], metric: MetricType, request: Any) -> Any:
    """Return the page that `request` asks for: of points, or of series where only headers are wanted."""
    if request.view == monitoring_v3.ListTimeSeriesRequest.TimeSeriesView.HEADERS:
        headers, token = page(found, request, default=MOST_POINTS, most=MOST_POINTS)
        answer = ListAnswer(next_page_token=token, unit=metric.unit)
        for series in headers:
            _header(answer.time_series.add(), series, metric)
        return answer
    flat = [(series, point) for series in found for point in series.points]
    shown, token = page(flat, request, default=MOST_POINTS, most=MOST_POINTS)
    answer = ListAnswer(next_page_token=token, unit=metric.unit)
    messages: dict[int, Any] = {}
    for series, point in shown:
        message = messages.get(id(series))
        if message is None:
            message = messages[id(series)] = _header(answer.time_series.add(), series, metric)
        message.points.append(_point(point, series))
    return answer


def _header(message: Any, series: Series, metric: MetricType) -> Any:
    message.metric.type = metric.name
    message.resource.type = RESOURCE_TYPE
    message.resource.labels["project_id"] = PROJECT
    message.metric_kind = series.kind
    message.value_type = series.value
    message.unit = metric.unit
    for key, value in series.labels.items():
        part, _, name = key.split(".", 2)
        getattr(message, part).labels[name] = value
    return message


def _point(point: Point, series: Series) -> Any:
    message = PointMessage()
    message.interval.start_time.FromNanoseconds(_nanoseconds(point.start))
    message.interval.end_time.FromNanoseconds(_nanoseconds(point.end))
    _set_value(message.value, point.value, series.value)
    return message


def _set_value(message: Any, value: Value, value_type: int) -> None:
    if isinstance(value, Histogram):
        message.distribution_value.CopyFrom(value.message())
    elif value_type == INT64:
        message.int64_value = int(value)
    else:
        message.double_value = float(value)


def _nanoseconds(seconds: float) -> int:
    """Return whole microseconds in nanoseconds: a float second holds no more."""
    return round(seconds * 1e6) * 1000
