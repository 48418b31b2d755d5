"""Drills for tests: of the guide's first scenario, begun at noon."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from bot.domain.drill import LONGEST, Drill, Milestone
from tests.values import CANARY_TARGET, NOON, seconds

#: A drill as fast as the guide asks, seconds after the failure began.
FAST: Mapping[Milestone, float] = {
    Milestone.DETECTED: 40,
    Milestone.DECIDED: 60,
    Milestone.ROLLED_BACK: 90,
    Milestone.VERIFIED: 120,
    Milestone.RECORD_COMPLETE: 480,
}


def a_drill(id: str = "d1", *, reached: Mapping[Milestone, float] | None = None, **more: Any) -> Drill:
    """Return a drill that is under way; with `reached` (seconds after its beginning) one that was scored."""
    began = more.get("created_at", NOON)
    drill = Drill(id=id, scenario="error_rate", target=CANARY_TARGET, created_at=began, until=began + LONGEST)
    if reached is not None:
        times = {milestone: began + seconds(count) for milestone, count in reached.items()}
        drill = replace(drill, reached=times, ended_at=began + timedelta(minutes=15))
    return replace(drill, **more)
