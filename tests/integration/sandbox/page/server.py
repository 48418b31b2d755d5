"""A stand-in for the sandbox's server: canned state, and a note of everything the page sends."""

import asyncio
import copy
import json
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

import bot.sandbox
from tests.browser import PATIENCE_MS

Json = dict[str, Any]

PAGE = Path(bot.sandbox.__file__).parent / "slack" / "page"
ACCEPTED: Json = {"ok": True, "error": None, "errors": None}


class PageServer:
    """Answers the page from `state` and `cloud`, which a test may change; `changed` tells the page.

    One of them serves all tests of a session; `begin` makes it as good as new.
    """

    #: How often it has begun.
    _begun = 0

    def __init__(self, state: Json, cloud: Json) -> None:
        self.begin(state, cloud)
        self.url = ""
        self._ended = False

    @property
    def address(self) -> str:
        """Where this test finds the page: what a page of another test still asks is known by its referrer."""
        return f"{self.url}?{self._begun}"

    def begin(self, state: Json, cloud: Json) -> None:
        """Forget everything that the last test did."""
        self._begun += 1
        self.state = state
        self.cloud = cloud
        #: What the page posted, in order: (last part of the path, body).
        self.posted: list[tuple[str, Json]] = []
        #: What to answer to a post, by the last part of the path.
        self.answers: dict[str, Json] = {}
        #: While clear, posts wait for their answer.
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.files: dict[str, str] = {}
        #: Nobody directs drills, unless a test says so.
        self.drill: Json = {"phase": "closed", "scenarios": [], "scores": []}
        #: So many questions about drills fail before one is answered.
        self.drill_failures = 0
        self.drill_reads = 0
        self.state_reads = 0

    def changed(self) -> None:
        """Tell every open page that there is something new."""
        self.state["version"] += 1

    def sent(self, path: str) -> list[Json]:
        """Return the bodies posted to `path`."""
        return [body for posted, body in self.posted if posted == path]

    async def until(self, happened: Callable[[], bool]) -> None:
        """Wait until the page has asked or posted what makes it so."""
        try:
            async with asyncio.timeout(PATIENCE_MS / 1000):
                while not happened():  # noqa: ASYNC110 - looked at by several tests, signalled by none
                    await asyncio.sleep(0.02)
        except TimeoutError:
            asked = f"read the state {self.state_reads} times and the drill {self.drill_reads} times"
            raise AssertionError(f"the page {asked}, and posted {self.posted}") from None

    async def until_posted(self, count: int = 1) -> None:
        """Wait until the page has posted so many things."""
        await self.until(lambda: len(self.posted) >= count)

    def end(self) -> None:
        """Let the event streams finish, so that the server can stop."""
        self._ended = True

    def application(self) -> Starlette:
        """Return the application that serves the page and its endpoints."""
        posts = ["slash", "message", "file", "shortcut", "reaction", "home"]
        posts += ["action", "submit", "close", "drill"]
        acts = ("fault", "stage", "deploy", "report", "restore", "trouble", "normal")
        posts += [f"cloud/{act}" for act in acts]
        return Starlette(
            routes=[
                Route("/sandbox/state", self._state),
                Route("/sandbox/events", self._events),
                Route("/sandbox/cloud", self._cloud),
                Route("/sandbox/drill", self._drill),
                Route("/files/{name}", self._file),
                *(Route(f"/sandbox/{path}", self._post, methods=["POST"]) for path in posts),
                Route("/", _index),
                Mount("/static", _KeptStaticFiles(directory=PAGE)),
            ]
        )

    async def _state(self, request: Request) -> Response:
        self.state_reads += self._is_of_this_test(request)
        user = request.query_params["user"]
        answer = copy.deepcopy(self.state)
        answer["views"] = answer["views"].get(user, [])
        return JSONResponse(answer)

    async def _cloud(self, request: Request) -> Response:
        return JSONResponse(self.cloud)

    async def _drill(self, request: Request) -> Response:
        self.drill_reads += self._is_of_this_test(request)
        if self.drill_reads <= self.drill_failures:
            return PlainTextResponse("not yet", status_code=503)
        return JSONResponse(self.drill)

    async def _file(self, request: Request) -> Response:
        return PlainTextResponse(self.files[request.path_params["name"]])

    async def _events(self, request: Request) -> Response:
        return StreamingResponse(self._versions(), media_type="text/event-stream")

    async def _versions(self) -> AsyncIterator[str]:
        told = None
        while not self._ended:
            if told != self.state["version"]:
                told = self.state["version"]
                yield f"data: {json.dumps({'version': told})}\n\n"
            await asyncio.sleep(0.02)

    async def _post(self, request: Request) -> Response:
        path, body = request.url.path.removeprefix("/sandbox/"), await request.json()
        if not self._is_of_this_test(request):
            return JSONResponse(ACCEPTED)
        self.posted.append((path, body))
        await self.may_answer.wait()
        return JSONResponse(self.answers.get(path, ACCEPTED))

    def _is_of_this_test(self, request: Request) -> bool:
        begun = request.headers.get("referer", "").partition("?")[2]
        return begun in ("", str(self._begun))


class _KeptStaticFiles(StaticFiles):
    """The page's files; a browser asks for each only once in a session."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        response = super().file_response(*args, **kwargs)
        response.headers["cache-control"] = "max-age=3600"
        return response


async def _index(request: Request) -> Response:
    return FileResponse(PAGE / "index.html")


@asynccontextmanager
async def serving(server: PageServer) -> AsyncIterator[PageServer]:
    """Serve on a free port of the loopback; `server.url` is the page's address."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(server.application(), log_level="warning", timeout_graceful_shutdown=2)
    web = uvicorn.Server(config)
    task = asyncio.create_task(web.serve(sockets=[listener]))
    server.url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
    try:
        yield server
    finally:
        server.end()
        web.should_exit = True
        await task
        listener.close()
