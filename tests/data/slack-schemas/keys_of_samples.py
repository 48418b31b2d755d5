"""Writes to standard output what Slack's Java client knows: the keys of its samples, and the tiers.

How to run it: README.md. Values are left out: they are made up anyway.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

#: Our Slack's payloads, by the names of their samples.
PAYLOADS = {
    "SlashCommand": "app-backend/slash-commands/SlashCommandPayload",
    "BlockAction": "app-backend/interactive-components/BlockActionPayload",
    "MessageShortcut": "app-backend/interactive-components/MessageShortcutPayload",
    "ViewClosed": "app-backend/views/ViewClosedPayload",
    "ViewSubmission": "app-backend/views/ViewSubmissionPayload",
    "AppHomeOpened": "events/AppHomeOpenedPayload",
    "AppMention": "events/AppMentionPayload",
    "FileShareMessage": "events/MessageFileSharePayload",
    "Message": "events/MessagePayload",
    "ReactionAdded": "events/ReactionAddedPayload",
    "ReactionRemoved": "events/ReactionRemovedPayload",
}
#: Blocks have checks of their own, and what a person filled in has the app's names for keys.
LEFT_OUT = frozenset({"accessory", "app_unfurl", "attachments", "blocks", "files", "file", "state", "values"})


def keys(value: Any, path: str = "") -> Iterator[str]:
    """Return the path of every key: ``message.files[].id``."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield f"{path}.{key}".removeprefix(".")
            if key not in LEFT_OUT:
                yield from keys(inner, f"{path}.{key}".removeprefix("."))
    elif isinstance(value, list):
        for inner in value:
            yield from keys(inner, f"{path}[]")


def main(samples: Path, tiers: Path, methods: list[str]) -> None:
    """Write one line of JSON for each sample."""
    files = PAYLOADS | {method: f"api/{method}" for method in methods}
    known: dict[str, list[str]] = {}
    for name, file in files.items():
        sample = samples / f"{file}.json"
        if sample.exists():
            known[name] = sorted(set(keys(json.loads(sample.read_text()))))
    given = json.loads(tiers.read_text())
    limits = {method: given[method] for method in methods if method in given}
    lines = ",\n".join(f"{json.dumps(name)}:{json.dumps(found)}" for name, found in known.items())
    print(f'{{"tiers":{json.dumps(limits)},\n"keys":{{\n{lines}\n}}}}')


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])
