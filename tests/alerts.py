"""Alarms, alerts, a watch and a playbook with modes, each good as it is, for tests of all they lead to."""

from dataclasses import replace
from typing import Any

from bot.domain.alarm import Alarm, AlarmKind, Level
from bot.domain.alert import Alert, AlertState
from bot.domain.automatics import Automatics
from bot.domain.ids import ServiceName
from bot.domain.judge_state import JudgeState
from bot.domain.observation import Point, SideValues
from bot.domain.playbook import Playbook
from bot.domain.readings import Metric
from bot.domain.traffic import SideAddress, Sides
from bot.domain.watch import Watch, WatchState
from tests.guide import the_guide
from tests.paging import CONTACTS
from tests.values import CANARY, CANARY_TARGET, NOON, SENA, STABLE, a_playbook, a_reading, seconds

#: Every rule may act, unless a test says otherwise.
MODES = {
    "error_rate_once": "tell",
    "error_rate_in_a_row": "auto",
    "data_loss": "recommend",
    "memory_explosion": "auto",
    "service_down": "auto",
}


def an_alarming_playbook(
    modes: dict[str, str] | None = None,
    early: dict[str, Any] | None = None,
    watch: dict[str, Any] | None = None,
    **more: Any,
) -> Playbook:
    """Return a playbook with the guide's scenarios and rules, the latter in these modes."""
    guide = the_guide().model_dump(mode="json")
    rules = [rule | {"mode": (MODES | (modes or {}))[rule["when"]]} for rule in guide["rules"]]
    written = {
        "rules": rules,
        "scenarios": guide["scenarios"],
        "contacts": CONTACTS,
        "watch": {"early_warning": {"mode": "auto"} | (early or {})} | (watch or {}),
    }
    return a_playbook(**(written | more))


def a_watch(**more: Any) -> Watch:
    """Return the third watch of target ``canary``, deployed 42 minutes before noon."""
    watch = Watch(
        id=CANARY_TARGET,
        number=3,
        state=WatchState.WATCHING,
        created_at=NOON - seconds(41 * 60),
        started_by=SENA,
        canary=CANARY,
        stable=STABLE,
        percent=10,
        sides=Sides(
            stable=SideAddress(service=ServiceName("ion-api"), revision=STABLE),
            canary=SideAddress(service=ServiceName("ion-api"), revision=CANARY),
        ),
        channel="#operations",
        deployed_at=NOON - seconds(42 * 60),
        readings=(a_reading(Metric.MEMORY, 40.0), a_reading(Metric.CPU, 30.0)),
        points=(a_point(-10, canary=(0.2, 150.0)), a_point(-1, canary=(0.3, 160.0))),
        judge=JudgeState(revision=CANARY),
    )
    return replace(watch, **more)


def a_point(
    minute: float,
    *,
    canary: tuple[float | None, float | None] = (None, None),
    stable: tuple[float | None, float | None] = (0.1, 140.0),
) -> Point:
    """Return error rates (%) and P95 (ms) of both sides, `minute` minutes from noon."""
    return Point(
        at=NOON + seconds(60 * minute),
        canary=SideValues(error_rate=canary[0], p95=canary[1]),
        stable=SideValues(error_rate=stable[0], p95=stable[1]),
    )


def an_alarm(
    kind: AlarmKind = AlarmKind.ERROR_RATE_IN_A_ROW, level: Level = Level.RECOMMEND, **more: Any
) -> Alarm:
    """Return an alarm of noon about the canary; other words are its facts."""
    at = more.pop("at", NOON)
    facts = {"metric": _METRICS.get(kind, "error_rate"), "source": "request_log", "until": at.isoformat()}
    numbers = {"value": 5.1, "limit": 1.0, "requests": 450, "errors": 23}
    return Alarm(kind=kind, level=level, at=at, revision=CANARY, facts=facts | numbers | more)


_METRICS = {
    AlarmKind.RESPONSE_TIME: "p95",
    AlarmKind.MEMORY_EXPLOSION: "memory",
    AlarmKind.CPU: "cpu",
    AlarmKind.SERVICE_DOWN: "probe",
}


def an_alert(state: AlertState = AlertState.OPEN, **more: Any) -> Alert:
    """Return the first alert of the third watch, raised at noon for three red readings in a row."""
    alert = Alert(
        id="canary-3-1",
        target=CANARY_TARGET,
        state=state,
        created_at=NOON,
        kind=AlarmKind.ERROR_RATE_IN_A_ROW,
        mode="auto",
        canary=CANARY,
        stable=STABLE,
        percent=10,
        facts={"kind": "error_rate_in_a_row", "level": "recommend", "at": NOON.isoformat(), "seen": "5.1 %"},
        minutes=42.0,
    )
    return replace(alert, **more)


def automatics(**more: Any) -> Automatics:
    """Return the target's automatics, armed by Sena an hour before noon."""
    known = Automatics(
        id=CANARY_TARGET, created_at=NOON - seconds(3600), armed=True, by=SENA, at=NOON - seconds(3600)
    )
    return replace(known, **more)
