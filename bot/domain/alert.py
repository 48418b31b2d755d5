"""An alert: an alarm as people see it, with what the bot did or would have done, and what they answered."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from bot.domain.alarm import Alarm, AlarmKind, Level
from bot.domain.automatics import NotByItself
from bot.domain.guide import Mode
from bot.domain.ids import IncidentNumber, PersonId, RollbackId, TargetName
from bot.domain.judge_state import JudgeState, trigger_percent_of
from bot.domain.playbook import Playbook


class AlertState(StrEnum):
    """Where an alert is. From ROLLED_BACK on they are ends."""

    #: Told only; nothing is asked of anybody.
    TOLD = "told"
    #: A rollback is recommended, and nobody has answered yet.
    OPEN = "open"
    #: The bot rolls back at `fires_at` unless somebody stops it.
    COUNTDOWN = "countdown"
    ROLLED_BACK = "rolled_back"
    STOPPED = "stopped"
    NOT_THE_CANARY = "not_the_canary"
    #: The canary has no traffic any more, or the watch has ended.
    OVER = "over"


#: States in which somebody may still answer.
UNANSWERED = (AlertState.OPEN, AlertState.COUNTDOWN, AlertState.TOLD)
#: States in which somebody may still roll back: who stopped the bot may have wanted to look first.
MAY_ROLL_BACK = (*UNANSWERED, AlertState.STOPPED)


@dataclass(frozen=True, kw_only=True)
class Alert:
    """One alert about one canary, from its first alarm on.

    `kind` is that of the first alarm and `facts` are its newest facts (see `bot.domain.alarm.Alarm` and
    `alarm_facts`); `also` are those of the other kinds, each once. `mode` is what the playbook says of the
    gravest one's rule: tell, recommend or auto. `not_by_itself` says why the bot did not act by itself (a
    `NotByItself`), empty where it does. `minutes` are since the deployment. `by` and `at` (aware, UTC) say
    who ended it and when, `why` what they wrote, raw. `pressed_at` is when somebody first pressed a
    button during the countdown. `called` says that a second message called people to a countdown.
    """

    id: str
    target: TargetName
    state: AlertState
    created_at: datetime
    kind: AlarmKind
    mode: str
    canary: str
    stable: str
    percent: int
    facts: Mapping[str, Any] = field(default_factory=dict)
    also: tuple[Mapping[str, Any], ...] = ()
    not_by_itself: str = ""
    minutes: float | None = None
    incident: IncidentNumber | None = None
    rollback: RollbackId | None = None
    fires_at: datetime | None = None
    by: PersonId | None = None
    at: datetime | None = None
    why: str = ""
    pressed_at: datetime | None = None
    called: bool = False

    @property
    def gravest(self) -> Mapping[str, Any]:
        """The facts of the alarm that asks for most, the earliest of several."""
        return max((self.facts, *self.also), key=lambda facts: _LEVELS.index(facts.get("level", Level.TELL)))

    @property
    def gravest_kinds(self) -> tuple[str, ...]:
        """The kinds of the alarms that ask for as much as the gravest, the earliest first."""
        most = self.gravest.get("level")
        return tuple(str(f["kind"]) for f in (self.facts, *self.also) if f.get("level") == most)

    @property
    def kinds(self) -> frozenset[str]:
        """Every kind of alarm it is about."""
        return frozenset({self.kind.value, *(str(facts["kind"]) for facts in self.also)})


_LEVELS = tuple(Level)
#: What a later alarm can only add to, least first.
_RISING = (AlertState.TOLD, AlertState.OPEN, AlertState.COUNTDOWN)
#: Kinds for which a line in the watch's timeline is enough. Source: guide, "Watch more closely".
_LINE_ONLY = (AlarmKind.ERROR_RATE_ONCE, AlarmKind.CPU)
#: How long people can stop the bot where the playbook has no such rule. Source: the issue's own words.
STOP_SECONDS = 10
#: Where people have at least so long to stop the bot, it announces a rollback while the score is nearly full.
ANNOUNCED_BEFORE_SECONDS = 10
#: So long after its countdown a rollback announced so waits for the score to be full: one more bucket, and as
#: long as that takes to be read. Source: reference/detection.md, log entries come 2 to 10 s late.
FULL_WITHIN = timedelta(seconds=10 + 10)
#: How long weighing a press takes at most, Slack being asked who that is.
PRESS_TAKES = timedelta(seconds=5)


@dataclass(frozen=True, kw_only=True)
class Way:
    """What the playbook says the bot does about a kind of alarm, and how long people can stop it."""

    mode: Mode
    stop_seconds: int = STOP_SECONDS


@dataclass(frozen=True, kw_only=True)
class Weighed:
    """What one alarm comes to.

    `state` is the alert it asks for; None: a line in the watch's timeline is enough. `not_by_itself`
    says why the bot does not act, and `held_back` what would have kept it from acting had the rule
    been ``auto``; None: nothing.
    """

    state: AlertState | None
    way: Way
    not_by_itself: NotByItself | None = None
    held_back: NotByItself | None = None


def way_of(playbook: Playbook, kind: AlarmKind) -> Way:
    """Return what the bot does about `kind`: its rule's mode, the early warning's, or recommending.

    Slowness goes by the early warning's mode, because the guide has no rule for it.
    """
    if kind in (AlarmKind.SHARED, AlarmKind.CPU):
        return Way(mode=Mode.TELL)
    if kind in (AlarmKind.EARLY_WARNING, AlarmKind.RESPONSE_TIME):
        early = playbook.watch.early_warning
        return Way(mode=early.mode, stop_seconds=early.stop_seconds)
    rule = playbook.rule(kind.value)
    return Way(mode=rule.mode, stop_seconds=rule.stop_seconds) if rule else Way(mode=Mode.RECOMMEND)


def weigh(alarm: Alarm, way: Way, *, against: NotByItself | None) -> Weighed:
    """Say what `alarm` comes to; `against` is what speaks against acting whatever the rule says."""
    if alarm.kind is AlarmKind.SHARED:
        return Weighed(state=AlertState.TOLD, way=way, not_by_itself=NotByItself.RULE_MODE)
    if alarm.kind in _LINE_ONLY or alarm.level is Level.TELL:
        return Weighed(state=None, way=way)
    held_back = against if may_count_down(alarm, way) else _not_sure(alarm)
    if way.mode is not Mode.AUTO:
        state = AlertState.TOLD if way.mode is Mode.TELL else AlertState.OPEN
        return Weighed(state=state, way=way, not_by_itself=NotByItself.RULE_MODE, held_back=held_back)
    state = AlertState.COUNTDOWN if held_back is None else AlertState.OPEN
    return Weighed(state=state, way=way, not_by_itself=held_back, held_back=held_back)


def may_count_down(alarm: Alarm, way: Way) -> bool:
    """True for an alarm that is sure enough, or will be before people's time to stop the bot is over."""
    early = way.mode is Mode.AUTO and way.stop_seconds >= ANNOUNCED_BEFORE_SECONDS
    return alarm.level is Level.ACT or (alarm.level is Level.NEARLY and early)


def without_announcing(alarm: Alarm) -> Alarm | None:
    """Return an alarm that is nearly sure as the recommendation it still is; None where that is no news."""
    if alarm.before not in (None, Level.TELL):
        return None
    return replace(alarm, level=Level.RECOMMEND)


def _not_sure(alarm: Alarm) -> NotByItself:
    return NotByItself.NO_BASELINE if alarm.facts.get("no_baseline") else NotByItself.NOT_CONFIRMED


def alarm_facts(alarm: Alarm, weighed: Weighed, *, seen: str) -> dict[str, Any]:
    """Return what an alert remembers of an alarm, as JSON facts.

    Its own facts, and ``kind``, ``level``, ``at`` (the data's time, ISO), ``seen`` (the symptoms in
    one line), and ``held_back`` (a `NotByItself`, empty: nothing).
    """
    return dict(alarm.facts) | {
        "kind": alarm.kind.value,
        "level": alarm.level.value,
        "at": alarm.at.isoformat(),
        "seen": seen,
        "held_back": weighed.held_back or "",
    }


def joined(alert: Alert, weighed: Weighed, facts: Mapping[str, Any], *, at: datetime) -> Alert:
    """Return an unanswered alert with one more alarm, at `at` (aware, UTC).

    It may turn more serious by it, up to a countdown, and never less: but that stable is just as bad
    calls a countdown off.
    """
    graver = _graver(alert, facts)
    if facts["kind"] == alert.kind:
        known = replace(alert, facts=facts)
    else:
        others = (other for other in alert.also if other["kind"] != facts["kind"])
        known = replace(alert, also=(*others, facts))
    if facts["kind"] == AlarmKind.SHARED and alert.state is AlertState.COUNTDOWN:
        return called_off(known, NotByItself.NOT_CONFIRMED)
    if weighed.state is None or _RISING.index(weighed.state) < _RISING.index(alert.state):
        return known
    if weighed.state is alert.state and (alert.state is AlertState.COUNTDOWN or not graver):
        return known
    return calling(decided(known, weighed, at=at))


def calling(alert: Alert) -> Alert:
    """Return an alert that people know already, to be shown anew where it now counts down.

    Slack rings for a new message and for no edit, and nobody can stop what they do not hear of.
    """
    return replace(alert, called=True) if alert.state is AlertState.COUNTDOWN else alert


def _graver(alert: Alert, facts: Mapping[str, Any]) -> bool:
    return _LEVELS.index(facts["level"]) > _LEVELS.index(alert.gravest["level"])


def decided(alert: Alert, weighed: Weighed, *, at: datetime) -> Alert:
    """Return the alert in the state that `weighed` asks for; a countdown begins at `at`."""
    counts = weighed.state is AlertState.COUNTDOWN
    return replace(
        alert,
        state=weighed.state or alert.state,
        mode=weighed.way.mode.value,
        not_by_itself=weighed.not_by_itself or "",
        fires_at=at + timedelta(seconds=weighed.way.stop_seconds) if counts else None,
        pressed_at=None,
    )


def pressed(alert: Alert, *, at: datetime) -> Alert:
    """Return the alert knowing that a button was pressed at `at`; only a countdown's first press counts."""
    if alert.state is not AlertState.COUNTDOWN or alert.pressed_at is not None:
        return alert
    return replace(alert, pressed_at=at)


def due_at(alert: Alert) -> datetime | None:
    """Return when the bot may act at the earliest (aware, UTC), None while nothing counts down.

    A press in time counts although weighing it takes a moment: so long the bot waits, once.
    """
    if alert.state is not AlertState.COUNTDOWN or alert.fires_at is None:
        return None
    return max(alert.fires_at, alert.pressed_at + PRESS_TAKES) if alert.pressed_at else alert.fires_at


def called_off(alert: Alert, why: NotByItself) -> Alert:
    """Return an alert that people now have to answer, because the bot does not act after all."""
    return replace(alert, state=AlertState.OPEN, not_by_itself=why.value, fires_at=None, by=None, at=None)


def ended(alert: Alert, state: AlertState, *, by: PersonId | None, at: datetime, why: str = "") -> Alert:
    """Return the alert as answered, or over; nothing counts down any more."""
    return replace(alert, state=state, by=by, at=at, why=why, fires_at=None)


def was_on_hold(alert: Alert) -> bool:
    """True for an alert that only waits for people because somebody has put the automatics on hold."""
    return alert.state is AlertState.OPEN and alert.not_by_itself == NotByItself.ON_HOLD


def still_true(alert: Alert, said: Mapping[str, str]) -> bool:
    """True while the judge still holds that one of the alert's alarms is as sure as acting has to be.

    `said` is the judge's, see `bot.domain.judge_state.JudgeState`.
    """
    return any(said.get(facts["kind"]) == Level.ACT for facts in _at(alert, Level.ACT))


def waits_for_the_score(alert: Alert) -> Mapping[str, Any] | None:
    """Return the facts by which a rollback is announced that is not sure yet; None otherwise."""
    if alert.state is not AlertState.COUNTDOWN or _at(alert, Level.ACT):
        return None
    return next(iter(_at(alert, Level.NEARLY)), None)


def may_yet_fill(alert: Alert, judged: JudgeState) -> bool:
    """True while the score that a rollback was announced by is no lower than it was then."""
    facts = waits_for_the_score(alert)
    if facts is None:
        return False
    percent = trigger_percent_of(AlarmKind(facts["kind"]), judged)
    return percent >= float(facts.get("trigger_percent") or 0.0)


def _at(alert: Alert, level: Level) -> list[Mapping[str, Any]]:
    return [facts for facts in (alert.facts, *alert.also) if facts.get("level") == level]


def muted(alerts: Iterable[Alert], *, canary: str) -> frozenset[str]:
    """Return the kinds of alarm of which a person has said that they are not the canary's."""
    refused = (a for a in alerts if a.canary == canary and a.state is AlertState.NOT_THE_CANARY)
    return frozenset(kind for alert in refused for kind in alert.kinds)
