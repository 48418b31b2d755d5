"""A Korean reader in a workspace whose channels speak English: whatever is only for them is Korean."""

import re
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio

from bot.locale.catalogs import load, po_path
from tests.journeys.incidents import board_of, declare
from tests.journeys.world import Bot, World, running_bot, texts, until

#: Sentences of ours that differ in Korean, as a pattern each: values may stand where the braces are.
ENGLISH = [
    (str(message.id), re.compile(r".*?".join(map(re.escape, re.split(r"\{[^{}]*\}", str(message.id)))), re.S))
    for message in load(po_path("ko"), locale="ko")
    if message.id and message.string and message.string != message.id
]


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def bot(shared_world: World, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Bot]:
    """A bot with incident 1 open; Lemun, who reads Korean, has command and has opened their Home."""
    shared_world.reset()
    shared_world.send_users_home()
    url = f"sqlite:///{tmp_path_factory.mktemp('bot') / 'backout.db'}"
    async with running_bot(shared_world, url, locale="en") as running:
        await shared_world.slack.open_home("U0LEMUN", "home")
        await until(lambda: shared_world.slack.home("U0LEMUN"), what="Lemun's Home")
        await declare(shared_world, "U0GITCO", scenario="data_loss")
        board = await board_of(shared_world, 1)
        await shared_world.slack.click("U0LEMUN", "C0CRITICAL", board["ts"], "incident.take_command")
        await board_of(shared_world, 1, having="<@U0LEMUN>")
        yield running


def words_of(node: Any) -> Iterator[str]:
    """Yield what a view or message says of its own; what a person typed or a select holds is theirs."""
    if isinstance(node, dict):
        if node.get("type") in ("mrkdwn", "plain_text") and isinstance(node.get("text"), str):
            yield node["text"]
        for key, child in node.items():
            if key not in ("state", "element", "initial_value", "initial_option", "options"):
                yield from words_of(child)
    elif isinstance(node, list):
        for child in node:
            yield from words_of(child)


def english_in(node: Any) -> list[str]:
    """Return the sentences of ours that stand there in English."""
    said = [text for text in words_of(node) if re.search("[A-Za-z]{3}", text)]
    # A sentence made of little but values matches anything.
    known = [(id, pattern) for id, pattern in ENGLISH if len(re.sub(r"\{[^{}]*\}|\W", "", id)) >= 3]
    return [text for text in said for id, pattern in known if pattern.fullmatch(text.strip())]


def has_korean(node: Any) -> bool:
    """Say whether anything in it is Hangul."""
    return any(re.search("[가-힣]", text) for text in words_of(node))


def only_for(world: World, user: str) -> list[dict[str, Any]]:
    """Return what in the incident channel only `user` sees."""
    others = {message["ts"] for message in world.slack.messages("C0CRITICAL", user="U0GITCO")}
    return [m for m in world.slack.messages("C0CRITICAL", user=user) if m["ts"] not in others]


COMMANDS = (
    "/incident new",
    "/incident update 1 data_loss",
    "/incident update 1 resolved",
    "/incident record 1",
    "/incident note 1",
    "/incident page 1",
    "/incident close 1",
    "/incident list",
    "/incident show 1",
    "/incident help",
    "/incident followups 1",
    "/incident update 1 nonsense",
    "/canary help",
    "/canary status",
    "/canary ready",
    "/canary nonsense",
    "/rollback help",
    "/rollback nonsense",
)


@pytest.mark.parametrize("command", COMMANDS)
async def test_modals_and_lines_of_a_korean_reader_are_korean(
    bot: Bot, shared_world: World, command: str
) -> None:
    slack = shared_world.slack
    before = {message["ts"] for message in only_for(shared_world, "U0LEMUN")}
    views = [view["id"] for view in slack.views("U0LEMUN")]

    await slack.slash("U0LEMUN", "C0CRITICAL", command)

    def shown() -> list[Any] | None:
        lines = [m for m in only_for(shared_world, "U0LEMUN") if m["ts"] not in before]
        return [*lines, *(view for view in slack.views("U0LEMUN") if view["id"] not in views)] or None

    for found in await until(shown, what=f"an answer to {command}"):
        node = (found.get("blocks") and found) or {"type": "mrkdwn", "text": found["text"]}
        assert has_korean(node), texts(found)
        assert english_in(node) == [], texts(found)
    for view in slack.views("U0LEMUN"):
        await slack.close_view("U0LEMUN", view["id"])


@pytest.mark.parametrize(
    ("command", "title"),
    [("/canary status canary", "canary 상태"), ("/canary ready canary", "canary 준비 상태")],
)
async def test_what_a_korean_reader_is_told_after_a_while_is_korean_too(
    bot: Bot, shared_world: World, command: str, title: str
) -> None:
    """How a target stands, and whether the team is ready, is read first: the tests above saw "a moment"."""
    before = {message["ts"] for message in only_for(shared_world, "U0LEMUN")}

    await shared_world.slack.slash("U0LEMUN", "C0CRITICAL", command)

    def read() -> dict[str, Any] | None:
        lines = [one for one in only_for(shared_world, "U0LEMUN") if one["ts"] not in before]
        return next((one for one in lines if title in headers(one)), None)

    found = await until(read, what=title)
    assert has_korean(found), texts(found)
    assert english_in(found) == [], texts(found)


def headers(message: dict[str, Any]) -> list[str]:
    """Return the titles in a message's blocks."""
    return [b["text"]["text"] for b in message.get("blocks") or [] if b["type"] == "header"]


async def test_home_of_a_korean_reader_is_korean(bot: Bot, shared_world: World) -> None:
    await until(lambda: "INC-1" in texts(shared_world.slack.home("U0LEMUN") or {}), what="the incident")
    home = shared_world.slack.home("U0LEMUN")

    assert has_korean(home)
    assert english_in(home) == []


async def test_the_channel_speaks_the_configured_language(bot: Bot, shared_world: World) -> None:
    board = await board_of(shared_world, 1)

    assert not has_korean({"blocks": board["blocks"]})
