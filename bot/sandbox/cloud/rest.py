"""The emulated Google over HTTP and JSON: transcoded to the very handlers that answer over gRPC."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

from bot.sandbox.cloud.http_messages import HttpRequest, HttpResponse
from bot.sandbox.cloud.http_rules import RULES, HttpRule
from bot.sandbox.cloud.http_server import HttpServer
from bot.sandbox.cloud.rejection import Rejection, not_found
from bot.sandbox.cloud.rpc import Gate
from bot.sandbox.cloud.transcoding import answer_of, error_of, request_of

_JSON = {"content-type": "application/json; charset=UTF-8"}


class RestGateway:
    """All three APIs at one address: their paths differ. `address` is known once it was started."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._server = HttpServer(self._answer)
        self.address = ""

    async def start(self, host: str) -> None:
        """Listen on a free port of `host`."""
        await self._server.start(host)
        self.address = f"http://{host}:{self._server.port}"

    def close(self) -> None:
        """Stop listening and cut what is in flight."""
        self._server.close()

    async def _answer(self, request: HttpRequest) -> HttpResponse:
        path, _, written = request.path.partition("?")
        query = parse_qsl(written, keep_blank_values=True)
        try:
            rule, fields = _rule(request.method, path)
            answer = await self._gate.answer(rule.rpc, self._request(rule, fields, query, request.body))
        except Rejection as rejection:
            status, body = error_of(rejection)
            return HttpResponse(status=status, headers=_JSON, body=body)
        return HttpResponse(status=HTTPStatus.OK, headers=_JSON, body=answer_of(answer, query))

    def _request(
        self, rule: HttpRule, path: Mapping[str, str], query: list[tuple[str, str]], body: bytes
    ) -> Any:
        kind = self._gate.request_type(rule.rpc)
        raw = kind.pb()() if hasattr(kind, "pb") else kind()
        request_of(raw, body_field=rule.body, body=body, path=path, query=query)
        return kind.wrap(raw) if hasattr(kind, "wrap") else raw


def _rule(verb: str, path: str) -> tuple[HttpRule, Mapping[str, str]]:
    for rule in RULES:
        fields = rule.match(verb, path)
        if fields is not None:
            return rule, fields
    raise not_found(f"The requested URL {path} was not found on this server.")
