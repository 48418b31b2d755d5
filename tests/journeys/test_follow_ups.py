"""Follow-ups: they come with the verdict or the close, are worked off by button, and outlive the incident."""

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest_asyncio
from ruamel.yaml import YAML

from tests.journeys.incidents import board_of, declare, logged, opened, told
from tests.journeys.world import PLAYBOOK, Bot, World, backout, running_bot, texts, until

POSTPONE, LOGS, TESTS = "1-postpone_deployment", "1-analyse_error_logs", "1-add_test_cases"
#: Days: so soon that a test can wait for it, and so late that somebody is seen before.
A_MOMENT = 4 / 86_400


def a_playbook(folder: Path, **days: float) -> Path:
    """Write the journeys' playbook with the guide's scenario 1 due on other days, its first task Gitco's."""
    yaml = YAML(typ="rt", pure=True)
    document = yaml.load(PLAYBOOK.read_text())
    guide = yaml.load((PLAYBOOK.parents[2] / "bot" / "playbooks" / "phase4-canary.yaml").read_text())
    document["scenarios"] = guide["scenarios"]
    for plan in document["scenarios"][0]["follow_ups"]:
        plan["due_days"] = days.get(plan["key"], 7)
    document["scenarios"][0]["follow_ups"][0]["owner"] = "backend"
    file = folder / "playbook.yaml"
    with file.open("w") as opened_file:
        yaml.dump(document, opened_file)
    return file


async def closed(world: World) -> dict[str, Any]:
    """Declare an incident of the guide's first scenario, close it, and return its follow-ups' card."""
    await declare(world, "U0LUBIT", scenario="error_rate")
    await board_of(world, 1)
    await world.slack.slash("U0LUBIT", "C0OPERATIONS", "/incident close 1")
    view = await opened(world, "U0LUBIT", title="Close")
    await world.slack.submit("U0LUBIT", view["id"], {})
    return await world.seen("C0CRITICAL", having="follow_up.done")


@pytest_asyncio.fixture(loop_scope="session")
async def bot(world: World, tmp_path: Path) -> AsyncIterator[Bot]:
    """A bot whose scenario 1 has follow-ups, the first of them Gitco's."""
    url, playbook = f"sqlite:///{tmp_path / 'backout.db'}", a_playbook(tmp_path)
    async with running_bot(world, url, playbook=playbook) as running:
        yield running


async def press(world: World, user: str, card: dict[str, Any], action: str, id: str) -> None:
    """Press a button of one follow-up."""
    block = f"follow_up:{id}"
    await world.slack.click(user, "C0CRITICAL", card["ts"], f"follow_up.{action}", block_id=block)


async def stands(world: World, card: dict[str, Any], *, having: str) -> str:
    """Wait until the card, edited in place, says something."""

    def look() -> str | None:
        for message in world.slack.messages("C0CRITICAL"):
            if message["ts"] == card["ts"] and having in texts(message):
                return texts(message)
        return None

    return await until(look, what=f"{having!r} in {texts(card)}")


async def test_closing_makes_tasks_of_them_and_each_is_worked_off_by_button(bot: Bot, world: World) -> None:
    card = await closed(world)
    shown = texts(card)

    await press(world, "U0LUBIT", card, "take", TESTS)
    await stands(world, card, having="<@U0LUBIT> · due")
    await press(world, "U0LUBIT", card, "done", TESTS)
    await stands(world, card, having="Done by <@U0LUBIT>")
    await told(world, "U0LUBIT", "is done", channel="C0CRITICAL")
    await press(world, "U0LUBIT", card, "reopen", TESTS)
    await stands(world, card, having="Still open here: 4")

    for title in (
        "Analyse the error logs",
        "Review the pre-deployment",
        "Add new test cases",
        "Postpone the next",
    ):
        assert title in shown
    assert "<@U0GITCO> · due" in shown
    board = await board_of(world, 1, having="Closed")
    await logged(world, board, having="opened the follow-up *Add new test cases* again")


async def test_giving_moving_and_dropping_ask_and_keep_the_reason(bot: Bot, world: World) -> None:
    card = await closed(world)

    await press(world, "U0LUBIT", card, "assign", POSTPONE)
    view = await opened(world, "U0LUBIT", title="Give")
    await world.slack.submit("U0LUBIT", view["id"], {"follow_up.owner": "U0GITCO"})
    given = await told(world, "U0GITCO", "gave you a follow-up")

    later = (datetime.now(UTC) + timedelta(days=30)).date()
    await press(world, "U0LUBIT", card, "move", POSTPONE)
    view = await opened(world, "U0LUBIT", title="Move")
    past = {"follow_up.day": "2020-01-01", "follow_up.why": "holidays"}
    wrong = await world.slack.submit("U0LUBIT", view["id"], past)
    right = {"follow_up.day": later.isoformat(), "follow_up.why": "holidays"}
    await world.slack.submit("U0LUBIT", view["id"], right)
    moved = await stands(world, card, having="· holidays")

    await press(world, "U0LUBIT", card, "drop", LOGS)
    view = await opened(world, "U0LUBIT", title="Drop")
    await world.slack.submit("U0LUBIT", view["id"], {"follow_up.why": "<!channel> nothing in there"})
    dropped = await stands(world, card, having="Dropped by <@U0LUBIT>")

    assert "<@U0LUBIT> gave you a follow-up of INC-1: *Postpone the next deployment*" in given
    assert set(wrong.body["errors"]) == {"follow_up.day"}
    assert "<@U0GITCO> · due" in moved
    assert "&lt;!channel&gt; nothing in there" in dropped


async def test_they_are_shown_privately_with_buttons_that_work(bot: Bot, world: World) -> None:
    card = await closed(world)

    await world.slack.slash("U0GITCO", "C0OPERATIONS", "/incident followups 1")
    private = await world.seen("C0OPERATIONS", having="follow_up.done", user="U0GITCO")
    block = f"follow_up:{LOGS}"
    await world.slack.click("U0GITCO", "C0OPERATIONS", private["ts"], "follow_up.done", block_id=block)
    await stands(world, card, having="Done by <@U0GITCO>")
    await world.slack.click("U0GITCO", "C0OPERATIONS", private["ts"], "follow_up.done", block_id=block)

    assert private["ephemeral_for"] == "U0GITCO"
    assert "is done" in await told(world, "U0GITCO", "Nothing was changed. This is how it stands")


async def test_the_next_deployment_is_said_to_be_postponed_until_somebody_says_done(
    bot: Bot, world: World
) -> None:
    card = await closed(world)

    await world.slack.slash("U0LUBIT", "C0OPERATIONS", "/canary status")
    in_slack = await told(world, "U0LUBIT", "The next deployment is postponed:")
    typed = (await backout(bot.environment(), "status", "canary")).said
    await press(world, "U0LUBIT", card, "done", POSTPONE)
    await stands(world, card, having="Done by")
    after = (await backout(bot.environment(), "status", "canary")).said

    assert "It blocks nothing" in in_slack
    assert re.search(r"postponed: Postpone the next deployment \(INC-1\)", typed)
    assert "postponed" not in after


async def test_the_verdict_of_a_rollback_plans_them_while_the_incident_is_open(
    bot: Bot, world: World
) -> None:
    await declare(world, "U0LUBIT", scenario="error_rate")
    board = await board_of(world, 1)
    await world.slack.slash("U0LUBIT", "C0OPERATIONS", "/rollback canary force 5xx")
    await world.seen("C0CRITICAL", having="follow_up.done")

    log = await logged(world, board, having="Follow-ups to do:")
    assert log.index("Verdict") < log.index("Follow-ups to do:")


async def test_the_owner_is_reminded_on_the_due_day_even_after_a_restart(
    world: World, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path / 'backout.db'}"
    playbook = a_playbook(tmp_path, analyse_error_logs=A_MOMENT, add_test_cases=A_MOMENT)

    async with running_bot(world, url, playbook=playbook) as bot:
        await closed(world)
        await bot.kill()
        await bot.start()
        mine = await told(world, "U0GITCO", "is due: *Analyse the error logs (Cloud Logging)*")
        nobodys = await world.seen("C0CRITICAL", having="A follow-up of *INC-1* is due:")

    assert "Analyse the error logs" in mine
    assert "Add new test cases" in texts(nobodys)
