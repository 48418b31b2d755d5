"""What of an observation makes sense: counts that can be, times that go forward, each point once."""

import math
from datetime import datetime
from enum import StrEnum

from bot.domain.judge_state import JudgeState
from bot.domain.observation import Gauges, Observation, Tally

#: No service of ours answers so many requests in a bucket; more is a counter that has gone astray.
MOST_REQUESTS = 10**12
#: A container may use a little more than it was promised; nothing is five times as full.
MOST_PERCENT = 500.0


class Ignored(StrEnum):
    """Why an observation, or a part of it, was left out."""

    TWICE = "twice"
    LATE = "late"
    OVERLAPS = "overlaps"
    OTHER_REVISION = "other_revision"
    NO_LENGTH = "no_length"
    NOT_A_NUMBER = "not_a_number"
    NEGATIVE = "negative"
    TOO_LARGE = "too_large"
    MORE_ERRORS_THAN_REQUESTS = "more_errors_than_requests"
    MORE_LATENCIES_THAN_REQUESTS = "more_latencies_than_requests"
    NO_PERCENTAGE = "no_percentage"


def wrong_time(seen: Observation, until: datetime | None) -> Ignored | None:
    """Return why counts of this window cannot be added to those up to `until`, None when they can."""
    if seen.until <= seen.since:
        return Ignored.NO_LENGTH
    if until is None or seen.since >= until:
        return None
    if seen.until == until:
        return Ignored.TWICE
    return Ignored.LATE if seen.until < until else Ignored.OVERLAPS


def wrong_count(tally: Tally) -> Ignored | None:
    """Return what is wrong with a side's counts, None when they can be."""
    if 0 <= tally.errors <= tally.requests < MOST_REQUESTS:
        return _wrong_latencies(tally) if tally.latencies else None
    if tally.requests != tally.requests or tally.errors != tally.errors:
        return Ignored.NOT_A_NUMBER
    if tally.requests < 0 or tally.errors < 0:
        return Ignored.NEGATIVE
    return Ignored.TOO_LARGE if tally.requests >= MOST_REQUESTS else Ignored.MORE_ERRORS_THAN_REQUESTS


def _wrong_latencies(tally: Tally) -> Ignored | None:
    timed = 0
    for _, count in tally.latencies:
        if not count >= 0:
            return Ignored.NEGATIVE if count < 0 else Ignored.NOT_A_NUMBER
        timed += count
    return Ignored.MORE_LATENCIES_THAN_REQUESTS if timed > tally.requests else None


def percent_of(value: float | None) -> float | None:
    """Return `value` where it can be a percentage, else None."""
    return value if value is not None and math.isfinite(value) and 0 <= value <= MOST_PERCENT else None


def wrong_gauges(gauges: Gauges) -> Ignored | None:
    """Return what is wrong with a side's gauges, None when they can be."""
    for value in (gauges.memory, gauges.cpu):
        if value is not None and percent_of(value) is None:
            return Ignored.NO_PERCENTAGE if math.isfinite(value) else Ignored.NOT_A_NUMBER
    return None


def is_late_for(state: JudgeState, seen: Observation) -> bool:
    """Return True for a point of another revision from before what was weighed already."""
    return state.until is not None and seen.until <= state.until
