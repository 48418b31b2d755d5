"""The cells of a recorded series as times and numbers; one that makes no sense is named and left out.

Units are judged by the whole column, because one small percentage is no ratio.
"""

import json
import math
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from bot.adapters.recorded_rows import LE, Row
from bot.domain.recorded import Oddity, Remark

#: Larger counts are no requests of one window, or of one deployment.
_LARGEST = 1e12
#: Since 1970 in seconds, milliseconds, microseconds, nanoseconds: from 2001 to 2286 each.
_UNITS = ((1e9, 1.0), (1e12, 1e3), (1e15, 1e6), (1e18, 1e9))
#: Percentages that never go above this are ratios, those beyond that many are bytes.
_RATIO_BELOW, _BYTES_ABOVE = 1.5, 1000.0
#: A histogram whose largest bound is below this many milliseconds is one in seconds.
_BOUND_BELOW_MS = 61.0
#: P95s that never reach this many milliseconds are seconds.
_SECONDS_BELOW = 10.0


class Cells:
    """Reads one file's cells. `remarks` grow as it reads; `columns` are those there are."""

    def __init__(self, rows: Sequence[Row], columns: frozenset[str]) -> None:
        self.columns = columns
        self.remarks: list[Remark] = []
        self.bounds = self._bounds()
        self._unfit = self._wrong_units(rows)
        self._said_zone = False

    def remark(self, oddity: Oddity, line: int | None, **facts: Any) -> None:
        """Note one thing that is odd."""
        self.remarks.append(Remark(oddity=oddity, line=line, facts=facts))

    # Times.

    def time(self, row: Row) -> datetime | None:
        """Return when the line's window ended (UTC), None where that cannot be read."""
        value = row.cells.get("time")
        at = _moment(value)
        if at is None:
            self.remark(Oddity.UNREADABLE_TIME, row.line, found=_short(value))
            return None
        if at.tzinfo is None:
            if not self._said_zone:
                self.remark(Oddity.NO_ZONE, row.line, found=_short(value))
                self._said_zone = True
            return at.replace(tzinfo=UTC)
        return at.astimezone(UTC)

    # Numbers.

    def number(self, row: Row, column: str) -> float | None:
        """Return a number of at least 0; None where there is none, or its whole column has another unit."""
        if column in self._unfit:
            return None
        value = row.cells.get(column)
        if _is_empty(value):
            return None
        number = _number(value)
        if number is None:
            self.remark(Oddity.NO_NUMBER, row.line, column=column, found=_short(value))
        elif not math.isfinite(number):
            self.remark(Oddity.NOT_A_NUMBER, row.line, column=column, found=_short(value))
        elif number < 0:
            self.remark(Oddity.NEGATIVE, row.line, column=column, found=_short(value))
        elif number <= _LARGEST:
            return number
        else:
            self.remark(Oddity.NO_NUMBER, row.line, column=column, found=_short(value))
        return None

    def count(self, row: Row, column: str) -> int | None:
        """Return a count; a rate or a share is none."""
        number = self.number(row, column)
        if number is None:
            return None
        if number != int(number):
            self.remark(Oddity.FRACTION, row.line, column=column, found=_short(row.cells.get(column)))
            return None
        return int(number)

    def quietly(self, row: Row, column: str) -> float:
        """Return a number without a remark, 0 where it cannot be read."""
        number = _number(row.cells.get(column))
        return number if number is not None and math.isfinite(number) and 0 <= number < _LARGEST else 0.0

    # Histograms.

    def histogram(self, row: Row) -> list[tuple[float, int]] | None:
        """Return upper bounds (ms) and counts of a cell ``110:45 600:3``, or of a JSON object or list."""
        value = row.cells.get("latencies")
        if _is_empty(value):
            return None
        pairs = list(_pairs(value))
        numbers = [(_number(bound), _number(count)) for bound, count in pairs]
        good = [(b, c) for b, c in numbers if b is not None and c is not None and b >= 0 <= c < _LARGEST]
        if not pairs or len(good) < len(pairs) or any(c != int(c) for _, c in good):
            self.remark(Oddity.BAD_LATENCIES, row.line, column="latencies", found=_short(value))
            return None
        return [(bound, int(count)) for bound, count in good]

    def _bounds(self) -> tuple[str, ...]:
        """The columns ``le_…`` in their order; none where they are in seconds."""
        found = {c: float(match["bound"]) for c in self.columns if (match := LE.fullmatch(c))}
        ordered = sorted(found, key=lambda column: found[column])
        finite = [column for column in ordered if found[column] < math.inf]
        if finite and found[finite[-1]] < _BOUND_BELOW_MS:
            write = f"le_{found[finite[-1]] * 1000:g}"
            self.remark(Oddity.BOUNDS_IN_SECONDS, None, column=finite[-1], write=write)
            return ()
        return tuple(ordered)

    # Units.

    def _wrong_units(self, rows: Sequence[Row]) -> frozenset[str]:
        unfit = set()
        for column in ("memory", "cpu", "p95_ms"):
            if column in self.columns and self._is_in_another_unit(column, rows):
                unfit.add(column)
        return frozenset(unfit)

    def _is_in_another_unit(self, column: str, rows: Sequence[Row]) -> bool:
        largest = max(rows, key=lambda row: self.quietly(row, column))
        value = self.quietly(largest, column)
        if column == "p95_ms":
            if 0 < value < _SECONDS_BELOW:
                self.remark(
                    Oddity.SECONDS, largest.line, column=column, found=f"{value:g}", write=f"{value * 1000:g}"
                )
                return True
            return False
        if 0 < value <= _RATIO_BELOW:
            self.remark(
                Oddity.RATIO, largest.line, column=column, found=f"{value:g}", write=f"{value * 100:g}"
            )
            return True
        if value > _BYTES_ABOVE:
            self.remark(Oddity.BYTES, largest.line, column=column, found=f"{value:g}")
            return True
        return False


def _is_empty(value: Any) -> bool:
    return value is None or (isinstance(value, str) and value.strip().lower() in ("", "-", "null", "none"))


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None


def _moment(value: Any) -> datetime | None:
    number = _number(value)
    try:
        if number is not None:
            for least, unit in _UNITS:
                if least <= number < least * 10:
                    return datetime.fromtimestamp(number / unit, UTC)
            return None
        return datetime.fromisoformat(str(value).strip())
    except (ValueError, OverflowError, OSError):
        return None


def _pairs(value: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(value, str):
        for part in re.split(r"[\s;]+", value.strip()):
            bound, _, count = part.partition(":")
            yield bound, count
    elif isinstance(value, dict):
        yield from value.items()
    elif isinstance(value, list):
        for pair in value:
            yield (pair[0], pair[1]) if isinstance(pair, list) and len(pair) == 2 else (None, None)


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    flat = " ".join(text.split())
    return flat if len(flat) <= 40 else f"{flat[:39]}…"
