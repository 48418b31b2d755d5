"""Where a change may go, and what it keeps of its problem."""

from dataclasses import replace

import pytest

from bot.domain.by_hand import change_lines
from bot.domain.change import (
    ENDED_CHANGE,
    NEXT_CHANGE_STATES,
    RUNNING_CHANGE,
    CannotChange,
    CannotWhy,
    ChangeKind,
    ChangePlan,
    ChangeState,
    IllegalChangeMove,
    cannot_from,
    moved_change,
)
from bot.domain.change_plan import make_change_plan
from bot.domain.resources import Resources
from tests.values import (
    NOON,
    a_change,
    a_services_target,
    a_state,
    a_target,
    seconds,
)


@pytest.mark.parametrize("current", ChangeState)
@pytest.mark.parametrize("wanted", ChangeState)
def test_a_change_moves_along_the_table_only(current: ChangeState, wanted: ChangeState) -> None:
    change = a_change(state=current)

    if wanted in NEXT_CHANGE_STATES.get(current, frozenset()):
        assert moved_change(change, wanted, at=NOON).state is wanted
    else:
        with pytest.raises(IllegalChangeMove):
            moved_change(change, wanted, at=NOON)


def test_nothing_follows_an_end_and_everything_else_can_end() -> None:
    assert not ENDED_CHANGE & set(NEXT_CHANGE_STATES)
    assert all(NEXT_CHANGE_STATES[state] & ENDED_CHANGE for state in RUNNING_CHANGE | {ChangeState.ASKED})


def test_done_is_settled_and_ended_when_it_was_seen() -> None:
    applied = a_change(state=ChangeState.APPLIED, requested_at=NOON, applied_at=NOON)

    done = moved_change(applied, ChangeState.DONE, at=NOON + seconds(9))

    assert done.settled_at == done.ended_at == NOON + seconds(9)


def test_a_state_that_is_reached_again_keeps_its_first_time() -> None:
    unknown = a_change(state=ChangeState.UNKNOWN, applied_at=NOON)

    assert moved_change(unknown, ChangeState.APPLIED, at=NOON + seconds(60)).applied_at == NOON


@pytest.mark.parametrize("detail", ["", "deployer@example.com", "it said: no: never", "a\nb"])
@pytest.mark.parametrize("why", CannotWhy)
def test_a_reason_survives_being_kept(why: CannotWhy, detail: str) -> None:
    cannot = CannotChange(why, about="memory_mib", detail=detail, instead="1024")

    assert cannot_from(cannot.as_problem()) == cannot


@pytest.mark.parametrize("problem", [None, "", "slow", "overtaken:U0SENA", "unreachable:read service x:no"])
def test_other_trouble_is_no_reason_of_that_kind(problem: str | None) -> None:
    assert cannot_from(problem) is None


def test_the_line_by_hand_names_both_sides_of_the_split() -> None:
    plan = make_change_plan(a_target(), a_state(), a_change())
    assert isinstance(plan, ChangePlan)

    [line] = change_lines(a_target(), replace(a_change(), plan=plan), project="p")

    assert line == (
        "gcloud run services update-traffic ion-api --to-revisions="
        "ion-api-00042-lee=5,ion-api-00041-kim=95 --region=us-central1 --project=p"
    )


def test_the_line_by_hand_sets_the_routers_variable() -> None:
    [line] = change_lines(a_services_target(), a_change(), project="")

    assert line == (
        "gcloud run services update ion-chat-router --update-env-vars=CANARY_TRAFFIC_PERCENTAGE=5 "
        "--region=us-central1"
    )


def test_resources_by_hand_take_a_second_line_where_traffic_is_given_by_name() -> None:
    wanted = Resources(memory_mib=1024, cpu_milli=2000, min_instances=1, max_instances=10)
    change = a_change(ChangeKind.ADD_RESOURCES, resources=wanted)
    plan = make_change_plan(a_target(), a_state(), change)
    assert isinstance(plan, ChangePlan)

    lines = change_lines(a_target(), replace(change, plan=plan), project="")

    assert lines == (
        "gcloud run services update ion-api --memory=1Gi --cpu=2 --min-instances=1 --max-instances=10 "
        "--region=us-central1",
        "gcloud run services update-traffic ion-api "
        "--to-revisions=NEW_REVISION=10,ion-api-00041-kim=90 --region=us-central1",
    )


def test_resources_of_a_canary_service_are_set_on_that_service() -> None:
    change = a_change(ChangeKind.ADD_RESOURCES)

    [line] = change_lines(a_services_target(), change, project="")

    assert line == "gcloud run services update ion-chat-canary --memory=1Gi --region=us-central1"
