"""Taking evidence: every source at once, kept as files with their hashes, and shown in the incident's thread.

A workflow of its own beside the rollback, which never waits for it. It may run twice after a crash: names
and places are made from when it was asked for, so the second time takes the place of the first.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar

import structlog
from pydantic import TypeAdapter

from bot.domain.evidence_read import EvidenceRead, Occasion, Refusal
from bot.domain.exhibit import Exhibit, Moment, exhibit_name, sha256_of, snapshot_id
from bot.domain.exhibit_files import Content, contents
from bot.domain.first_reading import Clients, FirstReading
from bot.domain.ids import ChannelId, IncidentNumber, RollbackId, ServiceName
from bot.domain.incident import Incident
from bot.domain.last_hour import HOUR, LastHour, completed, hour_of_watch
from bot.domain.log_lines import LogLines
from bot.domain.observation import Minute, MinutesRead, Point
from bot.domain.page_links import address
from bot.domain.plan import sides_of
from bot.domain.playbook import Playbook, Target
from bot.domain.read_evidence import first_reading
from bot.domain.readings import Side
from bot.domain.rollback import Rollback
from bot.domain.seal import seals
from bot.domain.snapshot import Snapshot
from bot.domain.timeline import BACKOUT, Event
from bot.domain.traffic import SideAddress, Sides, TargetState
from bot.domain.watch import Watch
from bot.usecases.editions import playbook_of
from bot.usecases.journal import Line, board_key, write_lines
from bot.usecases.look_at_target import Sight, look_at_target
from bot.usecases.ports import (
    Clock,
    Playbooks,
    Showing,
    Steps,
    Store,
    Transaction,
    Vault,
    VaultDown,
    Workflow,
)
from bot.usecases.read_evidence_sources import Sources, in_time, read_all

log = structlog.get_logger()
T = TypeVar("T")

#: Which of the playbook's links leads to the memory profile (guide: scenario 3).
PROFILER = "profiler"


@dataclass(frozen=True, kw_only=True)
class Collecting:
    """What taking evidence may touch. `project` is Google's of targets that name none, for links."""

    store: Store
    playbooks: Playbooks
    sources: Sources
    vault: Vault
    clock: Clock
    project: str = ""


def start_collecting(
    tx: Transaction,
    number: IncidentNumber,
    moment: Moment,
    *,
    about: str,
    at: datetime,
    rollback: RollbackId | None = None,
    asked_by: str = "",
) -> None:
    """Start taking evidence when this transaction commits, once for each moment of `about`.

    Args:
        about: the rollback's id, or the request's key.
        at: when it was asked for, aware, UTC; the files are named by it.
    """
    tx.start(
        Workflow.COLLECT,
        snapshot_id(number, moment, about),
        incident=str(number),
        moment=moment.value,
        about=about,
        rollback=rollback or "",
        at=at.isoformat(),
        asked_by=asked_by,
    )


async def collect(arguments: Mapping[str, str], *, steps: Steps, use: Collecting) -> None:
    """Take the evidence that was asked for, and show it."""
    taking = _Taking(arguments, use)
    await steps.step("collect", taking.take, into=str)


@dataclass(frozen=True, kw_only=True)
class _Known:
    """What our own records say before anything is read."""

    incident: Incident
    playbook: Playbook
    target: Target
    rollback: Rollback | None
    watch: Watch | None

    @property
    def deployed_at(self) -> datetime | None:
        """When the canary was deployed, as far as anybody has written it down."""
        return self.incident.deployed_at or (self.rollback.deployed_at if self.rollback else None)


@dataclass(frozen=True, kw_only=True)
class _Found:
    """Everything that was read, worked up: the files, and the values that outlive them."""

    files: tuple[Content, ...]
    snapshot: Snapshot


class _Taking:
    """One taking of evidence. What was read stays here while the database is waited for."""

    def __init__(self, arguments: Mapping[str, str], use: Collecting) -> None:
        self._number = IncidentNumber(int(arguments["incident"]))
        self._moment = Moment(arguments["moment"])
        self._rollback = RollbackId(arguments["rollback"]) if arguments["rollback"] else None
        self._at = datetime.fromisoformat(arguments["at"])
        self._asked_by = arguments["asked_by"]
        self._id = snapshot_id(self._number, self._moment, arguments["about"])
        self._use = use
        self._found: _Found | None = None

    async def take(self) -> str:
        """Read, keep and show, unless that was done before; a number of files."""
        if await self._use.store.look(self._is_kept):
            return "kept before"
        if self._found is None:
            self._found = await self._read()
        exhibits = await self._put(self._found)
        snapshot = _as_kept(self._found.snapshot)

        def keep_evidence(tx: Transaction) -> str:
            return self._keep(tx, snapshot, exhibits)

        return await self._use.store.change(keep_evidence)

    def _is_kept(self, tx: Transaction) -> bool:
        return bool(tx.find(Snapshot, id=self._id))

    async def _read(self) -> _Found:
        current = self._use.playbooks.current()
        known = await self._use.store.look(lambda tx: self._known(tx, current))
        occasion, state = await self._occasion(known)
        read = await read_all(occasion, known.playbook, self._use.sources, state=state)
        # Grouping, counting and looking for secrets takes its time, and others wait for the event loop.
        return await asyncio.to_thread(self._worked_up, known, occasion, read)

    def _known(self, tx: Transaction, current: Playbook) -> _Known:
        incident = tx.incident(self._number)
        playbook = playbook_of(tx, incident, current)
        done = [tx.rollback(self._rollback)] if self._rollback else tx.rollbacks_of(self._number)
        return _Known(
            incident=incident,
            playbook=playbook,
            target=current.target(incident.target) or playbook.targets[incident.target],
            rollback=next((one for one in reversed(done) if one.plan), None),
            watch=next(iter(tx.find(Watch, id=incident.target)), None),
        )

    async def _occasion(self, known: _Known) -> tuple[Occasion, TargetState | Refusal | None]:
        """Say what is read about. A plan names both sides; without one Cloud Run is asked first."""
        plan = known.rollback.plan if known.rollback else None
        sight: Sight | Refusal | None = None
        if plan is None:
            sight = await in_time(look_at_target(known.target, cloud=self._use.sources.cloud))
        seen = sight if isinstance(sight, Sight) else None
        own = SideAddress(service=ServiceName(known.target.service))
        sides = seen.sides if seen else Sides(stable=own, canary=None)
        deployed_at = known.deployed_at or (seen.deployed_at if seen else None)
        now = self._use.clock()
        occasion = Occasion(
            incident=self._number,
            moment=self._moment,
            at=self._at,
            name=known.incident.target,
            target=known.target,
            sides=sides_of(known.target, plan) if plan else sides,
            since=max(deployed_at, now - HOUR) if deployed_at and deployed_at < now else now - HOUR,
            until=now,
            deployed_at=deployed_at,
            rollback=known.rollback,
        )
        return occasion, seen.state if seen else sight if isinstance(sight, Refusal) else None

    def _worked_up(self, known: _Known, occasion: Occasion, read: EvidenceRead) -> _Found:
        snapshot = Snapshot(
            id=self._id,
            incident=self._number,
            moment=self._moment,
            created_at=occasion.until,
            canary=occasion.canary,
            stable=occasion.stable,
            reading=reading_of(occasion, read),
            rollback=self._rollback,
            points=points_of(occasion, read, known.watch),
            deployed_at=occasion.deployed_at,
            profiler=self._profiler(known, occasion),
            asked_by=self._asked_by,
        )
        return _Found(files=contents(occasion, read), snapshot=snapshot)

    def _profiler(self, known: _Known, occasion: Occasion) -> str:
        link = known.playbook.links.get(PROFILER)
        if link is None:
            return ""
        return address(link, known.target, canary=occasion.canary or None, project=self._use.project)

    async def _put(self, found: _Found) -> list[Exhibit]:
        """Put the files into the vault; one that is not taken is a file that could not be kept."""
        exhibits = [self._exhibit(content, found.snapshot) for content in found.files]
        return list(await asyncio.gather(*map(self._put_one, exhibits, found.files)))

    def _exhibit(self, content: Content, snapshot: Snapshot) -> Exhibit:
        name = exhibit_name(content.kind, self._at, content.ending)
        there = content.problem is None
        return Exhibit(
            id=f"{self._id}:{name}",
            incident=self._number,
            snapshot=self._id,
            kind=content.kind,
            name=name,
            created_at=snapshot.created_at,
            source=content.source,
            size=len(content.content),
            sha256=sha256_of(content.content) if there else "",
            redacted=content.redacted,
            problem=content.problem,
        )

    async def _put_one(self, exhibit: Exhibit, content: Content) -> Exhibit:
        if exhibit.problem is not None:
            return exhibit
        try:
            await self._use.vault.put(exhibit.place, content.content)
        except VaultDown as error:
            log.error("evidence_not_kept", exhibit=exhibit.id, why=str(error))
            return replace(exhibit, size=0, sha256="", redacted=0, problem=str(error))
        return exhibit

    def _keep(self, tx: Transaction, snapshot: Snapshot, exhibits: list[Exhibit]) -> str:
        tx.incident(self._number)
        if self._is_kept(tx):
            return "kept before"
        for exhibit in exhibits:
            tx.keep(exhibit)
        tx.keep(snapshot)
        channel = ChannelId(self._use.playbooks.current().channels.incidents)
        line = _taken_line(snapshot, exhibits)
        write_lines(tx, self._number, [line], at=self._use.clock(), channel=channel)
        show_evidence(tx, snapshot, channel=channel)
        return f"{len(exhibits)} files"


def show_evidence(tx: Transaction, snapshot: Snapshot, *, channel: ChannelId) -> None:
    """Post the files and what they say at first sight in the incident's thread; list them on the board."""
    number, under = str(snapshot.incident), board_key(snapshot.incident)
    tx.show(Showing.EXHIBITS, snapshot.id, channel=channel, under=under)
    tx.show(Showing.FIRST_READING, snapshot.id, channel=channel, under=under)
    # The guide's questions are asked once; what differs between the sides is filled in anew.
    tx.show(Showing.REVIEW, number, channel=channel, under=under)
    tx.show(Showing.BOARD, number, channel=channel)


def _taken_line(snapshot: Snapshot, exhibits: list[Exhibit]) -> Line:
    there = [exhibit for exhibit in exhibits if exhibit.problem is None]
    facts: dict[str, Any] = {
        "moment": snapshot.moment.value,
        "snapshot": snapshot.id,
        "count": len(there),
        "bytes": sum(exhibit.size for exhibit in there),
        "redacted": sum(exhibit.redacted for exhibit in there),
        "problems": [[exhibit.kind.value, exhibit.problem] for exhibit in exhibits if exhibit.problem],
        "files": [[exhibit.name, exhibit.size, exhibit.sha256] for exhibit in there],
        "seals": seals(
            {f"snapshot:{snapshot.id}": snapshot, **{f"exhibit:{e.id}": e for e in exhibits}},
        ),
    }
    actor = snapshot.asked_by or BACKOUT
    return Line(event=Event.EVIDENCE_TAKEN, key=f"evidence:{snapshot.id}", actor=actor, facts=facts)


def points_of(occasion: Occasion, read: EvidenceRead, watch: Watch | None) -> tuple[Point, ...]:
    """Return the hour before, minute by minute: what its watch saw, and Monitoring's where it did not."""
    minutes = MinutesRead() if isinstance(read.minutes, Refusal) else read.minutes
    nothing = LastHour(
        target=occasion.name, canary=occasion.canary, stable=occasion.stable, until=occasion.until
    )
    if watch is None or (watch.canary, watch.stable) != (occasion.canary, occasion.stable):
        return completed(nothing, minutes).points
    return completed(hour_of_watch(watch, until=occasion.until), minutes).points


def reading_of(occasion: Occasion, read: EvidenceRead) -> FirstReading:
    """Return what the evidence says at first sight."""
    minutes = () if isinstance(read.minutes, Refusal) else read.minutes.minutes
    return first_reading(
        since=occasion.counted_since,
        until=occasion.until,
        names=(occasion.canary, occasion.stable),
        canary=_lines(read.error_lines.get(Side.CANARY), occasion),
        stable=_lines(read.error_lines.get(Side.STABLE), occasion),
        endpoints={
            side: None if isinstance(found, Refusal) else found for side, found in read.endpoints.items()
        },
        system=_lines(read.system, occasion),
        minutes=(_of(minutes, occasion.canary), _of(minutes, occasion.stable)),
        clients=read.clients if isinstance(read.clients, Clients) else None,
        differences=read.differences,
        problems=problems_of(read),
    )


def _lines(found: LogLines | Refusal | None, occasion: Occasion) -> LogLines:
    if isinstance(found, LogLines):
        return found
    why = found.why if found else None
    return LogLines(filter="", limit=0, since=occasion.counted_since, until=occasion.until, problem=why)


def _of(minutes: tuple[Minute, ...], name: str) -> tuple[Minute, ...]:
    return tuple(minute for minute in minutes if name and minute.name == name)


def problems_of(read: EvidenceRead) -> tuple[str, ...]:
    """Return a line for each source of the first reading that could not be read: what, and why.

    What, before the first colon, is one of `UNREAD`.
    """
    canary, stable = read.error_lines.get(Side.CANARY), read.error_lines.get(Side.STABLE)
    named: list[tuple[str, object]] = [
        ("error_lines_canary", canary),
        ("error_lines_stable", stable),
        ("container_ends", read.system),
        ("endpoints_canary", read.endpoints.get(Side.CANARY)),
        ("endpoints_stable", read.endpoints.get(Side.STABLE)),
        ("minutes", read.minutes),
        ("clients", read.clients),
        ("configuration_canary", read.configurations.get(Side.CANARY)),
        ("configuration_stable", read.configurations.get(Side.STABLE)),
        ("probe_canary", read.probes.get(Side.CANARY)),
        ("probe_stable", read.probes.get(Side.STABLE)),
    ]
    found = ((what, _why(source)) for what, source in named)
    return tuple(f"{what}: {why}" for what, why in found if why)


#: Every source that a problem of the first reading may name.
UNREAD = (
    "error_lines_canary", "error_lines_stable", "container_ends", "endpoints_canary", "endpoints_stable",
    "minutes", "clients", "configuration_canary", "configuration_stable", "probe_canary", "probe_stable",
)  # fmt: skip


def _why(source: object) -> str | None:
    if isinstance(source, Refusal):
        return source.why
    return source.problem if isinstance(source, LogLines | MinutesRead) else None


def _as_kept(value: T) -> T:
    """Return a value as the database gives it back, so that its seal is the same: 200 ms is 200.0 there."""
    adapter = TypeAdapter[T](type(value))
    return adapter.validate_json(adapter.dump_json(value))
