"""Logging's filters: a tree made into a test for one record."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote

from bot.sandbox.cloud.filter_language import All, Comparison, Either, Node, Not, Words, parse
from bot.sandbox.cloud.log_fields import Kind, Value, field, literal
from bot.sandbox.cloud.log_store import LogRecord
from bot.sandbox.cloud.rejection import invalid

Test = Callable[[LogRecord], bool]


@dataclass(frozen=True)
class LogFilter:
    """`passes` tells whether a record is wanted; none of those is stamped before `not_before`."""

    passes: Test
    not_before: float


def parse_log_filter(text: str) -> LogFilter:
    """Return the filter; an empty one lets everything through.

    Raises:
        Rejection: INVALID_ARGUMENT.
    """
    tree = parse(text)
    if tree is None:
        return LogFilter(lambda _: True, 0.0)
    return LogFilter(_test(tree), _not_before(tree))


def _test(node: Node) -> Test:
    if isinstance(node, Comparison):
        return _comparison(node)
    if isinstance(node, Words):
        return _words(node.text.lower())
    if isinstance(node, Not):
        inner = _test(node.item)
        return lambda record: not inner(record)
    tests = [_test(item) for item in node.items]
    if isinstance(node, Either):
        return lambda record: any(test(record) for test in tests)
    return lambda record: all(test(record) for test in tests)


def _comparison(node: Comparison) -> Test:
    if node.function and not node.path:
        return _alone(node)
    if node.function:
        raise invalid(f"Unparseable filter: unknown function '{node.function}'.")
    kind, read = field(node.path)
    if node.operator == ":" and node.value == "*" and not node.quoted:
        return lambda record: read(record) not in (None, "")
    if node.operator in ("=~", "!~"):
        return _pattern(node, read)
    if kind is Kind.FREE:
        return _free(node, read)
    want = literal(kind, node.value, path=node.path)
    compare = _OPERATORS[node.operator]
    return lambda record: _known(read(record), want, compare)


def _alone(node: Comparison) -> Test:
    """Return the test of a function that stands alone. Source: Google Cloud, "Logging query language"."""
    if node.function == "log_id":
        suffix = "/logs/" + quote(node.value, safe="")
        return lambda record: record.log_name.endswith(suffix)
    if node.function == "SEARCH":
        return _words(node.value.lower())
    raise invalid(f"Unparseable filter: unknown function '{node.function}'.")


def _known(have: Value, want: str | float, compare: Callable[[object, object], bool]) -> bool:
    if have is None:
        return False
    return compare(have.lower() if isinstance(have, str) else have, want)


def _free(node: Comparison, read: Callable[[LogRecord], Value]) -> Test:
    """Compare as numbers where the entry holds a number, as text otherwise."""
    compare = _OPERATORS[node.operator]
    number = _as_number(node.value)

    def test(record: LogRecord) -> bool:
        have = read(record)
        if isinstance(have, (int, float)):
            return number is not None and compare(have, number)
        return have is not None and compare(have.lower(), node.value.lower())

    return test


def _pattern(node: Comparison, read: Callable[[LogRecord], Value]) -> Test:
    try:
        pattern = re.compile(node.value)
    except re.error as error:
        raise invalid(f"Unparseable filter: {error}") from error
    wanted = node.operator == "=~"

    def test(record: LogRecord) -> bool:
        have = read(record)
        return have is not None and (pattern.search(str(have)) is not None) == wanted

    return test


def _words(text: str) -> Test:
    def test(record: LogRecord) -> bool:
        spoken = [record.text or "", record.service, record.revision, *map(str, (record.json or {}).values())]
        if record.request is not None:
            spoken.append(record.request.url)
        if record.change is not None:
            spoken += [record.change.method, record.change.principal, record.change.message]
        return any(text in one.lower() for one in spoken)

    return test


def _not_before(node: Node) -> float:
    """Return the lower time bound that holds for everything the tree lets through, 0 without one."""
    if isinstance(node, All):
        return max(_not_before(item) for item in node.items)
    if isinstance(node, Comparison) and node.path and node.operator in (">", ">=", "="):
        kind, _ = field(node.path)
        if kind is Kind.TIME:
            return float(literal(kind, node.value, path=node.path))
    return 0.0


def _as_number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _contains(have: object, want: object) -> bool:
    return want in have if isinstance(have, str) and isinstance(want, str) else have == want


def _less(have: object, want: object) -> bool:
    if isinstance(have, str) and isinstance(want, str):
        return have < want
    return isinstance(have, (int, float)) and isinstance(want, (int, float)) and have < want


_OPERATORS: dict[str, Callable[[object, object], bool]] = {
    "=": lambda have, want: have == want,
    "!=": lambda have, want: have != want,
    ":": _contains,
    "<": _less,
    ">": lambda have, want: _less(want, have),
    "<=": lambda have, want: have == want or _less(have, want),
    ">=": lambda have, want: have == want or _less(want, have),
}
