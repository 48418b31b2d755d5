"""Searching and looking back in the database: the same on SQLite and PostgreSQL as in so many words."""

import unicodedata
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from bot.adapters.database.engine import Database
from bot.adapters.database.store import SqlStore
from bot.domain.alarm import AlarmKind
from bot.domain.alert import Alert, AlertState
from bot.domain.ids import ChannelId, IncidentNumber, RollbackId
from bot.domain.incident import FromPeople, Incident, IncidentState, Severity
from bot.domain.incident_search import Search, matches
from bot.domain.looking_back import Past
from bot.domain.rollback import RollbackState
from bot.domain.timeline import Event, incident_chain
from bot.domain.watch import watch_chain
from bot.usecases.ports import Store, Transaction
from tests.values import (
    CANARY,
    CANARY_TARGET,
    CHAT_TARGET,
    GITCO,
    LUBIT,
    NOON,
    SENA,
    STABLE,
    a_rollback,
    an_incident,
)

DAY = timedelta(days=1)
INCIDENTS = ChannelId("C0CRITICAL")


def _starts_nothing(_: Session, *__: Any) -> None:
    """No workflow engine: what is started is another test's business."""


@pytest.fixture
def store(database: Database) -> Store:
    """The store under test."""
    return SqlStore(database, _starts_nothing)


def closed(**more: Any) -> Incident:
    return an_incident(state=IncidentState.CLOSED, closed_at=NOON + timedelta(hours=1), **more)


async def _filled(store: Store) -> None:
    """Five incidents, oldest first, and what was said in their timelines."""
    drafts = [
        closed(
            seen="Users cannot PAY", scenario="memory_leak", severity=Severity.CRITICAL,
            opened_at=NOON - 3 * DAY,
        ),
        closed(
            target=CHAT_TARGET, people=FromPeople(cause="결제 풀 고갈", improvements="a 100% probe"),
            opened_at=NOON - 2 * DAY,
        ),
        closed(seen="", opened_by=GITCO, opened_at=NOON - DAY),
        closed(seen="a_b \\ / c", people=FromPeople(actions="restarted")),
        an_incident(scenario="memory_leak", seen=unicodedata.normalize("NFD", "결제 지연")),
    ]  # fmt: skip

    def fill(tx: Transaction) -> None:
        for draft in drafts:
            tx.add_incident(draft)
        said: list[tuple[int, Event, dict[str, Any]]] = [
            (3, Event.NOTED, {"text": "The Pool was full"}),
            (3, Event.ROLLBACK_ASKED, {"reason": "timeouts", "forced": False}),
            (4, Event.WATCH_CHECK, {"text": "pool", "why": None}),
            (5, Event.CORRECTED, {"text": "한글 메모", "corrects": 1}),
        ]
        for line, (number, event, facts) in enumerate(said):
            chain = incident_chain(IncidentNumber(number))
            tx.write_down(chain, event, key=f"k{line}", at=NOON, actor=LUBIT, **facts)

    await store.change(fill)


@pytest.mark.parametrize(
    ("search", "numbers"),
    [
        (Search(), [5, 4, 3, 2, 1]),
        (Search(state=IncidentState.OPEN), [5]),
        (Search(state=IncidentState.CLOSED), [4, 3, 2, 1]),
        (Search(target=CHAT_TARGET), [2]),
        (Search(scenario="memory_leak"), [5, 1]),
        (Search(severity=Severity.CRITICAL), [1]),
        (Search(number=IncidentNumber(3)), [3]),
        (Search(number=IncidentNumber(0)), []),
        (Search(since=NOON - DAY), [5, 4, 3]),
        (Search(until=NOON - DAY), [2, 1]),
        (Search(since=NOON - 2 * DAY, until=NOON), [3, 2]),
        (Search(by=GITCO), [3]),
        (Search(by=LUBIT), [5, 4, 3]),
        (Search(by=SENA), [5, 4, 2, 1]),
        (Search(words=("pay",)), [1]),
        (Search(words=("CANNOT", "users")), [1]),
        (Search(words=("결제",)), [5, 2]),
        (Search(words=("pool",)), [3]),
        (Search(words=("TIMEOUTS", "pool")), [3]),
        (Search(words=("한글",)), [5]),
        (Search(words=("restarted",)), [4]),
        (Search(words=("%",)), [2]),
        (Search(words=("_",)), [4]),
        (Search(words=("a_b",)), [4]),
        (Search(words=("aXb",)), []),
        (Search(words=("\\",)), [4]),
        (Search(words=("/",)), [4]),
        (Search(words=("'; drop table incident; --",)), []),
        (Search(words=("false",)), []),
        (Search(words=("pay",), state=IncidentState.OPEN), []),
    ],
)  # fmt: skip
async def test_a_search_finds_what_it_says_the_newest_first(
    store: Store, search: Search, numbers: list[int]
) -> None:
    await _filled(store)

    found, total = await store.look(lambda tx: tx.search_incidents(search, limit=10))
    by_words = await store.look(lambda tx: [i.number for i in tx.incidents(limit=10) if _fits(tx, i, search)])

    assert [incident.number for incident in found] == numbers
    assert total == len(numbers)
    assert by_words == numbers


def _fits(tx: Transaction, incident: Incident, search: Search) -> bool:
    return matches(incident, tx.timeline(incident_chain(incident.number)), search)


async def test_a_page_is_cut_out_of_all_and_says_how_many_there_are(store: Store) -> None:
    await _filled(store)

    found, total = await store.look(
        lambda tx: tx.search_incidents(Search(state=IncidentState.CLOSED), limit=2, offset=1)
    )
    beyond = await store.look(lambda tx: tx.search_incidents(Search(), limit=2, offset=10))

    assert ([incident.number for incident in found], total) == ([3, 2], 4)
    assert beyond == ((), 5)


# Looking back.


def _alert(id: str, **more: Any) -> Alert:
    alert = Alert(
        id=id,
        target=CANARY_TARGET,
        state=AlertState.OVER,
        created_at=NOON,
        kind=AlarmKind.CPU,
        mode="tell",
        canary=CANARY,
        stable=STABLE,
        percent=10,
    )
    return replace(alert, **more)


async def _past(store: Store) -> Past:
    def fill(tx: Transaction) -> None:
        tx.add_incident(closed(opened_at=NOON - 9 * DAY))
        tx.add_incident(closed(opened_at=NOON))
        tx.add_incident(closed(opened_at=NOON - 9 * DAY, merged_into=IncidentNumber(2)))
        tx.add_incident(an_incident(opened_at=NOON + DAY))
        for id, incident, days in (("old", 1, -9), ("joined", 3, -9), ("new", 2, 0), ("after", 1, 5)):
            rollback = a_rollback(
                RollbackState.VERIFIED,
                id=RollbackId(id),
                incident=IncidentNumber(incident),
                requested_at=NOON + days * DAY,
            )
            tx.add_rollback(rollback)
        tx.keep(_alert("old", created_at=NOON - 9 * DAY))
        tx.keep(_alert("joined", created_at=NOON - 9 * DAY, incident=IncidentNumber(3)))
        tx.keep(_alert("new"))
        for number, days in ((1, -9), (2, 0), (3, 1)):
            at = NOON + days * DAY
            facts = {"target": CANARY_TARGET, "canary": f"{CANARY}-{number}", "deployed_at": at.isoformat()}
            tx.write_down(
                watch_chain(f"canary:{number}"),
                Event.WATCH_BEGUN,
                key="begun",
                at=at,
                actor="backout",
                **facts,
            )

    await store.change(fill)
    return await store.look(lambda tx: tx.past(since=NOON, until=NOON + DAY))


async def test_the_past_holds_what_belongs_to_the_incidents_of_a_span(store: Store) -> None:
    past = await _past(store)

    assert [incident.number for incident in past.incidents] == [2, 3]
    assert {rollback.id for rollback in past.rollbacks} == {"joined", "new", "after"}
    assert [alert.id for alert in past.alerts] == ["joined", "new"]


async def test_a_watch_that_began_before_the_span_is_known_by_its_deployment(store: Store) -> None:
    past = await _past(store)

    begun = sorted(past.begun, key=lambda one: one.at)
    assert [(one.canary, one.at) for one in begun] == [
        (f"{CANARY}-1", NOON - 9 * DAY),
        (f"{CANARY}-2", NOON),
    ]
    assert begun[0].deployed_at == NOON - 9 * DAY
