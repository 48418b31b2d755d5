"""Running as a server: web, worker, or both in one process."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager

import uvicorn
from starlette.applications import Starlette

from bot.adapters.slack_identity import OwnIdentity
from bot.bootstrap import House, working
from bot.slack.recipients import Identity
from bot.web import bolt_app, web_app

#: Cloud Run gives about 10 s after SIGTERM; what is not finished by then goes on elsewhere.
DRAIN_SECONDS = 8


async def serve(house: House, *, web: bool, worker: bool) -> None:
    """Run until SIGTERM or SIGINT. Raises `AlreadyWorking` where a worker would be one too many."""
    if worker:
        await house.durable.refuse_a_second()
    own = OwnIdentity(house.slack)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            stack.push_async_callback(house.close)
            learning = asyncio.create_task(own.learn())
            stack.callback(learning.cancel)
            if worker:
                await stack.enter_async_context(working(house))
            app_token = house.settings.slack_app_token
            if web and app_token is not None:
                receiving = _socket_mode(house, own, learning, app_token.get_secret_value())
                await stack.enter_async_context(receiving)
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


def _socket_mode(
    house: House, own: OwnIdentity, learning: Awaitable[None], app_token: str
) -> AbstractAsyncContextManager[None]:
    """Return the block in which we receive over a socket of ours."""
    # HTTP, the usual way in, needs none of this.
    from bot.slack.socket_mode import socket_mode

    async def identity() -> Identity:
        await learning
        assert own.identity is not None
        return own.identity

    return socket_mode(bolt_app(house, own), app_token, identity)
