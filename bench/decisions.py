"""Our own decisions, as the watch would come to them: the real `judge`, fed in the real order and as late.

A bucket of the request log is closed once nothing more is expected, a minute of Cloud Monitoring is seen
when it is asked for, and the health address is asked as `bot.usecases.read_sources` asks it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from heapq import merge
from math import ceil

import numpy as np

from bench.traffic import BUCKET_SECONDS, Deployment, Series, Trouble, summed
from bot.domain.alert import FULL_WITHIN, STOP_SECONDS
from bot.domain.judge import Alarm, JudgeState, Level, judge
from bot.domain.judge_state import trigger_percent_of
from bot.domain.observation import Observation, Probed, Tally
from bot.domain.playbook import Playbook
from bot.domain.readings import Source
from bot.usecases.keep_time import LOOK_EVERY_SECONDS
from bot.usecases.read_sources import (
    FAILURES_OF_DOWN,
    MINUTES_EVERY,
    PROBE_AGAIN,
    PROBE_EVERY,
    PROBE_WITHIN_SECONDS,
)

#: Log entries come 2 to 10 s late, and a bucket is closed by how late they are at present. As in the study
#: each is closed at a random moment between, none before the one before it.
CLOSED_AFTER_SECONDS = (2.0, 10.0)
#: From a decision to its message or its call: one transaction and one request.
SENT_AFTER_SECONDS = 1.0
#: A minute of Cloud Monitoring becomes visible so long after its end; Google says "up to 180 s".
MINUTE_LAG_SECONDS = (60.0, 180.0)

REVISION = "canary"
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)

#: One observation and when it is judged, seconds since the watch began.
Seen = tuple[float, Observation]


@dataclass(frozen=True, kw_only=True)
class Decided:
    """When something was first recommended, announced, sure enough to act on, and sent, and every alarm.

    `announced_at` is the first announcement at all, `in_vain_at` the first that was called off, as it came to
    nothing. `acted_at` is as if nobody had time to stop it, `sent_at` after `STOP_SECONDS` in which people
    could. Seconds since the watch began, as judged; None: never.
    """

    recommended_at: float | None = None
    announced_at: float | None = None
    in_vain_at: float | None = None
    acted_at: float | None = None
    sent_at: float | None = None
    alarms: tuple[tuple[float, str, str], ...] = field(default=())


def decide(seen: Iterable[Seen], playbook: Playbook, *, until_acted: bool = False) -> Decided:
    """Judge everything that was seen, in order; with `until_acted` only until a rollback is due."""
    state, countdown = JudgeState(), _Countdown()
    recommended_at, acted_at = None, None
    alarms: list[tuple[float, str, str]] = []
    for at, observation in seen:
        countdown.look(state, at)
        judged = judge(state, observation, playbook)
        state = judged.state
        for alarm in judged.alarms:
            alarms.append((at, alarm.kind.value, alarm.level.value))
            countdown.hear(alarm, at)
            if recommended_at is None and alarm.level is not Level.TELL:
                recommended_at = at
            if acted_at is None and alarm.level is Level.ACT:
                acted_at = at
        if until_acted and acted_at is not None:
            break
    return Decided(
        recommended_at=recommended_at,
        announced_at=countdown.announced_at,
        in_vain_at=countdown.in_vain_at,
        acted_at=acted_at,
        sent_at=countdown.sent_at,
        alarms=tuple(alarms),
    )


class _Countdown:
    """What `bot.usecases.raise_alert` and `fire_alert` make of the alarms of an armed target in mode auto."""

    def __init__(self) -> None:
        self.announced_at: float | None = None
        self.in_vain_at: float | None = None
        self.sent_at: float | None = None
        #: What is announced and not sure yet, when its countdown is over, and whether it was looked at then.
        self._nearly: Alarm | None = None
        self._over_at = 0.0
        self._looked = False

    def look(self, state: JudgeState, at: float) -> None:
        """Look at what was announced, as the timers before `at` would have: `state` is what is known then."""
        if self._nearly is None or at <= self._over_at:
            return
        if not self._looked:
            self._looked = True
            if trigger_percent_of(self._nearly.kind, state) < self._nearly.facts["trigger_percent"]:
                self._call_off(self._over_at)
                return
        if at > self._over_at + FULL_WITHIN.total_seconds():
            self._call_off(self._over_at + FULL_WITHIN.total_seconds())

    def hear(self, alarm: Alarm, at: float) -> None:
        """Take in an alarm that was raised at `at`."""
        if self.sent_at is not None:
            return
        if alarm.level is Level.NEARLY and self._nearly is None:
            self._nearly, self._over_at, self._looked = alarm, at + STOP_SECONDS, False
            self.announced_at = at if self.announced_at is None else self.announced_at
        if alarm.level is Level.ACT:
            self.announced_at = at if self.announced_at is None else self.announced_at
            over_at = at + STOP_SECONDS if self._nearly is None else max(at, self._over_at)
            # A timer wakes the rollback, and may be late.
            self.sent_at = over_at + LOOK_EVERY_SECONDS

    def _call_off(self, at: float) -> None:
        self._nearly = None
        self.in_vain_at = at if self.in_vain_at is None else self.in_vain_at


def from_log(
    deployment: Deployment, chance: np.random.Generator | None = None, *, since: float = 0.0
) -> Iterator[Seen]:
    """Yield the request log's buckets from `since` on, each judged when it is closed.

    Without `chance` each is closed as late as any.
    """
    first, closed = int(since // BUCKET_SECONDS), 0.0
    for number, (since_, until, canary, stable) in enumerate(
        _windows(deployment, buckets=1, first=first), start=first + 1
    ):
        late = CLOSED_AFTER_SECONDS[1] if chance is None else chance.uniform(*CLOSED_AFTER_SECONDS)
        closed = max(closed, number * BUCKET_SECONDS + late)
        yield (
            closed,
            _observation(deployment, Source.REQUEST_LOG, since_, until, canary, stable),
        )


def from_monitoring(
    deployment: Deployment, chance: np.random.Generator, *, since: float = 0.0
) -> Iterator[Seen]:
    """Yield Cloud Monitoring's minutes from `since` on, each judged at the first asking that shows it."""
    first = int(since // 60)
    every = MINUTES_EVERY.total_seconds()
    phase, visible = chance.uniform(0, every), 0.0
    windows = _windows(deployment, buckets=60 // BUCKET_SECONDS, first=first)
    for number, (since_, until, canary, stable) in enumerate(windows, start=first + 1):
        visible = max(visible, number * 60 + chance.uniform(*MINUTE_LAG_SECONDS))
        asked = phase + ceil((visible - phase) / every) * every
        yield asked, _observation(deployment, Source.MONITORING, since_, until, canary, stable)


def from_probe(deployment: Deployment, chance: np.random.Generator, *, since: float = 0.0) -> Iterator[Seen]:
    """Yield probes from `since` on: one that goes well, and those that fail once the canary is down.

    The ones between say nothing new, so they are left out.
    """
    every, again = PROBE_EVERY.total_seconds(), PROBE_AGAIN.total_seconds()
    yield since, _probe(deployment, since, failures=0, apart=0.0)
    if deployment.trouble is not Trouble.DOWN or deployment.onset is None:
        return
    first = deployment.onset + chance.uniform(0, every)
    for failures in range(1, FAILURES_OF_DOWN + 1):
        apart = (failures - 1) * again
        asked = first + apart
        # It does not refuse, it hangs: the slower of the two.
        yield (
            asked + PROBE_WITHIN_SECONDS,
            _probe(deployment, asked, failures=failures, apart=apart),
        )


def together(*sources: Iterable[Seen]) -> Iterator[Seen]:
    """Yield what several sources see in the order in which it is judged."""
    return merge(*sources, key=lambda seen: seen[0])


def _windows(
    deployment: Deployment, *, buckets: int, first: int
) -> Iterator[tuple[datetime, datetime, Tally, Tally]]:
    length = timedelta(seconds=buckets * BUCKET_SECONDS)
    counts = zip(
        *(
            _from(series, buckets, first)
            for series in (
                deployment.requests, deployment.bad, deployment.stable_requests, deployment.stable_bad
            )
        ),
        strict=True,
    )  # fmt: skip
    until = BEGAN + first * length
    for requests, bad, stable_requests, stable_bad in counts:
        since, until = until, until + length
        yield since, until, _tally(requests, bad), _tally(stable_requests, stable_bad)


def _from(series: Series, buckets: int, first: int) -> list[int]:
    counts: list[int] = summed(series, buckets)[first:].tolist()
    return counts


def _tally(requests: int, errors: int) -> Tally:
    """Latencies are healthy throughout: one in fifty takes 400 ms, the others 90."""
    slow = requests // 50
    latencies = ((90, requests - slow), (400, slow)) if slow else ((90, requests),)
    return Tally(requests=requests, errors=errors, latencies=latencies if requests else ())


def _observation(
    deployment: Deployment, source: Source, since: datetime, until: datetime, canary: Tally, stable: Tally
) -> Observation:
    return Observation(
        revision=REVISION,
        since=since,
        until=until,
        source=source,
        canary=canary,
        stable=stable,
        canary_percent=round(100 * deployment.setting.share),
    )


def _probe(deployment: Deployment, asked: float, *, failures: int, apart: float) -> Observation:
    at = BEGAN + timedelta(seconds=asked)
    probed = Probed(
        at=at, canary_well=not failures, stable_well=True, canary_failures=failures, apart_seconds=apart
    )
    return Observation(
        revision=REVISION,
        since=at,
        until=at,
        source=Source.PROBE,
        probed=probed,
        canary_percent=round(100 * deployment.setting.share),
    )
