"""What the use-cases need from the world, in their own words. Adapters keep these promises."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol, TypeVar

from bot.domain.alert import Alert
from bot.domain.announcement import Announcement, NoticeFacts
from bot.domain.automatics import Automatics
from bot.domain.change import Change, ChangeWrite
from bot.domain.configuration import Configuration
from bot.domain.confirmation import Confirmation
from bot.domain.document import Document
from bot.domain.drill import Drill
from bot.domain.edition import Edition
from bot.domain.exhibit import Exhibit
from bot.domain.first_reading import Clients
from bot.domain.follow_up import FollowUp
from bot.domain.guide import Backups, NoticePlan
from bot.domain.ids import ChangeId, ChannelId, IncidentNumber, PersonId, RollbackId, TargetName
from bot.domain.incident import Incident
from bot.domain.incident_search import Search
from bot.domain.last_hour import LastHour
from bot.domain.last_seen import LastSeen
from bot.domain.log_lines import LogLines
from bot.domain.looking_back import Past, Report
from bot.domain.observation import BucketsRead, MinutesRead, Tally
from bot.domain.paging import Page
from bot.domain.people import Person
from bot.domain.picture import Picture, StatsPicture
from bot.domain.playbook import Playbook, Target, Thresholds
from bot.domain.post_mortem import PostMortem
from bot.domain.readings import ProbeResult, Reading, RequestCounts, Side
from bot.domain.rollback import Rollback
from bot.domain.snapshot import Snapshot
from bot.domain.timeline import Entry, Event
from bot.domain.traffic import SideAddress, Sides, TargetState
from bot.domain.watch import Watch

T = TypeVar("T")
#: What is simply kept by its id; see `Transaction.keep`.
K = TypeVar(
    "K",
    Alert,
    Announcement,
    Automatics,
    Confirmation,
    Drill,
    Edition,
    Exhibit,
    FollowUp,
    LastSeen,
    Page,
    PostMortem,
    Snapshot,
    Watch,
)


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

    async def write(self, target: Target, write: ChangeWrite, *, state: TargetState) -> None:
        """Send one minimal `UpdateService` and return once Google has accepted it.

        Does not wait for it to take effect and does not retry. `state` is what was just read; its
        etag goes along. Refuses (ValueError) whatever does not add to 100 % or names LATEST.
        """

    async def dry_run(self, target: Target, write: ChangeWrite, *, state: TargetState) -> None:
        """Let Google check the very `UpdateService` that `write` would send, changing nothing."""

    async def missing_permissions(self, target: Target) -> frozenset[str]:
        """Return those of ``run.services.get`` and ``run.services.update`` that we do not hold."""

    async def configuration(self, target: Target, side: SideAddress) -> Configuration:
        """Return how one side is configured: its revision, or the newest one of its service."""


class Metrics(Protocol):
    """Cloud Monitoring: the official numbers, minutes late."""

    async def read(self, target: Target, sides: Sides, *, now: datetime) -> tuple[Reading, ...]:
        """Return the newest aligned minute of every metric for each side in `sides`, never raising.

        Always one reading for each metric of each side. A source that fails or holds nothing is a
        reading without a value (see `Reading.problem`); its window is the one that was asked for.
        """

    async def minutes(self, target: Target, *, since: datetime, until: datetime) -> MinutesRead:
        """Return every whole minute in ``since`` < t <= ``until`` of each revision of the target's service.

        On topology ``services`` of stable's and the canary's service instead. At most six weeks back.
        Never raises: see `MinutesRead.problem`.
        """


class RequestLog(Protocol):
    """Cloud Logging's request log: real users, seconds late."""

    async def count(
        self, target: Target, sides: Sides, *, since: datetime, until: datetime, only: Side | None = None
    ) -> dict[Side, RequestCounts]:
        """Return what each side in `sides`, or `only` one of them, answered in the window, never raising.

        A log that could not be read is an entry with `RequestCounts.problem`.
        """


class RequestStream(Protocol):
    """Cloud Logging's request log as it comes in, seconds late."""

    async def buckets(self, target: Target, sides: Sides, *, since: datetime, until: datetime) -> BucketsRead:
        """Return every bucket of `BUCKET` from `since` on that has ended and is closed by `until`.

        A bucket is closed once nothing more is expected for it, as late as entries come at present.
        `since` is a whole bucket's beginning. What the open stream has missed is listed instead, so
        nothing is lost over a restart; no further back than a quarter of an hour. A bucket that cannot
        be read is held back for 20 s, in case it can be, with the problem said at once; after that its
        sides are None. Probes of our own are not counted. Never raises.
        """

    async def endpoints(
        self, target: Target, side: SideAddress, *, since: datetime, until: datetime
    ) -> dict[str, Tally] | None:
        """Return what each endpoint (method and path without query or ids) of a side answered.

        None when the log could not be read.
        """


class LogReader(Protocol):
    """Cloud Logging's lines, as somebody who looks for a cause reads them."""

    async def entries(
        self, target: Target, written: str, *, limit: int, since: datetime, until: datetime
    ) -> LogLines:
        """Return the newest `limit` entries in ``since`` <= t < ``until`` that the filter lets through.

        `written` is in Cloud Logging's filter language. Never raises: see `LogLines.problem`.
        """

    async def clients(
        self, target: Target, side: SideAddress, *, since: datetime, until: datetime
    ) -> Clients | None:
        """Count the distinct clients that a side answered; None when the log could not be read.

        None too behind a router: what the log shows there is the router's address. Addresses are counted
        and forgotten, never kept. Probes of our own are not counted.
        """


class Prober(Protocol):
    """Asks a service's health URL itself."""

    async def probe(
        self, url: str, side: Side, *, requests: int, pause_ms: int, timeout_seconds: float = 30.0
    ) -> ProbeResult:
        """Send `requests` GETs one after another, `timeout_seconds` each, never raising.

        Follows no redirects and reads at most 64 KiB of an answer.
        """


class Charts(Protocol):
    """Draws pictures, somewhere where it holds nobody up."""

    async def draw(self, picture: Picture | StatsPicture) -> bytes:
        """Return a PNG; the same picture makes the same bytes.

        Raises `NotDrawn`; `NoLetters` where a text has letters that no font has.
        """


class Printer(Protocol):
    """Prints documents, somewhere where it holds nobody up."""

    async def pdf(self, document: Document) -> bytes:
        """Return a PDF; the same document makes the same bytes. Raises `NotDrawn`."""


class NotDrawn(Exception):
    """A picture could not be drawn; what it shows is said in words all the same."""


class NoLetters(NotDrawn):
    """No font here has the letters of the picture's texts."""


class Pictures(Protocol):
    """Pictures that are kept in Slack without being shown anywhere by themselves."""

    async def upload(self, hour: LastHour, thresholds: Thresholds, *, person: PersonId) -> str:
        """Draw `hour` for `person` to read and return the file's id. Raises `NotDrawn`."""

    async def upload_stats(self, report: Report, *, person: PersonId) -> str:
        """Draw what looking back found for `person` and return the file's id. Raises `NotDrawn`."""


class VaultDown(Exception):
    """Evidence can neither be put nor got at present; the message says where and why."""


class Vault(Protocol):
    """Where the contents of evidence are kept, by `Exhibit.place`.

    Where that is the database, everything raises `StoreDown` in place of `VaultDown`.
    """

    async def put(self, place: str, content: bytes) -> None:
        """Keep `content` under `place`, in place of what was there. Raises `VaultDown`."""

    async def get(self, place: str) -> bytes:
        """Return what is kept there. Raises `NotKept`, `VaultDown`."""

    async def drop(self, place: str) -> None:
        """Forget what is kept there; nothing happens where there is nothing. Raises `VaultDown`."""


class Canvases(Protocol):
    """Slack's canvases, where the workspace allows them."""

    async def put(self, title: str, markdown: str, *, channel: ChannelId, canvas: str) -> str:
        """Write a canvas anew, `canvas` or a new one; return its id, empty where Slack does not let us.

        Never raises.
        """


@dataclass(frozen=True, kw_only=True)
class RecordFile:
    """One file of the failure record; `problem` says why there is no `content`."""

    name: str
    content: bytes = b""
    problem: str | None = None


@dataclass(frozen=True, kw_only=True)
class RenderedRecord:
    """One edition of the failure record, ready to be kept and posted.

    `head` is that of the timeline it was made from.
    """

    head: str
    files: tuple[RecordFile, ...]


class Records(Protocol):
    """Renders failure records from what is stored: the same rows make the same bytes."""

    async def render(self, number: IncidentNumber, edition: int) -> RenderedRecord:
        """Return the record as it stands now, under the name of `edition`. Raises `NotKept`."""

    async def canvas(self, number: IncidentNumber) -> tuple[str, str]:
        """Return title and Markdown of a canvas with the record as it stands now. Raises `NotKept`."""


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

    async def home_url(self) -> str:
        """Return our own workspace's address. Raises `PeopleUnknown` when Slack cannot say."""


@dataclass(frozen=True, kw_only=True)
class Written:
    """A message somebody wrote. `author` is a person's id, or a bot's name; `text` as Slack keeps it.

    `files` are their names with their addresses in Slack; `thread` is the thread's first message,
    None for a message in no thread. `link` is its permalink, empty where Slack gave none. `redacted`
    says how many secrets and personal data were replaced in text and names.
    """

    channel: ChannelId
    ts: str
    author: str
    text: str
    at: datetime
    files: tuple[tuple[str, str], ...] = ()
    thread: str | None = None
    link: str = ""
    redacted: int = 0


class MessageUnreadable(Exception):
    """Slack does not let us read a message, with its own word for why."""


class Messages(Protocol):
    """Messages that people wrote in Slack."""

    async def message(self, channel: ChannelId, ts: str) -> Written:
        """Return one message. Raises `MessageUnreadable`."""

    async def link(self, channel: ChannelId, ts: str) -> str:
        """Return a message's permalink; empty where Slack gives none."""


class BadTemplate(Exception):
    """A template that cannot be filled in: it is missing, or asks for what nobody knows."""


class NoticeTexts(Protocol):
    """The texts for people, before anybody has edited them."""

    def written(self, facts: NoticeFacts, locale: str) -> str:
        """Return the notice of `facts.plan` filled in, raw. Raises `BadTemplate`."""

    def try_all(self, plan: NoticePlan, playbook: Playbook) -> None:
        """Fill the notice in with samples in every language. Raises `BadTemplate`."""


class Channels(Protocol):
    """Slack's channels, as far as we can see them."""

    async def missing(self, names: frozenset[str]) -> frozenset[str]:
        """Return those of `names` (``#name`` or id) that do not exist or are archived.

        Raises `PeopleUnknown` when Slack cannot say.
        """


class BackupUnknown(Exception):
    """Nobody could say when the newest backup was made; the message says why."""


class BackupAge(Protocol):
    """When the newest backup was made."""

    async def newest(self, where: Backups) -> datetime:
        """Ask the configured command or page (aware, UTC). Raises `BackupUnknown`."""


class Playbooks(Protocol):
    """The playbook in force; the last good one while the file is broken."""

    def current(self) -> Playbook:
        """Return the newest playbook that could be read."""


class Workflow(StrEnum):
    """The durable workflows, by the name their id begins with."""

    PREPARE = "prepare"
    DECIDE = "decide"
    ROLLBACK = "rollback"
    PREPARE_CHANGE = "prepare_change"
    DECIDE_CHANGE = "decide_change"
    CHANGE = "change"
    COMPLETE_RECORD = "complete_record"
    STATUS = "status"
    ACT = "act"
    DECLARE = "declare"
    ADD_MESSAGE = "add_message"
    LOOK = "look"
    TICK = "tick"
    WATCH_CHECKLIST = "watch_checklist"
    REMIND_CHECKLIST = "remind_checklist"
    PAGE = "page"
    FOLLOW_UP = "follow_up"
    REMIND_UPDATE = "remind_update"
    HOME = "home"
    HOMES = "homes"
    READINESS = "readiness"
    CONFIRM = "confirm"
    SCOUT = "scout"
    WATCH = "watch"
    ASK_WATCH = "ask_watch"
    ANSWER_ALERT = "answer_alert"
    FIRE = "fire"
    FIND_ANSWERS = "find_answers"
    ARM = "arm"
    CANARY_LOOK = "canary_look"
    COLLECT = "collect"
    PUBLISH = "publish"
    RETIRE = "retire"
    POST_MORTEM = "post_mortem"
    PICTURE = "picture"
    STATS = "stats"
    POST = "post"


class Said(StrEnum):
    """What a notice says; the views choose the words."""

    REFUSED = "refused"
    NOTHING_TO_ROLL_BACK = "nothing_to_roll_back"
    ALREADY_DECIDED = "already_decided"
    ALREADY_RUNNING = "already_running"
    CARD_EXPIRED = "card_expired"
    CHANGE_DECIDED = "change_decided"
    CHANGE_RUNNING = "change_running"
    CHANGE_EXPIRED = "change_expired"
    STATUS = "status"
    INCIDENT_CLOSED = "incident_closed"
    ALREADY_CLOSED = "already_closed"
    NO_SUCH_INCIDENT = "no_such_incident"
    STILL_RUNNING = "still_running"
    DECLARED = "declared"
    JOINED_OPEN = "joined_open"
    NOT_ONE_OF_US = "not_one_of_us"
    COMMAND_IS_YOURS = "command_is_yours"
    COMMAND_ELSEWHERE = "command_elsewhere"
    COMMAND_TAKEN = "command_taken"
    COMMAND_GIVEN = "command_given"
    ROLE_AS_IT_IS = "role_as_it_is"
    ROLE_TAKEN = "role_taken"
    AS_IT_IS = "as_it_is"
    NO_SUCH_SCENARIO = "no_such_scenario"
    NOTED = "noted"
    NOTED_BEFORE = "noted_before"
    NO_SUCH_LINE = "no_such_line"
    WHICH_INCIDENT = "which_incident"
    MESSAGE_UNREADABLE = "message_unreadable"
    EXPORTED = "exported"
    CANNOT_JOIN = "cannot_join"
    NEEDED_TO_CLOSE = "needed_to_close"
    IS_OPEN = "is_open"
    TOO_LATE_TO_REOPEN = "too_late_to_reopen"
    OTHER_IS_OPEN = "other_is_open"
    WAS_JOINED = "was_joined"
    REOPENED = "reopened"
    SAFETY_FIRST = "safety_first"
    HELD_BACK = "held_back"
    OLDER_STATE = "older_state"
    ANSWERED_MEANWHILE = "answered_meanwhile"
    STEP_STANDS = "step_stands"
    BY_HAND = "by_hand"
    RECORD_SAVED = "record_saved"
    STEP_FASTER = "step_faster"
    STEP_CHANGED = "step_changed"
    STEP_WHY_NEEDED = "step_why_needed"
    STEP_TAKEN = "step_taken"
    NO_SUCH_STEP = "no_such_step"
    PAGED = "paged"
    PAGED_BEFORE = "paged_before"
    PAGE_NOBODY = "page_nobody"
    PAGE_YOURS = "page_yours"
    PAGE_TAKEN = "page_taken"
    PAGE_ENDED = "page_ended"
    FOLLOW_UPS = "follow_ups"
    FOLLOW_UP_SAVED = "follow_up_saved"
    FOLLOW_UP_STANDS = "follow_up_stands"
    FOLLOW_UP_GIVEN = "follow_up_given"
    FOLLOW_UP_DUE = "follow_up_due"
    NO_SUCH_NOTICE = "no_such_notice"
    PLACEHOLDER_LEFT = "placeholder_left"
    ANNOUNCEMENT_WAITS = "announcement_waits"
    ANNOUNCEMENT_POSTED = "announcement_posted"
    ANNOUNCEMENT_DECIDED = "announcement_decided"
    ANNOUNCEMENT_CHANGED = "announcement_changed"
    ANNOUNCEMENT_KEPT = "announcement_kept"
    NOT_YOUR_OWN = "not_your_own"
    CHANNEL_REFUSED = "channel_refused"
    READINESS = "readiness"
    POINT_CONFIRMED = "point_confirmed"
    WATCH_BEGUN = "watch_begun"
    WATCHED_ALREADY = "watched_already"
    WATCH_ENDED = "watch_ended"
    NOT_WATCHED = "not_watched"
    NO_CANARY = "no_canary"
    ALERT_ANSWERED = "alert_answered"
    ALERT_DECIDED = "alert_decided"
    AUTOMATICS_HELD = "automatics_held"
    BACK_TEST = "back_test"
    AUTOMATICS = "automatics"
    CANARY_FINDING = "canary_finding"
    PICTURE = "picture"
    STATS = "stats"
    EVIDENCE_ASKED = "evidence_asked"
    MEETING_SET = "meeting_set"
    MEETING_STANDS = "meeting_stands"
    MEETING_DUE = "meeting_due"
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
    CHANGE = "change"
    BOARD = "board"
    DIAGNOSIS = "diagnosis"
    CHECKLIST = "checklist"
    LOG = "log"
    FINDING = "finding"
    APPROVAL = "approval"
    ANNOUNCEMENT = "announcement"
    UPDATE_DUE = "update_due"
    HOME = "home"
    RECORD = "record"
    RECORD_FILE = "record_file"
    TIMELINE_FILE = "timeline_file"
    CLOSED = "closed"
    PAGE = "page"
    PAGE_END = "page_end"
    FOLLOW_UPS = "follow_ups"
    FOLLOW_UP_DUE = "follow_up_due"
    WATCH = "watch"
    WATCH_LOG = "watch_log"
    ALERT = "alert"
    EXHIBITS = "exhibits"
    FIRST_READING = "first_reading"
    REVIEW = "review"
    INCIDENT_PICTURE = "incident_picture"
    POST_MORTEM = "post_mortem"
    POST_MORTEM_FILE = "post_mortem_file"
    STATS = "stats"
    STATS_FILE = "stats_file"
    SCOREBOARD = "scoreboard"
    NOTICE = "notice"


class Transaction(Protocol):
    """Everything that can be read and changed within one transaction.

    Reads of a rollback or an incident lock it until the end of the transaction, except where the
    transaction is for reading only (`Store.look`): that locks nothing and sees one moment of everything.
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

    def add_change(self, change: Change) -> None:
        """Store a new change of a canary."""

    def change(self, id: ChangeId) -> Change:
        """Return and lock a change. Raises `NotKept` when there is none."""

    def save_change(self, change: Change) -> None:
        """Store its new state. Raises `TargetBusy` when another one is running on its target."""

    def running_change(self, target: TargetName) -> Change | None:
        """Return the change that holds `target` now."""

    def changes_of(self, incident: IncidentNumber) -> tuple[Change, ...]:
        """Return an incident's changes, oldest first."""

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

    def search_incidents(
        self, search: Search, *, limit: int, offset: int = 0
    ) -> tuple[tuple[Incident, ...], int]:
        """Return those that are looked for, newest first, `limit` of them from `offset` on; and how many
        there are. `Search.by` is a person's id here. See `bot.domain.incident_search.matches`.
        """

    def past(self, *, since: datetime, until: datetime) -> Past:
        """Return at least everything that counts in ``since`` <= t < ``until`` (aware, UTC), unlocked."""

    def open_incidents(self) -> tuple[Incident, ...]:
        """Return every open incident, oldest first, without locking them."""

    def keep(self, value: K) -> None:
        """Store a value under its id, new or in place of the older one."""

    def kept(self, what: type[K], id: str) -> K:
        """Return and lock what is stored under `id`. Raises `NotKept` when there is none."""

    def find(self, what: type[K], **where: Any) -> tuple[K, ...]:
        """Return every value whose fields equal `where` (a tuple: one of them), oldest first."""

    def wake(self, workflow: Workflow, id: str, /, *, at: datetime, **arguments: str) -> None:
        """Start a workflow at `at` (aware, UTC) or soon after; the same id again moves the time."""

    def let_sleep(self, workflow: Workflow, id: str, /) -> None:
        """Do not wake it after all; nothing happens when it is not waiting."""

    def anything_due(self, at: datetime) -> bool:
        """True when a workflow should have been woken by `at`."""

    def wake_due(self, at: datetime) -> int:
        """Start every workflow that is due, each by one process only; return how many."""

    def write_down(
        self, chain: str, event: Event, *, key: str, at: datetime, actor: str, **facts: Any
    ) -> int | None:
        """Append to a timeline and return the line's sequence; None when the key was there already."""

    def timeline(self, chain: str) -> tuple[Entry, ...]:
        """Return a timeline in order."""

    def chain_head(self, chain: str) -> tuple[int, str]:
        """Return how long a timeline says it is, and its head's hash, apart from its lines."""

    def expired_exhibits(self, before: datetime) -> tuple[Exhibit, ...]:
        """Return the files of evidence made before then whose content is still kept, and not for good."""

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

    def refresh_homes(self, number: IncidentNumber) -> None:
        """Render anew, about a second after the commit, each Home that was opened within the last hour."""

    def standing(self, key: str) -> tuple[ChannelId, str] | None:
        """Return channel and ts of the message with that key, such as ``board:12``; None before its post."""

    def message_at(self, channel: ChannelId, ts: str) -> str | None:
        """Return the key of our message that stands there, None when it is not ours."""

    def resend_unsent(self) -> None:
        """Send what was written while nobody could send it, such as rollbacks without a Slack token."""

    def tell(self, notice: Notice, *, key: str) -> None:
        """Send a line to one person once committed; the same key again sends nothing."""


class NotKept(LookupError):
    """Nothing is stored under that id."""


class TargetBusy(Exception):
    """Another rollback, or another change, is running on the same target."""


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
