"""Pictures by matplotlib and PDFs by fpdf2, made in one separate process of low priority.

Drawn in a thread of ours a picture takes the ack's p99 from 1.5 to 46 ms (reference/performance.md), and
importing matplotlib takes half a second: so nothing of it may be imported here. The process is a fresh
interpreter, never a fork: gRPC does not survive one.
"""

import asyncio
import struct
import sys
from collections.abc import Callable
from dataclasses import replace

import structlog
from pydantic import ConfigDict, TypeAdapter

from bot.adapters.programs import end
from bot.domain.document import Document
from bot.domain.picture import Picture, StatsPicture
from bot.slack.text import Words
from bot.usecases.ports import Charts, NoLetters, NotDrawn, Printer

log = structlog.get_logger()

PICTURE = TypeAdapter(Picture)
STATS = TypeAdapter(StatsPicture)
#: Images travel as base64; pydantic takes no such setting for a bare dataclass, hence a tuple of one.
DOCUMENT = TypeAdapter(tuple[Document], config=ConfigDict(ser_json_bytes="base64", val_json_bytes="base64"))
#: Generous: the first picture on a machine waits until its fonts have been looked through, and all of them
#: wait for what a busy machine leaves to a low priority.
DRAW_WITHIN_SECONDS = 60.0
#: How a piece of work and its answer are sent through the pipe: a kind and the length of what follows.
FRAME = struct.Struct(">cI")
DRAW, DRAW_STATS, PRINT = b"p", b"s", b"t"
DRAWN, FAILED, NO_LETTERS = b"d", b"f", b"n"
#: The module that draws; it is run, and never imported by the bot.
DRAWER = ("-m", "bot.adapters.chart_process")
#: Why there is no picture where a team wants none.
SWITCHED_OFF = "drawing is switched off: BACKOUT_DRAWS"


class NoCharts(Charts, Printer):
    """Draws nothing, where a team has no 150 MB for it: numbers come in words, and records without a PDF."""

    async def draw(self, picture: Picture | StatsPicture) -> bytes:
        """See `Charts.draw`."""
        raise NotDrawn(SWITCHED_OFF)

    async def pdf(self, document: Document) -> bytes:
        """See `Printer.pdf`."""
        raise NotDrawn(SWITCHED_OFF)

    async def close(self) -> None:
        """Nothing was opened."""


async def drawn(charts: Charts, picture: Callable[[Words], Picture | StatsPicture], words: Words) -> bytes:
    """Draw what `picture` is in the language of `words`, or in English where that has letters we have not.

    Raises `NotDrawn`.
    """
    try:
        return await charts.draw(picture(words))
    except NoLetters:
        return await charts.draw(picture(replace(words, locale="en")))


class ProcessCharts(Charts, Printer):
    """Starts the process with the first piece of work, and another one where it has died.

    Args:
        within_seconds: for one piece of work; then the process is killed.
        command: what is run, by this interpreter.
    """

    def __init__(
        self, *, within_seconds: float = DRAW_WITHIN_SECONDS, command: tuple[str, ...] = DRAWER
    ) -> None:
        self._within_seconds = within_seconds
        self._command = command
        self._process: asyncio.subprocess.Process | None = None
        self._one_at_a_time = asyncio.Lock()

    @property
    def process(self) -> int | None:
        """The id of the process that draws; None while there is none."""
        return self._process.pid if self._process is not None else None

    async def draw(self, picture: Picture | StatsPicture) -> bytes:
        """See `Charts.draw`."""
        if isinstance(picture, StatsPicture):
            return await self._made(DRAW_STATS, STATS.dump_json(picture))
        return await self._made(DRAW, PICTURE.dump_json(picture))

    async def pdf(self, document: Document) -> bytes:
        """See `Printer.pdf`."""
        return await self._made(PRINT, DOCUMENT.dump_json((document,)))

    async def _made(self, what: bytes, asked: bytes) -> bytes:
        async with self._one_at_a_time:
            # An idle process leaves by itself, perhaps at this very moment: then another one does it.
            answer = await self._ask(what, asked) or await self._ask(what, asked)
        if answer is None:
            raise NotDrawn("the process that draws has died, twice")
        kind, content = answer
        if kind == DRAWN:
            return content
        why = content.decode(errors="replace")
        raise NoLetters(why) if kind == NO_LETTERS else NotDrawn(why)

    async def close(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is not None:
            await end(process)

    async def _ask(self, what: bytes, asked: bytes) -> tuple[bytes, bytes] | None:
        """Return the answer; None when the process died before it gave one. Raises `NotDrawn`."""
        try:
            async with asyncio.timeout(self._within_seconds):
                process = await self._living()
                assert process.stdin is not None
                assert process.stdout is not None
                process.stdin.write(FRAME.pack(what, len(asked)) + asked)
                await process.stdin.drain()
                kind, length = FRAME.unpack(await process.stdout.readexactly(FRAME.size))
                return kind, await process.stdout.readexactly(length)
        except TimeoutError as error:
            await self.close()
            raise NotDrawn(f"not drawn within {self._within_seconds:g} s") from error
        except (asyncio.IncompleteReadError, ConnectionError):
            log.warning("chart_process_died")
            await self.close()
            return None
        except OSError as error:
            raise NotDrawn(f"no process could be started: {error}") from error
        except asyncio.CancelledError:
            # Half an answer may be in the pipe: nobody may read it as another picture's.
            await self.close()
            raise

    async def _living(self) -> asyncio.subprocess.Process:
        if self._process is None or self._process.returncode is not None:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                *self._command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                # Ctrl-C in a terminal is for us; the process ends with its pipe.
                start_new_session=True,
            )
        return self._process
