"""Starts the whole sandbox: Slack, Google Cloud, a canary under load, and the bot as in production."""

import asyncio
import contextlib
import os
import random
import signal
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import httpx
from ruamel.yaml import YAML
from starlette.routing import Route

from bot.sandbox.cloud import Behaviour, SandboxCloud
from bot.sandbox.names import BOT_TOKEN, PROJECT, SIGNING_SECRET
from bot.sandbox.slack import SandboxSlack
from bot.sandbox.slack.deliveries import ANSWER_WITHIN_SECONDS
from bot.sandbox.together import put_together

HERE = Path(__file__).resolve().parent
#: In a checkout beside the package, in an installed wheel here.
MANIFEST = next(path for path in (HERE.parents[1] / "manifest.yml", HERE / "manifest.yml") if path.exists())
PLAYBOOK = HERE / "playbook.yaml"
#: Cloud Monitoring is minutes late; in a sandbox where a visit lasts minutes it is half a minute late. There
#: a leak goes from 60 % to 95 % of the memory in a minute, and reaches 99 % half a minute later. The log may
#: be read as often as at Google: an incident that needs more shows it here first.
BEHAVIOUR = Behaviour(visible_after_seconds=30, leak_per_minute=0.35, log_reads_per_minute=60)
READY_WITHIN_SECONDS = 60.0
#: Below what Linux (from 32768) and macOS (from 49152) hand out to whoever asks for any port.
OUR_PORTS = range(20_000, 30_000)
#: Of those, what this process has been given.
_GIVEN: set[int] = set()
#: Whom a newcomer acts as first: somebody who may roll back and reads the channels' language.
FIRST_PERSON = {"en": "U0LUBIT", "ko": "U0SENA"}


def read_manifest() -> Mapping[str, Any]:
    """Return the app's manifest, as the bot is installed with it."""
    with MANIFEST.open() as file:
        manifest: Mapping[str, Any] = YAML(typ="safe", pure=True).load(file)
    return manifest


def bot_environment(
    slack: SandboxSlack,
    cloud: SandboxCloud,
    *,
    port: int,
    database_url: str,
    playbook: Path = PLAYBOOK,
    locale: str,
) -> dict[str, str]:
    """Return the settings with which the bot runs here: the same knobs as in production, other addresses."""
    return {
        "SLACK_BOT_TOKEN": BOT_TOKEN,
        # Whatever the environment names of a real bot's must not be reached from here.
        "SLACK_APP_TOKEN": "",
        "SLACK_SIGNING_SECRET": SIGNING_SECRET,
        "SLACK_API_URL": slack.api_url,
        **simulated_environment(
            cloud, port=port, database_url=database_url, playbook=playbook, locale=locale
        ),
    }


def simulated_environment(
    cloud: SandboxCloud, *, port: int, database_url: str, playbook: Path, locale: str
) -> dict[str, str]:
    """Return all settings but Slack's of a bot on the simulated cloud: nothing of a real bot's is reached."""
    google = f"http://{cloud.grpc_address}"
    return {
        "DATABASE_URL": database_url,
        "BACKOUT_EVIDENCE": "database",
        "GOOGLE_CLOUD_PROJECT": PROJECT,
        "CLOUD_RUN_ENDPOINT": google,
        "CLOUD_MONITORING_ENDPOINT": google,
        "CLOUD_LOGGING_ENDPOINT": google,
        "BACKOUT_PLAYBOOK": str(playbook),
        "BACKOUT_LOCALE": locale,
        "PORT": str(port),
    }


def free_port() -> int:
    """Return a port that nobody listens on now, and another one each time.

    Not one of those that the system gives away by itself: before we used it, it would be some client's.
    """
    while True:
        # Whoever got one earlier may be about to listen there, or to come back.
        port = random.SystemRandom().choice([port for port in OUR_PORTS if port not in _GIVEN])
        with socket.socket() as probe:
            try:
                probe.bind(("0.0.0.0", port))  # noqa: S104 - to see whether any address is taken
            except OSError:
                continue
        _GIVEN.add(port)
        return port


@dataclass(frozen=True, kw_only=True)
class Sandbox:
    """A running sandbox. `settings` are the bot's, by environment variable."""

    slack: SandboxSlack
    cloud: SandboxCloud
    bot: asyncio.subprocess.Process
    settings: Mapping[str, str]


class BotDidNotStart(Exception):
    """The bot's process died, or was not ready in time; its own lines say why."""


class Guest(Protocol):
    """What else happens in a sandbox: the sandbox itself knows nothing of it."""

    def routes(self) -> Sequence[Route]:
        """Return what the page's server serves besides."""

    def at_work(self, sandbox: Sandbox) -> AbstractAsyncContextManager[None]:
        """Return the block in which it is at work in the sandbox, which is ready."""


def run_sandbox(*, port: int, locale: str, playbook: Path = PLAYBOOK, guest: Guest | None = None) -> int:
    """Run until Ctrl-C. Returns the exit code."""
    return asyncio.run(_run(port=port, locale=locale, playbook=playbook, guest=guest))


async def _run(*, port: int, locale: str, playbook: Path, guest: Guest | None) -> int:
    routes = guest.routes() if guest else ()
    try:
        async with AsyncExitStack() as stack:
            sandbox = await stack.enter_async_context(
                running_sandbox(port=port, locale=locale, playbook=playbook, routes=routes)
            )
            if guest is not None:
                await stack.enter_async_context(guest.at_work(sandbox))
            _welcome(f"{sandbox.slack.base_url}/#user={FIRST_PERSON[locale]}&channel=C0OPERATIONS")
            return await _until_stopped(sandbox.bot)
    except BotDidNotStart as problem:
        print(problem, file=sys.stderr)
        return 1


@asynccontextmanager
async def running_sandbox(
    *,
    port: int = 0,
    locale: str,
    playbook: Path = PLAYBOOK,
    routes: Sequence[Route] = (),
    patience_seconds: float = ANSWER_WITHIN_SECONDS,
) -> AsyncIterator[Sandbox]:
    """Run Slack, cloud and bot while the block runs. Port 0 takes any free one.

    `patience_seconds` is how long Slack waits for the bot's answers.

    Raises:
        BotDidNotStart: see there.
    """
    bot_port = free_port()
    cloud = SandboxCloud(behaviour=replace(BEHAVIOUR))
    slack = SandboxSlack(
        manifest=read_manifest(),
        events_url=f"http://127.0.0.1:{bot_port}/slack/events",
        patience_seconds=patience_seconds,
    )
    put_together(slack, cloud)
    slack.extra_routes += routes
    async with AsyncExitStack() as stack:
        directory = stack.enter_context(tempfile.TemporaryDirectory(prefix="backout-sandbox-"))
        await cloud.start()
        stack.push_async_callback(cloud.stop)
        await slack.start(port=port)
        stack.push_async_callback(slack.stop)
        settings = bot_environment(
            slack,
            cloud,
            port=bot_port,
            database_url=f"sqlite:///{directory}/backout.db",
            playbook=playbook,
            locale=locale,
        )
        bot = await stack.enter_async_context(running_bot(settings, port=bot_port))
        yield Sandbox(slack=slack, cloud=cloud, bot=bot, settings=settings)


@asynccontextmanager
async def running_bot(settings: Mapping[str, str], *, port: int) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run the bot as in production, with `settings` over our own environment, while the block runs.

    Raises:
        BotDidNotStart: see there.
    """
    bot = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot.cli", "serve"),
        env={**os.environ, **settings},
        # Ctrl-C is for us: whatever the bot still has to say, it says before we end it.
        start_new_session=True,
    )
    try:
        await _ready(bot, port)
        yield bot
    finally:
        await _end(bot)


def _welcome(address: str) -> None:
    print(f"\n  The sandbox is ready: {address}\n")
    print("  A tour leads through a bad canary and its rollback, in three minutes. Ctrl-C ends it.\n")
    sys.stdout.flush()


async def _ready(bot: asyncio.subprocess.Process, port: int) -> None:
    """Wait until the bot says that it is ready."""
    deadline = asyncio.get_running_loop().time() + READY_WITHIN_SECONDS
    async with httpx.AsyncClient(trust_env=False) as client:
        while bot.returncode is None and asyncio.get_running_loop().time() < deadline:
            with contextlib.suppress(httpx.HTTPError):
                if (await client.get(f"http://127.0.0.1:{port}/readyz")).status_code == 200:
                    return
            await asyncio.sleep(0.1)
    raise BotDidNotStart("The bot did not start; its lines above say why.")


async def _until_stopped(bot: asyncio.subprocess.Process) -> int:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    waiting = {asyncio.create_task(stopped.wait()), asyncio.create_task(bot.wait())}
    _, left = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    for task in left:
        task.cancel()
    return 0 if stopped.is_set() else 1


async def _end(bot: asyncio.subprocess.Process) -> None:
    if bot.returncode is None:
        bot.terminate()
        try:
            await asyncio.wait_for(bot.wait(), 10)
        except TimeoutError:
            bot.kill()
