"""The playbook on disk: read with file and line for every fault; the last good one keeps serving."""

import asyncio
import json
import stat
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import structlog
from pydantic import ValidationError

from bot.adapters.playbook_faults import BadPlaybook, Fault, place_of, sentence_for
from bot.adapters.playbook_yaml import Document, NotReadable, read_document
from bot.adapters.templates import template_names
from bot.domain.playbook import Playbook
from bot.domain.proofreading import Complaint, Place, in_words, proofread, remarks
from bot.usecases.ports import Playbooks

log = structlog.get_logger()

DEFAULT = Path(__file__).resolve().parents[1] / "playbooks" / "phase4-canary.yaml"
#: What a playbook writes to be based on the built-in one.
BASE = "phase4-canary"
#: Said by each file for itself, never taken from the file it is based on.
_OWN = frozenset({"schema", "version", "based_on"})
#: A playbook is written by people; anything longer is a mistake or an attack.
LARGEST_BYTES = 256 * 1024
#: So many faults of a file that changed are logged; `backout playbook check` shows all.
MOST_LOGGED = 20

__all__ = [
    "DEFAULT",
    "LARGEST_BYTES",
    "BadPlaybook",
    "Checked",
    "Fault",
    "PlaybookShelf",
    "check_playbook",
    "read_playbook",
]


@dataclass(frozen=True, kw_only=True)
class Checked:
    """A playbook that can be used, what is worth a second look, and which sections it took over."""

    playbook: Playbook
    warnings: tuple[Fault, ...]
    taken_over: tuple[str, ...]

    def summary(self, name: str) -> list[str]:
        """Return in lines what was read from the file `name`, and the warnings."""
        book = self.playbook
        parts = {
            "scenario(s)": book.scenarios,
            "checklist step(s)": book.steps(),
            "decision rule(s)": book.rules,
            "contact(s)": book.contacts,
            "notice(s)": book.notices,
            "readiness point(s)": book.readiness,
            "link(s)": book.links,
        }
        held = ", ".join(f"{len(part)} {what}" for what, part in parts.items())
        lines = [f"{name}: version {book.version}, {len(book.targets)} target(s), no faults.", f"  {held}"]
        if self.taken_over:
            lines.append(f"  from {BASE}: {', '.join(self.taken_over)}")
        return [*lines, *(f"warning: {warning}" for warning in self.warnings)]


def read_playbook(path: Path, *, templates: Path | None = None) -> Playbook:
    """Return the playbook in `path`; `templates` is a directory with texts of the team's own.

    Raises:
        BadPlaybook: with one fault per mistake.
    """
    return _read(path, templates)[0]


def check_playbook(path: Path, *, templates: Path | None = None) -> Checked:
    """Return the playbook in `path` with its warnings. Raises `BadPlaybook` as `read_playbook` does."""
    playbook, written = _read(path, templates)
    warnings = [written.fault(remark) for remark in remarks(playbook)]
    return Checked(
        playbook=playbook,
        warnings=tuple(sorted(warnings, key=lambda fault: fault.line)),
        taken_over=tuple(written.taken_over),
    )


@dataclass(frozen=True)
class _Written:
    """One file's document, completed by the playbook it is based on."""

    file: str
    document: Document
    taken_over: Mapping[str, Any]

    @property
    def whole(self) -> dict[str, Any]:
        return {**self.taken_over, **self.document.plain}

    def fault(self, complaint: Complaint) -> Fault:
        """Return the fault at its line in this file, also where it is about a section taken over."""
        place, sentence = complaint.place, complaint.sentence
        if not place or place[0] not in self.taken_over:
            return Fault(self.file, self.document.line(place), in_words(place), sentence)
        if complaint.lacks and complaint.lacks[0] in self.document.plain:
            section, what = complaint.lacks
            asked = f"there is no {what} here, which {in_words(place)} of {BASE} asks for: write it"
            return Fault(self.file, self.document.line((section,)), section, asked)
        said = f"{sentence} (taken over from {BASE})"
        return Fault(self.file, self.document.line(("based_on",)), in_words(place), said)


def _read(path: Path, templates: Path | None) -> tuple[Playbook, _Written]:
    written = _written(path)
    complaints = proofread(written.whole, templates=template_names(templates))
    complaints += _zone_complaints(written.whole)
    playbook = None
    try:
        # As JSON and strictly, so that "yes" is no number and 1 no text; a date is its own text.
        playbook = Playbook.model_validate_json(json.dumps(written.whole), strict=True)
    except ValidationError as error:
        complaints += _new_complaints(error, {c.place for c in complaints})
    if playbook is None or complaints:
        faults = dict.fromkeys(written.fault(complaint) for complaint in complaints)
        raise BadPlaybook(sorted(faults, key=lambda fault: fault.line))
    return playbook, written


def _new_complaints(error: ValidationError, known: set[Place]) -> list[Complaint]:
    """What the models found; a rule over a whole part says nothing new where a place in it is named."""
    details = [(place_of(detail), detail) for detail in error.errors(include_url=False)]
    return [
        Complaint(place, sentence_for(detail))
        for place, detail in details
        if not (detail["type"] == "value_error" and any(k[: len(place)] == place for k in known))
    ]


def _zone_complaints(whole: Mapping[str, Any]) -> list[Complaint]:
    zone = whole.get("time_zone", "UTC")
    try:
        if isinstance(zone, str):
            ZoneInfo(zone)
    except (LookupError, ValueError, OSError):
        said = f"no zone is called {zone[:80]!r}; write one such as Asia/Seoul"
        return [Complaint(("time_zone",), said)]
    return []


def _written(path: Path) -> _Written:
    document = _document(path)
    based = document.plain.get("based_on") == BASE
    taken_over = {k: v for k, v in _base().items() if k not in document.plain} if based else {}
    return _Written(path.name, document, taken_over)


def _document(path: Path) -> Document:
    try:
        return read_document(_text(path))
    except NotReadable as error:
        raise BadPlaybook([Fault(path.name, line, "", words) for line, words in error.places]) from error


@cache
def _base() -> Mapping[str, Any]:
    return {key: value for key, value in _document(DEFAULT).plain.items() if key not in _OWN}


def _text(path: Path) -> str:
    try:
        # Anything but a file could be without end, or never answer.
        if not stat.S_ISREG(path.stat().st_mode):
            raise BadPlaybook([Fault(path.name, 1, "", "this is no file: name the playbook's file")])
        with path.open("rb") as file:
            raw = file.read(LARGEST_BYTES + 1)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise BadPlaybook([Fault(path.name, 1, "", f"the file cannot be read: {why}")]) from error
    if len(raw) > LARGEST_BYTES:
        raise BadPlaybook([Fault(path.name, 1, "", f"larger than {LARGEST_BYTES // 1024} KiB: write less")])
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise BadPlaybook([Fault(path.name, line, "", "not UTF-8: save the file as UTF-8")]) from error


class PlaybookShelf(Playbooks):
    """The playbook in force, read anew when the file changes, without a restart.

    Within an event loop the older one serves for the moment that reading takes.
    """

    def __init__(self, path: Path, *, templates: Path | None = None) -> None:
        """Read the playbook. Raises `BadPlaybook`: there is no last good one yet."""
        self._path = path
        self._templates = templates
        self._reading = threading.Lock()
        self._seen = self._stamp()
        self._playbook = read_playbook(path, templates=templates)

    def current(self) -> Playbook:
        """See `Playbooks.current`."""
        stamp, serving = self._stamp(), self._playbook
        if stamp == self._seen:
            return serving
        self._seen = stamp
        if _in_event_loop():
            # Reading and checking takes a third of a second, and Slack is waiting for an answer.
            threading.Thread(target=self._reload, name="playbook", daemon=True).start()
            return serving
        self._reload()
        return self._playbook

    def _reload(self) -> None:
        try:
            # One after another, so that what was read last is also what is kept.
            with self._reading:
                self._playbook = read_playbook(self._path, templates=self._templates)
            log.info("playbook_reloaded", version=self._playbook.version)
        except BadPlaybook as bad:
            faults = [str(fault) for fault in bad.faults]
            log.error(
                "playbook_refused",
                serving=self._playbook.version,
                count=len(faults),
                faults=faults[:MOST_LOGGED],
            )

    def _stamp(self) -> tuple[int, int, int] | None:
        """Return what changes with the file: when it was written, how long it is, which file it is."""
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino


def _in_event_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
