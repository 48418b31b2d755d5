"""A running sandbox workspace for tests, with a small real Bolt app as the receiver of what it delivers."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from slack_bolt.adapter.starlette.async_handler import AsyncSlackRequestHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.sandbox import names
from bot.sandbox.slack import SandboxSlack
from bot.sandbox.slack.events import Sleep
from bot.sandbox.slack.http_server import HttpServer

#: For whatever is sure to come, and for what an app has to answer where that is not what is tried: a busy
#: machine may take longer than Slack's 3 seconds. Generous: a test that passes never waits so long.
PATIENCE_SECONDS = 60.0
CRITICAL = "C0CRITICAL"
OPERATIONS = "C0OPERATIONS"
#: The bot is in the first two and not in this one.
BACKEND = "C0BACKEND"

SCOPES = [
    "app_mentions:read",
    "bookmarks:write",
    "channels:history",
    "channels:join",
    "channels:read",
    "chat:write",
    "chat:write.public",
    "commands",
    "files:read",
    "files:write",
    "im:history",
    "im:read",
    "im:write",
    "pins:write",
    "reactions:read",
    "reactions:write",
    "usergroups:read",
    "users:read",
]


def a_manifest(*, scopes: list[str] | None = None) -> dict[str, Any]:
    """Return a parsed manifest with commands, shortcuts, both tabs and events."""
    commands = [
        {"command": "/rollback", "description": "Roll back", "usage_hint": "TARGET", "should_escape": True},
        {"command": "/canary", "description": "Look", "usage_hint": "status", "should_escape": False},
    ]
    shortcuts = [
        {"name": "Declare", "type": "global", "callback_id": "declare", "description": "An incident"},
        {"name": "Keep", "type": "message", "callback_id": "keep", "description": "In the timeline"},
    ]
    events = ["app_home_opened", "app_mention", "message.im", "reaction_added", "reaction_removed"]
    return {
        "display_information": {"name": "Backout"},
        "features": {
            "app_home": {"home_tab_enabled": True, "messages_tab_enabled": True},
            "bot_user": {"display_name": "backout"},
            "slash_commands": commands,
            "shortcuts": shortcuts,
        },
        "oauth_config": {"scopes": {"bot": SCOPES if scopes is None else scopes}},
        "settings": {"event_subscriptions": {"bot_events": events}},
    }


class Clock:
    """Real time, plus what a test adds to it; or nothing but that, once it stands still."""

    def __init__(self) -> None:
        self.ahead_seconds = 0.0
        self._stands_at: float | None = None

    def stand_still(self) -> None:
        """Let no time go by but what is added: where seconds are counted, a busy machine takes some."""
        self._stands_at = time.time()

    def __call__(self) -> float:
        """Return epoch seconds."""
        now = time.time() if self._stands_at is None else self._stands_at
        return now + self.ahead_seconds


class Receiver:
    """The bot's side: a Bolt app behind HTTP, and a note of every signed body it was sent."""

    def __init__(self) -> None:
        self.app = AsyncApp(
            client=AsyncWebClient(token=names.BOT_TOKEN),
            signing_secret=names.SIGNING_SECRET,
            process_before_response=True,
        )
        self.client = self.app.client
        #: (body as text, headers) of every request.
        self.received: list[tuple[str, dict[str, str]]] = []
        self.arrived = asyncio.Condition()
        #: An answer that replaces Bolt's: status and text.
        self.answer: tuple[int, str] | None = None
        #: Headers of that answer.
        self.answer_headers: dict[str, str] = {}
        #: While it is cleared, requests are taken and none is answered.
        self.answering = asyncio.Event()
        self.answering.set()
        handler = AsyncSlackRequestHandler(self.app)

        async def endpoint(request: Request) -> Response:
            await self._note(request)
            await self.answering.wait()
            if self.answer is not None:
                status, text = self.answer
                return Response(text, status_code=status, headers=self.answer_headers)
            return await handler.handle(request)

        self._http = HttpServer(Starlette(routes=[Route("/slack/events", endpoint, methods=["POST"])]))

    @property
    def url(self) -> str:
        """Where the sandbox delivers to."""
        return f"http://127.0.0.1:{self._http.port}/slack/events"

    async def _note(self, request: Request) -> None:
        body = (await request.body()).decode()
        async with self.arrived:
            self.received.append((body, dict(request.headers)))
            self.arrived.notify_all()

    async def until_received(self, count: int) -> None:
        """Wait until this many requests have arrived."""
        async with asyncio.timeout(PATIENCE_SECONDS), self.arrived:
            await self.arrived.wait_for(lambda: len(self.received) >= count)

    async def start(self, slack: SandboxSlack) -> None:
        """Serve, and talk to this workspace."""
        await self._http.start("127.0.0.1", 0)
        self.client.base_url = slack.api_url
        slack.events_url = self.url

    async def stop(self) -> None:
        """Stop serving."""
        await self._http.stop()


async def _for_ever(_: float) -> None:
    await asyncio.Event().wait()


async def at_once(_: float) -> None:
    """Let what Slack waits for be over: see `running_slack`."""


@asynccontextmanager
async def running_slack(
    *,
    scopes: list[str] | None = None,
    clock: Clock | None = None,
    patience_seconds: float = PATIENCE_SECONDS,
    sleep: Sleep | None = None,
) -> AsyncIterator[SandboxSlack]:
    """Serve a fresh workspace whose bot nobody can reach yet, and which is more patient than Slack.

    An event that the bot does not take comes again only once `sleep` is over, which it never is unless given:
    Bolt takes none that it has no listener for.
    """
    slack = SandboxSlack(
        manifest=a_manifest(scopes=scopes),
        events_url="http://127.0.0.1:9/slack/events",
        clock=clock or Clock(),
        patience_seconds=patience_seconds,
        sleep=sleep or _for_ever,
    )
    await slack.start()
    try:
        yield slack
    finally:
        await slack.stop()


@asynccontextmanager
async def running_bot(slack: SandboxSlack) -> AsyncIterator[Receiver]:
    """Serve a Bolt app that the workspace delivers to."""
    receiver = Receiver()
    await receiver.start(slack)
    try:
        yield receiver
    finally:
        await receiver.stop()


def client_of(slack: SandboxSlack, token: str | None = names.BOT_TOKEN) -> AsyncWebClient:
    """Return the official client, without retries of its own."""
    return AsyncWebClient(token=token, base_url=slack.api_url, retry_handlers=[])


def section(text: str = "hello") -> dict[str, Any]:
    """Return a section block."""
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def buttons(*action_ids: str, block_id: str = "row") -> dict[str, Any]:
    """Return an actions block with a button for each id."""
    elements = [
        {
            "type": "button",
            "action_id": action_id,
            "text": {"type": "plain_text", "text": action_id},
            "value": f"value of {action_id}",
        }
        for action_id in action_ids
    ]
    return {"type": "actions", "block_id": block_id, "elements": elements}


def text_input(action_id: str, *, block_id: str, **more: Any) -> dict[str, Any]:
    """Return an input block that asks for text."""
    return {
        "type": "input",
        "block_id": block_id,
        "label": {"type": "plain_text", "text": action_id},
        "element": {"type": "plain_text_input", "action_id": action_id},
        **more,
    }


def modal(*blocks: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return a modal with a submit button."""
    return {
        "type": "modal",
        "callback_id": "asked",
        "title": {"type": "plain_text", "text": "Question"},
        "submit": {"type": "plain_text", "text": "Send"},
        "blocks": list(blocks) or [text_input("why", block_id="why")],
        **more,
    }
