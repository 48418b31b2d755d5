"""How full the canary's containers are: memory that rises towards its limit, and a CPU that is busy.

Source: guide, scenario 3 and "Metrics to watch"; reference/detection.md, "Memory".
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from bot.domain.alarm import AlarmKind, Found, Level
from bot.domain.guide import Situation
from bot.domain.judge_state import JudgeState, Streak
from bot.domain.memory_trend import (
    SAMPLES_IN_A_ROW,
    WINDOW_SECONDS,
    MemoryRun,
    Trend,
    memory_fed,
    memory_trend,
)
from bot.domain.observation import Gauges, Observation
from bot.domain.plausible import percent_of
from bot.domain.playbook import Playbook
from bot.domain.readings import Metric, Source
from bot.domain.readings_in_a_row import readings_wanted

#: Samples are never more than one in ten seconds; what is kept stays small whatever comes.
_MOST_SAMPLES = 61


def with_gauges(state: JudgeState, gauges: Gauges, playbook: Playbook) -> tuple[JudgeState, Trend | None]:
    """Return the state after one more sample of the canary's containers, and where its memory is heading."""
    state, trend = _with_memory(state, gauges, playbook)
    return replace(state, gauges_until=gauges.until, cpu_streak=_cpu_streak(state, gauges, playbook)), trend


def _with_memory(state: JudgeState, gauges: Gauges, playbook: Playbook) -> tuple[JudgeState, Trend | None]:
    percent, limits = percent_of(gauges.memory), playbook.thresholds.memory_percent
    if percent is None:
        return state, None
    oldest = gauges.until - timedelta(seconds=WINDOW_SECONDS)
    kept = (*(one for one in state.memory if one[0] > oldest), (gauges.until, percent))[-_MOST_SAMPLES:]
    samples = [(at.timestamp(), value) for at, value in kept]
    # A streak of samples with a hole in it is none.
    gap = bool(state.memory) and state.memory[-1][0] <= oldest
    run = MemoryRun() if gap else state.memory_run
    run, trend = memory_fed(run, samples, yellow=limits.yellow_above, red=limits.red_above)
    return replace(state, memory=kept, memory_run=run), trend


def _cpu_streak(state: JudgeState, gauges: Gauges, playbook: Playbook) -> Streak:
    percent, streak = percent_of(gauges.cpu), state.cpu_streak
    if percent is None:
        return streak
    if percent <= playbook.thresholds.cpu_percent.red_above:
        return Streak()
    stale = timedelta(seconds=playbook.thresholds.stale_after_seconds)
    old = streak.until is not None and gauges.until - streak.until > stale
    return Streak(bad=1 if old else streak.bad + 1, until=gauges.until)


def found_in_gauges(
    state: JudgeState, seen: Observation, gauges: Gauges, trend: Trend | None, playbook: Playbook
) -> Iterator[Found]:
    """Yield what the canary's containers say after this sample."""
    rule = playbook.rule(Situation.MEMORY_EXPLOSION)
    memory = percent_of(gauges.memory)
    if rule is not None and memory is not None and (state.memory_run.warns or state.memory_run.fires):
        yield _memory(state, seen, gauges, trend, memory, playbook)
    cpu = percent_of(gauges.cpu)
    if cpu is not None and state.cpu_streak.bad >= readings_wanted(playbook):
        limit = playbook.thresholds.cpu_percent.red_above
        facts = _facts(gauges.until, Metric.CPU, cpu, limit)
        if seen.stable_gauges is not None:
            facts["stable_value"] = seen.stable_gauges.cpu
        facts |= {"in_a_row": state.cpu_streak.bad, "readings": readings_wanted(playbook)}
        yield Found(AlarmKind.CPU, Level.TELL, gauges.until, facts)


def _memory(
    state: JudgeState, seen: Observation, gauges: Gauges, trend: Trend | None, memory: float,
    playbook: Playbook,
) -> Found:  # fmt: skip
    limit = playbook.thresholds.memory_percent.red_above
    stable = percent_of(seen.stable_gauges.memory) if seen.stable_gauges else None
    facts = _memory_facts(gauges, trend, memory, stable, limit)
    if state.memory_run.fires and stable is not None and stable > limit:
        return Found(AlarmKind.SHARED, Level.TELL, gauges.until, facts)
    if not state.memory_run.fires:
        return Found(AlarmKind.MEMORY_EXPLOSION, Level.RECOMMEND, gauges.until, facts)
    level = Level.ACT if _rises(state, trend) else Level.TELL
    return Found(AlarmKind.MEMORY_EXPLOSION, level, gauges.until, facts)


def _rises(state: JudgeState, trend: Trend | None) -> bool:
    """Whether memory that is over the line rises still; without a trend the last samples must say so."""
    if trend is not None:
        return trend.rises_surely
    newest = [percent for _, percent in state.memory[-SAMPLES_IN_A_ROW:]]
    return all(before < after for before, after in pairwise(newest))


def _memory_facts(
    gauges: Gauges, trend: Trend | None, memory: float, stable: float | None, limit: float
) -> dict[str, Any]:
    facts = _facts(gauges.until, Metric.MEMORY, memory, limit) | {
        "memory": round(memory, 1),
        "stable_value": stable,
        "memory_median": gauges.memory_median,
        "instances": gauges.instances,
    }
    if trend is not None:
        facts["percent_per_minute"] = round(trend.per_minute, 2)
        full = trend.seconds_to_full
        facts["full_in_seconds"] = None if full is None else round(full)
    return facts


def _facts(until: datetime, metric: Metric, value: float, limit: float) -> dict[str, Any]:
    return {
        "metric": metric.value,
        "source": Source.MONITORING.value,
        "until": until.isoformat(),
        "value": round(value, 1),
        "limit": limit,
    }


def memory_is_over(state: JudgeState, playbook: Playbook) -> bool:
    """Return True where memory is under its red line again, and not on its way back."""
    if not state.memory or state.memory_run.rising or state.memory_run.over:
        return False
    trend = memory_trend([(at.timestamp(), value) for at, value in state.memory])
    calm = state.memory[-1][1] <= playbook.thresholds.memory_percent.yellow_above
    return calm or trend is None or not trend.rises_surely


def cpu_is_over(gauges: Gauges, playbook: Playbook) -> bool:
    """Return True where the CPU is calm again: not merely under the red line, which would flap."""
    percent = percent_of(gauges.cpu)
    return percent is not None and percent <= playbook.thresholds.cpu_percent.yellow_above
