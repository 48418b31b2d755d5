"""The early trigger at work: four scores (errors and slowness, each to warn and to act), and what they say.

The arithmetic is `bot.domain.detection`'s. Source of every number: reference/detection.md.
"""

import math
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple

from bot.domain.alarm import AlarmKind, Found, Level
from bot.domain.detection import (
    TRIGGER_FILL_SECONDS,
    WARNING_FILL_SECONDS,
    WORSE_THAN_STABLE,
    Counts,
    Excess,
    ScoreVerdict,
    fed,
    height,
    worse_than_stable,
)
from bot.domain.guide import Mode
from bot.domain.judge_state import JudgeState, full_percent
from bot.domain.observation import Observation, Tally
from bot.domain.playbook import Playbook
from bot.domain.readings import Metric
from bot.domain.readings_in_a_row import readings_wanted

#: "Slower than the red P95" is a share too: so much of it is allowed, and so much counts as healthy.
SLOW_LINE, SLOW_HEALTHY = 0.05, 0.025
#: A canary is taken to get at least so many requests in a whole deployment: one quiet first bucket must
#: not make the score easy to fill.
FEWEST_EXPECTED = 1000
#: The expected number of requests is rounded up to a power of this, so that a height is worked out seldom.
_STEP = math.log(1.05)
#: One bucket before the trigger's score can be full at the earliest its rollback may be announced: then the
#: time in which people can stop it costs none. A bucket longer than this says too little of when.
NEARLY_SECONDS = 10.0
NEARLY_FULL = 1 - NEARLY_SECONDS / TRIGGER_FILL_SECONDS
#: Sums of decimal fractions are off by less than this.
_ROUNDING = 1e-9
#: An alarm is over when its score has fallen below this share of the height: less would flap.
OVER_BELOW = 0.5
_EMPTY = Excess()


class Scored(NamedTuple):
    """The scores after one more bucket, their heights, and what each says.

    `nearly` and `slow_nearly` say that the trigger's score is nearly full, see `is_nearly_full`.
    """

    errors_warning: Excess
    errors_trigger: Excess
    slow_warning: Excess
    slow_trigger: Excess
    height: float
    slow_height: float
    warning: ScoreVerdict
    trigger: ScoreVerdict
    slow_warns: ScoreVerdict
    slow_triggers: ScoreVerdict
    nearly: bool = False
    slow_nearly: bool = False


def scored(
    state: JudgeState,
    counts: Counts,
    slow: Counts | None,
    seconds: float,
    playbook: Playbook,
    expected: float,
) -> Scored:
    """Return all scores after one more bucket.

    Args:
        state: the scores so far.
        counts: the bucket's errors.
        slow: its slow requests (see `slow_counts`); None: not known, and that score waits.
        seconds: how long the bucket is.
        playbook: for the lines and the accepted risk.
        expected: the canary's requests in the whole deployment.
    """
    line, healthy = error_ratios(playbook)
    risk = playbook.watch.early_warning.false_alarms_per_deployment
    steps = math.ceil(math.log(max(expected, FEWEST_EXPECTED)) / _STEP)
    full, slow_full = _height(steps, risk, healthy, line), _height(steps, risk, SLOW_HEALTHY, SLOW_LINE)
    warning, warns = _fed(state.errors_warning, counts, line, full, WARNING_FILL_SECONDS, seconds)
    trigger, triggers = _fed(state.errors_trigger, counts, line, full, TRIGGER_FILL_SECONDS, seconds)
    if slow is None:
        slow_warning, slow_warns = state.slow_warning, ScoreVerdict.OK
        slow_trigger, slow_triggers = state.slow_trigger, ScoreVerdict.OK
    else:
        slow_warning, slow_warns = _fed(
            state.slow_warning, slow, SLOW_LINE, slow_full, WARNING_FILL_SECONDS, seconds
        )
        slow_trigger, slow_triggers = _fed(
            state.slow_trigger, slow, SLOW_LINE, slow_full, TRIGGER_FILL_SECONDS, seconds
        )
    return Scored(
        warning, trigger, slow_warning, slow_trigger, full, slow_full,
        warns, triggers, slow_warns, slow_triggers,
        is_nearly_full(state.errors_trigger, trigger, full, seconds),
        is_nearly_full(state.slow_trigger, slow_trigger, slow_full, seconds),
    )  # fmt: skip


def is_nearly_full(before: Excess, score: Excess, full: float, seconds: float) -> bool:
    """Tell whether the trigger's score lacks but one bucket: it rises, and stable is not seeing the same.

    Args:
        before: the score before the newest bucket, which has to have made it rise.
        score: the score after it.
        full: where it is full, and no longer nearly so.
        seconds: how long that bucket was: where data comes by the minute, the next comes too late.
    """
    near = NEARLY_FULL * full - _ROUNDING <= score.level < full - _ROUNDING
    rises = score.level > before.level + _ROUNDING
    return near and rises and seconds <= NEARLY_SECONDS and worse_than_stable(score)


def slow_counts(canary: Tally, stable: Tally, line_ms: float) -> Counts | None:
    """Return how many requests were slower than `line_ms`, of those whose latency is known.

    None: nothing is known of the canary's, and a score that waits is not one that is calm.
    """
    if not canary.latencies and (canary.requests or not stable.latencies):
        return None
    return Counts(
        requests=sum(count for _, count in canary.latencies),
        bad=canary.slower_than(line_ms),
        stable_requests=sum(count for _, count in stable.latencies),
        stable_bad=stable.slower_than(line_ms),
    )


def error_ratios(playbook: Playbook) -> tuple[float, float]:
    """Return the guide's red line and the healthy share (its yellow line), 0 < healthy < line < 1."""
    limits = playbook.thresholds.error_rate_percent
    line = min(limits.red_above, 99.0) / 100
    healthy = limits.yellow_above / 100
    # A playbook may call nothing but 0 % green; the bound needs some share that is still healthy.
    return line, min(max(healthy, line / 10), line * 0.9)


@lru_cache(maxsize=1024)
def _height(steps: int, risk: float, healthy: float, line: float) -> float:
    return height(requests=math.exp(steps * _STEP), risk=risk, healthy_ratio=healthy, line=line)


def _fed(
    score: Excess, counts: Counts, line: float, full: float, fill: float, seconds: float
) -> tuple[Excess, ScoreVerdict]:
    if not score.level and counts.bad <= line * counts.requests:
        return _EMPTY, ScoreVerdict.OK  # As nearly always: nothing to add to nothing.
    return fed(score, counts, line=line, height=full, fill_seconds=fill, seconds=seconds)


def is_as_bad(score: Excess, verdict: ScoreVerdict) -> bool:
    """Return True where a full score is not the canary's fault: stable fails about as much.

    Full but not yet proven uneven is not the same: while the canary looks clearly worse, more requests
    will tell.
    """
    if verdict is not ScoreVerdict.SHARED or not score.requests or not score.stable_requests:
        return False
    own, stable = score.bad / score.requests, score.stable_bad / score.stable_requests
    return own <= WORSE_THAN_STABLE * stable


def how_sure(trigger: ScoreVerdict, *, nearly: bool) -> Level:
    """Return how much the trigger's score lets an alarm ask for that recommends a rollback anyway."""
    if trigger is ScoreVerdict.FIRE:
        return Level.ACT
    return Level.NEARLY if nearly else Level.RECOMMEND


_SURE = (ScoreVerdict.FIRE, ScoreVerdict.NO_BASELINE)


def found_in_scores(state: JudgeState, seen: Observation, now: Scored, playbook: Playbook) -> Iterator[Found]:
    """Yield what the scores say; `state` holds them already."""
    if now.warning in _SURE or now.trigger in _SURE:
        level = how_sure(now.trigger, nearly=now.nearly)
        facts = _error_facts(state, seen, playbook, now.warning)
        yield Found(AlarmKind.EARLY_WARNING, level, seen.until, facts)
    elif is_as_bad(state.errors_warning, now.warning):
        facts = _error_facts(state, seen, playbook, now.warning)
        yield Found(AlarmKind.SHARED, Level.TELL, seen.until, facts)
    if now.slow_warns in _SURE or now.slow_triggers in _SURE:
        may_act = playbook.watch.early_warning.mode is Mode.AUTO
        level = how_sure(now.slow_triggers, nearly=now.slow_nearly) if may_act else Level.RECOMMEND
        facts = _slow_facts(state, seen, playbook, now.slow_warns)
        yield Found(AlarmKind.RESPONSE_TIME, level, seen.until, facts)
    elif is_as_bad(state.slow_warning, now.slow_warns):
        facts = _slow_facts(state, seen, playbook, now.slow_warns)
        yield Found(AlarmKind.SHARED, Level.TELL, seen.until, facts)


def _error_facts(
    state: JudgeState, seen: Observation, playbook: Playbook, verdict: ScoreVerdict
) -> dict[str, Any]:
    score, (line, _) = state.errors_warning, error_ratios(playbook)
    return _facts(score, seen, verdict) | {
        "metric": Metric.ERROR_RATE.value,
        "value": _percent(score.bad, score.requests),
        "limit": playbook.thresholds.error_rate_percent.red_above,
        "stable_value": _percent(score.stable_bad, score.stable_requests),
        "excess": round(score.bad - line * score.requests, 1),
        "score_percent": state.score_percent,
        "trigger_percent": state.trigger_percent,
        "in_a_row": state.error_streak.bad,
        "readings": readings_wanted(playbook),
    }


def _slow_facts(
    state: JudgeState, seen: Observation, playbook: Playbook, verdict: ScoreVerdict
) -> dict[str, Any]:
    score, canary, stable = state.slow_warning, seen.canary or Tally(), seen.stable or Tally()
    p95, stable_p95 = canary.percentile_ms(95), stable.percentile_ms(95)
    return _facts(score, seen, verdict) | {
        "metric": Metric.P95.value,
        "value": None if p95 is None else round(p95, 1),
        "limit": playbook.thresholds.p95_ms.red_above,
        "stable_value": None if stable_p95 is None else round(stable_p95, 1),
        "slow_percent": _percent(score.bad, score.requests),
        "line_percent": 100 * SLOW_LINE,
        "excess": round(score.bad - SLOW_LINE * score.requests, 1),
        "score_percent": full_percent(score, state.slow_height),
        "trigger_percent": full_percent(state.slow_trigger, state.slow_height),
        "in_a_row": state.slow_streak.bad,
        "readings": readings_wanted(playbook),
    }


def _facts(score: Excess, seen: Observation, verdict: ScoreVerdict) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "source": seen.source.value,
        "until": seen.until.isoformat(),
        "requests": score.requests,
        "errors": score.bad,
        "stable_requests": score.stable_requests,
        "seconds": round(score.seconds, 1),
    }
    if verdict is ScoreVerdict.NO_BASELINE:
        facts["no_baseline"] = True
    if verdict is ScoreVerdict.SHARED and score.stable_requests:
        facts["stable_is_bad"] = round(score.stable_bad / score.stable_requests, 4)
    return facts


def _percent(part: int, whole: int) -> float | None:
    return round(100 * part / whole, 2) if whole else None
