"""The payloads Slack sends when people do something, with all of Slack's keys."""

import copy
from collections.abc import Mapping
from typing import Any

from bot.sandbox import names
from bot.sandbox.slack.conversations import Conversation
from bot.sandbox.slack.people import PEOPLE
from bot.sandbox.slack.workspace import OpenView, Post, Workspace

Json = dict[str, Any]

TEAM_DOMAIN = "backout-sandbox"
#: Slack's old way of proving itself; still sent, never to be relied on.
VERIFICATION_TOKEN = "sandbox-verification-token"
#: Keys of an element that an `actions[]` entry repeats.
_REPEATED = (
    "text",
    "value",
    "style",
    "url",
    "confirm",
    "placeholder",
    "initial_option",
    "initial_options",
    "initial_user",
    "initial_channel",
    "initial_conversation",
    "initial_date",
    "initial_time",
    "initial_date_time",
    "initial_users",
    "initial_channels",
    "initial_conversations",
    "timezone",
)


def slash_fields(
    *,
    user: str,
    conversation: Conversation,
    command: str,
    text: str,
    response_url: str,
    trigger_id: str,
) -> dict[str, str]:
    """Return the form of a slash command."""
    return {
        "token": VERIFICATION_TOKEN,
        "team_id": names.TEAM_ID,
        "team_domain": TEAM_DOMAIN,
        "channel_id": conversation.id,
        "channel_name": conversation.payload_name,
        "user_id": user,
        "user_name": PEOPLE[user].name,
        "command": command,
        "text": text,
        "api_app_id": names.APP_ID,
        "is_enterprise_install": "false",
        "response_url": response_url,
        "trigger_id": trigger_id,
    }


def _interaction(kind: str, user: str) -> Json:
    person = PEOPLE[user]
    return {
        "type": kind,
        "user": {
            "id": person.id,
            "username": person.name,
            "name": person.name,
            "team_id": person.team_id,
        },
        "team": {"id": names.TEAM_ID, "domain": TEAM_DOMAIN},
        "api_app_id": names.APP_ID,
        "token": VERIFICATION_TOKEN,
        "enterprise": None,
        "is_enterprise_install": False,
    }


def action(element: Mapping[str, Any], block_id: str, selected: Mapping[str, Any], action_ts: str) -> Json:
    """Return one entry of `actions[]`."""
    repeated = {key: copy.deepcopy(element[key]) for key in _REPEATED if key in element}
    return {
        "type": element["type"],
        "action_id": element["action_id"],
        "block_id": block_id,
        **repeated,
        **selected,
        "action_ts": action_ts,
    }


def message_action(
    workspace: Workspace,
    *,
    user: str,
    post: Post,
    action: Json,
    state: Json,
    response_url: str,
    trigger_id: str,
) -> Json:
    """Return a ``block_actions`` payload for something used in a message."""
    conversation = workspace.contents.conversations[post.channel]
    container: Json = {
        "type": "message",
        "message_ts": post.ts,
        "channel_id": post.channel,
        "is_ephemeral": post.ephemeral_for is not None,
    }
    if "thread_ts" in post.body:
        container["thread_ts"] = post.body["thread_ts"]
    payload = {
        **_interaction("block_actions", user),
        "container": container,
        "trigger_id": trigger_id,
        "channel": {"id": conversation.id, "name": conversation.payload_name},
        "state": {"values": state},
        "response_url": response_url,
        "actions": [action],
    }
    # Slack leaves the message out of payloads from ephemeral ones: it does not keep them.
    return payload if post.ephemeral_for is not None else {**payload, "message": workspace.shown(post)}


def global_shortcut(*, user: str, callback_id: str, action_ts: str, trigger_id: str) -> Json:
    """Return a ``shortcut`` payload: it knows no channel, and like Slack's it does not name the app."""
    payload = _shortcut("shortcut", user)
    del payload["user"]["name"]
    return {
        **payload,
        "callback_id": callback_id,
        "action_ts": action_ts,
        "trigger_id": trigger_id,
    }


def message_shortcut(
    workspace: Workspace,
    *,
    user: str,
    post: Post,
    callback_id: str,
    response_url: str,
    trigger_id: str,
) -> Json:
    """Return a ``message_action`` payload, with the message as it stands now."""
    conversation = workspace.contents.conversations[post.channel]
    return {
        **_shortcut("message_action", user),
        "callback_id": callback_id,
        "action_ts": workspace.next_ts(),
        "trigger_id": trigger_id,
        "response_url": response_url,
        "channel": {"id": conversation.id, "name": conversation.payload_name},
        "message_ts": post.ts,
        "message": workspace.shown(post),
    }


def _shortcut(kind: str, user: str) -> Json:
    payload = _interaction(kind, user)
    del payload["api_app_id"]
    return payload


def view_action(*, user: str, opened: OpenView, action: Json, trigger_id: str) -> Json:
    """Return a ``block_actions`` payload for something used in a modal or the Home."""
    return {
        **_interaction("block_actions", user),
        "container": {"type": "view", "view_id": opened.id},
        "trigger_id": trigger_id,
        "view": copy.deepcopy(opened.view),
        "actions": [action],
    }


def view_submission(*, user: str, opened: OpenView, trigger_id: str, response_urls: list[Json]) -> Json:
    """Return a ``view_submission`` payload."""
    return {
        **_interaction("view_submission", user),
        "trigger_id": trigger_id,
        "view": copy.deepcopy(opened.view),
        "response_urls": response_urls,
    }


def view_closed(*, user: str, opened: OpenView, is_cleared: bool) -> Json:
    """Return a ``view_closed`` payload."""
    return {
        **_interaction("view_closed", user),
        "view": copy.deepcopy(opened.view),
        "is_cleared": is_cleared,
    }
