"""What is known beside an incident itself when its scenario is looked at."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.domain.diagnosis import Safety
from bot.domain.playbook import Target
from bot.domain.readings import Reading
from bot.domain.rollback import Rollback, RollbackState


@dataclass(frozen=True, kw_only=True)
class Circumstances:
    """The world around an incident at `now` (aware, UTC).

    `target` is None once the playbook has forgotten it. `rollbacks` are the incident's, oldest first;
    `readings` are the newest ones, read at `read_at`. `safety` is what must be asked before a rollback.
    """

    now: datetime
    target: Target | None = None
    rollbacks: Sequence[Rollback] = ()
    readings: tuple[Reading, ...] = ()
    read_at: datetime | None = None
    safety: Safety | None = None

    @property
    def canary(self) -> str | None:
        """The canary's name where a rollback has named it."""
        return next((r.plan.canary for r in reversed(self.rollbacks) if r.plan), None)

    @property
    def rolled_back(self) -> bool:
        """True when a rollback of this incident was proven."""
        return any(r.state is RollbackState.VERIFIED for r in self.rollbacks)
