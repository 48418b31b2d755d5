"""A timeline as JSON and as CSV, with its hashes, for whoever reads it elsewhere."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

from bot.domain.ids import PersonId, incident_label
from bot.domain.incident import Incident
from bot.domain.timeline import Entry, as_it_happened, first_broken, happened_at
from bot.slack.text import PLAIN, Words
from bot.slack.views.plain_text import unmarked
from bot.slack.views.timeline import sentence

COLUMNS = (
    "sequence", "happened_at", "noted_at", "actor", "name", "event", "says", "corrects", "facts",
    "previous", "hash",
)  # fmt: skip
#: A spreadsheet takes a cell that begins so for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def timeline_file(
    form: str, incident: Incident, entries: Sequence[Entry], words: Words, names: Mapping[PersonId, str]
) -> str:
    """Return the timeline as `form` (``json`` or ``csv``), sorted by when things happened."""
    plain = Words(
        locale=words.locale, style=PLAIN, zone=words.zone, names={str(id): name for id, name in names.items()}
    )
    rows = [_row(entry, plain) for entry in _in_order(entries)]
    return _json(incident, entries, rows) if form == "json" else _csv(rows)


def _in_order(entries: Sequence[Entry]) -> list[Entry]:
    """Return every entry, a correction right after what it corrects."""
    return [entry for told in as_it_happened(entries) for entry in (told.entry, *told.corrections)]


def _row(entry: Entry, words: Words) -> dict[str, Any]:
    return {
        "sequence": entry.sequence,
        "happened_at": happened_at(entry).isoformat(),
        "noted_at": entry.at.isoformat(),
        "actor": entry.actor,
        "name": words.names.get(entry.actor, ""),
        "event": entry.event.value,
        "says": unmarked(sentence(entry, words)),
        "corrects": entry.facts.get("corrects"),
        "facts": dict(entry.facts),
        "previous": entry.previous,
        "hash": entry.hash,
    }


def _json(incident: Incident, entries: Sequence[Entry], rows: list[dict[str, Any]]) -> str:
    content = {
        "incident": incident_label(incident.number),
        "target": incident.target,
        "state": incident.state.value,
        "severity": incident.severity.value,
        "failure_type": incident.failure_type.value,
        "scenario": incident.scenario,
        "opened_at": incident.opened_at.isoformat(),
        "closed_at": incident.closed_at.isoformat() if incident.closed_at else None,
        "playbook_version": incident.playbook_version,
        "drill": incident.drill or None,
        "head": entries[-1].hash if entries else None,
        "first_broken_line": first_broken(entries),
        "timeline": rows,
    }
    return json.dumps(content, ensure_ascii=False, indent=2) + "\n"


def _csv(rows: list[dict[str, Any]]) -> str:
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for row in rows:
        facts = json.dumps(row["facts"], ensure_ascii=False, sort_keys=True)
        writer.writerow([harmless(facts if name == "facts" else row[name]) for name in COLUMNS])
    return written.getvalue()


def harmless(cell: Any) -> str:
    """Return a cell that no spreadsheet takes for a formula: an apostrophe before it makes it a text."""
    text = "" if cell is None else str(cell)
    return f"'{text}" if text.startswith(_FORMULA) or text.lstrip()[:1] in ("=", "+", "-", "@") else text
