"""What is wrong with a playbook, in sentences: each says where, what, and what to write instead."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bot.domain.playbook_schema import example, known_keys
from bot.domain.proofreading import Place, nearest

#: A value longer than this is not shown whole, in characters.
LONGEST_SHOWN = 80
#: A sentence longer than this is cut, in characters.
LONGEST_SAID = 600


@dataclass(frozen=True)
class Fault:
    """One thing wrong with a playbook, and what to write instead. `line` counts from 1.

    `path` is where in the playbook (``scenarios.0.name.ko``), empty when it is about the whole file.
    """

    file: str
    line: int
    path: str
    sentence: str

    def __str__(self) -> str:
        said = ": ".join(
            filter(None, [_cut(self.path, LONGEST_SHOWN * 2), _cut(self.sentence, LONGEST_SAID)])
        )
        # One line for a terminal or a log, whatever the file holds.
        return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in f"{self.file}:{self.line}: {said}")


class BadPlaybook(Exception):
    """A playbook that cannot be used; `faults` say why, in file order."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("\n".join(str(fault) for fault in faults))
        self.faults = tuple(faults)


def place_of(detail: Any) -> Place:
    """Return where pydantic's error `detail` is about."""
    return tuple(part for part in detail["loc"] if part != "[key]")


def sentence_for(detail: Any) -> str:
    """Return pydantic's error `detail` as people say it, on one line, with what to write instead."""
    kind, context, found = detail["type"], detail.get("ctx") or {}, detail["input"]
    place = place_of(detail)
    if kind == "extra_forbidden":
        return f"not a known key{_nearest_key(place)}"
    if kind == "missing":
        return f"is missing: write it{_such_as(place)}"
    if kind == "enum":
        return (
            f"write {context['expected']} (found {_shown(found)}){_nearest_value(found, context['expected'])}"
        )
    if kind == "string_pattern_mismatch":
        way_out = _reformed(found, context["pattern"]) or _such_as(place) or f" ({context['pattern']})"
        return f"{_shown(found)} does not have the right form{way_out}"
    if kind == "value_error":
        return " ".join(str(context["error"]).split())
    if kind == "string_type":
        return f"write a text, in quotes (found {_shown(found)})"
    if kind in ("model_type", "dict_type"):
        keys = ", ".join(known_keys(place))
        return f"write keys and values here{f' ({keys})' if keys else ''} (found {_shown(found)})"
    if kind == "json_invalid":
        return "holds a character that is no text: write it as it is, without \\u"
    said = " ".join(detail["msg"].split())
    return f"{said[:1].lower()}{said[1:]} (found {_shown(found)}){_instead(kind, found)}"


def _shown(found: Any) -> str:
    return _cut(repr(found), LONGEST_SHOWN)


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[:longest]}…"


def _nearest_key(place: Place) -> str:
    choice = nearest(str(place[-1]), known_keys(place[:-1]))
    return choice if choice.startswith("; did you mean") else f": remove it{choice}"


def _nearest_value(found: Any, expected: str) -> str:
    choice = nearest(str(found), re.findall(r"'([^']*)'", expected))
    return choice if choice.startswith("; did you mean") else ""


def _such_as(place: Place) -> str:
    model = example(place)
    return f", such as {model!r}" if model else ""


def _reformed(found: Any, pattern: str) -> str:
    """Return a suggestion made from what was written, empty when none has the right form."""
    words = str(found).strip()
    small = words.lower()
    guesses = [
        f"#{re.sub(r'[^a-z0-9]+', '-', small).strip('-')}",
        re.sub(r"[^a-z0-9]+", "_", small).strip("_"),
        re.sub(r"[^a-z0-9]+", "-", small).strip("-"),
        words.upper(),
        re.sub(r"^(http://)?", "https://", words),
    ]
    right = next((guess for guess in guesses if re.fullmatch(pattern, guess)), None)
    return f"; did you mean {right!r}?" if right else ""


def _instead(kind: str, found: Any) -> str:
    if found is None:
        return ": write a value, or remove the line"
    if kind == "tuple_type":
        return (
            f": write [{found}]"
            if isinstance(found, str) and len(found) < LONGEST_SHOWN
            else ": write a list"
        )
    if isinstance(found, str) and (clock := re.fullmatch(r"(\d{1,2}):(\d{2})", found)):
        return f": write {int(clock[1]) + int(clock[2]) / 60:g} (minutes)"
    if isinstance(found, str) and re.fullmatch(r"-?\d{1,9}(\.\d{1,9})?", found):
        return f": write {found} without quotes"
    return ""
