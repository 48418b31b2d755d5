"""A fire drill: a failure made on purpose, on a simulated cloud, to see how fast the team puts it right.

What happens in a drill is marked as one wherever it is shown, and never enters the statistics. Drills exist
because the guide asks that the team knows the rollback command and that the rollback is tested (guide,
"Readiness checklist"); the SRE book calls them disaster role playing ("Site Reliability Engineering",
ch. 28).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from bot.domain.ids import IncidentNumber, TargetName

#: Nothing that happens later belongs to a drill, even if nobody ended it. Ours: the guide's longest clock and
#: its record fit into ten minutes, and nobody drills for longer than an hour.
LONGEST = timedelta(hours=1)


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
