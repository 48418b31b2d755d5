"""How long the canary service takes to answer: one model for live requests and for made-up history."""

import random
from dataclasses import dataclass

#: The guide's scenario 2: P95 from 150 ms to 800 ms.
SLOW_FACTOR = 800 / 150


@dataclass(frozen=True, kw_only=True)
class LatencyModel:
    """Nine requests in ten take `fast_ms` to `usual_ms`, one in ten `usual_ms` to `slowest_ms`, evenly.

    P95 is the middle of the last range. The range ends, so that a healthy service has no outlier
    that would make a small sample look ill.
    """

    fast_ms: float
    usual_ms: float
    slowest_ms: float

    def draw(self, rng: random.Random) -> float:
        """Return the latency of one request, milliseconds."""
        if rng.random() < 0.9:
            return rng.uniform(self.fast_ms, self.usual_ms)
        return rng.uniform(self.usual_ms, self.slowest_ms)

    def share_below(self, latency_ms: float) -> float:
        """Return the share of requests faster than `latency_ms`, 0 to 1."""
        usual = _share(latency_ms, self.fast_ms, self.usual_ms)
        slow = _share(latency_ms, self.usual_ms, self.slowest_ms)
        return 0.9 * usual + 0.1 * slow


#: The application: 40 to 120 ms, P95 150 ms.
APPLICATION = LatencyModel(fast_ms=40, usual_ms=120, slowest_ms=180)
#: The router's own work, before it asks the service it chose.
ROUTER = LatencyModel(fast_ms=1, usual_ms=3, slowest_ms=6)


def _share(value: float, low: float, high: float) -> float:
    return min(max((value - low) / (high - low), 0.0), 1.0)
