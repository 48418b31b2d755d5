"""The failure record: durations and symptoms out of stored facts."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.alarm import AlarmKind
from bot.domain.alert import Alert, AlertState
from bot.domain.checklist import Mark, StepState
from bot.domain.exhibit import Exhibit, ExhibitKind
from bot.domain.ids import IncidentNumber
from bot.domain.incident import FromPeople, Severity
from bot.domain.record import Record, Times, make_record
from bot.domain.rollback import Rollback, RollbackState
from bot.domain.timeline import Event
from tests.values import (
    ALL_PROVEN,
    CANARY,
    CANARY_TARGET,
    NOON,
    SENA,
    STABLE,
    a_chain,
    a_decided_rollback,
    a_playbook,
    an_incident,
    seconds,
)


def record_of(*rollbacks: Rollback, **incident: object) -> Record:
    return make_record(
        an_incident(**incident), rollbacks, a_chain({}, {}), playbook=a_playbook(), names={SENA: "Sena"}
    )


def verified(**more: object) -> Rollback:
    return a_decided_rollback(RollbackState.VERIFIED, evidence=ALL_PROVEN, **more)


def test_detection_runs_from_the_deployment_to_the_first_request() -> None:
    second = verified(asked_at=NOON + timedelta(hours=2))

    record = record_of(verified(), second, deployed_at=NOON - timedelta(minutes=25))

    assert record.detected_after == timedelta(minutes=25)


def test_the_rollback_took_from_the_decision_to_the_end() -> None:
    record = record_of(verified(requested_at=NOON + seconds(5), ended_at=NOON + seconds(47)))

    assert record.rollback_took == seconds(42)


@pytest.mark.parametrize(
    ("rollback", "incident"),
    [
        ({"ended_at": None}, {}),
        ({"requested_at": None}, {}),
        ({"deployed_at": None}, {"deployed_at": None}),
    ],
)
def test_a_duration_with_an_unknown_end_is_unknown(
    rollback: dict[str, object], incident: dict[str, object]
) -> None:
    record = record_of(verified(**rollback), **incident)

    assert None in (record.rollback_took, record.detected_after)


def test_a_clock_that_went_back_makes_no_negative_duration() -> None:
    record = record_of(verified(requested_at=NOON, ended_at=NOON - seconds(5)), deployed_at=NOON + seconds(9))

    assert (record.rollback_took, record.detected_after) == (timedelta(), timedelta())


def test_it_occurred_when_somebody_first_asked() -> None:
    record = record_of(verified(asked_at=NOON - seconds(30)), opened_at=NOON)

    assert record.occurred_at == NOON - seconds(30)


def test_the_newest_rollback_gives_outcome_and_evidence() -> None:
    failed = a_decided_rollback(RollbackState.FAILED, ended_at=NOON)

    record = record_of(failed, verified())

    assert (record.outcome, record.evidence) == (RollbackState.VERIFIED, ALL_PROVEN)


def test_an_incident_without_a_rollback_still_has_a_record() -> None:
    record = record_of()

    assert (record.rollback, record.outcome, record.rollback_took) == (None, None, None)
    assert (record.symptoms, record.evidence, record.occurred_at) == ((), (), NOON)


def test_the_timelines_last_hash_is_the_records_head() -> None:
    record = record_of(verified())

    assert record.head == record.timeline[-1].hash


def test_a_record_without_a_timeline_has_no_head() -> None:
    record = make_record(an_incident(), [], [], playbook=a_playbook(), names={})

    assert record.head == ""


def test_the_first_alert_is_the_detection_when_it_came_before_any_request() -> None:
    record = make_record(
        an_incident(deployed_at=NOON - timedelta(minutes=25)),
        [verified()],
        [],
        playbook=a_playbook(),
        names={},
        alerts=[an_alert(created_at=NOON - timedelta(minutes=20))],
    )

    assert record.detected_after == timedelta(minutes=5)
    assert record.occurred_at == NOON - timedelta(minutes=20)


def test_every_part_has_its_own_length() -> None:
    rollback = verified(
        requested_at=NOON + seconds(30), settled_at=NOON + seconds(50), ended_at=NOON + seconds(95)
    )

    times = record_of(
        rollback,
        deployed_at=NOON - seconds(300),
        decided_at=NOON + seconds(30),
        closed_at=NOON + seconds(3600),
    ).times

    assert times == Times(
        detect=seconds(300),
        decide=seconds(30),
        roll_back=seconds(20),
        verify=seconds(45),
        resolve=seconds(3600),
    )


@pytest.mark.parametrize("state", [RollbackState.NOT_VERIFIED, RollbackState.FAILED])
def test_what_was_not_verified_took_no_time_to_verify(state: RollbackState) -> None:
    assert record_of(a_decided_rollback(state, ended_at=NOON + seconds(60))).times.verify is None


def test_nothing_known_is_no_zero() -> None:
    record = make_record(an_incident(deployed_at=None), [], [], playbook=a_playbook(), names={})

    assert record.times == Times()
    assert (record.symptoms, record.clients) == ((), None)
    assert (record.downtime.everybody, record.downtime.canary) == (None, None)


def test_files_of_records_are_no_evidence_of_the_record() -> None:
    kinds = [ExhibitKind.ERROR_LOGS, ExhibitKind.RECORD]

    record = make_record(
        an_incident(),
        [],
        [],
        playbook=a_playbook(),
        names={},
        exhibits=[an_exhibit(kind) for kind in kinds],
    )

    assert [exhibit.kind for exhibit in record.exhibits] == [ExhibitKind.ERROR_LOGS]


@pytest.mark.parametrize(
    ("event", "facts", "first"),
    [
        (Event.APPLIED, {}, Severity.HIGH),
        (Event.SEVERITY_CHANGED, {"before": "medium", "severity": "high"}, Severity.MEDIUM),
        (Event.RECORD_COMPLETED, {"before": "low", "severity": "high"}, Severity.LOW),
        (Event.RECORD_COMPLETED, {}, Severity.HIGH),
        # A scenario that is chosen says which severity it brings, and not which it takes away.
        (Event.SCENARIO_CHOSEN, {"before": "error_rate", "severity": "high"}, None),
    ],
)
def test_the_first_guess_is_what_the_first_change_was_a_change_from(
    event: Event, facts: dict[str, object], first: Severity | None
) -> None:
    told = a_chain(dict(facts), event=event)

    record = make_record(an_incident(severity=Severity.HIGH), [], told, playbook=a_playbook(), names={})

    assert record.first_severity is first


def test_the_checklist_is_that_of_the_incidents_playbook() -> None:
    mark = Mark(state=StepState.DONE, by=SENA, at=NOON)
    checklist = [
        {
            "key": "first",
            "name": {"en": "First", "ko": "먼저"},
            "from_minutes": 0,
            "to_minutes": 1,
            "steps": [{"key": key, "title": {"en": key, "ko": key}} for key in ("decide", "tell")],
        }
    ]

    record = make_record(
        an_incident(marks={"decide": mark}), [], [], playbook=a_playbook(checklist=checklist), names={}
    )

    assert [(step.key, step.state) for step in record.steps] == [
        ("decide", StepState.DONE),
        ("tell", StepState.TODO),
    ]


def an_alert(**more: object) -> Alert:
    known: dict[str, object] = {
        "id": "canary-1-1",
        "target": CANARY_TARGET,
        "state": AlertState.OPEN,
        "created_at": NOON,
        "kind": AlarmKind.ERROR_RATE_IN_A_ROW,
        "mode": "recommend",
        "canary": CANARY,
        "stable": STABLE,
        "percent": 10,
    }
    return Alert(**(known | more))  # type: ignore[arg-type]


def an_exhibit(kind: ExhibitKind) -> Exhibit:
    return Exhibit(
        id=f"12:decision-f00d:{kind}",
        incident=IncidentNumber(12),
        snapshot="12:decision-f00d",
        kind=kind,
        name=f"{kind}.txt",
        created_at=NOON,
        source="severity=ERROR",
    )


COMPLETE = FromPeople(
    cause="a leak", users_affected=0, data_loss=False, down_minutes=0, improvements="test for it"
)


def test_a_record_is_complete_with_zeros_and_noes() -> None:
    assert record_of(people=COMPLETE).complete


@pytest.mark.parametrize(
    "missing",
    [
        {"cause": ""},
        {"users_affected": None},
        {"data_loss": None},
        {"down_minutes": None},
        {"improvements": ""},
    ],
)
def test_a_record_with_anything_missing_is_not_complete(missing: dict[str, object]) -> None:
    assert not record_of(people=replace(COMPLETE, **missing)).complete  # type: ignore[arg-type]
