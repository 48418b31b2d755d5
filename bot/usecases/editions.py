"""Which playbook an incident goes by: the edition it began with."""

from bot.domain.edition import Edition, from_document
from bot.domain.incident import Incident
from bot.domain.playbook import Playbook
from bot.usecases.ports import Transaction

#: Editions never change, so each is read and checked once in a process.
_READ: dict[str, Playbook] = {}


def playbook_of(tx: Transaction, incident: Incident, current: Playbook) -> Playbook:
    """Return the playbook the incident began with; `current` for incidents older than editions are."""
    return edition_of_incident(tx, incident) or current


def edition_of_incident(tx: Transaction, incident: Incident) -> Playbook | None:
    """Return the playbook the incident began with, None for incidents older than editions are."""
    if not incident.playbook:
        return None
    if incident.playbook not in _READ:
        _READ[incident.playbook] = from_document(tx.kept(Edition, incident.playbook).document)
    return _READ[incident.playbook]
