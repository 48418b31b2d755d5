"""Pages on a terminal: Rich where somebody looks, Markdown where another program reads."""

from collections.abc import Iterable

from rich import box
from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table as RichTable
from rich.text import Text

from bot.slack.views.pages import Heading, Mark, Paragraph, Piece, Rows, Table, as_markdown

#: Colours of the headings by level; deeper ones look like the last.
_STYLES = ("bold white on blue", "bold blue", "bold cyan", "bold")
_BOX = "☐"


def print_pages(pieces: Iterable[Piece], console: Console) -> None:
    """Print the pieces to `console`."""
    if not console.is_terminal:
        # A pipe has no width: nothing is wrapped or cut.
        console.file.write(as_markdown(pieces) + "\n")
        return
    for piece in pieces:
        console.print(_drawn(piece))


def _drawn(piece: Piece) -> RenderableType:
    match piece:
        case Heading():
            style = _STYLES[min(piece.level, len(_STYLES)) - 1]
            return Padding(Text(piece.text, style=style), (1, 0, 0, 0))
        case Paragraph():
            return Text(piece.text, style="bold" if piece.strong else "")
        case Rows():
            return _list(piece)
        case Table():
            return _table(piece)


def _list(rows: Rows) -> RichTable:
    drawn = RichTable.grid(padding=(0, 1))
    for mark, row in rows.numbered():
        text = "\n".join([row.text, *(f"- {below}" for below in row.below)])
        drawn.add_row(f"  {_BOX if rows.mark is Mark.BOX else mark}", Text(text))
    return drawn


def _table(table: Table) -> RichTable:
    drawn = RichTable(box=box.SIMPLE_HEAD)
    for name in table.head:
        drawn.add_column(Text(name), overflow="fold")
    for row in table.rows:
        drawn.add_row(*(Text(cell) for cell in row))
    return drawn
