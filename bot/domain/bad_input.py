"""Input that makes no sense and is left out: counted kind by kind, so that people hear of it by name."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from bot.domain.observation import BucketsRead
from bot.domain.plausible import Ignored
from bot.domain.readings import Source

#: While a kind goes on it is told again so often: once is news, each of a hundred times is noise.
TELL_EVERY = timedelta(minutes=10)


class BadEntry(StrEnum):
    """What was wrong with entries of the request log; see `BucketsRead`."""

    LATE = "late_entries"
    TWICE = "repeated_entries"
    ODD = "impossible_entries"


@dataclass(frozen=True, kw_only=True)
class BadInput:
    """One kind of bad input: how often since it was last told at `told_at` (UTC; None: never told).

    `source` and `example` (one line, raw; "" where there is none) are those of the newest one.
    """

    source: Source
    count: int
    example: str = ""
    told_at: datetime | None = None


#: By kind: a value of `Ignored` or `BadEntry`.
Bad = Mapping[str, BadInput]


def bad_entries(read: BucketsRead | None) -> dict[str, BadInput]:
    """Return what the request log has left out.

    While it cannot be read the same time is asked for again, so nothing is counted then.
    """
    if read is None or read.problem is not None:
        return {}
    counts = {BadEntry.LATE: read.late, BadEntry.TWICE: read.twice, BadEntry.ODD: read.odd}
    return {
        kind.value: BadInput(
            source=Source.REQUEST_LOG,
            count=count,
            example=read.oddity or "" if kind is BadEntry.ODD else "",
        )
        for kind, count in counts.items()
        if count
    }


def with_ignored(known: Bad, ignored: Iterable[tuple[Ignored, Source]]) -> Bad:
    """Return `known` with what the judge left out, each a count of one."""
    for kind, source in ignored:
        known = with_bad(known, {kind.value: BadInput(source=source, count=1)})
    return known


def with_bad(known: Bad, new: Bad) -> Bad:
    """Return both together; when a kind was told is remembered."""
    return {**known, **{kind: _and(known.get(kind), more) for kind, more in new.items()}}


def _and(before: BadInput | None, more: BadInput) -> BadInput:
    if before is None:
        return more
    return replace(more, count=before.count + more.count, told_at=before.told_at)


def to_tell(known: Bad, *, at: datetime) -> tuple[str, ...]:
    """Return the kinds that are to be told at `at`: new ones, and those that have gone on for long enough."""
    return tuple(kind for kind, bad in known.items() if bad.count and _is_due(bad, at=at))


def _is_due(bad: BadInput, *, at: datetime) -> bool:
    return bad.told_at is None or abs(at - bad.told_at) >= TELL_EVERY


def told(known: Bad, kinds: Iterable[str], *, at: datetime) -> Bad:
    """Return `known` after `kinds` were told at `at`: they are counted from nothing again."""
    return {**known, **{kind: replace(known[kind], count=0, told_at=at) for kind in kinds}}
