"""Receiving over a socket that we open ourselves, for a bot that Slack cannot reach over HTTP."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import structlog
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_bolt.response import BoltResponse
from slack_sdk.socket_mode.aiohttp import SocketModeClient

from bot.slack.recipients import Identity, check_recipient
from bot.slack.refusals import Refused

#: Between two signs of life, and between two tries to connect. Somebody waits for the bot to come back.
PAUSE_SECONDS = 5.0

log = structlog.get_logger()


@asynccontextmanager
async def socket_mode(
    app: AsyncApp,
    app_token: str,
    identity: Callable[[], Awaitable[Identity]],
    *,
    pause_seconds: float = PAUSE_SECONDS,
) -> AsyncIterator[None]:
    """Receive for `app` while the block runs, which it enters at once: with Slack away, all else goes on.

    Nothing is signed here: the app-level token is the trust. Whether a payload is for our app and our
    workspace is asked as in front of HTTP, so the socket opens only when `identity` knows who we are.
    """
    handler = AsyncSocketModeHandler(app, app_token, ping_interval=pause_seconds)
    tasks = (
        asyncio.create_task(_connect(handler, identity)),
        asyncio.create_task(_ask_for_new_addresses(handler.client, pause_seconds)),
    )
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await handler.close_async()  # type: ignore[no-untyped-call]


async def _connect(handler: AsyncSocketModeHandler, identity: Callable[[], Awaitable[Identity]]) -> None:
    try:
        _only_for(await identity(), handler.app)
        await handler.connect_async()  # type: ignore[no-untyped-call]
    except Exception:
        log.exception("socket_mode_broken")


async def _ask_for_new_addresses(client: SocketModeClient, pause_seconds: float) -> None:
    """Let every try to connect ask Slack where to.

    The SDK tries one address for ever, but an address is good for one connection and a few seconds: after
    a break at the wrong moment the bot would stay deaf.
    """
    while True:
        await asyncio.sleep(pause_seconds)
        if not await client.is_connected():
            client.wss_uri = None


def _only_for(us: Identity, app: AsyncApp) -> None:
    """Refuse what is for another app or team, unacknowledged, before a listener sees it."""

    async def check(body: dict[str, Any], next: Callable[[], Awaitable[None]]) -> BoltResponse | None:
        try:
            check_recipient(body, us)
        except Refused as refused:
            refusal = refused.refusal
            log.warning("slack_request_refused", reason=refusal.name.lower(), **refused.facts)
            return BoltResponse(status=refusal.status, body=refusal.words)
        await next()
        return None

    app.use(check)
