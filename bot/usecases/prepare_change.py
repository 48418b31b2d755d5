"""Preparing a change: is this person allowed, is it possible, from what to what would it go."""

from dataclasses import dataclass, replace

from bot.domain.change import CannotChange, CannotWhy, Change, ChangePlan, ChangeState, moved_change
from bot.domain.change_plan import make_change_plan
from bot.domain.faults import CloudFault
from bot.domain.ids import ChangeId, ChannelId
from bot.domain.people import Refusal
from bot.domain.playbook import Permission, Playbook
from bot.domain.timeline import Event
from bot.usecases.authorize import authorize, refusal_facts
from bot.usecases.change_progress import change_facts, change_stands, show_change
from bot.usecases.decide_rollback import who_and_when
from bot.usecases.faults import fault_problem
from bot.usecases.journal import Line, audit
from bot.usecases.ports import (
    Clock,
    Cloud,
    Notice,
    People,
    Playbooks,
    Said,
    Steps,
    Store,
    Transaction,
)


@dataclass(frozen=True, kw_only=True)
class PreparingChange:
    """What preparing may touch."""

    store: Store
    people: People
    playbooks: Playbooks
    cloud: Cloud
    clock: Clock


async def prepare_change(id: ChangeId, *, steps: Steps, use: PreparingChange) -> None:
    """Carry a request from "asked" to a card with a question, or to a clear no."""
    await steps.step("prepare", lambda: _prepare(id, use), into=str)


async def _prepare(id: ChangeId, use: PreparingChange) -> str:
    change = await use.store.look(lambda tx: tx.change(id))
    if change.state is not ChangeState.ASKED or change.plan:
        return "prepared before"
    playbook = use.playbooks.current()
    no = await authorize(
        change.asked_by,
        Permission.CHANGE_CANARY,
        acting_team=change.acting_team,
        playbook=playbook,
        people=use.people,
    )
    if no is not None:
        return await _refuse(change, no, use)
    try:
        found = await _look(change, playbook, use)
    except CloudFault as fault:
        now = use.clock()
        failed = replace(moved_change(change, ChangeState.FAILED, at=now), problem=fault_problem(fault))
        return await _keep(failed, playbook, use, line=None)
    if isinstance(found, CannotChange):
        now = use.clock()
        refused = replace(moved_change(change, ChangeState.REFUSED, at=now), problem=found.as_problem())
        return await _keep(refused, playbook, use, line=_asked(refused))
    ready = replace(change, plan=found)
    return await _keep(ready, playbook, use, line=_asked(ready))


async def _look(change: Change, playbook: Playbook, use: PreparingChange) -> ChangePlan | CannotChange:
    target = playbook.target(change.target)
    if target is None:
        return CannotChange(CannotWhy.NO_TARGET, about=change.target)
    return make_change_plan(target, await use.cloud.look(target), change)


def _asked(change: Change) -> Line:
    return Line(
        event=Event.CHANGE_ASKED,
        key=f"change_asked:{change.id}",
        actor=change.asked_by,
        facts=change_facts(change),
    )


async def _keep(change: Change, playbook: Playbook, use: PreparingChange, *, line: Line | None) -> str:
    now = use.clock()

    def keep(tx: Transaction) -> str:
        if tx.change(change.id).state is not ChangeState.ASKED:
            return "decided meanwhile"
        if change.state is ChangeState.ASKED and somebody_is_at_it(tx, change, key=change.id):
            tx.save_change(moved_change(change, ChangeState.CANCELLED, at=now))
            return "something is running"
        tx.save_change(change)
        show_change(tx, change, [line] if line else [], playbook=playbook, at=now)
        return change.state

    return await use.store.change(keep)


def somebody_is_at_it(tx: Transaction, change: Change, *, key: str, by: Notice | None = None) -> bool:
    """True when a rollback or another change holds the target; whoever asked is told who is at it.

    Args:
        key: the request's own.
        by: whom to tell instead, and where; its words and facts are filled in here.
    """
    told = by or Notice(
        what=Said.CHANGE_RUNNING, person=change.asked_by, channel=ChannelId(change.channel), facts={}
    )
    rollback = tx.running_rollback(change.target)
    if rollback is not None:
        notice = replace(told, what=Said.ALREADY_RUNNING, facts=who_and_when(rollback))
        tx.tell(notice, key=f"running:{key}")
        return True
    other = tx.running_change(change.target)
    if other is not None:
        tx.tell(replace(told, what=Said.CHANGE_RUNNING, facts=change_stands(other)), key=f"running:{key}")
    return other is not None


async def _refuse(change: Change, no: Refusal, use: PreparingChange) -> str:
    now = use.clock()

    def refuse(tx: Transaction) -> str:
        tx.save_change(moved_change(change, ChangeState.REFUSED, at=now))
        facts = refusal_facts(no) | {"target": change.target}
        line = Line(
            event=Event.CHANGE_REFUSED, key=f"refused:{change.id}", actor=change.asked_by, facts=facts
        )
        audit(tx, line, at=now)
        notice = Notice(
            what=Said.REFUSED, person=change.asked_by, channel=ChannelId(change.channel), facts=facts
        )
        tx.tell(notice, key=f"refused:{change.id}")
        return "refused"

    return await use.store.change(refuse)
