"""Which follow-ups an incident has, whose they are, and when they are due."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from bot.domain.follow_up import (
    NEXT_STATES,
    REMIND_EVERY,
    FollowUp,
    FollowUpState,
    IllegalMove,
    due_moment,
    due_on,
    given_to,
    is_past,
    moved,
    next_reminder,
    planned,
)
from bot.domain.incident import Incident
from tests.paging import a_playbook_with_contacts
from tests.values import GITCO, LUBIT, NOON, SENA, an_incident

PLAYBOOK = a_playbook_with_contacts()
SEOUL = "Asia/Seoul"


def of_errors(**more: Any) -> Incident:
    return an_incident(**{"scenario": "errors"} | more)


def plan(incident: Incident, *known: FollowUp) -> dict[str, FollowUp]:
    return {f.key: f for f in planned(incident, PLAYBOOK, known, at=NOON)}


def a_follow_up(key: str = "add_tests", **more: Any) -> FollowUp:
    return replace(plan(of_errors())[key], **more)


def test_each_follow_up_of_the_scenario_becomes_a_task() -> None:
    found = plan(of_errors())

    assert list(found) == ["analyse_logs", "add_tests", "postpone"]
    assert found["analyse_logs"].id == "12-analyse_logs"
    assert found["postpone"].postpones_deployment
    assert (found["add_tests"].title_in("en"), found["add_tests"].title_in("ko")) == (
        "Do add_tests",
        "add_tests 하기",
    )


def test_a_task_is_due_so_many_days_after_the_incident() -> None:
    found = plan(of_errors())

    assert found["postpone"].due_at - NOON == timedelta(days=1)
    assert found["add_tests"].due_at - NOON == timedelta(days=7)


def test_a_task_belongs_to_whoever_has_the_role_else_to_the_contact_else_to_nobody() -> None:
    assert plan(of_errors(roles={"backend": LUBIT}))["analyse_logs"].owner == LUBIT
    assert plan(of_errors())["analyse_logs"].owner == GITCO
    assert plan(of_errors())["add_tests"].owner is None
    group = plan(of_errors(scenario="slow"))["tune_queries"]
    assert (group.owner, group.owner_role) == (None, "devops")


def test_planning_again_changes_nothing() -> None:
    assert plan(of_errors(), *plan(of_errors()).values()) == {}


@pytest.mark.parametrize("scenario", [None, "quiet", "gone"])
def test_an_incident_without_follow_ups_gets_none(scenario: str | None) -> None:
    assert plan(of_errors(scenario=scenario)) == {}


def test_another_scenario_adds_its_own_and_leaves_out_what_nobody_touched() -> None:
    changed = plan(of_errors(scenario="slow"), *plan(of_errors()).values())

    assert set(changed) == {"tune_queries", "analyse_logs", "postpone"}
    assert changed["tune_queries"].state is FollowUpState.OPEN
    assert changed["postpone"].scenario_changed
    assert changed["postpone"].ended_at == NOON


def test_what_somebody_has_touched_stays_whatever_the_scenario() -> None:
    touched = given_to(a_follow_up("postpone"), SENA, by=SENA)

    assert "postpone" not in plan(of_errors(scenario="slow"), touched)


def test_what_was_left_out_comes_back_with_its_scenario() -> None:
    left_out = a_follow_up("postpone", state=FollowUpState.DROPPED, ended_at=NOON)

    back = plan(of_errors(), left_out)["postpone"]

    assert (back.state, back.ended_at) == (FollowUpState.OPEN, None)


def test_what_a_person_dropped_stays_dropped() -> None:
    dropped = moved(a_follow_up("postpone"), FollowUpState.DROPPED, at=NOON, by=SENA, why="not needed")

    assert not dropped.scenario_changed
    assert "postpone" not in plan(of_errors(), dropped)


@pytest.mark.parametrize("current", list(FollowUpState))
@pytest.mark.parametrize("wanted", list(FollowUpState))
def test_a_task_goes_where_the_table_says_and_nowhere_else(
    current: FollowUpState, wanted: FollowUpState
) -> None:
    task = a_follow_up(state=current)

    if wanted in NEXT_STATES[current]:
        assert moved(task, wanted, at=NOON, by=SENA).state is wanted
    else:
        with pytest.raises(IllegalMove):
            moved(task, wanted, at=NOON, by=SENA)


@pytest.mark.parametrize("state", [FollowUpState.DONE, FollowUpState.DROPPED])
def test_only_an_open_task_can_be_given_or_moved(state: FollowUpState) -> None:
    task = a_follow_up(state=state)

    with pytest.raises(IllegalMove):
        given_to(task, SENA, by=SENA)
    with pytest.raises(IllegalMove):
        due_on(task, NOON, by=SENA, why="later")


def test_a_day_is_due_on_its_morning_in_the_teams_zone() -> None:
    due = due_moment(date(2026, 3, 5), zone=SEOUL, at=NOON)

    assert due == datetime(2026, 3, 5, 0, 0, tzinfo=UTC)


def test_what_is_due_today_is_not_due_in_the_past() -> None:
    assert due_moment(date(2026, 3, 2), zone=SEOUL, at=NOON) == NOON + timedelta(hours=1)


def test_a_day_is_past_when_it_is_over_where_the_team_is() -> None:
    late = datetime(2026, 3, 2, 16, 0, tzinfo=UTC)  # 01:00 on the third in Seoul.

    assert is_past(date(2026, 3, 2), zone=SEOUL, at=late)
    assert not is_past(date(2026, 3, 3), zone=SEOUL, at=late)


def test_a_task_is_brought_up_when_it_is_due_and_then_every_three_days() -> None:
    task = a_follow_up()
    later = task.due_at + timedelta(days=10)

    assert next_reminder(task, at=NOON) == task.due_at
    assert next_reminder(task, at=later) == later + REMIND_EVERY
