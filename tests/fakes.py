"""The ports without a world behind them. Each keeps the promises that the real adapter keeps."""

import json
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from copy import copy
from dataclasses import dataclass, field, fields, replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

from pydantic import TypeAdapter

from bot.domain.alert import Alert
from bot.domain.change import RUNNING_CHANGE, Change, ChangeWrite, SetResources, SplitTraffic
from bot.domain.configuration import Configuration
from bot.domain.drill import Drill
from bot.domain.exhibit import KEPT_FOREVER, Exhibit
from bot.domain.faults import CloudFault
from bot.domain.first_reading import Clients
from bot.domain.ids import ChangeId, ChannelId, IncidentNumber, PersonId, RevisionName, RollbackId, TargetName
from bot.domain.incident import Incident, IncidentState
from bot.domain.incident_search import Search, matches
from bot.domain.log_lines import LogLine, LogLines
from bot.domain.looking_back import Past, begun_of
from bot.domain.observation import BUCKET, Bucket, BucketsRead, Minute, MinutesRead, Tally
from bot.domain.people import Person
from bot.domain.playbook import Playbook, Target
from bot.domain.readings import Metric, ProbeResult, Reading, RequestCounts, Side, Source
from bot.domain.rollback import RUNNING, PinTraffic, Rollback
from bot.domain.timeline import GENESIS, Entry, Event, incident_chain, link
from bot.domain.traffic import Revision, ServiceState, SideAddress, Sides, TargetState, TrafficShare
from bot.usecases.ports import (
    Clock,
    Cloud,
    K,
    LogReader,
    Metrics,
    Notice,
    NotKept,
    People,
    PeopleUnknown,
    Playbooks,
    Prober,
    RequestLog,
    RequestStream,
    Showing,
    Steps,
    Store,
    StoreDown,
    TargetBusy,
    Transaction,
    Vault,
    VaultDown,
    Workflow,
)
from tests.values import DEVOPS, HOME, LUBIT, NOON, a_playbook

T = TypeVar("T")

_ROLLBACK = TypeAdapter(Rollback)
_CHANGE = TypeAdapter(Change)
_INCIDENT = TypeAdapter(Incident)


#: One adapter of a kind: making one takes many times longer than using it.
_ADAPTERS: dict[type, TypeAdapter[Any]] = {}


def _adapter(kind: type) -> TypeAdapter[Any]:
    if kind not in _ADAPTERS:
        _ADAPTERS[kind] = TypeAdapter(kind)
    return _ADAPTERS[kind]


class HeldClock(Clock):
    """A clock that only moves when it is told to."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def __call__(self) -> datetime:
        """Return the held time."""
        return self.now

    async def pause(self, seconds: float) -> None:
        """Let `seconds` go by without waiting for them."""
        self.now += timedelta(seconds=seconds)


@dataclass(kw_only=True)
class KeptMessage:
    """A message as it is stored; `wanted` counts how often it changed."""

    what: Showing
    subject: str
    channel: ChannelId
    person: PersonId | None = None
    under: str | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    wanted: int = 1
    ts: str | None = None


@dataclass(kw_only=True)
class Tables:
    """Everything that is stored. Rows are never changed in place, so a copy of the dicts is a snapshot."""

    requests: dict[str, datetime] = field(default_factory=dict)
    rollbacks: dict[RollbackId, Rollback] = field(default_factory=dict)
    changes: dict[ChangeId, Change] = field(default_factory=dict)
    incidents: dict[IncidentNumber, Incident] = field(default_factory=dict)
    chains: dict[str, tuple[Entry, ...]] = field(default_factory=dict)
    messages: dict[str, KeptMessage] = field(default_factory=dict)
    workflows: dict[str, tuple[Workflow, Mapping[str, str]]] = field(default_factory=dict)
    names: dict[PersonId, str] = field(default_factory=dict)
    shelf: dict[tuple[type, str], Any] = field(default_factory=dict)
    timers: dict[str, tuple[datetime, Workflow, Mapping[str, str]]] = field(default_factory=dict)
    standing: dict[str, tuple[ChannelId, str]] = field(default_factory=dict)
    #: Incidents whose changes asked for fresh Homes.
    homes: list[IncidentNumber] = field(default_factory=list)

    def snapshot(self) -> "Tables":
        """Return a copy that can be changed without changing this one."""
        return Tables(**{f.name: copy(getattr(self, f.name)) for f in fields(self)})


class FakeTransaction(Transaction):
    """One transaction over `Tables`; whoever made it throws the tables away or keeps them."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def first_time(self, key: str, *, at: datetime) -> bool:
        """See `Transaction.first_time`."""
        known = key in self._tables.requests
        self._tables.requests.setdefault(key, at)
        return not known

    def start(self, workflow: Workflow, id: str, /, **arguments: str) -> None:
        """See `Transaction.start`."""
        assert all(isinstance(value, str) for value in arguments.values())
        self._tables.workflows.setdefault(f"{workflow}:{id}", (workflow, arguments))

    def add_rollback(self, rollback: Rollback) -> None:
        """See `Transaction.add_rollback`."""
        assert rollback.id not in self._tables.rollbacks
        self._keep(rollback)

    def rollback(self, id: RollbackId) -> Rollback:
        """See `Transaction.rollback`."""
        if id not in self._tables.rollbacks:
            raise NotKept(f"no rollback {id}")
        return self._tables.rollbacks[id]

    def save_rollback(self, rollback: Rollback) -> None:
        """See `Transaction.save_rollback`."""
        self._keep(rollback)

    def _keep(self, rollback: Rollback) -> None:
        holder = self.running_rollback(rollback.target)
        if rollback.state in RUNNING and holder is not None and holder.id != rollback.id:
            raise TargetBusy(rollback.target)
        # Through JSON, as the database does it, so that nothing is kept that would not come back.
        self._tables.rollbacks[rollback.id] = _ROLLBACK.validate_json(_ROLLBACK.dump_json(rollback))

    def running_rollback(self, target: TargetName) -> Rollback | None:
        """See `Transaction.running_rollback`."""
        running = (r for r in self._tables.rollbacks.values() if r.target == target and r.state in RUNNING)
        return next(running, None)

    def last_rollback(self, target: TargetName) -> Rollback | None:
        """See `Transaction.last_rollback`."""
        tried = [r for r in self._tables.rollbacks.values() if r.target == target and r.requested_at]
        return max(tried, key=lambda r: r.requested_at or NOON, default=None)

    def rollbacks_of(self, incident: IncidentNumber) -> tuple[Rollback, ...]:
        """See `Transaction.rollbacks_of`."""
        found = (r for r in self._tables.rollbacks.values() if r.incident == incident)
        return tuple(sorted(found, key=lambda r: r.asked_at))

    def add_change(self, change: Change) -> None:
        """See `Transaction.add_change`."""
        assert change.id not in self._tables.changes
        self.save_change(change)

    def change(self, id: ChangeId) -> Change:
        """See `Transaction.change`."""
        if id not in self._tables.changes:
            raise NotKept(f"no change {id}")
        return self._tables.changes[id]

    def save_change(self, change: Change) -> None:
        """See `Transaction.save_change`."""
        holder = self.running_change(change.target)
        if change.state in RUNNING_CHANGE and holder is not None and holder.id != change.id:
            raise TargetBusy(change.target)
        self._tables.changes[change.id] = _CHANGE.validate_json(_CHANGE.dump_json(change))

    def running_change(self, target: TargetName) -> Change | None:
        """See `Transaction.running_change`."""
        changes = self._tables.changes.values()
        return next((c for c in changes if c.target == target and c.state in RUNNING_CHANGE), None)

    def changes_of(self, incident: IncidentNumber) -> tuple[Change, ...]:
        """See `Transaction.changes_of`."""
        found = (c for c in self._tables.changes.values() if c.incident == incident)
        return tuple(sorted(found, key=lambda c: c.asked_at))

    def add_incident(self, incident: Incident) -> Incident:
        """See `Transaction.add_incident`."""
        number = IncidentNumber(max(self._tables.incidents, default=0) + 1)
        numbered = replace(incident, number=number)
        self.save_incident(numbered)
        return numbered

    def incident(self, number: IncidentNumber) -> Incident:
        """See `Transaction.incident`."""
        if number not in self._tables.incidents:
            raise NotKept(f"no incident {number}")
        return self._tables.incidents[number]

    def save_incident(self, incident: Incident) -> None:
        """See `Transaction.save_incident`."""
        self._tables.incidents[incident.number] = _INCIDENT.validate_json(_INCIDENT.dump_json(incident))

    def open_incident(self, target: TargetName) -> Incident | None:
        """See `Transaction.open_incident`."""
        found = (i for i in self._tables.incidents.values() if i.target == target)
        return next((i for i in found if i.state is IncidentState.OPEN), None)

    def incidents(self, *, limit: int) -> tuple[Incident, ...]:
        """See `Transaction.incidents`."""
        newest = sorted(self._tables.incidents.values(), key=lambda i: -i.number)
        return tuple(newest[:limit])

    def search_incidents(
        self, search: Search, *, limit: int, offset: int = 0
    ) -> tuple[tuple[Incident, ...], int]:
        """See `Transaction.search_incidents`."""
        newest = sorted(self._tables.incidents.values(), key=lambda i: -i.number)
        found = [i for i in newest if matches(i, self.timeline(incident_chain(i.number)), search)]
        return tuple(found[offset : offset + limit]), len(found)

    def past(self, *, since: datetime, until: datetime) -> Past:
        """See `Transaction.past`. More than asked for does no harm."""
        entries = [entry for chain in self._tables.chains.values() for entry in chain]
        return Past(
            incidents=tuple(self._tables.incidents.values()),
            rollbacks=tuple(self._tables.rollbacks.values()),
            alerts=self.find(Alert),
            begun=tuple(
                begun_of(entry.at, entry.facts) for entry in entries if entry.event is Event.WATCH_BEGUN
            ),
            drills=self.find(Drill),
            drilled=tuple(
                begun_of(entry.at, entry.facts)
                for entry in entries
                if entry.event is Event.DRILL_BEGUN and entry.chain.startswith("watch:")
            ),
        )

    def open_incidents(self) -> tuple[Incident, ...]:
        """See `Transaction.open_incidents`."""
        kept = (i for i in self._tables.incidents.values() if i.state is IncidentState.OPEN)
        return tuple(sorted(kept, key=lambda i: i.number))

    def keep(self, value: K) -> None:
        """See `Transaction.keep`."""
        adapter = _adapter(type(value))
        self._tables.shelf[type(value), value.id] = adapter.validate_json(adapter.dump_json(value))

    def kept(self, what: type[K], id: str) -> K:
        """See `Transaction.kept`."""
        if (what, id) not in self._tables.shelf:
            raise NotKept(f"no {what.__name__} {id}")
        kept: K = self._tables.shelf[what, id]
        return kept

    def find(self, what: type[K], **where: Any) -> tuple[K, ...]:
        """See `Transaction.find`."""
        found = [
            value
            for (kind, _), value in self._tables.shelf.items()
            if kind is what
            and all(
                getattr(value, n) in w if isinstance(w, tuple) else getattr(value, n) == w
                for n, w in where.items()
            )
        ]
        return tuple(sorted(found, key=lambda value: (value.created_at, value.id)))

    def wake(self, workflow: Workflow, id: str, /, *, at: datetime, **arguments: str) -> None:
        """See `Transaction.wake`."""
        self._tables.timers[f"{workflow}:{id}"] = (at, workflow, arguments)

    def let_sleep(self, workflow: Workflow, id: str, /) -> None:
        """See `Transaction.let_sleep`."""
        self._tables.timers.pop(f"{workflow}:{id}", None)

    def anything_due(self, at: datetime) -> bool:
        """See `Transaction.anything_due`."""
        return any(due <= at for due, _, _ in self._tables.timers.values())

    def wake_due(self, at: datetime) -> int:
        """See `Transaction.wake_due`."""
        ready = [id for id, (due, _, _) in self._tables.timers.items() if due <= at]
        for id in ready:
            due, workflow, arguments = self._tables.timers.pop(id)
            self._tables.workflows[f"{id}@{due.timestamp()}"] = (workflow, arguments)
        return len(ready)

    def write_down(
        self, chain: str, event: Event, *, key: str, at: datetime, actor: str, **facts: Any
    ) -> int | None:
        """See `Transaction.write_down`."""
        entries = self._tables.chains.get(chain, ())
        if any(entry.key == key for entry in entries):
            return None
        content: dict[str, Any] = {
            "chain": chain,
            "sequence": len(entries) + 1,
            "key": key,
            "at": at,
            "actor": actor,
            "event": event,
            "facts": json.loads(json.dumps(facts)),
            "previous": entries[-1].hash if entries else GENESIS,
        }
        self._tables.chains[chain] = (*entries, Entry(**content, hash=link(**content)))
        return len(entries) + 1

    def timeline(self, chain: str) -> tuple[Entry, ...]:
        """See `Transaction.timeline`."""
        return self._tables.chains.get(chain, ())

    def chain_head(self, chain: str) -> tuple[int, str]:
        """See `Transaction.chain_head`."""
        entries = self.timeline(chain)
        return (len(entries), entries[-1].hash) if entries else (0, GENESIS)

    def expired_exhibits(self, before: datetime) -> tuple[Exhibit, ...]:
        """See `Transaction.expired_exhibits`."""
        return tuple(
            one
            for one in self.find(Exhibit, dropped_at=None, problem=None)
            if one.created_at < before and one.kind not in KEPT_FOREVER
        )

    def names(self) -> dict[PersonId, str]:
        """See `Transaction.names`."""
        return dict(self._tables.names)

    def show(self, what: Showing, subject: str, *, channel: ChannelId, under: str | None = None) -> None:
        """See `Transaction.show`."""
        key = f"{what}:{subject}"
        known = self._tables.messages.get(key)
        shown = KeptMessage(what=what, subject=subject, channel=channel, under=under)
        self._tables.messages[key] = replace(known, wanted=known.wanted + 1) if known else shown

    def refresh_homes(self, number: IncidentNumber) -> None:
        """See `Transaction.refresh_homes`."""
        self._tables.homes.append(number)

    def standing(self, key: str) -> tuple[ChannelId, str] | None:
        """See `Transaction.standing`. What a test gives a `ts` or a place has been sent."""
        message = self._tables.messages.get(key)
        sent = (message.channel, message.ts) if message and message.ts else None
        return self._tables.standing.get(key) or sent

    def message_at(self, channel: ChannelId, ts: str) -> str | None:
        """See `Transaction.message_at`."""
        return next((k for k, place in self._tables.standing.items() if place == (channel, ts)), None)

    def resend_unsent(self) -> None:
        """See `Transaction.resend_unsent`. Nothing is ever sent from here."""

    def tell(self, notice: Notice, *, key: str) -> None:
        """See `Transaction.tell`."""
        facts = json.loads(json.dumps({"what": notice.what} | dict(notice.facts)))
        message = KeptMessage(
            what=Showing.NOTICE, subject=key, channel=notice.channel, person=notice.person, facts=facts
        )
        self._tables.messages.setdefault(f"{Showing.NOTICE}:{key}", message)


class FakeStore(Store):
    """`Store` in memory. `down` makes it unreachable; `kept` is what a test may look at."""

    def __init__(self) -> None:
        self.kept = Tables()
        self.down = False

    async def change(self, work: Callable[[Transaction], T]) -> T:
        """See `Store.change`. Runs `work` twice, because the real one may, too."""
        if self.down:
            raise StoreDown("the test took it away")
        work(FakeTransaction(self.kept.snapshot()))
        changed = self.kept.snapshot()
        result = work(FakeTransaction(changed))
        self.kept = changed
        return result

    async def look(self, work: Callable[[Transaction], T]) -> T:
        """See `Store.look`."""
        if self.down:
            raise StoreDown("the test took it away")
        return work(FakeTransaction(self.kept.snapshot()))

    # What tests ask.

    def rollback(self, id: str = "f00d") -> Rollback:
        """Return a stored rollback."""
        return self.kept.rollbacks[RollbackId(id)]

    def notices(self) -> list[Mapping[str, Any]]:
        """Return the facts of all notices, in order."""
        return [m.facts for m in self.kept.messages.values() if m.what is Showing.NOTICE]

    def events(self, chain: str) -> list[Event]:
        """Return the events of a timeline, in order."""
        return [entry.event for entry in self.kept.chains.get(chain, ())]

    def started(self, workflow: Workflow) -> list[Mapping[str, str]]:
        """Return the arguments of every started workflow of that kind."""
        return [arguments for kind, arguments in self.kept.workflows.values() if kind is workflow]


def written(state: TargetState, write: ChangeWrite) -> TargetState:
    """Return `state` once Cloud Run has taken `write` and settled, as Cloud Run does it."""
    found = state.service(write.service)
    assert found is not None
    service = replace(found, generation=found.generation + 1)
    if isinstance(write, PinTraffic | SplitTraffic):
        shares = ((write.revision, 100),) if isinstance(write, PinTraffic) else write.shares
        tags = tuple(TrafficShare(revision=r, percent=0, tag=tag) for tag, r in write.tags)
        wanted = (*(TrafficShare(revision=name, percent=percent) for name, percent in shares), *tags)
        return _with(state, _settled(replace(service, wanted=wanted)))
    name = RevisionName(f"{service.name}-{service.generation:05d}-new")
    made = Revision(name=name, created_at=service.read_at, ready=True)
    if isinstance(write, SetResources):
        service = replace(service, resources=service.resources.with_more(write.resources))
    else:
        service = replace(service, environment={**service.environment, write.variable: write.value})
    wanted = tuple(replace(line, revision=name) if line.latest else line for line in service.wanted)
    service = replace(
        service,
        latest_created=name,
        latest_ready=name,
        revisions=(made, *service.revisions),
        wanted=wanted,
    )
    return _with(state, _settled(service))


def _with(state: TargetState, service: ServiceState) -> TargetState:
    if state.canary is not None and state.canary.name == service.name:
        return replace(state, canary=service)
    return replace(state, switch=service)


def _settled(service: ServiceState) -> ServiceState:
    return replace(
        service, observed=service.wanted, observed_generation=service.generation, reconciling=False
    )


@dataclass
class Failing:
    """How the next write fails, and whether it landed all the same."""

    fault: CloudFault
    landed: bool = False


class FakeCloud(Cloud):
    """Cloud Run with one target. Writes take effect at once unless `lag_looks` says otherwise."""

    def __init__(self, state: TargetState, clock: HeldClock) -> None:
        self.state = state
        self.writes: list[ChangeWrite] = []
        self.dry_runs: list[ChangeWrite] = []
        self.missing: frozenset[str] = frozenset()
        #: What the next looks suffer or see: a fault is raised, a function changes the state first.
        self.next_looks: deque[CloudFault | Callable[[TargetState], TargetState] | None] = deque()
        self.next_writes: deque[Failing | None] = deque()
        #: So many looks after a write still show the service reconciling.
        self.lag_looks = 0
        #: What `configuration` answers, by revision or service, and why it cannot.
        self.configured: dict[str, Configuration] = {}
        self.configuration_fault: CloudFault | None = None
        self._lagging = 0
        self._clock = clock

    async def look(self, target: Target) -> TargetState:
        """See `Cloud.look`."""
        happens = self.next_looks.popleft() if self.next_looks else None
        if isinstance(happens, CloudFault):
            raise happens
        if happens is not None:
            self.state = happens(self.state)
        lagging = self._lagging > 0
        self._lagging -= lagging
        canary = self.state.canary
        return replace(
            self.state,
            switch=self._seen(self.state.switch, lagging=lagging),
            canary=self._seen(canary, lagging=lagging) if canary else None,
        )

    def _seen(self, service: ServiceState, *, lagging: bool) -> ServiceState:
        seen = replace(service, read_at=self._clock())
        if not lagging:
            return seen
        return replace(seen, reconciling=True, observed_generation=seen.generation - 1)

    async def write(self, target: Target, write: ChangeWrite, *, state: TargetState) -> None:
        """See `Cloud.write`."""
        self.writes.append(write)
        failing = self.next_writes.popleft() if self.next_writes else None
        if failing is None or failing.landed:
            self.state = written(self.state, write)
            self._lagging = self.lag_looks
        if failing is not None:
            raise failing.fault

    async def dry_run(self, target: Target, write: ChangeWrite, *, state: TargetState) -> None:
        """See `Cloud.dry_run`."""
        self.dry_runs.append(write)
        failing = self.next_writes.popleft() if self.next_writes else None
        if failing is not None:
            raise failing.fault

    async def missing_permissions(self, target: Target) -> frozenset[str]:
        """See `Cloud.missing_permissions`."""
        return self.missing

    async def configuration(self, target: Target, side: SideAddress) -> Configuration:
        """See `Cloud.configuration`; that of `configured` by revision or service, or nothing set at all."""
        if self.configuration_fault is not None:
            raise self.configuration_fault
        name = side.revision or side.service
        plain = Configuration(service=side.service, revision=side.revision, read_at=self._clock())
        return self.configured.get(name, plain)


class FakeMetrics(Metrics):
    """Cloud Monitoring. Without `readings` it holds no data."""

    def __init__(self, *readings: Reading) -> None:
        self.readings = readings
        self.times_out = False
        #: What `minutes` answers from, and why it cannot.
        self.recorded: tuple[Minute, ...] = ()
        self.problem: str | None = None

    async def minutes(self, target: Target, *, since: datetime, until: datetime) -> MinutesRead:
        """See `Metrics.minutes`."""
        if self.problem:
            return MinutesRead(problem=self.problem)
        inside = (minute for minute in self.recorded if since < minute.until <= until)
        return MinutesRead(minutes=tuple(sorted(inside, key=lambda minute: minute.until)))

    async def read(self, target: Target, sides: Sides, *, now: datetime) -> tuple[Reading, ...]:
        """See `Metrics.read`."""
        if self.times_out:
            raise TimeoutError
        present = [Side.STABLE, *([Side.CANARY] if sides.canary else [])]
        empty = [
            Reading(metric=m, side=s, source=Source.MONITORING, value=None, sample=0, since=now, until=now)
            for s in present
            for m in Metric
        ]
        return self.readings or tuple(empty)


#: Says what one side of the request log holds in a window.
Counting = Callable[[Side, datetime, datetime], RequestCounts]


def calm(side: Side, since: datetime, until: datetime) -> RequestCounts:
    """A stable side under load without errors, and a canary nobody reaches."""
    requests = 200 if side is Side.STABLE else 0
    return RequestCounts(
        side=side,
        since=since,
        until=until,
        requests=requests,
        errors=0,
        latencies_ms=(50.0,) * requests,
    )


class FakeRequestLog(RequestLog):
    """Cloud Logging, as `counting` says it."""

    def __init__(self, counting: Counting = calm) -> None:
        self.counting = counting
        self.asked: list[tuple[Sides, datetime, datetime]] = []
        #: Of each that was asked: both sides, or one of them.
        self.only: list[Side | None] = []

    async def count(
        self, target: Target, sides: Sides, *, since: datetime, until: datetime, only: Side | None = None
    ) -> dict[Side, RequestCounts]:
        """See `RequestLog.count`."""
        self.asked.append((sides, since, until))
        self.only.append(only)
        present = [Side.STABLE, *([Side.CANARY] if sides.canary else [])]
        return {side: self.counting(side, since, until) for side in present if only in (None, side)}


#: Says what one side answered in the bucket that begins at a time; None: it could not be read.
Answering = Callable[[Side, datetime], Tally | None]


def healthy(side: Side, since: datetime) -> Tally:
    """Ninety answers of stable in each bucket and ten of the canary, all good and within 150 ms."""
    requests = 90 if side is Side.STABLE else 10
    return Tally(requests=requests, latencies=((150, requests),))


class FakeStream(RequestStream):
    """The request log as it comes in, `lag_seconds` late. `asked` holds every (since, until)."""

    def __init__(self, answering: Answering = healthy) -> None:
        self.answering = answering
        self.lag_seconds = 2.0
        self.live = True
        self.problem: str | None = None
        self.suppressed = self.late = self.twice = 0
        #: What `endpoints` answers, by service or revision.
        self.by_endpoint: dict[str, dict[str, Tally] | None] = {}
        self.asked: list[tuple[datetime, datetime]] = []

    async def buckets(self, target: Target, sides: Sides, *, since: datetime, until: datetime) -> BucketsRead:
        """See `RequestStream.buckets`."""
        self.asked.append((since, until))
        closed = []
        while since + BUCKET + timedelta(seconds=self.lag_seconds) <= until:
            closed.append(self._bucket(sides, since))
            since += BUCKET
        return BucketsRead(
            buckets=tuple(closed),
            live=self.live and not self.problem,
            lag_seconds=self.lag_seconds,
            suppressed=self.suppressed,
            late=self.late,
            twice=self.twice,
            problem=self.problem,
        )

    def _bucket(self, sides: Sides, since: datetime) -> Bucket:
        unreadable = self.problem is not None
        return Bucket(
            since=since,
            until=since + BUCKET,
            canary=None if unreadable or sides.canary is None else self.answering(Side.CANARY, since),
            stable=None if unreadable else self.answering(Side.STABLE, since),
        )

    async def endpoints(
        self, target: Target, side: SideAddress, *, since: datetime, until: datetime
    ) -> dict[str, Tally] | None:
        """See `RequestStream.endpoints`."""
        return None if self.problem else self.by_endpoint.get(side.revision or side.service, {})


class FakeLogs(LogReader):
    """Cloud Logging's lines: always the same ones. `asked` are the questions, as they came back."""

    def __init__(self, *lines: LogLine, problem: str | None = None) -> None:
        self.lines = lines
        self.problem = problem
        #: What `clients` answers, by revision or service; None where there is a problem.
        self.counted: dict[str, Clients] = {}
        self.asked: list[LogLines] = []

    async def entries(
        self, target: Target, written: str, *, limit: int, since: datetime, until: datetime
    ) -> LogLines:
        """See `LogReader.entries`."""
        lines = () if self.problem else self.lines[:limit]
        more = len(self.lines) > limit
        found = LogLines(
            lines=lines,
            filter=written,
            limit=limit,
            since=since,
            until=until,
            more=more,
            problem=self.problem,
        )
        self.asked.append(found)
        return found

    async def clients(
        self, target: Target, side: SideAddress, *, since: datetime, until: datetime
    ) -> Clients | None:
        """See `LogReader.clients`."""
        if self.problem:
            return None
        return self.counted.get(side.revision or side.service, Clients(seen=0, failed=0))


class FakeProber(Prober):
    """A health URL of which so many probes fail or are throttled."""

    def __init__(self, *, failures: int = 0, throttled: int = 0) -> None:
        self.failures = failures
        self.throttled = throttled
        self.urls: list[str] = []

    async def probe(
        self, url: str, side: Side, *, requests: int, pause_ms: int, timeout_seconds: float = 30.0
    ) -> ProbeResult:
        """See `Prober.probe`."""
        self.urls.append(url)
        well = requests - self.failures - self.throttled
        return ProbeResult(
            side=side,
            url=url,
            sent=requests,
            failures=self.failures,
            throttled=self.throttled,
            latencies_ms=(20.0,) * well,
            since=NOON,
            until=NOON,
        )


class FakeVault(Vault):
    """Evidence in memory. `down` says why it cannot be reached."""

    def __init__(self) -> None:
        self.contents: dict[str, bytes] = {}
        self.down: str | None = None

    async def put(self, place: str, content: bytes) -> None:
        """See `Vault.put`."""
        self._reach()
        self.contents[place] = content

    async def get(self, place: str) -> bytes:
        """See `Vault.get`."""
        self._reach()
        if place not in self.contents:
            raise NotKept(f"nothing is kept at {place}")
        return self.contents[place]

    async def drop(self, place: str) -> None:
        """See `Vault.drop`."""
        self._reach()
        self.contents.pop(place, None)

    def _reach(self) -> None:
        if self.down:
            raise VaultDown(self.down)


class FakePeople(People):
    """Slack's members. `silent` means that Slack cannot say."""

    def __init__(self, *people: Person) -> None:
        self.people = {person.id: person for person in people}
        self.groups = {DEVOPS: frozenset({LUBIT})}
        self.silent = False

    async def person(self, person: PersonId) -> Person:
        """See `People.person`."""
        if self.silent or person not in self.people:
            raise PeopleUnknown(person)
        return self.people[person]

    async def members(self, group: str) -> frozenset[PersonId]:
        """See `People.members`."""
        if self.silent:
            raise PeopleUnknown(group)
        return self.groups[group]

    async def home_team(self) -> str:
        """See `People.home_team`."""
        if self.silent:
            raise PeopleUnknown("home")
        return HOME

    async def home_url(self) -> str:
        """See `People.home_url`."""
        if self.silent:
            raise PeopleUnknown("home")
        return "https://home.slack.example/"


class FakePlaybooks(Playbooks):
    """A playbook without a file."""

    def __init__(self, playbook: Playbook | None = None) -> None:
        self.playbook = playbook or a_playbook()

    def current(self) -> Playbook:
        """See `Playbooks.current`."""
        return self.playbook


class FakeSteps(Steps):
    """Steps that are remembered by name, as they are across a crash, once `done` is kept."""

    def __init__(self, done: dict[str, Any] | None = None) -> None:
        self.done: dict[str, Any] = {} if done is None else done

    async def step(self, name: str, action: Callable[[], Awaitable[T]], *, into: type[T]) -> T:
        """See `Steps.step`."""
        adapter: TypeAdapter[T] = TypeAdapter(into)
        if name not in self.done:
            self.done[name] = adapter.dump_python(await action(), mode="json")
        return adapter.validate_python(self.done[name])

    async def sleep(self, seconds: float) -> None:
        """See `Steps.sleep`. Nothing to wait for."""
