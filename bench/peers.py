"""The rules our decisions are measured against: the guide's, taken literally, and those of three peers.

Each is our own few lines for a published rule, run on the same counts as ours. Source of the rules and
their traps: reference/cloud-run-and-canary.md, "Peers". Every peer is given the request log, some ten
seconds old, as if it had a fast Prometheus; the guide's reader looks at Cloud Monitoring.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from bench.traffic import Series, Shares
from bot.domain.detection import Counts, StreakVerdict, streak_fed

#: The guide's red line, which every rule here uses: more than 1 % errors, less than 99 % success.
LINE = 0.01


@dataclass(frozen=True, kw_only=True)
class Window:
    """What the canary answered in one window, and when that can be known; seconds since the watch began."""

    known_at: float
    requests: int
    bad: int

    @property
    def is_bad(self) -> bool:
        """Whether its error rate is above the line; without requests it has none."""
        return bool(self.requests) and self.bad / self.requests > LINE


def windows(requests: Series, bad: Series, *, seconds: float, lags: Iterable[float]) -> Iterator[Window]:
    """Pair the sums over windows of `seconds` with how long after its end each is known."""
    sums = zip(requests.tolist(), bad.tolist(), lags, strict=False)
    for number, (count, failed, lag) in enumerate(sums, 1):
        yield Window(known_at=number * seconds + lag, requests=count, bad=failed)


def guide(readings: Iterable[Window], *, in_a_row: int = 3) -> float | None:
    """Return when the guide's rule fires: so many readings in a row with an error rate above 1 %."""
    streak = 0
    for reading in readings:
        counts = Counts(requests=reading.requests, bad=reading.bad)
        streak, verdict = streak_fed(streak, counts, line=LINE, readings=in_a_row)
        if verdict is StreakVerdict.FIRE:
            return reading.known_at
    return None


def flagger(checks: Iterable[Window], *, threshold: int, interval_seconds: float = 60.0) -> float | None:
    """Return when Flagger rolls back: one interval after `threshold` failed checks in all.

    A check without values fails, a passed one forgives nothing, and the number of failed checks is looked
    at when the next check begins.
    """
    failed = 0
    for check in checks:
        failed += check.is_bad or not check.requests
        if failed >= threshold:
            return check.known_at + interval_seconds
    return None


def argo_rollouts(measurements: Iterable[Window], *, failure_limit: int = 3) -> float | None:
    """Return when Argo Rollouts aborts: with more than `failure_limit` failed measurements in all.

    A measurement without values is an error there, which has a limit of its own; it is passed over here.
    """
    failed = 0
    for measurement in measurements:
        failed += measurement.is_bad
        if failed > failure_limit:
            return measurement.known_at
    return None


#: Kayenta's own defaults: how sure the interval is, and which share of the difference it must exceed.
KAYENTA_CONFIDENCE, KAYENTA_TOLERANCE = 0.98, 0.25


def kayenta(
    canary: Iterable[Window],
    stable: Iterable[Window],
    *,
    every: int = 5,
    minutes: int | None = None,
) -> float | None:
    """Return when Kayenta's judge fails the canary, asked after `every` minutes about all minutes so far.

    Args:
        canary: the canary's error rate, minute by minute; minutes without requests are left out.
        stable: stable's, of the same minutes.
        every: minutes between two judgements.
        minutes: judge only so many; None: all.
    """
    rates: list[float] = []
    baseline: list[float] = []
    for number, (one, other) in enumerate(zip(canary, stable, strict=False), 1):
        if minutes is not None and number > minutes:
            break
        rates += _rate(one)
        baseline += _rate(other)
        if number % every == 0 and rates and baseline and is_higher(np.array(rates), np.array(baseline)):
            return one.known_at
    return None


def is_higher(experiment: Shares, control: Shares) -> bool:
    """Tell whether Kayenta classes the metric as "High": by Mann and Whitney's test, turned to an interval.

    The interval for the shift between both lies wholly above a quarter of the estimated shift. Estimate and
    limits are order statistics of all pairwise differences (Hodges and Lehmann), by the normal approximation.
    """
    differences = np.sort(np.subtract.outer(experiment, control).ravel())
    pairs = len(differences)
    spread = (pairs * (len(experiment) + len(control) + 1) / 12) ** 0.5
    certain = NormalDist().inv_cdf((1 + KAYENTA_CONFIDENCE) / 2)
    rank = int(np.floor(pairs / 2 - certain * spread))
    if rank < 1:  # Too few values to be that sure of anything.
        return False
    tolerated = KAYENTA_TOLERANCE * abs(float(np.median(differences)))
    return float(differences[rank - 1]) > tolerated


def _rate(minute: Window) -> list[float]:
    return [minute.bad / minute.requests] if minute.requests else []
