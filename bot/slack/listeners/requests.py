"""What every listener reads from a payload: who, from where, in which language, and the request's key."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.domain.ids import ChannelId, PersonId
from bot.slack.views.drill_marks import has_mark

Payload = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Sender:
    """Who sent a request. `team` is the person's own workspace, which for a guest from Slack Connect
    is not ours; Bolt's context names ours even then.
    """

    person: PersonId
    team: str | None
    channel: ChannelId


def command_sender(body: Payload) -> Sender:
    """Return who typed a slash command.

    Slack sends no home team of its own with a command; the use-case asks `users.info`.
    """
    return Sender(
        person=PersonId(body["user_id"]), team=body.get("team_id"), channel=ChannelId(body["channel_id"])
    )


def interaction_sender(body: Payload) -> Sender:
    """Return who pressed a button or submitted a modal."""
    user = body["user"]
    channel = (body.get("channel") or {}).get("id") or (body.get("container") or {}).get("channel_id")
    return Sender(
        person=PersonId(user["id"]),
        team=user.get("team_id") or (body.get("team") or {}).get("id"),
        # A modal has no channel: what it has to say goes to the person directly.
        channel=ChannelId(channel or user["id"]),
    )


def event_sender(body: Payload) -> Sender:
    """Return who an event is about. `team` is not known: the use-case asks `users.info`."""
    event = body["event"]
    item = event.get("item")
    channel = event.get("channel") or (item.get("channel") if isinstance(item, Mapping) else None)
    return Sender(person=PersonId(event["user"]), team=None, channel=ChannelId(str(channel or event["user"])))


def is_of_drill(body: Payload) -> bool:
    """True when what was pressed in, a message or a modal, is marked as a drill's; nothing is looked up.

    Slack does not send back a message that only one person saw: whoever answers a press there marks the form.
    """
    shown = body.get("view") or body.get("message") or {}
    return has_mark(shown.get("blocks") or ())


def event_key(body: Payload) -> str:
    """Return the key of an event; a retry has the same `event_id`."""
    return f"event:{body['event_id']}"


def request_key(kind: str, body: Payload) -> str:
    """Return the key under which a request is remembered: a redelivery or a replay has the same one.

    Slack gives every command and every press a `trigger_id` of its own.
    """
    unique = body.get("trigger_id") or repr(sorted(body.items()))
    return f"{kind}:{hashlib.sha256(str(unique).encode()).hexdigest()[:32]}"
