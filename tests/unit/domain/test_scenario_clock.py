"""The clock of scenario 4: due at the guide's minutes, kept open until integrity is confirmed."""

from datetime import timedelta

import pytest

from bot.domain.checklist import Mark, StepState
from bot.domain.ids import PersonId
from bot.domain.scenario_clock import ClockLine, clock_key, clock_lines, open_needed_to_close
from tests.guide import a_scenario, in_scenario
from tests.values import NOON, SENA, seconds


def marked(*keys: str, state: StepState = StepState.DONE) -> dict[str, Mark]:
    return {key: Mark(state=state, by=SENA, at=NOON + seconds(1)) for key in keys}


def lines(*done: str, rolled_back: bool = False) -> dict[str, ClockLine]:
    incident = in_scenario("data_loss", marks=marked(*done))
    found = clock_lines(incident, a_scenario("data_loss"), rolled_back=rolled_back)
    return {line.key: line for line in found}


ALL = ["clock.confirm.verify_integrity", "clock.confirm.check_users"]


def test_the_clock_is_the_guides() -> None:
    assert [(line.key, line.title.en) for line in lines().values()] == [
        ("clock.roll_back", "Roll back at once (Force)"),
        ("clock.restore", "Start data recovery"),
        ("clock.restore.restore_backup", "Restore the affected data from the latest backup"),
        ("clock.restore.review_transactions", "Review the transaction log"),
        ("clock.tell_users", "Tell users"),
        ("clock.tell_users.announce", "Official notice of the data-loss incident"),
        ("clock.tell_users.say_when", "Expected time of recovery"),
        ("clock.tell_users.plan_compensation", "Compensation plan"),
        ("clock.confirm", "Confirm complete recovery"),
        ("clock.confirm.verify_integrity", "Verify data integrity"),
        ("clock.confirm.check_users", "Check each affected user"),
    ]


@pytest.mark.parametrize(
    ("step", "minutes"), [("roll_back", 0), ("restore", 1), ("tell_users", 2), ("confirm", 4)]
)
def test_a_step_is_overdue_after_its_minute_and_not_on_it(step: str, minutes: int) -> None:
    line = lines()[clock_key(step)]
    due = NOON + timedelta(minutes=minutes)

    assert line.due_at == due
    assert not line.overdue(now=due - seconds(1))
    assert not line.overdue(now=due)
    assert line.overdue(now=due + timedelta(milliseconds=1))


def test_a_step_with_sub_steps_is_done_when_all_of_them_are() -> None:
    assert not lines("clock.restore.restore_backup")["clock.restore"].done
    assert lines("clock.restore.restore_backup", "clock.restore.review_transactions")["clock.restore"].done
    assert not lines("clock.restore")["clock.restore"].done


def test_what_is_done_is_never_overdue() -> None:
    assert not lines(*ALL)["clock.confirm"].overdue(now=NOON + timedelta(days=1))


def test_a_proven_rollback_does_the_step_to_roll_back_and_no_other() -> None:
    found = lines(rolled_back=True)

    assert [key for key, line in found.items() if line.done] == ["clock.roll_back"]
    assert lines("clock.roll_back")["clock.roll_back"].done


def test_without_a_moment_to_count_from_nothing_is_due() -> None:
    incident = in_scenario("data_loss", scenario_at=None)

    (first, *_) = clock_lines(incident, a_scenario("data_loss"))

    assert first.due_at is None
    assert not first.overdue(now=NOON + timedelta(days=1))


@pytest.mark.parametrize(
    ("done", "still"),
    [([], ALL), (ALL[:1], ALL[1:]), (ALL[1:], ALL[:1]), (ALL, []), (["clock.confirm"], ALL)],
)
def test_an_incident_stays_open_until_integrity_is_confirmed(done: list[str], still: list[str]) -> None:
    incident = in_scenario("data_loss", marks=marked(*done))

    assert [line.key for line in open_needed_to_close(incident, a_scenario("data_loss"))] == still


def test_what_was_taken_back_is_needed_again() -> None:
    incident = in_scenario("data_loss", marks=marked(ALL[0]) | marked(ALL[1], state=StepState.TODO))

    assert [line.key for line in open_needed_to_close(incident, a_scenario("data_loss"))] == ALL[1:]


def test_other_scenarios_and_none_keep_nothing_open() -> None:
    incident = in_scenario("memory", opened_by=PersonId("U0LEMUN"))

    assert open_needed_to_close(incident, a_scenario("memory")) == ()
    assert open_needed_to_close(incident, None) == ()
