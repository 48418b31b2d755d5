"""Preparing a rollback: is this person allowed, is there anything to roll back, what do the numbers say."""

from dataclasses import dataclass, replace
from typing import Any

from bot.domain.faults import CloudFault
from bot.domain.ids import ChannelId, RollbackId
from bot.domain.people import Refusal
from bot.domain.playbook import Permission, Playbook, Target
from bot.domain.rollback import CannotChoose, NothingToRollBack, Plan, Rollback, RollbackState, moved
from bot.domain.timeline import Event
from bot.usecases.authorize import authorize, refusal_facts
from bot.usecases.decide_rollback import request_rollback
from bot.usecases.faults import fault_facts, fault_problem
from bot.usecases.journal import Line, audit
from bot.usecases.look_at_target import Sight, look_at_target, read_numbers
from bot.usecases.ports import (
    Clock,
    Cloud,
    Metrics,
    Notice,
    People,
    Playbooks,
    RequestLog,
    Said,
    Showing,
    Steps,
    Store,
    Transaction,
)


@dataclass(frozen=True, kw_only=True)
class Preparing:
    """What preparing may touch."""

    store: Store
    people: People
    playbooks: Playbooks
    cloud: Cloud
    metrics: Metrics
    requests: RequestLog
    clock: Clock


async def prepare_rollback(id: RollbackId, *, steps: Steps, use: Preparing) -> None:
    """Carry a request from "asked" to a card with a question, to the act (forced), or to a clear no."""
    await steps.step("prepare", lambda: _prepare(id, use), into=str)


async def _prepare(id: RollbackId, use: Preparing) -> str:
    rollback = await use.store.look(lambda tx: tx.rollback(id))
    if rollback.state is not RollbackState.ASKED or rollback.plan or rollback.candidates:
        return "prepared before"
    playbook = use.playbooks.current()
    target = playbook.targets[rollback.target]
    no = await authorize(
        rollback.asked_by,
        Permission.ROLL_BACK,
        acting_team=rollback.acting_team,
        playbook=playbook,
        people=use.people,
    )
    if no is not None:
        return await _refuse(rollback, no, use)
    try:
        sight = await look_at_target(target, cloud=use.cloud)
    except CloudFault as fault:
        return await _end_with_fault(rollback, fault, target, use)
    if isinstance(sight.plan, NothingToRollBack):
        return await _say_nothing_to_do(rollback, sight.plan, use)
    now = use.clock()
    before = await read_numbers(
        target,
        sight.sides,
        metrics=use.metrics,
        requests=use.requests,
        now=now,
        least=playbook.thresholds.min_requests,
    )
    return await _ask_or_act(
        replace(rollback, before=before, deployed_at=sight.deployed_at), sight, playbook, use
    )


async def _ask_or_act(rollback: Rollback, sight: Sight, playbook: Playbook, use: Preparing) -> str:
    now = use.clock()
    plan = sight.plan if isinstance(sight.plan, Plan) else None
    candidates = sight.plan.candidates if isinstance(sight.plan, CannotChoose) else ()
    problem = None if plan else _why_unsure(sight.plan)
    known = replace(rollback, plan=plan, candidates=candidates, problem=problem)
    if plan is None and not candidates:
        known = moved(known, RollbackState.FAILED, at=now)

    def ask(tx: Transaction) -> str:
        if tx.rollback(rollback.id).state is not RollbackState.ASKED:
            return "decided meanwhile"
        tx.save_rollback(known)
        if plan is not None and rollback.forced:
            request_rollback(tx, known, by=known.asked_by, playbook=playbook, at=now)
            return "acting"
        tx.show(Showing.ROLLBACK, rollback.id, channel=ChannelId(rollback.channel))
        return "asking"

    return await use.store.change(ask)


def _why_unsure(plan: object) -> str:
    assert isinstance(plan, CannotChoose)
    return f"{plan.why}:{plan.detail}"


async def _refuse(rollback: Rollback, no: Refusal, use: Preparing) -> str:
    now = use.clock()

    def refuse(tx: Transaction) -> str:
        tx.save_rollback(moved(rollback, RollbackState.REFUSED, at=now))
        facts = refusal_facts(no) | {"target": rollback.target}
        audit(
            tx,
            Line(
                event=Event.ROLLBACK_REFUSED,
                key=f"refused:{rollback.id}",
                actor=rollback.asked_by,
                facts=facts,
            ),
            at=now,
        )
        tx.tell(_notice(rollback, Said.REFUSED, facts), key=f"refused:{rollback.id}")
        return "refused"

    return await use.store.change(refuse)


async def _say_nothing_to_do(rollback: Rollback, nothing: NothingToRollBack, use: Preparing) -> str:
    now = use.clock()
    facts = {"why": nothing.why.value, "serving": nothing.serving, "target": rollback.target}

    def say(tx: Transaction) -> str:
        ended = moved(rollback, RollbackState.NOTHING_TO_DO, at=now)
        tx.save_rollback(replace(ended, problem=f"{nothing.why}:{nothing.serving}"))
        tx.tell(_notice(rollback, Said.NOTHING_TO_ROLL_BACK, facts), key=f"nothing:{rollback.id}")
        return "nothing to roll back"

    return await use.store.change(say)


async def _end_with_fault(rollback: Rollback, fault: CloudFault, target: Target, use: Preparing) -> str:
    now = use.clock()
    facts = fault_facts(fault, target, changed=False) | {"target": rollback.target}

    def end(tx: Transaction) -> str:
        tx.save_rollback(replace(moved(rollback, RollbackState.FAILED, at=now), problem=fault_problem(fault)))
        tx.tell(_notice(rollback, Said.FAULT, facts), key=f"fault:{rollback.id}")
        return "failed"

    return await use.store.change(end)


def _notice(rollback: Rollback, what: Said, facts: dict[str, Any]) -> Notice:
    return Notice(what=what, person=rollback.asked_by, channel=ChannelId(rollback.channel), facts=facts)
