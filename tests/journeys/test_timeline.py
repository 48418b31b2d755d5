"""The timeline: people add to it in every way there is, correct it, read all of it and take it along."""

import csv
import io
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from bot.domain.timeline import incident_chain
from tests.journeys.incidents import board_of, declare, log_of, logged, opened, told
from tests.journeys.rows import timeline
from tests.journeys.world import Bot, World, backout, running_bot, texts, until

LONG = f"{'a long line of log 긴 줄 ' * 1_700}the very end"


@pytest_asyncio.fixture(loop_scope="session")
async def bot(world: World, tmp_path: Any) -> AsyncIterator[Bot]:
    """A bot with INC-1 open."""
    world.send_users_home()
    async with running_bot(world, f"sqlite:///{tmp_path / 'backout.db'}") as running:
        await declare(world, "U0GITCO")
        await board_of(world, 1)
        yield running


def shown(view: dict[str, Any]) -> str:
    """Return what a modal says."""
    return texts(view | {"text": ""})


async def test_notes_are_sorted_by_when_they_happened(bot: Bot, world: World) -> None:
    board = await board_of(world, 1)
    for line in ("340 users affected", "-10m first complaint", "INC-1 -1h deploy began"):
        await world.slack.slash("U0GITCO", "C0OPERATIONS", f"/incident note {line}")
        await logged(world, board, having=line.split(maxsplit=1)[1].removeprefix("-1h ").split()[-1])

    await world.slack.slash("U0GITCO", "C0OPERATIONS", "/incident show")
    read = shown(await opened(world, "U0GITCO", title="Timeline"))

    order = [
        read.index(text) for text in ("deploy began", "first complaint", "Incident declared", "340 users")
    ]
    assert order == sorted(order)
    assert read.count("noted at") == 2


@pytest.mark.parametrize(("line", "complaint"), [("25:99 x", "is no time"), ("-10m", "Write what happened")])
async def test_a_wrong_time_is_answered_with_what_to_write(
    bot: Bot, world: World, line: str, complaint: str
) -> None:
    await world.slack.slash("U0GITCO", "C0OPERATIONS", f"/incident note {line}")

    await told(world, "U0GITCO", complaint)
    assert "noted" not in [event for event, *_ in timeline(bot.database_url, incident_chain(1))]  # type: ignore[arg-type]


async def test_a_note_is_written_in_a_modal_too(bot: Bot, world: World) -> None:
    board = await board_of(world, 1)
    await world.slack.click("U0LUBIT", "C0CRITICAL", board["ts"], "timeline.note")
    view = await opened(world, "U0LUBIT", title="Note")
    wrong = await world.slack.submit(
        "U0LUBIT", view["id"], {"timeline.note_text": "pods restarted", "timeline.note_when": "noonish"}
    )
    view = world.slack.views("U0LUBIT")[-1]
    await world.slack.submit("U0LUBIT", view["id"], {"timeline.note_when": "-5m"})

    assert "timeline.note_when" in wrong.body["errors"]
    assert "noted at" in await logged(world, board, having="pods restarted")


async def test_a_message_is_added_by_reaction_and_by_menu_but_once(bot: Bot, world: World) -> None:
    board = await board_of(world, 1)
    await world.slack.share_files("U0LEMUN", "C0CRITICAL", {"graph.png": b"png"}, text="look <here> 🔥")
    ts = world.slack.messages("C0CRITICAL")[-1]["ts"]

    await world.slack.react("U0GITCO", "C0CRITICAL", ts, "pushpin")
    log = await logged(world, board, having="<@U0LEMUN> wrote")
    await world.slack.press_message_shortcut("U0LUBIT", "C0CRITICAL", ts, "add_to_timeline")
    await told(world, "U0LUBIT", "has that message already")

    assert log_of(world, board).count("wrote: look") == 1
    assert "graph.png" in log
    assert "/archives/C0CRITICAL/p" in log
    assert "added by <@U0GITCO>" in log


async def test_another_reaction_adds_nothing(bot: Bot, world: World) -> None:
    board = await board_of(world, 1)
    ts = await world.say("U0LEMUN", "C0CRITICAL", "just looking")
    await world.slack.react("U0GITCO", "C0CRITICAL", ts, "eyes")
    other = await world.say("U0LEMUN", "C0CRITICAL", "this one")
    await world.slack.react("U0GITCO", "C0CRITICAL", other, "pushpin")

    assert "just looking" not in await logged(world, board, having="this one")


async def test_a_reply_in_a_boards_thread_goes_to_that_incident(bot: Bot, world: World) -> None:
    await declare(world, "U0GITCO", "the router", target="chat")
    board = await board_of(world, 2)
    ts = await world.say("U0LEMUN", "C0CRITICAL", "in the thread", thread_ts=board["ts"])

    await world.slack.react("U0GITCO", "C0CRITICAL", ts, "pushpin")

    await logged(world, board, having="wrote: in the thread")


async def test_with_two_incidents_open_the_person_is_asked_which(bot: Bot, world: World) -> None:
    await declare(world, "U0GITCO", "the router", target="chat")
    board = await board_of(world, 2)
    ts = await world.say("U0LEMUN", "C0CRITICAL", "somewhere else")
    await world.slack.react("U0GITCO", "C0CRITICAL", ts, "pushpin")
    question = await world.seen("C0CRITICAL", having="To which incident", user="U0GITCO")

    await world.slack.click("U0GITCO", "C0CRITICAL", question["ts"], "incident.which", selected="2")

    await logged(world, board, having="wrote: somewhere else")


async def test_a_message_the_bot_cannot_read_is_not_added_and_that_is_said(bot: Bot, world: World) -> None:
    world.slack.fail_next("conversations.replies", error="not_in_channel")
    ts = await world.say("U0LEMUN", "C0CRITICAL", "secret")

    await world.slack.react("U0GITCO", "C0CRITICAL", ts, "pushpin")

    assert "Invite me to its channel" in await told(world, "U0GITCO", "I cannot read that message")


async def test_a_correction_stands_beside_the_line_which_stays(bot: Bot, world: World) -> None:
    board = await board_of(world, 1)
    await world.slack.slash("U0GITCO", "C0OPERATIONS", "/incident note 400 users affected")
    await logged(world, board, having="400 users")
    await world.slack.slash("U0LUBIT", "C0OPERATIONS", "/incident show")
    view = await opened(world, "U0LUBIT", title="Timeline")
    line = next(b["block_id"] for b in view["blocks"] if "400 users" in str(b.get("text")))
    await world.slack.click_view("U0LUBIT", view["id"], "timeline.correct", block_id=line)
    asked = await opened(world, "U0LUBIT", title="Correct")
    await world.slack.submit("U0LUBIT", asked["id"], {"timeline.correct_text": "340 users, not 400"})
    await logged(world, board, having="corrected by <@U0LUBIT>")
    await world.slack.close_view("U0LUBIT", view["id"])
    await world.slack.slash("U0LUBIT", "C0OPERATIONS", "/incident show")

    read = shown(await opened(world, "U0LUBIT", title="Timeline"))
    struck = next(line for line in read.splitlines() if "400 users affected" in line)

    assert struck.startswith("~")
    assert "340 users, not 400" in struck


async def test_a_long_timeline_is_paged_through_to_its_very_end(bot: Bot, world: World) -> None:
    board = await board_of(world, 1)
    await world.slack.say("U0LEMUN", "C0CRITICAL", LONG)
    ts = world.slack.messages("C0CRITICAL")[-1]["ts"]
    await world.slack.react("U0GITCO", "C0CRITICAL", ts, "pushpin")
    await logged(world, board, having="a long line of log")
    await world.slack.slash("U0GITCO", "C0OPERATIONS", "/incident show 1 1")
    view = await opened(world, "U0GITCO", title="Timeline")

    read = shown(view)
    while "timeline.newer" in str(view["blocks"]):
        await world.slack.click_view("U0GITCO", view["id"], "timeline.newer")
        view = world.slack.views("U0GITCO")[-1]
        read += shown(view)

    assert read.count("긴") == 1_700
    assert "the very end" in read
    assert "timeline.older" in str(view["blocks"])


async def test_the_timeline_is_exported_with_its_hashes_and_harmless_cells(bot: Bot, world: World) -> None:
    board = await board_of(world, 1)
    await world.slack.slash("U0GITCO", "C0OPERATIONS", '/incident note =HYPERLINK("http://evil.example")')
    await logged(world, board, having="HYPERLINK")
    await world.slack.slash("U0GITCO", "C0OPERATIONS", "/incident export")
    await until(lambda: len(world.slack.files()) == 2, what="two files")
    files = world.slack.files()
    by_kind = {file["name"].rpartition(".")[2]: file for file in files}

    read = json.loads(by_kind["json"]["content"])
    rows = list(csv.DictReader(io.StringIO(by_kind["csv"]["content"].decode())))
    printed = await backout(bot.environment(), "incident", "export", "1", "--format", "json")
    unknown = await backout(bot.environment(), "incident", "export", "99")

    assert all(file["thread_ts"] == board["ts"] for file in files)
    assert read["first_broken_line"] is None
    assert [row["hash"] for row in rows] == [entry["hash"] for entry in read["timeline"]]
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row.values())
    assert json.loads(printed.said)["timeline"][: len(rows)] == read["timeline"]
    assert unknown.code == 2
