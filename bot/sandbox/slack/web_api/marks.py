"""pins.*, reactions.*, bookmarks.*: marks on messages and channels."""

import re
import secrets

from bot.sandbox import names
from bot.sandbox.slack.conversations import Conversation
from bot.sandbox.slack.web_api.arguments import ApiError, Json
from bot.sandbox.slack.web_api.registry import Invocation, method
from bot.sandbox.slack.workspace import Post

_EMOJI = re.compile(r"[a-z0-9_+'\-]+(::skin-tone-[2-6])?")


@method("pins.add", "pins:write")
def pin(call: Invocation) -> Json:
    """Pin a message to its channel."""
    conversation = _inside(call)
    post = _message(call, conversation)
    if post.ts in conversation.pins:
        raise ApiError("already_pinned")
    conversation.pins.append(post.ts)
    post.body["pinned_to"] = [conversation.id]
    call.workspace.touch()
    return {}


@method("reactions.add", "reactions:write")
def react(call: Invocation) -> Json:
    """Put the bot's reaction on a message."""
    name = call.arguments.required("name").strip(":")
    if not _EMOJI.fullmatch(name):
        raise ApiError("invalid_name")
    post = _message(call, _inside(call))
    reactions = post.body.setdefault("reactions", [])
    found = next((reaction for reaction in reactions if reaction["name"] == name), None)
    if found is None:
        reactions.append({"name": name, "users": [names.BOT_USER_ID], "count": 1})
    elif names.BOT_USER_ID in found["users"]:
        raise ApiError("already_reacted")
    else:
        found["users"].append(names.BOT_USER_ID)
        found["count"] += 1
    call.workspace.touch()
    return {}


@method("bookmarks.add", "bookmarks:write")
def bookmark(call: Invocation) -> Json:
    """Put a link at the head of a channel."""
    found = call.workspace.conversation(call.arguments.required("channel_id"))
    if found is None:
        raise ApiError("channel_not_found")
    if names.BOT_USER_ID not in found.members:
        raise ApiError("not_in_channel")
    title, kind = call.arguments.required("title"), call.arguments.required("type")
    if kind != "link":
        raise ApiError("invalid_bookmark_type")
    link = call.arguments.text("link")
    if link is None or "://" not in link:
        raise ApiError("invalid_link")
    added = _bookmark(call, found.id, title, link)
    found.bookmarks.append(added)
    call.workspace.touch()
    return {"bookmark": added}


def _bookmark(call: Invocation, channel: str, title: str, link: str) -> Json:
    now = int(call.workspace.clock())
    return {
        "id": f"Bk{secrets.token_hex(5).upper()}",
        "channel_id": channel,
        "title": title,
        "link": link,
        "emoji": call.arguments.text("emoji") or "",
        "icon_url": None,
        "entity_id": None,
        "type": "link",
        "date_created": now,
        "date_updated": 0,
        "rank": "a",
        "last_updated_by_user_id": names.BOT_USER_ID,
        "last_updated_by_team_id": names.TEAM_ID,
        "shortcut_id": None,
        "app_id": None,
    }


def _inside(call: Invocation) -> Conversation:
    conversation = call.conversation()
    if names.BOT_USER_ID not in conversation.members:
        raise ApiError("not_in_channel")
    return conversation


def _message(call: Invocation, conversation: Conversation) -> Post:
    post = call.workspace.find(conversation.id, call.arguments.required("timestamp"))
    if post is None or post.ephemeral_for is not None:
        raise ApiError("message_not_found")
    return post
