"""A playbook's text as a document that remembers its lines; builds nothing but plain values."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.tokens import (
    AliasToken,
    AnchorToken,
    BlockEndToken,
    BlockMappingStartToken,
    BlockSequenceStartToken,
    FlowMappingEndToken,
    FlowMappingStartToken,
    FlowSequenceEndToken,
    FlowSequenceStartToken,
)

DEEPEST = 20
_OPENING = (
    BlockMappingStartToken,
    BlockSequenceStartToken,
    FlowMappingStartToken,
    FlowSequenceStartToken,
)
_CLOSING = (BlockEndToken, FlowMappingEndToken, FlowSequenceEndToken)
#: What ruamel.yaml raises on odd documents besides its own errors, found by random changes to good ones.
_ODDITIES = (RecursionError, ValueError, TypeError, AttributeError, LookupError, AssertionError)


class NotReadable(Exception):
    """A text that is no document; `places` are lines (from 1), each with what is wrong there."""

    def __init__(self, *places: tuple[int, str]) -> None:
        super().__init__(places)
        self.places = places


@dataclass(frozen=True)
class Document:
    """What was written: `plain` holds JSON's values only."""

    plain: Mapping[str, Any]
    _marked: Any

    def line(self, path: tuple[str | int, ...]) -> int:
        """Return the line (from 1) of the deepest part of `path` that is there."""
        line: int = 1
        node: Any = self._marked
        for part in path:
            try:
                where = node.lc.item(part) if isinstance(part, int) else node.lc.key(part)
                line = where[0] + 1
                node = node[part]
            except (LookupError, AttributeError, TypeError):
                return line
        return line


def read_document(text: str) -> Document:
    """Return the mapping that `text` holds.

    Raises:
        NotReadable: not YAML, not a mapping, or built in a way that playbooks do not use.
    """
    try:
        _refuse_odd_structure(text)
        # Round-trip mode keeps line numbers and refuses duplicate keys; it builds no Python objects.
        marked = YAML(typ="rt", pure=True).load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise NotReadable((mark.line + 1 if mark else 1, _in_words(error))) from error
    except (YAMLError, *_ODDITIES) as error:
        line = text[: getattr(error, "position", 0)].count("\n") + 1
        why = str(error).partition("\n")[0]
        raise NotReadable((line, f"this is not YAML that can be read: {why}")) from error
    if not isinstance(marked, Mapping):
        raise NotReadable((1, "write 'schema: 1', 'version: …' and 'targets: …' here"))
    return Document(_plain(marked), marked)


def _plain(marked: Mapping[Any, Any]) -> dict[str, Any]:
    """Return `marked` as JSON would carry it: a date becomes its own text, a tagged value too."""
    try:
        plain: dict[str, Any] = json.loads(json.dumps(marked, default=str))
    except TypeError as error:
        raise NotReadable((1, "a list or a mapping is no key: write a word")) from error
    except (ValueError, RecursionError) as error:
        raise NotReadable((1, f"a value that cannot be read: {error}")) from error
    return plain


def _refuse_odd_structure(text: str) -> None:
    """Before anything is built: a few aliases of aliases are a document of any size, and depth is slow."""
    if places := tuple(_odd_places(text)):
        raise NotReadable(*dict(places).items())


def _odd_places(text: str) -> Iterator[tuple[int, str]]:
    depth = 0
    for token in YAML(typ="rt", pure=True).scan(text):
        line = token.start_mark.line + 1
        depth += isinstance(token, _OPENING) - isinstance(token, _CLOSING)
        if isinstance(token, (AnchorToken, AliasToken)):
            yield line, "anchors and aliases (& and *) are not used in playbooks: write the value out"
        elif depth > DEEPEST:
            yield line, f"nested more than {DEEPEST} levels deep: write it flatter"
            return


def _in_words(error: MarkedYAMLError) -> str:
    problem = (error.problem or "not YAML").splitlines()[0]
    if "duplicate key" in problem:
        return f"{problem.split(' with value')[0]}: keep one of the two"
    return f"{problem}: check the indentation and the quotes here"
