"""Reading a target: its services, a plan for its rollback, and the numbers of both sides."""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeVar

from bot.domain.ids import RevisionName
from bot.domain.plan import make_plan, sides
from bot.domain.playbook import Target, Topology
from bot.domain.readings import Metric, Reading, RequestCounts, Side, Source, percentile
from bot.domain.rollback import CannotChoose, NothingToRollBack, Plan
from bot.domain.traffic import Sides, TargetState
from bot.usecases.ports import Cloud, Metrics, RequestLog

T = TypeVar("T")

#: How much of the request log is counted for the flags on a card: the guide's numbers are per
#: reading, and the log's newest minute is the freshest whole one.
LOG_WINDOW = timedelta(seconds=60)
#: Numbers are a help to the person who decides; nobody should wait longer for them.
READINGS_WITHIN_SECONDS = 4.0


@dataclass(frozen=True, kw_only=True)
class Sight:
    """What was seen of a target at one moment."""

    state: TargetState
    plan: Plan | NothingToRollBack | CannotChoose
    sides: Sides
    deployed_at: datetime | None


async def look_at_target(target: Target, *, cloud: Cloud) -> Sight:
    """Read the target and say what a rollback would do. Raises `CloudFault`."""
    state = await cloud.look(target)
    plan = make_plan(target, state)
    known = plan if isinstance(plan, Plan) else None
    return Sight(
        state=state, plan=plan, sides=sides(target, known, state), deployed_at=deployed_at(known, state)
    )


def deployed_at(plan: Plan | None, state: TargetState) -> datetime | None:
    """Return when the canary was deployed: its revision's creation, or its service's last change."""
    if plan is None:
        return None
    if plan.topology is Topology.SERVICES:
        return state.canary.updated_at if state.canary else None
    revision = state.switch.revision(RevisionName(plan.canary))
    return revision.created_at if revision else None


async def read_numbers(
    target: Target, where: Sides, *, metrics: Metrics, requests: RequestLog, now: datetime, least: int
) -> tuple[Reading, ...]:
    """Return readings of every metric for each side, error rate and P95 from the fresher source.

    The request log is seconds late and Cloud Monitoring minutes, so the log's numbers come first
    where they rest on `least` requests; memory and CPU exist in Monitoring only. Never raises.
    """
    official, counted = await asyncio.gather(
        _in_time(metrics.read(target, where, now=now)),
        _in_time(requests.count(target, where, since=now - LOG_WINDOW, until=now)),
    )
    fresh = {(r.metric, r.side): r for counts in (counted or {}).values() for r in from_counts(counts)}
    chosen = []
    for reading in official or _unreadable(where, now=now):
        other = fresh.get((reading.metric, reading.side))
        better = other is not None and (reading.value is None or other.sample >= least)
        chosen.append(other if other is not None and better else reading)
    return tuple(chosen)


async def _in_time(reading: Awaitable[T]) -> T | None:
    try:
        return await asyncio.wait_for(reading, READINGS_WITHIN_SECONDS)
    except TimeoutError:
        return None


def from_counts(counts: RequestCounts) -> tuple[Reading, Reading]:
    """Return error rate (%) and P95 (ms) of one side's requests."""
    rate = 100 * counts.errors / counts.requests if counts.requests else None
    errors = Reading(
        metric=Metric.ERROR_RATE,
        side=counts.side,
        source=Source.REQUEST_LOG,
        value=rate,
        sample=counts.requests,
        errors=counts.errors,
        since=counts.since,
        until=counts.until,
        problem=counts.problem,
    )
    slowness = replace(
        errors,
        metric=Metric.P95,
        value=percentile(counts.latencies_ms, 95),
        sample=len(counts.latencies_ms),
        errors=None,
    )
    return errors, slowness


def _unreadable(where: Sides, *, now: datetime) -> tuple[Reading, ...]:
    present = [Side.CANARY, Side.STABLE] if where.canary else [Side.STABLE]
    return tuple(
        Reading(
            metric=metric, side=side, source=Source.MONITORING, value=None, sample=0,
            since=now - LOG_WINDOW, until=now, problem="no answer in time",
        )
        for side in present
        for metric in Metric
    )  # fmt: skip
