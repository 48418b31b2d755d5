"""The early trigger: a score that fills only with errors beyond the guide's red line.

"The canary has produced *h* more errors than a 1 % error rate allows, built up over at least 90 seconds,
and stable is not seeing the same." Beside it what a score cannot see (a canary that answers nothing, or
gets nothing to answer) and the guide's own rule, bad readings in a row. Everything here is arithmetic on
counts: no clock, no I/O, O(1) a bucket. Source of definitions, numbers and bounds: reference/detection.md.
"""

import math
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache

#: A verdict of "warning" needs at least so long to fill from nothing, one of "trigger" so long; seconds.
WARNING_FILL_SECONDS, TRIGGER_FILL_SECONDS = 30.0, 90.0

#: This share of the height may be filled by one burst; the rest is let in over the fill time.
BURST_SHARE = 1 / 3

#: The canary must be so many times as bad as stable, and chance may explain it with at most this probability.
WORSE_THAN_STABLE, CHANCE = 1.5, 0.01

#: Down: so many failures in a row, nothing good between, over so long, while at most this share of
#: stable's requests fail. Silence: so many requests that should have come and did not, over as long.
OUTAGE_FAILURES, OUTAGE_SECONDS, STABLE_FAILS_AT_MOST = 10, 30.0, 0.5
SILENT_REQUESTS, SILENT_SECONDS = 20.0, 30.0

#: Sums of decimal fractions are off by less than this.
_ROUNDING = 1e-9


class ScoreVerdict(StrEnum):
    """What the score says of one bucket."""

    OK = "ok"
    RISING = "rising"
    FIRE = "fire"
    #: Full, but stable is about as bad: not the canary's fault.
    SHARED = "shared"
    #: Full, but stable has no traffic to compare with: recommend, never act.
    NO_BASELINE = "no_baseline"


@dataclass(frozen=True, kw_only=True)
class Counts:
    """One bucket's counts: requests and bad ones of the canary and of stable."""

    requests: int = 0
    bad: int = 0
    stable_requests: int = 0
    stable_bad: int = 0


@dataclass(frozen=True, kw_only=True)
class Excess:
    """How full the score is, and the counts since it began to fill. `allowance` is None at first."""

    level: float = 0.0
    allowance: float | None = None
    requests: int = 0
    bad: int = 0
    stable_requests: int = 0
    stable_bad: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Run:
    """Failures in a row with nothing good between, or requests that should have come and did not."""

    count: float = 0
    seconds: float = 0.0
    stable_requests: int = 0
    stable_bad: int = 0


class StreakVerdict(StrEnum):
    """What the guide's rule says of one reading."""

    OK = "ok"
    #: Too few requests: the reading counts neither for nor against the canary.
    INSUFFICIENT = "insufficient"
    BAD = "bad"
    FIRE = "fire"


@lru_cache(maxsize=64)
def lundberg_root(healthy_ratio: float, line: float) -> float:
    """Return the theta > 0 at which one healthy request multiplies ``e^(theta * level)`` by 1 on average.

    It solves ``p e^(theta (1 - k)) + (1 - p) e^(-theta k) = 1``; the score's level falls off at this rate.

    Raises:
        ValueError: unless 0 < `healthy_ratio` < `line` < 1.
    """
    if not 0 < healthy_ratio < line < 1:
        raise ValueError(f"a healthy ratio of {healthy_ratio} must lie above 0 and below the line, {line}")

    def drift(theta: float) -> float:
        # expm1, as the two terms nearly cancel where theta is small.
        up, down = math.expm1(theta * (1 - line)), math.expm1(-theta * line)
        return healthy_ratio * up + (1 - healthy_ratio) * down

    # Below 0 just right of 0, and above it where the first term alone exceeds 1: one root between.
    low, high = 0.0, (math.log(1 / healthy_ratio) + 1) / (1 - line)
    while (middle := (low + high) / 2) not in (low, high):
        low, high = (middle, high) if drift(middle) < 0 else (low, middle)
    return middle


def height(*, requests: float, risk: float, healthy_ratio: float, line: float) -> float:
    """Return how full the score must be, so that a healthy canary fills it with at most probability `risk`.

    Args:
        requests: the canary's requests in the whole deployment; fewer than one count as one.
        risk: accepted probability of one false alarm in that deployment, such as 0.0005.
        healthy_ratio: share of bad requests that still counts as healthy, 0 to 1, below `line`.
        line: share above which the score fills, 0 to 1.

    Raises:
        ValueError: unless 0 < `healthy_ratio` < `line` < 1 and 0 < `risk` < 1.
    """
    if not 0 < risk < 1:
        raise ValueError(f"a risk is a probability, not {risk}")
    theta = lundberg_root(healthy_ratio, line)
    starts = _overshoot(theta, healthy_ratio, line) * max(requests, 1.0)
    return math.log(max(1.0, starts / risk)) / theta


def false_alarm_bound(*, requests: float, height: float, healthy_ratio: float, line: float) -> float:
    """Return the bound on the probability that a healthy canary ever fills a score of `height`, at most 1."""
    theta = lundberg_root(healthy_ratio, line)
    return min(1.0, _overshoot(theta, healthy_ratio, line) * requests * math.exp(-theta * height))


def _overshoot(theta: float, healthy_ratio: float, line: float) -> float:
    """The factor c of the bound: every excursion begins with one bad request, a jump of 1 - line."""
    return healthy_ratio * math.exp(theta * (1 - line))


def at_least(bad: int, requests: int, ratio: float) -> float:
    """Return the probability that `bad` or more of `requests` are bad, each with probability `ratio`."""
    if bad <= 0 or ratio >= 1:
        return 1.0
    if bad > requests or ratio <= 0:
        return 0.0
    # A tail of the binomial is a regularized incomplete beta function: in logarithms it neither
    # underflows nor takes a sum over tens of thousands of terms.
    return _incomplete_beta(bad, requests - bad + 1, ratio)


def _incomplete_beta(a: float, b: float, x: float) -> float:
    """The regularized incomplete beta function I_x(a, b), 0 < x < 1, by its continued fraction."""
    if x > (a + 1) / (a + b + 2):  # Beyond here only the mirrored fraction converges fast.
        return 1.0 - _incomplete_beta(b, a, 1 - x)
    log_factor = (
        math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    ) - math.log(a)
    return min(1.0, math.exp(log_factor) * _beta_fraction(a, b, x))


def _beta_fraction(a: float, b: float, x: float) -> float:
    """The continued fraction of I_x(a, b), by Lentz's method; some sqrt(max(a, b)) steps at most."""
    tiny = 1e-300
    c, d = 1.0, 1.0 / _away_from_zero(1 - (a + b) * x / (a + 1), tiny)
    fraction = d
    for m in range(1, 10_000):
        for term in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1.0 / _away_from_zero(1 + term * d, tiny)
            c = _away_from_zero(1 + term / c, tiny)
            fraction *= c * d
        if abs(c * d - 1) < 1e-14:
            break
    return fraction


def _away_from_zero(value: float, tiny: float) -> float:
    return value if abs(value) > tiny else tiny


def fed(
    excess: Excess, counts: Counts, *, line: float, height: float, fill_seconds: float, seconds: float = 10.0
) -> tuple[Excess, ScoreVerdict]:
    """Return the score after one more bucket of `seconds`, and its verdict; an empty bucket counts too.

    Args:
        excess: the score so far.
        counts: what came in this bucket.
        line: share of bad requests above which the score rises, 0 to 1.
        height: where it is full, see the function of this name.
        fill_seconds: `WARNING_FILL_SECONDS` or `TRIGGER_FILL_SECONDS`.
        seconds: how long the bucket is.
    """
    most = max(1.0, height * BURST_SHARE)
    allowance = most if excess.allowance is None else excess.allowance
    allowance = min(most, allowance + (1 - BURST_SHARE) * height / fill_seconds * seconds)
    rise = min(counts.bad - line * counts.requests, allowance)
    level = min(height, excess.level + rise)
    if level <= _ROUNDING:
        return Excess(allowance=most), ScoreVerdict.OK
    grown = Excess(
        level=level,
        allowance=allowance - max(0.0, rise),
        requests=excess.requests + counts.requests,
        bad=excess.bad + counts.bad,
        stable_requests=excess.stable_requests + counts.stable_requests,
        stable_bad=excess.stable_bad + counts.stable_bad,
        seconds=excess.seconds + seconds,
    )
    return grown, _verdict(grown) if level >= height - _ROUNDING else ScoreVerdict.RISING


def _verdict(full: Excess) -> ScoreVerdict:
    if not full.stable_requests:
        return ScoreVerdict.NO_BASELINE
    return ScoreVerdict.FIRE if worse_than_stable(full) else ScoreVerdict.SHARED


def worse_than_stable(counts: Counts | Excess) -> bool:
    """Tell whether the canary is clearly worse than stable: chance is no explanation for so uneven a split.

    Were the canary just `WORSE_THAN_STABLE` times as bad, each bad request would be one of its own with
    the probability below. Without any request there is nothing to compare, and it is not.
    """
    weight = WORSE_THAN_STABLE * counts.requests
    if not weight:
        return False
    ratio = weight / (weight + counts.stable_requests)
    return at_least(counts.bad, counts.bad + counts.stable_bad, ratio) <= CHANCE


def outage_fed(run: Run, counts: Counts, seconds: float) -> tuple[Run, bool]:
    """Return the run of failures after one more bucket, and whether it is an outage of the canary alone.

    One good answer ends the run; a bucket without requests does not. The first bucket's own length does
    not count, as its failures may all have come at its end. Without stable traffic it is never an outage:
    there is nothing that tells it from one of everything.
    """
    if counts.bad < counts.requests:
        return Run(), False
    if not run.count and not counts.bad:
        return run, False
    grown = Run(
        count=run.count + counts.bad,
        seconds=run.seconds + seconds if run.count else 0.0,
        stable_requests=run.stable_requests + counts.stable_requests,
        stable_bad=run.stable_bad + counts.stable_bad,
    )
    stable_answers = grown.stable_bad <= STABLE_FAILS_AT_MOST * grown.stable_requests
    fires = grown.count >= OUTAGE_FAILURES and grown.seconds >= OUTAGE_SECONDS - _ROUNDING
    return grown, fires and stable_answers and grown.stable_requests > 0


def silence_fed(run: Run, counts: Counts, share: float, seconds: float) -> tuple[Run, bool]:
    """Return the requests missed so far after one more bucket, and whether that is silence worth a probe.

    Args:
        run: what was missed so far; any request of the canary ends it.
        counts: what came in this bucket.
        share: the canary's share of the traffic, 0 to 1; at 0 and at 1 nothing is expected of it, as
            stable's traffic implies nothing then.
        seconds: how long the bucket is.
    """
    if counts.requests or not 0 < share < 1:
        return Run(), False
    grown = replace(
        run,
        count=run.count + counts.stable_requests * share / (1 - share),
        seconds=run.seconds + seconds,
        stable_requests=run.stable_requests + counts.stable_requests,
        stable_bad=run.stable_bad + counts.stable_bad,
    )
    missed = grown.count >= SILENT_REQUESTS - _ROUNDING
    return grown, missed and grown.seconds >= SILENT_SECONDS - _ROUNDING


def streak_fed(
    in_a_row: int, counts: Counts, *, line: float, readings: int = 3, min_requests: int = 0, min_bad: int = 0
) -> tuple[int, StreakVerdict]:
    """Return how many bad readings in a row there are after one more, and the guide's verdict on it.

    A reading with fewer than `min_requests` requests leaves the row as it is. A bad one has a share of bad
    requests above `line` (on it is not above it) and at least `min_bad` of them.
    """
    if counts.requests < max(1, min_requests):
        return in_a_row, StreakVerdict.INSUFFICIENT
    # Divided, not multiplied: 7 of 700 is exactly the float 0.01, and 0.01 * 700 is not exactly 7.
    if counts.bad / counts.requests <= line or counts.bad < min_bad:
        return 0, StreakVerdict.OK
    return in_a_row + 1, StreakVerdict.FIRE if in_a_row + 1 >= readings else StreakVerdict.BAD
