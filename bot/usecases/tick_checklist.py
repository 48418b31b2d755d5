"""Ticking, or failing, the checklist's steps that the bot can see for itself; a person's word stands."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from bot.domain.checklist import Mark
from bot.domain.guide import Sees, StepPlan
from bot.domain.ids import ChannelId, IncidentNumber
from bot.domain.incident import Incident
from bot.domain.observed import Observed, observed
from bot.domain.playbook import Playbook
from bot.domain.rollback import Evidence, Plan, Proof, Rollback, RollbackState, Verdict
from bot.domain.steps import commander_is_told_at, due_at, marked_by_machine
from bot.domain.timeline import BACKOUT, Event
from bot.usecases.editions import edition_of_incident
from bot.usecases.gather_evidence import evidence_facts
from bot.usecases.journal import Line
from bot.usecases.ports import Showing, Transaction, Workflow
from bot.usecases.show_checklist import show_checklist

#: Which step each proof of a rollback ticks.
PROVES: Mapping[Proof, Sees] = {
    Proof.TRAFFIC: Sees.TRAFFIC_STABLE,
    Proof.ERROR_RATE: Sees.ERROR_RATE,
    Proof.P95: Sees.P95,
}


def begin_checklist(tx: Transaction, rollback: Rollback, *, channel: ChannelId, at: datetime) -> list[Line]:
    """Start the checklist of a rollback just decided: its first tick, its reminders, its watch.

    Returns the timeline's lines, for the caller to write with its own.
    """
    number = rollback.incident
    assert number is not None
    incident = tx.incident(number)
    playbook = edition_of_incident(tx, incident)
    if playbook is None or not playbook.checklist:
        return []
    if incident.decided_at == at:
        remind(tx, incident, playbook)
    watch(tx, number, at=at)
    return tick_checklist(tx, number, [_decided(rollback)], channel=channel, at=at)


def remind(tx: Transaction, incident: Incident, playbook: Playbook) -> None:
    """Set the timers that remind of each phase's steps: their owners first, the commander later."""
    for phase in playbook.checklist:
        due = due_at(incident, phase)
        if due is None:
            continue
        for whom, at in (("owner", due), ("commander", commander_is_told_at(due, phase))):
            tx.wake(
                Workflow.REMIND_CHECKLIST,
                f"{incident.number}:{phase.key}:{whom}",
                at=at,
                incident=str(incident.number),
                phase=phase.key,
                whom=whom,
            )


def watch(
    tx: Transaction,
    number: IncidentNumber,
    *,
    at: datetime,
    span: timedelta | None = None,
    measured_at: datetime | None = None,
) -> None:
    """Let the checklist's watch look at `at`, if there is a checklist.

    Args:
        span: how much log it counts.
        measured_at: when it has last asked Google.
    """
    playbook = edition_of_incident(tx, tx.incident(number))
    if playbook is None or not playbook.checklist:
        return
    more = {"span": str(span.total_seconds())} if span else {}
    if measured_at is not None:
        more["measured_at"] = measured_at.isoformat()
    tx.wake(Workflow.WATCH_CHECKLIST, str(number), at=at, incident=str(number), **more)


def tick_checklist(
    tx: Transaction, number: IncidentNumber, found: Iterable[Observed], *, channel: ChannelId, at: datetime
) -> list[Line]:
    """Mark every step that `found` says something about, and show the cards if anything changed.

    Locks the incident. Returns the timeline's lines, for the caller to write with its own, so that the
    thread gets one message.
    """
    incident = tx.incident(number)
    playbook = edition_of_incident(tx, incident)
    if playbook is None:
        return []
    marks, lines = dict(incident.marks), list[Line]()
    for one in found:
        for step in playbook.steps():
            if step.sees is not one.sees:
                continue
            mark = marked_by_machine(marks.get(step.key), ok=one.ok, facts=one.facts, at=at)
            if mark is not None:
                marks[step.key] = mark
                lines.append(_line(step, mark, one, at=at))
    if lines:
        tx.save_incident(replace(incident, marks=marks))
        tx.show(Showing.BOARD, str(number), channel=channel)
        show_checklist(tx, number, channel=channel)
    return lines


def _line(step: StepPlan, mark: Mark, one: Observed, *, at: datetime) -> Line:
    stays = {"stays": mark.state.value, "whose": mark.by} if mark.by != BACKOUT else {}
    facts = step_facts(step) | {"ok": one.ok, "facts": dict(one.facts)} | stays
    return Line(event=Event.STEP_SEEN, key=f"seen:{step.key}:{one.ok}:{at.isoformat()}", facts=facts)


def step_facts(step: StepPlan) -> dict[str, Any]:
    """Return a step as JSON facts for the timeline, which no playbook is read with."""
    return {"step": step.key, "titles": {"en": step.title.en, "ko": step.title.ko}}


def _decided(rollback: Rollback) -> Observed:
    assert rollback.plan is not None
    return observed(
        Sees.ROLLBACK_DECIDED,
        ok=True,
        by=rollback.decided_by or rollback.asked_by,
        canary=rollback.plan.canary,
        stable=rollback.plan.stable,
    )


def seen_of_rollback(rollback: Rollback, *, before: Rollback) -> list[Observed]:
    """Return what a rollback's next state shows of the checklist's steps.

    Args:
        before: the same rollback as it was stored until now.
    """
    found = []
    if rollback.applied_at is not None and before.applied_at is None and rollback.plan is not None:
        found.append(_executed(rollback.plan))
    if rollback.state is RollbackState.FAILED:
        found.append(observed(Sees.ROLLBACK_EXECUTED, ok=False, outcome=rollback.state.value))
    new = [evidence for evidence in rollback.evidence if evidence not in before.evidence]
    return [*found, *seen_in_evidence(new)]


def _executed(plan: Plan) -> Observed:
    return observed(Sees.ROLLBACK_EXECUTED, ok=True, service=plan.service, stable=plan.stable)


def seen_in_evidence(evidence: Iterable[Evidence]) -> list[Observed]:
    """Return what proofs show of the checklist's steps; an inconclusive one shows nothing."""
    return [
        observed(PROVES[one.proof], ok=one.verdict is Verdict.PROVEN, **evidence_facts(one))
        for one in evidence
        if one.proof in PROVES and one.verdict is not Verdict.INCONCLUSIVE
    ]
