"""Drawing what looking back shows: how long each phase took, incidents by month, and how often changes fail.

Imported by the process that draws and by nothing else.
"""

# mypy: disable-error-code="no-untyped-call"
# Some of matplotlib's functions have no types.

import math
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, MaxNLocator

from bot.adapters import chart_card
from bot.adapters.chart_card import (
    CANARY,
    CARD,
    EMPTY,
    GRID,
    LEADING,
    PAD,
    PANEL,
    PARTS,
    QUIET,
    SMALL,
    STABLE,
    STEPS,
    TITLE,
    WIDTH,
    Card,
    cut,
    in_lines,
    text_width,
)
from bot.domain.picture import StatsPicture

#: Pixels: a panel over months, a row of two bars, and what is left between panels.
HIGH, ROW, BETWEEN = 250, 62, 26
LEFT, RIGHT = 92, WIDTH - PAD
#: Names of phases have a third of the width; numbers stand behind their bars.
BARS_LEFT, BARS_RIGHT = 210, WIDTH - 130
#: Colours enough to tell parts apart; what is more is drawn in the last one.
MOST_PARTS = len(PARTS)
FEWEST_MONTHS = 4


def missing_letters(picture: StatsPicture) -> str:
    """Return those letters of the picture's texts that no font of ours has."""
    texts = [picture.title, picture.phases_heading, picture.incidents_heading, picture.rate_heading]
    texts += [picture.median, picture.worst, picture.nothing, *picture.months]
    texts += [phase.name for phase in picture.phases] + [stack.name for stack in picture.stacks]
    return chart_card.missing_letters(texts)


def png(picture: StatsPicture) -> bytes:
    """Return the picture, 720 pixels wide and as high as it has to be."""
    title = in_lines(picture.title, WIDTH - 2 * PAD, most=2, size=TITLE, bold=True)
    legend = _legend_rows(picture)
    heading = SMALL * LEADING + 8
    phases = heading * 2 + max(len(picture.phases), 1) * ROW
    incidents = heading + len(legend) * SMALL * LEADING + HIGH
    height = PAD + len(title) * TITLE * LEADING + phases + incidents + heading + HIGH + 3 * BETWEEN + PAD
    card = Card(math.ceil(height))
    y = PAD + TITLE / 2
    for line in title:
        card.text(PAD, y, line, size=TITLE, bold=True)
        y += TITLE * LEADING
    y += BETWEEN - TITLE / 2
    _phases(card, picture, y)
    y += phases + BETWEEN
    _incidents(card, picture, legend, y)
    y += incidents + BETWEEN
    _rates(card, picture, y)
    return card.png()


def _phases(card: Card, picture: StatsPicture, top: float) -> None:
    _heading(card, picture.phases_heading, top)
    top += SMALL * LEADING + 8
    x: float = PAD
    for name, colour in ((picture.median, STABLE), (picture.worst, CANARY)):
        x = _key(card, name, colour, x, top + SMALL / 2)
    top += SMALL * LEADING + 8
    known = [v for phase in picture.phases for v in (phase.median, phase.worst) if _is_number(v)]
    if not known:
        _nothing(card, picture, (PAD, RIGHT), (top, top + max(len(picture.phases), 1) * ROW))
        return
    longest = max(*(v for v in known if v is not None), 1e-9, 1e-9)
    for place, phase in enumerate(picture.phases):
        middle = top + (place + 0.5) * ROW
        card.text(PAD, middle, cut(phase.name, BARS_LEFT - PAD - 12))
        for value, colour, y in ((phase.median, STABLE, middle - 14), (phase.worst, CANARY, middle + 14)):
            if value is None or not _is_number(value):
                card.text(BARS_LEFT, y, "–", colour=QUIET)
                continue
            end = BARS_LEFT + max((BARS_RIGHT - BARS_LEFT) * value / longest, 2)
            card.area((BARS_LEFT, end), (y - 11, y + 11), colour=colour)
            card.text(end + 8, y, _minutes(value))


def _minutes(value: float) -> str:
    """Return minutes with the digits that matter."""
    return f"{value:.1f}" if value < 10 else f"{value:,.0f}"


def _is_number(value: float | None) -> bool:
    return value is not None and math.isfinite(value)


def _incidents(card: Card, picture: StatsPicture, legend: list[list[tuple[str, str]]], top: float) -> None:
    _heading(card, picture.incidents_heading, top)
    top += SMALL * LEADING + 8
    for row in legend:
        x: float = PAD
        for name, colour in row:
            x = _key(card, name, colour, x, top + SMALL / 2)
        top += SMALL * LEADING
    y = (top, top + HIGH - SMALL * LEADING)
    if not any(sum(stack.counts) for stack in picture.stacks):
        _nothing(card, picture, (LEFT, RIGHT), y)
        return
    axes = _months(card, picture, y)
    below = [0] * len(picture.months)
    for stack, colour in zip(picture.stacks, _colours(picture), strict=True):
        axes.bar(range(len(stack.counts)), stack.counts, 0.62, below, color=colour)
        below = [a + b for a, b in zip(below, stack.counts, strict=True)]
    axes.set_ylim(0, max(below) * 1.12)
    _lines(axes, whole=True)


def _colours(picture: StatsPicture) -> list[str]:
    return [PARTS[min(place, MOST_PARTS - 1)] for place in range(len(picture.stacks))]


def _legend_rows(picture: StatsPicture) -> list[list[tuple[str, str]]]:
    """Return the names of the stacks with their colours, in as many rows as they need."""
    rows: list[list[tuple[str, str]]] = [[]]
    room = float(WIDTH - 2 * PAD)
    for stack, colour in zip(picture.stacks, _colours(picture), strict=True):
        name = cut(stack.name, WIDTH - 2 * PAD - 40)
        wide = _key_width(name)
        if rows[-1] and wide > room:
            rows.append([])
            room = WIDTH - 2 * PAD
        rows[-1].append((name, colour))
        room -= wide
    return rows


def _rates(card: Card, picture: StatsPicture, top: float) -> None:
    _heading(card, picture.rate_heading, top)
    top += SMALL * LEADING + 8
    y = (top, top + HIGH - SMALL * LEADING)
    rates = [math.nan if rate is None else rate for rate in picture.failure_rates]
    known = [rate for rate in rates if math.isfinite(rate)]
    if not known:
        _nothing(card, picture, (LEFT, RIGHT), y)
        return
    axes = _months(card, picture, y)
    axes.plot(range(len(rates)), rates, color=CANARY, linewidth=3, marker="o", markersize=9)
    axes.set_ylim(0, min(max(max(known) * 1.25, 5), 105))
    _lines(axes, whole=False)


def _months(card: Card, picture: StatsPicture, y: tuple[float, float]) -> Axes:
    """Return axes over the months; every label that there is room for is written."""
    card.area((LEFT, RIGHT), y, colour=PANEL, above=-2)
    axes = card.axes((LEFT, RIGHT), y)
    count = len(picture.months)
    # A single month is no wall.
    spare = max(0, FEWEST_MONTHS - count) / 2
    axes.set_xlim(-0.6 - spare, count - 0.4 + spare)
    wide = max(text_width(month, SMALL) for month in picture.months) + 10
    every = math.ceil(wide * (count + 2 * spare) / (RIGHT - LEFT))
    # The newest month is always named.
    shown = range((count - 1) % every, count, every)
    axes.xaxis.set_major_locator(FixedLocator(list(shown)))
    axes.set_xticklabels([picture.months[place] for place in shown])
    return axes


def _lines(axes: Axes, *, whole: bool) -> None:
    axes.yaxis.set_major_locator(MaxNLocator(nbins=4, steps=STEPS, min_n_ticks=2, integer=whole))
    for place in axes.get_yticks():
        axes.axhline(place, color=GRID, linewidth=1, zorder=0.5)


def _heading(card: Card, text: str, top: float) -> None:
    card.text(PAD, top + SMALL / 2, cut(text, WIDTH - 2 * PAD, bold=True), bold=True, over=CARD)


def _key(card: Card, name: str, colour: str, x: float, y: float) -> float:
    """Write one part of a legend and return where the next one goes."""
    card.area((x, x + 20), (y - 10, y + 10), colour=colour)
    card.text(x + 28, y, name)
    return x + _key_width(name)


def _key_width(name: str) -> float:
    return 28 + text_width(name, SMALL) + 26


def _nothing(card: Card, picture: StatsPicture, x: Sequence[float], y: Sequence[float]) -> None:
    card.area((x[0], x[1]), (y[0], y[1]), colour=EMPTY)
    card.text(sum(x) / 2, sum(y) / 2, picture.nothing, colour=QUIET, align="center")
