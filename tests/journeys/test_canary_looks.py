"""``/canary metrics``, ``logs`` and ``probe``: one look, for the person who asks."""

from typing import Any

import pytest

from tests.journeys.world import World, running_bot, texts, until

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def pictures(world: World, user: str) -> list[dict[str, Any]]:
    """Return the image blocks that `user` sees in #operations."""
    messages = world.slack.messages("C0OPERATIONS", user=user)
    return [block for m in messages for block in m.get("blocks") or () if block["type"] == "image"]


async def test_metrics_are_told_with_a_picture_that_nobody_else_sees(world: World, database_url: str) -> None:
    async with running_bot(world, database_url, draws=True):
        await world.slack.slash("U0LUBIT", "C0OPERATIONS", "/canary metrics")
        told = await world.seen("C0OPERATIONS", having="Metrics now", user="U0LUBIT")
        (picture,) = await until(lambda: pictures(world, "U0LUBIT"), what="a picture")

    (file,) = [file for file in world.slack.files() if file["id"] == picture["slack_file"]["id"]]
    assert "Error rate, canary" in texts(told)
    assert told["ephemeral_for"] == "U0LUBIT"
    assert file["content"].startswith(b"\x89PNG")
    assert pictures(world, "U0SENA") == []


async def test_the_log_and_both_sides_answers_are_told(world: World, database_url: str) -> None:
    await world.make_the_canary_fail()

    async with running_bot(world, database_url, draws=True):
        await world.slack.slash("U0LUBIT", "C0OPERATIONS", "/canary logs")
        log = await world.seen("C0OPERATIONS", having="Errors in the log", user="U0LUBIT")
        await world.slack.slash("U0LUBIT", "C0OPERATIONS", "/canary probe 5 10 chat")
        probe = await world.seen("C0OPERATIONS", having="Both sides, asked directly", user="U0LUBIT")

    assert "ERROR" in texts(log)
    assert "gcloud logging read" in texts(log)
    assert "*canary*: 5 of 5 answered well (100 %)" in texts(probe)
    assert "*stable*: 5 of 5 answered well (100 %)" in texts(probe)
    assert "The canary's P95 is" in texts(probe)
    assert log["ephemeral_for"] == probe["ephemeral_for"] == "U0LUBIT"
