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


class Client(SocketModeClient):
    """Slack's own client, which opens one new socket where it is asked to.

    Ending a socket, Slack sends a `disconnect` and then closes it, and the SDK heeds both: it opens a socket
    for the one and a second in its place for the other. What comes by the first in between is lost.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        # Not the SDK's own lock: it waits 5 s for that, then goes on at the same time.
        self._replacing = asyncio.Lock()

    async def connect_to_new_endpoint(self, force: bool = False) -> None:
        """Replace the socket there is now: because it is lost, or `force`, because Slack asked for it.

        Where that happens while this waits for its turn, nothing is left to do.
        """
        asked_of = self.current_session
        async with self._replacing:
            if self.current_session is asked_of or not await self.is_connected():
                await super().connect_to_new_endpoint(force)


class _Handler(AsyncSocketModeHandler):
    """Bolt's own handler of what comes by socket, with our client."""

    client: Client

    def __init__(self, app: AsyncApp, app_token: str, *, ping_interval: float) -> None:
        # Not Bolt's: it would make a client of its own, which is at work and has to be closed from then on.
        self.app = app
        self.app_token = app_token
        self.client = Client(
            app_token=app_token, logger=app.logger, web_client=app.client, ping_interval=ping_interval
        )
        self.client.socket_mode_request_listeners.append(self.handle)  # type: ignore[arg-type]


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
    handler = _Handler(app, app_token, ping_interval=pause_seconds)
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


async def _connect(handler: _Handler, identity: Callable[[], Awaitable[Identity]]) -> None:
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
