"""A drill in a Slack that the director knows nothing of but its tokens, with the cloud simulated."""

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest

from bot.drill.past import PastDrills
from bot.drill.refused import NotSafe
from bot.drill.show import NOT_DONE, Wish, play_in_channel
from bot.drill.way_in import alone_on_the_way_in
from bot.sandbox.names import APP_TOKEN, BOT_TOKEN, CHANNELS, SIGNING_SECRET
from bot.sandbox.run import read_manifest
from bot.sandbox.slack import SandboxSlack
from bot.sandbox.slack.rate_limits import PostPace
from bot.settings import read_settings
from bot.slack.views.drill_marks import has_mark
from tests.journeys.world import PATIENCE_SECONDS, PLAYBOOK, action_ids, texts, until

ROOM, SENA = "C0OPERATIONS", "U0SENA"


def shown(slack: SandboxSlack, having: str) -> dict[str, Any] | None:
    """Return the newest message in the drill's channel that says this."""
    there = slack.messages(ROOM, user=SENA)
    found = [one for one in there if having in texts(one) or having in action_ids(one)]
    return found[-1] if found else None


def only_the_bot_is_connected(slack: SandboxSlack) -> bool:
    return slack.socket_mode.opened > 1 and slack.socket_mode.connections == 1


async def test_a_drill_stays_in_its_channel_and_nobody_else_may_listen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slack = SandboxSlack(
        manifest=read_manifest(),
        events_url="http://127.0.0.1:9/slack/events",
        pace=PostPace(per_second=50, burst=50),
        patience_seconds=PATIENCE_SECONDS,
    )
    await slack.socket_mode.switch(on=True)
    await slack.start()
    for name, value in {
        "SLACK_BOT_TOKEN": BOT_TOKEN,
        "SLACK_APP_TOKEN": APP_TOKEN,
        "SLACK_SIGNING_SECRET": SIGNING_SECRET,
        "SLACK_API_URL": slack.api_url,
        "SLACK_POSTS_PER_SECOND": "50",
        "BACKOUT_PLAYBOOK": str(PLAYBOOK),
        "BACKOUT_DRAWS": "no",
        # What a team's machine may well say: a drill touches neither.
        "DATABASE_URL": f"sqlite:///{tmp_path}/production.db",
        "CLOUD_RUN_ENDPOINT": "us-central1-run.googleapis.com:443",
    }.items():
        monkeypatch.setenv(name, value)
    past = PastDrills(f"sqlite:///{tmp_path}/drills.db")
    wish = Wish(scenario="error_rate", target="canary", locale="en", past=past, speed=60, playbook=PLAYBOOK)

    playing = asyncio.create_task(play_in_channel(wish, ROOM))
    try:
        await until(lambda: playing.done() or shown(slack, "0 % → 5 %"), what="the story")
        # The one with which the director looked who else is there is closed, and the bot's is open.
        await until(lambda: playing.done() or only_the_bot_is_connected(slack), what="the bot's connection")
        with pytest.raises(NotSafe, match="1 other connection"):
            await alone_on_the_way_in(read_settings(needs_slack=True))
        await until(lambda: only_the_bot_is_connected(slack), what="the end of the other connection")
        await slack.slash(SENA, ROOM, "/rollback canary force errors")
        await until(lambda: shown(slack, "canary is rolled back and verified"), what="the verdict")
        board = await until(lambda: shown(slack, "incident.close"), what="the board")
        await slack.click(SENA, ROOM, board["ts"], "incident.close")
        closing = await until(lambda: slack.views(SENA), what="the question")
        await slack.submit(SENA, closing[-1]["id"], {})
        code = await asyncio.wait_for(playing, 2 * PATIENCE_SECONDS)
        said = [texts(one) for one in slack.messages(ROOM)]
    finally:
        playing.cancel()
        await asyncio.gather(playing, return_exceptions=True)
        await slack.stop()

    assert said[0].startswith(":performing_arts: *This is a drill.* Scenario: Error rate jumps")
    masks = [line for line in said if re.match(r":performing_arts: \*(Gitco|Lemun|Olga|Mina)\* \(", line)]
    assert len(masks) >= 2
    assert all("DRILL" in line for line in said[1:] if line not in masks)
    assert any("Drill over" in line for line in said)
    assert has_mark(closing[-1]["blocks"]), "the form that a drill's board opens says so too"
    assert code == NOT_DONE, "nobody completed the record"
    assert any(re.search(r"INC-\d{8}", line) for line in said), "its buttons name no other bot's incident"
    assert [one.scenario for one in await past.all()] == ["error_rate"]
    assert not (tmp_path / "production.db").exists()
    assert [one.id for one in CHANNELS if one.id != ROOM and slack.messages(one.id)] == []
