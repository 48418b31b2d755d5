"""An incident: a number, a target, what kind of failure, how bad, and what people add to it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from bot.domain.flags import Colour, Flag
from bot.domain.ids import IncidentNumber, PersonId, TargetName
from bot.domain.readings import Metric, Side


class Severity(StrEnum):
    """Source: guide, "The failure record"."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class FailureType(StrEnum):
    """Source: guide, "The failure record"."""

    ERROR_RATE = "error_rate"
    RESPONSE_TIME = "response_time"
    MEMORY = "memory"
    DATA_LOSS = "data_loss"
    OTHER = "other"


class IncidentState(StrEnum):
    """An incident is open until a person closes it."""

    OPEN = "open"
    CLOSED = "closed"


@dataclass(frozen=True, kw_only=True)
class FromPeople:
    """What only people know. None and the empty string mean: not filled in yet, shown as such."""

    cause: str = ""
    users_affected: int | None = None
    data_loss: bool | None = None
    down_minutes: int | None = None
    actions: str = ""
    improvements: str = ""
    by: PersonId | None = None
    at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Incident:
    """One failure of one target. `deployed_at` is when the canary's revision was created (UTC)."""

    number: IncidentNumber
    target: TargetName
    state: IncidentState
    severity: Severity
    failure_type: FailureType
    opened_at: datetime
    opened_by: PersonId
    playbook_version: str
    deployed_at: datetime | None = None
    closed_at: datetime | None = None
    people: FromPeople = field(default_factory=FromPeople)
    edition: int = 0


#: Which failure a red (or else yellow) flag of the canary points to. Memory first: the guide calls
#: it a crisis. CPU has no failure type of its own in the guide's record.
_POINTS_TO = {
    Metric.MEMORY: FailureType.MEMORY,
    Metric.ERROR_RATE: FailureType.ERROR_RATE,
    Metric.P95: FailureType.RESPONSE_TIME,
}


def first_guess(flags: Iterable[Flag]) -> tuple[FailureType, Severity]:
    """Guess type and severity from the canary's flags; people can correct both in the record.

    Red memory is a crisis in the guide, so Critical; any other red High; yellow Medium; without a
    coloured flag it is "other", Medium: somebody had a reason to roll back.
    """
    canary = [f for f in flags if f.reading.side is Side.CANARY]
    for colour, severity in ((Colour.RED, Severity.HIGH), (Colour.YELLOW, Severity.MEDIUM)):
        seen = {f.reading.metric for f in canary if f.colour is colour}
        for metric, failure in _POINTS_TO.items():
            if metric in seen:
                crisis = metric is Metric.MEMORY and colour is Colour.RED
                return failure, Severity.CRITICAL if crisis else severity
        if seen:
            return FailureType.OTHER, severity
    return FailureType.OTHER, Severity.MEDIUM
