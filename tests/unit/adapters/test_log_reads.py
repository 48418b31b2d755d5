"""How often a project's log is read: never more than the quota in any minute, and people first."""

import asyncio
import math

import pytest
from google.api_core.exceptions import Forbidden, TooManyRequests

from bot.adapters.log_reads import (
    KEPT_FOR_PEOPLE,
    LONGEST_WAIT_SECONDS,
    QUOTA,
    READS_AT_ONCE,
    READS_PER_MINUTE,
    LogReads,
    ReadsOfProjects,
)
from bot.adapters.request_log import MOST_ENTRIES, PAGE_SIZE
from bot.domain.faults import CloudFault, FaultKind

EACH = 60 / READS_PER_MINUTE


class Time:
    """Monotonic seconds that only go by where somebody waits; `waits` are all of the waits."""

    def __init__(self) -> None:
        self.now = 0.0
        self.waits: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def pause(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def reads(time: Time) -> LogReads:
    return LogReads(now=time, pause=time.pause)


def take_all_spare(reads: LogReads) -> int:
    taken = 0
    while reads.spare():
        taken += 1
    return taken


async def test_a_burst_is_read_at_once_and_whoever_comes_then_waits(reads: LogReads, time: Time) -> None:
    for _ in range(READS_AT_ONCE):
        await reads.first()
    before = list(time.waits)

    await reads.first()

    assert before == []
    assert time.waits == [pytest.approx(EACH)]


@pytest.mark.parametrize("quota", [10, 30, QUOTA, 600])
async def test_in_no_minute_is_more_read_than_google_allows(time: Time, quota: int) -> None:
    reads = LogReads(quota=quota, now=time, pause=time.pause)
    at = []
    for number in range(3 * quota):
        await (reads.first(math.inf) if number % 3 else reads.wait_for_spare(math.inf))
        at.append(time.now)

    most = max(sum(begin <= one < begin + 60 for one in at) for begin in at)
    assert quota / 2 < most < quota


def test_the_watch_leaves_one_long_count_to_people(reads: LogReads) -> None:
    assert take_all_spare(reads) == READS_AT_ONCE - KEPT_FOR_PEOPLE
    assert KEPT_FOR_PEOPLE == MOST_ENTRIES // PAGE_SIZE


async def test_people_read_at_once_what_the_watch_has_left(reads: LogReads, time: Time) -> None:
    take_all_spare(reads)

    for _ in range(KEPT_FOR_PEOPLE):
        await reads.first()

    assert time.waits == []


@pytest.mark.parametrize(("seconds", "is_there"), [(EACH - 0.1, False), (EACH, True), (EACH + 0.1, True)])
def test_a_spare_read_comes_back_with_time(
    reads: LogReads, time: Time, seconds: float, is_there: bool
) -> None:
    take_all_spare(reads)

    time.now += seconds

    assert reads.spare() is is_there


def test_reads_that_nobody_took_do_not_add_up(reads: LogReads, time: Time) -> None:
    time.now += 3600

    assert take_all_spare(reads) == READS_AT_ONCE - KEPT_FOR_PEOPLE


async def test_the_first_read_that_comes_back_is_for_people(reads: LogReads, time: Time) -> None:
    for _ in range(READS_AT_ONCE):
        await reads.first()
    time.now += EACH

    spare = reads.spare()
    await reads.first()

    assert not spare
    assert time.waits == []


async def test_evidence_waits_until_there_is_a_spare_read(reads: LogReads, time: Time) -> None:
    for _ in range(READS_AT_ONCE):
        await reads.first()

    await reads.wait_for_spare()

    assert time.now == pytest.approx(EACH * (1 + KEPT_FOR_PEOPLE), abs=0.1)


async def test_evidence_is_told_at_once_when_there_will_be_no_spare_read_in_time(
    reads: LogReads, time: Time
) -> None:
    for _ in range(READS_AT_ONCE):
        await reads.first()

    with pytest.raises(CloudFault) as told:
        await reads.wait_for_spare(EACH * (1 + KEPT_FOR_PEOPLE))

    assert told.value.kind is FaultKind.QUOTA
    assert time.waits == []


async def test_all_pages_of_a_listing_together_stand_in_line_for_so_long(reads: LogReads, time: Time) -> None:
    for _ in range(READS_AT_ONCE):
        await reads.first()

    async def call() -> None:
        pass

    page = reads.waiting(call, reads.first)
    for _ in range(int(LONGEST_WAIT_SECONDS // EACH)):
        await page()
    waited_seconds = time.now
    with pytest.raises(CloudFault) as told:
        await page()

    assert told.value.kind is FaultKind.QUOTA
    assert LONGEST_WAIT_SECONDS - EACH < waited_seconds <= LONGEST_WAIT_SECONDS
    assert time.now == waited_seconds


async def test_nobody_is_put_at_the_end_of_a_line_that_is_too_long() -> None:
    reads = LogReads(now=lambda: 0.0, pause=_for_ever)
    async with asyncio.TaskGroup() as group:
        in_line = int(READS_AT_ONCE + LONGEST_WAIT_SECONDS // EACH)
        tasks = [group.create_task(reads.first()) for _ in range(in_line)]
        await asyncio.sleep(0)

        with pytest.raises(CloudFault) as told:
            await reads.first()

        for task in tasks:
            task.cancel()
    assert told.value.kind is FaultKind.QUOTA
    assert sum(task.cancelled() for task in tasks) == in_line - READS_AT_ONCE


async def test_whoever_gives_up_waiting_gives_the_read_back(time: Time) -> None:
    reads = LogReads(now=time, pause=_for_ever)
    for _ in range(READS_AT_ONCE):
        await reads.first()
    waiting = asyncio.ensure_future(reads.first())
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)

    time.now += EACH * (1 + KEPT_FOR_PEOPLE)

    assert take_all_spare(reads) == 1


async def _for_ever(seconds: float) -> None:
    await asyncio.Event().wait()


# What Google refuses.


async def test_a_refused_read_is_repeated_when_it_is_its_turn_again(reads: LogReads, time: Time) -> None:
    refusals = [TooManyRequests("quota")]  # type: ignore[no-untyped-call]

    async def call(**given: int) -> int:
        if refusals:
            raise refusals.pop()
        return given["page"]

    answer = await reads.waiting(call, reads.first)(page=7)

    assert answer == 7
    assert time.waits == [pytest.approx(EACH)]


async def test_a_read_that_is_refused_twice_is_refused(reads: LogReads) -> None:
    called = 0

    async def call() -> None:
        nonlocal called
        called += 1
        raise TooManyRequests("quota")  # type: ignore[no-untyped-call]

    with pytest.raises(TooManyRequests):
        await reads.waiting(call, reads.first)()

    assert called == 2


async def test_any_other_fault_is_told_at_once(reads: LogReads, time: Time) -> None:
    async def call() -> None:
        raise Forbidden("no")  # type: ignore[no-untyped-call]

    with pytest.raises(Forbidden):
        await reads.waiting(call, reads.first)()

    assert time.waits == []


def test_after_a_refusal_the_watch_stands_back(reads: LogReads, time: Time) -> None:
    reads.refused()
    time.now += EACH * KEPT_FOR_PEOPLE
    early = reads.spare()

    time.now += EACH

    assert not early
    assert reads.spare()


def test_each_project_has_reads_of_its_own_and_all_who_ask_share_them() -> None:
    projects = ReadsOfProjects(lambda: LogReads(now=lambda: 0.0))
    take_all_spare(projects.of("ion"))

    assert not projects.of("ion").spare()
    assert projects.of("other").spare()
