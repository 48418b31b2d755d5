"""The playbook on disk: read with file and line for every fault; the last good one keeps serving."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import structlog
from pydantic import ValidationError
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

from bot.domain.playbook import Playbook
from bot.usecases.ports import Playbooks

log = structlog.get_logger()

DEFAULT = Path(__file__).resolve().parents[1] / "playbooks" / "phase4-canary.yaml"
#: A playbook is written by people; anything longer is a mistake or an attack.
LARGEST_BYTES = 256 * 1024
DEEPEST = 20
_OPENING = (
    BlockMappingStartToken,
    BlockSequenceStartToken,
    FlowMappingStartToken,
    FlowSequenceStartToken,
)
_CLOSING = (BlockEndToken, FlowMappingEndToken, FlowSequenceEndToken)


@dataclass(frozen=True)
class Fault:
    """One thing wrong with a playbook, and what to write instead. `line` counts from 1."""

    file: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message}"


class BadPlaybook(Exception):
    """A playbook that cannot be used; `faults` say why, in file order."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("\n".join(str(fault) for fault in faults))
        self.faults = tuple(faults)


def read_playbook(path: Path) -> Playbook:
    """Return the playbook in `path`.

    Raises:
        BadPlaybook: with one fault per mistake.
    """
    text = _text(path)
    try:
        _refuse_odd_structure(path, text)
        # Round-trip mode keeps line numbers and refuses duplicate keys; it builds no Python objects.
        document = YAML(typ="rt", pure=True).load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise BadPlaybook([Fault(path.name, line, _yaml_words(error))]) from error
    except (YAMLError, RecursionError, ValueError) as error:
        line = text[: getattr(error, "position", 0)].count("\n") + 1
        why = str(error).partition("\n")[0]
        raise BadPlaybook([Fault(path.name, line, f"this is not YAML that can be read: {why}")]) from error
    return _checked(path, document)


def _text(path: Path) -> str:
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise BadPlaybook([Fault(path.name, 1, f"the file cannot be read: {error.strerror}")]) from error
    if len(raw) > LARGEST_BYTES:
        raise BadPlaybook([Fault(path.name, 1, f"larger than {LARGEST_BYTES // 1024} KiB: write less")])
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise BadPlaybook([Fault(path.name, line, "not UTF-8: save the file as UTF-8")]) from error


def _yaml_words(error: MarkedYAMLError) -> str:
    problem = (error.problem or "not YAML").splitlines()[0]
    if "duplicate key" in problem:
        return f"{problem.split(' with value')[0]}: keep one of the two"
    return f"{problem}: check the indentation and the quotes here"


def _checked(path: Path, document: Any) -> Playbook:
    if not isinstance(document, Mapping):
        raise BadPlaybook([Fault(path.name, 1, "write 'schema: 1', 'version: …' and 'targets: …' here")])
    try:
        # As JSON and strictly, so that "yes" is no number and 1 no text; a date is its own text.
        plain = json.dumps(document, default=str)
    except TypeError as error:
        raise BadPlaybook([Fault(path.name, 1, "a list or a mapping is no key: write a word")]) from error
    try:
        playbook = Playbook.model_validate_json(plain, strict=True)
    except ValidationError as error:
        faults = [_fault(path, document, detail) for detail in error.errors(include_url=False)]
        raise BadPlaybook(sorted(faults, key=lambda fault: fault.line)) from error
    try:
        ZoneInfo(playbook.time_zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        line = _line(document, ("time_zone",))
        message = f"time_zone: no zone is called {playbook.time_zone!r}; write one such as Asia/Seoul"
        raise BadPlaybook([Fault(path.name, line, message)]) from error
    return playbook


def _refuse_odd_structure(path: Path, text: str) -> None:
    """Before anything is built: a few aliases of aliases are a document of any size, and depth is slow."""
    depth = 0
    for token in YAML(typ="rt", pure=True).scan(text):
        depth += isinstance(token, _OPENING) - isinstance(token, _CLOSING)
        words = None
        if isinstance(token, (AnchorToken, AliasToken)):
            words = "anchors and aliases (& and *) are not used in playbooks: write the value out"
        elif depth > DEEPEST:
            words = f"nested more than {DEEPEST} levels deep: write it flatter"
        if words is not None:
            raise BadPlaybook([Fault(path.name, token.start_mark.line + 1, words)])


def _fault(path: Path, document: Any, detail: Any) -> Fault:
    location = tuple(part for part in detail["loc"] if part != "[key]")
    name = ".".join(str(part) for part in location) or "the playbook"
    return Fault(path.name, _line(document, location), f"{name}: {_words(detail, location)}")


def _words(detail: Any, location: tuple[Any, ...]) -> str:
    kind, context = detail["type"], detail.get("ctx") or {}
    if kind == "extra_forbidden":
        return f"not a known key{_nearest(location)}"
    if kind == "missing":
        return "is missing: write it"
    if kind == "enum":
        return f"write {context['expected']} (found {detail['input']!r})"
    if kind == "string_pattern_mismatch":
        return f"{detail['input']!r} does not have the right form ({context['pattern']})"
    if kind == "value_error":
        return str(context["error"])
    if kind == "string_type":
        return f"write a text, in quotes (found {detail['input']!r})"
    return f"{detail['msg'][:1].lower()}{detail['msg'][1:]} (found {detail['input']!r})"


def _nearest(location: tuple[Any, ...]) -> str:
    near = get_close_matches(str(location[-1]), _known_keys(), n=1)
    return f"; did you mean {near[0]!r}?" if near else ": remove it"


def _known_keys() -> list[str]:
    schema = Playbook.model_json_schema()
    parts = [schema, *schema["$defs"].values()]
    return sorted({key for part in parts for key in part.get("properties", {})})


def _line(document: Any, location: tuple[Any, ...]) -> int:
    """Return the line of the deepest part of `location` that is there."""
    line: int = 1
    node: Any = document
    for part in location:
        try:
            where = node.lc.item(part) if isinstance(part, int) else node.lc.key(part)
            line = where[0] + 1
            node = node[part]
        except (KeyError, IndexError, AttributeError, TypeError):
            return line
    return line


class PlaybookShelf(Playbooks):
    """The playbook in force, read anew when the file changes, without a restart."""

    def __init__(self, path: Path) -> None:
        """Read the playbook. Raises `BadPlaybook`: there is no last good one yet."""
        self._path = path
        self._playbook = read_playbook(path)
        self._seen = self._stamp()

    def current(self) -> Playbook:
        """See `Playbooks.current`."""
        stamp = self._stamp()
        if stamp != self._seen:
            self._seen = stamp
            self._reload()
        return self._playbook

    def _reload(self) -> None:
        try:
            self._playbook = read_playbook(self._path)
            log.info("playbook_reloaded", version=self._playbook.version)
        except BadPlaybook as bad:
            log.error("playbook_refused", serving=self._playbook.version, faults=[str(f) for f in bad.faults])

    def _stamp(self) -> tuple[int, int] | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size
