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


def commands(manifest: Mapping[str, Any]) -> list[Json]:
    """Return the slash commands."""
    return list(_features(manifest).get("slash_commands", ()))


def shortcuts(manifest: Mapping[str, Any], kind: Kind) -> list[Json]:
    """Return the shortcuts of one kind: `global` ones of the composer, or those of a message."""
    return [row for row in _features(manifest).get("shortcuts", ()) if row["type"] == kind]


def has_tab(manifest: Mapping[str, Any], tab: Tab) -> bool:
    """Say whether the app shows this tab when people open it."""
    return bool(_features(manifest).get("app_home", {}).get(f"{tab}_tab_enabled", False))


def hears(manifest: Mapping[str, Any], topic: str) -> bool:
    """Say whether the app subscribed to `topic`, a key of `SCOPE_OF_EVENT`, and holds its scope."""
    settings = manifest.get("settings", {})
    subscribed = topic in settings.get("event_subscriptions", {}).get("bot_events", ())
    scopes = manifest.get("oauth_config", {}).get("scopes", {}).get("bot", ())
    return subscribed and SCOPE_OF_EVENT[topic] in {None, *scopes}


def _features(manifest: Mapping[str, Any]) -> Mapping[str, Any]:
    features: Mapping[str, Any] = manifest.get("features", {})
    return features
