"""The post-mortem as it is sent: the invitation in its words, the calendar's file, and the document."""

from datetime import timedelta
from typing import Any

import pytest
from icalendar import Calendar

from bot.adapters.message_files import File
from bot.adapters.rendering import Rendering
from bot.domain.acts import Verb
from bot.domain.checklist import Mark, StepState
from bot.domain.incident import FromPeople
from bot.slack.text import LOCALES
from bot.slack.views.rollback_message import Message
from bot.usecases.ports import Showing
from tests.drills import a_drill
from tests.paging import a_playbook_with_contacts
from tests.unit.adapters.test_rendering import NoMessages
from tests.unit.slack.markup import all_texts
from tests.unit.usecases.test_post_mortem import DAY, WEDNESDAY, MeetingWorld, a_meeting, a_world
from tests.values import GITCO, NOON, SENA, a_person

REVIEW = [{"key": "code", "title": {"en": "Code", "ko": "코드"}, "points": [{"en": "New", "ko": "새 기능"}]}]


def rendering(world: MeetingWorld, locale: str = "en") -> Rendering:
    world.store.kept.names |= {SENA: "Sena", GITCO: "Gitco"}
    return Rendering(world.store, world.playbooks, world.people, NoMessages(), world.clock, locale=locale)


async def invited(world: MeetingWorld, locale: str = "en") -> str:
    """Return all that the invitation says."""
    shown = await rendering(world, locale).render(Showing.POST_MORTEM, "1", {}, person=None)
    assert isinstance(shown, Message)
    return "\n".join(all_texts(shown.blocks))


async def a_file(world: MeetingWorld, name: str, locale: str = "en") -> File:
    shown = await rendering(world, locale).render(Showing.POST_MORTEM_FILE, f"1:{name}", {}, person=None)
    assert isinstance(shown, File)
    return shown


def event_in(file: File) -> Any:
    assert isinstance(file.content, bytes)
    (event,) = Calendar.from_ical(file.content).walk("VEVENT")
    return event


# The invitation.


@pytest.mark.parametrize(("locale", "day"), [("en", "Wed"), ("ko", "수")])
async def test_the_invitation_is_filled_in_with_date_and_place(locale: str, day: str) -> None:
    world = await a_meeting()

    said = await invited(world, locale)

    assert f"{day} 2026-03-04 10:00–11:00 (UTC+09:00, Asia/Seoul)" in said
    assert "Room 5" in said
    assert "[[" not in said


async def test_where_it_is_not_known_it_stands_as_something_to_fill_in() -> None:
    world = await a_world()
    await world.schedule(place="")

    assert "[[room or link]]" in await invited(world)


@pytest.mark.parametrize("locale", LOCALES)
async def test_once_it_was_held_it_says_by_whom_we_know(locale: str) -> None:
    world = await a_meeting()
    await world.act(Verb.HOLD_POST_MORTEM, GITCO, seen="0")

    assert f"<@{GITCO}>" in await invited(world, locale)


async def test_a_reminder_is_shown_in_the_thread() -> None:
    world = await a_meeting()

    shown = await rendering(world).render(Showing.POST_MORTEM, "1:soon-0", {}, person=None)

    assert isinstance(shown, Message)
    assert "begins soon" in shown.text


async def test_whoever_is_asked_can_answer_right_there() -> None:
    world = await a_meeting()
    await world.until(WEDNESDAY + DAY)
    facts = next(f for f in world.store.notices() if f.get("reminder") == "held")
    world.people = type(world.people)(a_person(GITCO, locale="ko-KR"))

    shown = await rendering(world).render(Showing.NOTICE, "x", facts, person=GITCO)

    assert isinstance(shown, Message)
    assert [e["action_id"] for e in shown.blocks[-1]["elements"]] == [
        "post_mortem.held",
        "post_mortem.move",
        "post_mortem.call_off",
    ]


# The calendar's file.


@pytest.mark.parametrize("locale", LOCALES)
async def test_the_calendars_file_says_what_was_scheduled(locale: str) -> None:
    world = await a_meeting()

    file = await a_file(world, "0.ics", locale)

    event = event_in(file)
    assert file.name == "INC-1-post-mortem-0.ics"
    assert (event["dtstart"].dt, event["location"], event["sequence"]) == (WEDNESDAY, "Room 5", 0)
    assert event["dtstamp"].dt == NOON
    assert "INC-1" in event["summary"]


async def test_a_meeting_about_a_drill_says_so_in_the_calendar_and_in_the_document() -> None:
    world = await a_meeting()
    await world.change(drill="d1")
    await world.store.change(lambda tx: tx.keep(a_drill()))

    calendar, document = await a_file(world, "0.ics"), await a_file(world, "0-1.md")

    assert event_in(calendar)["summary"].startswith("DRILL: Post-mortem of INC-1")
    assert calendar.title.startswith("DRILL: ")
    assert str(document.content).startswith("# Post-mortem of DRILL: INC-1")


async def test_each_change_keeps_its_own_file_byte_for_byte() -> None:
    world = await a_meeting()
    first = await a_file(world, "0.ics")
    world.clock.now += timedelta(hours=1)

    await world.move(WEDNESDAY + DAY)
    await world.act(Verb.CALL_OFF_POST_MORTEM, seen="1", why="a drill")

    moved, off = event_in(await a_file(world, "1.ics")), event_in(await a_file(world, "2.ics"))
    assert (await a_file(world, "0.ics")).content == first.content
    assert moved["uid"] == off["uid"] == event_in(first)["uid"]
    assert (moved["status"], off["status"]) == ("CONFIRMED", "CANCELLED")
    assert (moved["sequence"], moved["dtstart"].dt) == (1, WEDNESDAY + DAY)
    assert moved["dtstamp"].dt == NOON + timedelta(hours=1)


# The document.

HEADINGS = {
    "en": (
        "What happened",
        "Impact",
        "Timeline",
        "Contributing causes",
        "What went well",
        "What went badly",
        "Where we were lucky",
        "Actions",
    ),
    "ko": (
        "무슨 일이 있었나",
        "영향",
        "타임라인",
        "기여 원인",
        "잘된 점",
        "잘되지 않은 점",
        "운이 좋았던 점",
        "조치",
    ),
}


async def a_rolled_back_world() -> MeetingWorld:
    """Return a world with everything a document can hold: a rollback, a review, follow-ups, a cause."""
    world = MeetingWorld(a_playbook_with_contacts(analysis={"review": REVIEW}))
    await world.decided()
    await world.carry_out()
    found = Mark(state=StepState.NOT_OK, by=GITCO, at=NOON, why="the cache was never | warmed")
    people = FromPeople(cause="a *cold* cache", improvements="warm it", users_affected=340, by=SENA, at=NOON)
    await world.change(marks={"review.code.1": found}, people=people, scenario="errors", commander=SENA)
    await world.act(Verb.CLOSE)
    await world.schedule()
    return world


@pytest.mark.parametrize("locale", LOCALES)
async def test_the_document_asks_everything_and_is_filled_in_with_what_is_known(locale: str) -> None:
    world = await a_rolled_back_world()

    file = await a_file(world, "0.md", locale)

    text = str(file.content)
    assert file.name == "INC-1-post-mortem-0.md"
    assert [h for h in HEADINGS[locale] if f"\n## {h}\n" in text] == list(HEADINGS[locale])
    assert "a \\*cold\\* cache" in text
    assert "the cache was never \\| warmed" in text
    assert "340" in text
    assert "| Gitco | 2026-03-" in text
    assert "+09:00" in text


@pytest.mark.parametrize("locale", LOCALES)
async def test_with_nothing_known_it_is_still_a_document(locale: str) -> None:
    world = await a_meeting()

    text = str((await a_file(world, "0.md", locale)).content)

    assert [h for h in HEADINGS[locale] if f"\n## {h}\n" in text] == list(HEADINGS[locale])
    assert text == str((await a_file(world, "0.md", locale)).content)


async def test_the_document_says_how_fast_it_went_and_what_luck_there_was() -> None:
    world = await a_rolled_back_world()

    text = str((await a_file(world, "0.md")).content)

    assert "The rollback was verified" in text
    assert "Only 10 % of the traffic went to the canary." in text
