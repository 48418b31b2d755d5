"""A row of numbers as a row of blocks: the last hour in one line of a message."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from math import isfinite

from bot.domain.observation import Point
from bot.domain.readings import Metric, Side
from bot.domain.symptoms import value_of

#: From nothing to as much as there is.
BLOCKS = "▁▂▃▄▅▆▇█"
#: Nobody knows: not a zero.
GAP = "·"
#: A line of thirty fits on a telephone; each column is two minutes of the last hour.
COLUMNS, COLUMN = 30, timedelta(minutes=2)


def sparkline(values: Sequence[float | None], *, top: float) -> str:
    """Return one block for each value, 0 the lowest and `top` or more the highest; a gap for None."""
    return "".join(_block(value, top) for value in values)


def _block(value: float | None, top: float) -> str:
    if value is None or not isfinite(value):
        return GAP
    if top <= 0:
        return BLOCKS[0]
    return BLOCKS[max(min(int(value / top * len(BLOCKS)), len(BLOCKS) - 1), 0)]


def columns(points: Sequence[Point], metric: Metric, side: Side, *, until: datetime) -> list[float | None]:
    """Return the worst value of each two minutes of the hour before `until` (aware, UTC), oldest first.

    The worst, because a mean would hide the one bad minute. None where no minute had a number.
    """
    found: list[float | None] = [None] * COLUMNS
    for point in points:
        place = COLUMNS - 1 - (until - point.at) // COLUMN
        value = value_of(point.side(side), metric)
        if value is None or not isfinite(value) or not 0 <= place < COLUMNS:
            continue
        known = found[place]
        found[place] = value if known is None else max(known, value)
    return found
