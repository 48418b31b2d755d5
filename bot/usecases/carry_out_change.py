"""The change itself: read the world, write what is still needed, watch until it is seen.

Every round reads before it acts, so it can run twice: what was written once is seen and not written
again. It never fights: a rollback goes first, and whoever else changes the canary ends it.
"""

import asyncio
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from bot.domain.change import (
    MOST_WRITES,
    RESOURCES_WITHIN,
    RUNNING_CHANGE,
    CannotChange,
    CannotWhy,
    Change,
    ChangeKind,
    ChangePlan,
    ChangeState,
    ChangeWrite,
    Done,
    SetResources,
    SplitTraffic,
    Written,
)
from bot.domain.change_plan import is_the_point, make_change_plan, next_change_write
from bot.domain.faults import OUTCOME_UNKNOWN, CloudFault
from bot.domain.ids import ChangeId
from bot.domain.playbook import Target
from bot.domain.resources import Resource, written_as
from bot.domain.rollback import CARD_GOOD_FOR, PinTraffic, Rollback
from bot.domain.timeline import Event
from bot.domain.traffic import TargetState
from bot.usecases.change_progress import ChangeProgress
from bot.usecases.faults import fault_problem
from bot.usecases.journal import Line
from bot.usecases.patient_look import FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS, look_patiently
from bot.usecases.ports import Clock, Cloud, Playbooks, Steps, Store
from bot.usecases.rollback_progress import Pause


@dataclass(frozen=True, kw_only=True)
class Changing:
    """What carrying out may touch."""

    store: Store
    playbooks: Playbooks
    cloud: Cloud
    clock: Clock
    pause: Pause = asyncio.sleep


async def carry_out_change(id: ChangeId, *, steps: Steps, use: Changing) -> None:
    """Take a decided change to one of its ends."""
    doing = _Doing(id, use)
    await steps.step("change", doing.until_it_ends, into=str)


class _Doing:
    """One change under way."""

    def __init__(self, id: ChangeId, use: Changing) -> None:
        self._use = use
        self._progress = ChangeProgress(
            id, store=use.store, playbooks=use.playbooks, clock=use.clock, pause=use.pause
        )

    async def until_it_ends(self) -> str:
        """Read, decide, act, until nothing is left to do; returns the state it ended in."""
        change = await self._progress.read()
        while change.state in RUNNING_CHANGE:
            change = await self._one_round(change)
        return change.state

    async def _one_round(self, change: Change) -> Change:
        target = self._use.playbooks.current().target(change.target)
        if target is None:
            return await self._cannot(change, CannotChange(CannotWhy.NO_TARGET, about=change.target))
        try:
            state = await self._look(target)
        except CloudFault as fault:
            return await self._end_with_fault(await self._progress.read(), fault)
        change = await self._progress.read()
        if change.state not in RUNNING_CHANGE:
            return change
        rollback = await self._progress.overtaken_by(change)
        if rollback is not None:
            return await self._overtaken(change, rollback)
        return await self._take(next_change_write(change, state), change, target, state)

    async def _take(
        self,
        step: ChangeWrite | Written | Done | CannotChange,
        change: Change,
        target: Target,
        state: TargetState,
    ) -> Change:
        if isinstance(step, CannotChange):
            return await self._cannot(change, step)
        if isinstance(step, Written | Done):
            return await self._in_motion(step, change)
        if not is_the_point(change, step):
            if change.state is not ChangeState.APPLIED:
                return await self._progress.move(change, ChangeState.APPLIED, _applied_line(change))
            return await self._write(step, change, target, state)
        no = self._approved_no_more(change, target, state)
        if no is not None:
            return await self._cannot(change, no)
        return await self._write(step, change, target, state)

    async def _in_motion(self, step: Written | Done, change: Change) -> Change:
        if isinstance(step, Done) and not change.writes:
            return await self._end(change, ChangeState.NOTHING_TO_DO)
        if change.state is not ChangeState.APPLIED:
            return await self._progress.move(change, ChangeState.APPLIED, _applied_line(change))
        if isinstance(step, Done):
            return await self._end(change, ChangeState.DONE)
        if self._use.clock() - (change.applied_at or change.asked_at) > self._patience(change):
            return await self._end(change, ChangeState.NOT_VERIFIED, problem="slow")
        await self._progress.wait(change)
        return change

    def _approved_no_more(self, change: Change, target: Target, state: TargetState) -> CannotChange | None:
        """Say why what was approved must not be written now, None when it may.

        Somebody may have deployed since the question was asked, or have undone what we wrote; and a
        change that nobody could carry out for a long time is nobody's wish any more.
        """
        seen = state.service(_plan(change).service)
        other = seen.last_modifier if seen else ""
        if change.applied_at is not None:
            return CannotChange(CannotWhy.CHANGED, about=_plan(change).service, detail=other)
        decided = change.requested_at or change.asked_at
        if not change.writes and self._use.clock() - decided > CARD_GOOD_FOR:
            return CannotChange(CannotWhy.TOO_LATE)
        fresh = make_change_plan(target, state, change)
        if isinstance(fresh, CannotChange):
            return fresh
        if _names(fresh) != _names(_plan(change)):
            return CannotChange(CannotWhy.CHANGED, about=_plan(change).service, detail=other)
        return None

    def _patience(self, change: Change) -> timedelta:
        if change.kind is ChangeKind.ADD_RESOURCES:
            return RESOURCES_WITHIN
        return timedelta(seconds=self._use.playbooks.current().verification.settle_within_seconds)

    # Cloud Run.

    async def _look(self, target: Target) -> TargetState:
        return await look_patiently(
            lambda: self._use.cloud.look(target),
            give_up_after=CARD_GOOD_FOR,
            unknown=self._unknown,
            clock=self._use.clock,
            pause=self._use.pause,
        )

    async def _unknown(self, fault: CloudFault) -> None:
        change = await self._progress.read()
        if change.state not in RUNNING_CHANGE - {ChangeState.UNKNOWN}:
            return
        line = _unknown_line(f"change_unknown:{change.id}:{change.writes}", fault)
        await self._progress.move(replace(change, problem=fault_problem(fault)), ChangeState.UNKNOWN, line)

    async def _write(self, write: ChangeWrite, change: Change, target: Target, state: TargetState) -> Change:
        """Write the intent down, then write to Cloud Run. An unknown outcome is left to the next look."""
        if change.writes >= MOST_WRITES:
            seen = state.service(write.service)
            problem = change.problem or f"fighting:{seen.last_modifier if seen else ''}"
            return await self._end(change, _unhappy(change), problem=problem)
        counted = replace(change, writes=change.writes + 1)
        line = _write_line(counted, write, state)
        if not await self._progress.save(counted, [line], after=change, write=True):
            # A rollback goes first, or another process has gone on: the next round tells which.
            return await self._progress.read()
        try:
            await self._use.cloud.write(target, write, state=state)
        except CloudFault as fault:
            if fault.kind not in OUTCOME_UNKNOWN:
                return await self._end_with_fault(counted, fault)
            key = f"change_write_unknown:{counted.id}:{counted.writes}"
            troubled = replace(counted, problem=fault_problem(fault))
            await self._progress.save(troubled, [_unknown_line(key, fault)], after=counted)
            await self._use.pause(min(FIRST_PAUSE_SECONDS * 2**counted.writes, LONGEST_PAUSE_SECONDS))
        return await self._progress.read()

    # Ends.

    async def _end(self, change: Change, wanted: ChangeState, *, problem: str | None = None) -> Change:
        return await self._progress.end(change, wanted, problem=problem, facts={})

    async def _cannot(self, change: Change, why: CannotChange) -> Change:
        return await self._end(change, _unhappy(change), problem=why.as_problem())

    async def _overtaken(self, change: Change, rollback: Rollback) -> Change:
        by = rollback.decided_by or rollback.asked_by
        return await self._progress.end(
            change,
            ChangeState.OVERTAKEN,
            problem=f"overtaken:{by}",
            facts={"rollback": rollback.id, "by": by},
        )

    async def _end_with_fault(self, change: Change, fault: CloudFault) -> Change:
        if change.state not in RUNNING_CHANGE:
            return change
        return await self._end(change, _unhappy(change), problem=fault_problem(fault))


def _unhappy(change: Change) -> ChangeState:
    """Return how a change ends that is not done: something was written, or nothing was seen to be."""
    return ChangeState.NOT_VERIFIED if change.applied_at else ChangeState.FAILED


def _plan(change: Change) -> ChangePlan:
    if change.plan is None:
        raise ValueError(f"change {change.id} was decided without a plan")
    return change.plan


def _names(plan: ChangePlan) -> tuple[str | None, ...]:
    return plan.canary, plan.stable, plan.replaces


_SETTINGS = {
    Resource.MEMORY: "memory",
    Resource.CPU: "cpu",
    Resource.MIN_INSTANCES: "min-instances",
    Resource.MAX_INSTANCES: "max-instances",
}


def write_words(write: ChangeWrite) -> str:
    """Return a write as one line of settings: ``memory=1Gi, cpu=2``."""
    if isinstance(write, PinTraffic):
        return f"{write.revision}=100"
    if isinstance(write, SplitTraffic):
        return ", ".join(f"{revision}={percent}" for revision, percent in write.shares)
    if isinstance(write, SetResources):
        return ", ".join(f"{_SETTINGS[r]}={written_as(r, n)}" for r, n in write.resources.said())
    return f"{write.variable}={write.value}"


def _write_line(change: Change, write: ChangeWrite, state: TargetState) -> Line:
    seen = state.service(write.service)
    facts: dict[str, Any] = {"change": change.id, "service": write.service, "setting": write_words(write)}
    facts["generation"] = seen.generation if seen else None
    return Line(event=Event.CHANGE_WRITE, key=f"change_write:{change.id}:{change.writes}", facts=facts)


def _unknown_line(key: str, fault: CloudFault) -> Line:
    facts = {"doing": fault.doing, "detail": fault.detail[:500]}
    return Line(event=Event.WRITE_UNKNOWN, key=key, facts=facts)


def _applied_line(change: Change) -> Line:
    return Line(event=Event.APPLIED, key=f"change_applied:{change.id}", facts={"change": change.id})
