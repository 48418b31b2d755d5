"""Reminding of steps that should have been done: their owner first, the commander one more phase later."""

from collections.abc import Mapping

from bot.domain.ids import ChannelId, IncidentNumber, PersonId
from bot.domain.incident import Incident, IncidentState
from bot.domain.people import AUTOMATICS
from bot.domain.steps import Step, open_steps
from bot.domain.timeline import Event
from bot.usecases.editions import playbook_of
from bot.usecases.journal import Line, write_lines
from bot.usecases.ports import Clock, Playbooks, Steps, Store, Transaction
from bot.usecases.tick_checklist import step_facts


async def remind_checklist(
    arguments: Mapping[str, str], *, steps: Steps, store: Store, playbooks: Playbooks, clock: Clock
) -> None:
    """Mention, in the incident's thread, whoever is to do the steps of a phase that are still open.

    Each step reminds each of the two once, however many replicas wake up: the timeline takes a line once.
    """
    number, current, now = IncidentNumber(int(arguments["incident"])), playbooks.current(), clock()

    def remind(tx: Transaction) -> str:
        incident = tx.incident(number)
        if incident.state is not IncidentState.OPEN:
            return "closed"
        playbook = playbook_of(tx, incident, current)
        late = [s for s in open_steps(incident, playbook) if s.phase.key == arguments["phase"]]
        lines = [_line(step, incident, arguments["whom"]) for step in late]
        write_lines(tx, number, lines, at=now, channel=ChannelId(current.channels.incidents))
        return f"{len(lines)} open"

    await steps.step("remind", lambda: store.change(remind), into=str)


def _line(step: Step, incident: Incident, whom: str) -> Line:
    person = _owner(step, incident) if whom == "owner" else in_command(incident)
    facts = step_facts(step.plan) | {
        "person": person,
        "whom": whom,
        "owner": step.owner.person if step.owner else None,
        "due_at": step.due_at.isoformat() if step.due_at else None,
    }
    return Line(event=Event.STEP_REMINDED, key=f"reminded:{step.key}:{whom}", facts=facts)


def _owner(step: Step, incident: Incident) -> PersonId:
    return step.owner.person if step.owner else in_command(incident)


def in_command(incident: Incident) -> PersonId:
    """Return the commander; while nobody has taken command, whoever the incident began with.

    Where the bot itself has opened it that is nobody, so whoever came first when they were called.
    """
    began = [incident.opened_by] if incident.opened_by != AUTOMATICS else list(incident.roles.values())
    return incident.commander or next(iter(began), incident.opened_by)
