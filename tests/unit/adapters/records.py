"""Failure records for tests: one with everything in it, and one of which only the opening is known."""

from datetime import UTC, datetime, timedelta
from typing import Any

from bot.domain.alarm import AlarmKind
from bot.domain.alert import Alert, AlertState
from bot.domain.checklist import Mark, StepState
from bot.domain.exhibit import Exhibit, ExhibitKind, Moment
from bot.domain.first_reading import Clients, FirstReading
from bot.domain.guide import PhasePlan, Short, StepPlan, Text
from bot.domain.ids import IncidentNumber, PersonId, RollbackId, ServiceName, TargetName
from bot.domain.incident import FailureType, FromPeople, Incident, IncidentState, Severity
from bot.domain.observation import Point, SideValues
from bot.domain.playbook import Playbook, Target, Topology
from bot.domain.readings import Metric, Reading, Side, Source
from bot.domain.record import Record, make_record
from bot.domain.rollback import Evidence, Plan, Proof, Rollback, RollbackState, Verdict
from bot.domain.snapshot import Snapshot
from bot.domain.timeline import BACKOUT, GENESIS, Entry, Event, incident_chain
from tests.checklists import step_event_facts
from tests.unit.slack.views.drill_views import drill_event_facts
from tests.unit.slack.views.evidence_views import evidence_event_facts
from tests.unit.slack.views.incident_views import incident_event_facts
from tests.unit.slack.views.paging_views import task_facts
from tests.unit.slack.views.post_mortem_views import post_mortem_event_facts
from tests.unit.slack.views.telling_views import telling_event_facts
from tests.unit.slack.views.watch_views import watch_event_facts

DEPLOYED = datetime(2025, 10, 22, 14, 0, tzinfo=UTC)
ASKED = DEPLOYED + timedelta(minutes=5)
ENDED = ASKED + timedelta(minutes=2, seconds=20)
NUMBER = IncidentNumber(12)
SENA = PersonId("U0SENA")
STABLE, CANARY = "ion-api-00041-abc", "ion-api-00042-xyz"

#: A text of the playbook, as it is kept with a line.
_TEXT = {"en": "Check the status", "ko": "상태 확인"}
_CHANGE = {
    "change": "cafe", "target": "canary", "kind_of_change": "reduce_traffic", "to_percent": 5,
    "canary": CANARY, "from_percent": 10, "from": {},
}  # fmt: skip
#: One entry of every event, with the facts that the use-cases write.
FACTS: dict[Event, dict[str, Any]] = {
    Event.INCIDENT_OPENED: {"target": "canary"},
    Event.INCIDENT_JOINED: {"target": "canary"},
    Event.ROLLBACK_ASKED: {"target": "canary", "forced": True, "reason": "5xx"},
    Event.READING_BEFORE: {
        "metric": "error_rate", "side": "canary", "value": 5.0, "sample": 400, "source": "request_log",
        "until": ASKED.isoformat(),
    },
    Event.ROLLBACK_DECIDED: {"canary": CANARY, "canary_percent": 10, "stable": STABLE, "healthy": True},
    Event.ROLLBACK_CANCELLED: {},
    Event.ROLLBACK_EXPIRED: {},
    Event.ROLLBACK_REFUSED: {"why": "guest", "people": []},
    Event.QUESTION_ANSWERED: {"ask": _TEXT, "say": _TEXT, "means": _TEXT, "revised": True},
    Event.SAFETY_ANSWERED: {"ask": _TEXT, "say": _TEXT, "means": _TEXT, "revised": False},
    Event.SAFETY_NOT_ASKED: {"ask": _TEXT},
    Event.OPTION_CHOSEN: {"place": 3, "titles": _TEXT, "option": "hotfix", "risk": "high"},
    Event.SCENARIO_STEP: {"step": "clock.restore.review", "titles": _TEXT, "done": True},
    Event.LOOK_ASKED: {"look": "f00d", "where": "action:logs", "titles": _TEXT, "joined": True},
    Event.FINDING: {
        "look": "f00d",
        "finding": {"does": "logs", "titles": _TEXT, "target": "canary", "read_at": ASKED.isoformat()},
    },
    **{event: facts for event in Event if (facts := task_facts(event, "5xx"))},
    **{event: facts for event in Event if (facts := incident_event_facts(event, "5xx"))},
    **{event: facts for event in Event if (facts := telling_event_facts(event, "5xx"))},
    **{event: facts for event in Event if (facts := step_event_facts(event, "Check P95"))},
    **{event: facts for event in Event if (facts := watch_event_facts(event, CANARY))},
    **{event: facts for event in Event if (facts := evidence_event_facts(event, "5xx"))},
    **{event: facts for event in Event if (facts := post_mortem_event_facts(event, "5xx"))},
    **{event: facts for event in Event if (facts := drill_event_facts(event, "5xx"))},
    Event.CHANGE_ASKED: _CHANGE,
    Event.CHANGE_DECIDED: _CHANGE,
    Event.CHANGE_CANCELLED: _CHANGE,
    Event.CHANGE_EXPIRED: _CHANGE,
    Event.CHANGE_REFUSED: {"why": "guest", "people": []},
    Event.CHANGE_WRITE: {"service": "ion-api", "setting": f"{CANARY}=5", "generation": 7},
    Event.CHANGE_DONE: _CHANGE,
    Event.CHANGE_NOT_NEEDED: _CHANGE,
    Event.CHANGE_OVERTAKEN: _CHANGE | {"by": "U0SENA"},
    Event.CHANGE_FAILED: _CHANGE | {"state": "failed", "problem": None},
    Event.ACT_REFUSED: {"why": "no_role", "people": []},
    Event.RECORD_REFUSED: {"why": "no_role", "people": []},
    Event.CLOSE_REFUSED: {"why": "slack_cannot_say", "people": []},
    Event.WRITE_SENT: {
        "service": "ion-chat-router", "variable": "CANARY_TRAFFIC_PERCENTAGE", "value": "0", "generation": 7,
    },
    Event.WRITE_UNKNOWN: {"doing": "write service ion-api", "kind": "unreachable", "detail": "503"},
    Event.WRITE_NOT_NEEDED: {},
    Event.OTHER_WRITER: {},
    Event.APPLIED: {},
    Event.SETTLED: {},
    Event.EVIDENCE: {
        "proof": "p95", "verdict": "inconclusive", "source": "request_log", "value": 120.0, "limit": 200.0,
        "sample": 12, "until": ENDED.isoformat(), "note": "needs 50 requests",
    },
    Event.VERDICT: {"outcome": "verified", "took_seconds": 140.0},
    Event.FAULT: {"doing": "list the revisions of ion-api", "kind": "quota", "detail": "429"},
    Event.RECORD_POSTED: {"edition": 1},
    Event.RECORD_FILED: {"edition": 1},
    Event.RECORD_COMPLETED: {},
    Event.INCIDENT_CLOSED: {},
}  # fmt: skip


def a_playbook(*, name: str = "Phase 4", time_zone: str = "UTC") -> Playbook:
    target = Target(topology=Topology.REVISIONS, region="us-central1", service="ion-api")
    steps = tuple(StepPlan(key=key, title=Text(en=en, ko=ko)) for key, (en, ko) in _STEPS.items())
    phase = PhasePlan(
        key="now", name=Short(en="Immediately", ko="즉시"), from_minutes=0, to_minutes=1, steps=steps
    )
    return Playbook(
        version="1", name=name, time_zone=time_zone, targets={"canary": target}, checklist=(phase,)
    )


_STEPS = {
    "decide": ("Decide to roll back", "롤백 결정"),
    "tell": ("Alert the team", "팀에 긴급 알림"),
    "run": ("Run the rollback", "롤백 실행"),
}


def an_incident(people: FromPeople | None = None, **changed: Any) -> Incident:
    known: dict[str, Any] = {
        "number": NUMBER,
        "target": TargetName("canary"),
        "state": IncidentState.OPEN,
        "severity": Severity.HIGH,
        "failure_type": FailureType.ERROR_RATE,
        "opened_at": ASKED,
        "opened_by": SENA,
        "playbook_version": "2025-10-21",
        "deployed_at": DEPLOYED,
        "people": people or FromPeople(),
    }
    return Incident(**known | changed)


def from_people(text: str) -> FromPeople:
    """Return everything people may fill in; `text` stands in each free field."""
    return FromPeople(
        cause=text,
        users_affected=340,
        data_loss=True,
        down_minutes=7,
        actions=text,
        improvements=text,
        by=SENA,
        at=ENDED,
    )


def entries(facts: dict[Event, dict[str, Any]], *, actor: str = SENA) -> tuple[Entry, ...]:
    """Return a timeline with one entry for each of `facts`."""
    return tuple(
        Entry(
            chain=incident_chain(NUMBER),
            sequence=sequence,
            key=event.value,
            at=ASKED + timedelta(seconds=sequence),
            actor="google:bot@ion.example" if event is Event.OTHER_WRITER else actor,
            event=event,
            facts=told,
            previous=GENESIS,
            hash=f"{sequence:064x}",
        )
        for sequence, (event, told) in enumerate(facts.items(), start=1)
    )


def a_rollback(**changed: Any) -> Rollback:
    known: dict[str, Any] = {
        "id": RollbackId("abcdefghijkl"),
        "target": TargetName("canary"),
        "state": RollbackState.VERIFIED,
        "asked_by": SENA,
        "decided_by": SENA,
        "asked_at": ASKED,
        "reason": "5xx",
        "forced": False,
        "channel": "C0OPERATIONS",
        "playbook_version": "2025-10-21",
        "plan": Plan(
            topology=Topology.REVISIONS,
            service=ServiceName("ion-api"),
            canary=CANARY,
            stable=STABLE,
            canary_percent=10,
        ),
        "before": tuple(
            reading(metric, side, value)
            for metric, values in _BEFORE.items()
            for side, value in zip((Side.STABLE, Side.CANARY), values, strict=True)
        ),
        "incident": NUMBER,
        "requested_at": ASKED,
        "applied_at": ASKED + timedelta(seconds=3),
        "settled_at": ASKED + timedelta(seconds=9),
        "ended_at": ENDED,
        "evidence": tuple(proof(p, value) for p, value in _AFTER.items()),
    }
    return Rollback(**known | changed)


_BEFORE = {
    Metric.ERROR_RATE: (0.1, 5.0),
    Metric.P95: (150.0, 800.0),
    Metric.MEMORY: (60.0, 95.0),
    Metric.CPU: (None, None),
}
_AFTER = {
    Proof.TRAFFIC: 100.0,
    Proof.PROBE: 0.0,
    Proof.ERROR_RATE: 0.12,
    Proof.P95: 120.0,
    Proof.SILENCE: 0.0,
}
_SOURCES = {Proof.TRAFFIC: Source.CLOUD_RUN, Proof.PROBE: Source.PROBE}


def reading(metric: Metric, side: Side, value: float | None) -> Reading:
    return Reading(
        metric=metric,
        side=side,
        source=Source.MONITORING,
        value=value,
        sample=400,
        since=ASKED - timedelta(minutes=1),
        until=ASKED,
    )


def proof(what: Proof, value: float) -> Evidence:
    return Evidence(
        proof=what,
        verdict=Verdict.PROVEN,
        source=_SOURCES.get(what, Source.REQUEST_LOG),
        value=value,
        limit={Proof.ERROR_RATE: 0.5, Proof.P95: 200.0}.get(what),
        sample=5 if what is Proof.PROBE else 320,
        until=ENDED,
    )


def a_complete_record(
    *, text: str = "cache 42", name: str = "Sena", playbook: Playbook | None = None
) -> Record:
    """Everything known; `text` stands wherever people or logs may write, `name` is who did it all."""
    facts = FACTS | {
        Event.ROLLBACK_ASKED: FACTS[Event.ROLLBACK_ASKED] | {"reason": text},
        Event.FAULT: FACTS[Event.FAULT] | {"detail": text},
        Event.WRITE_UNKNOWN: FACTS[Event.WRITE_UNKNOWN] | {"detail": text},
    }
    return make_record(
        an_incident(from_people(text), marks=_marks(text)),
        [a_rollback(reason=text)],
        entries(facts),
        playbook=playbook or a_playbook(),
        names={SENA: name},
        alerts=[an_alert(why=text)],
        snapshots=[a_snapshot()],
        exhibits=[an_exhibit(source=text), an_exhibit("slow_requests", problem=text, sha256="", size=0)],
    )


def _marks(text: str) -> dict[str, Mark]:
    return {
        "decide": Mark(state=StepState.DONE, by=SENA, at=ENDED),
        "tell": Mark(state=StepState.SKIPPED, by=SENA, at=ENDED, why=text),
    }


def an_alert(**changed: Any) -> Alert:
    """Return an alert of the error rate, three times in a row, that Sena answered."""
    known: dict[str, Any] = {
        "id": "canary-1-1",
        "target": TargetName("canary"),
        "state": AlertState.ROLLED_BACK,
        "created_at": ASKED,
        "kind": AlarmKind.ERROR_RATE_IN_A_ROW,
        "mode": "recommend",
        "canary": CANARY,
        "stable": STABLE,
        "percent": 10,
        "facts": {
            "kind": "error_rate_in_a_row",
            "level": "recommend",
            "value": 5.0,
            "limit": 1.0,
            "in_a_row": 3,
            "requests": 400,
            "errors": 20,
            "source": "request_log",
            "until": ASKED.isoformat(),
        },
        "by": SENA,
        "at": ASKED + timedelta(seconds=20),
    }
    return Alert(**known | changed)


def a_snapshot(**changed: Any) -> Snapshot:
    """Return what was taken at the decision: the canary was well for a minute, and then was not."""
    known: dict[str, Any] = {
        "id": "12:decision-abcdefghijkl",
        "incident": NUMBER,
        "moment": Moment.DECISION,
        "created_at": ASKED,
        "canary": CANARY,
        "stable": STABLE,
        "reading": FirstReading(since=DEPLOYED, until=ASKED, clients=Clients(seen=900, failed=41)),
        "points": (
            point(1, canary=(0.0, 140.0, 60.0), stable=(0.1, 150.0, 40.0)),
            point(4, canary=(4.5, 780.0, 97.0), stable=(0.1, 151.0, 40.0)),
        ),
    }
    return Snapshot(**known | changed)


def point(minute: int, *, canary: tuple[float, float, float], stable: tuple[float, float, float]) -> Point:
    """Return one minute after the deployment: error rate, P95 and memory of both sides, 200 requests each."""
    sides = (
        SideValues(error_rate=rate, p95=p95, memory=memory, requests=200)
        for rate, p95, memory in (canary, stable)
    )
    one, other = sides
    return Point(at=DEPLOYED + timedelta(minutes=minute), canary=one, stable=other)


def an_exhibit(kind: str = "error_logs", **changed: Any) -> Exhibit:
    """Return a file of evidence."""
    known: dict[str, Any] = {
        "id": f"12:decision-abcdefghijkl:{kind}",
        "incident": NUMBER,
        "snapshot": "12:decision-abcdefghijkl",
        "kind": ExhibitKind(kind),
        "name": f"{kind}_20251022_140500.txt",
        "created_at": ASKED,
        "source": "severity=ERROR",
        "size": 1234,
        "sha256": "ab" * 32,
        "redacted": 3,
    }
    return Exhibit(**known | changed)


def an_empty_record() -> Record:
    """Just opened, by the bot's own account of it: no rollback, no reading, nothing from people."""
    opened = entries({Event.INCIDENT_OPENED: {}}, actor=BACKOUT)
    incident = an_incident(deployed_at=None, failure_type=FailureType.OTHER, severity=Severity.LOW)
    return make_record(incident, [], opened, playbook=a_playbook(), names={})
