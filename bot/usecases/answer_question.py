"""Somebody answers a question of the diagnosis, or the one that comes before a rollback; or revises it."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from bot.domain.diagnosis import Given, NotAsked, Reached, answered, cleared, diagnose
from bot.domain.guide import Scenario
from bot.domain.ids import ChannelId, RollbackId
from bot.domain.timeline import Event
from bot.usecases.act import Deed, Doing, Reply
from bot.usecases.ask_rollback_here import ask_here, held_back
from bot.usecases.ports import NotKept, Said, Showing
from bot.usecases.show_incident import show_incident


def _answer(doing: Doing) -> Reply | None:
    words, incident = doing.act.words, doing.incident
    scenario = doing.playbook.scenario(incident.scenario)
    given = Given(question=words["question"], answer=words["answer"], by=doing.act.person, at=doing.at)
    known = next((one for one in incident.answers if one.question == given.question), None)
    if scenario is None:
        return _older(doing)
    if known is not None and given.answer != known.answer and words.get("was", "") != known.answer:
        return _meanwhile(doing, scenario, known)
    if known is not None and given.answer == known.answer:
        # Somebody has given that very answer: what was to follow may follow all the same.
        return _afterwards(doing) if words.get("then") else _meanwhile(doing, scenario, known)
    try:
        answers = answered(scenario, incident.answers, given)
    except NotAsked:
        return _older(doing)
    changed = replace(doing, incident=replace(incident, answers=answers))
    changed.save(changed.incident)
    _write(changed, scenario, given, before=known)
    return _afterwards(changed) if _is_safety(scenario, given) else None


def _is_safety(scenario: Scenario, given: Given) -> bool:
    return scenario.before_rollback is not None and given.question == scenario.before_rollback.key


def _older(doing: Doing) -> Reply:
    show_incident(doing.tx, doing.incident.number, channel=doing.channel)
    return Reply(what=Said.OLDER_STATE)


def _meanwhile(doing: Doing, scenario: Scenario, known: Given) -> Reply:
    show_incident(doing.tx, doing.incident.number, channel=doing.channel)
    facts = answer_facts(scenario, doing.incident.answers, known) | {
        "by": known.by,
        "at": known.at.isoformat(),
    }
    return Reply(what=Said.ANSWERED_MEANWHILE, facts=facts)


def _write(doing: Doing, scenario: Scenario, given: Given, *, before: Given | None) -> None:
    safety = _is_safety(scenario, given)
    event = Event.SAFETY_ANSWERED if safety else Event.QUESTION_ANSWERED
    facts = answer_facts(scenario, doing.incident.answers, given)
    doing.write(event, **facts, revised=before is not None)


def answer_facts(scenario: Scenario, answers: Iterable[Given], given: Given) -> dict[str, Any]:
    """Return question, answer and meaning in both languages, as JSON facts; `answers` are all there are."""
    found = _reached(scenario, answers, given)
    if found is None:
        return {"question": given.question, "answer": given.answer}
    question, answer = found.question, found.answer
    return {
        "question": given.question,
        "answer": given.answer,
        "ask": question.ask.model_dump(),
        "say": answer.say.model_dump(),
        "means": answer.means.model_dump(),
        "holds_back": bool(getattr(answer, "holds_back", False)),
    }


def _reached(scenario: Scenario, answers: Iterable[Given], given: Given) -> Any:
    if _is_safety(scenario, given):
        return cleared(scenario, answers)
    path: tuple[Reached, ...] = diagnose(scenario, answers).path
    return next((reached for reached in path if reached.given.question == given.question), None)


def _afterwards(doing: Doing) -> Reply | None:
    """Bring the rollback's card up to date, and go on with what the answer was asked for."""
    words = doing.act.words
    if words.get("rollback"):
        try:
            rollback = doing.tx.rollback(RollbackId(words["rollback"]))
        except NotKept:
            return None
        doing.tx.show(Showing.ROLLBACK, rollback.id, channel=ChannelId(rollback.channel))
    if not words.get("then"):
        return None
    reply = held_back(doing)
    if reply is None:
        ask_here(doing, forced=words["then"] == "force")
    return reply


ANSWER = Deed(do=_answer)
