"""Bots by the hundred: copies of one process that has imported the bot's code, and has done nothing else.

Importing takes a new interpreter 1.4 of the 1.9 seconds of processor time that a start costs, and the
journeys start a bot some 400 times on the two cores that our CI has. A copy is a process of its own all the
same, with its own environment, and runs the same command from its first line. Who wants a new interpreter
as in production asks for one: `tests.journeys.world.Bot.copied`.
"""

import asyncio
import multiprocessing
import os
import runpy
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["tests.journeys.nursery_imports"])


class Copy:
    """A copy at work, with what the journeys need of `asyncio.subprocess.Process`."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        env: Mapping[str, str],
        cwd: Path,
        log: Path | None,
        said: Path | None = None,
        typed: Path | None = None,
    ) -> None:
        """Start it. `command` is ``-m``, a module and its arguments.

        Its errors are appended to `log` and what it says to `said`; `typed` is typed at its prompt.
        """
        streams = tuple(path and str(path) for path in (typed, said, log))
        # As a daemon: it ends with the tests, also with those that were interrupted.
        self._process = _FORKS.Process(
            target=_live, args=(tuple(command), dict(env), str(cwd), streams), daemon=True
        )
        self._process.start()
        assert self._process.pid is not None
        self.pid = self._process.pid

    @property
    def returncode(self) -> int | None:
        """The exit code, minus the signal that killed it, None while it runs."""
        return self._process.exitcode

    def kill(self) -> None:
        """Send SIGKILL."""
        self._process.kill()

    def terminate(self) -> None:
        """Send SIGTERM."""
        self._process.terminate()

    async def wait(self) -> int:
        """Wait for the end and return the exit code. Several may wait at once."""
        ended, loop = asyncio.Event(), asyncio.get_running_loop()
        # One of its own for each who waits: an event loop has one reader of a descriptor, the latest.
        sentinel = os.dup(self._process.sentinel)
        loop.add_reader(sentinel, ended.set)
        try:
            await ended.wait()
        finally:
            loop.remove_reader(sentinel)
            os.close(sentinel)
        assert self.returncode is not None
        return self.returncode


def _live(
    command: tuple[str, ...],
    env: dict[str, str],
    cwd: str,
    streams: tuple[str | None, str | None, str | None],
) -> None:
    """Become the command, with standard input, output and errors as they are given."""
    flag, module, *arguments = command
    assert flag == "-m"
    os.environ.clear()
    os.environ.update(env)
    os.chdir(cwd)
    typed, said, log = streams
    for path, stream in ((said, sys.stdout), (log, sys.stderr)):
        if path is not None:
            os.dup2(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT), stream.fileno())
    if typed is not None:
        sys.stdin = open(typed)  # noqa: SIM115 - as long as the process lives
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)
