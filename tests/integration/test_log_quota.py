"""Reading the log where Google counts the reads: several incidents and a watch, and nobody is refused."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.cloud.logging_v2.types import ListLogEntriesResponse, LogEntry

from bot.adapters.cloud_logging import CloudLogging
from bot.adapters.log_reads import (
    KEPT_FOR_PEOPLE,
    LONGEST_WAIT_SECONDS,
    QUOTA,
    READS_AT_ONCE,
    LogReads,
    ReadsOfProjects,
)
from bot.adapters.log_stream import LogStream
from bot.domain.observation import BUCKET, BucketsRead
from bot.domain.readings import RequestCounts, Side
from bot.sandbox.cloud import Behaviour
from bot.sandbox.cloud.quotas import Quotas
from bot.sandbox.cloud.rejection import Rejection
from bot.sandbox.names import PROJECT
from tests.fakes import HeldClock
from tests.integration.sandbox_targets import API, API_SIDES, CHAT, CHAT_SIDES
from tests.integration.scripted_google import scripted_google

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
#: A request that chat's stable answered.
ANSWERED = LogEntry(
    resource={
        "type": "cloud_run_revision",
        "labels": {
            "service_name": CHAT_SIDES.stable.service,
            "revision_name": CHAT_SIDES.stable.revision or "any",
            "location": CHAT.region,
        },
    },
    http_request={"status": 200},
    timestamp=NOON,
)

pytestmark = pytest.mark.usefixtures("patient_with_google")


class Google:
    """A log and the sandbox's quota for reading it; one clock for it and for the bot.

    Each of its `pages` holds one request. `refused` are the reads that were too many. Where `endless` the
    watch's listings never end.
    """

    endless = False
    pages = 1

    def __init__(self) -> None:
        self.clock = HeldClock(NOON)
        self.asked = self.refused = 0
        self._quotas = Quotas(Behaviour(log_reads_per_minute=QUOTA), now=self.seconds)

    def seconds(self) -> float:
        return self.clock().timestamp()

    def spend(self) -> None:
        """Take one read as anybody does who is allowed to."""
        self._quotas.spend("ListLogEntries")

    def answer(self, request: Any) -> Any:
        self.asked += 1
        try:
            self.spend()
        except Rejection as rejection:
            self.refused += 1
            return rejection.code
        page = int(request.page_token or 0) + 1
        more = page < self.pages or (self.endless and request.order_by == "timestamp asc")
        return ListLogEntriesResponse(entries=[ANSWERED], next_page_token=str(page) if more else "")


class Readers:
    """Both readers of the log, as the bot has them."""

    def __init__(self, google: Google, address: str) -> None:
        reads = ReadsOfProjects(lambda: LogReads(now=google.seconds, pause=google.clock.pause))
        self.google = google
        self.log = CloudLogging(f"http://{address}", PROJECT, reads=reads)
        self.stream = LogStream(f"http://{address}", PROJECT, google.clock, reads=reads)

    @property
    def window(self) -> dict[str, Any]:
        now = self.google.clock()
        return {"since": now - timedelta(minutes=1), "until": now}

    async def counts(self) -> RequestCounts:
        """Count as a verification does; return stable's."""
        return (await self.log.count(CHAT, CHAT_SIDES, **self.window))[Side.STABLE]

    async def count(self) -> str | None:
        """Count as a verification does; return what was wrong."""
        return (await self.counts()).problem

    async def look(self) -> str | None:
        """Count as the checklist does; return what was wrong."""
        found = await self.log.standing_back().count(CHAT, CHAT_SIDES, **self.window)
        return found[Side.STABLE].problem

    async def take_evidence(self) -> list[Any]:
        """Read all that is read of the log for one incident; return what was wrong."""
        assert API_SIDES.canary is not None
        lines = [await self.log.entries(API, "severity>=ERROR", limit=100, **self.window) for _ in range(5)]
        shares = [
            await self.stream.endpoints(API, API_SIDES.canary, **self.window),
            await self.stream.endpoints(API, API_SIDES.stable, **self.window),
            await self.log.clients(API, API_SIDES.canary, **self.window),
        ]
        return [*(each.problem for each in lines), *(None if each is not None else "?" for each in shares)]

    async def watch(self) -> BucketsRead:
        """Read the newest buckets without a stream: each is listed."""
        now = self.google.clock()
        return await self.stream.buckets(API, API_SIDES, since=now - 6 * BUCKET, until=now)


@pytest.fixture
async def readers() -> AsyncIterator[Readers]:
    google = Google()
    async with scripted_google(google.answer) as server:
        readers = Readers(google, server.address)
        yield readers
        await readers.stream.close()
        await readers.log.close()


async def test_five_incidents_one_after_another_are_read_without_a_refusal(readers: Readers) -> None:
    problems: list[Any] = []
    for _ in range(5):
        problems += [await readers.count() for _ in range(12)]
        problems += await readers.take_evidence()
        await readers.watch()

    assert readers.google.refused == 0
    assert set(problems) == {None}
    assert readers.google.asked >= 100


async def test_what_the_watch_lists_leaves_a_verification_its_reads(readers: Readers) -> None:
    readers.google.endless = True
    watched = await readers.watch()

    problems = [await readers.count() for _ in range(KEPT_FOR_PEOPLE)]

    assert (watched.problem or "").startswith("quota: ")
    assert problems == [None] * KEPT_FOR_PEOPLE
    assert readers.google.clock() == NOON, "nobody waited"
    assert (readers.google.asked, readers.google.refused) == (READS_AT_ONCE, 0)


async def test_the_long_counts_of_checklists_leave_a_verification_its_reads(readers: Readers) -> None:
    readers.google.pages = KEPT_FOR_PEOPLE
    looked = [await readers.look() for _ in range(12)]
    at = readers.google.clock()

    problem = await readers.count()

    assert set(looked) == {None}
    assert problem is None
    assert readers.google.clock() == at > NOON, "only the checklists waited"
    assert readers.google.refused == 0


async def test_where_there_are_no_reads_for_all_pages_the_newest_are_counted(readers: Readers) -> None:
    for _ in range(READS_AT_ONCE):
        await readers.count()
    readers.google.pages = 100

    counts = await readers.counts()

    assert (counts.problem, counts.truncated) == (None, True)
    assert 0 < counts.requests < 100
    assert readers.google.clock() - NOON <= timedelta(seconds=LONGEST_WAIT_SECONDS)


async def test_where_others_have_read_all_there_is_a_read_is_told_as_refused(readers: Readers) -> None:
    for _ in range(QUOTA):
        readers.google.spend()
    refused = await readers.count()

    readers.google.clock.now += timedelta(minutes=1)

    assert (refused or "").startswith("quota: ")
    assert await readers.count() is None
