"""A document as its parts: what is printed as a PDF. Texts are plain, in the reader's language, and final."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, kw_only=True)
class Heading:
    """A heading of level 1 to 3."""

    text: str
    level: int = 2


@dataclass(frozen=True, kw_only=True)
class Paragraph:
    """Running text; `quiet` is smaller and grey."""

    text: str
    quiet: bool = False


@dataclass(frozen=True, kw_only=True)
class Bullets:
    """A list."""

    lines: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Grid:
    """A table; every row has as many cells as `heads`. `widths` are relative; empty: all the same."""

    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    widths: tuple[float, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Image:
    """A PNG as wide as the page allows, with a line below it."""

    png: bytes
    caption: str = ""


Piece = Heading | Paragraph | Bullets | Grid | Image


@dataclass(frozen=True, kw_only=True)
class Document:
    """A whole document. `at` (aware, UTC) is its date, so that the same content makes the same bytes."""

    title: str
    language: str
    at: datetime
    footer: str
    pieces: tuple[Piece, ...]
