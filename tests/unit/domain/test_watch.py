"""Watches: where they begin, when they end, and what is due."""

from datetime import timedelta

import pytest

from bot.domain.ids import PersonId, RevisionName, ServiceName
from bot.domain.judge import JudgeState
from bot.domain.playbook import Thresholds
from bot.domain.traffic import SideAddress, Sides
from bot.domain.watch import (
    CanarySeen,
    EndedWhy,
    Watch,
    WatchState,
    begins_by_itself,
    begun,
    due_check,
    ended,
    rolled_back,
    turn_id,
    what_became,
    whole_bucket,
)
from tests.values import CANARY, CANARY_TARGET, NOON, SENA, STABLE, seconds

SIDES = Sides(
    stable=SideAddress(service=ServiceName("ion-api"), revision=STABLE),
    canary=SideAddress(service=ServiceName("ion-api"), revision=CANARY),
)
NEWER = RevisionName("ion-api-00043-pak")


def seen(canary: str = CANARY, *, percent: int = 10, revision: str = "", **more: object) -> CanarySeen:
    """Return a canary that has traffic."""
    return CanarySeen(
        canary=canary,
        revision=revision or canary,
        stable=STABLE,
        percent=percent,
        sides=SIDES,
        **more,  # type: ignore[arg-type]
    )


def a_watch(last: Watch | None = None, *, of: CanarySeen | None = None) -> Watch:
    """Return a watch that began at noon."""
    return begun(CANARY_TARGET, of or seen(), last=last, by=PersonId("backout"), channel="#ops", at=NOON)


def test_the_first_watch_is_number_one_and_the_next_one_two() -> None:
    first = a_watch()

    second = a_watch(last=first)

    assert (first.subject, second.subject) == ("canary:1", "canary:2")


def test_a_watch_reads_a_minute_back_when_the_split_is_older() -> None:
    watch = a_watch(of=seen(split_at=NOON - timedelta(hours=1)))

    assert watch.read_until == NOON - timedelta(seconds=60)


def test_nothing_is_read_from_before_the_traffic_could_follow_the_split() -> None:
    watch = a_watch(of=seen(split_at=NOON - seconds(27)))

    assert watch.read_until == NOON - seconds(20)


def test_a_split_that_was_written_just_now_is_read_from_now_on() -> None:
    watch = a_watch(of=seen(split_at=NOON - seconds(1)))

    assert watch.read_until == NOON


@pytest.mark.parametrize(("second", "began"), [(0, 0), (0.001, 0), (9.999, 0), (10, 10), (19.5, 10)])
def test_a_bucket_begins_at_whole_tens_of_seconds(second: float, began: int) -> None:
    assert whole_bucket(NOON + seconds(second)) == NOON + seconds(began)


@pytest.mark.parametrize(
    ("shown", "share", "why"),
    [
        (seen(), 10, None),
        (seen(), 50, None),
        (None, 0, EndedWhy.CANARY_HAS_NONE),
        (None, 100, EndedWhy.CANARY_HAS_ALL),
        (None, 99, None),
        (None, None, None),
        (seen(NEWER), 40, EndedWhy.NEW_CANARY),
        (seen(NEWER), 0, EndedWhy.NEW_CANARY),
        (seen(CANARY, revision="another"), 10, EndedWhy.NEW_CANARY),
    ],
)
def test_a_watch_goes_on_while_the_same_canary_has_part_of_the_traffic(
    shown: CanarySeen | None, share: int | None, why: EndedWhy | None
) -> None:
    assert what_became(a_watch(), shown, share=share) is why


def test_a_watch_that_began_with_everything_on_the_canary_goes_on_with_it() -> None:
    watch = a_watch(of=seen(percent=100))

    assert what_became(watch, seen(percent=100), share=100) is None


@pytest.mark.parametrize(
    ("why", "begins"),
    [
        (EndedWhy.CANARY_HAS_NONE, True),
        (EndedWhy.NEW_CANARY, True),
        (EndedWhy.TARGET_GONE, True),
        (EndedWhy.CANARY_HAS_ALL, False),
        (EndedWhy.BY_A_PERSON, False),
    ],
)
def test_a_watch_that_a_person_ended_is_not_begun_again_for_the_same_deployment(
    why: EndedWhy, begins: bool
) -> None:
    last = ended(a_watch(), why, at=NOON)

    assert begins_by_itself(seen(), last) is begins
    assert begins_by_itself(seen(NEWER), last)


def test_what_is_watched_is_not_begun_twice() -> None:
    assert not begins_by_itself(seen(), a_watch())


@pytest.mark.parametrize(("after", "overdue"), [(90, False), (90.1, True), (-90, False), (-91, True)])
def test_a_watch_that_has_not_looked_for_ninety_seconds_is_overdue(after: float, overdue: bool) -> None:
    assert a_watch().overdue(now=NOON + seconds(after)) is overdue


@pytest.mark.parametrize(("after", "due"), [(299.9, False), (300, True), (-299, False), (-300, True)])
def test_the_five_minute_check_is_due_after_five_minutes(after: float, due: bool) -> None:
    assert due_check(a_watch(), Thresholds(), now=NOON + seconds(after)) is due


def test_after_a_rollback_nothing_is_left_to_judge_the_canary_by() -> None:
    watch = rolled_back(a_watch(), at=NOON)

    assert (watch.state, watch.percent, watch.rolled_back_at) == (WatchState.AFTERWARDS, 0, NOON)
    assert watch.judge == JudgeState(revision=CANARY)
    assert watch.going_on


def test_an_end_says_why_and_by_whom() -> None:
    watch = ended(a_watch(), EndedWhy.BY_A_PERSON, by=SENA, at=NOON)

    assert (watch.ended_why, watch.ended_by, watch.going_on) == (EndedWhy.BY_A_PERSON, SENA, False)


def test_turns_have_ids_that_sort_and_differ() -> None:
    first = a_watch()
    ids = [turn_id(first), turn_id(a_watch(last=first))]

    assert ids == sorted(ids) == ["canary:000001:00000000", "canary:000002:00000000"]


def test_a_canary_service_is_known_by_the_revision_it_runs() -> None:
    watch = a_watch(of=seen("ion-chat-canary", revision="ion-chat-canary-00007-abc"))

    assert (watch.canary, watch.identity) == ("ion-chat-canary", "ion-chat-canary-00007-abc")
