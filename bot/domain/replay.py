"""A recorded series through the very same deciding: when each rule would have fired, and how often."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.alarm import Alarm, AlarmKind, Level
from bot.domain.alert import FULL_WITHIN, Way, may_count_down, way_of, without_announcing
from bot.domain.flags import Colour
from bot.domain.guide import Mode
from bot.domain.judge import JudgeState, judge
from bot.domain.observation import Observation
from bot.domain.plausible import Ignored
from bot.domain.playbook import Playbook


@dataclass(frozen=True, kw_only=True)
class Fired:
    """One rule that would have fired: when first at each level (the data's time, UTC), and how often."""

    kind: AlarmKind
    way: Way
    first: Mapping[Level, datetime]
    alarms: tuple[Alarm, ...]

    @property
    def at(self) -> datetime:
        """When it first said anything."""
        return self.alarms[0].at

    @property
    def count(self) -> int:
        """How often it said something new; that a rollback it recommends is nearly sure is not."""
        return sum(a.level is not Level.NEARLY or without_announcing(a) is not None for a in self.alarms)

    @property
    def nearly_at(self) -> datetime | None:
        """When a rollback could be announced before it was sure (the data's time); None: it could not."""
        nearly = (alarm for alarm in self.alarms if alarm.level is Level.NEARLY)
        return next((alarm.at for alarm in nearly if may_count_down(alarm, self.way)), None)


@dataclass(frozen=True, kw_only=True)
class LeftOut:
    """Observations that made no sense, by reason: how many, and where the first of them ended."""

    why: Ignored
    count: int
    first: datetime


@dataclass(frozen=True, kw_only=True)
class Replayed:
    """What a series came to.

    `readings` counts the finished ones of the guide's rule, `red` those that were, `inconclusive` those
    that proved nothing about the error rate; `unread` the windows without any counts of the canary.
    `acts` is the first alarm that would have rolled back by itself had the target been armed, and
    `could_act` the first one that was as sure as that, whatever its rule's mode.
    """

    observations: int = 0
    since: datetime | None = None
    until: datetime | None = None
    revisions: tuple[str, ...] = ()
    requests: int = 0
    errors: int = 0
    readings: int = 0
    red: int = 0
    inconclusive: int = 0
    unread: int = 0
    alarms: tuple[Alarm, ...] = ()
    fired: tuple[Fired, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    acts: Fired | None = None
    could_act: Fired | None = None

    def acts_at(self) -> datetime | None:
        """When the rollback would have been sent: sure, and after the time in which people can stop it."""
        announced = self.announced_at()
        if self.acts is None or announced is None:
            return None
        return max(self.acts.first[Level.ACT], announced + timedelta(seconds=self.acts.way.stop_seconds))

    def announced_at(self) -> datetime | None:
        """When that rollback would have been announced: where it is soon sure, before it is."""
        if self.acts is None:
            return None
        sure, nearly = self.acts.first[Level.ACT], self.acts.nearly_at
        waits = timedelta(seconds=self.acts.way.stop_seconds) + FULL_WITHIN
        return nearly if nearly is not None and nearly <= sure <= nearly + waits else sure


def replay(observations: Iterable[Observation], playbook: Playbook) -> Replayed:
    """Judge `observations` one after the other, in their order, and say when each rule would have fired."""
    state, told = JudgeState(), _Told()
    for seen in observations:
        judged = judge(state, seen, playbook)
        told.see(seen)
        told.alarms += judged.alarms
        if judged.ignored is not None:
            told.ignored.setdefault(judged.ignored, []).append(seen.until)
        if judged.reading is not None:
            told.colours.append(judged.reading.error_rate)
        weighed = judged.state.until is not None and judged.state.until != state.until
        if weighed and seen.canary is not None:
            told.requests += seen.canary.requests
            told.errors += seen.canary.errors
        state = judged.state
    return told.summed_up(playbook)


class _Told:
    """What is gathered on the way."""

    def __init__(self) -> None:
        self.alarms: list[Alarm] = []
        self.ignored: dict[Ignored, list[datetime]] = {}
        self.colours: list[Colour] = []
        self.revisions: dict[str, None] = {}
        self.observations = self.unread = self.requests = self.errors = 0
        self.since: datetime | None = None
        self.until: datetime | None = None

    def see(self, seen: Observation) -> None:
        """Count one observation."""
        self.observations += 1
        self.unread += seen.canary is None and seen.probed is None
        self.revisions[seen.revision] = None
        self.since = seen.since if self.since is None else min(self.since, seen.since)
        self.until = seen.until if self.until is None else max(self.until, seen.until)

    def summed_up(self, playbook: Playbook) -> Replayed:
        """Return all of it."""
        fired = tuple(_fired(kind, self.alarms, playbook) for kind in _in_order(self.alarms))
        sure = sorted((one for one in fired if Level.ACT in one.first), key=lambda one: one.first[Level.ACT])
        return Replayed(
            observations=self.observations,
            since=self.since,
            until=self.until,
            revisions=tuple(self.revisions),
            requests=self.requests,
            errors=self.errors,
            readings=len(self.colours),
            red=self.colours.count(Colour.RED),
            inconclusive=self.colours.count(Colour.GREY),
            unread=self.unread,
            alarms=tuple(self.alarms),
            fired=fired,
            left_out=tuple(
                LeftOut(why=why, count=len(times), first=times[0]) for why, times in self.ignored.items()
            ),
            acts=next((one for one in sure if one.way.mode is Mode.AUTO), None),
            could_act=next(iter(sure), None),
        )


def _in_order(alarms: Iterable[Alarm]) -> list[AlarmKind]:
    return list(dict.fromkeys(alarm.kind for alarm in alarms))


def _fired(kind: AlarmKind, alarms: Iterable[Alarm], playbook: Playbook) -> Fired:
    own = tuple(alarm for alarm in alarms if alarm.kind is kind)
    first: dict[Level, datetime] = {}
    for alarm in own:
        # What is nearly sure only recommends until it is.
        first.setdefault(Level.RECOMMEND if alarm.level is Level.NEARLY else alarm.level, alarm.at)
    return Fired(kind=kind, way=way_of(playbook, kind), first=first, alarms=own)
