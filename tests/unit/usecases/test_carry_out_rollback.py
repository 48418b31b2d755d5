"""The rollback itself: one write, seen to land, seen to settle, proven; and everything that can go wrong."""

from dataclasses import replace

import pytest

from bot.domain.faults import CloudFault, FaultKind
from bot.domain.ids import RevisionName
from bot.domain.readings import Side
from bot.domain.rollback import (
    MOST_WRITES,
    PinTraffic,
    Proof,
    RollbackState,
    SetVariable,
    Verdict,
)
from bot.domain.timeline import Event, first_broken
from bot.domain.traffic import Revision, TargetState
from bot.usecases.ports import Showing, Workflow
from tests.fakes import Failing, FakeSteps, calm, written
from tests.unit.usecases.world import DENIED, GONE, World
from tests.values import (
    BOTH,
    CANARY,
    CHAT_TARGET,
    NOON,
    ROUTER_1,
    SICK,
    STABLE,
    a_plan,
    a_revision,
    a_rollback,
    a_service,
    a_services_plan,
    a_services_state,
    a_state,
    counts,
    seconds,
    share,
)

CONFLICT = CloudFault(doing="update service ion-api", kind=FaultKind.CONFLICT, detail="etag")
TIMELINE = "incident:1"


def acts(world: World) -> list[Event]:
    """Return what the timeline tells from the decision on, without the evidence."""
    events = world.store.events(TIMELINE)
    told = events[events.index(Event.ROLLBACK_DECIDED) + 1 :]
    return [event for event in told if event is not Event.EVIDENCE]


async def test_a_rollback_is_written_once_and_proven() -> None:
    world = World()
    await world.decided()

    ended = await world.carry_out()

    assert ended.state is RollbackState.VERIFIED
    assert world.cloud.writes == [PinTraffic(service=a_service().name, revision=STABLE, tags=())]
    assert {e.proof: e.verdict for e in ended.evidence} == dict.fromkeys(Proof, Verdict.PROVEN)
    assert acts(world) == [
        Event.WRITE_SENT,
        Event.APPLIED,
        Event.SETTLED,
        Event.VERDICT,
        Event.RECORD_POSTED,
    ]
    assert first_broken(world.store.kept.chains[TIMELINE]) is None


async def test_every_moment_of_a_rollback_is_kept() -> None:
    world = World()
    await world.decided()
    world.cloud.lag_looks = 4

    ended = await world.carry_out()

    assert ended.requested_at == ended.applied_at == NOON
    assert ended.settled_at is not None
    assert ended.ended_at is not None
    assert NOON < ended.settled_at < ended.ended_at


async def test_card_board_log_and_record_are_shown() -> None:
    world = World()
    await world.decided()

    await world.carry_out()

    messages = world.store.kept.messages
    assert {m.what for m in messages.values()} == {
        Showing.ROLLBACK,
        Showing.BOARD,
        Showing.DIAGNOSIS,
        Showing.LOG,
        Showing.INCIDENT_PICTURE,
        Showing.RECORD,
    }
    assert world.store.kept.workflows["publish:1:1"][1] == {"incident": "1", "edition": "1"}
    assert all(m.under == "board:1" for m in messages.values() if m.what is Showing.LOG)


async def test_a_workflow_that_runs_again_from_the_start_writes_nothing_more() -> None:
    world = World()
    await world.decided()

    first = await world.carry_out()
    again = await world.carry_out()

    assert again == first
    assert len(world.cloud.writes) == 1


@pytest.mark.parametrize("parts", [1, 2, 3])
async def test_a_workflow_that_died_goes_on_from_its_last_step(parts: int) -> None:
    world = World()
    await world.decided()
    steps = FakeSteps()
    names = ("guard", "apply", "settle", "confirm")

    class Died(Exception):
        pass

    class DyingSteps(FakeSteps):
        async def step(self, name, action, *, into):  # type: ignore[no-untyped-def]
            if name == names[parts]:
                raise Died
            return await super().step(name, action, into=into)

    with pytest.raises(Died):
        await world.carry_out(steps=DyingSteps(steps.done))
    ended = await world.carry_out(steps=steps)

    assert ended.state is RollbackState.VERIFIED
    assert len(world.cloud.writes) == 1


async def test_a_step_that_died_after_its_write_does_not_write_again() -> None:
    world = World()
    decided = await world.decided()
    world.cloud.state = written(
        world.cloud.state, PinTraffic(service=a_service().name, revision=STABLE, tags=())
    )
    await world.store.change(lambda tx: tx.save_rollback(replace(decided, writes=1)))

    ended = await world.carry_out()

    assert (ended.state, ended.writes, world.cloud.writes) == (RollbackState.VERIFIED, 1, [])


# Google does not oblige.


async def test_a_refused_write_ends_as_failed_with_the_reason() -> None:
    world = World()
    await world.decided()
    world.cloud.next_writes.append(Failing(DENIED))

    ended = await world.carry_out()

    assert ended.state is RollbackState.FAILED
    assert ended.problem == "permission:update service ion-api:Permission 'run.services.update' denied"
    assert acts(world) == [Event.WRITE_SENT, Event.FAULT, Event.VERDICT, Event.RECORD_POSTED]


async def test_a_service_that_cannot_be_read_before_the_write_ends_as_failed() -> None:
    world = World()
    await world.decided()
    world.cloud.next_looks.append(
        CloudFault(doing="read service ion-api", kind=FaultKind.NOT_FOUND, detail="gone")
    )

    ended = await world.carry_out()

    assert (ended.state, world.cloud.writes) == (RollbackState.FAILED, [])


async def test_a_fault_after_the_write_ends_as_not_verified() -> None:
    world = World()
    await world.decided()
    world.cloud.next_looks.extend([None, None, None, DENIED])
    world.cloud.lag_looks = 5

    ended = await world.carry_out()

    assert ended.applied_at is not None
    assert ended.state is RollbackState.NOT_VERIFIED
    assert ended.problem == "permission:update service ion-api:Permission 'run.services.update' denied"


@pytest.mark.parametrize("fault", [GONE, CONFLICT])
async def test_a_write_without_an_answer_that_landed_is_not_written_again(fault: CloudFault) -> None:
    world = World()
    await world.decided()
    world.cloud.next_writes.append(Failing(fault, landed=True))

    ended = await world.carry_out()

    assert (ended.state, len(world.cloud.writes)) == (RollbackState.VERIFIED, 1)
    assert Event.WRITE_UNKNOWN in acts(world)
    assert ended.problem is None


async def test_a_write_without_an_answer_that_did_not_land_is_written_again() -> None:
    world = World()
    await world.decided()
    world.cloud.next_writes.append(Failing(GONE))

    ended = await world.carry_out()

    assert (ended.state, ended.writes) == (RollbackState.VERIFIED, 2)
    assert Event.OTHER_WRITER not in acts(world)


async def test_a_write_google_never_takes_ends_with_googles_words_and_blames_nobody() -> None:
    world = World()
    await world.decided()
    world.cloud.next_writes.extend([Failing(GONE)] * 9)

    ended = await world.carry_out()

    assert len(world.cloud.writes) == MOST_WRITES
    assert ended.state is RollbackState.FAILED
    assert ended.problem == "unreachable:read service ion-api:no route"


async def test_a_short_silence_of_google_is_waited_out() -> None:
    world = World()
    await world.decided()
    world.cloud.next_looks.extend([GONE] * 3)

    ended = await world.carry_out()

    assert ended.state is RollbackState.VERIFIED
    assert Event.WRITE_UNKNOWN not in acts(world)


async def test_a_long_silence_of_google_is_called_unknown_aloud() -> None:
    world = World()
    await world.decided()
    seen: list[RollbackState] = []

    def note(state: TargetState) -> TargetState:
        seen.append(world.store.rollback().state)
        return state

    world.cloud.next_looks.extend([None, *[GONE] * 8, note])

    ended = await world.carry_out()

    assert seen == [RollbackState.UNKNOWN]
    assert (ended.state, ended.problem, len(world.cloud.writes)) == (RollbackState.VERIFIED, None, 1)
    assert acts(world)[0] is Event.WRITE_UNKNOWN


async def test_an_unknown_outcome_after_the_write_keeps_the_time_it_was_first_applied() -> None:
    world = World()
    await world.decided()
    world.cloud.lag_looks = 3
    world.cloud.next_looks.extend([None, None, None, *[GONE] * 8])

    ended = await world.carry_out()

    assert (ended.state, ended.applied_at) == (RollbackState.VERIFIED, NOON)


async def test_after_an_hour_of_silence_the_bot_stops_asking() -> None:
    world = World()
    await world.decided()
    world.cloud.next_looks.extend([GONE] * 10_000)

    ended = await world.carry_out()

    assert ended.state is RollbackState.FAILED
    assert seconds(3600) < world.clock.now - NOON < seconds(3660)
    assert world.cloud.writes == []


# Other people write, too.


async def test_what_somebody_else_has_done_already_is_not_done_again() -> None:
    world = World()
    await world.decided()
    world.cloud.state = a_state(share(STABLE, 100))

    ended = await world.carry_out()

    assert (ended.state, world.cloud.writes) == (RollbackState.NOTHING_TO_DO, [])
    line = next(e for e in world.store.kept.chains[TIMELINE] if e.event is Event.WRITE_NOT_NEEDED)
    assert line.actor == "google:deployer@example.com"


def undone(state: TargetState) -> TargetState:
    """Somebody sends the canary its share again."""
    lines = (share(STABLE, 90), share(CANARY, 10))
    again = replace(
        state.switch, wanted=lines, observed=lines, last_modifier="rival@example.com", reconciling=False
    )
    return replace(state, switch=again)


async def test_somebody_who_undoes_it_is_answered_and_named() -> None:
    world = World()
    await world.decided()
    world.cloud.next_looks.extend([None, None, None, undone])

    ended = await world.carry_out()

    assert (ended.state, ended.writes) == (RollbackState.VERIFIED, 2)
    line = next(e for e in world.store.kept.chains[TIMELINE] if e.event is Event.OTHER_WRITER)
    assert line.actor == "google:rival@example.com"


async def test_a_fight_ends_after_four_writes_and_names_the_other_one() -> None:
    world = World()
    await world.decided()
    world.cloud.lag_looks = 1
    world.cloud.next_looks.extend([None, None, None, *[undone] * 20])

    ended = await world.carry_out()

    assert (ended.state, ended.writes) == (RollbackState.FAILED, MOST_WRITES)
    assert ended.problem == "fighting:rival@example.com"


NEWER = RevisionName("ion-api-00043-new")


def a_newer_canary() -> TargetState:
    three = (a_revision(NEWER, age_hours=0.1), *BOTH)
    return a_state(share(STABLE, 90), share(NEWER, 10), revisions=three)


async def test_a_plan_that_changed_after_the_approval_is_asked_about_afresh_once() -> None:
    world = World()
    await world.decided()
    world.cloud.state = a_newer_canary()

    ended = await world.carry_out()
    await world.carry_out()

    assert (ended.state, ended.problem) == (RollbackState.FAILED, "changed:deployer@example.com")
    assert world.cloud.writes == []
    anew = world.store.rollback("f00d-2")
    assert (anew.state, anew.asked_by, anew.reason) == (RollbackState.ASKED, ended.asked_by, ended.reason)
    assert world.store.started(Workflow.PREPARE) == [{"rollback": "f00d-2"}]


async def test_force_goes_on_although_the_plan_changed() -> None:
    world = World()
    await world.decided(a_rollback(plan=a_plan(), before=SICK, forced=True))
    world.cloud.state = a_newer_canary()

    ended = await world.carry_out()

    assert len(world.cloud.writes) == 1
    assert ended.writes == 1


@pytest.mark.parametrize("forced", [False, True])
@pytest.mark.parametrize(
    "revisions", [(a_revision(CANARY, age_hours=1),), (*BOTH[:1], a_revision(ready=False))]
)
async def test_traffic_is_never_sent_to_a_stable_revision_that_is_gone_or_not_ready(
    revisions: tuple[Revision, ...], forced: bool
) -> None:
    world = World()
    await world.decided(a_rollback(plan=a_plan(), before=SICK, forced=forced))
    world.cloud.state = a_state(revisions=revisions)

    ended = await world.carry_out()

    assert ended.state is RollbackState.FAILED
    assert world.cloud.writes == []


async def test_another_share_for_the_same_canary_is_the_same_plan() -> None:
    world = World()
    await world.decided()
    world.cloud.state = a_state(share(STABLE, 50), share(CANARY, 50))

    assert (await world.carry_out()).state is RollbackState.VERIFIED


# Settling and proving.


async def test_traffic_that_does_not_settle_in_time_is_not_verified() -> None:
    world = World()
    await world.decided()
    world.cloud.lag_looks = 10_000

    ended = await world.carry_out()

    assert ended.state is RollbackState.NOT_VERIFIED
    assert ended.settled_at is None
    assert [(e.proof, e.verdict) for e in ended.evidence] == [(Proof.TRAFFIC, Verdict.DISPROVEN)]
    assert seconds(90) < world.clock.now - NOON < seconds(92)


async def test_evidence_that_stays_thin_is_not_verified_and_says_so() -> None:
    world = World()
    await world.decided()
    world.requests.counting = lambda side, since, until: counts(side, requests=49, since=since, until=until)

    ended = await world.carry_out()

    verdicts = {e.proof: e.verdict for e in ended.evidence}
    assert ended.state is RollbackState.NOT_VERIFIED
    assert verdicts[Proof.ERROR_RATE] is verdicts[Proof.P95] is Verdict.INCONCLUSIVE
    assert verdicts[Proof.TRAFFIC] is verdicts[Proof.PROBE] is Verdict.PROVEN


async def test_bad_evidence_gets_time_to_become_good() -> None:
    world = World()
    await world.decided()
    good_from = NOON + seconds(60)

    def counting(side, since, until):  # type: ignore[no-untyped-def]
        found = calm(side, since, until)
        return found if until > good_from or side is Side.CANARY else replace(found, errors=10)

    world.requests.counting = counting

    ended = await world.carry_out()

    assert ended.state is RollbackState.VERIFIED
    assert world.clock.now > good_from


async def test_the_message_counts_the_seconds_without_flooding_slack() -> None:
    world = World()
    await world.decided()
    world.cloud.lag_looks = 60

    await world.carry_out()

    edits = world.store.kept.messages["rollback:f00d"].wanted
    assert 10 <= edits <= 20


# Two services and a router.


async def chat_world(state: TargetState) -> World:
    world = World(state)
    await world.decided(a_rollback(target=CHAT_TARGET, plan=a_services_plan(), before=SICK))
    return world


async def test_a_router_is_told_zero_once() -> None:
    world = await chat_world(a_services_state("10"))

    ended = await world.carry_out()

    assert ended.state is RollbackState.VERIFIED
    assert [type(write) for write in world.cloud.writes] == [SetVariable]


async def test_a_pinned_router_is_moved_along_and_nobody_is_blamed() -> None:
    pinned = (share(ROUTER_1, 100),)
    world = await chat_world(a_services_state("10", wanted=pinned, observed=pinned))

    def not_ready_yet(state: TargetState) -> TargetState:
        return replace(state, switch=replace(state.switch, latest_ready=ROUTER_1))

    def ready(state: TargetState) -> TargetState:
        return replace(state, switch=replace(state.switch, latest_ready=state.switch.latest_created))

    world.cloud.next_looks.extend([None, None, not_ready_yet, ready])

    ended = await world.carry_out()

    assert ended.state is RollbackState.VERIFIED
    assert [type(write) for write in world.cloud.writes] == [SetVariable, PinTraffic]
    assert Event.OTHER_WRITER not in acts(world)
