"""The playbook's JSON Schema, as editors read it, and what it says of one place in a file."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from bot.domain.playbook import Playbook

Node = Mapping[str, Any]


@cache
def playbook_schema() -> Node:
    """Return the JSON Schema (2020-12) of a playbook file; do not change what is returned."""
    schema = _with_strict_keys(Playbook.model_json_schema(by_alias=True))
    # A file that is based on the built-in playbook may leave out its targets, too.
    schema["required"] = [name for name in schema["required"] if name != "targets"]
    schema["anyOf"] = [{"required": ["targets"]}, {"required": ["based_on"]}]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": "Backout playbook",
    }


def _with_strict_keys(node: Any) -> Any:
    """Return a schema in which a key of the wrong form is refused; pydantic's lets it stand unchecked."""
    if isinstance(node, list):
        return [_with_strict_keys(inner) for inner in node]
    if not isinstance(node, dict):
        return node
    inner = {key: _with_strict_keys(value) for key, value in node.items()}
    return {**inner, "additionalProperties": False} if "patternProperties" in inner else inner


def known_keys(path: tuple[str | int, ...]) -> list[str]:
    """Return the keys that may stand at `path`, none where any may or where there is no such place."""
    return sorted({key for node in _places(path) for key in node.get("properties", {})})


def example(path: tuple[str | int, ...]) -> str | None:
    """Return an example of what to write at `path`, None where the schema has none."""
    return next((str(node["examples"][0]) for node in _places(path) if node.get("examples")), None)


def _places(path: tuple[str | int, ...]) -> list[Node]:
    nodes: list[Node] = [playbook_schema()]
    for part in path:
        nodes = [below for node in nodes for meant in _meant(node) for below in _below(meant, part)]
    return [meant for node in nodes for meant in _meant(node)]


def _meant(node: Node) -> Iterator[Node]:
    """Yield what `node` says itself, and what it refers to or chooses from."""
    yield node
    if name := node.get("$ref"):
        yield from _meant(playbook_schema()["$defs"][name.rpartition("/")[2]])
    for choice in node.get("anyOf", ()):
        yield from _meant(choice)


def _below(node: Node, part: str | int) -> Iterator[Node]:
    if isinstance(part, int):
        found = [node.get("items")]
    elif part in node.get("properties", {}):
        found = [node["properties"][part]]
    else:
        found = [node.get("additionalProperties"), *node.get("patternProperties", {}).values()]
    yield from (below for below in found if isinstance(below, Mapping))
