"""One revision's running container: a real HTTP server that can be made ill."""

import asyncio
import json
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from bot.sandbox.cloud.behaviour import Behaviour, Fault
from bot.sandbox.cloud.cold_start import ColdStart
from bot.sandbox.cloud.conversations import Conversations
from bot.sandbox.cloud.http_messages import FORWARDED_HEADER, HttpRequest, HttpResponse
from bot.sandbox.cloud.http_server import Hangup, HttpServer
from bot.sandbox.cloud.latency import APPLICATION, SLOW_FACTOR, LatencyModel
from bot.sandbox.cloud.ledger import Ledger, LineWritten
from bot.sandbox.cloud.limits import Limits

#: The response header that names the revision that answered.
REVISION_HEADER = "x-revision"
#: The header that carries the trace from the ingress to the container, as on Cloud Run.
TRACE_HEADER = "x-cloud-trace-context"

ERROR_RATIO = 0.05
#: Requests slower than this leave a warning with `latency_ms`, as the guide's log filter expects.
SLOW_LINE_MS = 500.0

#: What Cloud Run writes, and how severe it says that it is.
#: Sources: Google Cloud, "Troubleshoot Cloud Run issues"; entries published in bug reports.
OUT_OF_MEMORY = (
    "ERROR",
    "Memory limit of {limit} MiB exceeded with {used} MiB used. Consider increasing the memory limit, see "
    "https://cloud.google.com/run/docs/configuring/memory-limits",
)
EXITED = ("WARNING", "Container called exit(1).")
NOT_STARTED = (
    "ERROR",
    'Default STARTUP TCP probe failed 1 time consecutively for container "app-1" on port 8080. The instance '
    "was not started.",
)

#: Twenty times 0.05 is a little less than one.
_ROUNDING = 1e-9

#: What `Fault.SLOW_ONE` slows down.
SLOW_ENDPOINT = "/api/recommend"

#: What the application writes when a request fails: the guide's suspects.
FAILURES = (
    "KeyError: 'turn_id' while loading the session of a multi-turn conversation",
    "RecommendationEngineError: no candidate after ranking",
    "TypeError: 'NoneType' object is not subscriptable in session_store.append",
)

#: Where users write, so that there is something to lose.
CHAT_ENDPOINT = "/api/chat"

App = Callable[[HttpRequest], Awaitable[HttpResponse]]


@dataclass(kw_only=True)
class Container:
    """Serves one revision; `app` answers what is under ``/api/``, without one it keeps `conversations`."""

    service: str
    revision: str
    behaviour: Behaviour
    ledger: Ledger
    rng: random.Random
    limits: Limits
    latency: LatencyModel = APPLICATION
    app: App | None = None
    conversations: Conversations = field(default_factory=Conversations)
    faults: set[Fault] = field(default_factory=set)
    in_flight: int = 0

    def __post_init__(self) -> None:
        self.starting = ColdStart(self.behaviour)
        self._server = HttpServer(self._handle)
        self._owed_errors = 0.0

    @property
    def port(self) -> int:
        """Where the container listens."""
        return self._server.port

    async def start(self, host: str) -> None:
        """Begin to listen."""
        await self._server.start(host)

    def close(self) -> None:
        """Stop listening and cut what is in flight."""
        self._server.close()

    def set_fault(self, fault: Fault, on: bool) -> None:
        """Switch `fault`; going down cuts what is in flight, as a crash does."""
        goes_down = fault is Fault.DOWN and on and fault not in self.faults
        if on:
            self.faults.add(fault)
        else:
            self.faults.discard(fault)
        if goes_down:
            self._server.hang_up()
            self._platform_writes(*EXITED)

    def run_out_of_memory(self, used_mib: float, *, instances: int) -> None:
        """Be killed, in every instance: what is in flight is cut, and fresh instances go on at once."""
        self._server.hang_up()
        severity, text = OUT_OF_MEMORY
        limit = round(self.limits.memory_mib)
        for _ in range(instances):
            self._platform_writes(severity, text.format(limit=limit, used=max(round(used_mib), limit + 1)))

    def fail_to_start(self) -> None:
        """Leave the line that Cloud Run writes when nothing listens on the port."""
        self._platform_writes(*NOT_STARTED)

    def _platform_writes(self, severity: str, message: str) -> None:
        self.ledger.line(
            LineWritten(
                service=self.service,
                revision=self.revision,
                severity=severity,
                message=message,
                at=datetime.now(UTC),
                trace="",
                path="",
                by_platform=True,
            )
        )

    async def _handle(self, request: HttpRequest) -> HttpResponse:
        if Fault.DOWN in self.faults:
            raise Hangup
        self.in_flight += 1
        try:
            return self._stamped(await self._work(request))
        finally:
            self.in_flight -= 1

    def _stamped(self, response: HttpResponse) -> HttpResponse:
        headers = {"content-type": "application/json", REVISION_HEADER: self.revision, **response.headers}
        return HttpResponse(status=response.status, headers=headers, body=response.body)

    async def _work(self, request: HttpRequest) -> HttpResponse:
        path = request.path.partition("?")[0]
        latency_ms = self.latency.draw(self.rng) * (SLOW_FACTOR if self._is_slow(path) else 1)
        await asyncio.sleep(latency_ms / 1000)
        if path == "/health":
            return _json(200, health="healthy", service=self.service, revision=self.revision)
        if not path.startswith("/api/"):
            return _json(404, error="not found")
        if latency_ms > SLOW_LINE_MS:
            self._write(request, "WARNING", f"slow request: {path}", latency_ms)
        if self._must_fail():
            self._write(request, "ERROR", self.rng.choice(FAILURES), latency_ms)
            return _json(500, error="internal error")
        return await self.app(request) if self.app else self._reply(request, path)

    def _reply(self, request: HttpRequest, path: str) -> HttpResponse:
        """Answer with how much of this user's conversation there is, the first address naming the user."""
        user = request.headers.get(FORWARDED_HEADER, "").partition(",")[0].strip()
        if Fault.LOST in self.faults:
            self.conversations.lose(user)
        if user and path == CHAT_ENDPOINT:
            self.conversations.write(user)
        return _json(200, reply="ok", revision=self.revision, turns=self.conversations.turns(user))

    def _is_slow(self, path: str) -> bool:
        return Fault.SLOW in self.faults or (Fault.SLOW_ONE in self.faults and path == SLOW_ENDPOINT)

    def _must_fail(self) -> bool:
        """Every twentieth request, not one in twenty by chance: a short look would find none too often."""
        self._owed_errors += (
            ERROR_RATIO if Fault.ERRORS in self.faults else self.behaviour.baseline_error_ratio
        )
        if self._owed_errors < 1 - _ROUNDING:
            return False
        self._owed_errors -= 1
        return True

    def _write(self, request: HttpRequest, severity: str, message: str, latency_ms: float) -> None:
        trace = request.headers.get(TRACE_HEADER, "").partition("/")[0]
        self.ledger.line(
            LineWritten(
                service=self.service,
                revision=self.revision,
                severity=severity,
                message=message,
                at=datetime.now(UTC),
                trace=trace,
                path=request.path,
                method=request.method,
                latency_ms=latency_ms,
            )
        )


def _json(status: int, **body: str | int) -> HttpResponse:
    return HttpResponse(status=status, body=json.dumps(body).encode())
