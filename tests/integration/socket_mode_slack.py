"""Slack in Socket Mode, in front of the sandbox: it takes the bot's sockets and hands all else on.

The sandbox posts what people do to `events_url`, as to an app over HTTP; here it goes out as an envelope,
and the acknowledgement's payload is the answer. Source: docs.slack.dev, "Using Socket Mode".
"""

import asyncio
import contextlib
import json
import secrets
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import ClientSession, WSMsgType, web

from bot.sandbox.names import APP_ID, APP_TOKEN

Json = dict[str, Any]

#: Seconds in which Slack wants an acknowledgement.
ACK_WITHIN_SECONDS = 3.0


class SocketModeSlack:
    """What a test sees of Slack's side: the sockets, and every envelope it sent.

    Args:
        behind: the Web API of the sandbox, which answers everything but ``apps.connections.open``.
    """

    def __init__(self, behind: str) -> None:
        self._behind = behind
        self._tickets: set[str] = set()
        self._acks: dict[str, asyncio.Future[Json]] = {}
        self._http: ClientSession | None = None
        self.address = ""
        self.sockets: list[web.WebSocketResponse] = []
        self.sent: list[Json] = []
        #: How often a socket was opened, since the start.
        self.connections = 0
        #: Slack is out of order: no socket for anybody.
        self.out_of_order = False
        #: How many sockets break just before they open; their addresses are used up.
        self.breaking = 0

    @property
    def api_url(self) -> str:
        """For a client's `base_url`."""
        return f"http://{self.address}/api/"

    @property
    def events_url(self) -> str:
        """Where the sandbox posts what people do."""
        return f"http://{self.address}/events"

    # What Slack does ----------------------------------------------------------------------------

    async def send(self, envelope: Json, *, within_seconds: float = ACK_WITHIN_SECONDS) -> Json:
        """Send an envelope, again if need be, and return its acknowledgement.

        Raises:
            TimeoutError: there is none.
        """
        self.sent.append(envelope)
        ack = self._acks[envelope["envelope_id"]] = asyncio.get_running_loop().create_future()
        await self.sockets[-1].send_json(envelope)
        return await asyncio.wait_for(ack, within_seconds)

    async def warn_of_disconnecting(self) -> None:
        """Ask the bot for a new connection, as Slack does every few hours; the old one stays for now."""
        await self.sockets[-1].send_json(
            {"type": "disconnect", "reason": "warning", "debug_info": {"host": "applink-1"}}
        )

    async def cut(self) -> None:
        """Break every connection without a word of warning."""
        for socket in self.sockets:
            await socket.close(code=1011)

    # Serving ------------------------------------------------------------------------------------

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """Serve on a free port of 127.0.0.1."""
        app = web.Application()
        app.add_routes(
            [
                web.post("/api/apps.connections.open", self._open),
                web.route("*", "/api/{method}", self._hand_on),
                web.post("/events", self._deliver),
                web.get("/link/", self._link),
            ]
        )
        runner = web.AppRunner(app, shutdown_timeout=1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        self.address = f"{host}:{port}"
        try:
            async with ClientSession() as self._http:
                yield
        finally:
            await self.cut()
            await runner.cleanup()

    async def _open(self, request: web.Request) -> web.Response:
        """``apps.connections.open``: an address for one socket."""
        if self.out_of_order:
            return web.json_response({"ok": False, "error": "internal_error"}, status=500)
        if request.headers.get("Authorization") != f"Bearer {APP_TOKEN}":
            return web.json_response({"ok": False, "error": "not_allowed_token_type"})
        ticket = secrets.token_hex(8)
        self._tickets.add(ticket)
        url = f"ws://{self.address}/link/?ticket={ticket}&app_id={APP_ID}"
        return web.json_response({"ok": True, "url": url})

    async def _link(self, request: web.Request) -> web.StreamResponse:
        """Take one socket, greet it and read its acknowledgements until it closes."""
        ticket = request.query["ticket"]
        if ticket not in self._tickets:
            return web.Response(status=408, text="this address was used or is too old")
        self._tickets.remove(ticket)
        if self.breaking:
            self.breaking -= 1
            return web.Response(status=503)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.sockets.append(socket)
        self.connections += 1
        await socket.send_json(self._hello())
        try:
            await self._read(socket)
        finally:
            self.sockets.remove(socket)
        return socket

    def _hello(self) -> Json:
        return {
            "type": "hello",
            "num_connections": len(self.sockets),
            "debug_info": {"host": "applink-1", "build_number": 1, "approximate_connection_time": 3600},
            "connection_info": {"app_id": APP_ID},
        }

    async def _read(self, socket: web.WebSocketResponse) -> None:
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                ack = json.loads(message.data)
                waiting = self._acks.pop(ack["envelope_id"], None)
                if waiting is not None and not waiting.done():
                    waiting.set_result(ack)

    async def _deliver(self, request: web.Request) -> web.Response:
        """Send what the sandbox posts as an envelope, and answer with what the bot answered."""
        fields = dict(parse_qsl(await request.text(), keep_blank_values=True))
        clicked = "payload" in fields
        envelope = {
            "envelope_id": secrets.token_hex(8),
            "type": "interactive" if clicked else "slash_commands",
            "payload": json.loads(fields["payload"]) if clicked else fields,
            "accepts_response_payload": True,
        }
        try:
            ack = await self.send(envelope)
        except (TimeoutError, IndexError):
            return web.Response(status=504, text="no acknowledgement")
        return web.json_response(ack["payload"]) if "payload" in ack else web.Response()

    async def _hand_on(self, request: web.Request) -> web.Response:
        """Let the sandbox answer."""
        assert self._http is not None
        headers = {
            name: value
            for name, value in request.headers.items()
            if name.lower() in {"authorization", "content-type"}
        }
        url = f"{self._behind}{request.match_info['method']}"
        async with self._http.request(
            request.method, url, params=request.query, data=await request.read(), headers=headers
        ) as answer:
            return web.Response(
                status=answer.status,
                body=await answer.read(),
                headers={
                    name: answer.headers[name]
                    for name in ("Content-Type", "Retry-After")
                    if name in answer.headers
                },
            )
