"""Lines as paragraphs that Slack takes: as many as there must be, and nothing cut."""

import re
from collections.abc import Iterable

#: Below Slack's 3000 for a section, with room for what is put around it.
PARAGRAPH_LIMIT = 2900
#: Below Slack's 2000 for an element of a context.
CONTEXT_LIMIT = 1900
#: A reference or an entity must stay in one piece.
_WHOLE = re.compile(r"<[^<>]*>|&[a-z]+;|.", re.DOTALL)


def paragraphs(lines: Iterable[str], *, limit: int = PARAGRAPH_LIMIT) -> list[str]:
    """Join lines (escaped already) into as few texts of at most `limit` characters as they fit in."""
    found: list[str] = []
    for line in lines:
        for piece in _pieces(line, limit):
            if found and len(found[-1]) + 1 + len(piece) <= limit:
                found[-1] += f"\n{piece}"
            elif piece:
                found.append(piece)
    return found


def _pieces(line: str, limit: int) -> Iterable[str]:
    if len(line) <= limit:
        return [line]
    pieces, piece = [], ""
    for atom in _WHOLE.findall(line):
        if len(piece) + len(atom) > limit:
            pieces.append(piece)
            piece = ""
        piece += atom
    return [*pieces, piece]
