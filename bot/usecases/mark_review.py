"""Somebody has looked at a point of the review: nothing there, or they found something; or opens it again.

The review goes on after the incident is closed: then the cause is looked for in earnest.
"""

from dataclasses import replace
from typing import Any

from bot.domain.checklist import StepState
from bot.domain.review import Reviewed, review_key, reviewed
from bot.domain.steps import NotMarked, marked_by_person
from bot.domain.timeline import Event
from bot.usecases.act import Deed, Doing, Reply
from bot.usecases.journal import board_key
from bot.usecases.ports import Said, Showing

_SAID = {
    NotMarked.FASTER: Said.STEP_FASTER,
    NotMarked.CHANGED: Said.STEP_CHANGED,
    NotMarked.WHY_NEEDED: Said.STEP_WHY_NEEDED,
}


def _mark(doing: Doing) -> Reply | None:
    words = doing.act.words
    point = reviewed(doing.incident, doing.playbook, words["point"])
    if point is None:
        return Reply(what=Said.NO_SUCH_STEP, facts={"step": words["point"]})
    wanted, why = StepState(words["state"]), words.get("why", "")
    mark = marked_by_person(
        point.mark, wanted, by=doing.act.person, at=doing.at, why=why, seen=words.get("seen")
    )
    if isinstance(mark, NotMarked):
        return Reply(what=_SAID[mark], facts=_now(point, doing) | {"wrote": why})
    key = review_key(point.key)
    doing.save(replace(doing.incident, marks={**doing.incident.marks, key: mark}))
    number = doing.incident.number
    doing.tx.show(Showing.REVIEW, str(number), channel=doing.channel, under=board_key(number))
    doing.write(Event.REVIEWED, **_point(point), state=wanted.value, why=why, before=point.state.value)
    return None


def _point(point: Reviewed) -> dict[str, Any]:
    return {"point": point.key, "titles": {"en": point.point.en, "ko": point.point.ko}}


def _now(point: Reviewed, doing: Doing) -> dict[str, Any]:
    mark = point.mark
    return _point(point) | {
        "state": point.state.value,
        "by": mark.by if mark else None,
        "at": (mark.at if mark else doing.at).isoformat(),
        "why": mark.why if mark else "",
    }


REVIEW = Deed(do=_mark, when_closed=True)
