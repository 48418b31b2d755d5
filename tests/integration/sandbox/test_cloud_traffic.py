"""The sandbox's traffic is real: who answers, how fast, how badly, and what the page shows of it."""

import asyncio
import contextlib
import gc
import time
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import httpx
import psutil
import pytest

from bot.sandbox.cloud import Fault
from bot.sandbox.cloud.http_messages import HttpRequest, HttpResponse
from bot.sandbox.names import (
    API_CANARY,
    API_SERVICE,
    API_STABLE,
    CHAT_CANARY_SERVICE,
    CHAT_ROUTER,
    CHAT_SERVICE,
    PROJECT,
)
from tests.integration.sandbox.google_clients import (
    PATIENCE_SECONDS,
    Answers,
    Google,
    eventually,
    line,
    running_cloud,
)

BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)
CHAT_STABLE_REVISION = "ion-chat-00017-pol"
CHAT_CANARY_REVISION = "ion-chat-canary-00003-tam"


@pytest.fixture
async def google() -> AsyncIterator[Google]:
    async with running_cloud() as running:
        yield running


@pytest.fixture
async def users() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(limits=httpx.Limits(max_connections=40), timeout=PATIENCE_SECONDS) as client:
        yield client


async def ask(users: httpx.AsyncClient, url: str, *, times: int) -> list[httpx.Response]:
    return list(await asyncio.gather(*(users.get(url) for _ in range(times))))


async def users_at(google: Google, service: str, *, times: int) -> Answers:
    """Return what so many requests were answered, by (revision, status)."""
    return await google.asked(service, times=times, per_second=200)


class Held:
    """An application that takes a request and answers when it is told to."""

    def __init__(self) -> None:
        self.arrived, self.may_answer = asyncio.Event(), asyncio.Event()

    async def __call__(self, request: HttpRequest) -> HttpResponse:
        self.arrived.set()
        await self.may_answer.wait()
        return HttpResponse(status=200)

    @classmethod
    def at(cls, google: Google, *revisions: str) -> "Held":
        """Put one into revisions of ion-api."""
        held = cls()
        for revision in revisions:
            google.cloud._world.container(API_SERVICE, revision).app = held
        return held


def by_revision(answers: list[httpx.Response]) -> Counter[str]:
    return Counter(answer.headers["x-revision"] for answer in answers)


async def test_requests_are_split_by_the_observed_traffic(google: Google) -> None:
    answers = await users_at(google, API_SERVICE, times=300)

    assert {status for _, status in answers} == {200}
    assert 0.013 < answers[API_CANARY, 200] / answers.total() < 0.187  # 10 % of 300, five standard deviations


async def test_the_split_follows_when_the_change_settles_not_when_it_is_accepted(
    google: Google, users: httpx.AsyncClient
) -> None:
    google.cloud.behaviour.never_settle = True
    await google.route(API_SERVICE, line(API_CANARY, 100))

    before = await ask(users, google.cloud.uris[API_SERVICE] + "/health", times=20)
    google.cloud.behaviour.never_settle = False
    await google.settled(API_SERVICE)
    after = await ask(users, google.cloud.uris[API_SERVICE] + "/health", times=20)

    assert by_revision(before)[API_STABLE] > 5  # 90 % of 20
    assert by_revision(after) == {API_CANARY: 20}


async def test_a_request_in_flight_ends_where_it_began(google: Google, users: httpx.AsyncClient) -> None:
    google.cloud.behaviour.settle_seconds = 0.05
    await google.route(API_SERVICE, line(API_CANARY, 100))
    await google.settled(API_SERVICE)
    held = Held.at(google, API_CANARY)

    in_flight = asyncio.create_task(users.get(google.cloud.uris[API_SERVICE] + "/api/chat"))
    await held.arrived.wait()
    await google.route(API_SERVICE, line(API_STABLE, 100))
    await google.settled(API_SERVICE)

    assert not in_flight.done()
    held.may_answer.set()
    answer = await in_flight
    assert (answer.status_code, answer.headers["x-revision"]) == (200, API_CANARY)


async def test_a_tag_reaches_its_revision_at_zero_percent_and_nothing_once_dropped(
    google: Google, users: httpx.AsyncClient
) -> None:
    await google.route(API_SERVICE, line(API_STABLE, 100), line(API_CANARY, 0, "canary"))
    tag = (await google.settled(API_SERVICE)).traffic_statuses[1].uri

    answer = await users.get(tag + "/health")
    await google.route(API_SERVICE, line(API_STABLE, 100))
    await google.settled(API_SERVICE)
    gone = await users.get(tag + "/health")

    assert answer.json() == {"health": "healthy", "service": API_SERVICE, "revision": API_CANARY}
    assert gone.status_code == 404


async def test_a_revision_that_is_down_answers_nothing_and_the_ingress_says_503(
    google: Google, users: httpx.AsyncClient
) -> None:
    service = await google.read(API_SERVICE)
    tag = service.traffic_statuses[1].uri

    google.cloud.set_fault(API_SERVICE, Fault.DOWN, on=True)
    down = await users.get(tag + "/health")
    google.cloud.set_fault(API_SERVICE, Fault.DOWN, on=False)
    up = await users.get(tag + "/health")

    assert (down.status_code, up.status_code) == (503, 200)
    assert "x-revision" not in down.headers


async def test_going_down_cuts_requests_in_flight(google: Google, users: httpx.AsyncClient) -> None:
    held = Held.at(google, API_STABLE, API_CANARY)
    in_flight = asyncio.create_task(users.get(google.cloud.uris[API_SERVICE] + "/api/chat"))
    await held.arrived.wait()

    google.cloud.set_fault(API_SERVICE, Fault.DOWN, on=True, revision=API_STABLE)
    google.cloud.set_fault(API_SERVICE, Fault.DOWN, on=True, revision=API_CANARY)

    assert (await in_flight).status_code == 503


async def test_errors_are_five_percent_of_the_application_and_none_of_the_health_check(
    google: Google, users: httpx.AsyncClient
) -> None:
    google.cloud.set_fault(CHAT_SERVICE, Fault.ERRORS, on=True)

    answers = await users_at(google, CHAT_SERVICE, times=300)
    health = await ask(users, google.cloud.uris[CHAT_SERVICE] + "/health", times=20)

    assert answers[CHAT_STABLE_REVISION, 500] == answers.total() // 20
    assert {answer.status_code for answer in health} == {200}


async def test_slow_takes_p95_from_150_to_800_ms(google: Google) -> None:
    async def p95() -> float:
        """Return what the application itself took; a busy machine adds to what its users felt."""
        # Whatever fails leaves a line that says how long it took.
        google.cloud.behaviour.baseline_error_ratio = 1.0
        await users_at(google, CHAT_SERVICE, times=200)
        request = {"resource_names": [f"projects/{PROJECT}"], "filter": "logName:stderr AND severity=ERROR"}
        lines = [one async for one in await google.logging.list_log_entries(request)]
        ordered = sorted(one.json_payload["latency_ms"] for one in lines)
        took = float(ordered[-(-len(ordered) * 95 // 100) - 1])
        assert (google.cloud.truth(CHAT_SERVICE, since=BEGINNING).percentile_ms(95) or 0) >= took
        return took

    healthy = await p95()
    google.cloud.reset()
    google.cloud.set_fault(CHAT_SERVICE, Fault.SLOW, on=True)
    slow = await p95()

    assert 100 < healthy <= 180
    assert 530 < slow <= 960


async def test_the_router_sends_the_share_its_variable_names(
    google: Google, users: httpx.AsyncClient
) -> None:
    service = await google.read(CHAT_ROUTER)
    service.template.containers[0].env[0].value = "100"
    service.template.revision = ""

    before = await users_at(google, CHAT_ROUTER, times=150)
    await google.update(service, "template.containers", "template.revision")
    await google.settled(CHAT_ROUTER)
    after = await users_at(google, CHAT_ROUTER, times=40)

    assert before[CHAT_STABLE_REVISION, 200] > 0.7 * before.total()
    assert set(after) == {(CHAT_CANARY_REVISION, 200)}


async def test_unknown_paths_and_broken_requests_get_honest_answers(
    google: Google, users: httpx.AsyncClient
) -> None:
    uri = google.cloud.uris[API_SERVICE]
    port = int(uri.rpartition(":")[2])

    assert (await users.get(uri + "/nowhere")).status_code == 404
    assert (await users.head(uri + "/health")).text == ""
    assert (await users.post(uri + "/api/chat", json={"turn": 1})).status_code == 200
    assert await _raw(port, b"nonsense\r\n\r\n") == b"HTTP/1.1 400 Bad Request"
    assert await _raw(port, b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n") == (
        b"HTTP/1.1 411 Length Required"
    )
    too_large = await _raw(port, b"POST / HTTP/1.1\r\ncontent-length: 9999999\r\n\r\n")
    assert too_large.startswith(b"HTTP/1.1 413 ")
    assert (await _raw(port, b"x" * 40_000)).startswith(b"HTTP/1.1 431 ")


async def _raw(port: int, request: bytes) -> bytes:
    """Return the status line for bytes sent as they are."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(request)
        return (await asyncio.wait_for(reader.readline(), PATIENCE_SECONDS)).strip()
    finally:
        writer.close()
        # Whoever hangs up with something unread resets the connection.
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def test_two_requests_on_one_connection_are_answered_in_order(google: Google) -> None:
    port = int(google.cloud.uris[API_SERVICE].rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)

    writer.write(b"GET /health HTTP/1.1\r\n\r\nGET /nowhere HTTP/1.1\r\nconnection: close\r\n\r\n")
    answer = await asyncio.wait_for(reader.read(), PATIENCE_SECONDS)
    writer.close()
    await writer.wait_closed()

    assert answer.index(b"200 OK") < answer.index(b"404 Not Found")


def has_seen(google: Google, answer: tuple[str, int], times: int) -> bool:
    return google.cloud.answers(API_SERVICE).get(answer, 0) >= times


async def test_the_snapshot_shows_traffic_rates_and_faults(google: Google) -> None:
    google.cloud.load(API_SERVICE, 60)
    google.cloud.set_fault(API_SERVICE, Fault.DOWN, on=True)
    google.cloud.behaviour.never_settle = True
    await eventually(lambda: has_seen(google, ("", 503), 1) and has_seen(google, (API_STABLE, 200), 30))
    await google.route(API_SERVICE, line(API_STABLE, 100))

    shown = {one["name"]: one for one in google.cloud.snapshot()["services"]}

    api = shown[API_SERVICE]
    assert (api["topology"], api["role"], api["can_fail"]) == ("revisions", "revisions", True)
    assert api["traffic"] == [{"name": API_STABLE, "percent": 90}, {"name": API_CANARY, "percent": 10}]
    assert api["wanted"] == [{"name": API_STABLE, "percent": 100}]
    assert api["reconciling"]
    assert {name for name, on in api["faults"].items() if on} == {"down"}
    assert api["faults"].keys() == set(Fault)
    stable, canary = api["revisions"]
    assert (stable["error_percent"], canary["error_percent"]) == (0.0, 100.0)
    assert stable["requests_per_second"] > canary["requests_per_second"] > 0
    assert stable["p95_ms"] > 40
    roles = {name: (one["role"], one["can_fail"]) for name, one in shown.items()}
    assert roles[CHAT_SERVICE] == ("stable", False)
    assert roles[CHAT_CANARY_SERVICE] == ("canary", True)
    assert roles[CHAT_ROUTER] == ("router", False)
    assert shown[CHAT_ROUTER]["wanted"] == [{"name": "LATEST", "percent": 100}]


async def test_a_reset_clears_faults_and_closes_later_revisions(
    google: Google, users: httpx.AsyncClient
) -> None:
    google.cloud.set_fault(API_SERVICE, Fault.DOWN, on=True, revision=API_STABLE)
    await google.cloud.deploy(API_SERVICE, percent=100)
    await google.settled(API_SERVICE)

    google.cloud.reset()

    answers = await ask(users, google.cloud.uris[API_SERVICE] + "/health", times=20)
    assert set(by_revision(answers)) <= {API_STABLE, API_CANARY}
    assert {answer.status_code for answer in answers} == {200}


def ports_we_listen_on() -> set[int]:
    """Return this process's own: another one may have taken a port that we gave back."""
    connections = psutil.Process().net_connections(kind="tcp")
    return {one.laddr.port for one in connections if one.status == psutil.CONN_LISTEN}


async def test_nothing_listens_after_a_stop() -> None:
    tasks = asyncio.all_tasks()
    async with running_cloud(requests_per_second=20) as google:
        ports = {int(uri.rpartition(":")[2]) for uri in google.cloud.uris.values()}
        listened = ports_we_listen_on()

    assert ports <= listened
    assert not ports & ports_we_listen_on()
    await eventually(
        lambda: not any("sandbox" in repr(task.get_coro()) for task in asyncio.all_tasks() - tasks)
    )


async def test_the_default_load_takes_little_of_a_core() -> None:
    async with running_cloud(requests_per_second=20):
        await asyncio.sleep(0.3)
        # Cleaning up after a thousand other tests is not the load's fault.
        gc.disable()
        try:
            cpu, wall = time.process_time(), time.monotonic()
            await asyncio.sleep(2)
            share = (time.process_time() - cpu) / (time.monotonic() - wall)
        finally:
            gc.enable()

    assert share < 0.3  # measured 0.05; the rest is for a busy machine
