"""Printing a document as a PDF with fpdf2; imported by the process that draws and by nothing else.

The same document makes the same bytes: the only time in the file is the document's own.
"""

import io
from collections.abc import Iterator

from fpdf import FPDF
from fpdf.enums import TableBordersLayout, XPos, YPos
from fpdf.errors import FPDFException
from fpdf.fonts import FontFace
from PIL import Image as PillowImage

from bot.adapters.fonts import korean_font, symbol_font
from bot.adapters.letters import in_letters, letters_of
from bot.domain.document import Bullets, Document, Grid, Heading, Image, Paragraph, Piece
from bot.slack.text import Words

#: Millimetres on an A4 page.
MARGIN, FOOTER_HIGH, LINE, GAP, INDENT = 18.0, 15.0, 5.4, 2.6, 5.0
PADDING, ROOM_TO_ROUND = 1.4, 1.0
#: Pictures are as wide as the page, but not higher than this.
HIGHEST_IMAGE = 205.0
#: A heading stays with so much of what follows it, millimetres.
KEPT_TOGETHER = 22.0
#: Letters, points.
BODY, QUIET, IN_GRID = 10.0, 8.5, 9.0
HEADINGS = {1: 17.0, 2: 13.0, 3: 11.0}
#: A cell with more lines goes on in the next row: no row may be higher than a page.
MOST_LINES = 36
_INK, _GREY, _RULE, _HEAD = (29, 28, 29), (95, 94, 92), (200, 198, 192), (240, 238, 232)
_TEXT, _SYMBOLS = "text", "symbols"


def pdf(document: Document) -> bytes:
    """Return the document as a PDF, A4. Raises `ValueError` where it cannot be laid out."""
    paper = _Paper(document)
    try:
        paper.print_all()
        return bytes(paper.output())
    except FPDFException as error:
        raise ValueError(str(error)) from error


class _Paper(FPDF):
    """Pages of one document, with its footer; counts the letters it has no glyph for."""

    def __init__(self, document: Document) -> None:
        super().__init__(format="A4")
        self._document = document
        self._words = Words(locale=document.language)
        self._missing = 0
        self._level = 0
        self._describe()
        for style, bold in (("", False), ("B", True)):
            self.add_font(_TEXT, style, korean_font(bold=bold))
        if self._wants_symbols():
            for style, bold in (("", False), ("B", True)):
                self.add_font(_SYMBOLS, style, symbol_font(bold=bold))
            self.set_fallback_fonts([_SYMBOLS])
        self._footer = self._letters(document.footer)
        self.set_margins(MARGIN, MARGIN)
        self.c_margin = 0
        self.set_auto_page_break(True, margin=MARGIN + FOOTER_HIGH / 2)

    def _describe(self) -> None:
        self.set_title(self._document.title)
        self.set_lang(self._document.language)
        self.set_creator("Backout")
        self.set_producer("Backout")
        self.set_creation_date(self._document.at)

    def _wants_symbols(self) -> bool:
        """True where a letter is not in the first font: the second one costs time and size."""
        used = {ord(letter) for text in _texts(self._document) for letter in in_letters(text)[0]}
        return bool((used - letters_of()) & letters_of(symbols=True))

    def print_all(self) -> None:
        """Print every piece, and last of all what could not be printed."""
        self.add_page()
        for piece in self._document.pieces:
            self._print(piece)
        if self._missing:
            # Said in the file itself: whoever reads it has nothing else.
            text = self._words.plain(
                "Characters that could not be printed and are shown as □: {count}.", count=self._missing
            )
            self._paragraph(Paragraph(text=text, quiet=True))

    def footer(self) -> None:
        """Print the last line of a page; called by fpdf2."""
        self.set_y(-FOOTER_HIGH)
        self._ink(QUIET, colour=_GREY)
        page = self._words.plain("page {page} of {pages}", page=self.page_no(), pages=self.str_alias_nb_pages)
        # Its number of pages is not known yet; two digits more make no difference.
        self.cell(0, LINE, self._cut(self._footer, self.epw - self.get_string_width(page) - GAP))
        self.set_x(MARGIN)
        self.cell(0, LINE, page, align="R")

    def _print(self, piece: Piece) -> None:
        match piece:
            case Heading():
                self._heading(piece)
            case Paragraph():
                self._paragraph(piece)
            case Bullets():
                self._bullets(piece)
            case Grid():
                self._grid(piece)
            case Image():
                self._image(piece)

    def _letters(self, text: str) -> str:
        known, missing = in_letters(text)
        self._missing += missing
        return known

    def _cut(self, line: str, wide: float) -> str:
        if self.get_string_width(line) <= wide:
            return line
        while line and self.get_string_width(line + "…") > wide:
            line = line[:-1]
        return line + "…"

    def _ink(self, size: float, *, bold: bool = False, colour: tuple[int, int, int] = _INK) -> None:
        self.set_font(_TEXT, "B" if bold else "", size)
        self.set_text_color(*colour)

    def _lines(self, text: str, high: float, *, wide: float = 0) -> None:
        self.multi_cell(wide, high, text, align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)

    def _heading(self, piece: Heading) -> None:
        level = min(max(piece.level, 1), len(HEADINGS))
        size = HEADINGS[level]
        if self.will_page_break(size / 2 + KEPT_TOGETHER):
            self.add_page()
        elif self.get_y() > MARGIN:
            self.ln(GAP)
        text = " ".join(self._letters(piece.text).split())
        self._ink(size, bold=True)
        # The table of contents of a PDF may not leave a level out.
        self._level = min(level, self._level + 1)
        self.start_section(text, level=self._level - 1)
        self._lines(text, size * 0.5)
        self.ln(GAP / 2)

    def _paragraph(self, piece: Paragraph) -> None:
        size, colour = (QUIET, _GREY) if piece.quiet else (BODY, _INK)
        self._ink(size, colour=colour)
        self._lines(self._letters(piece.text), LINE * size / BODY)
        self.ln(GAP)

    def _bullets(self, piece: Bullets) -> None:
        self._ink(BODY)
        for line in piece.lines:
            text = self._letters(line)
            if self.will_page_break(LINE):
                self.add_page()
            self.cell(INDENT, LINE, "•")
            self.set_left_margin(MARGIN + INDENT)
            self._lines(text, LINE)
            self.set_left_margin(MARGIN)
            self.set_x(MARGIN)
        self.ln(GAP)

    def _grid(self, piece: Grid) -> None:
        count = max([len(piece.heads), *(len(row) for row in piece.rows)])
        widths = piece.widths if len(piece.widths) == count else (1.0,) * count
        columns = [width * self.epw / sum(widths) for width in widths]
        if self.will_page_break(KEPT_TOGETHER):
            self.add_page()
        self._ink(IN_GRID)
        self.set_draw_color(*_RULE)
        with self.table(
            col_widths=tuple(columns),
            text_align="LEFT",
            v_align="TOP",
            line_height=LINE * 0.9,
            padding=(1.1, PADDING),
            borders_layout=TableBordersLayout.HORIZONTAL_LINES,
            headings_style=FontFace(emphasis="BOLD", fill_color=_HEAD, color=_INK),
            first_row_as_headings=bool(piece.heads),
        ) as table:
            if piece.heads:
                table.row([self._letters(head) for head in _filled(piece.heads, count)])
            for row in piece.rows:
                for part in self._parts([self._letters(cell) for cell in _filled(row, count)], columns):
                    table.row(part)
        self.ln(GAP)

    def _parts(self, cells: list[str], columns: list[float]) -> Iterator[list[str]]:
        """Yield a row in parts that a page has room for."""
        inside = [wide - 2 * PADDING - ROOM_TO_ROUND for wide in columns]
        pieces = [list(self._pieces(cell, wide)) for cell, wide in zip(cells, inside, strict=True)]
        for number in range(max(len(piece) for piece in pieces)):
            yield [piece[number] if number < len(piece) else "" for piece in pieces]

    def _pieces(self, text: str, wide: float) -> Iterator[str]:
        # No letter is narrower than half a millimetre: so short a text cannot have too many lines.
        if len(text) <= MOST_LINES and "\n" not in text:
            yield text
            return
        lines = self.multi_cell(wide, LINE, text, align="L", dry_run=True, output="LINES")
        assert isinstance(lines, list)
        for first in range(0, max(len(lines), 1), MOST_LINES):
            yield text if len(lines) <= MOST_LINES else "\n".join(lines[first : first + MOST_LINES])

    def _image(self, piece: Image) -> None:
        with PillowImage.open(io.BytesIO(piece.png)) as picture:
            wide, high = picture.size
        scale = min(self.epw / wide, HIGHEST_IMAGE / high)
        wide_mm, high_mm = wide * scale, high * scale
        if self.will_page_break(high_mm + (2 * LINE if piece.caption else 0)):
            self.add_page()
        left = MARGIN + (self.epw - wide_mm) / 2
        caption = self._letters(piece.caption)
        self.image(io.BytesIO(piece.png), x=left, w=wide_mm, h=high_mm, alt_text=caption or None)
        self.ln(GAP / 2)
        if caption:
            self._ink(QUIET, colour=_GREY)
            self._lines(caption, LINE * QUIET / BODY)
        self.ln(GAP)


def _filled(row: tuple[str, ...], count: int) -> tuple[str, ...]:
    return row + ("",) * (count - len(row))


def _texts(document: Document) -> Iterator[str]:
    yield document.footer
    for piece in document.pieces:
        match piece:
            case Heading() | Paragraph():
                yield piece.text
            case Bullets():
                yield from piece.lines
            case Grid():
                yield from piece.heads
                for row in piece.rows:
                    yield from row
            case Image():
                yield piece.caption
