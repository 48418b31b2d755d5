"""Lines of a log as somebody looks for them: by a filter, so many, the newest first."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from bot.domain.traffic import SideAddress, Sides

#: How the guide names the canary's own service in a filter, and what stands for the canary alone.
_CANARY_SERVICE = re.compile(r"resource\.labels\.service_name\s*=\s*\"?\{canary\}\"?")
_CANARY = "{canary}"

#: Finds what Cloud Run itself writes when a container ends or does not start: out of memory ("Memory limit
#: of 512 MiB exceeded with 520 MiB used…", ERROR), a crash ("Uncaught signal: 11, pid=…"), an exit
#: ("Container called exit(1).", WARNING), a start that failed ("Default STARTUP TCP probe failed…", ERROR).
#: An exit with 0 is one too, and said to be one. Not by severity, which has changed over the years.
#: By substring, so that it needs no project. Sources: Google Cloud, "Troubleshoot Cloud Run issues" and
#: "Configure memory limits"; entries published in bug reports.
SYSTEM_FILTER = (
    'resource.type="cloud_run_revision" AND logName:"run.googleapis.com%2Fvarlog%2Fsystem" AND '
    '(textPayload:"Memory limit of" OR textPayload:"Uncaught signal" OR '
    'textPayload:"Container called exit" OR textPayload:"probe failed" OR '
    'textPayload:"failed to start and listen")'
)


@dataclass(frozen=True, kw_only=True)
class LogLine:
    """One entry. `message` and `detail` are raw: escape before showing. `at` is aware, UTC.

    `message` is what repeats (a text, an exception, method and path of a request); `detail` is what
    differs from line to line (a latency, a status). `endpoint` is what the line is about, method and path
    without query and ids (``GET /api/chat``), `trace` the request's trace; both empty where the entry
    does not say. `redacted` says how many secrets and personal data were replaced in it.
    """

    at: datetime
    severity: str
    message: str
    detail: str = ""
    service: str = ""
    revision: str = ""
    endpoint: str = ""
    trace: str = ""
    redacted: int = 0


@dataclass(frozen=True, kw_only=True)
class LogLines:
    """What a log held: `lines` newest first, at most `limit`, with ``since`` <= t < ``until`` (UTC).

    `filter` is the whole filter that was asked with, the window left out. `more` says that there
    were more than `limit`. `problem` is set when the log could not be read; then there are no lines.
    """

    lines: tuple[LogLine, ...] = ()
    filter: str
    limit: int
    since: datetime
    until: datetime
    more: bool = False
    problem: str | None = None

    @property
    def redacted(self) -> int:
        """How many secrets and personal data were replaced in all lines."""
        return sum(line.redacted for line in self.lines)


@dataclass(frozen=True, kw_only=True)
class Group:
    """Lines that say the same: how many, and the newest of them."""

    count: int
    newest: LogLine


@dataclass
class _Counted:
    newest: LogLine
    count: int = field(default=0)


def grouped(lines: Iterable[LogLine]) -> tuple[Group, ...]:
    """Return lines of the same severity and message together, the most frequent first."""
    found: dict[tuple[str, str], _Counted] = {}
    for line in lines:
        counted = found.setdefault((line.severity, line.message), _Counted(line))
        counted.count += 1
        counted.newest = max(counted.newest, line, key=lambda one: one.at)
    groups = (Group(count=c.count, newest=c.newest) for c in found.values())
    return tuple(sorted(groups, key=lambda group: -group.count))


def canary_filter(written: str, canary: SideAddress | None, sides: Sides) -> str:
    """Return a playbook's filter with ``{canary}`` filled in, kept to the services of the target.

    Where the canary is a revision, the guide's ``service_name={canary}`` means that revision of the
    service; where no canary is known, the service as a whole.
    """
    known = canary or sides.stable
    own = f'resource.labels.service_name="{known.service}"'
    if canary is not None and canary.revision:
        own += f' AND resource.labels.revision_name="{canary.revision}"'
    filled = _CANARY_SERVICE.sub(lambda _: own, written)
    filled = filled.replace(_CANARY, (canary.revision if canary else None) or known.service)
    services = dict.fromkeys([sides.stable.service, *([sides.canary.service] if sides.canary else [])])
    either = " OR ".join(f'resource.labels.service_name="{service}"' for service in services)
    return f"({filled}) AND ({either})"
