"""What a transaction promises, on SQLite and on PostgreSQL alike."""

import asyncio
import threading
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, delete, select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from bot.adapters.database.engine import Database
from bot.adapters.database.engine import database_url as parsed
from bot.adapters.database.store import SqlStore
from bot.adapters.database.tables import ChainRow, EntryRow, MessageRow
from bot.domain.ids import ChannelId, IncidentNumber, PersonId, RollbackId, TargetName
from bot.domain.incident import FromPeople, Incident, IncidentState
from bot.domain.readings import Reading
from bot.domain.rollback import RUNNING, Evidence, Plan, Rollback, RollbackState
from bot.domain.timeline import Event, first_broken
from bot.domain.traffic import Revision
from bot.usecases.ports import Notice, NotKept, Said, Showing, Store, StoreDown, Transaction, Workflow
from tests.values import NOON, a_rollback, an_incident

CHANNEL = ChannelId("C0OPERATIONS")
CANARY = TargetName("canary")


class Started:
    """Stands for the workflow engine: remembers what was started, as far as it was committed."""

    def __init__(self) -> None:
        self.asked: list[tuple[Workflow, str, dict[str, str], str | None]] = []

    def __call__(
        self, _: Session, workflow: Workflow, id: str, arguments: dict[str, str], lane: str | None
    ) -> None:
        self.asked.append((workflow, id, arguments, lane))


@pytest.fixture
def started() -> Started:
    """What the transactions of a test start."""
    return Started()


@pytest.fixture
def store(database: Database, started: Started) -> SqlStore:
    """The store under test."""
    return SqlStore(database, started)


# Requests.


async def test_a_request_is_new_only_once(store: Store) -> None:
    first = await store.change(lambda tx: tx.first_time("press:1", at=NOON))
    again = await store.change(lambda tx: tx.first_time("press:1", at=NOON))
    another = await store.change(lambda tx: tx.first_time("press:2", at=NOON))

    assert (first, again, another) == (True, False, True)


async def test_of_eight_redeliveries_at_once_one_is_new(store: Store) -> None:
    one = [store.change(lambda tx: tx.first_time("press:1", at=NOON)) for _ in range(8)]

    assert sorted(await asyncio.gather(*one)) == [False] * 7 + [True]


async def test_a_request_of_a_transaction_that_failed_is_still_new(store: Store) -> None:
    def fail(tx: Transaction) -> None:
        tx.first_time("press:1", at=NOON)
        raise LookupError("the listener broke off")

    with pytest.raises(LookupError):
        await store.change(fail)

    assert await store.change(lambda tx: tx.first_time("press:1", at=NOON))


# Rollbacks.


async def test_what_is_not_kept_is_said_to_be_so(store: Store) -> None:
    with pytest.raises(NotKept):
        await store.look(lambda tx: tx.rollback(RollbackId("nowhere")))
    with pytest.raises(NotKept):
        await store.look(lambda tx: tx.incident(IncidentNumber(7)))


async def test_one_rollback_at_a_time_holds_a_target(store: Store) -> None:
    for name in ("one", "two"):
        rollback = a_rollback(id=RollbackId(name), state=RollbackState.ASKED, incident=None)
        await store.change(lambda tx, rollback=rollback: tx.add_rollback(rollback))  # type: ignore[misc]

    def request(tx: Transaction, name: str) -> bool:
        if tx.running_rollback(CANARY) is not None:
            return False
        asked = tx.rollback(RollbackId(name))
        tx.save_rollback(replace(asked, state=RollbackState.REQUESTED, requested_at=NOON))
        return True

    took = await asyncio.gather(
        store.change(lambda tx: request(tx, "one")), store.change(lambda tx: request(tx, "two"))
    )

    assert sorted(took) == [False, True]


@pytest.mark.parametrize("state", list(RollbackState))
async def test_only_a_running_rollback_holds_its_target(store: Store, state: RollbackState) -> None:
    rollback = a_rollback(state=state, incident=None)

    await store.change(lambda tx: tx.add_rollback(rollback))

    running = await store.look(lambda tx: tx.running_rollback(CANARY))
    assert (running is not None) is (state in RUNNING)


async def test_a_second_running_rollback_is_refused_by_the_database_itself(store: Store) -> None:
    running = a_rollback(id=RollbackId("one"), state=RollbackState.APPLIED, incident=None)
    await store.change(lambda tx: tx.add_rollback(running))

    with pytest.raises(DBAPIError):
        await store.change(lambda tx: tx.add_rollback(replace(running, id=RollbackId("two"))))


async def test_the_last_rollback_is_the_newest_that_was_requested(store: Store) -> None:
    def fill(tx: Transaction) -> None:
        for hour, name in enumerate(("one", "two", "three")):
            at = NOON + timedelta(hours=hour)
            ended = a_rollback(
                id=RollbackId(name), state=RollbackState.VERIFIED, asked_at=at, requested_at=at, incident=None
            )
            tx.add_rollback(ended if name != "three" else replace(ended, requested_at=None))

    await store.change(fill)

    last = await store.look(lambda tx: tx.last_rollback(CANARY))
    assert last is not None
    assert last.id == "two"
    assert await store.look(lambda tx: tx.last_rollback(TargetName("chat"))) is None


# Incidents.


async def test_incidents_are_numbered_by_the_database_and_numbers_are_not_used_twice(store: Store) -> None:
    closed = an_incident(state=IncidentState.CLOSED)

    made = [await store.change(lambda tx: tx.add_incident(closed)) for _ in range(3)]

    assert [incident.number for incident in made] == [1, 2, 3]
    listed = await store.look(lambda tx: tx.incidents(limit=2))
    assert [incident.number for incident in listed] == [3, 2]


async def test_a_target_has_one_open_incident_whoever_opens_it_at_the_same_moment(store: Store) -> None:
    draft = an_incident(state=IncidentState.OPEN)

    def open_or_join(tx: Transaction) -> int:
        return (tx.open_incident(CANARY) or tx.add_incident(draft)).number

    numbers = await asyncio.gather(*[store.change(open_or_join) for _ in range(8)])

    assert len(set(numbers)) == 1
    assert len(await store.look(lambda tx: tx.incidents(limit=10))) == 1


# The timeline.


async def write_lines(store: Store, *keys: str, chain: str = "incident:1") -> None:
    def write(tx: Transaction) -> None:
        for key in keys:
            tx.write_down(chain, Event.APPLIED, key=key, at=NOON, actor="backout", key_is=key)

    await store.change(write)


async def test_a_line_is_written_once_for_its_key(store: Store) -> None:
    def write(tx: Transaction) -> int | None:
        return tx.write_down("incident:1", Event.APPLIED, key="applied:a", at=NOON, actor="backout", share=0)

    first, again = await store.change(write), await store.change(write)

    assert (first, again) == (1, None)
    (line,) = await store.look(lambda tx: tx.timeline("incident:1"))
    assert (line.event, line.at, line.facts) == (Event.APPLIED, NOON, {"share": 0})


async def test_the_same_key_may_stand_in_two_timelines(store: Store) -> None:
    await write_lines(store, "one", chain="incident:1")
    await write_lines(store, "one", chain="incident:2")

    assert len(await store.look(lambda tx: tx.timeline("incident:2"))) == 1


async def test_the_chain_holds_under_eight_writers_at_once(store: Store) -> None:
    async def writer(name: int) -> None:
        for line in range(10):
            await write_lines(store, f"{name}:{line}", "everybody's")

    await asyncio.gather(*[writer(name) for name in range(8)])

    timeline = await store.look(lambda tx: tx.timeline("incident:1"))
    assert [entry.sequence for entry in timeline] == list(range(1, 82))
    assert first_broken(timeline) is None


async def test_a_changed_past_shows(store: Store, database: Database) -> None:
    await write_lines(store, "one", "two", "three")

    timeline = await store.look(lambda tx: tx.timeline("incident:1"))

    forged = replace(timeline[1], facts={"key_is": "somebody else"})
    assert first_broken([timeline[0], forged, timeline[2]]) == 2


@pytest.mark.parametrize(
    "statement",
    [
        update(EntryRow).values(actor="nobody"),
        delete(EntryRow),
        text("UPDATE timeline_entry SET facts = '{}' WHERE sequence = 1"),
    ],
    ids=["update", "delete", "plain SQL"],
)
async def test_the_database_refuses_to_change_the_past(
    store: Store, database: Database, statement: Any
) -> None:
    await write_lines(store, "one")

    def change(engine: Engine) -> None:
        with engine.begin() as connection:
            connection.execute(statement)

    with pytest.raises(DBAPIError, match="append-only"):
        await database.write(change)

    (line,) = await store.look(lambda tx: tx.timeline("incident:1"))
    assert line.actor == "backout"


async def test_the_head_of_a_chain_follows_its_last_line(store: Store, database: Database) -> None:
    await write_lines(store, "one", "two")

    def head(engine: Engine) -> Any:
        with Session(engine) as session:
            row = session.get_one(ChainRow, "incident:1")
            return row.length, row.head

    (_, last) = await store.look(lambda tx: tx.timeline("incident:1"))
    assert await database.read(head) == (2, last.hash)


# Values.

#: What a person, Slack or Google may send: every character, NUL and lone surrogates too.
ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=40)
AWARE = st.datetimes(
    min_value=datetime(2000, 1, 1), max_value=datetime(2100, 1, 1),  # noqa: DTZ001 - the zone is added
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=9)), timezone(-timedelta(hours=5, minutes=30))]),
)  # fmt: skip


def storable(text: str) -> str:
    """Return what the database keeps of a text."""
    return "".join("\ufffd" if c == "\0" or "\ud800" <= c <= "\udfff" else c for c in text)


@given(at=AWARE)
@settings(max_examples=30)
async def test_times_come_back_aware_in_utc_to_the_microsecond(store: Store, at: datetime) -> None:
    key = at.isoformat()

    await store.change(lambda tx: tx.write_down("incident:1", Event.APPLIED, key=key, at=at, actor="backout"))

    line = next(e for e in await store.look(lambda tx: tx.timeline("incident:1")) if e.key == key)
    assert line.at == at
    assert line.at.utcoffset() == timedelta(0)


async def test_a_naive_time_is_refused(store: Store) -> None:
    naive = datetime(2026, 3, 2, 12, 0)  # noqa: DTZ001 - that is the point

    with pytest.raises(Exception, match="naive"):
        await store.change(lambda tx: tx.first_time("press:1", at=naive))


@given(written=ANY_TEXT)
@settings(max_examples=60)
async def test_any_text_can_be_kept_and_the_chain_still_holds(store: Store, written: str) -> None:
    def write(tx: Transaction) -> None:
        key = f"said:{len(tx.timeline('incident:1'))}"
        facts = {"detail": written, "nested": [{"text": written}]}
        tx.write_down("incident:1", Event.FAULT, key=key, at=NOON, actor=f"google:{written}", **facts)

    await store.change(write)

    timeline = await store.look(lambda tx: tx.timeline("incident:1"))
    assert timeline[-1].facts == {"detail": storable(written), "nested": [{"text": storable(written)}]}
    assert first_broken(timeline) is None


def kept_as(value: Any) -> Any:
    """Return a domain value as the database keeps it."""
    if isinstance(value, str) and type(value) is str:
        return storable(value)
    if isinstance(value, tuple):
        return tuple(kept_as(part) for part in value)
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{f.name: kept_as(getattr(value, f.name)) for f in fields(value)})
    return value


FINITE = st.floats(allow_nan=False, allow_infinity=False)
MAYBE_AT = st.none() | AWARE
#: Never the same twice, which `st.uuids()` does not promise.
ANOTHER_ID = st.builds(lambda: uuid4().hex[:16])
NAME = st.text("abcdefgh-0123456789", min_size=1, max_size=30)
REVISIONS = st.lists(st.builds(Revision, name=NAME, created_at=AWARE), max_size=3).map(tuple)
READINGS = st.lists(
    st.builds(Reading, value=st.none() | FINITE, since=AWARE, until=AWARE, problem=st.none() | ANY_TEXT),
    max_size=3,
).map(tuple)
EVIDENCE = st.lists(
    st.builds(
        Evidence, source=NAME, value=st.none() | FINITE, limit=st.none() | FINITE, until=AWARE,
        note=st.none() | ANY_TEXT,
    ),
    max_size=3,
).map(tuple)  # fmt: skip
ROLLBACKS = st.builds(
    Rollback, id=ANOTHER_ID, target=ANOTHER_ID, asked_by=NAME, asked_at=AWARE,
    reason=ANY_TEXT, channel=NAME, playbook_version=NAME, acting_team=st.none() | NAME,
    plan=st.none() | st.builds(Plan, service=NAME, canary=NAME, stable=NAME, variable=st.none() | NAME),
    candidates=REVISIONS, before=READINGS, evidence=EVIDENCE, decided_by=st.none() | NAME,
    incident=st.none(), deployed_at=MAYBE_AT, requested_at=MAYBE_AT, applied_at=MAYBE_AT,
    settled_at=MAYBE_AT, ended_at=MAYBE_AT, problem=st.none() | ANY_TEXT, writes=st.integers(0, 9),
)  # fmt: skip
INCIDENTS = st.builds(
    Incident, number=st.just(IncidentNumber(0)), target=ANOTHER_ID, opened_at=AWARE, opened_by=NAME,
    playbook_version=NAME, deployed_at=MAYBE_AT, closed_at=MAYBE_AT, edition=st.integers(0, 99),
    people=st.builds(
        FromPeople, cause=ANY_TEXT, actions=ANY_TEXT, improvements=ANY_TEXT, by=st.none() | NAME, at=MAYBE_AT
    ),
)  # fmt: skip


@given(first=ROLLBACKS, second=ROLLBACKS)
@settings(max_examples=40)
async def test_every_field_of_a_rollback_comes_back(store: Store, first: Rollback, second: Rollback) -> None:
    changed = replace(second, id=first.id)

    await store.change(lambda tx: tx.add_rollback(first))
    added = await store.look(lambda tx: tx.rollback(first.id))
    await store.change(lambda tx: tx.save_rollback(changed))

    assert added == kept_as(first)
    assert await store.look(lambda tx: tx.rollback(first.id)) == kept_as(changed)


@given(first=INCIDENTS, second=INCIDENTS)
@settings(max_examples=40)
async def test_every_field_of_an_incident_comes_back(store: Store, first: Incident, second: Incident) -> None:
    added = await store.change(lambda tx: tx.add_incident(first))
    changed = replace(second, number=added.number)

    await store.change(lambda tx: tx.save_incident(changed))

    assert added == kept_as(replace(first, number=added.number))
    assert await store.look(lambda tx: tx.incident(added.number)) == kept_as(changed)


# Messages.


def messages(database: Database) -> dict[str, MessageRow]:
    with Session(database.engine) as session:
        return {row.key: row for row in session.scalars(select(MessageRow))}


async def test_showing_again_is_one_message_that_wants_more(
    store: Store, database: Database, started: Started
) -> None:
    for _ in range(3):
        await store.change(lambda tx: tx.show(Showing.ROLLBACK, "f00d", channel=CHANNEL))

    (row,) = messages(database).values()
    assert (row.key, row.wanted, row.sent, row.channel) == ("rollback:f00d", 3, 0, CHANNEL)
    assert {arguments["key"] for _, _, arguments, _ in started.asked} == {"rollback:f00d"}


async def test_messages_of_a_channel_are_sent_in_the_order_of_their_ids(
    store: Store, started: Started
) -> None:
    for number in range(12):
        subject = f"1:{number}"
        await store.change(
            lambda tx, subject=subject: tx.show(Showing.LOG, subject, channel=CHANNEL)  # type: ignore[misc]
        )

    ids = [id for _, id, _, _ in started.asked]
    assert ids == sorted(ids)
    assert {lane for _, _, _, lane in started.asked} == {CHANNEL}


def a_notice(**facts: Any) -> Notice:
    return Notice(what=Said.ALREADY_DECIDED, person=PersonId("U0SENA"), channel=CHANNEL, facts=facts)


async def test_telling_the_same_thing_again_sends_nothing(
    store: Store, database: Database, started: Started
) -> None:
    await store.change(lambda tx: tx.tell(a_notice(by="U0LUBIT"), key="decided:1"))
    await store.change(lambda tx: tx.tell(a_notice(by="U0GITCO"), key="decided:1"))

    (row,) = messages(database).values()
    assert row.facts == {"what": "already_decided", "by": "U0LUBIT"}
    assert (row.person, row.wanted) == ("U0SENA", 1)
    assert len(started.asked) == 1


async def test_notices_wait_behind_nobody_but_the_same_person(store: Store, started: Started) -> None:
    await store.change(lambda tx: tx.tell(a_notice(), key="decided:1"))

    ((_, _, _, lane),) = started.asked
    assert lane == "person:U0SENA"


async def test_only_what_slack_has_not_seen_is_sent_again(
    store: Store, database: Database, started: Started
) -> None:
    await store.change(lambda tx: tx.show(Showing.BOARD, "1", channel=CHANNEL))
    await store.change(lambda tx: tx.show(Showing.ROLLBACK, "f00d", channel=CHANNEL))
    with database.engine.begin() as connection:
        connection.execute(update(MessageRow).where(MessageRow.key == "board:1").values(sent=1))
    started.asked.clear()

    await store.change(lambda tx: tx.resend_unsent())

    assert [arguments for _, _, arguments, _ in started.asked] == [{"key": "rollback:f00d"}]


# The database itself.


async def test_a_failed_transaction_leaves_nothing(store: Store, database: Database) -> None:
    def fail(tx: Transaction) -> None:
        tx.add_incident(an_incident())
        tx.show(Showing.BOARD, "1", channel=CHANNEL)
        tx.write_down("incident:1", Event.APPLIED, key="one", at=NOON, actor="backout")
        raise RuntimeError("killed")

    with pytest.raises(RuntimeError):
        await store.change(fail)

    assert await store.look(lambda tx: (tx.incidents(limit=9), tx.timeline("incident:1"))) == ((), ())
    assert messages(database) == {}


async def test_looking_changes_nothing(store: Store) -> None:
    await store.look(lambda tx: tx.first_time("press:1", at=NOON))

    assert await store.change(lambda tx: tx.first_time("press:1", at=NOON))


async def test_whoever_looks_waits_for_no_writer_and_sees_one_moment(store: Store) -> None:
    first = await store.change(lambda tx: tx.add_incident(an_incident()))
    writing, looked = threading.Event(), threading.Event()

    def write(tx: Transaction) -> None:
        tx.save_incident(replace(tx.incident(first.number), seen="it is slow"))
        writing.set()
        assert looked.wait(60)

    written = asyncio.create_task(store.change(write))
    assert await asyncio.to_thread(writing.wait, 60)
    seen = await store.look(lambda tx: (tx.incident(first.number).seen, tx.open_incidents()[0].seen))
    looked.set()
    await written

    assert set(seen) == {an_incident().seen}


async def test_a_database_that_is_not_there_is_called_down(tmp_path: Path) -> None:
    for url in (f"sqlite:///{tmp_path}/none/backout.db", f"postgresql:///db?host={tmp_path}"):
        nowhere = Database(parsed(url))
        store = SqlStore(nowhere, Started())

        with pytest.raises(StoreDown):
            await store.change(lambda tx: tx.first_time("press:1", at=NOON))
        with pytest.raises(StoreDown):
            await store.look(lambda tx: tx.incidents(limit=1))

        nowhere.close()
