"""Input that makes no sense: counted by kind, named once, and again only after a while."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from pydantic import TypeAdapter

from bot.domain.bad_input import TELL_EVERY, BadEntry, BadInput, bad_entries, to_tell, told, with_bad
from bot.domain.judge import judge
from bot.domain.looked import Looked
from bot.domain.observation import BUCKET, Bucket, BucketsRead, Minute, MinutesRead, Tally
from bot.domain.plausible import Ignored
from bot.domain.readings import Source
from bot.domain.tick import ticked
from bot.domain.watch import Watch
from tests.unit.domain.test_watch import a_watch, seen
from tests.unit.usecases.watch_world import a_minute
from tests.values import CANARY, NOON, STABLE, a_playbook, seconds


def watched() -> Watch:
    """Return a watch that reads from noon on."""
    return a_watch(of=seen(split_at=NOON))


def bucket(number: int, canary: Tally) -> Bucket:
    """Return the bucket that begins so many tens of seconds after noon."""
    since = NOON + number * BUCKET
    return Bucket(since=since, until=since + BUCKET, canary=canary, stable=Tally(requests=90))


def after(watch: Watch, seconds_after_noon: float = 42, **looked: Any) -> Watch:
    """Return the watch after a tick of the real judge."""
    found = Looked(at=NOON + seconds(seconds_after_noon), **looked)
    return ticked(watch, found, a_playbook(), judge=judge).watch


def counts(watch: Watch) -> dict[str, tuple[int, Source]]:
    """Return what was left out: how often, and where it was from."""
    return {kind: (bad.count, bad.source) for kind, bad in watch.carried.bad.items()}


def test_what_the_judge_leaves_out_is_counted_kind_by_kind() -> None:
    read = BucketsRead(
        buckets=(
            bucket(0, Tally(requests=10)),
            bucket(1, Tally(requests=10, errors=-1)),
            bucket(2, Tally(requests=10, errors=11)),
            bucket(3, Tally(requests=10, errors=-3)),
        )
    )

    watch = after(watched(), buckets=read)

    assert counts(watch) == {
        Ignored.NEGATIVE: (2, Source.REQUEST_LOG),
        Ignored.MORE_ERRORS_THAN_REQUESTS: (1, Source.REQUEST_LOG),
    }


def test_gauges_that_cannot_be_are_those_of_cloud_monitoring() -> None:
    full: list[Minute] = [a_minute(name, ended=NOON, memory=5000.0) for name in (CANARY, STABLE)]

    watch = after(watched(), minutes=MinutesRead(minutes=tuple(full)))

    assert counts(watch) == {Ignored.NO_PERCENTAGE: (1, Source.MONITORING)}


def test_what_the_log_has_left_out_is_counted_over_the_ticks() -> None:
    read = BucketsRead(late=2, twice=1, odd=1, oddity="an entry of ion-api has no time")

    watch = after(after(watched(), 12, buckets=read), 22, buckets=replace(read, twice=0, odd=0, oddity=None))

    assert {kind: bad.count for kind, bad in watch.carried.bad.items()} == {
        BadEntry.LATE: 4,
        BadEntry.TWICE: 1,
        BadEntry.ODD: 1,
    }
    assert watch.carried.bad[BadEntry.ODD].example == "an entry of ion-api has no time"


@pytest.mark.parametrize("read", [None, BucketsRead(), BucketsRead(late=2, problem="unreachable")])
def test_nothing_is_counted_where_all_is_well_or_the_same_time_is_read_again(
    read: BucketsRead | None,
) -> None:
    assert bad_entries(read) == {}
    assert after(watched(), buckets=read).carried.bad == {}


BAD = {Ignored.NEGATIVE.value: BadInput(source=Source.REQUEST_LOG, count=3)}


@pytest.mark.parametrize(("later", "again"), [(-TELL_EVERY, True), (timedelta(), False), (TELL_EVERY, True)])
def test_a_kind_is_told_at_once_and_again_after_ten_minutes_or_when_the_clock_was_put_back(
    later: timedelta, again: bool
) -> None:
    known = told(BAD, to_tell(BAD, at=NOON), at=NOON)
    more = with_bad(known, BAD)

    assert to_tell(BAD, at=NOON) == ("negative",)
    assert more["negative"].count == 3
    assert bool(to_tell(more, at=NOON + later)) is again
    assert to_tell(more, at=NOON + TELL_EVERY - seconds(1)) == ()


def test_a_kind_that_has_stopped_is_not_told_again() -> None:
    known = told(BAD, ("negative",), at=NOON)

    assert to_tell(known, at=NOON + 10 * TELL_EVERY) == ()


def test_what_is_remembered_survives_being_kept() -> None:
    watch = watched()
    watch = replace(watch, carried=replace(watch.carried, bad=told(BAD, ("negative",), at=NOON)))
    adapter = TypeAdapter(Watch)

    assert adapter.validate_python(adapter.dump_python(watch, mode="json")) == watch
