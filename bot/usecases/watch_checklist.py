"""Watching a checklist: what was posted, and after the verdict what the logs and the metrics say.

One short workflow a look; each sets the timer of the next in the transaction that keeps what it saw, so
the watch goes on after any crash, and on any replica.
"""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bot.domain.checklist import StepState
from bot.domain.faults import CloudFault
from bot.domain.flags import flags
from bot.domain.guide import Sees
from bot.domain.ids import ChannelId, IncidentNumber
from bot.domain.incident import Incident, IncidentState
from bot.domain.observed import Observed, all_green, errors_dropped, observed
from bot.domain.plan import sides
from bot.domain.playbook import Playbook, Target
from bot.domain.readings import Reading, Side
from bot.domain.rollback import Evidence, Plan, Rollback, RollbackState
from bot.domain.steps import machine_state
from bot.domain.traffic import Sides, TargetState
from bot.usecases.editions import playbook_of
from bot.usecases.gather_evidence import LOG_LATE, error_evidence, p95_evidence, traffic_evidence
from bot.usecases.journal import write_lines
from bot.usecases.look_at_target import LOG_WINDOW, read_numbers
from bot.usecases.ports import (
    Clock,
    Cloud,
    Metrics,
    Playbooks,
    RequestLog,
    Showing,
    Steps,
    Store,
    Transaction,
)
from bot.usecases.tick_checklist import seen_in_evidence, tick_checklist, watch

#: For so long after the rollback's end the bot looks for itself; then it is left to people.
WATCH_FOR = timedelta(minutes=15)
#: How often: a message is posted within seconds, while logs and metrics take longer and have quotas.
SOON, LATER = timedelta(seconds=2), timedelta(seconds=15)
SOON_FOR = timedelta(minutes=1)
#: How often Google is asked, however often Slack is looked at meanwhile: up to four counts of the log each
#: time, of whose pages Google allows sixty a minute.
MEASURE_EVERY = LATER
#: How much of the log is compared on either side of the rollback: a minute first, then twice as much as
#: the last time, for a quiet service needs longer to tell; a quarter where it was too much to be counted.
FIRST_SPAN, SHORTEST_SPAN, LONGEST_SPAN = timedelta(minutes=1), timedelta(seconds=5), timedelta(minutes=5)

#: What is seen in Slack, and what in Google Cloud once the rollback has ended.
_POSTED = {Sees.TEAM_ALERTED: Showing.BOARD, Sees.RECORDED: Showing.RECORD}
_MEASURED = frozenset(
    {Sees.TRAFFIC_STABLE, Sees.ERROR_RATE, Sees.P95, Sees.LOG_ERRORS_DROPPED, Sees.ALL_GREEN}
)
#: Rollbacks after which there is something to measure.
_WORTH_A_LOOK = frozenset({RollbackState.VERIFIED, RollbackState.NOT_VERIFIED, RollbackState.NOTHING_TO_DO})


@dataclass(frozen=True, kw_only=True)
class Watching:
    """What watching may touch."""

    store: Store
    playbooks: Playbooks
    cloud: Cloud
    metrics: Metrics
    requests: RequestLog
    clock: Clock


@dataclass(frozen=True, kw_only=True)
class _Stand:
    """How things stand at one look: `wanted` is what the bot has not yet seen done."""

    incident: Incident
    rollback: Rollback | None
    playbook: Playbook
    wanted: frozenset[Sees]

    @property
    def ended_at(self) -> datetime | None:
        """When its rollback ended."""
        return self.rollback.ended_at if self.rollback else None

    def measurable(self, *, now: datetime) -> bool:
        """True while there is something left to measure, and it is not too late."""
        worth = self.rollback is not None and self.rollback.state in _WORTH_A_LOOK
        return worth and bool(self.wanted & _MEASURED) and _within(WATCH_FOR, self.ended_at, now)

    def next_look(self, *, now: datetime) -> datetime | None:
        """Return when to look again, None when there is nothing left that could be seen."""
        expected = {Sees.TEAM_ALERTED, *([Sees.RECORDED] if self.ended_at else [])}
        since = self.ended_at or self.incident.decided_at
        if self.wanted & expected and _within(WATCH_FOR, since, now):
            return now + (SOON if _within(SOON_FOR, since, now) else LATER)
        return now + LATER if self.measurable(now=now) else None


def _within(length: timedelta, since: datetime | None, now: datetime) -> bool:
    return since is not None and now <= since + length


async def watch_checklist(arguments: Mapping[str, str], *, steps: Steps, use: Watching) -> None:
    """Look once; the next look is set where there is something left to see."""
    await steps.step("watch", lambda: _look(arguments, use), into=str)


async def _look(arguments: Mapping[str, str], use: Watching) -> str:
    number = IncidentNumber(int(arguments["incident"]))
    current = use.playbooks.current()
    span = timedelta(seconds=float(arguments.get("span", FIRST_SPAN.total_seconds())))
    stand = await use.store.look(lambda tx: _stand(tx, number, current))
    now, found, measured_at = use.clock(), list[Observed](), _measured_at(arguments)
    if stand.measurable(now=now) and (measured_at is None or now - measured_at >= MEASURE_EVERY):
        measured_at = now
        found, too_much = await _measure(stand, current, use, span=span)
        span = max(span / 4, SHORTEST_SPAN) if too_much else min(span * 2, LONGEST_SPAN)
    now, channel = use.clock(), ChannelId(current.channels.incidents)

    def keep_seen(tx: Transaction) -> str:
        incident = tx.incident(number)
        if incident.state is not IncidentState.OPEN:
            return "not any more"
        # Somebody else may have seen it done while we looked, or slept; then ours is the older reading.
        wanted = _stand(tx, number, current).wanted
        seen = [*(one for one in found if one.sees in wanted), *_posted(tx, incident, wanted)]
        lines = tick_checklist(tx, number, seen, channel=channel, at=now)
        write_lines(tx, number, lines, at=now, channel=channel)
        again = _stand(tx, number, current).next_look(now=now)
        if again is not None:
            watch(tx, number, at=again, span=span, measured_at=measured_at)
        return f"{len(seen)} seen"

    return await use.store.change(keep_seen)


def _measured_at(arguments: Mapping[str, str]) -> datetime | None:
    written = arguments.get("measured_at")
    return datetime.fromisoformat(written) if written else None


def _stand(tx: Transaction, number: IncidentNumber, current: Playbook) -> _Stand:
    incident = tx.incident(number)
    playbook = playbook_of(tx, incident, current)
    rollbacks = [r for r in tx.rollbacks_of(number) if r.requested_at is not None]
    wanted = (
        step.sees
        for step in playbook.steps()
        if step.sees and machine_state(incident.marks.get(step.key)) is not StepState.DONE
    )
    return _Stand(
        incident=incident,
        rollback=rollbacks[-1] if rollbacks else None,
        playbook=playbook,
        wanted=frozenset(wanted),
    )


def _posted(tx: Transaction, incident: Incident, wanted: Iterable[Sees]) -> list[Observed]:
    """Return which messages were seen in Slack: what was only sent off may never arrive."""
    found = []
    for sees in sorted(set(_POSTED) & set(wanted)):
        place = tx.standing(f"{_POSTED[sees]}:{incident.number}")
        if place is None:
            continue
        channel, ts = place
        at = datetime.fromtimestamp(float(ts), UTC)
        found.append(observed(sees, ok=True, channel=channel, at=at.isoformat(), edition=incident.edition))
    return found


async def _measure(
    stand: _Stand, current: Playbook, use: Watching, *, span: timedelta
) -> tuple[list[Observed], bool]:
    """Read what is wanted; also returns whether the log held more than can be counted. Never raises."""
    rollback = stand.rollback
    target = current.target(stand.incident.target)
    if rollback is None or rollback.plan is None or target is None:
        return [], False
    try:
        state = await use.cloud.look(target)
    except CloudFault:
        return [], False
    where = sides(target, rollback.plan, state)
    measuring = _Measuring(target, where, rollback, rollback.plan, stand.playbook, use)
    proofs, drop, green = await asyncio.gather(
        measuring.proofs(state, stand.wanted),
        measuring.drop(span) if Sees.LOG_ERRORS_DROPPED in stand.wanted else _nothing(),
        measuring.green() if Sees.ALL_GREEN in stand.wanted else _nothing(),
    )
    seen, too_much = drop if drop else (None, False)
    return [one for one in (*proofs, seen, green) if one is not None], too_much


async def _nothing() -> None:
    """Stand in for a look at what was seen already."""


class _Measuring:
    """One look at Google Cloud, after a rollback."""

    def __init__(
        self, target: Target, where: Sides, rollback: Rollback, plan: Plan, playbook: Playbook, use: Watching
    ) -> None:
        self._target = target
        self._where = where
        self._rollback = rollback
        self._plan = plan
        self._playbook = playbook
        self._use = use
        self._least = playbook.thresholds.min_requests
        self._after = rollback.settled_at or rollback.ended_at or use.clock()

    async def proofs(self, state: TargetState, wanted: frozenset[Sees]) -> list[Observed]:
        """Read phase 2 again: the verdict may have come too early for it."""
        found: list[Evidence] = []
        if Sees.TRAFFIC_STABLE in wanted:
            found.append(traffic_evidence(self._plan, state))
        if wanted & {Sees.ERROR_RATE, Sees.P95}:
            until = self._use.clock() - LOG_LATE
            since = max(self._after, until - LOG_WINDOW)
            counts = await self._use.requests.count(
                self._target, self._where, since=since, until=max(since, until)
            )
            rules = self._playbook.verification
            found.append(error_evidence(counts[Side.STABLE], rules, least=self._least))
            found.append(p95_evidence(counts[Side.STABLE], rules, least=self._least))
        return [one for one in seen_in_evidence(found) if one.sees in wanted]

    async def drop(self, span: timedelta) -> tuple[Observed | None, bool]:
        """Compare the log's errors before the decision and since it took effect."""
        decided = self._rollback.requested_at or self._rollback.asked_at
        until = self._use.clock() - LOG_LATE
        since = max(self._after, until - span)
        before, after = await asyncio.gather(
            self._use.requests.count(self._target, self._where, since=decided - span, until=decided),
            self._use.requests.count(self._target, self._where, since=since, until=max(since, until)),
        )
        counted = (*before.values(), *after.values())
        # Also where the log could not be read: its quota may be what is used up.
        too_much = any(counts.truncated or counts.problem for counts in counted)
        return errors_dropped(before.values(), after.values()), too_much

    async def green(self) -> Observed | None:
        """Colour every metric of stable, by readings whose whole window lies after the rollback."""
        now = self._use.clock()
        if now - LOG_WINDOW < self._after:
            return None  # There cannot be one yet: Monitoring's minutes are as long as the log's.
        readings = await read_numbers(
            self._target,
            self._where,
            metrics=self._use.metrics,
            requests=self._use.requests,
            now=now,
            least=self._least,
        )
        own = [reading for reading in readings if self._counts(reading)]
        return all_green(flags(own, self._playbook.thresholds, now=now))

    def _counts(self, reading: Reading) -> bool:
        return reading.side is Side.STABLE and reading.since >= self._after
