"""The failure record after a rollback: people complete it, and whatever they write stays a text."""

import asyncio
import hashlib
import json
import re
import unicodedata
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from bot.sandbox.names import TEAM_ID
from bot.slack.text import Words
from tests.journeys.incidents import close
from tests.journeys.rows import audited, filed_records
from tests.journeys.world import Bot, World, running_bot, texts, until
from tests.postgres import PostgresServer

HANGUL = unicodedata.normalize("NFD", "한글")
HOSTILE_REASON = f"<!channel> *bold* `code` \u202egnp.exe\x00 {HANGUL}"
HOSTILE_CAUSE = f"<!channel> <https://evil.example|click> *bold* `code` | # \u202egnp.exe\x00 {HANGUL} "


@pytest_asyncio.fixture(scope="module", loop_scope="session", params=["sqlite", "postgresql"])
async def bot(
    shared_world: World, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Bot]:
    """A bot that has just rolled back, asked with a hostile reason, and posted the record's first edition."""
    shared_world.reset()
    url = f"sqlite:///{tmp_path_factory.mktemp('bot') / 'backout.db'}"
    if request.param == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgres_server")
        url = server.create_database()
    async with running_bot(shared_world, url, draws=True) as running:
        await shared_world.slack.slash("U0LUBIT", "C0OPERATIONS", f"/rollback canary force {HOSTILE_REASON}")
        await shared_world.seen("C0CRITICAL", having="Deployment failure record")
        await until(lambda: records(shared_world, "pdf"), what="the record's files")
        yield running
    if request.param == "postgresql":
        server.drop_database(url)


async def opened_by(world: World, user: str) -> dict[str, Any]:
    """Press *Complete the record* and return the modal."""
    record = await world.seen("C0CRITICAL", having="Deployment failure record")
    await world.slack.click(user, "C0CRITICAL", record["ts"], "record.complete")
    view: dict[str, Any] = world.slack.views(user)[-1]
    return view


def filled_in(view: dict[str, Any]) -> dict[str, Any]:
    """Return what a modal holds, by the id of each input."""
    inputs = {id: one for block in view["state"]["values"].values() for id, one in block.items()}
    return {
        id: one["value"] if "value" in one else (one["selected_option"] or {}).get("value")
        for id, one in inputs.items()
    }


def everything_posted(world: World) -> str:
    """Return every message of ours, with threads and blocks, as one text."""
    posts = []
    for channel in ("C0OPERATIONS", "C0CRITICAL"):
        for message in world.slack.messages(channel):
            posts += [message, *world.slack.messages(channel, thread_ts=message["ts"])]
    return json.dumps(posts, ensure_ascii=False)


def newest_file(world: World) -> tuple[str, str]:
    """Return name and content of the newest record as Markdown."""
    file = max(records(world, "md"), key=lambda one: str(one["name"]))
    return file["name"], file["content"].decode()


def records(world: World, ending: str) -> list[dict[str, Any]]:
    """Return the record's files of one kind."""
    return [one for one in world.slack.files() if re.fullmatch(rf"INC-1-record-\d+\.{ending}", one["name"])]


async def test_the_record_is_one_message_with_every_form_under_it(bot: Bot, shared_world: World) -> None:
    world = shared_world
    record = await world.seen("C0CRITICAL", having="Deployment failure record")

    (markdown,), (page,), (printed,) = (records(world, ending) for ending in ("md", "html", "pdf"))

    assert {one["thread_ts"] for one in (markdown, page, printed)} == {record["ts"]}
    (posted,) = [
        message
        for message in world.slack.messages("C0CRITICAL", thread_ts=record["ts"])
        if len(message.get("files") or ()) == 3
    ]
    assert posted["text"] == "Failure record of INC-1, edition 1, to read and to hand on."
    assert page["content"].startswith(b"<!DOCTYPE html>")
    assert printed["content"].startswith(b"%PDF")


async def test_what_was_posted_is_what_was_filed(bot: Bot, shared_world: World) -> None:
    filed = await asyncio.to_thread(filed_records, bot.database_url)

    posted = {
        one["name"]: hashlib.sha256(one["content"]).hexdigest()
        for ending in ("md", "html", "pdf")
        for one in records(shared_world, ending)
    }

    assert posted.items() <= filed.items()


async def test_the_record_is_a_canvas_that_the_channel_can_read(bot: Bot, shared_world: World) -> None:
    world = shared_world

    shown = await world.seen("C0CRITICAL", having="The record as a canvas")

    (canvas,) = world.slack.workspace.contents.canvases.values()
    assert canvas.access == {"C0CRITICAL": "read"}
    assert canvas.title == "Failure record of INC-1"
    assert f"/docs/{TEAM_ID}/{canvas.id}|" in json.dumps(shown["blocks"])


async def test_the_modal_holds_what_is_known_already(bot: Bot, shared_world: World) -> None:
    view = await opened_by(shared_world, "U0LEMUN")

    known = filled_in(view)
    assert known["record.severity"] in ("medium", "high")
    assert known["record.type"] is not None
    assert known["record.cause"] is None
    assert known["record.users"] is None


async def test_a_wrong_number_is_named_at_its_field_and_nothing_typed_is_lost(
    bot: Bot, shared_world: World
) -> None:
    view = await opened_by(shared_world, "U0LEMUN")

    wrong = {"record.users": "1e3", "record.down": "2e0", "record.cause": "kept"}
    delivery = await shared_world.slack.submit("U0LEMUN", view["id"], wrong)

    assert delivery.body["response_action"] == "errors"
    assert set(delivery.body["errors"]) == {"record.users", "record.down"}
    assert filled_in(shared_world.slack.views("U0LEMUN")[-1])["record.cause"] == "kept"


async def test_a_guest_may_not_complete_the_record_and_is_told_so(bot: Bot, shared_world: World) -> None:
    before = newest_file(shared_world)
    view = await opened_by(shared_world, "U0GUEST")

    await shared_world.slack.submit("U0GUEST", view["id"], {"record.cause": "mine"})
    refusal = await shared_world.seen("C0CRITICAL", having="Nothing was done", user="U0GUEST")

    assert "is a guest of this workspace" in texts(refusal)
    assert audited(bot.database_url)[-1] == ("record_refused", "U0GUEST", "guest")
    assert newest_file(shared_world) == before


async def test_what_people_know_is_shown_in_the_message_the_file_and_the_board(
    bot: Bot, shared_world: World
) -> None:
    world, words = shared_world, Words(locale="ko")
    record = await world.seen("C0CRITICAL", having="Deployment failure record")
    view = await opened_by(world, "U0LEMUN")
    saved = words.say(
        ":white_check_mark: The record of {label} is updated, in the channel and as a file.", label="INC-1"
    )

    answers = {
        "record.severity": "critical",
        "record.type": "data_loss",
        "record.cause": HOSTILE_CAUSE * 20,
        "record.users": "1200",
        "record.data_loss": "no",
        "record.down": "0",
        "record.improvements": "probe before the split",
    }
    await world.slack.submit("U0LEMUN", view["id"], answers)
    notice = await world.seen("C0CRITICAL", having=saved, user="U0LEMUN")
    shown = await world.seen("C0CRITICAL", having="probe before the split")
    board = await world.seen("C0CRITICAL", having="incident.close")
    await until(lambda: newest_file(world)[0] == "INC-1-record-2.md", what="the second edition")

    assert notice["ephemeral_for"] == "U0LEMUN"
    assert shown["ts"] == record["ts"]
    assert "Users affected: 1200 · Data loss: no · Service down: 0 min" in texts(shown)
    assert "Critical" in texts(board)
    assert "Data loss" in texts(board)
    assert "probe before the split" in newest_file(world)[1]
    assert "Completed by: lemun" in newest_file(world)[1]
    again = filled_in(await opened_by(world, "U0LEMUN"))
    assert (again["record.users"], again["record.severity"]) == ("1200", "critical")
    assert again["record.cause"].startswith("<!channel>")


async def test_whatever_people_write_can_neither_ring_nor_link_nor_hide(
    bot: Bot, shared_world: World
) -> None:
    posted = everything_posted(shared_world)
    _, file = newest_file(shared_world)

    assert "&lt;!channel&gt; *bold* `code` gnp.exe 한글" in posted
    assert not re.search(r"<!(?!date\^)", posted)
    assert "<https://evil" not in posted
    assert r"\<\!channel\> \*bold\* \`code\`" in file
    for text in (posted, file):
        assert "한글" in text
        assert HANGUL not in text
        assert not {"\u202e", "\x00"} & set(text)
        assert r"\u0000" not in text


async def test_closing_the_incident_closes_the_board(bot: Bot, shared_world: World) -> None:
    board = await shared_world.seen("C0CRITICAL", having="incident.close")

    await close(shared_world, "U0LUBIT", board)
    closed = await shared_world.seen("C0CRITICAL", having="INC-1 · canary · Closed")
    notice = await shared_world.seen("C0CRITICAL", having="INC-1 is closed", user="U0LUBIT")

    assert closed["ts"] == board["ts"]
    assert notice["ephemeral_for"] == "U0LUBIT"
