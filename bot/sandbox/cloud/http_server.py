"""A small HTTP/1.1 server on bare asyncio: dozens of requests a second for next to no CPU."""

import asyncio
from collections.abc import Awaitable, Callable

from bot.sandbox.cloud.http_messages import (
    HttpRequest,
    HttpResponse,
    Malformed,
    decode_request,
    encode_response,
)

Handler = Callable[[HttpRequest], Awaitable[HttpResponse]]


class Hangup(Exception):
    """Raised by a handler to cut the connection without an answer."""


class HttpServer:
    """Serves `handler` on a free port of `host`, keep-alive, one request at a time a connection."""

    def __init__(self, handler: Handler) -> None:
        self.handler = handler
        self.port = 0
        self._server: asyncio.Server | None = None
        self._connections: set[_Connection] = set()

    async def start(self, host: str) -> None:
        """Listen on a free port; `port` tells which."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Connection(self.handler, self._connections), host, 0)
        self.port = self._server.sockets[0].getsockname()[1]

    def close(self) -> None:
        """Stop listening and cut every connection."""
        if self._server is not None:
            self._server.close()
            self._server = None
        self.hang_up()

    def hang_up(self) -> None:
        """Cut every connection, with whatever is in flight on it; keep listening."""
        for connection in tuple(self._connections):
            connection.cut()


class _Connection(asyncio.Protocol):
    """One client's connection."""

    def __init__(self, handler: Handler, connections: "set[_Connection]") -> None:
        self._handler = handler
        self._connections = connections
        self._buffer = bytearray()
        self._task: asyncio.Task[None] | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._connections.discard(self)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if self._task is None:
            self._next()

    def cut(self) -> None:
        if self._task is not None:
            self._task.cancel()
        if self._transport is not None:
            self._transport.abort()

    def _next(self) -> None:
        """Start on the next complete request in the buffer, if there is one."""
        try:
            request = decode_request(self._buffer)
        except Malformed as malformed:
            self._write(
                encode_response(HttpResponse(status=malformed.status), to=None, close=True), close=True
            )
            return
        if request is not None:
            self._task = asyncio.get_running_loop().create_task(self._answer(request))

    async def _answer(self, request: HttpRequest) -> None:
        try:
            response = await self._handler(request)
        except Hangup:
            self._task = None
            self.cut()
            return
        self._task = None
        close = not request.keep_alive
        self._write(encode_response(response, to=request, close=close), close=close)
        if self._buffer and not close:
            self._next()

    def _write(self, data: bytes, *, close: bool) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        self._transport.write(data)
        if close:
            self._transport.close()
