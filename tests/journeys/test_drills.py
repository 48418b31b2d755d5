"""Drills of all five scenarios: the director tells the story, and an operator acts for the team.

Two of them are played as CI plays them, by the command line in a process of its own.
"""

import asyncio
import os
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from bot.adapters.playbook_file import read_playbook
from bot.bootstrap import House, build, utc_now
from bot.domain.drill import Milestone, Result, Scoreboard
from bot.domain.looking_back import Wanted
from bot.drill.director import Director
from bot.drill.operator import Operator
from bot.drill.past import PastDrills
from bot.drill.rehearsal import write_playbook
from bot.drill.screen import Screen
from bot.drill.setting import Setting
from bot.drill.show import is_done, play
from bot.drill.stage import SandboxStage
from bot.settings import Settings
from bot.usecases.report_stats import read_report
from tests.journeys.world import PLAYBOOK, Bot, Ran, World, backout, running_bot, texts

#: The story is told so many times faster.
SPEED = 60.0
#: A line of the printed scoreboard about what was not reached, or too late.
NOT_REACHED = re.compile(r"^\| ([A-Z][a-z ]+) \|.*\| not reached \|", re.MULTILINE)
LATE = re.compile(r"^\| ([A-Z][a-z ]+) \|.*\| too late by [^|]*\|", re.MULTILINE)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def bot(shared_world: World, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Bot]:
    """One bot for every drill of this file, as a team that drills one after the other."""
    shared_world.reset()
    file = tmp_path_factory.mktemp("bot") / "backout.db"
    async with running_bot(shared_world, f"sqlite:///{file}") as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def house(bot: Bot) -> AsyncIterator[House]:
    """What the director opens: the bot's own database."""
    wired = build(Settings.model_validate(bot.environment()))
    try:
        yield wired
    finally:
        await wired.close()


@pytest.fixture
def past(tmp_path_factory: pytest.TempPathFactory) -> PastDrills:
    """The team's drills from before; these have none."""
    return PastDrills(f"sqlite:///{tmp_path_factory.mktemp('past') / 'drills.db'}")


async def drilled(world: World, house: House, past: PastDrills, scenario: str) -> Scoreboard:
    """Play one drill to its end, and return its scoreboard."""
    director = Director(
        setting=Setting(cloud=world.cloud, target="canary"),
        stage=SandboxStage(slack=world.slack),
        store=house.store,
        playbooks=house.playbooks,
        past=past,
        locale="en",
        speed=SPEED,
    )
    operator = Operator(
        screen=Screen(slack=world.slack, since=world.slack.workspace.next_ts()),
        scenario=scenario,
        target="canary",
        locale="en",
        tell=lambda _: None,
    )
    board, stuck = await play(director, operator, scenario)
    assert stuck == ""
    assert is_done(board)
    return board


@pytest.mark.parametrize("scenario", ["error_rate", "response_time"])
async def test_a_team_that_works_by_the_guide_is_in_time(
    bot: Bot, shared_world: World, house: House, past: PastDrills, scenario: str
) -> None:
    board = await drilled(shared_world, house, past, scenario)

    results = {score.milestone: score.result for score in board.scores}
    assert results == dict.fromkeys(Milestone, Result.IN_TIME) | {Milestone.USERS_TOLD: Result.NOT_ASKED_FOR}
    assert [one.id for one in await past.all()] == [board.drill.id]


async def test_where_data_is_lost_users_are_told_in_time_and_no_drill_is_counted(
    bot: Bot, shared_world: World, house: House, past: PastDrills
) -> None:
    board = await drilled(shared_world, house, past, "data_loss")

    assert {score.result for score in board.scores} == {Result.IN_TIME}
    posted = await shared_world.seen("C0CRITICAL", having="Drill over: Data loss or corruption")
    assert "*6 of 6 within the guide's minutes* on canary" in texts(posted)
    notice = await shared_world.seen("C0STATUS", having="We write here again within the hour.")
    assert "DRILL" in texts(notice)
    day = timedelta(days=1)
    looked_at = Wanted(since=utc_now() - day, until=utc_now() + day)
    report = await house.store.look(lambda tx: read_report(tx, looked_at))
    assert report.incidents == ()


# On the command line.


def playbook_that_tells_users_of(scenario: str, file: Path) -> Path:
    """Write a playbook by which users are told of a failure that the guide lets pass in silence."""
    document = read_playbook(PLAYBOOK).model_dump(mode="json", by_alias=True, exclude_none=True)
    title = {"en": "Tell users", "ko": "사용자 공지"}
    action = {"key": "tell", "title": title, "does": "tell", "notice": "data_loss", "within_seconds": 120}
    (found,) = (one for one in document["scenarios"] if one["key"] == scenario)
    found["actions"].append(action)
    write_playbook(document, file)
    return file


async def drilled_headless(scenario: str, *more: str) -> Ran:
    """Play one drill as CI does."""
    environment = {**os.environ, "BACKOUT_DRAWS": "no"}
    drill = ("drill", scenario, "--headless", "--speed", f"{SPEED:g}", *more)
    # A sandbox and a bot are started for it, and its Slack takes one message a second.
    return await backout(environment, *drill, within=600)


async def test_on_the_command_line_a_drill_succeeds_only_where_nothing_was_missed(
    tmp_path: Path,
) -> None:
    telling = playbook_that_tells_users_of("service_down", tmp_path / "telling.yaml")
    kept = f"sqlite:///{tmp_path / 'drills.db'}"

    done, missed = await asyncio.gather(
        drilled_headless("memory", "--playbook", str(PLAYBOOK), "--database", kept),
        drilled_headless("service_down", "--playbook", str(telling)),
    )

    assert done.code == 0, done
    assert "# Drill over: Memory explosion" in done.said
    assert NOT_REACHED.findall(done.said) == []
    assert [one.scenario for one in await PastDrills(kept).all()] == ["memory"]
    assert missed.code == 1, missed
    assert "# Drill over: The canary service is completely down" in missed.said
    assert NOT_REACHED.findall(missed.said) == ["Users told"]
    assert LATE.findall(done.said + missed.said) == []
