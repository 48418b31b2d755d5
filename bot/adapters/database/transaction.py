"""What can be done within one transaction, over SQL."""

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, datetime
from typing import Any, TypeVar

from pydantic import TypeAdapter
from pydantic_core import PydanticSerializationError, from_json
from sqlalchemy import and_, delete, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from bot.adapters.database.searching import conditions_of
from bot.adapters.database.tables import (
    AlertRow,
    AnnouncementRow,
    AutomaticsRow,
    Base,
    ChainRow,
    ChangeRow,
    ConfirmationRow,
    DrillRow,
    EditionRow,
    EntryRow,
    ExhibitRow,
    FollowUpRow,
    IncidentRow,
    LastSeenRow,
    MessageRow,
    PageRow,
    PersonRow,
    PostMortemRow,
    RequestRow,
    RollbackRow,
    SnapshotRow,
    TimerRow,
    WatchRow,
)
from bot.domain.alert import Alert
from bot.domain.announcement import Announcement
from bot.domain.automatics import Automatics
from bot.domain.change import RUNNING_CHANGE, Change
from bot.domain.confirmation import Confirmation
from bot.domain.drill import Drill
from bot.domain.edition import Edition
from bot.domain.exhibit import KEPT_FOREVER, Exhibit
from bot.domain.follow_up import FollowUp
from bot.domain.ids import ChangeId, ChannelId, IncidentNumber, PersonId, RollbackId, TargetName
from bot.domain.incident import Incident, IncidentState
from bot.domain.incident_search import Search
from bot.domain.last_seen import HOME_FOLLOWS_FOR, LastSeen, SeenKind
from bot.domain.looking_back import Past, begun_of
from bot.domain.paging import Page
from bot.domain.post_mortem import PostMortem
from bot.domain.redaction import redact_facts
from bot.domain.rollback import RUNNING, Rollback
from bot.domain.snapshot import Snapshot
from bot.domain.timeline import GENESIS, Entry, Event, link
from bot.domain.watch import Watch
from bot.usecases.ports import K, Notice, NotKept, Showing, TargetBusy, Transaction, Workflow

_RowT = TypeVar("_RowT", bound=Base)

_ROLLBACK = TypeAdapter(Rollback)
_CHANGE = TypeAdapter(Change)
_INCIDENT = TypeAdapter(Incident)

#: Where each kind of simply kept value lives.
_SHELVES: Mapping[type, type[Any]] = {
    Alert: AlertRow,
    Announcement: AnnouncementRow,
    Automatics: AutomaticsRow,
    Confirmation: ConfirmationRow,
    Drill: DrillRow,
    Edition: EditionRow,
    Exhibit: ExhibitRow,
    FollowUp: FollowUpRow,
    LastSeen: LastSeenRow,
    Page: PageRow,
    PostMortem: PostMortemRow,
    Snapshot: SnapshotRow,
    Watch: WatchRow,
}
_ADAPTERS: Mapping[type, TypeAdapter[Any]] = {kind: TypeAdapter(kind) for kind in _SHELVES}
#: How many timers one transaction wakes.
WOKEN_AT_ONCE = 50

#: Starts a workflow in a session's own transaction: session, workflow, id, arguments, partition.
Starter = Callable[[Session, Workflow, str, dict[str, str], str | None], None]


class SqlTransaction(Transaction):
    """One SQLAlchemy session; the caller commits. Who only looks `locks` nothing, and so waits for nobody."""

    def __init__(self, session: Session, start: Starter, *, locks: bool = True) -> None:
        self._session = session
        self._start = start
        self._locks = locks
        #: Locked rows; the session itself forgets what nobody holds, and would read it again to change it.
        self._locked: list[Any] = []

    def first_time(self, key: str, *, at: datetime) -> bool:
        """See `Transaction.first_time`."""
        return self._insert_once(RequestRow, key=key, received_at=at)

    def start(self, workflow: Workflow, id: str, /, **arguments: str) -> None:
        """See `Transaction.start`."""
        self._start(self._session, workflow, f"{workflow}:{id}", arguments, None)

    def add_rollback(self, rollback: Rollback) -> None:
        """See `Transaction.add_rollback`."""
        self._session.add(RollbackRow(**_columns(_ROLLBACK, rollback), running=rollback.state in RUNNING))
        self._session.flush()

    def rollback(self, id: RollbackId) -> Rollback:
        """See `Transaction.rollback`."""
        return _rollback(self._row(RollbackRow, id, "rollback"))

    def save_rollback(self, rollback: Rollback) -> None:
        """See `Transaction.save_rollback`."""
        values = _columns(_ROLLBACK, rollback) | {"running": rollback.state in RUNNING}
        try:
            self._session.execute(update(RollbackRow).where(RollbackRow.id == rollback.id).values(values))
        except IntegrityError as error:
            raise TargetBusy(rollback.target) from error

    def running_rollback(self, target: TargetName) -> Rollback | None:
        """See `Transaction.running_rollback`."""
        found = select(RollbackRow).where(RollbackRow.target == target, RollbackRow.running)
        row = self._session.scalars(found).one_or_none()
        return _rollback(row) if row else None

    def last_rollback(self, target: TargetName) -> Rollback | None:
        """See `Transaction.last_rollback`."""
        found = (
            select(RollbackRow)
            .where(RollbackRow.target == target, RollbackRow.requested_at.is_not(None))
            .order_by(RollbackRow.requested_at.desc())
            .limit(1)
        )
        row = self._session.scalars(found).one_or_none()
        return _rollback(row) if row else None

    def rollbacks_of(self, incident: IncidentNumber) -> tuple[Rollback, ...]:
        """See `Transaction.rollbacks_of`."""
        found = select(RollbackRow).where(RollbackRow.incident == incident).order_by(RollbackRow.asked_at)
        return tuple(_rollback(row) for row in self._session.scalars(found))

    def add_change(self, change: Change) -> None:
        """See `Transaction.add_change`."""
        self._session.add(ChangeRow(**_columns(_CHANGE, change), running=change.state in RUNNING_CHANGE))
        self._session.flush()

    def change(self, id: ChangeId) -> Change:
        """See `Transaction.change`."""
        return _change(self._row(ChangeRow, id, "change"))

    def save_change(self, change: Change) -> None:
        """See `Transaction.save_change`."""
        values = _columns(_CHANGE, change) | {"running": change.state in RUNNING_CHANGE}
        try:
            self._session.execute(update(ChangeRow).where(ChangeRow.id == change.id).values(values))
        except IntegrityError as error:
            raise TargetBusy(change.target) from error

    def running_change(self, target: TargetName) -> Change | None:
        """See `Transaction.running_change`."""
        found = select(ChangeRow).where(ChangeRow.target == target, ChangeRow.running)
        row = self._session.scalars(found).one_or_none()
        return _change(row) if row else None

    def changes_of(self, incident: IncidentNumber) -> tuple[Change, ...]:
        """See `Transaction.changes_of`."""
        found = select(ChangeRow).where(ChangeRow.incident == incident).order_by(ChangeRow.asked_at)
        return tuple(_change(row) for row in self._session.scalars(found))

    def add_incident(self, incident: Incident) -> Incident:
        """See `Transaction.add_incident`."""
        values = _columns(_INCIDENT, incident)
        del values["number"]
        row = IncidentRow(**values)
        self._session.add(row)
        self._session.flush()
        return _incident(row)

    def incident(self, number: IncidentNumber) -> Incident:
        """See `Transaction.incident`."""
        return _incident(self._row(IncidentRow, number, "incident"))

    def save_incident(self, incident: Incident) -> None:
        """See `Transaction.save_incident`."""
        values = _columns(_INCIDENT, incident)
        self._session.execute(update(IncidentRow).where(IncidentRow.number == incident.number).values(values))

    def open_incident(self, target: TargetName) -> Incident | None:
        """See `Transaction.open_incident`."""
        found = select(IncidentRow).where(
            IncidentRow.target == target, IncidentRow.state == IncidentState.OPEN
        )
        row = self._session.scalars(found.with_for_update() if self._locks else found).one_or_none()
        return _incident(row) if row else None

    def incidents(self, *, limit: int) -> tuple[Incident, ...]:
        """See `Transaction.incidents`."""
        found = select(IncidentRow).order_by(IncidentRow.number.desc()).limit(limit)
        return tuple(_incident(row) for row in self._session.scalars(found))

    def search_incidents(
        self, search: Search, *, limit: int, offset: int = 0
    ) -> tuple[tuple[Incident, ...], int]:
        """See `Transaction.search_incidents`."""
        wanted = conditions_of(search)
        newest = select(IncidentRow).where(*wanted).order_by(IncidentRow.number.desc())
        rows = self._session.scalars(newest.limit(limit).offset(offset))
        count = self._session.scalar(select(func.count()).select_from(IncidentRow).where(*wanted))
        return tuple(_incident(row) for row in rows), count or 0

    def past(self, *, since: datetime, until: datetime) -> Past:
        """See `Transaction.past`."""
        opened = and_(IncidentRow.opened_at >= since, IncidentRow.opened_at < until)
        # One that was joined to another may have been opened at any time.
        counted = or_(opened, IncidentRow.merged_into.is_not(None))
        numbers = select(IncidentRow.number).where(counted)
        incidents = select(IncidentRow).where(counted).order_by(IncidentRow.number)
        rollbacks = select(RollbackRow).where(
            or_(RollbackRow.incident.in_(numbers), RollbackRow.requested_at >= since)
        )
        alerts = select(AlertRow).where(
            or_(
                AlertRow.incident.in_(numbers),
                and_(AlertRow.created_at >= since, AlertRow.created_at < until),
            )
        )
        # A canary counts where it was first seen, so every beginning before the span is needed, too.
        begun = select(EntryRow.at, EntryRow.facts).where(
            EntryRow.event == Event.WATCH_BEGUN, EntryRow.at < until
        )
        # In a watch's timeline; an incident's has a line of that name as well, without a canary.
        drilled = select(EntryRow.at, EntryRow.facts).where(
            EntryRow.event == Event.DRILL_BEGUN, EntryRow.chain.startswith("watch:"), EntryRow.at < until
        )
        return Past(
            incidents=tuple(_incident(row) for row in self._session.scalars(incidents)),
            rollbacks=tuple(
                _rollback(row)
                for row in self._session.scalars(rollbacks.order_by(RollbackRow.asked_at, RollbackRow.id))
            ),
            alerts=tuple(
                _value(Alert, row)
                for row in self._session.scalars(alerts.order_by(AlertRow.created_at, AlertRow.id))
            ),
            begun=tuple(begun_of(at, facts) for at, facts in self._session.execute(begun)),
            drills=tuple(drill for drill in self.find(Drill) if drill.created_at < until),
            drilled=tuple(begun_of(at, facts) for at, facts in self._session.execute(drilled)),
        )

    def open_incidents(self) -> tuple[Incident, ...]:
        """See `Transaction.open_incidents`."""
        found = (
            select(IncidentRow).where(IncidentRow.state == IncidentState.OPEN).order_by(IncidentRow.number)
        )
        return tuple(_incident(row) for row in self._session.scalars(found))

    def keep(self, value: K) -> None:
        """See `Transaction.keep`."""
        row = _SHELVES[type(value)](**_columns(_ADAPTERS[type(value)], value))
        self._session.merge(row)
        self._session.flush()

    def kept(self, what: type[K], id: str) -> K:
        """See `Transaction.kept`."""
        row = self._row(_SHELVES[what], id, what.__name__)
        self._locked.append(row)
        return _value(what, row)

    def find(self, what: type[K], **where: Any) -> tuple[K, ...]:
        """See `Transaction.find`."""
        table = _SHELVES[what]
        conditions = [
            getattr(table, name).in_(wanted) if isinstance(wanted, tuple) else getattr(table, name) == wanted
            for name, wanted in where.items()
        ]
        found = select(table).where(*conditions).order_by(table.created_at, table.id)
        return tuple(_value(what, row) for row in self._session.scalars(found))

    def wake(self, workflow: Workflow, id: str, /, *, at: datetime, **arguments: str) -> None:
        """See `Transaction.wake`."""
        values = {"due_at": at, "workflow": workflow.value, "arguments": arguments}
        # In one statement: another process may take the very timer away that was there a moment ago.
        set_anew = self._insert(TimerRow).values(id=f"{workflow}:{id}", **values)
        self._session.execute(set_anew.on_conflict_do_update(index_elements=[TimerRow.id], set_=values))

    def let_sleep(self, workflow: Workflow, id: str, /) -> None:
        """See `Transaction.let_sleep`."""
        self._session.execute(delete(TimerRow).where(TimerRow.id == f"{workflow}:{id}"))

    def anything_due(self, at: datetime) -> bool:
        """See `Transaction.anything_due`."""
        return bool(self._session.scalar(select(TimerRow.id).where(TimerRow.due_at <= at).limit(1)))

    def wake_due(self, at: datetime) -> int:
        """See `Transaction.wake_due`."""
        due = select(TimerRow).where(TimerRow.due_at <= at).order_by(TimerRow.due_at).limit(WOKEN_AT_ONCE)
        rows = self._session.scalars(due.with_for_update(skip_locked=True)).all()
        for row in rows:
            # The due time is part of the id: a timer that is set again starts a workflow of its own.
            turn = f"{row.id}@{int(row.due_at.timestamp() * 1000)}"
            self._start(self._session, Workflow(row.workflow), turn, dict(row.arguments), None)
            self._session.delete(row)
        return len(rows)

    def write_down(
        self, chain: str, event: Event, *, key: str, at: datetime, actor: str, **facts: Any
    ) -> int | None:
        """See `Transaction.write_down`."""
        self._insert_once(ChainRow, chain=chain, length=0, head=GENESIS)
        head = self._session.get_one(ChainRow, chain, with_for_update=True, populate_existing=True)
        known = select(func.count()).where(EntryRow.chain == chain, EntryRow.key == key)
        if self._session.scalar(known):
            return None
        entry: dict[str, Any] = {
            "chain": chain, "sequence": head.length + 1, "key": key, "at": at,
            "actor": _storable(actor), "event": event.value, "facts": _storable(redact_facts(facts)),
            "previous": head.head,
        }  # fmt: skip
        row = EntryRow(**entry, hash=link(**entry))
        self._session.add(row)
        head.length, head.head = row.sequence, row.hash
        self._session.flush()
        return row.sequence

    def timeline(self, chain: str) -> tuple[Entry, ...]:
        """See `Transaction.timeline`."""
        found = select(EntryRow).where(EntryRow.chain == chain).order_by(EntryRow.sequence)
        return tuple(_entry(row) for row in self._session.scalars(found))

    def chain_head(self, chain: str) -> tuple[int, str]:
        """See `Transaction.chain_head`."""
        row = self._session.get(ChainRow, chain, populate_existing=True)
        return (row.length, row.head) if row else (0, GENESIS)

    def expired_exhibits(self, before: datetime) -> tuple[Exhibit, ...]:
        """See `Transaction.expired_exhibits`."""
        over = (
            select(ExhibitRow)
            .where(ExhibitRow.created_at < before, ExhibitRow.dropped_at.is_(None))
            .where(ExhibitRow.problem.is_(None), ExhibitRow.kind.not_in(KEPT_FOREVER))
            .order_by(ExhibitRow.created_at, ExhibitRow.id)
        )
        return tuple(_value(Exhibit, row) for row in self._session.scalars(over))

    def names(self) -> dict[PersonId, str]:
        """See `Transaction.names`."""
        rows = self._session.execute(select(PersonRow.id, PersonRow.name))
        return {PersonId(id): name for id, name in rows}

    def show(self, what: Showing, subject: str, *, channel: ChannelId, under: str | None = None) -> None:
        """See `Transaction.show`."""
        self._put(f"{what}:{subject}", what=what, subject=subject, channel=channel, under=under)

    def tell(self, notice: Notice, *, key: str) -> None:
        """See `Transaction.tell`."""
        message = f"{Showing.NOTICE}:{key}"
        if self._session.get(MessageRow, message) is None:
            facts = {"what": notice.what} | dict(notice.facts)
            self._put(
                message, what=Showing.NOTICE, subject=key, channel=notice.channel,
                person=notice.person, facts=facts,
            )  # fmt: skip

    def _put(
        self, key: str, *, what: Showing, subject: str, channel: ChannelId,
        under: str | None = None, person: PersonId | None = None, facts: dict[str, Any] | None = None,
    ) -> None:  # fmt: skip
        first = self._insert_once(
            MessageRow, key=key, what=what.value, subject=subject, facts=_storable(redact_facts(facts or {})),
            channel=channel, person=person, under=under, wanted=1, sent=0, sending=False,
        )  # fmt: skip
        if not first:
            more = update(MessageRow).where(MessageRow.key == key).values(wanted=MessageRow.wanted + 1)
            self._session.execute(more)
        self._send(key, channel, person)

    def refresh_homes(self, number: IncidentNumber) -> None:
        """See `Transaction.refresh_homes`. Changes of one second are one refreshing."""
        second = int(time.time()) + 1
        due = datetime.fromtimestamp(second, UTC)
        visits = select(LastSeenRow.id).where(
            LastSeenRow.kind == SeenKind.HOME, LastSeenRow.created_at > due - HOME_FOLLOWS_FOR
        )
        if self._session.scalar(visits.limit(1)) is None:
            return
        id = f"{Workflow.HOMES}:{number}:{second}"
        self._insert_once(TimerRow, id=id, due_at=due, workflow=Workflow.HOMES.value, arguments={})

    def standing(self, key: str) -> tuple[ChannelId, str] | None:
        """See `Transaction.standing`."""
        row = self._session.get(MessageRow, key, populate_existing=True)
        if row is None or row.ts is None or row.sent_channel is None:
            return None
        return ChannelId(row.sent_channel), row.ts

    def message_at(self, channel: ChannelId, ts: str) -> str | None:
        """See `Transaction.message_at`."""
        found = select(MessageRow.key).where(MessageRow.ts == ts, MessageRow.sent_channel == channel)
        return self._session.scalar(found.limit(1))

    def resend_unsent(self) -> None:
        """See `Transaction.resend_unsent`."""
        unsent = select(MessageRow).where(MessageRow.sent < MessageRow.wanted).order_by(MessageRow.key)
        for row in self._session.scalars(unsent):
            self._send(row.key, row.channel, row.person)

    def _send(self, key: str, channel: str, person: str | None) -> None:
        # Same-second work is taken in order of its id, so the id carries a zero-padded clock.
        turn = f"{Workflow.POST}:{channel}:{time.time_ns() // 1000:020d}:{key}"
        lane = f"person:{person}" if person else channel
        self._start(self._session, Workflow.POST, turn, {"key": key}, lane)

    def _row(self, table: type[_RowT], key: str | int, name: str) -> _RowT:
        """Return a row as it is now, locked unless this is only a look. Raises `NotKept`."""
        row = self._session.get(table, key, with_for_update=self._locks, populate_existing=True)
        if row is None:
            raise NotKept(f"no {name} {key}")
        return row

    def _insert_once(self, table: type[Base], **values: Any) -> bool:
        """Insert a row unless one with its primary key is there; True when it was inserted."""
        # Without the option the count is -1 on PostgreSQL, whatever happened.
        once = self._insert(table).values(**values).on_conflict_do_nothing()
        made = self._session.execute(once.execution_options(preserve_rowcount=True))
        return bool(made.rowcount)  # type: ignore[attr-defined]

    def _insert(self, table: type[Base]) -> Any:
        """Return the dialect's insert, which knows what to do on a conflict."""
        insert = sqlite.insert if self._session.get_bind().dialect.name == "sqlite" else postgresql.insert
        return insert(table)


#: PostgreSQL keeps no NUL, and UTF-8 no lone surrogate: neither can be stored or hashed.
_UNSTORABLE = re.compile("[\\0\ud800-\udfff]")


def _storable(value: Any) -> Any:
    """Return `value` with a replacement character for whatever no database can keep, at any depth."""
    if isinstance(value, str):
        return _UNSTORABLE.sub("\ufffd", value) if _UNSTORABLE.search(value) else value
    if isinstance(value, Mapping):
        return {key: _storable(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_storable(part) for part in value)
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{f.name: _storable(getattr(value, f.name)) for f in fields(value)})
    return value


def _columns(adapter: TypeAdapter[Any], value: Any) -> dict[str, Any]:
    """Fields as columns: compound ones as JSON, the rest as Python values."""
    try:
        written = adapter.dump_json(value)
    except (PydanticSerializationError, UnicodeEncodeError):
        written = b"\\u0000"
    if b"\\u0000" in written:
        # Seldom: going through every part of a value takes several times as long as writing it.
        value = _storable(value)
        written = adapter.dump_json(value)
    plain = from_json(written)
    return {
        field.name: raw if isinstance(raw := getattr(value, field.name), datetime) else plain[field.name]
        for field in fields(value)
    }


def _rollback(row: RollbackRow) -> Rollback:
    return _ROLLBACK.validate_python({f.name: getattr(row, f.name) for f in fields(Rollback)})


def _change(row: ChangeRow) -> Change:
    return _CHANGE.validate_python({f.name: getattr(row, f.name) for f in fields(Change)})


def _incident(row: IncidentRow) -> Incident:
    return _INCIDENT.validate_python({f.name: getattr(row, f.name) for f in fields(Incident)})


def _value(what: type[K], row: Any) -> K:
    kept: K = _ADAPTERS[what].validate_python({f.name: getattr(row, f.name) for f in fields(what)})
    return kept


def _entry(row: EntryRow) -> Entry:
    return Entry(
        chain=row.chain, sequence=row.sequence, key=row.key, at=row.at, actor=row.actor,
        event=Event(row.event), facts=row.facts, previous=row.previous, hash=row.hash,
    )  # fmt: skip
