"""The clock of a scenario: steps with due times, counted from when the scenario was chosen.

Source: guide, scenario 4 (00:00 roll back, 01:00 restore, 02:00 tell users, 04:00 confirm).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.checklist import Mark, StepState
from bot.domain.guide import ClockStep, Does, Scenario, Short, SubStep, Text
from bot.domain.incident import Incident

ROLLS_BACK = frozenset({Does.ROLL_BACK, Does.ROLL_BACK_FORCE})


def clock_key(step: str, sub: str | None = None) -> str:
    """Return the key of a step, or of one of its sub-steps, in an incident's marks."""
    return f"clock.{step}" if sub is None else f"clock.{step}.{sub}"


def action_key(action: str) -> str:
    """Return the key of an immediate action that people do by hand, in an incident's marks."""
    return f"action.{action}"


@dataclass(frozen=True, kw_only=True)
class ClockLine:
    """One step, or one sub-step (`sub`) of it. `due_at` is None while no scenario was chosen."""

    key: str
    step: ClockStep
    sub: SubStep | None
    due_at: datetime | None
    mark: Mark | None
    done: bool

    @property
    def title(self) -> Text | Short:
        """What is to be done, in both languages."""
        return self.sub.title if self.sub else self.step.title

    def overdue(self, *, now: datetime) -> bool:
        """True when it should have been done by `now` (aware, UTC); at its very minute it is not yet."""
        return not self.done and self.due_at is not None and now > self.due_at


def clock_lines(incident: Incident, scenario: Scenario, *, rolled_back: bool = False) -> list[ClockLine]:
    """Return every step in order, each followed by its sub-steps.

    A step with sub-steps is done when all of them are, any other when a person said so;
    `rolled_back` says that the bot has proven a rollback of this incident, which does those steps.
    """
    return [line for step in scenario.clock for line in _lines(incident, step, rolled_back=rolled_back)]


def _lines(incident: Incident, step: ClockStep, *, rolled_back: bool) -> Iterator[ClockLine]:
    due_at = incident.scenario_at + timedelta(minutes=step.at_minutes) if incident.scenario_at else None

    def line(sub: SubStep | None, *, done: bool) -> ClockLine:
        key = clock_key(step.key, sub.key if sub else None)
        return ClockLine(key=key, step=step, sub=sub, due_at=due_at, mark=incident.marks.get(key), done=done)

    subs = [line(sub, done=_is_marked(incident, clock_key(step.key, sub.key))) for sub in step.steps]
    itself = _is_marked(incident, clock_key(step.key)) or (rolled_back and step.does in ROLLS_BACK)
    yield line(None, done=all(sub.done for sub in subs) if subs else itself)
    yield from subs


def _is_marked(incident: Incident, key: str) -> bool:
    mark = incident.marks.get(key)
    return mark is not None and mark.state is StepState.DONE


def open_needed_to_close(
    incident: Incident, scenario: Scenario | None, *, rolled_back: bool = False
) -> tuple[ClockLine, ...]:
    """Return what must still be done before `incident` can be closed: sub-steps, where there are some."""
    if scenario is None:
        return ()
    return tuple(
        line
        for line in clock_lines(incident, scenario, rolled_back=rolled_back)
        if line.step.needed_to_close and not line.done and (line.sub is not None or not line.step.steps)
    )
