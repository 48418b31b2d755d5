"""A search for incidents as SQL that means the same on SQLite and on PostgreSQL."""

import unicodedata

from sqlalchemy import ColumnElement, String, cast, exists, literal, or_

from bot.adapters.database.tables import EntryRow, IncidentRow
from bot.domain.incident_search import SEARCHED_EVENTS, SEARCHED_FACTS, SEARCHED_RECORD, Search

#: What an incident's chain is called before its number; see `bot.domain.timeline.incident_chain`.
_CHAIN_BEGINS = "incident:"


def conditions_of(search: Search) -> list[ColumnElement[bool]]:
    """Return what a row of the incidents has to fulfil; see `bot.domain.incident_search.matches`."""
    equal = {
        IncidentRow.number: search.number,
        IncidentRow.state: search.state,
        IncidentRow.target: search.target,
        IncidentRow.scenario: search.scenario,
        IncidentRow.severity: search.severity,
    }
    conditions: list[ColumnElement[bool]] = [
        column == value for column, value in equal.items() if value not in (None, "")
    ]
    if search.since is not None:
        conditions.append(IncidentRow.opened_at >= search.since)
    if search.until is not None:
        conditions.append(IncidentRow.opened_at < search.until)
    if search.drill is not None:
        conditions.append(IncidentRow.drill != "" if search.drill else IncidentRow.drill == "")
    if search.by:
        acted = exists().where(_is_of_incident(), EntryRow.actor == search.by)
        conditions.append(or_(IncidentRow.opened_by == search.by, acted))
    return [*conditions, *(_mentions(word) for word in search.words)]


def _is_of_incident() -> ColumnElement[bool]:
    """True for the lines of the incident's own timeline."""
    return EntryRow.chain == literal(_CHAIN_BEGINS).concat(cast(IncidentRow.number, String))


def _mentions(word: str) -> ColumnElement[bool]:
    """True where people wrote `word`: when they declared it, in the record, or in the timeline."""
    record = [IncidentRow.people[name].as_string() for name in SEARCHED_RECORD]
    noted = exists().where(
        _is_of_incident(),
        EntryRow.event.in_([event.value for event in SEARCHED_EVENTS]),
        or_(*(_holds(EntryRow.facts[name].as_string(), word) for name in SEARCHED_FACTS)),
    )
    return or_(noted, *(_holds(column, word) for column in (IncidentRow.seen, *record)))


def _holds(column: ColumnElement[str], word: str) -> ColumnElement[bool]:
    """True where `word` is in the text, which keyboards may have written composed or decomposed."""
    forms = sorted({unicodedata.normalize(form, word) for form in ("NFC", "NFD")})
    return or_(*(column.icontains(form, autoescape=True) for form in forms))
