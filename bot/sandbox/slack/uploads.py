"""Files that people share; the bot's own come through the Web API."""

import re
import secrets
from collections.abc import Mapping

from bot.sandbox.slack.web_api.files import file_object, mimetype_of
from bot.sandbox.slack.workspace import Post, StoredFile, Workspace

_BOUNDARY = re.compile(r'boundary="?(?P<boundary>[^";]+)')


def attach(workspace: Workspace, post: Post, files: Mapping[str, bytes], *, base_url: str) -> None:
    """Store `files` ({name: content}) and let the message, which nobody has seen yet, carry them."""
    stored = [_store(workspace, post, name, content) for name, content in files.items()]
    post.body |= {"subtype": "file_share", "upload": False, "display_as_bot": False}
    post.body["files"] = [file_object(workspace, file, base_url) for file in stored]


def uploaded_bytes(content_type: str, body: bytes) -> bytes:
    """Return the file that an upload carries: as it is, or in a form, as Slack's client for Node sends it.

    Source: @slack/web-api 8.2.0, `postFileUploadsToExternalURL`.
    """
    kind, _, rest = content_type.partition(";")
    found = _BOUNDARY.search(rest)
    if kind.strip().lower() != "multipart/form-data" or found is None:
        return body
    delimiter = b"--" + found["boundary"].encode()
    _, _, part = body.partition(delimiter)
    _, _, content = part.partition(b"\r\n\r\n")
    return content.partition(b"\r\n" + delimiter)[0]


def _store(workspace: Workspace, post: Post, name: str, content: bytes) -> StoredFile:
    file = StoredFile(
        id=f"F{secrets.token_hex(5).upper()}",
        name=name,
        title=name,
        length=len(content),
        token=secrets.token_urlsafe(24),
        mimetype=mimetype_of(name),
        content=content,
        completed=True,
        channel=post.channel,
        thread_ts=post.body.get("thread_ts"),
        ts=post.ts,
        created=int(workspace.clock()),
        user=post.body["user"],
    )
    workspace.contents.files[file.id] = file
    return file
