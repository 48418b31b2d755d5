"""A drill's milestones and its scoreboard: against the guide's minutes, and the team's last drills."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.domain.announcement import AnnouncementState
from bot.domain.drill import (
    COMPARED,
    LONGEST,
    Drill,
    Limit,
    Milestone,
    Result,
    Said,
    Score,
    limit_of,
    milestones,
    notices_to_users,
    scoreboard,
)
from bot.domain.incident import FromPeople
from bot.domain.rollback import RollbackState
from tests.alerts import an_alert
from tests.drills import FAST, a_drill
from tests.guide import SCENARIOS, the_guide
from tests.unit.slack.views.telling_views import an_announcement
from tests.values import NOON, a_decided_rollback, a_playbook, a_rollback, an_incident, seconds

COMPLETE = FromPeople(
    cause="a leak",
    improvements="a test",
    users_affected=3,
    data_loss=False,
    down_minutes=0,
    at=NOON + seconds(400),
)
TO_USERS = frozenset({"data_loss"})


def reached(drill: Drill | None = None, **found: Any) -> dict[Milestone, float]:
    """Return what was reached, seconds after noon."""
    known: dict[str, Any] = {"incidents": (), "rollbacks": (), "alerts": (), "announcements": ()} | found
    times = milestones(drill or a_drill(), **known, to_users=TO_USERS)
    return {milestone: (at - NOON).total_seconds() for milestone, at in times.items()}


# What belongs to it.


@pytest.mark.parametrize(
    ("after", "belongs"), [(-1, False), (0, True), (3599, True), (3600, False), (3601, False)]
)
def test_nothing_before_a_drill_or_an_hour_later_belongs_to_it(after: float, belongs: bool) -> None:
    assert timedelta(hours=1) == LONGEST
    assert a_drill().covers(NOON + seconds(after)) is belongs


@pytest.mark.parametrize(("after", "belongs"), [(59, True), (60, False)])
def test_nothing_after_its_end_belongs_to_a_drill(after: float, belongs: bool) -> None:
    assert a_drill(ended_at=NOON + seconds(60)).covers(NOON + seconds(after)) is belongs


@pytest.mark.parametrize(("after", "echoes"), [(59, False), (60, True), (359, True), (360, False)])
def test_for_five_minutes_machines_still_see_a_drill_that_is_over(after: float, echoes: bool) -> None:
    assert a_drill(ended_at=NOON + seconds(60)).echoes(NOON + seconds(after)) is echoes
    assert not a_drill().echoes(NOON + seconds(after))


# Milestones.


def test_a_drill_in_which_nothing_happened_has_reached_nothing() -> None:
    assert reached() == {}


@pytest.mark.parametrize(
    ("opened", "alerted", "asked", "detected"), [(30, 20, 40, 20), (10, 20, 40, 10), (30, 20, 5, 5)]
)
def test_whoever_notices_first_has_detected_it(
    opened: float, alerted: float, asked: float, detected: float
) -> None:
    found = reached(
        incidents=[an_incident(opened_at=NOON + seconds(opened))],
        alerts=[an_alert(created_at=NOON + seconds(alerted))],
        rollbacks=[a_rollback(asked_at=NOON + seconds(asked))],
    )

    assert found == {Milestone.DETECTED: detected}


def test_an_alert_from_before_the_failure_has_detected_nothing() -> None:
    early, later = (an_alert(created_at=NOON + seconds(at)) for at in (-5, 50))

    assert reached(alerts=[early, later]) == {Milestone.DETECTED: 50}


def test_a_verified_rollback_was_decided_rolled_back_and_verified() -> None:
    rollback = a_decided_rollback(RollbackState.VERIFIED, asked_at=NOON + seconds(5))

    assert reached(rollbacks=[rollback]) == {
        Milestone.DETECTED: 5,
        Milestone.DECIDED: 10,
        Milestone.ROLLED_BACK: 30,
        Milestone.VERIFIED: 40,
    }


def test_a_rollback_that_was_not_verified_is_rolled_back_only() -> None:
    rollback = a_decided_rollback(RollbackState.NOT_VERIFIED, ended_at=NOON + seconds(99))

    assert Milestone.VERIFIED not in reached(rollbacks=[rollback])
    assert reached(rollbacks=[rollback])[Milestone.ROLLED_BACK] == 30


def test_the_first_of_two_rollbacks_counts() -> None:
    second = a_decided_rollback(RollbackState.VERIFIED, requested_at=NOON + seconds(300))

    assert reached(rollbacks=[second, a_decided_rollback()])[Milestone.DECIDED] == 10


@pytest.mark.parametrize(
    ("state", "notice", "told"),
    [
        (AnnouncementState.POSTED, "data_loss", True),
        (AnnouncementState.WAITING, "data_loss", False),
        (AnnouncementState.DROPPED, "data_loss", False),
        (AnnouncementState.POSTED, "incident_opened", False),
    ],
)
def test_users_are_told_by_a_text_for_them_that_was_posted(
    state: AnnouncementState, notice: str, told: bool
) -> None:
    text = an_announcement(state=state, notice=notice, posted_at=NOON + seconds(70))

    assert reached(announcements=[text]) == ({Milestone.USERS_TOLD: 70} if told else {})


@pytest.mark.parametrize(
    ("missing", "complete"), [({}, True), ({"cause": ""}, False), ({"down_minutes": None}, False)]
)
def test_a_record_is_complete_once_people_have_filled_in_all_of_it(missing: Any, complete: bool) -> None:
    incident = an_incident(people=replace(COMPLETE, **missing))

    found = reached(incidents=[incident])

    assert (found.get(Milestone.RECORD_COMPLETE) == 400) is complete


# The guide's minutes.


def test_the_limits_are_those_of_the_guide() -> None:
    limits = {
        scenario: {one: limit_of(one, scenario, the_guide()) for one in Milestone} for scenario in SCENARIOS
    }

    minutes = {
        s: [limit.minutes if limit else None for limit in found.values()] for s, found in limits.items()
    }
    assert minutes == {
        "error_rate": [5, 1, 2, 3, None, 10],
        "response_time": [5, 1, 2, 3, None, 10],
        "memory": [5, 1, 2, 5, None, 10],
        "data_loss": [5, 1, 2, 5, 2, 10],
        "service_down": [5, 1, 2, 2, None, 10],
    }


def test_a_limit_says_where_it_stands_and_what_it_counts_from() -> None:
    decided = limit_of(Milestone.DECIDED, "data_loss", the_guide())
    verified = limit_of(Milestone.VERIFIED, "memory", the_guide())
    told = limit_of(Milestone.USERS_TOLD, "data_loss", the_guide())

    assert decided == Limit(
        minutes=1, since=Milestone.DETECTED, said=Said.PHASE, title={"en": "Immediately", "ko": "즉시"}
    )
    assert verified == Limit(minutes=5, since=Milestone.DECIDED, said=Said.RECOVERY)
    assert told == Limit(
        minutes=2, since=Milestone.DETECTED, said=Said.CLOCK, title={"en": "Tell users", "ko": "사용자 공지"}
    )


def test_a_teams_own_minutes_count_and_a_playbook_may_say_none() -> None:
    own = the_guide().model_copy(
        update={"thresholds": the_guide().thresholds.model_copy(update={"check_every_minutes": 2})}
    )
    bare = a_playbook()

    watched = limit_of(Milestone.DETECTED, "error_rate", own)
    assert watched is not None
    assert watched.minutes == 2
    assert [limit_of(one, "error_rate", bare) for one in Milestone][1:] == [None] * 5


def test_users_are_told_by_what_the_scenario_asks_for_or_what_leaves_the_incidents_channel() -> None:
    guide = the_guide()

    assert notices_to_users(guide.scenario("data_loss"), guide) == {"data_loss"}
    assert notices_to_users(guide.scenario("error_rate"), guide) == {"data_loss", "resolved"}
    assert notices_to_users(None, a_playbook()) == set()


# The scoreboard.


def score(milestone: Milestone, drill: Drill, *earlier: Drill) -> Score:
    board = scoreboard(drill, earlier, the_guide())
    return next(one for one in board.scores if one.milestone is milestone)


@pytest.mark.parametrize(
    ("milestone", "limit"),
    [
        (Milestone.DETECTED, 5 * 60),
        (Milestone.DECIDED, 40 + 60),
        (Milestone.ROLLED_BACK, 60 + 2 * 60),
        (Milestone.VERIFIED, 60 + 3 * 60),
        (Milestone.RECORD_COMPLETE, 60 + 10 * 60),
    ],
)
def test_on_the_limit_is_in_time_and_a_second_later_is_not(milestone: Milestone, limit: float) -> None:
    results = [
        score(milestone, a_drill(reached={**FAST, milestone: at})).result
        for at in (limit - 1, limit, limit + 1)
    ]

    assert results == [Result.IN_TIME, Result.IN_TIME, Result.LATE]


@pytest.mark.parametrize(("told", "result"), [(159, "in_time"), (160, "in_time"), (161, "late")])
def test_users_have_to_be_told_two_minutes_after_detection(told: float, result: str) -> None:
    drill = a_drill(scenario="data_loss", reached={**FAST, Milestone.USERS_TOLD: told})

    assert score(Milestone.USERS_TOLD, drill).result == result


def test_what_was_not_reached_is_missed_and_what_nobody_asks_for_is_not() -> None:
    board = scoreboard(a_drill(reached={Milestone.DETECTED: 10}), (), the_guide())

    assert [one.result for one in board.scores] == [
        Result.IN_TIME, Result.MISSED, Result.MISSED, Result.MISSED, Result.NOT_ASKED_FOR, Result.MISSED,
    ]  # fmt: skip
    assert (board.good, len(board.asked_for), len(board.to_improve)) == (1, 5, 4)


def test_a_playbook_without_minutes_takes_whatever_was_reached() -> None:
    board = scoreboard(a_drill(reached=FAST), (), a_playbook())

    assert [one.result for one in board.scores].count(Result.UNLIMITED) == 4
    assert board.good == 5


def test_a_record_without_a_decision_counts_from_the_detection() -> None:
    drill = a_drill(reached={Milestone.DETECTED: 100, Milestone.RECORD_COMPLETE: 700})

    assert score(Milestone.RECORD_COMPLETE, drill).took == 600


def test_the_scoreboard_compares_with_best_median_and_last() -> None:
    times = {"d1": 300.0, "d2": 100.0, "d3": 240.0}
    earlier = [
        a_drill(id, reached={**FAST, Milestone.VERIFIED: took}, created_at=NOON - timedelta(days=90 - n))
        for n, (id, took) in enumerate(times.items())
    ]

    found = score(Milestone.VERIFIED, a_drill("now", reached=FAST), *reversed(earlier))

    assert (found.best, found.median, found.last) == (100, 240, 240)


def test_only_scored_drills_of_the_same_scenario_that_began_before_are_compared_with() -> None:
    day = timedelta(days=1)
    earlier = (
        a_drill("other", reached=FAST, scenario="memory", created_at=NOON - day),
        a_drill("broken_off", created_at=NOON - day, ended_at=NOON),
        a_drill("later", reached=FAST, created_at=NOON + day),
        a_drill("now", reached=FAST),
    )

    board = scoreboard(a_drill("now", reached=FAST), earlier, the_guide())

    assert board.compared == 0
    assert board.scores[0].best is None


def test_a_scoreboard_compares_with_the_last_few_only() -> None:
    earlier = [
        a_drill(f"d{n}", reached={Milestone.DETECTED: n}, created_at=NOON - timedelta(days=n))
        for n in range(1, COMPARED + 3)
    ]

    board = scoreboard(a_drill("now", reached=FAST), earlier, the_guide())

    assert board.compared == COMPARED
    assert (board.scores[0].best, board.scores[0].last) == (1, 1)
    assert board.scores[1].best is None
