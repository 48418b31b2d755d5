"""Sending Slack's requests to the bot: signed, within 3 seconds, and what is shown when it fails."""

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

#: Seconds in which an app must answer. Source: docs.slack.dev, "Handling user interaction".
ANSWER_WITHIN_SECONDS = 3.0
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Delivery:
    """What came of one thing a person did.

    status: HTTP status of the bot's answer; 0 when nothing was sent, or nothing came back.
    body: the answer as JSON where it is JSON, else None.
    text: the answer as it came.
    shown: the error line that Slack shows to the person; None when all is well.
    """

    status: int
    body: Any
    text: str
    shown: str | None
    took_seconds: float

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


class Courier:
    """Carries signed requests to the bot over one HTTP client, opened late and closed by `aclose`.

    Args:
        clock: the time in epoch seconds.
        patience_seconds: how long the app has to answer.
    """

    def __init__(self, clock: Callable[[], float], patience_seconds: float = ANSWER_WITHIN_SECONDS) -> None:
        self._clock = clock
        self._patience_seconds = patience_seconds
        self._client: httpx.AsyncClient | None = None

    async def form(self, url: str, fields: Mapping[str, str]) -> Delivery:
        """Send a form: a slash command."""
        return await self._post(url, urlencode(fields).encode(), FORM)

    async def interaction(self, url: str, payload: Mapping[str, Any]) -> Delivery:
        """Send an interaction: a form with one field of JSON."""
        raw = urlencode({"payload": json.dumps(payload, ensure_ascii=False)}).encode()
        return await self._post(url, raw, FORM)

    async def event(self, url: str, payload: Mapping[str, Any], headers: Mapping[str, str]) -> Delivery:
        """Send an event: JSON."""
        return await self._post(url, json.dumps(payload).encode(), "application/json", headers)

    async def aclose(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def _post(
        self, url: str, raw: bytes, content_type: str, more: Mapping[str, str] | None = None
    ) -> Delivery:
        headers = {**self._signed(raw), "Content-Type": content_type, **(more or {})}
        started = time.perf_counter()
        try:
            async with asyncio.timeout(self._patience_seconds):
                response = await self._http().post(url, content=raw, headers=headers)
        except TimeoutError:
            return Delivery(0, None, "", "operation_timeout", time.perf_counter() - started)
        except httpx.HTTPError:
            return Delivery(0, None, "", "dispatch_failed", time.perf_counter() - started)
        shown = None if response.status_code == 200 else "dispatch_failed"
        took = time.perf_counter() - started
        return Delivery(response.status_code, _json(response), response.text, shown, took)

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
            self._client = httpx.AsyncClient(trust_env=False, timeout=None)  # noqa: S113 (`_post` limits it)
        return self._client


def _json(response: httpx.Response) -> Any:
    try:
        return response.json()
    except ValueError:
        return None
