"""What Slack's own clients expect of Slack: see tests/data/slack-schemas/README.md."""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft7Validator

Json = dict[str, Any]

_DATA = Path(__file__).parents[2] / "data" / "slack-schemas"
#: Checked by rules of their own (`bot.sandbox.slack.blocks`), where ``files.info`` describes them, or with
#: keys that are somebody's ids.
_LEFT_OUT = frozenset({"attachments", "blocks", "event_payload", "files", "shares", "state", "values"})


def name_of(method: str) -> str:
    """Return the name of the type that a method answers with, `chat.update` to `ChatUpdate`."""
    return "".join(part[0].upper() + part[1:] for part in method.split("."))


@cache
def _schemas() -> Json:
    schemas: Json = json.loads((_DATA / "schemas.json").read_text(encoding="utf-8"))
    for definition in schemas["definitions"].values():
        _allow_null(definition)
    return schemas


@cache
def _validator() -> Draft7Validator:
    return Draft7Validator(_schemas())


def _allow_null(schema: Json) -> None:
    """Let every optional key be null: so Slack writes "none", and its types do not say so."""
    for inner in _inside(schema):
        _allow_null(inner)
    properties: Json = schema.get("properties", {})
    for key in set(properties) - set(schema.get("required", ())):
        properties[key] = {"anyOf": [properties[key], {"type": "null"}]}


def _inside(schema: Json) -> Iterator[Json]:
    """Return the schemas that a schema is made of."""
    yield from schema.get("properties", {}).values()
    for choice in ("anyOf", "allOf", "oneOf"):
        yield from schema.get(choice, ())
    items = schema.get("items", [])
    yield from items if isinstance(items, list) else [items]


@cache
def java() -> Json:
    """Return `tiers` by method, and `keys`: by name the paths that Slack's Java client knows."""
    known: Json = json.loads((_DATA / "java.json").read_text(encoding="utf-8"))
    return known


def problems(name: str, payload: Any) -> list[str]:
    """Return in what `payload` breaks the type of this name: what is missing, or of another kind."""
    validator = _validator().evolve(schema={"$ref": f"#/definitions/Slack{name}"})
    faults = map(_deepest, validator.iter_errors(payload))
    return [f"{name}{fault.json_path[1:]}: {fault.message}" for fault in faults]


def _deepest(error: Any) -> Any:
    """Return the most telling of the faults in a choice: the one that stands deepest."""
    inner = [_deepest(each) for each in error.context or ()]
    return max([error, *inner], key=lambda each: len(each.absolute_path))


def keys(value: Any, path: str = "") -> Iterator[str]:
    """Return the path of every key, ``message.reactions[].name``."""
    if isinstance(value, dict):
        for key, inner in value.items():
            here = f"{path}.{key}".removeprefix(".")
            yield here
            if key not in _LEFT_OUT:
                yield from keys(inner, here)
    elif isinstance(value, list):
        for inner in value:
            yield from keys(inner, f"{path}[]")


def known_keys(name: str) -> set[str]:
    """Return every path that the published type of this name has."""
    return set(_paths({"$ref": f"#/definitions/Slack{name}"}, "", ()))


def _paths(schema: Any, path: str, within: tuple[str, ...]) -> Iterator[str]:
    if "$ref" in schema:
        target = schema["$ref"].rpartition("/")[2]
        if target not in within:
            yield from _paths(_schemas()["definitions"][target], path, (*within, target))
    for choice in ("anyOf", "allOf", "oneOf"):
        for inner in schema.get(choice, ()):
            yield from _paths(inner, path, within)
    for key, inner in schema.get("properties", {}).items():
        here = f"{path}.{key}".removeprefix(".")
        yield here
        if key not in _LEFT_OUT:
            yield from _paths(inner, here, within)
    if isinstance(schema.get("items"), dict):
        yield from _paths(schema["items"], f"{path}[]", within)
