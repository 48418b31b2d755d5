"""Messages of Slack as the use-cases take them: those a shortcut brings along, and those that are read."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from bot.domain.ids import ChannelId
from bot.domain.redaction import Redacted, redact
from bot.slack.commands import typed
from bot.slack.text import clean
from bot.usecases.ports import Written

#: Slack cuts messages there, characters.
LONGEST_MESSAGE = 40_000


def message_of(body: Mapping[str, Any]) -> Written:
    """Return the message whose menu was used."""
    return written(body["message"], channel=ChannelId(body["channel"]["id"]))


def written(message: Mapping[str, Any], *, channel: ChannelId) -> Written:
    """Return a message of Slack's as the use-cases take it: references as words, secrets replaced."""
    text = redact(clean(typed(_text(message)), limit=LONGEST_MESSAGE))
    files = [_file(file) for file in message.get("files") or ()]
    return Written(
        channel=channel,
        ts=message["ts"],
        author=_author(message),
        text=text.text,
        at=datetime.fromtimestamp(float(message["ts"]), UTC),
        files=tuple((name.text, address) for name, address in files),
        thread=message.get("thread_ts"),
        redacted=text.count + sum(name.count for name, _ in files),
    )


def _author(message: Mapping[str, Any]) -> str:
    profile = message.get("bot_profile") or {}
    return str(message.get("user") or profile.get("name") or message.get("username") or "?")


def _text(message: Mapping[str, Any]) -> str:
    """Return what a message says; what alerting tools post is often in its attachments alone."""
    attached = [part.get("fallback") or part.get("text") or "" for part in message.get("attachments") or ()]
    return "\n".join(part for part in (message.get("text") or "", *attached) if part.strip())


def _file(file: Mapping[str, Any]) -> tuple[Redacted, str]:
    name = clean(str(file.get("name") or file.get("title") or file.get("id") or "?"), limit=200)
    return redact(name), str(file.get("permalink") or "")


def permalink(body: Mapping[str, Any]) -> str:
    """Return the address of a shortcut's message.

    Made by hand as Slack makes it: a call would take from the three seconds in which the modal must open.
    """
    message, channel = body["message"], body["channel"]["id"]
    address = (
        f"https://{body['team']['domain']}.slack.com/archives/{channel}/p{message['ts'].replace('.', '')}"
    )
    thread = message.get("thread_ts")
    return address if thread in (None, message["ts"]) else f"{address}?thread_ts={thread}&cid={channel}"
