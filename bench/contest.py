"""Every rule on the same simulated deployments: when each fires after a trouble began, or falsely."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import partial

import numpy as np

from bench.decisions import (
    CLOSED_AFTER_SECONDS,
    MINUTE_LAG_SECONDS,
    SENT_AFTER_SECONDS,
    decide,
    from_log,
    from_monitoring,
    from_probe,
    together,
)
from bench.peers import Window, argo_rollouts, flagger, guide, kayenta, windows
from bench.traffic import (
    BUCKET_SECONDS,
    DAY_SECONDS,
    Deployment,
    Series,
    Setting,
    Trouble,
    deployment,
    summed,
)
from bot.domain.playbook import Playbook

#: A trouble begins after about an hour (a random moment of the minute and more), and is followed for so long.
WELL_SECONDS, ONSET_WITHIN_SECONDS, FOLLOWED_SECONDS = 3600, 300, 5400
#: Our own state is warm after so long; judging the whole hour before changes nothing.
WARM_UP_SECONDS = 900


class Rule(StrEnum):
    """Whose rule, and how often it looks."""

    GUIDE = "the guide, literally: every 5 min, three in a row"
    GUIDE_60 = "the guide's rule on 60 s of the log"
    GUIDE_30 = "the guide's rule on 30 s of the log"
    FLAGGER_5 = "Flagger, 1 min, threshold 5"
    FLAGGER_10 = "Flagger, 1 min, threshold 10"
    ARGO = "Argo Rollouts, 5 min, failureLimit 3"
    KAYENTA = "Kayenta, every 5 min, growing window"
    MONITORING_ALONE = "ours, from Cloud Monitoring alone: recommended"
    RECOMMENDED = "ours: recommended in the channel"
    ANNOUNCED = "ours: automatic rollback announced"
    IN_VAIN = "ours: announced, and called off as it came to nothing"
    ACTED = "ours: automatic rollback sent, without any Stop button"
    SENT = "ours: automatic rollback sent after 10 s of Stop button"


#: Of a whole day Kayenta would compare millions of pairs every five minutes; the study left it out as well.
NOT_FOR_A_DAY = frozenset({Rule.KAYENTA, Rule.MONITORING_ALONE})


@dataclass(frozen=True, kw_only=True)
class Case:
    """What is simulated: `number` makes it one of many, always the same one for the same `seed`.

    Without `blips` the true error rate never exceeds 0.5 %, see `bench.traffic`.
    """

    setting: Setting
    trouble: Trouble
    seed: int
    number: int
    blips: bool = True

    def chance(self) -> np.random.Generator:
        """Return the case's own random numbers."""
        traffic = (round(self.setting.per_second * 100), round(self.setting.share * 1000))
        kind = (list(Trouble).index(self.trouble), int(self.blips))
        return np.random.default_rng([self.seed, *traffic, *kind, self.number])


#: When each rule fired, seconds: after the onset, or since the watch began in a healthy deployment.
Fired = Mapping[Rule, float | None]


def contest(case: Case, playbook: Playbook) -> Fired:
    """Simulate one deployment and return when each rule fires; None: it does not.

    What fired before the trouble began was false; it is negative then.
    """
    chance = case.chance()
    if case.trouble is Trouble.NONE:
        healthy = deployment(case.setting, chance, seconds=DAY_SECONDS, blips=case.blips)
        return {rule: when() for rule, when in _rules(healthy, chance, playbook) if rule not in NOT_FOR_A_DAY}
    onset = WELL_SECONDS + chance.uniform(0, ONSET_WITHIN_SECONDS)
    troubled = deployment(
        case.setting,
        chance,
        seconds=WELL_SECONDS + FOLLOWED_SECONDS,
        trouble=case.trouble,
        onset=onset,
    )
    fired = {rule: when() for rule, when in _rules(troubled, chance, playbook)}
    return {rule: None if at is None else at - onset for rule, at in fired.items()}


def _rules(
    one: Deployment, chance: np.random.Generator, playbook: Playbook
) -> Iterator[tuple[Rule, Callable[[], float | None]]]:
    yield Rule.GUIDE, lambda: guide(_read(one, 300, lags=_minute_lags(one, 300, chance)))
    lags = partial(_log_lags, chance)
    yield Rule.GUIDE_60, lambda: guide(_read(one, 60, lags=lags()))
    yield Rule.GUIDE_30, lambda: guide(_read(one, 30, lags=lags()))
    yield Rule.FLAGGER_5, lambda: flagger(_read(one, 60, lags=lags()), threshold=5)
    yield Rule.FLAGGER_10, lambda: flagger(_read(one, 60, lags=lags()), threshold=10)
    yield Rule.ARGO, lambda: argo_rollouts(_read(one, 300, lags=lags()), failure_limit=3)
    yield Rule.KAYENTA, lambda: kayenta(_read(one, 60, lags=lags()), _read(one, 60, lags=lags(), stable=True))
    since = max(0.0, one.onset - WARM_UP_SECONDS) if one.onset is not None else 0.0
    yield Rule.MONITORING_ALONE, lambda: _recommended(one, chance, playbook, since)
    seen = together(from_log(one, chance, since=since), from_probe(one, chance, since=since))
    ours = decide(seen, playbook, until_acted=one.onset is not None)
    yield Rule.RECOMMENDED, lambda: _sent(ours.recommended_at)
    yield Rule.ANNOUNCED, lambda: _sent(ours.announced_at)
    yield Rule.IN_VAIN, lambda: _sent(ours.in_vain_at)
    yield Rule.ACTED, lambda: _sent(ours.acted_at)
    yield Rule.SENT, lambda: _sent(ours.sent_at)


def _recommended(
    one: Deployment, chance: np.random.Generator, playbook: Playbook, since: float
) -> float | None:
    minutes = from_monitoring(one, chance, since=since)
    return _sent(decide(minutes, playbook, until_acted=True).recommended_at)


def _sent(decided_at: float | None) -> float | None:
    return None if decided_at is None else decided_at + SENT_AFTER_SECONDS


def _read(one: Deployment, seconds: int, *, lags: Iterator[float], stable: bool = False) -> Iterator[Window]:
    requests, bad = (one.stable_requests, one.stable_bad) if stable else (one.requests, one.bad)
    return windows(_of(requests, seconds), _of(bad, seconds), seconds=seconds, lags=lags)


def _of(series: Series, seconds: int) -> Series:
    return summed(series, seconds // BUCKET_SECONDS)


def _log_lags(chance: np.random.Generator) -> Iterator[float]:
    while True:
        yield chance.uniform(*CLOSED_AFTER_SECONDS)


def _minute_lags(one: Deployment, seconds: int, chance: np.random.Generator) -> Iterator[float]:
    lags: list[float] = chance.uniform(*MINUTE_LAG_SECONDS, one.seconds // seconds).tolist()
    return iter(lags)
