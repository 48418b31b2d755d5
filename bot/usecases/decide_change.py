"""Somebody pressed a button on a change's card: do it, or cancel."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import TypeAdapter

from bot.domain.change import Change, ChangeState, moved_change
from bot.domain.ids import ChangeId, ChannelId, PersonId
from bot.domain.playbook import Permission, Playbook
from bot.domain.rollback import CARD_GOOD_FOR
from bot.domain.timeline import Event
from bot.usecases.accept import accept
from bot.usecases.authorize import Acting, authorize, refusal_facts
from bot.usecases.change_progress import change_facts, change_stands, show_change
from bot.usecases.journal import Line, audit
from bot.usecases.ports import Clock, Notice, Said, Steps, Store, Transaction, Workflow
from bot.usecases.prepare_change import somebody_is_at_it


class ChangeChoice(StrEnum):
    """What a button on the card says."""

    DO_IT = "do_it"
    CANCEL = "cancel"


@dataclass(frozen=True, kw_only=True)
class ChangeDecision:
    """A press of a button."""

    change: ChangeId
    choice: ChangeChoice
    person: PersonId
    acting_team: str | None
    channel: ChannelId


_DECISION = TypeAdapter(ChangeDecision)


async def accept_change_decision(key: str, decision: ChangeDecision, *, store: Store, clock: Clock) -> None:
    """Write the press down, once per `key`, and let a workflow weigh it."""
    written = _DECISION.dump_json(decision).decode()
    id = f"{decision.change}:{key}"
    await accept(key, Workflow.DECIDE_CHANGE, id, store=store, clock=clock, decision=written, key=key)


async def decide_change(arguments: Mapping[str, str], *, steps: Steps, use: Acting) -> None:
    """Weigh one press: of any number, from any replica, exactly one starts the change."""
    decision = _DECISION.validate_json(arguments["decision"])
    await steps.step("decide", lambda: _decide(decision, arguments["key"], use), into=str)


async def _decide(decision: ChangeDecision, key: str, use: Acting) -> str:
    playbook = use.playbooks.current()
    no = await authorize(
        decision.person,
        Permission.CHANGE_CANARY,
        acting_team=decision.acting_team,
        playbook=playbook,
        people=use.people,
    )
    now = use.clock()

    def weigh(tx: Transaction) -> str:
        change = tx.change(decision.change)
        if no is not None:
            facts = refusal_facts(no) | {"target": change.target}
            return _refused(tx, decision, key, facts, at=now)
        if change.state is not ChangeState.ASKED or change.plan is None:
            _tell(tx, decision, key, Said.CHANGE_DECIDED, change_stands(change))
            return "decided before"
        if now - change.asked_at > CARD_GOOD_FOR:
            return _expired(tx, change, decision, key, playbook, at=now)
        if decision.choice is ChangeChoice.CANCEL:
            return _cancelled(tx, change, decision.person, playbook, at=now)
        return _go(tx, change, decision, key, playbook, at=now)

    return await use.store.change(weigh)


def _go(
    tx: Transaction, change: Change, decision: ChangeDecision, key: str, playbook: Playbook, *, at: datetime
) -> str:
    presser = Notice(what=Said.CHANGE_RUNNING, person=decision.person, channel=decision.channel, facts={})
    if somebody_is_at_it(tx, change, key=key, by=presser):
        return "something is running"
    decided = replace(moved_change(change, ChangeState.REQUESTED, at=at), decided_by=decision.person)
    tx.save_change(decided)
    line = Line(
        event=Event.CHANGE_DECIDED,
        key=f"change_decided:{change.id}",
        actor=decision.person,
        facts=change_facts(decided),
    )
    show_change(tx, decided, [line], playbook=playbook, at=at)
    tx.start(Workflow.CHANGE, change.id, change=change.id)
    return "requested"


def _refused(
    tx: Transaction, decision: ChangeDecision, key: str, facts: dict[str, Any], *, at: datetime
) -> str:
    line = Line(event=Event.CHANGE_REFUSED, key=f"refused:{key}", actor=decision.person, facts=facts)
    audit(tx, line, at=at)
    _tell(tx, decision, key, Said.REFUSED, facts)
    return "refused"


def _expired(
    tx: Transaction, change: Change, decision: ChangeDecision, key: str, playbook: Playbook, *, at: datetime
) -> str:
    expired = moved_change(change, ChangeState.EXPIRED, at=at)
    tx.save_change(expired)
    line = Line(event=Event.CHANGE_EXPIRED, key=f"change_ended:{change.id}", facts=change_facts(change))
    show_change(tx, expired, [line], playbook=playbook, at=at)
    _tell(tx, decision, key, Said.CHANGE_EXPIRED, change_facts(change))
    return "expired"


def _cancelled(tx: Transaction, change: Change, by: PersonId, playbook: Playbook, *, at: datetime) -> str:
    cancelled = replace(moved_change(change, ChangeState.CANCELLED, at=at), decided_by=by)
    tx.save_change(cancelled)
    line = Line(
        event=Event.CHANGE_CANCELLED, key=f"change_ended:{change.id}", actor=by, facts=change_facts(change)
    )
    show_change(tx, cancelled, [line], playbook=playbook, at=at)
    if change.incident is None:
        audit(tx, line, at=at)
    return "cancelled"


def _tell(tx: Transaction, decision: ChangeDecision, key: str, what: Said, facts: dict[str, Any]) -> None:
    notice = Notice(what=what, person=decision.person, channel=decision.channel, facts=facts)
    tx.tell(notice, key=f"{what}:{key}")
