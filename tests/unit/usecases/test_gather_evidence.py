"""Each proof: below its limit, on it and above it, and whatever proves nothing."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime

import pytest

from bot.domain.faults import CloudFault, FaultKind
from bot.domain.playbook import Verification
from bot.domain.readings import RequestCounts, Side
from bot.domain.rollback import Evidence, Proof, RollbackState, Verdict
from bot.usecases.gather_evidence import (
    error_evidence,
    evidence_facts,
    gather_evidence,
    health_url,
    p95_evidence,
    probe_evidence,
    provable_at,
    silence_evidence,
    traffic_evidence,
)
from tests.fakes import calm
from tests.unit.usecases.world import GONE, World
from tests.values import (
    CANARY,
    NOON,
    STABLE,
    a_decided_rollback,
    a_plan,
    a_playbook,
    a_probe,
    a_services_plan,
    a_services_state,
    a_services_target,
    a_state,
    a_target,
    counts,
    evidence,
    seconds,
    share,
)

GUIDE = Verification()
PROVEN, DISPROVEN, INCONCLUSIVE = Verdict.PROVEN, Verdict.DISPROVEN, Verdict.INCONCLUSIVE


# Traffic.


def test_everything_on_stable_and_settled_proves_the_traffic() -> None:
    found = traffic_evidence(a_plan(), a_state(share(STABLE, 100)))

    assert (found.verdict, found.value, found.note) == (PROVEN, 100, None)


@pytest.mark.parametrize("percent", [0, 90, 99])
def test_anything_less_on_stable_disproves_it(percent: int) -> None:
    found = traffic_evidence(a_plan(), a_state(share(STABLE, percent), share(CANARY, 100 - percent)))

    assert (found.verdict, found.value) == (DISPROVEN, percent)


def test_traffic_in_motion_is_not_proven() -> None:
    found = traffic_evidence(a_plan(), a_state(share(STABLE, 100), reconciling=True))

    assert (found.verdict, found.value, found.note) == (DISPROVEN, 100, "not settled")


def test_cloud_runs_own_words_come_first() -> None:
    found = traffic_evidence(a_plan(), a_state(reconciling=True, problem="Revision is not ready"))

    assert found.note == "Revision is not ready"


@pytest.mark.parametrize(
    ("written", "verdict", "value"), [("0", PROVEN, 100), ("10", DISPROVEN, 90), ("ten", DISPROVEN, None)]
)
def test_a_routers_variable_is_read_back(written: str, verdict: Verdict, value: int | None) -> None:
    found = traffic_evidence(a_services_plan(), a_services_state(written))

    assert (found.verdict, found.value) == (verdict, value)


# Probe.


@pytest.mark.parametrize(
    ("sent", "failures", "throttled", "verdict"),
    [
        (5, 0, 0, PROVEN),
        (1, 0, 0, PROVEN),
        (5, 1, 0, DISPROVEN),
        (5, 5, 0, DISPROVEN),
        (5, 0, 1, INCONCLUSIVE),
        (5, 0, 5, INCONCLUSIVE),
        (5, 1, 4, DISPROVEN),
        (0, 0, 0, INCONCLUSIVE),
    ],
)
def test_every_probe_must_be_answered_well(
    sent: int, failures: int, throttled: int, verdict: Verdict
) -> None:
    found = probe_evidence(a_probe(sent=sent, failures=failures, throttled=throttled))

    assert (found.verdict, found.value, found.sample) == (verdict, failures, sent)


# Error rate and P95.


@pytest.mark.parametrize(
    ("requests", "errors", "verdict"),
    [
        (1000, 0, PROVEN),
        (1000, 4, PROVEN),
        (1000, 5, DISPROVEN),
        (1000, 6, DISPROVEN),
        (50, 0, PROVEN),
        (49, 0, INCONCLUSIVE),
        (49, 49, INCONCLUSIVE),
        (0, 0, INCONCLUSIVE),
    ],
)
def test_stables_error_rate_must_be_under_half_a_percent(
    requests: int, errors: int, verdict: Verdict
) -> None:
    found = error_evidence(counts(requests=requests, errors=errors), GUIDE, least=50)

    assert (found.verdict, found.sample) == (verdict, requests)


@pytest.mark.parametrize(
    ("latency_ms", "requests", "verdict"),
    [
        (199.9, 50, PROVEN),
        (200.0, 50, DISPROVEN),
        (200.1, 50, DISPROVEN),
        (10.0, 49, INCONCLUSIVE),
        (10.0, 0, INCONCLUSIVE),
    ],
)
def test_stables_p95_must_be_under_200_ms(latency_ms: float, requests: int, verdict: Verdict) -> None:
    found = p95_evidence(counts(requests=requests, latency_ms=latency_ms), GUIDE, least=50)

    assert (found.verdict, found.sample) == (verdict, requests)


def test_a_thin_sample_says_how_much_is_needed() -> None:
    assert error_evidence(counts(requests=3), GUIDE, least=50).note == "needs 50 requests"


@pytest.mark.parametrize("judge", [error_evidence, p95_evidence])
def test_a_log_that_cannot_be_read_proves_nothing(judge: Callable[..., Evidence]) -> None:
    found = judge(counts(problem="403 from Google"), GUIDE, least=50)

    assert (found.verdict, found.note) == (INCONCLUSIVE, "403 from Google")


# Silence.


@pytest.mark.parametrize(
    ("requests", "length", "stable_requests", "verdict"),
    [
        (0, 5.0, 50, PROVEN),
        (0, 4.999, 50, INCONCLUSIVE),
        (0, 5.0, 49, INCONCLUSIVE),
        (1, 5.0, 50, DISPROVEN),
        (1, 0.1, 0, DISPROVEN),
    ],
)
def test_silence_counts_only_in_a_log_that_flows_and_lasts(
    requests: int, length: float, stable_requests: int, verdict: Verdict
) -> None:
    canary = counts(Side.CANARY, requests=requests, since=NOON, until=NOON + seconds(length))

    found = silence_evidence(canary, GUIDE, stable=counts(requests=stable_requests), least=50)

    assert (found.verdict, found.value) == (verdict, requests)


def test_silence_of_a_log_that_cannot_be_read_is_no_silence() -> None:
    canary = counts(Side.CANARY, requests=0, problem="403 from Google")

    found = silence_evidence(canary, GUIDE, stable=counts(), least=50)

    assert (found.verdict, found.value) == (INCONCLUSIVE, None)


def test_a_canary_of_whose_requests_only_the_newest_were_counted_is_not_called_silent() -> None:
    canary = counts(Side.CANARY, requests=0, truncated=True)

    found = silence_evidence(canary, GUIDE, stable=counts(), least=50)

    assert (found.verdict, found.value) == (INCONCLUSIVE, 0)


def test_silence_proves_nothing_when_stables_log_cannot_be_read() -> None:
    canary = counts(Side.CANARY, requests=0)

    found = silence_evidence(canary, GUIDE, stable=counts(problem="403 from Google"), least=50)

    assert found.verdict is INCONCLUSIVE


# All together.


async def gathered(
    world: World, waiting: Callable[[], Awaitable[None]] | None = None
) -> dict[Proof, Evidence]:
    async def half_a_second() -> None:
        await world.clock.pause(0.5)

    found = await gather_evidence(
        a_target(),
        a_decided_rollback(RollbackState.SETTLED, settled_at=NOON),
        a_playbook(),
        use=world.gathering,
        waiting=waiting or half_a_second,
    )
    assert [e.proof for e in found] == list(Proof)
    return {e.proof: e for e in found}


def a_settled_world() -> World:
    return World(a_state(share(STABLE, 100)))


async def test_gathering_ends_as_soon_as_everything_is_proven() -> None:
    world = a_settled_world()

    found = await gathered(world)

    assert {e.verdict for e in found.values()} == {PROVEN}
    # Two seconds for requests under way, five of silence, and the log is one late.
    assert world.clock.now == NOON + seconds(8)


async def test_gathering_ends_when_its_time_is_up() -> None:
    world = a_settled_world()
    world.prober.failures = 1

    found = await gathered(world)

    assert found[Proof.PROBE].verdict is DISPROVEN
    assert world.clock.now == NOON + seconds(120)


async def test_the_canary_is_not_asked_for_its_health() -> None:
    world = a_settled_world()

    await gathered(world)

    assert set(world.prober.urls) == {"https://ion-api.example.com/health"}


async def test_the_log_is_read_once_from_the_moment_stable_settled_where_the_canary_is_silent() -> None:
    world = a_settled_world()

    await gathered(world)

    assert [since for _, since, _ in world.requests.asked] == [NOON]


async def test_requests_that_were_under_way_are_no_breach_of_the_silence() -> None:
    world = a_settled_world()

    def under_way(side: Side, since: datetime, until: datetime) -> RequestCounts:
        found = calm(side, since, until)
        return replace(found, requests=3) if side is Side.CANARY and since < NOON + seconds(2) else found

    world.requests.counting = under_way

    found = await gathered(world)

    assert (found[Proof.SILENCE].verdict, found[Proof.SILENCE].value) == (PROVEN, 0)
    assert [since for _, since, _ in world.requests.asked] == [NOON, NOON + seconds(2)]
    assert all(since <= until for _, since, until in world.requests.asked)


async def test_a_canary_that_stable_may_have_left_no_room_for_is_counted_by_itself() -> None:
    world = a_settled_world()

    def counting(side: Side, since: datetime, until: datetime) -> RequestCounts:
        return replace(calm(side, since, until), truncated=since == NOON)

    world.requests.counting = counting

    found = await gathered(world)

    assert found[Proof.SILENCE].verdict is PROVEN
    assert [since for _, since, _ in world.requests.asked] == [NOON, NOON + seconds(2)]
    assert world.requests.only == [None, Side.CANARY]


async def test_a_log_that_could_not_be_read_is_not_asked_for_the_canary_once_more() -> None:
    world = a_settled_world()
    world.requests.counting = lambda side, since, until: replace(
        calm(side, since, until), problem="403 from Google"
    )

    found = await gathered(world)

    assert found[Proof.SILENCE].verdict is INCONCLUSIVE
    assert set(world.requests.only) == {None}


async def test_nothing_is_read_before_everything_can_be_proven() -> None:
    world = a_settled_world()

    await gathered(world)

    assert len(world.prober.urls) == 1
    assert provable_at(GUIDE, settled_at=NOON) == NOON + seconds(8) == world.clock.now


async def test_a_rollback_that_settled_long_ago_is_read_at_once() -> None:
    world = a_settled_world()
    world.clock.now = NOON + seconds(100)

    await gathered(world)

    assert world.clock.now == NOON + seconds(100)


async def test_a_quiet_service_takes_few_reads_of_the_log() -> None:
    world = a_settled_world()
    world.requests.counting = lambda side, since, until: replace(calm(side, since, until), requests=0)

    await gathered(world)

    last = max(until for _, _, until in world.requests.asked)
    in_first_minute = [until for _, _, until in world.requests.asked if until < NOON + seconds(60)]
    assert len(in_first_minute) < 16
    assert last == NOON + seconds(119), "the log is a second late"


async def test_a_service_that_cannot_be_read_makes_every_proof_inconclusive() -> None:
    world = a_settled_world()
    world.cloud.next_looks.extend([GONE] * 1000)

    found = await gathered(world)

    assert {e.verdict for e in found.values()} == {INCONCLUSIVE}
    assert all("no route" in (e.note or "") for e in found.values())


async def test_a_service_that_can_be_read_again_can_still_be_proven() -> None:
    world = a_settled_world()
    world.cloud.next_looks.extend([CloudFault(doing="read", kind=FaultKind.QUOTA, detail="slow down")] * 9)

    found = await gathered(world)

    assert {e.verdict for e in found.values()} == {PROVEN}


async def test_a_request_that_still_reaches_the_canary_disproves_silence() -> None:
    world = a_settled_world()
    world.requests.counting = lambda side, since, until: replace(calm(side, since, until), requests=200)

    found = await gathered(world)

    assert found[Proof.SILENCE].verdict is DISPROVEN


@pytest.mark.parametrize(
    ("configured", "url"),
    [
        (None, "https://ion-chat.example.com/health"),
        ("https://status.example.com/ok", "https://status.example.com/ok"),
    ],
)
def test_stables_own_address_is_probed_unless_another_one_is_written(
    configured: str | None, url: str
) -> None:
    target = a_services_target(health_url=configured)

    assert health_url(target, a_services_state()) == url


def test_evidence_goes_into_the_timeline_as_json() -> None:
    facts = evidence_facts(evidence(Proof.P95))

    assert facts == {
        "proof": "p95",
        "verdict": "proven",
        "source": "request_log",
        "value": 80.0,
        "limit": 200.0,
        "sample": 200,
        "until": "2026-03-02T12:00:20+00:00",
        "note": None,
    }
