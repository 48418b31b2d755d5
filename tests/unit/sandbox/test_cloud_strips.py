"""The page's small charts: five minutes in pieces of five seconds, and a gap where nobody measured."""

from datetime import UTC, datetime

import pytest

from bot.sandbox.cloud.ledger import RequestSeen
from bot.sandbox.cloud.samples import Sample
from bot.sandbox.cloud.strips import PIECE_SECONDS, PIECES, Piece, Strips

OWNER = ("ion-api", "ion-api-00042-lee")
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Clock:
    """Seconds since the epoch, moved by hand."""

    def __init__(self) -> None:
        self.now = NOON.timestamp()

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def strips(clock: Clock) -> Strips:
    return Strips(clock)


def a_request(*, status: int = 200, latency_ms: float = 100.0) -> RequestSeen:
    service, revision = OWNER
    return RequestSeen(
        service=service,
        revision=revision,
        method="GET",
        url="http://ion-api/api/chat",
        status=status,
        latency_ms=latency_ms,
        at=NOON,
        trace="",
        user_agent="",
        reached=True,
    )


def test_a_piece_holds_rate_error_share_p95_and_the_last_measurement(strips: Strips, clock: Clock) -> None:
    for number in range(20):
        strips.saw_request(a_request(status=500 if number == 0 else 200, latency_ms=10.0 * (number + 1)))
    strips.measured(OWNER, memory=0.4, cpu=0.1)
    strips.measured(OWNER, memory=0.6, cpu=0.25)

    clock.now += PIECE_SECONDS

    assert strips.pieces(OWNER) == (
        Piece(
            requests_per_second=4.0, error_percent=5.0, p95_ms=190.0, memory_percent=60.0, cpu_percent=25.0
        ),
    )


def test_the_piece_that_is_being_filled_is_not_drawn(strips: Strips, clock: Clock) -> None:
    strips.saw_request(a_request())
    clock.now += PIECE_SECONDS - 0.1
    before = strips.pieces(OWNER)
    clock.now += 0.1

    assert before == ()
    assert len(strips.pieces(OWNER)) == 1


def test_a_time_without_requests_or_measurements_is_a_gap(strips: Strips, clock: Clock) -> None:
    strips.saw_request(a_request())
    clock.now += 3 * PIECE_SECONDS

    first, *quiet = strips.pieces(OWNER)

    assert first.p95_ms == 100.0
    assert len(quiet) == 2
    assert {(piece.requests_per_second, piece.error_percent, piece.p95_ms) for piece in quiet} == {
        (0.0, None, None)
    }
    assert {(piece.memory_percent, piece.cpu_percent) for piece in quiet} == {(None, None)}


def test_only_the_last_five_minutes_are_kept(strips: Strips, clock: Clock) -> None:
    strips.saw_request(a_request())
    clock.now += (PIECES + 5) * PIECE_SECONDS

    pieces = strips.pieces(OWNER)

    assert len(pieces) == PIECES
    assert {piece.requests_per_second for piece in pieces} == {0.0}


def test_usage_is_the_last_measurement_until_it_is_old(strips: Strips, clock: Clock) -> None:
    unknown = strips.usage(OWNER)
    strips.measured(OWNER, memory=0.6, cpu=0.25)
    at_once = strips.usage(OWNER)
    clock.now += 2 * PIECE_SECONDS
    still = strips.usage(OWNER)
    clock.now += PIECE_SECONDS

    assert unknown == (None, None)
    assert at_once == still == (60.0, 25.0)
    assert strips.usage(OWNER) == (None, None)


def test_a_strip_begins_with_what_the_samples_say(strips: Strips, clock: Clock) -> None:
    minute = Sample(start=clock.now - 60, end=clock.now)
    minute.count_request(200, 100.0, times=570)
    minute.count_request(500, 100.0, times=30)
    minute.memory.add(0.6)
    minute.cpu.add(0.2)

    strips.remember(OWNER, [minute])

    pieces = strips.pieces(OWNER)
    assert len(pieces) == PIECES
    before, last = pieces[PIECES - 13], pieces[PIECES - 12 :]
    assert before.p95_ms is None
    assert {(p.requests_per_second, p.error_percent) for p in last} == {(10.0, 5.0)}
    assert {(p.memory_percent, p.cpu_percent) for p in last} == {(60.0, 20.0)}


def test_nothing_is_left_after_clearing(strips: Strips, clock: Clock) -> None:
    strips.saw_request(a_request())
    strips.clear()
    clock.now += PIECE_SECONDS

    assert strips.pieces(OWNER) == ()
