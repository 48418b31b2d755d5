"""A fire drill: a failure made on purpose, on a simulated cloud, to see how fast the team puts it right.

What happens in a drill is marked as one wherever it is shown, and never enters the statistics. Drills exist
because the guide asks that the team knows the rollback command and that the rollback is tested (guide,
"Readiness checklist"); the SRE book calls them disaster role playing ("Site Reliability Engineering",
ch. 28).

The scoreboard holds the team's times against the guide's, which are the playbook's; see `limit_of`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from statistics import median

from bot.domain.alert import Alert
from bot.domain.announcement import Announcement, AnnouncementState
from bot.domain.guide import Does, PhasePlan, Scenario, Sees
from bot.domain.ids import IncidentNumber, TargetName
from bot.domain.incident import Incident
from bot.domain.playbook import Playbook
from bot.domain.rollback import Rollback, RollbackState

#: Nothing that happens later belongs to a drill, even if nobody ended it. Ours: the guide's longest clock and
#: its record fit into ten minutes, and nobody drills for longer than an hour.
LONGEST = timedelta(hours=1)
#: How many of the team's last drills of a scenario a scoreboard compares with. Ours: a quarterly drill
#: compares with about a year.
COMPARED = 5
#: What a machine sees so soon after a drill may still be its failure. Source: Cloud Monitoring shows a sample
#: up to four minutes late ("Retention and latency of metric data"), and a reading takes one more.
ECHO = timedelta(minutes=5)


class Milestone(StrEnum):
    """What a drill's clock is stopped at, in the order in which the guide has it."""

    DETECTED = "detected"
    DECIDED = "decided"
    ROLLED_BACK = "rolled_back"
    VERIFIED = "verified"
    USERS_TOLD = "users_told"
    RECORD_COMPLETE = "record_complete"


@dataclass(frozen=True, kw_only=True)
class Drill:
    """One drill. Times are aware, UTC.

    `scenario` is the key of a scenario in the playbook, `created_at` when the failure was switched on,
    `until` the latest moment that can belong to it (see `LONGEST`), `ended_at` when somebody ended it.
    `incident` is the first one that it led to. `reached` keeps when each milestone was reached, so that the
    team's last drills can be compared; it is filled in when the drill ends.
    """

    id: str
    scenario: str
    target: TargetName
    created_at: datetime
    until: datetime
    ended_at: datetime | None = None
    incident: IncidentNumber | None = None
    reached: Mapping[Milestone, datetime] = field(default_factory=dict)

    def covers(self, at: datetime) -> bool:
        """True when something that happened at `at` (aware, UTC) happened in this drill."""
        return self.created_at <= at < (self.ended_at or self.until)

    def echoes(self, at: datetime) -> bool:
        """True when what a machine sees at `at` (aware, UTC) may be this drill's failure, which is over."""
        return self.ended_at is not None and self.ended_at <= at < self.ended_at + ECHO

    def concerns(self, target: str, at: datetime) -> bool:
        """True when what was made of `target` at `at` (aware, UTC), without an incident, is this drill's."""
        return self.target == target and (self.covers(at) or self.echoes(at))

    def took(self, milestone: Milestone) -> float | None:
        """Return how long after the failure began a milestone was reached, seconds; None: never."""
        at = self.reached.get(milestone)
        return None if at is None else (at - self.created_at).total_seconds()


# What was reached.


def any_concerns(target: str, at: datetime, drills: Iterable[Drill]) -> bool:
    """True when one of `drills` concerns what was made of `target` at `at` (aware, UTC)."""
    return any(drill.concerns(target, at) for drill in drills)


def milestones(
    drill: Drill,
    incidents: Sequence[Incident],
    rollbacks: Iterable[Rollback],
    alerts: Iterable[Alert],
    announcements: Iterable[Announcement],
    *,
    to_users: frozenset[str],
) -> dict[Milestone, datetime]:
    """Return when each milestone was reached first (aware, UTC); those that were not are left out.

    - DETECTED: the first alert, declaration, or request to roll back. Source: guide, goals, "detect a failed
      deployment fast"; counted as the statistics do, see `bot.domain.looking_back.Stage`.
    - DECIDED: the first decision to roll back. Source: guide, checklist, phase 1.
    - ROLLED_BACK: all traffic was seen to be on stable. Source: guide, checklist, phase 2.
    - VERIFIED: the verdict *verified*. Source: guide, checklist, phases 2 and 3.
    - USERS_TOLD: one of the texts `to_users` was posted. Source: guide, scenario 4, 02:00.
    - RECORD_COMPLETE: people have filled in what only they know, the last time they did. Source: guide,
      checklist, phase 4.

    Args:
        incidents: those that belong to the drill, as everything else here does.
        to_users: keys of notices that users read, see `notices_to_users`.
    """
    rollbacks = tuple(rollbacks)
    opened = [incident.opened_at for incident in incidents]
    moments: Mapping[Milestone, list[datetime | None]] = {
        Milestone.DETECTED: [
            *opened,
            *(alert.created_at for alert in alerts),
            *(rollback.asked_at for rollback in rollbacks),
        ],
        Milestone.DECIDED: [
            *(incident.decided_at for incident in incidents),
            *(rollback.requested_at for rollback in rollbacks),
        ],
        Milestone.ROLLED_BACK: [rollback.settled_at for rollback in rollbacks],
        Milestone.VERIFIED: [r.ended_at for r in rollbacks if r.state is RollbackState.VERIFIED],
        Milestone.USERS_TOLD: [
            told.posted_at
            for told in announcements
            if told.state is AnnouncementState.POSTED and told.notice in to_users
        ],
        Milestone.RECORD_COMPLETE: [one.people.at for one in incidents if one.people.complete],
    }
    belonging = {
        milestone: [at for at in found if at is not None and drill.covers(at)]
        for milestone, found in moments.items()
    }
    return {milestone: min(found) for milestone, found in belonging.items() if found}


def notices_to_users(scenario: Scenario | None, playbook: Playbook) -> frozenset[str]:
    """Return the keys of notices by which users are told.

    Where the scenario asks that users are told, the one it asks for; else whatever the playbook posts
    outside the channel of the incidents.
    """
    asked = _asked_notices(scenario) if scenario else frozenset()
    if asked:
        return asked
    own = playbook.channels.incidents
    return frozenset(key for key, plan in playbook.notices.items() if set(plan.channels) - {own})


def _asked_notices(scenario: Scenario) -> frozenset[str]:
    asked = [(step.does, step.notice) for step in scenario.clock]
    asked += [(action.does, action.notice) for action in scenario.actions]
    return frozenset(notice for does, notice in asked if does is Does.TELL and notice)


# Held against the guide.


class Said(StrEnum):
    """Where in the playbook a limit stands."""

    CHECK = "check"
    PHASE = "phase"
    RECOVERY = "recovery"
    CLOCK = "clock"
    ACTION = "action"


@dataclass(frozen=True, kw_only=True)
class Limit:
    """How long a milestone may take, minutes, counted from another one (None: since the failure began).

    `title` names the phase or the step that says so, by language; empty where nothing has a name.
    """

    minutes: float
    since: Milestone | None
    said: Said
    title: Mapping[str, str] = field(default_factory=dict)


class Result(StrEnum):
    """What became of a milestone. UNLIMITED: reached, and the playbook says no minutes for it."""

    IN_TIME = "in_time"
    LATE = "late"
    MISSED = "missed"
    NOT_ASKED_FOR = "not_asked_for"
    UNLIMITED = "unlimited"


@dataclass(frozen=True, kw_only=True)
class Score:
    """One line of the scoreboard. All are seconds.

    `reached` since the failure began; `took` since what its limit counts from. `best`, `median` and `last`
    are those of the team's last drills of the same scenario that reached it, since their failure began.
    """

    milestone: Milestone
    result: Result
    reached: float | None = None
    took: float | None = None
    limit: Limit | None = None
    best: float | None = None
    median: float | None = None
    last: float | None = None


@dataclass(frozen=True, kw_only=True)
class Scoreboard:
    """How a drill went. `scenario` is its name by language, `compared` says with how many drills."""

    drill: Drill
    scenario: Mapping[str, str]
    scores: tuple[Score, ...]
    compared: int

    @property
    def asked_for(self) -> tuple[Score, ...]:
        """The lines that count."""
        return tuple(one for one in self.scores if one.result is not Result.NOT_ASKED_FOR)

    @property
    def good(self) -> int:
        """How many milestones were reached in time."""
        return sum(one.result in (Result.IN_TIME, Result.UNLIMITED) for one in self.scores)

    @property
    def to_improve(self) -> tuple[Score, ...]:
        """Those that were late, or not reached at all."""
        return tuple(one for one in self.scores if one.result in (Result.LATE, Result.MISSED))


def scoreboard(drill: Drill, earlier: Iterable[Drill], playbook: Playbook) -> Scoreboard:
    """Hold a drill that has ended against the playbook, and against the team's earlier ones.

    `earlier` may be any drills: those of the same scenario that began before and were scored count, the last
    `COMPARED` of them.
    """
    same = [one for one in earlier if _is_before(one, drill)]
    last = sorted(same, key=lambda one: (one.created_at, one.id))[-COMPARED:]
    scenario = playbook.scenario(drill.scenario)
    return Scoreboard(
        drill=drill,
        scenario=scenario.name.model_dump() if scenario else {},
        scores=tuple(_score(milestone, drill, last, playbook) for milestone in Milestone),
        compared=len(last),
    )


def _is_before(one: Drill, drill: Drill) -> bool:
    # One that was broken off has reached nothing, which says nothing of the team.
    same = one.id != drill.id and one.scenario == drill.scenario
    return same and one.created_at <= drill.created_at and bool(one.reached)


def _score(milestone: Milestone, drill: Drill, last: Sequence[Drill], playbook: Playbook) -> Score:
    times = [took for one in last if (took := one.took(milestone)) is not None]
    limit, reached = limit_of(milestone, drill.scenario, playbook), drill.took(milestone)
    took = None if reached is None else max(reached - _counted_from(limit, drill), 0.0)
    return Score(
        milestone=milestone,
        result=_result(milestone, took, limit, drill, playbook),
        reached=reached,
        took=took,
        limit=limit,
        best=min(times, default=None),
        median=median(times) if times else None,
        last=last[-1].took(milestone) if last else None,
    )


def _counted_from(limit: Limit | None, drill: Drill) -> float:
    """Return what a limit counts from, seconds after the failure began.

    Where that was never reached it is the detection, and where nobody noticed anything the beginning.
    """
    if limit is None or limit.since is None:
        return 0.0
    known = (drill.took(limit.since), drill.took(Milestone.DETECTED))
    return next((took for took in known if took is not None), 0.0)


def _result(
    milestone: Milestone, took: float | None, limit: Limit | None, drill: Drill, playbook: Playbook
) -> Result:
    if milestone is Milestone.USERS_TOLD and not _asks_to_tell(drill, playbook):
        return Result.NOT_ASKED_FOR
    if took is None:
        return Result.MISSED
    if limit is None:
        return Result.UNLIMITED
    return Result.IN_TIME if took <= limit.minutes * 60 else Result.LATE


def _asks_to_tell(drill: Drill, playbook: Playbook) -> bool:
    scenario = playbook.scenario(drill.scenario)
    return scenario is not None and bool(_asked_notices(scenario))


def limit_of(milestone: Milestone, scenario: str, playbook: Playbook) -> Limit | None:
    """Return the playbook's minutes for a milestone, None where it says none.

    - DETECTED: one interval of watching after the failure began. Source: guide, "Metrics to watch during a
      deployment, every 5 minutes".
    - DECIDED: the end of the checklist's phase that decides, counted from the detection: whoever has seen it
      has the first phase to decide. Source: guide, checklist, phase 1.
    - ROLLED_BACK: the end of the phase that sees the traffic back on stable, counted from the decision, as
      all phases are. Source: guide, checklist, phase 2.
    - VERIFIED: the scenario's expected recovery, counted from the decision. Where people have to recover
      more than the rollback does (a clock with steps needed to close), the end of the phase that sees every
      indicator green. Source: guide, "Expected recovery"; checklist, phase 3.
    - USERS_TOLD: when the scenario's clock tells users, counted from the detection, because whoever
      declares such a failure chooses the scenario, and starts its clock, by it. Source: guide, scenario 4.
    - RECORD_COMPLETE: the end of the phase that records, counted from the decision. Source: guide,
      checklist, phase 4.
    """
    plan = playbook.scenario(scenario)
    if milestone is Milestone.DETECTED:
        return Limit(minutes=playbook.thresholds.check_every_minutes, since=None, said=Said.CHECK)
    if (
        milestone is Milestone.VERIFIED
        and plan is not None
        and not any(s.needed_to_close for s in plan.clock)
    ):
        return Limit(minutes=plan.recovery.to_minutes, since=Milestone.DECIDED, said=Said.RECOVERY)
    if milestone is Milestone.USERS_TOLD:
        return _telling(plan) if plan else None
    since = Milestone.DETECTED if milestone is Milestone.DECIDED else Milestone.DECIDED
    phase = _phase(_SEEN_BY[milestone], playbook)
    if phase is None:
        return None
    return Limit(minutes=phase.to_minutes, since=since, said=Said.PHASE, title=phase.name.model_dump())


#: The checklist's step that sees a milestone.
_SEEN_BY = {
    Milestone.DECIDED: Sees.ROLLBACK_DECIDED,
    Milestone.ROLLED_BACK: Sees.TRAFFIC_STABLE,
    Milestone.VERIFIED: Sees.ALL_GREEN,
    Milestone.RECORD_COMPLETE: Sees.RECORDED,
}


def _phase(seen: Sees, playbook: Playbook) -> PhasePlan | None:
    return next((p for p in playbook.checklist if any(step.sees is seen for step in p.steps)), None)


def _telling(plan: Scenario) -> Limit | None:
    for step in plan.clock:
        if step.does is Does.TELL and step.notice:
            title = step.title.model_dump()
            return Limit(minutes=step.at_minutes, since=Milestone.DETECTED, said=Said.CLOCK, title=title)
    for action in plan.actions:
        if action.does is Does.TELL and action.within_seconds is not None:
            minutes, title = action.within_seconds / 60, action.title.model_dump()
            return Limit(minutes=minutes, since=Milestone.DETECTED, said=Said.ACTION, title=title)
    return None
