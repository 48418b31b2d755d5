"""Preparing a rollback: is this person allowed, is there anything to roll back, what do the numbers say."""

from dataclasses import dataclass, replace

from bot.domain.faults import CloudFault
from bot.domain.ids import ChannelId, RollbackId
from bot.domain.people import Refusal
from bot.domain.playbook import Permission, Playbook, Target
from bot.domain.readings import Reading
from bot.domain.rollback import CannotChoose, NothingToRollBack, Plan, Rollback, RollbackState, moved
from bot.domain.timeline import Event
from bot.usecases.authorize import authorize, refusal_facts
from bot.usecases.decide_rollback import already_running, request_rollback
from bot.usecases.faults import fault_facts, fault_problem
from bot.usecases.give_up_preparing import is_as_alerted, reopen_alert, tell_asker
from bot.usecases.journal import Line, audit
from bot.usecases.learn_numbers import learn_numbers
from bot.usecases.look_at_target import Sight, look_at_target, read_numbers
from bot.usecases.ports import (
    Clock,
    Cloud,
    Metrics,
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


async def prepare_rollback(
    id: RollbackId, *, steps: Steps, use: Preparing, stable: str | None = None
) -> None:
    """Carry a request from "asked" to a card with a question, to the act (forced), or to a clear no.

    `stable` is the revision a person chose because the traffic did not tell; then they are always
    asked once more, with what was found.
    """
    await steps.step("prepare", lambda: _prepare(id, use, stable), into=str)


async def _prepare(id: RollbackId, use: Preparing, stable: str | None) -> str:
    rollback = await use.store.look(lambda tx: tx.rollback(id))
    if rollback.state is not RollbackState.ASKED or rollback.plan or rollback.candidates:
        return "prepared before"
    playbook = use.playbooks.current()
    target = _with_stable(playbook.targets[rollback.target], stable)
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
    if rollback.forced and stable is None and isinstance(sight.plan, Plan):
        plan = sight.plan
        if await use.store.look(lambda tx: is_as_alerted(tx, rollback, plan)):
            return await _act_at_once(rollback, sight, plan, playbook, use)
        # Somebody has deployed since: what an alert said is no reason to roll that back unasked.
        rollback = replace(rollback, forced=False)
    before = await _numbers(target, sight, playbook, use)
    return await _ask(replace(rollback, before=before), sight, use)


def _with_stable(target: Target, stable: str | None) -> Target:
    """Return the target as if the playbook had named the revision somebody chose."""
    if stable is None:
        return target
    return target.model_copy(update={"stable_revision": stable, "stable_tag": None})


async def _numbers(target: Target, sight: Sight, playbook: Playbook, use: Preparing) -> tuple[Reading, ...]:
    return await read_numbers(
        target,
        sight.sides,
        metrics=use.metrics,
        requests=use.requests,
        now=use.clock(),
        least=playbook.thresholds.min_requests,
    )


async def _act_at_once(
    rollback: Rollback, sight: Sight, plan: Plan, playbook: Playbook, use: Preparing
) -> str:
    """Start the rollback; the numbers never hold the write back, so they are read after it is on its way."""
    now = use.clock()
    known = replace(rollback, plan=plan, deployed_at=sight.deployed_at)

    def act(tx: Transaction) -> bool:
        if tx.rollback(rollback.id).state is not RollbackState.ASKED:
            return False
        return request_rollback(tx, known, by=known.asked_by, playbook=playbook, at=now)

    if not await use.store.change(act):
        return "decided meanwhile"
    target = playbook.targets[rollback.target]
    before = await _numbers(target, sight, playbook, use)
    await use.store.change(lambda tx: learn_numbers(tx, rollback.id, before, playbook, at=use.clock()))
    return "acting"


async def _ask(rollback: Rollback, sight: Sight, use: Preparing) -> str:
    now, playbook = use.clock(), use.playbooks.current()
    plan = sight.plan if isinstance(sight.plan, Plan) else None
    candidates = sight.plan.candidates if isinstance(sight.plan, CannotChoose) else ()
    problem = f"{sight.plan.why}:{sight.plan.detail}" if isinstance(sight.plan, CannotChoose) else None
    known = replace(
        rollback, plan=plan, candidates=candidates, problem=problem, deployed_at=sight.deployed_at
    )
    if plan is None and not candidates:
        known = moved(known, RollbackState.FAILED, at=now)

    def ask(tx: Transaction) -> str:
        if tx.rollback(rollback.id).state is not RollbackState.ASKED:
            return "decided meanwhile"
        if already_running(tx, known, playbook, by=known.asked_by, at=now):
            return "another one is running"
        tx.save_rollback(known)
        reopen_alert(tx, known, "asks_first", playbook, at=now)
        tx.show(Showing.ROLLBACK, rollback.id, channel=ChannelId(rollback.channel))
        return "asking"

    return await use.store.change(ask)


async def _refuse(rollback: Rollback, no: Refusal, use: Preparing) -> str:
    now, playbook = use.clock(), use.playbooks.current()

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
        key = f"refused:{rollback.id}"
        tell_asker(tx, rollback, Said.REFUSED, facts, playbook, key=key, at=now)
        return "refused"

    return await use.store.change(refuse)


async def _say_nothing_to_do(rollback: Rollback, nothing: NothingToRollBack, use: Preparing) -> str:
    now, playbook = use.clock(), use.playbooks.current()
    facts = {"why": nothing.why.value, "serving": nothing.serving, "target": rollback.target}

    def say(tx: Transaction) -> str:
        ended = moved(rollback, RollbackState.NOTHING_TO_DO, at=now)
        tx.save_rollback(replace(ended, problem=f"{nothing.why}:{nothing.serving}"))
        key = f"nothing:{rollback.id}"
        tell_asker(tx, rollback, Said.NOTHING_TO_ROLL_BACK, facts, playbook, key=key, at=now)
        return "nothing to roll back"

    return await use.store.change(say)


async def _end_with_fault(rollback: Rollback, fault: CloudFault, target: Target, use: Preparing) -> str:
    now, playbook = use.clock(), use.playbooks.current()
    facts = fault_facts(fault, target, changed=False) | {"target": rollback.target}

    def end(tx: Transaction) -> str:
        tx.save_rollback(replace(moved(rollback, RollbackState.FAILED, at=now), problem=fault_problem(fault)))
        key = f"fault:{rollback.id}"
        tell_asker(tx, rollback, Said.FAULT, facts, playbook, key=key, at=now)
        return "failed"

    return await use.store.change(end)
