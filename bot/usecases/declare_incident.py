"""Somebody declares an incident: a new one, or more about the one that is open on its target."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter

from bot.domain.faults import CloudFault
from bot.domain.ids import ChannelId, IncidentNumber, PersonId, TargetName
from bot.domain.incident import FailureType, Incident, IncidentState, Severity
from bot.domain.people import Refusal
from bot.domain.playbook import Playbook
from bot.domain.timeline import Event
from bot.usecases.accept import accept
from bot.usecases.add_message import accept_message
from bot.usecases.authorize import Acting, authorize, refusal_facts
from bot.usecases.journal import Line, audit, write_lines
from bot.usecases.look_at_target import look_at_target
from bot.usecases.open_incident import incident_to_join, open_incident, slots_lines
from bot.usecases.ports import (
    Clock,
    Cloud,
    Notice,
    People,
    Playbooks,
    Said,
    Steps,
    Store,
    Transaction,
    Workflow,
)
from bot.usecases.show_incident import show_incident


@dataclass(frozen=True, kw_only=True)
class Declaration:
    """What somebody filled in. `key` is the request's own, so that a redelivery declares nothing twice.

    `severity_chosen` is False where the scenario's own severity was left as it stood. `seen` is raw.
    `began_at` is aware, UTC. `source_channel` and `source_ts` name the message it was declared from.
    """

    key: str
    target: TargetName
    severity: Severity
    person: PersonId
    acting_team: str | None
    channel: ChannelId
    scenario: str | None = None
    severity_chosen: bool = False
    seen: str = ""
    began_at: datetime | None = None
    source_channel: str = ""
    source_ts: str = ""


_DECLARATION = TypeAdapter(Declaration)


@dataclass(frozen=True, kw_only=True)
class Declaring:
    """What declaring may touch."""

    store: Store
    people: People
    playbooks: Playbooks
    cloud: Cloud
    clock: Clock

    @property
    def acting(self) -> Acting:
        """The part of it that every act may touch."""
        return Acting(store=self.store, people=self.people, playbooks=self.playbooks, clock=self.clock)


async def accept_declaration(declaration: Declaration, *, store: Store, clock: Clock) -> None:
    """Write a declaration down, once per key, and let a workflow open or join the incident."""
    written = _DECLARATION.dump_json(declaration).decode()
    about = {"declaration": written, "person": declaration.person, "channel": declaration.channel}
    key = declaration.key
    await accept(key, Workflow.DECLARE, key, store=store, clock=clock, **about)


async def declare_incident(arguments: Mapping[str, str], *, steps: Steps, use: Declaring) -> None:
    """Open or join; then read from Cloud Run when the canary was deployed, which holds nobody up."""
    declaration = _DECLARATION.validate_json(arguments["declaration"])
    number = await steps.step("declare", lambda: _declare(declaration, use), into=int)
    if number:
        await steps.step("look", lambda: _look(IncidentNumber(number), use), into=str)


async def _declare(declaration: Declaration, use: Declaring) -> int:
    """Return the incident's number, 0 when this person may not declare any."""
    playbook = use.playbooks.current()
    no = await authorize(
        declaration.person, None, acting_team=declaration.acting_team, playbook=playbook, people=use.people
    )
    now = use.clock()

    def declare(tx: Transaction) -> int:
        if no is not None:
            return _refuse(tx, declaration, no, at=now)
        # Of two at the same moment the index lets one in; the other's transaction runs again, and joins.
        found = incident_to_join(tx, declaration.target, playbook=playbook, at=now)
        if not tx.first_time(f"done:{declaration.key}", at=now):
            return found.number if found else 0
        if found is None:
            incident = _open(tx, declaration, playbook, at=now)
        else:
            incident = _join(tx, found, declaration, playbook, at=now)
        _add_source(tx, incident.number, declaration)
        return incident.number

    return await use.store.change(declare)


def _refuse(tx: Transaction, declaration: Declaration, no: Refusal, *, at: datetime) -> int:
    facts = refusal_facts(no) | {"target": declaration.target, "doing": "declare"}
    key = f"refused:{declaration.key}"
    audit(tx, Line(event=Event.ACT_REFUSED, key=key, actor=declaration.person, facts=facts), at=at)
    _tell(tx, declaration, Said.REFUSED, facts)
    return 0


def _open(tx: Transaction, declaration: Declaration, playbook: Playbook, *, at: datetime) -> Incident:
    scenario = playbook.scenario(declaration.scenario)
    draft = Incident(
        number=IncidentNumber(0),
        target=declaration.target,
        state=IncidentState.OPEN,
        severity=declaration.severity,
        failure_type=scenario.failure_type if scenario else FailureType.OTHER,
        opened_at=at,
        opened_by=declaration.person,
        playbook_version=playbook.version,
        scenario=scenario.key if scenario else None,
        scenario_at=at if scenario else None,
        seen=declaration.seen,
    )
    opened = open_incident(tx, draft, playbook=playbook, at=at)
    _write(tx, opened, _opening_lines(declaration, playbook), playbook, at=at)
    _tell(tx, declaration, Said.DECLARED, {"incident": opened.number})
    return opened


def _opening_lines(declaration: Declaration, playbook: Playbook) -> list[Line]:
    key, person = declaration.key, declaration.person
    lines = [
        Line(
            event=Event.INCIDENT_OPENED, key=f"opened:{key}", actor=person, facts=_told(declaration, playbook)
        )
    ]
    if declaration.began_at is not None:
        facts = {"happened_at": declaration.began_at.isoformat()}
        lines.append(Line(event=Event.BEGAN, key=f"began:{key}", actor=person, facts=facts))
    return [*lines, *slots_lines(playbook, key=key)]


def _told(declaration: Declaration, playbook: Playbook) -> dict[str, Any]:
    """Return what was filled in, as JSON facts that can be read without the playbook."""
    scenario = playbook.scenario(declaration.scenario)
    return {
        "declared": True,
        "target": declaration.target,
        "seen": declaration.seen,
        "severity": declaration.severity.value,
        "severity_chosen": declaration.severity_chosen,
        "scenario": scenario.key if scenario else None,
        "scenario_name": scenario.name.model_dump() if scenario else None,
    }


def _join(
    tx: Transaction, found: Incident, declaration: Declaration, playbook: Playbook, *, at: datetime
) -> Incident:
    facts = _told(declaration, playbook)
    key, person = f"declared:{declaration.key}", declaration.person
    line = Line(event=Event.DECLARED_AGAIN, key=key, actor=person, facts=facts)
    _write(tx, found, [line], playbook, at=at)
    facts = {"incident": found.number, "target": found.target, "by": found.opened_by}
    _tell(tx, declaration, Said.JOINED_OPEN, facts)
    return found


def _write(
    tx: Transaction, incident: Incident, lines: list[Line], playbook: Playbook, *, at: datetime
) -> None:
    write_lines(tx, incident.number, lines, at=at, channel=ChannelId(playbook.channels.incidents))


def _add_source(tx: Transaction, number: IncidentNumber, declaration: Declaration) -> None:
    """Let the whole message follow: the modal holds 3000 characters of it, and Slack allows 40,000."""
    if declaration.source_ts:
        accept_message(
            tx,
            f"{declaration.key}:source",
            channel=ChannelId(declaration.source_channel),
            ts=declaration.source_ts,
            person=declaration.person,
            acting_team=declaration.acting_team,
            incident=number,
            quiet=True,
        )


def _tell(tx: Transaction, declaration: Declaration, what: Said, facts: dict[str, Any]) -> None:
    notice = Notice(what=what, person=declaration.person, channel=declaration.channel, facts=facts)
    tx.tell(notice, key=f"{what}:{declaration.key}")


async def _look(number: IncidentNumber, use: Declaring) -> str:
    incident = await use.store.look(lambda tx: tx.incident(number))
    playbook = use.playbooks.current()
    target = playbook.target(incident.target)
    if incident.deployed_at is not None or target is None:
        return "known"
    try:
        deployed_at = (await look_at_target(target, cloud=use.cloud)).deployed_at
    except CloudFault as fault:
        return f"not readable: {fault.kind}"

    def save(tx: Transaction) -> str:
        now = tx.incident(number)
        if deployed_at is None or now.deployed_at is not None:
            return "known, or no canary"
        tx.save_incident(replace(now, deployed_at=deployed_at))
        show_incident(tx, number, channel=ChannelId(playbook.channels.incidents))
        return "found"

    return await use.store.change(save)
