"""The measurements of each revision, sample by sample, for an hour."""

import time
from collections import deque
from dataclasses import dataclass, field

from bot.sandbox.cloud.behaviour import Behaviour
from bot.sandbox.cloud.histogram import Histogram, latency_buckets, utilization_buckets
from bot.sandbox.cloud.ledger import LineWritten, RequestSeen

KEPT_SECONDS = 3600.0

#: (service, revision)
Owner = tuple[str, str]


@dataclass(slots=True, kw_only=True)
class Sample:
    """What one revision did between `start` and `end` (seconds since the epoch).

    `latencies` holds the answered requests by response code, milliseconds. `memory` and `cpu` are
    ratios of an instance's limit, 0 to 1. `instances` is the last count by state.
    """

    start: float
    end: float
    latencies: dict[int, Histogram] = field(default_factory=dict)
    memory: Histogram = field(default_factory=lambda: Histogram(utilization_buckets()))
    cpu: Histogram = field(default_factory=lambda: Histogram(utilization_buckets()))
    instances: dict[str, int] = field(default_factory=dict)

    def count_request(self, status: int, latency_ms: float, times: int = 1) -> None:
        """Count answered requests."""
        if status not in self.latencies:
            self.latencies[status] = Histogram(latency_buckets())
        self.latencies[status].add(latency_ms, times)


class Samples:
    """Samples by revision, oldest first; the newest is still being filled."""

    def __init__(self, behaviour: Behaviour) -> None:
        self._behaviour = behaviour
        self._kept: dict[Owner, deque[Sample]] = {}

    def clear(self) -> None:
        """Forget everything."""
        self._kept.clear()

    def saw_request(self, seen: RequestSeen) -> None:
        """Count a request that reached a container, at the moment it ended."""
        if seen.reached:
            sample = self.current((seen.service, seen.revision))
            # request_latencies leaves out what it took to start a container; the log does not.
            sample.count_request(seen.status, seen.latency_ms - seen.startup_ms)

    def saw_line(self, line: LineWritten) -> None:
        """Lines are not measured."""

    def current(self, owner: Owner) -> Sample:
        """Return the sample that is being filled now."""
        now = time.time()
        kept = self._kept.setdefault(owner, deque())
        if not kept or kept[-1].end <= now:
            length = self._behaviour.sample_seconds
            start = now // length * length
            if kept:
                start = max(start, kept[-1].end)
            kept.append(Sample(start=start, end=start + length))
            while kept[0].end < now - KEPT_SECONDS:
                kept.popleft()
        return kept[-1]

    def add_history(self, owner: Owner, samples: list[Sample]) -> None:
        """Put finished samples, oldest first, where there are none yet."""
        self._kept[owner] = deque(samples)

    def owners(self) -> list[Owner]:
        """Return every revision with samples."""
        return list(self._kept)

    def finished(self, owner: Owner, *, since: float, until: float) -> list[Sample]:
        """Return the samples that ended after `since` and up to `until`, oldest first."""
        found = []
        for sample in reversed(self._kept.get(owner, ())):
            if sample.end <= since:
                break
            if sample.end <= until:
                found.append(sample)
        return found[::-1]
