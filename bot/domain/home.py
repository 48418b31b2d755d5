"""What one person sees on their App Home: what is open, what waits for them, and how the targets stand."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bot.domain.follow_up import FollowUp
from bot.domain.guide import Contact, Short, Text
from bot.domain.ids import ChannelId, IncidentNumber, PersonId, TargetName
from bot.domain.incident import Incident
from bot.domain.paging import Page
from bot.domain.playbook import Playbook
from bot.domain.readiness import Readiness
from bot.domain.scenario_clock import clock_lines
from bot.domain.status import Status
from bot.domain.steps import open_steps


@dataclass(frozen=True, kw_only=True)
class Todo:
    """One step that waits for somebody. `due_at` is aware, UTC; None where no clock runs yet.

    `owner` is who is to do it as far as anybody has said, `shown_by` the key of the message it stands in.
    """

    incident: IncidentNumber
    title: Text | Short
    due_at: datetime | None
    owner: PersonId | None
    shown_by: str


def todos(incident: Incident, playbook: Playbook, *, rolled_back: bool) -> tuple[Todo, ...]:
    """Return the incident's open steps, of the checklist and of the scenario's clock, the first due first.

    Args:
        rolled_back: the bot has proven a rollback of this incident.
    """
    steps = [
        Todo(
            incident=incident.number,
            title=step.plan.title,
            due_at=step.due_at,
            owner=step.owner.person if step.owner else None,
            shown_by=f"checklist:{incident.number}",
        )
        for step in open_steps(incident, playbook)
    ]
    found = [*steps, *_clock(incident, playbook, rolled_back=rolled_back)]
    # Python's sort is stable: without due times the playbook's own order stays.
    return tuple(sorted(found, key=lambda todo: (todo.due_at is None, todo.due_at)))


def _clock(incident: Incident, playbook: Playbook, *, rolled_back: bool) -> list[Todo]:
    scenario = playbook.scenario(incident.scenario)
    if scenario is None:
        return []
    found = []
    for line in clock_lines(incident, scenario, rolled_back=rolled_back):
        if line.done or (line.sub is None and line.step.steps):
            continue
        assigned = incident.assigned.get(line.key)
        found.append(
            Todo(
                incident=incident.number,
                title=line.title,
                due_at=line.due_at,
                owner=assigned.owner if assigned else incident.commander,
                shown_by=f"diagnosis:{incident.number}",
            )
        )
    return found


@dataclass(frozen=True, kw_only=True)
class Home:
    """Everything on one person's Home as it is stored now.

    `next_todos` holds the first open step of each incident, `contacts` who is called by each page.
    `statuses` are the last known ones, None where a target was never looked at. `places` says where
    messages stand: key to channel id and timestamp. `drills` are the incidents that belong to one, open or
    not, of all that is shown, and `drilled` the targets of which a drill is shown.
    """

    person: PersonId
    incidents: tuple[Incident, ...]
    next_todos: Mapping[IncidentNumber, Todo]
    todos: tuple[Todo, ...]
    pages: tuple[Page, ...]
    contacts: Mapping[str, Contact]
    follow_ups: tuple[FollowUp, ...]
    statuses: Mapping[TargetName, Status | None]
    readiness: Readiness | None
    places: Mapping[str, tuple[ChannelId, str]] = field(default_factory=dict)
    drills: frozenset[IncidentNumber] = frozenset()
    drilled: frozenset[TargetName] = frozenset()
