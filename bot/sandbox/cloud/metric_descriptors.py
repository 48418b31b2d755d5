"""What Cloud Monitoring says of a metric: kind, labels, and how often and how late it is seen."""

from typing import Any

from google.api import label_pb2, metric_pb2

from bot.sandbox.cloud.behaviour import Behaviour
from bot.sandbox.cloud.metric_types import RESOURCE_TYPE, MetricType


def describe(metric: MetricType, *, name: str, behaviour: Behaviour) -> Any:
    """Return the descriptor of `metric` under its full resource `name`."""
    descriptor = metric_pb2.MetricDescriptor(
        name=name,
        type=metric.name,
        metric_kind=metric.kind,
        value_type=metric.value,
        unit=metric.unit,
        labels=[label_pb2.LabelDescriptor(key=label) for label in metric.labels],
        monitored_resource_types=[RESOURCE_TYPE],
    )
    descriptor.metadata.sample_period.FromMicroseconds(int(behaviour.sample_seconds * 1e6))
    descriptor.metadata.ingest_delay.FromMicroseconds(int(behaviour.lag_of(metric.name) * 1e6))
    return descriptor
