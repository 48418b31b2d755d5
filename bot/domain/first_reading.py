"""The first reading of the evidence: plain statistics over log lines and requests, and said to be that."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.domain.configuration import Difference
from bot.domain.readings import Side

#: Kinds of errors and endpoints that are kept; how many more there were is said.
MOST_GROUPS, MOST_ENDPOINTS = 20, 10
#: Of one example; the whole line stands in the file of error logs, characters.
LONGEST_EXAMPLE = 1_000


@dataclass(frozen=True, kw_only=True)
class ErrorGroup:
    """Errors that say the same. `shape` is the message with whatever varies left out.

    `canary` and `stable` count the lines of each side; None: its log could not be read, which is not
    zero. `first_seen` and `last_seen` (aware, UTC) are of the canary's lines, of stable's where the canary
    has none, and of what was read: see `FirstReading.cut`. `endpoints` says where those lines came from
    and how many, the most frequent first; lines that do not say are left out. `example` is the newest of
    those lines, whole, with secrets replaced; raw otherwise: escape it.
    """

    shape: str
    canary: int | None
    stable: int | None
    first_seen: datetime
    last_seen: datetime
    example: str
    endpoints: tuple[tuple[str, int], ...] = ()

    @property
    def is_new(self) -> bool:
        """True when the canary has it and stable, whose log was read, has none of it."""
        return bool(self.canary) and self.stable == 0


@dataclass(frozen=True, kw_only=True)
class EndpointFigures:
    """What one endpoint (method and path) answered on both sides.

    P95 is in milliseconds; None: too few requests to tell. `stable_requests` and `stable_errors` are None
    where stable's request log could not be read.
    """

    endpoint: str
    canary_requests: int
    canary_errors: int
    canary_p95_ms: float | None
    stable_requests: int | None
    stable_errors: int | None
    stable_p95_ms: float | None


class Ending(StrEnum):
    """Why Cloud Run says that a container ended."""

    OUT_OF_MEMORY = "out_of_memory"
    EXITED = "exited"
    CRASHED = "crashed"
    FAILED_TO_START = "failed_to_start"
    UNHEALTHY = "unhealthy"


@dataclass(frozen=True, kw_only=True)
class ContainerEnded:
    """How often containers of one side ended for one reason, and when first and last (aware, UTC)."""

    side: Side
    why: Ending
    count: int
    first_at: datetime
    last_at: datetime
    example: str


@dataclass(frozen=True, kw_only=True)
class Growth:
    """How many instances one side had: at the window's beginning, at most, and at its end."""

    side: Side
    first: int
    most: int
    last: int


@dataclass(frozen=True, kw_only=True)
class Clients:
    """Distinct clients of the canary in the request log: an estimate of users, and no more than that.

    A client is an address; several people may share one, and one person may have several. `failed` had at
    least one error. `truncated` says that there were more requests than were read, so both are too low.
    """

    seen: int
    failed: int
    truncated: bool = False


@dataclass(frozen=True, kw_only=True)
class FirstReading:
    """What the evidence says at first sight, over ``since`` <= t < ``until`` (aware, UTC).

    Pairs are canary and stable; None: could not be read, which is not zero. `lines` is how many error
    lines `groups` are made from. `repeated` of them were the request log's own line for an error that the
    application's log tells too (by the trace), and are not counted twice. `cut` says where there were more
    than were read, so that only the newest are here. `groups` are the canary's first, new ones before
    what stable has too, at most `MOST_GROUPS` of `kinds`. `requests` and `failed` (answered with 5xx) are
    sums over every endpoint of the request log; `endpoints` the slowest of them. `differences` is None
    where a configuration could not be read. `redacted` says how many secrets and personal data were
    replaced in the lines. `endings` is None where Cloud Run's own lines could not be read. `problems` are
    one line for each source that could not be read.
    """

    since: datetime
    until: datetime
    groups: tuple[ErrorGroup, ...] = ()
    kinds: int = 0
    canary_kinds: int = 0
    new_kinds: int | None = 0
    new_lines: int | None = 0
    lines: tuple[int | None, int | None] = (0, 0)
    repeated: tuple[int, int] = (0, 0)
    cut: tuple[bool, bool] = (False, False)
    requests: tuple[int | None, int | None] = (None, None)
    failed: tuple[int | None, int | None] = (None, None)
    endpoints: tuple[EndpointFigures, ...] = ()
    endings: tuple[ContainerEnded, ...] | None = ()
    growth: tuple[Growth, ...] = ()
    clients: Clients | None = None
    differences: tuple[Difference, ...] | None = None
    redacted: int = 0
    problems: tuple[str, ...] = ()

    @property
    def more(self) -> bool:
        """True when a log held more error lines than were read."""
        return any(self.cut)

    @property
    def counted(self) -> tuple[int | None, int | None]:
        """How many lines of the canary and of stable the groups count."""
        mine, theirs = self.lines
        return (
            None if mine is None else mine - self.repeated[0],
            None if theirs is None else theirs - self.repeated[1],
        )
