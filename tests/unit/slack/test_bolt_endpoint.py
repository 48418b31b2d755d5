"""The gate and Bolt together: what Slack signs reaches the listener, whatever words are in it."""

import hashlib
import hmac
import json
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_bolt.authorization import AuthorizeResult
from starlette.applications import Starlette
from starlette.routing import Route

from bot.slack.bolt_endpoint import BoltEndpoint
from bot.slack.gate import Gate, Identity

NOW = 1_800_000_000
SECRET = "a-signing-secret-for-tests"
US = Identity(team_id="T0HOME", app_id="A0BACKOUT")


async def _authorize(**_: Any) -> AuthorizeResult:
    return AuthorizeResult(enterprise_id=None, team_id=US.team_id, bot_token="xoxb-test")


def _stack() -> Starlette:
    """A whole server with one command and one button, both of which repeat what they got."""
    app = AsyncApp(authorize=_authorize, request_verification_enabled=False, process_before_response=True)

    @app.command("/incident")
    async def command(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack(text=body["text"])

    @app.action("rollback.go")
    async def press(ack: AsyncAck, action: dict[str, Any]) -> None:
        await ack(text=action["value"])

    gate = Gate(BoltEndpoint(app), signing_secret=SECRET, clock=lambda: NOW, identity=lambda: US)
    return Starlette(routes=[Route("/slack/events", gate)])


async def _post(body: bytes, *, content_type: str, signature: str | None = None) -> httpx.Response:
    mac = hmac.new(SECRET.encode(), b"v0:%d:%b" % (NOW, body), hashlib.sha256)
    headers = {
        "content-type": content_type,
        "x-slack-request-timestamp": str(NOW),
        "x-slack-signature": signature or f"v0={mac.hexdigest()}",
    }
    transport = httpx.ASGITransport(app=_stack())
    async with httpx.AsyncClient(transport=transport, base_url="https://backout.example.com") as client:
        return await client.post("/slack/events", content=body, headers=headers)


async def _say(text: str, **how: Any) -> httpx.Response:
    fields = {
        "command": "/incident",
        "text": text,
        "team_id": US.team_id,
        "api_app_id": US.app_id,
        "user_id": "U0SENA",
    }
    body = urlencode(fields).encode()
    return await _post(body, content_type="application/x-www-form-urlencoded", **how)


@pytest.mark.parametrize(
    "text",
    [
        "note bad payload",
        "note payload={}",
        "note &payload=%7B%7D 100%",
        "note 오류율 1 % + 지연\n",
        "",
    ],
)
async def test_a_command_arrives_word_for_word(text: str) -> None:
    answer = await _say(text)

    assert (answer.status_code, answer.text) == (200, text)


async def test_a_click_arrives() -> None:
    payload = {
        "type": "block_actions",
        "api_app_id": US.app_id,
        "team": {"id": US.team_id},
        "user": {"id": "U0SENA"},
        "actions": [{"type": "button", "action_id": "rollback.go", "block_id": "b", "value": "7"}],
    }

    answer = await _post(
        urlencode({"payload": json.dumps(payload)}).encode(),
        content_type="application/x-www-form-urlencoded",
    )

    assert (answer.status_code, answer.text) == (200, "7")


async def test_slacks_question_whether_the_address_is_ours_is_answered() -> None:
    body = json.dumps({"type": "url_verification", "challenge": "c", "token": "t"}).encode()

    answer = await _post(body, content_type="application/json; charset=utf-8")

    assert (answer.status_code, answer.json()) == (200, {"challenge": "c"})


async def test_a_signed_certificate_check_is_answered() -> None:
    answer = await _post(b"ssl_check=1&token=t", content_type="application/x-www-form-urlencoded")

    assert answer.status_code == 200


async def test_a_forged_command_reaches_no_listener() -> None:
    answer = await _say("note", signature="v0=" + "0" * 64)

    assert (answer.status_code, answer.text) == (401, "wrong signature")
