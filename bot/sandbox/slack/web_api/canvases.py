"""canvases.*: standalone canvases of the app, as Markdown."""

import re
import secrets
from typing import Any

from bot.sandbox import names
from bot.sandbox.slack.web_api.arguments import ApiError, Json
from bot.sandbox.slack.web_api.registry import Invocation, method
from bot.sandbox.slack.workspace import Canvas, CanvasPlan

#: Slack takes no larger canvas, and no table of more cells.
LARGEST_BYTES, MOST_CELLS = 1024 * 1024, 300
#: Slack's canvases know headings of three levels.
_TOO_DEEP = re.compile(r"^#{4,} ", re.MULTILINE)


@method("canvases.create", "canvases:write")
def create(call: Invocation) -> Json:
    """Make a canvas that only its owner can see."""
    _allowed(call)
    if call.workspace.contents.canvas_plan is CanvasPlan.FREE and not call.arguments.has("channel_id"):
        raise ApiError("free_teams_cannot_create_non_tabbed_canvases")
    if call.arguments.has("channel_id"):
        raise ApiError("not_implemented_in_the_sandbox")  # A channel's tab; the bot makes none.
    canvas = Canvas(
        id=f"F{secrets.token_hex(5).upper()}",
        title=call.arguments.text("title") or "Untitled",
        markdown=_markdown(call.arguments.json("document_content", "canvas_creation_failed")),
        owner=names.BOT_USER_ID,
    )
    call.workspace.contents.canvases[canvas.id] = canvas
    call.workspace.touch()
    return {"canvas_id": canvas.id}


@method("canvases.edit", "canvases:write")
def edit(call: Invocation) -> Json:
    """Change a canvas; of Slack's operations the sandbox knows ``replace`` of all of it."""
    _allowed(call)
    canvas = _canvas(call)
    changes = call.arguments.json("changes", "invalid_arguments")
    if not isinstance(changes, list) or len(changes) != 1 or not isinstance(changes[0], dict):
        raise ApiError("invalid_arguments")
    if changes[0].get("operation") != "replace" or "section_id" in changes[0]:
        raise ApiError("not_implemented_in_the_sandbox")
    canvas.markdown = _markdown(changes[0].get("document_content"))
    call.workspace.touch()
    return {}


@method("canvases.access.set", "canvases:write")
def set_access(call: Invocation) -> Json:
    """Let the members of channels read or write a canvas."""
    _allowed(call)
    canvas = _canvas(call)
    level = call.arguments.required("access_level")
    if level not in {"read", "write"}:
        raise ApiError("invalid_arguments")
    for channel in (call.arguments.text("channel_ids") or "").split(","):
        if call.workspace.conversation(channel) is None:
            raise ApiError("channel_not_found")
        canvas.access[channel] = level
    call.workspace.touch()
    return {}


@method("canvases.delete", "canvases:write")
def delete(call: Invocation) -> Json:
    """Take a canvas away."""
    _allowed(call)
    del call.workspace.contents.canvases[_canvas(call).id]
    call.workspace.touch()
    return {}


def _allowed(call: Invocation) -> None:
    if call.workspace.contents.canvas_plan is CanvasPlan.OFF:
        raise ApiError("canvas_disabled_user_team")


def _canvas(call: Invocation) -> Canvas:
    found = call.workspace.contents.canvases.get(call.arguments.required("canvas_id"))
    if found is None:
        raise ApiError("canvas_not_found")
    return found


def _markdown(content: Any) -> str:
    if not isinstance(content, dict) or content.get("type") != "markdown":
        raise ApiError("canvas_creation_failed", detail="document_content is no markdown")
    written = str(content.get("markdown", ""))
    too_large = len(written.encode()) > LARGEST_BYTES
    cells = sum(line.count("|") - 1 for line in written.splitlines() if line.startswith("|"))
    if too_large or cells > MOST_CELLS or _TOO_DEEP.search(written):
        raise ApiError("canvas_creation_failed", detail="more than a canvas can hold")
    return written
