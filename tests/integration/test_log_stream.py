"""The request log as it comes in: one session, holes that are listed, and nothing lost or doubled."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from socket import socket
from typing import Any

import pytest
from google.api.monitored_resource_pb2 import MonitoredResource
from google.cloud.logging_v2.types import ListLogEntriesResponse, LogEntry, TailLogEntriesResponse
from google.logging.type.http_request_pb2 import HttpRequest
from google.protobuf.duration_pb2 import Duration
from grpc import StatusCode as Code

from bot.adapters.log_buckets import KEPT_BUCKETS
from bot.adapters.log_reads import KEPT_FOR_PEOPLE, READS_AT_ONCE
from bot.adapters.log_stream import LogStream
from bot.adapters.log_tail import PATIENCE_SECONDS as TAIL_PATIENCE_SECONDS
from bot.domain.observation import BUCKET, Bucket, BucketsRead, Tally
from bot.domain.playbook import Target
from bot.domain.traffic import Sides
from bot.sandbox.cloud import Behaviour, Fault, SandboxCloud
from bot.sandbox.names import (
    API_CANARY,
    API_SERVICE,
    API_STABLE,
    CHAT_ROUTER,
    CHAT_SERVICE,
    PROJECT,
)
from tests.fakes import HeldClock
from tests.integration.patience import PATIENCE_SECONDS
from tests.integration.sandbox_targets import API, API_SIDES, CHAT, CHAT_SIDES
from tests.integration.scripted_google import Script, ScriptedGoogle, scripted_google

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
DENIED = "permission: Google's sentence"


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def entry(
    at: float, status: int = 200, *, revision: str = API_CANARY, service: str = API_SERVICE, path: str = "/"
) -> LogEntry:
    """A request so many seconds after noon; readable one second later."""
    return LogEntry(
        timestamp=after(at),
        receive_timestamp=after(at + 1),
        insert_id=f"{service}{revision}{at}",
        http_request=HttpRequest(
            request_method="GET",
            request_url=f"https://api.example.com{path}",
            status=status,
            latency=Duration(nanos=120_000_000),
        ),
        resource=MonitoredResource(
            labels={"location": "us-central1", "service_name": service, "revision_name": revision}
        ),
    )


async def eventually(happens: Callable[[], bool]) -> None:
    """Let others run until it does."""
    while not happens():  # noqa: ASYNC110
        await asyncio.sleep(0.001)


class Sessions:
    """The tail sessions that were opened; a test speaks through the newest."""

    def __init__(self) -> None:
        self.opened: list[asyncio.Queue[Any]] = []

    async def script(self, request: Any) -> AsyncIterator[Any]:
        mine: asyncio.Queue[Any] = asyncio.Queue()
        self.opened.append(mine)
        while (answer := await mine.get()) is not None:
            yield answer

    async def are(self, number: int) -> None:
        """Wait until so many have been opened."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            await eventually(lambda: len(self.opened) >= number)


class World:
    """A stream, the Google it reads from, and the clock of both."""

    def __init__(
        self, stream: LogStream, google: ScriptedGoogle, sessions: Sessions, clock: HeldClock
    ) -> None:
        self.stream, self.google, self.sessions, self.clock = stream, google, sessions, clock

    async def say(self, *entries: LogEntry, suppressed: int = 0, at: float) -> None:
        """Let the newest session send `entries` at `at` seconds after noon, and have them heard."""
        self.clock.now = after(at)
        answer = TailLogEntriesResponse(entries=entries)
        if suppressed:
            answer.suppression_info.append(
                TailLogEntriesResponse.SuppressionInfo(reason=1, suppressed_count=suppressed)
            )
        heard = self.tail.buckets.heard_at
        await self.sessions.opened[-1].put(answer)
        async with asyncio.timeout(PATIENCE_SECONDS):
            await eventually(lambda: self.tail.buckets.heard_at != heard)

    async def go_on(self, since: float, until: float) -> None:
        """Let the session say every second that stable answered somebody three seconds ago."""
        at = since
        while at < until:
            await self.say(entry(at - 3, revision=API_STABLE), at=at)
            at += 1

    @property
    def tail(self) -> Any:
        (tail,) = self.stream._tails.values()
        return tail

    async def read(
        self, since: float, until: float, target: Target = API, sides: Sides = API_SIDES
    ) -> BucketsRead:
        self.clock.now = after(until)
        return await self.stream.buckets(target, sides, since=after(since), until=after(until))


@asynccontextmanager
async def a_world(script: Script) -> AsyncIterator[World]:
    sessions, clock = Sessions(), HeldClock(after(-60))
    async with scripted_google(script, tail_script=sessions.script) as google:
        stream = LogStream(f"http://{google.address}", PROJECT, clock)
        yield World(stream, google, sessions, clock)
        await stream.close()


@asynccontextmanager
async def a_live_world(script: Script | None = None) -> AsyncIterator[World]:
    """One whose stream has covered everything since noon."""
    async with a_world(script or holding()) as world:
        await world.read(-60, -60)
        await world.sessions.are(1)
        await world.go_on(-15, 0)
        yield world


def holding(*entries: LogEntry) -> Script:
    """List what is asked for of `entries`."""

    def script(request: Any) -> ListLogEntriesResponse:
        since, until = (part.split('"')[1] for part in request.filter.split("timestamp")[1:])
        inside = [e for e in entries if since <= e.timestamp.isoformat().replace("+00:00", "Z") < until]
        return ListLogEntriesResponse(
            entries=[e for e in inside if e.resource.labels["service_name"] in request.filter]
        )

    return script


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch, patient_with_google: None) -> None:
    """Let the stream lose no time over its own affairs, and give this machine time for its own."""
    monkeypatch.setattr("bot.adapters.log_follower.DEBOUNCE_SECONDS", 0.02)
    monkeypatch.setattr("bot.adapters.log_follower.FIRST_PAUSE_SECONDS", 0.01)


def requests(read: BucketsRead) -> list[tuple[int | None, int | None]]:
    """Return the requests of canary and stable in each bucket."""
    return [
        (b.canary.requests if b.canary else None, b.stable.requests if b.stable else None)
        for b in read.buckets
    ]


async def test_the_stream_alone_tells_both_sides_without_a_listing() -> None:
    async with a_live_world() as world:
        await world.say(entry(1), entry(2, 503), at=5)
        await world.go_on(6, 15)

        read = await world.read(0, 15)

    assert world.google.requests == []
    assert [(b.since, b.until, b.canary) for b in read.buckets] == [
        (NOON, after(10), Tally(requests=2, errors=1, latencies=((130, 2),)))
    ]
    assert (read.live, read.problem, read.late, read.twice) == (True, None, 0, 0)
    assert 2 < read.lag_seconds < 5


async def test_a_bucket_is_told_once_it_is_closed_and_the_next_read_begins_there() -> None:
    async with a_live_world() as world:
        await world.go_on(0, 13)
        early = await world.read(0, 13)
        await world.go_on(13, 25)
        later = await world.read(0, 25)
        again = await world.read(10, 25)

    assert [b.since for b in early.buckets] == []
    assert [b.since for b in later.buckets] == [NOON, after(10)]
    assert again.buckets == later.buckets[1:]
    assert early.live


async def test_every_service_of_a_project_comes_in_one_session() -> None:
    async with a_world(holding()) as world:
        await asyncio.gather(world.read(0, 5), world.read(0, 5, CHAT, CHAT_SIDES))
        await world.sessions.are(1)
        await asyncio.sleep(0.1)

    (request,) = world.google.tails
    assert list(request.resource_names) == [f"projects/{PROJECT}"]
    assert request.buffer_window == timedelta(seconds=2)
    assert request.filter == (
        f'logName="projects/{PROJECT}/logs/run.googleapis.com%2Frequests" AND '
        'resource.type="cloud_run_revision" AND (('
        'resource.labels.location="us-central1" AND (resource.labels.service_name="ion-api" OR '
        'resource.labels.service_name="ion-chat" OR resource.labels.service_name="ion-chat-canary"))) AND '
        'NOT httpRequest.userAgent:"backout/"'
    )


async def test_one_more_service_opens_a_wider_session() -> None:
    async with a_live_world() as world:
        await world.read(0, 5, CHAT, CHAT_SIDES)
        await world.sessions.are(2)

    assert "ion-chat" not in world.google.tails[0].filter
    assert "ion-chat-canary" in world.google.tails[1].filter
    assert '"ion-api"' in world.google.tails[1].filter


async def test_a_session_that_broke_is_opened_again_and_its_hole_is_listed() -> None:
    logged = [entry(1), entry(2), entry(3, 500), entry(11), entry(21)]

    async with a_live_world(holding(*logged)) as world:
        await world.say(entry(1), at=4)
        await world.sessions.opened[-1].put(Code.UNAVAILABLE)
        await world.sessions.are(2)
        await world.go_on(5, 14)
        await world.say(entry(11), at=14)
        await world.go_on(15, 24)
        await world.say(entry(21), at=24)
        await world.go_on(25, 35)

        first = await world.read(0, 35)

    assert [b.canary.requests if b.canary else None for b in first.buckets] == [3, 1, 1]
    assert first.buckets[0].canary == Tally(requests=3, errors=1, latencies=((130, 3),))
    assert (first.live, first.problem) == (True, None)
    (listing,) = world.google.requests
    assert 'timestamp>="2026-11-23T12:00:00.000000Z" AND timestamp<"2026-11-23T12:00:10.000000Z"' in (
        listing.filter
    )
    assert (listing.page_size, listing.order_by) == (1000, "timestamp asc")


async def test_what_was_listed_is_not_listed_again() -> None:
    async with a_world(holding(entry(1), entry(2, revision=API_STABLE))) as world:
        first = await world.read(0, 15)
        again = await world.read(0, 15)

    assert requests(first) == requests(again) == [(1, 1)]
    assert not first.live
    assert len(world.google.requests) == 1


async def test_two_targets_of_one_service_are_listed_once() -> None:
    async with a_world(holding(entry(1))) as world:
        reads = await asyncio.gather(*(world.read(0, 15) for _ in range(5)))

    assert {r.buckets for r in reads} == {reads[0].buckets}
    assert len(world.google.requests) == 1


async def test_what_google_suppressed_is_counted_and_listed() -> None:
    async with a_live_world(holding(entry(1), entry(2))) as world:
        await world.go_on(0, 4)
        await world.say(entry(1), suppressed=7, at=4)
        await world.go_on(5, 15)

        read = await world.read(0, 15)

    assert (requests(read), read.suppressed, read.live) == ([(2, 0)], 7, False)


async def test_repeated_late_and_impossible_entries_are_said_for_their_time() -> None:
    async with a_live_world() as world:
        await world.say(entry(1), entry(1), at=4)
        await world.say(entry(60), at=5)
        await world.go_on(6, 15)
        first = await world.read(0, 15)
        await world.say(entry(2), at=15)
        await world.go_on(16, 35)
        second = await world.read(10, 35)

    assert requests(first)[0][0] == 1
    assert (first.twice, first.odd, first.late) == (1, 1, 0)
    assert first.oddity == "an entry of ion-api is stamped 55 s in the future"
    assert (second.twice, second.odd, second.late, second.oddity) == (0, 0, 1, None)


async def test_a_silent_session_is_listed_instead_and_a_deaf_one_replaced(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bot.adapters.log_follower.LOOK_SECONDS", 0.1)

    async with a_live_world(holding(entry(11))) as world:
        await world.go_on(0, 5)
        read = await world.read(0, 25)
        await world.sessions.are(2)

    assert requests(read)[1] == (1, 0)
    assert not read.live


async def test_an_unreadable_log_is_tried_for_a_while_and_then_said_to_be_unreadable() -> None:
    async with a_world(lambda _: Code.PERMISSION_DENIED) as world:
        lag = (await world.read(0, 0)).lag_seconds
        closes = 10 + lag
        early = await world.read(0, closes)
        patient = await world.read(0, closes + TAIL_PATIENCE_SECONDS - 0.1)
        late = await world.read(0, closes + TAIL_PATIENCE_SECONDS)

    assert [(r.buckets, r.problem) for r in (early, patient)] == [((), DENIED), ((), DENIED)]
    assert (requests(late), late.problem, late.live) == ([(None, None)], DENIED, False)


async def test_what_could_not_be_read_for_a_moment_is_read_later() -> None:
    answers: list[Any] = [Code.INTERNAL]

    def script(request: Any) -> Any:
        return answers.pop() if answers else holding(entry(1))(request)

    async with a_world(script) as world:
        early = await world.read(0, 16)
        later = await world.read(0, 26)

    assert (early.buckets, early.problem) == ((), "other: Google's sentence")
    assert (requests(later), later.problem) == ([(1, 0), (0, 0)], None)


async def test_more_than_may_be_listed_is_a_problem_and_never_a_count_that_is_too_small(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # While they are listed, however long that takes, none is added to what may be.
    monkeypatch.setattr("bot.adapters.log_reads._EACH_SECONDS", float("inf"))

    def script(request: Any) -> ListLogEntriesResponse:
        number = int(request.page_token or 0)
        at = 1.0 if not number else 11.0
        return ListLogEntriesResponse(entries=[entry(at)], next_page_token=str(number + 1))

    async with a_world(script) as world:
        read = await world.read(0, 60)

    assert requests(read) == [(1, 0), (None, None), (None, None)]
    assert (read.problem or "").startswith("quota: ")
    assert len(world.google.requests) == READS_AT_ONCE - KEPT_FOR_PEOPLE


async def test_only_the_newest_quarter_of_an_hour_is_read() -> None:
    async with a_world(holding(entry(1))) as world:
        read = await world.read(-1000, 16)

    assert len(read.buckets) == 101
    assert requests(read)[0] == (None, None)
    assert requests(read)[-1] == (1, 0)
    assert [pair for pair in requests(read) if pair != (None, None)] == [(0, 0)] * (KEPT_BUCKETS - 2) + [
        (1, 0)
    ]
    assert "quarter of an hour" in (read.problem or "")


async def test_one_services_side_is_told_although_it_has_no_canary() -> None:
    async with a_world(holding(entry(1, service=CHAT_SERVICE, revision="ion-chat-00001-abc"))) as world:
        read = await world.read(0, 15, CHAT, replace(CHAT_SIDES, canary=None))

    assert requests(read) == [(None, 1)]
    assert read.problem is None


async def test_the_session_ends_when_nobody_asks_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.adapters.log_follower.LOOK_SECONDS", 0.1)

    async with a_world(holding()) as world:
        await world.read(0, 5)
        await world.sessions.are(1)
        with monkeypatch.context() as later:
            # As if so long had passed since.
            later.setattr("bot.adapters.log_follower.IDLE_SECONDS", 0.0)
            async with asyncio.timeout(PATIENCE_SECONDS):
                await eventually(lambda: not world.tail.follower.is_following)
        await world.read(0, 5)
        await world.sessions.are(2)


async def test_a_session_is_renewed_before_google_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.adapters.log_follower.SESSION_SECONDS", 0.2)

    async with a_world(holding()) as world:
        await world.read(0, 5)
        await world.sessions.are(3)


async def test_entries_that_are_too_late_are_no_silence() -> None:
    async with a_live_world() as world:
        for second in range(60):
            await world.say(entry(second - 45), at=second)

        read = await world.read(0, 60)

    assert set(requests(read)) == {(None, None)}
    assert "late: " in (read.problem or "")


async def test_a_dead_endpoint_is_a_problem(silent_port: socket) -> None:
    stream = LogStream(f"http://127.0.0.1:{silent_port.getsockname()[1]}", PROJECT, HeldClock(after(60)))

    read = await stream.buckets(API, API_SIDES, since=NOON, until=after(60))

    await stream.close()
    assert (read.problem or "").startswith("unreachable: ")
    assert set(requests(read)) == {(None, None)}


async def test_a_target_without_a_project_is_a_problem() -> None:
    stream = LogStream("http://127.0.0.1:9", "", HeldClock(after(60)))

    read = await stream.buckets(API, API_SIDES, since=NOON, until=after(25))

    assert requests(read) == [(None, None), (None, None)]
    assert "GOOGLE_CLOUD_PROJECT" in (read.problem or "")


def test_a_wrong_endpoint_is_refused_when_the_adapter_is_built() -> None:
    with pytest.raises(ValueError, match="CLOUD_LOGGING_ENDPOINT"):
        LogStream("http://logging.example.com:80", PROJECT, HeldClock())


async def test_endpoints_are_told_apart_without_query_and_ids() -> None:
    paths = ["/api/chat?q=1", "/api/chat", "/api/users/42", "/api/users/43/turns/0a1b2c3d", "/health"]
    entries = [entry(n, 500 if "chat" in path else 200, path=path) for n, path in enumerate(paths)]

    async with a_world(holding(*entries)) as world:
        assert API_SIDES.canary is not None
        found = await world.stream.endpoints(API, API_SIDES.canary, since=NOON, until=after(10))

    assert found is not None
    assert {name: (t.requests, t.errors) for name, t in found.items()} == {
        "GET /api/chat": (2, 2),
        "GET /api/users/{id}": (1, 0),
        "GET /api/users/{id}/turns/{id}": (1, 0),
        "GET /health": (1, 0),
    }
    assert next(iter(found)) == "GET /api/chat"


async def test_endpoints_of_a_log_that_cannot_be_read_are_unknown() -> None:
    async with a_world(lambda _: Code.PERMISSION_DENIED) as world:
        found = await world.stream.endpoints(API, API_SIDES.stable, since=NOON, until=after(10))

    assert found is None


class Following:
    """What a watch of one target does: it reads on from where the last read ended."""

    def __init__(self, stream: LogStream, target: Target, sides: Sides, *, since: datetime) -> None:
        self._stream, self._target, self._sides, self._since = stream, target, sides, since
        self.reads: list[BucketsRead] = []

    async def until(self, ends: Callable[[], bool]) -> None:
        while not ends():
            await asyncio.sleep(0.3)
            now = datetime.now(UTC)
            read = await self._stream.buckets(self._target, self._sides, since=self._since, until=now)
            assert read.problem is None
            self.reads.append(read)
            self._since = read.buckets[-1].until if read.buckets else self._since

    def was_live(self) -> bool:
        return any(read.live and read.buckets for read in self.reads)

    def has_read(self, moment: datetime) -> bool:
        return self._since >= moment

    @property
    def buckets(self) -> list[Bucket]:
        return [bucket for read in self.reads for bucket in read.buckets]

    @property
    def tallies(self) -> list[Tally]:
        return [side for bucket in self.buckets for side in (bucket.canary, bucket.stable) if side]


async def until_tailed(cloud: SandboxCloud, *, times: int) -> None:
    """Wait until so many sessions were opened."""
    while [call.method for call in cloud.calls].count("TailLogEntries") < times:  # noqa: ASYNC110
        await asyncio.sleep(0.05)


async def until_all_are_answered(cloud: SandboxCloud) -> None:
    """Let no more users come, and wait until the last of them have their answers."""
    for entrance in (API_SERVICE, CHAT_ROUTER):
        cloud.load(entrance, 0)
    while not cloud.is_quiet:  # noqa: ASYNC110
        await asyncio.sleep(0.05)


async def test_a_stream_that_breaks_loses_nothing_and_doubles_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # A process that stands still for seconds, service and all, would have entries come late indeed.
    monkeypatch.setattr("bot.adapters.log_lag.LEAST_LAG_SECONDS", 8.0)
    behaviour = Behaviour(settle_seconds=0.05, log_lag_seconds=0.3, tail_repeats=True)
    cloud = SandboxCloud(requests_per_second=0, behaviour=behaviour)
    await cloud.start()
    cloud.set_fault(API_SERVICE, Fault.DOWN, True)
    stream = LogStream(f"http://{cloud.grpc_address}", PROJECT, lambda: datetime.now(UTC))
    began = datetime.fromtimestamp(datetime.now(UTC).timestamp() // 10 * 10, UTC)
    api = Following(stream, API, API_SIDES, since=began)
    chat = Following(stream, CHAT, CHAT_SIDES, since=began)

    cloud.load(API_SERVICE, 40)
    cloud.load(CHAT_ROUTER, 20)
    async with asyncio.timeout(300):
        await asyncio.gather(api.until(api.was_live), chat.until(chat.was_live))
        behaviour.tail_drops_after_seconds = 3.0
        await until_tailed(cloud, times=3)
        await until_all_are_answered(cloud)
        last = datetime.now(UTC)
        await asyncio.gather(api.until(partial(api.has_read, last)), chat.until(partial(chat.has_read, last)))
    await stream.close()
    await cloud.stop()

    for one, entrance in ((api, API_SERVICE), (chat, CHAT_ROUTER)):
        assert [b.since for b in one.buckets] == [began + BUCKET * n for n in range(len(one.buckets))]
        assert len(one.tallies) == 2 * len(one.buckets)
        answers = cloud.answers(entrance)
        assert sum(t.requests for t in one.tallies) == sum(n for (_, s), n in answers.items() if s)
        assert sum(t.errors for t in one.tallies) == sum(n for (_, s), n in answers.items() if s >= 500)
        assert sum(read.late for read in one.reads) == 0
        assert {read.live for read in one.reads if read.buckets} == {True, False}
    assert sum(read.twice for read in api.reads) > 0


async def test_who_waited_behind_a_listing_that_failed_does_not_try_it_too() -> None:
    async with a_world(lambda _: Code.INTERNAL) as world:
        reads = await asyncio.gather(*(world.read(0, 60) for _ in range(20)))

    assert {read.problem for read in reads} == {"other: Google's sentence"}
    assert len(world.google.requests) == 1


async def test_a_listing_that_takes_too_long_is_a_problem_and_its_whole_buckets_are_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    limits: list[asyncio.Timeout] = []
    timeout, of_a_listing = asyncio.timeout, PATIENCE_SECONDS + 1

    def noted(seconds: float | None) -> asyncio.Timeout:
        # Whoever follows the log sets limits too.
        limit = timeout(seconds)
        if seconds == of_a_listing:
            limits.append(limit)
        return limit

    monkeypatch.setattr("bot.adapters.log_lister.LIST_SECONDS", of_a_listing)
    monkeypatch.setattr("bot.adapters.log_lister.asyncio.timeout", noted)

    async def script(request: Any) -> ListLogEntriesResponse:
        if request.page_token:
            # The first page has been taken in: now its time is over.
            limits[-1].reschedule(asyncio.get_running_loop().time())
            await asyncio.sleep(30)
        return ListLogEntriesResponse(entries=[entry(1), entry(11)], next_page_token="more")

    async with a_world(script) as world:
        early = await world.read(0, 26)
        late = await world.read(0, 60)

    assert (requests(early), early.problem) == ([(1, 0)], "unreachable: Google did not answer in time")
    assert requests(late) == [(1, 0), (None, None), (None, None)]
