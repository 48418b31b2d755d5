"""From a bad canary to the record in the channel, through the real protocols."""

import pytest

from tests.journeys.world import World, running_bot, texts


@pytest.mark.parametrize("target", ["canary", "chat"])
async def test_a_bad_canary_is_rolled_back_proven_and_recorded(
    world: World, database_url: str, target: str
) -> None:
    await world.make_the_canary_fail(target)

    async with running_bot(world, database_url):
        await world.slack.slash("U0SENA", "C0OPERATIONS", f"/rollback {target} errors after the deployment")
        card = await world.seen("C0OPERATIONS", having="rollback.go")
        await world.slack.click("U0SENA", "C0OPERATIONS", card["ts"], "rollback.go")
        verdict = await world.seen("C0OPERATIONS", having="rolled back and verified")
        record = await world.seen("C0CRITICAL", having="Deployment failure record")

    assert verdict["ts"] == card["ts"]
    assert "errors after the deployment" in texts(verdict)
    assert "INC-1" in texts(record)
    assert len(world.cloud.updates) == 1
