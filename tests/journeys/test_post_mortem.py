"""The post-mortem: scheduled in the channel, in the calendars, reminded of, moved, held, called off."""

import asyncio
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from icalendar import Calendar

from bot.domain.post_mortem import REMIND_BEFORE, MeetingState, PostMortem
from tests.journeys.incidents import board_of, close, declare, logged, opened, told
from tests.journeys.stored import stored
from tests.journeys.world import Bot, World, action_ids, running_bot, texts, until

CHANNEL = "C0CRITICAL"


@pytest.fixture(autouse=True)
def nobody_there(world: World) -> None:
    """Nothing is rolled back here."""
    world.send_users_home()


def url_of(folder: Path) -> str:
    return f"sqlite:///{folder / 'backout.db'}"


async def asked(world: World, user: str) -> dict[str, Any]:
    """Ask for the modal by command and return it."""
    await world.slack.slash(user, "C0OPERATIONS", "/incident post-mortem 1")
    return await opened(world, user, callback="post_mortem.schedule")


async def a_file(world: World, name: str) -> dict[str, Any]:
    """Wait for a file and return it."""

    def look() -> dict[str, Any] | None:
        return next((file for file in world.slack.files() if file["name"] == name), None)

    return await until(look, what=name)


async def invitation(world: World, *, having: str) -> dict[str, Any]:
    """Wait until the invitation, edited in place, says or offers something."""

    def look() -> dict[str, Any] | None:
        for message in world.slack.messages(CHANNEL):
            key = ((message.get("metadata") or {}).get("event_payload") or {}).get("key")
            if key == "post_mortem:1" and (having in texts(message) or having in action_ids(message)):
                return dict(message)
        return None

    return await until(look, what=f"{having!r} in the invitation")


def event_in(file: dict[str, Any]) -> Any:
    """Return the event of a calendar's file as it was uploaded."""
    assert b"\n" not in file["content"].replace(b"\r\n", b"")
    (event,) = Calendar.from_ical(file["content"]).walk("VEVENT")
    return event


def meeting(bot: Bot) -> PostMortem:
    """Return what is kept."""
    (kept,) = stored(bot.database_url, PostMortem, incident=1)
    return kept


@pytest.mark.parametrize("locale", ["en", "ko"])
async def test_a_closed_incident_gets_its_meeting_and_everybody_can_see_when(
    world: World, tmp_path: Path, locale: str
) -> None:
    async with running_bot(world, url_of(tmp_path), locale=locale) as bot:
        await world.slack.slash("U0GITCO", "C0OPERATIONS", "/incident new")
        view = await opened(world, "U0GITCO", callback="incident.declare")
        seen = {"declare.seen": "errors", "declare.scenario": "error_rate", "declare.severity": "high"}
        await world.slack.submit("U0GITCO", view["id"], seen)
        await close(world, "U0GITCO", await board_of(world, 1))
        await board_of(world, 1, having="incident.reopen")
        goodbye = await world.seen(CHANNEL, having="post_mortem.schedule")

        await world.slack.click("U0GITCO", CHANNEL, goodbye["ts"], "post_mortem.schedule")
        view = await opened(world, "U0GITCO", callback="post_mortem.schedule")
        past = int(datetime.now(UTC).timestamp()) - 60
        wrong = await world.slack.submit("U0GITCO", view["id"], {"post_mortem.at": past})
        place = "https://us02web.zoom.us/j/812?pwd=QWxhZGRpbjpvcGVu1,b;c"
        right = {"post_mortem.at": None, "post_mortem.place": place, "post_mortem.owner": "U0LUBIT"}
        answer = await world.slack.submit("U0GITCO", view["id"], right)
        shown = await invitation(world, having="post_mortem.held")
        calendar = await a_file(world, "INC-1-post-mortem-0.ics")
        document = await a_file(world, "INC-1-post-mortem-0.md")
        kept = meeting(bot)
        board = await board_of(world, 1, having=f"<!date^{int(kept.starts_at.timestamp())}^")
        mine = await told(world, "U0LUBIT", "INC-1")

    assert set(wrong.body["errors"]) == {"post_mortem.at"}
    assert not answer.body
    assert event_in(calendar)["dtstart"].dt == kept.starts_at
    assert event_in(calendar)["location"] == place
    assert kept.place == place
    assert all("?pwd=QWxhZGRpbjpvcGVu1" in said for said in (texts(shown), mine))
    assert calendar["thread_ts"] == document["thread_ts"] == shown["ts"]
    assert "[[" not in texts(shown)
    assert "UTC+09:00" in texts(shown)
    assert document["content"].decode().startswith("# ")
    assert re.search("(?i)post-mortem", mine)
    assert "post_mortem" not in "".join(action_ids(board))


async def test_two_who_schedule_at_once_get_one_meeting(world: World, tmp_path: Path) -> None:
    async with running_bot(world, url_of(tmp_path)) as bot:
        await declare(world, "U0GITCO", "errors")
        await board_of(world, 1)
        views = {user: await asked(world, user) for user in ("U0GITCO", "U0SENA")}

        await asyncio.gather(
            *(
                world.slack.submit(user, view["id"], {"post_mortem.owner": user})
                for user, view in views.items()
            )
        )
        shown = await invitation(world, having="post_mortem.held")
        kept = meeting(bot)
        late = "U0SENA" if kept.by == "U0GITCO" else "U0GITCO"
        said = await told(world, late, ":information_source:")
        await a_file(world, "INC-1-post-mortem-0.md")

    assert "INC-1" in said
    assert kept.sequence == 0
    assert [file["name"] for file in world.slack.files() if file["name"].endswith(".ics")] == [
        "INC-1-post-mortem-0.ics"
    ]
    assert shown["ts"]


async def test_it_is_reminded_of_after_a_restart_moved_and_held(world: World, tmp_path: Path) -> None:
    async with running_bot(world, url_of(tmp_path)) as bot:
        await declare(world, "U0GITCO", "errors")
        board = await board_of(world, 1)
        view = await asked(world, "U0GITCO")
        soon = datetime.now(UTC) + REMIND_BEFORE + timedelta(seconds=15)
        chosen = {"post_mortem.at": int(soon.timestamp()), "post_mortem.owner": "U0LUBIT"}
        await world.slack.submit("U0GITCO", view["id"], chosen)
        await a_file(world, "INC-1-post-mortem-0.ics")
        await bot.kill()
        await bot.start()
        reminded = await told(world, "U0LUBIT", "begins soon")
        shown = await invitation(world, having="post_mortem.move")
        thread = await until(
            lambda: [
                texts(one)
                for one in world.slack.messages(CHANNEL, thread_ts=shown["ts"])
                if "begins soon" in texts(one)
            ],
            what="the reminder in the thread",
        )

        await world.slack.click("U0LUBIT", CHANNEL, shown["ts"], "post_mortem.move")
        view = await opened(world, "U0LUBIT", title="Move")
        await world.slack.submit("U0LUBIT", view["id"], {"post_mortem.place": "Room 7"})
        moved = event_in(await a_file(world, "INC-1-post-mortem-1.ics"))
        shown = await invitation(world, having="Room 7")
        await world.slack.click("U0LUBIT", CHANNEL, shown["ts"], "post_mortem.held")
        await invitation(world, having="Held, says <@U0LUBIT>")
        log = await logged(world, board, having="The post-mortem was held")
        first = event_in(await a_file(world, "INC-1-post-mortem-0.ics"))

    assert "You see to it" in reminded
    assert "<@U0LUBIT>" in thread[0]
    assert (first["uid"], moved["sequence"]) == (moved["uid"], 1)
    assert log.index("scheduled the post-mortem") < log.index("changed the post-mortem")
    assert "Room 7" in log


async def test_calling_it_off_needs_a_reason_and_the_right(world: World, tmp_path: Path) -> None:
    async with running_bot(world, url_of(tmp_path)) as bot:
        await declare(world, "U0GITCO", "errors")
        await board_of(world, 1)
        view = await asked(world, "U0GITCO")
        await world.slack.submit("U0GITCO", view["id"], {"post_mortem.owner": "U0GITCO"})
        shown = await invitation(world, having="post_mortem.call_off")

        await world.slack.click("U0MANAGER", CHANNEL, shown["ts"], "post_mortem.call_off")
        view = await opened(world, "U0MANAGER", callback="post_mortem.call_off")
        await world.slack.submit("U0MANAGER", view["id"], {"post_mortem.why": "no time"})
        await told(world, "U0MANAGER", ":no_entry:")
        assert meeting(bot).state is MeetingState.SCHEDULED

        await world.slack.click("U0GITCO", CHANNEL, shown["ts"], "post_mortem.call_off")
        view = await opened(world, "U0GITCO", callback="post_mortem.call_off")
        await world.slack.submit("U0GITCO", view["id"], {"post_mortem.why": "<!channel> a drill"})
        shown = await invitation(world, having="post_mortem.schedule")
        off = event_in(await a_file(world, "INC-1-post-mortem-1.ics"))

    assert "&lt;!channel&gt; a drill" in texts(shown)
    assert off["status"] == "CANCELLED"
