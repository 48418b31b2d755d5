"""conversations.*: what channels there are, who is in them, and what was said."""

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation

from bot.sandbox import names
from bot.sandbox.slack.conversations import Conversation
from bot.sandbox.slack.people import PEOPLE
from bot.sandbox.slack.web_api.arguments import ApiError, Json
from bot.sandbox.slack.web_api.paging import page
from bot.sandbox.slack.web_api.registry import Invocation, method
from bot.sandbox.slack.workspace import Post

READ = ("channels:read", "groups:read", "im:read", "mpim:read")
HISTORY = ("channels:history", "groups:history", "im:history", "mpim:history")
JOIN = ("channels:join",)
OPEN = ("channels:manage", "groups:write", "im:write", "mpim:write")


@method("conversations.list", *READ)
def list_conversations(call: Invocation) -> Json:
    """List conversations of the kinds asked for, public channels by default."""
    kinds = (call.arguments.text("types") or "public_channel").replace(" ", "").split(",")
    if "public_channel" in kinds:
        call.need("channels:read")
    if "im" in kinds:
        call.need("im:read")
    wanted = [
        found
        for found in call.workspace.contents.conversations.values()
        if ("im" if found.is_im else "public_channel") in kinds
        and not (found.archived and call.arguments.flag("exclude_archived"))
    ]
    part, cursor = page(wanted, call.arguments, default=100)
    channels = [found.describe(call.workspace.created) for found in part]
    return {"channels": channels, "response_metadata": {"next_cursor": cursor}}


@method("conversations.info", *READ)
def info(call: Invocation) -> Json:
    """Describe one conversation."""
    found = _guarded(call, "read")
    description = found.describe(call.workspace.created)
    if not call.arguments.flag("include_num_members"):
        description.pop("num_members", None)
    return {"channel": description}


@method("conversations.members", *READ)
def members(call: Invocation) -> Json:
    """List who is in a conversation."""
    found = _guarded(call, "read")
    part, cursor = page(sorted(found.members), call.arguments, default=100)
    return {"members": part, "response_metadata": {"next_cursor": cursor}}


@method("conversations.history", *HISTORY)
def history(call: Invocation) -> Json:
    """Return a channel's messages, newest first, without replies and ephemerals."""
    found = _readable(call)
    posts = call.workspace.contents.posts[found.id]
    visible = [post for post in posts if post.ephemeral_for is None and not post.is_reply]
    part, cursor = page(_within(call, visible)[::-1], call.arguments, default=100)
    answer: Json = {"messages": _shown(call, part), "has_more": bool(cursor), "pin_count": len(found.pins)}
    if cursor:
        answer["response_metadata"] = {"next_cursor": cursor}
    return answer


@method("conversations.replies", *HISTORY)
def replies(call: Invocation) -> Json:
    """Return a thread, oldest first, the message that started it at the head."""
    found = _readable(call)
    parent = call.workspace.find(found.id, call.arguments.required("ts"))
    if parent is None or parent.ephemeral_for is not None:
        raise ApiError("thread_not_found")
    thread = [parent, *call.workspace.replies(found.id, parent.ts)]
    part, cursor = page(_within(call, thread), call.arguments, default=1000)
    answer: Json = {"messages": _shown(call, part), "has_more": bool(cursor)}
    if cursor:
        answer["response_metadata"] = {"next_cursor": cursor}
    return answer


@method("conversations.join", *JOIN)
def join(call: Invocation) -> Json:
    """Make the bot a member of a public channel."""
    found = call.conversation()
    if found.is_im:
        raise ApiError("method_not_supported_for_channel_type")
    if found.archived:
        raise ApiError("is_archived")
    already = names.BOT_USER_ID in found.members
    found.members.add(names.BOT_USER_ID)
    call.workspace.touch()
    description = found.describe(call.workspace.created)
    description.pop("num_members", None)
    answer: Json = {"channel": description}
    if already:
        answer |= {"warning": "already_in_channel", "response_metadata": {"warnings": ["already_in_channel"]}}
    return answer


@method("conversations.open", *OPEN)
def open_conversation(call: Invocation) -> Json:
    """Return the direct messages with one person of this workspace."""
    call.need("im:write")
    user = call.arguments.text("users") or ""
    wanted = call.arguments.text("channel") or f"D{user[1:]}"
    found = call.workspace.conversation(wanted)
    if found is None or found.im_with is None:
        raise ApiError("channel_not_found" if call.arguments.has("channel") else "user_not_found")
    if PEOPLE[found.im_with].outsider:
        raise ApiError("user_not_found")
    answer: Json = {"channel": {"id": found.id}, "no_op": True, "already_open": True}
    if call.arguments.flag("return_im"):
        answer["channel"] = found.describe(call.workspace.created)
    return answer


def _guarded(call: Invocation, family: str) -> Conversation:
    found = call.conversation()
    call.need(f"{found.scope_family}:{family}")
    return found


def _readable(call: Invocation) -> Conversation:
    found = _guarded(call, "history")
    if names.BOT_USER_ID not in found.members:
        raise ApiError("not_in_channel")
    return found


def _within(call: Invocation, posts: Sequence[Post]) -> list[Post]:
    """Keep what lies between `oldest` and `latest`; the ends count only with `inclusive`."""
    oldest, latest = _time(call, "oldest", "0"), _time(call, "latest", "Infinity")
    if call.arguments.flag("inclusive"):
        return [post for post in posts if oldest <= Decimal(post.ts) <= latest]
    return [post for post in posts if oldest < Decimal(post.ts) < latest]


def _time(call: Invocation, name: str, default: str) -> Decimal:
    try:
        return Decimal(call.arguments.text(name) or default)
    except InvalidOperation:
        raise ApiError(f"invalid_ts_{name}") from None


def _shown(call: Invocation, posts: Sequence[Post]) -> list[Json]:
    metadata = call.arguments.flag("include_all_metadata")
    return [call.workspace.shown(post, metadata=metadata) for post in posts]
