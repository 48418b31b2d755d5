"""Deciding: one observation in, the new state and whatever is worth an alarm out. Pure; no clock, no I/O.

The watch, ``backout replay``, the back-test before arming and the benchmark all call `judge`, so what is
tuned is what runs. Source of the rules: guide, "When to decide what" and "Metrics to watch"; of the early
trigger: reference/detection.md. A situation for which the playbook has no rule is not judged.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from bot.domain.alarm import WEIGHT, Alarm, AlarmKind, Found, Level
from bot.domain.container_load import cpu_is_over, found_in_gauges, memory_is_over, with_gauges
from bot.domain.detection import Counts, outage_fed, silence_fed
from bot.domain.early_warning import OVER_BELOW, found_in_scores, how_sure, is_as_bad, scored, slow_counts
from bot.domain.flags import Colour
from bot.domain.judge_state import Concluded, Gathered, JudgeState, Streak
from bot.domain.observation import Gauges, Observation, Probed, Tally
from bot.domain.plausible import Ignored, is_late_for, wrong_count, wrong_gauges, wrong_time
from bot.domain.playbook import Playbook
from bot.domain.readings_in_a_row import Streaks, found_in_readings, gather, streaks_after
from bot.domain.service_down import found_in_outage, found_in_probe, is_over

__all__ = [
    "Alarm", "AlarmKind", "Concluded", "Gathered", "Ignored", "JudgeState", "Judged", "Level", "Streak",
    "judge",
]  # fmt: skip

_NOTHING = Tally()


@dataclass(frozen=True, kw_only=True)
class Judged:
    """The state after one observation, and the alarms it raised, the gravest first.

    `ignored` names what was left out as it made no sense: a point that came twice, too late, of another
    revision, or with numbers that cannot be. `reading` is the reading that finished with this
    observation. `over` are the kinds of alarm that are true no longer: the next time they are raised anew.
    """

    state: JudgeState
    alarms: tuple[Alarm, ...] = ()
    ignored: Ignored | None = None
    reading: Concluded | None = None
    over: tuple[AlarmKind, ...] = ()


def judge(state: JudgeState, seen: Observation, playbook: Playbook) -> Judged:
    """Weigh one observation by the playbook's thresholds, rules and watch section.

    Counts, gauges and probe are weighed each by its own time, and each once; what is None was not read,
    and nothing is concluded from it. Another revision begins anew.
    """
    if seen.revision != state.revision:
        if is_late_for(state, seen):
            return Judged(state=state, ignored=Ignored.OTHER_REVISION)
        state = JudgeState(revision=seen.revision)
    found: list[Found] = []
    reading: Concluded | None = None
    ignored: Ignored | None = None
    if seen.canary is not None:
        canary, stable, ignored = _usable(state, seen, seen.canary, seen.stable)
        if canary is not None:
            state, reading = _weighed(state, seen, canary, stable, playbook, found)
    if seen.canary_gauges is not None and _is_new(state, seen.canary_gauges):
        ignored = ignored or wrong_gauges(seen.canary_gauges)
        state, trend = with_gauges(state, seen.canary_gauges, playbook)
        found += found_in_gauges(state, seen, seen.canary_gauges, trend, playbook)
    if seen.probed is not None and (state.probed is None or seen.probed.at > state.probed.at):
        state = _with_probe(state, seen.probed)
        found += found_in_probe(state, playbook)
    if not found and not state.said:
        return Judged(state=state, ignored=ignored, reading=reading)
    return _told(state, seen, found, playbook, ignored, reading)


def _usable(
    state: JudgeState, seen: Observation, canary: Tally, stable: Tally | None
) -> tuple[Tally | None, Tally | None, Ignored | None]:
    """Both sides' counts as far as they can be, and what was wrong with the rest."""
    wrong = wrong_time(seen, state.until) or wrong_count(canary)
    if wrong is not None:
        return None, None, wrong
    if stable is None:
        return canary, None, None
    wrong = wrong_count(stable)
    return canary, stable if wrong is None else None, wrong


def _is_new(state: JudgeState, gauges: Gauges) -> bool:
    return state.gauges_until is None or gauges.until > state.gauges_until


def _with_probe(state: JudgeState, probed: Probed) -> JudgeState:
    return replace(state, probed=probed, was_well=state.was_well or probed.canary_well is True)


def _weighed(
    state: JudgeState,
    seen: Observation,
    canary: Tally,
    stable: Tally | None,
    playbook: Playbook,
    found: list[Found],
) -> tuple[JudgeState, Concluded | None]:
    """The state after one bucket's counts; what they say is added to `found`."""
    compared, length = stable or _NOTHING, seen.length_seconds
    requests, seconds = state.requests + canary.requests, state.seconds + length
    counts = Counts(
        requests=canary.requests,
        bad=canary.errors,
        stable_requests=compared.requests,
        stable_bad=compared.errors,
    )
    slow = slow_counts(canary, compared, playbook.thresholds.p95_ms.red_above)
    hours = playbook.watch.early_warning.deployment_hours
    now = scored(state, counts, slow, length, playbook, requests / seconds * 3600 * hours)
    outage, is_outage = outage_fed(state.outage, counts, length)
    silence, is_silent = silence_fed(state.silence, counts, (seen.canary_percent or 0) / 100, length)
    gathered, reading = gather(state, seen, canary, stable, playbook)
    streaks = streaks_after(state, reading, playbook) if reading else _streaks(state)
    state = replace(
        state,
        until=seen.until,
        good_since=seen.since if canary.requests > canary.errors else state.good_since,
        errors_warning=now.errors_warning,
        errors_trigger=now.errors_trigger,
        slow_warning=now.slow_warning,
        slow_trigger=now.slow_trigger,
        height=now.height,
        slow_height=now.slow_height,
        outage=outage,
        silence=silence,
        gathered=gathered,
        newest=reading or state.newest,
        error_streak=streaks.own,
        shared_streak=streaks.shared,
        slow_streak=streaks.slow,
        slow_shared_streak=streaks.slow_shared,
        requests=requests,
        seconds=seconds,
    )
    found += found_in_outage(state, seen, playbook, outage=is_outage, silence=is_silent)
    found += found_in_scores(state, seen, now, playbook)
    found += found_in_readings(
        state,
        seen,
        reading,
        playbook,
        sure=how_sure(now.trigger, nearly=now.nearly),
        shared_by_score=is_as_bad(now.errors_warning, now.warning),
        slow_shared_by_score=is_as_bad(now.slow_warning, now.slow_warns),
    )
    return state, reading


def _streaks(state: JudgeState) -> Streaks:
    return Streaks(state.error_streak, state.shared_streak, state.slow_streak, state.slow_shared_streak)


# Saying it once.


def _told(
    state: JudgeState,
    seen: Observation,
    found: Iterable[Found],
    playbook: Playbook,
    ignored: Ignored | None,
    reading: Concluded | None,
) -> Judged:
    """Raise what is true for the first time, or truer than when it was said; forget what is over."""
    highest = _highest(found)
    alarms = [
        _alarm(one, state)
        for one in highest.values()
        if WEIGHT[one.level] > WEIGHT.get(state.said.get(one.kind, ""), 0)
    ]
    over = tuple(
        AlarmKind(kind)
        for kind in state.said
        if kind not in highest and _is_over(AlarmKind(kind), state, seen, reading, playbook)
    )
    if alarms or over:
        kept = {kind: level for kind, level in state.said.items() if kind not in over}
        said = kept | {alarm.kind.value: alarm.level.value for alarm in alarms}
        state = replace(state, said=said)
    order = sorted(alarms, key=lambda alarm: -WEIGHT[alarm.level])
    return Judged(state=state, alarms=tuple(order), ignored=ignored, reading=reading, over=over)


def _alarm(found: Found, state: JudgeState) -> Alarm:
    before = state.said.get(found.kind)
    return Alarm(
        kind=found.kind,
        level=found.level,
        at=found.at,
        revision=state.revision,
        facts=found.facts,
        before=Level(before) if before else None,
    )


def _highest(found: Iterable[Found]) -> dict[AlarmKind, Found]:
    """The gravest finding of each kind; of two as grave the one that came first."""
    highest: dict[AlarmKind, Found] = {}
    for one in found:
        before = highest.get(one.kind)
        if before is None or WEIGHT[one.level] > WEIGHT[before.level]:
            highest[one.kind] = one
    return highest


def _is_over(
    kind: AlarmKind, state: JudgeState, seen: Observation, reading: Concluded | None, playbook: Playbook
) -> bool:
    """Whether something says that an alarm is true no longer; a source that fails does not."""
    match kind:
        case AlarmKind.ERROR_RATE_ONCE:
            return reading is not None and reading.error_rate is Colour.GREEN
        case AlarmKind.ERROR_RATE_IN_A_ROW:
            return reading is not None and reading.error_rate in (Colour.GREEN, Colour.YELLOW)
        case AlarmKind.EARLY_WARNING:
            return _errors_calm(state)
        case AlarmKind.RESPONSE_TIME:
            return _slowness_calm(state)
        case AlarmKind.SERVICE_DOWN:
            return is_over(state, seen)
        case AlarmKind.MEMORY_EXPLOSION:
            return memory_is_over(state, playbook)
        case AlarmKind.CPU:
            return seen.canary_gauges is not None and cpu_is_over(seen.canary_gauges, playbook)
        case AlarmKind.SHARED:
            return _errors_calm(state) and _slowness_calm(state) and _nothing_shared(state)
        case AlarmKind.DATA_LOSS:
            return False


def _errors_calm(state: JudgeState) -> bool:
    return state.errors_warning.level <= OVER_BELOW * (state.height or 0.0)


def _slowness_calm(state: JudgeState) -> bool:
    calm = state.slow_warning.level <= OVER_BELOW * (state.slow_height or 0.0)
    return calm and not state.slow_streak.bad


def _nothing_shared(state: JudgeState) -> bool:
    failing = state.probed is not None and state.probed.stable_well is False
    shared = state.shared_streak.bad or state.slow_shared_streak.bad or state.memory_run.over
    return not (failing or shared or state.outage.count)
