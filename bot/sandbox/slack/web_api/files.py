"""files.*: the three-step upload, and what became of it."""

import mimetypes
import secrets
from typing import Any
from urllib.parse import quote

from bot.sandbox import names
from bot.sandbox.slack.conversations import Conversation
from bot.sandbox.slack.web_api.arguments import ApiError, Json, invalid_arguments
from bot.sandbox.slack.web_api.registry import Invocation, method
from bot.sandbox.slack.workspace import Post, StoredFile, Workspace

#: An upload ends before Slack has looked at the file; until then no block can show it.
READY_AFTER_SECONDS = 0.5
#: Types that Python's table does not know, or knows differently on different machines.
_TYPES = {"md": "text/markdown", "csv": "text/csv", "svg": "image/svg+xml", "log": "text/plain"}


@method("files.getUploadURLExternal", "files:write")
def get_upload_url(call: Invocation) -> Json:
    """Promise a file and say where its bytes go."""
    name = call.arguments.required("filename")
    length = call.arguments.required("length")
    if not length.isdigit() or int(length) == 0:
        raise invalid_arguments("must be greater than 0 [json-pointer:/length]")
    stored = StoredFile(
        id=f"F{secrets.token_hex(5).upper()}",
        name=name,
        length=int(length),
        token=secrets.token_urlsafe(24),
        mimetype=mimetype_of(name),
        created=int(call.workspace.clock()),
    )
    call.workspace.contents.files[stored.id] = stored
    return {"upload_url": f"{call.base_url}/upload/v1/{stored.token}", "file_id": stored.id}


@method("files.completeUploadExternal", "files:write")
def complete_upload(call: Invocation) -> Json:
    """Finish the upload and share the files, in one message, where they are wanted."""
    stored = [_uploaded(call, entry) for entry in _entries(call)]
    channels = [_shareable(call, channel) for channel in _channels(call)]
    thread_ts = call.arguments.text("thread_ts")
    if thread_ts is not None and any(call.workspace.find(c.id, thread_ts) is None for c in channels):
        raise ApiError("thread_not_found")
    for file, title in stored:
        file.title, file.completed = title, True
        file.ready_at = call.workspace.clock() + READY_AFTER_SECONDS
    files = [file for file, _ in stored]
    for conversation in channels:
        _share(call, files, conversation, thread_ts)
    call.workspace.touch()
    return {"files": [file_object(call.workspace, file, call.base_url) for file in files]}


@method("files.info", "files:read")
def info(call: Invocation) -> Json:
    """Describe one file."""
    stored = call.workspace.contents.files.get(call.arguments.required("file"))
    if stored is None or not stored.completed:
        raise ApiError("file_not_found")
    return {"file": file_object(call.workspace, stored, call.base_url), "comments": []}


def mimetype_of(name: str) -> str:
    """Return the content type that belongs to a file's name."""
    suffix = name.rpartition(".")[2].lower()
    return _TYPES.get(suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"


def file_object(workspace: Workspace, stored: StoredFile, base_url: str) -> Json:
    """Return Slack's `file` object."""
    suffix = stored.name.rpartition(".")[2].lower() or "binary"
    address = f"{base_url}/files/{stored.id}/{quote(stored.name, safe='')}"
    described: Json = {
        "id": stored.id,
        "created": stored.created,
        "timestamp": stored.created,
        "name": stored.name,
        "title": stored.title or stored.name,
        "mimetype": stored.mimetype,
        "filetype": {"md": "markdown"}.get(suffix, suffix),
        "pretty_type": suffix.upper(),
        "user": stored.user,
        "user_team": names.TEAM_ID,
        "editable": False,
        "size": stored.length,
        "mode": "hosted",
        "is_external": False,
        "external_type": "",
        "is_public": stored.channel is not None,
        "public_url_shared": False,
        "display_as_bot": False,
        "username": "",
        "url_private": address,
        "url_private_download": address,
        "permalink": address,
        "channels": [stored.channel] if stored.channel else [],
        "groups": [],
        "ims": [],
    }
    return {**described, "shares": _shares(workspace, stored)}


def _shares(workspace: Workspace, stored: StoredFile) -> Json:
    if stored.channel is None or stored.ts is None:
        return {}
    conversation = workspace.contents.conversations[stored.channel]
    share: Json = {"ts": stored.ts, "channel_name": conversation.name, "team_id": names.TEAM_ID}
    share |= {"share_user_id": stored.user, "reply_count": 0, "reply_users": [], "reply_users_count": 0}
    if stored.thread_ts is not None:
        share["thread_ts"] = stored.thread_ts
    return {"private" if conversation.is_im else "public": {stored.channel: [share]}}


def _entries(call: Invocation) -> list[Any]:
    entries = call.arguments.json("files", "invalid_arguments")
    if not isinstance(entries, list) or not entries:
        raise invalid_arguments("missing required field: files")
    return entries


def _uploaded(call: Invocation, entry: Any) -> tuple[StoredFile, str]:
    identifier = entry.get("id") if isinstance(entry, dict) else None
    stored = call.workspace.contents.files.get(str(identifier))
    if stored is None or stored.content is None or stored.completed:
        raise ApiError("file_not_found")
    return stored, str(entry.get("title") or stored.name)


def _channels(call: Invocation) -> list[str]:
    several = (call.arguments.text("channels") or "").split(",")
    one = call.arguments.text("channel_id")
    return [name for name in ([one] if one else several) if name]


def _shareable(call: Invocation, channel: str) -> Conversation:
    found = call.workspace.conversation(channel)
    if found is None:
        raise ApiError("channel_not_found")
    if found.archived:
        raise ApiError("is_archived")
    if names.BOT_USER_ID not in found.members:
        raise ApiError("not_in_channel")
    return found


def _share(
    call: Invocation, files: list[StoredFile], conversation: Conversation, thread_ts: str | None
) -> None:
    comment = call.arguments.text("initial_comment")
    body = call.workspace.bot_body(
        comment or "", None, thread_ts=thread_ts, upload=True, display_as_bot=False
    )
    for file in files:
        file.channel, file.thread_ts = conversation.id, thread_ts
        file.initial_comment, file.ts = comment, body["ts"]
    body["files"] = [file_object(call.workspace, file, call.base_url) for file in files]
    call.workspace.add(Post(channel=conversation.id, body=body))
