"""Where the steps of a checklist stand, who owns them, when they are due, and whose word counts."""

from dataclasses import replace
from typing import Any

import pytest

from bot.domain.checklist import Assigned, Mark, StepState
from bot.domain.ids import PersonId
from bot.domain.steps import (
    BESIDE,
    CARD_HOLDS,
    PHASE_WEIGHS,
    STEP_WEIGHS,
    NotMarked,
    OwnedBy,
    cards,
    commander_is_told_at,
    due_at,
    machine_state,
    marked_by_machine,
    marked_by_person,
    next_step,
    open_steps,
    overdue_steps,
    phase_now,
    seen_mark,
    stands,
    step_of,
)
from bot.domain.timeline import BACKOUT
from tests.checklists import GUIDE, a_phase, a_playbook_with, a_step, minutes
from tests.values import GITCO, LUBIT, NOON, SENA, a_playbook, an_incident, seconds

IMMEDIATELY, CONFIRM, VERIFY, RECORD = GUIDE.checklist
TINY = seconds(0.001)


def a_mark(state: StepState = StepState.DONE, by: str = GITCO, **more: Any) -> Mark:
    """Return a mark made at noon."""
    known: dict[str, Any] = {"state": state, "by": by, "at": NOON}
    return Mark(**(known | more))


def machine(state: StepState = StepState.DONE, **more: Any) -> Mark:
    """Return a mark of the bot's."""
    return a_mark(state, BACKOUT, **({"evidence": {"sees": "p95", "value": 80}} | more))


def decided(**more: Any) -> Any:
    """Return an incident whose rollback was decided at noon."""
    return an_incident(**({"decided_at": NOON} | more))


# Minutes.


@pytest.mark.parametrize(
    ("after", "phase"),
    [
        (minutes(0), "immediately"),
        (minutes(1) - TINY, "immediately"),
        (minutes(1), "confirm"),
        (minutes(2) - TINY, "confirm"),
        (minutes(2), "verify"),
        (minutes(5), "record"),
        (minutes(10) - TINY, "record"),
        (minutes(10), None),
        (minutes(600), None),
    ],
)
def test_a_phase_runs_from_its_first_minute_until_just_before_its_last(after: Any, phase: str | None) -> None:
    found = phase_now(decided(), GUIDE, now=NOON + after)

    assert (found.key if found else None) == phase


def test_between_two_phases_the_next_one_is_meant() -> None:
    playbook = a_playbook_with(a_phase("one", 0, 1, a_step("a")), a_phase("two", 3, 4, a_step("b")))

    found = phase_now(decided(), playbook, now=NOON + minutes(2))

    assert found is not None
    assert found.key == "two"


def test_before_the_decision_nothing_runs_and_nothing_is_due() -> None:
    waiting = an_incident()

    assert phase_now(waiting, GUIDE, now=NOON + minutes(99)) is None
    assert due_at(waiting, IMMEDIATELY) is None
    assert overdue_steps(waiting, GUIDE, now=NOON + minutes(99)) == ()


@pytest.mark.parametrize(("after", "late"), [(minutes(2) - TINY, 3), (minutes(2), 3), (minutes(2) + TINY, 6)])
def test_a_step_is_overdue_after_its_last_minute_and_not_at_it(after: Any, late: int) -> None:
    found = overdue_steps(decided(), GUIDE, now=NOON + after)

    assert len(found) == late


@pytest.mark.parametrize("state", [StepState.DONE, StepState.SKIPPED])
def test_what_is_done_or_skipped_is_neither_open_nor_overdue(state: StepState) -> None:
    incident = decided(marks={"decide": a_mark(state)})

    step = step_of(incident, GUIDE, "decide")

    assert step is not None
    assert not step.open
    assert not step.overdue(now=NOON + minutes(60))
    assert len(open_steps(incident, GUIDE)) == 11


@pytest.mark.parametrize("state", [StepState.TODO, StepState.NOT_OK])
def test_what_is_not_ok_or_was_taken_back_is_still_open(state: StepState) -> None:
    incident = decided(marks={"decide": a_mark(state)})

    late = overdue_steps(incident, GUIDE, now=NOON + minutes(1) + TINY)

    assert [step.key for step in late] == ["decide", "alert_team", "run_rollback"]


def test_the_next_step_is_the_open_one_that_is_due_first() -> None:
    done = {key: a_mark() for key in ("decide", "alert_team", "run_rollback", "traffic")}

    found = next_step(decided(marks=done), GUIDE)

    assert found is not None
    assert (found.key, found.due_at) == ("error_rate", NOON + minutes(2))


def test_when_everything_is_settled_or_there_is_no_checklist_nothing_is_next() -> None:
    everything = {step.key: a_mark(StepState.SKIPPED) for step in GUIDE.steps()}

    assert next_step(decided(marks=everything), GUIDE) is None
    assert next_step(decided(), a_playbook()) is None


def test_before_the_decision_the_first_step_is_next_without_a_time() -> None:
    found = next_step(an_incident(), GUIDE)

    assert found is not None
    assert (found.key, found.due_at) == ("decide", None)


@pytest.mark.parametrize(("first", "last", "after"), [(0, 1, 1), (2, 5, 3), (0, 0.02, 1), (0, 1.5, 1.5)])
def test_the_commander_hears_of_it_one_more_phase_later_and_never_within_a_minute(
    first: float, last: float, after: float
) -> None:
    phase = a_playbook_with(a_phase("one", first, last, a_step("a"))).checklist[0]

    assert commander_is_told_at(NOON, phase) == NOON + minutes(after)


# Owners.


def owner(**more: Any) -> tuple[PersonId, OwnedBy] | None:
    """Return who owns the step the guide gives to the backend engineer."""
    playbook = more.pop("playbook", GUIDE)
    step = step_of(decided(**more), playbook, "users_report")
    assert step is not None
    return (step.owner.person, step.owner.why) if step.owner else None


def with_contact(**contact: Any) -> Any:
    """Return the guide with more known of the backend engineer."""
    known = GUIDE.contacts["backend"].model_copy(update=contact)
    return GUIDE.model_copy(update={"contacts": {"backend": known}})


def test_a_step_belongs_to_whom_it_was_assigned_before_everybody_else() -> None:
    given = {"users_report": Assigned(owner=LUBIT, by=SENA, at=NOON)}

    found = owner(
        assigned=given, roles={"backend": GITCO}, commander=SENA, playbook=with_contact(user="U0OTHER")
    )

    assert found == (LUBIT, OwnedBy.ASSIGNED)


def test_then_to_who_took_the_plans_part_then_to_the_contact_then_to_command() -> None:
    listed = with_contact(user="U0OTHER")

    assert owner(roles={"backend": GITCO}, commander=SENA, playbook=listed) == (GITCO, OwnedBy.ROLE)
    assert owner(commander=SENA, playbook=listed) == (PersonId("U0OTHER"), OwnedBy.CONTACT)
    assert owner(commander=SENA) == (SENA, OwnedBy.COMMANDER)
    assert owner() is None


def test_a_step_without_a_part_in_the_plan_belongs_to_command() -> None:
    step = step_of(decided(commander=SENA, roles={"backend": GITCO}), GUIDE, "schedule")

    assert step is not None
    assert step.owner is not None
    assert step.owner.person == SENA


# A person's mark.


def by_gitco(mark: Mark | None, wanted: StepState, *, why: str = "", seen: str | None = None) -> Any:
    """Let Gitco mark a step a minute later."""
    return marked_by_person(mark, wanted, by=GITCO, at=NOON + minutes(1), why=why, seen=seen)


def test_done_needs_no_reason_and_skipped_and_not_ok_do() -> None:
    assert by_gitco(None, StepState.DONE).state is StepState.DONE
    for wanted in (StepState.SKIPPED, StepState.NOT_OK):
        assert by_gitco(None, wanted) is NotMarked.WHY_NEEDED
        assert by_gitco(None, wanted, why="nobody is awake").why == "nobody is awake"


@pytest.mark.parametrize("state", list(StepState))
@pytest.mark.parametrize("seen", [None, "0", "older"])
def test_the_same_mark_again_changes_nothing_whatever_was_seen(state: StepState, seen: str | None) -> None:
    mark = a_mark(state, SENA)

    assert by_gitco(mark, state, why="me too", seen=seen) is NotMarked.FASTER


def test_a_press_from_an_older_state_changes_nothing() -> None:
    now = a_mark(StepState.NOT_OK, SENA, why="users still see errors")

    assert by_gitco(now, StepState.DONE, seen=seen_mark(None)) is NotMarked.CHANGED
    assert by_gitco(None, StepState.DONE, seen=seen_mark(now)) is NotMarked.CHANGED
    assert by_gitco(now, StepState.DONE, seen=seen_mark(now)).state is StepState.DONE


def test_two_marks_of_different_moments_look_different() -> None:
    assert seen_mark(a_mark()) != seen_mark(a_mark(at=NOON + seconds(0.002)))
    assert seen_mark(None) != seen_mark(a_mark())


@pytest.mark.parametrize("wanted", [StepState.SKIPPED, StepState.NOT_OK, StepState.TODO])
def test_the_bots_mark_is_changed_only_with_a_reason_and_what_it_saw_stays_beside(wanted: StepState) -> None:
    mark = machine()

    assert by_gitco(mark, wanted) is NotMarked.WHY_NEEDED
    changed = by_gitco(mark, wanted, why="Grafana says otherwise")

    assert (changed.state, changed.by, changed.why) == (wanted, GITCO, "Grafana says otherwise")
    assert changed.evidence[BESIDE]["state"] == "done"
    assert changed.evidence[BESIDE]["facts"] == {"sees": "p95", "value": 80}


def test_a_persons_mark_is_taken_back_without_a_reason() -> None:
    assert by_gitco(a_mark(by=SENA), StepState.TODO).state is StepState.TODO


# The bot's mark.


def by_machine(mark: Mark | None, *, ok: bool) -> Mark | None:
    """Let the bot read the step a minute later."""
    return marked_by_machine(mark, ok=ok, facts={"sees": "p95", "value": 90}, at=NOON + minutes(1))


def test_the_bot_marks_what_is_open_done_or_not_ok() -> None:
    done, bad = by_machine(None, ok=True), by_machine(None, ok=False)

    assert done is not None
    assert bad is not None
    assert (done.state, bad.state) == (StepState.DONE, StepState.NOT_OK)
    assert done.by == bad.by == BACKOUT


def test_the_bot_may_change_its_own_mark_and_says_nothing_twice() -> None:
    mended = by_machine(machine(StepState.NOT_OK), ok=True)

    assert mended is not None
    assert mended.state is StepState.DONE
    assert by_machine(machine(), ok=True) is None
    assert by_machine(machine(StepState.NOT_OK), ok=False) is None


@pytest.mark.parametrize("state", [StepState.DONE, StepState.SKIPPED, StepState.NOT_OK])
@pytest.mark.parametrize("ok", [True, False])
def test_a_persons_mark_stands_and_the_bots_reading_is_kept_beside_it(state: StepState, ok: bool) -> None:
    mark = a_mark(state, why="I looked")

    kept = by_machine(mark, ok=ok)

    assert kept is not None
    assert replace(kept, evidence={}) == mark
    assert kept.evidence[BESIDE]["state"] == ("done" if ok else "not_ok")
    assert kept.evidence[BESIDE]["at"] == (NOON + minutes(1)).isoformat()
    assert by_machine(kept, ok=ok) is None
    newer = by_machine(kept, ok=not ok)
    assert newer is not None
    assert newer.evidence[BESIDE]["state"] == ("not_ok" if ok else "done")


def test_a_mark_that_was_taken_back_leaves_the_step_to_the_bot_again() -> None:
    taken_back = by_gitco(a_mark(by=GITCO), StepState.TODO)

    found = by_machine(taken_back, ok=True)

    assert not stands(taken_back)
    assert found is not None
    assert (found.state, found.by) == (StepState.DONE, BACKOUT)


def test_the_bots_mark_taken_back_with_a_reason_stays_taken_back() -> None:
    taken_back = by_gitco(machine(), StepState.TODO, why="the dashboard is red")

    assert stands(taken_back)
    assert machine_state(taken_back) is StepState.DONE
    assert by_machine(taken_back, ok=True) is None
    kept = by_machine(taken_back, ok=False)
    assert kept is not None
    assert (kept.state, kept.by) == (StepState.TODO, GITCO)


# Cards.


def test_the_guides_checklist_fits_on_one_card() -> None:
    [card] = cards(GUIDE.checklist)

    assert [phase.key for phase, _ in card] == ["immediately", "confirm", "verify", "record"]
    assert [step.key for _, steps in card for step in steps] == [step.key for step in GUIDE.steps()]


@pytest.mark.parametrize("sizes", [[1], [22], [23], [21, 1], [100], [1] * 40, [7, 30, 1, 1, 60], [22, 22]])
def test_a_longer_checklist_is_dealt_out_in_order_and_nothing_is_left_out(sizes: list[int]) -> None:
    phases = [
        a_phase(f"p{p}", p, p + 1, *[a_step(f"s{p}_{n}") for n in range(size)])
        for p, size in enumerate(sizes)
    ]
    checklist = a_playbook_with(*phases).checklist

    dealt = cards(checklist)

    together = [step.key for card in dealt for _, steps in card for step in steps]
    assert together == [step.key for phase in checklist for step in phase.steps]
    for card in dealt:
        assert all(steps for _, steps in card)
        weight = sum(PHASE_WEIGHS + STEP_WEIGHS * len(steps) for _, steps in card)
        assert weight <= CARD_HOLDS


def test_no_checklist_needs_no_card() -> None:
    assert cards(()) == ()
