"""From a bad canary to the record in the channel, through the real protocols."""

import re

import pytest

from bot.slack.text import Words
from tests.journeys.world import World, running_bot, texts

HANGUL = re.compile("[가-힣]")


async def roll_back_a_bad_canary(world: World, database_url: str, target: str, locale: str) -> str:
    """Walk from the failure to the record, and return all that the channels were told on the way."""
    words = Words(locale=locale)
    verified = words.plain("{target} is rolled back and verified", target=target)
    title = words.plain("[{heading}] Deployment failure record", heading="Phase 4")
    await world.make_the_canary_fail(target)

    async with running_bot(world, database_url, locale=locale, copied=False):
        await world.slack.slash("U0SENA", "C0OPERATIONS", f"/rollback {target} errors after the deployment")
        card = await world.seen("C0OPERATIONS", having="rollback.go")
        await world.slack.click("U0SENA", "C0OPERATIONS", card["ts"], "rollback.go")
        verdict = await world.seen("C0OPERATIONS", having=verified)
        record = await world.seen("C0CRITICAL", having=title)

    assert verdict["ts"] == card["ts"]
    assert "errors after the deployment" in texts(verdict)
    assert "INC-1" in texts(record)
    assert len(world.cloud.updates) == 1
    return "\n".join(map(texts, (card, verdict, record)))


@pytest.mark.parametrize("target", ["canary", "chat"])
async def test_a_bad_canary_is_rolled_back_proven_and_recorded(
    world: World, database_url: str, target: str
) -> None:
    told = await roll_back_a_bad_canary(world, database_url, target, "en")

    assert not HANGUL.search(told)


@pytest.mark.parametrize(
    ("database_url", "target"), [("sqlite", "canary"), ("postgresql", "chat")], indirect=["database_url"]
)
async def test_it_is_told_in_korean_where_the_channels_are_korean(
    world: World, database_url: str, target: str
) -> None:
    told = await roll_back_a_bad_canary(world, database_url, target, "ko")

    assert all(HANGUL.search(line) for line in told.splitlines() if re.search("[a-z] [a-z]", line))
