"""What people see in the sandbox's Slack, and what they press there: nothing else is known to who acts."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from bot.sandbox.slack import SandboxSlack

T = TypeVar("T")
Json = dict[str, Any]

#: How often somebody who waits looks, seconds.
LOOK_EVERY_SECONDS = 0.1


class Stuck(Exception):
    """What somebody waited for did not come; the message says what."""


@dataclass(frozen=True, kw_only=True)
class Screen:
    """The screens of everybody in the workspace, with as much patience as the machine needs.

    What stood there before `since` (Slack's ts) is not looked at: it belongs to another drill.
    """

    slack: SandboxSlack
    since: str = "0"
    patience_seconds: float = 120.0

    async def seen(self, look: Callable[[], T | None], what: str) -> T:
        """Return the first thing `look` finds. Raises `Stuck`."""
        deadline = asyncio.get_running_loop().time() + self.patience_seconds
        while (found := look()) is None:
            if asyncio.get_running_loop().time() > deadline:
                raise Stuck(f"nobody saw {what} within {self.patience_seconds:g} s")
            await asyncio.sleep(LOOK_EVERY_SECONDS)
        return found

    def messages(self, user: str, channel: str) -> list[Json]:
        """Return what somebody sees in a channel, newest first."""
        shown = self.slack.messages(channel, user=user)
        return [one for one in reversed(shown) if float(one["ts"]) > float(self.since)]

    def newest(self, user: str, channel: str, *having: str) -> Json | None:
        """Return the newest message that has, or says, all of this."""
        for message in self.messages(user, channel):
            if all(wanted in controls(message) or wanted in said(message) for wanted in having):
                return message
        return None

    async def message(self, user: str, channel: str, *having: str) -> Json:
        """Wait for `newest`."""
        return await self.seen(lambda: self.newest(user, channel, *having), " with ".join(having))

    async def press(self, user: str, channel: str, action: str, *, beside: str | None = None) -> None:
        """Press the newest such button once it is there, `beside` another one."""
        having = (action, beside) if beside else (action,)
        message = await self.message(user, channel, *having)
        await self.slack.click(user, channel, message["ts"], action)

    async def modal(self, user: str, callback: str) -> Json:
        """Wait until a modal is on top of somebody's screen, and return it."""

        def look() -> Json | None:
            views = self.slack.views(user)
            return views[-1] if views and views[-1]["callback_id"] == callback else None

        return await self.seen(look, f"the form {callback}")

    async def submit(self, user: str, callback: str, values: Mapping[str, Any]) -> None:
        """Fill a modal in and send it. Raises `Stuck` where it is not taken."""
        view = await self.modal(user, callback)
        delivery = await self.slack.submit(user, view["id"], values)
        refused = isinstance(delivery.body, dict) and delivery.body.get("errors")
        if delivery.shown or refused:
            raise Stuck(f"the form {callback} was not taken: {delivery.shown or refused}")


def controls(message: Json) -> dict[str, Json]:
    """Return everything that can be pressed, by its id."""
    found: dict[str, Json] = {}
    for block in message.get("blocks") or []:
        parts = [*block.get("elements", []), block.get("accessory") or {}]
        found |= {str(part["action_id"]): part for part in parts if "action_id" in part}
    return found


def said(message: Json) -> str:
    """Return everything a message says, top-level text and blocks."""
    found: list[str] = [message.get("text", "")]
    for block in message.get("blocks") or []:
        found += [block["text"]["text"]] if "text" in block else []
        parts = [*block.get("fields", []), *block.get("elements", [])]
        found += [part["text"] for part in parts if isinstance(part.get("text"), str)]
    return "\n".join(found)
