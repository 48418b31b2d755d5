"""What every picture of ours stands on: a light card with its colours, letters, and how it becomes a PNG.

The card is opaque, so that it reads the same in a light and in a dark Slack, and 720 pixels wide with
letters of 22 and more: on a telephone, 360 points wide, those are 11 points. Sizes are pixels from the
card's upper left corner. Imported by the process that draws and by nothing else.
"""

# mypy: disable-error-code="no-untyped-call"
# Some of matplotlib's functions have no types.

import io
from collections.abc import Iterable
from functools import cache
from typing import Literal

import matplotlib
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, fontManager
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.text import Text
from PIL import Image

from bot.adapters.fonts import korean_font
from bot.adapters.letters import letters_of

WIDTH = 720
PAD = 24
#: Heights of letters, pixels; no letter is smaller than `SMALL`.
TITLE, SMALL = 30, 22
#: From one line of letters to the next.
LEADING = 1.36

#: Every colour of letters has a contrast of at least 4.5 with every background it stands on (WCAG 2.1, AA).
CARD, PANEL, EMPTY = "#faf8f3", "#ffffff", "#efece4"
#: Between decision and verification, `SHADED_BY` of it over whatever lies there.
SHADED, SHADED_BY = "#c9d6ea", 0.45
INK, QUIET = "#1d1c1d", "#5a5854"
GRID, FRAME = "#e2ded4", "#9a968c"
#: Told apart by colour-blind people too: darker kin of the palette of Okabe and Ito.
CANARY, STABLE = "#b34700", "#00598c"
YELLOW, RED = "#7a5c00", "#b00020"
MARKS = DEPLOYED, DETECTED, DECIDED, VERIFIED = QUIET, "#8a1f6b", INK, "#1b6b3a"
#: For parts of bars; nothing is written on them.
PARTS = ("#00598c", "#d08700", "#3f8f6b", "#b34700", "#8a5a9c", "#6b7280", "#56a5d8", "#c9699e")

#: NanumGothic's bold says of itself that it is semi-bold.
_WEIGHT = {False: 400, True: 600}

#: Numbers beside a panel go up by these, or ten times as much.
STEPS = (1, 2, 2.5, 5, 10)
#: How a line is drawn: through, dotted, or so many pixels and so many not.
Stroke = Literal["-", ":"] | tuple[float, tuple[float, float]]


@cache
def _set_up() -> None:
    """Let matplotlib draw with our letters; the process is ours, so its settings are."""
    for bold in (False, True):
        fontManager.addfont(str(korean_font(bold=bold)))
    matplotlib.rcParams.update(
        {
            "font.family": ["NanumGothic", "DejaVu Sans"],
            "font.size": SMALL,
            # "$" in a text is a dollar and begins no formula.
            "text.parse_math": False,
            # NanumGothic has no such letter; a hyphen does.
            "axes.unicode_minus": False,
        }
    )


def missing_letters(texts: Iterable[str]) -> str:
    """Return those letters of `texts` that no font of ours has; they would be empty boxes."""
    known = letters_of() | letters_of(symbols=True)
    letters = dict.fromkeys("".join(texts))
    return "".join(letter for letter in letters if not letter.isspace() and ord(letter) not in known)


class Card:
    """A card of so many pixels that things are put on, from above to below."""

    def __init__(self, height: int) -> None:
        _set_up()
        self.height = height
        # 72 dots an inch: a point of matplotlib's is a pixel of ours.
        self.figure = Figure(figsize=(WIDTH / 72, height / 72), dpi=72, facecolor=CARD)
        self._canvas = FigureCanvasAgg(self.figure)

    def wide(self, text: str, *, size: float = SMALL, bold: bool = False) -> float:
        """Return how many pixels wide `text` is."""
        return text_width(text, size, bold)

    def text(
        self,
        x: float,
        y: float,
        text: str,
        *,
        size: float = SMALL,
        bold: bool = False,
        colour: str = INK,
        align: str = "left",
        over: str | None = None,
        upright: bool = False,
    ) -> Text:
        """Write one line whose middle is at `y`; `over` hides what lies behind it in that colour."""
        box = {"facecolor": over, "edgecolor": "none", "pad": 2.5} if over else None
        return self.figure.text(
            x / WIDTH, 1 - y / self.height, text, fontsize=size, fontweight=_WEIGHT[bold],
            color=colour, ha=align, va="center" if upright else "center_baseline", bbox=box, zorder=5,
            rotation=90 if upright else 0,
        )  # fmt: skip

    def line(
        self,
        x: tuple[float, float],
        y: tuple[float, float],
        *,
        colour: str,
        stroke: Stroke = "-",
        wide: float = 2,
    ) -> None:
        """Draw a straight line over everything but letters."""
        places = [x[0] / WIDTH, x[1] / WIDTH], [1 - y[0] / self.height, 1 - y[1] / self.height]
        line = Line2D(*places, color=colour, linestyle=stroke, linewidth=wide, figure=self.figure, zorder=3)
        self.figure.add_artist(line)

    def area(
        self,
        x: tuple[float, float],
        y: tuple[float, float],
        *,
        colour: str,
        above: float = -1,
        alpha: float = 1,
    ) -> None:
        """Fill a rectangle behind lines and letters; of two, the one with the larger `above` is seen."""
        corner = (x[0] / WIDTH, 1 - y[1] / self.height)
        wide, high = (x[1] - x[0]) / WIDTH, (y[1] - y[0]) / self.height
        self.figure.add_artist(
            Rectangle(corner, wide, high, facecolor=colour, edgecolor="none", zorder=above, alpha=alpha)
        )

    def axes(self, x: tuple[float, float], y: tuple[float, float]) -> Axes:
        """Return axes that fill a rectangle, with a frame at the left and below."""
        place = (x[0] / WIDTH, 1 - y[1] / self.height, (x[1] - x[0]) / WIDTH, (y[1] - y[0]) / self.height)
        axes = self.figure.add_axes(place)
        axes.patch.set_visible(False)
        axes.spines[["top", "right"]].set_visible(False)
        axes.spines[["left", "bottom"]].set_color(FRAME)
        axes.tick_params(labelsize=SMALL, labelcolor=QUIET, color=FRAME, length=4, pad=5)
        # The first number below must not touch the last one at the left.
        axes.tick_params(axis="x", pad=9)
        axes.grid(visible=False)
        return axes

    def png(self) -> bytes:
        """Return what is on the card."""
        self._canvas.draw()
        pixels = Image.frombuffer("RGBA", self._canvas.get_width_height(), self._canvas.buffer_rgba())
        # Colours chosen by how much there is of them would paint a short line in its neighbour's colour.
        few = pixels.convert("RGB").quantize(palette=_palette(), dither=Image.Dither.NONE)
        file = io.BytesIO()
        few.save(file, "PNG", compress_level=6)
        return file.getvalue()


@cache
def _palette() -> Image.Image:
    """Return all colours there are: each ink on each ground, and what lies between them for smooth edges."""
    inks, grounds = (INK, QUIET, FRAME, GRID, CANARY, STABLE, YELLOW, RED, *MARKS), (CARD, PANEL, EMPTY)
    shaded = (mixed(SHADED, ground, SHADED_BY) for ground in grounds)
    found = dict.fromkeys((*grounds, *shaded, *PARTS, *inks))
    for part in (0.75, 0.5, 0.25):
        found |= dict.fromkeys(mixed(ink, ground, part) for ink in inks for ground in grounds)
    flat = [channel for colour in list(found)[:256] for channel in channels(colour)]
    image = Image.new("P", (1, 1))
    image.putpalette(flat)
    return image


def channels(colour: str) -> tuple[int, int, int]:
    """Return red, green and blue of "#rrggbb", 0 to 255."""
    red, green, blue = bytes.fromhex(colour.removeprefix("#"))
    return red, green, blue


def mixed(ink: str, ground: str, part: float) -> str:
    """Return `ground` with so large a part of `ink` over it, 0 to 1."""
    both = zip(channels(ink), channels(ground), strict=True)
    return "#" + bytes(round(part * a + (1 - part) * b) for a, b in both).hex()


@cache
def _properties(size: float, bold: bool) -> FontProperties:
    return FontProperties(family=["NanumGothic", "DejaVu Sans"], size=size, weight=_WEIGHT[bold])


@cache
def _measuring() -> FigureCanvasAgg:
    _set_up()
    return FigureCanvasAgg(Figure(figsize=(1, 1), dpi=72))


def text_width(text: str, size: float, bold: bool = False) -> float:
    """Return how many pixels wide `text` is drawn."""
    renderer = _measuring().get_renderer()
    width, _, _ = renderer.get_text_width_height_descent(text, _properties(size, bold), ismath=False)
    return float(width)


def cut(text: str, wide: float, *, size: float = SMALL, bold: bool = False) -> str:
    """Return `text`, cut with "…" where it is wider than so many pixels."""
    if text_width(text, size, bold) <= wide:
        return text
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        fits = text_width(text[:middle].rstrip() + "…", size, bold) <= wide
        low, high = (middle, high) if fits else (low, middle - 1)
    return text[:low].rstrip() + "…"


def in_lines(text: str, wide: float, *, most: int, size: float = SMALL, bold: bool = False) -> list[str]:
    """Return `text` in at most so many lines, broken at spaces; the last one is cut."""
    lines: list[str] = []
    words = text.split()
    while words and len(lines) < most - 1:
        count = len(words)
        while count > 1 and text_width(" ".join(words[:count]), size, bold) > wide:
            count -= 1
        lines.append(cut(" ".join(words[:count]), wide, size=size, bold=bold))
        words = words[count:]
    return [*lines, cut(" ".join(words), wide, size=size, bold=bold)] if words else lines
