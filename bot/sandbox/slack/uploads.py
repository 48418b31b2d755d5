"""Files that people share; the bot's own come through the Web API."""

import secrets
from collections.abc import Mapping

from bot.sandbox.slack.web_api.files import file_object, mimetype_of
from bot.sandbox.slack.workspace import Post, StoredFile, Workspace


def attach(workspace: Workspace, post: Post, files: Mapping[str, bytes], *, base_url: str) -> None:
    """Store `files` ({name: content}) and let the message, which nobody has seen yet, carry them."""
    stored = [_store(workspace, post, name, content) for name, content in files.items()]
    post.body |= {"subtype": "file_share", "upload": False, "display_as_bot": False}
    post.body["files"] = [file_object(workspace, file, base_url) for file in stored]


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
