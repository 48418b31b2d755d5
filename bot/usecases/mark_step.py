"""Marking a step of the checklist, done, skipped or not OK, and taking a mark back: by a new entry."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from bot.domain.checklist import Mark, StepState
from bot.domain.incident import Incident
from bot.domain.steps import NotMarked, Step, by_machine, marked_by_person, step_of
from bot.domain.timeline import Event
from bot.usecases.act import Deed, Doing, Reply
from bot.usecases.ports import Said
from bot.usecases.tick_checklist import step_facts

_SAID = {
    NotMarked.FASTER: Said.STEP_FASTER,
    NotMarked.CHANGED: Said.STEP_CHANGED,
    NotMarked.WHY_NEEDED: Said.STEP_WHY_NEEDED,
}


def _mark(doing: Doing) -> Reply | None:
    return _weigh(doing, StepState(doing.act.words["state"]), Event.STEP_MARKED)


def _undo(doing: Doing) -> Reply | None:
    return _weigh(doing, StepState.TODO, Event.STEP_UNDONE)


def _weigh(doing: Doing, wanted: StepState, event: Event) -> Reply | None:
    words = doing.act.words
    step = step_of(doing.incident, doing.playbook, words["step"])
    if step is None:
        return Reply(what=Said.NO_SUCH_STEP, facts={"step": words["step"]})
    why = words.get("why", "")
    mark = marked_by_person(
        step.mark, wanted, by=doing.act.person, at=doing.at, why=why, seen=words.get("seen")
    )
    if isinstance(mark, NotMarked):
        return Reply(what=_SAID[mark], facts=step_now(step, at=doing.at) | {"wrote": why})
    doing.save(_with_mark(doing.incident, step, mark))
    doing.write(
        event,
        **step_facts(step.plan),
        state=wanted.value,
        why=why,
        before=step.state.value,
        overrides=by_machine(step.mark),
    )
    return None


def _with_mark(incident: Incident, step: Step, mark: Mark) -> Incident:
    return replace(incident, marks={**incident.marks, step.key: mark})


def step_now(step: Step, *, at: datetime) -> dict[str, Any]:
    """Return how a step stands as JSON facts for a notice; `at` stands in where nobody has marked it."""
    mark = step.mark
    return step_facts(step.plan) | {
        "state": step.state.value,
        "by": mark.by if mark else None,
        "at": (mark.at if mark else at).isoformat(),
        "why": mark.why if mark else "",
        "owner": step.owner.person if step.owner else None,
    }


MARK_STEP = Deed(do=_mark)
UNDO_STEP = Deed(do=_undo)
