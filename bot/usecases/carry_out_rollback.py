"""The rollback itself: read the world, write what is still needed, watch it settle, prove it.

Every step reads before it acts, so it can run twice: what was written once is seen and not written
again. Progress is shown by editing one message; nothing is called done that was not seen done.
"""

import asyncio
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from bot.domain.faults import OUTCOME_UNKNOWN, CloudFault
from bot.domain.ids import ChannelId, RollbackId
from bot.domain.plan import has_settled, make_plan, next_write
from bot.domain.playbook import Playbook, Target
from bot.domain.rollback import (
    ENDED,
    MOST_WRITES,
    RUNNING,
    NothingToRollBack,
    PinTraffic,
    Plan,
    Rollback,
    RollbackState,
    Write,
    moved,
    outcome,
)
from bot.domain.timeline import Event
from bot.domain.traffic import TargetState
from bot.usecases.ask_for_rollback import again_id
from bot.usecases.faults import fault_problem
from bot.usecases.gather_evidence import Gathering, evidence_facts, gather_evidence, traffic_evidence
from bot.usecases.journal import Line, write_lines
from bot.usecases.ports import (
    Clock,
    Cloud,
    Playbooks,
    Prober,
    RequestLog,
    Showing,
    Steps,
    Store,
    Transaction,
    Workflow,
)
from bot.usecases.show_record import show_record

#: How often Cloud Run is read while traffic settles, seconds. GetService every 0.5 to 1 s is well
#: inside its quota (reference/cloud-run-and-canary.md, B.4).
LOOK_EVERY_SECONDS = 0.5
#: How often the progress message is edited while something is waited for, seconds. Slack allows
#: 50 edits a minute.
SHOW_EVERY_SECONDS = 3.0
#: Reading again after an error from Google: first and longest pause, seconds.
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.5, 15.0
#: After this long without an answer the outcome is called unknown, aloud.
UNKNOWN_AFTER = timedelta(seconds=10)
#: And after this long the bot stops asking; the message has carried the line by hand since then.
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
        self._shown_at: datetime | None = None

    async def guard(self) -> str:
        """Read the world once more: is what was approved still what would be done?"""
        rollback = await self._read()
        if rollback.state is not RollbackState.REQUESTED or rollback.writes:
            return rollback.state
        state = await self._look(rollback)
        if state is None:
            return (await self._read()).state
        fresh = make_plan(self._target(rollback), state)
        if isinstance(fresh, NothingToRollBack):
            return await self._end(rollback, RollbackState.NOTHING_TO_DO, self._somebody_else(state))
        approved = _plan(rollback)
        same = not isinstance(fresh, Plan) or _names(fresh) == _names(approved)
        if not same and not rollback.forced:
            return await self._ask_again(rollback, state)
        return rollback.state

    async def apply(self) -> str:
        """Write until nothing is left to write."""
        rollback = await self._read()
        while rollback.state in (RollbackState.REQUESTED, RollbackState.UNKNOWN):
            state = await self._look(rollback)
            if state is None:
                return (await self._read()).state
            rollback = await self._read()
            wanted = next_write(_plan(rollback), state)
            if wanted is None:
                rollback = await self._move(rollback, RollbackState.APPLIED, _applied_line(rollback, state))
            else:
                rollback = await self._write(rollback, wanted, state)
        return rollback.state

    async def settle(self) -> str:
        """Watch Cloud Run until it serves what was asked for, and answer whoever changes it meanwhile."""
        rollback = await self._read()
        started = rollback.applied_at or self._use.clock()
        limit = timedelta(seconds=self._playbook().verification.settle_within_seconds)
        while rollback.state in (RollbackState.APPLIED, RollbackState.UNKNOWN):
            state = await self._look(rollback)
            if state is None:
                return (await self._read()).state
            rollback = await self._read()
            if rollback.state is RollbackState.UNKNOWN:
                rollback = await self._move(rollback, RollbackState.APPLIED, None)
            plan = _plan(rollback)
            wanted = next_write(plan, state)
            if wanted is not None:
                rollback = await self._write(rollback, wanted, state)
            elif has_settled(plan, state):
                line = Line(event=Event.SETTLED, key=f"settled:{rollback.id}", facts={"rollback": self._id})
                rollback = await self._move(rollback, RollbackState.SETTLED, line)
            elif self._use.clock() - started > limit:
                return await self._not_settled(rollback, state)
            else:
                await self._wait(rollback)
        return rollback.state

    async def confirm(self) -> str:
        """Read the evidence on stable and end with a verdict."""
        rollback = await self._read()
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
            waiting=lambda: self._wait(rollback),
        )
        proven = replace(rollback, evidence=evidence)
        return await self._end(proven, outcome(evidence), None)

    # What the parts share.

    async def _read(self) -> Rollback:
        return await self._use.store.look(lambda tx: tx.rollback(self._id))

    def _playbook(self) -> Playbook:
        return self._use.playbooks.current()

    def _target(self, rollback: Rollback) -> Target:
        return self._playbook().targets[rollback.target]

    async def _look(self, rollback: Rollback) -> TargetState | None:
        """Return what Cloud Run says; None when that ended the rollback.

        While Google does not answer it is asked again and again, first quickly; the state turns
        to "unknown, still checking" so that nobody believes more than is known.
        """
        since, pause = self._use.clock(), FIRST_PAUSE_SECONDS
        while True:
            try:
                return await self._use.cloud.look(self._target(rollback))
            except CloudFault as fault:
                waited = self._use.clock() - since
                if fault.kind not in OUTCOME_UNKNOWN or waited > GIVE_UP_AFTER:
                    await self._end_with_fault(await self._read(), fault)
                    return None
                if waited > UNKNOWN_AFTER:
                    await self._unknown(fault)
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    async def _unknown(self, fault: CloudFault) -> None:
        rollback = await self._read()
        if rollback.state is RollbackState.UNKNOWN:
            return
        line = Line(
            event=Event.WRITE_UNKNOWN,
            key=f"unknown:{rollback.id}:{rollback.writes}",
            facts={"doing": fault.doing, "detail": fault.detail[:500]},
        )
        await self._move(replace(rollback, problem=fault_problem(fault)), RollbackState.UNKNOWN, line)

    async def _write(self, rollback: Rollback, write: Write, state: TargetState) -> Rollback:
        """Write the intent down, then write to Cloud Run. An unknown outcome is left to the next look."""
        if rollback.writes >= MOST_WRITES:
            who = state.switch.last_modifier
            await self._end(replace(rollback, problem=f"fighting:{who}"), RollbackState.FAILED, None)
            return await self._read()
        counted = await self._intend(rollback, write, state)
        try:
            await self._use.cloud.write(self._target(rollback), write, state=state)
        except CloudFault as fault:
            if fault.kind not in OUTCOME_UNKNOWN:
                await self._end_with_fault(counted, fault)
                return await self._read()
            await self._note(
                counted,
                Line(
                    event=Event.WRITE_UNKNOWN,
                    key=f"write_unknown:{rollback.id}:{counted.writes}",
                    facts={"doing": fault.doing, "detail": fault.detail[:500]},
                ),
            )
            await asyncio.sleep(FIRST_PAUSE_SECONDS)
        return counted

    async def _intend(self, rollback: Rollback, write: Write, state: TargetState) -> Rollback:
        counted = replace(rollback, writes=rollback.writes + 1)
        lines = [
            Line(
                event=Event.WRITE_SENT,
                key=f"write:{rollback.id}:{counted.writes}",
                facts=_write_facts(write) | {"generation": state.switch.generation},
            )
        ]
        if rollback.applied_at is not None and isinstance(write, PinTraffic):
            # We had seen it applied, and now it is not: somebody else has written since.
            who = f"google:{state.switch.last_modifier}"
            key = f"other:{rollback.id}:{counted.writes}"
            lines.insert(0, Line(event=Event.OTHER_WRITER, key=key, actor=who))
        await self._save(counted, lines)
        return counted

    async def _move(self, rollback: Rollback, wanted: RollbackState, line: Line | None) -> Rollback:
        there = moved(rollback, wanted, at=self._use.clock())
        await self._save(there, [line] if line else [])
        return there

    async def _note(self, rollback: Rollback, line: Line) -> None:
        await self._save(rollback, [line])

    async def _save(self, rollback: Rollback, lines: list[Line]) -> None:
        now, playbook = self._use.clock(), self._playbook()

        def save(tx: Transaction) -> None:
            kept = tx.rollback(rollback.id)
            if kept.state not in RUNNING:
                return
            tx.save_rollback(rollback)
            self._show(tx, rollback, playbook, lines, at=now)

        await self._use.store.change(save)

    def _show(
        self, tx: Transaction, rollback: Rollback, playbook: Playbook, lines: list[Line], *, at: datetime
    ) -> None:
        self._shown_at = at
        tx.show(Showing.ROLLBACK, rollback.id, channel=ChannelId(rollback.channel))
        if rollback.incident is not None:
            channel = ChannelId(playbook.channels.incidents)
            tx.show(Showing.BOARD, str(rollback.incident), channel=channel)
            write_lines(tx, rollback.incident, lines, at=at, channel=channel)

    async def _wait(self, rollback: Rollback) -> None:
        """Wait for the next look, and let the message count the seconds."""
        now = self._use.clock()
        if self._shown_at is None or (now - self._shown_at).total_seconds() >= SHOW_EVERY_SECONDS:
            self._shown_at = now
            channel = ChannelId(rollback.channel)
            await self._use.store.change(lambda tx: tx.show(Showing.ROLLBACK, rollback.id, channel=channel))
        await asyncio.sleep(LOOK_EVERY_SECONDS)

    def _somebody_else(self, state: TargetState) -> Line:
        return Line(
            event=Event.WRITE_NOT_NEEDED,
            key=f"not_needed:{self._id}",
            actor=f"google:{state.switch.last_modifier}",
            facts={"rollback": self._id},
        )

    async def _not_settled(self, rollback: Rollback, state: TargetState) -> str:
        evidence = traffic_evidence(_plan(rollback), state)
        return await self._end(replace(rollback, evidence=(evidence,)), RollbackState.NOT_VERIFIED, None)

    async def _end_with_fault(self, rollback: Rollback, fault: CloudFault) -> None:
        ending = RollbackState.NOT_VERIFIED if rollback.applied_at else RollbackState.FAILED
        line = Line(
            event=Event.FAULT,
            key=f"fault:{rollback.id}",
            facts={"doing": fault.doing, "kind": fault.kind.value, "detail": fault.detail[:500]},
        )
        await self._end(replace(rollback, problem=fault_problem(fault)), ending, line)

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
            if tx.first_time(f"again:{rollback.id}", at=anew.asked_at):
                tx.add_rollback(anew)
                tx.start(Workflow.PREPARE, anew.id, rollback=anew.id)

        who = state.switch.last_modifier
        ended = await self._end(
            replace(rollback, problem=f"changed:{who}"), RollbackState.FAILED, self._somebody_else(state)
        )
        await self._use.store.change(ask)
        return ended

    async def _end(self, rollback: Rollback, wanted: RollbackState, line: Line | None) -> str:
        """Write the end, the evidence and the verdict down, show them, and post the record."""
        now, playbook = self._use.clock(), self._playbook()
        ended = moved(rollback, wanted, at=now)
        lines = [line] if line else []
        lines += [
            Line(
                event=Event.EVIDENCE,
                key=f"evidence:{rollback.id}:{evidence.proof}",
                facts=evidence_facts(evidence),
            )
            for evidence in ended.evidence
        ]
        lines.append(_verdict_line(ended))

        def end(tx: Transaction) -> str:
            kept = tx.rollback(rollback.id)
            if kept.state not in RUNNING:
                return kept.state
            tx.save_rollback(ended)
            self._show(tx, ended, playbook, lines, at=now)
            if ended.incident is not None:
                show_record(tx, ended.incident, channel=ChannelId(playbook.channels.incidents), at=now)
            return ended.state

        return await self._use.store.change(end)


def _plan(rollback: Rollback) -> Plan:
    if rollback.plan is None:
        raise ValueError(f"rollback {rollback.id} was decided without a plan")
    return rollback.plan


def _names(plan: Plan) -> tuple[str, str]:
    return plan.canary, plan.stable


def _write_facts(write: Write) -> dict[str, Any]:
    if isinstance(write, PinTraffic):
        return {"service": write.service, "revision": write.revision, "percent": 100}
    return {"service": write.service, "variable": write.variable, "value": write.value}


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


def _verdict_line(rollback: Rollback) -> Line:
    took = None
    if rollback.requested_at and rollback.ended_at:
        took = round((rollback.ended_at - rollback.requested_at).total_seconds(), 1)
    facts = {"rollback": rollback.id, "outcome": rollback.state.value, "took_seconds": took}
    return Line(
        event=Event.VERDICT, key=f"verdict:{rollback.id}", facts=facts | {"problem": rollback.problem}
    )
