"""The bot as ``backout serve`` runs it, but killed at a chosen moment. For tests only.

A moment is a place in the work where a process may die: before and after each transaction commits,
after each recorded step, before and after each message to Slack. The moments that are passed are
written to the file `PASSED`; at the moment named by `KILL_AT` the process kills itself with SIGKILL.
"""

import os
import signal
import socket
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from bot.adapters import durable
from bot.adapters.database.store import SqlStore
from bot.cli import app

PASSED, KILL_AT = "TEST_MOMENTS_PASSED", "TEST_KILL_AT"
LEASE, NAME = "TEST_LEASE_SECONDS", "TEST_REPLICA_NAME"
#: What is known of a Slack call's subject before it is sent: the kind of message, not its random id.
_SENDING = frozenset({"chat.postMessage", "chat.update", "files.completeUploadExternal"})
#: Of moments that come again and again only so many are worth a visit.
_OFTEN = {
    "edit progress before": 0,
    "edit progress after": 1,
    "save before": 1,
    "post is recorded": 1,
    "keep_seen": 1,
    "watch is recorded": 1,
    "send chat.update": 1,
    "send chat.postMessage log": 2,
}

_seen: Counter[str] = Counter()


def pass_moment(name: str) -> None:
    """Write a moment down, numbered, and die at the one that was chosen. The first is a request's."""
    if not _seen and not name.startswith("accept"):
        return
    _seen[name] += 1
    moment = f"{name} {_seen[name]}"
    if any(name.startswith(often) and _seen[name] > most for often, most in _OFTEN.items()):
        return
    if passed := os.environ.get(PASSED):
        with open(passed, "a") as file:
            file.write(f"{moment}\n")
    if moment == os.environ.get(KILL_AT):
        os.kill(os.getpid(), signal.SIGKILL)


def _die_around_transactions() -> None:
    change = SqlStore.change

    async def watched(self: SqlStore, work: Callable[..., Any]) -> Any:
        name = work.__qualname__.rpartition(".")[2].replace("<lambda>", "edit progress")

        def and_then(tx: Any) -> Any:
            result = work(tx)
            pass_moment(f"{name} before its commit")
            return result

        answer = await change(self, and_then)
        pass_moment(f"{name} after its commit")
        return answer

    SqlStore.change = watched  # type: ignore[method-assign]


def _die_after_steps() -> None:
    step = durable._DbosSteps.step

    async def watched(self: Any, name: str, action: Callable[[], Awaitable[Any]], *, into: Any) -> Any:
        answer = await step(self, name, action, into=into)
        pass_moment(f"{name} is recorded")
        return answer

    durable._DbosSteps.step = watched  # type: ignore[method-assign]


def _die_around_messages() -> None:
    call = AsyncWebClient.api_call

    async def watched(self: AsyncWebClient, api_method: str, **arguments: Any) -> Any:
        if api_method not in _SENDING:
            return await call(self, api_method, **arguments)
        sent = arguments.get("json") or arguments.get("params") or {}
        metadata = sent.get("metadata") or {}
        kind = str((metadata.get("event_payload") or {}).get("key", "")).partition(":")[0]
        name = f"send {api_method} {kind}".strip()
        pass_moment(f"{name}, before")
        answer = await call(self, api_method, **arguments)
        pass_moment(f"{name}, after")
        return answer

    AsyncWebClient.api_call = watched  # type: ignore[method-assign,assignment]


def _shorten_the_lease() -> None:
    if lease := os.environ.get(LEASE):
        durable.LEASE_SECONDS = float(lease)
        durable.SWEEP_SECONDS = float(lease) / 4


def _take_a_name() -> None:
    """Let the workflow engine's records say which process of a test did the work."""
    if name := os.environ.get(NAME):
        socket.gethostname = lambda: name


if __name__ == "__main__":
    _die_around_transactions()
    _die_after_steps()
    _die_around_messages()
    _shorten_the_lease()
    _take_a_name()
    app(["serve"])
