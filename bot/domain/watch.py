"""Watching one deployment: from the canary's first traffic until it has all or none of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from bot.domain.bad_input import BadInput
from bot.domain.ids import PersonId, TargetName
from bot.domain.judge import JudgeState
from bot.domain.observation import BUCKET, Bucket, Point
from bot.domain.playbook import Thresholds
from bot.domain.readings import Reading
from bot.domain.traffic import Sides

#: How much of the past is kept for the picture and the sparklines.
KEPT_POINTS = 60
#: Stable is watched for so long after a rollback: the guide's checklist is verified by then.
AFTERWARDS_FOR = timedelta(minutes=15)
#: Closer watching after a caution. Source: guide, "When to decide what": once is caution, watch closely.
CLOSELY_FOR = timedelta(minutes=10)
#: A watch that has not looked for so long has lost its turn, such as one that broke off.
OVERDUE_AFTER = timedelta(seconds=90)
#: So much of the log before a watch began is read as well, but never from before the split was made.
READ_BACK = timedelta(seconds=60)
#: After the split was written, traffic needs about this long to follow.
SPLIT_TAKES = timedelta(seconds=10)


class WatchState(StrEnum):
    """Where a watch is."""

    WATCHING = "watching"
    #: The canary was rolled back; stable is watched for a while.
    AFTERWARDS = "afterwards"
    ENDED = "ended"


class EndedWhy(StrEnum):
    """Why a watch ended."""

    CANARY_HAS_ALL = "canary_has_all"
    CANARY_HAS_NONE = "canary_has_none"
    NEW_CANARY = "new_canary"
    BY_A_PERSON = "by_a_person"
    TARGET_GONE = "target_gone"


class WatchSource(StrEnum):
    """What the watch looks at."""

    REQUEST_LOG = "request_log"
    MONITORING = "monitoring"
    PROBE = "probe"
    CLOUD_RUN = "cloud_run"


@dataclass(frozen=True, kw_only=True)
class SourceState:
    """How one source is: when it last gave something (UTC), and its problem in one line, if it has one."""

    well_at: datetime | None = None
    problem: str | None = None
    lag_seconds: float = 0.0
    suppressed: int = 0
    live: bool = False


@dataclass(frozen=True, kw_only=True)
class CanarySeen:
    """A canary that has traffic: who it is, its share in percent, and whom it is compared with.

    `revision` tells this deployment from the next one. On topology ``revisions`` it is the canary itself;
    on ``services`` the canary's service keeps its name, and this is the revision it runs.
    """

    canary: str
    revision: str
    stable: str
    percent: int
    sides: Sides
    deployed_at: datetime | None = None
    split_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Carried:
    """What a watch remembers from tick to tick beside the judge's state.

    `tick` counts what was kept: of two who go on from the same one, only the first counts. `recent` are the
    newest buckets that could be read, `gauges_until` the end of the newest minute whose memory and CPU were
    judged. `failures` are the canary's failed probes in a row, the first at `failing_since`. `colours` are
    those of the last five-minute check, by side and metric. `lost` are the sources that were said to be
    lost, with since when. `bad` is the input that made no sense, by kind (`Ignored` or `BadEntry`).
    """

    revision: str = ""
    tick: int = 0
    recent: tuple[Bucket, ...] = ()
    gauges_until: datetime | None = None
    failures: int = 0
    failing_since: datetime | None = None
    colours: Mapping[str, str] = field(default_factory=dict)
    lost: Mapping[WatchSource, datetime] = field(default_factory=dict)
    bad: Mapping[str, BadInput] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Watch:
    """One target's watch; a new one takes the place of the last. `id` is the target's name.

    `number` counts a target's watches, `turn` the workflows of this one: whoever works with an older turn
    has been replaced and changes nothing. `looked_at` is when anything was last kept, `read_until` where the
    next bucket begins, `minutes_until` where the newest minute of Monitoring ended that was judged.
    `checked_at` is when the guide's five-minute check was last written down. `readings` are the best ones,
    one for each metric of each side; `official` are Cloud Monitoring's error rate and P95 where the request
    log's are better. All times are aware, UTC.
    """

    id: TargetName
    number: int
    state: WatchState
    created_at: datetime
    started_by: PersonId
    canary: str
    stable: str
    percent: int
    sides: Sides
    channel: str
    turn: int = 0
    deployed_at: datetime | None = None
    looked_at: datetime | None = None
    read_until: datetime | None = None
    minutes_until: datetime | None = None
    checked_at: datetime | None = None
    closely_until: datetime | None = None
    rolled_back_at: datetime | None = None
    ended_at: datetime | None = None
    ended_why: EndedWhy | None = None
    ended_by: PersonId | None = None
    alerts: int = 0
    judge: JudgeState = field(default_factory=JudgeState)
    readings: tuple[Reading, ...] = ()
    points: tuple[Point, ...] = ()
    sources: Mapping[WatchSource, SourceState] = field(default_factory=dict)
    official: tuple[Reading, ...] = ()
    carried: Carried = field(default_factory=Carried)

    @property
    def identity(self) -> str:
        """The deployment that is watched, by its revision; see `CanarySeen.revision`."""
        return self.carried.revision or self.canary

    @property
    def subject(self) -> str:
        """What its message is about: ``canary:3`` is the third watch of target ``canary``."""
        return f"{self.id}:{self.number}"

    @property
    def going_on(self) -> bool:
        """True until it has ended."""
        return self.state is not WatchState.ENDED

    def overdue(self, *, now: datetime) -> bool:
        """True when nobody seems to be at it. A clock that was put back counts as well."""
        return abs(now - (self.looked_at or self.created_at)) > OVERDUE_AFTER

    def closely(self, *, now: datetime) -> bool:
        """True while a caution asks for closer watching."""
        return self.closely_until is not None and now < self.closely_until


def watch_chain(subject: str) -> str:
    """Return the name of a watch's timeline; see `Watch.subject`."""
    return f"watch:{subject}"


def turn_id(watch: Watch) -> str:
    """Return the id of the workflow that has the watch's turn: it sorts, and is never used twice."""
    return f"{watch.id}:{watch.number:06d}:{watch.turn:08d}"


def whole_bucket(at: datetime) -> datetime:
    """Return the beginning of the bucket that `at` lies in; buckets begin at whole tens of seconds."""
    length = int(BUCKET.total_seconds())
    return datetime.fromtimestamp(int(at.timestamp()) // length * length, UTC)


def begun(
    target: TargetName, seen: CanarySeen, *, last: Watch | None, by: PersonId, channel: str, at: datetime
) -> Watch:
    """Return the watch of `seen` at its beginning; `last` is the target's watch before it."""
    since = at - READ_BACK
    if seen.split_at is not None:
        # Before the split nobody was meant to reach the canary: that is no silence of its own.
        since = min(max(since, seen.split_at + SPLIT_TAKES), at)
    return Watch(
        id=target,
        number=last.number + 1 if last else 1,
        state=WatchState.WATCHING,
        created_at=at,
        started_by=by,
        canary=seen.canary,
        stable=seen.stable,
        percent=seen.percent,
        sides=seen.sides,
        channel=channel,
        deployed_at=seen.deployed_at,
        looked_at=at,
        read_until=whole_bucket(since),
        checked_at=at,
        carried=Carried(revision=seen.revision),
    )


def ended(watch: Watch, why: EndedWhy, *, by: PersonId | None = None, at: datetime) -> Watch:
    """Return the watch at its end."""
    return replace(watch, state=WatchState.ENDED, ended_at=at, ended_why=why, ended_by=by)


def rolled_back(watch: Watch, *, at: datetime) -> Watch:
    """Return the watch of stable that follows a rollback; nothing of the canary is remembered for judging."""
    return replace(
        watch,
        state=WatchState.AFTERWARDS,
        percent=0,
        rolled_back_at=at,
        judge=JudgeState(revision=watch.canary),
        carried=replace(watch.carried, failures=0, failing_since=None),
    )


def what_became(watch: Watch, seen: CanarySeen | None, *, share: int | None) -> EndedWhy | None:
    """Say whether the canary that is watched still is one, by what Cloud Run shows.

    Args:
        watch: the watch that is going on.
        seen: the canary that has traffic now, None when there is none or it cannot be told.
        share: what the watched canary gets, percent; None when that cannot be told.
    """
    if seen is not None and (seen.canary, seen.revision) != (watch.canary, watch.identity):
        return EndedWhy.NEW_CANARY
    if share == 0:
        return EndedWhy.CANARY_HAS_NONE
    # Where a watch began with everything on the canary, all of it is no news.
    if share is not None and share >= 100 and watch.percent < 100:
        return EndedWhy.CANARY_HAS_ALL
    return None


def begins_by_itself(seen: CanarySeen, last: Watch | None) -> bool:
    """True when a canary that has traffic is to be watched without anybody asking.

    A deployment whose watch a person has ended, or that had everything already, is left alone.
    """
    if last is None or (last.canary, last.identity) != (seen.canary, seen.revision):
        return True
    if last.going_on:
        return False
    return last.ended_why not in (EndedWhy.BY_A_PERSON, EndedWhy.CANARY_HAS_ALL)


def due_check(watch: Watch, thresholds: Thresholds, *, now: datetime) -> bool:
    """True when the guide's five-minute check is to be written down again."""
    every = timedelta(minutes=thresholds.check_every_minutes)
    return abs(now - (watch.checked_at or watch.created_at)) >= every
