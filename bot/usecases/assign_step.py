"""Giving a step of the checklist to somebody, or taking it oneself."""

from dataclasses import replace

from bot.domain.checklist import Assigned
from bot.domain.ids import PersonId
from bot.domain.steps import seen_assigned, step_of
from bot.domain.timeline import Event
from bot.usecases.act import Deed, Doing, Reply
from bot.usecases.mark_step import step_now
from bot.usecases.ports import Said
from bot.usecases.tick_checklist import step_facts


def _assign(doing: Doing) -> Reply | None:
    words = doing.act.words
    step = step_of(doing.incident, doing.playbook, words["step"])
    if step is None:
        return Reply(what=Said.NO_SUCH_STEP, facts={"step": words["step"]})
    facts = step_now(step, at=doing.at)
    if not step.open:
        return Reply(what=Said.STEP_CHANGED, facts=facts)
    owner = PersonId(words["owner"])
    known = step.assigned
    overtaken = words.get("seen", seen_assigned(known)) != seen_assigned(known)
    if known is not None and (known.owner == owner or overtaken):
        return Reply(what=Said.STEP_TAKEN, facts=facts | {"by": known.by, "at": known.at.isoformat()})
    assigned = Assigned(owner=owner, by=doing.act.person, at=doing.at)
    doing.save(replace(doing.incident, assigned={**doing.incident.assigned, step.key: assigned}))
    doing.write(Event.STEP_ASSIGNED, **step_facts(step.plan), owner=owner)
    return None


ASSIGN_STEP = Deed(do=_assign)
