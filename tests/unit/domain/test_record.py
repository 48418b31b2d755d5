"""The failure record: durations and symptoms out of stored facts."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.incident import FromPeople
from bot.domain.readings import Metric, Side
from bot.domain.record import Record, make_record
from bot.domain.rollback import Proof, Rollback, RollbackState, Verdict
from tests.values import (
    ALL_PROVEN,
    NOON,
    SENA,
    a_chain,
    a_decided_rollback,
    a_playbook,
    a_reading,
    an_incident,
    evidence,
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
    [({"ended_at": None}, {}), ({"requested_at": None}, {}), ({}, {"deployed_at": None})],
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


def test_a_symptom_shows_both_sides_before_and_stable_after() -> None:
    before = (
        a_reading(Metric.ERROR_RATE, 12.5),
        a_reading(Metric.ERROR_RATE, 0.2, Side.STABLE),
        a_reading(Metric.MEMORY, 95.0),
    )

    symptoms = {s.metric: s for s in record_of(verified(before=before)).symptoms}

    error_rate = symptoms[Metric.ERROR_RATE]
    assert (error_rate.canary, error_rate.stable_before, error_rate.stable_after) == (12.5, 0.2, 0.1)
    assert error_rate.sample == 200
    memory = symptoms[Metric.MEMORY]
    assert (memory.canary, memory.stable_before, memory.stable_after) == (95.0, None, None)
    assert symptoms[Metric.P95].canary is None


def test_an_inconclusive_number_is_no_symptom_of_health() -> None:
    thin = evidence(Proof.ERROR_RATE, Verdict.INCONCLUSIVE, value=0.0)

    symptoms = record_of(verified(before=()), verified()).symptoms
    doubted = record_of(replace(verified(), evidence=(thin,))).symptoms

    assert symptoms[0].stable_after == 0.1
    assert doubted[0].stable_after is None


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
