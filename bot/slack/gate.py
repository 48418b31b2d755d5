"""The gate in front of Bolt: size, signature, age, our app and our team, before a listener sees anything.

Bolt alone answers some forged requests with a 500 or an unsigned 200, and logs their whole body. A replay
within five minutes passes: that nothing happens twice is a promise of the use-cases.
"""

import asyncio
import hashlib
import hmac
from collections.abc import Callable

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.slack.bodies import MalformedBody
from bot.slack.recipients import Identity, check_recipient
from bot.slack.refusals import Refusal, Refused
from bot.slack.request_head import MAX_BODY_BYTES, Head, read_head

__all__ = ["Gate", "Identity"]

#: Slack itself gives up after 3 s; this only keeps a trickling body from holding a connection for good.
MAX_BODY_SECONDS = 10.0

_log = structlog.get_logger()


class _CallerLeft(Exception):
    """The connection closed before the body was complete: nobody is left to answer."""


class Gate:
    """An ASGI app that hands on, unchanged, what Slack signed for us, and answers all else with a 4xx."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        signing_secret: str,
        clock: Callable[[], float],
        identity: Callable[[], Identity | None],
    ) -> None:
        """Stand in front of `app`.

        Args:
            signing_secret: the Slack app's; ValueError when blank, since anybody could sign with that.
            clock: seconds since 1970.
            identity: asked at every request; None, while not yet known, compares neither app nor team.
        """
        if not signing_secret.strip():
            raise ValueError("the signing secret is blank")
        self._app = app
        self._secret = signing_secret.encode()
        self._clock = clock
        self._identity = identity

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        elif scope["type"] == "http":
            await self._serve(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            body = await self._admit(scope, receive)
        except Refused as refused:
            refusal = refused.refusal
            _log.warning("slack_request_refused", reason=refusal.name.lower(), **refused.facts)
            await _answer(refusal, send)
        except _CallerLeft:
            pass
        else:
            await self._app(scope, _replay(body, receive), send)

    async def _admit(self, scope: Scope, receive: Receive) -> bytes:
        """Return the body of a request that Slack sent to us; raises `Refused` for any other.

        In the order of cost, and nothing is parsed before the signature has proven who wrote it.
        """
        head = read_head(scope, now=self._clock())
        body = await _read(receive, declared_bytes=head.length)
        if not hmac.compare_digest(head.signature, self._sign(head, body)):
            raise Refused(Refusal.SIGNATURE)
        try:
            said = head.decode(body)
        except MalformedBody as error:
            raise Refused(Refusal.MALFORMED) from error
        us = self._identity()
        if us is not None:
            check_recipient(said, us)
        return body

    def _sign(self, head: Head, body: bytes) -> bytes:
        mac = hmac.new(self._secret, b"v0:%b:%b" % (head.timestamp, body), hashlib.sha256)
        return b"v0=" + mac.hexdigest().encode()


async def _read(receive: Receive, *, declared_bytes: int | None) -> bytes:
    """Return the whole body, never holding more than one chunk beyond the limit."""
    body = bytearray()
    more = True
    try:
        async with asyncio.timeout(MAX_BODY_SECONDS):
            while more:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise _CallerLeft
                body += message.get("body", b"")
                if len(body) > MAX_BODY_BYTES:
                    raise Refused(Refusal.TOO_LARGE)
                more = message.get("more_body", False)
    except TimeoutError:
        raise Refused(Refusal.TOO_SLOW, received_bytes=len(body)) from None
    if declared_bytes is not None and len(body) != declared_bytes:
        raise Refused(Refusal.CONTENT_LENGTH, declared_bytes=declared_bytes, received_bytes=len(body))
    return bytes(body)


def _replay(body: bytes, receive: Receive) -> Receive:
    """Let the next app read the body as if nobody had."""
    unread: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replayed() -> Message:
        return unread.pop() if unread else await receive()

    return replayed


async def _answer(refusal: Refusal, send: Send) -> None:
    words = refusal.words.encode()
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", b"%d" % len(words)),
        # The rest of the body, if any, is not worth reading.
        (b"connection", b"close"),
    ]
    if refusal is Refusal.WRONG_METHOD:
        headers.append((b"allow", b"POST"))
    await send({"type": "http.response.start", "status": refusal.status.value, "headers": headers})
    await send({"type": "http.response.body", "body": words})
