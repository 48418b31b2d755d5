"""Whether what Slack sent is for our app and our workspace. Who *did* it is for the use-cases to judge."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.slack.refusals import Refusal, Refused

#: Shortcuts name the workspace but not the app. Source: docs.slack.dev, shortcut payloads.
_NAMELESS = frozenset({"shortcut", "message_action"})


@dataclass(frozen=True)
class Identity:
    """Who we are at Slack: the one app and the one workspace whose requests are ours."""

    team_id: str
    app_id: str


def check_recipient(said: Mapping[str, Any], us: Identity) -> None:
    """Raise `Refused` unless `said` is for `us`.

    An outsider's click in a shared channel names our workspace here and theirs in ``user.team_id``: it
    passes, and the use-case tells them why they may not.
    """
    if _is_probe(said):
        return
    app_id = said.get("api_app_id")
    if app_id != us.app_id and not (app_id is None and said.get("type") in _NAMELESS):
        raise Refused(Refusal.WRONG_APP)
    if us.team_id not in _installed_in(said):
        raise Refused(Refusal.WRONG_TEAM)


def _is_probe(said: Mapping[str, Any]) -> bool:
    """Slack's questions while an app is set up name nobody; Bolt answers them without any listener."""
    return said.get("type") == "url_verification" or said.get("ssl_check") == "1"


def _installed_in(said: Mapping[str, Any]) -> list[Any]:
    """Return the workspaces whose installation of the app is meant (several in a shared channel).

    In this order because of Slack Connect: a modal or an event may name the outsider's workspace first.
    """
    view, team, authorizations = said.get("view"), said.get("team"), said.get("authorizations")
    if isinstance(view, dict) and view.get("app_installed_team_id") is not None:
        return [view["app_installed_team_id"]]
    if isinstance(authorizations, list) and authorizations:
        return [each.get("team_id") for each in authorizations if isinstance(each, dict)]
    if isinstance(team, dict):
        return [team.get("id")]
    return [said.get("team_id")]
