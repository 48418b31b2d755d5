"""A drill from its beginning to its scoreboard: what belongs to it, and what never does."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.domain.acts import Act, Verb
from bot.domain.announcement import AnnouncementState
from bot.domain.drill import LONGEST, Drill, Milestone
from bot.domain.follow_up import FollowUp, FollowUpState
from bot.domain.ids import ChannelId, IncidentNumber, TargetName
from bot.domain.incident import Incident, IncidentState
from bot.domain.looking_back import Wanted
from bot.domain.paging import PageState
from bot.domain.timeline import Event
from bot.usecases.act import Doing
from bot.usecases.begin_drill import RealIncidentOpen, begin_drill
from bot.usecases.drill_incidents import close_incident
from bot.usecases.end_drill import end_drill, read_scoreboard
from bot.usecases.join_incidents import JOIN
from bot.usecases.open_incident import open_incident
from bot.usecases.ports import NotKept, Workflow
from bot.usecases.report_stats import read_report
from bot.usecases.show_record import show_record
from bot.usecases.verify_record import verify_record
from tests.alerts import an_alarming_playbook
from tests.drills import FAST, a_drill
from tests.fakes import FakeVault
from tests.unit.slack.views.telling_views import an_announcement
from tests.unit.usecases.alert_world import AlertWorld, a_world
from tests.values import (
    CANARY,
    CANARY_TARGET,
    CHAT_TARGET,
    NOON,
    SENA,
    SICK,
    a_plan,
    a_rollback,
    an_incident,
    seconds,
)

ALL = Wanted(since=NOON - timedelta(days=400), until=NOON + timedelta(days=400))


async def begin(world: AlertWorld, scenario: str = "error_rate", target: TargetName = CANARY_TARGET) -> Drill:
    now = world.clock()
    return await world.store.change(lambda tx: begin_drill(tx, scenario=scenario, target=target, at=now))


async def end(world: AlertWorld, drill: Drill) -> Drill:
    playbook, now = world.playbooks.current(), world.clock()
    return await world.store.change(lambda tx: end_drill(tx, drill.id, playbook=playbook, at=now))


async def opened(world: AlertWorld, **more: Any) -> Incident:
    """Open an incident now, as a declaration does it."""
    playbook, now = world.playbooks.current(), world.clock()
    draft = an_incident(opened_at=now, **more)
    return await world.store.change(lambda tx: open_incident(tx, draft, playbook=playbook, at=now))


async def a_drill_done(world: AlertWorld, *, closed: bool = False) -> Drill:
    """Drill: an alarm after 40 s, a rollback carried out, the end; `closed` by somebody before that."""
    drill = await begin(world)
    world.clock.now += seconds(40)
    await world.alarm()
    world.clock.now += seconds(10)
    await world.decided(a_rollback(plan=a_plan(), before=SICK, asked_at=world.clock()))
    await world.carry_out()
    if closed:
        done = replace(world.incident(), state=IncidentState.CLOSED, closed_at=world.clock())
        await world.store.change(lambda tx: tx.save_incident(done))
        await world.store.change(
            lambda tx: show_record(tx, done.number, channel=ChannelId("C0"), at=world.clock())
        )
    return await end(world, drill)


def kept(world: AlertWorld, drill: Drill) -> Drill:
    found: Drill = world.store.kept.shelf[Drill, drill.id]
    return found


# Beginning.


async def test_a_drill_begins_with_the_failure_and_covers_an_hour() -> None:
    world = await a_world()

    drill = await begin(world, "memory")

    assert (drill.scenario, drill.target, drill.created_at) == ("memory", CANARY_TARGET, NOON)
    assert drill.until == NOON + LONGEST
    assert len(drill.id) <= 40
    assert kept(world, drill) == drill


async def test_the_watch_that_is_going_on_belongs_to_the_drill_and_says_so() -> None:
    world = await a_world()

    drill = await begin(world)

    facts = world.facts(Event.DRILL_BEGUN)
    assert (facts["drill"], facts["canary"]) == (drill.id, CANARY)
    assert "watch:canary:3" in world.store.kept.messages


async def test_beginning_ends_the_targets_other_drill_without_a_scoreboard() -> None:
    world = await a_world()
    first = await begin(world)
    world.clock.now += seconds(60)

    second = await begin(world)

    assert kept(world, first).ended_at == world.clock()
    assert kept(world, first).reached == {}
    assert kept(world, second).ended_at is None
    assert not [key for key in world.store.kept.messages if key.startswith("scoreboard:")]


async def test_another_targets_drill_goes_on() -> None:
    world = await a_world()
    first = await begin(world, target=CHAT_TARGET)

    await begin(world)

    assert kept(world, first).ended_at is None


async def test_nobody_drills_while_a_real_incident_is_open() -> None:
    world = await a_world()
    await opened(world)

    with pytest.raises(RealIncidentOpen, match="INC-1"):
        await begin(world)

    assert not [kind for kind, _ in world.store.kept.shelf if kind is Drill]


async def test_what_an_earlier_drill_left_open_is_closed() -> None:
    world = await a_world()
    await begin(world)
    world.clock.now += seconds(30)
    incident = await opened(world)
    world.clock.now += seconds(30)

    await begin(world)

    assert world.store.kept.incidents[incident.number].state is IncidentState.CLOSED


async def test_a_drills_incident_that_somebody_has_opened_again_is_closed() -> None:
    world = await a_world()
    await a_drill_done(world)
    again = replace(world.incident(), state=IncidentState.OPEN, closed_at=None)
    await world.store.change(lambda tx: tx.save_incident(again))
    world.clock.now += seconds(60)

    await begin(world)

    assert world.incident().state is IncidentState.CLOSED


# What belongs to it.


async def test_an_incident_opened_during_a_drill_belongs_to_it_and_says_so_first() -> None:
    world = await a_world()
    drill = await begin(world)
    world.clock.now += seconds(40)

    await world.alarm()

    assert world.incident().drill == drill.id
    assert world.events("incident:1")[:2] == [Event.DRILL_BEGUN, Event.INCIDENT_OPENED]


@pytest.mark.parametrize(("after", "belongs"), [(-1, False), (0, True), (3599, True), (3600, False)])
async def test_an_incident_belongs_to_a_drill_only_while_it_is_under_way(after: float, belongs: bool) -> None:
    world = await a_world()
    await world.keep_values(a_drill())
    world.clock.now = NOON + seconds(after)

    incident = await opened(world)

    assert bool(incident.drill) is belongs
    assert (Event.DRILL_BEGUN in world.events("incident:1")) is belongs


async def test_an_incident_of_another_target_is_real() -> None:
    world = await a_world()
    await begin(world)

    assert (await opened(world, target=CHAT_TARGET)).drill == ""


async def test_nothing_real_joins_the_incident_of_a_drill_that_nobody_ended() -> None:
    world = await a_world()
    await begin(world)
    practised = await opened(world)
    world.clock.now += LONGEST

    await world.alarm()

    assert world.store.kept.incidents[practised.number].state is IncidentState.CLOSED
    assert (world.incident().number, world.incident().drill) == (2, "")


@pytest.mark.parametrize(
    ("first", "second", "refused"), [("d1", "", True), ("", "d1", True), ("d1", "d1", False), ("", "", False)]
)
async def test_a_drill_and_a_real_incident_are_never_joined(first: str, second: str, refused: bool) -> None:
    world, playbook = await a_world(), an_alarming_playbook()
    await world.store.change(lambda tx: tx.add_incident(an_incident(drill=first)))
    await world.store.change(lambda tx: tx.add_incident(an_incident(drill=second, target=CHAT_TARGET)))
    act = Act(
        key="k", verb=Verb.JOIN, incident=IncidentNumber(1), person=SENA, acting_team=None,
        channel=ChannelId("C0"), words={"into": "2"},
    )  # fmt: skip

    reply = await world.store.change(
        lambda tx: JOIN.do(
            Doing(tx=tx, act=act, incident=tx.incident(act.incident), playbook=playbook, at=NOON)
        )
    )

    assert (reply is not None) is refused
    assert (world.store.kept.incidents[IncidentNumber(1)].merged_into is None) is refused
    assert not refused or (reply and dict(reply.facts)) == {"into": 2, "drill": True}


# Ending.


async def test_a_drill_that_ends_keeps_what_was_reached_and_shows_its_scoreboard() -> None:
    world = await a_world()

    drill = await a_drill_done(world)

    assert drill.incident == 1
    assert drill.ended_at == world.clock()
    assert list(drill.reached) == [
        Milestone.DETECTED, Milestone.DECIDED, Milestone.ROLLED_BACK, Milestone.VERIFIED,
    ]  # fmt: skip
    assert drill.took(Milestone.DETECTED) == 40
    assert drill.took(Milestone.DECIDED) == 50
    message = world.store.kept.messages[f"scoreboard:{drill.id}"]
    assert (message.channel, message.subject) == (world.playbooks.current().channels.incidents, drill.id)


async def test_its_incident_is_closed_with_its_record_and_calls_and_reminds_nobody_any_more() -> None:
    world = await a_world(None)
    drill = await begin(world)
    world.clock.now += seconds(40)
    await world.alarm()
    await world.decided()
    await world.carry_out()
    assert any(value.state is FollowUpState.OPEN for value in follow_ups(world))

    await end(world, drill)

    assert world.incident().state is IncidentState.CLOSED
    assert Event.DRILL_ENDED in world.events("incident:1")
    assert world.events("incident:1")[-1] is Event.RECORD_POSTED
    assert {page.state for page in world.pages()} <= {PageState.CALLED_OFF}
    assert {value.state for value in follow_ups(world)} == {FollowUpState.DROPPED}
    reminders = (Workflow.FOLLOW_UP, Workflow.POST_MORTEM)
    assert not [id for id in world.store.kept.timers if id.startswith(reminders)]


async def test_an_incident_is_closed_as_it_is_and_not_as_it_was_found() -> None:
    world = await a_world(None)
    await begin(world)
    found = await opened(world)
    since = replace(found, seen="completed meanwhile")
    await world.store.change(lambda tx: tx.save_incident(since))
    playbook, now = world.playbooks.current(), world.clock()

    await world.store.change(lambda tx: close_incident(tx, found, playbook, at=now))

    closed = world.incident()
    assert (closed.seen, closed.state, closed.closed_at) == (since.seen, IncidentState.CLOSED, now)


def follow_ups(world: AlertWorld) -> list[FollowUp]:
    return [value for (kind, _), value in world.store.kept.shelf.items() if kind is FollowUp]


async def test_ending_twice_is_ending_once() -> None:
    world = await a_world()
    drill = await a_drill_done(world)
    shown = world.store.kept.messages[f"scoreboard:{drill.id}"]
    world.clock.now += seconds(60)

    again = await end(world, drill)

    assert again == drill
    assert world.store.kept.messages[f"scoreboard:{drill.id}"] == shown


async def test_a_drill_in_which_nobody_did_anything_ends_as_well() -> None:
    world = await a_world()
    drill = await begin(world)
    world.clock.now += 2 * LONGEST

    ended = await end(world, drill)

    assert (ended.incident, ended.reached, ended.ended_at) == (None, {}, NOON + LONGEST)


async def test_an_unknown_drill_cannot_end() -> None:
    world = await a_world()

    with pytest.raises(NotKept):
        await end(world, a_drill())


async def test_users_told_in_the_drill_count() -> None:
    world = await a_world()
    drill = await begin(world, "data_loss")
    await opened(world)
    told = an_announcement(
        incident=IncidentNumber(1),
        notice="data_loss",
        state=AnnouncementState.POSTED,
        posted_at=NOON + seconds(70),
    )
    await world.keep_values(told)
    world.clock.now += seconds(90)

    ended = await end(world, drill)

    assert ended.took(Milestone.USERS_TOLD) == 70


async def test_the_second_drill_is_compared_with_the_first() -> None:
    world = await a_world()
    await world.keep_values(a_drill("first", reached=FAST, created_at=NOON - timedelta(days=90)))

    drill = await a_drill_done(world)

    playbook = world.playbooks.current()
    board = await world.store.look(lambda tx: read_scoreboard(tx, drill.id, playbook))
    assert board.compared == 1
    assert board.scores[0].last == FAST[Milestone.DETECTED]


# Never in the statistics.


async def test_a_drill_leaves_the_statistics_as_they_were() -> None:
    world = await a_world()
    await world.store.change(
        lambda tx: tx.write_down(
            "watch:canary:3", Event.WATCH_BEGUN, key="begun", at=NOON - seconds(60), actor="backout",
            target="canary", canary=CANARY, deployed_at=None,
        )
    )  # fmt: skip
    await a_drill_done(world)

    report = await world.store.look(lambda tx: read_report(tx, ALL))

    assert (report.all.incidents, report.all.rollbacks, report.rules, report.incidents) == (0, 0, (), ())
    assert report.canaries is not None
    assert (report.canaries.seen, report.canaries.rolled_back) == (0, 0)


# Sealed.


@pytest.mark.parametrize("closed_before", [False, True])
async def test_the_record_of_a_drill_is_whole_and_its_mark_cannot_be_taken_away(closed_before: bool) -> None:
    world = await a_world()
    await a_drill_done(world, closed=closed_before)
    whole = await verify_record(IncidentNumber(1), store=world.store, vault=FakeVault())
    real = replace(world.incident(), drill="")
    await world.store.change(lambda tx: tx.save_incident(real))

    touched = await verify_record(IncidentNumber(1), store=world.store, vault=FakeVault())

    assert whole.whole
    assert [flaw.what for flaw in touched.flaws] == ["incident"]
