"""Pictures of an incident, in its thread: how it looked when it was detected, and at the verdict."""

import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from bot.sandbox.cloud import Fault
from tests.journeys.incidents import board_of
from tests.journeys.watched import (
    ERRORS_WITHIN,
    INCIDENTS,
    SERVICE,
    WATCHED_LOAD,
    alert_shown,
    watch_shown,
    watching_playbook,
)
from tests.journeys.world import World, running_bot, until

ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@ON_SQLITE
async def test_a_detection_and_a_verdict_are_shown_as_pictures(
    world: World, database_url: str, tmp_path: Path
) -> None:
    def pictures() -> dict[str, Any]:
        return {file["name"]: file for file in world.slack.files() if file["name"].endswith(".png")}

    async with running_bot(world, database_url, playbook=watching_playbook(tmp_path), draws=True):
        await watch_shown(world, having="Watching canary: canary at 10 %")
        world.cloud.load(SERVICE, WATCHED_LOAD)
        world.cloud.set_fault(SERVICE, Fault.ERRORS, True)
        alert = await alert_shown(world, "canary-1-1", having="Recommended: roll back", within=ERRORS_WITHIN)
        world.bring_users("canary")
        board = await board_of(world, 1)
        detected = "INC-1-detection-canary-1-1.png"
        await until(lambda: detected in pictures(), what="the picture of the detection")
        await world.slack.click("U0SENA", INCIDENTS, alert["ts"], "alert.roll_back")
        await until(
            lambda: any(name.startswith("INC-1-verdict-") for name in pictures()),
            what="the picture of the verdict",
        )
        shown = pictures()

    assert len(shown) == 2
    for file in shown.values():
        assert Image.open(io.BytesIO(file["content"])).size == (720, 1200)
        (places,) = file["shares"]["public"].values()
        assert [place["thread_ts"] for place in places] == [board["ts"]]
