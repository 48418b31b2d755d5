"""Running as a server: web, worker, or both in one process."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import uvicorn
from starlette.applications import Starlette

from bot.adapters.slack_identity import OwnIdentity
from bot.bootstrap import House, working
from bot.web import bolt_app, web_app

#: Cloud Run gives about 10 s after SIGTERM; what is not finished by then goes on elsewhere.
DRAIN_SECONDS = 8


async def serve(house: House, *, web: bool, worker: bool) -> None:
    """Run until SIGTERM or SIGINT."""
    own = OwnIdentity(house.slack)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            stack.push_async_callback(house.close)
            learning = asyncio.create_task(own.learn())
            stack.callback(learning.cancel)
            if worker:
                await stack.enter_async_context(working(house))
            if web and house.settings.slack_app_token is not None:
                await stack.enter_async_context(_socket_mode(house, own))
            yield

    app = web_app(house, own, lifespan=lifespan) if web else Starlette(lifespan=lifespan)
    config = uvicorn.Config(
        app,
        host="0.0.0.0" if web else "127.0.0.1",  # noqa: S104 - a container's port; the gate is in front
        port=house.settings.port if web else 0,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=DRAIN_SECONDS,
        lifespan="on",
    )
    await uvicorn.Server(config).serve()


@asynccontextmanager
async def _socket_mode(house: House, own: OwnIdentity) -> AsyncIterator[None]:
    """Receive over a socket of ours instead of over HTTP: the app-level token is the trust."""
    from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler

    token = house.settings.slack_app_token
    assert token is not None
    handler = AsyncSocketModeHandler(bolt_app(house, own), token.get_secret_value())
    await handler.connect_async()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        await handler.close_async()  # type: ignore[no-untyped-call]
