"""Asking for a change of the canary, deciding, and carrying it out; and everything that can go wrong."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from bot.domain.change import (
    MOST_WRITES,
    CannotWhy,
    Change,
    ChangeKind,
    ChangeState,
    SetResources,
    SplitTraffic,
    cannot_from,
)
from bot.domain.faults import CloudFault, FaultKind
from bot.domain.ids import ChangeId, ChannelId, IncidentNumber, PersonId, RevisionName
from bot.domain.people import RefusedWhy
from bot.domain.resources import Resources
from bot.domain.rollback import PinTraffic, RollbackState, SetVariable
from bot.domain.timeline import Event, first_broken
from bot.domain.traffic import TargetState
from bot.usecases.ask_for_change import AskForChange, ask_for_change
from bot.usecases.carry_out_change import carry_out_change
from bot.usecases.decide_change import (
    ChangeChoice,
    ChangeDecision,
    accept_change_decision,
    decide_change,
)
from bot.usecases.open_change import open_change
from bot.usecases.ports import Said, Showing, TargetBusy, Workflow
from bot.usecases.prepare_change import prepare_change
from bot.usecases.report_breakage import report_breakage
from tests.fakes import Failing, FakeSteps
from tests.unit.usecases.world import DENIED, GONE, World
from tests.values import (
    CANARY,
    CANARY_TARGET,
    CHAT_TARGET,
    GITCO,
    HOME,
    LUBIT,
    MORE_MEMORY,
    NOON,
    ROUTER_1,
    SENA,
    STABLE,
    a_decided_rollback,
    a_services_state,
    a_state,
    an_incident,
    seconds,
    share,
)

REDUCE, ADD = ChangeKind.REDUCE_TRAFFIC, ChangeKind.ADD_RESOURCES
CHANNEL = ChannelId("C0OPERATIONS")
TIMELINE = "incident:1"


class Canary(World):
    """The world with an open incident, and what people do to its canary."""

    async def ask(self, kind: ChangeKind = REDUCE, *, key: str = "ask", **more: Any) -> Change:
        """Ask as Sena, let it be prepared, and return it."""
        await self.store.change(self._open_incident)
        known: dict[str, Any] = {"target": CANARY_TARGET, "person": SENA, "incident": IncidentNumber(1)}
        wanted = {"percent": 5} if kind is REDUCE else {"resources": MORE_MEMORY}
        request = AskForChange(
            key=key, kind=kind, acting_team=HOME, channel=CHANNEL, **(known | wanted | more)
        )
        id = await ask_for_change(
            request, store=self.store, clock=self.clock, playbook=self.playbooks.current()
        )
        assert id is not None
        await self.prepare_change(id)
        return self.change(id)

    def _open_incident(self, tx: Any) -> None:
        if tx.open_incident(CANARY_TARGET) is None:
            tx.add_incident(an_incident())

    async def prepare_change(self, id: ChangeId) -> None:
        """Run the prepare workflow."""
        await prepare_change(id, steps=FakeSteps(), use=self.preparing_change)

    async def press(
        self,
        change: Change,
        choice: ChangeChoice = ChangeChoice.DO_IT,
        *,
        person: PersonId = SENA,
        key: str = "press",
    ) -> Change:
        """Press a button of the card, let it be weighed, and return the change."""
        decision = ChangeDecision(
            change=change.id, choice=choice, person=person, acting_team=HOME, channel=CHANNEL
        )
        await accept_change_decision(key, decision, store=self.store, clock=self.clock)
        for arguments in self.store.started(Workflow.DECIDE_CHANGE):
            if arguments["key"] == key:
                await decide_change(arguments, steps=FakeSteps(), use=self.acting)
        return self.change(change.id)

    async def decided_change(self, kind: ChangeKind = REDUCE, **more: Any) -> Change:
        """Return a change that Sena asked for and decided."""
        return await self.press(await self.ask(kind, **more))

    async def carry_out_change(self, change: Change) -> Change:
        """Run the change's workflow and return how it ended."""
        await carry_out_change(change.id, steps=FakeSteps(), use=self.changing)
        return self.change(change.id)

    def change(self, id: ChangeId) -> Change:
        """Return a stored change."""
        return self.store.kept.changes[id]

    def told(self) -> list[Event]:
        """Return what the incident's timeline tells."""
        return self.store.events(TIMELINE)


def why(change: Change) -> CannotWhy:
    cannot = cannot_from(change.problem)
    assert cannot is not None, change.problem
    return cannot.why


# Asking.


async def test_a_request_is_written_down_once_and_prepared_by_a_workflow() -> None:
    world = Canary()
    change = await world.ask()
    request = AskForChange(
        key="ask", kind=REDUCE, target=CANARY_TARGET, incident=None, person=SENA, acting_team=HOME,
        channel=CHANNEL, percent=3,
    )  # fmt: skip

    again = await ask_for_change(
        request, store=world.store, clock=world.clock, playbook=world.playbooks.current()
    )

    assert again is None
    assert world.store.started(Workflow.PREPARE_CHANGE) == [{"change": change.id}]


async def test_the_card_shows_from_what_to_what_and_the_timeline_says_who_asked() -> None:
    world = Canary()

    change = await world.ask()

    assert change.state is ChangeState.ASKED
    assert change.plan is not None
    assert (change.plan.percent, change.percent) == (10, 5)
    assert world.told() == [Event.CHANGE_ASKED]
    assert world.store.kept.messages[f"change:{change.id}"].channel == CHANNEL
    assert Showing.BOARD in {m.what for m in world.store.kept.messages.values()}
    assert world.cloud.writes == []


async def test_who_may_not_change_the_canary_is_refused_and_nothing_is_read() -> None:
    world = Canary()
    world.cloud.next_looks.append(GONE)

    change = await world.ask(person=GITCO)

    assert change.state is ChangeState.REFUSED
    assert world.store.events("audit") == [Event.CHANGE_REFUSED]
    [notice] = world.store.notices()
    assert (notice["what"], notice["why"]) == (Said.REFUSED, RefusedWhy.NO_ROLE)
    assert len(world.cloud.next_looks) == 1
    assert f"change:{change.id}" not in world.store.kept.messages


@pytest.mark.parametrize(
    ("kind", "wanted", "expected"),
    [
        (REDUCE, {"percent": 10}, CannotWhy.NOT_LOWER),
        (ADD, {"resources": Resources(memory_mib=8192)}, CannotWhy.NEEDS_CPU),
    ],
)
async def test_what_is_not_possible_is_said_on_the_card(
    kind: ChangeKind, wanted: Mapping[str, Any], expected: CannotWhy
) -> None:
    world = Canary()

    change = await world.ask(kind, **wanted)

    assert (change.state, why(change)) == (ChangeState.REFUSED, expected)
    assert f"change:{change.id}" in world.store.kept.messages


async def test_a_target_that_cannot_be_read_ends_the_question_with_googles_words() -> None:
    world = Canary()
    world.cloud.next_looks.append(DENIED)

    change = await world.ask()

    assert change.state is ChangeState.FAILED
    assert change.problem == "permission:update service ion-api:Permission 'run.services.update' denied"


async def test_while_a_rollback_runs_no_question_is_asked() -> None:
    world = Canary()
    await world.keep(a_decided_rollback(RollbackState.APPLIED, incident=None))

    change = await world.ask()

    assert change.state is ChangeState.CANCELLED
    assert [n["what"] for n in world.store.notices()] == [Said.ALREADY_RUNNING]


async def test_a_press_in_an_open_incident_names_its_target() -> None:
    world = Canary()
    await world.ask()

    found = await open_change("k", IncidentNumber(1), SENA, CHANNEL, store=world.store)
    missing = await open_change("k", IncidentNumber(9), SENA, CHANNEL, store=world.store)

    assert (found, missing) == (CANARY_TARGET, None)
    assert [n["what"] for n in world.store.notices()] == [Said.NO_SUCH_INCIDENT]


# Deciding.


async def test_a_press_starts_the_change_once() -> None:
    world = Canary()
    change = await world.ask()

    decided = await world.press(change)
    again = await world.press(change, person=LUBIT, key="second")

    assert decided.state is ChangeState.REQUESTED
    assert (again.decided_by, again.requested_at) == (SENA, NOON)
    assert world.store.started(Workflow.CHANGE) == [{"change": change.id}]
    assert [n["what"] for n in world.store.notices()] == [Said.CHANGE_DECIDED]
    assert world.told() == [Event.CHANGE_ASKED, Event.CHANGE_DECIDED]


async def test_the_permission_is_asked_for_again_at_the_press() -> None:
    world = Canary()
    change = await world.ask()

    after = await world.press(change, person=GITCO)

    assert after.state is ChangeState.ASKED
    assert world.store.started(Workflow.CHANGE) == []
    assert world.store.events("audit") == [Event.CHANGE_REFUSED]


async def test_cancel_changes_nothing() -> None:
    world = Canary()
    change = await world.press(await world.ask(), ChangeChoice.CANCEL, person=LUBIT)

    assert (change.state, change.decided_by) == (ChangeState.CANCELLED, LUBIT)
    assert world.told() == [Event.CHANGE_ASKED, Event.CHANGE_CANCELLED]
    assert world.store.started(Workflow.CHANGE) == []


@pytest.mark.parametrize(("age", "state"), [(900, ChangeState.REQUESTED), (901, ChangeState.EXPIRED)])
async def test_a_question_is_good_for_a_quarter_of_an_hour(age: float, state: ChangeState) -> None:
    world = Canary()
    change = await world.ask()
    world.clock.now += seconds(age)

    assert (await world.press(change)).state is state


async def test_an_old_card_answers_with_how_things_stand() -> None:
    world = Canary()
    change = await world.carry_out_change(await world.decided_change())
    writes = len(world.cloud.writes)

    after = await world.press(change, person=LUBIT, key="late")

    [notice] = world.store.notices()
    assert (notice["what"], notice["state"], notice["by"]) == (Said.CHANGE_DECIDED, "done", SENA)
    assert after == change
    assert len(world.cloud.writes) == writes


async def test_one_change_at_a_time() -> None:
    world = Canary()
    first, second = await world.ask(), await world.ask(ADD, key="ask-2")
    await world.press(first)

    waiting = await world.press(second, key="press-2")

    assert waiting.state is ChangeState.ASKED
    assert [n["what"] for n in world.store.notices()] == [Said.CHANGE_RUNNING]
    with pytest.raises(TargetBusy):
        await world.store.change(lambda tx: tx.save_change(replace(waiting, state=ChangeState.REQUESTED)))


async def test_a_change_does_not_start_while_a_rollback_runs_but_a_rollback_may_while_a_change_does() -> None:
    world = Canary()
    change = await world.ask()
    await world.keep(a_decided_rollback(RollbackState.APPLIED, incident=None))

    assert (await world.press(change)).state is ChangeState.ASKED
    assert [n["what"] for n in world.store.notices()] == [Said.ALREADY_RUNNING]

    other = Canary()
    await other.decided_change()
    await other.keep(a_decided_rollback(RollbackState.REQUESTED, incident=None))


# Carrying out.


async def test_less_traffic_is_written_once_and_done_when_it_is_seen() -> None:
    world = Canary()
    world.cloud.lag_looks = 4
    decided = await world.decided_change()

    change = await world.carry_out_change(decided)

    assert change.state is ChangeState.DONE
    assert world.cloud.writes == [
        SplitTraffic(service=world.cloud.state.switch.name, shares=((STABLE, 95), (CANARY, 5)), tags=())
    ]
    assert change.settled_at == change.ended_at > change.applied_at  # type: ignore[operator]
    assert world.told()[2:] == [Event.CHANGE_WRITE, Event.APPLIED, Event.CHANGE_DONE]
    assert first_broken(world.store.kept.chains[TIMELINE]) is None


async def test_more_memory_takes_two_writes_between_revisions() -> None:
    world = Canary()

    change = await world.carry_out_change(await world.decided_change(ADD))

    assert change.state is ChangeState.DONE
    assert [type(w) for w in world.cloud.writes] == [SetResources, SplitTraffic]
    assert world.told()[2:] == [
        Event.CHANGE_WRITE, Event.APPLIED, Event.CHANGE_WRITE, Event.CHANGE_DONE,
    ]  # fmt: skip
    assert world.cloud.state.switch.resources.memory_mib == 1024
    assert world.cloud.state.switch.observed_percent(CANARY) == 0


async def test_a_router_gets_its_variable() -> None:
    pinned = (share(ROUTER_1, 100),)
    world = Canary(a_services_state("10", wanted=pinned, observed=pinned))

    change = await world.carry_out_change(await world.decided_change(target=CHAT_TARGET))

    assert change.state is ChangeState.DONE
    assert [type(w) for w in world.cloud.writes] == [SetVariable, PinTraffic]


async def test_a_workflow_that_runs_again_from_the_start_writes_nothing_more() -> None:
    world = Canary()
    first = await world.carry_out_change(await world.decided_change())

    again = await world.carry_out_change(first)

    assert again == first
    assert len(world.cloud.writes) == 1


class Died(BaseException):
    """The process is gone."""


@pytest.mark.parametrize("kind", ChangeKind)
@pytest.mark.parametrize("looks", range(7))
async def test_whenever_it_dies_it_goes_on_by_reading_the_world(kind: ChangeKind, looks: int) -> None:
    world = Canary()
    world.cloud.lag_looks = 1
    decided = await world.decided_change(kind)

    def die(state: TargetState) -> TargetState:
        raise Died

    world.cloud.next_looks.extend([None] * looks)
    world.cloud.next_looks.append(die)
    try:
        await world.carry_out_change(decided)
    except Died:
        world.cloud.next_looks.clear()
    change = await world.carry_out_change(decided)

    assert change.state is ChangeState.DONE
    assert len(world.cloud.writes) == (1 if kind is REDUCE else 2)


@pytest.mark.parametrize("kind", ChangeKind)
async def test_a_process_that_died_between_intent_and_write_or_after_the_write_leaves_one(
    kind: ChangeKind,
) -> None:
    for landed in (True, False):
        world = Canary()
        decided = await world.decided_change(kind)
        write = world.cloud.write

        async def dying(*arguments: Any, landed: bool = landed, write: Any = write, **more: Any) -> None:
            if landed:
                await write(*arguments, **more)
            raise Died

        world.cloud.write = dying  # type: ignore[method-assign]
        with pytest.raises(Died):
            await world.carry_out_change(decided)
        world.cloud.write = write  # type: ignore[method-assign]

        change = await world.carry_out_change(decided)

        assert change.state is ChangeState.DONE
        assert len(world.cloud.writes) == (1 if kind is REDUCE else 2)


# A rollback goes first.


def rollback_starts(world: Canary, state: RollbackState) -> Callable[[TargetState], TargetState]:
    def start(seen: TargetState) -> TargetState:
        at = world.clock()
        rollback = a_decided_rollback(state, requested_at=at, decided_by=LUBIT, incident=None)
        world.store.kept.rollbacks[rollback.id] = rollback
        return seen

    return start


@pytest.mark.parametrize("state", [RollbackState.REQUESTED, RollbackState.VERIFIED])
@pytest.mark.parametrize("kind", ChangeKind)
async def test_a_rollback_that_runs_or_ran_meanwhile_ends_it_before_its_write(
    kind: ChangeKind, state: RollbackState
) -> None:
    world = Canary()
    decided = await world.decided_change(kind)
    world.cloud.next_looks.append(rollback_starts(world, state))

    change = await world.carry_out_change(decided)

    assert (change.state, change.problem) == (ChangeState.OVERTAKEN, f"overtaken:{LUBIT}")
    assert world.cloud.writes == []
    assert world.told()[-1] is Event.CHANGE_OVERTAKEN


async def test_a_rollback_between_the_two_writes_keeps_the_second_from_being_sent() -> None:
    world = Canary()
    decided = await world.decided_change(ADD)
    world.cloud.next_looks.extend([None, None, rollback_starts(world, RollbackState.REQUESTED)])

    change = await world.carry_out_change(decided)

    assert change.state is ChangeState.OVERTAKEN
    assert [type(w) for w in world.cloud.writes] == [SetResources]


async def test_a_rollback_that_starts_between_the_look_and_the_intent_is_seen_with_the_intent() -> None:
    world = Canary()
    decided = await world.decided_change()
    asked = world.store.look

    async def look(work: Any) -> Any:
        answer = await asked(work)
        if answer is None:  # No rollback goes before it; one begins that very moment.
            rollback_starts(world, RollbackState.REQUESTED)(world.cloud.state)
        return answer

    world.store.look = look  # type: ignore[method-assign]

    change = await world.carry_out_change(decided)

    assert change.state is ChangeState.OVERTAKEN
    assert world.cloud.writes == []
    assert Event.CHANGE_WRITE not in world.told()


async def test_a_rollback_of_before_the_decision_is_history() -> None:
    world = Canary()
    world.clock.now += seconds(60)
    old = a_decided_rollback(RollbackState.VERIFIED, requested_at=NOON, incident=None)
    await world.keep(old)

    assert (await world.carry_out_change(await world.decided_change())).state is ChangeState.DONE


# Other people, and Google.


async def test_what_somebody_else_has_done_already_is_not_done_again() -> None:
    world = Canary()
    decided = await world.decided_change()
    world.cloud.state = a_state(share(STABLE, 98), share(CANARY, 2))

    change = await world.carry_out_change(decided)

    assert (change.state, world.cloud.writes) == (ChangeState.NOTHING_TO_DO, [])
    assert world.told()[-1] is Event.CHANGE_NOT_NEEDED


async def test_somebody_who_undoes_it_is_named_and_not_fought() -> None:
    world = Canary()
    world.cloud.lag_looks = 3
    decided = await world.decided_change()

    def undo(state: TargetState) -> TargetState:
        lines = (share(STABLE, 80), share(CANARY, 20))
        rival = replace(state.switch, wanted=lines, observed=lines, last_modifier="rival@example.com")
        return replace(state, switch=rival)

    world.cloud.next_looks.extend([None, None, None, undo])

    change = await world.carry_out_change(decided)

    cannot = cannot_from(change.problem)
    assert (change.state, len(world.cloud.writes)) == (ChangeState.NOT_VERIFIED, 1)
    assert cannot is not None
    assert (cannot.why, cannot.detail) == (CannotWhy.CHANGED, "rival@example.com")


async def test_a_deployment_after_the_approval_ends_it_before_the_write() -> None:
    world = Canary()
    decided = await world.decided_change()
    newer = RevisionName("ion-api-00043-new")
    made = replace(world.cloud.state.switch.revisions[0], name=newer, created_at=NOON)
    world.cloud.state = a_state(
        share(STABLE, 80), share(CANARY, 10), share(newer, 10),
        revisions=(made, *world.cloud.state.switch.revisions),
    )  # fmt: skip

    change = await world.carry_out_change(decided)

    assert (change.state, why(change)) == (ChangeState.FAILED, CannotWhy.CHANGED)
    assert world.cloud.writes == []


@pytest.mark.parametrize("landed", [True, False])
async def test_a_write_without_an_answer_is_settled_by_reading(landed: bool) -> None:
    world = Canary()
    decided = await world.decided_change()
    world.cloud.next_writes.append(Failing(GONE, landed=landed))

    change = await world.carry_out_change(decided)

    assert (change.state, change.problem) == (ChangeState.DONE, None)
    assert len(world.cloud.writes) == (1 if landed else 2)
    assert Event.WRITE_UNKNOWN in world.told()


async def test_a_refused_write_ends_as_failed_with_googles_words() -> None:
    world = Canary()
    decided = await world.decided_change(ADD)
    quota = CloudFault(
        doing="write service ion-api", kind=FaultKind.INVALID, detail="maxScale may not exceed 83."
    )
    world.cloud.next_writes.append(Failing(quota))

    change = await world.carry_out_change(decided)

    assert change.state is ChangeState.FAILED
    assert change.problem == "invalid:write service ion-api:maxScale may not exceed 83."


async def test_a_write_google_never_takes_ends_after_a_few() -> None:
    world = Canary()
    decided = await world.decided_change()
    world.cloud.next_writes.extend([Failing(GONE)] * 9)

    change = await world.carry_out_change(decided)

    assert change.state is ChangeState.FAILED
    assert len(world.cloud.writes) == MOST_WRITES


async def test_a_long_silence_is_called_unknown_aloud_and_then_resolved() -> None:
    world = Canary()
    decided = await world.decided_change()
    seen: list[ChangeState] = []

    def note(state: TargetState) -> TargetState:
        seen.append(world.change(decided.id).state)
        return state

    world.cloud.next_looks.extend([*[GONE] * 8, note])

    change = await world.carry_out_change(decided)

    assert seen == [ChangeState.UNKNOWN]
    assert (change.state, change.problem) == (ChangeState.DONE, None)


async def test_a_quarter_of_an_hour_of_silence_ends_it_unwritten() -> None:
    world = Canary()
    decided = await world.decided_change()
    world.cloud.next_looks.extend([GONE] * 1000)

    change = await world.carry_out_change(decided)

    assert change.state is ChangeState.FAILED
    assert world.cloud.writes == []
    assert seconds(900) < world.clock.now - NOON < seconds(960)


async def test_a_decision_that_nobody_could_carry_out_for_long_is_asked_for_anew() -> None:
    world = Canary()
    decided = await world.decided_change()
    world.clock.now += seconds(901)

    change = await world.carry_out_change(decided)

    assert (change.state, why(change)) == (ChangeState.FAILED, CannotWhy.TOO_LATE)
    assert world.cloud.writes == []


@pytest.mark.parametrize(("kind", "limit"), [(REDUCE, 90), (ADD, 300)])
async def test_what_is_not_seen_in_time_is_not_called_done(kind: ChangeKind, limit: float) -> None:
    world = Canary()
    world.cloud.lag_looks = 100_000
    decided = await world.decided_change(kind)
    if kind is ADD:
        # The new revision does not become ready.
        def starting(state: TargetState) -> TargetState:
            return replace(state, switch=replace(state.switch, latest_ready=CANARY))

        world.cloud.next_looks.extend([None, *[starting] * 10_000])

    change = await world.carry_out_change(decided)

    assert (change.state, change.problem) == (ChangeState.NOT_VERIFIED, "slow")
    assert seconds(limit) < world.clock.now - NOON < seconds(limit + 3)


async def test_the_message_counts_the_seconds_without_flooding_slack() -> None:
    world = Canary()
    world.cloud.lag_looks = 60

    change = await world.carry_out_change(await world.decided_change())

    assert 8 <= world.store.kept.messages[f"change:{change.id}"].wanted <= 20


async def test_an_error_nobody_foresaw_ends_it_and_is_told() -> None:
    world = Canary()
    decided = await world.decided_change()

    await report_breakage(
        Workflow.CHANGE, {"change": decided.id}, "1a2b", store=world.store, playbooks=world.playbooks,
        clock=world.clock,
    )  # fmt: skip

    change = world.change(decided.id)
    assert (change.state, change.problem) == (ChangeState.FAILED, "broken:1a2b")
    [notice] = world.store.notices()
    assert notice["by_hand"].startswith("gcloud run services update-traffic ion-api")


async def test_a_process_that_slept_does_not_write_what_another_is_just_writing() -> None:
    world = Canary()
    decided = await world.decided_change()
    asked = world.cloud.look

    async def look(target: Any) -> TargetState:
        world.cloud.look = asked  # type: ignore[method-assign]
        state = await asked(target)
        world.store.kept.changes[decided.id] = replace(decided, state=ChangeState.DONE)
        return state

    world.cloud.look = look  # type: ignore[method-assign]

    assert (await world.carry_out_change(decided)).state is ChangeState.DONE
    assert world.cloud.writes == []
