"""Sending Slack's requests to the bot, signed over HTTP or by socket, and what is shown when that fails."""

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

import httpx

from bot.sandbox import names
from bot.sandbox.slack.socket_mode import (
    NotConnected,
    SocketMode,
    command_envelope,
    event_envelope,
    interactive_envelope,
)

Json = dict[str, Any]

#: Seconds in which an app must answer. Source: docs.slack.dev, "Handling user interaction".
ANSWER_WITHIN_SECONDS = 3.0
FORM = "application/x-www-form-urlencoded"
#: Shorter than the 5 s after which a server such as uvicorn closes an idle connection: what is sent on it in
#: that very moment is lost.
KEPT_IDLE_SECONDS = 2.0


@dataclass(frozen=True)
class Delivery:
    """What came of one thing a person did.

    status: HTTP status of the bot's answer; 0 when nothing was sent, or nothing came back.
    body: the answer as JSON where it is JSON, else None.
    text: the answer as it came.
    shown: the error line that Slack shows to the person; None when all is well.
    failure: why it failed, in the words of ``X-Slack-Retry-Reason``; None when all is well.
    no_retry: the app answered that it does not want an event again.
    """

    status: int
    body: Any
    text: str
    shown: str | None
    took_seconds: float
    failure: str | None = None
    no_retry: bool = False

    def with_shown(self, shown: str | None) -> "Delivery":
        """Return the same delivery with another error line."""
        return replace(self, shown=shown)


def nothing_sent(shown: str | None = None, body: Any = None) -> Delivery:
    """Return the outcome of something that Slack's client settles without asking the app."""
    return Delivery(status=0, body=body, text="", shown=shown, took_seconds=0.0)


def sign(secret: str, timestamp: str, raw: bytes) -> str:
    """Return the ``X-Slack-Signature`` of a request body."""
    base = b"v0:" + timestamp.encode() + b":" + raw
    return "v0=" + hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()


@dataclass(frozen=True)
class Attempt:
    """A delivery of an event: `number` counts retries from 1, `reason` is why the last one failed."""

    number: int = 0
    reason: str = ""


FIRST = Attempt()


class Courier:
    """Carries what happens to the bot: by socket while Socket Mode is on, else as signed requests.

    Args:
        events_url: where signed requests go, asked each time.
        sockets: the app's side of Socket Mode.
        clock: the time in epoch seconds.
        patience_seconds: how long the app has to answer.
    """

    def __init__(
        self,
        events_url: Callable[[], str],
        sockets: SocketMode,
        clock: Callable[[], float],
        patience_seconds: float = ANSWER_WITHIN_SECONDS,
    ) -> None:
        self._events_url = events_url
        self._sockets = sockets
        self._clock = clock
        self._patience_seconds = patience_seconds
        self._client: httpx.AsyncClient | None = None

    async def command(self, fields: Mapping[str, str]) -> Delivery:
        """Deliver a slash command."""
        if self._sockets.enabled:
            return await self._by_socket(command_envelope(dict(fields)))
        return await self.form(fields)

    async def interaction(self, payload: Mapping[str, Any]) -> Delivery:
        """Deliver something used, chosen or submitted: over HTTP a form with one field of JSON."""
        if self._sockets.enabled:
            return await self._by_socket(interactive_envelope(dict(payload)))
        return await self.form({"payload": json.dumps(payload, ensure_ascii=False)})

    async def event(self, payload: Mapping[str, Any], attempt: Attempt = FIRST) -> Delivery:
        """Deliver an event: over HTTP as JSON, and again with headers that say so."""
        if self._sockets.enabled:
            # By socket every retry is for one reason; of HTTP's reasons none would make sense.
            reason = "timeout" if attempt.number else ""
            envelope = event_envelope(dict(payload), attempt=attempt.number, reason=reason)
            return await self._by_socket(envelope)
        return await self.over_http(payload, attempt)

    async def over_http(self, payload: Mapping[str, Any], attempt: Attempt = FIRST) -> Delivery:
        """Send signed JSON over HTTP, whether or not Socket Mode is on."""
        retried = {"X-Slack-Retry-Num": str(attempt.number), "X-Slack-Retry-Reason": attempt.reason}
        raw = json.dumps(payload).encode()
        return await self._post(raw, "application/json", retried if attempt.number else {}, any_2xx=True)

    async def form(self, fields: Mapping[str, str]) -> Delivery:
        """Send a signed form over HTTP, whether or not Socket Mode is on."""
        return await self._post(urlencode(fields).encode(), FORM)

    async def aclose(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def _by_socket(self, envelope: Json) -> Delivery:
        started = time.perf_counter()
        # A copy by way of JSON, as on the wire: what was sent must not change when the workspace does.
        envelope = json.loads(json.dumps(envelope))
        try:
            payload = await self._sockets.send(envelope, within_seconds=self._patience_seconds)
        except (TimeoutError, NotConnected) as failed:
            shown = "operation_timeout" if isinstance(failed, TimeoutError) else "dispatch_failed"
            return Delivery(0, None, "", shown, time.perf_counter() - started, failure="timeout")
        text = json.dumps(payload, ensure_ascii=False) if payload else ""
        return Delivery(200, payload or None, text, None, time.perf_counter() - started)

    async def _post(
        self,
        raw: bytes,
        content_type: str,
        more: Mapping[str, str] | None = None,
        *,
        any_2xx: bool = False,
    ) -> Delivery:
        headers = {**self._signed(raw), "Content-Type": content_type, **(more or {})}
        started = time.perf_counter()

        def lost(shown: str, failure: str) -> Delivery:
            return Delivery(0, None, "", shown, time.perf_counter() - started, failure)

        try:
            async with asyncio.timeout(self._patience_seconds):
                response = await self._http().post(self._events_url(), content=raw, headers=headers)
        except TimeoutError:
            return lost("operation_timeout", "http_timeout")
        except httpx.HTTPError:
            return lost("dispatch_failed", "connection_failed")
        taken = response.is_success if any_2xx else response.status_code == 200
        return Delivery(
            response.status_code,
            _json(response),
            response.text,
            None if taken else "dispatch_failed",
            time.perf_counter() - started,
            failure=None if taken else "http_error",
            no_retry=response.headers.get("x-slack-no-retry") == "1",
        )

    def _signed(self, raw: bytes) -> dict[str, str]:
        timestamp = str(int(self._clock()))
        return {
            "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
            "X-Slack-Request-Timestamp": timestamp,
            "X-Slack-Signature": sign(names.SIGNING_SECRET, timestamp, raw),
        }

    def _http(self) -> httpx.AsyncClient:
        if self._client is None:
            # Proxies of the environment are none of our business: the bot is on this machine.
            kept = httpx.Limits(keepalive_expiry=KEPT_IDLE_SECONDS)
            self._client = httpx.AsyncClient(trust_env=False, timeout=None, limits=kept)  # noqa: S113 (`_post` limits it)
        return self._client


def _json(response: httpx.Response) -> Any:
    try:
        return response.json()
    except ValueError:
        return None
