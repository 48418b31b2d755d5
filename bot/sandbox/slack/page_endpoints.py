"""What the browser page asks for: the state as one person sees it, news, and acting as that person."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from bot.sandbox import names
from bot.sandbox.slack.acting import Actors
from bot.sandbox.slack.app_features import OWN_COMMANDS, Tab, commands, has_tab, is_read_only, shortcuts
from bot.sandbox.slack.conversations import Conversation
from bot.sandbox.slack.deliveries import Delivery
from bot.sandbox.slack.people import PEOPLE, page_people
from bot.sandbox.slack.workspace import Json, Post, StoredFile, Workspace

HEARTBEAT_SECONDS = 15.0
#: What a browser may show by itself; everything else is a download.
_SHOWN_TYPES = ("image/", "text/")
#: A file is somebody else's content: it must not run as part of the page.
_FILE_HEADERS = {
    "x-content-type-options": "nosniff",
    "content-security-policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:",
}

_TABS: tuple[Tab, ...] = ("home", "messages")

Act = Callable[[Json], Awaitable[Delivery]]


@dataclass(kw_only=True)
class PageEndpoints:
    """The page's routes. `stopping` ends the streams."""

    workspace: Workspace
    actors: Actors
    stopping: asyncio.Event

    def routes(self) -> list[Route]:
        """Return the routes to serve."""
        return [
            Route("/sandbox/state", self.state),
            Route("/sandbox/events", self.events),
            Route("/sandbox/slash", self._post(self._slash), methods=["POST"]),
            Route("/sandbox/message", self._post(self._message), methods=["POST"]),
            Route("/sandbox/file", self._post(self._upload), methods=["POST"]),
            Route("/sandbox/shortcut", self._post(self._shortcut), methods=["POST"]),
            Route("/sandbox/reaction", self._post(self._reaction), methods=["POST"]),
            Route("/sandbox/home", self._post(self._home), methods=["POST"]),
            Route("/sandbox/action", self._post(self._action), methods=["POST"]),
            Route("/sandbox/submit", self._post(self._submit), methods=["POST"]),
            Route("/sandbox/close", self._post(self._close), methods=["POST"]),
            Route("/files/{file_id}/{name}", self.file),
            Route("/docs/{team}/{canvas}", self.canvas),
            Route("/archives/{channel}/p{digits:int}", self.permalink),
        ]

    # Looking ------------------------------------------------------------------------------------

    async def state(self, request: Request) -> Response:
        """Return everything that one person sees."""
        user = request.query_params.get("user", names.DEFAULT_ACTOR)
        if user not in PEOPLE:
            return JSONResponse({"ok": False, "error": "user_not_found"}, status_code=404)
        return JSONResponse(page_state(self.workspace, user), headers={"cache-control": "no-store"})

    async def events(self, request: Request) -> Response:
        """Stream a line whenever anything changed; the first one at once."""
        headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
        return StreamingResponse(self._stream(), media_type="text/event-stream", headers=headers)

    async def _stream(self) -> AsyncIterator[str]:
        while not self.stopping.is_set():
            changed = self.workspace.changed
            yield f"data: {json.dumps({'version': self.workspace.version})}\n\n"
            while not await _happened(changed, within=HEARTBEAT_SECONDS):
                yield ": still here\n\n"

    async def file(self, request: Request) -> Response:
        """Return the bytes of an upload."""
        stored = self.workspace.contents.files.get(request.path_params["file_id"])
        if stored is None or stored.content is None or not stored.completed:
            return Response("no such file", status_code=404, media_type="text/plain")
        shown = stored.mimetype.startswith(_SHOWN_TYPES)
        disposition = f"{'inline' if shown else 'attachment'}; filename*=UTF-8''{quote(stored.name, safe='')}"
        headers = {**_FILE_HEADERS, "content-disposition": disposition}
        return Response(stored.content, media_type=stored.mimetype, headers=headers)

    async def canvas(self, request: Request) -> Response:
        """Return a canvas's Markdown, as the app wrote it."""
        found = self.workspace.contents.canvases.get(request.path_params["canvas"])
        if found is None or request.path_params["team"] != names.TEAM_ID:
            return Response("There is no such canvas.", status_code=404, media_type="text/plain")
        return Response(f"{found.title}\n\n{found.markdown}", media_type="text/plain", headers=_FILE_HEADERS)

    async def permalink(self, request: Request) -> Response:
        """Show the page at the message that the bot linked to."""
        channel, digits = request.path_params["channel"], str(request.path_params["digits"])
        thread = request.query_params.get("thread_ts")
        opened = {"channel": channel, **({"thread": thread} if thread else {})}
        message = f"{digits[:-6]}.{digits[-6:]}"
        return RedirectResponse(f"/#{urlencode({**opened, 'message': message})}")

    # Acting -------------------------------------------------------------------------------------

    def _post(self, act: Act) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            # A foreign page can send a form or plain text without asking; JSON it cannot.
            if request.headers.get("content-type", "").partition(";")[0] != "application/json":
                return JSONResponse({"ok": False, "error": "application/json expected"}, status_code=415)
            try:
                return JSONResponse(outcome(await act(_object(await request.body()))))
            except (KeyError, ValueError):
                return JSONResponse({"ok": False, "error": "invalid_arguments"}, status_code=400)
            except LookupError as gone:
                return JSONResponse({"ok": False, "error": str(gone), "errors": None}, status_code=409)

        return endpoint

    async def _slash(self, body: Json) -> Delivery:
        return await self.actors.slash(body["user"], body["channel"], body["text"])

    async def _message(self, body: Json) -> Delivery:
        return await self.actors.say(body["user"], body["channel"], body["text"], body.get("thread_ts"))

    async def _upload(self, body: Json) -> Delivery:
        files = {body["name"]: base64.b64decode(body["content"], validate=True)}
        where = body["user"], body["channel"]
        return await self.actors.share(*where, files, body.get("text", ""), body.get("thread_ts"))

    async def _shortcut(self, body: Json) -> Delivery:
        user, callback_id = body["user"], body["callback_id"]
        if body.get("ts"):
            return await self.actors.message_shortcut(user, body["channel"], body["ts"], callback_id)
        return await self.actors.shortcut(user, callback_id)

    async def _reaction(self, body: Json) -> Delivery:
        where = body["user"], body["channel"], body["ts"]
        return await self.actors.react(*where, body["name"], on=bool(body["on"]))

    async def _home(self, body: Json) -> Delivery:
        tab: Tab = "messages" if body["tab"] == "messages" else "home"
        return await self.actors.open_home(body["user"], tab)

    async def _action(self, body: Json) -> Delivery:
        user, action_id = body["user"], body["action_id"]
        chosen: Json = {"block_id": body.get("block_id"), "selected": body.get("selected")}
        chosen["values"] = body.get("values", {})
        if body.get("view_id"):
            return await self.actors.click_view(user, body["view_id"], action_id, **chosen)
        return await self.actors.click(user, body["channel"], body["ts"], action_id, **chosen)

    async def _submit(self, body: Json) -> Delivery:
        return await self.actors.submit(body["user"], body["view_id"], body["values"])

    async def _close(self, body: Json) -> Delivery:
        return await self.actors.close_view(body["user"], body["view_id"], clear=bool(body.get("clear")))


async def _happened(changed: asyncio.Event, *, within: float) -> bool:
    try:
        async with asyncio.timeout(within):
            await changed.wait()
    except TimeoutError:
        return False
    return True


def _object(raw: bytes) -> Json:
    body = json.loads(raw)
    if not isinstance(body, dict):
        raise ValueError("a JSON object is expected")
    return body


def outcome(delivery: Delivery) -> Json:
    """Return what the page needs to know of a delivery."""
    body = delivery.body if isinstance(delivery.body, dict) else {}
    errors = body.get("errors") if body.get("response_action") == "errors" else None
    ok = delivery.shown is None and errors is None
    return {"ok": ok, "error": delivery.shown, "errors": errors if delivery.shown is None else None}


def page_state(workspace: Workspace, user: str) -> Json:
    """Return the state as `user` sees it: their channels, ephemerals, Home and modals."""
    channels = workspace.seen_by(user)
    seen = {channel.id for channel in channels}
    home = workspace.contents.homes.get(user)
    messages = {channel.id: _messages(workspace, channel.id, user) for channel in channels}
    files = workspace.contents.files.values()
    shown = {id for there in messages.values() for message in there for id in _pictures(message)}
    return {
        "team": {"name": names.TEAM_NAME},
        "people": page_people(workspace.bot),
        "channels": [_channel(workspace, channel) for channel in channels],
        "commands": _commands(workspace.manifest),
        "own_commands": sorted(OWN_COMMANDS),
        "shortcuts": _shortcuts(workspace.manifest),
        "tabs": _tabs(workspace.manifest),
        "messages": messages,
        "views": [opened.view for opened in [*([home] if home else []), *workspace.stack(user)]],
        "files": [_file(file) for file in files if file.channel in seen or file.id in shown],
        "version": workspace.version,
    }


def _channel(workspace: Workspace, channel: Conversation) -> Json:
    name = workspace.bot.display_name if channel.is_im else channel.name
    described = {"id": channel.id, "name": name, "topic": channel.topic}
    return {**described, "is_im": channel.is_im, "shared": channel.shared}


def _tabs(manifest: Mapping[str, Any]) -> Json:
    return {**{tab: has_tab(manifest, tab) for tab in _TABS}, "read_only": is_read_only(manifest)}


def _commands(manifest: Mapping[str, Any]) -> list[Json]:
    keys = ("command", "description", "usage_hint")
    return [{key: row.get(key, "") for key in keys} for row in commands(manifest)]


def _shortcuts(manifest: Mapping[str, Any]) -> list[Json]:
    keys = ("name", "type", "callback_id", "description")
    rows = [*shortcuts(manifest, "global"), *shortcuts(manifest, "message")]
    return [{key: row[key] for key in keys} for row in rows]


def _messages(workspace: Workspace, channel: str, user: str) -> list[Json]:
    posts = workspace.contents.posts[channel]
    return [page_message(workspace, post) for post in posts if post.ephemeral_for in {None, user}]


def _pictures(message: Json) -> list[str]:
    """Return the ids of the files that a message's blocks show without carrying them."""
    parts = [part for block in message["blocks"] for part in (block, *block.get("elements", []))]
    parts += [block["accessory"] for block in message["blocks"] if "accessory" in block]
    return [str(part["slack_file"].get("id")) for part in parts if "slack_file" in part]


def page_message(workspace: Workspace, post: Post) -> Json:
    """Return one message with the keys the page reads always present."""
    # The tour knows the app's messages by what their metadata says they are about.
    body = workspace.shown(post, metadata=True)
    written_by_bot = body.get("bot_id") is not None
    person = PEOPLE.get(body.get("user", ""))
    username = workspace.bot.display_name if written_by_bot else person.real_name if person else "Slackbot"
    always: Json = {
        "bot_id": None,
        "blocks": [],
        "thread_ts": None,
        "edited": None,
        "files": [],
        "reactions": [],
    }
    return {**always, **body, "username": username, "ephemeral_for": post.ephemeral_for}


def _file(file: StoredFile) -> Json:
    return {
        "id": file.id,
        "name": file.name,
        "title": file.title,
        "mimetype": file.mimetype,
        "size": file.length,
        "url": f"/files/{file.id}/{quote(file.name, safe='')}",
        "channel": file.channel,
        "thread_ts": file.thread_ts,
        "user": file.user,
        "ts": file.ts,
    }
