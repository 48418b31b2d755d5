"""Somebody reviews a point: once, with what they found, taken back by a new entry, and after closing too."""

from dataclasses import replace

import pytest

from bot.domain.acts import Verb
from bot.domain.checklist import Mark, StepState
from bot.domain.incident import IncidentState
from bot.domain.review import found_in_review
from bot.domain.steps import seen_mark
from bot.domain.timeline import Event
from bot.usecases.ports import Said
from tests.guide import the_guide
from tests.unit.usecases.test_scenario_deeds import LEMUN, Scene
from tests.values import NOON, SENA

POINT = "infrastructure.1"


def a_mark(state: StepState, why: str = "") -> Mark:
    return Mark(state=state, by=SENA, at=NOON, why=why)


async def test_a_reviewed_point_is_stored_told_in_the_timeline_and_shown_in_the_boards_thread() -> None:
    scene = await Scene().open("memory")

    await scene.does(Verb.REVIEW, LEMUN, point=POINT, state="not_ok", seen="0", why="512 MiB became 256")

    mark = scene.incident.marks[f"review.{POINT}"]
    assert (mark.state, mark.by, mark.at, mark.why) == (StepState.NOT_OK, LEMUN, NOON, "512 MiB became 256")
    (line,) = scene.lines(Event.REVIEWED)
    assert (line.actor, line.facts["point"], line.facts["titles"]["en"], line.facts["why"]) == (
        LEMUN,
        POINT,
        "Environment variables",
        "512 MiB became 256",
    )
    assert scene.world.store.kept.messages["review:1"].under == "board:1"
    assert [found.note for found in found_in_review(scene.incident, the_guide())] == ["512 MiB became 256"]


async def test_a_mark_is_taken_back_by_a_new_entry() -> None:
    scene = await Scene().open("memory", marks={f"review.{POINT}": a_mark(StepState.NOT_OK, "a leak")})
    seen = seen_mark(scene.incident.marks[f"review.{POINT}"])

    await scene.does(Verb.REVIEW, SENA, point=POINT, state="todo", seen=seen, why="")

    assert scene.incident.marks[f"review.{POINT}"].state is StepState.TODO
    (line,) = scene.lines(Event.REVIEWED)
    assert (line.facts["state"], line.facts["before"]) == ("todo", "not_ok")
    assert found_in_review(scene.incident, the_guide()) == ()


async def test_the_same_press_twice_is_one_entry() -> None:
    scene = await Scene().open("memory")

    for _ in range(2):
        await scene.does(Verb.REVIEW, SENA, key="same", point=POINT, state="done", seen="0", why="")

    assert len(scene.lines(Event.REVIEWED)) == 1


@pytest.mark.parametrize(
    ("state", "seen", "why", "said"),
    [
        # Somebody was faster with the same.
        ("done", "0", "", Said.STEP_FASTER),
        # They looked at an older state.
        ("not_ok", "0", "a leak", Said.STEP_CHANGED),
        # What was found must be said.
        ("not_ok", seen_mark(a_mark(StepState.DONE)), "", Said.STEP_WHY_NEEDED),
    ],
)
async def test_what_cannot_be_done_is_answered_and_changes_nothing(
    state: str, seen: str, why: str, said: Said
) -> None:
    scene = await Scene().open("memory", marks={f"review.{POINT}": a_mark(StepState.DONE)})

    await scene.does(Verb.REVIEW, SENA, point=POINT, state=state, seen=seen, why=why)

    assert scene.told() == [said.value]
    assert scene.incident.marks[f"review.{POINT}"] == a_mark(StepState.DONE)
    assert scene.lines(Event.REVIEWED) == []


async def test_a_point_that_the_playbook_does_not_have_is_refused_kindly() -> None:
    scene = await Scene().open("memory")

    await scene.does(Verb.REVIEW, SENA, point="code.99", state="done", seen="0", why="")

    assert scene.told() == [Said.NO_SUCH_STEP.value]
    assert dict(scene.incident.marks) == {}


async def test_the_review_goes_on_after_the_incident_is_closed() -> None:
    scene = await Scene().open("memory")
    closed = replace(scene.incident, state=IncidentState.CLOSED, closed_at=NOON)
    await scene.world.store.change(lambda tx: tx.save_incident(closed))

    await scene.does(Verb.REVIEW, SENA, point=POINT, state="done", seen="0", why="")

    assert scene.incident.marks[f"review.{POINT}"].state is StepState.DONE
    assert scene.incident.state is IncidentState.CLOSED
