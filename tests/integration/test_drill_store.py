"""Drills in the database: kept, found, and told apart from what is real, the same on both databases."""

from datetime import timedelta
from typing import Any

from sqlalchemy.orm import Session

from bot.adapters.database.counts import count
from bot.adapters.database.engine import Database
from bot.adapters.database.store import SqlStore
from bot.domain.drill import Drill
from bot.domain.ids import IncidentNumber, RollbackId
from bot.domain.incident_search import Search, matches
from bot.domain.rollback import RollbackState
from bot.domain.timeline import Event, incident_chain
from bot.usecases.ports import Transaction
from tests.drills import FAST, a_drill
from tests.values import CANARY, CHAT_TARGET, NOON, a_rollback, an_incident


def _starts_nothing(_: Session, *__: Any) -> None:
    """No workflow engine: what is started is another test's business."""


async def test_what_was_practised_is_told_apart_from_what_is_real(database: Database) -> None:
    store, drill, facts = SqlStore(database, _starts_nothing), a_drill(reached=FAST), {"target": "canary"}

    def fill(tx: Transaction) -> None:
        tx.keep(drill)
        tx.add_incident(an_incident(drill="d1"))
        tx.add_incident(an_incident(target=CHAT_TARGET))
        for number in (1, 2):
            id, incident = RollbackId(f"r{number}"), IncidentNumber(number)
            tx.add_rollback(a_rollback(RollbackState.VERIFIED, id=id, incident=incident, requested_at=NOON))
        for chain, canary in (
            ("watch:canary:1", {"canary": CANARY, "deployed_at": None}),
            (incident_chain(IncidentNumber(1)), {}),
        ):
            tx.write_down(chain, Event.DRILL_BEGUN, key="k", at=NOON, actor="backout", **facts, **canary)

    await store.change(fill)

    def numbers(tx: Transaction, search: Search) -> list[int]:
        found, _ = tx.search_incidents(search, limit=10)
        assert [i for i in tx.incidents(limit=10) if matches(i, (), search)] == list(found)
        return [incident.number for incident in found]

    for wanted, expected in ((True, [1]), (False, [2]), (None, [2, 1])):
        assert await store.look(lambda tx, w=wanted: numbers(tx, Search(drill=w))) == expected  # type: ignore[misc]
    past = await store.look(lambda tx: tx.past(since=NOON, until=NOON + timedelta(days=1)))
    assert (past.drills, [one.canary for one in past.drilled]) == ((drill,), [CANARY])
    assert await store.look(lambda tx: tx.kept(Drill, "d1")) == drill
    counted = await database.read(count)
    assert (counted.open_incidents, counted.rollbacks) == ({CHAT_TARGET: 1}, {"verified": 1})
