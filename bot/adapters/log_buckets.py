"""Requests of the log folded at once into buckets of ten seconds: which are whole, and what was left out.

Knows no network: `log_tail` feeds it from the stream and from listings. Times are seconds since the epoch;
a bucket goes by its number, its beginning divided by its length.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from bot.adapters.log_lag import FUTURE_SECONDS, Lag
from bot.adapters.request_log import Answered, is_error
from bot.domain.observation import BUCKET, Tally, cell_of

#: (region, name) of a Cloud Run service.
Service = tuple[str, str]

LENGTH = BUCKET.total_seconds()
#: A quarter of an hour.
KEPT_BUCKETS = 90
#: Ids of the entries in open buckets, to know repetitions by. Google sends at most 60,000 a minute.
MOST_IDS = 60_000
#: A stream must have spoken so shortly before a bucket is closed: silence may be a dead connection.
PULSE_SECONDS = 2.0


def bucket_of(seconds: float) -> int:
    """Return the number of the bucket that a time falls into."""
    return math.floor(seconds / LENGTH)


def begins(number: int) -> datetime:
    """Return when a bucket begins (aware, UTC)."""
    return datetime.fromtimestamp(number * LENGTH, UTC)


@dataclass(slots=True)
class Counted:
    """What was counted so far, latencies by their histogram's cell."""

    requests: int = 0
    errors: int = 0
    cells: dict[int, int] = field(default_factory=dict)

    def count(self, status: int, latency_ms: float | None) -> None:
        """Count one request; a latency that cannot be is left out."""
        self.requests += 1
        self.errors += is_error(status)
        if latency_ms is not None and 0 <= latency_ms < math.inf:
            cell = cell_of(latency_ms)
            self.cells[cell] = self.cells.get(cell, 0) + 1

    def tally(self) -> Tally:
        """Return it as a value."""
        return Tally(requests=self.requests, errors=self.errors, latencies=tuple(sorted(self.cells.items())))


@dataclass(slots=True)
class Slot:
    """One service's requests of one bucket, by revision. Once it is `whole` nothing is added.

    `listed_at` is when it was listed, None where it came from the stream.
    """

    revisions: dict[str, Counted] = field(default_factory=dict)
    ids: set[str] = field(default_factory=set)
    whole: bool = False
    listed_at: float | None = None

    def count(self, seen: Answered) -> None:
        """Count one request."""
        counted = self.revisions.get(seen.revision)
        if counted is None:
            counted = self.revisions[seen.revision] = Counted()
        counted.count(seen.status, seen.latency_ms)

    def tally(self, revision: str | None) -> Tally:
        """Return what a revision answered, or all of them together."""
        if revision is not None:
            return self.revisions[revision].tally() if revision in self.revisions else Tally()
        return sum((counted.tally() for counted in self.revisions.values()), start=Tally())

    def close(self) -> None:
        """Add nothing any more."""
        self.whole = True
        self.ids = set()


@dataclass(slots=True)
class LeftOut:
    """What was left out or could not come: suppressed by Google, too late, repeated, impossible."""

    suppressed: int = 0
    late: int = 0
    twice: int = 0
    odd: int = 0

    def __iadd__(self, other: "LeftOut") -> "LeftOut":
        self.suppressed += other.suppressed
        self.late += other.late
        self.twice += other.twice
        self.odd += other.odd
        return self


class LogBuckets:
    """The newest quarter of an hour of one project's services.

    A bucket is whole once it is closed and the stream covered all of it, or once it was listed after
    its close. The stream covers a bucket when it was open from before its beginning, nothing of it
    was suppressed, and it still spoke at the bucket's close.
    """

    def __init__(self) -> None:
        self.lag = Lag()
        #: What the newest entry that was left out as impossible was like, in one line.
        self.oddity: str | None = None
        #: When the stream last said anything.
        self.heard_at: float | None = None
        self._slots: dict[Service, dict[int, Slot]] = {}
        self._left_out: dict[tuple[Service | None, int], LeftOut] = {}
        self._followed: frozenset[Service] = frozenset()
        #: The first bucket the stream covers, the first it has not closed yet, and those it has holes in.
        self._covered_from: int | None = None
        self._closed_to = 0
        self._broken: set[int] = set()
        self._ids = 0
        self._pruned_to = 0
        #: When the stream was opened, and the newest time of which it has told nothing although
        #: a listing knew of requests.
        self._opened_at: float | None = None
        self._missed_at = 0.0

    def opened(self, services: Iterable[Service], *, at: float) -> None:
        """Begin with a stream about `services`. Nothing is believed before it has spoken."""
        self._followed = frozenset(services)
        self._opened_at = at
        self._covered_from = None
        self._broken.clear()
        self.heard_at = None

    def stopped(self) -> None:
        """End the stream: what it has not closed yet must be listed."""
        for mine in self._slots.values():
            for number in [number for number, slot in mine.items() if not slot.whole]:
                self._drop(mine, number)
        self._followed = frozenset()
        self._covered_from = self._opened_at = None

    @property
    def covers(self) -> bool:
        """True while a stream is open and has spoken."""
        return self._covered_from is not None

    @property
    def is_deaf(self) -> bool:
        """True when listings found requests that an open stream should have told long ago."""
        return self._opened_at is not None and self._missed_at > self._opened_at

    def heard(self, entries: Iterable[Answered], *, suppressed: int, at: float) -> None:
        """Take in what the stream has sent at `at`."""
        if self._covered_from is None:
            # Google does not say when a stream is open. Now it is, and `FUTURE_SECONDS` hold for
            # the difference between its clock and ours.
            self._covered_from = self._closed_to = math.ceil((at + FUTURE_SECONDS) / LENGTH)
        self.heard_at = at
        for seen in entries:
            self._take(seen, at)
        if suppressed:
            self._note(None, at).suppressed += suppressed
            self._break(at)
        self._close(at)
        self.forget(at)

    def settle(self, at: float) -> None:
        """Close what can be closed by `at`."""
        self._close(at)

    def slot(self, service: Service, number: int) -> Slot | None:
        """Return a whole bucket of a service, None while it is not."""
        slot = self._slots.get(service, {}).get(number)
        return slot if slot is not None and slot.whole else None

    def holes(self, services: Iterable[Service], first: int, last: int) -> list[int]:
        """Return the buckets from `first` to `last` (excluded) that are not whole for each of `services`."""
        return [n for n in range(first, last) if any(self.slot(service, n) is None for service in services)]

    def closed_by(self, at: float) -> int:
        """Return the first bucket that is not closed at `at`: its end is not `lag` seconds ago."""
        return bucket_of(at - self.lag.seconds)

    def left_out(self, services: Iterable[Service], first: int, last: int) -> LeftOut:
        """Return what was left out while the buckets `first` to `last` (excluded) went by."""
        total = LeftOut()
        for number in range(first, last):
            for service in (None, *services):
                total += self._left_out.get((service, number), LeftOut())
        return total

    def listing(self, services: Iterable[Service], first: int, last: int, *, at: float) -> "Listing":
        """Begin to list the buckets `first` to `last` (excluded) of `services` at `at`."""
        return Listing(self, frozenset(services), first, last, at)

    def replace(self, service: Service, number: int, slot: Slot) -> None:
        """Put a listed bucket in the place of what the stream had of it; a whole one stays."""
        mine = self._slots.setdefault(service, {})
        before = mine.get(number)
        if before is not None and before.whole:
            return
        self._ids -= len(before.ids) if before is not None else 0
        mine[number] = slot
        if slot.revisions and number * LENGTH > (self.heard_at or 0.0):
            self._missed_at = max(self._missed_at, number * LENGTH)

    def is_possible(self, seen: Answered, at: float) -> bool:
        """Name and count what cannot be; False for an entry that has no place in time."""
        why = _impossible(seen, at)
        if why is None:
            return True
        self.oddity = why
        self._note((seen.region, seen.service), at).odd += 1
        return 0 < seen.at <= at + FUTURE_SECONDS

    def _take(self, seen: Answered, at: float) -> None:
        service = (seen.region, seen.service)
        if service not in self._followed:
            return
        if 0 < seen.at < math.inf:
            self.lag.saw(at - seen.at, at=at)
        if not self.is_possible(seen, at):
            self._break_ahead(seen, at)
            return
        number = bucket_of(seen.at)
        if number <= bucket_of(at) - KEPT_BUCKETS:
            self._note(service, at).late += 1
            return
        mine = self._slots.setdefault(service, {})
        slot = mine.get(number)
        if slot is not None and slot.whole:
            self._came_after(slot, seen, self._note(service, at))
        elif number >= (self._covered_from or 0) and number not in self._broken:
            self._add(mine.setdefault(number, Slot()), seen, at)

    def _add(self, slot: Slot, seen: Answered, at: float) -> None:
        if seen.insert_id and seen.insert_id in slot.ids:
            self._note((seen.region, seen.service), at).twice += 1
        else:
            slot.count(seen)
            self._remember(slot, seen, at)

    @staticmethod
    def _came_after(slot: Slot, seen: Answered, note: LeftOut) -> None:
        was_listed = slot.listed_at is not None and 0 < seen.received <= slot.listed_at
        note.twice += was_listed
        note.late += not was_listed

    def _remember(self, slot: Slot, seen: Answered, at: float) -> None:
        if not seen.insert_id:
            return
        if self._ids >= MOST_IDS:
            # Without its ids a repetition would be counted, so these buckets are listed instead.
            self._break(at)
            return
        slot.ids.add(seen.insert_id)
        self._ids += 1

    def _break(self, at: float) -> None:
        """Trust the stream for none of the buckets that have begun and are still open."""
        holes = range(self._closed_to, bucket_of(at + FUTURE_SECONDS) + 1)
        self._broken.update(holes)
        for mine in self._slots.values():
            for number in holes:
                self._drop(mine, number)

    def _drop(self, mine: dict[int, Slot], number: int) -> None:
        """Forget what the stream had of a bucket that is not whole: it will be listed."""
        slot = mine.get(number)
        if slot is not None and not slot.whole:
            self._ids -= len(slot.ids)
            del mine[number]

    def _break_ahead(self, seen: Answered, at: float) -> None:
        """Have the bucket of an entry from the future listed when its time has come."""
        if at < seen.at < at + KEPT_BUCKETS * LENGTH:
            self._broken.add(bucket_of(seen.at))

    def _close(self, at: float) -> None:
        if self._covered_from is None or self.heard_at is None or self.lag.doubt:
            return
        known_to = min(at, self.heard_at + PULSE_SECONDS)
        while self._closed_to < bucket_of(known_to - self.lag.seconds):
            if self._closed_to not in self._broken:
                for service in self._followed:
                    self._close_slot(self._slots.setdefault(service, {}).setdefault(self._closed_to, Slot()))
            self._broken.discard(self._closed_to)
            self._closed_to += 1

    def _close_slot(self, slot: Slot) -> None:
        self._ids -= len(slot.ids)
        slot.close()

    def _note(self, service: Service | None, at: float) -> LeftOut:
        return self._left_out.setdefault((service, bucket_of(at)), LeftOut())

    def forget(self, at: float) -> None:
        """Drop what is older than `KEPT_BUCKETS`."""
        oldest = bucket_of(at) - KEPT_BUCKETS
        if oldest <= self._pruned_to:
            return
        self._pruned_to = oldest
        for service, mine in list(self._slots.items()):
            for number in [number for number in mine if number < oldest]:
                self._ids -= len(mine.pop(number).ids)
            if not mine:
                del self._slots[service]
        self._left_out = {key: note for key, note in self._left_out.items() if key[1] >= oldest}


class Listing:
    """Buckets that are listed, oldest entry first, so that each is whole as soon as a later one begins."""

    def __init__(
        self, buckets: LogBuckets, services: frozenset[Service], first: int, last: int, at: float
    ) -> None:
        self._buckets = buckets
        self._services = services
        self._at = at
        self._next, self._last = first, last
        self._fresh: dict[tuple[Service, int], Slot] = {}

    def add(self, entries: Iterable[Answered]) -> None:
        """Take in the next entries."""
        for seen in entries:
            self._take(seen)

    def done(self) -> None:
        """Take it that nothing more comes."""
        self._commit(self._last)
        self._buckets.forget(self._at)

    def _take(self, seen: Answered) -> None:
        service = (seen.region, seen.service)
        if service not in self._services or not self._buckets.is_possible(seen, self._at):
            return
        number = bucket_of(seen.at)
        if not self._next <= number < self._last:
            return
        if seen.received > 0:
            self._buckets.lag.saw(seen.received - seen.at, at=self._at)
        self._commit(number)
        slot = self._fresh.setdefault((service, number), Slot(listed_at=self._at))
        if seen.insert_id and seen.insert_id in slot.ids:
            return
        slot.ids.add(seen.insert_id)
        slot.count(seen)

    def _commit(self, number: int) -> None:
        for service, at in self._places(number):
            slot = self._fresh.pop((service, at), None) or Slot(listed_at=self._at)
            slot.close()
            self._buckets.replace(service, at, slot)
        self._next = max(self._next, number)

    def _places(self, number: int) -> Iterator[tuple[Service, int]]:
        return ((service, at) for at in range(self._next, number) for service in self._services)


def _impossible(seen: Answered, at: float) -> str | None:
    where = f"an entry of {seen.service}"
    if not math.isfinite(seen.at) or seen.at <= 0:
        return f"{where} has no time"
    if seen.at > at + FUTURE_SECONDS:
        return f"{where} is stamped {seen.at - at:.0f} s in the future"
    if seen.latency_ms is not None and not 0 <= seen.latency_ms < math.inf:
        return f"{where} has a latency of {seen.latency_ms:g} ms"
    return None
