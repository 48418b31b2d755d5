"""One guarded change of a canary short of a rollback: less traffic for it, or more resources.

Source: guide, scenario 2, options B and C. What is still to be written is said in
`bot.domain.change_plan`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from bot.domain.ids import ChangeId, IncidentNumber, PersonId, RevisionName, ServiceName, TargetName
from bot.domain.playbook import Topology
from bot.domain.resources import Resources
from bot.domain.rollback import PinTraffic, SetVariable

#: A change that needs more writes than this is fighting somebody, or Google takes none of them.
MOST_WRITES = 4
#: How long more resources may take, from the first write until the new revision serves.
#: Source: guide, scenario 2, option C: 5 minutes.
RESOURCES_WITHIN = timedelta(minutes=5)


class ChangeKind(StrEnum):
    """What is changed."""

    REDUCE_TRAFFIC = "reduce_traffic"
    ADD_RESOURCES = "add_resources"


class ChangeState(StrEnum):
    """Where a change is."""

    ASKED = "asked"
    REQUESTED = "requested"
    APPLIED = "applied"
    DONE = "done"
    NOT_VERIFIED = "applied_not_verified"
    FAILED = "failed"
    NOTHING_TO_DO = "nothing_to_do"
    UNKNOWN = "unknown_still_checking"
    OVERTAKEN = "overtaken_by_a_rollback"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    REFUSED = "refused"


#: States in which the change holds its target: no other change may start, a rollback may.
RUNNING_CHANGE = frozenset({ChangeState.REQUESTED, ChangeState.APPLIED, ChangeState.UNKNOWN})
#: States nothing follows.
ENDED_CHANGE = frozenset(ChangeState) - RUNNING_CHANGE - {ChangeState.ASKED}

#: Where a change may go next. UNKNOWN is left as soon as Cloud Run can be read again.
NEXT_CHANGE_STATES: Mapping[ChangeState, frozenset[ChangeState]] = {
    ChangeState.ASKED: frozenset(
        {
            ChangeState.REQUESTED,
            ChangeState.CANCELLED,
            ChangeState.EXPIRED,
            ChangeState.REFUSED,
            ChangeState.FAILED,
        }
    ),
    ChangeState.REQUESTED: frozenset(
        {
            ChangeState.APPLIED,
            ChangeState.NOTHING_TO_DO,
            ChangeState.FAILED,
            ChangeState.UNKNOWN,
            ChangeState.OVERTAKEN,
        }
    ),
    ChangeState.APPLIED: frozenset(
        {
            ChangeState.DONE,
            ChangeState.NOTHING_TO_DO,
            ChangeState.NOT_VERIFIED,
            ChangeState.FAILED,
            ChangeState.UNKNOWN,
            ChangeState.OVERTAKEN,
        }
    ),
    ChangeState.UNKNOWN: frozenset(
        {
            ChangeState.APPLIED,
            ChangeState.NOTHING_TO_DO,
            ChangeState.NOT_VERIFIED,
            ChangeState.FAILED,
            ChangeState.OVERTAKEN,
        }
    ),
}


@dataclass(frozen=True, kw_only=True)
class ChangePlan:
    """What a change will do, from what to what, in names a person can check before pressing the button.

    `service` is where the first write goes. `percent` is the canary's share when the plan was made
    (of its own service, where resources are added on topology ``services``). On topology
    ``revisions`` `canary` and `stable` are revisions; on ``services`` they are services, and
    `variable` is the router's. Where resources are added, `before` are the limits as they were,
    `replaces` is the revision whose traffic the new one takes over, `images` are what it runs, and
    `by_name` says that its traffic is given to it by name, so that it has to be moved.
    """

    topology: Topology
    service: ServiceName
    canary: str
    stable: str
    percent: int
    variable: str | None = None
    before: Resources | None = None
    replaces: RevisionName | None = None
    images: tuple[str, ...] = ()
    by_name: bool = False


class CannotWhy(StrEnum):
    """Why a change cannot be made."""

    ROLLBACK_INSTEAD = "rollback_instead"
    NOT_LOWER = "not_lower"
    NO_CANARY = "no_canary"
    UNSURE = "unsure"
    NO_CANARY_SERVICE = "no_canary_service"
    NOT_SERVING = "not_serving"
    NOTHING_ASKED = "nothing_asked"
    UNREADABLE = "unreadable"
    NOT_MORE = "not_more"
    TOO_MUCH = "too_much"
    NOT_ALLOWED = "not_allowed"
    NEEDS_CPU = "needs_cpu"
    NEEDS_MEMORY = "needs_memory"
    MIN_ABOVE_MAX = "min_above_max"
    CHANGED = "changed"
    TOO_LATE = "too_late"
    NO_TARGET = "no_target"
    REVISION_FAILED = "revision_failed"


@dataclass(frozen=True)
class CannotChange:
    """Why not, as facts for a sentence.

    `about` names the resource, the revision or the service; `detail` is what there is now, in the
    resource's own unit, or somebody's words, raw; `instead` is what to write instead, or empty.
    """

    why: CannotWhy
    about: str = ""
    detail: str = ""
    instead: str = ""

    def as_problem(self) -> str:
        """Return it as a change keeps it; `detail` comes last, for it may hold anything."""
        return ":".join((self.why.value, self.about, self.instead, self.detail))


def cannot_from(problem: str | None) -> CannotChange | None:
    """Return what `CannotChange.as_problem` kept, None when `problem` is another kind of trouble."""
    parts = (problem or "").split(":", 3)
    if len(parts) != 4 or parts[0] not in set(CannotWhy):
        return None
    return CannotChange(CannotWhy(parts[0]), about=parts[1], instead=parts[2], detail=parts[3])


@dataclass(frozen=True, kw_only=True)
class SplitTraffic:
    """Write: give `shares` (percent, adding to 100) of `service`, by bare name, keeping `tags`."""

    service: ServiceName
    shares: tuple[tuple[RevisionName, int], ...]
    tags: tuple[tuple[str, RevisionName], ...]


@dataclass(frozen=True, kw_only=True)
class SetResources:
    """Write: put what `resources` says into the template of `service`, which makes a new revision."""

    service: ServiceName
    resources: Resources


ChangeWrite = PinTraffic | SetVariable | SplitTraffic | SetResources


@dataclass(frozen=True)
class Written:
    """Nothing is left to write; Cloud Run is still on its way."""


@dataclass(frozen=True)
class Done:
    """Cloud Run is observed to serve what was wanted."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """One request to change a canary, and how far it has come.

    All times are aware, UTC. `percent` is the share wanted for the canary (REDUCE_TRAFFIC), and
    `resources` say what is wanted (ADD_RESOURCES). `plan` holds what was read for the card.
    `problem` is why it ended as it did, for the views. `acting_team` is the workspace the request
    came from.
    """

    id: ChangeId
    kind: ChangeKind
    target: TargetName
    state: ChangeState
    asked_by: PersonId
    asked_at: datetime
    channel: str
    playbook_version: str
    incident: IncidentNumber | None = None
    acting_team: str | None = None
    percent: int | None = None
    resources: Resources | None = None
    plan: ChangePlan | None = None
    decided_by: PersonId | None = None
    requested_at: datetime | None = None
    applied_at: datetime | None = None
    settled_at: datetime | None = None
    ended_at: datetime | None = None
    problem: str | None = None
    writes: int = 0


class IllegalChangeMove(Exception):
    """A change cannot go from `current` to `wanted`."""

    def __init__(self, *, current: ChangeState, wanted: ChangeState) -> None:
        super().__init__(f"a change cannot go from {current} to {wanted}")
        self.current = current
        self.wanted = wanted


def moved_change(change: Change, wanted: ChangeState, *, at: datetime) -> Change:
    """Return a copy in state `wanted`, stamped `at` (aware, UTC) where that state has a time.

    A state that is reached again, after an unknown outcome, keeps its first time. DONE is settled
    and ended at once: it is what was seen.

    Raises:
        IllegalChangeMove: `NEXT_CHANGE_STATES` has no arrow from the current state to `wanted`.
    """
    if wanted not in NEXT_CHANGE_STATES.get(change.state, frozenset()):
        raise IllegalChangeMove(current=change.state, wanted=wanted)
    stamps = [_STAMPS[wanted]] if wanted in _STAMPS else []
    if wanted is ChangeState.DONE:
        stamps.append("settled_at")
    if wanted in ENDED_CHANGE:
        stamps.append("ended_at")
    times: dict[str, Any] = {stamp: getattr(change, stamp) or at for stamp in stamps}
    return replace(change, state=wanted, **times)


_STAMPS = {ChangeState.REQUESTED: "requested_at", ChangeState.APPLIED: "applied_at"}
