"""The lines of a recorded series, from CSV, JSON or JSON lines: cells by column, with their line number."""

import csv
import json
import re
from collections.abc import Iterator, Mapping
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple

from bot.domain.recorded import BadSeries, NoSeries, Oddity, Remark

#: Larger files are no recording of one deployment, bytes.
MOST_BYTES = 200 * 1024 * 1024
#: What else a column may be called.
_ALSO = {
    "timestamp": "time", "ts": "time", "until": "time", "end": "time",
    "revision_name": "revision", "version": "revision",
    "request_count": "requests", "total": "requests",
    "error_count": "errors", "5xx": "errors", "errors_5xx": "errors",
    "memory_percent": "memory", "mem": "memory", "cpu_percent": "cpu", "p95": "p95_ms",
}  # fmt: skip
KNOWN = frozenset({"time", "side", "revision", "requests", "errors", "latencies", "p95_ms", "memory", "cpu"})
#: A column of a histogram, as Prometheus writes it: requests that took at most so long.
LE = re.compile(r"le_(?P<bound>\d+(?:\.\d+)?|inf)")


class Row(NamedTuple):
    """One line with data."""

    line: int
    cells: Mapping[str, Any]


class Rows(NamedTuple):
    """All lines with data, the columns there are, and what was odd about them."""

    rows: tuple[Row, ...]
    columns: frozenset[str]
    remarks: tuple[Remark, ...]


def read_rows(path: Path) -> Rows:
    """Read a file's lines.

    Raises:
        BadSeries: there is no such file, or nothing in it that could be a series.
    """
    text = _text(path)
    remarks: list[Remark] = []
    found = _from_json(text) if text.lstrip()[:1] in "[{" else _from_csv(text, remarks)
    rows = tuple(Row(line, _named(cells)) for line, cells in found)
    if not rows:
        raise BadSeries(NoSeries.NO_ROWS, file=path.name)
    columns = frozenset(column for row in rows for column in row.cells)
    for column in sorted(columns - KNOWN):
        if not LE.fullmatch(column):
            remarks.append(Remark(oddity=Oddity.UNKNOWN_COLUMN, facts={"column": column}))
    return Rows(rows, columns, tuple(remarks))


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise BadSeries(NoSeries.TOO_LARGE, file=path.name)
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise BadSeries(NoSeries.NO_FILE, file=path.name, problem=error.strerror or "?") from error
    except UnicodeDecodeError as error:
        raise BadSeries(NoSeries.NOT_TEXT, file=path.name) from error
    if "\0" in text:
        raise BadSeries(NoSeries.NOT_TEXT, file=path.name)
    if not text.strip():
        raise BadSeries(NoSeries.EMPTY, file=path.name)
    return text


def _named(cells: Mapping[str, Any]) -> dict[str, Any]:
    return {_column(name): value for name, value in cells.items()}


def _column(name: str) -> str:
    plain = re.sub(r"[\s-]+", "_", str(name).strip().lower())
    return _ALSO.get(plain, plain)


def _from_csv(text: str, remarks: list[Remark]) -> Iterator[tuple[int, dict[str, Any]]]:
    said = (line for line in text.splitlines() if line.strip() and not line.startswith("#"))
    first = next(said, "")
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(StringIO(text), delimiter=delimiter)
    names: list[str] = []
    try:
        for cells in reader:
            if not any(cell.strip() for cell in cells) or cells[0].startswith("#"):
                continue
            if not names:
                names = cells
                continue
            if len(cells) > len(names):
                facts = {"found": len(cells), "write": len(names)}
                remarks.append(Remark(oddity=Oddity.TOO_MANY_CELLS, line=reader.line_num, facts=facts))
                continue
            yield reader.line_num, dict(zip(names, cells, strict=False))
    except csv.Error as error:
        raise BadSeries(NoSeries.NOT_TEXT, file=f"line {reader.line_num}") from error


def _from_json(text: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the objects of an array, of an object's only array, or of JSON lines, with their lines."""
    start = len(text) - len(text.lstrip())
    if text[start] == "{":
        within = re.match(r'\{[^\[\]{}]*"[^"]*"\s*:\s*\[\s*(?=\{)', text[start:])
        start = start + within.end() if within else start
    else:
        start += 1
    decoder, place, line, counted = json.JSONDecoder(), start, 1, 0
    while True:
        place = _next_value(text, place)
        if place >= len(text) or text[place] in "]}":
            return
        line, counted = line + text.count("\n", counted, place), place
        try:
            value, place = decoder.raw_decode(text, place)
        except (json.JSONDecodeError, RecursionError) as error:
            at = error.lineno if isinstance(error, json.JSONDecodeError) else line
            raise BadSeries(NoSeries.BAD_JSON, line=at) from error
        if not isinstance(value, dict):
            raise BadSeries(NoSeries.BAD_JSON, line=line)
        yield line, value


def _next_value(text: str, place: int) -> int:
    found = re.compile(r"[\s,]*").match(text, place)
    return found.end() if found else place
