"""When the bot may roll back by itself, and what it remembers of having done so."""

from datetime import timedelta

import pytest

from bot.domain.automatics import (
    HOLD_FOR,
    REMEMBERED,
    Automatics,
    NotByItself,
    OffWhy,
    armed,
    disarmed,
    fired,
    held,
    not_by_itself,
    refused,
    rolled_back,
)
from bot.domain.people import AUTOMATICS
from tests.alerts import automatics
from tests.values import CANARY, CANARY_TARGET, GITCO, NOON, SENA, STABLE, seconds

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def may(known: Automatics | None, *, hour: int = 1, day: int = 2) -> NotByItself | None:
    return not_by_itself(known, canary=CANARY, now=NOON, most_per_hour=hour, most_per_day=day)


def test_what_was_armed_may_roll_back() -> None:
    assert may(automatics()) is None


def test_nothing_rolls_back_before_somebody_has_armed_it() -> None:
    assert may(None) is NotByItself.NOT_ARMED
    assert may(automatics(armed=False)) is NotByItself.NOT_ARMED


@pytest.mark.parametrize(
    ("left", "why"),
    [(seconds(1), NotByItself.ON_HOLD), (seconds(0), None), (seconds(-1), None)],
    ids=["still held", "on the line", "over"],
)
def test_a_hold_counts_up_to_its_end(left: timedelta, why: NotByItself | None) -> None:
    assert may(automatics(held_until=NOON + left)) is why


@pytest.mark.parametrize(
    ("ago", "why"),
    [
        (HOUR - seconds(1), NotByItself.TOO_MANY_THIS_HOUR),
        (HOUR, None),
        (HOUR + seconds(1), None),
    ],
    ids=["within", "on the line", "over"],
)
def test_one_an_hour_is_enough(ago: timedelta, why: NotByItself | None) -> None:
    assert may(automatics(fired_at=(NOON - ago,))) is why


@pytest.mark.parametrize(
    ("ago", "why"),
    [(DAY - seconds(1), NotByItself.TOO_MANY_TODAY), (DAY, None), (DAY + seconds(1), None)],
    ids=["within", "on the line", "over"],
)
def test_two_a_day_are_enough(ago: timedelta, why: NotByItself | None) -> None:
    assert may(automatics(fired_at=(NOON - ago, NOON - 2 * HOUR))) is why


def test_a_team_may_allow_more() -> None:
    often = automatics(fired_at=(NOON - 3 * HOUR, NOON - 2 * HOUR, NOON - seconds(60)))

    assert may(often, hour=1, day=10) is NotByItself.TOO_MANY_THIS_HOUR
    assert may(often, hour=2, day=3) is NotByItself.TOO_MANY_TODAY
    assert may(often, hour=2, day=4) is None


@pytest.mark.parametrize(
    ("remembered", "why"),
    [
        ("refused", NotByItself.PERSON_SAID_NO),
        ("rolled_to", NotByItself.ROLLED_TO),
        ("rolled_from", NotByItself.PERSON_PUT_IT_BACK),
    ],
)
def test_a_canary_with_a_past_is_left_to_people(remembered: str, why: NotByItself) -> None:
    assert may(automatics(**{remembered: (CANARY,)})) is why
    assert may(automatics(**{remembered: ("ion-api-00001-old",)})) is None


def test_what_a_person_said_comes_before_what_time_mends() -> None:
    known = automatics(refused=(CANARY,), held_until=NOON + HOUR, fired_at=(NOON,))

    assert may(known) is NotByItself.PERSON_SAID_NO


def test_firing_switches_them_off_and_remembers_where_to() -> None:
    done = fired(automatics(), by=AUTOMATICS, at=NOON, to=STABLE)

    assert (done.armed, done.off_why, done.by, done.at) == (False, OffWhy.FIRED, AUTOMATICS, NOON)
    assert (done.fired_at, done.rolled_to) == ((NOON,), (STABLE,))
    assert may(done) is NotByItself.NOT_ARMED
    again = armed(done, by=SENA, at=NOON + seconds(1))
    assert (again.armed, again.off_why) == (True, "")
    assert may(again) is NotByItself.TOO_MANY_THIS_HOUR


def test_a_hold_is_fifteen_minutes_and_arms_nothing() -> None:
    waiting = held(Automatics(id=CANARY_TARGET, created_at=NOON), by=GITCO, at=NOON)

    assert (waiting.held_until, waiting.held_by, waiting.armed) == (NOON + HOLD_FOR, GITCO, False)
    assert timedelta(minutes=15) == HOLD_FOR


def test_arming_forgets_neither_a_hold_nor_a_no() -> None:
    known = refused(held(automatics(), by=GITCO, at=NOON), CANARY)

    again = armed(disarmed(known, by=GITCO, at=NOON, why=OffWhy.STOPPED), by=SENA, at=NOON)

    assert (again.held_until, again.refused) == (NOON + HOLD_FOR, (CANARY,))


def test_each_revision_is_remembered_once_and_the_newest_longest() -> None:
    known = automatics()
    for number in range(REMEMBERED + 5):
        known = rolled_back(known, f"ion-api-{number:05d}")
    known = rolled_back(known, "ion-api-00020")

    assert len(known.rolled_from) == len(set(known.rolled_from)) == REMEMBERED
    assert known.rolled_from[-1] == "ion-api-00020"
    assert "ion-api-00004" not in known.rolled_from
