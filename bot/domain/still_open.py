"""What is still open of an incident when somebody wants to close it."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.domain.follow_up import FollowUp
from bot.domain.incident import Incident
from bot.domain.paging import Page
from bot.domain.playbook import Playbook
from bot.domain.scenario_clock import ClockLine, clock_lines, open_needed_to_close
from bot.domain.steps import Step, open_steps


@dataclass(frozen=True, kw_only=True)
class StillOpen:
    """Everything that waits for somebody. `needed` must be done first: it keeps the incident open.

    `running` is True while the incident's own rollback or change runs, which keeps it open, too.
    """

    running: bool
    needed: tuple[ClockLine, ...]
    clock: tuple[ClockLine, ...]
    steps: tuple[Step, ...]
    pages: tuple[Page, ...]
    follow_ups: tuple[FollowUp, ...]

    @property
    def keeps_it_open(self) -> bool:
        """True when the incident cannot be closed yet."""
        return self.running or bool(self.needed)


def still_open(
    incident: Incident,
    playbook: Playbook,
    *,
    running: bool,
    rolled_back: bool,
    pages: Sequence[Page],
    follow_ups: Sequence[FollowUp],
) -> StillOpen:
    """Return what is open; the steps of the checklist count once a rollback was decided.

    Args:
        running: a rollback or a change of this incident is running.
        rolled_back: a rollback of this incident was verified, which does those steps of the clock.
        pages: the incident's that wait for an answer.
        follow_ups: the incident's that are open.
    """
    scenario = playbook.scenario(incident.scenario)
    needed = open_needed_to_close(incident, scenario, rolled_back=rolled_back)
    lines = clock_lines(incident, scenario, rolled_back=rolled_back) if scenario else []
    return StillOpen(
        running=running,
        needed=needed,
        clock=tuple(line for line in lines if not line.done and line not in needed),
        steps=open_steps(incident, playbook) if incident.decided_at else (),
        pages=tuple(pages),
        follow_ups=tuple(follow_ups),
    )
