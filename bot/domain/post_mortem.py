"""The post-mortem meeting of an incident: proposed, scheduled, reminded of, held.

Blameless, after the SRE book, chapter 15. Source: guide, checklist phase 4, "schedule the post-mortem".
The guide gives no numbers for it; those here are ours.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from bot.domain.ids import IncidentNumber, PersonId
from bot.domain.incident import Incident, Severity

#: What is proposed: on which working day after the first possible one, and when.
PROPOSED = ((0, time(10, 0)), (1, time(10, 0)), (2, time(14, 0)))
#: Whoever was called at night sleeps and eats before; and nothing is proposed on the same evening.
REST = timedelta(hours=12)
#: How long a meeting may take, minutes.
LENGTHS = (30, 45, 60, 90)
USUAL_MINUTES = 60
#: A day further away than that is a slip of the hand.
LATEST = timedelta(days=366)

#: So long before it begins, channel and owner are reminded; the calendar's alarm rings with it.
REMIND_BEFORE = timedelta(minutes=15)
#: When on a working day the owner is asked whether it was held, or the commander that none is set.
ASK_AT = time(10, 0)
#: So often the owner is asked; then the commander and the channel hear of it once, and it is let be.
ASK_AT_MOST = 10
#: After these a post-mortem is expected; as often the commander is reminded while none is set.
EXPECTED_AFTER = frozenset({Severity.CRITICAL, Severity.HIGH})
REMIND_OF_NONE = 3

_SATURDAY = 5


class MeetingState(StrEnum):
    """Where a meeting is; HELD is the end, and what was called off can be scheduled anew."""

    SCHEDULED = "scheduled"
    HELD = "held"
    CALLED_OFF = "called_off"


@dataclass(frozen=True, kw_only=True)
class PostMortem:
    """One incident's meeting; `id` is the incident's number as text. Times are aware, UTC.

    `zone` is the IANA zone it was planned in. `sequence` counts its changes, as RFC 5545 wants it.
    `owner` keeps people reminded. `reminded` counts how often they were asked since it was last moved.
    """

    id: str
    incident: IncidentNumber
    state: MeetingState
    created_at: datetime
    starts_at: datetime
    minutes: int
    zone: str
    place: str
    owner: PersonId
    sequence: int = 0
    reminded: int = 0
    held_at: datetime | None = None
    by: PersonId | None = None
    why: str = ""

    @property
    def ends_at(self) -> datetime:
        """When it is over, as planned."""
        return self.starts_at + timedelta(minutes=self.minutes)


@dataclass(frozen=True, kw_only=True)
class MeetingPlan:
    """What somebody chose for a meeting. `starts_at` is aware, UTC; `place` raw, empty if unknown."""

    starts_at: datetime
    minutes: int
    place: str
    owner: PersonId


class IllegalMeeting(Exception):
    """A meeting cannot go from where it is to where it was wanted."""


def planned_meeting(
    before: PostMortem | None, plan: MeetingPlan, *, incident: IncidentNumber, zone: str, by: PersonId,
    at: datetime,
) -> PostMortem:  # fmt: skip
    """Return an incident's meeting as `plan` wants it: the first one, or `before` moved.

    Raises:
        IllegalMeeting: it was held.
    """
    if before is not None and before.state is MeetingState.HELD:
        raise IllegalMeeting(f"the post-mortem of {before.id} was held")
    return PostMortem(
        id=str(incident),
        incident=incident,
        state=MeetingState.SCHEDULED,
        created_at=before.created_at if before else at,
        starts_at=plan.starts_at,
        minutes=plan.minutes,
        zone=zone,
        place=plan.place,
        owner=plan.owner,
        sequence=before.sequence + 1 if before else 0,
        by=by,
    )


def held(meeting: PostMortem, *, by: PersonId, at: datetime) -> PostMortem:
    """Return it as held, `at` (aware, UTC). Raises `IllegalMeeting` unless it is scheduled."""
    return replace(_scheduled(meeting), state=MeetingState.HELD, held_at=at, by=by)


def called_off(meeting: PostMortem, *, by: PersonId | None, why: str) -> PostMortem:
    """Return it as called off; `by` is None where the bot did. Raises `IllegalMeeting` unless scheduled."""
    off = replace(_scheduled(meeting), state=MeetingState.CALLED_OFF, by=by, why=why)
    return replace(off, sequence=meeting.sequence + 1)


def _scheduled(meeting: PostMortem) -> PostMortem:
    if meeting.state is not MeetingState.SCHEDULED:
        raise IllegalMeeting(f"the post-mortem of {meeting.id} is {meeting.state}")
    return meeting


# When.


def is_working_day(day: date) -> bool:
    """True from Monday to Friday; nobody here knows the holidays."""
    return day.weekday() < _SATURDAY


def working_days(first: date) -> Iterator[date]:
    """Yield the working days from `first` on, `first` included if it is one."""
    day = first
    while True:
        if is_working_day(day):
            yield day
        day += timedelta(days=1)


def local_moment(day: date, at: time, zone: str) -> datetime:
    """Return a wall-clock time in `zone` (an IANA name) as UTC; the first one where it comes twice."""
    return datetime.combine(day, at, tzinfo=ZoneInfo(zone)).astimezone(UTC)


def proposals(*, since: datetime, now: datetime, zone: str) -> tuple[datetime, ...]:
    """Return three moments to meet, soonest first, UTC.

    On working days after today in `zone`, within working hours, at least `REST` after `since`, when the
    incident was over (aware, UTC; `now` while it is not).
    """
    today = now.astimezone(ZoneInfo(zone)).date()
    possible = (
        day
        for day in working_days(today + timedelta(days=1))
        if local_moment(day, PROPOSED[0][1], zone) >= since + REST
    )
    days = [next(possible) for _ in range(max(after for after, _ in PROPOSED) + 1)]
    return tuple(local_moment(days[after], at, zone) for after, at in PROPOSED)


class NotThen(StrEnum):
    """Why a chosen moment is none."""

    PAST = "past"
    FAR = "far"


def not_then(starts_at: datetime, *, now: datetime) -> NotThen | None:
    """Return what is wrong with a moment that somebody chose, None when it is fine; both aware."""
    if starts_at <= now:
        return NotThen.PAST
    return NotThen.FAR if starts_at - now > LATEST else None


# Reminding.


class Reminder(StrEnum):
    """What a reminder says: it begins soon, was it held?, nobody says; and: none is set."""

    SOON = "soon"
    HELD = "held"
    UNANSWERED = "unanswered"
    NONE_SET = "none_set"


def next_reminder(meeting: PostMortem, *, now: datetime) -> tuple[Reminder, datetime] | None:
    """Return what a scheduled meeting is reminded of next, and when (UTC); None when it is let be.

    Before it begins: `REMIND_BEFORE`. After it: on each working day at `ASK_AT` in its zone, the owner
    `ASK_AT_MOST` times, then once whoever is above.
    """
    if meeting.state is not MeetingState.SCHEDULED or meeting.reminded > ASK_AT_MOST:
        return None
    soon = meeting.starts_at - REMIND_BEFORE
    if now < soon:
        return Reminder.SOON, soon
    what = Reminder.HELD if meeting.reminded < ASK_AT_MOST else Reminder.UNANSWERED
    return what, next_asking(max(meeting.ends_at, now), meeting.zone)


def next_asking(after: datetime, zone: str) -> datetime:
    """Return the first `ASK_AT` of a working day in `zone` after `after` (aware), UTC."""
    today = after.astimezone(ZoneInfo(zone)).date()
    moments = (local_moment(day, ASK_AT, zone) for day in working_days(today))
    return next(moment for moment in moments if moment > after)


def is_expected(incident: Incident) -> bool:
    """True when an incident is one after which a post-mortem is due; a drill is talked over as it likes."""
    real = incident.merged_into is None and not incident.drill
    return real and incident.severity in EXPECTED_AFTER
