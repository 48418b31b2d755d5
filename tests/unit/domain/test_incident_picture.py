"""What a picture of an incident shows: which minutes, which marks, and where memory is heading."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from bot.domain.alarm import AlarmKind
from bot.domain.incident_picture import (
    end_of_detection,
    end_of_verdict,
    is_about_memory,
    marks_of,
    of_memory,
    scene_of,
)
from bot.domain.observation import Point, SideValues
from bot.domain.picture import MarkKind
from bot.domain.readings import Metric
from bot.domain.rollback import Rollback, RollbackState
from tests.alerts import an_alert
from tests.unit.slack.views.watch_views import a_point
from tests.values import CANARY, NOON, STABLE, a_plan, a_rollback, an_incident, seconds


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


def a_finished_rollback(state: RollbackState = RollbackState.VERIFIED) -> Rollback:
    return a_rollback(state, plan=a_plan(), requested_at=NOON + seconds(20), ended_at=NOON + seconds(65))


def full_at_noon(*, by_minute: float, at_noon: float) -> tuple[Point, ...]:
    """Return a quarter of an hour in which the canary's memory rises steadily."""
    return tuple(
        Point(at=NOON - minutes(ago), canary=SideValues(memory=at_noon - ago * by_minute))
        for ago in range(15, -1, -1)
    )


def test_a_verified_rollback_has_four_marks_in_the_order_they_happened() -> None:
    incident = an_incident(deployed_at=NOON - minutes(12))

    marks = marks_of(incident, (a_finished_rollback(),), (an_alert(created_at=NOON - seconds(9)),))

    assert marks == (
        (NOON - minutes(12), MarkKind.DEPLOYED),
        (NOON - seconds(9), MarkKind.DETECTED),
        (NOON + seconds(20), MarkKind.DECIDED),
        (NOON + seconds(65), MarkKind.VERIFIED),
    )


@pytest.mark.parametrize("state", [RollbackState.NOT_VERIFIED, RollbackState.FAILED])
def test_a_rollback_that_was_not_verified_is_not_marked_as_if(state: RollbackState) -> None:
    marks = marks_of(an_incident(), (a_finished_rollback(state),), ())

    assert marks[-1] == (NOON + seconds(65), MarkKind.NOT_VERIFIED)


def test_a_question_that_nobody_answered_is_no_decision() -> None:
    asked = a_rollback(deployed_at=NOON - minutes(3))

    marks = marks_of(an_incident(deployed_at=None), (asked,), ())

    assert [kind for _, kind in marks] == [MarkKind.DEPLOYED, MarkKind.DETECTED]


@pytest.mark.parametrize(
    ("deployed_ago", "since_ago"),
    [(12, 22), (4, 15), (5, 15), (55, 60), (600, 15)],
    ids=["ten minutes before", "a quarter of an hour at least", "just that", "an hour at most", "long ago"],
)
def test_a_picture_begins_with_some_calm(deployed_ago: float, since_ago: float) -> None:
    incident = an_incident(deployed_at=NOON - minutes(deployed_ago))

    scene = scene_of(incident, (), (), (), until=NOON)

    assert scene.since == NOON - minutes(since_ago)


def test_only_what_lies_within_the_picture_is_in_it() -> None:
    incident = an_incident(deployed_at=NOON - minutes(5))
    points = [a_point(16), a_point(15), a_point(0), a_point(-1)]

    scene = scene_of(incident, (a_finished_rollback(),), (), points, until=NOON)

    assert [point.at for point in scene.points] == [NOON - minutes(15), NOON]
    assert [kind for _, kind in scene.marks] == [MarkKind.DEPLOYED, MarkKind.DETECTED]
    assert scene.shaded is None


@pytest.mark.parametrize(
    ("until", "end"),
    [(NOON + seconds(40), NOON + seconds(40)), (NOON + minutes(5), NOON + seconds(65))],
)
def test_from_the_decision_to_the_verdict_it_is_shaded(until: datetime, end: datetime) -> None:
    scene = scene_of(an_incident(), (a_finished_rollback(),), (), (), until=until)

    assert scene.shaded == (NOON + seconds(20), end)


def test_names_are_the_rollbacks_then_the_alerts_then_what_was_given() -> None:
    incident, other = an_incident(), an_alert(canary="c", stable="s")

    def names(rollbacks: tuple[Rollback, ...], alerts: bool) -> tuple[str, str]:
        told = (other,) if alerts else ()
        scene = scene_of(incident, rollbacks, told, (), until=NOON, canary="x", stable="y")
        return scene.canary, scene.stable

    assert names((a_finished_rollback(), a_rollback()), True) == (CANARY, STABLE)
    assert names((a_rollback(),), True) == ("c", "s")
    assert names((), False) == ("x", "y")


def test_memory_that_rises_is_drawn_up_to_when_it_is_full() -> None:
    points = full_at_noon(by_minute=2.0, at_noon=80.0)
    scene = scene_of(an_incident(deployed_at=NOON - minutes(14)), (), (), points, until=NOON)

    shown = of_memory(scene, red=85.0)

    assert shown.only is Metric.MEMORY
    assert shown.ahead is not None
    assert (shown.ahead.at, round(shown.ahead.value, 6), round(shown.ahead.last, 6)) == (NOON, 80.0, 100.0)
    assert shown.ahead.full_at is not None
    assert abs(shown.ahead.full_at - NOON - minutes(10)) < seconds(1)
    assert shown.ahead.until == shown.ahead.full_at


def test_nobody_says_when_it_is_full_beyond_twenty_minutes() -> None:
    points = full_at_noon(by_minute=1.0, at_noon=75.0)
    scene = scene_of(an_incident(deployed_at=NOON - minutes(14)), (), (), points, until=NOON)

    ahead = of_memory(scene, red=85.0).ahead

    assert ahead is not None
    assert (ahead.full_at, ahead.until, round(ahead.last, 6)) == (None, NOON + minutes(20), 95.0)


@pytest.mark.parametrize("by_minute", [0.0, -1.0])
def test_memory_that_does_not_rise_has_no_line(by_minute: float) -> None:
    points = full_at_noon(by_minute=by_minute, at_noon=60.0)
    scene = scene_of(an_incident(deployed_at=NOON - minutes(14)), (), (), points, until=NOON)

    assert of_memory(scene, red=85.0).ahead is None


def test_memory_that_nobody_measured_is_drawn_empty() -> None:
    scene = scene_of(an_incident(), (), (), (Point(at=NOON),), until=NOON)

    assert of_memory(scene, red=85.0) == replace(scene, only=Metric.MEMORY)


def test_an_alert_is_about_memory_by_any_of_its_alarms() -> None:
    first = an_alert(kind=AlarmKind.MEMORY_EXPLOSION)
    also = an_alert(also=({"kind": "memory_explosion", "level": "recommend"},))

    assert [is_about_memory(alert) for alert in (first, also, an_alert())] == [True, True, False]


@pytest.mark.parametrize(("now_after", "end_after"), [(1, 1), (2, 2), (90, 2)])
def test_a_picture_that_comes_late_ends_soon_after_what_it_is_about(now_after: int, end_after: int) -> None:
    alert, rollback = an_alert(), a_rollback(RollbackState.VERIFIED, ended_at=NOON)
    now = NOON + minutes(now_after)

    ends = end_of_detection(alert, now=now), end_of_verdict(rollback, now=now)

    assert ends == (NOON + minutes(end_after),) * 2
