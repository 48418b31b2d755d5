"""Letting the bot roll a target back by itself, in two steps, and switching that off again."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import TypeAdapter

from bot.domain.automatics import Automatics, OffWhy, armed, disarmed
from bot.domain.ids import ChannelId, PersonId, TargetName
from bot.domain.people import Refusal
from bot.domain.playbook import Permission, Playbook
from bot.domain.timeline import Event
from bot.domain.watch import Watch
from bot.usecases.accept import accept
from bot.usecases.authorize import Acting, authorize, refusal_facts
from bot.usecases.automatics import automatics_of, change_automatics, speaks_against, write_everywhere
from bot.usecases.back_test import back_test_facts, test_the_past
from bot.usecases.journal import Line, audit
from bot.usecases.ports import Clock, Metrics, Notice, Said, Steps, Store, Transaction, Workflow
from bot.usecases.watch_journal import show_watch


class Arming(StrEnum):
    """What somebody wants of a target's automatics."""

    #: The first step: show what they would have done, and ask.
    ASK = "ask"
    ARM = "arm"
    DISARM = "disarm"


@dataclass(frozen=True, kw_only=True)
class ArmRequest:
    """`key` is the request's own: the same key again changes nothing."""

    key: str
    target: TargetName
    arming: Arming
    person: PersonId
    acting_team: str | None
    channel: ChannelId


_REQUEST = TypeAdapter(ArmRequest)


@dataclass(frozen=True, kw_only=True)
class ArmingUse:
    """What arming may touch."""

    acting: Acting
    metrics: Metrics


async def accept_arming(request: ArmRequest, *, store: Store, clock: Clock) -> None:
    """Write a request down, once per key, and let a workflow carry it out."""
    written = _REQUEST.dump_json(request).decode()
    about = {"request": written, "person": request.person, "channel": request.channel}
    id = f"{request.target}:{request.key}"
    await accept(request.key, Workflow.ARM, id, store=store, clock=clock, **about)


async def ask_to_arm(
    key: str,
    target: TargetName,
    person: PersonId,
    *,
    acting_team: str | None,
    channel: ChannelId,
    store: Store,
    clock: Clock,
) -> None:
    """Take the first step: the answer shows the back-test, with the button for the second one."""
    request = ArmRequest(
        key=key,
        target=target,
        arming=Arming.ASK,
        person=person,
        acting_team=acting_team,
        channel=channel,
    )
    await accept_arming(request, store=store, clock=clock)


async def arm_automatics(arguments: Mapping[str, str], *, steps: Steps, use: ArmingUse) -> None:
    """Carry out one request, or say kindly why not."""
    request = _REQUEST.validate_json(arguments["request"])
    if request.arming is Arming.ASK:
        await steps.step("ask", lambda: _ask(request, use), into=str)
    else:
        await steps.step("arm", lambda: _switch(request, use.acting), into=str)


async def _authorized(request: ArmRequest, use: Acting) -> Refusal | None:
    """Whoever may roll back may arm; switching off is for every member."""
    return await authorize(
        request.person,
        None if request.arming is Arming.DISARM else Permission.ROLL_BACK,
        acting_team=request.acting_team,
        playbook=use.playbooks.current(),
        people=use.people,
    )


async def _ask(request: ArmRequest, use: ArmingUse) -> str:
    acting = use.acting
    playbook, no = acting.playbooks.current(), await _authorized(request, acting)
    target = playbook.target(request.target)
    if no is not None or target is None:
        return await acting.store.change(lambda tx: _refuse(tx, request, no, at=acting.clock()))
    past = await test_the_past(target, playbook, metrics=use.metrics, now=acting.clock())

    def tell(tx: Transaction) -> str:
        now = acting.clock()
        facts = automatics_facts(tx, request.target, playbook, at=now)
        _tell(tx, request, Said.BACK_TEST, facts | back_test_facts(past, playbook))
        return "shown"

    return await acting.store.change(tell)


async def _switch(request: ArmRequest, use: Acting) -> str:
    playbook, no = use.playbooks.current(), await _authorized(request, use)
    now = use.clock()

    def switch(tx: Transaction) -> str:
        # The same step may run twice; the first time's effects must not be taken for somebody else's.
        if not tx.first_time(f"done:{request.key}", at=now):
            return "done before"
        if no is not None or playbook.target(request.target) is None:
            return _refuse(tx, request, no, at=now)
        return _switched(tx, request, playbook, at=now)

    return await use.store.change(switch)


def _switched(tx: Transaction, request: ArmRequest, playbook: Playbook, *, at: datetime) -> str:
    wanted = request.arming is Arming.ARM
    known = automatics_of(tx, request.target)
    changed = (known.armed if known else False) is not wanted
    if changed:
        change_automatics(tx, request.target, lambda kept: _as_wanted(kept, request, at=at), at=at)
        event = Event.AUTOMATICS_ARMED if wanted else Event.AUTOMATICS_OFF
        facts = {"target": request.target, "why": "" if wanted else OffWhy.PERSON.value}
        line = Line(event=event, key=f"{event}:{request.key}", actor=request.person, facts=facts)
        write_everywhere(tx, request.target, line, playbook, at=at)
        for watch in tx.find(Watch, id=request.target):
            if watch.going_on:
                show_watch(tx, watch)
    facts = automatics_facts(tx, request.target, playbook, at=at)
    _tell(tx, request, Said.AUTOMATICS, facts | {"changed": changed})
    return request.arming if changed else "as it was"


def _as_wanted(known: Automatics, request: ArmRequest, *, at: datetime) -> Automatics:
    if request.arming is Arming.ARM:
        return armed(known, by=request.person, at=at)
    return disarmed(known, by=request.person, at=at, why=OffWhy.PERSON)


def automatics_facts(
    tx: Transaction, target: TargetName, playbook: Playbook, *, at: datetime
) -> dict[str, Any]:
    """Return how a target's automatics stand, as JSON facts.

    ``canary`` and ``not_by_itself`` are there while one is watched: what would keep the bot from rolling
    that canary back now, empty where nothing would.
    """
    known = automatics_of(tx, target) or Automatics(id=target, created_at=at)
    held = known.held_until is not None and known.on_hold(now=at)
    facts: dict[str, Any] = {
        "target": target,
        "armed": known.armed,
        "by": known.by,
        "at": known.at.isoformat() if known.at else None,
        "off_why": known.off_why,
        "held_until": known.held_until.isoformat() if held and known.held_until else None,
        "held_by": known.held_by if held else None,
        "would_act": playbook.acts_by_itself(),
        "fired_at": [fired.isoformat() for fired in known.fired_at[-5:]],
    }
    watch = next((watch for watch in tx.find(Watch, id=target) if watch.going_on), None)
    if watch is None:
        return facts
    against = speaks_against(tx, watch, playbook, at=at)
    return facts | {"canary": watch.canary, "not_by_itself": against.value if against else ""}


def _refuse(tx: Transaction, request: ArmRequest, no: Refusal | None, *, at: datetime) -> str:
    if no is None:
        # The target has gone from the playbook since the button was shown.
        _tell(tx, request, Said.NOT_WATCHED, {"target": request.target})
        return "no such target"
    facts = refusal_facts(no) | {"target": request.target, "doing": "arm"}
    key = f"refused:{request.key}"
    audit(tx, Line(event=Event.ACT_REFUSED, key=key, actor=request.person, facts=facts), at=at)
    _tell(tx, request, Said.REFUSED, facts)
    return "refused"


def _tell(tx: Transaction, request: ArmRequest, what: Said, facts: Mapping[str, Any]) -> None:
    notice = Notice(what=what, person=request.person, channel=request.channel, facts=facts)
    tx.tell(notice, key=f"{what}:{request.key}")
