"""How programs that the bot runs come to their end."""

import asyncio
import signal
import sys

import pytest

from bot.adapters.programs import end
from tests.integration.patience import PATIENCE_SECONDS
from tests.journeys.world import until


@pytest.mark.parametrize(
    ("code", "ended_with"),
    [
        ("while True: print('x' * 1000)", -signal.SIGKILL),
        ("import time; time.sleep(600)", -signal.SIGKILL),
        ("print('x' * 1_000_000)", -signal.SIGKILL),
    ],
)
async def test_a_program_that_nobody_listens_to_any_more_is_ended(code: str, ended_with: int) -> None:
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE)
    pipe = process._transport.get_pipe_transport(1)  # type: ignore[attr-defined]
    if "print" in code:
        await until(lambda: not pipe.is_reading(), what="a pipe that is full")

    await asyncio.wait_for(end(process), PATIENCE_SECONDS)

    assert process.returncode == ended_with


async def test_the_end_of_a_program_that_has_ended_by_itself_stays_as_it_was() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", "raise SystemExit(3)", stdout=asyncio.subprocess.PIPE
    )
    await process.wait()

    await end(process)

    assert process.returncode == 3
