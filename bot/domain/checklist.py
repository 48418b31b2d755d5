"""The rollback checklist of one incident: which step is where, by whom, when it is due."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from bot.domain.ids import PersonId


class StepState(StrEnum):
    """Where a step is. Nothing is final: a later mark replaces an earlier one; the timeline keeps both."""

    TODO = "todo"
    DONE = "done"
    SKIPPED = "skipped"
    NOT_OK = "not_ok"


@dataclass(frozen=True, kw_only=True)
class Mark:
    """What was last said of a step. `by` is a person or ``backout``; `why` is theirs, raw and unescaped.

    `evidence` are the JSON facts a machine's mark rests on; `at` is aware, UTC.
    """

    state: StepState
    by: str
    at: datetime
    why: str = ""
    evidence: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Assigned:
    """Who is to do a step, by whose word."""

    owner: PersonId
    by: str
    at: datetime
