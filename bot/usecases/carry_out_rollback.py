"""The rollback itself: read the world, write what is still needed, watch it settle, prove it.

Every step reads before it acts, so it can run twice: what was written once is seen and not written
again. Progress is shown by editing one message; nothing is called done that was not seen done.
"""

import asyncio
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from bot.domain.faults import OUTCOME_UNKNOWN, CloudFault
from bot.domain.ids import RollbackId
from bot.domain.people import AUTOMATICS
from bot.domain.plan import has_settled, make_plan, next_write, stable_is_ready
from bot.domain.playbook import Playbook, Target, Topology
from bot.domain.rollback import (
    ENDED,
    MOST_WRITES,
    NothingToRollBack,
    PinTraffic,
    Plan,
    Rollback,
    RollbackState,
    SetVariable,
    Write,
    outcome,
)
from bot.domain.timeline import Event
from bot.domain.traffic import TargetState
from bot.usecases.ask_for_rollback import again_id
from bot.usecases.faults import fault_problem
from bot.usecases.gather_evidence import Gathering, gather_evidence, traffic_evidence
from bot.usecases.journal import Line
from bot.usecases.patient_look import FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS, look_patiently
from bot.usecases.ports import (
    Clock,
    Cloud,
    Playbooks,
    Prober,
    RequestLog,
    Steps,
    Store,
    Transaction,
    Workflow,
)
from bot.usecases.rollback_progress import Pause, Progress

#: After this long without an answer the bot stops asking; until then the message carries the line by hand.
GIVE_UP_AFTER = timedelta(hours=1)


@dataclass(frozen=True, kw_only=True)
class CarryingOut:
    """What carrying out may touch."""

    store: Store
    playbooks: Playbooks
    cloud: Cloud
    requests: RequestLog
    prober: Prober
    clock: Clock
    pause: Pause = asyncio.sleep


async def carry_out_rollback(id: RollbackId, *, steps: Steps, use: CarryingOut) -> None:
    """Take a decided rollback to one of its ends."""
    doing = _Doing(id, use)
    for name, part in (
        ("guard", doing.guard),
        ("apply", doing.apply),
        ("settle", doing.settle),
        ("confirm", doing.confirm),
    ):
        if RollbackState(await steps.step(name, part, into=str)) in ENDED:
            return


class _Doing:
    """One rollback under way. Methods return the state they leave it in."""

    def __init__(self, id: RollbackId, use: CarryingOut) -> None:
        self._id = id
        self._use = use
        self._progress = Progress(
            id, store=use.store, playbooks=use.playbooks, clock=use.clock, pause=use.pause
        )

    async def guard(self) -> str:
        """Read the world once more: is what was approved still what would be done?"""
        rollback = await self._progress.read()
        if rollback.state is not RollbackState.REQUESTED or rollback.writes:
            return rollback.state
        state = await self._look(rollback)
        if state is None:
            return (await self._progress.read()).state
        fresh = make_plan(self._target(rollback), state)
        if isinstance(fresh, NothingToRollBack):
            return await self._progress.end(rollback, RollbackState.NOTHING_TO_DO, self._somebody_else(state))
        approved = _plan(rollback)
        if not stable_is_ready(approved, state):
            return await self._ask_again(rollback, state)
        same = not isinstance(fresh, Plan) or _names(fresh) == _names(approved)
        if not same and not (rollback.forced and rollback.asked_by != AUTOMATICS):
            return await self._ask_again(rollback, state)
        return rollback.state

    async def apply(self) -> str:
        """Write until nothing is left to write."""
        rollback = await self._progress.read()
        while rollback.state in (RollbackState.REQUESTED, RollbackState.UNKNOWN):
            state = await self._look(rollback)
            if state is None:
                return (await self._progress.read()).state
            rollback = await self._progress.read()
            if rollback.state not in (RollbackState.REQUESTED, RollbackState.UNKNOWN):
                continue  # Another process has gone on meanwhile.
            wanted = next_write(_plan(rollback), state)
            if wanted is None:
                rollback = await self._progress.move(
                    rollback, RollbackState.APPLIED, _applied_line(rollback, state)
                )
            else:
                rollback = await self._write(rollback, wanted, state)
        return rollback.state

    async def settle(self) -> str:
        """Watch Cloud Run until it serves what was asked for, and answer whoever changes it meanwhile."""
        rollback = await self._progress.read()
        started = rollback.applied_at or self._use.clock()
        limit = timedelta(seconds=self._playbook().verification.settle_within_seconds)
        while rollback.state in (RollbackState.APPLIED, RollbackState.UNKNOWN):
            state = await self._look(rollback)
            if state is None:
                return (await self._progress.read()).state
            rollback = await self._progress.read()
            if rollback.state is RollbackState.UNKNOWN:
                rollback = await self._progress.move(rollback, RollbackState.APPLIED, None)
            if rollback.state is not RollbackState.APPLIED:
                continue  # Another process has gone on meanwhile.
            plan = _plan(rollback)
            wanted = next_write(plan, state)
            if wanted is not None and _undone_by_somebody(rollback, wanted, plan):
                return await self._give_way(rollback, state)
            if wanted is not None:
                rollback = await self._write(rollback, wanted, state)
            elif has_settled(plan, state):
                line = Line(event=Event.SETTLED, key=f"settled:{rollback.id}", facts={"rollback": self._id})
                rollback = await self._progress.move(rollback, RollbackState.SETTLED, line)
            elif self._use.clock() - started > limit:
                return await self._not_settled(rollback, state)
            else:
                await self._progress.wait(rollback)
        return rollback.state

    async def confirm(self) -> str:
        """Read the evidence on stable and end with a verdict."""
        rollback = await self._progress.read()
        if rollback.state is not RollbackState.SETTLED:
            return rollback.state
        gathering = Gathering(
            cloud=self._use.cloud, requests=self._use.requests, prober=self._use.prober, clock=self._use.clock
        )
        evidence = await gather_evidence(
            self._target(rollback),
            rollback,
            self._playbook(),
            use=gathering,
            waiting=lambda: self._progress.wait(rollback),
        )
        proven = replace(rollback, evidence=evidence)
        return await self._progress.end(proven, outcome(evidence), None)

    # What the parts share.

    def _playbook(self) -> Playbook:
        return self._use.playbooks.current()

    def _target(self, rollback: Rollback) -> Target:
        return self._playbook().targets[rollback.target]

    async def _look(self, rollback: Rollback) -> TargetState | None:
        """Return what Cloud Run says; None when that ended the rollback.

        While Google does not answer it is asked again and again, first quickly; the state turns
        to "unknown, still checking" so that nobody believes more than is known.
        """
        try:
            return await look_patiently(
                lambda: self._use.cloud.look(self._target(rollback)),
                give_up_after=GIVE_UP_AFTER,
                unknown=self._unknown,
                clock=self._use.clock,
                pause=self._use.pause,
            )
        except CloudFault as fault:
            await self._end_with_fault(await self._progress.read(), fault)
            return None

    async def _unknown(self, fault: CloudFault) -> None:
        rollback = await self._progress.read()
        if rollback.state is RollbackState.UNKNOWN:
            return
        line = _unknown_line(f"unknown:{rollback.id}:{rollback.writes}", fault)
        await self._progress.move(
            replace(rollback, problem=fault_problem(fault)), RollbackState.UNKNOWN, line
        )

    async def _write(self, rollback: Rollback, write: Write, state: TargetState) -> Rollback:
        """Write the intent down, then write to Cloud Run. An unknown outcome is left to the next look."""
        if rollback.writes >= MOST_WRITES:
            # Either Google never took a write, or it did and somebody else wrote after each one.
            problem = rollback.problem or f"fighting:{state.switch.last_modifier}"
            await self._progress.end(replace(rollback, problem=problem), RollbackState.FAILED, None)
            return await self._progress.read()
        counted = await self._intend(rollback, write, state)
        if counted is None:
            return await self._progress.read()
        try:
            await self._use.cloud.write(self._target(rollback), write, state=state)
        except CloudFault as fault:
            if fault.kind not in OUTCOME_UNKNOWN:
                await self._end_with_fault(counted, fault)
                return await self._progress.read()
            key = f"write_unknown:{rollback.id}:{counted.writes}"
            counted = replace(counted, problem=fault_problem(fault))
            await self._progress.save(counted, [_unknown_line(key, fault)], after=counted)
            await self._use.pause(min(FIRST_PAUSE_SECONDS * 2**counted.writes, LONGEST_PAUSE_SECONDS))
        return counted

    async def _intend(self, rollback: Rollback, write: Write, state: TargetState) -> Rollback | None:
        """Write down what will be written; None when another process has gone on, so that it must not be."""
        counted = replace(rollback, writes=rollback.writes + 1)
        lines = [
            Line(
                event=Event.WRITE_SENT,
                key=f"write:{rollback.id}:{counted.writes}",
                facts=_write_facts(write) | {"generation": state.switch.generation},
            )
        ]
        if rollback.applied_at is not None and _is_the_point(write, _plan(rollback)):
            # We had seen it applied, and now it is not: somebody else has written since.
            who = f"google:{state.switch.last_modifier}"
            key = f"other:{rollback.id}:{counted.writes}"
            lines.insert(0, Line(event=Event.OTHER_WRITER, key=key, actor=who))
        return counted if await self._progress.save(counted, lines, after=rollback) else None

    def _somebody_else(self, state: TargetState) -> Line:
        return Line(
            event=Event.WRITE_NOT_NEEDED,
            key=f"not_needed:{self._id}",
            actor=f"google:{state.switch.last_modifier}",
            facts={"rollback": self._id},
        )

    async def _give_way(self, rollback: Rollback, state: TargetState) -> str:
        """End: the bot never undoes what a person did, so what it has done by itself it does once."""
        who = f"google:{state.switch.last_modifier}"
        line = Line(event=Event.OTHER_WRITER, key=f"other:{rollback.id}:{rollback.writes}", actor=who)
        stopped = replace(rollback, problem=f"fighting:{state.switch.last_modifier}")
        return await self._progress.end(stopped, RollbackState.FAILED, line)

    async def _not_settled(self, rollback: Rollback, state: TargetState) -> str:
        evidence = traffic_evidence(_plan(rollback), state)
        return await self._progress.end(
            replace(rollback, evidence=(evidence,)), RollbackState.NOT_VERIFIED, None
        )

    async def _end_with_fault(self, rollback: Rollback, fault: CloudFault) -> None:
        ending = RollbackState.NOT_VERIFIED if rollback.applied_at else RollbackState.FAILED
        line = Line(
            event=Event.FAULT,
            key=f"fault:{rollback.id}",
            facts={"doing": fault.doing, "kind": fault.kind.value, "detail": fault.detail[:500]},
        )
        await self._progress.end(replace(rollback, problem=fault_problem(fault)), ending, line)

    async def _ask_again(self, rollback: Rollback, state: TargetState) -> str:
        """What was approved is no longer what would be done: stop, say who changed it, ask afresh."""
        anew = Rollback(
            id=again_id(rollback.id),
            target=rollback.target,
            state=RollbackState.ASKED,
            asked_by=rollback.asked_by,
            asked_at=self._use.clock(),
            reason=rollback.reason,
            forced=False,
            channel=rollback.channel,
            playbook_version=rollback.playbook_version,
            acting_team=rollback.acting_team,
        )

        def ask(tx: Transaction) -> None:
            tx.add_rollback(anew)
            tx.start(Workflow.PREPARE, anew.id, rollback=anew.id)

        stopped = replace(rollback, problem=f"changed:{state.switch.last_modifier}")
        line = self._somebody_else(state)
        return await self._progress.end(stopped, RollbackState.FAILED, line, also=ask)


def _plan(rollback: Rollback) -> Plan:
    if rollback.plan is None:
        raise ValueError(f"rollback {rollback.id} was decided without a plan")
    return rollback.plan


def _names(plan: Plan) -> tuple[str, str]:
    return plan.canary, plan.stable


def _is_the_point(write: Write, plan: Plan) -> bool:
    """True for the write that takes the canary out, False for moving a pinned router after it."""
    return isinstance(write, SetVariable) or plan.topology is Topology.REVISIONS


def _undone_by_somebody(rollback: Rollback, write: Write, plan: Plan) -> bool:
    """True when a rollback of the bot's own was seen to be applied, and is not any more."""
    by_itself = rollback.asked_by == AUTOMATICS and rollback.decided_by == AUTOMATICS
    return by_itself and rollback.applied_at is not None and _is_the_point(write, plan)


def _write_facts(write: Write) -> dict[str, Any]:
    if isinstance(write, PinTraffic):
        return {"service": write.service, "revision": write.revision, "percent": 100}
    return {"service": write.service, "variable": write.variable, "value": write.value}


def _unknown_line(key: str, fault: CloudFault) -> Line:
    facts = {"doing": fault.doing, "detail": fault.detail[:500]}
    return Line(event=Event.WRITE_UNKNOWN, key=key, facts=facts)


def _applied_line(rollback: Rollback, state: TargetState) -> Line:
    if rollback.writes:
        facts = {"rollback": rollback.id, "generation": state.switch.generation}
        return Line(event=Event.APPLIED, key=f"applied:{rollback.id}", facts=facts)
    return Line(
        event=Event.WRITE_NOT_NEEDED,
        key=f"not_needed:{rollback.id}",
        actor=f"google:{state.switch.last_modifier}",
        facts={"rollback": rollback.id},
    )
