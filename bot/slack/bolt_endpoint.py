"""The ASGI app behind the gate: hands Bolt what Slack said, decoded."""

from slack_bolt.adapter.starlette.async_handler import to_starlette_response
from slack_bolt.async_app import AsyncApp, AsyncBoltRequest
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from bot.slack.bodies import decode_form, decode_json


class BoltEndpoint:
    """Bolt as an ASGI app for requests that passed the gate, and for no others: it verifies nothing.

    Bolt takes decoded bodies only from Socket Mode, so the requests say that they come from there. Given raw
    forms it loses commands: it takes any body with the letters ``payload`` in it for a click, so that
    ``/incident note bad payload`` arrives empty and is answered with a 404.
    """

    def __init__(self, app: AsyncApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        request = Request(scope, receive)
        decode = decode_json if _is_json(request) else decode_form
        bolt_request = AsyncBoltRequest(
            body=decode(await request.body()), headers=dict(request.headers), mode="socket_mode"
        )
        answer = to_starlette_response(await self._app.async_dispatch(bolt_request))
        await answer(scope, receive, send)


def _is_json(request: Request) -> bool:
    return request.headers.get("content-type", "").lower().startswith("application/json")
