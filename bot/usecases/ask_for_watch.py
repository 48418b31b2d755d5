"""Somebody asks for a watch, or for its end: every member may, and it is written down who did."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from bot.domain.faults import CloudFault
from bot.domain.ids import ChannelId, PersonId, TargetName
from bot.domain.people import Refusal
from bot.domain.playbook import Playbook
from bot.domain.rollback import CannotChoose, NothingToRollBack
from bot.domain.timeline import Event
from bot.domain.watch import CanarySeen, EndedWhy, Watch
from bot.usecases.accept import accept
from bot.usecases.authorize import Acting, authorize, refusal_facts
from bot.usecases.begin_watch import begin_watch, end_watch, watch_of
from bot.usecases.journal import Line, audit
from bot.usecases.look_at_target import Sight, look_at_target
from bot.usecases.ports import Clock, Cloud, Notice, Said, Steps, Store, Transaction, Workflow
from bot.usecases.see_canary import see_canary


class Wanted(StrEnum):
    """What somebody asks for, as they type it."""

    WATCH = "watch"
    UNWATCH = "unwatch"


@dataclass(frozen=True, kw_only=True)
class AskingForWatch:
    """What asking for a watch may touch."""

    acting: Acting
    cloud: Cloud


async def ask_for_watch(
    key: str,
    target: TargetName,
    person: PersonId,
    channel: ChannelId,
    *,
    wanted: Wanted,
    acting_team: str | None,
    store: Store,
    clock: Clock,
) -> None:
    """Write the wish down, once per `key`; a workflow checks whose it is and answers in `channel`."""
    about = {"target": target, "person": person, "channel": channel, "wanted": wanted.value, "key": key}
    about |= {"team": acting_team} if acting_team else {}
    await accept(key, Workflow.ASK_WATCH, key, store=store, clock=clock, **about)


async def answer_watch_wish(arguments: Mapping[str, str], *, steps: Steps, use: AskingForWatch) -> None:
    """Begin or end a watch, or say kindly why not."""
    await steps.step("watch", lambda: _answer(arguments, use), into=str)


@dataclass(frozen=True, kw_only=True)
class _Found:
    """The canary that Cloud Run shows, or why there is none to watch."""

    seen: CanarySeen | None = None
    why: str = ""
    detail: str = ""


async def _answer(arguments: Mapping[str, str], use: AskingForWatch) -> str:
    target, person = TargetName(arguments["target"]), PersonId(arguments["person"])
    wanted, acting = Wanted(arguments["wanted"]), use.acting
    playbook = acting.playbooks.current()
    no = await authorize(
        person, None, acting_team=arguments.get("team"), playbook=playbook, people=acting.people
    )
    found = _Found()
    if no is None and wanted is Wanted.WATCH:
        found = await _find(target, playbook, use)
    now = acting.clock()

    def answer(tx: Transaction) -> str:
        # The same step may run twice; a watch that the first one began is not "watched already".
        if not tx.first_time(f"done:{arguments['key']}", at=now):
            return "done before"
        asked = _Asked(tx=tx, target=target, person=person, playbook=playbook, arguments=arguments)
        if no is not None:
            return asked.refuse(no, at=now)
        if wanted is Wanted.UNWATCH:
            return asked.unwatch(at=now)
        return asked.watch(found, at=now)

    return await acting.store.change(answer)


async def _find(target: TargetName, playbook: Playbook, use: AskingForWatch) -> _Found:
    described = playbook.target(target)
    if described is None:
        return _Found(why="target_gone")
    try:
        sight = await look_at_target(described, cloud=use.cloud)
    except CloudFault as fault:
        return _Found(why="fault", detail=str(fault))
    seen = see_canary(described, sight)
    return _Found(seen=seen) if seen is not None else _none(sight)


def _none(sight: Sight) -> _Found:
    plan = sight.plan
    if isinstance(plan, NothingToRollBack):
        return _Found(why=plan.why.value, detail=plan.serving)
    assert isinstance(plan, CannotChoose)
    return _Found(why=plan.why.value, detail=plan.detail)


@dataclass(frozen=True, kw_only=True)
class _Asked:
    """One wish, in its transaction."""

    tx: Transaction
    target: TargetName
    person: PersonId
    playbook: Playbook
    arguments: Mapping[str, str]

    def refuse(self, no: Refusal, *, at: datetime) -> str:
        facts = refusal_facts(no) | {"target": self.target, "doing": self.arguments["wanted"]}
        key = f"refused:{self.arguments['key']}"
        line = Line(event=Event.ACT_REFUSED, key=key, actor=self.person, facts=facts)
        audit(self.tx, line, at=at)
        return self._tell(Said.REFUSED, facts)

    def watch(self, found: _Found, *, at: datetime) -> str:
        seen, known = found.seen, watch_of(self.tx, self.target)
        if seen is None:
            facts = {"target": self.target, "why": found.why, "detail": found.detail}
            return self._tell(Said.NO_CANARY, facts)
        if known is not None and known.going_on:
            if (known.canary, known.identity) == (seen.canary, seen.revision) and not known.rolled_back_at:
                return self._tell(Said.WATCHED_ALREADY, _facts(known, known.started_by, known.created_at))
            known = end_watch(self.tx, known, EndedWhy.NEW_CANARY, playbook=self.playbook, at=at)
        watch = begin_watch(
            self.tx, self.target, seen, last=known, playbook=self.playbook, by=self.person, at=at
        )
        return self._tell(Said.WATCH_BEGUN, _facts(watch, self.person, at))

    def unwatch(self, *, at: datetime) -> str:
        watch = watch_of(self.tx, self.target)
        if watch is None or not watch.going_on:
            facts = {
                "target": self.target,
                "number": watch.number if watch else None,
                "canary": watch.canary if watch else None,
                "at": watch.ended_at.isoformat() if watch and watch.ended_at else None,
            }
            return self._tell(Said.NOT_WATCHED, facts)
        why = EndedWhy.BY_A_PERSON
        end_watch(self.tx, watch, why, playbook=self.playbook, at=at, by=self.person)
        return self._tell(Said.WATCH_ENDED, _facts(watch, self.person, at))

    def _tell(self, what: Said, facts: Mapping[str, Any]) -> str:
        channel = ChannelId(self.arguments["channel"])
        notice = Notice(what=what, person=self.person, channel=channel, facts=facts)
        self.tx.tell(notice, key=f"{what}:{self.arguments['key']}")
        return what.value


def _facts(watch: Watch, by: PersonId, at: datetime) -> dict[str, Any]:
    return {
        "target": watch.id,
        "number": watch.number,
        "canary": watch.canary,
        "stable": watch.stable,
        "percent": watch.percent,
        "by": by,
        "at": at.isoformat(),
    }
