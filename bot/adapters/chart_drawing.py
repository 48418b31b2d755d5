"""Drawing one picture with matplotlib; imported by the process that draws and by nothing else.

Canary and stable differ by colour *and* by stroke, and their colours are told apart by colour-blind
people too (the palette of Okabe and Ito). What there is no data of is a gap.
"""

# mypy: disable-error-code="no-untyped-call"
# Some of matplotlib's functions have no types.

import io
import math
from collections.abc import Callable
from datetime import datetime, timedelta, tzinfo
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import matplotlib
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.dates import AutoDateLocator, DateFormatter, date2num
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, fontManager, get_font
from PIL import Image

from bot.domain.observation import Point, SideValues
from bot.domain.picture import Picture
from bot.domain.playbook import Limits
from bot.domain.readings import Metric, Side

WIDTH_INCHES, HEIGHT_INCHES, DOTS_PER_INCH = 9.0, 5.6, 100
#: Enough for lines and smooth letters; a picture is a quarter of its size by it.
COLOURS = 48
#: What is shown without any data, and at least.
SHORTEST = timedelta(minutes=60)
#: A minute that is missing is a gap; one that came some seconds late is none.
LONGEST_STEP = timedelta(seconds=90)
#: Where a mark's text, and the name of a side, are cut, characters.
LONGEST_MARK, LONGEST_NAME = 30, 56
#: Marks in this last part of the time have their text before the line, not behind it.
LAST_PART = 0.9

_STROKES = {Side.CANARY: ("#d55e00", "-", "o"), Side.STABLE: ("#0072b2", "--", "s")}
_YELLOW, _RED, _MARK = "#a07800", "#b00020", "#555555"
_BASE_FONT = "DejaVu Sans"
#: Fonts with Korean letters, as they are called on Linux, macOS and Windows.
_KOREAN_FONTS = (
    "Noto Sans CJK KR", "Noto Sans KR", "Noto Sans CJK JP", "NanumGothic", "Nanum Gothic", "UnDotum",
    "Baekmuk Gulim", "Apple SD Gothic Neo", "AppleGothic", "Malgun Gothic", "Gulim",
)  # fmt: skip

_Value = Callable[[SideValues], float | None]
_VALUES: dict[Metric, _Value] = {
    Metric.ERROR_RATE: lambda side: side.error_rate,
    Metric.P95: lambda side: side.p95,
    Metric.MEMORY: lambda side: side.memory,
    Metric.CPU: lambda side: side.cpu,
}


@cache
def _fonts() -> tuple[str, ...]:
    """Return the fonts to take letters from, in order."""
    installed = {font.name for font in fontManager.ttflist}
    return (_BASE_FONT, *(name for name in _KOREAN_FONTS if name in installed))


def missing_letters(picture: Picture) -> str:
    """Return those letters of the picture's texts that no font here has; they would be empty boxes."""
    fonts = [get_font(findfont(FontProperties(family=name))) for name in _fonts()]
    texts = [picture.title, picture.canary, picture.stable, *picture.metrics]
    letters = dict.fromkeys("".join([*texts, *(mark.text for mark in picture.marks)]))
    return "".join(
        letter
        for letter in letters
        if not letter.isspace() and not any(font.get_char_index(ord(letter)) for font in fonts)
    )


def png(picture: Picture) -> bytes:
    """Return the picture, about 900 x 560 pixels and at most 60 kB."""
    # "$" in a text is a dollar and begins no formula.
    with matplotlib.rc_context({"font.family": list(_fonts()), "font.size": 9, "text.parse_math": False}):
        figure = Figure(figsize=(WIDTH_INCHES, HEIGHT_INCHES), dpi=DOTS_PER_INCH, layout="constrained")
        canvas = FigureCanvasAgg(figure)
        figure.suptitle(picture.title, x=0.01, ha="left", fontweight="bold")
        panels = figure.subplots(2, 2, sharex=True).flat
        zone = _zone(picture.zone)
        for axes, metric, heading in zip(panels, Metric, picture.metrics, strict=True):
            _panel(axes, picture, metric, heading, zone)
        for axes in figure.axes[2:]:
            axes.set_xlabel(_zone_label(zone, picture.until))
        lines = figure.axes[0].get_lines()[:2]
        names = [_cut(picture.canary, LONGEST_NAME), _cut(picture.stable, LONGEST_NAME)]
        figure.legend(lines, names, loc="outside lower left", ncols=2, frameon=False)
        canvas.draw()
        pixels = Image.frombuffer("RGBA", canvas.get_width_height(), canvas.buffer_rgba())
    file = io.BytesIO()
    pixels.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(file, "PNG", optimize=True)
    return file.getvalue()


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


def _zone_label(zone: ZoneInfo, at: datetime) -> str:
    offset = f"{at.astimezone(zone):%z}"
    return "UTC" if zone.key == "UTC" else f"{zone.key} (UTC{offset[:3]}:{offset[3:]})"


def _panel(axes: Axes, picture: Picture, metric: Metric, heading: str, zone: tzinfo) -> None:
    values = {side: _series(picture.points, side, _VALUES[metric]) for side in _STROKES}
    for side, (colour, stroke, dot) in _STROKES.items():
        when, what = values[side]
        axes.plot(date2num(when), what, color=colour, linestyle=stroke, marker=dot, markersize=2, lw=1.4)
    limits = picture.thresholds.limits(metric)
    highest = max((v for _, what in values.values() for v in what if not math.isnan(v)), default=0.0)
    top = _top(metric, limits, highest)
    axes.set_ylim(0, top)
    since = min([picture.until - SHORTEST, *(point.at for point in picture.points)])
    axes.set_xlim(float(date2num(since)), float(date2num(picture.until)))
    for limit, colour in ((limits.yellow_above, _YELLOW), (limits.red_above, _RED)):
        axes.axhline(limit, color=colour, linestyle=":", lw=1.2)
        axes.annotate(
            f"{limit:g}", (1, limit), xycoords=("axes fraction", "data"), xytext=(2, 0),
            textcoords="offset points", color=colour, va="center", fontsize=7, annotation_clip=False,
        )  # fmt: skip
    _marks(axes, picture, since=since, top=top)
    axes.set_title(heading, loc="left", fontsize=9)
    locator = AutoDateLocator(tz=zone, maxticks=7)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(DateFormatter("%H:%M", tz=zone))
    axes.grid(True, color="#dddddd", lw=0.5)
    axes.spines[["top", "right"]].set_visible(False)


def _top(metric: Metric, limits: Limits, highest: float) -> float:
    """Return how high the panel goes: both lines are always on it."""
    if metric in (Metric.MEMORY, Metric.CPU):
        return max(100.0, limits.red_above * 1.05, highest * 1.05)
    return max(limits.red_above * 1.3, highest * 1.1)


def _series(points: tuple[Point, ...], side: Side, value: _Value) -> tuple[list[datetime], list[float]]:
    """Return times and values of one side; a value that is not known is NaN, where the line breaks off."""
    when: list[datetime] = []
    what: list[float] = []
    for point in points:
        if when and point.at - when[-1] > LONGEST_STEP:
            when.append(when[-1] + LONGEST_STEP / 2)
            what.append(math.nan)
        known = value(point.side(side))
        when.append(point.at)
        what.append(known if known is not None and math.isfinite(known) else math.nan)
    return when, what


def _marks(axes: Axes, picture: Picture, *, since: datetime, top: float) -> None:
    for mark in picture.marks:
        if not since <= mark.at <= picture.until:
            continue
        late = (mark.at - since) / (picture.until - since) > LAST_PART
        place = float(date2num(mark.at))
        axes.axvline(place, color=_MARK, linestyle="-.", lw=1)
        axes.annotate(
            _cut(mark.text, LONGEST_MARK), (place, top), xytext=(-2 if late else 2, -2),
            textcoords="offset points", rotation=90, ha="right" if late else "left", va="top", fontsize=7,
            color=_MARK,
        )  # fmt: skip


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"
