"""Users: a steady, slightly irregular stream of real requests at one service's address."""

import asyncio
import random
from collections import Counter

from bot.sandbox.cloud.container import REVISION_HEADER
from bot.sandbox.cloud.http_client import HttpClient
from bot.sandbox.cloud.http_messages import FORWARDED_HEADER, HttpRequest

TIMEOUT_SECONDS = 30.0
LONGEST_ARREARS_SECONDS = 0.5
#: Who asks: some of them much more often than others. From a range that belongs to nobody (RFC 5737).
CLIENTS = tuple(f"203.0.113.{number}" for number in range(1, 201))
_HOW_OFTEN = tuple(1 / (1 + number / 40) for number in range(len(CLIENTS)))
#: What users ask for, and how often.
PATHS = {"/api/chat": 60, "/api/recommend": 30, "/api/session": 10}


class Load:
    """Sends `requests_per_second` to `port`, whether or not earlier ones were answered.

    `answers` counts what came back by (revision, status); status 0 is no answer at all.
    """

    def __init__(self, *, port: int, client: HttpClient, rng: random.Random) -> None:
        self.requests_per_second = 0.0
        self.answers: Counter[tuple[str, int]] = Counter()
        self._port = port
        self._client = client
        self._rng = rng
        #: One of its own, so that who asks is the same whatever else is drawn.
        self._whose_turn = random.Random(len(CLIENTS))
        self._in_flight: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def is_over(self) -> bool:
        """Whether nobody asks any more, and whoever asked was answered."""
        return not (self.requests_per_second or self._changed.is_set() or self._in_flight)

    def start(self, requests_per_second: float) -> None:
        """Begin, or go on at another rate; 0 pauses."""
        self.requests_per_second = requests_per_second
        self._changed.set()
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        """Send no more, and give up on what is in flight."""
        tasks = [*self._in_flight, *([self._task] if self._task else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            self._changed.clear()
            rate = self.requests_per_second
            # From the time it was due, not from now: a busy machine must not thin the load out. A
            # machine that stood still for long sends nothing in arrears.
            due = max(due, loop.time() - LONGEST_ARREARS_SECONDS)
            due += self._rng.uniform(0.5, 1.5) / rate if rate > 0 else 0.0
            try:
                async with asyncio.timeout_at(due if rate > 0 else None):
                    await self._changed.wait()
                due = loop.time()
            except TimeoutError:
                self._send()

    def _send(self) -> None:
        task = asyncio.get_running_loop().create_task(self._one())
        self._in_flight.add(task)
        task.add_done_callback(self._in_flight.discard)

    async def _one(self) -> None:
        path = self._rng.choices(tuple(PATHS), weights=tuple(PATHS.values()))[0]
        client = self._whose_turn.choices(CLIENTS, weights=_HOW_OFTEN)[0]
        headers = {"user-agent": "ion-app/4.0", FORWARDED_HEADER: client}
        request = HttpRequest(method="GET", path=path, headers=headers)
        try:
            response = await self._client.send(request, port=self._port, timeout_seconds=TIMEOUT_SECONDS)
        except OSError:
            self.answers["", 0] += 1
        else:
            self.answers[response.headers.get(REVISION_HEADER, ""), response.status] += 1
