"""Channels and direct messages: who is in them, and how Slack describes them."""

from dataclasses import dataclass, field
from typing import Any

from bot.sandbox import names
from bot.sandbox.slack.people import PEOPLE, is_member


@dataclass(kw_only=True)
class Conversation:
    """A public channel, or the direct messages between the bot and one person (`im_with`)."""

    id: str
    name: str
    topic: str = ""
    shared: bool = False
    im_with: str | None = None
    members: set[str] = field(default_factory=set)
    archived: bool = False
    pins: list[str] = field(default_factory=list)
    bookmarks: list[dict[str, Any]] = field(default_factory=list)

    @property
    def is_im(self) -> bool:
        """True for direct messages."""
        return self.im_with is not None

    @property
    def scope_family(self) -> str:
        """The prefix of the scopes that guard this kind of conversation."""
        return "im" if self.is_im else "channels"

    @property
    def payload_name(self) -> str:
        """The name Slack puts into payloads."""
        return "directmessage" if self.is_im else self.name

    def describe(self, created: int) -> dict[str, Any]:
        """Return Slack's `channel` object. `created` is in epoch seconds."""
        common = {"id": self.id, "created": created, "is_archived": self.archived, "updated": created * 1000}
        if self.is_im:
            return {**common, "is_im": True, "is_org_shared": False, "user": self.im_with, "priority": 0}
        return {
            **common,
            "name": self.name,
            "name_normalized": self.name,
            "is_channel": True,
            "is_group": False,
            "is_im": False,
            "is_mpim": False,
            "is_private": False,
            "is_general": self.name == "general",
            "unlinked": 0,
            "is_shared": self.shared,
            "is_ext_shared": self.shared,
            "is_org_shared": False,
            "is_pending_ext_shared": False,
            "pending_shared": [],
            "shared_team_ids": [names.TEAM_ID, *([names.OTHER_TEAM_ID] if self.shared else [])],
            "context_team_id": names.TEAM_ID,
            "creator": names.DEFAULT_ACTOR,
            "is_member": names.BOT_USER_ID in self.members,
            "topic": {"value": self.topic, "creator": names.DEFAULT_ACTOR, "last_set": created},
            "purpose": {"value": "", "creator": "", "last_set": 0},
            "previous_names": [],
            "num_members": len(self.members),
        }


def the_conversations() -> dict[str, Conversation]:
    """Return the sandbox's conversations as they are at the start."""
    channels = [_channel(channel) for channel in names.CHANNELS]
    return {found.id: found for found in [*channels, *map(_direct_messages, PEOPLE)]}


def _channel(channel: names.Channel) -> Conversation:
    members = {user for user in PEOPLE if is_member(user, channel.id)}
    if channel.id in names.BOT_CHANNELS:
        members.add(names.BOT_USER_ID)
    return Conversation(
        id=channel.id, name=channel.name, topic=channel.topic, shared=channel.shared, members=members
    )


def _direct_messages(user: str) -> Conversation:
    return Conversation(id=f"D{user[1:]}", name=user, im_with=user, members={user, names.BOT_USER_ID})
