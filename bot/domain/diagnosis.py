"""The diagnosis of one incident: which question was answered how, and where that leads."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from bot.domain.ids import IncidentNumber, PersonId

if TYPE_CHECKING:
    # An incident is made of answers, and the guide names kinds of incidents: for types only.
    from bot.domain.guide import Answer, Question, SafetyAnswer, SafetyQuestion, Scenario


@dataclass(frozen=True, kw_only=True)
class Given:
    """One answer that was given; keys are those of the playbook. `at` is aware, UTC."""

    question: str
    answer: str
    by: PersonId
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Reached:
    """A question that was asked, and how it was answered."""

    question: "Question"
    answer: "Answer"
    given: Given


@dataclass(frozen=True, kw_only=True)
class Diagnosis:
    """How far the questions have come: `path` is what was answered, in order; `asked` is open now."""

    path: tuple[Reached, ...] = ()
    asked: "Question | None" = None

    @property
    def done(self) -> bool:
        """True when there were questions and none is open."""
        return bool(self.path) and self.asked is None

    @property
    def suggests(self) -> tuple[str, ...]:
        """Keys of the actions and options that the answers speak for, in the order they came up."""
        return tuple(dict.fromkeys(key for reached in self.path for key in reached.answer.suggests))


@dataclass(frozen=True, kw_only=True)
class Cleared:
    """How the question that comes before a rollback was answered."""

    question: "SafetyQuestion"
    answer: "SafetyAnswer"
    given: Given


@dataclass(frozen=True, kw_only=True)
class Safety:
    """The question that comes before a rollback of an incident's target, and how it stands."""

    incident: IncidentNumber
    question: "SafetyQuestion"
    cleared: Cleared | None = None

    @property
    def open(self) -> bool:
        """True while nobody has answered."""
        return self.cleared is None

    @property
    def holds_back(self) -> bool:
        """True when the answer was: not without a second thought."""
        return self.cleared is not None and self.cleared.answer.holds_back


class NotAsked(Exception):
    """That question is not open and was not answered, or it has no such answer."""


def diagnose(scenario: "Scenario", answers: Iterable[Given]) -> Diagnosis:
    """Follow the answers from the first question on, as far as they lead.

    Answers to questions of other scenarios, and to questions that the path does not reach, do not
    count. A later answer to the same question replaces an earlier one.
    """
    given = {one.question: one for one in answers}
    asked = scenario.questions[0] if scenario.questions else None
    path: list[Reached] = []
    while asked is not None:
        known = given.get(asked.key)
        answer = next((a for a in asked.answers if known and a.key == known.answer), None)
        if known is None or answer is None:
            return Diagnosis(path=tuple(path), asked=asked)
        path.append(Reached(question=asked, answer=answer, given=known))
        # The playbook's check has made sure that `next` is a later question, so this ends.
        asked = next((q for q in scenario.questions if q.key == answer.next), None)
    return Diagnosis(path=tuple(path))


def answered(scenario: "Scenario", answers: Sequence[Given], given: Given) -> tuple[Given, ...]:
    """Return the answers once `given` is one of them, for the first time or in place of an older one.

    What the path no longer reaches is dropped. The answer to the question before a rollback is no
    part of the path and stays.

    Raises:
        NotAsked: see there.
    """
    safety = scenario.before_rollback
    others = [one for one in answers if one.question != given.question]
    if safety is not None and given.question == safety.key:
        if given.answer not in {answer.key for answer in safety.answers}:
            raise NotAsked(given.question)
        return (*others, given)
    _check_is_asked(scenario, answers, given)
    path = diagnose(scenario, [*others, given]).path
    kept = [one for one in others if safety is not None and one.question == safety.key]
    return (*kept, *(reached.given for reached in path))


def _check_is_asked(scenario: "Scenario", answers: Sequence[Given], given: Given) -> None:
    before = diagnose(scenario, answers)
    reached = [reached.question for reached in before.path] + ([before.asked] if before.asked else [])
    question = next((q for q in reached if q.key == given.question), None)
    if question is None or given.answer not in {answer.key for answer in question.answers}:
        raise NotAsked(given.question)


def cleared(scenario: "Scenario | None", answers: Iterable[Given]) -> Cleared | None:
    """Return how the question before a rollback was answered; None when it was not, or there is none."""
    safety = scenario.before_rollback if scenario else None
    if safety is None:
        return None
    given = next((one for one in reversed(tuple(answers)) if one.question == safety.key), None)
    answer = next((a for a in safety.answers if given and a.key == given.answer), None)
    return Cleared(question=safety, answer=answer, given=given) if given and answer else None
