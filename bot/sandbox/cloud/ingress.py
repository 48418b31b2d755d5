"""A service's front door: splits requests over revisions by the *observed* traffic, and writes them down."""

import random
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.sandbox.cloud.container import TRACE_HEADER, Container
from bot.sandbox.cloud.http_client import HttpClient
from bot.sandbox.cloud.http_messages import FORWARDED_HEADER, HttpRequest, HttpResponse
from bot.sandbox.cloud.http_server import HttpServer
from bot.sandbox.cloud.ledger import Ledger, RequestSeen

#: Cloud Run's default request time-out.
REQUEST_TIMEOUT_SECONDS = 300.0
#: What Cloud Run answers when the container does not.
NO_ANSWER = HttpResponse(status=503, headers={"content-type": "text/plain"}, body=b"Service Unavailable\n")
#: What it answers where there is no such service, or none behind a tag.
NOT_FOUND = HttpResponse(status=404, headers={"content-type": "text/plain"}, body=b"Not Found\n")


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line of the observed traffic, with LATEST already resolved to a revision."""

    revision: str
    percent: int
    tag: str = ""


class Ingress:
    """The service's own address and one more for each tag. Requests end where they began."""

    def __init__(
        self,
        service: str,
        *,
        containers: Mapping[str, Container],
        client: HttpClient,
        ledger: Ledger,
        rng: random.Random,
    ) -> None:
        self.service = service
        #: True once the service was deleted.
        self.gone = False
        self._containers = containers
        self._client = client
        self._ledger = ledger
        self._rng = rng
        self._lines: tuple[Line, ...] = ()
        self._front = HttpServer(self._split)
        self._tags: dict[str, HttpServer] = {}
        self._host = ""

    @property
    def uri(self) -> str:
        """The service's address."""
        return f"http://{self._host}:{self._front.port}"

    @property
    def port(self) -> int:
        """The port of the service's address."""
        return self._front.port

    async def start(self, host: str) -> None:
        """Listen on the service's own address."""
        self._host = host
        await self._front.start(host)

    def close(self) -> None:
        """Stop listening everywhere."""
        for server in (self._front, *self._tags.values()):
            server.close()

    def route(self, lines: Sequence[Line]) -> None:
        """Split by `lines` from the next request on."""
        self._lines = tuple(lines)

    async def open_tags(self, tags: Iterable[str]) -> None:
        """Give each of `tags` an address of its own, the same for the sandbox's life."""
        for tag in tags:
            if tag not in self._tags:
                server = self._tags[tag] = HttpServer(_TagHandler(self, tag))
                await server.start(self._host)

    @property
    def tag_uris(self) -> dict[str, str]:
        """The addresses of the tags that were opened."""
        return {tag: f"http://{self._host}:{server.port}" for tag, server in self._tags.items()}

    async def _split(self, request: HttpRequest) -> HttpResponse:
        if self.gone:
            return NOT_FOUND
        lines = [line for line in self._lines if line.percent > 0]
        if not lines:
            return NO_ANSWER
        chosen = self._rng.choices(lines, weights=[line.percent for line in lines])[0]
        return await self.forward(request, chosen.revision, address=self.uri)

    def tagged(self, tag: str) -> str | None:
        """Return the revision behind `tag`, None when no line carries it."""
        return next((line.revision for line in self._lines if line.tag == tag), None)

    async def forward(self, request: HttpRequest, revision: str, *, address: str) -> HttpResponse:
        """Ask the container of `revision`, and write down what came of it.

        `address` is the one the request came to: the service's own or a tag's.
        """
        at, began = datetime.now(UTC), time.perf_counter()
        trace = f"{self._rng.getrandbits(128):032x}"
        container = self._containers.get(revision)
        startup_ms = await container.starting.wait() if container else 0.0
        answer = await self._ask(request, container, trace) if container else None
        response = answer or NO_ANSWER
        self._ledger.request(
            RequestSeen(
                service=self.service,
                revision=revision,
                method=request.method,
                url=address + request.path,
                status=response.status,
                latency_ms=(time.perf_counter() - began) * 1000,
                at=at,
                trace=trace,
                user_agent=request.headers.get("user-agent", ""),
                reached=answer is not None,
                startup_ms=startup_ms,
                client=request.headers.get(FORWARDED_HEADER, self._host).rpartition(",")[2].strip(),
            )
        )
        return response

    async def _ask(self, request: HttpRequest, container: Container, trace: str) -> HttpResponse | None:
        passed_on = HttpRequest(
            # The head of a GET answers a HEAD; our small client expects a body where a length is given.
            method="GET" if request.method == "HEAD" else request.method,
            path=request.path,
            headers={**request.headers, TRACE_HEADER: f"{trace}/1;o=1"},
            body=request.body,
        )
        try:
            return await self._client.send(
                passed_on, port=container.port, timeout_seconds=REQUEST_TIMEOUT_SECONDS
            )
        except OSError:
            return None


class _TagHandler:
    """Sends everything to the revision that carries the tag now; 404 when none does."""

    def __init__(self, ingress: Ingress, tag: str) -> None:
        self._ingress = ingress
        self._tag = tag

    async def __call__(self, request: HttpRequest) -> HttpResponse:
        revision = self._ingress.tagged(self._tag)
        if revision is None:
            return NOT_FOUND
        address = self._ingress.tag_uris[self._tag]
        return await self._ingress.forward(request, revision, address=address)
