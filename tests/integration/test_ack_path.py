"""What stands between a command and its answer: as few imports as possible, and no call to anybody."""

import asyncio
import contextlib
import inspect
import json
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from bot.adapters.slack_identity import OwnIdentity
from bot.bootstrap import build
from bot.sandbox.names import BOT_TOKEN, SIGNING_SECRET
from bot.sandbox.run import free_port, read_manifest
from bot.sandbox.slack import SandboxSlack
from bot.settings import Settings
from bot.web import bolt_app
from tests.integration.patience import PATIENCE_SECONDS

ROOT = Path(__file__).parents[2]
PLAYBOOK = ROOT / "tests" / "journeys" / "playbook.yaml"
#: Each takes a tenth of a second and more to import, and no answer needs it.
HEAVY = {
    "google.cloud", "google.api_core", "grpc", "jinja2", "matplotlib", "numpy", "PIL",
    "bot.adapters.chart_process", "bot.adapters.chart_drawing",
}  # fmt: skip
#: How the bot learns who it is. Nobody waits for it.
IDENTITY_CALLS = {"auth.test", "bots.info"}

#: ``backout web``, which in addition writes down what was imported when it first answers Slack.
WATCHED_WEB = """
import json, sys
from bot import cli, server

web_app = server.web_app

def watched(house, own, *, lifespan):
    app = web_app(house, own, lifespan=lifespan)

    async def watching(scope, receive, send):
        async def note(message):
            if message["type"] == "http.response.start" and scope["path"] == "/slack/events":
                print(json.dumps(sorted(sys.modules)), flush=True)
            await send(message)
        await app(scope, receive, note)

    return watching

server.web_app = watched
sys.argv = ["backout", "web"]
cli.main()
"""


@pytest_asyncio.fixture(loop_scope="session")
async def slack() -> AsyncIterator[SandboxSlack]:
    # The three seconds for which Slack waits have tests of their own.
    slack = SandboxSlack(manifest=read_manifest(), events_url="", patience_seconds=PATIENCE_SECONDS)
    await slack.start()
    yield slack
    await slack.stop()


@pytest_asyncio.fixture(loop_scope="session")
async def web(slack: SandboxSlack, tmp_path: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """The web side alone, up and running on a migrated database."""
    port, url = free_port(), f"sqlite:///{tmp_path}/backout.db"
    house = build(Settings(DATABASE_URL=url, BACKOUT_PLAYBOOK=PLAYBOOK))
    house.migrate()
    await house.close()
    settings = {
        "SLACK_BOT_TOKEN": BOT_TOKEN,
        "SLACK_SIGNING_SECRET": SIGNING_SECRET,
        "SLACK_API_URL": slack.api_url,
        "DATABASE_URL": url,
        "BACKOUT_PLAYBOOK": str(PLAYBOOK),
        "PORT": str(port),
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        WATCHED_WEB,
        env={**os.environ, **settings},
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        limit=2**20,
    )
    try:
        await _alive(process, f"http://127.0.0.1:{port}/healthz")
        slack.events_url = f"http://127.0.0.1:{port}/slack/events"
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
            await process.communicate()


async def _alive(process: asyncio.subprocess.Process, address: str) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS), httpx.AsyncClient(trust_env=False) as client:
        while True:
            assert process.returncode is None, "the web side died at start"
            with contextlib.suppress(httpx.HTTPError):
                await client.get(address)
                return
            await asyncio.sleep(0.05)


@pytest.mark.parametrize(
    "line",
    [
        "/rollback help",
        "/rollback canary slow",
        "/canary status",
        "/canary metrics",
        "/canary probe 5 0",
        "/incident list",
    ],
)
async def test_the_first_answer_waits_for_no_heavy_import_and_no_call_to_slack(
    web: asyncio.subprocess.Process, slack: SandboxSlack, line: str
) -> None:
    answer = await slack.slash("U0SENA", "C0OPERATIONS", line)
    called = {call.method for call in slack.calls}
    assert web.stdout is not None
    imported = set(json.loads(await asyncio.wait_for(web.stdout.readline(), PATIENCE_SECONDS)))

    assert (answer.status, answer.shown) == (200, None)
    assert imported & HEAVY == set()
    assert called <= IDENTITY_CALLS


async def test_a_start_does_not_read_the_sources_of_whoever_called_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stack(*_: object) -> None:
        raise AssertionError("Bolt looks through the stack for a name")

    house = build(Settings(DATABASE_URL=f"sqlite:///{tmp_path}/backout.db", BACKOUT_PLAYBOOK=PLAYBOOK))
    monkeypatch.setattr(inspect, "stack", stack)

    app = bolt_app(house, OwnIdentity(house.slack))

    assert app.name == "backout"
    await house.close()
