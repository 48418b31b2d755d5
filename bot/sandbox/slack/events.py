"""The Events API: telling the bot of what it subscribed to, again when it does not answer."""

import asyncio
import copy
import secrets
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, Literal

from bot.sandbox import names
from bot.sandbox.slack.app_features import Tab, hears
from bot.sandbox.slack.conversations import Conversation
from bot.sandbox.slack.deliveries import Attempt, Courier, Delivery
from bot.sandbox.slack.payloads import VERIFICATION_TOKEN
from bot.sandbox.slack.workspace import Json, Post, Workspace

#: Pauses before the three retries. Source: docs.slack.dev, "The Events API": nearly at once, 1 and 5 minutes.
RETRY_AFTER_SECONDS = (0.1, 60.0, 300.0)

Sleep = Callable[[float], Awaitable[None]]


class Events:
    """Delivers events; retries go on in the background until `forget` or `aclose`.

    Slack switches an app's events off when 95 % of an hour's deliveries fail; the sandbox does not.

    Args:
        workspace: what the events are about.
        courier: brings them to the app.
        sleep: waits for so many seconds before a retry.
    """

    def __init__(self, workspace: Workspace, courier: Courier, sleep: Sleep) -> None:
        self._workspace = workspace
        self._courier = courier
        self._sleep = sleep
        self._retries: set[asyncio.Task[None]] = set()
        #: How often everything was forgotten: what was told before that is not tried again.
        self._era = 0

    async def tell(self, post: Post) -> None:
        """Tell the bot of a person's message, as far as it is there and subscribed; try once."""
        conversation = self._workspace.contents.conversations[post.channel]
        for event in _message_events(post, conversation):
            await self._tell(event, conversation)

    async def tell_reaction(
        self, kind: Literal["added", "removed"], user: str, post: Post, name: str
    ) -> None:
        """Tell the bot that somebody's reaction came or went; see `tell`."""
        event = {
            "type": f"reaction_{kind}",
            "user": user,
            "reaction": name,
            "item": {"type": "message", "channel": post.channel, "ts": post.ts},
            "item_user": post.body["user"],
            "event_ts": self._workspace.next_ts(),
        }
        await self._tell(event, self._workspace.contents.conversations[post.channel])

    async def tell_home(self, user: str, conversation: Conversation, tab: Tab) -> None:
        """Tell the bot that somebody opened one of its tabs, with the view they see there; see `tell`."""
        event: Json = {
            "type": "app_home_opened",
            "user": user,
            "channel": conversation.id,
            "tab": tab,
            "event_ts": self._workspace.next_ts(),
        }
        home = self._workspace.contents.homes.get(user)
        if tab == "home" and home is not None:
            event["view"] = copy.deepcopy(home.view)
        await self._tell(event, conversation)

    async def settled(self) -> None:
        """Return when no event is waiting to be delivered again."""
        await asyncio.gather(*self._retries, return_exceptions=True)

    def forget(self) -> None:
        """Give up on what was not delivered, and on what is being delivered if it fails."""
        self._era += 1
        for retry in self._retries:
            retry.cancel()

    async def aclose(self) -> None:
        """Give up on what was not delivered, and return when nothing goes on any more."""
        self.forget()
        await asyncio.gather(*self._retries, return_exceptions=True)

    async def _tell(self, event: Json, conversation: Conversation) -> None:
        """Deliver `event` if the bot is in the conversation and hears of such things."""
        is_there = names.BOT_USER_ID in conversation.members
        if is_there and hears(self._workspace.manifest, _topic(event)):
            await self._deliver(self._envelope(event, conversation))

    async def _deliver(self, envelope: Json) -> None:
        era = self._era
        delivery = await self._courier.event(envelope)
        if era == self._era and _is_tried_again(delivery):
            retry = asyncio.create_task(self._again(envelope, delivery))
            self._retries.add(retry)
            retry.add_done_callback(self._retries.discard)

    async def _again(self, envelope: Json, delivery: Delivery) -> None:
        for number, pause in enumerate(RETRY_AFTER_SECONDS, start=1):
            await self._sleep(pause)
            attempt = Attempt(number, delivery.failure or "unknown_error")
            delivery = await self._courier.event(envelope, attempt)
            if not _is_tried_again(delivery):
                return

    def _envelope(self, event: Json, conversation: Conversation) -> Json:
        return {
            "token": VERIFICATION_TOKEN,
            "team_id": names.TEAM_ID,
            "context_team_id": names.TEAM_ID,
            "context_enterprise_id": None,
            "api_app_id": names.APP_ID,
            "event": event,
            "type": "event_callback",
            "event_id": f"Ev{secrets.token_hex(5).upper()}",
            "event_time": int(float(event["event_ts"])),
            "authorizations": [
                {
                    "enterprise_id": None,
                    "team_id": names.TEAM_ID,
                    "user_id": names.BOT_USER_ID,
                    "is_bot": True,
                    "is_enterprise_install": False,
                }
            ],
            "is_ext_shared_channel": conversation.shared,
            "event_context": secrets.token_hex(16),
        }


def _message_events(post: Post, conversation: Conversation) -> Iterator[Json]:
    common: dict[str, Any] = {**post.body, "channel": conversation.id, "event_ts": post.ts}
    yield {**common, "type": "message", "channel_type": "im" if conversation.is_im else "channel"}
    if not conversation.is_im and f"<@{names.BOT_USER_ID}>" in post.body["text"]:
        yield {**common, "type": "app_mention"}


def _is_tried_again(delivery: Delivery) -> bool:
    return delivery.failure is not None and not delivery.no_retry


def _topic(event: Json) -> str:
    if event["type"] == "message":
        return "message.im" if event["channel_type"] == "im" else "message.channels"
    return str(event["type"])
