"""Evidence for tests: lines, first readings and snapshots, each good as it is."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from bot.domain.configuration import Difference
from bot.domain.exhibit import Exhibit, ExhibitKind, Moment
from bot.domain.first_reading import (
    Clients,
    ContainerEnded,
    Ending,
    EndpointFigures,
    ErrorGroup,
    FirstReading,
    Growth,
)
from bot.domain.ids import IncidentNumber
from bot.domain.log_lines import LogLine, LogLines
from bot.domain.observation import Tally, tally
from bot.domain.read_evidence import first_reading
from bot.domain.readings import Side
from bot.domain.snapshot import Snapshot
from tests.values import CANARY, NOON, STABLE, seconds

SINCE, UNTIL = NOON - seconds(3600), NOON
LEAK = "Memory limit of 512 MiB exceeded with 520 MiB used. Consider increasing the memory limit."


def a_line(message: str, after: float = 0, **more: Any) -> LogLine:
    """Return an error line of the canary, `after` seconds after the window's beginning."""
    line = LogLine(
        at=SINCE + seconds(after), severity="ERROR", message=message, service="ion-api", revision=CANARY
    )
    return replace(line, **more)


def a_log(lines: Iterable[LogLine] = (), **more: Any) -> LogLines:
    """Return a log of an hour, newest first."""
    found = tuple(sorted(lines, key=lambda line: line.at, reverse=True))
    return replace(LogLines(lines=found, filter="f", limit=1000, since=SINCE, until=UNTIL), **more)


def lines_of(message: str, count: int, **more: Any) -> list[LogLine]:
    """Return `count` lines that differ by a number and a second."""
    return [a_line(message.replace("#", str(n)), after=n, **more) for n in range(count)]


def of_stable(lines: Iterable[LogLine]) -> list[LogLine]:
    """Return the lines as stable's."""
    return [replace(line, revision=STABLE) for line in lines]


def answered(requests: int, errors: int = 0, *, ms: float = 50) -> Tally:
    """Return what an endpoint answered, every request within `ms`."""
    return tally([ms] * requests, requests=requests, errors=errors)


def a_reading_of(
    canary: Iterable[LogLine] | LogLines = (), stable: Iterable[LogLine] | LogLines = (), **more: Any
) -> FirstReading:
    """Return the first reading of error lines (or of logs), of a canary with a tenth of the traffic."""
    given: dict[str, Any] = {
        "since": SINCE,
        "until": UNTIL,
        "names": (CANARY, STABLE),
        "canary": canary if isinstance(canary, LogLines) else a_log(canary),
        "stable": stable if isinstance(stable, LogLines) else a_log(stable),
        "endpoints": {
            Side.CANARY: {"POST /api/chat": answered(200)},
            Side.STABLE: {"POST /api/chat": answered(1800)},
        },
        "system": a_log(),
        "minutes": ((), ()),
    }
    return first_reading(**(given | more))


def a_full_reading(text: str = "KeyError: turn 7", *, groups: int = 3, **more: Any) -> FirstReading:
    """Return a first reading with something of everything, `text` wherever logs and settings speak."""
    kinds = tuple(
        ErrorGroup(
            shape=f"{text} {place}"[:200], canary=40 - place, stable=0 if place % 2 else 2,
            first_seen=SINCE, last_seen=UNTIL, example=text * 3,
            endpoints=((f"GET {text}"[:210], 30), ("POST /api/chat", 2)),
        )
        for place in range(groups)
    )  # fmt: skip
    reading = FirstReading(
        since=SINCE, until=UNTIL, groups=kinds, kinds=groups + 5, canary_kinds=groups + 2, new_kinds=2,
        new_lines=50, lines=(130, 9), repeated=(13, 0), cut=(True, False), requests=(2000, 18_000),
        failed=(128, 3), redacted=4,
        endpoints=tuple(
            EndpointFigures(
                endpoint=f"GET {text}"[:210], canary_requests=140 - n, canary_errors=n,
                canary_p95_ms=812.0 - n, stable_requests=1300, stable_errors=0,
                stable_p95_ms=120.0 if n % 2 else None,
            )
            for n in range(10)
        ),
        endings=tuple(
            ContainerEnded(side=side, why=why, count=3, first_at=SINCE, last_at=UNTIL, example=text or LEAK)
            for side in Side
            for why in Ending
        ),
        growth=tuple(Growth(side=side, first=1, most=5, last=4) for side in Side),
        clients=Clients(seen=1200, failed=140, truncated=True),
        differences=some_differences(text),
        problems=(f"minutes: {text}", f"probe_canary: {text}", f"unheard of: {text}"),
    )  # fmt: skip
    return replace(reading, **more)


def some_differences(text: str = "debug", *, count: int = 1) -> tuple[Difference, ...]:
    """Return differences of every kind, `count` of each."""
    named = [("environment", "LOG_LEVEL"), ("settings", "memory"), ("settings", "ingress")]
    return tuple(
        Difference(about=about, name=f"{name}{n or ''}", stable=None if n % 2 else "info", canary=text)
        for about, name in named
        for n in range(count)
    )


def a_snapshot(moment: Moment = Moment.DECISION, **more: Any) -> Snapshot:
    """Return what was taken of incident 12."""
    snapshot = Snapshot(
        id=f"12:{moment}-f00d",
        incident=IncidentNumber(12),
        moment=moment,
        created_at=NOON,
        canary=CANARY,
        stable=STABLE,
        reading=a_reading_of(lines_of("user # not found", 3)),
        profiler="https://console.cloud.google.com/profiler/ion-api;type=HEAP?project=p",
    )
    return replace(snapshot, **more)


def an_exhibit(kind: ExhibitKind = ExhibitKind.ERROR_LOGS, **more: Any) -> Exhibit:
    """Return a file of `a_snapshot`."""
    exhibit = Exhibit(
        id=f"12:decision-f00d:{kind}_20260302_120000.txt",
        incident=IncidentNumber(12),
        snapshot="12:decision-f00d",
        kind=kind,
        name=f"{kind}_20260302_120000.txt",
        created_at=NOON,
        source="Cloud Logging",
        size=1234,
    )
    return replace(exhibit, **more)
