"""Incidents that somebody looks for, page by page, the newest first."""

from datetime import datetime

from bot.domain.incident import Incident
from bot.domain.incident_search import Known, Listed, Listing, Search, as_person
from bot.domain.playbook import Playbook
from bot.domain.rollback import Rollback, RollbackState
from bot.usecases.editions import playbook_of
from bot.usecases.journal import board_key
from bot.usecases.ports import Transaction

#: How many incidents one page shows.
ON_ONE_PAGE = 10


def known_by(playbook: Playbook, *, now: datetime, me: str = "", zone: str | None = None) -> Known:
    """Return the words a search may use: those of the playbook. `zone` is the reader's."""
    return Known(
        targets=tuple(playbook.targets),
        scenarios={scenario.number: scenario.key for scenario in playbook.scenarios},
        zone=zone or playbook.time_zone,
        now=now,
        me=me,
    )


def list_incidents(
    tx: Transaction, search: Search, current: Playbook, *, page: int = 1, size: int = ON_ONE_PAGE
) -> Listing:
    """Return one page; a page that does not exist is the last one there is. Raises `BadSearch` for `by`."""
    search = as_person(search, tx.names())
    wanted = max(page, 1)
    found, total = tx.search_incidents(search, limit=size, offset=(wanted - 1) * size)
    pages = max(-(-total // size), 1)
    if wanted > pages:
        wanted = pages
        found, total = tx.search_incidents(search, limit=size, offset=(wanted - 1) * size)
    listed = tuple(_listed(tx, incident, current) for incident in found)
    return Listing(search=search, listed=listed, page=wanted, pages=pages, total=total)


def _listed(tx: Transaction, incident: Incident, current: Playbook) -> Listed:
    scenario = playbook_of(tx, incident, current).scenario(incident.scenario)
    return Listed(
        incident=incident,
        scenario=scenario.name.model_dump() if scenario else {},
        verdict=_verdict(tx.rollbacks_of(incident.number)),
        board=tx.standing(board_key(incident.number)),
    )


def _verdict(rollbacks: tuple[Rollback, ...]) -> RollbackState | None:
    decided = [rollback for rollback in rollbacks if rollback.requested_at is not None]
    return decided[-1].state if decided else None
