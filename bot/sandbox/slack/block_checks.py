"""The grammar in which the Block Kit tables are written: a check is given a value and where it stands."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

Problem = dict[str, Any]
Check = Callable[[Any, str], Iterator[Problem]]


def problem(message: str, pointer: str, kind: str, expected: Any = None, got: Any = None) -> Problem:
    """Return one entry of the `errors` that ``blocks.validate`` answers with.

    As Slack has it, what was expected is a list and everything in a constraint is a string.
    """
    several = expected if isinstance(expected, list) else [expected]
    constraint = {
        "type": kind,
        "expected": None if expected is None else [str(each) for each in several],
        "got": None if got is None else str(got),
    }
    return {
        "code": "failed_constraint",
        "message": message,
        "field": pointer.rpartition("/")[2],
        "pointer": pointer,
        "constraint": {key: value for key, value in constraint.items() if value is not None},
    }


def anything(value: Any, pointer: str) -> Iterator[Problem]:
    """Accept every value: parts of Block Kit that nobody here uses."""
    yield from ()


def boolean(value: Any, pointer: str) -> Iterator[Problem]:
    """Accept true and false."""
    if not isinstance(value, bool):
        yield problem("must be a boolean", pointer, "type", "boolean")


def characters(maximum: int, *, minimum: int = 1) -> Check:
    """Accept a string of `minimum` to `maximum` characters."""

    def check(value: Any, pointer: str) -> Iterator[Problem]:
        if not isinstance(value, str):
            yield problem("must be a string", pointer, "type", "string")
        elif len(value) > maximum:
            message = f"must be less than {maximum + 1} characters"
            yield problem(message, pointer, "max_length", maximum, len(value))
        elif len(value) < minimum:
            message = f"must be more than {minimum - 1} characters"
            yield problem(message, pointer, "min_length", minimum, len(value))

    return check


def url(maximum: int = 3000) -> Check:
    """Accept an absolute http(s) address (or a link that opens another program)."""
    length = characters(maximum)

    def check(value: Any, pointer: str) -> Iterator[Problem]:
        yield from length(value, pointer)
        if isinstance(value, str) and ":" not in value.partition("/")[0]:
            yield problem("must be a valid URL", pointer, "format", "url", value)

    return check


def integer(minimum: int, maximum: int) -> Check:
    """Accept a whole number within bounds, both included."""

    def check(value: Any, pointer: str) -> Iterator[Problem]:
        if isinstance(value, bool) or not isinstance(value, int):
            yield problem("must be an integer", pointer, "type", "integer")
        elif not minimum <= value <= maximum:
            yield problem(
                f"must be between {minimum} and {maximum}", pointer, "range", [minimum, maximum], value
            )

    return check


def one_of(*allowed: str) -> Check:
    """Accept one word of a fixed vocabulary."""

    def check(value: Any, pointer: str) -> Iterator[Problem]:
        if value not in allowed:
            yield problem("must be a valid enum value", pointer, "enum", list(allowed), value)

    return check


def items(check_item: Check, minimum: int, maximum: int) -> Check:
    """Accept a list of `minimum` to `maximum` things."""

    def check(value: Any, pointer: str) -> Iterator[Problem]:
        if not isinstance(value, list):
            yield problem("must be an array", pointer, "type", "array")
            return
        if len(value) > maximum:
            message = f"no more than {maximum} items allowed"
            yield problem(message, pointer, "max_items", maximum, len(value))
        if len(value) < minimum:
            message = f"no fewer than {minimum} items allowed"
            yield problem(message, pointer, "min_items", minimum, len(value))
        for index, item in enumerate(value):
            yield from check_item(item, f"{pointer}/{index}")

    return check


@dataclass(frozen=True, kw_only=True)
class Shape:
    """An object: the keys it must have, the keys it may have, and no others.

    `some` names keys of which at least one must be there, `exactly_one` keys of which exactly one must.
    """

    must: Mapping[str, Check] = field(default_factory=dict)
    may: Mapping[str, Check] = field(default_factory=dict)
    some: tuple[str, ...] = ()
    exactly_one: tuple[str, ...] = ()

    def __call__(self, value: Any, pointer: str) -> Iterator[Problem]:
        if not isinstance(value, dict):
            yield problem("must be an object", pointer, "type", "object")
            return
        known = {**self.must, **self.may}
        for key, inner in value.items():
            if key in known:
                yield from known[key](inner, f"{pointer}/{key}")
            elif key != "type":
                yield problem(f"invalid additional property: {key}", f"{pointer}/{key}", "unknown_field")
        for key in self.must:
            if key not in value:
                yield problem(f"missing required field: {key}", pointer, "required", key)
        yield from self._choices(value, pointer)

    def _choices(self, value: dict[str, Any], pointer: str) -> Iterator[Problem]:
        if self.some and not any(value.get(key) for key in self.some):
            names = " or ".join(f"`{key}`" for key in self.some)
            yield problem(f"must define either {names}", pointer, "required", list(self.some))
        if self.exactly_one and sum(key in value for key in self.exactly_one) != 1:
            names = " or ".join(f"`{key}`" for key in self.exactly_one)
            yield problem(f"must define exactly one of {names}", pointer, "required", list(self.exactly_one))


def typed(table: Mapping[str, Check], allowed: frozenset[str]) -> Check:
    """Accept an object whose `type` is one of `allowed`, and check it by its row of `table`."""

    def check(value: Any, pointer: str) -> Iterator[Problem]:
        if not isinstance(value, dict):
            yield problem("must be an object", pointer, "type", "object")
            return
        kind = value.get("type")
        if kind is None:
            yield problem("missing required field: type", pointer, "required", "type")
        elif not isinstance(kind, str) or kind not in allowed:
            message = f"unsupported type: {kind}"
            yield problem(message, f"{pointer}/type", "enum", sorted(allowed), kind)
        else:
            yield from table[kind](value, pointer)

    return check
