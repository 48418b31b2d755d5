"""What the bot would have done on past minutes: who the canary was, and when a rule would have fired."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.alarm import AlarmKind, Level
from bot.domain.back_test import back_test, span, split_minutes
from bot.domain.guide import Mode
from bot.domain.observation import Minute
from tests.alerts import an_alarming_playbook
from tests.values import CANARY, NOON, STABLE

NEWER = "ion-api-00043-new"


def minute(name: str, number: int, *, requests: int | None, errors: int = 0) -> Minute:
    """Return the minute that ends `number` minutes after noon."""
    until = NOON + timedelta(minutes=number)
    since = until - timedelta(minutes=1)
    return Minute(name=name, since=since, until=until, requests=requests, errors=errors)


def split(
    numbers: Iterable[int], *, errors: int = 0, canary: str = CANARY, stable: str = STABLE
) -> list[Minute]:
    """Return minutes of both sides: the canary's 600 requests with so many errors, stable's 5400 with ten."""
    return [
        one
        for number in numbers
        for one in (
            minute(canary, number, requests=600, errors=errors),
            minute(stable, number, requests=5400, errors=10),
        )
    ]


def test_the_one_with_fewer_requests_is_the_canary() -> None:
    (pair,) = split_minutes(split([1]))

    assert (pair.canary.name, pair.stable.name) == (CANARY, STABLE)


def test_minutes_come_in_order_however_they_were_read() -> None:
    pairs = split_minutes(reversed(split(range(1, 6))))

    assert [pair.canary.until for pair in pairs] == [NOON + timedelta(minutes=n) for n in range(1, 6)]


@pytest.mark.parametrize(
    "minutes",
    [
        [minute(STABLE, 1, requests=5400)],
        [minute(STABLE, 1, requests=5400), minute(CANARY, 1, requests=0)],
        [minute(STABLE, 1, requests=5400), minute(CANARY, 1, requests=None)],
        [minute(STABLE, 1, requests=5400), minute(CANARY, 2, requests=600)],
        [*split([1]), minute(NEWER, 1, requests=100)],
    ],
    ids=["one side", "no traffic", "no data", "another minute", "three of them"],
)
def test_a_minute_that_was_not_split_in_two_says_nothing(minutes: list[Minute]) -> None:
    assert split_minutes(minutes) == ()


def test_where_the_canary_is_known_it_stays_the_canary_with_most_of_the_traffic() -> None:
    minutes = [minute("chat", 1, requests=100), minute("chat-canary", 1, requests=900)]

    (pair,) = split_minutes(minutes, canary_name="chat-canary")

    assert (pair.canary.name, pair.stable.name) == ("chat-canary", "chat")
    assert split_minutes(minutes, canary_name="chat-other") == ()


def test_a_healthy_week_fires_nothing() -> None:
    found = back_test(split(range(1, 61), errors=1), an_alarming_playbook())

    assert (found.minutes, found.canaries, found.fired, found.would_fire) == (60, 1, (), ())
    assert found.recommended == 0


def test_a_failing_canary_would_have_been_rolled_back_once() -> None:
    minutes = split(range(1, 11), errors=1) + split(range(11, 31), errors=40)

    found = back_test(minutes, an_alarming_playbook())

    (hit,) = found.fired
    assert hit.canary == CANARY
    assert (hit.alarm.level, hit.mode) == (Level.ACT, Mode.AUTO)
    assert NOON + timedelta(minutes=11) < hit.alarm.at <= NOON + timedelta(minutes=16)
    assert found.recommended == 1


def test_each_canary_counts_for_itself() -> None:
    minutes = split(range(1, 21), errors=40) + split(range(21, 41), errors=40, canary=NEWER)

    found = back_test(minutes, an_alarming_playbook())

    assert [hit.canary for hit in found.fired] == [CANARY, NEWER]


def test_what_only_recommends_is_counted_apart() -> None:
    modes = {"error_rate_in_a_row": "recommend", "service_down": "recommend", "memory_explosion": "recommend"}
    playbook = an_alarming_playbook(modes, early={"mode": "recommend"})

    found = back_test(split(range(1, 21), errors=40), playbook)

    assert (found.fired, len(found.would_fire)) == ((), 1)
    assert found.would_fire[0].alarm.kind in (AlarmKind.ERROR_RATE_IN_A_ROW, AlarmKind.EARLY_WARNING)


def test_where_stable_is_as_bad_nothing_would_have_been_rolled_back() -> None:
    minutes = [
        one
        for number in range(1, 31)
        for one in (
            minute(CANARY, number, requests=600, errors=40),
            minute(STABLE, number, requests=5400, errors=360),
        )
    ]

    assert back_test(minutes, an_alarming_playbook()).would_fire == ()


def with_p95(minutes: Iterable[Minute], canary_ms: float, stable_ms: float) -> list[Minute]:
    """Return the minutes with a P95 on both sides."""
    return [replace(m, p95_ms=stable_ms if m.name == STABLE else canary_ms) for m in minutes]


@pytest.mark.parametrize(
    ("canary_ms", "stable_ms", "recommended"), [(501, 90, 1), (500, 90, 0), (900, 900, 0), (90, 90, 0)]
)
def test_a_canary_that_grew_slow_would_have_been_recommended_for_rollback(
    canary_ms: float, stable_ms: float, recommended: int
) -> None:
    found = back_test(with_p95(split(range(1, 11)), canary_ms, stable_ms), an_alarming_playbook())

    assert (found.recommended, found.would_fire) == (recommended, ())


def test_three_slow_minutes_in_a_row_are_needed() -> None:
    slow, quick = with_p95(split([1, 2, 4, 5]), 900, 90), with_p95(split([3, 6, 7]), 90, 90)

    assert back_test([*slow, *quick], an_alarming_playbook()).recommended == 0


def test_without_minutes_there_is_nothing_to_say() -> None:
    found = back_test([], an_alarming_playbook())

    assert (found.minutes, found.canaries, found.fired) == (0, 0, ())
    assert span([]) is None
    assert span(split([1, 2])) == (NOON, NOON + timedelta(minutes=2))
