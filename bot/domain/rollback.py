"""One rollback: what it will write, where it may go next, and what its evidence proves.

How a plan is made from what Cloud Run says is in `bot.domain.plan`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from bot.domain.ids import IncidentNumber, PersonId, RevisionName, RollbackId, ServiceName, TargetName
from bot.domain.playbook import Topology
from bot.domain.readings import Reading
from bot.domain.traffic import Revision

#: How long a confirmation card stays good. After that the world has moved on and the person is
#: asked afresh. Source: reference/reliability-and-security.md, T-08.
CARD_GOOD_FOR = timedelta(minutes=15)
#: A rollback that needs more writes than this is fighting somebody: stop and say who.
MOST_WRITES = 4


class RollbackState(StrEnum):
    """Where a rollback is. The states from VERIFIED on are ends."""

    ASKED = "asked"
    REQUESTED = "requested"
    APPLIED = "applied"
    SETTLED = "settled"
    VERIFIED = "verified"
    NOT_VERIFIED = "applied_not_verified"
    FAILED = "failed"
    NOTHING_TO_DO = "nothing_to_roll_back"
    UNKNOWN = "unknown_still_checking"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    REFUSED = "refused"


#: States in which the rollback holds its target: nobody else may start one.
RUNNING = frozenset(
    {RollbackState.REQUESTED, RollbackState.APPLIED, RollbackState.SETTLED, RollbackState.UNKNOWN}
)
#: States nothing follows.
ENDED = frozenset(RollbackState) - RUNNING - {RollbackState.ASKED}

#: Where a rollback may go next. UNKNOWN is left as soon as Cloud Run can be read again.
NEXT_STATES: Mapping[RollbackState, frozenset[RollbackState]] = {
    RollbackState.ASKED: frozenset(
        {
            RollbackState.REQUESTED,
            RollbackState.CANCELLED,
            RollbackState.EXPIRED,
            RollbackState.REFUSED,
            RollbackState.NOTHING_TO_DO,
            RollbackState.FAILED,
        }
    ),
    RollbackState.REQUESTED: frozenset(
        {RollbackState.APPLIED, RollbackState.NOTHING_TO_DO, RollbackState.FAILED, RollbackState.UNKNOWN}
    ),
    RollbackState.APPLIED: frozenset(
        {RollbackState.SETTLED, RollbackState.NOT_VERIFIED, RollbackState.FAILED, RollbackState.UNKNOWN}
    ),
    RollbackState.SETTLED: frozenset({RollbackState.VERIFIED, RollbackState.NOT_VERIFIED}),
    RollbackState.UNKNOWN: frozenset(
        {RollbackState.APPLIED, RollbackState.SETTLED, RollbackState.FAILED, RollbackState.NOT_VERIFIED}
    ),
}


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a rollback will do, in names a person can check before pressing the button.

    On topology ``revisions`` `canary` and `stable` are revisions of `service`; on ``services`` they
    are services, and `service` is the router whose `variable` goes to 0. `canary_percent` is the
    canary's share when the plan was made.
    """

    topology: Topology
    service: ServiceName
    canary: str
    stable: str
    canary_percent: int
    variable: str | None = None


class NothingWhy(StrEnum):
    """Why there is nothing to roll back."""

    NO_SPLIT = "no_split"
    ALREADY_AT_ZERO = "already_at_zero"


@dataclass(frozen=True)
class NothingToRollBack:
    """The canary gets no traffic; `serving` (revision or service) has all of it."""

    why: NothingWhy
    serving: str


class UnsureWhy(StrEnum):
    """Why a plan cannot be made without a person."""

    CANARY_HAS_EVERYTHING = "canary_has_everything"
    TIE = "tie"
    STABLE_MISSING = "stable_missing"
    STABLE_NOT_READY = "stable_not_ready"
    VARIABLE_UNREADABLE = "variable_unreadable"


@dataclass(frozen=True)
class CannotChoose:
    """Which revision is stable cannot be told; `candidates` are ready revisions, newest first."""

    why: UnsureWhy
    detail: str
    candidates: tuple[Revision, ...] = ()


@dataclass(frozen=True, kw_only=True)
class PinTraffic:
    """Write: 100 % of `service` to `revision`, by bare name, keeping `tags`."""

    service: ServiceName
    revision: RevisionName
    tags: tuple[tuple[str, RevisionName], ...]


@dataclass(frozen=True, kw_only=True)
class SetVariable:
    """Write: environment `variable` of `service` to `value`, on a new revision."""

    service: ServiceName
    variable: str
    value: str


Write = PinTraffic | SetVariable


class Verdict(StrEnum):
    """What one piece of evidence says."""

    PROVEN = "proven"
    DISPROVEN = "disproven"
    INCONCLUSIVE = "inconclusive"


class Proof(StrEnum):
    """What a rollback must prove, in the order shown."""

    TRAFFIC = "traffic"
    PROBE = "probe"
    ERROR_RATE = "error_rate"
    P95 = "p95"
    SILENCE = "canary_silence"


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """One proof and what was read for it.

    ``value`` is in the proof's unit: percent on stable (traffic, error rate), ms (P95), failed
    probes (probe), requests that reached the canary (silence); None when nothing could be read.
    ``limit`` is the number it was held against. ``sample`` counts requests. ``until`` is the time of
    the newest data (UTC). ``note`` is one line on what is missing or in doubt.
    """

    proof: Proof
    verdict: Verdict
    source: str
    value: float | None
    limit: float | None
    sample: int
    until: datetime
    note: str | None = None


@dataclass(frozen=True, kw_only=True)
class Rollback:
    """One request to take a canary out of traffic, and how far it has come.

    All times are aware, UTC. `reason` is what the person wrote, raw and unescaped. `before` are the
    readings shown to the person who decided. `twice` says that the canary looked healthy and the
    question was asked once more. `candidates` are the revisions a person may choose as stable when
    the traffic does not tell. `acting_team` is the workspace the request came from.
    """

    id: RollbackId
    target: TargetName
    state: RollbackState
    asked_by: PersonId
    asked_at: datetime
    reason: str
    forced: bool
    channel: str
    playbook_version: str
    acting_team: str | None = None
    twice: bool = False
    plan: Plan | None = None
    candidates: tuple[Revision, ...] = ()
    before: tuple[Reading, ...] = ()
    decided_by: PersonId | None = None
    incident: IncidentNumber | None = None
    deployed_at: datetime | None = None
    requested_at: datetime | None = None
    applied_at: datetime | None = None
    settled_at: datetime | None = None
    ended_at: datetime | None = None
    evidence: tuple[Evidence, ...] = ()
    problem: str | None = None
    writes: int = 0


def outcome(evidence: tuple[Evidence, ...]) -> RollbackState:
    """Return VERIFIED when every proof is there and proven, NOT_VERIFIED otherwise."""
    proven = {e.proof for e in evidence if e.verdict is Verdict.PROVEN}
    return RollbackState.VERIFIED if proven == set(Proof) else RollbackState.NOT_VERIFIED


class IllegalMove(Exception):
    """A rollback cannot go from `current` to `wanted`."""

    def __init__(self, *, current: RollbackState, wanted: RollbackState) -> None:
        super().__init__(f"a rollback cannot go from {current} to {wanted}")
        self.current = current
        self.wanted = wanted


def moved(rollback: Rollback, wanted: RollbackState, *, at: datetime) -> Rollback:
    """Return a copy in state `wanted`, stamped `at` (aware, UTC) where that state has a time.

    A state that is reached again, after an unknown outcome, keeps its first time.

    Raises:
        IllegalMove: `NEXT_STATES` has no arrow from the current state to `wanted`.
    """
    if wanted not in NEXT_STATES.get(rollback.state, frozenset()):
        raise IllegalMove(current=rollback.state, wanted=wanted)
    stamp = _STAMPS.get(wanted, "ended_at" if wanted in ENDED else None)
    times: dict[str, Any] = {stamp: getattr(rollback, stamp) or at} if stamp else {}
    return replace(rollback, state=wanted, **times)


_STAMPS = {
    RollbackState.REQUESTED: "requested_at",
    RollbackState.APPLIED: "applied_at",
    RollbackState.SETTLED: "settled_at",
}
