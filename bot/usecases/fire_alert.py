"""The bot rolls back by itself: nobody has stopped it in time, and everything it rests on still holds."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from bot.domain.alarm import AlarmKind
from bot.domain.alert import (
    FULL_WITHIN,
    Alert,
    AlertState,
    Way,
    Weighed,
    called_off,
    calling,
    decided,
    due_at,
    ended,
    may_yet_fill,
    still_true,
    was_on_hold,
    way_of,
)
from bot.domain.automatics import NotByItself, OffWhy, fired
from bot.domain.guide import Mode
from bot.domain.ids import ChannelId, IncidentNumber, RollbackId, TargetName
from bot.domain.incident import Incident
from bot.domain.people import AUTOMATICS
from bot.domain.playbook import Playbook
from bot.domain.timeline import Event
from bot.domain.watch import Watch, WatchState
from bot.usecases.ask_for_rollback import AskForRollback, ask
from bot.usecases.automatics import automatics_of, change_automatics, speaks_against, write_beside
from bot.usecases.editions import playbook_of
from bot.usecases.end_alerts import end_alert, keep_alert
from bot.usecases.journal import Line, audit
from bot.usecases.page_contact import call_unless_there
from bot.usecases.ports import Clock, NotKept, Playbooks, Steps, Store, Transaction
from bot.usecases.raise_alert import announced, is_of, stopped, wake_at

#: Who is called when the bot has acted, by the guide's own contacts; without that key the first one is.
LEAD = "deployment_lead"


async def fire_alert(
    arguments: Mapping[str, str], *, steps: Steps, store: Store, playbooks: Playbooks, clock: Clock
) -> None:
    """Wake up when an alert's countdown, or the hold that called it off, is over.

    The rows decide, in one transaction: of any number of replicas, and of somebody who presses Stop at
    that moment, exactly one gets its way.
    """
    now, playbook = clock(), playbooks.current()
    target, id = TargetName(arguments["target"]), arguments["alert"]
    await steps.step(
        "fire", lambda: store.change(lambda tx: _fire(tx, target, id, playbook, at=now)), into=str
    )


@dataclass(frozen=True, kw_only=True)
class _Firing:
    """One alert that may fire, everything as stored now and locked."""

    tx: Transaction
    alert: Alert
    watch: Watch
    incident: Incident | None
    playbook: Playbook
    at: datetime

    @property
    def number(self) -> IncidentNumber | None:
        """The incident that its lines go to."""
        return self.incident.number if self.incident else self.alert.incident

    def write(self, *lines: Line) -> None:
        """Tell the watch's timeline and the incident's."""
        write_beside(self.tx, self.watch, self.number, lines, self.playbook, at=self.at)


def _fire(tx: Transaction, target: TargetName, id: str, playbook: Playbook, *, at: datetime) -> str:
    try:
        watch = tx.kept(Watch, target)
        against = speaks_against(tx, watch, playbook, at=at)
        incident = tx.open_incident(target)
        alert = tx.kept(Alert, id)
    except NotKept:
        return "gone"
    firing = _Firing(tx=tx, alert=alert, watch=watch, incident=incident, playbook=playbook, at=at)
    counts = alert.state is AlertState.COUNTDOWN
    if not counts and not was_on_hold(alert):
        return alert.state
    due = due_at(alert)
    if due is not None and at < due:
        # Somebody has pressed a button, or this machine's clock is behind the one that set the timer.
        wake_at(tx, alert, due)
        return "not yet"
    if watch.state is not WatchState.WATCHING or not is_of(alert, watch) or alert.canary != watch.canary:
        end_alert(tx, ended(alert, AlertState.OVER, by=None, at=at), playbook)
        return "over"
    why = against or _not_true_any_more(firing)
    if not counts:
        return _after_the_hold(firing, why)
    if why is NotByItself.NOT_CONFIRMED and _waits(firing):
        return "not full yet"
    return _call_off(firing, why) if why is not None else _act(firing)


def _waits(firing: _Firing) -> bool:
    """Wait once for the score that a rollback was announced by, while it may still fill; True where it does.

    The alarm that says so then wakes it at once, see `raise_alarms`; nothing is done on less.
    """
    alert = firing.alert
    if alert.fires_at is None or not may_yet_fill(alert, firing.watch.judge):
        return False
    until = alert.fires_at + FULL_WITHIN
    if firing.at >= until:
        return False
    # Shown anew, as the time it was announced for is over.
    keep_alert(firing.tx, alert, firing.playbook)
    wake_at(firing.tx, alert, until)
    return True


def _not_true_any_more(firing: _Firing) -> NotByItself | None:
    """Say what of the alert has changed since it was announced."""
    if firing.incident is None:
        # Somebody has closed it meanwhile, and so is at it.
        return NotByItself.PERSON_SAID_NO
    if _way(firing).mode is not Mode.AUTO:
        return NotByItself.RULE_MODE
    # What may only be recommended is no reason to act, however sure it is.
    said = firing.watch.judge.said.items()
    auto = {kind: level for kind, level in said if _way_of(firing, kind).mode is Mode.AUTO}
    return None if still_true(firing.alert, auto) else NotByItself.NOT_CONFIRMED


def _way(firing: _Firing) -> Way:
    """The way of the alert's gravest alarm; of several as grave that of one which may act."""
    ways = [_way_of(firing, kind) for kind in firing.alert.gravest_kinds]
    return next((way for way in ways if way.mode is Mode.AUTO), ways[0])


def _way_of(firing: _Firing, kind: str) -> Way:
    return way_of(firing.playbook, AlarmKind(kind))


def _after_the_hold(firing: _Firing, why: NotByItself | None) -> str:
    """Announce it anew where it is still as bad as it was; people have had their time."""
    if why is NotByItself.ON_HOLD:
        held = automatics_of(firing.tx, firing.alert.target)
        if held is not None and held.held_until is not None:
            wake_at(firing.tx, firing.alert, held.held_until)
        return "on hold again"
    if why is not None:
        keep_alert(firing.tx, called_off(firing.alert, why), firing.playbook)
        return why
    weighed = Weighed(state=AlertState.COUNTDOWN, way=_way(firing))
    counting = calling(decided(firing.alert, weighed, at=firing.at))
    assert counting.fires_at is not None
    keep_alert(firing.tx, counting, firing.playbook)
    wake_at(firing.tx, counting, counting.fires_at)
    firing.write(announced(counting, at=firing.at))
    return "announced anew"


def _call_off(firing: _Firing, why: NotByItself) -> str:
    """Leave it to people, and tell them why."""
    keep_alert(firing.tx, called_off(firing.alert, why), firing.playbook)
    firing.write(stopped(firing.alert, why, at=firing.at))
    return why


def _act(firing: _Firing) -> str:
    """Ask for the very rollback that people ask for; how it goes is its own affair."""
    tx, alert, at = firing.tx, firing.alert, firing.at
    request = AskForRollback(
        key=f"fire:{alert.id}",
        target=alert.target,
        person=AUTOMATICS,
        acting_team=None,
        channel=ChannelId(firing.playbook.channels.incidents),
        reason=reason_of(alert),
        forced=True,
    )
    id = ask(tx, request, playbook=firing.playbook, at=at)
    over = ended(alert, AlertState.ROLLED_BACK, by=AUTOMATICS, at=at)
    end_alert(tx, replace(over, rollback=id), firing.playbook)
    change_automatics(
        tx, alert.target, lambda known: fired(known, by=AUTOMATICS, at=at, to=alert.stable), at=at
    )
    firing.write(_fired_line(alert, id))
    off = {"target": alert.target, "why": OffWhy.FIRED.value}
    audit(tx, Line(event=Event.AUTOMATICS_OFF, key=f"off:{alert.id}", facts=off), at=at)
    _call_the_lead(firing)
    return "fired"


def reason_of(alert: Alert) -> str:
    """Return why an alert's canary is rolled back, in a line that reads the same in every language."""
    facts = alert.gravest
    kind, seen = str(facts["kind"]).replace("_", " "), str(facts.get("seen", ""))
    return f"{kind}: {seen}" if seen and seen != kind else kind


def _fired_line(alert: Alert, id: RollbackId) -> Line:
    facts = {
        "alert": alert.id,
        "kind": str(alert.gravest["kind"]),
        "rollback": id,
        "canary": alert.canary,
        "stable": alert.stable,
    }
    return Line(event=Event.AUTOMATIC_FIRED, key=f"fired:{id}", facts=facts)


def _call_the_lead(firing: _Firing) -> None:
    """Call whoever leads the deployment, at any severity: a person has to know what the bot has done."""
    if firing.incident is None:
        return
    playbook = playbook_of(firing.tx, firing.incident, firing.playbook)
    lead = LEAD if LEAD in playbook.contacts else next(iter(playbook.contacts), None)
    if lead is not None:
        id = f"{firing.incident.number}-fired-{firing.alert.id}"
        alert = firing.alert
        reason = f"Backout: {alert.canary} → {alert.stable} · {reason_of(alert)}"
        call_unless_there(firing.tx, firing.incident, playbook, lead, id=id, reason=reason, at=firing.at)
