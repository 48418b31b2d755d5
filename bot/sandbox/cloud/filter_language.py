"""The filter language of Monitoring and Logging: text to a tree. What a field means is not decided here."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from bot.sandbox.cloud.rejection import Rejection, invalid

#: Google's limit for a filter.
MAX_CHARACTERS = 20_000


@dataclass(frozen=True)
class Comparison:
    """``path op value``; `function` is the name when the value was written as ``name("value")``.

    A function that stands alone has no path: ``log_id("run.googleapis.com/requests")``.
    """

    path: str
    operator: str
    value: str
    quoted: bool = False
    function: str = ""


@dataclass(frozen=True)
class Words:
    """A bare word or string: search everywhere (Logging only)."""

    text: str


@dataclass(frozen=True)
class Not:
    """The opposite of `item`."""

    item: "Node"


@dataclass(frozen=True)
class All:
    """Every one of `items`."""

    items: "tuple[Node, ...]"


@dataclass(frozen=True)
class Either:
    """At least one of `items`."""

    items: "tuple[Node, ...]"


Node = Comparison | Words | Not | All | Either

_SPACE = re.compile(r"(?:\s|--[^\n]*(?:\n|$))+")
_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')
_PATH = re.compile(r'[A-Za-z_][\w/-]*(?:\.(?:[\w/-]+|"(?:[^"\\]|\\.)*"))*')
_OPERATOR = re.compile(r">=|<=|!=|=~|!~|=|>|<|:")
_BARE = re.compile(r'[^\s()"=<>,]+')
_KEYWORD = re.compile(r"(AND|OR|NOT)(?=[\s(\"]|$)")
_FUNCTION = re.compile(r'([A-Za-z][\w.]*)\(\s*("(?:[^"\\]|\\.)*")\s*\)')


def parse(text: str) -> Node | None:
    """Return the tree of `text`, None for an empty filter. NOT binds first, then OR, then AND.

    Raises:
        Rejection: INVALID_ARGUMENT when `text` is not a filter.
    """
    if len(text) > MAX_CHARACTERS:
        raise invalid(f"filter: Longer than {MAX_CHARACTERS} characters.")
    return _Parser(text).whole()


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def whole(self) -> Node | None:
        self._skip()
        if self._done():
            return None
        node = self._all()
        if not self._done():
            raise self._bad()
        return node

    def _all(self) -> Node:
        items = [self._any()]
        while not self._done() and self._peek() != ")":
            self._keyword("AND")
            items.append(self._any())
        return items[0] if len(items) == 1 else All(tuple(items))

    def _any(self) -> Node:
        items = [self._not()]
        while self._keyword("OR"):
            items.append(self._not())
        return items[0] if len(items) == 1 else Either(tuple(items))

    def _not(self) -> Node:
        if self._keyword("NOT"):
            return Not(self._not())
        if self._peek() == "-":
            self._at += 1
            return Not(self._not())
        if self._peek() == "(":
            return self._parenthesis(self._all)
        return self._term()

    def _term(self) -> Node:
        if self._keyword("AND") or self._keyword("OR"):
            raise self._bad()
        function = self._match(_FUNCTION)
        if function is not None:
            return Comparison("", "=", _unquote(function.group(2)), True, function.group(1))
        start = self._at
        path = self._match(_PATH)
        if path is not None:
            operator = self._match(_OPERATOR)
            if operator is not None:
                return self._values(path.group(), operator.group())
        self._at = start
        text, _ = self._value()
        return Words(text)

    def _values(self, path: str, operator: str) -> Node:
        """Read one value, or several in parentheses: ``severity=(ERROR OR CRITICAL)``."""
        if self._peek() == "(":
            return self._parenthesis(lambda: self._group(path, operator))
        function = self._match(_FUNCTION)
        if function is not None:
            return Comparison(path, operator, _unquote(function.group(2)), True, function.group(1))
        text, quoted = self._value()
        return Comparison(path, operator, text, quoted)

    def _group(self, path: str, operator: str) -> Node:
        items = [Comparison(path, operator, *self._value())]
        joined_by = ""
        while self._peek() != ")":
            joined_by = joined_by or ("OR" if self._looking_at("OR") else "AND")
            if not self._keyword(joined_by):
                raise self._bad()
            items.append(Comparison(path, operator, *self._value()))
        return All(tuple(items)) if joined_by == "AND" else Either(tuple(items))

    def _parenthesis(self, inside: Callable[[], Node]) -> Node:
        self._at += 1
        self._skip()
        node = inside()
        if self._peek() != ")":
            raise self._bad()
        self._at += 1
        self._skip()
        return node

    def _value(self) -> tuple[str, bool]:
        string = self._match(_STRING)
        if string is not None:
            return _unquote(string.group()), True
        bare = self._match(_BARE)
        if bare is None:
            raise self._bad()
        return bare.group(), False

    def _looking_at(self, keyword: str) -> bool:
        found = _KEYWORD.match(self._text, self._at)
        return found is not None and found.group(1) == keyword

    def _keyword(self, keyword: str) -> bool:
        if not self._looking_at(keyword):
            return False
        self._at += len(keyword)
        self._skip()
        return True

    def _match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        found = pattern.match(self._text, self._at)
        if found is not None:
            self._at = found.end()
            self._skip()
        return found

    def _skip(self) -> None:
        space = _SPACE.match(self._text, self._at)
        if space is not None:
            self._at = space.end()

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _done(self) -> bool:
        return self._at >= len(self._text)

    def _bad(self) -> Rejection:
        where = self._text[self._at : self._at + 40] or "the end"
        return invalid(f"Unparseable filter: syntax error at column {self._at + 1}, near '{where}'.")


def _unquote(literal: str) -> str:
    return re.sub(r"\\(.)", r"\1", literal[1:-1])
