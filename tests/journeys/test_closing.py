"""Closing: what is open is shown before, the record is final after, and a day long it can be taken back."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import update

from bot.adapters.database.tables import IncidentRow
from tests.journeys.incidents import board_of, declare, logged, opened, told
from tests.journeys.rows import session
from tests.journeys.world import Bot, World, action_ids, running_bot, texts


@pytest_asyncio.fixture(loop_scope="session")
async def bot(world: World, database_url: str) -> AsyncIterator[Bot]:
    """A bot with nothing behind it, on either database."""
    world.send_users_home()
    async with running_bot(world, database_url) as running:
        yield running


on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


async def asked_to_close(world: World, user: str, board: dict[str, Any]) -> dict[str, Any]:
    """Press *Close the incident* and return what is asked."""
    await world.slack.click(user, "C0CRITICAL", board["ts"], "incident.close")
    return await opened(world, user, callback="incident.close")


def shown(view: dict[str, Any]) -> str:
    """Return what a modal says."""
    return texts(view | {"text": ""})


async def test_an_incident_is_closed_after_a_look_and_reopened(bot: Bot, world: World) -> None:
    await declare(world, "U0GITCO", "errors", scenario="error_rate")
    board = await board_of(world, 1)

    view = await asked_to_close(world, "U0SENA", board)
    asked = shown(view)
    await world.slack.submit("U0SENA", view["id"], {})
    closed = await board_of(world, 1, having="incident.reopen")
    goodbye = await world.seen("C0CRITICAL", having="The final record:")
    await world.seen("C0CRITICAL", having="Deployment failure record")
    await world.slack.click("U0GITCO", "C0CRITICAL", closed["ts"], "incident.reopen")
    again = await board_of(world, 1, having="incident.close")
    log = await logged(world, again, having="Incident reopened by")

    assert re.search("Missing in the record|기록", asked)
    assert "Root cause" in asked or "원인" in asked
    assert "INC-1 · canary is closed" in texts(goodbye)
    assert "Incident closed by <@U0SENA>" in log


@on_sqlite
async def test_the_clock_of_a_data_loss_keeps_it_open(bot: Bot, world: World) -> None:
    await declare(world, "U0GITCO", "rows are gone", scenario="data_loss")
    board = await board_of(world, 1)

    view = await asked_to_close(world, "U0GITCO", board)

    assert view["submit"] is None
    assert "It stays open until this is done" in shown(view)
    await board_of(world, 1, having="incident.close")


@on_sqlite
async def test_whoever_may_not_close_is_refused_and_the_commander_may(bot: Bot, world: World) -> None:
    await declare(world, "U0MANAGER", "errors")
    board = await board_of(world, 1)
    view = await asked_to_close(world, "U0MANAGER", board)
    await world.slack.submit("U0MANAGER", view["id"], {})
    await told(world, "U0MANAGER", ":no_entry:")
    await board_of(world, 1, having="incident.close")

    await world.slack.click("U0MANAGER", "C0CRITICAL", board["ts"], "incident.take_command")
    board = await board_of(world, 1, having="*Command*\n<@U0MANAGER>")
    view = await asked_to_close(world, "U0MANAGER", board)
    await world.slack.submit("U0MANAGER", view["id"], {})

    await board_of(world, 1, having="incident.reopen")


@on_sqlite
async def test_an_old_or_overtaken_incident_stays_closed(bot: Bot, world: World) -> None:
    await declare(world, "U0GITCO", "errors")
    view = await asked_to_close(world, "U0GITCO", await board_of(world, 1))
    await world.slack.submit("U0GITCO", view["id"], {})
    closed = await board_of(world, 1, having="incident.reopen")
    await declare(world, "U0GITCO", "again")
    second = await board_of(world, 2)

    await world.slack.click("U0GITCO", "C0CRITICAL", closed["ts"], "incident.reopen")
    other = await told(world, "U0GITCO", "stays closed")
    view = await asked_to_close(world, "U0GITCO", second)
    await world.slack.submit("U0GITCO", view["id"], {})
    await board_of(world, 2, having="incident.reopen")
    with session(bot.database_url) as rows:
        old = rows.get_one(IncidentRow, 1)
        assert old.closed_at is not None
        earlier = old.closed_at - timedelta(days=2)
        rows.execute(update(IncidentRow).where(IncidentRow.number == 1).values(closed_at=earlier))
    await world.slack.click("U0GITCO", "C0CRITICAL", closed["ts"], "incident.reopen")

    assert "INC-2" in other
    assert "/incident new canary" in await told(world, "U0GITCO", "more than a day ago")
    assert "incident.close" not in action_ids(await board_of(world, 1))
