"""views.*: modals and the App Home."""

import json
from typing import Any

from bot.sandbox.slack import modals
from bot.sandbox.slack.app_features import has_tab
from bot.sandbox.slack.blocks import Surface, validate
from bot.sandbox.slack.people import PEOPLE
from bot.sandbox.slack.triggers import TriggerRefused
from bot.sandbox.slack.web_api.arguments import ApiError, Json, invalid_arguments
from bot.sandbox.slack.web_api.registry import Invocation, method
from bot.sandbox.slack.workspace import OpenView

#: Bytes of a view's JSON.
LARGEST_VIEW = 250_000


@method("views.open")
def open_modal(call: Invocation) -> Json:
    """Open a modal for the person who made the trigger."""
    view = _view(call, "modal")
    user = _exchange(call)
    return {"view": modals.open_first(call.workspace, user, view).view}


@method("views.push")
def push(call: Invocation) -> Json:
    """Put a modal on top of the one in which the trigger was made."""
    view = _view(call, "modal")
    user = _exchange(call)
    stack = call.workspace.stack(user)
    if not stack:
        raise ApiError("not_found")
    if len(stack) >= modals.DEEPEST_STACK:
        raise ApiError("push_limit_reached")
    return {"view": modals.push(call.workspace, user, view).view}


@method("views.update")
def update(call: Invocation) -> Json:
    """Replace a view that is open."""
    opened = _opened(call)
    surface: Surface = "home" if opened.view["type"] == "home" else "modal"
    view = _view(call, surface)
    _same_hash(call, opened)
    return {"view": modals.replace(call.workspace, opened, view).view}


@method("views.publish")
def publish(call: Invocation) -> Json:
    """Set the Home of one person."""
    user = call.arguments.required("user_id")
    if user not in PEOPLE:
        raise ApiError("user_not_found")
    if not has_tab(call.workspace.manifest, "home"):
        raise ApiError("not_enabled")
    view = _view(call, "home")
    current = call.workspace.contents.homes.get(user)
    if current is not None:
        _same_hash(call, current)
    return {"view": modals.publish_home(call.workspace, user, view).view}


def checked_view(view: Any, surface: Surface) -> Json:
    """Return the view if Slack would take it.

    Raises:
        ApiError: ``invalid_arguments`` with a line for each fault, or ``view_too_large``.
    """
    problems = validate(view, surface)
    if problems:
        lines = [f"{found['message']} [json-pointer:/view{found['pointer']}]" for found in problems]
        raise invalid_arguments(*lines)
    if len(json.dumps(view)) > LARGEST_VIEW:
        raise ApiError("view_too_large")
    return dict(view)


def _view(call: Invocation, surface: Surface) -> Json:
    view = call.arguments.json("view", "invalid_arguments")
    if not isinstance(view, dict):
        raise invalid_arguments("missing required field: view")
    _fresh_external_id(call, view)
    return checked_view(view, surface)


def _fresh_external_id(call: Invocation, view: Json) -> None:
    wanted = view.get("external_id")
    stacks = call.workspace.contents.modals.values()
    taken = {opened.view["external_id"]: opened.id for stack in stacks for opened in stack}
    if wanted and wanted in taken and taken[wanted] != call.arguments.text("view_id"):
        raise ApiError("duplicate_external_id")


def _exchange(call: Invocation) -> str:
    trigger_id = call.arguments.required("trigger_id")
    try:
        return call.workspace.contents.triggers.exchange(trigger_id, now=call.workspace.clock())
    except TriggerRefused as refused:
        raise ApiError(str(refused)) from None


def _opened(call: Invocation) -> OpenView:
    external = call.arguments.text("external_id")
    if external is not None:
        stacks = call.workspace.contents.modals.values()
        found = next((v for stack in stacks for v in stack if v.view["external_id"] == external), None)
    else:
        found = call.workspace.open_view(call.arguments.required("view_id"))
    if found is None:
        raise ApiError("not_found")
    return found


def _same_hash(call: Invocation, opened: OpenView) -> None:
    given = call.arguments.text("hash")
    if given is not None and given != opened.view["hash"]:
        raise ApiError("hash_conflict")
