"""What a person types, as an app gets it: mentions and links in angle brackets, entities escaped."""

import re
from collections.abc import Mapping

from bot.sandbox import names
from bot.sandbox.slack.conversations import Conversation
from bot.sandbox.slack.people import PEOPLE

#: A mention that is already in Slack's own form; it stays as it is.
_FINISHED = re.compile(r"(<[@#!][A-Z][^<>]*>)")
_MENTION = re.compile(r"(?<![\w;])([@#])([\w.-]*\w)")
_LINK = re.compile(r"https?://[^\s<>|]+")


def escape(text: str) -> str:
    """Return `text` with the three characters replaced that Slack gives a meaning to."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def escaped_mentions(text: str, conversations: Mapping[str, Conversation], bot_name: str) -> str:
    """Return `text` as a slash command with ``should_escape: true`` receives it.

    ``@sena`` becomes ``<@U0SENA|sena>``, ``#devops`` becomes ``<#C0DEVOPS|devops>``, links become ``<link>``;
    a name that nobody has stays as it is.
    """
    people = {person.name: person.id for person in PEOPLE.values()} | {bot_name: names.BOT_USER_ID}
    groups = {handle: group for group, handle, _ in names.USER_GROUPS}
    channels = {found.name: found.id for found in conversations.values() if not found.is_im}

    def mention(match: re.Match[str]) -> str:
        mark, name = match.groups()
        if mark == "#":
            return f"<#{channels[name]}|{name}>" if name in channels else match.group()
        if name in people:
            return f"<@{people[name]}|{name}>"
        return f"<!subteam^{groups[name]}|@{name}>" if name in groups else match.group()

    def typed(part: str) -> str:
        mentioned = _MENTION.sub(mention, escape(part))
        return _LINK.sub(lambda match: f"<{match.group()}>", mentioned)

    parts = _FINISHED.split(text)
    return "".join(part if _FINISHED.fullmatch(part) else typed(part) for part in parts)


def message_text(text: str, conversations: Mapping[str, Conversation], bot_name: str) -> str:
    """Return typed `text` as it stands in a message: people are mentioned by their id alone."""
    return re.sub(r"<@(\w+)\|[^<>]*>", r"<@\1>", escaped_mentions(text, conversations, bot_name))
