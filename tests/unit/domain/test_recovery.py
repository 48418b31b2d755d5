"""How long recovery should take: counted from the rollback, and over when it was proven."""

from datetime import timedelta

import pytest

from bot.domain.checklist import Mark, StepState
from bot.domain.recovery import Expected, Standing, expected
from bot.domain.rollback import RollbackState
from tests.guide import a_scenario, in_scenario
from tests.values import NOON, SENA, a_decided_rollback, a_rollback, seconds

#: `a_decided_rollback` was requested then.
REQUESTED = NOON + seconds(10)


def at(minutes: float, key: str = "error_rate", state: RollbackState = RollbackState.APPLIED) -> Expected:
    now = REQUESTED + timedelta(minutes=minutes)
    return expected(in_scenario(key), a_scenario(key), [a_decided_rollback(state)], now=now)


@pytest.mark.parametrize(
    ("key", "minutes"),
    [("error_rate", 3), ("response_time", 3), ("memory", 5), ("data_loss", 240), ("service_down", 2)],
)
def test_it_is_late_after_the_guides_minutes_and_not_on_them(key: str, minutes: int) -> None:
    assert at(minutes - 0.5, key).left == seconds(30)
    assert at(minutes, key).standing is Standing.UNDER_WAY
    assert at(minutes + 0.5, key).late == seconds(30)
    assert at(minutes + 0.5, key).standing is Standing.OVER


def test_nothing_counts_before_a_rollback() -> None:
    asked = [a_rollback()]

    assert (
        expected(in_scenario("memory"), a_scenario("memory"), asked, now=NOON).standing is Standing.NOT_BEGUN
    )


def test_it_counts_from_the_decision_where_the_rollback_is_not_known() -> None:
    incident = in_scenario("memory", decided_at=NOON)

    found = expected(incident, a_scenario("memory"), (), now=NOON + timedelta(minutes=1))

    assert found.left == timedelta(minutes=4)


def test_a_proven_rollback_is_recovery() -> None:
    found = at(60, state=RollbackState.VERIFIED)

    assert (found.standing, found.took) == (Standing.RECOVERED, seconds(30))


def test_a_rollback_that_was_not_proven_is_none() -> None:
    assert at(60, state=RollbackState.NOT_VERIFIED).standing is Standing.OVER


def test_lost_data_is_recovered_when_people_have_confirmed_it() -> None:
    scenario, rollbacks = a_scenario("data_loss"), [a_decided_rollback(RollbackState.VERIFIED)]
    later = REQUESTED + timedelta(minutes=90)
    marks = {
        key: Mark(state=StepState.DONE, by=SENA, at=later)
        for key in ("clock.confirm.verify_integrity", "clock.confirm.check_users")
    }

    before = expected(in_scenario("data_loss"), scenario, rollbacks, now=later)
    after = expected(in_scenario("data_loss", marks=marks), scenario, rollbacks, now=later + seconds(5))

    assert before.standing is Standing.UNDER_WAY
    assert (after.standing, after.took) == (Standing.RECOVERED, timedelta(minutes=90))
