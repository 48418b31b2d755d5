"""An alarm: one rule that has just become true of a canary, with the numbers that say so."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple


class AlarmKind(StrEnum):
    """What an alarm is about; the first ones are the guide's own rows."""

    ERROR_RATE_ONCE = "error_rate_once"
    ERROR_RATE_IN_A_ROW = "error_rate_in_a_row"
    DATA_LOSS = "data_loss"
    MEMORY_EXPLOSION = "memory_explosion"
    SERVICE_DOWN = "service_down"
    EARLY_WARNING = "early_warning"
    RESPONSE_TIME = "response_time"
    CPU = "cpu"
    #: Stable is just as bad: people are told, and nothing is rolled back.
    SHARED = "shared"


class Level(StrEnum):
    """How much an alarm asks for, least first."""

    TELL = "tell"
    RECOMMEND = "recommend"
    #: All that acting needs holds, but the score is not quite full: it may be announced, and not begun.
    NEARLY = "nearly"
    #: As sure as an automatic rollback has to be.
    ACT = "act"


#: How much each level asks for, to compare them.
WEIGHT = {level.value: weight for weight, level in enumerate(Level, start=1)}


@dataclass(frozen=True, kw_only=True)
class Alarm:
    """One rule that has just become true, or truer, for `revision`. `at` is the data's time (UTC).

    `before` is the level at which the same was said before, None where it is news.
    `facts` are plain JSON values, those that apply:

    - always: ``metric`` (``error_rate``, ``p95``, ``memory``, ``cpu``, or ``probe`` where the service itself
      is down), ``source`` and ``until`` (ISO) of the data.
    - the number itself: ``value`` and ``limit`` (percent, or ms for P95), ``requests``, ``errors``,
      ``stable_value``, ``stable_requests``; ``since`` (ISO) where a reading began.
    - the guide's streak beside it: ``in_a_row``, and ``readings``, how many the rule wants.
    - the score: ``score_percent`` and ``trigger_percent`` (how full, 0 to 100), ``excess`` (errors, or slow
      requests, beyond the line), ``seconds`` (built up over), ``no_baseline`` (true: stable had no
      traffic to compare with). Of slowness ``slow_percent`` (share slower than ``limit``) and
      ``line_percent`` (the share that is allowed); ``errors`` are the slow requests then.
    - where stable is as bad: ``stable_is_bad`` (its share of bad requests, 0 to 1).
    - a service that is down: ``failures`` (in a row), ``seconds``, ``stable_well`` (true, false, or None:
      was not asked), ``missing`` (requests that should have come and did not), ``problem``,
      ``answers_requests`` (true: users' requests are answered all the same).
    - containers: ``memory`` (percent now), ``percent_per_minute``, ``full_in_seconds``, ``instances``,
      ``memory_median``.
    """

    kind: AlarmKind
    level: Level
    at: datetime
    revision: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    before: Level | None = None


class Found(NamedTuple):
    """A rule that is true at present; it becomes an alarm unless the same was said before."""

    kind: AlarmKind
    level: Level
    at: datetime
    facts: Mapping[str, Any]
