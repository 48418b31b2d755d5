"""Monitoring, logging and probes against the sandbox's cloud: what its traffic did is what is read."""

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from bot.adapters.cloud_logging import CloudLogging
from bot.adapters.log_reads import LogReads, ReadsOfProjects
from bot.adapters.log_stream import LogStream
from bot.adapters.monitoring import CloudMonitoring
from bot.adapters.probe import HttpProber
from bot.domain.ids import RevisionName, ServiceName
from bot.domain.observation import Tally
from bot.domain.playbook import Target
from bot.domain.readings import Metric, Side
from bot.domain.traffic import SideAddress, Sides
from bot.sandbox.cloud import Behaviour, Fault, SandboxCloud
from bot.sandbox.names import (
    API_SERVICE,
    API_STABLE,
    CHAT_CANARY_SERVICE,
    CHAT_ROUTER,
    CHAT_SERVICE,
    PROJECT,
)
from tests.integration.patience import PATIENCE_SECONDS
from tests.integration.sandbox_targets import API, API_SIDES, CHAT, CHAT_SIDES
from tests.journeys.world import until

pytestmark = pytest.mark.usefixtures("patient_with_google")

BOTH = pytest.mark.parametrize(("target", "sides"), [(API, API_SIDES), (CHAT, CHAT_SIDES)])
REQUESTS_PER_SECOND = 50


@pytest.fixture(scope="module")
async def google() -> AsyncIterator[SandboxCloud]:
    cloud = SandboxCloud(
        requests_per_second=REQUESTS_PER_SECOND,
        behaviour=Behaviour(settle_seconds=0.05, log_lag_seconds=0.05),
    )
    await cloud.start()
    pause(cloud)
    yield cloud
    await cloud.stop()


@pytest.fixture
async def sandbox(google: SandboxCloud) -> SandboxCloud:
    """The cloud after a healthy hour, with its users on pause.

    What is visible ends in the middle of a minute: so no minute appears between two questions of a test.
    """
    google.reset()
    pause(google)
    google.behaviour.visible_after_seconds = in_the_middle_of_a_minute(120)
    return google


def in_the_middle_of_a_minute(seconds: float) -> float:
    """Return so many seconds, or up to thirty more or less: so long before now a minute is half over."""
    return seconds + time.time() % 60 - 30


def pause(cloud: SandboxCloud) -> None:
    cloud.load(API_SERVICE, 0)
    cloud.load(CHAT_ROUTER, 0)


async def everything_logged(cloud: SandboxCloud) -> None:
    """Let no more users come, and return once every request has ended and is in the log."""
    pause(cloud)
    await until(lambda: cloud.is_quiet, what="the last answer")
    await asyncio.sleep(2 * cloud.behaviour.log_lag_seconds)


@pytest.fixture
async def metrics(sandbox: SandboxCloud) -> AsyncIterator[CloudMonitoring]:
    adapter = CloudMonitoring(f"http://{sandbox.grpc_address}", PROJECT)
    yield adapter
    await adapter.close()


@pytest.fixture
async def log(sandbox: SandboxCloud) -> AsyncIterator[CloudLogging]:
    adapter = CloudLogging(f"http://{sandbox.grpc_address}", PROJECT)
    yield adapter
    await adapter.close()


@BOTH
async def test_a_healthy_minute_is_read_for_every_metric_of_both_sides(
    metrics: CloudMonitoring, target: Target, sides: Sides
) -> None:
    readings = await metrics.read(target, sides, now=datetime.now(UTC))

    assert [reading.problem for reading in readings] == [None] * 8
    values = {(reading.side, reading.metric): reading for reading in readings}
    for side, share in ((Side.CANARY, 0.1), (Side.STABLE, 0.9)):
        rate, p95 = values[side, Metric.ERROR_RATE], values[side, Metric.P95]
        assert (rate.value, rate.errors) == (0.0, 0)
        assert rate.sample == pytest.approx(share * 60 * REQUESTS_PER_SECOND, rel=0.1)
        assert p95.value == pytest.approx(150, rel=0.4)
        assert p95.sample == rate.sample
        for metric in (Metric.MEMORY, Metric.CPU):
            used = values[side, metric].value
            assert used is not None
            assert 1 < used < 100
        assert rate.until - rate.since == timedelta(minutes=1)


async def test_metrics_are_as_late_as_google_shows_them(
    metrics: CloudMonitoring, sandbox: SandboxCloud
) -> None:
    late = in_the_middle_of_a_minute(240)
    sandbox.behaviour.visible_after_seconds = late
    now = datetime.now(UTC)

    readings = await metrics.read(API, API_SIDES, now=now)

    assert all(reading.value is not None for reading in readings)
    assert all(timedelta(seconds=late) <= reading.age(now=now) for reading in readings)
    assert all(reading.age(now=now) <= timedelta(seconds=late + 60) for reading in readings)


@BOTH
async def test_the_last_half_hour_is_read_minute_by_minute(
    metrics: CloudMonitoring, target: Target, sides: Sides
) -> None:
    now = datetime.now(UTC)

    read = await metrics.minutes(target, since=now - timedelta(minutes=30), until=now)

    assert read.problem is None
    assert sides.canary is not None
    # The canaries have been there for ten minutes.
    for side, least in ((sides.canary, 6), (sides.stable, 25)):
        mine = read.of(side.revision or side.service)
        assert least <= len(mine) <= 30
        assert [minute.since for minute in mine[1:]] == [minute.until for minute in mine[:-1]]
        for minute in mine:
            assert (minute.requests or 0) > 100
            assert (minute.errors, (minute.instances or 0) >= 1) == (0, True)
            assert 100 < (minute.p95_ms or 0) < 250
            assert 1 < (minute.memory_median or 0) <= (minute.memory or 0) < 100
            assert 1 < (minute.cpu or 0) < 100


@BOTH
async def test_no_series_is_no_data(
    metrics: CloudMonitoring, sandbox: SandboxCloud, target: Target, sides: Sides
) -> None:
    sandbox.behaviour.no_series = True

    readings = await metrics.read(target, sides, now=datetime.now(UTC))

    assert {(reading.value, reading.sample, reading.problem) for reading in readings} == {(None, 0, None)}


async def test_a_revision_without_a_past_has_no_data_beside_one_that_has(metrics: CloudMonitoring) -> None:
    newcomer = SideAddress(service=ServiceName(API_SERVICE), revision=RevisionName("ion-api-00043-new"))

    readings = await metrics.read(API, Sides(stable=API_SIDES.stable, canary=newcomer), now=datetime.now(UTC))

    assert {r.value is None for r in readings if r.side is Side.CANARY} == {True}
    assert {r.value is None for r in readings if r.side is Side.STABLE} == {False}


@BOTH
@pytest.mark.parametrize("empty_page_first", [False, True])
async def test_the_log_counts_what_the_users_were_answered(
    log: CloudLogging, sandbox: SandboxCloud, target: Target, sides: Sides, empty_page_first: bool
) -> None:
    sandbox.behaviour.empty_log_page = empty_page_first
    entrance, faulty = (API_SERVICE, API_SERVICE) if target is API else (CHAT_ROUTER, CHAT_CANARY_SERVICE)
    sandbox.set_fault(faulty, Fault.DOWN, True)
    since = datetime.now(UTC)
    sandbox.load(entrance, 200)
    await until(lambda: failures(sandbox, entrance) >= 5, what="users who met the canary")
    await everything_logged(sandbox)

    counts = await log.count(target, sides, since=since, until=datetime.now(UTC))

    answers = sandbox.answers(entrance)
    assert [count.problem for count in counts.values()] == [None, None]
    seen = sum(counts[side].requests for side in Side)
    failed = sum(counts[side].errors for side in Side)
    assert seen == sum(times for (_, status), times in answers.items() if status)
    assert failed == sum(times for (_, status), times in answers.items() if status >= 500)
    assert counts[Side.CANARY].errors == counts[Side.CANARY].requests == failed > 0
    assert len(counts[Side.STABLE].latencies_ms) == counts[Side.STABLE].requests
    # No answer takes less than 40 ms. How much longer one takes is the machine's business.
    assert all(40 <= latency < 60_000 for latency in counts[Side.STABLE].latencies_ms)


def failures(cloud: SandboxCloud, entrance: str) -> int:
    return sum(times for (_, status), times in cloud.answers(entrance).items() if status >= 500)


async def test_both_revisions_are_counted_in_one_call(log: CloudLogging, sandbox: SandboxCloud) -> None:
    now = datetime.now(UTC)

    await log.count(API, API_SIDES, since=now - timedelta(seconds=30), until=now)

    assert [call.method for call in sandbox.calls] == ["ListLogEntries"]


async def test_one_slow_endpoint_is_told_from_the_others(sandbox: SandboxCloud) -> None:
    # It is read as often as it takes, and never holds more than one read may count.
    reads = ReadsOfProjects(lambda: LogReads(quota=6000))
    stream = LogStream(f"http://{sandbox.grpc_address}", PROJECT, lambda: datetime.now(UTC), reads=reads)
    sandbox.set_fault(API_SERVICE, Fault.SLOW_ONE, True, revision=API_STABLE)
    since = datetime.now(UTC)
    sandbox.load(API_SERVICE, REQUESTS_PER_SECOND)

    async def read() -> dict[str, Tally]:
        found = await stream.endpoints(API, API_SIDES.stable, since=since, until=datetime.now(UTC))
        assert found is not None
        return found

    # A machine that stands still holds up every endpoint alike, so users come until most of them were not.
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            await asyncio.sleep(0.2)
            if told_apart(await read()):
                break
    await everything_logged(sandbox)

    found = await read()

    assert found.keys() == {"GET /api/chat", "GET /api/recommend", "GET /api/session"}
    assert sum(tally.requests for tally in found.values()) == sum(
        times for (revision, _), times in sandbox.answers(API_SERVICE).items() if revision == API_STABLE
    )
    await stream.close()


def told_apart(found: dict[str, Tally]) -> bool:
    slow, usual = found.get("GET /api/recommend", Tally()), found.get("GET /api/chat", Tally())
    enough = len(found) == 3 and min(slow.requests, usual.requests) >= 20
    return enough and (slow.percentile_ms(50) or 0) > 200 > (usual.percentile_ms(50) or 200)


async def test_a_window_before_anything_happened_holds_nothing(log: CloudLogging) -> None:
    long_ago = datetime.now(UTC) - timedelta(days=2)

    counts = await log.count(API, API_SIDES, since=long_ago, until=long_ago + timedelta(minutes=1))

    assert [(count.requests, count.problem) for count in counts.values()] == [(0, None), (0, None)]


async def test_a_healthy_service_is_probed_well(sandbox: SandboxCloud) -> None:
    result = await HttpProber(allow_loopback=True).probe(
        f"{sandbox.uris[CHAT_SERVICE]}/health", Side.STABLE, requests=3, pause_ms=10
    )

    assert (result.answered_well, result.problem) == (3, None)


async def test_a_crashed_service_fails_every_probe(sandbox: SandboxCloud) -> None:
    sandbox.set_fault(CHAT_CANARY_SERVICE, Fault.DOWN, True)

    result = await HttpProber(allow_loopback=True).probe(
        f"{sandbox.uris[CHAT_CANARY_SERVICE]}/health", Side.CANARY, requests=3, pause_ms=10
    )

    assert (result.failures, result.problem) == (3, "answered 503")
