"""Somebody says that a step of the scenario is done, or that it is not after all.

Steps are those of the scenario's clock, and the actions that people do by hand.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bot.domain.checklist import Mark, StepState
from bot.domain.guide import Does, Scenario
from bot.domain.incident import Incident
from bot.domain.scenario_clock import action_key, clock_lines
from bot.domain.timeline import Event
from bot.usecases.act import Deed, Doing, Reply
from bot.usecases.ports import Said
from bot.usecases.show_incident import show_incident


def _mark(doing: Doing) -> Reply | None:
    key, done = doing.act.words["step"], doing.act.words["done"] == "yes"
    scenario = doing.playbook.scenario(doing.incident.scenario)
    titles = _titles(doing.incident, scenario) if scenario else {}
    known = doing.incident.marks.get(key)
    if key not in titles:
        show_incident(doing.tx, doing.incident.number, channel=doing.channel)
        return Reply(what=Said.OLDER_STATE)
    if done is (known is not None and known.state is StepState.DONE):
        return _stands(doing, known, titles[key])
    mark = Mark(state=StepState.DONE if done else StepState.TODO, by=doing.act.person, at=doing.at)
    doing.save(replace(doing.incident, marks={**doing.incident.marks, key: mark}))
    doing.write(Event.SCENARIO_STEP, step=key, titles=titles[key], done=done)
    return None


def _titles(incident: Incident, scenario: Scenario) -> dict[str, Mapping[str, str]]:
    """Return everything that can be marked, with its title by language."""
    lines = clock_lines(incident, scenario)
    found = {
        line.key: line.title.model_dump() for line in lines if line.sub is not None or not line.step.steps
    }
    by_hand = (action for action in scenario.actions if action.does is Does.BY_HAND)
    return found | {action_key(action.key): action.title.model_dump() for action in by_hand}


def _stands(doing: Doing, known: Mark | None, titles: Mapping[str, str]) -> Reply:
    show_incident(doing.tx, doing.incident.number, channel=doing.channel)
    facts: dict[str, Any] = {"titles": dict(titles), "done": known is not None}
    if known is not None:
        facts |= {"done": known.state is StepState.DONE, "by": known.by, "at": known.at.isoformat()}
    return Reply(what=Said.STEP_STANDS, facts=facts)


CLOCK_STEP = Deed(do=_mark)
