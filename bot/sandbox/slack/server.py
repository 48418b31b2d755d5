"""The sandbox's Slack: one object that serves the Web API and the page, and that tests act through."""

import asyncio
import copy
import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from bot.sandbox.slack import probes
from bot.sandbox.slack.acting import Actors
from bot.sandbox.slack.app_features import Tab, refuse_own_commands
from bot.sandbox.slack.calls import Call
from bot.sandbox.slack.deliveries import ANSWER_WITHIN_SECONDS, Courier, Delivery
from bot.sandbox.slack.events import Sleep
from bot.sandbox.slack.faults import Fault, Faults
from bot.sandbox.slack.http_server import HttpServer
from bot.sandbox.slack.page_endpoints import PageEndpoints
from bot.sandbox.slack.rate_limits import SLACKS_PACE, PostPace, RateLimits
from bot.sandbox.slack.response_urls import ResponseUrls
from bot.sandbox.slack.socket_mode import SocketMode
from bot.sandbox.slack.uploads import uploaded_bytes
from bot.sandbox.slack.web_api import METHODS
from bot.sandbox.slack.web_api.arguments import ApiError
from bot.sandbox.slack.web_api.endpoint import WebApi
from bot.sandbox.slack.web_api.files import file_object
from bot.sandbox.slack.workspace import Json, Workspace

PAGE = Path(__file__).parent / "page"


class SandboxSlack:
    """A Slack workspace on this machine.

    Args:
        manifest: the parsed app manifest; scopes, commands and names come from it.
        events_url: where signed requests go, the bot's ``/slack/events``. May be changed later.
        clock: the time in epoch seconds.
        pace: how fast messages may be posted to a channel.
        patience_seconds: how long the app has to answer what a person did, and to open a modal for it.
        sleep: waits before an event is delivered again; a test may not want to wait for minutes.
    """

    def __init__(
        self,
        *,
        manifest: Mapping[str, Any],
        events_url: str,
        clock: Callable[[], float] = time.time,
        pace: PostPace = SLACKS_PACE,
        patience_seconds: float = ANSWER_WITHIN_SECONDS,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        refuse_own_commands(manifest)
        self.events_url = events_url
        self._pace = pace
        self.base_url = ""
        #: Further routes to serve; read by `start`.
        self.extra_routes: list[Route] = []
        self.workspace = Workspace(manifest, clock, trigger_seconds=patience_seconds)
        self._stopping = asyncio.Event()
        #: On as the manifest says; see `SocketMode.switch`.
        self.socket_mode = SocketMode(
            enabled=bool(manifest.get("settings", {}).get("socket_mode_enabled", False)),
            clock=clock,
            patience_seconds=patience_seconds,
        )
        self._courier = Courier(lambda: self.events_url, self.socket_mode, clock, patience_seconds)
        self._response_urls = ResponseUrls(self.workspace)
        self._http: HttpServer | None = None
        self._web_api = WebApi(
            workspace=self.workspace,
            base_url=lambda: self.base_url,
            new_address=self.socket_mode.new_address,
            drop=self._drop,
            limits=RateLimits(pace),
        )
        self._actors = Actors(
            workspace=self.workspace,
            courier=self._courier,
            response_urls=self._response_urls,
            base_url=lambda: self.base_url,
            sleep=sleep,
        )

    # Life ---------------------------------------------------------------------------------------

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Serve in this event loop; return once requests are accepted. Port 0 takes a free one."""
        self._stopping.clear()
        self._http = HttpServer(Starlette(routes=self._routes()))
        await self._http.start(host, port)
        await self.socket_mode.start(host)
        shown_host = f"[{host}]" if ":" in host else host
        self.base_url = f"http://{shown_host}:{self._http.port}"

    async def stop(self) -> None:
        """End the page's streams, close every connection, and return when the port is free."""
        self._stopping.set()
        self.workspace.touch()
        await self._actors.aclose()
        await self._courier.aclose()
        await self.socket_mode.stop()
        if self._http is not None:
            await self._http.stop()
            self._http = None

    @property
    def api_url(self) -> str:
        """The Web API's address, for a client's `base_url`."""
        return f"{self.base_url}/api/"

    # Acting as a person -------------------------------------------------------------------------

    async def slash(self, user: str, channel: str, text: str) -> Delivery:
        """Type a whole command line, ``/rollback canary``, into a channel."""
        return await self._actors.slash(user, channel, text)

    async def say(self, user: str, channel: str, text: str, *, thread_ts: str | None = None) -> Delivery:
        """Write a message; the bot hears of it as far as it subscribed."""
        return await self._actors.say(user, channel, text, thread_ts)

    async def share_files(
        self,
        user: str,
        channel: str,
        files: Mapping[str, bytes],
        *,
        text: str = "",
        thread_ts: str | None = None,
    ) -> Delivery:
        """Write a message that carries files, {name: content}; see `say`."""
        return await self._actors.share(user, channel, files, text, thread_ts)

    async def press_shortcut(self, user: str, callback_id: str) -> Delivery:
        """Choose one of the manifest's global shortcuts.

        Raises:
            LookupError: the manifest has none of that id.
        """
        return await self._actors.shortcut(user, callback_id)

    async def press_message_shortcut(self, user: str, channel: str, ts: str, callback_id: str) -> Delivery:
        """Choose one of the manifest's message shortcuts from the menu of a message.

        Raises:
            LookupError: the manifest has none of that id, or this person sees no such lasting message.
        """
        return await self._actors.message_shortcut(user, channel, ts, callback_id)

    async def react(self, user: str, channel: str, ts: str, name: str) -> Delivery:
        """React to a message with an emoji's name, ``pushpin``; the bot hears of it if it subscribed.

        Raises:
            LookupError: this person sees no such lasting message, or has reacted so already.
        """
        return await self._actors.react(user, channel, ts, name, on=True)

    async def unreact(self, user: str, channel: str, ts: str, name: str) -> Delivery:
        """Take one's own reaction off again; see `react`."""
        return await self._actors.react(user, channel, ts, name, on=False)

    async def open_home(self, user: str, tab: Tab = "home") -> Delivery:
        """Open the app at one of its tabs; the bot hears of it if it subscribed. `home` says what is there.

        Raises:
            LookupError: the manifest does not enable the tab.
        """
        return await self._actors.open_home(user, tab)

    async def click(
        self,
        user: str,
        channel: str,
        ts: str,
        action_id: str,
        *,
        block_id: str | None = None,
        selected: Any = None,
        values: Mapping[str, Any] | None = None,
    ) -> Delivery:
        """Use something in a message.

        Args:
            user: who does it.
            channel: where the message stands.
            ts: the message.
            action_id: of the button, menu, picker or dispatching input.
            block_id: of its block, where the action_id repeats.
            selected: a plain value: an option's value, a user id, a date, what is typed …
            values: what was typed into inputs before, as in `submit`.

        Raises:
            LookupError: this person has no such thing on their screen.
        """
        return await self._actors.click(
            user, channel, ts, action_id, block_id=block_id, selected=selected, values=values or {}
        )

    async def click_view(
        self,
        user: str,
        view_id: str,
        action_id: str,
        *,
        block_id: str | None = None,
        selected: Any = None,
        values: Mapping[str, Any] | None = None,
    ) -> Delivery:
        """Use something in an open modal or in the Home; see `click`."""
        return await self._actors.click_view(
            user, view_id, action_id, block_id=block_id, selected=selected, values=values or {}
        )

    async def click_home(
        self, user: str, action_id: str, *, block_id: str | None = None, selected: Any = None
    ) -> Delivery:
        """Use something in the Home published for this person; see `click`."""
        home = self.home(user)
        if home is None:
            raise LookupError(f"no Home was published for {user}")
        return await self.click_view(user, home["id"], action_id, block_id=block_id, selected=selected)

    async def submit(self, user: str, view_id: str, values: Mapping[str, Any]) -> Delivery:
        """Fill in a modal and submit it.

        Args:
            user: who does it.
            view_id: the modal on top of their stack.
            values: {action_id: plain value}, or {block_id: {action_id: plain value}} where action_ids repeat;
                inputs that are not named keep what they hold.
        """
        return await self._actors.submit(user, view_id, values)

    async def close_view(self, user: str, view_id: str) -> Delivery:
        """Press a modal's close button; the bot hears of it if the view asked for that."""
        return await self._actors.close_view(user, view_id)

    async def settled(self) -> None:
        """Return when no event is waiting to be delivered again; with Slack's pauses that takes minutes."""
        await self._actors.settled()

    # Setting the app up -------------------------------------------------------------------------

    async def verify_url(self) -> Delivery:
        """Ask the app's address for the challenge, as when it is entered; `shown` unless it comes back."""
        return await probes.verify_url(self._courier)

    async def check_certificate(self) -> Delivery:
        """Look at the certificate of the app's address, as Slack does now and then."""
        return await probes.check_certificate(self._courier)

    # Looking ------------------------------------------------------------------------------------

    @property
    def calls(self) -> list[Call]:
        """Every Web API call since the start or the last reset, oldest first."""
        return self._web_api.calls

    def messages(
        self, channel: str, *, thread_ts: str | None = None, user: str | None = None
    ) -> list[dict[str, Any]]:
        """Return messages, oldest first, each with `ephemeral_for` and, if it has any, `metadata`.

        Args:
            channel: a channel's id.
            thread_ts: return the replies of this thread instead of the top-level messages.
            user: whose ephemeral messages to include.
        """
        posts = [p for p in self.workspace.contents.posts[channel] if p.ephemeral_for in {None, user}]
        if thread_ts is None:
            wanted = [post for post in posts if not post.is_reply]
        else:
            wanted = [post for post in posts if post.is_reply and post.body["thread_ts"] == thread_ts]
        return [
            {**self.workspace.shown(post, metadata=True), "ephemeral_for": post.ephemeral_for}
            for post in wanted
        ]

    def views(self, user: str) -> list[dict[str, Any]]:
        """Return the modals this person has open, the one on top last."""
        return [copy.deepcopy(opened.view) for opened in self.workspace.stack(user)]

    def home(self, user: str) -> dict[str, Any] | None:
        """Return the Home published for this person."""
        opened = self.workspace.contents.homes.get(user)
        return copy.deepcopy(opened.view) if opened else None

    def files(self) -> list[dict[str, Any]]:
        """Return finished uploads: Slack's file objects with `content` and where they were shared."""
        return [
            {
                **file_object(self.workspace, file, self.base_url),
                "content": file.content,
                "channel": file.channel,
                "thread_ts": file.thread_ts,
                "initial_comment": file.initial_comment,
            }
            for file in self.workspace.contents.files.values()
            if file.completed
        ]

    # Misbehaving --------------------------------------------------------------------------------

    def fail_next(
        self,
        method: str,
        *,
        error: str | None = None,
        status: int = 200,
        retry_after: int | None = None,
        times: int = 1,
        after_effect: bool = False,
        drop_connection: bool = False,
    ) -> None:
        """Let the next calls of one method fail.

        Args:
            method: for example ``chat.postMessage``.
            error: Slack's code; ``ratelimited`` for a 429 and ``internal_error`` otherwise when left out.
            status: HTTP status.
            retry_after: seconds; makes it a 429.
            times: how many calls fail.
            after_effect: the call does its work before its answer is lost.
            drop_connection: no answer at all.

        Raises:
            ValueError: there is no such method here.
        """
        if method not in METHODS:
            raise ValueError(f"the sandbox has no method {method}")
        fault = Fault(
            error=error,
            status=status,
            retry_after=retry_after,
            after_effect=after_effect,
            drop_connection=drop_connection,
        )
        self._web_api.faults.add(method, fault, times=times)

    def stop_failing(self, method: str) -> None:
        """Let a method work again, however many of its calls were still to fail; see `fail_next`."""
        self._web_api.faults.end(method)

    def suffer(self, fault: Fault | None) -> None:
        """Let every call of the Web API, and of a response_url, fail until told otherwise; None ends it."""
        self._web_api.faults.standing = fault

    def reset(self) -> None:
        """Go back to the empty workspace: nothing posted, nobody limited, nothing failing, no calls.

        No event is delivered again, and Socket Mode is on or off as the manifest says; see
        `SocketMode.forget`.
        """
        self.workspace.reset()
        self._actors.forget()
        self._response_urls.clear()
        self._web_api.faults = Faults()
        self._web_api.limits = RateLimits(self._pace)
        self._web_api.calls.clear()
        self.socket_mode.forget()

    # Routes -------------------------------------------------------------------------------------

    def _routes(self) -> list[BaseRoute]:
        page = PageEndpoints(workspace=self.workspace, actors=self._actors, stopping=self._stopping)
        return [
            Mount("/static", StaticFiles(directory=PAGE, check_dir=False)),
            Route("/api/{method}", self._web_api.handle, methods=["GET", "POST"]),
            Route("/upload/v1/{token}", self._upload, methods=["POST"]),
            Route("/commands/{key}", self._respond, methods=["POST"]),
            Route("/actions/{key}", self._respond, methods=["POST"]),
            *page.routes(),
            *self.extra_routes,
            # Behind them: whoever directs drills answers in its place.
            Route("/sandbox/drill", _no_drills),
            # Last, because it takes every path: the page names its parts relative to itself.
            Mount("/", StaticFiles(directory=PAGE, html=True, check_dir=False)),
        ]

    def _drop(self, request: Request) -> Response:
        if self._http is None:
            raise RuntimeError("the sandbox is not started")
        return self._http.drop(request)

    async def _upload(self, request: Request) -> Response:
        """Take the bytes of a promised file."""
        token = request.path_params["token"]
        files = self.workspace.contents.files.values()
        stored = next((file for file in files if file.token == token), None)
        raw = uploaded_bytes(request.headers.get("content-type", ""), await request.body())
        if stored is None or stored.content is not None:
            return PlainTextResponse("not found", status_code=404)
        if len(raw) != stored.length:
            return PlainTextResponse("the length is not what was promised", status_code=400)
        stored.content = raw
        return PlainTextResponse(f"OK - {len(raw)}")

    async def _respond(self, request: Request) -> Response:
        """Take what an app posts to a response_url."""
        standing = self._web_api.faults.standing
        if standing is not None:
            return self._drop(request) if standing.drop_connection else _failing(standing)
        try:
            self._response_urls.use(request.path_params["key"], _answer_body(await request.body()))
        except ApiError as refused:
            status = 404 if refused.code in {"expired_url", "used_url"} else 400
            return JSONResponse({"ok": False, "error": refused.code, **refused.more}, status_code=status)
        return JSONResponse({"ok": True})


def _failing(fault: Fault) -> Response:
    headers = {} if fault.retry_after is None else {"retry-after": str(fault.retry_after)}
    return JSONResponse({"ok": False, "error": fault.code}, fault.http_status, headers)


async def _no_drills(_: Request) -> Response:
    """Say that nobody directs drills here, so that the page does not offer them."""
    return JSONResponse({"phase": "closed", "scenarios": [], "scores": []})


def _answer_body(raw: bytes) -> Json | None:
    """Return the JSON object, sent as it is or as a form's `payload`; None when it is neither."""
    text = raw.decode(errors="replace")
    if text.startswith("payload="):
        text = parse_qs(text)["payload"][0]
    try:
        body = json.loads(text)
    except ValueError:
        return None
    return body if isinstance(body, dict) else None
