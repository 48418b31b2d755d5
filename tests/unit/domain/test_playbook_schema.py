"""The published JSON Schema: what editors check while somebody writes."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

import bot
from bot.domain.playbook_schema import example, known_keys, playbook_schema

HOME = Path(bot.__file__).parent
SHIPPED = ["playbooks/phase4-canary.yaml", "sandbox/playbook.yaml"]
MINIMAL = {"schema": 1, "version": "1", "based_on": "phase4-canary"}


def written(name: str) -> Any:
    return YAML(typ="safe", pure=True).load((HOME / name).read_text("utf-8"))


def faults(document: Any) -> list[str]:
    return [error.json_path for error in Draft202012Validator(playbook_schema()).iter_errors(document)]


def test_the_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(playbook_schema())

    assert playbook_schema()["$schema"] == "https://json-schema.org/draft/2020-12/schema"


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_playbook_fits_the_schema(name: str) -> None:
    assert faults(written(name)) == []


def test_a_playbook_based_on_the_guide_needs_no_targets() -> None:
    assert faults(MINIMAL) == []
    assert faults({"schema": 1, "version": "1"}) != []


@pytest.mark.parametrize(
    ("section", "wrong"),
    [
        ({"scenarios": [{"key": "x"}]}, "$.scenarios[0]"),
        ({"contacts": {"Boss": {}}}, "$.contacts"),
        ({"thresholds": {"min_requests": "many"}}, "$.thresholds.min_requests"),
        ({"channels": {"incidents": "critical"}}, "$.channels.incidents"),
        ({"nonsense": 1}, "$"),
    ],
)
def test_an_editor_marks_what_is_wrong(section: Any, wrong: str) -> None:
    assert wrong in faults({**MINIMAL, **section})


def described(node: Mapping[str, Any]) -> bool:
    """Return whether an editor has something to show at `node`, itself or in what it refers to."""
    if "description" in node:
        return True
    inner = [*node.get("anyOf", ()), *node.get("patternProperties", {}).values()]
    inner += [node[part] for part in ("items", "additionalProperties") if isinstance(node.get(part), dict)]
    if name := node.get("$ref"):
        inner.append(playbook_schema()["$defs"][name.rpartition("/")[2]])
    return any(described(part) for part in inner)


def test_everything_is_described() -> None:
    parts = {"Playbook": playbook_schema(), **playbook_schema()["$defs"]}

    assert [
        f"{name}.{key}"
        for name, part in parts.items()
        for key, node in part.get("properties", {}).items()
        if not described(node)
    ] == []


@pytest.mark.parametrize(
    ("place", "keys"),
    [
        (("scenarios", 0, "name"), ["en", "ko"]),
        (("contacts", "anybody", "note"), ["en", "ko"]),
        (("backups",), ["command", "not_older_than_hours", "url"]),
        (("nowhere", 1, "at", "all"), []),
        (("version",), []),
    ],
)
def test_the_keys_of_a_place_are_known(place: tuple[str | int, ...], keys: list[str]) -> None:
    assert known_keys(place) == keys


def test_an_example_is_found_through_lists_and_choices() -> None:
    assert example(("notices", "any", "channels", 0)) == "#critical-incidents"
    assert example(("contacts", "any", "phone")) == "+82 2 1234 5678"
    assert example(("thresholds",)) is None
