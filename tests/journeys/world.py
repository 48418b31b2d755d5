"""A sandbox in this process and the bot, as in production, in processes of its own."""

import asyncio
import contextlib
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import httpx

from bot.drill.screen import said
from bot.sandbox.cloud import Behaviour, Fault, SandboxCloud
from bot.sandbox.run import bot_environment, free_port, read_manifest
from bot.sandbox.slack import SandboxSlack
from bot.sandbox.slack.rate_limits import PostPace
from bot.sandbox.together import put_together
from tests.journeys.nursery import Copy

T = TypeVar("T")

ROOT = Path(__file__).resolve().parents[2]
PLAYBOOK = Path(__file__).with_name("playbook.yaml")
#: Which service's canary a target's failure is switched on in.
FAILING = {"canary": "ion-api", "chat": "ion-chat-canary"}
#: Where the users of each target arrive, and how many a second. Each costs a millisecond of processor time:
#: a verdict needs twenty of them in two seconds, and where nobody looks there are none.
ENTRANCES = {"canary": "ion-api", "chat": "ion-chat-router"}
USUAL_LOAD, HURRIED_LOAD = 30, 180
#: After so many requests the canary, with its tenth of them, has surely had the playbook's `min_requests`.
ENOUGH_REQUESTS, ENOUGH_ERRORS = 500, 3
#: Generous, because the machines are shared; a test that passes never waits so long.
PATIENCE_SECONDS = 120.0


async def until(look: Callable[[], T | None], *, within: float = PATIENCE_SECONDS, what: str = "") -> T:
    """Return the first truthy answer of `look`. Where looking takes long, it looks less often."""
    now = asyncio.get_running_loop().time
    deadline, looked_at = now() + within, now()
    while not (found := look()):
        if now() > deadline:
            raise AssertionError(f"waited {within:g} s in vain for {what or look}")
        await asyncio.sleep(min(max(0.05, 10 * (now() - looked_at)), 0.5))
        looked_at = now()
    return found


@dataclass
class World:
    """The sandbox: what people see in Slack, and what Google Cloud was told."""

    slack: SandboxSlack
    cloud: SandboxCloud

    def reset(self) -> None:
        """Back to the first morning: the canary has users, chat has none yet."""
        self.slack.reset()
        self.cloud.reset()
        self.cloud.load(ENTRANCES["chat"], 0)

    def bring_users(self, target: str) -> None:
        """Let the usual users of a target come: those of chat stay away until somebody looks."""
        self.cloud.load(ENTRANCES[target], USUAL_LOAD)

    def send_users_home(self) -> None:
        """Let nobody use anything: where nothing is rolled back, users are but work for the machine."""
        for entrance in ENTRANCES.values():
            self.cloud.load(entrance, 0)

    async def make_the_canary_fail(self, target: str = "canary") -> None:
        """Switch 5 % errors on and wait until enough requests have met them to be seen in the log."""
        entrance = ENTRANCES[target]
        self.cloud.set_fault(FAILING[target], Fault.ERRORS, True)
        self.cloud.load(entrance, HURRIED_LOAD)
        await until(lambda: self._has_failed(entrance), what=f"errors of {target}'s canary")
        self.bring_users(target)
        await asyncio.sleep(2 * self.cloud.behaviour.log_lag_seconds)

    def _has_failed(self, entrance: str) -> bool:
        answers = self.cloud.answers(entrance)
        errors = sum(count for (_, status), count in answers.items() if status >= 500)
        return errors >= ENOUGH_ERRORS and sum(answers.values()) >= ENOUGH_REQUESTS

    async def say(self, user: str, channel: str, text: str, *, thread_ts: str | None = None) -> str:
        """Write a message as `user` and return its ts: the bot may have written meanwhile."""
        await self.slack.say(user, channel, text, thread_ts=thread_ts)
        there = self.slack.messages(channel, thread_ts=thread_ts)
        return str([one for one in there if one["user"] == user][-1]["ts"])

    def message(self, channel: str, *, having: str, user: str = "U0SENA") -> dict[str, Any] | None:
        """Return the newest top-level message with a control `having`, or that says so."""
        messages: list[dict[str, Any]] = self.slack.messages(channel, user=user)
        for message in messages[::-1]:
            if having in action_ids(message) or having in texts(message):
                return message
        return None

    async def seen(self, channel: str, *, having: str, user: str = "U0SENA") -> dict[str, Any]:
        """Wait for `message`; in vain, say what there is instead."""
        try:
            return await until(
                lambda: self.message(channel, having=having, user=user), what=f"{having!r} in {channel}"
            )
        except AssertionError as error:
            there = "\n---\n".join(map(texts, self.slack.messages(channel, user=user)))
            raise AssertionError(f"{error}; there is:\n{there}") from None


def action_ids(message: dict[str, Any]) -> list[str]:
    """Return the ids of a message's controls."""
    blocks = message.get("blocks") or []
    return [str(e["action_id"]) for b in blocks if b["type"] == "actions" for e in b["elements"]]


#: Return everything a message says, top-level text and blocks. It is the drills' own reader.
texts = said


@dataclass
class Bot:
    """One bot process on `database_url`; `start` again after `kill` is the restart.

    `copied`: see `tests.journeys.nursery`; otherwise a new interpreter, as in production. `draws`: most
    journeys look at no picture, and drawing them would take half of the machine.
    """

    world: World
    database_url: str
    locale: str = "en"
    playbook: Path = PLAYBOOK
    command: tuple[str, ...] = ("-m", "bot.cli", "serve")
    extra: dict[str, str] = field(default_factory=dict)
    log: Path | None = None
    copied: bool = True
    draws: bool = False
    port: int = field(default_factory=free_port)
    process: Copy | asyncio.subprocess.Process | None = None

    def environment(self) -> dict[str, str]:
        """Return the process's whole environment."""
        settings = bot_environment(
            self.world.slack,
            self.world.cloud,
            port=self.port,
            database_url=self.database_url,
            locale=self.locale,
            playbook=self.playbook,
        )
        # A bot that serves a whole file of journeys has an incident every few seconds.
        often = {"SLACK_POSTS_PER_SECOND": "50", "CLOUD_LOGGING_READS_PER_MINUTE": "6000"}
        usual = {**often, "BACKOUT_DRAWS": "yes" if self.draws else "no"}
        return {**os.environ, **settings, **usual, **self.extra}

    @property
    def events_url(self) -> str:
        """Where this process takes Slack's requests."""
        return f"http://127.0.0.1:{self.port}/slack/events"

    async def start(self) -> None:
        """Start the process and wait until it is ready."""
        self.process = await self._born()
        self.world.slack.events_url = self.events_url
        # Reading the certificates that nobody shows here would take 50 ms each time.
        async with httpx.AsyncClient(trust_env=False, verify=False) as client:
            deadline = asyncio.get_running_loop().time() + PATIENCE_SECONDS
            while asyncio.get_running_loop().time() < deadline:
                assert self.process.returncode is None, "the bot died at start"
                with contextlib.suppress(httpx.HTTPError):
                    if (await client.get(f"http://127.0.0.1:{self.port}/readyz")).status_code == 200:
                        return
                await asyncio.sleep(0.05)
        raise AssertionError("the bot did not become ready")

    async def _born(self) -> Copy | asyncio.subprocess.Process:
        if self.copied:
            return Copy(self.command, env=self.environment(), cwd=ROOT, log=self.log)
        with contextlib.ExitStack() as stack:
            log = stack.enter_context(self.log.open("ab")) if self.log else None
            return await asyncio.create_subprocess_exec(
                sys.executable, *self.command, env=self.environment(), cwd=ROOT, stderr=log
            )

    async def kill(self) -> None:
        """Kill it as a power cut would."""
        if self.process is not None and self.process.returncode is None:
            self.process.kill()
            await self.process.wait()

    async def stop(self) -> None:
        """Stop it politely, and hard if that takes too long."""
        if self.process is None or self.process.returncode is not None:
            return
        self.process.terminate()
        try:
            await asyncio.wait_for(self.process.wait(), 15)
        except TimeoutError:
            await self.kill()


@contextlib.asynccontextmanager
async def running_world() -> AsyncIterator[World]:
    """Run a sandbox; one a test process."""
    behaviour = Behaviour(
        settle_seconds=0.5, start_seconds=0.3, log_lag_seconds=0.2, sample_seconds=5, visible_after_seconds=2
    )
    cloud = SandboxCloud(requests_per_second=USUAL_LOAD, behaviour=behaviour)
    slack = SandboxSlack(
        manifest=read_manifest(),
        events_url="http://127.0.0.1:9/slack/events",
        # Slack's limit of one message a second has its own tests; here it would be most of the time.
        pace=PostPace(per_second=50, burst=50),
        # So have its three seconds; here a machine that is busy with other tests would break them.
        patience_seconds=PATIENCE_SECONDS,
    )
    put_together(slack, cloud)
    await cloud.start()
    await slack.start()
    try:
        yield World(slack=slack, cloud=cloud)
    finally:
        await slack.stop()
        await cloud.stop()


@contextlib.asynccontextmanager
async def running_bot(world: World, database_url: str, **options: Any) -> AsyncIterator[Bot]:
    """Run one bot."""
    bot = Bot(world=world, database_url=database_url, **options)
    await bot.start()
    try:
        yield bot
    finally:
        await bot.stop()


@dataclass(frozen=True, kw_only=True)
class Ran:
    """What a command line said and how it ended."""

    code: int
    said: str
    complained: str


async def backout(
    environment: Mapping[str, str], *arguments: str, typed: str = "", within: float = PATIENCE_SECONDS
) -> Ran:
    """Run ``backout`` with these arguments and `typed` at its prompt."""
    with tempfile.TemporaryDirectory() as directory:
        said, complained, prompt = (Path(directory, name) for name in ("said", "complained", "typed"))
        for file, text in ((said, ""), (complained, ""), (prompt, typed)):
            file.write_text(text)
        command = ("-m", "bot.cli", *arguments)
        process = Copy(command, env=environment, cwd=ROOT, log=complained, said=said, typed=prompt)
        try:
            code = await asyncio.wait_for(process.wait(), within)
        finally:
            process.kill()
        return Ran(code=code, said=said.read_text(), complained=complained.read_text())
