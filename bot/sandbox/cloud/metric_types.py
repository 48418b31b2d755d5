"""The metrics of ``cloud_run_revision`` that the sandbox keeps, and how each is read from a sample."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from google.api import metric_pb2

from bot.sandbox.cloud.histogram import Buckets, Histogram, latency_buckets, utilization_buckets
from bot.sandbox.cloud.samples import Sample

RESOURCE_TYPE = "cloud_run_revision"
RESOURCE_LABELS = ("project_id", "location", "service_name", "revision_name", "configuration_name")

GAUGE = int(metric_pb2.MetricDescriptor.GAUGE)
DELTA = int(metric_pb2.MetricDescriptor.DELTA)
INT64 = int(metric_pb2.MetricDescriptor.INT64)
DOUBLE = int(metric_pb2.MetricDescriptor.DOUBLE)
DISTRIBUTION = int(metric_pb2.MetricDescriptor.DISTRIBUTION)

Value = int | float | Histogram
#: Metric labels, in the order of `MetricType.labels`, and a value.
Labelled = tuple[tuple[str, ...], Value]


@dataclass(frozen=True, kw_only=True)
class MetricType:
    """One metric: `kind` and `value` as in its descriptor, `read` its values in one sample.

    `google_lag_seconds` is how late it is seen at Google at the most, from quotations of its table of
    metrics; 240 is its general line. Source: reference/cloud-run-and-canary.md, C.1.
    """

    name: str
    kind: int
    value: int
    unit: str
    labels: tuple[str, ...]
    read: Callable[[Sample], Iterator[Labelled]]
    google_lag_seconds: float
    buckets: Buckets | None = None


def half(value: Value) -> Value:
    """Return the half of a count or of a distribution that is there first."""
    return value.part(0.0, 0.5) if isinstance(value, Histogram) else int(value / 2)


def _request_count(sample: Sample) -> Iterator[Labelled]:
    for status, latencies in sample.latencies.items():
        yield _code_labels(status), latencies.count


def _request_latencies(sample: Sample) -> Iterator[Labelled]:
    for status, latencies in sample.latencies.items():
        yield _code_labels(status), latencies


def _memory(sample: Sample) -> Iterator[Labelled]:
    if sample.memory.counts:
        yield (), sample.memory


def _cpu(sample: Sample) -> Iterator[Labelled]:
    if sample.cpu.counts:
        yield (), sample.cpu


def _instances(sample: Sample) -> Iterator[Labelled]:
    for state, count in sample.instances.items():
        yield (state,), count


def _code_labels(status: int) -> tuple[str, str]:
    return str(status), f"{status // 100}xx"


_CODES = ("response_code", "response_code_class")

METRIC_TYPES = {
    metric.name: metric
    for metric in (
        MetricType(
            name="run.googleapis.com/request_count",
            kind=DELTA,
            value=INT64,
            unit="1",
            labels=_CODES,
            read=_request_count,
            google_lag_seconds=180,
        ),
        MetricType(
            name="run.googleapis.com/request_latencies",
            kind=DELTA,
            value=DISTRIBUTION,
            unit="ms",
            labels=_CODES,
            read=_request_latencies,
            google_lag_seconds=180,
            buckets=latency_buckets(),
        ),
        MetricType(
            name="run.googleapis.com/container/memory/utilizations",
            kind=DELTA,
            value=DISTRIBUTION,
            unit="10^2.%",
            labels=(),
            read=_memory,
            google_lag_seconds=60,
            buckets=utilization_buckets(),
        ),
        MetricType(
            name="run.googleapis.com/container/cpu/utilizations",
            kind=DELTA,
            value=DISTRIBUTION,
            unit="10^2.%",
            labels=(),
            read=_cpu,
            google_lag_seconds=120,
            buckets=utilization_buckets(),
        ),
        MetricType(
            name="run.googleapis.com/container/instance_count",
            kind=GAUGE,
            value=INT64,
            unit="1",
            labels=("state",),
            read=_instances,
            google_lag_seconds=240,
        ),
    )
}

#: For `Behaviour.metric_lags`: every metric as late as Google has it.
GOOGLE_LAGS = {metric.name: metric.google_lag_seconds for metric in METRIC_TYPES.values()}
