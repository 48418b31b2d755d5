"""One set of promises, kept by the database and by the fake that stands for it in unit tests."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy.orm import Session

from bot.adapters.database.engine import Database, database_url
from bot.adapters.database.migrate import migrate
from bot.adapters.database.store import SqlStore
from bot.domain.ids import ChannelId, IncidentNumber, RollbackId
from bot.domain.incident import FromPeople, IncidentState
from bot.domain.rollback import RollbackState
from bot.domain.timeline import Event, first_broken
from bot.usecases.ports import Notice, NotKept, Said, Showing, Store, TargetBusy, Transaction, Workflow
from tests.fakes import FakeStore
from tests.values import (
    ALL_PROVEN,
    CANARY_TARGET,
    CHAT_TARGET,
    NOON,
    SENA,
    a_decided_rollback,
    a_revision,
    a_rollback,
    an_incident,
    seconds,
)

CHANNEL = ChannelId("C0OPERATIONS")
ID = a_rollback().id


def _starts_nothing(_: Session, *__: Any) -> None:
    """No workflow engine: what is started is another test's business."""


@pytest_asyncio.fixture(params=["fake", "sqlite"], loop_scope="session")
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    """An empty store, once of each kind."""
    if request.param == "fake":
        yield FakeStore()
        return
    database = Database(database_url(f"sqlite:///{tmp_path / 'backout.db'}"))
    await asyncio.to_thread(migrate, database.engine)
    yield SqlStore(database, _starts_nothing)
    database.close()


async def add_rollback(store: Store, *more: Any) -> None:
    def add(tx: Transaction) -> None:
        for rollback in more:
            tx.add_rollback(rollback)

    await store.change(add)


# Requests.


async def test_a_request_is_new_once(store: Store) -> None:
    answers = [await store.change(lambda tx: tx.first_time("k", at=NOON)) for _ in range(3)]

    assert answers == [True, False, False]


async def test_a_request_whose_transaction_failed_is_still_new(store: Store) -> None:
    def fail(tx: Transaction) -> None:
        tx.first_time("k", at=NOON)
        tx.add_rollback(a_rollback())
        raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011 - nothing but our own can come out
        await store.change(fail)

    assert await store.change(lambda tx: tx.first_time("k", at=NOON))
    with pytest.raises(NotKept):
        await store.look(lambda tx: tx.rollback(ID))


async def test_looking_changes_nothing(store: Store) -> None:
    await store.look(lambda tx: tx.first_time("k", at=NOON))

    assert await store.change(lambda tx: tx.first_time("k", at=NOON))


# Rollbacks.


@pytest.mark.parametrize(
    "rollback",
    [
        a_rollback(),
        a_rollback(acting_team=None, reason="오류 <!here>\n", candidates=(a_revision(),), problem="tie:a, b"),
        a_decided_rollback(RollbackState.VERIFIED, incident=None, evidence=ALL_PROVEN, writes=2, twice=True),
    ],
)
async def test_a_rollback_comes_back_as_it_was_stored(store: Store, rollback: Any) -> None:
    await add_rollback(store, rollback)

    assert await store.look(lambda tx: tx.rollback(ID)) == rollback


async def test_a_saved_rollback_replaces_the_old_one(store: Store) -> None:
    await add_rollback(store, a_rollback())
    later = a_decided_rollback(incident=None)

    await store.change(lambda tx: tx.save_rollback(later))

    assert await store.look(lambda tx: tx.rollback(ID)) == later


async def test_an_unknown_rollback_is_not_kept(store: Store) -> None:
    with pytest.raises(NotKept):
        await store.look(lambda tx: tx.rollback(RollbackId("0000")))


async def test_only_one_rollback_runs_on_a_target(store: Store) -> None:
    other = a_rollback(id=RollbackId("beef"))
    await add_rollback(store, a_decided_rollback(incident=None), other)

    with pytest.raises(TargetBusy):
        await store.change(lambda tx: tx.save_rollback(replace(other, state=RollbackState.REQUESTED)))

    running = await store.look(lambda tx: tx.running_rollback(CANARY_TARGET))
    assert running is not None
    assert running.id == ID
    assert (await store.look(lambda tx: tx.rollback(other.id))).state is RollbackState.ASKED


async def test_another_target_may_run_meanwhile(store: Store) -> None:
    other = a_decided_rollback(id=RollbackId("beef"), target=CHAT_TARGET, incident=None)

    await add_rollback(store, a_decided_rollback(incident=None), other)

    assert await store.look(lambda tx: tx.running_rollback(CHAT_TARGET)) == other


async def test_an_ended_rollback_lets_go_of_its_target(store: Store) -> None:
    await add_rollback(store, a_decided_rollback(incident=None))

    ended = a_decided_rollback(RollbackState.VERIFIED, incident=None)
    await store.change(lambda tx: tx.save_rollback(ended))

    assert await store.look(lambda tx: tx.running_rollback(CANARY_TARGET)) is None


async def test_the_last_rollback_is_the_newest_that_was_decided_for(store: Store) -> None:
    old = a_decided_rollback(RollbackState.VERIFIED, incident=None)
    new = replace(old, id=RollbackId("beef"), requested_at=NOON + seconds(999))
    asked = a_rollback(id=RollbackId("cafe"), asked_at=NOON + seconds(9999))
    await add_rollback(store, new, old, asked)

    assert await store.look(lambda tx: tx.last_rollback(CANARY_TARGET)) == new
    assert await store.look(lambda tx: tx.last_rollback(CHAT_TARGET)) is None


# Incidents.


async def test_incidents_are_numbered_from_one(store: Store) -> None:
    def add_two(tx: Transaction) -> list[int]:
        first = tx.add_incident(an_incident(number=IncidentNumber(0)))
        second = tx.add_incident(an_incident(number=IncidentNumber(0), target=CHAT_TARGET))
        return [first.number, second.number]

    assert await store.change(add_two) == [1, 2]


async def test_an_incident_comes_back_as_it_was_saved(store: Store) -> None:
    made = await store.change(lambda tx: tx.add_incident(an_incident()))
    people = FromPeople(cause="누수 <b>", users_affected=0, data_loss=False, by=SENA, at=NOON)
    filled = replace(made, people=people, edition=3)

    await store.change(lambda tx: tx.save_incident(filled))

    assert await store.look(lambda tx: tx.incident(made.number)) == filled


async def test_a_closed_incident_is_no_longer_the_open_one(store: Store) -> None:
    made = await store.change(lambda tx: tx.add_incident(an_incident()))
    assert await store.look(lambda tx: tx.open_incident(CANARY_TARGET)) == made

    closed = replace(made, state=IncidentState.CLOSED, closed_at=NOON)
    await store.change(lambda tx: tx.save_incident(closed))

    assert await store.look(lambda tx: tx.open_incident(CANARY_TARGET)) is None


async def test_incidents_are_listed_newest_first(store: Store) -> None:
    for target in (CANARY_TARGET, CHAT_TARGET):
        await store.change(lambda tx, target=target: tx.add_incident(an_incident(target=target)))  # type: ignore[misc]

    listed = await store.look(lambda tx: tx.incidents(limit=9))

    assert [incident.number for incident in listed] == [2, 1]
    assert await store.look(lambda tx: tx.incidents(limit=1)) == listed[:1]


async def test_an_incidents_rollbacks_come_oldest_first(store: Store) -> None:
    made = await store.change(lambda tx: tx.add_incident(an_incident()))
    old = a_decided_rollback(RollbackState.VERIFIED, incident=made.number)
    new = replace(old, id=RollbackId("beef"), asked_at=NOON + seconds(60))
    await add_rollback(store, new, old)

    assert await store.look(lambda tx: tx.rollbacks_of(made.number)) == (old, new)


async def test_an_unknown_incident_is_not_kept(store: Store) -> None:
    with pytest.raises(NotKept):
        await store.look(lambda tx: tx.incident(IncidentNumber(7)))


# The timeline.


async def test_a_timeline_is_chained_and_a_key_is_written_once(store: Store) -> None:
    def write(tx: Transaction) -> list[int | None]:
        return [
            tx.write_down("incident:1", Event.FAULT, key=key, at=NOON, actor="backout", detail="오류", n=1)
            for key in ("a", "b", "a", "c")
        ]

    sequences = await store.change(write)

    entries = await store.look(lambda tx: tx.timeline("incident:1"))
    assert sequences == [1, 2, None, 3]
    assert [(e.sequence, e.key, dict(e.facts)) for e in entries] == [
        (n, key, {"detail": "오류", "n": 1}) for n, key in enumerate("abc", start=1)
    ]
    assert first_broken(entries) is None


async def test_timelines_do_not_mix(store: Store) -> None:
    for chain in ("incident:1", "incident:2"):
        await store.change(
            lambda tx, chain=chain: tx.write_down(chain, Event.APPLIED, key="k", at=NOON, actor="backout")  # type: ignore[misc]
        )

    assert len(await store.look(lambda tx: tx.timeline("incident:1"))) == 1
    assert await store.look(lambda tx: tx.timeline("incident:3")) == ()


# Work and messages: what both take without a complaint, however often.


async def test_showing_telling_and_starting_again_is_no_mistake(store: Store) -> None:
    notice = Notice(what=Said.CARD_EXPIRED, person=SENA, channel=CHANNEL, facts={"target": "canary"})

    def twice(tx: Transaction) -> str:
        for _ in range(2):
            tx.show(Showing.ROLLBACK, ID, channel=CHANNEL)
            tx.show(Showing.LOG, "1:1-2", channel=CHANNEL, under="board:1")
            tx.tell(notice, key="k")
            tx.start(Workflow.PREPARE, ID, rollback=ID)
        tx.resend_unsent()
        return "done"

    assert await store.change(twice) == "done"
    assert await store.look(lambda tx: tx.names()) == {}
