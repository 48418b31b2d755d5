"""The manifest: nothing that Slack would refuse, sooner or later, and no right that the bot does not need."""

import ast
import json
import re
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.ids import ShortcutId

_CHECKOUT = Path(__file__).parents[2]
_BOT = _CHECKOUT / "bot"
_DATA = Path(__file__).parents[1] / "data" / "slack"

Manifest = dict[str, Any]

#: What each Web API method of the bot needs. Source: the "Facts" of each method's page on docs.slack.dev.
#: A method that is not here fails the tests: look its scopes up and add it.
SCOPES_OF_METHODS: Mapping[str, frozenset[str]] = {
    "api_test": frozenset(),
    # With the token of the app itself, whose scopes are not in the manifest.
    "apps_connections_open": frozenset(),
    "auth_test": frozenset(),
    "bots_info": frozenset({"users:read"}),
    "canvases_create": frozenset({"canvases:write"}),
    "canvases_edit": frozenset({"canvases:write"}),
    "canvases_access_set": frozenset({"canvases:write"}),
    # The second one lets it post to public channels that it was not invited to.
    "chat_postMessage": frozenset({"chat:write", "chat:write.public"}),
    "chat_postEphemeral": frozenset({"chat:write"}),
    "chat_update": frozenset({"chat:write"}),
    "chat_delete": frozenset({"chat:write"}),
    "chat_getPermalink": frozenset(),
    "conversations_history": frozenset({"channels:history"}),
    "conversations_info": frozenset({"channels:read"}),
    "conversations_list": frozenset({"channels:read"}),
    "conversations_replies": frozenset({"channels:history"}),
    "files_getUploadURLExternal": frozenset({"files:write"}),
    "files_completeUploadExternal": frozenset({"files:write"}),
    "files_upload_v2": frozenset({"files:write"}),
    "usergroups_users_list": frozenset({"usergroups:read"}),
    "users_info": frozenset({"users:read"}),
    "views_open": frozenset(),
    "views_publish": frozenset(),
    "views_push": frozenset(),
    "views_update": frozenset(),
}


#: What each event needs. Source: the "Facts" of each event's page on docs.slack.dev.
SCOPES_OF_EVENTS: Mapping[str, frozenset[str]] = {
    "app_home_opened": frozenset(),
    "reaction_added": frozenset({"reactions:read"}),
}

#: Names that are Slack's: ``reserved_commands``, ``bot_scopes``, ``bot_events``.
NAMES: Mapping[str, list[str]] = yaml.safe_load((_DATA / "names.yml").read_text(encoding="utf-8"))


@pytest.fixture
def manifest() -> Manifest:
    loaded: Manifest = yaml.safe_load((_CHECKOUT / "manifest.yml").read_text(encoding="utf-8"))
    return loaded


def problems(manifest: Manifest) -> list[str]:
    """Return all that is wrong: by Slack's schema, and by rules that Slack has but its schema does not."""
    schema = json.loads((_DATA / "manifest.schema.2.0.0.json").read_text(encoding="utf-8"))
    found = [f"{error.json_path}: {error.message}" for error in Draft7Validator(schema).iter_errors(manifest)]
    for check in (_command_problems, _scope_problems, _event_problems, _address_problems, _name_problems):
        found.extend(check(manifest))
    return found


def _command_problems(manifest: Manifest) -> Iterator[str]:
    names = [command["command"] for command in manifest["features"]["slash_commands"]]
    for name in names:
        if name.removeprefix("/") in NAMES["reserved_commands"]:
            yield f"{name} is Slack's own"
        if not re.fullmatch(r"/[a-z0-9_-]+", name):
            yield f"{name} is not in small letters, digits, - and _"
        if names.count(name) > 1:
            yield f"{name} is there twice"


def _scope_problems(manifest: Manifest) -> Iterator[str]:
    scopes = manifest["oauth_config"]["scopes"]["bot"]
    yield from (f"{scope} is no bot scope" for scope in scopes if scope not in NAMES["bot_scopes"])
    yield from (f"{scope} is there twice" for scope in set(scopes) if scopes.count(scope) > 1)


def _event_problems(manifest: Manifest) -> Iterator[str]:
    subscriptions = manifest["settings"].get("event_subscriptions", {})
    for event in subscriptions.get("bot_events", []):
        if event not in NAMES["bot_events"]:
            yield f"{event} is no event"


def _address_problems(manifest: Manifest) -> Iterator[str]:
    for where, address in _addresses("", manifest):
        if not re.fullmatch(r"https://[a-z0-9.-]+/[a-z/]*", address):
            yield f"{where}: {address} is no https address"


def _addresses(where: str, value: Any) -> Iterator[tuple[str, str]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        if isinstance(inner, str) and str(key).endswith("url"):
            yield f"{where}.{key}", inner
        yield from _addresses(f"{where}.{key}", inner)


def _name_problems(manifest: Manifest) -> Iterator[str]:
    name = manifest["features"]["bot_user"]["display_name"]
    if not re.fullmatch(r"[a-z0-9._-]{1,80}", name):
        yield f"display name {name!r} is not in a-z 0-9 . _ -"
    colour = manifest["display_information"].get("background_color", "#000")
    if not re.fullmatch(r"#(?:[0-9a-fA-F]{3}){1,2}", colour):
        yield f"{colour!r} is no colour"


def test_slack_would_take_the_manifest(manifest: Manifest) -> None:
    assert problems(manifest) == []


def _set(path: str, value: Any) -> Callable[[Manifest], None]:
    def change(manifest: Manifest) -> None:
        *parents, last = path.split(".")
        inner: Any = manifest
        for parent in parents:
            inner = inner[int(parent)] if parent.isdigit() else inner.setdefault(parent, {})
        inner[int(last) if last.isdigit() else last] = value

    return change


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (_set("display_information.name", "x" * 36), "too long"),
        (_set("display_information.description", "x" * 141), "too long"),
        (_set("display_information.long_description", "short"), "too short"),
        (_set("display_information.background_color", "blue"), "no colour"),
        (_set("display_information.slogan", "x"), "slogan"),
        (_set("features.bot_user.display_name", "백아웃"), "display name"),
        (_set("features.bot_user.display_name", "Backout"), "display name"),
        (_set("features.slash_commands.0.command", "rollback"), "does not match"),
        (_set("features.slash_commands.0.command", "/status"), "Slack's own"),
        (_set("features.slash_commands.0.command", "/remind"), "Slack's own"),
        (_set("features.slash_commands.0.command", "/Rollback"), "small letters"),
        (_set("features.slash_commands.0.command", "/roll back"), "small letters"),
        (_set("features.slash_commands.0.command", "/" + "r" * 32), "too long"),
        (_set("features.slash_commands.0.command", "/canary"), "twice"),
        (_set("features.slash_commands.0.url", "http://backout.example.com/slack/events"), "no https"),
        (_set("features.slash_commands.0.url", "https://"), "no https"),
        (_set("features.slash_commands.0.usage_hint", ""), "non-empty"),
        (_set("settings.interactivity.request_url", "ftp://backout.example.com/"), "does not match"),
        (_set("settings.interactivity.request_url", "http://backout.example.com/"), "no https"),
        (_set("settings.socket_mode_enabled", "no"), "boolean"),
        (_set("settings.event_subscriptions.bot_events", ["reaction_addedd"]), "no event"),
        (_set("settings.surprise", True), "surprise"),
        (_set("oauth_config.scopes.bot.0", "chat:wrote"), "no bot scope"),
        (_set("oauth_config.scopes.bot.0", "chat:write"), "twice"),
        (_set("oauth_config.scopes.bot", "chat:write"), "array"),
    ],
)
def test_a_mistake_would_be_seen(
    manifest: Manifest, change: Callable[[Manifest], None], complaint: str
) -> None:
    broken = deepcopy(manifest)

    change(broken)

    assert any(complaint in problem for problem in problems(broken)), problems(broken)


def test_everything_from_slack_goes_to_the_gate(manifest: Manifest) -> None:
    assert {address for _, address in _addresses("", manifest)} == {
        "https://backout.example.com/slack/events"
    }


def test_mentions_and_channels_arrive_as_ids(manifest: Manifest) -> None:
    assert all(command["should_escape"] for command in manifest["features"]["slash_commands"])


def test_the_app_belongs_to_one_workspace_whose_token_stays(manifest: Manifest) -> None:
    settings = manifest["settings"]

    assert settings["interactivity"]["is_enabled"]
    assert not settings["org_deploy_enabled"]
    assert not settings["socket_mode_enabled"]
    # Cannot be switched off again, and nothing here refreshes tokens.
    assert not settings["token_rotation_enabled"]


def test_people_can_be_told_in_a_direct_message(manifest: Manifest) -> None:
    assert manifest["features"]["app_home"]["messages_tab_enabled"]


def _sources() -> Iterator[ast.Module]:
    for path in sorted(_BOT.rglob("*.py")):
        if _BOT / "sandbox" not in path.parents:
            yield ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


@cache
def _attributes() -> set[str]:
    """Return the names of all attributes in the code."""
    return {
        node.attr for module in _sources() for node in ast.walk(module) if isinstance(node, ast.Attribute)
    }


def _methods() -> set[str]:
    """Return the Web API methods the bot names; a method may be handed on without being called."""
    known = {name for name in dir(AsyncWebClient) if "_" in name.strip("_") and name != "api_call"}
    return _attributes() & known


def _listened(kind: str) -> set[str]:
    """Return the names under which listeners are kept: ``….commands["/name"] = …``, by id or by value."""
    return {
        str(node.slice.value) if isinstance(node.slice, ast.Constant) else _shortcut(node.slice)
        for module in _sources()
        for node in ast.walk(module)
        if isinstance(node, ast.Subscript)
        and isinstance(node.ctx, ast.Store)
        and isinstance(node.value, ast.Attribute)
        and node.value.attr == kind
    }


def _shortcut(name: ast.expr) -> str:
    """Return the value of ``ShortcutId.NAME``."""
    assert isinstance(name, ast.Attribute)
    return ShortcutId[name.attr].value


def test_the_scopes_of_every_method_are_known() -> None:
    assert _methods() - SCOPES_OF_METHODS.keys() == set()


def test_no_method_is_called_by_a_name_built_at_run_time() -> None:
    assert "api_call" not in _attributes()


def test_the_bot_has_every_scope_that_it_needs_and_no_other(manifest: Manifest) -> None:
    needed = {scope for method in _methods() for scope in SCOPES_OF_METHODS[method]}
    for event in manifest["settings"]["event_subscriptions"]["bot_events"]:
        needed |= SCOPES_OF_EVENTS[event]
    if manifest["features"]["slash_commands"]:
        needed.add("commands")

    assert set(manifest["oauth_config"]["scopes"]["bot"]) == needed


def test_every_command_is_listened_to_and_every_listener_has_its_command(manifest: Manifest) -> None:
    names = {command["command"] for command in manifest["features"]["slash_commands"]}

    assert names == _listened("commands")


def test_every_shortcut_is_listened_to_and_every_listener_has_its_shortcut(manifest: Manifest) -> None:
    ids = [shortcut["callback_id"] for shortcut in manifest["features"]["shortcuts"]]

    assert set(ids) == _listened("shortcuts")
    assert len(ids) == len(set(ids))


def test_every_event_is_listened_to_and_every_listener_hears_of_its_event(manifest: Manifest) -> None:
    assert set(manifest["settings"]["event_subscriptions"]["bot_events"]) == _listened("events")
