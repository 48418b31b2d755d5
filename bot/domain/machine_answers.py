"""What of a diagnosis a machine can tell from numbers; what it cannot tell stays a question for people."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from bot.domain.diagnosis import Given, NotAsked, answered, diagnose
from bot.domain.flags import Colour, flag
from bot.domain.guide import Answer, Finds, Question, Scenario
from bot.domain.observation import Minute, Tally
from bot.domain.people import AUTOMATICS
from bot.domain.playbook import Thresholds
from bot.domain.readings import Metric, Reading, Side

#: An endpoint's P95 says nothing over fewer requests than this.
ENDPOINT_REQUESTS = 20
#: With so many of the endpoints slow it is all of them (some answer from a cache), with so few it is some;
#: what lies between is for people to judge.
ALL_FROM, SOME_UP_TO = 0.8, 0.5
#: The middle instance is as full as the fullest from this share on; below the other, one stands out.
AS_FULL_FROM, FAR_LESS_UP_TO = 0.85, 0.65
#: "Right after the deployment" ends so long after it. Source: guide, scenario 3, where the other answer is
#: "30 minutes after".
RIGHT_AFTER = timedelta(minutes=10)
#: A container fills while it starts; growth is looked for after that.
STARTS_WITHIN = timedelta(minutes=2)
#: Memory has grown when it has risen by so many points, percent of the limit.
GROWN_BY = 5.0
#: Fewer minutes draw no line.
MINUTES_NEEDED = 5


@dataclass(frozen=True, kw_only=True)
class Found:
    """What a machine found: `so` or not, and the numbers it rests on (JSON facts)."""

    so: bool
    facts: Mapping[str, Any] = field(default_factory=dict)


def all_endpoints_slow(endpoints: Mapping[str, Tally] | None, *, red_above_ms: float) -> Found | None:
    """Say whether all of the canary's endpoints are slow, or only some.

    None without two endpoints that had enough requests, where none is slow (any more), and where
    neither all nor few are.
    """
    told = {name: t for name, t in (endpoints or {}).items() if t.requests >= ENDPOINT_REQUESTS}
    slow = [name for name, tally in told.items() if (tally.percentile_ms(95) or 0.0) > red_above_ms]
    if len(told) < 2 or not slow:
        return None
    share = len(slow) / len(told)
    if SOME_UP_TO < share < ALL_FROM:
        return None
    facts = {"slow": len(slow), "endpoints": len(told), "slowest": _slowest(told)}
    return Found(so=share >= ALL_FROM, facts=facts)


def _slowest(endpoints: Mapping[str, Tally]) -> str:
    return max(endpoints, key=lambda name: endpoints[name].percentile_ms(95) or 0.0)[:100]


def resources_normal(readings: Iterable[Reading], thresholds: Thresholds, *, now: datetime) -> Found | None:
    """Say whether the canary's memory and CPU are green; None where one is not known and none is bad."""
    canary = {r.metric: r for r in readings if r.side is Side.CANARY}
    found = {m: flag(canary[m], thresholds, now=now) for m in (Metric.MEMORY, Metric.CPU) if m in canary}
    colours = [one.colour for one in found.values()]
    known = {metric: one.reading.value for metric, one in found.items()}
    facts = {metric.value: round(value, 1) for metric, value in known.items() if value is not None}
    if Colour.RED in colours or Colour.YELLOW in colours:
        return Found(so=False, facts=facts)
    return Found(so=True, facts=facts) if colours == [Colour.GREEN, Colour.GREEN] else None


def every_instance(minutes: Sequence[Minute]) -> Found | None:
    """Say whether memory is high on every instance: then the middle one is as full as the fullest.

    By the newest of the canary's minutes (oldest first) that knows both; None where none does, and
    where the middle one lies neither near nor far.
    """
    known = [m for m in minutes if m.memory and m.memory_median is not None]
    if not known:
        return None
    newest = known[-1]
    memory, median = newest.memory or 0.0, newest.memory_median or 0.0
    share = median / memory
    if FAR_LESS_UP_TO < share < AS_FULL_FROM:
        return None
    facts = {"memory": round(memory, 1), "memory_median": round(median, 1), "instances": newest.instances}
    return Found(so=share >= AS_FULL_FROM, facts=facts)


def since_deployment(minutes: Sequence[Minute], *, deployed_at: datetime | None) -> Found | None:
    """Say whether the canary's memory has grown since right after its deployment.

    None where it has not grown, where there are too few minutes, and where growth began before the
    first of them although that lies later than "right after".
    """
    if deployed_at is None:
        return None
    samples = [
        _Sample((m.until - deployed_at).total_seconds() / 60, m.memory)
        for m in minutes
        if m.memory is not None and m.until - deployed_at >= STARTS_WITHIN
    ]
    if len(samples) < MINUTES_NEEDED or samples[-1].memory - min(s.memory for s in samples) < GROWN_BY:
        return None
    began, right_after = growth_began(samples), RIGHT_AFTER.total_seconds() / 60
    if began == samples[0].minute and began > right_after:
        return None
    return Found(so=began <= right_after, facts={"began_minutes": round(began, 1)})


class _Sample(NamedTuple):
    minute: float
    memory: float


def growth_began(samples: Sequence[_Sample]) -> float:
    """Return the minute from which on memory grew: the best bend of a line that is flat, and then rises."""
    return min((sample.minute for sample in samples[:-2]), key=lambda bend: _misfit(samples, bend))


def _misfit(samples: Sequence[_Sample], bend: float) -> float:
    """Squared error of the least-squares line that is flat up to `bend`."""
    xs = [max(0.0, s.minute - bend) for s in samples]
    mean_x = sum(xs) / len(xs)
    mean_y = sum(s.memory for s in samples) / len(samples)
    spread = sum((x - mean_x) ** 2 for x in xs)
    together = sum((x - mean_x) * (s.memory - mean_y) for x, s in zip(xs, samples, strict=True))
    slope = together / spread if spread else 0.0
    return sum((s.memory - mean_y - slope * (x - mean_x)) ** 2 for x, s in zip(xs, samples, strict=True))


@dataclass(frozen=True, kw_only=True)
class Machine:
    """One answer a machine gave, with what it rests on."""

    given: Given
    finds: Finds
    found: Found


def wanted(scenario: Scenario, answers: Iterable[Given]) -> frozenset[Finds]:
    """Return what a machine could still find out on any way from the question that is open now."""
    asked = diagnose(scenario, answers).asked
    if asked is None:
        return frozenset()
    later = scenario.questions[scenario.questions.index(asked) :]
    return frozenset(question.finds for question in later if question.finds is not None)


def answered_by_machine(
    scenario: Scenario, answers: Sequence[Given], found: Mapping[Finds, Found], *, at: datetime
) -> tuple[tuple[Given, ...], tuple[Machine, ...]]:
    """Return the answers with those a machine can give to questions that are open, one after the other.

    What people have answered stays, whatever a machine found.
    """
    known, given = tuple(answers), []
    while (asked := diagnose(scenario, known).asked) is not None:
        one = found.get(asked.finds) if asked.finds is not None else None
        answer = _answer(asked, one) if one is not None else None
        if asked.finds is None or one is None or answer is None:
            break
        mine = Given(question=asked.key, answer=answer.key, by=AUTOMATICS, at=at)
        try:
            known = answered(scenario, known, mine)
        except NotAsked:
            break
        given.append(Machine(given=mine, finds=asked.finds, found=one))
    return known, tuple(given)


def _answer(question: Question, found: Found) -> Answer | None:
    return next((answer for answer in question.answers if answer.when is found.so), None)
