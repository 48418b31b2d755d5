"""Red, yellow and green by the guide's numbers, and grey for whatever cannot be said."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bot.domain.playbook import Thresholds
from bot.domain.readings import Metric, Reading, Side


class Colour(StrEnum):
    """The guide's flags, worst first; GREY means that the reading proves nothing."""

    RED = "red"
    YELLOW = "yellow"
    GREY = "grey"
    GREEN = "green"


class GreyWhy(StrEnum):
    """Why a reading proves nothing."""

    NO_DATA = "no_data"
    SOURCE_FAILED = "source_failed"
    TOO_FEW_REQUESTS = "too_few_requests"
    STALE = "stale"


@dataclass(frozen=True, kw_only=True)
class Flag:
    """The colour of one reading; `why` is set on grey ones."""

    reading: Reading
    colour: Colour
    why: GreyWhy | None = None


def flag(reading: Reading, thresholds: Thresholds, *, now: datetime, min_errors: int = 1) -> Flag:
    """Colour one reading. On a threshold the calmer colour holds (the guide says "> 1.0 %").

    No data, old data and too few requests are grey, never green; but red seen over few requests
    stays grey too, because one error in one request is not a 100 % error rate. An error rate made of
    fewer than `min_errors` errors (the playbook's ``watch.min_errors``) is never red, only yellow.
    """
    why = _grey(reading, thresholds, now=now)
    if why is not None or reading.value is None:
        return Flag(reading=reading, colour=Colour.GREY, why=why)
    limits = thresholds.limits(reading.metric)
    few_errors = reading.errors is not None and reading.errors < min_errors
    if reading.value > limits.red_above and not (reading.metric is Metric.ERROR_RATE and few_errors):
        return Flag(reading=reading, colour=Colour.RED)
    if reading.value > limits.yellow_above:
        return Flag(reading=reading, colour=Colour.YELLOW)
    return Flag(reading=reading, colour=Colour.GREEN)


def _grey(reading: Reading, thresholds: Thresholds, *, now: datetime) -> GreyWhy | None:
    if reading.problem is not None:
        return GreyWhy.SOURCE_FAILED
    if reading.value is None or not (math.isfinite(reading.value) and reading.value >= 0):
        return GreyWhy.NO_DATA  # A number that cannot be compared is none, and must not look calm.
    if reading.age(now=now) > timedelta(seconds=thresholds.stale_after_seconds):
        return GreyWhy.STALE
    counts_requests = reading.metric in (Metric.ERROR_RATE, Metric.P95)
    if counts_requests and reading.sample < thresholds.min_requests:
        return GreyWhy.TOO_FEW_REQUESTS
    return None


#: Worst first, as flags are shown.
_ORDER = {Colour.RED: 0, Colour.YELLOW: 1, Colour.GREY: 2, Colour.GREEN: 3}


def flags(
    readings: Iterable[Reading], thresholds: Thresholds, *, now: datetime, min_errors: int = 1
) -> tuple[Flag, ...]:
    """Colour all readings, the worst first, the canary's before stable's, else in the guide's order."""
    metrics = list(Metric)
    coloured = (flag(reading, thresholds, now=now, min_errors=min_errors) for reading in readings)
    return tuple(
        sorted(
            coloured,
            key=lambda f: (
                _ORDER[f.colour],
                f.reading.side is Side.STABLE,
                metrics.index(f.reading.metric),
            ),
        )
    )


def looks_healthy(coloured: Iterable[Flag]) -> bool:
    """True when the canary's error rate and P95 are green and none of its flags is yellow or red.

    Memory and CPU may be grey (a quiet service leaves no points); error rate and P95 may not.
    """
    canary = [f for f in coloured if f.reading.side is Side.CANARY]
    green = {f.reading.metric for f in canary if f.colour is Colour.GREEN}
    troubled = any(f.colour in (Colour.RED, Colour.YELLOW) for f in canary)
    return {Metric.ERROR_RATE, Metric.P95} <= green and not troubled
