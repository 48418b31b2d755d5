"""What is to be done after an incident: tasks with an owner and a due date that outlive it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from bot.domain.guide import FollowUpPlan
from bot.domain.ids import IncidentNumber, PersonId, TargetName
from bot.domain.incident import Incident
from bot.domain.playbook import Playbook

#: When on its due day a follow-up is due, where a person chose the day, in the playbook's zone: early
#: enough to be reminded of while the day is still long.
DUE_AT = time(9, 0)
#: What is due today after that hour is due this long from now.
AT_LEAST = timedelta(hours=1)
#: How often an overdue follow-up is brought up again, until it is done.
REMIND_EVERY = timedelta(days=3)


class FollowUpState(StrEnum):
    """Where a follow-up is."""

    OPEN = "open"
    DONE = "done"
    DROPPED = "dropped"


#: Where a follow-up may go next; what has ended can be opened again, and the timeline keeps both.
NEXT_STATES: Mapping[FollowUpState, frozenset[FollowUpState]] = {
    FollowUpState.OPEN: frozenset({FollowUpState.DONE, FollowUpState.DROPPED}),
    FollowUpState.DONE: frozenset({FollowUpState.OPEN}),
    FollowUpState.DROPPED: frozenset({FollowUpState.OPEN}),
}


class IllegalMove(Exception):
    """A follow-up cannot go from where it is to where it was wanted."""


@dataclass(frozen=True, kw_only=True)
class FollowUp:
    """One task. `titles` by language; `owner_role` is the contact who gets it while nobody has it.

    Times are aware, UTC. `by` is who changed it last, None as long as only the bot has; `why` is what
    they wrote, raw. One that is dropped by nobody went because its scenario was changed.
    """

    id: str
    incident: IncidentNumber
    target: TargetName
    key: str
    titles: Mapping[str, str]
    state: FollowUpState
    created_at: datetime
    due_at: datetime
    owner: PersonId | None = None
    owner_role: str | None = None
    postpones_deployment: bool = False
    by: PersonId | None = None
    ended_at: datetime | None = None
    why: str = ""

    @property
    def touched(self) -> bool:
        """True once a person has changed it."""
        return self.by is not None

    @property
    def scenario_changed(self) -> bool:
        """True when it was dropped because the incident turned out to be of another kind."""
        return self.state is FollowUpState.DROPPED and not self.touched

    def title_in(self, locale: str) -> str:
        """Return its title in `locale` (``en`` or ``ko``)."""
        return self.titles.get(locale) or self.titles.get("en") or self.key


def follow_up_id(incident: IncidentNumber, key: str) -> str:
    """Return the id of an incident's follow-up: planning twice finds the first one again."""
    return f"{incident}-{key}"


def planned(
    incident: Incident, playbook: Playbook, known: Iterable[FollowUp], *, at: datetime
) -> tuple[FollowUp, ...]:
    """Return what is new or different when the incident's scenario asks for its follow-ups, `at` (UTC).

    Those of another scenario that nobody has touched are dropped, and come back with their scenario.
    """
    scenario = playbook.scenario(incident.scenario)
    wanted = {plan.key: plan for plan in scenario.follow_ups} if scenario else {}
    present = {follow_up.key: follow_up for follow_up in known}
    new = [_made(incident, playbook, plan, at=at) for key, plan in wanted.items() if key not in present]
    back = [f for key, f in present.items() if key in wanted and f.scenario_changed]
    gone = [f for key, f in present.items() if key not in wanted and not f.touched]
    return (
        *new,
        *(replace(f, state=FollowUpState.OPEN, ended_at=None) for f in back),
        *(
            replace(f, state=FollowUpState.DROPPED, ended_at=at)
            for f in gone
            if f.state is FollowUpState.OPEN
        ),
    )


def _made(incident: Incident, playbook: Playbook, plan: FollowUpPlan, *, at: datetime) -> FollowUp:
    return FollowUp(
        id=follow_up_id(incident.number, plan.key),
        incident=incident.number,
        target=incident.target,
        key=plan.key,
        titles={"en": plan.title.en, "ko": plan.title.ko},
        state=FollowUpState.OPEN,
        created_at=at,
        due_at=at + timedelta(days=plan.due_days),
        owner=_first_owner(incident, playbook, plan.owner),
        owner_role=plan.owner,
        postpones_deployment=plan.postpones_deployment,
    )


def _first_owner(incident: Incident, playbook: Playbook, role: str | None) -> PersonId | None:
    """Who has taken the role in this incident, else whom the playbook names for it."""
    if role is None:
        return None
    contact = playbook.contacts.get(role)
    named = PersonId(contact.user) if contact and contact.user else None
    return incident.roles.get(role) or named


def given_to(follow_up: FollowUp, owner: PersonId, *, by: PersonId) -> FollowUp:
    """Return it with a new owner. Raises `IllegalMove` unless it is open."""
    return replace(_open(follow_up), owner=owner, by=by)


def due_on(follow_up: FollowUp, due_at: datetime, *, by: PersonId, why: str) -> FollowUp:
    """Return it with a new due moment (aware, UTC). Raises `IllegalMove` unless it is open."""
    return replace(_open(follow_up), due_at=due_at, by=by, why=why)


def moved(
    follow_up: FollowUp, wanted: FollowUpState, *, at: datetime, by: PersonId, why: str = ""
) -> FollowUp:
    """Return it in state `wanted`.

    Raises:
        IllegalMove: `NEXT_STATES` has no arrow from the current state to `wanted`.
    """
    if wanted not in NEXT_STATES[follow_up.state]:
        raise IllegalMove(f"{follow_up.id} is {follow_up.state}, so it cannot become {wanted}")
    ended_at = None if wanted is FollowUpState.OPEN else at
    return replace(follow_up, state=wanted, ended_at=ended_at, by=by, why=why)


def _open(follow_up: FollowUp) -> FollowUp:
    if follow_up.state is not FollowUpState.OPEN:
        raise IllegalMove(f"{follow_up.id} is {follow_up.state}")
    return follow_up


def due_moment(day: date, *, zone: str, at: datetime) -> datetime:
    """Return when something chosen for `day` (in `zone`, an IANA name) is due, UTC, never before `at`."""
    morning = datetime.combine(day, DUE_AT, tzinfo=ZoneInfo(zone)).astimezone(UTC)
    return max(morning, at + AT_LEAST)


def is_past(day: date, *, zone: str, at: datetime) -> bool:
    """True when `day` is over in `zone` at `at` (aware)."""
    return day < at.astimezone(ZoneInfo(zone)).date()


def next_reminder(follow_up: FollowUp, *, at: datetime) -> datetime:
    """Return when it is brought up next: when it is due, and then every `REMIND_EVERY`."""
    return max(follow_up.due_at, at + REMIND_EVERY) if follow_up.due_at <= at else follow_up.due_at
