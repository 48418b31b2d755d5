"""The post-mortem meeting: scheduled once, moved, held, called off, and brought up until it is over."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bot.domain.acts import Verb
from bot.domain.ids import IncidentNumber, PersonId
from bot.domain.incident import IncidentState, Severity
from bot.domain.playbook import Playbook
from bot.domain.post_mortem import ASK_AT_MOST, MeetingState, PostMortem, Reminder
from bot.domain.timeline import BACKOUT, Event
from bot.usecases.ports import Said, Workflow
from bot.usecases.remind_post_mortem import remind_post_mortem
from tests.checklists import a_phase, a_step
from tests.fakes import FakeSteps
from tests.paging import a_playbook_with_contacts
from tests.unit.usecases.paging_world import ONE, PagingWorld
from tests.values import GITCO, LUBIT, NOON, SENA

SEOUL = ZoneInfo("Asia/Seoul")
#: Wednesday at ten in Seoul; it is Monday evening there.
WEDNESDAY = datetime(2026, 3, 4, 10, tzinfo=SEOUL)
MINUTE, HOUR, DAY = (timedelta(**{unit: 1}) for unit in ("minutes", "hours", "days"))
STRANGER = PersonId("U0STRANGER")


def a_checklist() -> Playbook:
    """Return a playbook whose one step is the meeting."""
    phase = a_phase("record", 5, 10, a_step("schedule_post_mortem", "post_mortem"))
    return a_playbook_with_contacts(checklist=[phase])


class MeetingWorld(PagingWorld):
    """The world with the meeting's reminders running."""

    async def woken(self, workflow: Workflow, arguments: dict[str, str]) -> None:
        """Run a woken reminder."""
        if workflow is Workflow.POST_MORTEM:
            await remind_post_mortem(
                arguments,
                steps=FakeSteps(),
                store=self.store,
                playbooks=self.playbooks,
                clock=self.clock,
            )
        await super().woken(workflow, arguments)

    async def schedule(self, by: PersonId = SENA, **more: str) -> None:
        """Schedule the meeting for Wednesday."""
        words: dict[str, Any] = {
            "starts_at": WEDNESDAY.isoformat(),
            "minutes": "60",
            "place": "Room 5",
            "owner": GITCO,
        }
        await self.act(Verb.SCHEDULE_POST_MORTEM, by, **(words | {"seen": ""} | more))

    async def move(self, to: datetime, *, seen: str = "0", by: PersonId = SENA, **more: str) -> None:
        """Move it."""
        words: dict[str, Any] = {
            "starts_at": to.isoformat(),
            "minutes": "45",
            "place": "",
            "owner": GITCO,
            "seen": seen,
        }
        await self.act(Verb.MOVE_POST_MORTEM, by, **(words | more))

    async def until(self, when: datetime) -> None:
        """Let time go by until `when`, running what is due at its moment."""
        while self.store.kept.timers:
            due = min(at for at, _, _ in self.store.kept.timers.values())
            if due > when:
                break
            await self.later((max(due, self.clock.now) - self.clock.now).total_seconds())
        self.clock.now = when

    def meeting(self) -> PostMortem:
        """Return the meeting as stored."""
        found: PostMortem = self.store.kept.shelf[PostMortem, "1"]
        return found

    def due_for(self, person: PersonId) -> list[str]:
        """Return what somebody was reminded of, in order."""
        return [
            str(message.facts["reminder"])
            for message in self.store.kept.messages.values()
            if message.person == person and message.facts.get("what") == Said.MEETING_DUE
        ]

    def posted(self) -> list[str]:
        """Return what was shown of the meeting."""
        return [key for key in self.store.kept.messages if key.startswith("post_mortem")]


async def a_world(**more: Any) -> MeetingWorld:
    """Return a world with an incident that Sena commands."""
    world = MeetingWorld(more.pop("playbook", None))
    await world.open(**({"commander": SENA, "severity": Severity.HIGH} | more))
    return world


async def a_meeting(**more: Any) -> MeetingWorld:
    """Return a world with the meeting on Wednesday; Gitco sees to it."""
    world = await a_world(**more)
    await world.schedule()
    return world


# Scheduling.


async def test_scheduling_posts_the_invitation_with_its_files_and_writes_it_down() -> None:
    world = await a_meeting()

    assert (world.meeting().state, world.meeting().starts_at) == (MeetingState.SCHEDULED, WEDNESDAY)
    assert world.posted() == ["post_mortem:1", "post_mortem_file:1:0.ics", "post_mortem_file:1:0.md"]
    assert world.store.kept.messages["post_mortem_file:1:0.ics"].under == "post_mortem:1"
    assert world.store.kept.messages["post_mortem:1"].channel == "#critical-incidents"
    assert world.facts(Event.POST_MORTEM_SET)["place"] == "Room 5"
    assert world.facts(Event.POST_MORTEM_SET)["before"] is None
    assert world.told() == [Said.MEETING_SET, Said.MEETING_SET]


async def test_two_who_press_at_once_make_one_meeting_and_the_second_hears_of_the_first() -> None:
    world = await a_meeting()

    await world.schedule(GITCO, starts_at=(WEDNESDAY + DAY).isoformat())

    assert world.meeting().starts_at == WEDNESDAY
    assert world.events().count(Event.POST_MORTEM_SET) == 1
    assert world.told()[-1] == Said.MEETING_STANDS


async def test_the_checklists_step_ticks_itself_and_says_by_whom() -> None:
    world = await a_meeting(playbook=a_checklist())

    mark = world.incident().marks["schedule_post_mortem"]
    assert (mark.state, mark.by) == ("done", BACKOUT)
    assert mark.evidence["by"] == SENA
    assert world.events()[-2:] == [Event.POST_MORTEM_SET, Event.STEP_SEEN]


async def test_whoever_may_complete_records_may_schedule_and_others_are_refused() -> None:
    world = await a_world()

    await world.schedule(LUBIT)

    assert (PostMortem, "1") not in world.store.kept.shelf
    assert world.told() == [Said.REFUSED]
    await world.schedule(GITCO)
    assert world.meeting().by == GITCO


async def test_the_commander_may_whatever_their_roles() -> None:
    world = await a_world(commander=LUBIT)

    await world.schedule(LUBIT)

    assert world.meeting().by == LUBIT


async def test_nobody_from_outside_can_be_made_to_see_to_it() -> None:
    world = await a_world()

    await world.schedule(owner=STRANGER)

    assert world.told() == [Said.NOT_ONE_OF_US]
    assert (PostMortem, "1") not in world.store.kept.shelf


async def test_an_incident_that_was_joined_leaves_it_to_the_other() -> None:
    world = await a_world()
    await world.change(state=IncidentState.CLOSED, merged_into=IncidentNumber(2))

    await world.schedule()

    assert world.told() == [Said.WAS_JOINED]


# Moving and ending.


async def test_moving_keeps_the_meeting_and_uploads_a_new_calendar_file() -> None:
    world = await a_meeting()

    await world.move(WEDNESDAY + DAY, by=LUBIT)

    meeting = world.meeting()
    assert (meeting.starts_at, meeting.minutes, meeting.sequence) == (WEDNESDAY + DAY, 45, 1)
    assert world.posted()[-1] == "post_mortem_file:1:1.ics"
    assert world.shown("post_mortem:1") == 2
    assert world.facts(Event.POST_MORTEM_SET)["before"] == "2026-03-04T01:00:00+00:00"


async def test_another_place_at_the_same_time_is_a_change_and_no_move() -> None:
    world = await a_meeting()

    await world.move(WEDNESDAY, place="Room 7")

    meeting, written = world.meeting(), world.facts(Event.POST_MORTEM_SET)
    assert (meeting.starts_at, meeting.place, meeting.sequence) == (WEDNESDAY, "Room 7", 1)
    assert (written["before"], written["changed"]) == (None, True)
    assert world.posted()[-1] == "post_mortem_file:1:1.ics"
    assert world.told()[-1] == Said.MEETING_SET


async def test_moving_to_what_it_is_already_changes_nothing() -> None:
    world = await a_meeting()

    await world.move(WEDNESDAY, minutes="60", place="Room 5")

    assert world.meeting().sequence == 0
    assert world.events().count(Event.POST_MORTEM_SET) == 1
    assert world.told()[-1] == Said.MEETING_STANDS


async def test_whoever_moves_what_was_moved_meanwhile_hears_how_it_stands() -> None:
    world = await a_meeting()
    await world.move(WEDNESDAY + DAY)

    await world.move(WEDNESDAY + 2 * DAY, by=LUBIT, seen="0")

    assert world.meeting().starts_at == WEDNESDAY + DAY
    assert world.told()[-1] == Said.MEETING_STANDS


async def test_held_ends_every_reminder_whoever_says_so() -> None:
    world = await a_meeting()
    await world.until(WEDNESDAY + HOUR)

    await world.act(Verb.HOLD_POST_MORTEM, LUBIT, seen="0")
    await world.until(WEDNESDAY + 60 * DAY)

    assert (world.meeting().state, world.meeting().by) == (MeetingState.HELD, LUBIT)
    assert world.due_for(GITCO) == [Reminder.SOON]
    assert world.events()[-1] is Event.POST_MORTEM_HELD


async def test_held_twice_is_held_once() -> None:
    world = await a_meeting()
    await world.act(Verb.HOLD_POST_MORTEM, LUBIT, seen="0")

    await world.act(Verb.HOLD_POST_MORTEM, SENA, seen="0")

    assert world.events().count(Event.POST_MORTEM_HELD) == 1
    assert world.told()[-1] == Said.MEETING_STANDS


async def test_calling_off_strikes_it_out_of_the_calendars_and_keeps_the_reason() -> None:
    world = await a_meeting()

    await world.act(Verb.CALL_OFF_POST_MORTEM, GITCO, seen="0", why="it was a drill")
    await world.until(WEDNESDAY + 60 * DAY)

    assert (world.meeting().state, world.meeting().why) == (MeetingState.CALLED_OFF, "it was a drill")
    assert world.posted()[-1] == "post_mortem_file:1:1.ics"
    assert world.due_for(GITCO) == []
    assert world.facts(Event.POST_MORTEM_CALLED_OFF)["sequence"] == 1


async def test_only_whoever_may_schedule_calls_it_off() -> None:
    world = await a_meeting()

    await world.act(Verb.CALL_OFF_POST_MORTEM, LUBIT, seen="0", why="no time")

    assert world.meeting().state is MeetingState.SCHEDULED
    assert world.told()[-1] == Said.REFUSED


async def test_what_was_called_off_is_scheduled_anew_with_the_next_number() -> None:
    world = await a_meeting()
    await world.act(Verb.CALL_OFF_POST_MORTEM, seen="0", why="too early")

    await world.schedule(starts_at=(WEDNESDAY + 7 * DAY).isoformat())

    assert (world.meeting().state, world.meeting().sequence) == (MeetingState.SCHEDULED, 2)
    assert world.posted()[-2:] == ["post_mortem_file:1:2.ics", "post_mortem_file:1:2.md"]


# Reminding.


async def test_a_quarter_of_an_hour_before_thread_and_owner_are_reminded_once() -> None:
    world = await a_meeting()

    await world.until(WEDNESDAY - 15 * MINUTE - timedelta(seconds=1))
    assert world.due_for(GITCO) == []
    await world.until(WEDNESDAY - 15 * MINUTE)

    assert world.due_for(GITCO) == [Reminder.SOON]
    assert world.posted()[-2:] == ["post_mortem:1:soon-0", "post_mortem_file:1:0-soon.md"]
    assert world.store.kept.messages["post_mortem:1:soon-0"].under == "post_mortem:1"


async def test_a_moved_one_is_reminded_of_at_its_new_time_only() -> None:
    world = await a_meeting()
    await world.move(WEDNESDAY + DAY)

    await world.until(WEDNESDAY + HOUR)
    assert world.due_for(GITCO) == []
    await world.until(WEDNESDAY + DAY)

    assert world.due_for(GITCO) == [Reminder.SOON]


async def test_a_reminder_that_was_under_way_when_it_was_moved_says_nothing() -> None:
    world = await a_meeting()
    old = {"incident": "1", "what": "soon", "sequence": "0", "turn": "0"}
    await world.move(WEDNESDAY + DAY)

    await world.woken(Workflow.POST_MORTEM, old)

    assert world.due_for(GITCO) == []


async def test_a_process_that_slept_through_the_beginning_asks_afterwards() -> None:
    world = await a_meeting()
    world.clock.now = WEDNESDAY + 10 * MINUTE

    await world.later(0)
    assert world.due_for(GITCO) == []
    await world.until(WEDNESDAY + DAY)

    assert world.due_for(GITCO) == [Reminder.HELD]


async def test_after_it_the_owner_is_asked_on_every_working_day_and_at_last_the_commander_once() -> None:
    world = await a_meeting()

    await world.until(WEDNESDAY + DAY)
    assert world.due_for(GITCO) == [Reminder.SOON, Reminder.HELD]
    await world.until(WEDNESDAY + 5 * DAY)  # The weekend does not count.
    assert len(world.due_for(GITCO)) == 4
    await world.until(WEDNESDAY + 90 * DAY)

    assert world.due_for(GITCO) == [Reminder.SOON, *[Reminder.HELD] * ASK_AT_MOST]
    assert world.due_for(SENA) == [Reminder.UNANSWERED]
    assert world.posted()[-1] == "post_mortem:1:unanswered-0"
    assert f"{Workflow.POST_MORTEM}:1" not in world.store.kept.timers


# None set.


async def closed(**more: Any) -> MeetingWorld:
    """Return a world whose incident Sena has closed on Monday evening."""
    world = await a_world(**more)
    await world.act(Verb.CLOSE)
    assert world.incident().state is IncidentState.CLOSED
    return world


@pytest.mark.parametrize("severity", [Severity.CRITICAL, Severity.HIGH])
async def test_a_grave_incident_without_a_meeting_is_brought_up_three_times(severity: Severity) -> None:
    world = await closed(severity=severity)

    await world.until(datetime(2026, 3, 3, 9, 59, tzinfo=SEOUL))
    assert world.due_for(SENA) == []
    await world.until(NOON + 30 * DAY)

    assert world.due_for(SENA) == [Reminder.NONE_SET] * 3


async def test_a_lighter_one_is_not() -> None:
    world = await closed(severity=Severity.MEDIUM)

    await world.until(NOON + 30 * DAY)

    assert world.due_for(SENA) == []


async def test_once_it_is_scheduled_nobody_is_told_that_it_is_not() -> None:
    world = await closed()
    await world.schedule()

    await world.until(WEDNESDAY)

    assert world.due_for(SENA) == []


async def test_one_with_a_meeting_already_is_closed_quietly() -> None:
    world = await a_meeting()
    await world.act(Verb.CLOSE)

    assert f"{Workflow.POST_MORTEM}:1:none" not in world.store.kept.timers


async def test_an_incident_that_is_open_again_is_brought_up_after_its_second_end() -> None:
    world = await closed()
    await world.act(Verb.REOPEN)
    await world.until(NOON + DAY)
    assert world.due_for(SENA) == []

    await world.act(Verb.CLOSE)
    await world.until(NOON + 30 * DAY)

    assert world.due_for(SENA) == [Reminder.NONE_SET] * 3


async def test_without_a_commander_the_channel_reads_it() -> None:
    world = await closed(commander=None)

    await world.until(NOON + 30 * DAY)

    assert world.posted() == [f"post_mortem:1:none_set-{turn}" for turn in range(3)]


# Joining.


async def joined(*, other_has_one: bool) -> MeetingWorld:
    """Return a world in which incident 1, with its meeting, was joined to incident 2."""
    world = await a_meeting()
    await world.open(target="chat", commander=SENA)
    if other_has_one:
        words: dict[str, Any] = {"minutes": "60", "place": "", "owner": GITCO}
        words["starts_at"] = WEDNESDAY.isoformat()
        await world.act(Verb.SCHEDULE_POST_MORTEM, number=2, **words)
    await world.act(Verb.JOIN, into="2")
    assert world.incident().merged_into == 2
    return world


async def test_of_two_meetings_about_one_incident_the_joined_ones_is_called_off() -> None:
    world = await joined(other_has_one=True)

    assert (world.meeting().state, world.meeting().by) == (MeetingState.CALLED_OFF, None)
    assert world.facts(Event.POST_MORTEM_CALLED_OFF)["into"] == 2
    assert f"{Workflow.POST_MORTEM}:{ONE}" not in world.store.kept.timers


async def test_where_the_other_has_none_the_meeting_stands() -> None:
    world = await joined(other_has_one=False)

    assert world.meeting().state is MeetingState.SCHEDULED
