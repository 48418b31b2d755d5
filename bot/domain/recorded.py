"""A recorded series as observations, and what was wrong with it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from bot.domain.observation import Observation


class Oddity(StrEnum):
    """What can be wrong with one line, or with one column, of a recorded series."""

    UNREADABLE_TIME = "unreadable_time"
    NO_ZONE = "no_zone"
    TWICE = "twice"
    LATE = "late"
    FUTURE = "future"
    GAP = "gap"
    COUNTER_RESET = "counter_reset"
    COUNTERS_FOUND = "counters_found"
    NOT_A_NUMBER = "not_a_number"
    NO_NUMBER = "no_number"
    NEGATIVE = "negative"
    FRACTION = "fraction"
    MORE_ERRORS = "more_errors"
    MORE_LATENCIES = "more_latencies"
    RATIO = "ratio"
    BYTES = "bytes"
    SECONDS = "seconds"
    BOUNDS_IN_SECONDS = "bounds_in_seconds"
    BAD_LATENCIES = "bad_latencies"
    NO_SIDE = "no_side"
    TOO_MANY_CELLS = "too_many_cells"
    UNKNOWN_COLUMN = "unknown_column"
    GUESSED_CANARY = "guessed_canary"
    NO_STABLE = "no_stable"
    STABLE_MISSING = "stable_missing"
    DISAPPEARED = "disappeared"


@dataclass(frozen=True, kw_only=True)
class Remark:
    """One thing that is odd; `line` counts from 1, and is None where it is about the whole file.

    `facts` are the words and numbers of its sentence: ``column``, ``found``, ``write`` and so on.
    """

    oddity: Oddity
    line: int | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """What a file holds: observations in the order of time, and every remark in the order of the file.

    `step_seconds` is the usual length of a window, `rows` counts the lines with data. `cumulative` says
    that the counts were counters that go on from window to window.
    """

    observations: tuple[Observation, ...]
    remarks: tuple[Remark, ...]
    canary: str
    step_seconds: float
    rows: int
    cumulative: bool


class NoSeries(StrEnum):
    """Why a file cannot be used at all."""

    NO_FILE = "no_file"
    TOO_LARGE = "too_large"
    NOT_TEXT = "not_text"
    EMPTY = "empty"
    BAD_JSON = "bad_json"
    NO_TIME = "no_time"
    NO_COUNTS = "no_counts"
    NO_ROWS = "no_rows"
    WHICH_CANARY = "which_canary"
    UNKNOWN_CANARY = "unknown_canary"
    NO_STEP = "no_step"


class BadSeries(Exception):
    """A file that cannot be used; `why` and `facts` make the sentence."""

    def __init__(self, why: NoSeries, **facts: Any) -> None:
        super().__init__(why.value)
        self.why = why
        self.facts = facts
