"""Two incidents later: they are found again, and looked back on, in Slack and in a terminal."""

import csv
import io
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest_asyncio

from bot.slack.text import Words
from tests.journeys.incidents import board_of, close, declare
from tests.journeys.test_canary_looks import pictures
from tests.journeys.world import Bot, World, backout, running_bot, texts, until

#: Lemun reads Korean, Lubit English.
LEMUN, LUBIT, MANAGER = "U0LEMUN", "U0LUBIT", "U0MANAGER"
HERE = "C0OPERATIONS"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def bot(shared_world: World, tmp_path_factory: Any) -> AsyncIterator[Bot]:
    """A bot with two incidents: one rolled back and closed, one declared by hand and open."""
    world = shared_world
    world.reset()
    async with running_bot(
        world, f"sqlite:///{tmp_path_factory.mktemp('bot') / 'backout.db'}", draws=True
    ) as running:
        await world.slack.slash(LUBIT, HERE, "/rollback canary force 결제 오류")
        await world.seen("C0CRITICAL", having="Deployment failure record")
        await close(world, LUBIT, await world.seen("C0CRITICAL", having="incident.close"))
        await world.seen("C0CRITICAL", having="INC-1 is closed", user=LUBIT)
        await declare(world, LEMUN, "Users cannot pay", target="chat")
        await board_of(world, 2)
        yield running


async def listed(world: World, typed: str, *, user: str = LUBIT) -> dict[str, Any]:
    delivery = await world.slack.slash(user, HERE, f"/incident list {typed}")
    assert delivery.body["response_type"] == "ephemeral"
    return dict(delivery.body)


async def test_the_list_tells_both_with_links_to_their_boards(bot: Bot, shared_world: World) -> None:
    board = await board_of(shared_world, 1)

    shown = await listed(shared_world, "")

    newest, oldest = (block["text"]["text"] for block in shown["blocks"] if block["type"] == "section")
    assert "*INC-2* · chat" in newest
    assert "open for" in newest
    assert "no rollback" in newest
    assert "*INC-1* · canary" in oldest
    assert "closed after" in oldest
    assert "rollback: verified" in oldest
    assert f"/archives/C0CRITICAL/p{board['ts'].replace('.', '')}|board>" in oldest


async def test_a_search_finds_by_words_by_state_and_by_who(bot: Bot, shared_world: World) -> None:
    found = {
        typed: (await listed(shared_world, typed))["text"]
        for typed in ("PAY", "결제", "open", "closed canary", f"by:<@{LEMUN}|lemun>", "nothing of this")
    }

    one, two = "*INC-1*", "*INC-2*"
    assert [(one in text, two in text) for text in found.values()] == [
        (False, True),
        (True, False),
        (False, True),
        (True, False),
        (False, True),
        (False, False),
    ]
    assert "No incident fits `nothing of this`" in found["nothing of this"]


async def test_a_korean_reader_finds_and_is_answered_in_korean(bot: Bot, shared_world: World) -> None:
    words = Words(locale="ko")

    shown = await listed(shared_world, "닫힘", user=LEMUN)

    assert "*INC-1* · canary" in shown["text"]
    assert words.plain("rollback: {state}", state=words.plain("verified")) in shown["text"]


async def test_statistics_come_with_a_picture_in_the_readers_language(bot: Bot, shared_world: World) -> None:
    world, korean = shared_world, Words(locale="ko")
    for user in (LUBIT, LEMUN):
        await world.slack.slash(user, HERE, "/incident stats last 7 days")

    english = await world.seen(HERE, having="*Time to roll back*", user=LUBIT)
    translated = await world.seen(HERE, having=f"*{korean.plain('Time to roll back')}*", user=LEMUN)

    assert "*2* incidents, 1 of them still open" in texts(english)
    assert "• 1 by hand, with force" in texts(english)
    assert "• verdicts: verified 1" in texts(english)
    assert "(INC-1), of 1" in texts(english)
    assert "*Change failure rate*: 100.0 %; 1 of 1" in texts(english)
    assert "{" not in texts(translated)
    assert english["ephemeral_for"] == LUBIT
    shown = {file["id"]: file for file in world.slack.files()}
    for user in (LUBIT, LEMUN):
        (picture,) = pictures(world, user)
        assert shown[picture["slack_file"]["id"]]["content"].startswith(b"\x89PNG")


async def test_all_figures_come_as_a_file_directly(bot: Bot, shared_world: World) -> None:
    world = shared_world
    await world.slack.slash(MANAGER, HERE, "/incident stats last 7 days canary")
    told = await world.seen(HERE, having="stats.file", user=MANAGER)

    await world.slack.click(MANAGER, HERE, told["ts"], "stats.file")
    file = await until(
        lambda: next((f for f in world.slack.files() if f["name"].endswith(".csv")), None), what="a file"
    )

    rows = list(csv.DictReader(io.StringIO(file["content"].decode())))
    (took,) = [row for row in rows if (row["key"], row["figure"]) == ("INC-1", "time_to_roll_back")]
    assert file["name"].endswith("-canary.csv")
    assert 0 < float(took["value"]) < 60
    assert await world.seen(f"D{MANAGER[1:]}", having="CSV", user=MANAGER)


# In a terminal.


async def test_the_terminal_lists_and_searches(bot: Bot) -> None:
    shown = await backout(bot.environment(), "incident", "list", "--json")
    found = await backout(bot.environment(), "incident", "list", "cannot pay")
    wrong = await backout(bot.environment(), "incident", "list", "since:soon")

    assert [line["incident"] for line in json.loads(shown.said)] == ["INC-2", "INC-1"]
    assert json.loads(shown.said)[1]["rollback"] == "verified"
    assert "INC-2" in found.said
    assert "INC-1" not in found.said
    assert (wrong.code, found.code) == (2, 0)
    assert "backout incident list since:2026-10-01" in wrong.said


async def test_the_terminal_prints_draws_and_writes_statistics(bot: Bot, tmp_path: Path) -> None:
    tables = await backout(bot.environment(), "stats", "last", "7", "days")
    as_csv = await backout(bot.environment(), "stats", "--csv")
    as_json = await backout(bot.environment(), "stats", "--target", "canary", "--json")
    drawn = await backout(bot.environment(), "stats", "--out", str(tmp_path / "stats.png"))
    wrong = await backout(bot.environment(), "stats", "--month", "2026-13")

    assert "Time to roll back" in tables.said
    assert "INC-1" in tables.said
    assert as_csv.said.startswith("group,key,figure,")
    assert json.loads(as_json.said)["all"]["incidents"] == 1
    assert (tmp_path / "stats.png").read_bytes().startswith(b"\x89PNG")
    assert str(tmp_path / "stats.png") in drawn.said.replace("\n", "")
    assert wrong.code == 2
    assert "2026-13" in wrong.said
