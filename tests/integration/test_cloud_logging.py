"""The request log adapter: every page, every fault, and never more than it says."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from socket import socket
from typing import Any

import pytest
from google.api.monitored_resource_pb2 import MonitoredResource
from google.cloud.logging_v2.types import ListLogEntriesResponse, LogEntry
from google.logging.type.http_request_pb2 import HttpRequest
from google.protobuf.duration_pb2 import Duration
from grpc import StatusCode as Code

from bot.adapters.cloud_logging import CloudLogging
from bot.adapters.log_reads import LogReads, ReadsOfProjects
from bot.adapters.request_log import MOST_ENTRIES, PAGE_SIZE
from bot.domain.ids import RevisionName, ServiceName
from bot.domain.readings import RequestCounts, Side
from bot.domain.traffic import SideAddress, Sides
from tests.integration.scripted_google import Script, ScriptedGoogle, scripted_google
from tests.unit.adapters.targets import PROJECT, revisions_target, services_target

API, CHAT, CHAT_CANARY = ServiceName("ion-api"), ServiceName("ion-chat"), ServiceName("ion-chat-canary")
STABLE, CANARY = RevisionName("ion-api-00041-kim"), RevisionName("ion-api-00042-lee")
SPLIT = Sides(
    stable=SideAddress(service=API, revision=STABLE), canary=SideAddress(service=API, revision=CANARY)
)
TWO_SERVICES = Sides(stable=SideAddress(service=CHAT), canary=SideAddress(service=CHAT_CANARY))
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)

pytestmark = pytest.mark.usefixtures("patient_with_google")
Counts = dict[Side, RequestCounts]


async def no_pause(seconds: float) -> None:
    """Let time be."""


def entry(status: int = 200, *, revision: str = CANARY, service: str = API) -> LogEntry:
    return LogEntry(
        http_request=HttpRequest(status=status, latency=Duration(nanos=120_000_000)),
        resource=MonitoredResource(labels={"service_name": service, "revision_name": revision}),
    )


def in_pages(*contents: Iterable[LogEntry]) -> Script:
    """Answer with one page after another, each but the last with a token."""

    def script(request: Any) -> ListLogEntriesResponse:
        number = int(request.page_token or 0)
        more = str(number + 1) if number + 1 < len(contents) else ""
        return ListLogEntriesResponse(entries=list(contents[number]), next_page_token=more)

    return script


@asynccontextmanager
async def asked(
    script: Script, sides: Sides = SPLIT, target: Any = None
) -> AsyncIterator[tuple[Counts, ScriptedGoogle]]:
    async with scripted_google(script) as google:
        reads = ReadsOfProjects(lambda: LogReads(pause=no_pause))
        log = CloudLogging(f"http://{google.address}", PROJECT, reads=reads)
        since = NOON - timedelta(seconds=30)
        counts = await log.count(target or revisions_target(), sides, since=since, until=NOON)
        yield counts, google
        await log.close()


async def test_both_revisions_are_counted_in_one_call() -> None:
    page = [entry(), entry(500), entry(404), *[entry(revision=STABLE)] * 5]

    async with asked(in_pages(page)) as (counts, google):
        assert len(google.requests) == 1

    canary, stable = counts[Side.CANARY], counts[Side.STABLE]
    assert (canary.requests, canary.errors, canary.latencies_ms) == (3, 1, (120.0, 120.0, 120.0))
    assert (stable.requests, stable.errors) == (5, 0)
    assert (canary.since, canary.until) == (NOON - timedelta(seconds=30), NOON)
    assert (canary.truncated, canary.problem) == (False, None)


async def test_the_call_is_one_google_accepts() -> None:
    async with asked(in_pages([])) as (_, google):
        (request,) = google.requests

    assert list(request.resource_names) == [f"projects/{PROJECT}"]
    assert (request.page_size, request.order_by) == (1000, "timestamp desc")
    assert 'timestamp>="2026-11-23T11:59:30.000000Z" AND timestamp<"2026-11-23T12:00:00.000000Z"' in (
        request.filter
    )


async def test_an_empty_log_is_zero_requests_without_a_problem() -> None:
    async with asked(in_pages([])) as (counts, _):
        pass

    assert {(c.requests, c.errors, c.latencies_ms, c.problem) for c in counts.values()} == {(0, 0, (), None)}


async def test_empty_pages_with_a_token_are_read_through() -> None:
    async with asked(in_pages([], [], [entry()], [], [entry(503)])) as (counts, google):
        assert [request.page_token for request in google.requests] == ["", "1", "2", "3", "4"]

    assert (counts[Side.CANARY].requests, counts[Side.CANARY].errors) == (2, 1)


async def test_two_services_are_counted_in_one_call() -> None:
    page = [entry(service=CHAT), entry(service=CHAT), entry(503, service=CHAT_CANARY), entry(service=API)]

    async with asked(in_pages(page), TWO_SERVICES, services_target()) as (counts, google):
        assert len(google.requests) == 1

    assert {side: (c.requests, c.errors) for side, c in counts.items()} == {
        Side.CANARY: (1, 1),
        Side.STABLE: (2, 0),
    }


async def test_without_a_canary_only_stable_is_counted() -> None:
    async with asked(in_pages([entry(revision=STABLE)]), Sides(stable=SPLIT.stable, canary=None)) as (
        counts,
        google,
    ):
        assert CANARY not in google.requests[0].filter

    assert list(counts) == [Side.STABLE]


async def test_a_flood_is_cut_off_and_says_so() -> None:
    page = [*[entry(revision=STABLE)] * 900, *[entry(500)] * 100]

    async with asked(in_pages(*[page] * 20)) as (counts, google):
        assert len(google.requests) == MOST_ENTRIES // PAGE_SIZE

    assert counts[Side.STABLE].requests + counts[Side.CANARY].requests == MOST_ENTRIES
    assert (counts[Side.STABLE].requests, counts[Side.CANARY].errors) == (4500, 500)
    assert counts[Side.STABLE].truncated
    assert counts[Side.CANARY].truncated


async def test_exactly_as_many_as_are_counted_are_not_cut_off() -> None:
    async with asked(in_pages(*[[entry()] * 1000] * 5)) as (counts, _):
        pass

    assert (counts[Side.CANARY].requests, counts[Side.CANARY].truncated) == (MOST_ENTRIES, False)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (Code.PERMISSION_DENIED, "permission"),
        (Code.RESOURCE_EXHAUSTED, "quota"),
        (Code.INVALID_ARGUMENT, "invalid"),
        (Code.UNAUTHENTICATED, "login"),
        (Code.NOT_FOUND, "not_found"),
        (Code.UNAVAILABLE, "unreachable"),
        (Code.INTERNAL, "other"),
    ],
)
async def test_every_fault_is_a_problem_and_never_an_exception(code: Code, kind: str) -> None:
    async with asked(lambda _: code) as (counts, _):
        pass

    assert {c.problem for c in counts.values()} == {f"{kind}: Google's sentence"}
    assert {c.requests for c in counts.values()} == {0}


async def test_a_read_that_google_refuses_for_now_is_asked_for_once_more() -> None:
    refusals = [Code.RESOURCE_EXHAUSTED]

    def script(request: Any) -> Any:
        return refusals.pop() if refusals else in_pages([entry()])(request)

    async with asked(script) as (counts, google):
        assert len(google.requests) == 2

    assert (counts[Side.CANARY].requests, counts[Side.CANARY].problem) == (1, None)


async def test_a_fault_on_a_later_page_takes_back_what_was_counted() -> None:
    def script(request: Any) -> Any:
        if request.page_token:
            return Code.RESOURCE_EXHAUSTED
        return ListLogEntriesResponse(entries=[entry()], next_page_token="1")

    async with asked(script) as (counts, _):
        pass

    assert (counts[Side.CANARY].requests, counts[Side.CANARY].latencies_ms) == (0, ())
    assert counts[Side.CANARY].problem is not None


async def test_a_page_is_asked_for_again_when_google_was_briefly_unavailable() -> None:
    script = failing_once(in_pages([entry()], [entry()]))

    async with asked(script) as (counts, google):
        assert len(google.requests) == 3

    assert (counts[Side.CANARY].requests, counts[Side.CANARY].problem) == (2, None)


def failing_once(script: Script) -> Callable[[Any], Any]:
    failures = [Code.UNAVAILABLE]
    return lambda request: failures.pop() if failures and request.page_token else script(request)


async def test_a_log_that_never_ends_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.adapters.cloud_logging.COUNT_SECONDS", 0.3)

    async def endless(request: Any) -> ListLogEntriesResponse:
        await asyncio.sleep(0.01)
        return ListLogEntriesResponse(next_page_token="again")

    async with asked(endless) as (counts, _):
        pass

    assert {c.problem for c in counts.values()} == {"unreachable: Google did not answer in time"}


async def test_a_dead_endpoint_is_a_problem(silent_port: socket) -> None:
    log = CloudLogging(f"http://127.0.0.1:{silent_port.getsockname()[1]}", PROJECT)

    counts = await log.count(revisions_target(), SPLIT, since=NOON - timedelta(seconds=30), until=NOON)

    assert all((c.problem or "").startswith("unreachable: ") for c in counts.values())
    await log.close()


async def test_a_target_without_a_project_is_a_problem() -> None:
    log = CloudLogging("http://127.0.0.1:9", "")

    counts = await log.count(revisions_target(project=""), SPLIT, since=NOON, until=NOON)

    assert all("GOOGLE_CLOUD_PROJECT" in (c.problem or "") for c in counts.values())


def test_a_wrong_endpoint_is_refused_when_the_adapter_is_built() -> None:
    with pytest.raises(ValueError, match="CLOUD_LOGGING_ENDPOINT"):
        CloudLogging("http://logging.example.com:80", PROJECT)
