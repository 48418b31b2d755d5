"""Reactions on messages, whoever puts them there: the bot through the Web API, people through the page."""

import re
from typing import Any

from bot.sandbox.slack.workspace import Post

Json = dict[str, Any]

_NAME = re.compile(r"[a-z0-9_+'\-]+(::skin-tone-[2-6])?")


class AlreadyReacted(Exception):
    """This user's reaction of that name is on the message already."""


class NoReaction(Exception):
    """This user has no reaction of that name on the message."""


def is_emoji_name(name: str) -> bool:
    """Say whether `name` has the form of an emoji's, without colons."""
    return _NAME.fullmatch(name) is not None


def add(post: Post, user: str, name: str) -> None:
    """Put a reaction on a message.

    Raises:
        AlreadyReacted: it is there.
    """
    reactions = post.body.setdefault("reactions", [])
    found = _named(reactions, name)
    if found is None:
        reactions.append({"name": name, "users": [user], "count": 1})
    elif user in found["users"]:
        raise AlreadyReacted(name)
    else:
        found["users"].append(user)
        found["count"] += 1


def remove(post: Post, user: str, name: str) -> None:
    """Take a reaction off a message.

    Raises:
        NoReaction: there is none.
    """
    reactions = post.body.get("reactions", [])
    found = _named(reactions, name)
    if found is None or user not in found["users"]:
        raise NoReaction(name)
    found["users"].remove(user)
    found["count"] -= 1
    if not found["users"]:
        reactions.remove(found)
    if not reactions:
        del post.body["reactions"]


def _named(reactions: list[Json], name: str) -> Json | None:
    return next((reaction for reaction in reactions if reaction["name"] == name), None)
