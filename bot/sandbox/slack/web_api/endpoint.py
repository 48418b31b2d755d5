"""``/api/METHOD``: who is calling, may they, is it too often, is it to fail; then the method itself."""

import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from slack_sdk.web.async_client import AsyncWebClient
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bot.sandbox import names
from bot.sandbox.slack.calls import Call
from bot.sandbox.slack.faults import Fault, Faults
from bot.sandbox.slack.rate_limits import RateLimits
from bot.sandbox.slack.web_api import METHODS
from bot.sandbox.slack.web_api.arguments import ApiError, Arguments, Json
from bot.sandbox.slack.web_api.chat import destination
from bot.sandbox.slack.web_api.registry import Invocation, Registered
from bot.sandbox.slack.workspace import Workspace


@dataclass
class _Answer:
    """What goes back to the caller. A `dropped` one never arrives."""

    body: Json
    status: int = 200
    retry_after: int | None = None
    dropped: bool = False


@dataclass(kw_only=True)
class WebApi:
    """Answers the Web API and writes down every call."""

    workspace: Workspace
    base_url: Callable[[], str]
    new_address: Callable[[], str]
    drop: Callable[[Request], Response]
    faults: Faults = field(default_factory=Faults)
    limits: RateLimits = field(default_factory=RateLimits)
    calls: list[Call] = field(default_factory=list)

    async def handle(self, request: Request) -> Response:
        """Answer one HTTP request."""
        name = request.path_params["method"]
        given: dict[str, Any] = {}
        try:
            given = await _given(request)
            token = _token(request, given)
            answer = self._answer(name, Arguments(given), token)
        except ApiError as refused:
            answer = _Answer({"ok": False, "error": refused.code, **refused.more})
        self._record(name, given, answer)
        return self.drop(request) if answer.dropped else self._response(name, answer)

    def _answer(self, name: str, arguments: Arguments, token: str | None) -> _Answer:
        registered = METHODS.get(name)
        if registered is None:
            raise _no_such_method(name)
        fault = self.faults.take(name)
        if fault is not None and not fault.after_effect:
            return _faulty(fault)
        invocation = Invocation(
            workspace=self.workspace,
            arguments=arguments,
            base_url=self.base_url(),
            new_address=self.new_address,
        )
        _authorize(registered, token, self.workspace)
        wait = self.limits.retry_after(name, _channel(name, invocation), now=self.workspace.clock())
        if wait is not None:
            return _Answer({"ok": False, "error": "ratelimited"}, 429, wait)
        body = {"ok": True, **registered.call(invocation)}
        return _Answer(body) if fault is None else _faulty(fault)

    def _record(self, name: str, given: Mapping[str, Any], answer: _Answer) -> None:
        # A copy by way of JSON: what was answered must not change when the message does.
        response = None if answer.dropped else json.loads(json.dumps(answer.body))
        now = self.workspace.clock()
        self.calls.append(
            Call(method=name, params=dict(given), response=response, at=now, status=answer.status)
        )

    def _response(self, name: str, answer: _Answer) -> Response:
        registered = METHODS.get(name)
        headers = {
            "x-oauth-scopes": ",".join(self.workspace.scopes),
            "x-accepted-oauth-scopes": ",".join(registered.scopes if registered else ()),
            "x-slack-req-id": secrets.token_hex(16),
            "cache-control": "private, no-cache, no-store, must-revalidate",
        }
        if answer.retry_after is not None:
            headers["retry-after"] = str(answer.retry_after)
        return JSONResponse(answer.body, status_code=answer.status, headers=headers)


def _no_such_method(name: str) -> ApiError:
    """Return the error for a method that Slack does not know, or that only the sandbox lacks."""
    if hasattr(AsyncWebClient, name.replace(".", "_")):
        return ApiError("not_implemented_in_the_sandbox", req_method=name)
    return ApiError("unknown_method", req_method=name)


def _faulty(fault: Fault) -> _Answer:
    body = {"ok": False, "error": fault.code}
    return _Answer(body, fault.http_status, fault.retry_after, dropped=fault.drop_connection)


def _authorize(registered: Registered, token: str | None, workspace: Workspace) -> None:
    """Refuse a missing or wrong token, and an app that lacks every scope that would do."""
    if registered.tokenless:
        return
    if not token:
        raise ApiError("not_authed")
    if token not in {names.BOT_TOKEN, names.APP_TOKEN}:
        raise ApiError("invalid_auth")
    if registered.app_level != (token == names.APP_TOKEN):
        raise ApiError("not_allowed_token_type")
    granted = workspace.app_level_scopes if registered.app_level else workspace.scopes
    if registered.scopes and not set(registered.scopes) & set(granted):
        raise ApiError("missing_scope", needed=",".join(registered.scopes), provided=",".join(granted))


def _channel(name: str, invocation: Invocation) -> str | None:
    """Return the channel whose own limit this call counts against; a name and an id are one channel."""
    if name != "chat.postMessage":
        return None
    try:
        return destination(invocation).id
    except ApiError:
        return None


async def _given(request: Request) -> dict[str, Any]:
    """Return the arguments of the query and of the body, a form or JSON.

    Raises:
        ApiError: the body is not what its content type says.
    """
    given: dict[str, Any] = dict(request.query_params)
    kind = request.headers.get("content-type", "").partition(";")[0].strip()
    raw = await request.body()
    if kind == "application/json":
        return {**given, **_json_object(raw)}
    if kind == "multipart/form-data":
        raise ApiError("invalid_form_data")
    try:
        return {**given, **dict(parse_qsl(raw.decode(), keep_blank_values=True))}
    except UnicodeDecodeError:
        raise ApiError("invalid_charset") from None


def _json_object(raw: bytes) -> dict[str, Any]:
    try:
        value = json.loads(raw or b"{}")
    except ValueError:
        raise ApiError("invalid_json") from None
    if not isinstance(value, dict):
        raise ApiError("json_not_object")
    return value


def _token(request: Request, given: dict[str, Any]) -> str | None:
    """Return the caller's token and take it out of the arguments, so that no log keeps it."""
    from_body = given.pop("token", None)
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    return value.strip() if scheme.lower() == "bearer" else from_body
