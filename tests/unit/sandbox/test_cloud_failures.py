"""The guide's five failures, in the guide's numbers, without a network and with a clock we hold."""

import json
import random
from collections.abc import Iterable
from datetime import UTC, datetime

import pytest

from bot.sandbox.cloud import Behaviour, Fault
from bot.sandbox.cloud.container import REVISION_HEADER, Container
from bot.sandbox.cloud.conversations import Conversations
from bot.sandbox.cloud.http_messages import FORWARDED_HEADER, HttpRequest
from bot.sandbox.cloud.http_server import Hangup
from bot.sandbox.cloud.latency import APPLICATION, SLOW_FACTOR, LatencyModel
from bot.sandbox.cloud.ledger import Ledger, LineWritten, RequestSeen
from bot.sandbox.cloud.limits import Limits
from bot.sandbox.cloud.meter import Meter, filled
from bot.sandbox.cloud.samples import Samples
from bot.sandbox.cloud.strips import PIECE_SECONDS, Strips

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
OWNER = ("ion-api", "ion-api-00042-lee")
AT_ONCE = LatencyModel(fast_ms=0, usual_ms=0, slowest_ms=0)
LIMITS = Limits(cpu=1, memory_mib=512, min_instances=0, max_instances=5)


class Lines:
    """Keeps what a container wrote."""

    def __init__(self) -> None:
        self.written: list[LineWritten] = []

    def saw_request(self, seen: RequestSeen) -> None:
        raise AssertionError("a container writes no requests")

    def saw_line(self, line: LineWritten) -> None:
        self.written.append(line)


@pytest.fixture
def lines() -> Lines:
    return Lines()


@pytest.fixture
def conversations() -> Conversations:
    return Conversations()


@pytest.fixture
def canary(lines: Lines, conversations: Conversations) -> Container:
    service, revision = OWNER
    return Container(
        service=service,
        revision=revision,
        behaviour=Behaviour(),
        ledger=Ledger(lines),
        rng=random.Random(1),
        limits=LIMITS,
        latency=AT_ONCE,
        conversations=conversations,
    )


async def chat(container: Container, *users: str, path: str = "/api/chat") -> list[tuple[int, int]]:
    """Let users ask one after the other; return status and turns of each answer."""
    answers = []
    for user in users:
        request = HttpRequest(method="GET", path=path, headers={FORWARDED_HEADER: f"{user}, 198.51.100.7"})
        response = await container._handle(request)
        assert response.headers[REVISION_HEADER] == container.revision
        answers.append((response.status, json.loads(response.body).get("turns", -1)))
    return answers


async def test_errors_are_five_percent_and_zero_before(canary: Container, lines: Lines) -> None:
    healthy = await chat(canary, *["anna"] * 200)
    canary.set_fault(Fault.ERRORS, on=True)
    failing = await chat(canary, *["anna"] * 200)

    assert sum(status == 500 for status, _ in healthy) == 0
    assert sum(status == 500 for status, _ in failing) == 10
    assert len(lines.written) == 10


@pytest.mark.parametrize(("factor", "p95_ms"), [(1.0, 150), (SLOW_FACTOR, 800)])
def test_the_ninety_fifth_of_a_hundred_requests_takes_the_guides_time(factor: float, p95_ms: float) -> None:
    assert APPLICATION.share_below(p95_ms / factor) == pytest.approx(0.95)


def test_a_leak_passes_60_95_and_99_percent_and_is_killed() -> None:
    percents = memory_of_a_leak(pieces=40, leak_per_minute=0.35)

    fresh, still = percents[0], percents.index(min(p for p in percents[6:] if p))
    assert fresh == pytest.approx(60, abs=4)
    climb = [percent for percent in percents[:still] if percent]
    assert max(climb) > 99
    assert sum(percent > 92 for percent in climb) >= 6  # 30 s and more, so that it is measured
    assert percents[still] == pytest.approx(60, abs=6)  # killed, and begun again


@pytest.mark.parametrize(
    ("used", "leak", "full"),
    [(0.6, 0.3, 0.9), (0.6, 0.35, 0.95), (0.6, 0.45, 0.97), (0.95, 0.2, 0.99), (0.97, 0.1, 0.99)],
)
def test_above_95_percent_a_leak_fills_at_a_fifth_of_its_pace(used: float, leak: float, full: float) -> None:
    assert filled(used, leak) == pytest.approx(full)


def memory_of_a_leak(*, pieces: int, leak_per_minute: float) -> list[float]:
    """Return the memory of a canary that leaks from the first moment, percent, every five seconds."""
    now = [NOON.timestamp()]
    behaviour = Behaviour(leak_per_minute=leak_per_minute)
    strips = Strips(lambda: now[0])
    lines = Lines()
    service, revision = OWNER
    leaking = Container(
        service=service,
        revision=revision,
        behaviour=behaviour,
        ledger=Ledger(lines),
        rng=random.Random(1),
        limits=LIMITS,
        faults={Fault.LEAK},
    )

    def containers() -> Iterable[Container]:
        yield leaking

    samples = Samples(behaviour)
    rng = random.Random(1)
    meter = Meter(
        samples, containers=containers, behaviour=behaviour, rng=rng, strips=strips, clock=lambda: now[0]
    )
    meter.saw_request(_seen())
    for _ in range(pieces):
        meter.measure()
        now[0] += PIECE_SECONDS
    assert any(line.message.startswith("Memory limit of 512 MiB exceeded") for line in lines.written)
    return [piece.memory_percent or 0.0 for piece in strips.pieces(OWNER)]


def _seen() -> RequestSeen:
    service, revision = OWNER
    return RequestSeen(
        service=service,
        revision=revision,
        method="GET",
        url="",
        status=200,
        latency_ms=1.0,
        at=NOON,
        trace="",
        user_agent="",
        reached=True,
    )


async def test_lost_conversations_are_answered_200_and_nobody_writes_of_it(
    canary: Container, conversations: Conversations, lines: Lines
) -> None:
    before = await chat(canary, "anna", "anna", "berta")
    canary.set_fault(Fault.LOST, on=True)
    looked_up = await chat(canary, "anna", path="/api/session")
    wrote_on = await chat(canary, "berta")

    assert before == [(200, 1), (200, 2), (200, 1)]
    assert looked_up == [(200, 0)]
    assert wrote_on == [(200, 1)]
    assert conversations.lost == 2
    assert lines.written == []


async def test_what_was_lost_stays_lost_until_it_is_restored(
    canary: Container, conversations: Conversations
) -> None:
    await chat(canary, "anna", "anna")
    canary.set_fault(Fault.LOST, on=True)
    await chat(canary, "anna", path="/api/recommend")
    canary.set_fault(Fault.LOST, on=False)
    afterwards = await chat(canary, "anna")

    conversations.restore()

    assert afterwards == [(200, 1)]
    assert conversations.lost == 0
    assert await chat(canary, "anna", path="/api/session") == [(200, 3)]


async def test_a_request_of_nobody_keeps_no_conversation(
    canary: Container, conversations: Conversations
) -> None:
    canary.set_fault(Fault.LOST, on=True)

    assert await chat(canary, "") == [(200, 0)]
    assert conversations.lost == 0


async def test_a_container_that_is_down_answers_nobody(canary: Container, lines: Lines) -> None:
    canary.set_fault(Fault.DOWN, on=True)

    with pytest.raises(Hangup):
        await chat(canary, "anna")

    assert [line.message for line in lines.written] == ["Container called exit(1)."]
