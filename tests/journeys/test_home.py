"""App Home: what is open, what waits for me, how the targets stand, in my own language."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest_asyncio

from tests.journeys.incidents import board_of, declare
from tests.journeys.kept import kept
from tests.journeys.world import Bot, World, running_bot, texts, until


@pytest_asyncio.fixture(loop_scope="session")
async def bot(world: World, tmp_path: Path) -> AsyncIterator[Bot]:
    """A bot with an empty database."""
    async with running_bot(world, f"sqlite:///{tmp_path / 'backout.db'}") as running:
        yield running


def said(world: World, user: str) -> str:
    """Return what somebody's Home says now."""
    view: dict[str, Any] = world.slack.home(user) or {"blocks": []}
    return texts(view)


async def opened(world: World, user: str, having: str) -> str:
    """Open somebody's Home and wait until it says so."""
    await world.slack.open_home(user, "home")
    await until(lambda: having in said(world, user), what=f"{having!r} in {user}'s Home")
    return said(world, user)


def links(world: World, user: str) -> list[str]:
    """Return where the buttons of somebody's Home lead."""
    view = world.slack.home(user) or {"blocks": []}
    return [b["accessory"]["url"] for b in view["blocks"] if "url" in b.get("accessory", {})]


async def test_a_first_look_says_what_is_not_known_and_then_reads_it(bot: Bot, world: World) -> None:
    home = await opened(world, "U0LUBIT", "No open incident.")
    assert "Not checked yet" in home
    assert "No step is waiting for you." in home

    await until(lambda: "*canary* · read" in said(world, "U0LUBIT"), what="the canary's flags")
    await until(lambda: "never read yet" not in said(world, "U0LUBIT"), what="the other target's")
    assert "Error rate" in said(world, "U0LUBIT")


async def test_everybody_reads_their_own_language(bot: Bot, world: World) -> None:
    assert "열린 인시던트가 없습니다." in await opened(world, "U0SENA", "열린 인시던트")
    assert "No open incident." in await opened(world, "U0GITCO", "Open incidents")


async def test_an_incident_and_my_steps_appear_by_themselves_while_i_look(bot: Bot, world: World) -> None:
    await opened(world, "U0LEMUN", "열린 인시던트가 없습니다.")

    await declare(world, "U0GITCO", scenario="data_loss")
    board = await board_of(world, 1)
    await until(lambda: "INC-1" in said(world, "U0LEMUN"), what="the incident")
    assert "심각도: Medium" in said(world, "U0LEMUN")
    assert "아직 지휘자가 없습니다" in said(world, "U0LEMUN")
    assert "기다리는 단계가 없습니다." in said(world, "U0LEMUN")

    await world.slack.click("U0LEMUN", "C0CRITICAL", board["ts"], "incident.take_command")
    await until(lambda: "기다리는 단계가 없습니다." not in said(world, "U0LEMUN"), what="the steps")
    assert "최근 백업에서 영향받은 데이터 복구" in said(world, "U0LEMUN")
    assert any(url.endswith(f"/p{board['ts'].replace('.', '')}") for url in links(world, "U0LEMUN"))


async def test_an_incident_can_be_declared_from_home(bot: Bot, world: World) -> None:
    await opened(world, "U0GITCO", "Open incidents")
    home = world.slack.home("U0GITCO")
    assert home is not None

    await world.slack.click_view("U0GITCO", home["id"], "incident.declare")
    view = world.slack.views("U0GITCO")[-1]
    assert view["title"]["text"] == "Declare an incident"
    await world.slack.submit("U0GITCO", view["id"], {"declare.seen": "it is slow"})

    await until(lambda: "INC-1" in said(world, "U0GITCO"), what="the incident")


async def test_readiness_is_asked_for_from_home_and_shown_there(bot: Bot, world: World) -> None:
    await opened(world, "U0GITCO", "Not checked yet")
    home = world.slack.home("U0GITCO")
    assert home is not None

    await world.slack.click_view("U0GITCO", home["id"], "readiness.check")

    def answered() -> bool:
        return any("Readiness of" in texts(m) for m in world.slack.messages("D0GITCO", user="U0GITCO"))

    await until(answered, what="the answer, directly")
    assert "*canary*:" in await opened(world, "U0GITCO", "not ready")


async def test_a_guest_sees_nothing_of_ours(bot: Bot, world: World) -> None:
    await declare(world, "U0GITCO")
    await board_of(world, 1)

    home = await opened(world, "U0GUEST", "for members")

    assert "INC-1" not in home


async def test_opening_it_twice_at_once_publishes_it_and_reads_once_more_at_most(
    bot: Bot, world: World
) -> None:
    import asyncio

    await asyncio.gather(*(world.slack.open_home("U0LUBIT", "home") for _ in range(5)))

    await until(lambda: "*canary* · read" in said(world, "U0LUBIT"), what="the flags")
    await until(lambda: kept(bot.database_url).unsent == 0, what="the last message")
