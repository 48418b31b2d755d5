"""What a message says once whatever varies is left out: two errors of one kind have one shape.

A rule of our own rather than a learned template: the same line has the same shape in every incident, in
whatever order lines come, so that shapes can be compared between snapshots.
"""

import re
import unicodedata

#: A longer shape says no more to anybody, characters.
LONGEST_SHAPE = 200
#: What is looked at of a message's first line, characters.
_LONGEST_LOOKED_AT = 2_000
#: Of a stack trace the end is looked at as well, where Python names the exception.
_TRACE_LOOKED_AT = 20_000

_COLOURS = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_TRACEBACK = "Traceback (most recent call last)"
#: ``KeyError: 'x'`` or ``sqlalchemy.exc.OperationalError``, at the beginning of a line.
_EXCEPTION = re.compile(r"[A-Za-z_][\w.]*(?:Error|Exception|Warning|Exit|Interrupt|Timeout|Fault)\b")
#: A request as the request log's own lines say it, see `bot.domain.log_lines.LogLine`.
_REQUEST = re.compile(r"[A-Z]{3,10} \S* → (\d{3})")

#: Each with what stands for it, the first that fits; None: it stays as it is. Digits in a word belong to it
#: (``http2``, ``sha256``), unless there are many.
_VARYING: tuple[tuple[str, str, str | None], ...] = (
    # HTTP 500 and HTTP 503 are not the same failure.
    ("kept", r"(?:\bHTTP(?:/\d(?:\.\d)?)?|\bstatus(?: ?code)?|→)[ =:]{1,3}[1-5]\d\d\b", None),
    (
        "time",
        r"\b\d{4}[-/]\d\d[-/]\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?(?: ?(?:Z|[+-]\d\d:?\d\d))?)?\b"
        r"|\b\d\d:\d\d:\d\d(?:[.,]\d{1,9})?\b",
        "‹time›",
    ),
    ("uuid", r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", "‹id›"),
    ("query", r"(?<=[\w/])\?[\w.~%-]{1,50}=[^\s\"'<>)\]]{0,500}", "?‹query›"),
    ("address", r"[\w.+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8}", "‹address›"),
    ("ip", r"\b\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?\b", "‹ip›"),
    (
        "ip6",
        r"(?<![\w:])(?=[a-f:]{0,16}\d)(?:(?:[0-9a-f]{1,4}:){3,7}[0-9a-f]{1,4}"
        r"|(?:[0-9a-f]{1,4}:){0,6}:(?:[0-9a-f]{1,4}:){0,6}[0-9a-f]{1,4})(?![\w:])",
        "‹ip›",
    ),
    # What Cloud Run puts behind a service's name to make a revision's.
    ("revision", r"-\d{5}-[a-z0-9]{3}\b", "-‹id›"),
    (
        "quoted",
        r"(?<!\w)(?:'[^'\n]*'|\"[^\"\n]*\"|`[^`\n]*`)(?!\w)|“[^”\n]*”|‘[^’\n]*’|「[^」\n]*」",
        "‹text›",
    ),
    ("hex", r"\b0x[0-9a-f]+\b|\b(?=[a-f]{0,63}\d)[0-9a-f]{8,}\b", "‹id›"),
    ("token", r"(?<![A-Za-z0-9_])(?=(?:[A-Za-z_]{0,63}\d){3})[A-Za-z0-9_]{16,}(?![A-Za-z0-9_])", "‹id›"),
    ("number", r"(?<![A-Za-z0-9])\d+(?:[.,]\d+)*|(?<=[A-Za-z])\d{4,}", "‹n›"),
)
_ANY = re.compile("|".join(f"(?P<{name}>{pattern})" for name, pattern, _ in _VARYING), re.IGNORECASE)
_STANDS_FOR = {name: replacement for name, _, replacement in _VARYING}


def shape(text: str) -> str:
    """Return the first line of `text` with whatever varies replaced, such as ``user ‹n› not found``.

    Of a Python traceback the exception is what counts, and it stands on the last line. Whitespace is
    folded, and what is longer than `LONGEST_SHAPE` cut. A shape is its own shape. The work grows no
    faster than the text.
    """
    found = _telling_line(text)[:_LONGEST_LOOKED_AT]
    while (again := _once(found)) != found:
        # Something replaced or cut may bring two marks together. Each turn leaves fewer digits, quotes
        # and colons, so it ends.
        found = again
    return found


def status_of(message: str) -> str | None:
    """Return the status of a line that says nothing but a request and its answer; None of any other."""
    request = _REQUEST.fullmatch(message)
    return request[1] if request else None


def _once(text: str) -> str:
    flat = " ".join(unicodedata.normalize("NFC", text).split())
    short = _ANY.sub(_placeholder, flat)
    return short if len(short) <= LONGEST_SHAPE else short[: LONGEST_SHAPE - 1].rstrip(" …") + "…"


def _placeholder(found: re.Match[str]) -> str:
    replacement = _STANDS_FOR[found.lastgroup or ""]
    return found[0] if replacement is None else replacement


def _telling_line(text: str) -> str:
    lines = [line for line in _COLOURS.sub("", text[:_TRACE_LOOKED_AT]).splitlines() if line.strip()]
    if not lines:
        return ""
    first = lines[0].strip()
    if not any(_TRACEBACK in line for line in lines):
        return first
    raised = next((line for line in reversed(lines) if _EXCEPTION.match(line)), None)
    if raised is None:
        # The end is cut off: where it was raised is the next best.
        raised = next((line.strip() for line in reversed(lines) if line.strip().startswith("File ")), first)
    return raised if first.startswith(_TRACEBACK) else f"{first} {raised}"
