"""When the newest backup was made, by the team's own command or page."""

import asyncio
import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bot import __version__
from bot.adapters.programs import end
from bot.domain.guide import Backups
from bot.usecases.ports import BackupAge, BackupUnknown

if TYPE_CHECKING:
    import httpx

#: Somebody waits for the answer; a command that takes longer is not a check but a backup.
ANSWER_SECONDS = 20.0
#: A date has 32 characters at most; an answer longer than this is something else.
MOST_BYTES = 4096
#: What a command gets of our environment: enough to be found and to run, and none of our secrets.
_PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "SYSTEMROOT", "CLOUDSDK_CONFIG")


class NewestBackup(BackupAge):
    """`BackupAge` over a program without a shell, or over HTTPS."""

    def __init__(self, *, answer_seconds: float = ANSWER_SECONDS) -> None:
        self._answer_seconds = answer_seconds

    async def newest(self, where: Backups) -> datetime:
        """See `BackupAge.newest`."""
        try:
            async with asyncio.timeout(self._answer_seconds):
                said = await _asked(str(where.url)) if where.url else await _run(where.command)
        except TimeoutError as error:
            raise BackupUnknown(f"no answer within {self._answer_seconds:g} s") from error
        return iso_date(said)


def iso_date(said: str) -> datetime:
    """Return the moment an answer names, UTC where it names no zone. Raises `BackupUnknown`."""
    try:
        moment = datetime.fromisoformat(said.strip())
    except ValueError as error:
        raise BackupUnknown(f"the answer is no ISO date: {' '.join(said.split())[:100]!r}") from error
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


async def _run(command: tuple[str, ...]) -> str:
    environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            env=environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
    except OSError as error:
        raise BackupUnknown(f"{command[0]} cannot be run: {error.strerror or error}") from error
    assert process.stdout is not None
    try:
        said = await _some(process.stdout)
        code = await process.wait()
    finally:
        await end(process)
    if code != 0:
        raise BackupUnknown(f"{command[0]} ended with exit code {code}")
    return said


async def _some(stream: asyncio.StreamReader) -> str:
    """Read an answer to its end, and refuse one that is too long to be a date."""
    said = b""
    while piece := await stream.read(MOST_BYTES):
        said += piece
        if len(said) > MOST_BYTES:
            raise BackupUnknown(f"the answer is longer than {MOST_BYTES} bytes")
    return said.decode("utf-8", "replace")


async def _asked(url: str) -> str:
    import httpx

    tls = await asyncio.to_thread(httpx.create_ssl_context)
    agent = {"User-Agent": f"backout/{__version__}"}
    try:
        async with httpx.AsyncClient(
            verify=tls, follow_redirects=False, trust_env=False, headers=agent, timeout=ANSWER_SECONDS
        ) as client:
            return await page(client, url)
    except (httpx.HTTPError, OSError) as error:
        raise BackupUnknown(f"the page cannot be read: {error}" if str(error) else repr(error)) from error


async def page(client: "httpx.AsyncClient", url: str) -> str:
    """Return what a page answers. Raises `BackupUnknown` unless it is a success, and short."""
    async with client.stream("GET", url) as response:
        if response.status_code != 200:
            raise BackupUnknown(f"the page answered {response.status_code}")
        said = b""
        async for piece in response.aiter_bytes():
            said += piece
            if len(said) > MOST_BYTES:
                raise BackupUnknown(f"the answer is longer than {MOST_BYTES} bytes")
    return said.decode("utf-8", "replace")
