"""How bad an incident is and which of the guide's scenarios: both can change, with the reason kept."""

from dataclasses import replace

from bot.domain.guide import Scenario
from bot.domain.incident import Severity
from bot.domain.timeline import Event, incident_chain
from bot.usecases.act import Deed, Doing, Reply
from bot.usecases.page_contact import page_by_severity
from bot.usecases.plan_follow_ups import plan_follow_ups
from bot.usecases.ports import Said


def _severity(doing: Doing) -> Reply | None:
    wanted, before = Severity(doing.act.words["severity"]), doing.incident.severity
    if wanted is before:
        return Reply(what=Said.AS_IT_IS)
    changed = replace(doing.incident, severity=wanted)
    doing.save(changed)
    why = doing.act.words.get("why", "")
    doing.write(Event.SEVERITY_CHANGED, before=before.value, severity=wanted.value, why=why)
    page_by_severity(doing.tx, changed, doing.playbook, at=doing.at)
    return None


def _scenario(doing: Doing) -> Reply | None:
    """Choose or change the scenario; its clock and its failure type begin with it."""
    wanted = doing.playbook.scenario(doing.act.words["scenario"])
    if wanted is None:
        return Reply(what=Said.NO_SUCH_SCENARIO)
    if wanted.key == doing.incident.scenario:
        return Reply(what=Said.AS_IT_IS)
    severity = doing.incident.severity if _judged_by_people(doing) else wanted.severity
    changed = replace(
        doing.incident,
        scenario=wanted.key,
        scenario_at=doing.at,
        failure_type=wanted.failure_type,
        severity=severity,
    )
    doing.save(changed)
    _write(doing, wanted, severity)
    page_by_severity(doing.tx, changed, doing.playbook, at=doing.at)
    plan_follow_ups(doing.tx, changed, doing.playbook, at=doing.at)
    return None


def _write(doing: Doing, wanted: Scenario, severity: Severity) -> None:
    doing.write(
        Event.SCENARIO_CHOSEN,
        scenario=wanted.key,
        scenario_number=wanted.number,
        scenario_name=wanted.name.model_dump(),
        before=doing.incident.scenario,
        severity=severity.value if severity is not doing.incident.severity else None,
        why=doing.act.words.get("why", ""),
    )


def _judged_by_people(doing: Doing) -> bool:
    """True when a person has said how bad it is, rather than a scenario or a first guess."""
    entries = doing.tx.timeline(incident_chain(doing.incident.number))
    spoken = (Event.SEVERITY_CHANGED, Event.RECORD_COMPLETED)
    return any(entry.event in spoken or entry.facts.get("severity_chosen") for entry in entries)


SEVERITY = Deed(do=_severity)
SCENARIO = Deed(do=_scenario)
