"""Follow-ups: planned once, given, moved, done and dropped, also after the incident is closed."""

from datetime import timedelta

import pytest

from bot.domain.acts import Verb
from bot.domain.follow_up import REMIND_EVERY, FollowUpState
from bot.domain.ids import ChannelId, IncidentNumber, PersonId, RollbackId
from bot.domain.incident import IncidentState
from bot.domain.rollback import RollbackState
from bot.domain.timeline import Event
from bot.usecases.my_tasks import my_open_follow_ups
from bot.usecases.plan_follow_ups import plan_follow_ups
from bot.usecases.ports import Said, Showing, Workflow
from bot.usecases.report_status import read_status
from bot.usecases.show_follow_ups import ON_ONE_CARD, on_page, pages_for, show_privately
from tests.paging import a_follow_up_plan, a_playbook_with_contacts, a_scenario
from tests.unit.usecases.paging_world import ONE, PagingWorld, a_world
from tests.values import CANARY_TARGET, GITCO, LUBIT, SENA, a_decided_rollback, seconds

DAY = 86_400


async def a_closed_world() -> PagingWorld:
    """An incident of scenario "errors" that Sena has closed; its follow-ups are planned."""
    world = await a_world(scenario="errors")
    await world.act(Verb.CLOSE)
    assert world.incident().state is IncidentState.CLOSED
    return world


async def plan(world: PagingWorld) -> None:
    playbook, now = world.playbooks.current(), world.clock()
    await world.store.change(lambda tx: plan_follow_ups(tx, tx.incident(ONE), playbook, at=now))


# Planning.


async def test_closing_the_incident_plans_the_scenarios_follow_ups() -> None:
    world = await a_closed_world()

    assert world.follow_up("analyse_logs").owner == GITCO
    assert [titles["en"] for titles in world.facts(Event.FOLLOW_UPS_PLANNED)["titles"]] == [
        "Do analyse_logs",
        "Do add_tests",
        "Do postpone",
    ]
    assert world.store.kept.messages["follow_ups:1:1"].channel == "#critical-incidents"


async def test_before_there_is_an_afterwards_nothing_is_planned() -> None:
    world = await a_world(scenario="errors")

    await plan(world)

    assert Event.FOLLOW_UPS_PLANNED not in world.events()


@pytest.mark.parametrize("state", [RollbackState.VERIFIED, RollbackState.NOT_VERIFIED])
async def test_a_rollback_that_moved_the_traffic_plans_them(state: RollbackState) -> None:
    world = await a_world(scenario="errors")
    await world.keep(a_decided_rollback(state, incident=ONE))

    await plan(world)

    assert world.follow_up("postpone").state is FollowUpState.OPEN


async def test_a_rollback_that_failed_plans_nothing() -> None:
    world = await a_world(scenario="errors")
    await world.keep(a_decided_rollback(RollbackState.FAILED, incident=ONE))

    await plan(world)

    assert Event.FOLLOW_UPS_PLANNED not in world.events()


async def test_the_verdict_of_a_rollback_plans_them_in_its_own_transaction() -> None:
    world = PagingWorld()
    rollback = await world.decided()
    await world.change(scenario="errors")

    await world.carry_out(RollbackId(rollback.id))

    assert world.follow_up("postpone").state is FollowUpState.OPEN


async def test_planning_twice_makes_each_of_them_once() -> None:
    world = await a_closed_world()

    await plan(world)

    assert world.events().count(Event.FOLLOW_UPS_PLANNED) == 1


async def test_another_scenario_leaves_out_what_nobody_touched_and_says_so() -> None:
    world = await a_world(scenario="errors")
    await world.keep(a_decided_rollback(RollbackState.VERIFIED, incident=ONE))
    await plan(world)
    await world.act(Verb.TAKE_FOLLOW_UP, LUBIT, follow_up="1-postpone")

    await world.act(Verb.SCENARIO, scenario="slow", why="not errors")

    assert world.follow_up("analyse_logs").scenario_changed
    assert world.follow_up("postpone").state is FollowUpState.OPEN
    assert world.follow_up("tune_queries").state is FollowUpState.OPEN
    assert world.events()[-2:] == [Event.FOLLOW_UPS_PLANNED, Event.FOLLOW_UPS_LEFT_OUT]
    assert f"{Workflow.FOLLOW_UP}:1-analyse_logs" not in world.store.kept.timers


async def test_an_incident_that_was_joined_leaves_them_to_the_other() -> None:
    world = await a_world(scenario="errors")
    await world.change(state=IncidentState.CLOSED, merged_into=IncidentNumber(2))

    await plan(world)

    assert Event.FOLLOW_UPS_PLANNED not in world.events()


# Changing.


async def test_whoever_takes_one_has_it() -> None:
    world = await a_closed_world()

    await world.act(Verb.TAKE_FOLLOW_UP, LUBIT, follow_up="1-add_tests")

    assert world.follow_up("add_tests").owner == LUBIT
    assert world.told()[-1] == Said.FOLLOW_UP_SAVED
    assert world.events()[-1] is Event.FOLLOW_UP_TAKEN
    assert world.shown("follow_ups:1:1") == 2


async def test_whoever_gets_one_is_told() -> None:
    world = await a_closed_world()

    await world.act(Verb.ASSIGN_FOLLOW_UP, SENA, key="give", follow_up="1-add_tests", owner=GITCO)

    notice = world.store.kept.messages["notice:given:give"]
    assert (notice.person, notice.facts["what"], notice.facts["by"]) == (GITCO, Said.FOLLOW_UP_GIVEN, SENA)
    assert world.follow_up("add_tests").owner == GITCO


async def test_nobody_from_outside_can_be_given_one() -> None:
    world = await a_closed_world()

    await world.act(Verb.ASSIGN_FOLLOW_UP, SENA, follow_up="1-add_tests", owner="U0STRANGER")

    assert world.follow_up("add_tests").owner is None
    assert world.told()[-1] == Said.NOT_ONE_OF_US


async def test_taking_what_one_has_changes_nothing() -> None:
    world = await a_closed_world()

    await world.act(Verb.TAKE_FOLLOW_UP, GITCO, follow_up="1-analyse_logs")

    assert not world.follow_up("analyse_logs").touched
    assert world.told()[-1] == Said.FOLLOW_UP_STANDS


async def test_a_moved_date_says_from_when_to_when_and_why() -> None:
    world = await a_closed_world()
    before = world.follow_up("add_tests").due_at

    await world.act(Verb.MOVE_FOLLOW_UP, SENA, follow_up="1-add_tests", day="2026-04-01", why="holidays")

    moved = world.follow_up("add_tests")
    assert moved.due_at.isoformat() == "2026-04-01T00:00:00+00:00"
    assert world.facts(Event.FOLLOW_UP_MOVED) == {
        "follow_up": "1-add_tests",
        "title": {"en": "Do add_tests", "ko": "add_tests 하기"},
        "before": before.isoformat(),
        "due_at": moved.due_at.isoformat(),
        "why": "holidays",
    }
    assert world.store.kept.timers[f"{Workflow.FOLLOW_UP}:1-add_tests"][0] == moved.due_at


async def test_what_is_done_is_done_once_and_can_be_opened_again() -> None:
    world = await a_closed_world()

    await world.act(Verb.FINISH_FOLLOW_UP, GITCO, follow_up="1-add_tests")
    done = world.follow_up("add_tests")
    await world.act(Verb.FINISH_FOLLOW_UP, LUBIT, follow_up="1-add_tests")
    unchanged = world.follow_up("add_tests")
    await world.act(Verb.REOPEN_FOLLOW_UP, LUBIT, follow_up="1-add_tests")

    assert (done.state, done.by, done.ended_at) == (FollowUpState.DONE, GITCO, world.clock())
    assert unchanged == done
    assert world.told()[-3:] == [Said.FOLLOW_UP_SAVED, Said.FOLLOW_UP_STANDS, Said.FOLLOW_UP_SAVED]
    assert world.follow_up("add_tests").state is FollowUpState.OPEN


@pytest.mark.parametrize(
    "verb", [Verb.TAKE_FOLLOW_UP, Verb.MOVE_FOLLOW_UP, Verb.FINISH_FOLLOW_UP, Verb.DROP_FOLLOW_UP]
)
async def test_a_press_on_what_was_dropped_changes_nothing(verb: Verb) -> None:
    world = await a_closed_world()
    await world.act(Verb.DROP_FOLLOW_UP, SENA, follow_up="1-add_tests", why="we have them")
    dropped = world.follow_up("add_tests")

    await world.act(verb, LUBIT, follow_up="1-add_tests", day="2026-04-01", why="late")

    assert world.follow_up("add_tests") == dropped
    assert (dropped.state, dropped.why) == (FollowUpState.DROPPED, "we have them")
    assert world.told()[-1] == Said.FOLLOW_UP_STANDS


# Reminding.


def reminders(world: PagingWorld, key: str) -> list[PersonId | None]:
    """Return whom the bot reminded of one follow-up."""
    messages = world.store.kept.messages.values()
    due = [m for m in messages if m.facts.get("what") == Said.FOLLOW_UP_DUE]
    return [m.person for m in due if m.facts["follow_up"] == f"1-{key}"]


def brought_up(world: PagingWorld) -> list[str]:
    """Return what was brought up in the incident channel."""
    messages = world.store.kept.messages.values()
    return [m.subject.partition("@")[0] for m in messages if m.what is Showing.FOLLOW_UP_DUE]


async def test_the_owner_is_reminded_on_the_due_day_and_with_the_channel_every_three_days() -> None:
    world = await a_closed_world()

    await world.later(7 * DAY)
    on_the_day = reminders(world, "analyse_logs"), brought_up(world).count("1-analyse_logs")
    await world.later(REMIND_EVERY.total_seconds())
    await world.later(REMIND_EVERY.total_seconds())

    assert on_the_day == ([GITCO], 0)
    assert reminders(world, "analyse_logs") == [GITCO] * 3
    assert brought_up(world).count("1-analyse_logs") == 2


async def test_what_nobody_has_is_brought_up_in_the_channel_and_with_the_commander() -> None:
    world = await a_closed_world()
    await world.change(commander=LUBIT)

    await world.later(7 * DAY)

    assert reminders(world, "add_tests") == [LUBIT]
    assert "1-add_tests" in brought_up(world)


@pytest.mark.parametrize("verb", [Verb.FINISH_FOLLOW_UP, Verb.DROP_FOLLOW_UP])
async def test_what_has_ended_is_not_brought_up(verb: Verb) -> None:
    world = await a_closed_world()
    await world.act(verb, SENA, follow_up="1-analyse_logs", why="done")

    await world.later(30 * DAY)

    assert reminders(world, "analyse_logs") == []


async def test_a_moved_one_is_brought_up_on_its_new_day_only() -> None:
    world = await a_closed_world()
    await world.act(Verb.MOVE_FOLLOW_UP, SENA, follow_up="1-analyse_logs", day="2026-04-01", why="later")

    await world.later(7 * DAY)
    early = reminders(world, "analyse_logs")
    await world.later(30 * DAY)

    assert (early, reminders(world, "analyse_logs")) == ([], [GITCO])


async def test_giving_an_overdue_one_away_keeps_its_reminders() -> None:
    world = await a_closed_world()
    await world.later(7 * DAY)

    await world.act(Verb.TAKE_FOLLOW_UP, LUBIT, follow_up="1-analyse_logs")
    await world.later(REMIND_EVERY.total_seconds())

    assert reminders(world, "analyse_logs") == [GITCO, LUBIT]


async def test_an_overdue_one_that_is_opened_again_is_not_brought_up_at_once() -> None:
    world = await a_closed_world()
    await world.act(Verb.FINISH_FOLLOW_UP, GITCO, follow_up="1-analyse_logs")
    world.clock.now += timedelta(days=30)
    await world.act(Verb.REOPEN_FOLLOW_UP, GITCO, follow_up="1-analyse_logs")

    await world.later(1)
    at_once = reminders(world, "analyse_logs")
    await world.later(REMIND_EVERY.total_seconds())

    assert (at_once, reminders(world, "analyse_logs")) == ([], [GITCO])


async def test_a_reminder_of_a_moment_that_has_moved_says_nothing() -> None:
    world = await a_closed_world()
    early = {"follow_up": "1-analyse_logs", "begun": "x", "turn": "0"}

    await world.woken(Workflow.FOLLOW_UP, early)

    assert reminders(world, "analyse_logs") == []


async def test_clocks_that_are_a_little_apart_lose_no_reminder() -> None:
    world = await a_closed_world()
    world.clock.now = world.follow_up("analyse_logs").due_at - seconds(1)

    await world.woken(Workflow.FOLLOW_UP, {"follow_up": "1-analyse_logs", "begun": "x", "turn": "0"})

    assert reminders(world, "analyse_logs") == [GITCO]


# Seeing.


async def test_the_next_deployment_is_said_to_be_postponed_until_that_is_done() -> None:
    world = await a_closed_world()

    before = await read_status(CANARY_TARGET, use=world.reporting)
    await world.act(Verb.FINISH_FOLLOW_UP, SENA, follow_up="1-postpone")
    after = await read_status(CANARY_TARGET, use=world.reporting)

    (postponed,) = before.postponed
    assert (postponed.incident, postponed.titles["en"]) == (ONE, "Do postpone")
    assert after.postponed == ()


async def test_my_follow_ups_are_those_i_have_to_do_the_first_one_first() -> None:
    world = await a_closed_world()
    for key in ("add_tests", "postpone"):
        await world.act(Verb.TAKE_FOLLOW_UP, GITCO, follow_up=f"1-{key}")
    await world.act(Verb.FINISH_FOLLOW_UP, GITCO, follow_up="1-add_tests")

    mine = await world.store.look(lambda tx: my_open_follow_ups(tx, GITCO))

    assert [follow_up.key for follow_up in mine] == ["postpone", "analyse_logs"]


async def test_more_than_fit_on_one_card_are_on_the_next() -> None:
    many = [a_follow_up_plan(f"task_{n}") for n in range(ON_ONE_CARD + 1)]
    playbook = a_playbook_with_contacts().model_dump(mode="json", by_alias=True)
    playbook["scenarios"] = [a_scenario("errors", 1, *many)]
    world = PagingWorld(a_playbook_with_contacts().model_validate(playbook))
    await world.open(scenario="errors")

    await world.act(Verb.CLOSE)
    await world.store.change(
        lambda tx: show_privately(tx, ONE, SENA, ChannelId("C0OPERATIONS"), "key", at=world.clock())
    )

    assert {"follow_ups:1:1", "follow_ups:1:2"} <= set(world.store.kept.messages)
    assert "follow_ups:1:3" not in world.store.kept.messages
    private = [n for n in world.store.notices() if n["what"] == Said.FOLLOW_UPS]
    assert [notice["page"] for notice in private] == [1, 2]


def test_every_follow_up_is_on_exactly_one_card() -> None:
    world: tuple[int, ...] = tuple(range(45))
    cards = [on_page(world, page) for page in range(1, pages_for(45) + 1)]  # type: ignore[arg-type]

    assert [len(card) for card in cards] == [20, 20, 5]
    assert pages_for(0) == 0
