"""Which letters can be drawn or printed with the fonts of ours, and what stands for those that cannot.

Imported by the process that draws and by nothing else.
"""

import unicodedata
from functools import cache
from pathlib import Path

from fontTools.ttLib import TTFont  # type: ignore[import-untyped]

from bot.adapters.fonts import korean_font, symbol_font

#: Stands for a letter that no font of ours has.
NO_LETTER = "□"
#: How the letter before them is to look, skin colours of emoji, and what joins emoji: nothing of their own.
_SILENT = frozenset({*range(0xFE00, 0xFE10), *range(0x1F3FB, 0x1F400), 0x200D, 0x20E3})


@cache
def letters_of(*, symbols: bool = False) -> frozenset[int]:
    """Return the code points of NanumGothic (or of DejaVu) that regular and bold both have."""
    font = symbol_font if symbols else korean_font
    regular, bold = (_code_points(font(bold=bold)) for bold in (False, True))
    return regular & bold


def _code_points(font: Path) -> frozenset[int]:
    with TTFont(font, lazy=True) as opened:
        return frozenset(opened.getBestCmap())


def in_letters(text: str) -> tuple[str, int]:
    """Return `text` in letters that there are, and how many were replaced by `NO_LETTER`.

    Emoji become their names, such as "[police cars revolving light]". Line ends stay; other control
    characters go, and tabs become spaces.
    """
    known: list[str] = []
    missing = 0
    for letter in unicodedata.normalize("NFC", text).replace("\t", " ").replace("\r\n", "\n"):
        shown = _shown(letter)
        known.append(NO_LETTER if shown is None else shown)
        missing += shown is None
    return "".join(known), missing


@cache
def _shown(letter: str) -> str | None:
    """Return what stands for a letter; None where nothing can."""
    code = ord(letter)
    if letter in "\n ":
        return letter
    if code in _SILENT or unicodedata.category(letter) in ("Cc", "Cf"):
        return ""
    if code in letters_of() or code in letters_of(symbols=True):
        return letter
    name = unicodedata.name(letter, "")
    return f"[{name.lower()}]" if name and unicodedata.category(letter) == "So" and code >= 0x2300 else None
