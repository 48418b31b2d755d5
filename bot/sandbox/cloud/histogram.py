"""Histograms as Cloud Monitoring keeps them: counts in fixed buckets, merged by adding."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from google.api import distribution_pb2


@dataclass(frozen=True)
class Buckets:
    """Where buckets begin and end: `bounds` are the edges between them, ascending.

    Bucket 0 lies below the first bound, the last one above the last.
    """

    kind: str
    bounds: tuple[float, ...]
    growth_factor: float = 0.0
    width: float = 0.0

    def index(self, value: float) -> int:
        """Return the bucket of `value`; a value on an edge belongs above it."""
        low, high = 0, len(self.bounds)
        while low < high:
            middle = (low + high) // 2
            if self.bounds[middle] <= value:
                low = middle + 1
            else:
                high = middle
        return low

    def edges(self, index: int) -> tuple[float, float]:
        """Return where a bucket begins and ends; the two open ones end at their only bound."""
        low = self.bounds[index - 1] if index > 0 else 0.0
        high = self.bounds[index] if index < len(self.bounds) else low
        return low, high

    def options(self) -> Any:
        """Return the bucket options as a protocol message."""
        options = distribution_pb2.Distribution.BucketOptions()
        if self.kind == "exponential":
            options.exponential_buckets.num_finite_buckets = len(self.bounds) - 1
            options.exponential_buckets.growth_factor = self.growth_factor
            options.exponential_buckets.scale = 1.0
        else:
            options.linear_buckets.num_finite_buckets = len(self.bounds) - 1
            options.linear_buckets.width = self.width
        return options


@cache
def latency_buckets() -> Buckets:
    """Milliseconds, each bucket a tenth wider than the one before, from 1 ms to about 3 minutes."""
    return Buckets("exponential", tuple(1.1**i for i in range(128)), growth_factor=1.1)


@cache
def utilization_buckets() -> Buckets:
    """Ratios from 0 to 1 in hundredths."""
    return Buckets("linear", tuple(i / 100 for i in range(101)), width=0.01)


@dataclass(slots=True)
class Histogram:
    """Counts by bucket, and the sum of all values for the mean."""

    buckets: Buckets
    counts: Counter[int] = field(default_factory=Counter)
    total: float = 0.0

    @property
    def count(self) -> int:
        """How many values there are."""
        return self.counts.total()

    def add(self, value: float, times: int = 1) -> None:
        """Count `value`, `times` over."""
        self.counts[self.buckets.index(value)] += times
        self.total += value * times

    def part(self, begin: float, end: float) -> "Histogram":
        """Return what fell between `begin` and `end` (0 to 1 of its time), as if values came evenly.

        Whole numbers: the parts of a histogram cut into pieces add up to it again.
        """
        counts = Counter({i: int(n * end) - int(n * begin) for i, n in self.counts.items()})
        kept = counts.total()
        total = self.total * kept / self.count if self.count else 0.0
        return Histogram(self.buckets, +counts, total)

    def percentile(self, percent: float) -> float | None:
        """Return the percentile, interpolated inside its bucket; None without values."""
        wanted = self.count * percent / 100
        seen = 0
        for index in sorted(self.counts):
            inside = self.counts[index]
            if inside and seen + inside >= wanted:
                low, high = self.buckets.edges(index)
                return low + (high - low) * (wanted - seen) / inside
            seen += inside
        return None

    def message(self) -> Any:
        """Return the histogram as a protocol message."""
        last = max((i for i, n in self.counts.items() if n), default=-1)
        return distribution_pb2.Distribution(
            count=self.count,
            mean=self.total / self.count if self.count else 0.0,
            bucket_options=self.buckets.options(),
            bucket_counts=[self.counts[i] for i in range(last + 1)],
        )


def merge(parts: Iterable[Histogram], buckets: Buckets) -> Histogram:
    """Return one histogram that holds every value of `parts`."""
    merged = Histogram(buckets)
    for part in parts:
        merged.counts.update(part.counts)
        merged.total += part.total
    return merged
