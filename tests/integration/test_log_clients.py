"""Clients of a side: counted in the request log, held against what the sandbox's service itself counted."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from google.api.monitored_resource_pb2 import MonitoredResource
from google.cloud.logging_v2.types import ListLogEntriesResponse, LogEntry
from google.logging.type.http_request_pb2 import HttpRequest
from grpc import StatusCode as Code

from bot.adapters.cloud_logging import CloudLogging
from bot.adapters.probe import AGENT
from bot.adapters.request_log import MOST_ENTRIES, PAGE_SIZE
from bot.domain.first_reading import Clients
from bot.domain.traffic import SideAddress
from bot.sandbox.cloud import Behaviour, Fault, SandboxCloud
from bot.sandbox.cloud.http_client import HttpClient
from bot.sandbox.cloud.http_messages import FORWARDED_HEADER
from bot.sandbox.cloud.http_messages import HttpRequest as Asked
from bot.sandbox.names import API_CANARY, API_SERVICE, API_STABLE, PROJECT
from tests.integration.sandbox_targets import API, API_SIDES, CHAT, CHAT_SIDES
from tests.integration.scripted_google import Script, scripted_google

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
CANARY = API_SIDES.canary or API_SIDES.stable

pytestmark = pytest.mark.usefixtures("patient_with_google")


@pytest.fixture
async def sandbox() -> AsyncIterator[SandboxCloud]:
    cloud = SandboxCloud(requests_per_second=0, behaviour=Behaviour(log_lag_seconds=0.0))
    await cloud.start()
    yield cloud
    await cloud.stop()


@pytest.fixture
async def log(sandbox: SandboxCloud) -> AsyncIterator[CloudLogging]:
    adapter = CloudLogging(f"http://{sandbox.grpc_address}", PROJECT)
    yield adapter
    await adapter.close()


async def users_ask(sandbox: SandboxCloud, *, network: str, until: Callable[[], bool]) -> None:
    """Let fifty users of a network (three numbers of an address) ask ion-api over and over until it holds.

    All have been answered then.
    """
    users, port = HttpClient("127.0.0.1"), httpx.URL(sandbox.uris[API_SERVICE]).port or 0

    async def ask(number: int) -> None:
        who = {FORWARDED_HEADER: f"{network}.{number}", "user-agent": "ion-app/4.0"}
        request = Asked(method="GET", path="/api/chat", headers=who)
        await users.send(request, port=port, timeout_seconds=60)

    while not until():
        await asyncio.gather(*(ask(number) for number in range(1, 51)))
    users.close()


@pytest.mark.parametrize(("side", "revision"), [(API_SIDES.stable, API_STABLE), (CANARY, API_CANARY)])
async def test_clients_are_those_that_the_service_itself_counted(
    sandbox: SandboxCloud, log: CloudLogging, side: SideAddress, revision: str
) -> None:
    since = datetime.now(UTC)
    sandbox.set_fault(API_SERVICE, Fault.ERRORS, True, revision=revision)
    await users_ask(
        sandbox,
        network="203.0.113",
        until=lambda: sandbox.truth(API_SERVICE, revision, since=since).errors > 0,
    )
    until = datetime.now(UTC)

    found = await log.clients(API, side, since=since, until=until)

    truth = sandbox.truth(API_SERVICE, revision, since=since, until=until)
    assert truth.errors > 0
    assert found == Clients(seen=truth.clients, failed=truth.failing_clients)


async def test_who_came_before_or_after_the_window_is_not_counted(
    sandbox: SandboxCloud, log: CloudLogging
) -> None:
    def is_known(since: datetime) -> bool:
        return sandbox.truth(API_SERVICE, API_STABLE, since=since).clients > 0

    since = datetime.now(UTC)
    await users_ask(sandbox, network="203.0.113", until=lambda: is_known(since))
    half = datetime.now(UTC)
    await users_ask(sandbox, network="198.51.100", until=lambda: is_known(half))
    whole = await log.clients(API, API_SIDES.stable, since=since, until=datetime.now(UTC))

    found = await log.clients(API, API_SIDES.stable, since=since, until=half)

    truth = sandbox.truth(API_SERVICE, API_STABLE, since=since, until=half)
    assert found == Clients(seen=truth.clients, failed=0)
    assert whole is not None
    assert truth.clients < whole.seen
    assert await log.clients(API, CANARY, since=NOON, until=NOON) == Clients(seen=0, failed=0)


async def test_probes_of_our_own_are_no_clients(sandbox: SandboxCloud, log: CloudLogging) -> None:
    since = datetime.now(UTC) - timedelta(seconds=1)
    async with httpx.AsyncClient() as prober:
        for agent in (f"{AGENT}1.0", "ion-app/4.0"):
            await prober.get(sandbox.uris[API_SERVICE] + "/health", headers={"user-agent": agent})
    until = datetime.now(UTC) + timedelta(seconds=1)

    found = [await log.clients(API, side, since=since, until=until) for side in (CANARY, API_SIDES.stable)]

    assert sorted(each.seen for each in found if each is not None) == [0, 1]


async def test_behind_a_router_clients_are_not_known(sandbox: SandboxCloud, log: CloudLogging) -> None:
    until = datetime.now(UTC)
    since = until - timedelta(minutes=5)

    assert await log.clients(CHAT, CHAT_SIDES.stable, since=since, until=until) is None
    assert sandbox.calls == []


async def test_a_log_that_cannot_be_read_has_no_number(sandbox: SandboxCloud, log: CloudLogging) -> None:
    sandbox.fail("ListLogEntries", Code.PERMISSION_DENIED)

    assert await log.clients(API, CANARY, since=NOON, until=NOON) is None


# Against a scripted Google.


def entry(address: str, status: int = 200, *, revision: str = API_CANARY) -> LogEntry:
    return LogEntry(
        http_request=HttpRequest(status=status, remote_ip=address),
        resource=MonitoredResource(labels={"service_name": API_SERVICE, "revision_name": revision}),
    )


def in_pages(*contents: Iterable[LogEntry]) -> Script:
    def script(request: Any) -> ListLogEntriesResponse:
        number = int(request.page_token or 0)
        more = str(number + 1) if number + 1 < len(contents) else ""
        return ListLogEntriesResponse(entries=list(contents[number]), next_page_token=more)

    return script


async def asked(script: Script) -> tuple[Clients | None, list[Any]]:
    async with scripted_google(script) as google:
        log = CloudLogging(f"http://{google.address}", PROJECT)
        found = await log.clients(API, CANARY, since=NOON - timedelta(minutes=5), until=NOON)
        await log.close()
        return found, google.requests


@pytest.mark.parametrize(("status", "failed"), [(200, 0), (499, 0), (500, 1), (503, 1), (599, 1)])
async def test_a_client_failed_with_its_first_error(status: int, failed: int) -> None:
    found, _ = await asked(in_pages([entry("203.0.113.1"), entry("203.0.113.1", status)]))

    assert found == Clients(seen=1, failed=failed)


async def test_the_same_client_on_several_pages_is_one() -> None:
    pages = [
        [entry("203.0.113.1", 500), entry("203.0.113.2")],
        [],
        [entry("203.0.113.1"), entry("2001:db8::1")],
    ]

    found, _ = await asked(in_pages(*pages))

    assert found == Clients(seen=3, failed=1)


async def test_the_other_side_and_who_has_no_address_are_not_counted() -> None:
    other = entry("203.0.113.9", 500, revision=API_STABLE)

    found, _ = await asked(in_pages([entry("203.0.113.1"), other, entry("", 500)]))

    assert found == Clients(seen=1, failed=0)


@pytest.mark.parametrize(
    ("more", "truncated"), [(-1, False), (0, False), (1, True)], ids=["fewer", "as many", "one more"]
)
async def test_beyond_so_many_entries_it_is_said_that_there_are_more(more: int, truncated: bool) -> None:
    entries = [entry(f"2001:db8::{number:x}") for number in range(MOST_ENTRIES + more)]
    pages = [entries[start : start + PAGE_SIZE] for start in range(0, len(entries), PAGE_SIZE)]

    found, _ = await asked(in_pages(*pages))

    assert found == Clients(seen=min(len(entries), MOST_ENTRIES), failed=0, truncated=truncated)


async def test_the_question_is_for_the_sides_own_requests_and_leaves_our_probes_out() -> None:
    _, (request,) = await asked(in_pages([]))

    assert f'resource.labels.revision_name="{API_CANARY}"' in request.filter
    assert f'NOT httpRequest.userAgent:"{AGENT}"' in request.filter
    assert (
        'timestamp>="2026-11-23T11:55:00.000000Z" AND timestamp<"2026-11-23T12:00:00.000000Z"'
        in request.filter
    )
    assert "requests" in request.filter
