"""What must be asked before a rollback: where a migration makes the old code unsafe, going back can do harm.

Source: guide, scenario 4. `force` never waits for it: then the question is put while the rollback goes.
"""

from typing import Any

from bot.domain.diagnosis import Safety, cleared
from bot.domain.ids import TargetName
from bot.domain.incident import Incident
from bot.domain.playbook import Playbook
from bot.usecases.editions import playbook_of
from bot.usecases.ports import Transaction


def safety_of(tx: Transaction, target: TargetName, current: Playbook) -> Safety | None:
    """Return the question of the open incident of `target`, answered or not; None when there is none."""
    incident = tx.open_incident(target)
    return safety_in(incident, playbook_of(tx, incident, current)) if incident else None


def safety_in(incident: Incident, playbook: Playbook) -> Safety | None:
    """Return the question of the incident's scenario, None when it asks nothing before a rollback."""
    scenario = playbook.scenario(incident.scenario)
    if scenario is None or scenario.before_rollback is None:
        return None
    return Safety(
        incident=incident.number,
        question=scenario.before_rollback,
        cleared=cleared(scenario, incident.answers),
    )


def safety_facts(safety: Safety) -> dict[str, Any]:
    """Return the question, and the answer where there is one, as JSON facts in both languages."""
    facts: dict[str, Any] = {"ask": safety.question.ask.model_dump()}
    if safety.cleared is not None:
        given, answer = safety.cleared.given, safety.cleared.answer
        facts |= {"say": answer.say.model_dump(), "means": answer.means.model_dump()}
        facts |= {"by": given.by, "at": given.at.isoformat()}
    return facts
