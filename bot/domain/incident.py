"""An incident: a number, a target, what kind of failure, how bad, and what people add to it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from bot.domain.checklist import Assigned, Mark
from bot.domain.diagnosis import Given
from bot.domain.ids import IncidentNumber, PersonId, TargetName


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

    @property
    def complete(self) -> bool:
        """True once people have filled in what the guide asks and a machine cannot know."""
        known = (self.users_affected, self.data_loss, self.down_minutes)
        return bool(self.cause and self.improvements) and None not in known


@dataclass(frozen=True, kw_only=True)
class Incident:
    """One failure of one target, and everything people and machines have said about it so far.

    Times are aware, UTC. `deployed_at` is when the canary's revision was created, `decided_at` when
    the first rollback was decided (the checklist's minutes count from there), `scenario_at` when the
    scenario was chosen (its clock counts from there). `scenario` and all keys below are those of the
    playbook edition `playbook`, which an incident keeps until its end. `seen` is what people told
    when they declared it, raw. `roles` says who has taken which contact's part; `marks` and
    `assigned` go by the keys of steps: of the checklist, ``clock.…`` of the scenario's clock, and
    ``review.…`` of the cause analysis. `canvas` is the id of the record's canvas in Slack.
    `drill` is the id of the drill it belongs to, empty for a real one.
    """

    number: IncidentNumber
    target: TargetName
    state: IncidentState
    severity: Severity
    failure_type: FailureType
    opened_at: datetime
    opened_by: PersonId
    playbook_version: str
    playbook: str = ""
    scenario: str | None = None
    scenario_at: datetime | None = None
    seen: str = ""
    commander: PersonId | None = None
    roles: Mapping[str, PersonId] = field(default_factory=dict)
    answers: tuple[Given, ...] = ()
    marks: Mapping[str, Mark] = field(default_factory=dict)
    assigned: Mapping[str, Assigned] = field(default_factory=dict)
    deployed_at: datetime | None = None
    decided_at: datetime | None = None
    closed_at: datetime | None = None
    merged_into: IncidentNumber | None = None
    people: FromPeople = field(default_factory=FromPeople)
    edition: int = 0
    canvas: str = ""
    drill: str = ""
