"""Folding the request log into buckets: closed in time, nothing twice, nothing late, and holes stay holes."""

import math
from typing import Any

import pytest

from bot.adapters.log_buckets import KEPT_BUCKETS, LENGTH, MOST_IDS, PULSE_SECONDS, LogBuckets, bucket_of
from bot.adapters.log_lag import FUTURE_SECONDS, LEAST_LAG_SECONDS, MOST_LAG_SECONDS, Lag
from bot.adapters.request_log import Answered
from bot.domain.observation import Tally

API = ("us-central1", "ion-api")
CHAT = ("us-central1", "ion-chat")
STABLE, CANARY = "ion-api-00041-kim", "ion-api-00042-lee"
#: A bucket's beginning, seconds since the epoch.
NOON = 1_790_000_000.0
FIRST = bucket_of(NOON)


def a_request(at: float, *, revision: str = CANARY, service: str = "ion-api", **more: Any) -> Answered:
    values = {
        "region": "us-central1",
        "received": at + 1,
        "status": 200,
        "latency_ms": 120.0,
        "insert_id": f"{service}:{revision}:{at}",
        **more,
    }
    return Answered(service=service, revision=revision, at=at, **values)


def a_stream(*services: tuple[str, str], at: float = NOON - 20) -> LogBuckets:
    """Open a stream that has spoken long enough ago to cover the bucket of `NOON`; entries are 3 s late."""
    buckets = LogBuckets()
    buckets.opened(services or [API], at=at)
    for second in range(20):
        then = at + second
        buckets.heard([a_request(then - 3, received=then - 2)], suppressed=0, at=then)
    return buckets


def pulse(buckets: LogBuckets, *, at: float) -> None:
    """Let the stream say something of another bucket."""
    buckets.heard([a_request(at - 3)], suppressed=0, at=at)


def closes_at(buckets: LogBuckets) -> float:
    return NOON + LENGTH + buckets.lag.seconds


def told(buckets: LogBuckets, number: int = FIRST, service: tuple[str, str] = API) -> Tally | None:
    slot = buckets.slot(service, number)
    return slot.tally(CANARY) if slot is not None else None


def test_a_bucket_is_closed_so_long_after_its_end_as_entries_come_late() -> None:
    buckets = a_stream()
    buckets.heard([a_request(NOON + 1)], suppressed=0, at=NOON + 4)
    buckets.heard([a_request(NOON + 9, status=503)], suppressed=0, at=NOON + 12)
    close = closes_at(buckets)
    pulse(buckets, at=close - 0.1)

    assert told(buckets) is None

    buckets.settle(close - 0.01)
    assert told(buckets) is None

    buckets.settle(close)
    assert told(buckets) == Tally(requests=2, errors=1, latencies=((130, 2),))


def test_both_ends_of_a_bucket_belong_where_they_should() -> None:
    buckets = a_stream()
    for at in (NOON, NOON + 9.999, NOON + 10, NOON + 19.999):
        buckets.heard([a_request(at)], suppressed=0, at=at + 3)
    pulse(buckets, at=NOON + 40)

    two = Tally(requests=2, latencies=((130, 2),))
    assert (told(buckets), told(buckets, FIRST + 1)) == (two, two)


def test_revisions_are_counted_apart_and_a_service_as_a_whole() -> None:
    buckets = a_stream()
    buckets.heard(
        [a_request(NOON + 1), a_request(NOON + 2, revision=STABLE, status=500)], suppressed=0, at=NOON + 4
    )
    pulse(buckets, at=NOON + 30)

    slot = buckets.slot(API, FIRST)

    assert slot is not None
    assert (slot.tally(CANARY).requests, slot.tally(STABLE).errors) == (1, 1)
    assert slot.tally("ion-api-00040-old") == Tally()
    assert (slot.tally(None).requests, slot.tally(None).errors) == (2, 1)


def test_a_repetition_is_counted_once_and_said() -> None:
    buckets = a_stream()
    again = a_request(NOON + 1)
    buckets.heard([again, again], suppressed=0, at=NOON + 4)
    buckets.heard([again], suppressed=0, at=NOON + 5)
    pulse(buckets, at=NOON + 30)

    assert told(buckets) == Tally(requests=1, latencies=((130, 1),))
    assert buckets.left_out([API], FIRST, FIRST + 1).twice == 2


def test_an_entry_that_comes_after_the_close_is_late_and_never_added() -> None:
    buckets = a_stream()
    pulse(buckets, at=NOON + 20)
    before = told(buckets)

    buckets.heard([a_request(NOON + 5)], suppressed=0, at=NOON + 21)

    assert told(buckets) == before is not None
    assert buckets.left_out([API], FIRST + 2, FIRST + 3).late == 1
    assert buckets.left_out([API], FIRST, FIRST + 2).late == 0


def test_nothing_is_believed_before_the_stream_has_spoken() -> None:
    buckets = LogBuckets()
    buckets.opened([API], at=NOON - 60)
    buckets.settle(NOON + 60)

    assert told(buckets) is None


def test_a_bucket_that_began_before_the_stream_is_not_whole() -> None:
    opened = NOON - FUTURE_SECONDS

    on_the_line, too_late = LogBuckets(), LogBuckets()
    for buckets, at in ((on_the_line, opened), (too_late, opened + 0.1)):
        buckets.opened([API], at=at)
        pulse(buckets, at=at)
        pulse(buckets, at=NOON + 30)

    assert told(on_the_line) is not None
    assert told(too_late) is None
    assert told(too_late, FIRST + 1) is not None


def test_a_stream_that_fell_silent_is_not_believed() -> None:
    buckets = a_stream()
    pulse(buckets, at=NOON + LENGTH)
    buckets.settle(NOON + 60)

    assert told(buckets) is None

    pulse(buckets, at=NOON + 60)
    assert told(buckets) is not None


def test_a_stream_must_have_spoken_shortly_before_the_close() -> None:
    in_time, too_early = a_stream(), a_stream()
    for buckets, moment in ((in_time, 0.0), (too_early, 0.1)):
        last_word = closes_at(buckets) - PULSE_SECONDS - moment
        pulse(buckets, at=last_word)
        buckets.settle(last_word + PULSE_SECONDS + moment)

    assert told(in_time) is not None
    assert told(too_early) is None


def test_a_stream_that_broke_leaves_a_hole_and_the_next_one_does_not_fill_it() -> None:
    buckets = a_stream()
    buckets.heard([a_request(NOON + 1)], suppressed=0, at=NOON + 4)
    buckets.stopped()
    buckets.opened([API], at=NOON + 6)
    for second in range(7, 60):
        pulse(buckets, at=NOON + second)

    assert [number - FIRST for number in range(FIRST, FIRST + 4) if buckets.slot(API, number)] == [2, 3]


def test_what_was_suppressed_leaves_holes_in_what_is_still_open() -> None:
    buckets = a_stream()
    pulse(buckets, at=NOON + 4)
    buckets.heard([a_request(NOON + 1)], suppressed=7, at=NOON + 4.5)
    for second in range(5, 60):
        pulse(buckets, at=NOON + second)

    assert buckets.slot(API, FIRST - 1) is not None
    assert told(buckets) is None
    assert told(buckets, FIRST + 1) is not None
    assert buckets.left_out([API], FIRST, FIRST + 1).suppressed == 7


def test_a_listing_fills_a_hole_in_place_of_what_the_stream_had() -> None:
    buckets = a_stream()
    buckets.heard([a_request(NOON + 1)], suppressed=1, at=NOON + 4)
    listing = buckets.listing([API], FIRST, FIRST + 2, at=NOON + 25)

    listing.add([a_request(NOON + 1), a_request(NOON + 2, status=500), a_request(NOON + 2, status=500)])
    listing.add([a_request(NOON + 11)])

    assert told(buckets) == Tally(requests=2, errors=1, latencies=((130, 2),))
    assert told(buckets, FIRST + 1) is None

    listing.done()
    assert told(buckets, FIRST + 1) == Tally(requests=1, latencies=((130, 1),))


def test_a_listing_leaves_a_whole_bucket_as_it_is() -> None:
    buckets = a_stream()
    pulse(buckets, at=NOON + 30)
    before = told(buckets)
    listing = buckets.listing([API, CHAT], FIRST, FIRST + 1, at=NOON + 31)

    listing.add([a_request(NOON + 5), a_request(NOON + 6, service="ion-chat")])
    listing.done()

    assert told(buckets) == before
    assert told(buckets, service=CHAT) == Tally(requests=1, latencies=((130, 1),))


def test_what_a_listing_knew_already_is_a_repetition_and_the_rest_is_late() -> None:
    buckets = a_stream()
    buckets.heard([], suppressed=1, at=NOON + 4)
    buckets.listing([API], FIRST, FIRST + 1, at=NOON + 15).done()
    assert told(buckets) == Tally()

    buckets.heard(
        [a_request(NOON + 1, received=NOON + 15), a_request(NOON + 2, received=NOON + 15.1)],
        suppressed=0,
        at=NOON + 16,
    )

    left_out = buckets.left_out([API], FIRST + 1, FIRST + 2)
    assert (left_out.twice, left_out.late) == (1, 1)
    assert told(buckets) == Tally()


@pytest.mark.parametrize(
    ("odd", "named"),
    [
        ({"at": 0.0}, "has no time"),
        ({"at": math.nan}, "has no time"),
        ({"at": -5.0}, "has no time"),
        ({"at": NOON + 4 + FUTURE_SECONDS + 0.1}, "in the future"),
    ],
)
def test_an_entry_without_a_place_in_time_is_named_and_left_out(odd: dict[str, Any], named: str) -> None:
    buckets = a_stream()
    buckets.heard([a_request(**odd)], suppressed=0, at=NOON + 4)

    assert named in (buckets.oddity or "")
    assert buckets.left_out([API], FIRST, FIRST + 1).odd == 1
    listing = buckets.listing([API], FIRST, FIRST + 1, at=NOON + 4)
    listing.add([a_request(**odd)])
    listing.done()
    assert told(buckets) == Tally()


@pytest.mark.parametrize("latency_ms", [-1.0, math.nan, math.inf])
def test_an_impossible_latency_is_named_and_the_request_still_counts(latency_ms: float) -> None:
    buckets = a_stream()
    buckets.heard([a_request(NOON + 1, latency_ms=latency_ms)], suppressed=0, at=NOON + 4)
    pulse(buckets, at=NOON + 30)

    assert told(buckets) == Tally(requests=1)
    assert "latency" in (buckets.oddity or "")


def test_a_moment_in_the_future_is_the_clocks_and_fine() -> None:
    buckets = a_stream()
    buckets.heard([a_request(NOON + 4 + FUTURE_SECONDS)], suppressed=0, at=NOON + 4)

    assert buckets.oddity is None


def test_a_service_nobody_asked_about_is_not_kept() -> None:
    buckets = a_stream()
    buckets.heard([a_request(NOON + 1, service="ion-chat")], suppressed=0, at=NOON + 4)
    pulse(buckets, at=NOON + 30)

    assert buckets.slot(CHAT, FIRST) is None


def test_only_a_quarter_of_an_hour_is_kept() -> None:
    buckets = a_stream()
    for second in range(0, int(KEPT_BUCKETS * LENGTH) + 30, 5):
        pulse(buckets, at=NOON + second)

    kept = buckets._slots[API]
    assert len(kept) <= KEPT_BUCKETS + 1
    assert all(not slot.ids for slot in kept.values() if slot.whole)
    assert told(buckets) is None


def test_with_too_many_ids_a_bucket_is_listed_rather_than_counted_twice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bot.adapters.log_buckets.MOST_IDS", 50)
    assert MOST_IDS > 50
    buckets = a_stream()
    buckets.heard([a_request(NOON + n / 100) for n in range(100)], suppressed=0, at=NOON + 4)
    for second in range(5, 40):
        pulse(buckets, at=NOON + second)

    assert told(buckets) is None
    assert told(buckets, FIRST + 2) is not None


def test_a_stream_is_deaf_when_a_listing_knows_of_requests_it_never_told() -> None:
    buckets = LogBuckets()
    buckets.opened([API], at=NOON - 30)
    listing = buckets.listing([API], FIRST, FIRST + 1, at=NOON + 20)
    listing.done()
    assert not buckets.is_deaf

    listing = buckets.listing([API], FIRST + 1, FIRST + 2, at=NOON + 30)
    listing.add([a_request(NOON + 11)])
    listing.done()
    assert buckets.is_deaf


def test_the_wait_is_within_its_bounds() -> None:
    quick, slow, unknown = Lag(), Lag(), Lag()
    for _ in range(100):
        quick.saw(0.1, at=NOON)
        slow.saw(14.9, at=NOON)

    assert quick.seconds == LEAST_LAG_SECONDS
    assert slow.seconds == MOST_LAG_SECONDS
    assert LEAST_LAG_SECONDS < unknown.seconds < MOST_LAG_SECONDS
    assert (quick.doubt, slow.doubt, unknown.doubt) == (None, None, None)


def test_the_wait_follows_the_slow_ones_and_forgets() -> None:
    lag = Lag()
    for second in range(100):
        lag.saw(8.0 if second % 20 == 0 else 3.0, at=NOON + second)
    assert lag.seconds == pytest.approx(8.75)

    for second in range(100, 300):
        lag.saw(3.0, at=NOON + second)
    assert lag.seconds == pytest.approx(3.75)


def test_entries_that_come_too_late_to_wait_for_are_no_zero() -> None:
    buckets = a_stream()
    for second in range(60):
        buckets.heard([a_request(NOON + second - 40)], suppressed=0, at=NOON + second)

    assert "40 s after" in (buckets.lag.doubt or "")
    assert told(buckets) is None


def test_a_clock_that_is_wrong_is_named_and_nothing_is_closed() -> None:
    buckets = a_stream()
    for second in range(60):
        buckets.heard([a_request(NOON + second + 30)], suppressed=0, at=NOON + second)

    assert "in the future" in (buckets.lag.doubt or "")
    assert told(buckets, FIRST + 3) is None
