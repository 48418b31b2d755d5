"""How long recovery should take, counted from the rollback. Source: guide, "Expected recovery"."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bot.domain.guide import Scenario
from bot.domain.incident import Incident
from bot.domain.rollback import Rollback, RollbackState
from bot.domain.scenario_clock import clock_lines, open_needed_to_close


class Standing(StrEnum):
    """Where recovery is."""

    NOT_BEGUN = "not_begun"
    UNDER_WAY = "under_way"
    OVER = "over"
    RECOVERED = "recovered"


@dataclass(frozen=True, kw_only=True)
class Expected:
    """`left` while it is under way, `late` when it should have been over, `took` once it is."""

    standing: Standing
    left: timedelta | None = None
    late: timedelta | None = None
    took: timedelta | None = None


def expected(
    incident: Incident, scenario: Scenario, rollbacks: Sequence[Rollback], *, now: datetime
) -> Expected:
    """Say how recovery stands at `now` (aware, UTC); `rollbacks` oldest first.

    It counts from the newest rollback. Recovered means: that rollback was proven; in a scenario on
    a clock, where a rollback brings no data back: what is needed to close was done by people.
    """
    began = next((r.requested_at for r in reversed(rollbacks) if r.requested_at), incident.decided_at)
    if began is None:
        return Expected(standing=Standing.NOT_BEGUN)
    ended = _ended(incident, scenario, rollbacks)
    if ended is not None:
        return Expected(standing=Standing.RECOVERED, took=max(ended - began, timedelta()))
    due = began + timedelta(minutes=scenario.recovery.to_minutes)
    if now > due:
        return Expected(standing=Standing.OVER, late=now - due)
    return Expected(standing=Standing.UNDER_WAY, left=due - now)


def _ended(incident: Incident, scenario: Scenario, rollbacks: Sequence[Rollback]) -> datetime | None:
    needed = [step for step in scenario.clock if step.needed_to_close]
    if not needed:
        newest = next((r for r in reversed(rollbacks) if r.requested_at), None)
        return newest.ended_at if newest and newest.state is RollbackState.VERIFIED else None
    if open_needed_to_close(incident, scenario):
        return None
    marks = (line.mark for line in clock_lines(incident, scenario) if line.step in needed)
    return max((mark.at for mark in marks if mark), default=None)
