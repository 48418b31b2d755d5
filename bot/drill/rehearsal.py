"""A team's playbook made fit for a drill in a real Slack: nothing of it reaches beyond one channel.

Its people, rules and minutes are the team's own; its targets are the simulated cloud's.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from bot.domain.playbook import Playbook

#: Sections of the sandbox's playbook that take the place of the team's: what is rolled back, and where it
#: is shown. A link to the team's own dashboard would show production, which is well.
_SIMULATED = ("targets",)


def for_drill(playbook: Playbook, *, simulated: Playbook, channel: str) -> dict[str, Any]:
    """Return the playbook as a document: whatever the bot says, it says in `channel`, a Slack id.

    - Targets are those of `simulated`: no service of the team's can be rolled back.
    - Notices to users, pages and the watch go to `channel`: no user reads of an incident that is none.
    - There is no telephone number left to call; who had only that is called in `channel`.
    - No backup is asked for its age: that could be a command on production.
    """
    document: dict[str, Any] = playbook.model_dump(mode="json", by_alias=True, exclude_none=True)
    replaced = simulated.model_dump(mode="json", by_alias=True, exclude_none=True)
    for section in _SIMULATED:
        document[section] = replaced[section]
    document["version"] = f"drill: {playbook.version}"[:64]
    document["channels"] = {"incidents": channel, "watch": channel}
    document["contacts"] = {key: _contact(one, channel) for key, one in document["contacts"].items()}
    document["notices"] = {key: one | {"channels": [channel]} for key, one in document["notices"].items()}
    document.pop("backups", None)
    document.pop("based_on", None)
    return document


def _contact(contact: Mapping[str, Any], channel: str) -> dict[str, Any]:
    return {key: value for key, value in contact.items() if key != "phone"} | {"channel": channel}


def write_playbook(document: Mapping[str, Any], file: Path) -> None:
    """Write a playbook's document to `file`."""
    yaml = YAML(typ="safe", pure=True)
    # Contacts and scenarios are shown in the team's order.
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    with file.open("w", encoding="utf-8") as opened:
        yaml.dump(dict(document), opened)
