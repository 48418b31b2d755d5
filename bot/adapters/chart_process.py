"""The process that draws and prints: values come in at one end and files go out at the other.

Run by `bot.adapters.charts` and by nobody else; see there for how both ends of the pipe talk.
"""

import gc
import os
import select
import sys
from collections.abc import Callable, Mapping
from typing import BinaryIO

from pydantic import ValidationError

from bot.adapters.charts import (
    DOCUMENT,
    DRAW,
    DRAW_STATS,
    DRAWN,
    FAILED,
    FRAME,
    NO_LETTERS,
    PICTURE,
    PRINT,
    STATS,
)

#: Everything else in the machine goes first; yet with all of it busy, a tenth is left for a picture.
NICENESS = 10
#: Nobody has asked for so long: the memory is worth more than the half second of another start.
IDLE_SECONDS = 300.0


def main() -> None:
    """Draw until the other end is closed, or nothing has come for `IDLE_SECONDS`."""
    os.nice(NICENESS)
    # Whatever a library prints must not get between the pictures.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    asked = os.fdopen(sys.stdin.fileno(), "rb", buffering=0)
    gc.disable()
    while (work := _next(asked)) is not None:
        kind, answer = _answer(*work)
        answers.write(FRAME.pack(kind, len(answer)) + answer)
        answers.flush()
        # Garbage is looked for between two pieces of work and not while somebody waits, and never again in
        # what the libraries brought along: that takes as long as a picture.
        gc.collect()
        gc.freeze()


def _next(asked: BinaryIO) -> tuple[bytes, bytes] | None:
    """Return what is to be done and with what; None when nobody asks any more."""
    readable, _, _ = select.select([asked], [], [], IDLE_SECONDS)
    head = _exactly(asked, FRAME.size) if readable else b""
    if not head:
        return None
    what, length = FRAME.unpack(head)
    return what, _exactly(asked, length)


def _exactly(asked: BinaryIO, count: int) -> bytes:
    """Return `count` bytes; none where the other end was closed."""
    found = b""
    while len(found) < count:
        piece = asked.read(count - len(found))
        if not piece:
            return b""
        found += piece
    return found


def _answer(what: bytes, content: bytes) -> tuple[bytes, bytes]:
    try:
        return _WORK[what](content)
    except (ValidationError, ValueError, ArithmeticError, LookupError, OSError, RuntimeError) as error:
        return FAILED, f"{type(error).__name__}: {error}"[:1000].encode()


# The libraries are imported with the first work of their kind: whoever asks must not wait for them before
# the pipe is open, and a picture needs nothing of what prints.


def _picture(content: bytes) -> tuple[bytes, bytes]:
    from bot.adapters.chart_drawing import missing_letters, png

    picture = PICTURE.validate_json(content)
    missing = missing_letters(picture)
    return (NO_LETTERS, f"no font has {missing!r}".encode()) if missing else (DRAWN, png(picture))


def _stats(content: bytes) -> tuple[bytes, bytes]:
    from bot.adapters.stats_drawing import missing_letters, png

    picture = STATS.validate_json(content)
    missing = missing_letters(picture)
    return (NO_LETTERS, f"no font has {missing!r}".encode()) if missing else (DRAWN, png(picture))


def _document(content: bytes) -> tuple[bytes, bytes]:
    from bot.adapters.pdf_printing import pdf

    (document,) = DOCUMENT.validate_json(content)
    return DRAWN, pdf(document)


_WORK: Mapping[bytes, Callable[[bytes], tuple[bytes, bytes]]] = {
    DRAW: _picture,
    DRAW_STATS: _stats,
    PRINT: _document,
}


if __name__ == "__main__":
    main()
