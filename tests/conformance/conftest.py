"""One sandbox, and one incident that was played twice: in our Slack and in somebody else's."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.conformance.emulated import EmulatedStage, running_emulate
from tests.conformance.stage import OurStage, Stage
from tests.conformance.story import Played, Story, playbook
from tests.journeys.world import World, running_bot, running_world


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def world() -> AsyncIterator[World]:
    """Our Slack, and the cloud that both stories play with."""
    async with running_world() as world:
        yield world


async def played(world: World, stage: Stage, directory: Path) -> Played:
    """Play the story on `stage`, with the bot as in production."""
    world.reset()
    await world.make_the_canary_fail()
    file, log = directory / "playbook.yaml", directory / "bot.log"
    file.write_text(playbook())
    async with running_bot(
        world,
        f"sqlite:///{directory / 'backout.db'}",
        playbook=file,
        copied=False,
        log=log,
        extra={"SLACK_API_URL": stage.api_url},
    ) as bot:
        stage.events_url = bot.events_url
        told = await Story(stage).play()
    failed = [line for line in log.read_text().splitlines() if '"severity": "ERROR"' in line]
    assert not failed, "\n".join(failed)
    return told


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def ours(world: World, tmp_path_factory: pytest.TempPathFactory) -> Played:
    """What our Slack holds afterwards."""
    return await played(world, OurStage(world.slack), tmp_path_factory.mktemp("ours"))


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def emulate() -> AsyncIterator[EmulatedStage]:
    """`emulate`, with the sandbox's cast in it."""
    async with running_emulate() as stage:
        yield stage


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def theirs(world: World, emulate: EmulatedStage, tmp_path_factory: pytest.TempPathFactory) -> Played:
    """What `emulate` holds afterwards."""
    return await played(world, emulate, tmp_path_factory.mktemp("theirs"))
