"""Somebody pressed a button on a rollback's card: roll back, choose the stable revision, or cancel."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import TypeAdapter

from bot.domain.exhibit import Moment
from bot.domain.first_guess import first_guess
from bot.domain.flags import flags, looks_healthy
from bot.domain.ids import ChannelId, IncidentNumber, PersonId, RevisionName, RollbackId
from bot.domain.incident import Incident, IncidentState
from bot.domain.playbook import Permission, Playbook
from bot.domain.readings import Reading
from bot.domain.rollback import CARD_GOOD_FOR, Plan, Rollback, RollbackState, moved
from bot.domain.timeline import Event
from bot.usecases.accept import accept
from bot.usecases.authorize import Acting, authorize, refusal_facts
from bot.usecases.automatics import remember_rollback
from bot.usecases.before_rollback import safety_facts, safety_in, safety_of
from bot.usecases.collect_evidence import start_collecting
from bot.usecases.editions import playbook_of
from bot.usecases.end_alerts import end_alerts_by_rollback
from bot.usecases.give_up_preparing import tell_asker
from bot.usecases.journal import Line, audit, write_lines
from bot.usecases.open_incident import incident_to_join, open_incident
from bot.usecases.ports import (
    Clock,
    Notice,
    Said,
    Showing,
    Steps,
    Store,
    Transaction,
    Workflow,
)
from bot.usecases.show_incident import show_incident
from bot.usecases.tick_checklist import begin_checklist


class Choice(StrEnum):
    """What a button on the card says."""

    ROLL_BACK = "roll_back"
    CANCEL = "cancel"
    STABLE = "stable"


@dataclass(frozen=True, kw_only=True)
class Decision:
    """A press of a button. `stable` is the chosen revision where `choice` is STABLE.

    `all_the_same` says that the person has read why an answer holds the rollback back.
    """

    rollback: RollbackId
    choice: Choice
    person: PersonId
    acting_team: str | None
    channel: ChannelId
    stable: RevisionName | None = None
    all_the_same: bool = False


_DECISION = TypeAdapter(Decision)


async def accept_decision(key: str, decision: Decision, *, store: Store, clock: Clock) -> None:
    """Write the press down, once per `key`, and let a workflow weigh it."""
    written = _DECISION.dump_json(decision).decode()
    id = f"{decision.rollback}:{key}"
    await accept(key, Workflow.DECIDE, id, store=store, clock=clock, decision=written, key=key)


async def decide_rollback(arguments: Mapping[str, str], *, steps: Steps, use: Acting) -> None:
    """Weigh one press: of any number, from any replica, exactly one starts the rollback."""
    decision = _DECISION.validate_json(arguments["decision"])
    await steps.step("decide", lambda: _decide(decision, arguments["key"], use), into=str)


async def _decide(decision: Decision, key: str, use: Acting) -> str:
    playbook = use.playbooks.current()
    no = await authorize(
        decision.person,
        Permission.ROLL_BACK,
        acting_team=decision.acting_team,
        playbook=playbook,
        people=use.people,
    )
    now = use.clock()

    def weigh(tx: Transaction) -> str:
        rollback = tx.rollback(decision.rollback)
        if no is not None:
            facts = refusal_facts(no) | {"target": rollback.target}
            return _refused(tx, decision, key, facts, at=now)
        if rollback.state is not RollbackState.ASKED:
            return _too_late(tx, rollback, decision, key)
        if now - rollback.asked_at > CARD_GOOD_FOR:
            return _expired(tx, rollback, decision, key, at=now)
        if decision.choice is Choice.CANCEL:
            return _cancelled(tx, rollback, decision.person, at=now)
        if decision.choice is Choice.STABLE:
            return _stable_chosen(tx, rollback, decision, key)
        return _go(tx, rollback, decision, key, playbook, at=now)

    return await use.store.change(weigh)


def _go(
    tx: Transaction, rollback: Rollback, decision: Decision, key: str, playbook: Playbook, *, at: datetime
) -> str:
    if rollback.plan is None:
        return "no plan yet"
    running = tx.running_rollback(rollback.target)
    if running is not None:
        _tell(tx, decision, key, Said.ALREADY_RUNNING, who_and_when(running))
        return "another one is running"
    if _held_back(tx, rollback, decision, key, playbook):
        return "held back"
    coloured = flags(rollback.before, playbook.thresholds, now=rollback.asked_at)
    if looks_healthy(coloured) and not rollback.twice:
        tx.save_rollback(replace(rollback, twice=True))
        tx.show(Showing.ROLLBACK, rollback.id, channel=ChannelId(rollback.channel))
        return "asked once more"
    request_rollback(tx, rollback, by=decision.person, playbook=playbook, at=at)
    return "requested"


def _held_back(tx: Transaction, rollback: Rollback, decision: Decision, key: str, playbook: Playbook) -> bool:
    """True when a question comes first, or its answer asks for a second thought: the card shows which."""
    safety = safety_of(tx, rollback.target, playbook)
    if safety is None or not (safety.open or (safety.holds_back and not decision.all_the_same)):
        return False
    tx.show(Showing.ROLLBACK, rollback.id, channel=ChannelId(rollback.channel))
    _tell(tx, decision, key, Said.SAFETY_FIRST if safety.open else Said.HELD_BACK, safety_facts(safety))
    return True


def already_running(
    tx: Transaction, rollback: Rollback, playbook: Playbook, *, by: PersonId, at: datetime
) -> bool:
    """True when another rollback holds the target: `rollback` is dropped and `by` told who is at it."""
    running = tx.running_rollback(rollback.target)
    if running is None:
        return False
    tx.save_rollback(moved(rollback, RollbackState.CANCELLED, at=at))
    told, key = replace(rollback, asked_by=by), f"running:{rollback.id}"
    tell_asker(tx, told, Said.ALREADY_RUNNING, who_and_when(running), playbook, key=key, at=at)
    return True


def request_rollback(
    tx: Transaction, rollback: Rollback, *, by: PersonId, playbook: Playbook, at: datetime
) -> bool:
    """Decide for `rollback`: open or join the incident, write the decision down, start the workflow.

    False when another rollback holds the target: then nothing is started.
    """
    if already_running(tx, rollback, playbook, by=by, at=at):
        return False
    assert rollback.plan is not None
    remember_rollback(tx, rollback, rollback.plan, at=at)
    incident, opened = _incident_for(tx, rollback, playbook, at=at)
    decided = replace(
        moved(rollback, RollbackState.REQUESTED, at=at), decided_by=by, incident=incident.number
    )
    tx.save_rollback(decided)
    if incident.decided_at is None:
        tx.save_incident(replace(incident, decided_at=at))
    channel = ChannelId(playbook.channels.incidents)
    show_incident(tx, incident.number, channel=channel)
    lines = [
        *_opening_lines(decided, rollback.plan, opened=opened),
        *_not_asked(decided, incident, playbook, tx),
    ]
    lines += begin_checklist(tx, decided, channel=channel, at=at)
    write_lines(tx, incident.number, lines, at=at, channel=channel)
    end_alerts_by_rollback(tx, decided, rollback.plan, playbook, at=at)
    tx.show(Showing.ROLLBACK, rollback.id, channel=ChannelId(rollback.channel))
    tx.start(Workflow.ROLLBACK, rollback.id, rollback=rollback.id)
    start_collecting(tx, incident.number, Moment.DECISION, about=rollback.id, rollback=rollback.id, at=at)
    return True


def _incident_for(
    tx: Transaction, rollback: Rollback, playbook: Playbook, *, at: datetime
) -> tuple[Incident, bool]:
    found = incident_to_join(tx, rollback.target, playbook=playbook, at=at)
    if found is not None:
        return found, False
    failure, severity = first_guess(flags(rollback.before, playbook.thresholds, now=rollback.asked_at))
    draft = Incident(
        number=IncidentNumber(0),
        target=rollback.target,
        state=IncidentState.OPEN,
        severity=severity,
        failure_type=failure,
        opened_at=at,
        opened_by=rollback.asked_by,
        playbook_version=playbook.version,
        deployed_at=rollback.deployed_at,
    )
    return open_incident(tx, draft, playbook=playbook, at=at), True


def _opening_lines(rollback: Rollback, plan: Plan, *, opened: bool) -> list[Line]:
    about = {"rollback": rollback.id, "target": rollback.target}
    decider = rollback.decided_by or rollback.asked_by
    incident = Event.INCIDENT_OPENED if opened else Event.INCIDENT_JOINED
    return [
        Line(event=incident, key=f"{incident}:{rollback.id}", actor=rollback.asked_by, facts=about),
        Line(
            event=Event.ROLLBACK_ASKED,
            key=f"asked:{rollback.id}",
            actor=rollback.asked_by,
            facts=about
            | {
                "reason": rollback.reason,
                "forced": rollback.forced,
                "asked_at": rollback.asked_at.isoformat(),
            },
        ),
        *reading_lines(rollback),
        Line(
            event=Event.ROLLBACK_DECIDED,
            key=f"decided:{rollback.id}",
            actor=decider,
            facts=about
            | {
                "canary": plan.canary,
                "stable": plan.stable,
                "canary_percent": plan.canary_percent,
                "forced": rollback.forced,
                "healthy": rollback.twice,
            },
        ),
    ]


def _not_asked(rollback: Rollback, incident: Incident, playbook: Playbook, tx: Transaction) -> list[Line]:
    """Put the question that force did not wait for, in the thread; the diagnosis asks it as well."""
    safety = safety_in(incident, playbook_of(tx, incident, playbook))
    if safety is None or not safety.open:
        return []
    key = f"{Event.SAFETY_NOT_ASKED}:{rollback.id}"
    return [Line(event=Event.SAFETY_NOT_ASKED, key=key, facts=safety_facts(safety))]


def reading_lines(rollback: Rollback) -> list[Line]:
    """Return a timeline line for each number that was read before the decision."""
    return [_reading_line(rollback, reading) for reading in rollback.before if reading.value is not None]


def _reading_line(rollback: Rollback, reading: Reading) -> Line:
    return Line(
        event=Event.READING_BEFORE,
        key=f"before:{rollback.id}:{reading.side}:{reading.metric}",
        facts={
            "metric": reading.metric.value,
            "side": reading.side.value,
            "value": reading.value,
            "sample": reading.sample,
            "source": reading.source.value,
            "until": reading.until.isoformat(),
        },
    )


def _stable_chosen(tx: Transaction, rollback: Rollback, decision: Decision, key: str) -> str:
    """Prepare anew with that revision: what is canary and what its numbers are is read, never guessed."""
    chosen = next((r for r in rollback.candidates if r.name == decision.stable), None)
    if chosen is None or rollback.plan is not None:
        return "not a candidate"
    tx.save_rollback(replace(rollback, candidates=(), problem=None))
    tx.show(Showing.ROLLBACK, rollback.id, channel=ChannelId(rollback.channel))
    tx.start(Workflow.PREPARE, f"{rollback.id}:{key}", rollback=rollback.id, stable=chosen.name)
    return "stable chosen"


def _refused(tx: Transaction, decision: Decision, key: str, facts: dict[str, Any], *, at: datetime) -> str:
    line = Line(event=Event.ROLLBACK_REFUSED, key=f"refused:{key}", actor=decision.person, facts=facts)
    audit(tx, line, at=at)
    _tell(tx, decision, key, Said.REFUSED, facts)
    return "refused"


def _too_late(tx: Transaction, rollback: Rollback, decision: Decision, key: str) -> str:
    _tell(tx, decision, key, Said.ALREADY_DECIDED, who_and_when(rollback))
    return "decided before"


def who_and_when(rollback: Rollback) -> dict[str, Any]:
    """Return how a rollback stands and by whom, as JSON facts for a notice."""
    when = rollback.requested_at or rollback.ended_at or rollback.asked_at
    return {
        "target": rollback.target,
        "state": rollback.state.value,
        "by": rollback.decided_by or rollback.asked_by,
        "at": when.isoformat(),
        "incident": rollback.incident,
    }


def _expired(tx: Transaction, rollback: Rollback, decision: Decision, key: str, *, at: datetime) -> str:
    tx.save_rollback(moved(rollback, RollbackState.EXPIRED, at=at))
    tx.show(Showing.ROLLBACK, rollback.id, channel=ChannelId(rollback.channel))
    _tell(tx, decision, key, Said.CARD_EXPIRED, {"target": rollback.target})
    return "expired"


def _cancelled(tx: Transaction, rollback: Rollback, by: PersonId, *, at: datetime) -> str:
    tx.save_rollback(replace(moved(rollback, RollbackState.CANCELLED, at=at), decided_by=by))
    tx.show(Showing.ROLLBACK, rollback.id, channel=ChannelId(rollback.channel))
    facts = {"target": rollback.target, "rollback": rollback.id}
    audit(
        tx, Line(event=Event.ROLLBACK_CANCELLED, key=f"cancelled:{rollback.id}", actor=by, facts=facts), at=at
    )
    return "cancelled"


def _tell(tx: Transaction, decision: Decision, key: str, what: Said, facts: dict[str, Any]) -> None:
    notice = Notice(what=what, person=decision.person, channel=decision.channel, facts=facts)
    tx.tell(notice, key=f"{what}:{key}")
