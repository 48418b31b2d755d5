"""The tables. Rows stay in this package; the rest of the house sees domain values."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Text,
    text,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator


class UtcDateTime(TypeDecorator[datetime]):
    """Aware UTC in, aware UTC out. SQLite would give naive datetimes back."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Store UTC; refuse a naive datetime."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a naive datetime cannot be stored: {value!r}")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return aware UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """Our own metadata; the workflow engine's tables are not in it."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_N_label)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime: UtcDateTime(), dict[str, Any]: JSON(), list[Any]: JSON()}  # noqa: RUF012


class RequestRow(Base):
    """Every accepted request by its key, so that a redelivery or a replay changes nothing."""

    __tablename__ = "request"

    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    received_at: Mapped[datetime]


class IncidentRow(Base):
    """One incident; `people` is what only people know."""

    __tablename__ = "incident"
    __table_args__ = (
        # One open incident per target, whoever opens it at the same moment.
        Index(
            "uq_incident_open_target",
            "target",
            unique=True,
            sqlite_where=text("state = 'open'"),
            postgresql_where=text("state = 'open'"),
        ),
        {"sqlite_autoincrement": True},
    )

    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    target: Mapped[str] = mapped_column(String(40))
    state: Mapped[str] = mapped_column(String(20))
    severity: Mapped[str] = mapped_column(String(20))
    failure_type: Mapped[str] = mapped_column(String(20))
    opened_at: Mapped[datetime]
    opened_by: Mapped[str] = mapped_column(String(100))
    playbook_version: Mapped[str] = mapped_column(String(64))
    playbook: Mapped[str] = mapped_column(
        String(64), server_default="", comment="the edition it began with; empty: before editions were kept"
    )
    scenario: Mapped[str | None] = mapped_column(String(40))
    scenario_at: Mapped[datetime | None]
    seen: Mapped[str] = mapped_column(Text, server_default="")
    commander: Mapped[str | None] = mapped_column(String(100))
    roles: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    answers: Mapped[list[Any]] = mapped_column(server_default="[]")
    marks: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    assigned: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    deployed_at: Mapped[datetime | None]
    decided_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    merged_into: Mapped[int | None] = mapped_column(comment="the incident this one was joined to")
    people: Mapped[dict[str, Any]]
    edition: Mapped[int] = mapped_column(default=0, comment="bumped whenever the record is rendered anew")
    canvas: Mapped[str] = mapped_column(String(100), server_default="", comment="the record's, in Slack")
    drill: Mapped[str] = mapped_column(String(40), server_default="", comment="empty: a real incident")


class RollbackRow(Base):
    """One rollback; plan, candidates, before and evidence are domain values as JSON."""

    __tablename__ = "rollback"
    __table_args__ = (
        # One running rollback per target, from any replica.
        Index(
            "uq_rollback_running_target",
            "target",
            unique=True,
            sqlite_where=text("running"),
            postgresql_where=text("running"),
        ),
    )

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    target: Mapped[str] = mapped_column(String(40))
    state: Mapped[str] = mapped_column(String(40))
    running: Mapped[bool] = mapped_column(comment="derived from state; carries the unique index")
    incident: Mapped[int | None] = mapped_column(ForeignKey("incident.number"), index=True)
    asked_by: Mapped[str] = mapped_column(String(100))
    asked_at: Mapped[datetime] = mapped_column(index=True)
    decided_by: Mapped[str | None] = mapped_column(String(100))
    reason: Mapped[str] = mapped_column(Text)
    forced: Mapped[bool]
    twice: Mapped[bool]
    channel: Mapped[str] = mapped_column(String(100))
    acting_team: Mapped[str | None] = mapped_column(String(40))
    playbook_version: Mapped[str] = mapped_column(String(64))
    plan: Mapped[dict[str, Any] | None]
    candidates: Mapped[list[Any]]
    before: Mapped[list[Any]]
    evidence: Mapped[list[Any]]
    deployed_at: Mapped[datetime | None]
    requested_at: Mapped[datetime | None]
    applied_at: Mapped[datetime | None]
    settled_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    problem: Mapped[str | None] = mapped_column(Text)
    writes: Mapped[int]


class ChangeRow(Base):
    """One change of a canary; resources and plan are domain values as JSON."""

    __tablename__ = "change"
    __table_args__ = (
        # One running change per target, from any replica.
        Index(
            "uq_change_running_target",
            "target",
            unique=True,
            sqlite_where=text("running"),
            postgresql_where=text("running"),
        ),
    )

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))
    target: Mapped[str] = mapped_column(String(40))
    state: Mapped[str] = mapped_column(String(40))
    running: Mapped[bool] = mapped_column(comment="derived from state; carries the unique index")
    incident: Mapped[int | None] = mapped_column(ForeignKey("incident.number"), index=True)
    asked_by: Mapped[str] = mapped_column(String(100))
    asked_at: Mapped[datetime] = mapped_column(index=True)
    decided_by: Mapped[str | None] = mapped_column(String(100))
    channel: Mapped[str] = mapped_column(String(100))
    acting_team: Mapped[str | None] = mapped_column(String(40))
    playbook_version: Mapped[str] = mapped_column(String(64))
    percent: Mapped[int | None] = mapped_column(comment="the canary's share that is wanted, percent")
    resources: Mapped[dict[str, Any] | None]
    plan: Mapped[dict[str, Any] | None]
    requested_at: Mapped[datetime | None]
    applied_at: Mapped[datetime | None]
    settled_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    problem: Mapped[str | None] = mapped_column(Text)
    writes: Mapped[int]


class ChainRow(Base):
    """The head of one timeline; locking it is what keeps a chain from forking."""

    __tablename__ = "timeline_chain"

    chain: Mapped[str] = mapped_column(String(60), primary_key=True)
    length: Mapped[int]
    head: Mapped[str] = mapped_column(String(64))


class EntryRow(Base):
    """One line of a timeline. Triggers refuse UPDATE and DELETE."""

    __tablename__ = "timeline_entry"
    __table_args__ = (Index("uq_timeline_entry_chain_key", "chain", "key", unique=True),)

    chain: Mapped[str] = mapped_column(ForeignKey("timeline_chain.chain"), primary_key=True)
    sequence: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    key: Mapped[str] = mapped_column(String(200))
    at: Mapped[datetime]
    actor: Mapped[str] = mapped_column(String(200))
    event: Mapped[str] = mapped_column(String(60))
    facts: Mapped[dict[str, Any]]
    previous: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))


class MessageRow(Base):
    """One Slack message of ours: what it shows, how often it changed, how far Slack knows.

    `wanted` counts changes, `sent` is the count Slack has seen: editing is coalesced for free.
    `sending` is set before the first post, so that a crash in between is told from "never tried".
    """

    __tablename__ = "message"

    key: Mapped[str] = mapped_column(String(200), primary_key=True)
    what: Mapped[str] = mapped_column(String(40))
    subject: Mapped[str] = mapped_column(String(200))
    facts: Mapped[dict[str, Any]]
    channel: Mapped[str] = mapped_column(String(100), comment="where it should go: id or #name")
    person: Mapped[str | None] = mapped_column(String(100), comment="only visible to this person")
    under: Mapped[str | None] = mapped_column(String(200), comment="key of the message it replies to")
    wanted: Mapped[int]
    sent: Mapped[int]
    sending: Mapped[bool]
    sent_channel: Mapped[str | None] = mapped_column(String(100), comment="where it did go")
    ts: Mapped[str | None] = mapped_column(String(40))
    problem: Mapped[str | None] = mapped_column(Text)


class PersonRow(Base):
    """What Slack last said about somebody: for names in records, and for 60 s also for rights."""

    __tablename__ = "person"

    id: Mapped[str] = mapped_column(String(100), primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    team_id: Mapped[str] = mapped_column(String(40))
    locale: Mapped[str] = mapped_column(String(20))
    time_zone: Mapped[str] = mapped_column(String(80))
    guest: Mapped[bool]
    bot: Mapped[bool]
    deactivated: Mapped[bool]
    stranger: Mapped[bool]
    read_at: Mapped[datetime]


class ReplicaRow(Base):
    """A worker process and until when it is believed alive, in milliseconds of the database's clock."""

    __tablename__ = "replica"

    id: Mapped[str] = mapped_column(String(120), primary_key=True)
    expires_ms: Mapped[int] = mapped_column(BigInteger)


class EditionRow(Base):
    """A playbook as it was when an incident began; `id` is the SHA-256 of its content."""

    __tablename__ = "playbook_edition"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    version: Mapped[str] = mapped_column(String(64))
    document: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]


class TimerRow(Base):
    """A workflow to start at `due_at`; taking the row away is what decides who starts it."""

    __tablename__ = "timer"

    id: Mapped[str] = mapped_column(String(200), primary_key=True)
    due_at: Mapped[datetime] = mapped_column(index=True)
    workflow: Mapped[str] = mapped_column(String(40))
    arguments: Mapped[dict[str, Any]]


class PageRow(Base):
    """One call to one contact."""

    __tablename__ = "page"

    id: Mapped[str] = mapped_column(String(80), primary_key=True)
    incident: Mapped[int] = mapped_column(ForeignKey("incident.number"), index=True)
    contact: Mapped[str] = mapped_column(String(40))
    state: Mapped[str] = mapped_column(String(20), index=True)
    asked_by: Mapped[str] = mapped_column(String(100))
    created_at: Mapped[datetime]
    due_at: Mapped[datetime]
    channel: Mapped[str] = mapped_column(String(100))
    origin: Mapped[str] = mapped_column(String(80))
    attempt: Mapped[int]
    reason: Mapped[str] = mapped_column(Text)
    answered_by: Mapped[str | None] = mapped_column(String(100))
    answered_at: Mapped[datetime | None]
    why: Mapped[str] = mapped_column(Text)


class FollowUpRow(Base):
    """One task after an incident; it outlives the incident."""

    __tablename__ = "follow_up"

    id: Mapped[str] = mapped_column(String(80), primary_key=True)
    incident: Mapped[int] = mapped_column(ForeignKey("incident.number"), index=True)
    target: Mapped[str] = mapped_column(String(40))
    key: Mapped[str] = mapped_column(String(40))
    titles: Mapped[dict[str, Any]]
    state: Mapped[str] = mapped_column(String(20), index=True)
    created_at: Mapped[datetime]
    due_at: Mapped[datetime]
    owner: Mapped[str | None] = mapped_column(String(100), index=True)
    owner_role: Mapped[str | None] = mapped_column(String(40))
    postpones_deployment: Mapped[bool]
    by: Mapped[str | None] = mapped_column(String(100))
    ended_at: Mapped[datetime | None]
    why: Mapped[str] = mapped_column(Text)


class AnnouncementRow(Base):
    """One text for people."""

    __tablename__ = "announcement"

    id: Mapped[str] = mapped_column(String(80), primary_key=True)
    incident: Mapped[int] = mapped_column(ForeignKey("incident.number"), index=True)
    notice: Mapped[str] = mapped_column(String(40))
    locale: Mapped[str] = mapped_column(String(10))
    text: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(20), index=True)
    created_at: Mapped[datetime]
    written_by: Mapped[str] = mapped_column(String(100))
    channels: Mapped[list[Any]]
    approved_by: Mapped[str | None] = mapped_column(String(100))
    posted_at: Mapped[datetime | None]
    next_due_at: Mapped[datetime | None]


class LastSeenRow(Base):
    """How a target stood or how ready it was, as last read; when somebody last looked at their Home."""

    __tablename__ = "last_seen"

    id: Mapped[str] = mapped_column(String(120), primary_key=True)
    kind: Mapped[str] = mapped_column(String(20), index=True)
    created_at: Mapped[datetime]
    content: Mapped[dict[str, Any]]


class ConfirmationRow(Base):
    """What a person confirmed about readiness."""

    __tablename__ = "confirmation"

    id: Mapped[str] = mapped_column(String(160), primary_key=True)
    point: Mapped[str] = mapped_column(String(40), index=True)
    by: Mapped[str] = mapped_column(String(100))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class WatchRow(Base):
    """One target's watch; a new one takes the place of the last."""

    __tablename__ = "watch"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    number: Mapped[int]
    state: Mapped[str] = mapped_column(String(20), index=True)
    created_at: Mapped[datetime]
    started_by: Mapped[str] = mapped_column(String(100))
    canary: Mapped[str] = mapped_column(String(100))
    stable: Mapped[str] = mapped_column(String(100))
    percent: Mapped[int] = mapped_column(comment="the canary's share, percent")
    sides: Mapped[dict[str, Any]]
    channel: Mapped[str] = mapped_column(String(100))
    turn: Mapped[int] = mapped_column(comment="whoever works with an older one changes nothing")
    deployed_at: Mapped[datetime | None]
    looked_at: Mapped[datetime | None]
    read_until: Mapped[datetime | None]
    minutes_until: Mapped[datetime | None]
    checked_at: Mapped[datetime | None]
    closely_until: Mapped[datetime | None]
    rolled_back_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    ended_why: Mapped[str | None] = mapped_column(String(40))
    ended_by: Mapped[str | None] = mapped_column(String(100))
    alerts: Mapped[int]
    judge: Mapped[dict[str, Any]]
    readings: Mapped[list[Any]]
    points: Mapped[list[Any]]
    sources: Mapped[dict[str, Any]]
    official: Mapped[list[Any]]
    carried: Mapped[dict[str, Any]]


class AlertRow(Base):
    """One alert about one canary."""

    __tablename__ = "alert"

    id: Mapped[str] = mapped_column(String(80), primary_key=True)
    target: Mapped[str] = mapped_column(String(40), index=True)
    state: Mapped[str] = mapped_column(String(20), index=True)
    created_at: Mapped[datetime]
    kind: Mapped[str] = mapped_column(String(40))
    mode: Mapped[str] = mapped_column(String(20))
    canary: Mapped[str] = mapped_column(String(100))
    stable: Mapped[str] = mapped_column(String(100))
    percent: Mapped[int]
    facts: Mapped[dict[str, Any]]
    also: Mapped[list[Any]]
    not_by_itself: Mapped[str] = mapped_column(String(40))
    minutes: Mapped[float | None]
    incident: Mapped[int | None] = mapped_column(ForeignKey("incident.number"), index=True)
    rollback: Mapped[str | None] = mapped_column(String(40))
    fires_at: Mapped[datetime | None]
    by: Mapped[str | None] = mapped_column(String(100))
    at: Mapped[datetime | None]
    why: Mapped[str] = mapped_column(Text)
    pressed_at: Mapped[datetime | None]
    called: Mapped[bool] = mapped_column(comment="a second message called people to a countdown")


class AutomaticsRow(Base):
    """Whether the bot may roll a target back by itself."""

    __tablename__ = "automatics"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    created_at: Mapped[datetime]
    armed: Mapped[bool]
    by: Mapped[str | None] = mapped_column(String(100))
    at: Mapped[datetime | None]
    off_why: Mapped[str] = mapped_column(String(100))
    held_until: Mapped[datetime | None]
    held_by: Mapped[str | None] = mapped_column(String(100))
    fired_at: Mapped[list[Any]]
    rolled_to: Mapped[list[Any]]
    rolled_from: Mapped[list[Any]]
    refused: Mapped[list[Any]]


class ExhibitRow(Base):
    """One file of evidence, without its content."""

    __tablename__ = "exhibit"

    id: Mapped[str] = mapped_column(String(200), primary_key=True)
    incident: Mapped[int] = mapped_column(ForeignKey("incident.number"), index=True)
    snapshot: Mapped[str] = mapped_column(String(120), index=True)
    kind: Mapped[str] = mapped_column(String(40), index=True)
    name: Mapped[str] = mapped_column(String(120))
    created_at: Mapped[datetime] = mapped_column(index=True)
    source: Mapped[str] = mapped_column(Text)
    size: Mapped[int]
    sha256: Mapped[str] = mapped_column(String(64))
    redacted: Mapped[int] = mapped_column(comment="secrets and personal data that were replaced")
    problem: Mapped[str | None] = mapped_column(Text)
    dropped_at: Mapped[datetime | None]


class ExhibitContentRow(Base):
    """What a file of evidence holds, where it is kept in the database."""

    __tablename__ = "exhibit_content"

    place: Mapped[str] = mapped_column(String(300), primary_key=True)
    content: Mapped[bytes] = mapped_column(LargeBinary)


class SnapshotRow(Base):
    """One taking of evidence, as values."""

    __tablename__ = "snapshot"

    id: Mapped[str] = mapped_column(String(120), primary_key=True)
    incident: Mapped[int] = mapped_column(ForeignKey("incident.number"), index=True)
    moment: Mapped[str] = mapped_column(String(20))
    created_at: Mapped[datetime]
    canary: Mapped[str] = mapped_column(String(100))
    stable: Mapped[str] = mapped_column(String(100))
    reading: Mapped[dict[str, Any]]
    rollback: Mapped[str | None] = mapped_column(String(40))
    points: Mapped[list[Any]]
    deployed_at: Mapped[datetime | None]
    profiler: Mapped[str] = mapped_column(Text, comment="address of the memory profile")
    asked_by: Mapped[str] = mapped_column(String(100))


class PostMortemRow(Base):
    """One incident's post-mortem meeting."""

    __tablename__ = "post_mortem"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    incident: Mapped[int] = mapped_column(ForeignKey("incident.number"), index=True)
    state: Mapped[str] = mapped_column(String(20), index=True)
    created_at: Mapped[datetime]
    starts_at: Mapped[datetime]
    minutes: Mapped[int]
    zone: Mapped[str] = mapped_column(String(80))
    place: Mapped[str] = mapped_column(Text)
    owner: Mapped[str] = mapped_column(String(100))
    sequence: Mapped[int]
    reminded: Mapped[int]
    held_at: Mapped[datetime | None]
    by: Mapped[str | None] = mapped_column(String(100))
    why: Mapped[str] = mapped_column(Text)


class DrillRow(Base):
    """One fire drill."""

    __tablename__ = "drill"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    scenario: Mapped[str] = mapped_column(String(40))
    target: Mapped[str] = mapped_column(String(40))
    created_at: Mapped[datetime] = mapped_column(index=True)
    until: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    incident: Mapped[int | None]
    reached: Mapped[dict[str, Any]]
