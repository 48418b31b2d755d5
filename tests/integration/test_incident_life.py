"""An incident's life on both databases: declared once, commanded by one, closed, reopened, joined."""

import asyncio
from typing import Any

import pytest
from pydantic import TypeAdapter
from sqlalchemy.orm import Session

from bot.adapters.database.engine import Database
from bot.adapters.database.store import SqlStore
from bot.domain.acts import Act, Verb
from bot.domain.ids import ChannelId, IncidentNumber, PersonId, TargetName
from bot.domain.incident import FailureType, Incident, IncidentState, Severity
from bot.domain.timeline import Event, first_broken, incident_chain
from bot.usecases.act import carry_out_act
from bot.usecases.declare_incident import Declaration, Declaring, accept_declaration, declare_incident
from bot.usecases.deeds import DEEDS
from bot.usecases.ports import Workflow
from tests.fakes import FakeCloud, FakePeople, FakePlaybooks, FakeSteps, HeldClock
from tests.guide import the_guide
from tests.values import (
    CANARY_TARGET,
    CHAT_TARGET,
    GITCO,
    HOME,
    LUBIT,
    NOON,
    SENA,
    a_person,
    a_playbook,
    a_state,
    seconds,
)

CHANNEL = ChannelId("C0OPERATIONS")
ONE, TWO = IncidentNumber(1), IncidentNumber(2)
GUEST = PersonId("U0GUEST")


class House:
    """A store with everybody's acts on it; what would start workflows is remembered."""

    def __init__(self, database: Database) -> None:
        self.started: list[tuple[Workflow, dict[str, str]]] = []
        self.store = SqlStore(database, self._start)
        self.clock = HeldClock()
        people = FakePeople(a_person(SENA), a_person(GITCO), a_person(LUBIT), a_person(GUEST, guest=True))
        guide = the_guide().model_dump(mode="json", by_alias=True)
        told = {key: guide[key] for key in ("scenarios", "checklist", "contacts", "notices", "links")}
        self.use = Declaring(
            store=self.store,
            people=people,
            playbooks=FakePlaybooks(a_playbook(**told)),
            cloud=FakeCloud(a_state(), self.clock),
            clock=self.clock,
        )

    def _start(
        self, _: Session, workflow: Workflow, id: str, arguments: dict[str, str], lane: str | None
    ) -> None:
        self.started.append((workflow, arguments))

    async def declare(
        self, by: PersonId = GITCO, *, key: str = "d", target: TargetName = CANARY_TARGET, **more: Any
    ) -> None:
        """Declare an incident and run its workflow."""
        severity = more.pop("severity", Severity.MEDIUM)
        declaration = Declaration(
            key=key, target=target, severity=severity, person=by, acting_team=HOME, channel=CHANNEL, **more
        )
        await accept_declaration(declaration, store=self.store, clock=self.clock)
        arguments = next(
            a for kind, a in self.started if kind is Workflow.DECLARE and f'"key":"{key}"' in a["declaration"]
        )
        await declare_incident(arguments, steps=FakeSteps(), use=self.use)

    async def act(
        self, verb: Verb, number: IncidentNumber = ONE, by: PersonId = SENA, *, key: str = "a", **words: str
    ) -> None:
        """Carry out an act."""
        act = Act(
            verb=verb, incident=number, person=by, acting_team=HOME, channel=CHANNEL, key=key, words=words
        )
        written = {"act": TypeAdapter(Act).dump_json(act).decode()}
        await carry_out_act(written, steps=FakeSteps(), use=self.use.acting, deeds=DEEDS)

    async def incident(self, number: IncidentNumber = ONE) -> Incident:
        """Return an incident as stored."""
        return await self.store.look(lambda tx: tx.incident(number))

    async def events(self, number: IncidentNumber = ONE) -> list[Event]:
        """Return the events of its timeline, whose chain must hold."""
        entries = await self.store.look(lambda tx: tx.timeline(incident_chain(number)))
        assert first_broken(entries) is None
        return [entry.event for entry in entries]

    async def open_ones(self) -> list[IncidentNumber]:
        """Return which incidents are open."""
        return [incident.number for incident in await self.store.look(lambda tx: tx.open_incidents())]


@pytest.fixture
def house(database: Database) -> House:
    """A house on an empty database."""
    return House(database)


# Declaring.


async def test_a_declaration_opens_an_incident_with_what_was_told(house: House) -> None:
    began = NOON - seconds(600)

    await house.declare(seen="errors", scenario="memory", severity=Severity.HIGH, began_at=began)

    incident = await house.incident()
    assert (incident.opened_by, incident.seen, incident.scenario) == (GITCO, "errors", "memory")
    assert (incident.failure_type, incident.severity) == (FailureType.MEMORY, Severity.HIGH)
    assert incident.deployed_at == NOON - seconds(3600)
    assert (await house.events())[:2] == [Event.INCIDENT_OPENED, Event.BEGAN]
    assert Event.SLOTS_EMPTY in await house.events()


async def test_of_five_at_once_one_opens_and_four_join(house: House) -> None:
    people = (GITCO, SENA, LUBIT, GITCO, SENA)

    await asyncio.gather(*(house.declare(by, key=f"d{n}", seen=f"seen {n}") for n, by in enumerate(people)))

    events = await house.events()
    assert await house.open_ones() == [ONE]
    assert events.count(Event.INCIDENT_OPENED) == 1
    assert events.count(Event.DECLARED_AGAIN) == 4


async def test_a_declaration_whose_workflow_runs_twice_opens_one_and_joins_none(house: House) -> None:
    await house.declare()
    await house.declare()

    assert (await house.events()).count(Event.INCIDENT_OPENED) == 1
    assert Event.DECLARED_AGAIN not in await house.events()


async def test_a_guest_declares_nothing(house: House) -> None:
    await house.declare(GUEST)

    assert await house.open_ones() == []


# Command and parts.


async def test_of_two_who_take_command_at_once_one_has_it_and_the_other_is_told(house: House) -> None:
    await house.declare()

    await asyncio.gather(
        house.act(Verb.TAKE_COMMAND, by=GITCO, key="a1", seen=""),
        house.act(Verb.TAKE_COMMAND, by=LUBIT, key="a2", seen=""),
    )

    assert (await house.incident()).commander in (GITCO, LUBIT)
    assert (await house.events()).count(Event.COMMAND_TAKEN) == 1


async def test_command_is_taken_over_only_from_whom_one_saw(house: House) -> None:
    await house.declare()
    await house.act(Verb.TAKE_COMMAND, by=GITCO, key="a1", seen="")

    await house.act(Verb.TAKE_COMMAND, by=LUBIT, key="a2", seen=SENA)
    before = (await house.incident()).commander
    await house.act(Verb.TAKE_COMMAND, by=LUBIT, key="a3", seen=GITCO)

    assert (before, (await house.incident()).commander) == (GITCO, LUBIT)


async def test_command_is_not_handed_to_a_guest(house: House) -> None:
    await house.declare()
    await house.act(Verb.TAKE_COMMAND, by=GITCO, key="a1", seen="")

    await house.act(Verb.HAND_OVER, by=GITCO, key="a2", to=GUEST, seen=GITCO)
    await house.act(Verb.HAND_OVER, by=GITCO, key="a3", to=LUBIT, seen=GITCO)

    assert (await house.incident()).commander == LUBIT
    assert (await house.events()).count(Event.COMMAND_HANDED_OVER) == 1


async def test_two_who_take_different_parts_at_once_both_have_them(house: House) -> None:
    await house.declare()

    await asyncio.gather(
        house.act(Verb.TAKE_ROLE, by=GITCO, key="a1", role="backend"),
        house.act(Verb.TAKE_ROLE, by=LUBIT, key="a2", role="devops"),
    )

    assert (await house.incident()).roles == {"backend": GITCO, "devops": LUBIT}


# How bad, and what.


async def test_a_scenario_brings_its_severity_unless_somebody_has_judged_it(house: House) -> None:
    await house.declare()
    await house.act(Verb.SCENARIO, key="a1", scenario="data_loss", why="rows are gone")
    guessed = await house.incident()

    await house.act(Verb.SEVERITY, key="a2", severity="low", why="only a test table")
    await house.act(Verb.SCENARIO, key="a3", scenario="memory", why="it was the heap")
    judged = await house.incident()

    assert (guessed.severity, guessed.failure_type) == (Severity.CRITICAL, FailureType.DATA_LOSS)
    assert (judged.severity, judged.failure_type) == (Severity.LOW, FailureType.MEMORY)
    assert judged.scenario_at == NOON


# Notes.


async def test_a_message_is_noted_once_whoever_adds_it(house: House) -> None:
    await house.declare()
    message = (
        '{"channel":"C0CRITICAL","ts":"1767355200.000100","author":"U0LEMUN","text":"x",'
        '"at":"2026-03-02T11:00:00Z"}'
    )

    await asyncio.gather(
        *(house.act(Verb.NOTE, by=by, key=by, message=message, quiet="") for by in (SENA, GITCO, LUBIT))
    )

    assert (await house.events()).count(Event.MESSAGE_ADDED) == 1


async def test_a_correction_of_a_correction_stands_beside_the_line_itself(house: House) -> None:
    await house.declare()
    await house.act(Verb.NOTE, key="a1", text="400 users", happened_at="")
    length = len(await house.events())

    await house.act(Verb.CORRECT, key="a2", line=str(length), text="340")
    await house.act(Verb.CORRECT, key="a3", line=str(length + 1), text="341")
    await house.act(Verb.CORRECT, key="a4", line="999", text="342")

    entries = await house.store.look(lambda tx: tx.timeline(incident_chain(ONE)))
    corrections = [entry.facts["corrects"] for entry in entries if entry.event is Event.CORRECTED]
    assert corrections == [length, length]


# The end.


async def test_an_incident_is_closed_once_with_its_record_and_reopened_within_a_day(house: House) -> None:
    await house.declare(scenario="error_rate")
    await asyncio.gather(house.act(Verb.CLOSE, key="a1"), house.act(Verb.CLOSE, by=GITCO, key="a2"))
    closed = await house.incident()

    house.clock.now += seconds(86_400)
    await house.act(Verb.REOPEN, key="a3")
    reopened = await house.incident()

    assert (closed.state, closed.edition) == (IncidentState.CLOSED, 1)
    assert (await house.events()).count(Event.INCIDENT_CLOSED) == 1
    assert (reopened.state, reopened.closed_at) == (IncidentState.OPEN, None)


async def test_after_a_day_it_stays_closed(house: House) -> None:
    await house.declare()
    await house.act(Verb.CLOSE, key="a1")
    house.clock.now += seconds(86_401)

    await house.act(Verb.REOPEN, key="a2")

    assert await house.open_ones() == []


async def test_reopening_and_declaring_at_once_leaves_one_open(house: House) -> None:
    await house.declare()
    await house.act(Verb.CLOSE, key="a1")

    await asyncio.gather(house.act(Verb.REOPEN, key="a2"), house.declare(LUBIT, key="d2"))

    assert len(await house.open_ones()) == 1


async def test_the_clock_of_a_data_loss_keeps_it_open(house: House) -> None:
    await house.declare(scenario="data_loss")

    await house.act(Verb.CLOSE, key="a1")

    assert await house.open_ones() == [ONE]


async def test_of_two_incidents_joined_to_each_other_at_once_one_goes_on(house: House) -> None:
    await house.declare()
    await house.declare(key="d2", target=CHAT_TARGET)

    await asyncio.gather(
        house.act(Verb.JOIN, ONE, key="a1", into="2"), house.act(Verb.JOIN, TWO, key="a2", into="1")
    )

    (left,) = await house.open_ones()
    gone = await house.incident(ONE if left == TWO else TWO)
    assert gone.merged_into == left
    assert Event.OTHER_JOINED in await house.events(left)
    assert Event.JOINED_TO in await house.events(gone.number)
