"""The last five minutes of each revision in pieces of five seconds: what the page draws as small charts."""

import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from bot.sandbox.cloud.histogram import latency_buckets, merge
from bot.sandbox.cloud.ledger import LineWritten, RequestSeen
from bot.sandbox.cloud.samples import Owner, Sample

PIECE_SECONDS = 5
PIECES = 60
#: A measurement counts as the present one for so many pieces: the meter measures once in each.
_FRESH_PIECES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """What one revision did in `PIECE_SECONDS`. None is what nobody measured: no request, no container."""

    requests_per_second: float
    error_percent: float | None
    p95_ms: float | None
    memory_percent: float | None
    cpu_percent: float | None


@dataclass(slots=True, kw_only=True)
class _Filling:
    """A piece that is not over; `number` counts pieces since the epoch."""

    number: int
    errors: int = 0
    latencies_ms: list[float] = field(default_factory=list)
    memory: float | None = None
    cpu: float | None = None

    def done(self) -> Piece:
        seen = len(self.latencies_ms)
        ordered = sorted(self.latencies_ms)
        return Piece(
            requests_per_second=seen / PIECE_SECONDS,
            error_percent=100 * self.errors / seen if seen else None,
            p95_ms=ordered[-(-seen * 95 // 100) - 1] if seen else None,
            memory_percent=_percent(self.memory),
            cpu_percent=_percent(self.cpu),
        )


@dataclass(slots=True)
class _Strip:
    """`ended` holds finished pieces, the last of them right before `filling`."""

    filling: _Filling
    ended: deque[Piece] = field(default_factory=lambda: deque(maxlen=PIECES))


_NOTHING = Piece(
    requests_per_second=0.0, error_percent=None, p95_ms=None, memory_percent=None, cpu_percent=None
)


class Strips:
    """One strip for each revision. `clock` is seconds since the epoch."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._strips: dict[Owner, _Strip] = {}

    def clear(self) -> None:
        """Forget everything."""
        self._strips.clear()

    def saw_request(self, seen: RequestSeen) -> None:
        """Count a request at the moment it ended."""
        filling = self._of((seen.service, seen.revision)).filling
        filling.latencies_ms.append(seen.latency_ms)
        filling.errors += seen.status >= 500

    def saw_line(self, line: LineWritten) -> None:
        """Lines are not drawn."""

    def measured(self, owner: Owner, *, memory: float, cpu: float) -> None:
        """Take what the instances of a revision use now, as shares of their limits, 0 to 1."""
        filling = self._of(owner).filling
        filling.memory, filling.cpu = memory, cpu

    def remember(self, owner: Owner, samples: Iterable[Sample]) -> None:
        """Begin the strip of a revision with what its finished samples say of the time until now."""
        strip = self._of(owner)
        ends = [(strip.filling.number - PIECES + k + 1) * PIECE_SECONDS for k in range(PIECES)]
        known = [(sample.start, sample.end, _piece(sample)) for sample in samples if sample.end >= ends[0]]
        for end in ends:
            found = (piece for start, until, piece in known if start < end <= until)
            strip.ended.append(next(found, strip.ended[-1] if strip.ended else _NOTHING))

    def pieces(self, owner: Owner) -> tuple[Piece, ...]:
        """Return the finished pieces, oldest first, at most `PIECES`; nothing for an unknown revision."""
        return tuple(self._of(owner).ended) if owner in self._strips else ()

    def usage(self, owner: Owner) -> tuple[float | None, float | None]:
        """Return memory and CPU as last measured, percent of the limits; None when that is long ago."""
        if owner not in self._strips:
            return None, None
        strip = self._of(owner)
        newest_first = [strip.filling.done(), *reversed(strip.ended)][:_FRESH_PIECES]
        for piece in newest_first:
            if piece.memory_percent is not None:
                return piece.memory_percent, piece.cpu_percent
        return None, None

    def _of(self, owner: Owner) -> _Strip:
        """Return the strip of `owner`, with everything that is over put away."""
        number = int(self._clock() // PIECE_SECONDS)
        strip = self._strips.setdefault(owner, _Strip(_Filling(number=number)))
        missing = number - strip.filling.number
        if missing > 0:
            strip.ended.append(strip.filling.done())
            strip.ended.extend([_NOTHING] * min(missing - 1, PIECES))
            strip.filling = _Filling(number=number)
        return strip


def _piece(sample: Sample) -> Piece:
    """Return the mean of a whole sample, as every piece of it."""
    answered = sum(latencies.count for latencies in sample.latencies.values())
    failed = sum(latencies.count for status, latencies in sample.latencies.items() if status >= 500)
    return Piece(
        requests_per_second=answered / (sample.end - sample.start),
        error_percent=100 * failed / answered if answered else None,
        p95_ms=merge(sample.latencies.values(), latency_buckets()).percentile(95),
        memory_percent=_percent(sample.memory.total / sample.memory.count if sample.memory.count else None),
        cpu_percent=_percent(sample.cpu.total / sample.cpu.count if sample.cpu.count else None),
    )


def _percent(ratio: float | None) -> float | None:
    return None if ratio is None else 100 * ratio
