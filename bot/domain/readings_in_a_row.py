"""The guide's own rule: readings of the error rate and of P95, and how many of them were red in a row.

Source: guide, "When to decide what". Three in a row are three distinct windows of the same revision.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, NamedTuple

from bot.domain.alarm import AlarmKind, Found, Level
from bot.domain.detection import Counts, worse_than_stable
from bot.domain.flags import Colour
from bot.domain.guide import Situation
from bot.domain.judge_state import Concluded, Gathered, JudgeState, Streak
from bot.domain.observation import Observation, Tally
from bot.domain.playbook import Limits, Playbook
from bot.domain.readings import Metric, Source

#: Where the playbook has no rule that says how many in a row. Source: guide, "three times in a row".
THREE_IN_A_ROW = 3
_NOTHING = Tally()


def readings_wanted(playbook: Playbook) -> int:
    """Return how many red readings in a row the guide wants."""
    rule = playbook.rule(Situation.ERROR_RATE_IN_A_ROW)
    return rule.readings if rule else THREE_IN_A_ROW


# Gathering a reading.


def gather(state: JudgeState, seen: Observation, canary: Tally, stable: Tally | None, playbook: Playbook
) -> tuple[Gathered, Concluded | None]:  # fmt: skip
    """Return the reading with one more bucket, or an empty one and the reading that is finished."""
    plan, seconds = playbook.watch, seen.length_seconds
    before = state.gathered
    longest = plan.longest_reading_seconds
    if state.until is not None and (seen.since - state.until).total_seconds() > longest:
        before = Gathered()  # What was gathered before so long a gap is another time's.
    grown = Gathered(
        since=before.since or seen.since,
        seconds=before.seconds + seconds,
        canary=_together(before.canary, canary),
        stable=_together(before.stable, stable or _NOTHING),
        p95_ms=seen.canary_p95_ms if seen.canary_p95_ms is not None else before.p95_ms,
        stable_p95_ms=seen.stable_p95_ms if seen.stable_p95_ms is not None else before.stable_p95_ms,
    )
    # A minute of Cloud Monitoring is a reading by itself.
    if grown.seconds < plan.reading_seconds and seen.source is not Source.MONITORING:
        return grown, None
    if grown.canary.requests < playbook.thresholds.min_requests and grown.seconds < longest:
        return grown, None
    return Gathered(), _concluded(grown, seen, playbook)


def _together(one: Tally, other: Tally) -> Tally:
    if not one.requests:
        return other
    if one.latencies or other.latencies:
        return one + other
    return Tally(requests=one.requests + other.requests, errors=one.errors + other.errors)


def _concluded(gathered: Gathered, seen: Observation, playbook: Playbook) -> Concluded:
    canary, stable, least = gathered.canary, gathered.stable, playbook.thresholds.min_requests
    p95_limits, errors_limits = playbook.thresholds.p95_ms, playbook.thresholds.error_rate_percent
    p95, stable_p95 = _p95(canary, gathered.p95_ms), _p95(stable, gathered.stable_p95_ms)
    slow, timed = canary.slower_than(p95_limits.red_above), sum(count for _, count in canary.latencies)
    error_colour = _error_colour(canary, errors_limits, least, playbook.watch.min_errors)
    p95_colour = _p95_colour(p95, canary.requests, p95_limits, least)
    stable_slow = stable.slower_than(p95_limits.red_above)
    stable_timed = sum(count for _, count in stable.latencies)
    return Concluded(
        since=gathered.since or seen.since,
        until=seen.until,
        source=seen.source,
        requests=canary.requests,
        errors=canary.errors,
        stable_requests=stable.requests,
        stable_errors=stable.errors,
        error_rate=error_colour,
        p95=p95_colour,
        shared=error_colour is Colour.RED
        and _error_colour(stable, errors_limits, least, playbook.watch.min_errors) is Colour.RED
        and not worse_than_stable(
            Counts(
                requests=canary.requests, bad=canary.errors,
                stable_requests=stable.requests, stable_bad=stable.errors,
            )
        ),
        slow_shared=p95_colour is Colour.RED
        and _p95_colour(stable_p95, stable.requests, p95_limits, least) is Colour.RED
        and not worse_than_stable(
            Counts(requests=timed, bad=slow, stable_requests=stable_timed, stable_bad=stable_slow)
        ),
        slow=slow,
        timed=timed,
        p95_ms=p95,
        stable_p95_ms=stable_p95,
    )  # fmt: skip


def _error_colour(tally: Tally, limits: Limits, least: int, min_errors: int) -> Colour:
    if tally.requests < max(1, least):
        return Colour.GREY
    # Multiplied first: 100 * 7 / 700 is exactly 1.
    percent = 100 * tally.errors / tally.requests
    if percent > limits.red_above:
        return Colour.RED if tally.errors >= min_errors else Colour.GREY
    return Colour.YELLOW if percent > limits.yellow_above else Colour.GREEN


def _p95(tally: Tally, ready_made: float | None) -> float | None:
    return tally.percentile_ms(95) if tally.latencies else ready_made


def _p95_colour(p95: float | None, requests: int, limits: Limits, least: int) -> Colour:
    if p95 is None or requests < max(1, least):
        return Colour.GREY
    if p95 > limits.red_above:
        return Colour.RED
    return Colour.YELLOW if p95 > limits.yellow_above else Colour.GREEN


# Counting them.


class Streaks(NamedTuple):
    """Red readings in a row: the canary's own, and those in which stable was as bad; then of P95."""

    own: Streak
    shared: Streak
    slow: Streak
    slow_shared: Streak


def streaks_after(state: JudgeState, reading: Concluded, playbook: Playbook) -> Streaks:
    """Return the streaks after one more reading."""
    stale = timedelta(seconds=playbook.thresholds.stale_after_seconds)
    own, shared = _counted(
        state.error_streak, state.shared_streak, reading, reading.error_rate, reading.shared, stale
    )
    slow, slow_shared = _counted(
        state.slow_streak, state.slow_shared_streak, reading, reading.p95, reading.slow_shared, stale
    )
    return Streaks(own, shared, slow, slow_shared)


def _counted(
    own: Streak, shared: Streak, reading: Concluded, colour: Colour, is_shared: bool, stale: timedelta
) -> tuple[Streak, Streak]:
    if colour is Colour.GREY:
        return own, shared
    if colour is not Colour.RED:
        return Streak(), Streak()
    own, shared = _fresh(own, reading, stale), _fresh(shared, reading, stale)
    if is_shared:
        return own, Streak(bad=shared.bad + 1, until=reading.until)
    return Streak(bad=own.bad + 1, until=reading.until), shared


def _fresh(streak: Streak, reading: Concluded, stale: timedelta) -> Streak:
    """A streak whose last reading lies too far back is none: nobody knows what was between."""
    old = streak.until is not None and reading.since - streak.until > stale
    return Streak() if old else streak


# What they say.


def found_in_readings(
    state: JudgeState,
    seen: Observation,
    reading: Concluded | None,
    playbook: Playbook,
    *,
    sure: Level,
    shared_by_score: bool,
    slow_shared_by_score: bool,
) -> Iterator[Found]:
    """Yield which rules about readings are true of `state`.

    `reading` is one that has just finished, `sure` what the trigger's score lets an alarm ask for.
    """
    own, slow, newest = state.error_streak.bad, state.slow_streak.bad, state.newest
    if newest is None or not (own or slow or state.shared_streak.bad or state.slow_shared_streak.bad):
        return
    wanted = readings_wanted(playbook)
    if reading is not None and reading.error_rate is Colour.RED:
        if not reading.shared:
            yield from _once(state, reading, playbook)
        elif own + state.shared_streak.bad >= wanted:
            yield Found(AlarmKind.SHARED, Level.TELL, reading.until, _error_facts(state, reading, playbook))
    rule = playbook.rule(Situation.ERROR_RATE_IN_A_ROW)
    if rule is not None and own >= rule.readings and not shared_by_score and not newest.shared:
        yield Found(AlarmKind.ERROR_RATE_IN_A_ROW, sure, seen.until, _error_facts(state, newest, playbook))
    if slow >= wanted and not slow_shared_by_score and not newest.slow_shared:
        yield Found(AlarmKind.RESPONSE_TIME, Level.RECOMMEND, seen.until, _p95_facts(state, newest, playbook))
    if reading is not None and reading.slow_shared and slow + state.slow_shared_streak.bad >= wanted:
        yield Found(AlarmKind.SHARED, Level.TELL, reading.until, _p95_facts(state, reading, playbook))


def _once(state: JudgeState, reading: Concluded, playbook: Playbook) -> Iterator[Found]:
    rule = playbook.rule(Situation.ERROR_RATE_ONCE)
    if rule is not None and state.error_streak.bad >= rule.readings:
        facts = _error_facts(state, reading, playbook)
        yield Found(AlarmKind.ERROR_RATE_ONCE, Level.TELL, reading.until, facts)


def _error_facts(state: JudgeState, reading: Concluded, playbook: Playbook) -> dict[str, Any]:
    facts = _facts(reading) | {
        "metric": Metric.ERROR_RATE.value,
        "value": _rounded(reading.error_percent),
        "limit": playbook.thresholds.error_rate_percent.red_above,
        "errors": reading.errors,
        "stable_value": _rounded(reading.stable_error_percent),
        "in_a_row": state.error_streak.bad,
        "readings": readings_wanted(playbook),
        "score_percent": state.score_percent,
        "trigger_percent": state.trigger_percent,
    }
    if reading.shared:
        facts["stable_is_bad"] = round(reading.stable_errors / reading.stable_requests, 4)
    return facts


def _p95_facts(state: JudgeState, reading: Concluded, playbook: Playbook) -> dict[str, Any]:
    return _facts(reading) | {
        "metric": Metric.P95.value,
        "value": _rounded(reading.p95_ms),
        "limit": playbook.thresholds.p95_ms.red_above,
        "stable_value": _rounded(reading.stable_p95_ms),
        "in_a_row": state.slow_streak.bad,
        "readings": readings_wanted(playbook),
    }


def _facts(reading: Concluded) -> dict[str, Any]:
    return {
        "source": reading.source.value,
        "since": reading.since.isoformat(),
        "until": reading.until.isoformat(),
        "requests": reading.requests,
        "stable_requests": reading.stable_requests,
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)
