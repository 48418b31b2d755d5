"""The last hour of a target, minute by minute, from its watch or Cloud Monitoring: what a picture shows."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from bot.domain.ids import TargetName
from bot.domain.observation import Minute, MinutesRead, Point, SideValues, minute_by_minute
from bot.domain.watch import Watch

HOUR = timedelta(minutes=60)


class Happened(StrEnum):
    """What is marked in a picture."""

    DEPLOYED = "deployed"
    ROLLED_BACK = "rolled_back"


@dataclass(frozen=True, kw_only=True)
class LastHour:
    """Both sides' numbers of the hour before `until` (aware, UTC), oldest first, and what happened in it.

    `canary` and `stable` are revisions or services; `canary` is empty where there is none.
    """

    target: TargetName
    canary: str
    stable: str
    until: datetime
    points: tuple[Point, ...] = ()
    happened: tuple[tuple[datetime, Happened], ...] = ()


def hour_of_watch(watch: Watch, *, until: datetime) -> LastHour:
    """Return what the watch has kept of the hour before `until`."""
    return LastHour(
        target=watch.id,
        canary=watch.canary,
        stable=watch.stable,
        until=until,
        points=tuple(point for point in watch.points if until - HOUR <= point.at <= until),
        happened=_marks(until, deployed_at=watch.deployed_at, rolled_back_at=watch.rolled_back_at),
    )


def hour_of_minutes(
    target: TargetName,
    read: MinutesRead,
    *,
    canary: str,
    stable: str,
    until: datetime,
    deployed_at: datetime | None = None,
) -> LastHour:
    """Return the hour before `until` as Cloud Monitoring holds it; `canary` may be empty."""
    sides = [{minute.until: minute for minute in read.of(name)} if name else {} for name in (canary, stable)]
    times = sorted(at for at in {*sides[0], *sides[1]} if until - HOUR <= at <= until)
    points = (
        Point(at=at, canary=_values(sides[0].get(at)), stable=_values(sides[1].get(at))) for at in times
    )
    return LastHour(
        target=target,
        canary=canary,
        stable=stable,
        until=until,
        points=tuple(points),
        happened=_marks(until, deployed_at=deployed_at, rolled_back_at=None),
    )


def is_whole(hour: LastHour) -> bool:
    """True when it goes back to the hour's beginning: its oldest minute is at most five younger."""
    return bool(hour.points) and hour.points[0].at <= hour.until - HOUR + timedelta(minutes=5)


def completed(hour: LastHour, read: MinutesRead) -> LastHour:
    """Return `hour` with Cloud Monitoring's numbers wherever it has none, such as from before its watch."""
    official = hour_of_minutes(
        hour.target, read, canary=hour.canary, stable=hour.stable, until=hour.until
    ).points
    return replace(hour, points=minute_by_minute((*official, *hour.points)))


def _values(minute: Minute | None) -> SideValues:
    if minute is None:
        return SideValues()
    rate = None
    if minute.requests and minute.errors is not None:
        rate = 100 * minute.errors / minute.requests
    return SideValues(
        error_rate=rate, p95=minute.p95_ms, memory=minute.memory, cpu=minute.cpu, requests=minute.requests
    )


def _marks(
    until: datetime, *, deployed_at: datetime | None, rolled_back_at: datetime | None
) -> tuple[tuple[datetime, Happened], ...]:
    known = ((deployed_at, Happened.DEPLOYED), (rolled_back_at, Happened.ROLLED_BACK))
    return tuple((at, what) for at, what in known if at is not None and until - HOUR <= at <= until)


def newest_data(watch: Watch) -> datetime | None:
    """Return when the watch's newest number is from (aware, UTC); None while it has none."""
    times: Iterable[datetime] = (r.until for r in watch.readings if r.value is not None)
    return max(times, default=None)
