"""The figures of a record: where each comes from, what makes it, and that nothing missing becomes 0."""

from datetime import datetime, timedelta

import pytest

from bot.domain.exhibit import Moment
from bot.domain.first_reading import Clients, FirstReading
from bot.domain.ids import IncidentNumber
from bot.domain.observation import Point, SideValues
from bot.domain.playbook import Thresholds
from bot.domain.readings import Metric, Side, Source
from bot.domain.record_figures import (
    Downtime,
    Symptom,
    Window,
    clients_of,
    downtime,
    merged,
    symptoms,
)
from bot.domain.rollback import Proof, Rollback, RollbackState, Verdict
from bot.domain.snapshot import Snapshot
from tests.values import CANARY, NOON, STABLE, a_decided_rollback, a_reading, evidence

DEPLOYED, VERDICT = NOON, NOON + timedelta(minutes=10)
WINDOW = Window(since=DEPLOYED, until=VERDICT)
#: 50 requests are enough, and green is up to 0.5 %, 200 ms, 70 %.
THRESHOLDS = Thresholds()


def minute(number: float) -> datetime:
    return NOON + timedelta(minutes=number)


def at(number: float, canary: SideValues | None = None, stable: SideValues | None = None) -> Point:
    return Point(at=minute(number), canary=canary or SideValues(), stable=stable or SideValues())


def errors(percent: float | None, requests: int | None = 100) -> SideValues:
    return SideValues(error_rate=percent, requests=requests)


def full(percent: float) -> SideValues:
    return SideValues(memory=percent)


def a_snapshot(*points: Point, moment: Moment = Moment.DECISION, clients: Clients | None = None) -> Snapshot:
    return Snapshot(
        id=f"12:{moment}-f00d",
        incident=IncidentNumber(12),
        moment=moment,
        created_at=NOON,
        canary=CANARY,
        stable=STABLE,
        reading=FirstReading(since=NOON, until=NOON, clients=clients),
        points=points,
    )


def symptom(
    metric: Metric, *points: Point, after: tuple[Point, ...] = (), rollback: Rollback | None = None
) -> Symptom:
    found = symptoms(rollback, points, after, window=WINDOW, thresholds=THRESHOLDS)
    return next((one for one in found if one.metric is metric), Symptom(metric=metric))


# At its worst.


def test_the_worst_minute_of_the_canary_is_the_peak() -> None:
    points = (at(1, errors(0.0)), at(2, errors(5.0)), at(3, errors(4.0), errors(9.0)))

    peak = symptom(Metric.ERROR_RATE, *points).peak

    assert peak is not None
    assert (peak.value, peak.side, peak.at, peak.sample) == (5.0, Side.CANARY, minute(2), 100)


@pytest.mark.parametrize(("requests", "counts"), [(49, False), (50, True), (51, True), (None, False)])
def test_a_minute_counts_from_enough_requests_on(requests: int | None, counts: bool) -> None:
    peak = symptom(Metric.ERROR_RATE, at(1, errors(5.0, requests))).peak

    assert (peak is not None) is counts


def test_memory_needs_no_requests() -> None:
    peak = symptom(Metric.MEMORY, at(1, full(99.0))).peak

    assert peak is not None
    assert (peak.value, peak.sample) == (99.0, None)


@pytest.mark.parametrize(
    ("ended", "counts"), [(0, False), (0.5, True), (10.5, True), (11, False), (12, False)]
)
def test_only_minutes_between_deployment_and_verdict_count(ended: float, counts: bool) -> None:
    peak = symptom(Metric.MEMORY, at(ended, full(99.0))).peak

    assert (peak is not None) is counts


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_number_that_cannot_be_compared_is_none(value: float) -> None:
    assert symptom(Metric.MEMORY, at(1, full(value))).peak is None


def test_what_was_read_at_the_decision_counts_where_it_was_worse_than_every_minute() -> None:
    rollback = a_decided_rollback(before=(a_reading(Metric.ERROR_RATE, 12.5),))

    peak = symptom(Metric.ERROR_RATE, at(1, errors(5.0)), rollback=rollback).peak

    assert peak is not None
    assert (peak.value, peak.source, peak.sample) == (12.5, Source.REQUEST_LOG, 200)


@pytest.mark.parametrize(("sample", "known"), [(49, False), (50, True)])
def test_a_reading_of_too_few_requests_is_no_figure(sample: int, known: bool) -> None:
    rollback = a_decided_rollback(before=(a_reading(Metric.ERROR_RATE, 100.0, sample=sample),))

    assert (symptom(Metric.ERROR_RATE, rollback=rollback).peak is not None) is known


# Before.


@pytest.mark.parametrize(("memory", "own"), [(69.9, True), (70.0, True), (70.1, False)])
def test_the_canarys_first_green_minute_is_before(memory: float, own: bool) -> None:
    found = symptom(Metric.MEMORY, at(1, full(memory), full(40.0)), at(2, full(99.0), full(41.0)))

    assert found.before is not None
    assert found.before.side is (Side.CANARY if own else Side.STABLE)
    assert found.before.value == (memory if own else 40.0)


def test_a_green_minute_after_the_worst_is_not_before() -> None:
    found = symptom(Metric.MEMORY, at(1, full(99.0)), at(2, full(30.0)))

    assert found.before is None
    assert found.rise is None


def test_a_canary_that_was_never_well_is_compared_with_stable_before_the_deployment() -> None:
    points = (at(-1, None, errors(0.1)), at(0, None, errors(0.2)), at(1, errors(5.0), errors(0.9)))

    found = symptom(Metric.ERROR_RATE, *points)

    assert found.before is not None
    assert (found.before.value, found.before.side, found.before.at) == (0.2, Side.STABLE, minute(0))
    assert found.rise == pytest.approx(4.8)


def test_without_minutes_stable_is_as_it_was_read_at_the_decision() -> None:
    read = (a_reading(Metric.P95, 800.0), a_reading(Metric.P95, 150.0, Side.STABLE))

    found = symptom(Metric.P95, rollback=a_decided_rollback(before=read))

    assert found.before is not None
    assert found.peak is not None
    assert (found.before.value, found.peak.value, found.after) == (150.0, 800.0, None)


# After.


def test_the_proof_says_how_stable_is_afterwards() -> None:
    rollback = a_decided_rollback(RollbackState.VERIFIED, evidence=(evidence(Proof.P95, value=120.0),))

    after = symptom(Metric.P95, at(1, SideValues(p95=800.0, requests=100)), rollback=rollback).after

    assert after is not None
    assert (after.value, after.side, after.source, after.sample) == (
        120.0, Side.STABLE, Source.REQUEST_LOG, 200,
    )  # fmt: skip


def test_an_inconclusive_proof_is_no_figure_of_health() -> None:
    thin = evidence(Proof.ERROR_RATE, Verdict.INCONCLUSIVE, value=0.0)
    rollback = a_decided_rollback(RollbackState.NOT_VERIFIED, evidence=(thin,))

    assert symptom(Metric.ERROR_RATE, at(1, errors(5.0)), rollback=rollback).after is None


@pytest.mark.parametrize(("ended", "counts"), [(1.9, False), (2.0, True), (3.0, True)])
def test_what_no_proof_is_about_comes_from_minutes_after_it_settled(ended: float, counts: bool) -> None:
    rollback = a_decided_rollback(RollbackState.VERIFIED, settled_at=minute(1), evidence=())
    points = (at(0.5, full(95.0)),)

    after = symptom(Metric.MEMORY, *points, after=(at(ended, None, full(41.0)),), rollback=rollback).after

    assert (after is not None) is counts


def test_a_metric_of_which_nothing_is_known_is_no_symptom() -> None:
    found = symptoms(None, [at(1, full(99.0))], [], window=WINDOW, thresholds=THRESHOLDS)

    assert [one.metric for one in found] == [Metric.MEMORY]


# Merged evidence.


def test_a_later_reading_of_a_minute_counts_and_fills_in_what_was_missing() -> None:
    early = a_snapshot(at(1, SideValues(error_rate=4.0, memory=60.0)))
    late = a_snapshot(at(1, errors(5.0)), at(2, errors(6.0)), moment=Moment.VERIFICATION)

    points = merged([early, late])

    assert [point.at for point in points] == [minute(1), minute(2)]
    assert points[0].canary == SideValues(error_rate=5.0, requests=100, memory=60.0)


# Clients.


def test_the_newest_count_at_a_decision_is_the_estimate() -> None:
    first, second, asked = (Clients(seen=9, failed=n) for n in (1, 2, 3))

    found = clients_of(
        [
            a_snapshot(clients=first),
            a_snapshot(clients=second),
            a_snapshot(moment=Moment.ASKED, clients=asked),
            a_snapshot(clients=None),
        ]
    )

    assert found == second


def test_without_one_at_a_decision_another_count_will_do() -> None:
    asked = Clients(seen=9, failed=3)

    assert clients_of([a_snapshot(), a_snapshot(moment=Moment.ASKED, clients=asked)]) == asked


def test_no_count_is_no_estimate() -> None:
    assert clients_of([a_snapshot()]) is None


# Downtime.


@pytest.mark.parametrize(
    ("canary", "stable", "expected"),
    [
        # Both fail; the canary alone; stable alone; a single good answer.
        (errors(100.0), errors(100.0), Downtime(everybody=1, canary=1)),
        (errors(100.0), errors(0.0), Downtime(everybody=0, canary=1)),
        (errors(0.0), errors(100.0), Downtime(everybody=0, canary=0)),
        (errors(99.9), errors(100.0), Downtime(everybody=0, canary=0)),
        # Where no request comes to one side, the other decides.
        (errors(None, 0), errors(100.0), Downtime(everybody=1, canary=None)),
        (errors(100.0), errors(None, 0), Downtime(everybody=1, canary=1)),
        # Nobody asked, or nobody knows.
        (errors(None, 0), errors(None, 0), Downtime(everybody=None, canary=None)),
        (errors(100.0), errors(None, None), Downtime(everybody=None, canary=1)),
        (errors(None, 100), errors(100.0), Downtime(everybody=None, canary=None)),
    ],
)
def test_a_minute_is_down_when_requests_came_and_none_was_answered_well(
    canary: SideValues, stable: SideValues, expected: Downtime
) -> None:
    assert downtime([at(1, canary, stable)], WINDOW) == expected


def test_minutes_outside_of_the_failure_are_not_counted() -> None:
    down = errors(100.0)

    found = downtime([at(n, down, down) for n in (-1, 0, 1, 2, 11, 12)], WINDOW)

    assert found == Downtime(everybody=2, canary=2)


def test_a_window_without_a_deployment_or_verdict_holds_everything() -> None:
    window = Window(since=None, until=None)

    assert window.holds(minute(-1000))
    assert window.holds(minute(1000))
