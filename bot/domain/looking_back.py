"""Looking back: how fast failures were seen and put right, who put them right, how many changes failed.

Definitions, each in one place:

- The stages of an incident follow the life of an incident as the SRE book tells it (Google, "Site
  Reliability Engineering", ch. 14 "Managing Incidents", and "The Site Reliability Workbook", ch. 9):
  seen, decided, put right, proven, over. See `Stage`.
- The change failure rate is DORA's (dora.dev, "DORA's software delivery performance metrics"): the share of
  deployments that had to be remedied. A deployment is a canary that had traffic; the remedy is that its
  traffic was taken away. See `CanaryFigures`.

Whatever is not known is left out of a figure and counted as left out; it is never taken for nothing.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from statistics import median
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter

from bot.domain.alarm import AlarmKind
from bot.domain.alert import Alert, AlertState
from bot.domain.drill import Drill, any_concerns
from bot.domain.guide import Mode
from bot.domain.ids import IncidentNumber, TargetName
from bot.domain.incident import Incident, IncidentState
from bot.domain.people import AUTOMATICS
from bot.domain.rollback import Rollback, RollbackState

_T = TypeVar("_T")
_R = TypeVar("_R", Alert, Rollback)


class Stage(StrEnum):
    """From where to where a stage runs; each ends where the next begins.

    - DETECT: from the deployment to the first alert, or the first person who declared it or asked for a
      rollback, whichever was first.
    - DECIDE: from there to the first decision to roll back.
    - ROLL_BACK: from a rollback's decision until all traffic was seen to be on stable.
    - VERIFY: from there to the verdict *verified*.
    - RESOLVE: from detection until somebody closed the incident (the last time, where it was reopened).

    ROLL_BACK and VERIFY are a rollback's, and an incident may have several; the others are an incident's.
    """

    DETECT = "detect"
    DECIDE = "decide"
    ROLL_BACK = "roll_back"
    VERIFY = "verify"
    RESOLVE = "resolve"


class Way(StrEnum):
    """How a rollback came about.

    ACCEPTED: a rule had recommended it (or counted down to it) and people decided. BY_HAND and FORCED:
    no rule had, and FORCED went without asking.
    """

    AUTOMATIC = "automatic"
    ACCEPTED = "accepted"
    BY_HAND = "by_hand"
    FORCED = "forced"


@dataclass(frozen=True, kw_only=True)
class Begun:
    """A watch began at `at` (aware, UTC): this canary had traffic.

    On topology ``services`` the canary keeps its name, and `deployed_at` tells one deployment from the next.
    """

    target: TargetName
    canary: str
    deployed_at: datetime | None
    at: datetime


def begun_of(at: datetime, facts: Mapping[str, Any]) -> Begun:
    """Return what a watch's first line, written at `at`, says; see `Event.WATCH_BEGUN`."""
    deployed_at = facts.get("deployed_at")
    return Begun(
        target=TargetName(str(facts["target"])),
        canary=str(facts["canary"]),
        deployed_at=datetime.fromisoformat(deployed_at) if deployed_at else None,
        at=at,
    )


@dataclass(frozen=True, kw_only=True)
class Past:
    """What is kept of a span: more than asked for does no harm, see `look_back`.

    `drills` are those that may lie in it, `drilled` the canaries that were watched when one began: neither
    they nor anything that belongs to them counts.
    """

    incidents: tuple[Incident, ...] = ()
    rollbacks: tuple[Rollback, ...] = ()
    alerts: tuple[Alert, ...] = ()
    begun: tuple[Begun, ...] = ()
    drills: tuple[Drill, ...] = ()
    drilled: tuple[Begun, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which incidents are looked back on: opened in ``since`` <= t < ``until`` (aware, UTC).

    `zone` (an IANA name) says where a month begins. Empty `scenario` and `target`: all of them.
    """

    since: datetime
    until: datetime
    zone: str = "UTC"
    scenario: str = ""
    target: str = ""


@dataclass(frozen=True, kw_only=True)
class Spread:
    """How long something took, seconds: `median` (the mean of the two in the middle of an even number) and
    `worst` with its incident, over `known` of them; None over none. `left_out`: not known, or not yet.
    """

    median: float | None = None
    worst: float | None = None
    incident: IncidentNumber | None = None
    known: int = 0
    left_out: int = 0


@dataclass(frozen=True, kw_only=True)
class Figures:
    """What some incidents have in common. `outcomes` and `ways` are of their rollbacks, once decided."""

    incidents: int
    open: int
    spreads: Mapping[Stage, Spread]
    ways: Mapping[Way, int]
    outcomes: Mapping[RollbackState, int]

    @property
    def rollbacks(self) -> int:
        """How many rollbacks were decided."""
        return sum(self.ways.values())


@dataclass(frozen=True, kw_only=True)
class RuleFigures:
    """What became of one rule's alerts, by the gravest alarm of each.

    `false_alarms` are those of which a person said that it was not the canary; `rolled_back` those that
    people answered with a rollback, `automatic` those that the bot itself did.
    """

    kind: AlarmKind
    alerts: int
    false_alarms: int
    rolled_back: int
    automatic: int

    @property
    def false_share(self) -> float | None:
        """The share of false alarms among all of the rule's alerts, 0 to 1."""
        return share(self.false_alarms, self.alerts)


@dataclass(frozen=True, kw_only=True)
class CanaryFigures:
    """DORA's change failure rate, of canaries: `rolled_back` of `seen`.

    `seen` are different canaries that had traffic: a watch of them began, or they were rolled back, watched
    or not (`unwatched`). A canary counts where it was first seen, however often it was watched; as rolled
    back it counts once, whenever that was, if its traffic was really taken away.
    """

    seen: int = 0
    rolled_back: int = 0
    unwatched: int = 0

    @property
    def failure_rate(self) -> float | None:
        """The change failure rate, 0 to 1; None without canaries."""
        return share(self.rolled_back, self.seen)


@dataclass(frozen=True, kw_only=True)
class Told:
    """One incident's own numbers: `seconds` by stage, as far as they are known; of several rollbacks the
    longest. `month` is such as ``2026-10``; `joined` are those that were joined to it.
    """

    number: IncidentNumber
    target: TargetName
    scenario: str
    severity: str
    month: str
    opened_at: datetime
    closed_at: datetime | None
    joined: tuple[IncidentNumber, ...]
    seconds: Mapping[Stage, float]


@dataclass(frozen=True, kw_only=True)
class Report:
    """Everything that looking back found. Scenarios (empty: none was chosen) and rules come most frequent
    first, months (``2026-10``) in order, without gaps. Of one scenario alone `canaries` is None: a canary
    that was well has none.
    """

    wanted: Wanted
    all: Figures
    by_scenario: tuple[tuple[str, Figures], ...]
    by_month: tuple[tuple[str, Figures], ...]
    scenarios_by_month: Mapping[str, Mapping[str, int]]
    rules: tuple[RuleFigures, ...]
    canaries: CanaryFigures | None
    canaries_by_month: tuple[tuple[str, CanaryFigures], ...]
    incidents: tuple[Told, ...] = ()


def share(part: int, whole: int) -> float | None:
    """Return ``part / whole``, None of nothing."""
    return part / whole if whole else None


def counts(incident: Incident) -> bool:
    """True for an incident that counts by itself: one that was joined to another counts as a part of that.

    This is the one door: whatever is not to count, such as a drill, is kept out here. What belongs to a
    drill without being an incident is kept out by `_real`.
    """
    return incident.merged_into is None and not incident.drill


def look_back(past: Past, wanted: Wanted) -> Report:
    """Return what the past says about `wanted`."""
    real = _real(past)
    lives = [life for life in _lives(real) if _is_wanted(life.incident, wanted)]
    alerts = [alert for alert in real.alerts if _belongs(alert, lives, wanted)]
    scenarios = _grouped(lives, lambda life: life.incident.scenario or "")
    months = _grouped(lives, lambda life: month_of(life.incident.opened_at, wanted.zone))
    canaries = [] if wanted.scenario else _canaries(real, wanted)
    canary_months = _grouped(canaries, lambda canary: month_of(canary.seen_at, wanted.zone))
    every = months_between(*months, *canary_months)
    return Report(
        wanted=wanted,
        all=_figures(lives),
        by_scenario=tuple((key, _figures(scenarios[key])) for key in _most_frequent(scenarios)),
        by_month=tuple((month, _figures(months.get(month, ()))) for month in every),
        scenarios_by_month={
            key: _per_month(scenarios[key], every, wanted.zone) for key in _most_frequent(scenarios)
        },
        rules=_rules(alerts),
        canaries=None if wanted.scenario else _canary_figures(canaries),
        canaries_by_month=tuple((month, _canary_figures(canary_months.get(month, ()))) for month in every),
        incidents=tuple(_told(life, wanted.zone) for life in lives),
    )


def month_of(at: datetime, zone: str) -> str:
    """Return the month that `at` lies in, as ``2026-10``, by the calendar of `zone`."""
    return f"{at.astimezone(ZoneInfo(zone)):%Y-%m}"


def months_between(*months: str) -> list[str]:
    """Return every month from the earliest to the latest of `months`, in order."""
    if not months:
        return []
    (year, month), last = _numbers(min(months)), _numbers(max(months))
    found = []
    while (year, month) <= last:
        found.append(f"{year:04d}-{month:02d}")
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)
    return found


def _numbers(month: str) -> tuple[int, int]:
    year, _, number = month.partition("-")
    return int(year), int(number)


def spread(took: Sequence[tuple[float, IncidentNumber]], *, of: int) -> Spread:
    """Return median and worst of `took` (seconds, of which incident), of `of` that there are.

    Of several that took as long the oldest incident is named.
    """
    if not took:
        return Spread(left_out=of)
    worst, incident = max(took, key=lambda one: (one[0], -one[1]))
    return Spread(
        median=median(seconds for seconds, _ in took),
        worst=worst,
        incident=incident,
        known=len(took),
        left_out=of - len(took),
    )


# Drills, which are kept out.


class _Drills:
    """Tells what is real from what was practised."""

    def __init__(self, past: Past) -> None:
        self._drills = past.drills
        self._practised = {incident.number: bool(incident.drill) for incident in past.incidents}

    def cover(self, target: TargetName, at: datetime) -> bool:
        """True when a drill was under way on `target` at `at`."""
        return any(drill.target == target and drill.covers(at) for drill in self._drills)

    def hold(self, one: Alert | Rollback, at: datetime) -> bool:
        """True for what belongs to a drill's incident, or without a known one to a drill or its echo."""
        if one.incident in self._practised:
            return self._practised[one.incident]
        return any_concerns(one.target, at, self._drills)


def _real(past: Past) -> Past:
    """Return the past without incidents of drills, and without rollbacks and alerts made in one.

    Canaries are told apart later, see `_canaries`: one may have been seen before its drill began.
    """
    drills = _Drills(past)
    practised = [one for one in past.rollbacks if drills.hold(one, one.asked_at)]
    seen = [one for one in past.begun if drills.cover(one.target, one.at)]
    return replace(
        past,
        incidents=tuple(one for one in past.incidents if not one.drill),
        rollbacks=tuple(one for one in past.rollbacks if not drills.hold(one, one.asked_at)),
        alerts=tuple(one for one in past.alerts if not drills.hold(one, one.created_at)),
        drilled=(*past.drilled, *seen, *(_taken_out(one) for one in practised if _moved_traffic(one))),
    )


# An incident with all that belongs to it.


@dataclass(frozen=True, kw_only=True)
class _Life:
    """An incident, those that were joined to it, and what happened in all of them."""

    incident: Incident
    joined: tuple[Incident, ...]
    rollbacks: tuple[Rollback, ...]
    alerts: tuple[Alert, ...]

    @property
    def numbers(self) -> frozenset[IncidentNumber]:
        return frozenset(one.number for one in self._all)

    @property
    def _all(self) -> tuple[Incident, ...]:
        return (self.incident, *self.joined)

    @property
    def deployed_at(self) -> datetime | None:
        return next((one.deployed_at for one in self._all if one.deployed_at is not None), None)

    @property
    def detected_at(self) -> datetime:
        opened = [one.opened_at for one in self._all]
        alerted = [alert.created_at for alert in self.alerts]
        return min([*opened, *alerted, *(rollback.asked_at for rollback in self.rollbacks)])

    @property
    def decided_at(self) -> datetime | None:
        decided = [one.decided_at for one in self._all if one.decided_at is not None]
        requested = [one.requested_at for one in self.rollbacks if one.requested_at is not None]
        return min((*decided, *requested), default=None)

    @property
    def decided(self) -> list[Rollback]:
        return [rollback for rollback in self.rollbacks if rollback.requested_at is not None]

    def took(self, stage: Stage) -> list[float]:
        """Return how long `stage` took, seconds: one for the incident, or one for each rollback."""
        if stage is Stage.ROLL_BACK:
            spans = [(rollback.requested_at, rollback.settled_at) for rollback in self.decided]
        elif stage is Stage.VERIFY:
            proven = [r for r in self.decided if r.state is RollbackState.VERIFIED]
            spans = [(rollback.settled_at, rollback.ended_at) for rollback in proven]
        else:
            spans = [
                {
                    Stage.DETECT: (self.deployed_at, self.detected_at),
                    Stage.DECIDE: (self.detected_at, self.decided_at),
                    Stage.RESOLVE: (self.detected_at, self.incident.closed_at),
                }[stage]
            ]
        known = ((end - start).total_seconds() for start, end in spans if start and end)
        # What ends before it began is about another deployment: that is not known, rather than nothing.
        return [seconds for seconds in known if seconds >= 0]

    def possible(self, stage: Stage) -> int:
        """Return how many durations of `stage` there would be if everything were known."""
        return len(self.decided) if stage in (Stage.ROLL_BACK, Stage.VERIFY) else 1


def _lives(past: Past) -> list[_Life]:
    """Return every incident that counts, oldest first, with what belongs to it."""
    into = {i.number: i.merged_into for i in past.incidents if i.merged_into is not None}
    joined: dict[IncidentNumber, list[Incident]] = {}
    for incident in sorted(past.incidents, key=lambda one: one.number):
        root = _root(incident.number, into)
        if root != incident.number:
            joined.setdefault(root, []).append(incident)
    rollbacks = _of_incident(past.rollbacks)
    alerts = _of_incident(past.alerts)
    return [
        _life(incident, tuple(joined.get(incident.number, ())), rollbacks, alerts)
        for incident in sorted(past.incidents, key=lambda one: one.number)
        if counts(incident)
    ]


def _of_incident(ones: Iterable[_R]) -> dict[IncidentNumber, list[_R]]:
    found: dict[IncidentNumber, list[_R]] = {}
    for one in ones:
        if one.incident is not None:
            found.setdefault(one.incident, []).append(one)
    return found


def _root(number: IncidentNumber, into: Mapping[IncidentNumber, IncidentNumber]) -> IncidentNumber:
    """Return where an incident ended up: one that was joined may have been joined on."""
    seen = set()
    while number in into and number not in seen:
        seen.add(number)
        number = into[number]
    return number


def _life(
    incident: Incident,
    joined: tuple[Incident, ...],
    rollbacks: Mapping[IncidentNumber, Sequence[Rollback]],
    alerts: Mapping[IncidentNumber, Sequence[Alert]],
) -> _Life:
    numbers = [incident.number, *(one.number for one in joined)]
    return _Life(
        incident=incident,
        joined=joined,
        rollbacks=tuple(one for number in numbers for one in rollbacks.get(number, ())),
        alerts=tuple(one for number in numbers for one in alerts.get(number, ())),
    )


def _is_wanted(incident: Incident, wanted: Wanted) -> bool:
    if wanted.target and incident.target != wanted.target:
        return False
    if wanted.scenario and incident.scenario != wanted.scenario:
        return False
    return wanted.since <= incident.opened_at < wanted.until


def _belongs(alert: Alert, lives: Iterable[_Life], wanted: Wanted) -> bool:
    if wanted.target and alert.target != wanted.target:
        return False
    if wanted.scenario:
        return any(alert.incident in life.numbers for life in lives)
    return wanted.since <= alert.created_at < wanted.until


def _grouped(ones: Iterable[_T], key: Callable[[_T], str]) -> dict[str, list[_T]]:
    found: dict[str, list[_T]] = {}
    for one in ones:
        found.setdefault(key(one), []).append(one)
    return found


def _per_month(lives: Iterable[_Life], months: Iterable[str], zone: str) -> dict[str, int]:
    opened = Counter(month_of(life.incident.opened_at, zone) for life in lives)
    return {month: opened[month] for month in months}


def _most_frequent(groups: Mapping[str, Sequence[_Life]]) -> list[str]:
    return sorted(groups, key=lambda key: (-len(groups[key]), key))


# Figures.


def _figures(lives: Sequence[_Life]) -> Figures:
    decided = [(rollback, life) for life in lives for rollback in life.decided]
    return Figures(
        incidents=len(lives),
        open=sum(life.incident.state is IncidentState.OPEN for life in lives),
        spreads={stage: _spread(stage, lives) for stage in Stage},
        ways=Counter(way_of(rollback, life.alerts) for rollback, life in decided),
        outcomes=Counter(rollback.state for rollback, _ in decided),
    )


def _spread(stage: Stage, lives: Sequence[_Life]) -> Spread:
    took = [(seconds, life.incident.number) for life in lives for seconds in life.took(stage)]
    return spread(took, of=sum(life.possible(stage) for life in lives))


def way_of(rollback: Rollback, alerts: Iterable[Alert]) -> Way:
    """Return how a decided rollback came about; `alerts` may be any, those that it answered count."""
    if AUTOMATICS in (rollback.decided_by, rollback.asked_by):
        return Way.AUTOMATIC
    if any(alert.rollback == rollback.id and alert.mode != Mode.TELL for alert in alerts):
        return Way.ACCEPTED
    return Way.FORCED if rollback.forced else Way.BY_HAND


def rule_of(alert: Alert) -> AlarmKind:
    """Return which rule an alert is about: that of its gravest alarm."""
    return AlarmKind(alert.gravest.get("kind", alert.kind))


def _rules(alerts: Iterable[Alert]) -> tuple[RuleFigures, ...]:
    of: dict[AlarmKind, list[Alert]] = {}
    for alert in alerts:
        of.setdefault(rule_of(alert), []).append(alert)
    rules = [
        RuleFigures(
            kind=kind,
            alerts=len(ones),
            false_alarms=sum(one.state is AlertState.NOT_THE_CANARY for one in ones),
            rolled_back=sum(_answered_with_a_rollback(one) and one.by != AUTOMATICS for one in ones),
            automatic=sum(_answered_with_a_rollback(one) and one.by == AUTOMATICS for one in ones),
        )
        for kind, ones in of.items()
    ]
    return tuple(sorted(rules, key=lambda rule: (-rule.alerts, rule.kind)))


def _answered_with_a_rollback(alert: Alert) -> bool:
    return alert.state is AlertState.ROLLED_BACK


# Canaries.

#: What tells one canary from another: target, name, and when it was deployed.
_Identity = tuple[TargetName, str, datetime | None]


@dataclass(frozen=True, kw_only=True)
class _Canary:
    """One canary: when it was first seen, whether a watch saw it, and whether it was taken out."""

    target: TargetName
    seen_at: datetime
    watched: bool
    rolled_back: bool


def _canaries(past: Past, wanted: Wanted) -> list[_Canary]:
    """Return the canaries that were first seen in the span, and that nobody drilled with."""
    out = [_taken_out(rollback) for rollback in past.rollbacks if _moved_traffic(rollback)]
    sightings = [(one, True) for one in past.begun] + [(one, False) for one in out]
    dated = _deployments([*(one for one, _ in sightings), *past.drilled])
    drilled = {_identity(one, dated) for one in past.drilled}
    known: dict[_Identity, list[tuple[Begun, bool]]] = {}
    for one, watched in sightings:
        known.setdefault(_identity(one, dated), []).append((one, watched))
    found = [
        _Canary(
            target=identity[0],
            seen_at=min(one.at for one, _ in ones),
            watched=any(watched for _, watched in ones),
            rolled_back=any(not watched for _, watched in ones),
        )
        for identity, ones in known.items()
        if identity not in drilled
    ]
    return [
        canary
        for canary in found
        if wanted.since <= canary.seen_at < wanted.until and canary.target == (wanted.target or canary.target)
    ]


def _taken_out(rollback: Rollback) -> Begun:
    assert rollback.plan is not None
    return Begun(
        target=rollback.target,
        canary=rollback.plan.canary,
        deployed_at=rollback.deployed_at,
        at=rollback.requested_at or rollback.asked_at,
    )


def _moved_traffic(rollback: Rollback) -> bool:
    return rollback.plan is not None and rollback.applied_at is not None


def _deployments(sightings: Iterable[Begun]) -> dict[tuple[TargetName, str], list[datetime]]:
    found: dict[tuple[TargetName, str], set[datetime]] = {}
    for one in sightings:
        if one.deployed_at is not None:
            found.setdefault((one.target, one.canary), set()).add(one.deployed_at)
    return {name: sorted(dates) for name, dates in found.items()}


def _identity(one: Begun, dated: Mapping[tuple[TargetName, str], Sequence[datetime]]) -> _Identity:
    """Return which canary was seen; where Cloud Run did not say when it was deployed, the newest by then."""
    if one.deployed_at is not None:
        return one.target, one.canary, one.deployed_at
    dates = dated.get((one.target, one.canary), ())
    before = [date for date in dates if date <= one.at]
    return one.target, one.canary, max(before) if before else min(dates, default=None)


def _canary_figures(canaries: Sequence[_Canary]) -> CanaryFigures:
    return CanaryFigures(
        seen=len(canaries),
        rolled_back=sum(canary.rolled_back for canary in canaries),
        unwatched=sum(not canary.watched for canary in canaries),
    )


def _told(life: _Life, zone: str) -> Told:
    incident = life.incident
    took = {stage: life.took(stage) for stage in Stage}
    return Told(
        number=incident.number,
        target=incident.target,
        scenario=incident.scenario or "",
        severity=incident.severity.value,
        month=month_of(incident.opened_at, zone),
        opened_at=incident.opened_at,
        closed_at=incident.closed_at,
        joined=tuple(one.number for one in life.joined),
        seconds={stage: max(known) for stage, known in took.items() if known},
    )


# Written down.

REPORT = TypeAdapter(Report)
WANTED = TypeAdapter(Wanted)


def written(wanted: Wanted) -> str:
    """Return what is looked back on in one line, to the second, as a button carries it."""
    since, until = (round(at.timestamp()) for at in (wanted.since, wanted.until))
    return "|".join((str(since), str(until), wanted.zone, wanted.scenario, wanted.target))


def read_written(line: str) -> Wanted:
    """Return what `written` wrote."""
    since, until, zone, scenario, target = line.split("|")
    return Wanted(since=_at(since), until=_at(until), zone=zone, scenario=scenario, target=target)


def _at(seconds: str) -> datetime:
    return datetime.fromtimestamp(int(seconds), UTC)
