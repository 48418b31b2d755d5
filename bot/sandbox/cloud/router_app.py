"""The chat router's application: sends the share its environment names to the canary service."""

import random
from collections.abc import Callable, Mapping
from dataclasses import replace

from bot.sandbox.cloud.http_client import HttpClient
from bot.sandbox.cloud.http_messages import FORWARDED_HEADER, HttpRequest, HttpResponse
from bot.sandbox.names import CHAT_CANARY_SERVICE, CHAT_SERVICE, CHAT_VARIABLE

TIMEOUT_SECONDS = 60.0
#: Where the router's own requests come from, to the services behind it (RFC 5737: belongs to nobody).
ADDRESS = "198.51.100.7"


class RouterApp:
    """Splits by ``CANARY_TRAFFIC_PERCENTAGE`` of its own revision, 0 to 100; anything else counts as 0."""

    def __init__(
        self,
        environment: Mapping[str, str],
        *,
        client: HttpClient,
        port_of: Callable[[str], int],
        rng: random.Random,
    ) -> None:
        self.percent = _percent(environment.get(CHAT_VARIABLE, "0"))
        self._client = client
        self._port_of = port_of
        self._rng = rng

    async def __call__(self, request: HttpRequest) -> HttpResponse:
        service = CHAT_CANARY_SERVICE if self._rng.random() * 100 < self.percent else CHAT_SERVICE
        try:
            return await self._client.send(
                _passed_on(request), port=self._port_of(service), timeout_seconds=TIMEOUT_SECONDS
            )
        except OSError:
            return HttpResponse(status=502, body=b'{"error": "no answer from the service behind"}')


def _passed_on(request: HttpRequest) -> HttpRequest:
    came_by = request.headers.get(FORWARDED_HEADER, "")
    addresses = f"{came_by}, {ADDRESS}" if came_by else ADDRESS
    return replace(request, headers={**request.headers, FORWARDED_HEADER: addresses})


def _percent(raw: str) -> int:
    return min(int(raw), 100) if raw.isdecimal() else 0
