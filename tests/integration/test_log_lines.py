"""The guide's log filters against the sandbox's cloud and against a scripted one."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.api.monitored_resource_pb2 import MonitoredResource
from google.cloud.logging_v2.types import ListLogEntriesResponse, LogEntry
from google.logging.type.http_request_pb2 import HttpRequest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.struct_pb2 import Struct
from grpc import StatusCode as Code

from bot.adapters.cloud_logging import CloudLogging
from bot.adapters.log_lines import LONGEST_MESSAGE
from bot.domain.ids import RevisionName, ServiceName
from bot.domain.log_lines import LogLines, canary_filter
from bot.domain.traffic import SideAddress, Sides
from bot.sandbox.cloud import Behaviour, Fault, SandboxCloud
from bot.sandbox.names import API_CANARY, API_SERVICE, API_STABLE, CHAT_CANARY_SERVICE, CHAT_SERVICE, PROJECT
from tests.guide import a_scenario
from tests.integration.scripted_google import Script, scripted_google
from tests.unit.adapters.targets import revisions_target

TARGET = revisions_target(service=API_SERVICE, project="")
SPLIT = Sides(
    stable=SideAddress(service=ServiceName(API_SERVICE), revision=RevisionName(API_STABLE)),
    canary=SideAddress(service=ServiceName(API_SERVICE), revision=RevisionName(API_CANARY)),
)
TWO = Sides(
    stable=SideAddress(service=ServiceName(CHAT_SERVICE)),
    canary=SideAddress(service=ServiceName(CHAT_CANARY_SERVICE)),
)
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)

pytestmark = pytest.mark.usefixtures("patient_with_google")


def guides_filter(scenario: str, action: str) -> tuple[str, int]:
    found = next(a for a in a_scenario(scenario).actions if a.key == action)
    return found.filter or "", found.limit


@pytest.fixture(scope="module")
async def google() -> AsyncIterator[SandboxCloud]:
    behaviour = Behaviour(settle_seconds=0.05, log_lag_seconds=0.05)
    cloud = SandboxCloud(requests_per_second=60, behaviour=behaviour)
    await cloud.start()
    yield cloud
    await cloud.stop()


@pytest.fixture
async def log(google: SandboxCloud) -> AsyncIterator[CloudLogging]:
    google.reset()
    adapter = CloudLogging(f"http://{google.grpc_address}", PROJECT)
    yield adapter
    await adapter.close()


async def found(log: CloudLogging, sides: Sides, scenario: str, action: str) -> LogLines:
    written, limit = guides_filter(scenario, action)
    now = datetime.now(UTC)
    return await log.entries(
        TARGET,
        canary_filter(written, sides.canary, sides),
        limit=limit,
        since=now - timedelta(hours=1),
        until=now + timedelta(seconds=1),
    )


async def until(look: Callable[[], Any], *, saying: str = "") -> LogLines:
    async with asyncio.timeout(60):
        while True:
            lines: LogLines = await look()
            if lines.problem or any(saying in line.message for line in lines.lines):
                return lines
            await asyncio.sleep(0.1)


async def test_a_healthy_service_has_no_slow_requests(google: SandboxCloud, log: CloudLogging) -> None:
    lines = await found(log, SPLIT, "response_time", "slow_requests")

    assert (lines.lines, lines.problem, lines.more) == ((), None, False)


async def test_the_guides_filter_finds_slow_requests_at_most_ten(
    google: SandboxCloud, log: CloudLogging
) -> None:
    google.set_fault(API_SERVICE, Fault.SLOW, True)

    lines = await until(lambda: found(log, SPLIT, "response_time", "slow_requests"))

    assert lines.problem is None
    assert 1 <= len(lines.lines) <= 10
    assert {(line.service, line.revision) for line in lines.lines} == {(API_SERVICE, API_CANARY)}
    assert all(line.message.startswith("slow request: /api/") for line in lines.lines)
    latencies = [float(line.detail.partition("latency_ms=")[2].partition(",")[0]) for line in lines.lines]
    assert min(latencies) > 500


async def test_the_guides_other_filter_finds_the_canary_services_own_log(
    google: SandboxCloud, log: CloudLogging
) -> None:
    google.set_fault(CHAT_CANARY_SERVICE, Fault.DOWN, True)

    lines = await until(lambda: found(log, TWO, "service_down", "logs"), saying="malformed")

    assert {line.service for line in lines.lines} == {CHAT_CANARY_SERVICE}
    assert any("503" in line.detail for line in lines.lines)
    assert [line.at for line in lines.lines] == sorted((line.at for line in lines.lines), reverse=True)


async def test_a_revisions_log_is_that_revisions_only(google: SandboxCloud, log: CloudLogging) -> None:
    lines = await until(lambda: found(log, SPLIT, "service_down", "logs"))

    assert {line.revision for line in lines.lines} == {API_CANARY}


async def test_a_filter_google_does_not_understand_is_a_problem_in_words(
    google: SandboxCloud, log: CloudLogging
) -> None:
    lines = await log.entries(TARGET, "no such = = thing", limit=5, since=NOON, until=NOON)

    assert lines.lines == ()
    assert lines.problem is not None
    assert lines.problem.startswith("invalid: ")


# Against a scripted Google.


async def asked(script: Script, *, limit: int = 10) -> tuple[LogLines, list[Any]]:
    async with scripted_google(script) as google:
        log = CloudLogging(f"http://{google.address}", PROJECT)
        since = NOON - timedelta(hours=1)
        lines = await log.entries(TARGET, "severity=ERROR", limit=limit, since=since, until=NOON)
        await log.close()
        return lines, google.requests


def entry(**more: Any) -> LogEntry:
    resource = MonitoredResource(labels={"service_name": "ion-api", "revision_name": "ion-api-00042-lee"})
    return LogEntry(resource=resource, timestamp=NOON, **more)


def payload(**values: Any) -> Struct:
    struct = Struct()
    struct.update(values)
    return struct


def pages(*contents: list[LogEntry]) -> Script:
    def script(request: Any) -> ListLogEntriesResponse:
        number = int(request.page_token or 0)
        more = str(number + 1) if number + 1 < len(contents) else ""
        return ListLogEntriesResponse(entries=contents[number], next_page_token=more)

    return script


async def test_the_call_asks_for_the_window_newest_first() -> None:
    _, (request,) = await asked(pages([]))

    assert request.filter == (
        'severity=ERROR AND timestamp>="2026-11-23T11:00:00.000000Z" '
        'AND timestamp<"2026-11-23T12:00:00.000000Z"'
    )
    assert (request.order_by, request.page_size) == ("timestamp desc", 11)
    assert list(request.resource_names) == [f"projects/{PROJECT}"]


@pytest.mark.parametrize(("count", "shown", "more"), [(0, 0, False), (10, 10, False), (11, 10, True)])
async def test_no_more_than_the_limit_is_kept_and_it_is_said_that_there_are_more(
    count: int, shown: int, more: bool
) -> None:
    lines, _ = await asked(pages([], [entry(text_payload="x")] * count))

    assert (len(lines.lines), lines.more) == (shown, more)


async def test_text_json_and_requests_are_told_in_their_own_words() -> None:
    request = HttpRequest(
        request_method="GET",
        request_url="https://host/api/chat?q=1",
        status=503,
        latency=Duration(nanos=812_000_000),
    )
    lines, _ = await asked(
        pages(
            [
                entry(text_payload="Traceback …", severity=500),
                entry(json_payload=payload(message="slow request", latency_ms=812.5, path="/api/chat")),
                entry(json_payload=payload(what={"deep": [1]})),
                entry(http_request=request),
                entry(http_request=request, text_payload="The request failed"),
                entry(),
                entry(text_payload="y" * 3000),
                entry(text_payload="Traceback:\n" + "  File …\n" * 300 + "KeyError: 'turn_id'"),
            ]
        )
    )

    said = [(line.severity, line.message, line.detail) for line in lines.lines]
    assert said[0] == ("ERROR", "Traceback …", "")
    assert said[1][:2] == ("DEFAULT", "slow request")
    assert set(said[1][2].split(", ")) == {"latency_ms=812.5", "path=/api/chat"}
    assert said[2][1] == 'what={"deep": [1.0]}'
    assert said[3][1:] == ("GET /api/chat → 503", "812 ms")
    assert said[4][1:] == ("The request failed", "GET /api/chat → 503, 812 ms")
    assert said[5][1] == "(no text)"
    assert len(said[6][1]) == len(said[7][1]) == LONGEST_MESSAGE
    assert said[7][1].startswith("Traceback:")
    assert said[7][1].endswith("KeyError: 'turn_id'")
    assert lines.lines[0].at == NOON


def a_request(url: str) -> HttpRequest:
    return HttpRequest(request_method="POST", request_url=url, status=500)


@pytest.mark.parametrize(
    ("told", "endpoint"),
    [
        ({"http_request": a_request("https://host/api/session/4711?token=x")}, "POST /api/session/{id}"),
        ({"json_payload": payload(message="slow", path="/api/chat?turn=1")}, "/api/chat"),
        ({"json_payload": payload(path="/api/chat", method="post")}, "POST /api/chat"),
        ({"json_payload": payload(endpoint="GET /api/session/4711")}, "GET /api/session/{id}"),
        ({"json_payload": payload(url="https://host/api/chat?q=1", http_method="PUT")}, "PUT /api/chat"),
        ({"json_payload": payload(path=7, url="/api/chat")}, "/api/chat"),
        ({"json_payload": payload(path="/api/chat", method="ask")}, "/api/chat"),
        ({"json_payload": payload(message="ready")}, ""),
        ({"json_payload": payload(endpoint="the recommender")}, ""),
        ({"text_payload": "GET /api/chat failed"}, ""),
        ({"http_request": HttpRequest(status=500)}, ""),
    ],
)
async def test_a_line_says_which_endpoint_it_is_about(told: dict[str, Any], endpoint: str) -> None:
    lines, _ = await asked(pages([entry(**told)]))

    assert lines.lines[0].endpoint == endpoint


async def test_a_line_says_its_requests_trace() -> None:
    traced = entry(text_payload="x", trace=f"projects/{PROJECT}/traces/06796866738c859f2f19b7cfb3214824")

    lines, _ = await asked(pages([traced, entry(text_payload="y")]))

    assert [line.trace for line in lines.lines] == ["06796866738c859f2f19b7cfb3214824", ""]


async def test_an_applications_line_is_of_the_same_endpoint_and_trace_as_its_request(
    google: SandboxCloud, log: CloudLogging
) -> None:
    google.set_fault(API_SERVICE, Fault.SLOW, True)
    since = datetime.now(UTC) - timedelta(minutes=1)
    canary = f'resource.labels.revision_name="{API_CANARY}"'

    async def read(more: str) -> LogLines:
        until = datetime.now(UTC) + timedelta(seconds=1)
        return await log.entries(TARGET, f"{canary} AND {more}", limit=1000, since=since, until=until)

    written = (await until(lambda: read("logName:stderr"))).lines[-1]
    await until(lambda: read(f'httpRequest.status:* AND trace:"{written.trace}"'))
    (request,) = (await read(f'httpRequest.status:* AND trace:"{written.trace}"')).lines

    assert written.trace
    assert (written.endpoint, written.trace) == (request.endpoint, request.trace)
    assert written.endpoint.startswith("GET /api/")


async def test_a_refusal_is_a_problem_and_no_exception() -> None:
    lines, _ = await asked(lambda request: Code.PERMISSION_DENIED)

    assert lines.lines == ()
    assert (lines.problem or "").startswith("permission: ")
