"""What a message may carry: text, blocks and metadata, checked before they are kept."""

import json
from typing import Any

from bot.sandbox.slack.block_defaults import kept_blocks
from bot.sandbox.slack.blocks import elements_of, validate
from bot.sandbox.slack.web_api.arguments import ApiError, Arguments, Json
from bot.sandbox.slack.workspace import Workspace

#: chat.postMessage cuts longer texts, chat.update refuses texts over `LONGEST_EDIT` (characters).
LONGEST_TEXT = 40_000
LONGEST_EDIT = 4_000
#: What Slack writes when a message has blocks and no text of its own.
NO_FALLBACK = "This content can't be displayed."
#: Source: docs.slack.dev, "Message metadata": 16 KB.
LARGEST_METADATA = 16_384
#: What a block can show of the workspace's own files. Source: docs.slack.dev, "Slack file object".
PICTURES = frozenset({"image/png", "image/jpeg", "image/gif"})


def blocks_of(arguments: Arguments) -> list[Json] | None:
    """Return the blocks as Slack keeps them; None when the call does not mention them.

    Raises:
        ApiError: ``invalid_blocks_format`` when it is no list, ``invalid_blocks`` with every fault found.
    """
    given = arguments.json("blocks", "invalid_blocks_format")
    if given is None:
        return None
    if not isinstance(given, list):
        raise ApiError("invalid_blocks_format")
    return checked_blocks(given)


def checked_blocks(given: list[Any]) -> list[Json]:
    """Return these blocks as Slack keeps them, or raise ``invalid_blocks``."""
    problems = validate(given, "message")
    if problems:
        raise invalid_blocks(
            [f"{found['message']} [json-pointer:/blocks{found['pointer']}]" for found in problems]
        )
    return kept_blocks(given)


def refuse_files_not_shown(workspace: Workspace, blocks: list[Json]) -> None:
    """Refuse blocks with a `slack_file` that is none of ours, no picture, or not looked at by Slack yet.

    Raises:
        ApiError: ``invalid_blocks`` with Slack's own line, which says no more than where.
    """
    wrong = [
        f"invalid slack file [json-pointer:/blocks/{pointer}/slack_file]"
        for pointer, shown in _files_shown(blocks)
        if not _can_show(workspace, shown)
    ]
    if wrong:
        raise invalid_blocks(wrong)


def _files_shown(blocks: list[Json]) -> list[tuple[str, Json]]:
    found = []
    for index, block in enumerate(blocks):
        places = [(f"{index}", block)]
        places += [(f"{index}/accessory", block["accessory"])] if block.get("accessory") else []
        if block["type"] == "context":
            places += [(f"{index}/elements/{n}", part) for n, part in enumerate(elements_of(block))]
        found += [(pointer, part["slack_file"]) for pointer, part in places if "slack_file" in part]
    return found


def _can_show(workspace: Workspace, shown: Json) -> bool:
    files = workspace.contents.files
    stored = files.get(str(shown.get("id"))) or next(
        (file for file in files.values() if f"/files/{file.id}/" in str(shown.get("url"))), None
    )
    if stored is None or not stored.completed or stored.mimetype not in PICTURES:
        return False
    return workspace.clock() >= stored.ready_at


def invalid_blocks(lines: list[str]) -> ApiError:
    """Return the error for blocks that break the rules, one line for each fault."""
    messages = [f"[ERROR] {line}" for line in lines]
    return ApiError("invalid_blocks", errors=lines, response_metadata={"messages": messages})


def attachments_of(arguments: Arguments) -> list[Json] | None:
    """Return the attachments, with the blocks inside them checked."""
    given = arguments.json("attachments", "invalid_attachments")
    if given is None:
        return None
    if not isinstance(given, list) or len(given) > 100:
        raise ApiError("invalid_attachments")
    for attachment in given:
        if isinstance(attachment, dict) and attachment.get("blocks"):
            attachment["blocks"] = checked_blocks(attachment["blocks"])
    return given


def metadata_of(arguments: Arguments) -> Json | None:
    """Return the metadata; an empty object where it is to be taken away, None where it is not mentioned."""
    given = arguments.json("metadata", "invalid_metadata_format")
    if given is None:
        return None
    if given == {}:
        return {}
    if not isinstance(given, dict) or not isinstance(given.get("event_type"), str):
        raise ApiError("invalid_metadata_format")
    if not isinstance(given.get("event_payload"), dict):
        raise ApiError("invalid_metadata_format")
    if len(json.dumps(given)) > LARGEST_METADATA:
        raise ApiError("metadata_too_large")
    return given
