"""The first reading: grouped, counted, compared with stable, and honest about what was not read."""

import pytest

from bot.domain.before_after import compared
from bot.domain.first_reading import LONGEST_EXAMPLE, MOST_ENDPOINTS, MOST_GROUPS, Growth
from bot.domain.observation import Minute
from bot.domain.readings import Side
from tests.first_readings import (
    LEAK,
    SINCE,
    a_line,
    a_log,
    a_reading_of,
    answered,
    lines_of,
    of_stable,
)
from tests.values import CANARY, seconds


def test_lines_of_one_kind_are_one_group_with_its_first_and_its_newest() -> None:
    reading = a_reading_of(lines_of("user # not found", 4, detail="pool=a"))

    (group,) = reading.groups
    assert (group.shape, group.canary, group.stable) == ("user ‹n› not found", 4, 0)
    assert (group.first_seen, group.last_seen) == (SINCE, SINCE + seconds(3))
    assert group.example == "user 3 not found (pool=a)"
    assert (reading.lines, reading.kinds, reading.canary_kinds) == ((4, 0), 1, 1)


def test_the_canarys_errors_come_first_new_ones_before_known_ones_then_the_most_frequent() -> None:
    canary = [
        *lines_of("known often #", 9),
        *lines_of("new seldom #", 1),
        *lines_of("known seldom #", 2),
        *lines_of("new often #", 3),
    ]
    stable = of_stable(
        [*lines_of("known often #", 1), *lines_of("known seldom #", 5), *lines_of("stables own #", 30)]
    )

    reading = a_reading_of(canary, stable)

    assert [(g.shape, g.canary, g.stable, g.is_new) for g in reading.groups] == [
        ("new often ‹n›", 3, 0, True),
        ("new seldom ‹n›", 1, 0, True),
        ("known often ‹n›", 9, 1, False),
        ("known seldom ‹n›", 2, 5, False),
        ("stables own ‹n›", 0, 30, False),
    ]
    assert (reading.kinds, reading.canary_kinds, reading.new_kinds, reading.new_lines) == (5, 4, 2, 4)


def test_nothing_is_called_new_where_stables_log_could_not_be_read() -> None:
    reading = a_reading_of(lines_of("user #", 2), a_log(problem="denied"))

    (group,) = reading.groups
    assert (group.canary, group.stable, group.is_new) == (2, None, False)
    assert (reading.lines, reading.new_kinds, reading.new_lines) == ((2, None), None, None)


def test_a_canary_whose_log_could_not_be_read_has_no_count_rather_than_none() -> None:
    reading = a_reading_of(a_log(problem="denied"), of_stable(lines_of("user #", 2)))

    (group,) = reading.groups
    assert (group.canary, group.stable, group.is_new) == (None, 2, False)
    assert reading.lines == (None, 2)
    assert reading.counted == (None, 2)


@pytest.mark.parametrize(("kinds", "kept"), [(MOST_GROUPS, MOST_GROUPS), (MOST_GROUPS + 1, MOST_GROUPS)])
def test_so_many_kinds_are_kept_and_the_others_counted(kinds: int, kept: int) -> None:
    letters = [chr(ord("a") + n) for n in range(kinds)]

    reading = a_reading_of([a_line(f"kind {letter * 3}") for letter in letters])

    assert (len(reading.groups), reading.kinds, reading.canary_kinds) == (kept, kinds, kinds)


def test_an_error_that_application_and_request_log_both_tell_is_counted_once() -> None:
    canary = [
        a_line("KeyError: 'turn'", 1, trace="t1", endpoint="/api/chat"),
        a_line("POST /api/chat → 500", 2, trace="t1", endpoint="POST /api/chat", detail="51 ms"),
        # Nobody but the request log tells of this one.
        a_line("POST /api/chat → 503", 3, trace="t2", endpoint="POST /api/chat"),
        a_line("POST /api/chat → 503", 4, endpoint="POST /api/chat"),
    ]

    reading = a_reading_of(canary)

    assert [(g.shape, g.canary, g.endpoints) for g in reading.groups] == [
        ("POST /api/chat → 503", 2, (("POST /api/chat", 2),)),
        ("KeyError: ‹text›", 1, (("POST /api/chat", 1),)),
    ]
    assert (reading.lines, reading.repeated, reading.counted) == ((4, 0), (1, 0), (3, 0))


def test_paths_of_requests_with_ids_are_one_kind_and_keep_their_status() -> None:
    canary = [
        a_line(f"GET /api/session/{n} → {status}", n, endpoint="GET /api/session/{id}")
        for n, status in [(1, 500), (2, 500), (3, 503)]
    ]

    reading = a_reading_of(canary)

    assert [(g.shape, g.canary) for g in reading.groups] == [
        ("GET /api/session/{id} → 500", 2),
        ("GET /api/session/{id} → 503", 1),
    ]


def test_a_line_that_only_knows_its_path_gets_the_method_where_there_is_but_one() -> None:
    canary = [
        a_line("boom", 1, endpoint="/api/chat"),
        a_line("boom", 2, endpoint="/api/session"),
        a_line("boom", 3, endpoint="/api/unheard"),
    ]
    tallies = {
        Side.CANARY: {"POST /api/chat": answered(5), "GET /api/session": answered(5)},
        Side.STABLE: {"DELETE /api/session": answered(5)},
    }

    reading = a_reading_of(canary, endpoints=tallies)

    assert reading.groups[0].endpoints == (
        ("/api/session", 1),
        ("/api/unheard", 1),
        ("POST /api/chat", 1),
    )


def test_the_slowest_endpoints_come_first_and_need_twenty_requests() -> None:
    tallies = {
        Side.CANARY: {
            "GET /fast": answered(500, ms=40),
            "GET /slow": answered(20, 3, ms=800),
            "GET /rare": answered(19, ms=9000),
            "GET /never": answered(0),
        },
        Side.STABLE: {"GET /slow": answered(19, ms=100), "GET /fast": answered(20, 1, ms=40)},
    }

    reading = a_reading_of(endpoints=tallies)

    told = [(e.endpoint, e.canary_p95_ms is not None, e.stable_p95_ms is not None) for e in reading.endpoints]
    assert told == [("GET /slow", True, False), ("GET /fast", True, True), ("GET /rare", False, False)]
    slow = reading.endpoints[0]
    assert (slow.canary_requests, slow.canary_errors, slow.stable_requests, slow.stable_errors) == (
        20,
        3,
        19,
        0,
    )
    assert (reading.requests, reading.failed) == ((539, 39), (3, 1))


def test_an_unread_request_log_is_unknown_and_not_zero() -> None:
    reading = a_reading_of(endpoints={Side.CANARY: {"GET /": answered(50, 2)}, Side.STABLE: None})

    (figures,) = reading.endpoints
    assert (figures.stable_requests, figures.stable_errors, figures.stable_p95_ms) == (None, None, None)
    assert (reading.requests, reading.failed) == ((50, None), (2, None))
    assert a_reading_of(endpoints={}).requests == (None, None)


def test_only_the_slowest_endpoints_are_kept_and_all_of_them_summed() -> None:
    many = {f"GET /{n}": answered(30, 1, ms=n + 1) for n in range(MOST_ENDPOINTS + 5)}

    reading = a_reading_of(endpoints={Side.CANARY: many, Side.STABLE: {}})

    assert len(reading.endpoints) == MOST_ENDPOINTS
    assert reading.requests[0] == 30 * (MOST_ENDPOINTS + 5)
    assert reading.failed[0] == MOST_ENDPOINTS + 5


def test_ends_of_containers_are_read_from_cloud_runs_own_lines_where_those_were_read() -> None:
    read = a_reading_of(system=a_log([a_line(LEAK)]))
    unread = a_reading_of(system=a_log(problem="denied"))

    assert [end.count for end in read.endings or ()] == [1]
    assert unread.endings is None


def a_minute(after: int, instances: int | None) -> Minute:
    at = SINCE + seconds(60 * after)
    return Minute(name=CANARY, since=at, until=at + seconds(60), instances=instances)


def test_growth_goes_from_the_first_to_the_last_minute_that_knows_the_instances() -> None:
    minutes = [a_minute(0, None), a_minute(1, 1), a_minute(2, 6), a_minute(3, 4), a_minute(4, None)]

    reading = a_reading_of(minutes=(minutes, [a_minute(0, None)]))

    assert reading.growth == (Growth(side=Side.CANARY, first=1, most=6, last=4),)


def test_what_was_cut_and_replaced_is_said() -> None:
    canary = a_log([a_line("a", redacted=2)], more=True)

    reading = a_reading_of(
        canary, of_stable([a_line("b", redacted=1)]), system=a_log([a_line("c", redacted=4)])
    )

    assert (reading.cut, reading.more, reading.redacted) == ((True, False), True, 7)
    assert not a_reading_of().more


def test_an_example_is_no_longer_than_needed() -> None:
    reading = a_reading_of([a_line("x" * 5000)])

    assert len(reading.groups[0].example) == LONGEST_EXAMPLE


def test_after_a_rollback_it_is_said_which_kinds_are_gone_stay_and_came() -> None:
    before = a_reading_of(
        [*lines_of("gone #", 5), *lines_of("stays #", 5)], of_stable(lines_of("stables own #", 2))
    )
    after = a_reading_of(
        stable=of_stable([*lines_of("stays #", 1), *lines_of("stables own #", 2), *lines_of("fresh #", 1)])
    )

    found = compared(before, after)

    assert found.gone == 1
    assert [group.shape for group in found.stay] == ["stays ‹n›"]
    assert [group.shape for group in found.came] == ["fresh ‹n›"]


def test_nothing_is_called_gone_or_new_over_a_log_that_was_not_read() -> None:
    read, unread = a_reading_of(lines_of("a #", 5)), a_reading_of((), a_log(problem="denied"))

    assert compared(read, unread).gone is None
    assert compared(unread, a_reading_of(lines_of("b #", 1))).came == ()
