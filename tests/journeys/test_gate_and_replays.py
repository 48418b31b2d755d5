"""What reaches the running bot from the open internet, and what reaches it twice."""

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from bot.adapters.database.tables import RequestRow, RollbackRow
from bot.domain.timeline import Event
from bot.sandbox.names import APP_ID, SIGNING_SECRET, TEAM_ID
from tests.journeys.kept import kept
from tests.journeys.rows import count, states
from tests.journeys.world import PATIENCE_SECONDS, Bot, World, running_bot, until

FORM = "application/x-www-form-urlencoded"


def signed(body: bytes, *, secret: str = SIGNING_SECRET, age_seconds: float = 0) -> dict[str, str]:
    """Return the headers with which Slack would send `body`."""
    timestamp = str(int(time.time() - age_seconds))
    mac = hmac.new(secret.encode(), b"v0:" + timestamp.encode() + b":" + body, hashlib.sha256)
    return {
        "Content-Type": FORM,
        "X-Slack-Request-Timestamp": timestamp,
        "X-Slack-Signature": f"v0={mac.hexdigest()}",
    }


def command(text: str = "canary force", *, team: str = TEAM_ID, app: str = APP_ID) -> bytes:
    """Return the form of ``/rollback`` typed by somebody who may."""
    return urlencode(
        {
            "team_id": team,
            "channel_id": "C0OPERATIONS",
            "user_id": "U0LUBIT",
            "command": "/rollback",
            "text": text,
            "api_app_id": app,
            "trigger_id": f"{time.time_ns()}.1.abc",
        }
    ).encode()


def press(card: Mapping[str, Any]) -> bytes:
    """Return the form of a press of *Roll back* by somebody who may."""
    controls = next(block for block in card["blocks"] if block["type"] == "actions")
    button = next(element for element in controls["elements"] if element["action_id"] == "rollback.go")
    payload = {
        "type": "block_actions",
        "user": {"id": "U0LUBIT", "team_id": TEAM_ID},
        "team": {"id": TEAM_ID},
        "api_app_id": APP_ID,
        "channel": {"id": "C0OPERATIONS"},
        "container": {"type": "message", "message_ts": card["ts"], "channel_id": "C0OPERATIONS"},
        "trigger_id": f"{time.time_ns()}.1.abc",
        "actions": [
            {
                "type": "button",
                "action_id": "rollback.go",
                "block_id": controls["block_id"],
                "value": button["value"],
                "action_ts": "1.1",
            }
        ],
    }
    return urlencode({"payload": json.dumps(payload)}).encode()


@dataclass
class Internet:
    """Anybody who can reach the bot's address."""

    bot: Bot

    async def send(self, body: bytes, headers: Mapping[str, str], *, times: int = 1) -> list[int]:
        """Send the very same bytes, all at once; return the statuses."""
        async with httpx.AsyncClient(trust_env=False, timeout=PATIENCE_SECONDS) as client:
            requests = [
                client.post(self.bot.events_url, content=body, headers=dict(headers)) for _ in range(times)
            ]
            answers = await asyncio.gather(*requests, return_exceptions=True)
            return [_status(answer) for answer in answers]


def _status(answer: httpx.Response | BaseException) -> int:
    """Return what was answered. Who is still sending when the answer comes may see the line cut instead."""
    if isinstance(answer, (httpx.ReadError, httpx.WriteError)):
        return 413
    if isinstance(answer, BaseException):
        raise answer
    return answer.status_code


Signing = Callable[[bytes], dict[str, str]]
FORGED: dict[str, tuple[Signing, bytes, int]] = {
    "without_a_signature": (lambda body: {"Content-Type": FORM}, command(), 401),
    "signed_with_another_secret": (lambda body: signed(body, secret="guessed"), command(), 401),
    "signed_for_another_body": (lambda body: signed(body + b"&x=1"), command(), 401),
    "older_than_five_minutes": (lambda body: signed(body, age_seconds=310), command(), 401),
    "from_the_future": (lambda body: signed(body, age_seconds=-310), command(), 401),
    "too_large": (signed, command("canary " + "x" * 2_200_000), 413),
    "for_another_app": (signed, command(app="A0OTHER"), 403),
    "for_another_workspace": (signed, command(team="T0OTHER"), 403),
    "broken": (signed, b"payload=%7B%22type%22%3A", 400),
}


@pytest.mark.parametrize("name", FORGED)
async def test_a_request_that_slack_did_not_send_to_us_changes_nothing(
    world: World, standing_bot: Bot, name: str
) -> None:
    headers, body, status = FORGED[name]
    before = len(world.slack.calls)

    statuses = await Internet(standing_bot).send(body, headers(body), times=3)

    assert statuses == [status] * 3
    assert count(standing_bot.database_url, RequestRow) == 0
    assert count(standing_bot.database_url, RollbackRow) == 0
    assert len(world.slack.calls) == before
    assert world.cloud.updates == []


async def test_replayed_commands_and_presses_change_nothing(world: World, database_url: str) -> None:
    async with running_bot(world, database_url) as bot:
        internet = Internet(bot)

        typed = command("canary")
        assert await internet.send(typed, signed(typed), times=5) == [200] * 5
        card = await world.seen("C0OPERATIONS", having="nothing is yellow or red")

        first = press(card)
        assert await internet.send(first, signed(first), times=5) == [200] * 5
        card = await world.seen("C0OPERATIONS", having="Really?")
        assert await internet.send(first, signed(first)) == [200]
        assert await internet.send(typed, signed(typed)) == [200]
        await world.slack.slash("U0LUBIT", "C0OPERATIONS", "/canary status")
        await world.seen("C0OPERATIONS", having="No open incident.", user="U0LUBIT")
        after_one_press = states(database_url)

        second = press(card)
        assert await internet.send(second, signed(second), times=5) == [200] * 5
        await world.seen("C0OPERATIONS", having="rolled back and verified")
        await world.seen("C0CRITICAL", having="Deployment failure record")
        await until(lambda: world.slack.files(), what="the record's file")
        left = kept(database_url)

    assert after_one_press == ["asked"]
    assert [rollback.state for rollback in left.rollbacks] == ["verified"]
    assert count(database_url, RequestRow) == 4
    assert len(world.cloud.updates) == 1
    for event in (Event.ROLLBACK_ASKED, Event.ROLLBACK_DECIDED, Event.WRITE_SENT, Event.VERDICT):
        assert len(left.lines(event)) == 1
    # The board, the diagnosis, the checklist and the record, each once.
    assert len(world.slack.messages("C0CRITICAL")) == 4
    names = [file["name"] for file in world.slack.files()]
    assert len(names) == len(set(names))
