"""What the manifest lets people and events do: commands, shortcuts, the tabs of the app, subscriptions."""

from collections.abc import Mapping
from typing import Any, Literal

Json = dict[str, Any]
Kind = Literal["global", "message"]
Tab = Literal["home", "messages"]

#: What an app needs to hear of each event. Source: the "Facts" of each event's page on docs.slack.dev.
SCOPE_OF_EVENT: Mapping[str, str | None] = {
    "app_home_opened": None,
    "app_mention": "app_mentions:read",
    "message.channels": "channels:history",
    "message.im": "im:history",
    "reaction_added": "reactions:read",
    "reaction_removed": "reactions:read",
}


#: Slack's own commands. No official list could be read: this is the union of those seen to be refused in
#: manifests and those that the client offers.
_OWN_NAMES = """
    active apps archive away call collapse dm dnd expand feed feedback help huddle invite invite_people
    join keys kick leave list me msg mute open part prefs pro remind remove rename search shortcuts
    shrug star status todo topic unarchive who
"""
OWN_COMMANDS = frozenset(f"/{name}" for name in _OWN_NAMES.split())


def refuse_own_commands(manifest: Mapping[str, Any]) -> None:
    """Raise a `ValueError` when an app wants a command of Slack's own; Slack takes no such manifest."""
    taken = [row["command"] for row in commands(manifest) if row["command"] in OWN_COMMANDS]
    if taken:
        raise ValueError(f"reserved command: {', '.join(taken)} is Slack's own")


def commands(manifest: Mapping[str, Any]) -> list[Json]:
    """Return the slash commands."""
    return list(_features(manifest).get("slash_commands", ()))


def shortcuts(manifest: Mapping[str, Any], kind: Kind) -> list[Json]:
    """Return the shortcuts of one kind: `global` ones of the composer, or those of a message."""
    return [row for row in _features(manifest).get("shortcuts", ()) if row["type"] == kind]


def has_tab(manifest: Mapping[str, Any], tab: Tab) -> bool:
    """Say whether the app shows this tab when people open it."""
    return bool(_features(manifest).get("app_home", {}).get(f"{tab}_tab_enabled", False))


def is_read_only(manifest: Mapping[str, Any]) -> bool:
    """Say whether people can only read the app's Messages tab: Slack's client shows them no message box."""
    return bool(_features(manifest).get("app_home", {}).get("messages_tab_read_only_enabled", False))


def hears(manifest: Mapping[str, Any], topic: str) -> bool:
    """Say whether the app subscribed to `topic`, a key of `SCOPE_OF_EVENT`, and holds its scope."""
    settings = manifest.get("settings", {})
    subscribed = topic in settings.get("event_subscriptions", {}).get("bot_events", ())
    scopes = manifest.get("oauth_config", {}).get("scopes", {}).get("bot", ())
    return subscribed and SCOPE_OF_EVENT[topic] in {None, *scopes}


def _features(manifest: Mapping[str, Any]) -> Mapping[str, Any]:
    features: Mapping[str, Any] = manifest.get("features", {})
    return features
