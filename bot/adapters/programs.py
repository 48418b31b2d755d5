"""Programs that the bot runs, and their end."""

import asyncio
import contextlib


async def end(process: asyncio.subprocess.Process) -> None:
    """Return once `process`, whose output is ours to read, has ended: killed, unless it has ended by itself.

    What it printed beyond what was read is lost.
    """
    # First, because an event loop does not notice the end of a process while a pipe of it is full and nobody
    # empties that: who waits then waits for ever, and the pipe stays open.
    process._transport.get_pipe_transport(1).close()  # type: ignore[attr-defined]
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
    await process.wait()
