"""The workspace: what has been posted, opened and uploaded. No HTTP here, and no rules of any one method."""

import asyncio
import copy
import secrets
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from bot.sandbox import names
from bot.sandbox.slack.conversations import Conversation, the_conversations
from bot.sandbox.slack.people import PEOPLE, BotUser
from bot.sandbox.slack.triggers import LIFETIME_SECONDS, Triggers

Json = dict[str, Any]


@dataclass(kw_only=True)
class Post:
    """One message. `body` holds Slack's keys; `metadata` stands apart, it is shown only on request."""

    channel: str
    body: Json
    ephemeral_for: str | None = None
    metadata: Json | None = None

    @property
    def ts(self) -> str:
        """Slack's name of the message within its channel."""
        return str(self.body["ts"])

    @property
    def is_reply(self) -> bool:
        """True for a message that stands in a thread and did not start it."""
        return self.body.get("thread_ts") not in {None, self.ts}


@dataclass(kw_only=True)
class OpenView:
    """A modal or Home that one person has before them. `view` is Slack's object, as the bot sees it."""

    user: str
    view: Json

    @property
    def id(self) -> str:
        """Slack's id of the view."""
        return str(self.view["id"])


@dataclass(kw_only=True)
class StoredFile:
    """An upload by `user`. It is shared once `channel` is set; `ts` is the message that carries it.

    A block can show it from `ready_at` on (the workspace's clock, seconds): Slack looks at it first.
    """

    id: str
    name: str
    length: int
    token: str
    title: str = ""
    mimetype: str = "application/octet-stream"
    content: bytes | None = None
    completed: bool = False
    ready_at: float = 0.0
    channel: str | None = None
    thread_ts: str | None = None
    initial_comment: str | None = None
    ts: str | None = None
    created: int = 0
    user: str = names.BOT_USER_ID


class CanvasPlan(StrEnum):
    """What the workspace lets an app do with canvases."""

    PAID = "paid"
    #: Only a channel's own canvas, in its tab.
    FREE = "free"
    OFF = "off"


@dataclass(kw_only=True)
class Canvas:
    """A canvas of the app's. `access` says which channels may ``read`` or ``write`` it."""

    id: str
    title: str
    markdown: str
    owner: str
    access: dict[str, str] = field(default_factory=dict)


@dataclass(kw_only=True)
class Contents:
    """Everything that a reset throws away."""

    conversations: dict[str, Conversation] = field(default_factory=the_conversations)
    posts: dict[str, list[Post]] = field(default_factory=lambda: defaultdict(list))
    modals: dict[str, list[OpenView]] = field(default_factory=lambda: defaultdict(list))
    homes: dict[str, OpenView] = field(default_factory=dict)
    files: dict[str, StoredFile] = field(default_factory=dict)
    canvases: dict[str, Canvas] = field(default_factory=dict)
    canvas_plan: CanvasPlan = CanvasPlan.PAID
    triggers: Triggers = field(default_factory=Triggers)
    #: What people have picked in messages but the message does not show: (user, channel, ts) to state.values.
    picked: dict[tuple[str, str, str], Json] = field(default_factory=dict)


class Workspace:
    """The state of the sandbox's Slack, and the one place that says when it changed."""

    def __init__(
        self,
        manifest: Mapping[str, Any],
        clock: Callable[[], float],
        *,
        trigger_seconds: float = LIFETIME_SECONDS,
    ) -> None:
        self.manifest = manifest
        self.clock = clock
        self._trigger_seconds = trigger_seconds
        self.bot = BotUser.of(manifest)
        self.created = int(clock())
        self.scopes = tuple(manifest.get("oauth_config", {}).get("scopes", {}).get("bot", ()))
        #: Of the app-level token; its owner chooses them where it is made, not in the manifest.
        self.app_level_scopes: tuple[str, ...] = ("connections:write",)
        self.version = 0
        self.changed = asyncio.Event()
        self._last_microsecond = 0
        self.contents = self._first_contents()

    def reset(self) -> None:
        """Go back to the empty workspace. Versions and timestamps go on: they never repeat."""
        self.contents = self._first_contents()
        self.touch()

    def _first_contents(self) -> Contents:
        return Contents(triggers=Triggers(lifetime_seconds=self._trigger_seconds))

    def touch(self) -> None:
        """Tell whoever is looking that something changed."""
        self.version += 1
        # A fresh event for the next change: those who wait on the old one all wake up.
        self.changed.set()
        self.changed = asyncio.Event()

    def next_ts(self) -> str:
        """Return a new message timestamp, later than every other and never twice the same."""
        self._last_microsecond = max(int(self.clock() * 1_000_000), self._last_microsecond + 1)
        seconds, micro = divmod(self._last_microsecond, 1_000_000)
        return f"{seconds}.{micro:06d}"

    # Conversations ------------------------------------------------------------------------------

    def conversation(self, channel_id: str) -> Conversation | None:
        """Return the conversation with this id."""
        return self.contents.conversations.get(channel_id)

    def named(self, name: str) -> Conversation | None:
        """Return the channel with this name, written with or without its ``#``."""
        channels = (found for found in self.contents.conversations.values() if not found.is_im)
        return next((found for found in channels if found.name == name.removeprefix("#")), None)

    def seen_by(self, user: str) -> list[Conversation]:
        """Return the conversations this person is in."""
        return [found for found in self.contents.conversations.values() if user in found.members]

    # Messages -----------------------------------------------------------------------------------

    def add(self, post: Post) -> Post:
        """Put a message at the end of its channel."""
        self.contents.posts[post.channel].append(post)
        self.touch()
        return post

    def remove(self, post: Post) -> None:
        """Take a message out of its channel, pins included; a thread's first message leaves a tombstone."""
        conversation = self.contents.conversations[post.channel]
        conversation.pins = [ts for ts in conversation.pins if ts != post.ts]
        if self.replies(post.channel, post.ts) and not post.is_reply:
            kept = {"type": "message", "ts": post.ts, "thread_ts": post.ts, "user": "USLACKBOT"}
            post.body = {**kept, "subtype": "tombstone", "text": "This message was deleted."}
        else:
            self.contents.posts[post.channel].remove(post)
        self.touch()

    def find(self, channel: str, ts: str, *, viewer: str | None = None) -> Post | None:
        """Return a message. An ephemeral one is found only for the `viewer` it was written for."""
        return next(
            (
                post
                for post in self.contents.posts[channel]
                if post.ts == ts and post.ephemeral_for in {None, viewer}
            ),
            None,
        )

    def replies(self, channel: str, thread_ts: str, *, viewer: str | None = None) -> list[Post]:
        """Return the replies of a thread, oldest first, without the message that started it."""
        posts = self.contents.posts[channel]
        visible = (post for post in posts if post.ephemeral_for in {None, viewer})
        return [post for post in visible if post.is_reply and post.body["thread_ts"] == thread_ts]

    def shown(self, post: Post, *, metadata: bool = False) -> Json:
        """Return a message as the Web API gives it, with what is known of its thread."""
        body = copy.deepcopy(post.body)
        replies = [] if post.is_reply else self.replies(post.channel, post.ts)
        if replies:
            users = list(dict.fromkeys(str(reply.body["user"]) for reply in replies))
            body["thread_ts"] = post.ts
            body["reply_count"] = len(replies)
            body["reply_users"] = users
            body["reply_users_count"] = len(users)
            body["latest_reply"] = replies[-1].ts
        if metadata and post.metadata is not None:
            body["metadata"] = copy.deepcopy(post.metadata)
        return body

    def bot_body(self, text: str, blocks: Iterable[Mapping[str, Any]] | None, **more: Any) -> Json:
        """Return the start of a message by the bot, with Slack's keys."""
        body: Json = {
            "type": "message",
            "user": names.BOT_USER_ID,
            "ts": self.next_ts(),
            "bot_id": names.BOT_ID,
            "app_id": names.APP_ID,
            "text": text,
            "team": names.TEAM_ID,
            "bot_profile": {
                "id": names.BOT_ID,
                "deleted": False,
                "name": self.bot.display_name,
                "updated": self.created,
                "app_id": names.APP_ID,
                "team_id": names.TEAM_ID,
                "icons": {},
            },
        }
        if blocks is not None:
            body["blocks"] = list(blocks)
        return {**body, **{key: value for key, value in more.items() if value is not None}}

    def person_body(self, user: str, text: str, thread_ts: str | None) -> Json:
        """Return a message written by a person."""
        body: Json = {"type": "message", "user": user, "ts": self.next_ts(), "text": text}
        body["client_msg_id"] = secrets.token_hex(16)
        body["team"] = PEOPLE[user].team_id
        return body if thread_ts is None else {**body, "thread_ts": thread_ts}

    # Views --------------------------------------------------------------------------------------

    def stack(self, user: str) -> list[OpenView]:
        """Return the modals this person has open, the one on top last."""
        return self.contents.modals[user]

    def open_view(self, view_id: str) -> OpenView | None:
        """Return an open modal or a published Home by its id."""
        modals = [opened for stack in self.contents.modals.values() for opened in stack]
        everything = [*modals, *self.contents.homes.values()]
        return next((opened for opened in everything if opened.id == view_id), None)
