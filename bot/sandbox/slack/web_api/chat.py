"""chat.*: posting, editing, deleting and linking messages."""

from typing import Any

from bot.sandbox import names
from bot.sandbox.slack.conversations import Conversation
from bot.sandbox.slack.people import PEOPLE
from bot.sandbox.slack.web_api.arguments import ApiError, Json
from bot.sandbox.slack.web_api.content import (
    LONGEST_EDIT,
    LONGEST_TEXT,
    NO_FALLBACK,
    attachments_of,
    blocks_of,
    metadata_of,
    refuse_files_not_shown,
)
from bot.sandbox.slack.web_api.registry import Invocation, method
from bot.sandbox.slack.workspace import Post

#: What the answer to an edit does not repeat of its message. Source: the types of Slack's own clients.
NOT_IN_EDITS = frozenset(
    {"latest_reply", "reply_count", "reply_users", "reply_users_count", "thread_ts", "ts"}
)


@method("chat.postMessage", "chat:write")
def post_message(call: Invocation) -> Json:
    """Post a message in a channel, a thread, or the direct messages with a person."""
    conversation = destination(call)
    _may_post(call, conversation)
    text, blocks, attachments = _content(call)
    metadata = metadata_of(call.arguments)
    body = call.workspace.bot_body(
        text[:LONGEST_TEXT],
        blocks,
        attachments=attachments,
        thread_ts=_thread(call, conversation),
    )
    post = call.workspace.add(Post(channel=conversation.id, body=body, metadata=metadata or None))
    shown = call.workspace.shown(post, metadata=True)
    answer: Json = {"channel": conversation.id, "ts": post.ts, "message": shown}
    if len(text) > LONGEST_TEXT:
        answer["response_metadata"] = {"warnings": ["message_truncated"]}
        answer["warning"] = "message_truncated"
    return answer


@method("chat.postEphemeral", "chat:write")
def post_ephemeral(call: Invocation) -> Json:
    """Show a message to one person, now, outside of the history."""
    conversation = call.conversation()
    user = call.arguments.required("user")
    if conversation.archived:
        raise ApiError("is_archived")
    if names.BOT_USER_ID not in conversation.members:
        raise ApiError("not_in_channel")
    if user not in conversation.members or user not in PEOPLE:
        raise ApiError("user_not_in_channel")
    text, blocks, attachments = _content(call)
    thread_ts = _thread(call, conversation)
    body = call.workspace.bot_body(text, blocks, attachments=attachments, thread_ts=thread_ts)
    post = call.workspace.add(Post(channel=conversation.id, body=body, ephemeral_for=user))
    return {"message_ts": post.ts}


@method("chat.update", "chat:write")
def update(call: Invocation) -> Json:
    """Edit a message of the bot's own. Text without blocks takes the blocks away."""
    post = _own_message(call, "cant_update_message")
    text = call.arguments.text("text")
    if text is not None and len(text) > LONGEST_EDIT:
        raise ApiError("msg_too_long")
    fresh, blocks, attachments = _content(call)
    metadata = metadata_of(call.arguments)
    kept = {key: value for key, value in post.body.items() if key not in {"blocks", "attachments"}}
    changed = {"text": fresh, "blocks": blocks, "attachments": attachments}
    post.body = {**kept, **{key: value for key, value in changed.items() if value is not None}}
    if not blocks:
        post.body["edited"] = {"user": names.BOT_USER_ID, "ts": call.workspace.next_ts()}
    if metadata is not None:
        post.metadata = metadata or None
    call.workspace.touch()
    shown = call.workspace.shown(post, metadata=True)
    message = {key: value for key, value in shown.items() if key not in NOT_IN_EDITS}
    return {"channel": post.channel, "ts": post.ts, "text": fresh, "message": message}


@method("chat.delete", "chat:write")
def delete(call: Invocation) -> Json:
    """Delete a message of the bot's own."""
    post = _own_message(call, "cant_delete_message")
    call.workspace.remove(post)
    return {"channel": post.channel, "ts": post.ts}


@method("chat.getPermalink")
def get_permalink(call: Invocation) -> Json:
    """Return the address of a message."""
    conversation = call.conversation()
    ts = call.arguments.required("message_ts")
    post = call.workspace.find(conversation.id, ts)
    if post is None or post.ephemeral_for is not None:
        raise ApiError("message_not_found")
    permalink = f"{call.base_url}/archives/{conversation.id}/p{ts.replace('.', '')}"
    if post.is_reply:
        permalink += f"?thread_ts={post.body['thread_ts']}&cid={conversation.id}"
    return {"channel": conversation.id, "permalink": permalink}


def destination(call: Invocation) -> Conversation:
    """Return where a post is to go: a channel's id or name, or a person whose direct messages it opens."""
    wanted = call.arguments.required("channel")
    person = PEOPLE.get(wanted)
    if person is not None and not person.outsider:
        return call.workspace.contents.conversations[f"D{wanted[1:]}"]
    found = call.workspace.conversation(wanted) or call.workspace.named(wanted)
    if found is None or found.im_with in _strangers():
        raise ApiError("channel_not_found")
    return found


def _strangers() -> set[str]:
    # The documentation promises no direct messages between an app and people of another workspace.
    return {person.id for person in PEOPLE.values() if person.outsider}


def _may_post(call: Invocation, conversation: Conversation) -> None:
    if conversation.archived:
        raise ApiError("is_archived")
    inside = names.BOT_USER_ID in conversation.members
    if not inside and "chat:write.public" not in call.workspace.scopes:
        raise ApiError("not_in_channel")


def _content(call: Invocation) -> tuple[str, list[Json] | None, list[Any] | None]:
    text = call.arguments.text("text")
    blocks = blocks_of(call.arguments)
    refuse_files_not_shown(call.workspace, blocks or [])
    attachments = attachments_of(call.arguments)
    if text is None and not blocks and not attachments:
        raise ApiError("no_text")
    fallback = NO_FALLBACK if blocks else ""
    return text if text is not None else fallback, blocks, attachments


def _thread(call: Invocation, conversation: Conversation) -> str | None:
    thread_ts = call.arguments.text("thread_ts")
    if thread_ts is None:
        return None
    parent = call.workspace.find(conversation.id, thread_ts)
    if parent is None or parent.ephemeral_for is not None:
        raise ApiError("thread_not_found")
    return str(parent.body.get("thread_ts", parent.ts))


def _own_message(call: Invocation, refusal: str) -> Post:
    conversation = call.conversation()
    post = call.workspace.find(conversation.id, call.arguments.required("ts"))
    if post is None or post.ephemeral_for is not None:
        raise ApiError("message_not_found")
    if post.body.get("bot_id") != names.BOT_ID:
        raise ApiError(refusal)
    if conversation.archived:
        raise ApiError("is_inactive" if refusal == "cant_update_message" else "is_archived")
    return post
