"""What the use-cases need from the world, in their own words. Adapters keep these promises."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol, TypeVar

from bot.domain.ids import ChannelId, IncidentNumber, PersonId, RollbackId, TargetName
from bot.domain.incident import Incident
from bot.domain.people import Person
from bot.domain.playbook import Playbook, Target
from bot.domain.readings import ProbeResult, Reading, RequestCounts, Side
from bot.domain.rollback import Rollback, Write
from bot.domain.timeline import Entry, Event
from bot.domain.traffic import Sides, TargetState

T = TypeVar("T")


class Clock(Protocol):
    """Tells the time."""

    def __call__(self) -> datetime:
        """Return now, aware, UTC."""


class Cloud(Protocol):
    """Cloud Run. Every method raises `CloudFault` and nothing else when Google does not oblige."""

    async def look(self, target: Target) -> TargetState:
        """Return the services of `target` as they are now, with the revisions of `switch`.

        On topology ``services`` a canary service that does not exist is None in the answer; a
        missing router or stable service raises `CloudFault` (NOT_FOUND).
        """

    async def write(self, target: Target, write: Write, *, state: TargetState) -> None:
        """Send one minimal `UpdateService` and return once Google has accepted it.

        Does not wait for it to take effect and does not retry. `state` is what was just read; its
        etag goes along. Refuses (ValueError) whatever does not add to 100 % or names LATEST.
        """

    async def missing_permissions(self, target: Target) -> frozenset[str]:
        """Return those of ``run.services.get`` and ``run.services.update`` that we do not hold."""


class Metrics(Protocol):
    """Cloud Monitoring: the official numbers, minutes late."""

    async def read(self, target: Target, sides: Sides, *, now: datetime) -> tuple[Reading, ...]:
        """Return the newest aligned minute of every metric for each side in `sides`, never raising.

        Always one reading for each metric of each side. A source that fails or holds nothing is a
        reading without a value (see `Reading.problem`); its window is the one that was asked for.
        """


class RequestLog(Protocol):
    """Cloud Logging's request log: real users, seconds late."""

    async def count(
        self, target: Target, sides: Sides, *, since: datetime, until: datetime
    ) -> dict[Side, RequestCounts]:
        """Return what each side in `sides` answered in the window, never raising.

        A log that could not be read is an entry with `RequestCounts.problem`.
        """


class Prober(Protocol):
    """Asks a service's health URL itself."""

    async def probe(self, url: str, side: Side, *, requests: int, pause_ms: int) -> ProbeResult:
        """Send `requests` GETs one after another, 30 s time-out each, never raising.

        Follows no redirects and reads at most 64 KiB of an answer.
        """


class PeopleUnknown(Exception):
    """Slack could not be asked who somebody is, so nobody may act on production by it."""


class People(Protocol):
    """Who people are, by Slack. Answers may be up to 60 s old."""

    async def person(self, person: PersonId) -> Person:
        """Return the member. Raises `PeopleUnknown` when Slack cannot say."""

    async def members(self, group: str) -> frozenset[PersonId]:
        """Return a user group's members. Raises `PeopleUnknown` when Slack cannot say."""

    async def home_team(self) -> str:
        """Return our own workspace's id. Raises `PeopleUnknown` when Slack cannot say."""


class Playbooks(Protocol):
    """The playbook in force; the last good one while the file is broken."""

    def current(self) -> Playbook:
        """Return the newest playbook that could be read."""


class Workflow(StrEnum):
    """The durable workflows, by the name their id begins with."""

    PREPARE = "prepare"
    DECIDE = "decide"
    ROLLBACK = "rollback"
    COMPLETE_RECORD = "complete_record"
    STATUS = "status"
    CLOSE = "close"
    POST = "post"


class Said(StrEnum):
    """What a notice says; the views choose the words."""

    REFUSED = "refused"
    NOTHING_TO_ROLL_BACK = "nothing_to_roll_back"
    ALREADY_DECIDED = "already_decided"
    ALREADY_RUNNING = "already_running"
    CARD_EXPIRED = "card_expired"
    STATUS = "status"
    INCIDENT_CLOSED = "incident_closed"
    NO_SUCH_INCIDENT = "no_such_incident"
    STILL_RUNNING = "still_running"
    RECORD_SAVED = "record_saved"
    FAULT = "fault"
    BROKEN = "broken"


@dataclass(frozen=True, kw_only=True)
class Notice:
    """A line to one person, only visible to them: `what` names the words, `facts` (JSON) fill them."""

    what: Said
    person: PersonId
    channel: ChannelId
    facts: Mapping[str, Any]


class Showing(StrEnum):
    """What a message shows; it is rendered from stored facts each time it is sent."""

    ROLLBACK = "rollback"
    BOARD = "board"
    LOG = "log"
    RECORD = "record"
    RECORD_FILE = "record_file"
    NOTICE = "notice"


class Transaction(Protocol):
    """Everything that can be read and changed within one transaction.

    Reads of a rollback or an incident lock it until the end of the transaction.
    """

    def first_time(self, key: str, *, at: datetime) -> bool:
        """Remember a request by its key; False when it was remembered before."""

    def start(self, workflow: Workflow, id: str, /, **arguments: str) -> None:
        """Start a workflow when this transaction commits; the same id again starts nothing."""

    def add_rollback(self, rollback: Rollback) -> None:
        """Store a new rollback."""

    def rollback(self, id: RollbackId) -> Rollback:
        """Return and lock a rollback. Raises `NotKept` when there is none."""

    def save_rollback(self, rollback: Rollback) -> None:
        """Store its new state. Raises `TargetBusy` when another one is running on its target."""

    def running_rollback(self, target: TargetName) -> Rollback | None:
        """Return the rollback that holds `target` now."""

    def last_rollback(self, target: TargetName) -> Rollback | None:
        """Return the newest rollback of `target` that wrote or tried to."""

    def rollbacks_of(self, incident: IncidentNumber) -> tuple[Rollback, ...]:
        """Return an incident's rollbacks, oldest first."""

    def add_incident(self, incident: Incident) -> Incident:
        """Store a new incident; its number is given by the database and returned."""

    def incident(self, number: IncidentNumber) -> Incident:
        """Return and lock an incident. Raises `NotKept` when there is none."""

    def save_incident(self, incident: Incident) -> None:
        """Store its new state."""

    def open_incident(self, target: TargetName) -> Incident | None:
        """Return the open incident of `target`."""

    def incidents(self, *, limit: int) -> tuple[Incident, ...]:
        """Return incidents, newest first."""

    def write_down(
        self, chain: str, event: Event, *, key: str, at: datetime, actor: str, **facts: Any
    ) -> int | None:
        """Append to a timeline and return the line's sequence; None when the key was there already."""

    def timeline(self, chain: str) -> tuple[Entry, ...]:
        """Return a timeline in order."""

    def names(self) -> dict[PersonId, str]:
        """Return the names of everyone ever asked about, by id."""

    def show(self, what: Showing, subject: str, *, channel: ChannelId, under: str | None = None) -> None:
        """Send a message once committed, or edit it where it was sent before.

        Args:
            what: which view.
            subject: the id of what is shown; with `what` it is the message's key.
            channel: where it goes the first time.
            under: key of the message whose thread it belongs in, such as ``board:12``.
        """

    def resend_unsent(self) -> None:
        """Send what was written while nobody could send it, such as rollbacks without a Slack token."""

    def tell(self, notice: Notice, *, key: str) -> None:
        """Send a line to one person once committed; the same key again sends nothing."""


class NotKept(LookupError):
    """Nothing is stored under that id."""


class TargetBusy(Exception):
    """Another rollback is running on the same target."""


class Store(Protocol):
    """The database. Raises `StoreDown` when it cannot be reached."""

    async def change(self, work: Callable[[Transaction], T]) -> T:
        """Run `work` in one transaction and commit. It may run more than once: keep it pure."""

    async def look(self, work: Callable[[Transaction], T]) -> T:
        """Run `work` for reading only."""


class StoreDown(Exception):
    """The database cannot be reached: nothing may be done that could not be recorded."""


class Steps(Protocol):
    """A workflow's own thread: what was done is remembered across a crash."""

    async def step(self, name: str, action: Callable[[], Awaitable[T]], *, into: type[T]) -> T:
        """Run `action` and remember its result; after a crash the remembered result is returned.

        An action runs at least once: it reads the world first and acts only if still needed.
        """

    async def sleep(self, seconds: float) -> None:
        """Wait; after a crash only the rest of the time."""
