"""Where a story plays: a Slack that people act in. Ours, or somebody else's behind the same few verbs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from bot.sandbox.slack import SandboxSlack

Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Seen:
    """Everything a Slack holds.

    messages: Slack's message objects, threads included, oldest first, each with its `channel`.
    whispers: what one person alone was shown; with `channel` and that person as `for`.
    views: the modals somebody has open, oldest first; with `user`.
    homes: the published Home of each person.
    files: name, title, mimetype, content, and where they were shared: channel and thread_ts.
    pins: (channel, ts).
    """

    messages: list[Json]
    whispers: list[Json]
    views: list[Json]
    homes: Mapping[str, Json]
    files: list[Json]
    pins: list[tuple[str, str]] = field(default_factory=list)


class Stage(Protocol):
    """A Slack in which people do things."""

    api_url: str
    events_url: str

    async def slash(self, user: str, channel: str, text: str) -> None:
        """Type a whole command line."""

    async def say(self, user: str, channel: str, text: str) -> str:
        """Write a message; returns its ts."""

    async def react(self, user: str, channel: str, ts: str, name: str) -> None:
        """React to a message."""

    async def click(self, user: str, channel: str, ts: str, action_id: str) -> None:
        """Press a button of a message."""

    async def click_view(self, user: str, view_id: str, action_id: str, *, beside: str) -> None:
        """Press the button of a modal that stands beside this text."""

    async def submit(self, user: str, view_id: str, values: Mapping[str, str]) -> Json:
        """Fill in the modal on top, {action_id: plain value}, and submit it; returns the app's answer."""

    async def press_message_shortcut(self, user: str, channel: str, ts: str, callback_id: str) -> None:
        """Choose a message shortcut."""

    async def open_home(self, user: str) -> None:
        """Open the app's Home."""

    async def seen(self) -> Seen:
        """Return what there is now."""


class OurStage:
    """The sandbox's Slack."""

    def __init__(self, slack: SandboxSlack) -> None:
        self._slack = slack
        self.api_url = slack.api_url

    @property
    def events_url(self) -> str:
        """Where the bot takes requests."""
        return self._slack.events_url

    @events_url.setter
    def events_url(self, url: str) -> None:
        self._slack.events_url = url

    async def slash(self, user: str, channel: str, text: str) -> None:
        """See `Stage.slash`."""
        assert (await self._slack.slash(user, channel, text)).shown is None

    async def say(self, user: str, channel: str, text: str) -> str:
        """See `Stage.say`."""
        await self._slack.say(user, channel, text)
        # The bot may have written there in the meantime.
        return next(str(one["ts"]) for one in reversed(self._slack.messages(channel)) if one["user"] == user)

    async def react(self, user: str, channel: str, ts: str, name: str) -> None:
        """See `Stage.react`."""
        await self._slack.react(user, channel, ts, name)

    async def click(self, user: str, channel: str, ts: str, action_id: str) -> None:
        """See `Stage.click`."""
        assert (await self._slack.click(user, channel, ts, action_id)).shown is None

    async def click_view(self, user: str, view_id: str, action_id: str, *, beside: str) -> None:
        """See `Stage.click_view`."""
        blocks = self._slack.views(user)[-1]["blocks"]
        block_id = next(block["block_id"] for block in blocks if beside in str(block.get("text")))
        delivery = await self._slack.click_view(user, view_id, action_id, block_id=block_id)
        assert delivery.shown is None

    async def submit(self, user: str, view_id: str, values: Mapping[str, str]) -> Json:
        """See `Stage.submit`."""
        delivery = await self._slack.submit(user, view_id, values)
        assert delivery.shown is None
        return dict(delivery.body or {})

    async def press_message_shortcut(self, user: str, channel: str, ts: str, callback_id: str) -> None:
        """See `Stage.press_message_shortcut`."""
        assert (await self._slack.press_message_shortcut(user, channel, ts, callback_id)).shown is None

    async def open_home(self, user: str) -> None:
        """See `Stage.open_home`."""
        await self._slack.open_home(user)

    async def seen(self) -> Seen:
        """See `Stage.seen`."""
        workspace = self._slack.workspace
        posts = [
            {**workspace.shown(post, metadata=True), "channel": channel, "for": post.ephemeral_for}
            for channel, posts in workspace.contents.posts.items()
            for post in posts
        ]
        posts.sort(key=lambda post: str(post["ts"]))
        return Seen(
            messages=[post for post in posts if post["for"] is None],
            whispers=[post for post in posts if post["for"] is not None],
            views=[
                {**opened.view, "user": user}
                for user, stack in workspace.contents.modals.items()
                for opened in stack
            ],
            homes={user: opened.view for user, opened in workspace.contents.homes.items()},
            files=self._slack.files(),
            pins=[(found.id, ts) for found in workspace.contents.conversations.values() for ts in found.pins],
        )
