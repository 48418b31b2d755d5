"""Where the steps of an incident's checklist stand: state, owner, due time, and whose word counts over whose.

The values an incident keeps are `bot.domain.checklist`'s. Minutes count from the decision to roll back.
Source: guide, "The rollback checklist".
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from bot.domain.checklist import Assigned, Mark, StepState
from bot.domain.guide import PhasePlan, StepPlan
from bot.domain.ids import PersonId
from bot.domain.incident import Incident
from bot.domain.playbook import Playbook
from bot.domain.timeline import BACKOUT

#: States of a step with which nobody need bother any more.
SETTLED = frozenset({StepState.DONE, StepState.SKIPPED})
#: States a person has to give a reason for.
NEEDS_WHY = frozenset({StepState.SKIPPED, StepState.NOT_OK})
#: Under this key a person's mark keeps what the bot has read of the same step: state, at, facts.
BESIDE = "machine"
#: A reminder goes to the commander one more phase later, and never sooner than this.
LEAST_PATIENCE = timedelta(minutes=1)
#: What one card holds: a step weighs 2 and the name of its phase 1. Slack takes 50 blocks a message,
#: and a card's own head and foot need a few of them.
CARD_HOLDS, STEP_WEIGHS, PHASE_WEIGHS = 45, 2, 1


class OwnedBy(StrEnum):
    """Why somebody owns a step."""

    ASSIGNED = "assigned"
    ROLE = "role"
    CONTACT = "contact"
    COMMANDER = "commander"


@dataclass(frozen=True, kw_only=True)
class Owner:
    """Who is to do a step, and why they."""

    person: PersonId
    why: OwnedBy


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step as it stands. `due_at` (aware, UTC) is None before the decision to roll back."""

    plan: StepPlan
    phase: PhasePlan
    mark: Mark | None
    assigned: Assigned | None
    owner: Owner | None
    due_at: datetime | None

    @property
    def key(self) -> str:
        """Its key in the playbook."""
        return self.plan.key

    @property
    def state(self) -> StepState:
        """Where it is; TODO while nobody has said anything."""
        return self.mark.state if self.mark else StepState.TODO

    @property
    def open(self) -> bool:
        """True while somebody has to do something about it."""
        return self.state not in SETTLED

    def overdue(self, *, now: datetime) -> bool:
        """True when it should have been done by `now` (aware, UTC); at its very minute it is not yet."""
        return self.open and self.due_at is not None and now > self.due_at


def steps_of(incident: Incident, playbook: Playbook) -> tuple[Step, ...]:
    """Return every step of the incident's checklist in the playbook's order."""
    return tuple(
        _step(incident, playbook, phase, plan) for phase in playbook.checklist for plan in phase.steps
    )


def step_of(incident: Incident, playbook: Playbook, key: str) -> Step | None:
    """Return the step called `key`, None when the checklist has none of that name."""
    return next((step for step in steps_of(incident, playbook) if step.key == key), None)


def _step(incident: Incident, playbook: Playbook, phase: PhasePlan, plan: StepPlan) -> Step:
    return Step(
        plan=plan,
        phase=phase,
        mark=incident.marks.get(plan.key),
        assigned=incident.assigned.get(plan.key),
        owner=owner_of(incident, playbook, plan),
        due_at=due_at(incident, phase),
    )


def due_at(incident: Incident, phase: PhasePlan) -> datetime | None:
    """Return when the phase's steps should be done (aware, UTC), None before the decision to roll back."""
    if incident.decided_at is None:
        return None
    return incident.decided_at + timedelta(minutes=phase.to_minutes)


def owner_of(incident: Incident, playbook: Playbook, plan: StepPlan) -> Owner | None:
    """Return who is to do a step: whoever it was assigned to, who has the part the plan names, or command."""
    assigned = incident.assigned.get(plan.key)
    if assigned is not None:
        return Owner(person=assigned.owner, why=OwnedBy.ASSIGNED)
    if plan.owner is not None and plan.owner in incident.roles:
        return Owner(person=incident.roles[plan.owner], why=OwnedBy.ROLE)
    contact = playbook.contacts.get(plan.owner) if plan.owner else None
    if contact is not None and contact.user is not None:
        return Owner(person=PersonId(contact.user), why=OwnedBy.CONTACT)
    if incident.commander is not None:
        return Owner(person=incident.commander, why=OwnedBy.COMMANDER)
    return None


def open_steps(incident: Incident, playbook: Playbook) -> tuple[Step, ...]:
    """Return the steps somebody still has to do something about, in the playbook's order."""
    return tuple(step for step in steps_of(incident, playbook) if step.open)


def overdue_steps(incident: Incident, playbook: Playbook, *, now: datetime) -> tuple[Step, ...]:
    """Return the open steps that should have been done by `now` (aware, UTC)."""
    return tuple(step for step in steps_of(incident, playbook) if step.overdue(now=now))


def next_step(incident: Incident, playbook: Playbook) -> Step | None:
    """Return the open step that is due first (it may be overdue), None when nothing is open."""
    waiting = open_steps(incident, playbook)
    return min(waiting, key=lambda step: step.phase.to_minutes) if waiting else None


def phase_now(incident: Incident, playbook: Playbook, *, now: datetime) -> PhasePlan | None:
    """Return the phase whose minutes are running at `now` (aware, UTC), or the next one between two.

    None before the decision to roll back, and None once the last phase's minutes are over.
    """
    if incident.decided_at is None:
        return None
    since = now - incident.decided_at
    running = (phase for phase in playbook.checklist if since < timedelta(minutes=phase.to_minutes))
    return min(running, key=lambda phase: phase.to_minutes, default=None)


def commander_is_told_at(due: datetime, phase: PhasePlan) -> datetime:
    """Return when the commander hears of what is still open: one more phase after it was due."""
    length = timedelta(minutes=phase.to_minutes - phase.from_minutes)
    return due + max(length, LEAST_PATIENCE)


# Who may mark what.


class NotMarked(StrEnum):
    """Why a person's mark changes nothing."""

    FASTER = "faster"
    CHANGED = "changed"
    WHY_NEEDED = "why_needed"


def by_machine(mark: Mark | None) -> bool:
    """True for a mark the bot made, which a person changes only with a reason."""
    return mark is not None and mark.by == BACKOUT and mark.state is not StepState.TODO


def stands(mark: Mark | None) -> bool:
    """True for a person's word, which the bot never changes.

    To take one's own mark back is no word on the step: it is open again, for the bot as well. To take
    the bot's mark back is one, for that needed a reason.
    """
    if mark is None or mark.by == BACKOUT:
        return False
    return mark.state is not StepState.TODO or bool(mark.why)


def seen_mark(mark: Mark | None) -> str:
    """Return a few characters by which a press shows which mark the person was looking at."""
    return f"{int(mark.at.timestamp() * 1000)}" if mark else "0"


def seen_assigned(assigned: Assigned | None) -> str:
    """Return the same for whom a step was assigned to."""
    return f"{int(assigned.at.timestamp() * 1000)}" if assigned else "0"


def marked_by_person(
    mark: Mark | None, wanted: StepState, *, by: PersonId, at: datetime, why: str, seen: str | None
) -> Mark | NotMarked:
    """Return the new mark of a step, or why it stays as it is.

    Args:
        wanted: TODO takes the present mark back.
        at: now, aware, UTC.
        why: the person's reason, raw; empty where they gave none.
        seen: `seen_mark` of what they were looking at; None when they looked at nothing.
    """
    if wanted is (mark.state if mark else StepState.TODO):
        return NotMarked.FASTER
    if seen is not None and seen != seen_mark(mark):
        return NotMarked.CHANGED
    if (wanted in NEEDS_WHY or by_machine(mark)) and not why:
        return NotMarked.WHY_NEEDED
    return Mark(state=wanted, by=by, at=at, why=why, evidence=_kept_beside(mark))


def _kept_beside(mark: Mark | None) -> dict[str, Any]:
    """What the bot had read goes along with a person's mark."""
    if mark is None:
        return {}
    if by_machine(mark):
        return {BESIDE: _beside(mark.state, mark.evidence, at=mark.at)}
    return {key: value for key, value in mark.evidence.items() if key == BESIDE}


def _beside(state: StepState, facts: Mapping[str, Any], *, at: datetime) -> dict[str, Any]:
    return {"state": state.value, "at": at.isoformat(), "facts": dict(facts)}


def marked_by_machine(mark: Mark | None, *, ok: bool, facts: Mapping[str, Any], at: datetime) -> Mark | None:
    """Return what the bot's reading makes of a step, None when it makes no difference.

    A person's word stands: the reading is kept beside it.
    """
    state = StepState.DONE if ok else StepState.NOT_OK
    if machine_state(mark) is state:
        return None
    if mark is not None and stands(mark):
        return replace(mark, evidence={**mark.evidence, BESIDE: _beside(state, facts, at=at)})
    return Mark(state=state, by=BACKOUT, at=at, evidence=facts)


def machine_state(mark: Mark | None) -> StepState | None:
    """Return what the bot last said of a step that still counts, by its mark or beside a person's."""
    if mark is None:
        return None
    if by_machine(mark):
        return mark.state
    beside = mark.evidence.get(BESIDE)
    return StepState(beside["state"]) if beside and stands(mark) else None


# In pieces small enough for one message.

#: A phase with those of its steps that are on the same card.
CardPart = tuple[PhasePlan, tuple[StepPlan, ...]]


def cards(checklist: tuple[PhasePlan, ...]) -> tuple[tuple[CardPart, ...], ...]:
    """Return the checklist dealt out to as many cards as it needs, in order; an empty one needs none."""
    dealt: list[list[CardPart]] = []
    room = 0
    for phase in checklist:
        waiting = phase.steps
        while waiting:
            if room < PHASE_WEIGHS + STEP_WEIGHS:
                dealt.append([])
                room = CARD_HOLDS
            fitting = (room - PHASE_WEIGHS) // STEP_WEIGHS
            dealt[-1].append((phase, waiting[:fitting]))
            room -= PHASE_WEIGHS + STEP_WEIGHS * len(waiting[:fitting])
            waiting = waiting[fitting:]
    return tuple(map(tuple, dealt))
