"""Whether what is stored of an incident is what was written: chain, heads, seals and files."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from bot.domain.exhibit import Exhibit, sha256_of
from bot.domain.timeline import GENESIS, Entry, Event, first_broken

#: Lines after which the incident's own row stays as it was sealed.
_CHANGES_NO_ROW = frozenset(
    {
        Event.RECORD_POSTED,
        Event.RECORD_FILED,
        Event.EVIDENCE_TAKEN,
        Event.RECORD_REFUSED,
        Event.CLOSE_REFUSED,
    }
)


class Flaw(StrEnum):
    """What is wrong."""

    LINE_CHANGED = "line_changed"
    HEAD_LOST = "head_lost"
    LENGTH_DIFFERS = "length_differs"
    ROW_CHANGED = "row_changed"
    ROW_MISSING = "row_missing"
    ROW_UNKNOWN = "row_unknown"
    FILE_CHANGED = "file_changed"
    FILE_MISSING = "file_missing"
    FILE_UNREADABLE = "file_unreadable"


@dataclass(frozen=True, kw_only=True)
class Found:
    """One flaw: `what` names the line, row or file; `detail` is a number or a reason."""

    flaw: Flaw
    what: str
    detail: str = ""


@dataclass(frozen=True, kw_only=True)
class Checked:
    """What a verification came to: how much was looked at, and every flaw.

    `unsealed` names what has changed by rights since it was last sealed, or never was: nothing can be said
    of it. `dropped` counts files whose time was over.
    """

    lines: int
    rows: int
    files: int
    head: str
    dropped: int = 0
    unsealed: tuple[str, ...] = ()
    flaws: tuple[Found, ...] = ()

    @property
    def whole(self) -> bool:
        """True when nothing is wrong."""
        return not self.flaws


def check_chain(
    entries: Sequence[Entry], *, length: int, head: str, known_heads: Iterable[str]
) -> list[Found]:
    """Check a timeline against itself, its stored head, and heads that people have kept elsewhere."""
    found = []
    broken = first_broken(entries)
    if broken is not None:
        found.append(Found(flaw=Flaw.LINE_CHANGED, what=f"line {broken}"))
    last = entries[-1].hash if entries else GENESIS
    if length != len(entries) or head != last:
        found.append(Found(flaw=Flaw.LENGTH_DIFFERS, what="timeline", detail=f"{len(entries)} of {length}"))
    there = {entry.hash for entry in entries}
    found += [Found(flaw=Flaw.HEAD_LOST, what=kept) for kept in known_heads if kept not in there]
    return found


def newest_seals(entries: Iterable[Entry]) -> dict[str, tuple[str, int]]:
    """Return the newest seal of everything that the timeline has sealed, with the line that says so."""
    found: dict[str, tuple[str, int]] = {}
    for entry in entries:
        written: Mapping[str, str] = entry.facts.get("seals") or {}
        found.update({name: (sealed, entry.sequence) for name, sealed in written.items()})
    return found


def check_rows(
    entries: Sequence[Entry], seals_now: Mapping[str, str], *, settled: frozenset[str]
) -> tuple[list[Found], list[str]]:
    """Compare what is stored with what was sealed; returns flaws, and what nothing can be said of.

    `settled` names what never changes any more: rows that have ended, files, snapshots.
    """
    sealed = newest_seals(entries)
    found, unsealed = [], []
    for name, (seal, line) in sealed.items():
        now = seals_now.get(name)
        if now is None:
            found.append(Found(flaw=Flaw.ROW_MISSING, what=name, detail=f"line {line}"))
        elif now != seal and (name in settled or not _may_have_changed(entries, after=line)):
            found.append(Found(flaw=Flaw.ROW_CHANGED, what=name, detail=f"line {line}"))
        elif now != seal:
            unsealed.append(name)
    for name in sorted(set(seals_now) - set(sealed)):
        if name.startswith(("exhibit:", "snapshot:")):
            found.append(Found(flaw=Flaw.ROW_UNKNOWN, what=name))
        else:
            unsealed.append(name)
    return found, unsealed


def _may_have_changed(entries: Sequence[Entry], *, after: int) -> bool:
    """True when anything has happened since that writes to rows."""
    return any(entry.sequence > after and entry.event not in _CHANGES_NO_ROW for entry in entries)


def check_file(exhibit: Exhibit, content: bytes) -> Found | None:
    """Compare a file's content with what was written down about it."""
    if len(content) == exhibit.size and sha256_of(content) == exhibit.sha256:
        return None
    return Found(flaw=Flaw.FILE_CHANGED, what=exhibit.name, detail=f"{len(content)} bytes")
