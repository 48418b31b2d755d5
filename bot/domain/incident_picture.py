"""What a picture of an incident shows, without its words: minutes around the deployment, and what happened.

Of the same facts it is always the same.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from bot.domain.alarm import AlarmKind
from bot.domain.alert import Alert
from bot.domain.incident import Incident
from bot.domain.last_hour import HOUR
from bot.domain.memory_trend import memory_trend
from bot.domain.observation import Point
from bot.domain.picture import MarkKind
from bot.domain.readings import Metric, Side
from bot.domain.rollback import Rollback, RollbackState

#: So much is shown of the time before the first mark, to compare with.
BEFORE = timedelta(minutes=10)
#: Less than this is not worth a picture's width.
SHORTEST = timedelta(minutes=15)
#: A picture that Slack takes late shows no more than this of what came afterwards.
AFTERWARDS = timedelta(minutes=2)
#: A line to full memory is not drawn further than this: nobody knows what will be then.
FORESEEN = timedelta(minutes=20)


class PictureMoment(StrEnum):
    """When a picture is posted: at a detection, with memory alone, or at a rollback's verdict."""

    DETECTION = "detection"
    MEMORY = "memory"
    VERDICT = "verdict"


@dataclass(frozen=True, kw_only=True)
class MemoryAhead:
    """A line through the canary's memory: percent at `at`, on to `last` at `until` (aware, UTC).

    `full_at` is when it reaches 100 %, where that is not after `until`.
    """

    at: datetime
    value: float
    until: datetime
    last: float
    full_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Scene:
    """What is drawn of an incident, from `since` to `until`; times are aware, UTC.

    `canary` and `stable` are revisions or services, empty where there is none. `marks` and `points` are
    oldest first. `shaded` is from a decision to its verdict. With `only` that metric fills the picture.
    """

    canary: str
    stable: str
    points: tuple[Point, ...]
    marks: tuple[tuple[datetime, MarkKind], ...]
    since: datetime
    until: datetime
    shaded: tuple[datetime, datetime] | None = None
    only: Metric | None = None
    ahead: MemoryAhead | None = None


def scene_of(
    incident: Incident,
    rollbacks: Sequence[Rollback],
    alerts: Iterable[Alert],
    points: Iterable[Point],
    *,
    until: datetime,
    canary: str = "",
    stable: str = "",
) -> Scene:
    """Return what is drawn of an incident up to `until` (aware, UTC).

    Args:
        rollbacks: the incident's, oldest first, as everything else of several.
        points: minutes of both sides; those outside of the picture are left out.
        until: the end of the picture.
        canary: how the canary is called where no rollback or alert says so.
        stable: the same of stable.
    """
    alerts = tuple(alerts)
    marks = tuple(mark for mark in marks_of(incident, rollbacks, alerts) if mark[0] <= until)
    since = _since(marks, until=until)
    names = names_of(rollbacks, alerts) or (canary, stable)
    return Scene(
        canary=names[0],
        stable=names[1],
        points=tuple(point for point in points if since <= point.at <= until),
        marks=tuple(mark for mark in marks if since <= mark[0]),
        since=since,
        until=until,
        shaded=_shaded(rollbacks, until=until),
    )


def marks_of(
    incident: Incident, rollbacks: Sequence[Rollback], alerts: Iterable[Alert]
) -> tuple[tuple[datetime, MarkKind], ...]:
    """Return what happened, oldest first: deployment, detection, decisions, and how they ended.

    The detection is the first alert, request, or report of the failure, as in the record.
    """
    deployed = incident.deployed_at or next((r.deployed_at for r in rollbacks if r.deployed_at), None)
    seen = [incident.opened_at, *(a.created_at for a in alerts), *(r.asked_at for r in rollbacks)]
    found = [(min(seen), MarkKind.DETECTED)]
    if deployed is not None:
        found.append((deployed, MarkKind.DEPLOYED))
    for rollback in rollbacks:
        if rollback.requested_at is None:
            continue
        found.append((rollback.requested_at, MarkKind.DECIDED))
        if rollback.ended_at is not None:
            found.append((rollback.ended_at, _end_of(rollback)))
    return tuple(sorted(found))


def _end_of(rollback: Rollback) -> MarkKind:
    return MarkKind.VERIFIED if rollback.state is RollbackState.VERIFIED else MarkKind.NOT_VERIFIED


def names_of(rollbacks: Sequence[Rollback], alerts: Sequence[Alert]) -> tuple[str, str] | None:
    """Return canary and stable as the newest rollback, or else the newest alert, calls them."""
    plans = [rollback.plan for rollback in rollbacks if rollback.plan is not None]
    if plans:
        return plans[-1].canary, plans[-1].stable
    return (alerts[-1].canary, alerts[-1].stable) if alerts else None


def _since(marks: Sequence[tuple[datetime, MarkKind]], *, until: datetime) -> datetime:
    first = min((at for at, _ in marks if at > until - HOUR), default=until - HOUR)
    return max(min(first - BEFORE, until - SHORTEST), until - HOUR)


def _shaded(rollbacks: Sequence[Rollback], *, until: datetime) -> tuple[datetime, datetime] | None:
    spans = [(r.requested_at, r.ended_at) for r in rollbacks if r.requested_at is not None]
    if not spans:
        return None
    decided, ended = spans[-1]
    assert decided is not None
    return (decided, min(ended or until, until)) if decided < until else None


def of_memory(scene: Scene, *, red: float) -> Scene:
    """Return the scene with memory alone, and where the canary's is heading if it surely rises.

    `red` is the line, percent, that the trend is measured against; see `bot.domain.memory_trend`.
    """
    samples = [
        (point.at, point.side(Side.CANARY).memory)
        for point in scene.points
        if point.side(Side.CANARY).memory is not None
    ]
    if not samples:
        return replace(scene, only=Metric.MEMORY)
    newest = samples[-1][0]
    trend = memory_trend([(at.timestamp(), memory) for at, memory in samples if memory is not None], red=red)
    if trend is None or not trend.rises_surely or trend.seconds_to_full is None:
        return replace(scene, only=Metric.MEMORY)
    full_after = timedelta(seconds=trend.seconds_to_full)
    length = min(full_after, FORESEEN)
    ahead = MemoryAhead(
        at=newest,
        value=trend.fitted,
        until=newest + length,
        last=min(trend.fitted + trend.per_minute * length / timedelta(minutes=1), 100.0),
        full_at=newest + full_after if full_after <= FORESEEN else None,
    )
    return replace(scene, only=Metric.MEMORY, ahead=ahead)


def is_about_memory(alert: Alert) -> bool:
    """True for an alert of memory that fills up."""
    return AlarmKind.MEMORY_EXPLOSION.value in alert.kinds


def end_of_detection(alert: Alert, *, now: datetime) -> datetime:
    """Return where the picture of a detection ends."""
    return min(now, alert.created_at + AFTERWARDS)


def end_of_verdict(rollback: Rollback, *, now: datetime) -> datetime:
    """Return where the picture of a verdict ends."""
    return min(now, (rollback.ended_at or now) + AFTERWARDS)
