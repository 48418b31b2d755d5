"""What a failing canary looks like in numbers: how it was before, and how it is now."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from bot.domain.alarm import Alarm, AlarmKind
from bot.domain.observation import Point, SideValues
from bot.domain.readings import Metric

#: The canary's own earliest minute says how it was before only where it lies so far back; right after a
#: deployment it is stable that shows how things were. Source: guide, scenario 1 shows after five minutes.
BEFORE_IS_OLDER_THAN = timedelta(minutes=5)

#: Which number an alarm is about. A service that is down has none: nobody answers.
_METRIC_OF: Mapping[AlarmKind, Metric] = {
    AlarmKind.ERROR_RATE_ONCE: Metric.ERROR_RATE,
    AlarmKind.ERROR_RATE_IN_A_ROW: Metric.ERROR_RATE,
    AlarmKind.EARLY_WARNING: Metric.ERROR_RATE,
    AlarmKind.RESPONSE_TIME: Metric.P95,
    AlarmKind.MEMORY_EXPLOSION: Metric.MEMORY,
    AlarmKind.CPU: Metric.CPU,
}
_NAMES = {
    Metric.ERROR_RATE: "error rate",
    Metric.P95: "P95",
    Metric.MEMORY: "memory",
    Metric.CPU: "CPU",
}


@dataclass(frozen=True, kw_only=True)
class Symptoms:
    """Numbers by metric, each in the metric's unit; one that is not known is not there."""

    before: Mapping[Metric, float] = field(default_factory=dict)
    now: Mapping[Metric, float] = field(default_factory=dict)
    first: Metric | None = None


def metric_of(alarm: Alarm) -> Metric | None:
    """Return which number an alarm is about, None when it is about none."""
    told = alarm.facts.get("metric")
    return Metric(told) if told in set(Metric) else _METRIC_OF.get(alarm.kind)


def symptoms(points: Sequence[Point], alarm: Alarm) -> Symptoms:
    """Return how the canary was and how it is: by the watch's minutes, oldest first, and the alarm.

    The alarm is younger than the last whole minute, so its own value counts as now.
    """
    first = metric_of(alarm)
    before, now = {}, {}
    for metric in Metric:
        known = [(p.at, value) for p in points if (value := value_of(p.canary, metric)) is not None]
        told = _told(alarm, metric) if metric is first else None
        newest = told if told is not None else (known[-1][1] if known else None)
        if newest is None:
            continue
        now[metric] = newest
        if known and alarm.at - known[0][0] >= BEFORE_IS_OLDER_THAN:
            before[metric] = known[0][1]
        elif (stable := _newest_of_stable(points, metric)) is not None:
            before[metric] = stable
    return Symptoms(before=before, now=now, first=first)


def value_of(values: SideValues, metric: Metric) -> float | None:
    """Return one of a side's numbers."""
    return {
        Metric.ERROR_RATE: values.error_rate,
        Metric.P95: values.p95,
        Metric.MEMORY: values.memory,
        Metric.CPU: values.cpu,
    }[metric]


def _told(alarm: Alarm, metric: Metric) -> float | None:
    value = alarm.facts.get("memory") if metric is Metric.MEMORY else None
    value = alarm.facts.get("value") if value is None else value
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _newest_of_stable(points: Sequence[Point], metric: Metric) -> float | None:
    known = (value_of(point.stable, metric) for point in reversed(points))
    return next((value for value in known if value is not None), None)


def in_short(found: Symptoms, alarm: Alarm) -> str:
    """Return them as one line that needs no translation, the alarm's own number first.

    Such as "error rate 0.2 % → 5.1 %, P95 150 ms → 160 ms".
    """
    parts = [f"{alarm.kind.value.replace('_', ' ')}"] if found.first is None else []
    for metric in sorted(found.now, key=lambda metric: metric is not found.first):
        then = [found.before[metric]] if metric in found.before else []
        values = " → ".join(_number(metric, value) for value in (*then, found.now[metric]))
        parts.append(f"{_NAMES[metric]} {values}")
    return ", ".join(parts)


def _number(metric: Metric, value: float) -> str:
    digits = 1 if metric is Metric.ERROR_RATE else 0
    return f"{value:.{digits}f} {metric.unit}"


def as_facts(numbers: Mapping[Metric, float]) -> dict[str, float]:
    """Return numbers as JSON facts, rounded as nobody needs more."""
    return {metric.value: round(value, 3) for metric, value in numbers.items()}
