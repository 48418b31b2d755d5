"""The process that draws: pictures come in at one end and PNGs go out at the other, until nobody asks.

Run by `bot.adapters.charts` and by nobody else; see there for how both ends of the pipe talk.
"""

import os
import select
import sys
from typing import BinaryIO

from pydantic import ValidationError

from bot.adapters.charts import DRAWN, FAILED, FRAME, NO_LETTERS, PICTURE

#: Everything else in the machine goes first.
NICENESS = 19
#: Nobody has asked for so long: the memory is worth more than the half second of another start.
IDLE_SECONDS = 300.0


def main() -> None:
    """Draw until the other end is closed, or nothing has come for `IDLE_SECONDS`."""
    os.nice(NICENESS)
    # Whatever a library prints must not get between the pictures.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    asked = os.fdopen(sys.stdin.fileno(), "rb", buffering=0)
    while (content := _next(asked)) is not None:
        kind, answer = _answer(content)
        answers.write(FRAME.pack(kind, len(answer)) + answer)
        answers.flush()


def _next(asked: BinaryIO) -> bytes | None:
    readable, _, _ = select.select([asked], [], [], IDLE_SECONDS)
    head = _exactly(asked, FRAME.size) if readable else b""
    return _exactly(asked, FRAME.unpack(head)[1]) if head else None


def _exactly(asked: BinaryIO, count: int) -> bytes:
    """Return `count` bytes; none where the other end was closed."""
    found = b""
    while len(found) < count:
        piece = asked.read(count - len(found))
        if not piece:
            return b""
        found += piece
    return found


def _answer(content: bytes) -> tuple[bytes, bytes]:
    # Here and not above: whoever asks must not wait for it before the pipe is open.
    from bot.adapters.chart_drawing import missing_letters, png

    try:
        picture = PICTURE.validate_json(content)
        missing = missing_letters(picture)
        if missing:
            return NO_LETTERS, f"no font has {missing!r}".encode()
        return DRAWN, png(picture)
    except (ValidationError, ValueError, ArithmeticError, OSError, RuntimeError) as error:
        return FAILED, f"{type(error).__name__}: {error}"[:1000].encode()


if __name__ == "__main__":
    main()
