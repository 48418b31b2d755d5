"""pins.*, reactions.*, bookmarks.*: marks on messages and channels."""

import secrets

from bot.sandbox import names
from bot.sandbox.slack import reactions
from bot.sandbox.slack.conversations import Conversation
from bot.sandbox.slack.web_api.arguments import ApiError, Json
from bot.sandbox.slack.web_api.registry import Invocation, method
from bot.sandbox.slack.workspace import Post


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
    post = _message(call, _inside(call))
    try:
        reactions.add(post, names.BOT_USER_ID, _emoji_name(call))
    except reactions.AlreadyReacted:
        raise ApiError("already_reacted") from None
    call.workspace.touch()
    return {}


@method("reactions.remove", "reactions:write")
def unreact(call: Invocation) -> Json:
    """Take the bot's reaction off a message."""
    post = _message(call, _inside(call))
    try:
        reactions.remove(post, names.BOT_USER_ID, _emoji_name(call))
    except reactions.NoReaction:
        raise ApiError("no_reaction") from None
    call.workspace.touch()
    return {}


@method("reactions.get", "reactions:read")
def get_reactions(call: Invocation) -> Json:
    """Return a message with who reacted to it and how."""
    conversation = _inside(call)
    post = _message(call, conversation)
    return {"type": "message", "channel": conversation.id, "message": call.workspace.shown(post)}


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


def _emoji_name(call: Invocation) -> str:
    name = call.arguments.required("name").strip(":")
    if not reactions.is_emoji_name(name):
        raise ApiError("invalid_name")
    return name


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
