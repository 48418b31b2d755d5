"""Watches, alerts and automatics in every state, with texts to be put wherever people's or Google's go."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

from bot.domain.alarm import AlarmKind
from bot.domain.alert import Alert, AlertState
from bot.domain.automatics import Automatics, NotByItself, OffWhy
from bot.domain.detection import Excess
from bot.domain.ids import IncidentNumber, PersonId, ServiceName, TargetName
from bot.domain.judge_state import JudgeState, Streak
from bot.domain.observation import Point, SideValues
from bot.domain.playbook import Playbook
from bot.domain.readings import Metric
from bot.domain.rollback import NothingWhy, UnsureWhy
from bot.domain.timeline import Event
from bot.domain.traffic import SideAddress, Sides
from bot.domain.watch import EndedWhy, SourceState, Watch, WatchSource, WatchState
from bot.slack.text import Words
from bot.slack.views.alert_message import alert_message, not_the_canary_modal
from bot.slack.views.automatics_views import automatics_message, back_test_message
from bot.slack.views.rollback_message import Message
from bot.slack.views.watch_message import watch_message
from tests.guide import the_guide
from tests.values import CANARY, CANARY_TARGET, NOON, SENA, SICK, STABLE, a_playbook, a_reading, seconds

BACKOUT = PersonId("backout")


def minutes(count: float) -> timedelta:
    """Return a length of time."""
    return timedelta(minutes=count)


def a_point(minutes_ago: float, *, canary: float | None = 0.1, stable: float | None = 0.1) -> Point:
    """Return a minute with these error rates and otherwise healthy numbers."""
    return Point(
        at=NOON - minutes(minutes_ago),
        canary=SideValues(error_rate=canary, p95=80.0, memory=40.0, cpu=30.0, requests=300),
        stable=SideValues(error_rate=stable, p95=80.0, memory=40.0, cpu=30.0, requests=2700),
    )


def a_watch(**more: Any) -> Watch:
    """Return the third watch of the canary target, an hour old at noon, with nothing wrong."""
    watch = Watch(
        id=CANARY_TARGET,
        number=3,
        state=WatchState.WATCHING,
        created_at=NOON - minutes(60),
        started_by=BACKOUT,
        canary=CANARY,
        stable=STABLE,
        percent=10,
        sides=Sides(stable=SideAddress(service=ServiceName("ion-api"), revision=STABLE), canary=None),
        channel="#operations",
        deployed_at=NOON - minutes(63),
        read_until=NOON,
        checked_at=NOON - minutes(2),
        judge=JudgeState(until=NOON - seconds(6), height=10.0, slow_height=10.0),
        readings=SICK,
        points=tuple(a_point(60 - minute) for minute in range(60)),
    )
    return replace(watch, **more)


#: What `judge` says with an alarm, as far as it applies to one of each kind.
COUNTED = {
    "value": 5.1, "limit": 1.0, "requests": 667, "errors": 34, "stable_value": 0.2, "stable_requests": 6003,
    "source": "request_log", "until": (NOON - seconds(4)).isoformat(),
}  # fmt: skip
FACTS: dict[AlarmKind, dict[str, Any]] = {
    AlarmKind.ERROR_RATE_ONCE: COUNTED | {"in_a_row": 1, "readings": 1},
    AlarmKind.ERROR_RATE_IN_A_ROW: COUNTED | {"in_a_row": 3, "readings": 3},
    AlarmKind.DATA_LOSS: {},
    AlarmKind.MEMORY_EXPLOSION: {
        "memory": 88.0, "limit": 85.0, "percent_per_minute": 2.1, "full_in_seconds": 340.0,
        "source": "monitoring", "until": (NOON - seconds(130)).isoformat(),
    },
    AlarmKind.SERVICE_DOWN: {
        "failures": 3, "seconds": 10.2, "stable_well": True, "source": "probe", "until": NOON.isoformat(),
    },
    AlarmKind.EARLY_WARNING: COUNTED | {
        "excess": 13.0, "seconds": 90.0, "score_percent": 100.0, "trigger_percent": 100.0,
    },
    AlarmKind.RESPONSE_TIME: COUNTED | {"value": 812.0, "limit": 500.0, "stable_value": 90.0, "in_a_row": 3},
    AlarmKind.CPU: {
        "value": 96.0, "limit": 90.0, "in_a_row": 3, "source": "monitoring", "until": NOON.isoformat(),
    },
    AlarmKind.SHARED: COUNTED | {"excess": 13.0, "seconds": 90.0, "stable_value": 4.8},
}  # fmt: skip


def an_alert(kind: AlarmKind = AlarmKind.ERROR_RATE_IN_A_ROW, **more: Any) -> Alert:
    """Return an open alert of noon that recommends a rollback, because nobody has armed the target."""
    alert = Alert(
        id="a1e57",
        target=CANARY_TARGET,
        state=AlertState.OPEN,
        created_at=NOON,
        kind=kind,
        mode="recommend",
        canary=CANARY,
        stable=STABLE,
        percent=10,
        facts=FACTS[kind],
        not_by_itself=NotByItself.NOT_ARMED.value,
        minutes=12.4,
        incident=IncidentNumber(12),
    )
    return replace(alert, **more)


def automatics(**more: Any) -> Automatics:
    """Return the canary target's automatics, armed by Sena an hour ago."""
    known = Automatics(
        id=CANARY_TARGET, created_at=NOON - minutes(60), armed=True, by=SENA, at=NOON - minutes(60)
    )
    return replace(known, **more)


def all_automatics(hostile: str) -> Iterator[Automatics | None]:
    """Yield automatics in every state."""
    who = PersonId(f"cli:{hostile}")
    yield None
    yield automatics()
    yield automatics(by=who, held_until=NOON + minutes(15), held_by=who)
    yield automatics(armed=False)
    for why in OffWhy:
        yield automatics(armed=False, by=who, off_why=why.value)
    yield automatics(armed=False, off_why=hostile)


def watches(hostile: str, name: str) -> Iterator[tuple[str, Watch]]:
    """Yield a watch in every state, with sources that fail in every way."""
    known = {"canary": name, "stable": name}
    who = PersonId(f"google:{hostile}")
    yield "new", a_watch(readings=(), points=(), judge=JudgeState(), deployed_at=None, **known)
    yield "hostile target", a_watch(id=TargetName(name[:200]), **known)
    gap = Point(at=NOON, canary=SideValues(error_rate=float("nan")))
    many = tuple(a_reading(Metric.CPU, None, problem=hostile) for _ in range(50))
    absurd = JudgeState(
        until=NOON + minutes(9),
        height=1e-300,
        slow_height=0.0,
        errors_warning=Excess(level=1e300),
        slow_warning=Excess(level=1.0),
        error_streak=Streak(bad=10**9, until=NOON),
    )
    yield (
        "absurd",
        a_watch(readings=many, official=many, points=(gap,) * 60, judge=absurd, percent=10**9, **known),
    )
    for state in WatchState:
        for why in (None, *EndedWhy):
            ended = {"ended_at": NOON, "ended_why": why, "ended_by": who, "rolled_back_at": NOON}
            more = ended if state is not WatchState.WATCHING else {"closely_until": NOON + minutes(4)}
            yield f"{state} {why}", a_watch(state=state, started_by=who, alerts=7, **more, **known)
    for source in WatchSource:
        for well_at in (None, NOON):
            failing = SourceState(well_at=well_at, problem=hostile, suppressed=10**6, lag_seconds=1e9)
            yield f"{source} {well_at}", a_watch(sources={source: failing}, **known)
    all_fail = dict.fromkeys(WatchSource, SourceState(problem=hostile * 50, suppressed=1))
    yield "all fail", a_watch(sources=all_fail, **known)


def alerts(hostile: str, name: str) -> Iterator[tuple[str, Alert]]:
    """Yield an alert of every kind in every state, with every reason not to act, and with odd facts."""
    who = PersonId(f"cli:{hostile}")
    known: dict[str, Any] = {"canary": name, "stable": name, "why": hostile, "by": who, "at": NOON}
    for kind in AlarmKind:
        yield f"{kind}", an_alert(kind, **known)
        odd = {"value": float("nan"), "source": hostile, "excess": hostile, "in_a_row": 1e12, "until": None}
        yield f"{kind} odd", an_alert(kind, facts=odd, also=(odd,) * 40, minutes=float("inf"), **known)
        yield f"{kind} bare", an_alert(kind, facts={}, minutes=None, incident=None, canary=name, stable=name)
        huge = {"value": 1e300, "requests": 10**18, "errors": 1e18, "excess": 1e300, "full_in_seconds": 1e300}
        yield f"{kind} huge", an_alert(kind, facts=FACTS[kind] | huge, minutes=1e300, **known)
    for state in AlertState:
        for kind in (AlarmKind.EARLY_WARNING, AlarmKind.SHARED):
            yield f"{kind} {state}", an_alert(kind, state=state, fires_at=NOON + seconds(10), **known)
    for percent in (92.6, 99.9, 1e300, hostile, None):
        ahead = FACTS[AlarmKind.EARLY_WARNING] | {"level": "nearly", "trigger_percent": percent}
        counts = {"state": AlertState.COUNTDOWN, "fires_at": NOON + seconds(10), "facts": ahead}
        yield f"ahead {percent}", an_alert(AlarmKind.EARLY_WARNING, **known, **counts)
    for why in ("", hostile, *NotByItself):
        for mode in ("recommend", "auto"):
            yield f"because {why} {mode}", an_alert(not_by_itself=str(why), mode=mode, **known)
    every = tuple({"kind": kind.value, "at": NOON.isoformat(), **facts} for kind, facts in FACTS.items())
    yield "also", an_alert(also=every, **known)
    yield "also much", an_alert(also=every * 20, **known)
    for by in (None, BACKOUT):
        yield f"rolled back by {by}", an_alert(state=AlertState.ROLLED_BACK, by=by)


def watch_messages(
    hostile: str, name: str, playbook: Playbook, words: Words
) -> Iterator[tuple[str, Message]]:
    """Yield every message about watches and alerts."""
    for title, watch in watches(hostile, name):
        yield f"watch {title}", watch_message(watch, playbook, words, now=NOON + seconds(5))
    for number, known in enumerate(all_automatics(hostile)):
        shown = watch_message(a_watch(), the_guide(), words, now=NOON, automatics=known)
        yield f"watch automatics {number}", shown
    for title, alert in alerts(hostile, name):
        yield f"alert {title}", alert_message(alert, playbook, words, now=NOON + seconds(3))
    for kind in AlarmKind:
        yield f"alert {kind}, the guide", alert_message(an_alert(kind), the_guide(), words, now=NOON)
    yield from automatics_messages(hostile, name, words)


def watch_modals(words: Words) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every modal about alerts."""
    yield "not the canary", not_the_canary_modal("a1e57", words, channel="C0OPERATIONS")


def a_back_test(hostile: str = "", **more: Any) -> dict[str, Any]:
    """Return the facts of a back-test of an unarmed target that would have fired once, three days ago."""
    hit = FACTS[AlarmKind.EARLY_WARNING] | {
        "at": (NOON - minutes(3 * 24 * 60)).isoformat(), "kind": "early_warning", "level": "act",
        "mode": "recommend", "canary": CANARY,
    }  # fmt: skip
    facts = {
        "what": "back_test", "target": "canary", "armed": False, "by": None, "at": None, "off_why": "",
        "held_until": None, "held_by": None, "would_act": True, "fired_at": [], "days": 7,
        "since": (NOON - minutes(7 * 24 * 60)).isoformat(), "until": NOON.isoformat(), "problem": hostile,
        "minutes": 411, "canaries": 3, "count": 0, "would_count": 1, "recommended": 2, "times": [hit],
    }  # fmt: skip
    return facts | more


def automatics_messages(hostile: str, name: str, words: Words) -> Iterator[tuple[str, Message]]:
    """Yield every message about automatics, with back-tests of nothing, of much, and unreadable ones."""
    hit = a_back_test()["times"][0] | {"canary": name}
    who = {"by": f"cli:{hostile}", "at": NOON.isoformat()}
    armed: dict[str, Any] = {"armed": True, "canary": name} | who
    many: dict[str, Any] = {"times": [hit] * 40, "count": 40, "would_count": 4000, "minutes": 10**9}
    held = {"held_until": (NOON + minutes(9)).isoformat(), "held_by": hostile or SENA}
    known = {
        "back-test": a_back_test(hostile, target=name[:40] or "x"),
        "back-test of nothing": a_back_test(minutes=0, times=[], would_count=0, canaries=0),
        "back-test of much": a_back_test(hostile, **many),
        "armed already": a_back_test(**armed, **held),
        **{f"against {why}": a_back_test(canary=name, not_by_itself=why.value) for why in NotByItself},
    }
    for playbook in (the_guide(), a_playbook(), a_playbook(roles={})):
        for title, facts in known.items():
            yield title, back_test_message(facts, playbook, words, now=NOON)
    for changed in (True, False):
        for facts in (a_back_test(**armed), a_back_test(off_why="person", **who)):
            shown = automatics_message(facts | {"changed": changed}, the_guide(), words, now=NOON)
            yield f"automatics {changed}", shown


def watch_event_facts(event: Event, text: str) -> dict[str, Any]:
    """Return what the use-cases write down with an event about watches and automatics; {} for others."""
    deployment = {"canary": text, "stable": text}
    alert = {"alert": "canary-3-1", "kind": "early_warning"} | deployment
    flag = {
        "metric": "error_rate", "side": "canary", "colour": "grey", "why": "source_failed", "value": None,
        "sample": 0, "errors": None, "source": "request_log", "until": NOON.isoformat(), "problem": text,
    }  # fmt: skip
    known: dict[Event, dict[str, Any]] = {
        Event.WATCH_BEGUN: deployment
        | {"target": text, "percent": 10, "number": 3, "deployed_at": None, "by_itself": True},
        Event.WATCH_CHANGED: {"what": "closely", "kind": "error_rate_once", "until": NOON.isoformat()},
        Event.WATCH_CHECK: {"canary": text, "percent": 10, "afterwards": False, "flags": [flag] * 8},
        Event.WATCH_SOURCE: {"source": "request_log", "well": False, "problem": text},
        Event.WATCH_ENDED: {
            "why": "new_canary",
            "canary": text,
            "percent": 10,
            "minutes": 61.5,
            "alerts": 2,
        },
        Event.ALARM_RAISED: FACTS[AlarmKind.SERVICE_DOWN]
        | {"kind": "service_down", "level": "act", "revision": text, "problem": text, "seen": text},
        Event.ALERT_ANSWERED: alert | {"reply": "not_the_canary", "why": text},
        Event.AUTOMATIC_ANNOUNCED: alert | {"fires_at": NOON.isoformat(), "stop_seconds": 10},
        Event.AUTOMATIC_STOPPED: alert | {"why": "no_baseline", "detail": text},
        Event.AUTOMATIC_FIRED: alert | {"rollback": "f00d"},
        Event.AUTOMATICS_HELD: {"target": text, "until": NOON.isoformat(), "alert": "canary-3-1"},
        Event.AUTOMATICS_ARMED: {"target": text, "why": ""},
        Event.AUTOMATICS_OFF: {"target": text, "why": "person"},
    }
    return known.get(event, {})


def watch_notices(hostile: str, name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the facts of every notice about watches and alerts."""
    watched = {
        "target": name, "number": 3, "canary": name, "stable": name, "percent": 10,
        "by": f"google:{hostile}", "at": NOON.isoformat(),
    }  # fmt: skip
    for what in ("watch_begun", "watched_already", "watch_ended", "not_watched"):
        yield what, {"what": what} | watched
    yield "never watched", {"what": "not_watched", "target": name, "canary": None, "at": None}
    for why in ("fault", "target_gone", *NothingWhy, *UnsureWhy):
        for detail in ("", hostile):
            facts = {"what": "no_canary", "target": name, "why": str(why), "detail": detail}
            yield f"no canary {why}", facts
    until = NOON.isoformat()
    for reply in ("roll_back", "stop", "hold", "not_the_canary"):
        yield reply, {"what": "alert_answered", "target": name, "reply": reply, "until": until}
    for state in AlertState:
        for by in (None, "backout", hostile):
            told: dict[str, Any] = {
                "what": "alert_decided",
                "by": by,
                "target": name,
                "state": state.value,
                "at": until,
            }
            yield f"decided {state}", told
    yield "held", {"what": "automatics_held", "target": name, "until": until}
