"""A text for reading outside Slack, as pieces: headings, paragraphs, lists and tables; and as Markdown."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Mark(StrEnum):
    """What stands before each row of a list."""

    POINT = "-"
    NUMBER = "1."
    BOX = "- [ ]"


@dataclass(frozen=True)
class Heading:
    """`level` counts from 1, the title."""

    level: int
    text: str


@dataclass(frozen=True)
class Paragraph:
    """One paragraph; `strong` where nobody may overlook it."""

    text: str
    strong: bool = False


@dataclass(frozen=True)
class Row:
    """One row of a list. `number` replaces its own, `below` are points under it."""

    text: str
    below: Sequence[str] = ()
    number: str | None = None


@dataclass(frozen=True)
class Rows:
    """A list."""

    mark: Mark
    rows: Sequence[Row]

    def numbered(self) -> Iterable[tuple[str, Row]]:
        """Yield each row with what stands before it; a row with a number of its own is not counted."""
        counted = 0
        for row in self.rows:
            counted += row.number is None
            mark = f"{row.number or counted}." if self.mark is Mark.NUMBER else self.mark.value
            yield mark, row


@dataclass(frozen=True)
class Table:
    """A table; every row is as long as `head`."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]


Piece = Heading | Paragraph | Rows | Table


def listed(texts: Iterable[str], mark: Mark = Mark.POINT) -> Rows:
    """Return a list of plain rows."""
    return Rows(mark, [Row(text) for text in texts])


def as_markdown(pieces: Iterable[Piece]) -> str:
    """Return the pieces as Markdown, with nothing escaped but what would break a table."""
    return "\n\n".join(_markdown(piece) for piece in pieces)


def _markdown(piece: Piece) -> str:
    match piece:
        case Heading():
            return f"{'#' * piece.level} {piece.text}"
        case Paragraph():
            return f"**{piece.text}**" if piece.strong else piece.text
        case Rows():
            return "\n".join(line for mark, row in piece.numbered() for line in _lines(mark, row))
        case Table():
            return "\n".join(_cells(row) for row in [piece.head, ["---"] * len(piece.head), *piece.rows])


def _lines(mark: str, row: Row) -> Iterable[str]:
    yield f"{mark} {row.text}"
    yield from (f"{' ' * 3}- {text}" for text in row.below)


def _cells(row: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |"
