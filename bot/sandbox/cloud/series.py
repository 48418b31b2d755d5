"""Time series between the store and the wire: labels, and points that carry their interval."""

from dataclasses import dataclass, field

from bot.sandbox.cloud.histogram import Buckets
from bot.sandbox.cloud.metric_types import Value


@dataclass(frozen=True, slots=True)
class Point:
    """A value over `start` to `end`, seconds since the epoch; equal for a gauge."""

    start: float
    end: float
    value: Value


@dataclass(kw_only=True)
class Series:
    """One time series. `labels` are keyed as in filters: ``resource.labels.x``, ``metric.labels.y``."""

    labels: dict[str, str]
    kind: int
    value: int
    buckets: Buckets | None
    points: list[Point] = field(default_factory=list)
