"""How a target stands: who serves, whether it is settled, the numbers, and what is going on."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from bot.domain.ids import IncidentNumber, PersonId, TargetName
from bot.domain.readings import Reading
from bot.domain.rollback import RollbackState


@dataclass(frozen=True, kw_only=True)
class ServingLine:
    """Who serves how much, percent, as observed; `role` is ``canary``, ``stable`` or empty."""

    name: str
    percent: int
    role: str


@dataclass(frozen=True, kw_only=True)
class RollbackLine:
    """The newest rollback of a target. `at` is aware, UTC."""

    state: RollbackState
    by: PersonId
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Postponed:
    """A follow-up that asks not to deploy yet: since when (aware, UTC), and who has it."""

    incident: IncidentNumber
    titles: Mapping[str, str]
    since: datetime
    owner: PersonId | None = None


@dataclass(frozen=True, kw_only=True)
class Status:
    """Everything ``/canary status`` says. `problem` is set when Cloud Run could not be read.

    `seen_at` (aware, UTC) is set where nobody was asked anew: it is when the watch's newest number is
    from. `silent` are the sources that the watch cannot read, by name, with why.
    """

    target: TargetName
    read_at: datetime
    serving: tuple[ServingLine, ...] = ()
    settled: bool = False
    last_modifier: str = ""
    readings: tuple[Reading, ...] = ()
    incident: IncidentNumber | None = None
    rollback: RollbackLine | None = None
    problem: str | None = None
    postponed: tuple[Postponed, ...] = ()
    seen_at: datetime | None = None
    silent: tuple[tuple[str, str], ...] = ()
