"""Drills of all five scenarios: the director tells the story, and an operator acts for the team."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio

from bot.bootstrap import House, build, utc_now
from bot.domain.drill import Milestone, Result, Scoreboard
from bot.domain.looking_back import Wanted
from bot.drill.director import Director
from bot.drill.operator import Operator
from bot.drill.past import PastDrills
from bot.drill.screen import Screen
from bot.drill.setting import Setting
from bot.drill.show import is_done, play
from bot.drill.stage import SandboxStage
from bot.settings import Settings
from bot.usecases.report_stats import read_report
from tests.journeys.world import Bot, World, running_bot, texts

#: The story is told so many times faster.
SPEED = 60.0


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


@pytest.mark.parametrize("scenario", ["error_rate", "response_time", "memory", "service_down"])
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
