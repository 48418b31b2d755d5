"""Somebody answers an alert: roll back now, stop the bot, wait for 15 minutes, or "not the canary"."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import TypeAdapter

from bot.domain.alert import (
    MAY_ROLL_BACK,
    UNANSWERED,
    Alert,
    AlertState,
    called_off,
    ended,
    pressed,
    was_on_hold,
)
from bot.domain.automatics import NotByItself, OffWhy, disarmed, held, refused
from bot.domain.ids import ChannelId, PersonId
from bot.domain.people import Refusal, RefusedWhy
from bot.domain.playbook import Permission, Playbook
from bot.domain.timeline import Event
from bot.domain.watch import Watch
from bot.usecases.ask_for_rollback import AskForRollback, ask
from bot.usecases.authorize import Acting, authorize, refusal_facts
from bot.usecases.automatics import automatics_of, change_automatics, write_beside, write_everywhere
from bot.usecases.before_rollback import safety_of
from bot.usecases.decide_rollback import who_and_when
from bot.usecases.end_alerts import end_alert, keep_alert
from bot.usecases.fire_alert import reason_of
from bot.usecases.journal import Line, audit
from bot.usecases.ports import Clock, Notice, NotKept, Said, Steps, Store, Transaction, Workflow
from bot.usecases.raise_alert import is_of, wake_at


class Reply(StrEnum):
    """What a button of an alert says."""

    ROLL_BACK = "roll_back"
    STOP = "stop"
    HOLD = "hold"
    NOT_THE_CANARY = "not_the_canary"


@dataclass(frozen=True, kw_only=True)
class AlertAnswer:
    """A press of a button. `why` is what the person wrote, raw."""

    alert: str
    reply: Reply
    person: PersonId
    acting_team: str | None
    channel: ChannelId
    why: str = ""


_ANSWER = TypeAdapter(AlertAnswer)
#: In which states a reply still counts.
_COUNTS: Mapping[Reply, tuple[AlertState, ...]] = {
    Reply.ROLL_BACK: MAY_ROLL_BACK,
    Reply.STOP: (AlertState.COUNTDOWN,),
    Reply.HOLD: UNANSWERED,
    Reply.NOT_THE_CANARY: UNANSWERED,
}


#: These only keep the bot from acting. While Slack cannot say who somebody is, they count all the same: there
#: are ten seconds, and a rollback that nobody could stop is worse than one that has to be begun by hand.
_HARMLESS = (Reply.STOP, Reply.HOLD)


async def accept_alert_answer(key: str, answer: AlertAnswer, *, store: Store, clock: Clock) -> None:
    """Write the press down, once per `key`, and let a workflow weigh it."""
    written = _ANSWER.dump_json(answer).decode()
    about = {"answer": written, "key": key, "person": answer.person, "channel": answer.channel}
    now = clock()

    def remember(tx: Transaction) -> None:
        if not tx.first_time(key, at=now):
            return
        tx.start(Workflow.ANSWER_ALERT, f"{answer.alert}:{key}", **about)
        for alert in tx.find(Alert, id=answer.alert, state=AlertState.COUNTDOWN):
            # Who presses in the last second must not lose to the time it takes to ask who they are.
            tx.keep(pressed(tx.kept(Alert, alert.id), at=now))

    await store.change(remember)


async def answer_alert(arguments: Mapping[str, str], *, steps: Steps, use: Acting) -> None:
    """Weigh one press: of any number, and of the countdown itself, exactly one decides."""
    answer = _ANSWER.validate_json(arguments["answer"])
    await steps.step("answer", lambda: _answer(answer, arguments["key"], use), into=str)


@dataclass(frozen=True, kw_only=True)
class _Answering:
    """One answer being carried out, everything as stored now and locked. `watch` is the alert's own."""

    tx: Transaction
    answer: AlertAnswer
    key: str
    alert: Alert
    watch: Watch | None
    playbook: Playbook
    at: datetime

    @property
    def canary(self) -> str:
        """By what name the automatics remember the canary."""
        return self.watch.identity if self.watch else self.alert.canary

    def write(self, event: Event, **facts: Any) -> None:
        """Add a line by this person to the watch's timeline and to the incident's."""
        about = {"alert": self.alert.id, "reply": self.answer.reply.value, "why": self.answer.why}
        line = Line(event=event, key=f"{event}:{self.key}", actor=self.answer.person, facts=about | facts)
        write_beside(self.tx, self.watch, self.alert.incident, [line], self.playbook, at=self.at)

    def tell(self, what: Said, **facts: Any) -> None:
        """Send the person a line of their own."""
        answer = self.answer
        about = {"alert": self.alert.id, "target": self.alert.target, "reply": answer.reply.value}
        notice = Notice(what=what, person=answer.person, channel=answer.channel, facts=about | facts)
        self.tx.tell(notice, key=f"{what}:{self.key}")


async def _answer(answer: AlertAnswer, key: str, use: Acting) -> str:
    playbook = use.playbooks.current()
    no = await authorize(
        answer.person,
        Permission.ROLL_BACK if answer.reply is Reply.ROLL_BACK else None,
        acting_team=answer.acting_team,
        playbook=playbook,
        people=use.people,
    )
    now = use.clock()
    if no is not None and no.why is RefusedWhy.SLACK_CANNOT_SAY and answer.reply in _HARMLESS:
        no = None

    def weigh(tx: Transaction) -> str:
        # The same step may run twice; the first time's effects must not be taken for somebody else's.
        if not tx.first_time(f"done:{key}", at=now):
            return "done before"
        found = next(iter(tx.find(Alert, id=answer.alert)), None)
        if found is None:
            return "no such alert"
        if no is not None:
            return _refuse(tx, answer, found, no, key, at=now)
        answering = _locked(tx, answer, key, found, playbook, at=now)
        if answering.alert.state not in _COUNTS[answer.reply]:
            return _too_late(answering)
        return _CARRY_OUT[answer.reply](answering)

    return await use.store.change(weigh)


def _locked(
    tx: Transaction, answer: AlertAnswer, key: str, found: Alert, playbook: Playbook, *, at: datetime
) -> _Answering:
    """Lock what an answer may change, in everybody's order, so that no two wait for each other."""
    watch: Watch | None = None
    with suppress(NotKept):
        watch = tx.kept(Watch, found.target)
    automatics_of(tx, found.target)
    tx.open_incident(found.target)
    alert = tx.kept(Alert, answer.alert)
    own = watch if watch is not None and is_of(alert, watch) else None
    return _Answering(tx=tx, answer=answer, key=key, alert=alert, watch=own, playbook=playbook, at=at)


def _refuse(
    tx: Transaction, answer: AlertAnswer, alert: Alert, no: Refusal, key: str, *, at: datetime
) -> str:
    facts = refusal_facts(no) | {"target": alert.target, "alert": alert.id, "doing": "answer_alert"}
    line = Line(event=Event.ACT_REFUSED, key=f"refused:{key}", actor=answer.person, facts=facts)
    audit(tx, line, at=at)
    notice = Notice(what=Said.REFUSED, person=answer.person, channel=answer.channel, facts=facts)
    tx.tell(notice, key=f"refused:{key}")
    return "refused"


def _too_late(answering: _Answering) -> str:
    """Say who was first: a person, the bot, or time."""
    alert = answering.alert
    answering.tell(
        Said.ALERT_DECIDED,
        state=alert.state.value,
        by=alert.by,
        at=alert.at.isoformat() if alert.at else None,
        why=alert.why,
    )
    return "decided before"


def _roll_back(answering: _Answering) -> str:
    """Ask for the rollback at once: forced, as nobody wants to be asked twice at three in the morning.

    But a question that comes before a rollback in the incident's scenario is put all the same.
    """
    tx, alert, answer, at = answering.tx, answering.alert, answering.answer, answering.at
    running = tx.running_rollback(alert.target)
    if running is not None:
        answering.tell(Said.ALREADY_RUNNING, **who_and_when(running))
        return "another one is running"
    safety = safety_of(tx, alert.target, answering.playbook)
    forced = safety is None or not (safety.open or safety.holds_back)
    request = AskForRollback(
        key=answering.key,
        target=alert.target,
        person=answer.person,
        acting_team=answer.acting_team,
        channel=answer.channel,
        reason=answer.why or reason_of(alert),
        forced=forced,
    )
    id = ask(tx, request, playbook=answering.playbook, at=at)
    if forced:
        over = ended(alert, AlertState.ROLLED_BACK, by=answer.person, at=at, why=answer.why)
        end_alert(tx, replace(over, rollback=id), answering.playbook)
    answering.write(Event.ALERT_ANSWERED, rollback=id)
    answering.tell(Said.ALERT_ANSWERED, rollback=id)
    return "rollback asked for"


def _stop(answering: _Answering) -> str:
    """Stop the countdown; the bot stays off this target until somebody arms it again."""
    tx, alert, answer, at = answering.tx, answering.alert, answering.answer, answering.at
    over = ended(alert, AlertState.STOPPED, by=answer.person, at=at, why=answer.why)
    end_alert(tx, over, answering.playbook)
    change_automatics(
        tx,
        alert.target,
        lambda known: disarmed(refused(known, answering.canary), by=answer.person, at=at, why=OffWhy.STOPPED),
        at=at,
    )
    answering.write(Event.AUTOMATIC_STOPPED, why="person")
    off = Line(
        event=Event.AUTOMATICS_OFF,
        key=f"off:{answering.key}",
        actor=answer.person,
        facts={"target": alert.target, "why": OffWhy.STOPPED.value},
    )
    audit(tx, off, at=at)
    answering.tell(Said.ALERT_ANSWERED, automatics_off=True)
    return "stopped"


def _hold(answering: _Answering) -> str:
    """Keep the bot off the whole target for a while; a countdown waits, and begins anew if need be."""
    tx, alert, answer, at = answering.tx, answering.alert, answering.answer, answering.at
    kept = change_automatics(tx, alert.target, lambda known: held(known, by=answer.person, at=at), at=at)
    assert kept.held_until is not None
    if alert.state is AlertState.COUNTDOWN:
        alert = called_off(alert, NotByItself.ON_HOLD)
    keep_alert(tx, alert, answering.playbook)
    if was_on_hold(alert):
        wake_at(tx, alert, kept.held_until)
    until = kept.held_until.isoformat()
    line = Line(
        event=Event.AUTOMATICS_HELD,
        key=f"held:{answering.key}",
        actor=answer.person,
        facts={"target": alert.target, "until": until, "alert": alert.id},
    )
    write_everywhere(tx, alert.target, line, answering.playbook, at=at)
    answering.tell(Said.ALERT_ANSWERED, until=until)
    return "on hold"


def _not_the_canary(answering: _Answering) -> str:
    """Believe the person: nothing is rolled back by itself, and this kind is not said again."""
    tx, alert, answer, at = answering.tx, answering.alert, answering.answer, answering.at
    over = ended(alert, AlertState.NOT_THE_CANARY, by=answer.person, at=at, why=answer.why)
    end_alert(tx, over, answering.playbook)
    change_automatics(tx, alert.target, lambda known: refused(known, answering.canary), at=at)
    answering.write(Event.ALERT_ANSWERED)
    answering.tell(Said.ALERT_ANSWERED)
    return "not the canary"


_CARRY_OUT = {
    Reply.ROLL_BACK: _roll_back,
    Reply.STOP: _stop,
    Reply.HOLD: _hold,
    Reply.NOT_THE_CANARY: _not_the_canary,
}
