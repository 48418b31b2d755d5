"""The sandbox's Cloud Logging holds what the traffic left behind, and refuses what Google refuses."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
import httpx
import pytest
from google.api_core import exceptions
from google.cloud.logging_v2.types import LogEntry, TailLogEntriesRequest, TailLogEntriesResponse

from bot.sandbox.cloud import Fault
from bot.sandbox.names import API_CANARY, API_SERVICE, API_STABLE, PROJECT
from tests.integration.sandbox.google_clients import (
    PATIENCE_SECONDS,
    Google,
    eventually,
    line,
    running_cloud,
)

REQUESTS = f'log_name="projects/{PROJECT}/logs/run.googleapis.com%2Frequests"'
RATE_LIMIT = TailLogEntriesResponse.SuppressionInfo.Reason.RATE_LIMIT


@pytest.fixture
async def google() -> AsyncIterator[Google]:
    async with running_cloud() as running:
        yield running


async def entries(google: Google, text: str = "", **changes: Any) -> list[LogEntry]:
    request = {"resource_names": [f"projects/{PROJECT}"], "filter": text, "page_size": 1000} | changes
    return [one async for one in await google.logging.list_log_entries(request)]


async def test_the_request_log_is_what_the_users_were_answered(google: Google) -> None:
    google.cloud.set_fault(API_SERVICE, Fault.ERRORS, on=True, revision=API_STABLE)
    began = time.monotonic()
    await google.asked(API_SERVICE)
    took = timedelta(seconds=time.monotonic() - began)

    logged = await entries(google, REQUESTS)

    counted = Counter((e.resource.labels["revision_name"], e.http_request.status) for e in logged)
    assert counted == google.cloud.answers(API_SERVICE)
    one = logged[0]
    assert one.http_request.request_method == "GET"
    assert one.http_request.request_url.startswith(google.cloud.uris[API_SERVICE] + "/api/")
    assert timedelta(milliseconds=30) < one.http_request.latency.ToTimedelta() < took
    assert one.receive_timestamp > one.timestamp
    assert dict(one.resource.labels) == {
        "project_id": PROJECT,
        "location": "us-central1",
        "service_name": API_SERVICE,
        "configuration_name": API_SERVICE,
        "revision_name": one.resource.labels["revision_name"],
    }
    assert len({e.insert_id for e in logged}) == len(logged)


async def test_failed_requests_leave_an_error_of_the_application_too(google: Google) -> None:
    google.cloud.behaviour.baseline_error_ratio = 1.0
    await google.asked(API_SERVICE, times=20)

    errors = await entries(google, "resource.type=cloud_run_revision AND severity=ERROR")

    by_log = Counter(e.log_name.rpartition("%2F")[2] for e in errors)
    assert by_log["requests"] == by_log["stderr"] > 10
    said = next(e for e in errors if e.log_name.endswith("stderr"))
    assert ":" in said.json_payload["message"]
    assert said.json_payload["latency_ms"] > 30
    assert said.trace in {e.trace for e in errors if e.log_name.endswith("requests")}


async def test_slow_requests_match_the_filter_of_the_guide(google: Google) -> None:
    assert await entries(google, "resource.type=cloud_run_revision AND jsonPayload.latency_ms > 500") == []

    google.cloud.set_fault(API_SERVICE, Fault.SLOW, on=True, revision=API_STABLE)
    await google.asked(API_SERVICE)

    slow = await entries(google, "resource.type=cloud_run_revision AND jsonPayload.latency_ms > 500")
    platform = await entries(google, 'httpRequest.latency>"0.5s"')
    assert slow
    assert {e.trace for e in slow} <= {e.trace for e in platform}


async def test_a_dead_canary_is_in_the_log_with_the_platforms_own_words(google: Google) -> None:
    google.cloud.set_fault(API_SERVICE, Fault.DOWN, on=True)
    await google.asked(API_SERVICE, times=1, until=lambda answers: answers["", 503] > 0)

    dead = await entries(google, f"{REQUESTS} AND httpRequest.status=503")

    assert {e.resource.labels["revision_name"] for e in dead} == {API_CANARY}
    assert "malformed or connection to the instance had an error" in dead[0].text_payload


async def test_a_request_to_a_tag_is_logged_under_the_tags_address(google: Google) -> None:
    tag = (await google.read(API_SERVICE)).traffic_statuses[1].uri

    async with httpx.AsyncClient(timeout=PATIENCE_SECONDS) as prober:
        await prober.get(tag + "/health", headers={"user-agent": "backout-probe"})

    (seen,) = await entries(google, "httpRequest.userAgent=backout-probe")
    assert seen.http_request.request_url == tag + "/health"
    assert seen.resource.labels["revision_name"] == API_CANARY


async def test_the_canarys_log_falls_silent_after_the_traffic_left(google: Google) -> None:
    google.cloud.load(API_SERVICE, 100)
    await eventually(lambda: (API_CANARY, 200) in google.cloud.answers(API_SERVICE))
    await google.route(API_SERVICE, line(API_STABLE, 100))
    settled = await google.settled(API_SERVICE)
    await google.asked(API_SERVICE)

    since = settled.terminal_condition.last_transition_time.isoformat()
    later = await entries(google, f'{REQUESTS} AND timestamp>="{since}"')

    assert {e.resource.labels["revision_name"] for e in later} == {API_STABLE}
    assert len(later) > 10


async def test_an_entry_is_read_only_after_the_lag(google: Google) -> None:
    google.cloud.behaviour.log_lag_seconds = 3000
    await google.asked(API_SERVICE, times=10)
    hidden = await entries(google)

    google.cloud.behaviour.log_lag_seconds = 0.5
    answers = await google.asked(API_SERVICE, times=10)
    async with asyncio.timeout(PATIENCE_SECONDS):
        while len(late := await entries(google)) < answers.total():  # noqa: ASYNC110
            await asyncio.sleep(0.1)

    assert hidden == []
    assert len(late) == answers.total()
    assert min(e.receive_timestamp - e.timestamp for e in late) > timedelta(seconds=0.5)


async def test_entries_come_in_time_order_and_in_pages(google: Google) -> None:
    await google.asked(API_SERVICE)

    ascending = await entries(google, REQUESTS)
    descending = await entries(google, REQUESTS, order_by="timestamp desc", page_size=7)
    pager = await google.logging.list_log_entries(
        {"resource_names": [f"projects/{PROJECT}"], "filter": REQUESTS}
    )
    first_page = await anext(aiter(pager.pages))

    assert [e.timestamp for e in ascending] == sorted(e.timestamp for e in ascending)
    assert [e.insert_id for e in descending] == [e.insert_id for e in ascending][::-1]
    assert len(first_page.entries) == min(50, len(ascending))


def more_answers_than(google: Google, known: int) -> Callable[[], bool]:
    return lambda: sum(google.cloud.answers(API_SERVICE).values()) > known


async def test_pages_do_not_shift_while_entries_arrive(google: Google) -> None:
    await google.asked(API_SERVICE)
    wanted = [e.insert_id for e in await entries(google, order_by="timestamp desc")]
    google.cloud.load(API_SERVICE, 100)

    request = {
        "resource_names": [f"projects/{PROJECT}"],
        "order_by": "timestamp desc",
        "page_size": 20,
    }
    seen = []
    async for page in (await google.logging.list_log_entries(request)).pages:
        seen += [e.insert_id for e in page.entries]
        await eventually(more_answers_than(google, sum(google.cloud.answers(API_SERVICE).values())))

    assert len(seen) == len(set(seen))
    assert [one for one in seen if one in set(wanted)] == wanted


async def test_an_empty_page_with_a_token_is_not_the_end(google: Google) -> None:
    google.cloud.behaviour.empty_log_page = True
    await google.asked(API_SERVICE, times=10)

    pager = await google.logging.list_log_entries({"resource_names": [f"projects/{PROJECT}"]})
    sizes = [len(page.entries) async for page in pager.pages]

    assert sizes[0] == 0
    assert sizes[1] > 0


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "a large page": ({"page_size": 1001}, "page_size"),
    "a negative page": ({"page_size": -1}, "page_size"),
    "another order": ({"order_by": "severity desc"}, "order_by"),
    "no resource": ({"resource_names": []}, "resource_names"),
    "a bad filter": ({"filter": "severity=LOUD"}, "not a severity"),
    "a bad token": ({"page_token": "next"}, "page_token"),
}


@pytest.mark.parametrize("case", REFUSED)
async def test_requests_that_google_refuses_are_refused(google: Google, case: str) -> None:
    changes, why = REFUSED[case]

    with pytest.raises(exceptions.InvalidArgument, match=why):
        await entries(google, **changes)


async def test_a_token_belongs_to_its_query(google: Google) -> None:
    google.cloud.behaviour.empty_log_page = True
    pager = await google.logging.list_log_entries({"resource_names": [f"projects/{PROJECT}"]})
    token = (await anext(aiter(pager.pages))).next_page_token

    with pytest.raises(exceptions.InvalidArgument, match="doesn't match"):
        await entries(google, "severity=ERROR", page_token=token)


async def test_another_project_is_denied(google: Google) -> None:
    with pytest.raises(exceptions.PermissionDenied):
        await entries(google, resource_names=["projects/other"])


def a_tail(text: str = "", *, buffer_seconds: float = 0) -> TailLogEntriesRequest:
    return TailLogEntriesRequest(
        resource_names=[f"projects/{PROJECT}"],
        filter=text,
        buffer_window=timedelta(seconds=buffer_seconds),
    )


@asynccontextmanager
async def tailing(google: Google, request: TailLogEntriesRequest) -> AsyncIterator[Any]:
    """Open a tail and keep its sending half open, as a real follower does."""
    ended = asyncio.Event()

    async def requests() -> AsyncIterator[TailLogEntriesRequest]:
        yield request
        await ended.wait()

    stream: Any = await google.logging.tail_log_entries(requests())
    try:
        yield stream
    finally:
        ended.set()
        stream.cancel()


async def test_a_tail_sends_what_matches_as_it_arrives(google: Google) -> None:
    async with tailing(
        google, a_tail(f"{REQUESTS} AND resource.labels.revision_name={API_STABLE}")
    ) as stream:
        await eventually(lambda: "TailLogEntries" in [call.method for call in google.cloud.calls])
        await asyncio.sleep(0.2)
        await google.asked(API_SERVICE)
        received: list[LogEntry] = []
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(received) < google.cloud.answers(API_SERVICE)[API_STABLE, 200]:
                received += (await anext(aiter(stream))).entries

    assert {e.resource.labels["revision_name"] for e in received} == {API_STABLE}
    assert len({e.insert_id for e in received}) == len(received)


async def test_a_tail_says_what_it_suppressed(google: Google) -> None:
    google.cloud.behaviour.suppressed = 12
    google.cloud.load(API_SERVICE, 50)

    async with tailing(google, a_tail()) as stream, asyncio.timeout(PATIENCE_SECONDS):
        answer = await anext(aiter(stream))

    assert [(one.reason, one.suppressed_count) for one in answer.suppression_info] == [(RATE_LIMIT, 12)]


async def test_a_tail_withholds_repeats_and_delays_entries_when_it_is_asked_to(google: Google) -> None:
    google.cloud.behaviour.tail_withholds = 0.2
    google.cloud.behaviour.tail_repeats = True
    google.cloud.behaviour.tail_late_ratio = 0.3
    google.cloud.behaviour.tail_late_seconds = 0.5
    received: list[LogEntry] = []
    different: set[str] = set()
    suppressed = 0

    async with tailing(google, a_tail(REQUESTS)) as stream:
        await eventually(lambda: "TailLogEntries" in [call.method for call in google.cloud.calls])
        await asyncio.sleep(0.2)
        answered = (await google.asked(API_SERVICE, times=100)).total()
        # The last to come are late ones; whatever comes twice has done so by then.
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(different) + suppressed < answered:
                answer = await anext(aiter(stream))
                received += answer.entries
                different |= {e.insert_id for e in answer.entries}
                suppressed += sum(one.suppressed_count for one in answer.suppression_info)

    assert 0 < suppressed < answered
    assert len(different) == answered - suppressed
    assert len(different) < len(received) < 2 * len(different)


async def test_a_tail_breaks_off_when_it_is_asked_to(google: Google) -> None:
    google.cloud.behaviour.tail_drops_after_seconds = 0.3

    async with tailing(google, a_tail()) as stream, asyncio.timeout(PATIENCE_SECONDS):
        with pytest.raises(exceptions.ServiceUnavailable):
            async for _ in stream:
                pass

    assert [call.outcome for call in google.cloud.calls] == ["UNAVAILABLE"]


async def test_a_tail_holds_entries_back_for_its_buffer(google: Google) -> None:
    google.cloud.load(API_SERVICE, 50)

    async with tailing(google, a_tail(buffer_seconds=1)) as stream, asyncio.timeout(PATIENCE_SECONDS):
        answer = await anext(aiter(stream))
        now = datetime.now(UTC)

    assert answer.entries
    assert all(now - e.receive_timestamp >= timedelta(seconds=1) for e in answer.entries)


async def test_bad_tails_are_refused(google: Google) -> None:
    async def first(request: TailLogEntriesRequest) -> None:
        async with tailing(google, request) as stream, asyncio.timeout(PATIENCE_SECONDS):
            await anext(aiter(stream))

    with pytest.raises(exceptions.InvalidArgument, match="buffer_window"):
        await first(a_tail(buffer_seconds=61))
    with pytest.raises(exceptions.InvalidArgument, match="not a severity"):
        await first(a_tail("severity=LOUD"))
    with pytest.raises(exceptions.PermissionDenied):
        await first(TailLogEntriesRequest(resource_names=["projects/other"]))
    google.cloud.fail("TailLogEntries", grpc.StatusCode.UNAVAILABLE)
    with pytest.raises(exceptions.ServiceUnavailable):
        await first(a_tail())
    outcomes = [call.outcome for call in google.cloud.calls]
    assert outcomes == ["INVALID_ARGUMENT", "INVALID_ARGUMENT", "PERMISSION_DENIED", "UNAVAILABLE"]


async def test_the_eleventh_tail_is_one_too_many(google: Google) -> None:
    async def follow() -> Any:
        async with tailing(google, a_tail()) as stream:
            return await anext(aiter(stream))

    ten = [asyncio.create_task(follow()) for _ in range(10)]
    await eventually(lambda: len(google.cloud.calls) == 10)

    with pytest.raises(exceptions.ResourceExhausted, match="10 tail sessions"):
        await follow()
    for task in ten:
        task.cancel()
    await asyncio.gather(*ten, return_exceptions=True)
    await eventually(lambda: [c.outcome for c in google.cloud.calls].count("CANCELLED") == 10)
    google.cloud.load(API_SERVICE, 50)
    async with asyncio.timeout(PATIENCE_SECONDS):
        assert (await follow()).entries


async def test_a_reset_forgets_the_log(google: Google) -> None:
    await google.asked(API_SERVICE, times=10)
    assert await entries(google)

    google.cloud.reset()

    assert await entries(google) == []
