"""A small HTTP/1.1 client on bare asyncio, with keep-alive, for loopback only."""

import asyncio

from bot.sandbox.cloud.http_messages import (
    HttpRequest,
    HttpResponse,
    Malformed,
    decode_response,
    encode_request,
)


class HttpClient:
    """Sends requests to 127.0.0.1 and keeps idle connections for the next one."""

    def __init__(self, host: str) -> None:
        self.host = host
        self._idle: dict[int, list[_Exchange]] = {}
        self._open: set[_Exchange] = set()

    async def send(self, request: HttpRequest, *, port: int, timeout_seconds: float) -> HttpResponse:
        """Return the answer of the server on `port`.

        Raises:
            OSError: nobody listens, or the connection was cut before a whole answer came.
            TimeoutError: no whole answer in time (a subclass of OSError).
        """
        async with asyncio.timeout(timeout_seconds):
            exchange = self._reuse(port) or await self._connect(port)
            try:
                return await exchange.send(encode_request(request, host=f"{self.host}:{port}"))
            except asyncio.CancelledError:
                exchange.close()
                raise

    def close(self) -> None:
        """Cut every connection."""
        for exchange in tuple(self._open):
            exchange.close()
        self._idle.clear()

    def _reuse(self, port: int) -> "_Exchange | None":
        idle = self._idle.get(port, [])
        while idle:
            exchange = idle.pop()
            if not exchange.closed:
                return exchange
        return None

    async def _connect(self, port: int) -> "_Exchange":
        loop = asyncio.get_running_loop()
        _, exchange = await loop.create_connection(lambda: _Exchange(self, port), self.host, port)
        self._open.add(exchange)
        return exchange

    def _back(self, exchange: "_Exchange", port: int) -> None:
        self._idle.setdefault(port, []).append(exchange)

    def _gone(self, exchange: "_Exchange") -> None:
        self._open.discard(exchange)


class _Exchange(asyncio.Protocol):
    """One connection and the answer it is waiting for."""

    def __init__(self, client: HttpClient, port: int) -> None:
        self._client = client
        self._port = port
        self._buffer = bytearray()
        self._answer: asyncio.Future[HttpResponse] | None = None
        self._transport: asyncio.Transport | None = None

    @property
    def closed(self) -> bool:
        return self._transport is None or self._transport.is_closing()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    async def send(self, raw: bytes) -> HttpResponse:
        if self._transport is None:
            raise ConnectionResetError("the connection was cut")
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(raw)
        return await self._answer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._client._gone(self)
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(ConnectionResetError("the connection was cut"))

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        try:
            response = decode_response(self._buffer)
        except Malformed as malformed:
            self._fail(malformed)
            return
        if response is not None and self._answer is not None and not self._answer.done():
            self._answer.set_result(response)
            if response.headers.get("connection", "").lower() == "close":
                self.close()
            else:
                self._client._back(self, self._port)

    def _fail(self, malformed: Malformed) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(ConnectionError(str(malformed)))
        self.close()
