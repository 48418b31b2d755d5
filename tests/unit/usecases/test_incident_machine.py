"""Whatever people do with incidents in whatever order: one open a target, and timelines that hold."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from pydantic import TypeAdapter

from bot.domain.acts import Act, Verb
from bot.domain.ids import ChannelId, IncidentNumber, PersonId, TargetName
from bot.domain.incident import IncidentState, Severity
from bot.domain.timeline import first_broken, incident_chain
from bot.usecases.act import carry_out_act
from bot.usecases.close_incident import REOPEN_WITHIN
from bot.usecases.declare_incident import Declaration, Declaring, accept_declaration, declare_incident
from bot.usecases.deeds import DEEDS
from bot.usecases.ports import Workflow
from tests.fakes import FakePlaybooks, FakeSteps
from tests.guide import the_guide
from tests.unit.usecases.world import World
from tests.values import CANARY_TARGET, CHAT_TARGET, GITCO, HOME, LUBIT, SENA, a_playbook, seconds

CHANNEL = ChannelId("C0OPERATIONS")
_ACT = TypeAdapter(Act)
_GUIDE = the_guide().model_dump(mode="json", by_alias=True)
#: Scenarios without a clock: one with a clock is closed only once its steps are done.
SCENARIOS = [s["key"] for s in _GUIDE["scenarios"] if not s["clock"]]
PLAYBOOK = a_playbook(
    **{key: _GUIDE[key] for key in ("scenarios", "checklist", "contacts", "notices", "links")}
)

targets = st.sampled_from([CANARY_TARGET, CHAT_TARGET])
numbers = st.integers(1, 6).map(IncidentNumber)
people = st.sampled_from([SENA, GITCO, LUBIT])


class Incidents(RuleBasedStateMachine):
    """Declares, assesses, joins, closes and reopens at random."""

    @initialize()
    def begin(self) -> None:
        self.world = World()
        self.world.playbooks = FakePlaybooks(PLAYBOOK)
        self.turn = 0
        self.lengths: dict[str, int] = {}
        self.loop = asyncio.new_event_loop()

    def teardown(self) -> None:
        """Close what `begin` opened."""
        self.loop.close()

    def _key(self) -> str:
        self.turn += 1
        return f"k{self.turn}"

    def _run(self, doing: Coroutine[Any, Any, None]) -> None:
        self.loop.run_until_complete(doing)

    def _act(self, verb: Verb, number: IncidentNumber, by: PersonId, **words: str) -> None:
        act = Act(
            verb=verb,
            incident=number,
            person=by,
            acting_team=HOME,
            channel=CHANNEL,
            key=self._key(),
            words=words,
        )
        written = {"act": _ACT.dump_json(act).decode()}
        self._run(carry_out_act(written, steps=FakeSteps(), use=self.world.acting, deeds=DEEDS))

    @rule(name=targets, by=people)
    def declare(self, name: TargetName, by: PersonId) -> None:
        key, world = self._key(), self.world
        use = Declaring(
            store=world.store,
            people=world.people,
            playbooks=world.playbooks,
            cloud=world.cloud,
            clock=world.clock,
        )
        declaration = Declaration(
            key=key, target=name, severity=Severity.HIGH, person=by, acting_team=HOME, channel=CHANNEL
        )
        self._run(accept_declaration(declaration, store=world.store, clock=world.clock))
        _, arguments = world.store.kept.workflows[f"{Workflow.DECLARE}:{key}"]
        self._run(declare_incident(arguments, steps=FakeSteps(), use=use))
        assert self._open(name) is not None

    @rule(number=numbers, by=people)
    def close(self, number: IncidentNumber, by: PersonId) -> None:
        self._act(Verb.CLOSE, number, by)

    @rule(number=numbers, by=people)
    def reopen(self, number: IncidentNumber, by: PersonId) -> None:
        self._act(Verb.REOPEN, number, by, why="it is back")

    @rule(number=numbers, by=people, severity=st.sampled_from(Severity))
    def judge(self, number: IncidentNumber, by: PersonId, severity: Severity) -> None:
        self._act(Verb.SEVERITY, number, by, severity=severity.value, why="seen")

    @rule(number=numbers, by=people, scenario=st.sampled_from(SCENARIOS))
    def choose(self, number: IncidentNumber, by: PersonId, scenario: str) -> None:
        self._act(Verb.SCENARIO, number, by, scenario=scenario, why="seen")

    @rule(number=numbers, into=numbers, by=people)
    def join(self, number: IncidentNumber, into: IncidentNumber, by: PersonId) -> None:
        self._act(Verb.JOIN, number, by, into=str(into))

    @rule(number=numbers, by=people)
    def command(self, number: IncidentNumber, by: PersonId) -> None:
        self._act(Verb.TAKE_COMMAND, number, by, seen="")

    @rule(hours=st.integers(1, 30))
    def wait(self, hours: int) -> None:
        self.world.clock.now += seconds(3600 * hours)

    def _open(self, target: TargetName) -> IncidentNumber | None:
        kept = self.world.store.kept.incidents.values()
        found = [i.number for i in kept if i.target == target and i.state is IncidentState.OPEN]
        assert len(found) <= 1, f"{target} has {found} open"
        return found[0] if found else None

    @invariant()
    def one_is_open_per_target(self) -> None:
        for target in (CANARY_TARGET, CHAT_TARGET):
            self._open(target)

    @invariant()
    def what_is_closed_says_when_and_what_is_joined_is_closed(self) -> None:
        for incident in self.world.store.kept.incidents.values():
            assert (incident.closed_at is not None) == (incident.state is IncidentState.CLOSED)
            assert incident.merged_into is None or incident.state is IncidentState.CLOSED
            assert incident.merged_into != incident.number
            assert (incident.scenario is None) == (incident.scenario_at is None)

    @invariant()
    def every_timeline_holds_and_only_grows(self) -> None:
        for number in self.world.store.kept.incidents:
            chain = incident_chain(number)
            entries = self.world.store.kept.chains[chain]
            assert first_broken(entries) is None
            assert len(entries) >= self.lengths.get(chain, 0)
            self.lengths[chain] = len(entries)


Incidents.TestCase.settings = settings(
    max_examples=25, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
TestIncidents = Incidents.TestCase


def test_a_day_is_what_reopening_has() -> None:
    assert REOPEN_WITHIN.total_seconds() == 86_400
