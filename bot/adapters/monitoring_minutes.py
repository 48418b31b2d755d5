"""Cloud Monitoring's points put together to minutes: one row for each minute of a revision or service."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bot.adapters.monitoring_messages import (
    CPU,
    ERROR_CLASS,
    INSTANCES,
    LATENCY,
    MEMORY,
    MEMORY_MEDIAN,
    MINUTE,
    REQUESTS,
    Answer,
    Point,
    Query,
    Window,
)
from bot.domain.observation import Minute, MinutesRead

#: What a minute is made of, each asked for once.
MINUTE_QUERIES = (REQUESTS, LATENCY, MEMORY, MEMORY_MEDIAN, CPU, INSTANCES)
#: A problem is shown in one line.
LONGEST_PROBLEM = 300


@dataclass
class _Row:
    """One minute of one name, values by query; requests by response class."""

    values: dict[str, float] = field(default_factory=dict)
    classes: dict[str, float] = field(default_factory=dict)


def minutes_read(answers: Iterable[tuple[Query, Answer]], window: Window) -> MinutesRead:
    """Return the minutes of `window`, oldest first.

    Where a point came twice the last one counts, as it is the newer. What lies outside of the window,
    and a negative value, is left out: it is no measurement. A query that failed leaves its fields
    None and is named.
    """
    rows: dict[tuple[datetime, str], _Row] = {}
    problems: dict[str, str] = {}
    for query, answer in answers:
        if answer.problem:
            problems[query.name] = answer.problem
            continue
        for point in answer.points:
            if point.group and window.since < point.until <= window.until and point.value >= 0:
                _put(rows.setdefault((point.until, point.group), _Row()), query, point)
    return MinutesRead(
        minutes=tuple(_minute(name, until, rows[until, name]) for until, name in sorted(rows)),
        problem=_in_one_line(problems),
    )


def _put(row: _Row, query: Query, point: Point) -> None:
    if query is REQUESTS:
        row.classes[point.response_class] = point.value
    else:
        row.values[query.name] = point.value


def _minute(name: str, until: datetime, row: _Row) -> Minute:
    instances = row.values.get(INSTANCES.name)
    return Minute(
        name=name,
        since=until - MINUTE,
        until=until,
        requests=round(sum(row.classes.values())) if row.classes else None,
        errors=round(row.classes.get(ERROR_CLASS, 0.0)) if row.classes else None,
        p95_ms=row.values.get(LATENCY.name),
        memory=_percent(row.values, MEMORY),
        memory_median=_percent(row.values, MEMORY_MEDIAN),
        cpu=_percent(row.values, CPU),
        instances=None if instances is None else round(instances),
    )


def _percent(values: Mapping[str, float], query: Query) -> float | None:
    ratio = values.get(query.name)
    return None if ratio is None else ratio * 100


def _in_one_line(problems: Mapping[str, str]) -> str | None:
    """Name each problem with what it was about; one that all share, once."""
    if not problems:
        return None
    if len(problems) == len(MINUTE_QUERIES) and len(set(problems.values())) == 1:
        return next(iter(problems.values()))
    return "; ".join(f"{name}: {problem}" for name, problem in problems.items())[:LONGEST_PROBLEM]
