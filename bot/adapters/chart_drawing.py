"""Drawing what happened around a deployment: four panels below each other, readable on a telephone.

Canary and stable differ by colour *and* by stroke. What there is no data of is a gap, and said. Imported
by the process that draws and by nothing else.
"""

# mypy: disable-error-code="no-untyped-call"
# Some of matplotlib's functions have no types.

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, MaxNLocator

from bot.adapters import chart_card
from bot.adapters.chart_card import (
    CANARY,
    CARD,
    DECIDED,
    DEPLOYED,
    DETECTED,
    EMPTY,
    GRID,
    INK,
    LEADING,
    PAD,
    PANEL,
    QUIET,
    RED,
    SHADED,
    SHADED_BY,
    SMALL,
    STABLE,
    TITLE,
    VERIFIED,
    WIDTH,
    YELLOW,
    Card,
    Stroke,
    cut,
    in_lines,
    text_width,
)
from bot.domain.observation import Point, SideValues
from bot.domain.picture import Mark, MarkKind, Picture
from bot.domain.readings import Metric, Side

#: Pixels: the whole picture, and one of a single panel.
HEIGHT, HEIGHT_OF_ONE = 1200, 780
#: Where the panels begin and end, from the left: numbers stand beside them.
LEFT, RIGHT = 92, WIDTH - 78
#: Between a panel and the next one's heading: half of the number 0 hangs into it.
BETWEEN = 15
#: What is shown where no beginning is given, and at least where one is.
USUAL, SHORTEST = timedelta(minutes=60), timedelta(minutes=10)
#: A minute that is missing is a gap; one that came some seconds late is none.
LONGEST_STEP = timedelta(seconds=90)
#: Monitoring's newest minute is complete after about three.
NEWEST_COMES_AFTER = timedelta(minutes=3)
#: More marks than this would leave no room for the panels.
MOST_MARKS = 6
#: From one time below the panels to the next, minutes.
STEPS = (1, 2, 5, 10, 15, 20, 30, 60, 120, 180, 360, 720, 1440)
MOST_TIMES = 5

_STROKES: dict[Side, tuple[str, Stroke, float]] = {
    Side.CANARY: (CANARY, "-", 3.2),
    Side.STABLE: (STABLE, (0, (4, 2)), 2.6),
}
MARKS = {
    MarkKind.DEPLOYED: DEPLOYED,
    MarkKind.DETECTED: DETECTED,
    MarkKind.DECIDED: DECIDED,
    MarkKind.VERIFIED: VERIFIED,
    MarkKind.NOT_VERIFIED: RED,
    MarkKind.OTHER: QUIET,
}

_Value = Callable[[SideValues], float | None]
_VALUES: dict[Metric, _Value] = {
    Metric.ERROR_RATE: lambda side: side.error_rate,
    Metric.P95: lambda side: side.p95,
    Metric.MEMORY: lambda side: side.memory,
    Metric.CPU: lambda side: side.cpu,
}
#: Minutes since the picture's beginning, and values, NaN where none is known.
_Series = tuple[list[float], list[float]]


def missing_letters(picture: Picture) -> str:
    """Return those letters of the picture's texts that no font of ours has."""
    texts = [picture.title, picture.canary, picture.stable, *picture.metrics, picture.nothing]
    trend = [picture.trend.text] if picture.trend else []
    return chart_card.missing_letters([*texts, *(mark.text for mark in picture.marks), *trend])


def png(picture: Picture) -> bytes:
    """Return the picture, 720 x 1200 pixels (780 with a single panel)."""
    card = Card(HEIGHT_OF_ONE if picture.only else HEIGHT)
    times = times_of(picture)
    top = _head(card, picture, times)
    marks = placed(picture, times)
    top_of_marks, top = top, top + len(marks) * SMALL * LEADING + (10 if marks else 0)
    metrics = [m for m in Metric if picture.only in (None, m)]
    bottom = card.height - PAD - SMALL * LEADING
    each = (bottom - top) / len(metrics)
    for place, metric in enumerate(metrics):
        panel = _Panel(metric=metric, top=top + place * each, bottom=top + (place + 1) * each - BETWEEN)
        _panel(card, picture, panel, times, last=place == len(metrics) - 1)
    _marks(card, marks, since=top_of_marks, until=bottom - BETWEEN)
    return card.png()


@dataclass(frozen=True, kw_only=True)
class Times:
    """The panels' width in time: minutes since `since`, and pixels from the card's left edge."""

    since: datetime
    until: datetime
    zone: ZoneInfo

    def minutes(self, at: datetime) -> float:
        return (at - self.since).total_seconds() / 60

    @property
    def length(self) -> float:
        return self.minutes(self.until)

    def pixel(self, at: datetime) -> float:
        return LEFT + (RIGHT - LEFT) * self.minutes(at) / self.length

    def clock(self, at: datetime) -> str:
        return f"{at.astimezone(self.zone):%H:%M}"


def times_of(picture: Picture) -> Times:
    """Return from when to when the picture goes: ten minutes at least."""
    since = picture.since
    if since is None:
        since = min([picture.until - USUAL, *(point.at for point in picture.points)])
    since = min(since, picture.until - SHORTEST)
    until = max(picture.until, picture.trend.until) if picture.trend else picture.until
    return Times(since=since, until=until, zone=_zone(picture.zone))


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


def _zone_label(zone: ZoneInfo, at: datetime) -> str:
    offset = f"{at.astimezone(zone):%z}"
    return "UTC" if zone.key == "UTC" else f"{zone.key} (UTC{offset[:3]}:{offset[3:]})"


def _head(card: Card, picture: Picture, times: Times) -> float:
    """Write title, day and zone, and the legend; return where they end."""
    room = WIDTH - 2 * PAD
    y = PAD + TITLE / 2
    for line in in_lines(picture.title, room, most=2, size=TITLE, bold=True):
        card.text(PAD, y, line, size=TITLE, bold=True)
        y += TITLE * LEADING
    day = f"{picture.until.astimezone(times.zone):%Y-%m-%d}"
    card.text(PAD, y, f"{day} · {_zone_label(times.zone, picture.until)}", colour=QUIET)
    y += SMALL * LEADING + 6
    legend = [(*_STROKES[Side.CANARY], picture.canary), (*_STROKES[Side.STABLE], picture.stable)]
    if picture.trend:
        legend.append((INK, ":", 2.6, picture.trend.text))
    for colour, stroke, wide, text in legend:
        card.line((PAD, PAD + 50), (y, y), colour=colour, stroke=stroke, wide=wide)
        card.text(PAD + 62, y, cut(text, room - 62))
        y += SMALL * LEADING
    return y - SMALL / 2 + 8


@dataclass(frozen=True, kw_only=True)
class _Panel:
    metric: Metric
    top: float
    bottom: float

    @property
    def y(self) -> tuple[float, float]:
        """Where it lies on the card, below its heading."""
        return self.top + SMALL * LEADING, self.bottom


def _panel(card: Card, picture: Picture, panel: _Panel, times: Times, *, last: bool) -> None:
    metric = panel.metric
    heading = picture.metrics[list(Metric).index(metric)]
    # Not over the numbers at the left: the topmost would be half hidden.
    card.text(LEFT, panel.top + SMALL / 2, cut(heading, RIGHT - LEFT, bold=True), bold=True, over=CARD)
    card.area((LEFT, RIGHT), panel.y, colour=PANEL, above=-2)
    if picture.shaded:
        _shade(card, picture.shaded, panel, times)
    axes = card.axes((LEFT, RIGHT), panel.y)
    series = {side: _series(picture.points, side, _VALUES[metric], times) for side in _STROKES}
    top = _top(picture, metric, series)
    axes.set_xlim(0, times.length)
    axes.set_ylim(0, top)
    _ticks(axes, times, last=last)
    for since, until in gaps(picture, metric, times):
        _gap(card, picture, panel, times, since, until)
    for side, (colour, stroke, wide) in reversed(_STROKES.items()):
        _curve(axes, series[side], colour, stroke, wide)
    if picture.trend and picture.only is metric:
        trend = picture.trend
        x = [times.minutes(trend.at), times.minutes(trend.until)]
        axes.plot(x, [trend.value, trend.last_value], color=INK, linestyle=":", linewidth=2.6)
    _limits(card, axes, picture, panel, top)


def _top(picture: Picture, metric: Metric, series: dict[Side, _Series]) -> float:
    """Return how high the panel goes: both lines are always on it."""
    red = picture.thresholds.limits(metric).red_above
    highest = max((v for _, what in series.values() for v in what if not math.isnan(v)), default=0.0)
    if metric in (Metric.MEMORY, Metric.CPU):
        return max(100.0, red * 1.05, highest * 1.05)
    return max(red * 1.3, highest * 1.1)


def _series(points: tuple[Point, ...], side: Side, value: _Value, times: Times) -> _Series:
    """Return times and values of one side; a value that is not known is NaN, where the line breaks off."""
    when: list[float] = []
    what: list[float] = []
    step = LONGEST_STEP.total_seconds() / 60
    for point in points:
        at, known = times.minutes(point.at), value(point.side(side))
        if when and at - when[-1] > step:
            when.append(when[-1] + step / 2)
            what.append(math.nan)
        when.append(at)
        what.append(known if known is not None and math.isfinite(known) else math.nan)
    return when, what


def _curve(axes: Axes, series: _Series, colour: str, stroke: Stroke, wide: float) -> None:
    """Draw one side; a value without neighbours is a dot, for no line goes through it."""
    when, what = series
    known = [not math.isnan(value) for value in (math.nan, *what, math.nan)]
    alone = [n for n in range(len(what)) if known[n + 1] and not known[n] and not known[n + 2]]
    axes.plot(
        when, what, color=colour, linestyle=stroke, linewidth=wide, marker="o", markersize=wide * 2.4,
        markevery=alone, solid_joinstyle="round", clip_on=True,
    )  # fmt: skip


def gaps(picture: Picture, metric: Metric, times: Times) -> list[tuple[datetime, datetime]]:
    """Return from when to when neither side has a value."""
    value = _VALUES[metric]
    known = [
        point.at
        for point in picture.points
        if times.since <= point.at <= picture.until
        and any(_is_number(value(point.side(side))) for side in Side)
    ]
    if not known:
        return [(times.since, times.until)]
    # A point is the minute before it, and the newest minutes are only on their way.
    ends = [times.since, *known, max(known[-1], picture.until - NEWEST_COMES_AFTER)]
    step = LONGEST_STEP
    return [(a, b) for a, b in pairwise(ends) if b - a > step]


def _is_number(value: float | None) -> bool:
    return value is not None and math.isfinite(value)


def _gap(card: Card, picture: Picture, panel: _Panel, times: Times, since: datetime, until: datetime) -> None:
    x, (above, below) = (times.pixel(since), times.pixel(until)), panel.y
    card.area(x, panel.y, colour=EMPTY, above=-1.5)
    room, long = x[1] - x[0], text_width(picture.nothing, SMALL) + 12
    upright = long > room
    if not upright or (room >= SMALL + 4 and long <= below - above):
        place = sum(x) / 2, (above + below) / 2
        card.text(*place, picture.nothing, colour=QUIET, align="center", over=EMPTY, upright=upright)


def _limits(card: Card, axes: Axes, picture: Picture, panel: _Panel, top: float) -> None:
    """Draw where it turns yellow and red, with the numbers at the right, one never over the other."""
    limits = picture.thresholds.limits(panel.metric)
    above, below = panel.y

    def height(value: float) -> float:
        return below - (below - above) * value / top

    yellow, red = height(limits.yellow_above), height(limits.red_above)
    apart = max(0.0, SMALL * 1.1 - (yellow - red))
    lines = (limits.yellow_above, YELLOW, yellow + apart / 2), (limits.red_above, RED, red - apart / 2)
    # Where both are low, the lower number must not sink into the panel below.
    sunk = max(0.0, lines[0][2] - (below - SMALL * 0.35))
    for value, colour, y in lines:
        axes.axhline(value, color=colour, linestyle=(0, (2, 2)), linewidth=2)
        card.text(RIGHT + 8, y - sunk, f"{value:g}", colour=colour, bold=True)


def _ticks(axes: Axes, times: Times, *, last: bool) -> None:
    places = [(times.minutes(at), times.clock(at)) for at in whole_times(times)]
    axes.xaxis.set_major_locator(FixedLocator([place for place, _ in places]))
    axes.set_xticklabels([text for _, text in places] if last else [""] * len(places))
    axes.yaxis.set_major_locator(MaxNLocator(nbins=3, steps=chart_card.STEPS, min_n_ticks=2))
    for place in axes.get_yticks():
        axes.axhline(place, color=GRID, linewidth=1, zorder=0.5)


def whole_times(times: Times) -> list[datetime]:
    """Return round times of the reader's day, a few of them."""
    step = next((s for s in STEPS if times.length / s <= MOST_TIMES), STEPS[-1])
    local = times.since.astimezone(times.zone)
    into_day = local.hour * 60 + local.minute + local.second / 60 + local.microsecond / 60e6
    first = times.since + timedelta(minutes=-into_day % step)
    count = int((times.until - first) / timedelta(minutes=step)) + 1
    found = [first + timedelta(minutes=step * n) for n in range(max(count, 0))]
    # A time at the very edge would be cut off.
    return [at for at in found if LEFT <= times.pixel(at) <= WIDTH - 36]


@dataclass(frozen=True, kw_only=True)
class Placed:
    """A mark's line at pixel `x`, and its label in row `row`, before or behind the line."""

    x: float
    row: int
    text: str
    before: bool
    colour: str


def placed(picture: Picture, times: Times) -> list[Placed]:
    """Give every mark a row of its own, so that no label covers another.

    Labels behind their lines go down like stairs, and labels before them go up: so no line crosses the
    label of another one unless both kinds meet.
    """
    shown = sorted((m for m in picture.marks if times.since <= m.at <= times.until), key=lambda m: m.at)
    shown = shown[:1] + shown[-MOST_MARKS + 1 :] if len(shown) > MOST_MARKS else shown
    texts = {mark: _label(mark, times) for mark in shown}
    widest = max((text_width(text, SMALL) for text in texts.values()), default=0.0) + 14
    behind = [mark for mark in shown if times.pixel(mark.at) + widest <= WIDTH - PAD]
    before = [mark for mark in reversed(shown) if mark not in behind]
    rows = [(mark, mark in before) for mark in (*behind, *before)]
    return [
        Placed(x=times.pixel(mark.at), row=row, text=texts[mark], before=is_before, colour=MARKS[mark.kind])
        for row, (mark, is_before) in enumerate(rows)
    ]


def _label(mark: Mark, times: Times) -> str:
    return cut(f"{times.clock(mark.at)} {mark.text}", (WIDTH - 2 * PAD) / 2)


def _marks(card: Card, marks: list[Placed], *, since: float, until: float) -> None:
    for mark in marks:
        y = since + (mark.row + 0.5) * SMALL * LEADING
        card.line((mark.x, mark.x), (y - SMALL * 0.55, until), colour=mark.colour, stroke="-", wide=1.8)
        align, x = ("right", mark.x - 8) if mark.before else ("left", mark.x + 8)
        card.text(x, y, mark.text, colour=mark.colour, align=align, over=CARD)


def _shade(card: Card, shaded: tuple[datetime, datetime], panel: _Panel, times: Times) -> None:
    since, until = (min(max(at, times.since), times.until) for at in shaded)
    if until > since:
        x = times.pixel(since), times.pixel(until)
        card.area(x, panel.y, colour=SHADED, above=-1.2, alpha=SHADED_BY)
