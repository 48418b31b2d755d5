"""What the sandbox's service counted itself, held against its log, and how its containers end."""

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from google.cloud.logging_v2.types import LogEntry

from bot.domain.log_lines import SYSTEM_FILTER
from bot.sandbox.cloud import Fault
from bot.sandbox.cloud.load import CLIENTS
from bot.sandbox.names import (
    API_CANARY,
    API_SERVICE,
    API_STABLE,
    CHAT_CANARY_SERVICE,
    CHAT_ROUTER,
    CHAT_SERVICE,
    PROJECT,
)
from tests.integration.sandbox.google_clients import PATIENCE_SECONDS, Google, eventually, running_cloud

BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)
REQUESTS = f'log_name="projects/{PROJECT}/logs/run.googleapis.com%2Frequests"'


@pytest.fixture
async def google() -> AsyncIterator[Google]:
    async with running_cloud() as running:
        yield running


async def entries(google: Google, text: str) -> list[LogEntry]:
    request = {"resource_names": [f"projects/{PROJECT}"], "filter": text, "page_size": 1000}
    return [one async for one in await google.logging.list_log_entries(request)]


@pytest.mark.parametrize("revision", [API_STABLE, API_CANARY])
async def test_every_figure_of_the_log_is_the_services_own(google: Google, revision: str) -> None:
    google.cloud.set_fault(API_SERVICE, Fault.ERRORS, on=True, revision=revision)
    await google.asked(API_SERVICE, per_second=200, until=lambda answers: answers[revision, 500] > 0)

    logged = await entries(google, f"{REQUESTS} AND resource.labels.revision_name={revision}")
    truth = google.cloud.truth(API_SERVICE, revision, since=BEGINNING)

    answers = google.cloud.answers(API_SERVICE)
    assert truth.requests == len(logged) == sum(n for (name, _), n in answers.items() if name == revision)
    failed = [e for e in logged if e.http_request.status >= 500]
    assert truth.errors == len(failed) == answers.get((revision, 500), 0)
    latencies = sorted(e.http_request.latency.ToTimedelta() / timedelta(milliseconds=1) for e in logged)
    assert truth.latencies_ms == pytest.approx(latencies, abs=0.002)
    assert truth.clients == len({e.http_request.remote_ip for e in logged})
    assert truth.failing_clients == len({e.http_request.remote_ip for e in failed})


async def test_who_asks_is_one_of_so_many_clients_and_some_ask_more_often(google: Google) -> None:
    await google.asked(API_SERVICE, times=150)

    askers = [e.http_request.remote_ip for e in await entries(google, REQUESTS)]

    assert set(askers) <= set(CLIENTS)
    assert len(set(askers)) < len(askers)
    assert len(CLIENTS) == 200
    assert await entries(google, f"{REQUESTS} AND httpRequest.remoteIp={askers[0]}")


async def test_behind_the_router_the_client_is_the_router(google: Google) -> None:
    await google.asked(CHAT_ROUTER)

    async def askers(service: str) -> set[str]:
        logged = await entries(google, f"{REQUESTS} AND resource.labels.service_name={service}")
        return {e.http_request.remote_ip for e in logged}

    assert len(await askers(CHAT_ROUTER)) > 10
    assert await askers(CHAT_SERVICE) == {"198.51.100.7"}
    assert google.cloud.truth(CHAT_SERVICE, since=BEGINNING).clients == 1


async def test_probes_of_the_bot_are_no_users(google: Google) -> None:
    async with httpx.AsyncClient(timeout=PATIENCE_SECONDS) as prober:
        for agent in ("backout/1.0", "ion-app/4.0"):
            await prober.get(google.cloud.uris[API_SERVICE] + "/health", headers={"user-agent": agent})

    seen = [google.cloud.truth(API_SERVICE, name, since=BEGINNING) for name in (API_STABLE, API_CANARY)]

    assert sum(truth.requests for truth in seen) == 1
    assert len(await entries(google, REQUESTS)) == 2


async def test_the_truth_keeps_to_a_time_span_and_a_path(google: Google) -> None:
    await google.asked(API_SERVICE, times=30)
    middle = datetime.now(UTC)
    await google.asked(API_SERVICE, times=30)

    whole = google.cloud.truth(API_SERVICE, API_STABLE, since=BEGINNING)
    before = google.cloud.truth(API_SERVICE, API_STABLE, since=BEGINNING, until=middle)
    after = google.cloud.truth(API_SERVICE, API_STABLE, since=middle)
    paths = [
        google.cloud.truth(API_SERVICE, API_STABLE, since=BEGINNING, path=path).requests
        for path in ("/api/chat", "/api/recommend", "/api/session", "/elsewhere")
    ]

    assert before.requests > 0
    assert after.requests > 0
    assert before.requests + after.requests == sum(paths) == whole.requests
    assert paths[-1] == 0


async def test_percentiles_are_of_the_sorted_latencies(google: Google) -> None:
    await google.asked(API_SERVICE)

    truth = google.cloud.truth(API_SERVICE, API_STABLE, since=BEGINNING)
    nobody = google.cloud.truth(API_SERVICE, API_STABLE, since=datetime.now(UTC))

    assert truth.percentile_ms(100) == truth.latencies_ms[-1]
    share = sum(latency <= (truth.percentile_ms(95) or 0) for latency in truth.latencies_ms)
    assert 0.95 <= share / truth.requests < 0.95 + 1 / truth.requests
    assert (nobody.requests, nobody.percentile_ms(95)) == (0, None)


async def test_a_reset_forgets_what_happened(google: Google) -> None:
    google.cloud.set_fault(API_SERVICE, Fault.DOWN, on=True)
    await google.asked(API_SERVICE, until=lambda answers: answers["", 503] > 0)

    google.cloud.reset()

    truth = google.cloud.truth(API_SERVICE, API_CANARY, since=BEGINNING)
    assert (truth.requests, truth.endings) == (0, ())


async def test_a_leaking_container_is_killed_at_its_limit_and_begins_again(google: Google) -> None:
    google.cloud.behaviour.leak_per_minute = 60.0
    google.cloud.set_fault(API_SERVICE, Fault.LEAK, on=True)
    google.cloud.load(API_SERVICE, 100)

    await eventually(lambda: google.cloud.truth(API_SERVICE, since=BEGINNING).kills >= 1)
    first = google.cloud.truth(API_SERVICE, since=BEGINNING).kills
    await eventually(lambda: google.cloud.truth(API_SERVICE, since=BEGINNING).kills > first)
    google.cloud.set_fault(API_SERVICE, Fault.LEAK, on=False)

    await google.quiet()
    truth = google.cloud.truth(API_SERVICE, since=BEGINNING)
    written = await entries(google, SYSTEM_FILTER)
    assert truth.kills == len(written) == len(truth.endings)
    line = written[0]
    said = re.match(r"Memory limit of 512 MiB exceeded with (\d+) MiB used\. ", line.text_payload)
    assert said
    assert int(said[1]) > 512
    assert line.text_payload.endswith("see https://cloud.google.com/run/docs/configuring/memory-limits")
    assert line.log_name.endswith("/logs/run.googleapis.com%2Fvarlog%2Fsystem")
    assert (line.severity, line.resource.labels["revision_name"]) == (500, API_CANARY)


async def test_requests_in_flight_fail_when_their_container_is_killed(google: Google) -> None:
    google.cloud.behaviour.leak_per_minute = 60.0
    google.cloud.set_fault(API_SERVICE, Fault.LEAK, on=True)
    google.cloud.set_fault(API_SERVICE, Fault.SLOW, on=True)
    google.cloud.load(API_SERVICE, 200)

    await eventually(lambda: google.cloud.truth(API_SERVICE, since=BEGINNING).errors > 0)
    google.cloud.set_fault(API_SERVICE, Fault.LEAK, on=False)
    await google.quiet()

    truth = google.cloud.truth(API_SERVICE, since=BEGINNING)
    failed = await entries(google, f"{REQUESTS} AND httpRequest.status>=500")
    assert truth.kills > 0
    assert truth.errors == len(failed)
    assert {e.http_request.status for e in failed} == {503}
    assert {e.resource.labels["revision_name"] for e in failed} == {API_CANARY}
    assert "connection to the instance had an error" in failed[0].text_payload


async def test_a_container_that_goes_down_says_so_once(google: Google) -> None:
    for _ in range(2):
        google.cloud.set_fault(CHAT_CANARY_SERVICE, Fault.DOWN, on=True)

    (line,) = await entries(google, SYSTEM_FILTER)

    assert (line.text_payload, line.severity) == ("Container called exit(1).", 400)
    assert line.resource.labels["service_name"] == CHAT_CANARY_SERVICE
    truth = google.cloud.truth(CHAT_CANARY_SERVICE, since=BEGINNING)
    assert (truth.endings, truth.kills) == (("Container called exit(1).",), 0)


async def test_a_revision_that_does_not_start_leaves_the_failed_probe(google: Google) -> None:
    google.cloud.behaviour.new_revisions_fail = True

    name = await google.cloud.deploy(API_SERVICE, percent=50)
    await eventually(lambda: bool(google.cloud.truth(API_SERVICE, name, since=BEGINNING).endings))

    (line,) = await entries(google, SYSTEM_FILTER)
    assert line.text_payload.startswith("Default STARTUP TCP probe failed 1 time consecutively")
    assert (line.severity, line.resource.labels["revision_name"]) == (500, name)


async def test_a_healthy_service_has_no_ended_containers(google: Google) -> None:
    google.cloud.set_fault(API_SERVICE, Fault.ERRORS, on=True)
    await google.asked(API_SERVICE)

    assert await entries(google, SYSTEM_FILTER) == []


async def test_insert_ids_begin_with_the_moment_as_cloud_runs_do(google: Google) -> None:
    await google.asked(API_SERVICE, times=10)

    (first, *_) = await entries(google, REQUESTS)

    assert len(first.insert_id) == 24
    at = int(first.insert_id[:8], 16) + int(first.insert_id[8:16], 16) / 1e6
    assert at == pytest.approx(first.timestamp.timestamp(), abs=1e-5)


async def test_an_applications_line_names_method_path_and_trace(google: Google) -> None:
    google.cloud.behaviour.baseline_error_ratio = 1.0
    await google.asked(API_SERVICE, times=10)

    (said, *_) = await entries(google, "logName:stderr")

    (asked,) = await entries(google, f'{REQUESTS} AND trace="{said.trace}"')
    assert said.trace.startswith(f"projects/{PROJECT}/traces/")
    assert said.json_payload["method"] == asked.http_request.request_method == "GET"
    assert asked.http_request.request_url.endswith(said.json_payload["path"])
