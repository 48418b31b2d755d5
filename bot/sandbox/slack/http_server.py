"""A uvicorn server inside the running event loop, on a loopback address only, that stops promptly."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator

import uvicorn
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

_LOOPBACK_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})
_SECONDS_TO_FINISH = 2


class _Server(uvicorn.Server):
    """Leaves the signals to whoever owns the event loop, and says when it is ready."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()


class HttpServer:
    """Serves one application. `port` is known after `start`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = OnlyLoopback(app)
        self._server: _Server | None = None
        self._task: asyncio.Task[None] | None = None
        self.port = 0

    async def start(self, host: str, port: int) -> None:
        """Bind and serve; return once requests are accepted.

        Raises:
            ValueError: `host` is not a loopback address.
            OSError: the port is taken.
        """
        if host not in _LOOPBACK_HOSTS:
            raise ValueError(f"the sandbox listens on loopback only, not on {host}")
        listener = socket.create_server((host, port), family=_family(host))
        self.port = listener.getsockname()[1]
        config = uvicorn.Config(
            self._app,
            lifespan="off",
            log_config=None,
            log_level="warning",
            access_log=False,
            proxy_headers=False,
            ws="none",
            timeout_graceful_shutdown=_SECONDS_TO_FINISH,
        )
        self._server = _Server(config)
        self._task = asyncio.create_task(self._server.serve(sockets=[listener]))
        await self._server.ready.wait()

    async def stop(self) -> None:
        """Stop accepting, let requests finish for a moment, and return when all is closed."""
        if self._server is not None and self._task is not None:
            self._server.should_exit = True
            await self._task
        self._server = self._task = None

    def drop(self, request: Request) -> Response:
        """Return a response that cuts the caller's connection instead of answering."""
        connections = self._server.server_state.connections if self._server else set()
        client = (request.client.host, request.client.port) if request.client else None
        for connection in connections:
            if getattr(connection, "client", None) == client and connection.transport is not None:
                connection.transport.abort()
        return _Silence()


class _Silence(Response):
    """Sends nothing, and ends when the connection has ended."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass


class OnlyLoopback:
    """Refuses requests that name another host: a foreign page whose name was pointed at this machine."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 421 or pass the request on."""
        if scope["type"] == "http" and _host(scope) not in _LOOPBACK_HOSTS:
            refusal = Response("this server answers to loopback names only", status_code=421)
            await refusal(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def _host(scope: Scope) -> str:
    header = dict(scope["headers"]).get(b"host", b"").decode("latin-1")
    if header.startswith("["):
        return str(header[1:].partition("]")[0])
    return str(header.partition(":")[0])


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET
