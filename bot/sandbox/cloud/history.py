"""The hour before the sandbox began: healthy, made by the same model as the live traffic."""

import random
import time
from itertools import pairwise

from bot.sandbox.cloud.behaviour import Behaviour
from bot.sandbox.cloud.histogram import latency_buckets
from bot.sandbox.cloud.initial_world import CANARY_AGE, FirstService
from bot.sandbox.cloud.latency import APPLICATION
from bot.sandbox.cloud.limits import limits_of
from bot.sandbox.cloud.meter import measure
from bot.sandbox.cloud.resources import new_template
from bot.sandbox.cloud.samples import KEPT_SECONDS, Sample, Samples
from bot.sandbox.cloud.strips import Strips

#: What every first revision may use.
_FIRST_LIMITS = limits_of(new_template("first", {}))
MINUTE = 60.0
_MEASUREMENTS_A_MINUTE = 4


class History:
    """Fills `samples` with the last hour of every first revision, by the minute, and `strips` from them."""

    def __init__(self, samples: Samples, *, strips: Strips, behaviour: Behaviour, rng: random.Random) -> None:
        self._samples = samples
        self._strips = strips
        self._behaviour = behaviour
        self._rng = rng

    def fill(self, first: FirstService, *, requests_per_second: float) -> None:
        """Write the hour of one service; `requests_per_second` is the load at its entrance."""
        length = self._behaviour.sample_seconds
        end = time.time() // length * length
        split = {line.revision: line.percent / 100 for line in first.traffic if line.revision}
        for revision in first.revisions:
            rate = requests_per_second * first.share * split.get(revision.name, 1.0)
            minutes = int(min(revision.age.total_seconds(), KEPT_SECONDS) // MINUTE)
            ends = [end - MINUTE * k for k in range(minutes)][::-1]
            owner = (first.name, revision.name)
            hour = [
                self._minute(first, rate / self._before(first, revision.name, at, end), at) for at in ends
            ]
            self._samples.add_history(owner, hour)
            self._strips.remember(owner, hour)

    @staticmethod
    def _before(first: FirstService, revision: str, at: float, end: float) -> float:
        """Return the share of a revision's later traffic that it had then: all of it, ahead of the canary."""
        stable = first.revisions[0].name
        if len(first.revisions) == 1 or revision != stable or at > end - CANARY_AGE.total_seconds():
            return 1.0
        return float(next(line.percent for line in first.traffic if line.revision == stable)) / 100

    def _minute(self, first: FirstService, rate: float, end: float) -> Sample:
        sample = Sample(start=end - MINUTE, end=end)
        requests = round(rate * MINUTE * self._rng.uniform(0.97, 1.03))
        for low, high, share in _buckets(extra_ms=_HOP_MS[first.role]):
            expected = requests * share
            count = int(expected) + (self._rng.random() < expected % 1)
            if count:
                sample.count_request(200, (low + high) / 2, count)
        for _ in range(_MEASUREMENTS_A_MINUTE):
            measure(sample, rate, in_flight=rate * 0.08, limits=_FIRST_LIMITS, rng=self._rng)
        return sample


#: What the way to the container adds; behind the router it is longer.
_HOP_MS = {"revisions": 2.0, "stable": 2.0, "canary": 2.0, "router": 7.0}


def _buckets(*, extra_ms: float) -> list[tuple[float, float, float]]:
    """Return (low, high, share of requests) for every latency bucket the application reaches."""
    bounds = latency_buckets().bounds
    shares = []
    for low, high in pairwise(bounds):
        share = APPLICATION.share_below(high - extra_ms) - APPLICATION.share_below(low - extra_ms)
        if share > 0:
            shares.append((low, high, share))
    return shares
