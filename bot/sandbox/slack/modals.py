"""Opening, replacing and closing views: the stack of modals a person looks at, and their Home."""

import secrets
from collections.abc import Mapping
from typing import Any

from bot.sandbox import names
from bot.sandbox.slack.block_defaults import kept_blocks, text_of
from bot.sandbox.slack.inputs import initial_state
from bot.sandbox.slack.workspace import OpenView, Workspace

Json = dict[str, Any]

#: Views in one stack. Source: docs.slack.dev, "Modals".
DEEPEST_STACK = 3
_KEPT_OVER_UPDATES = ("id", "root_view_id", "previous_view_id", "external_id")


def open_first(workspace: Workspace, user: str, payload: Mapping[str, Any]) -> OpenView:
    """Show a modal to `user`, in place of whatever modal was there."""
    opened = OpenView(user=user, view=_complete(workspace, payload))
    opened.view["root_view_id"] = opened.id
    workspace.contents.modals[user] = [opened]
    workspace.touch()
    return opened


def push(workspace: Workspace, user: str, payload: Mapping[str, Any]) -> OpenView:
    """Put a modal on top of the one that is open."""
    stack = workspace.stack(user)
    opened = OpenView(user=user, view=_complete(workspace, payload))
    opened.view["root_view_id"] = stack[0].id
    opened.view["previous_view_id"] = stack[-1].id
    stack.append(opened)
    workspace.touch()
    return opened


def replace(workspace: Workspace, opened: OpenView, payload: Mapping[str, Any]) -> OpenView:
    """Change a view in place; what people typed survives where block_id and action_id stay the same."""
    before = opened.view
    fresh = _complete(workspace, payload, before["state"]["values"])
    kept = {key: before[key] for key in _KEPT_OVER_UPDATES}
    if payload.get("external_id"):
        kept["external_id"] = payload["external_id"]
    opened.view = {**fresh, **kept}
    workspace.touch()
    return opened


def publish_home(workspace: Workspace, user: str, payload: Mapping[str, Any]) -> OpenView:
    """Set the Home that `user` sees."""
    current = workspace.contents.homes.get(user)
    if current is not None:
        return replace(workspace, current, payload)
    opened = OpenView(user=user, view=_complete(workspace, payload))
    opened.view["root_view_id"] = opened.id
    workspace.contents.homes[user] = opened
    workspace.touch()
    return opened


def close(workspace: Workspace, opened: OpenView) -> None:
    """Take a modal off its stack, with everything above it."""
    stack = workspace.stack(opened.user)
    if opened in stack:
        del stack[stack.index(opened) :]
        workspace.touch()


def clear(workspace: Workspace, user: str) -> None:
    """Close every modal of this person."""
    workspace.contents.modals[user] = []
    workspace.touch()


def _complete(workspace: Workspace, payload: Mapping[str, Any], before: Json | None = None) -> Json:
    blocks = kept_blocks(payload["blocks"])
    return {
        "id": f"V{secrets.token_hex(5).upper()}",
        "team_id": names.TEAM_ID,
        "type": payload["type"],
        "blocks": blocks,
        "private_metadata": payload.get("private_metadata", ""),
        "callback_id": payload.get("callback_id", ""),
        "state": {"values": initial_state(blocks, before)},
        "hash": f"{int(workspace.clock())}.{secrets.token_hex(4)}",
        "title": text_of(payload.get("title")),
        "clear_on_close": payload.get("clear_on_close", False),
        "notify_on_close": payload.get("notify_on_close", False),
        "close": text_of(payload.get("close")),
        "submit": text_of(payload.get("submit")),
        "submit_disabled": payload.get("submit_disabled", False),
        "previous_view_id": None,
        "root_view_id": None,
        "app_id": names.APP_ID,
        "external_id": payload.get("external_id", ""),
        "app_installed_team_id": names.TEAM_ID,
        "bot_id": names.BOT_ID,
    }
