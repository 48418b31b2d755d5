"""Why containers ended, from the lines that Cloud Run itself writes into the log (``varlog/system``)."""

import re
from collections.abc import Iterable

from bot.domain.first_reading import ContainerEnded, Ending
from bot.domain.log_lines import LogLine
from bot.domain.readings import Side

#: How Cloud Run's own lines begin, the first that fits. Source: Google, "Troubleshoot Cloud Run issues"
#: and "Configure container health checks".
_SAYS: tuple[tuple[Ending, re.Pattern[str]], ...] = (
    (
        Ending.OUT_OF_MEMORY,
        re.compile(
            r"Memory limit of .{1,40} exceeded|using too much memory|[Oo]ut.of.memory|ran out of memory"
        ),
    ),
    (
        Ending.FAILED_TO_START,
        re.compile(r"STARTUP \w+ probe failed|failed to start|instance was not started"),
    ),
    (Ending.UNHEALTHY, re.compile(r"LIVENESS \w+ probe failed|instance has been shut down")),
    (Ending.CRASHED, re.compile(r"Uncaught signal|terminated (?:on|with) signal")),
    # Whoever exits with 0 was asked to, as a rule: the service has too little to do.
    (Ending.EXITED, re.compile(r"Container called exit\((?!0\))")),
)


def ending(message: str) -> Ending | None:
    """Return why a container ended, by a line of Cloud Run's; None where the line says something else."""
    return next((why for why, says in _SAYS if says.search(message)), None)


def endings(lines: Iterable[LogLine], *, canary: str, stable: str) -> tuple[ContainerEnded, ...]:
    """Return what ended on each side, the canary first; lines of anybody else are left out.

    `canary` and `stable` are names of revisions or services.
    """
    found: dict[tuple[Side, Ending], list[LogLine]] = {}
    for line in lines:
        side, why = side_of(line, canary=canary, stable=stable), ending(line.message)
        if side is not None and why is not None:
            found.setdefault((side, why), []).append(line)
    told = (_told(side, why, those) for (side, why), those in found.items())
    return tuple(sorted(told, key=lambda end: (end.side is not Side.CANARY, -end.count, end.why)))


def side_of(line: LogLine, *, canary: str, stable: str) -> Side | None:
    """Return whose line it is; None where it is of neither, such as an older revision."""
    own = {line.revision, line.service} - {""}
    if canary in own:
        return Side.CANARY
    return Side.STABLE if stable in own else None


def _told(side: Side, why: Ending, lines: list[LogLine]) -> ContainerEnded:
    lines.sort(key=lambda line: line.at)
    return ContainerEnded(
        side=side,
        why=why,
        count=len(lines),
        first_at=lines[0].at,
        last_at=lines[-1].at,
        example=lines[-1].message,
    )
