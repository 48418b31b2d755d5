"""Slack's side of Socket Mode: sockets that an app opens, envelopes sent over them, and acknowledgements.

Source: docs.slack.dev, "Using Socket Mode"; of `too_many_websockets`: the issues of Slack's own clients.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any, Literal
from uuid import uuid4

from aiohttp import ClientConnectionError, WSMsgType, web

from bot.sandbox import names

Json = dict[str, Any]
Reason = Literal["warning", "refresh_requested", "link_disabled", "too_many_websockets"]

#: Sockets of one app at a time.
MOST_SOCKETS = 10
#: How long Slack keeps a socket, seconds; with ``&debug_reconnects=true`` the shorter time.
LIFETIME_SECONDS, DEBUG_LIFETIME_SECONDS = 3600.0, 360.0
#: Between the warning and the end of a socket, "about 10 seconds".
NOTICE_SECONDS = 10.0
#: Between two pings. Slack's clients wait 30 s for one before they give a socket up.
PING_SECONDS = 10.0
#: How long a closing socket waits for the app to close its end.
CLOSING_SECONDS = 1.0
#: An address is good for one socket and a few seconds.
TICKET_SECONDS = 30.0


class NotConnected(Exception):
    """The app has no socket open."""


@dataclass(eq=False)
class _Socket:
    """One socket. `host` is Slack's name of its end."""

    wire: web.WebSocketResponse
    transport: asyncio.BaseTransport | None
    host: str
    lifetime_seconds: float

    async def disconnect(self, reason: Reason) -> None:
        """Ask the app to open another one; nothing is closed here."""
        await self.send({"type": "disconnect", "reason": reason, "debug_info": {"host": self.host}})

    async def send(self, message: Json) -> bool:
        """Send, and say whether the socket was still open."""
        try:
            await self.wire.send_json(message)
        except ClientConnectionError:
            return False
        return True

    async def end(self, reason: Reason) -> None:
        """Say why, and close."""
        await self.disconnect(reason)
        await self.wire.close()


@dataclass(kw_only=True)
class SocketMode:
    """The sockets of the one app.

    Args:
        enabled: whether the app receives by socket; then nothing at all is delivered over HTTP.
        clock: the time in epoch seconds.
        patience_seconds: how long the app has to acknowledge.
    """

    enabled: bool
    clock: Callable[[], float]
    patience_seconds: float
    lifetime_seconds: float = LIFETIME_SECONDS
    notice_seconds: float = NOTICE_SECONDS
    #: Every envelope since the start or the last reset, oldest first.
    sent: list[Json] = field(default_factory=list)
    #: How often a socket was opened and greeted, since the start.
    opened: int = 0
    #: How many sockets break just before they open; their addresses are used up.
    breaking: int = 0
    _at_first: bool = field(init=False)
    _sockets: list[_Socket] = field(default_factory=list)
    _tickets: dict[str, float] = field(default_factory=dict)
    _acks: dict[str, asyncio.Future[Json]] = field(default_factory=dict)
    _runner: web.AppRunner | None = None
    _authority: str = ""

    def __post_init__(self) -> None:
        self._at_first = self.enabled

    # Life ---------------------------------------------------------------------------------------

    async def start(self, host: str) -> None:
        """Take sockets on a free port of this loopback address."""
        app = web.Application()
        app.add_routes([web.get("/link/", self._link)])
        self._runner = web.AppRunner(app, shutdown_timeout=1, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, 0)
        await site.start()
        port = self._runner.addresses[0][1]
        self._authority = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    async def stop(self) -> None:
        """Close every socket and free the port."""
        await asyncio.gather(*(socket.wire.close() for socket in self._sockets))
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def forget(self) -> None:
        """Forget what was sent and what is to break, and be on or off as at first.

        Sockets stay open: an app that lost one would ask for another at once, and for ever while it is off.
        Off, nothing goes over them, and no new one is taken.
        """
        self.sent.clear()
        self.breaking = 0
        self.enabled = self._at_first

    # What an app's owner and Slack do -------------------------------------------------------------

    async def switch(self, *, on: bool) -> None:
        """Turn Socket Mode on or off in the app's settings; off ends every socket."""
        self.enabled = on
        if not on:
            await self._end_all("link_disabled")

    async def warn(self) -> None:
        """Say on every socket that it will end in a few seconds, and let it live for now."""
        for socket in list(self._sockets):
            await socket.disconnect("warning")

    async def refresh(self) -> None:
        """End every socket as Slack does when it wants new ones."""
        await self._end_all("refresh_requested")

    def cut(self, count: int | None = None) -> None:
        """Break the oldest `count` sockets, or all, without a word."""
        for socket in self._sockets[:count]:
            if isinstance(socket.transport, asyncio.WriteTransport):
                socket.transport.abort()

    async def _end_all(self, reason: Reason) -> None:
        for socket in list(self._sockets):
            await socket.end(reason)

    # Looking ------------------------------------------------------------------------------------

    @property
    def connections(self) -> int:
        """How many sockets are open."""
        return len(self._sockets)

    # Sending ------------------------------------------------------------------------------------

    def new_address(self) -> str:
        """Return an address for one socket: the answer of ``apps.connections.open``."""
        ticket = str(uuid4())
        self._tickets[ticket] = self.clock()
        return f"ws://{self._authority}/link/?ticket={ticket}&app_id={names.APP_ID}"

    async def send(self, envelope: Json, *, within_seconds: float | None = None) -> Json:
        """Send an envelope over one of the sockets and return the payload of its acknowledgement, or {}.

        Each socket in turn, as Slack promises no more than "any of them". A payload that the envelope does
        not accept is ignored.

        Raises:
            NotConnected: there is no socket.
            TimeoutError: it was not acknowledged in time.
        """
        identifier = envelope["envelope_id"]
        ack = self._acks[identifier] = asyncio.get_running_loop().create_future()
        self.sent.append(envelope)
        try:
            await self._pass_on(envelope)
            patience = self.patience_seconds if within_seconds is None else within_seconds
            answer = await asyncio.wait_for(ack, patience)
        finally:
            # The same envelope may be under way twice.
            if self._acks.get(identifier) is ack:
                del self._acks[identifier]
        payload = answer.get("payload")
        return payload if isinstance(payload, dict) and envelope["accepts_response_payload"] else {}

    async def _pass_on(self, envelope: Json) -> None:
        for socket in list(self._sockets):
            if socket not in self._sockets:
                continue  # It ended while another one was tried.
            self._sockets.remove(socket)
            self._sockets.append(socket)
            if await socket.send(envelope):
                return
        raise NotConnected

    # Taking sockets -----------------------------------------------------------------------------

    async def _link(self, request: web.Request) -> web.StreamResponse:
        made_at = self._tickets.pop(request.query.get("ticket", ""), None)
        if made_at is None or self.clock() - made_at > TICKET_SECONDS:
            return web.Response(status=408, text="this address was used or is too old")
        if self.breaking:
            self.breaking -= 1
            return web.Response(status=503)
        wire = web.WebSocketResponse(heartbeat=PING_SECONDS, timeout=CLOSING_SECONDS)
        await wire.prepare(request)
        debug = request.query.get("debug_reconnects") == "true"
        lifetime_seconds = min(self.lifetime_seconds, DEBUG_LIFETIME_SECONDS if debug else LIFETIME_SECONDS)
        host = f"applink-{self.opened + 1}"
        await self._serve(_Socket(wire, request.transport, host, lifetime_seconds))
        return wire

    async def _serve(self, socket: _Socket) -> None:
        """Greet a socket and read its acknowledgements until it ends."""
        refusal = self._refusal()
        if refusal is not None:
            await socket.end(refusal)
            return
        self._sockets.append(socket)
        self.opened += 1
        try:
            async with self._ageing(socket):
                await socket.send(self._hello(socket))
                async for message in socket.wire:
                    if message.type is WSMsgType.TEXT:
                        self._acknowledge(message.data)
        finally:
            self._sockets.remove(socket)

    def _refusal(self) -> Reason | None:
        if not self.enabled:
            return "link_disabled"
        return "too_many_websockets" if len(self._sockets) >= MOST_SOCKETS else None

    def _hello(self, socket: _Socket) -> Json:
        return {
            "type": "hello",
            "num_connections": len(self._sockets),
            "debug_info": {
                "host": socket.host,
                "build_number": 1,
                "approximate_connection_time": int(socket.lifetime_seconds),
            },
            "connection_info": {"app_id": names.APP_ID},
        }

    @contextlib.asynccontextmanager
    async def _ageing(self, socket: _Socket) -> AsyncIterator[None]:
        ageing = asyncio.create_task(self._grow_old(socket))
        try:
            yield
        finally:
            ageing.cancel()

    async def _grow_old(self, socket: _Socket) -> None:
        await asyncio.sleep(max(0.0, socket.lifetime_seconds - self.notice_seconds))
        await socket.disconnect("warning")
        await asyncio.sleep(self.notice_seconds)
        await socket.end("refresh_requested")

    def _acknowledge(self, data: str) -> None:
        """Take an acknowledgement; on which socket it comes does not matter, and others are nobody's."""
        try:
            answer = json.loads(data)
        except ValueError:
            return
        waiting = self._acks.get(str(answer.get("envelope_id"))) if isinstance(answer, dict) else None
        if waiting is not None and not waiting.done():
            waiting.set_result(answer)


def command_envelope(fields: Json) -> Json:
    """Return the envelope of a slash command."""
    return _envelope("slash_commands", fields, accepts=True)


def interactive_envelope(payload: Json) -> Json:
    """Return the envelope of something used or chosen; only a submission takes a payload for its answer."""
    return _envelope("interactive", payload, accepts=payload["type"] == "view_submission")


def event_envelope(payload: Json, *, attempt: int, reason: str) -> Json:
    """Return the envelope of an event; `attempt` counts retries from 1, and 0 is the first delivery."""
    return {
        **_envelope("events_api", payload, accepts=False),
        "retry_attempt": attempt,
        "retry_reason": reason,
    }


def _envelope(kind: str, payload: Json, *, accepts: bool) -> Json:
    return {
        "envelope_id": str(uuid4()),
        "type": kind,
        "payload": payload,
        "accepts_response_payload": accepts,
    }
