"""Simulated deployments: what canary and stable answer in each bucket of ten seconds, healthy or not.

The model is that of reference/detection.md: a healthy error rate of 0.2 % with a daily rhythm,
overdispersion, and short blips that also hit stable. How strong each of these is, is written here once.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

BUCKET_SECONDS = 10
DAY_SECONDS = 86_400

#: The healthy share of bad requests, on average over a day.
HEALTHY_RATIO = 0.002
#: The highest share that counts as healthy: the guide's yellow line, which the bound is stated for.
STILL_HEALTHY = 0.005
#: By so much traffic and error rate swing over a day, each with a phase of its own; a share of the average.
TRAFFIC_SWING, ERROR_SWING = 0.5, 0.3
#: The error rate wanders, alike on both sides: standard deviation of its logarithm, and how long it lasts.
WANDER, WANDER_SECONDS = 0.4, 1800.0
#: Within one bucket each side's own error rate is gamma-distributed around it: the smaller, the wilder.
BUCKET_SHAPE = 3.0
#: Blips a day, how long they last (uniform, seconds), and which share of all requests fails (log-uniform).
BLIPS_A_DAY, BLIP_SECONDS, BLIP_RATIOS = 6.0, (5.0, 40.0), (0.02, 0.3)
#: This share of the blips is the canary's own, such as an instance that starts; the others hit stable too.
OWN_BLIPS = 0.25

Series: TypeAlias = NDArray[np.int64]
Shares: TypeAlias = NDArray[np.float64]


class Trouble(StrEnum):
    """What goes wrong with the canary."""

    NONE = "healthy"
    ERRORS_5 = "5 % errors"
    ERRORS_2 = "2 % errors"
    DOWN = "down"

    @property
    def ratio(self) -> float:
        """Share of the canary's requests that fail because of it, 0 to 1."""
        return {"5 % errors": 0.05, "2 % errors": 0.02, "down": 1.0}.get(self.value, 0.0)


@dataclass(frozen=True, kw_only=True)
class Setting:
    """How much traffic a service has: requests a second in all, and the canary's share of them, 0 to 1."""

    per_second: float
    share: float

    @property
    def canary_per_second(self) -> float:
        """Requests a second that reach the canary."""
        return self.per_second * self.share

    def __str__(self) -> str:
        return (
            f"{self.per_second:g} requests/s, canary {self.share:.0%} ({self.canary_per_second:g} a second)"
        )


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """One deployment, bucket by bucket. The trouble begins at `onset`, seconds; None in a healthy one."""

    setting: Setting
    requests: Series
    bad: Series
    stable_requests: Series
    stable_bad: Series
    onset: float | None = None
    trouble: Trouble = Trouble.NONE

    @property
    def seconds(self) -> int:
        """How long it is."""
        return len(self.requests) * BUCKET_SECONDS


def deployment(
    setting: Setting,
    chance: np.random.Generator,
    *,
    seconds: int,
    trouble: Trouble = Trouble.NONE,
    onset: float | None = None,
    blips: bool = True,
) -> Deployment:
    """Return a deployment of `seconds`, begun at a random time of the day.

    Without `blips` the true error rate of both sides stays below the healthy limit of 0.5 % all the time,
    which is what the bound on false alarms is stated for.
    """
    count = seconds // BUCKET_SECONDS
    starts = chance.uniform(0, DAY_SECONDS)
    clock: Shares = (starts + np.arange(count) * BUCKET_SECONDS).astype(np.float64)
    busy = _rhythm(clock, TRAFFIC_SWING, chance) * setting.per_second * BUCKET_SECONDS
    healthy = _wandering(clock, chance)
    requests = chance.poisson(busy * setting.share)
    stable_requests = chance.poisson(busy * (1 - setting.share))
    if blips:
        shared = np.maximum(healthy, _blips(count, BLIPS_A_DAY * (1 - OWN_BLIPS), chance))
        own = np.maximum(shared, _blips(count, BLIPS_A_DAY * OWN_BLIPS, chance))
        canary_ratio, stable_ratio = _ragged(own, chance), _ragged(shared, chance)
    else:
        canary_ratio = stable_ratio = np.minimum(healthy, STILL_HEALTHY)
    if onset is not None:
        canary_ratio = canary_ratio + (1 - canary_ratio) * trouble.ratio * _share_after(onset, count)
    return Deployment(
        setting=setting,
        requests=requests,
        bad=chance.binomial(requests, canary_ratio),
        stable_requests=stable_requests,
        stable_bad=chance.binomial(stable_requests, stable_ratio),
        onset=onset,
        trouble=trouble,
    )


def summed(series: Series, buckets: int) -> Series:
    """Return the sums over whole windows of so many buckets; what is left over at the end is left out."""
    whole = len(series) // buckets * buckets
    sums: Series = series[:whole].reshape(-1, buckets).sum(axis=1)
    return sums


def _rhythm(clock: Shares, swing: float, chance: np.random.Generator) -> Shares:
    return 1 + swing * np.sin(2 * np.pi * (clock / DAY_SECONDS + chance.uniform()))


def _wandering(clock: Shares, chance: np.random.Generator) -> Shares:
    """The healthy error rate: around 0.2 %, by the time of the day, and wandering slowly."""
    keeps = np.exp(-BUCKET_SECONDS / WANDER_SECONDS)
    steps = chance.normal(size=len(clock)) * np.sqrt(1 - keeps**2)
    wander, level = np.empty(len(clock)), chance.normal()
    for number, step in enumerate(steps.tolist()):
        level = keeps * level + step
        wander[number] = level
    # The mean of a log-normal lies above its median by this much.
    return HEALTHY_RATIO * _rhythm(clock, ERROR_SWING, chance) * np.exp(WANDER * wander - WANDER**2 / 2)


def _blips(count: int, a_day: float, chance: np.random.Generator) -> Shares:
    """The share of requests that fail in blips; 0 outside of them."""
    ratio = np.zeros(count)
    for _ in range(chance.poisson(a_day * count * BUCKET_SECONDS / DAY_SECONDS)):
        begins, lasts = chance.uniform(0, count * BUCKET_SECONDS), chance.uniform(*BLIP_SECONDS)
        strength = np.exp(chance.uniform(*np.log(BLIP_RATIOS)))
        share = _share_after(begins, count) - _share_after(begins + lasts, count)
        ratio = np.maximum(ratio, strength * share)
    return ratio


def _share_after(moment: float, count: int) -> Shares:
    """Of each bucket the share that lies after `moment`."""
    return np.clip(np.arange(1, count + 1) - moment / BUCKET_SECONDS, 0, 1)


def _ragged(ratio: Shares, chance: np.random.Generator) -> Shares:
    return np.minimum(ratio * chance.gamma(BUCKET_SHAPE, 1 / BUCKET_SHAPE, len(ratio)), 1.0)
