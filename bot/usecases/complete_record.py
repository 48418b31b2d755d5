"""People add to the failure record what only they know; the record is rendered anew."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from pydantic import TypeAdapter

from bot.domain.ids import ChannelId, IncidentNumber, PersonId
from bot.domain.incident import FailureType, FromPeople, Incident, Severity
from bot.domain.playbook import Permission
from bot.domain.timeline import Event
from bot.usecases.accept import accept
from bot.usecases.authorize import Acting, authorize, refusal_facts
from bot.usecases.journal import Line, audit, write_lines
from bot.usecases.ports import (
    Clock,
    Notice,
    Said,
    Showing,
    Steps,
    Store,
    Transaction,
    Workflow,
)
from bot.usecases.show_record import show_record


@dataclass(frozen=True, kw_only=True)
class RecordAnswers:
    """What a person filled in. `people` carries texts raw; its `by` and `at` are set on saving."""

    incident: IncidentNumber
    person: PersonId
    acting_team: str | None
    channel: ChannelId
    failure_type: FailureType
    severity: Severity
    people: FromPeople


_ANSWERS = TypeAdapter(RecordAnswers)


async def accept_answers(key: str, answers: RecordAnswers, *, store: Store, clock: Clock) -> None:
    """Write the answers down, once per `key`; a workflow checks who gave them and renders the record."""
    written = _ANSWERS.dump_json(answers).decode()
    id = f"{answers.incident}:{key}"
    await accept(key, Workflow.COMPLETE_RECORD, id, store=store, clock=clock, answers=written, key=key)


async def complete_record(arguments: Mapping[str, str], *, steps: Steps, use: Acting) -> None:
    """Put accepted answers into the record."""
    answers = _ANSWERS.validate_json(arguments["answers"])
    await steps.step("complete", lambda: _complete(answers, arguments["key"], use), into=str)


async def _complete(answers: RecordAnswers, key: str, use: Acting) -> str:
    playbook = use.playbooks.current()
    no = await authorize(
        answers.person,
        Permission.COMPLETE_RECORD,
        acting_team=answers.acting_team,
        playbook=playbook,
        people=use.people,
    )
    now = use.clock()

    def save(tx: Transaction) -> str:
        if no is not None:
            facts = refusal_facts(no) | {"incident": answers.incident}
            line = Line(event=Event.RECORD_REFUSED, key=f"refused:{key}", actor=answers.person, facts=facts)
            audit(tx, line, at=now)
            tx.tell(_notice(answers, Said.REFUSED, facts), key=f"refused:{key}")
            return "refused"
        incident = tx.incident(answers.incident)
        known = replace(answers.people, by=answers.person, at=now)
        completed = replace(
            incident, failure_type=answers.failure_type, severity=answers.severity, people=known
        )
        tx.save_incident(completed)
        channel = ChannelId(playbook.channels.incidents)
        line = Line(
            event=Event.RECORD_COMPLETED,
            key=f"completed:{key}",
            actor=answers.person,
            facts=_corrected(incident, answers),
        )
        write_lines(tx, incident.number, [line], at=now, channel=channel)
        tx.show(Showing.BOARD, str(incident.number), channel=channel)
        show_record(tx, incident.number, channel=channel, at=now)
        tx.tell(_notice(answers, Said.RECORD_SAVED, {"incident": incident.number}), key=f"saved:{key}")
        return "saved"

    return await use.store.change(save)


def _corrected(incident: Incident, answers: RecordAnswers) -> dict[str, object]:
    """Return the severity that was guessed and the one people say, where they differ."""
    if incident.severity is answers.severity:
        return {}
    return {"before": incident.severity.value, "severity": answers.severity.value}


def _notice(answers: RecordAnswers, what: Said, facts: dict[str, object]) -> Notice:
    return Notice(what=what, person=answers.person, channel=answers.channel, facts=facts)
