"""From an alarm to what people see of it: an alert with buttons, an incident, and perhaps a countdown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from bot.domain.alarm import Alarm, AlarmKind, Level
from bot.domain.alert import (
    UNANSWERED,
    Alert,
    AlertState,
    Weighed,
    alarm_facts,
    decided,
    due_at,
    ended,
    joined,
    may_count_down,
    muted,
    waits_for_the_score,
    was_on_hold,
    way_of,
    weigh,
    without_announcing,
)
from bot.domain.first_guess import guess_from_alarm, scenario_of
from bot.domain.ids import ChannelId, IncidentNumber
from bot.domain.incident import Incident, IncidentState
from bot.domain.incident_picture import is_about_memory
from bot.domain.people import AUTOMATICS
from bot.domain.playbook import Playbook
from bot.domain.rollback import RUNNING, RollbackState
from bot.domain.symptoms import Symptoms, as_facts, in_short, symptoms
from bot.domain.timeline import Event
from bot.domain.watch import Watch, WatchState
from bot.usecases.automatics import automatics_of, speaks_against, write_beside
from bot.usecases.end_alerts import end_alert, keep_alert
from bot.usecases.journal import Line, write_lines
from bot.usecases.open_incident import drill_echoes, incident_to_join, open_incident, slots_lines
from bot.usecases.ports import Transaction, Workflow
from bot.usecases.read_incident_picture import show_detection, show_memory
from bot.usecases.watch_journal import write_watch_lines

#: How long nobody can tell whether a rollback that was asked for comes to anything: its numbers are gathered.
PREPARING_TAKES = timedelta(seconds=30)
#: States of a rollback that takes, or has taken, the canary's traffic away.
_WORKS = RUNNING | {RollbackState.VERIFIED}


@dataclass(frozen=True, kw_only=True)
class _Raising:
    """One alarm being weighed, in the watch's transaction."""

    tx: Transaction
    watch: Watch
    alarm: Alarm
    weighed: Weighed
    found: Symptoms
    playbook: Playbook
    at: datetime

    @property
    def facts(self) -> dict[str, Any]:
        """What an alert remembers of it."""
        return alarm_facts(self.alarm, self.weighed, seen=in_short(self.found, self.alarm))

    @property
    def minutes(self) -> float | None:
        """Minutes since the deployment."""
        since = self.watch.deployed_at
        return round((self.at - since).total_seconds() / 60, 1) if since else None

    def line(self, alert: Alert | None) -> Line:
        """What the timelines tell of it."""
        # A line has a time of its own; the data's is beside it.
        known = {"data_at" if name == "at" else name: value for name, value in self.facts.items()}
        facts = known | {
            "target": self.watch.id,
            "revision": self.alarm.revision,
            "mode": self.weighed.way.mode.value,
            "alert": alert.id if alert else "",
        }
        key = f"alarm:{self.alarm.kind}:{self.alarm.level}:{self.alarm.at.isoformat()}"
        return Line(event=Event.ALARM_RAISED, key=key, facts=facts)


def raise_alarms(
    tx: Transaction, watch: Watch, alarms: Sequence[Alarm], *, playbook: Playbook, at: datetime
) -> Watch:
    """Tell people about `alarms` in the caller's transaction; return the watch with its alerts counted.

    `playbook` is the one in force, `at` is now (aware, UTC). The caller holds the watch's lock, so alerts
    of one target come one after the other.
    """
    for raised in alarms:
        alarm, weighed = raised, _weighed(tx, watch, raised, playbook, at=at)
        if raised.level is Level.NEARLY and weighed.state is not AlertState.COUNTDOWN:
            # Nothing is announced, and that a rollback is recommended is no news.
            known = without_announcing(raised)
            if known is None:
                continue
            alarm, weighed = known, _weighed(tx, watch, known, playbook, at=at)
        raising = _Raising(
            tx=tx,
            watch=watch,
            alarm=alarm,
            weighed=weighed,
            found=symptoms(watch.points, alarm),
            playbook=playbook,
            at=at,
        )
        if raising.weighed.state is None:
            write_watch_lines(tx, watch, [raising.line(None)], at=at)
        elif _alert(raising):
            watch = replace(watch, alerts=watch.alerts + 1)
    return watch


def _weighed(tx: Transaction, watch: Watch, alarm: Alarm, playbook: Playbook, *, at: datetime) -> Weighed:
    """Weigh an alarm; of what a person has called not the canary's, a line is enough for this watch."""
    way = way_of(playbook, alarm.kind)
    against = speaks_against(tx, watch, playbook, at=at) if may_count_down(alarm, way) else None
    weighed = weigh(alarm, way, against=against)
    refused = tx.find(Alert, target=watch.id, state=AlertState.NOT_THE_CANARY)
    of_this_watch = [alert for alert in refused if is_of(alert, watch)]
    silent = alarm.kind in muted(of_this_watch, canary=watch.canary)
    answered = alarm.kind is not AlarmKind.SHARED and _is_answered(tx, watch, at=at)
    return replace(weighed, state=None) if silent or answered else weighed


def _is_answered(tx: Transaction, watch: Watch, *, at: datetime) -> bool:
    """True while the rollback that somebody has answered an alert of this watch with is under way, or done.

    What its last requests bring is no news then. Where the rollback did not work, people hear it again.
    """
    if watch.state is not WatchState.WATCHING:
        return False
    found = tx.find(Alert, target=watch.id, canary=watch.canary, state=AlertState.ROLLED_BACK)
    answered = [alert for alert in found if is_of(alert, watch)]
    if any(alert.at is not None and abs(at - alert.at) < PREPARING_TAKES for alert in answered):
        return True
    under_way = tx.running_rollback(watch.id) or tx.last_rollback(watch.id)
    if under_way is None or under_way.state not in _WORKS:
        return False
    return under_way.id in {alert.rollback for alert in answered}


def alert_id(watch: Watch) -> str:
    """Return the id of the watch's next alert: ``canary-3-1`` is the first one of the third watch."""
    return f"{watch.id}-{watch.number}-{watch.alerts + 1}"


def is_of(alert: Alert, watch: Watch) -> bool:
    """True when `alert` was raised by this very watch."""
    return alert.id.rpartition("-")[0] == f"{watch.id}-{watch.number}"


def _alert(raising: _Raising) -> bool:
    """Open an alert or add to the one that waits for an answer; True when it is a new one."""
    incident, opened = _incident(raising)
    number = incident.number if incident else None
    before = _waiting(raising)
    alert = _new(raising) if before is None else _more(raising, before)
    alert = replace(alert, incident=number or alert.incident)
    lines = [raising.line(alert), *_countdown(raising, before, alert)]
    if incident is not None and (opened or before is None):
        write_lines(
            raising.tx,
            incident.number,
            _incident_lines(raising, alert, incident, opened=opened),
            at=raising.at,
            channel=_channel(raising),
        )
        _find_answers(raising, alert, incident.number)
    write_beside(raising.tx, raising.watch, alert.incident, lines, raising.playbook, at=raising.at)
    keep_alert(raising.tx, alert, raising.playbook)
    _show_pictures(raising, before, alert, opened=opened)
    return before is None


def _show_pictures(raising: _Raising, before: Alert | None, alert: Alert, *, opened: bool) -> None:
    """Send a picture of each detection, and another one once an alert is about memory as well."""
    if alert.incident is None:
        return
    if opened or before is None:
        show_detection(raising.tx, alert, alert.incident, channel=_channel(raising))
    elif is_about_memory(alert) and not is_about_memory(before):
        show_memory(raising.tx, alert, alert.incident, channel=_channel(raising))


def _waiting(raising: _Raising) -> Alert | None:
    """Return and lock the canary's alert that nobody has answered; those of earlier watches are over."""
    tx, watch = raising.tx, raising.watch
    waiting = None
    for found in tx.find(Alert, target=watch.id, state=UNANSWERED):
        alert = tx.kept(Alert, found.id)
        if alert.state not in UNANSWERED:
            continue
        if is_of(alert, watch) and alert.canary == watch.canary:
            waiting = alert
        else:
            end_alert(tx, ended(alert, AlertState.OVER, by=None, at=raising.at), raising.playbook)
    return waiting


def _new(raising: _Raising) -> Alert:
    watch = raising.watch
    fresh = Alert(
        id=alert_id(watch),
        target=watch.id,
        state=AlertState.TOLD,
        created_at=raising.at,
        kind=raising.alarm.kind,
        mode=raising.weighed.way.mode.value,
        canary=watch.canary,
        stable=watch.stable,
        percent=watch.percent,
        facts=raising.facts,
        minutes=raising.minutes,
    )
    return decided(fresh, raising.weighed, at=raising.at)


def _more(raising: _Raising, alert: Alert) -> Alert:
    return joined(alert, raising.weighed, raising.facts, at=raising.at)


def _countdown(raising: _Raising, before: Alert | None, alert: Alert) -> list[Line]:
    """Set the clock of a countdown that begins, or stop it; return what the timelines tell of it."""
    tx, counted = raising.tx, before is not None and before.state is AlertState.COUNTDOWN
    if alert.state is AlertState.COUNTDOWN and alert.fires_at is not None and not counted:
        wake_at(tx, alert, alert.fires_at)
        return [announced(alert, at=raising.at)]
    if _now_sure(before, alert):
        _wake_now_sure(raising, alert)
    if was_on_hold(alert):
        held = automatics_of(tx, alert.target)
        if held is not None and held.held_until is not None:
            wake_at(tx, alert, held.held_until)
    if counted and alert.state is not AlertState.COUNTDOWN:
        tx.let_sleep(Workflow.FIRE, alert.id)
        return [stopped(alert, alert.not_by_itself, at=raising.at)]
    return []


def _now_sure(before: Alert | None, alert: Alert) -> bool:
    """True where a countdown goes on that was announced before it was sure, and now it is."""
    waited = before is not None and waits_for_the_score(before) is not None
    return waited and alert.state is AlertState.COUNTDOWN and waits_for_the_score(alert) is None


def _wake_now_sure(raising: _Raising, alert: Alert) -> None:
    """Let a rollback that was announced before it was sure begin when its countdown is over, or is by now.

    A timer that is set for a moment for which it has woken somebody already wakes nobody again: hence one
    millisecond more.
    """
    due = due_at(alert)
    if due is not None:
        wake_at(raising.tx, alert, max(due, raising.at) + timedelta(milliseconds=1))


def wake_at(tx: Transaction, alert: Alert, at: datetime) -> None:
    """Wake up for an alert when its countdown, or the hold it waits for, is over."""
    tx.wake(Workflow.FIRE, alert.id, at=at, alert=alert.id, target=alert.target)


def announced(alert: Alert, *, at: datetime) -> Line:
    """Return the line that announces a rollback by the bot itself."""
    assert alert.fires_at is not None
    facts = {
        "alert": alert.id,
        "kind": str(alert.gravest["kind"]),
        "if_full": waits_for_the_score(alert) is not None,
        "stop_seconds": round((alert.fires_at - at).total_seconds()),
        "fires_at": alert.fires_at.isoformat(),
        "canary": alert.canary,
        "stable": alert.stable,
    }
    return Line(event=Event.AUTOMATIC_ANNOUNCED, key=f"announced:{alert.id}:{at.isoformat()}", facts=facts)


def stopped(alert: Alert, why: str, *, at: datetime, what: str = "", detail: str = "") -> Line:
    """Return the line that says why the bot did not roll back after all, and what came in between."""
    facts = {"alert": alert.id, "why": str(why), "what": what, "detail": detail}
    return Line(event=Event.AUTOMATIC_STOPPED, key=f"stopped:{alert.id}:{at.isoformat()}", facts=facts)


# The hand-over to people.


def _incident(raising: _Raising) -> tuple[Incident | None, bool]:
    """Return the target's open incident, opened now if need be, and whether it was.

    Nobody asked for an incident where the playbook lets a rule only tell; that stable is as bad is one.
    What is left to see of a drill that is over is none either: nobody is called for it.
    """
    told = raising.weighed.state is AlertState.TOLD and raising.alarm.kind is not AlarmKind.SHARED
    found = incident_to_join(raising.tx, raising.watch.id, playbook=raising.playbook, at=raising.at)
    if found is not None or told or drill_echoes(raising.tx, raising.watch.id, at=raising.at):
        return found, False
    failure, severity = guess_from_alarm(raising.alarm, raising.playbook)
    scenario = scenario_of(raising.alarm, raising.playbook)
    draft = Incident(
        number=IncidentNumber(0),
        target=raising.watch.id,
        state=IncidentState.OPEN,
        severity=severity,
        failure_type=failure,
        opened_at=raising.at,
        opened_by=AUTOMATICS,
        playbook_version=raising.playbook.version,
        scenario=scenario.key if scenario else None,
        scenario_at=raising.at if scenario else None,
        seen=in_short(raising.found, raising.alarm),
        deployed_at=raising.watch.deployed_at,
    )
    return open_incident(raising.tx, draft, playbook=raising.playbook, at=raising.at), True


def _incident_lines(raising: _Raising, alert: Alert, incident: Incident, *, opened: bool) -> list[Line]:
    about = {"watched": True, "target": alert.target, "alert": alert.id, "kind": raising.alarm.kind.value}
    if not opened:
        return [Line(event=Event.INCIDENT_JOINED, key=f"joined:{alert.id}", facts=about)]
    scenario = raising.playbook.scenario(incident.scenario)
    facts: Mapping[str, Any] = about | {
        "seen": incident.seen,
        "severity": incident.severity.value,
        "severity_chosen": False,
        "scenario": incident.scenario,
        "scenario_name": scenario.name.model_dump() if scenario else None,
        "minutes": raising.minutes,
        "before": as_facts(raising.found.before),
        "now": as_facts(raising.found.now),
    }
    opening = Line(event=Event.INCIDENT_OPENED, key=f"opened:{alert.id}", facts=facts)
    return [opening, *slots_lines(raising.playbook, key=alert.id)]


def _find_answers(raising: _Raising, alert: Alert, number: IncidentNumber) -> None:
    words = {"incident": str(number), "target": alert.target, "alert": alert.id, "turn": "1"}
    raising.tx.start(Workflow.FIND_ANSWERS, f"{number}:{alert.id}", **words)


def _channel(raising: _Raising) -> ChannelId:
    return ChannelId(raising.playbook.channels.incidents)
