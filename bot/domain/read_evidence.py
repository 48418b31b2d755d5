"""Making the first reading: counting, grouping and putting in order, and no judgement of a cause."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from bot.domain.configuration import Difference
from bot.domain.container_ends import endings
from bot.domain.first_reading import (
    LONGEST_EXAMPLE,
    MOST_ENDPOINTS,
    MOST_GROUPS,
    Clients,
    EndpointFigures,
    ErrorGroup,
    FirstReading,
    Growth,
)
from bot.domain.log_lines import LogLine, LogLines
from bot.domain.machine_answers import ENDPOINT_REQUESTS
from bot.domain.message_shape import shape, status_of
from bot.domain.observation import Minute, Tally
from bot.domain.readings import Side

Pair = tuple[int | None, int | None]


def first_reading(
    *,
    since: datetime,
    until: datetime,
    names: tuple[str, str],
    canary: LogLines,
    stable: LogLines,
    endpoints: Mapping[Side, Mapping[str, Tally] | None],
    system: LogLines,
    minutes: tuple[Sequence[Minute], Sequence[Minute]],
    clients: Clients | None = None,
    differences: tuple[Difference, ...] | None = None,
    problems: tuple[str, ...] = (),
) -> FirstReading:
    """Return what the evidence says at first sight, over ``since`` <= t < ``until`` (aware, UTC).

    Args:
        names: of the canary and of stable, revisions or services by the target's topology.
        canary, stable: error lines of each side.
        endpoints: what every endpoint answered; None: the request log could not be read.
        system: what Cloud Run wrote of both sides' containers, see `bot.domain.log_lines.SYSTEM_FILTER`.
        minutes: of the canary and of stable, oldest first.
        differences: None where a configuration could not be read.
    """
    full = _full_names((canary, stable), endpoints.values())
    own, others = _own_words(canary, full), _own_words(stable, full)
    groups = _groups(own, others, known=(canary.problem is None, stable.problem is None))
    figures = _figures(endpoints.get(Side.CANARY), endpoints.get(Side.STABLE))
    new = [group for group in groups if group.is_new]
    sides = [endpoints.get(side) for side in (Side.CANARY, Side.STABLE)]
    read = (canary, stable, system)
    return FirstReading(
        since=since,
        until=until,
        groups=tuple(groups[:MOST_GROUPS]),
        kinds=len(groups),
        canary_kinds=sum(bool(group.canary) for group in groups),
        new_kinds=None if stable.problem is not None else len(new),
        new_lines=None if stable.problem is not None else sum(group.canary or 0 for group in new),
        lines=(_length(canary), _length(stable)),
        repeated=(len(canary.lines) - len(own), len(stable.lines) - len(others)),
        cut=(canary.more, stable.more),
        requests=_both([None if s is None else sum(t.requests for t in s.values()) for s in sides]),
        failed=_both([None if s is None else sum(t.errors for t in s.values()) for s in sides]),
        endpoints=figures[:MOST_ENDPOINTS],
        endings=None
        if system.problem is not None
        else endings(system.lines, canary=names[0], stable=names[1]),
        growth=tuple(filter(None, (_growth(Side.CANARY, minutes[0]), _growth(Side.STABLE, minutes[1])))),
        clients=clients,
        differences=differences,
        redacted=sum(log.redacted for log in read),
        problems=problems,
    )


def _both(pair: Sequence[int | None]) -> Pair:
    return pair[0], pair[1]


def _length(log: LogLines) -> int | None:
    return None if log.problem is not None else len(log.lines)


@dataclass(frozen=True)
class _Said:
    """A line with what it is counted under."""

    line: LogLine
    shape: str
    endpoint: str


def _own_words(log: LogLines, full: Mapping[str, str]) -> list[_Said]:
    """Return the lines without those that only repeat, as a request, what the application says itself.

    Cloud Run writes a line for every request that was answered with 5xx, beside what the application
    writes; the trace says which belong together, and lends the application's line its endpoint.
    """
    answered = {line.trace: line for line in log.lines if line.trace and status_of(line.message)}
    told = {line.trace for line in log.lines if line.trace and not status_of(line.message)}
    found = []
    for line in log.lines:
        status = status_of(line.message)
        if status and line.trace in told:
            continue
        request = answered.get(line.trace)
        endpoint = request.endpoint if request else full.get(line.endpoint, line.endpoint)
        said = f"{endpoint} → {status}" if status and endpoint else shape(line.message)
        found.append(_Said(line, said, endpoint))
    return found


def _full_names(logs: Iterable[LogLines], tallies: Iterable[Mapping[str, Tally] | None]) -> dict[str, str]:
    """Return endpoints by their path alone, where only one method is known for it: many lines say no more."""
    names = {line.endpoint for log in logs for line in log.lines if " " in line.endpoint}
    names.update(name for side in tallies for name in side or () if " " in name)
    by_path: dict[str, set[str]] = {}
    for name in names:
        by_path.setdefault(name.partition(" ")[2], set()).add(name)
    return {path: min(found) for path, found in by_path.items() if len(found) == 1}


@dataclass
class _Sides:
    canary: list[_Said] = field(default_factory=list)
    stable: list[_Said] = field(default_factory=list)


def _groups(canary: list[_Said], stable: list[_Said], *, known: tuple[bool, bool]) -> list[ErrorGroup]:
    found: dict[str, _Sides] = {}
    for said in canary:
        found.setdefault(said.shape, _Sides()).canary.append(said)
    for said in stable:
        found.setdefault(said.shape, _Sides()).stable.append(said)
    return sorted((_group(shape, sides, known) for shape, sides in found.items()), key=_order)


def _order(group: ErrorGroup) -> tuple[bool, bool, int, int, str]:
    mine, theirs = group.canary or 0, group.stable or 0
    return (not mine, not group.is_new, -mine, -theirs, group.shape)


def _group(shape: str, sides: _Sides, known: tuple[bool, bool]) -> ErrorGroup:
    shown = sides.canary or sides.stable
    lines = sorted((said.line for said in shown), key=lambda line: line.at)
    newest = lines[-1]
    example = f"{newest.message} ({newest.detail})" if newest.detail else newest.message
    where = Counter(said.endpoint for said in shown if said.endpoint)
    return ErrorGroup(
        shape=shape,
        canary=len(sides.canary) if known[0] else None,
        stable=len(sides.stable) if known[1] else None,
        first_seen=lines[0].at,
        last_seen=newest.at,
        example=example[:LONGEST_EXAMPLE],
        endpoints=tuple(sorted(where.items(), key=lambda item: (-item[1], item[0]))[:MOST_ENDPOINTS]),
    )


def _figures(
    canary: Mapping[str, Tally] | None, stable: Mapping[str, Tally] | None
) -> tuple[EndpointFigures, ...]:
    """Return every endpoint of the canary, the slowest first; those with too few requests come last."""
    told = [_figure(name, tally, stable) for name, tally in (canary or {}).items() if tally.requests]
    told.sort(key=lambda one: (-(one.canary_p95_ms or 0.0), -one.canary_requests, one.endpoint))
    return tuple(told)


def _figure(name: str, canary: Tally, stable: Mapping[str, Tally] | None) -> EndpointFigures:
    other = (stable or {}).get(name, Tally())
    known = stable is not None
    return EndpointFigures(
        endpoint=name,
        canary_requests=canary.requests,
        canary_errors=canary.errors,
        canary_p95_ms=_p95(canary),
        stable_requests=other.requests if known else None,
        stable_errors=other.errors if known else None,
        stable_p95_ms=_p95(other),
    )


def _p95(tally: Tally) -> float | None:
    return tally.percentile_ms(95) if tally.requests >= ENDPOINT_REQUESTS else None


def _growth(side: Side, minutes: Iterable[Minute]) -> Growth | None:
    counts = [minute.instances for minute in minutes if minute.instances is not None]
    return Growth(side=side, first=counts[0], most=max(counts), last=counts[-1]) if counts else None
