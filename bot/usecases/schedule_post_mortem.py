"""Scheduling an incident's post-mortem, once, and moving it."""

from datetime import UTC, datetime

from bot.domain.guide import Sees
from bot.domain.ids import PersonId
from bot.domain.observed import observed
from bot.domain.playbook import Permission
from bot.domain.post_mortem import MeetingPlan, MeetingState, PostMortem, planned_meeting
from bot.domain.timeline import Event
from bot.usecases.act import Deed, Doing, Reply
from bot.usecases.journal import write_lines
from bot.usecases.ports import Said
from bot.usecases.remind_post_mortem import set_reminder
from bot.usecases.show_post_mortem import (
    meeting_facts,
    meeting_of,
    show_calendar,
    show_document,
    show_invitation,
)
from bot.usecases.tick_checklist import tick_checklist


def _schedule(doing: Doing) -> Reply:
    before = meeting_of(doing.tx, doing.incident.number)
    if doing.incident.merged_into is not None:
        return Reply(what=Said.WAS_JOINED, facts={"into": doing.incident.merged_into})
    if before is not None and before.state is not MeetingState.CALLED_OFF:
        return how_it_stands(before)
    return _plan(doing, before)


def _move(doing: Doing) -> Reply:
    before = meeting_of(doing.tx, doing.incident.number)
    if before is None or not stands_as_seen(doing, before):
        return how_it_stands(before)
    return _plan(doing, before)


def stands_as_seen(doing: Doing, meeting: PostMortem) -> bool:
    """True while a meeting is scheduled as it was when the person looked at it."""
    seen = doing.act.words["seen"]
    return meeting.state is MeetingState.SCHEDULED and str(meeting.sequence) == seen


def how_it_stands(meeting: PostMortem | None) -> Reply:
    """Tell whoever comes too late how it stands now; nothing is changed."""
    if meeting is None:
        return Reply(what=Said.MEETING_STANDS, facts={"state": None})
    return Reply(what=Said.MEETING_STANDS, facts=meeting_facts(meeting) | {"by": meeting.by})


def _plan(doing: Doing, before: PostMortem | None) -> Reply:
    tx, channel, words = doing.tx, doing.channel, doing.act.words
    plan = MeetingPlan(
        starts_at=datetime.fromisoformat(words["starts_at"]).astimezone(UTC),
        minutes=int(words["minutes"]),
        place=words["place"],
        owner=PersonId(words["owner"]),
    )
    meeting = planned_meeting(
        before,
        plan,
        incident=doing.incident.number,
        zone=doing.playbook.time_zone,
        by=doing.act.person,
        at=doing.at,
    )
    stood = before if before is not None and before.state is MeetingState.SCHEDULED else None
    if stood is not None and _plan_of(stood) == plan:
        return how_it_stands(stood)
    moved = stood is not None and stood.starts_at != meeting.starts_at
    tx.keep(meeting)
    doing.write(
        Event.POST_MORTEM_SET,
        **meeting_facts(meeting),
        place=meeting.place,
        before=stood.starts_at.isoformat() if stood is not None and moved else None,
        changed=stood is not None and not moved,
    )
    _tick(doing, meeting)
    show_invitation(tx, meeting.incident, channel=channel)
    show_calendar(tx, meeting, channel=channel)
    if stood is None:
        show_document(tx, meeting, edition=str(meeting.sequence), channel=channel)
    set_reminder(tx, meeting, now=doing.at)
    facts = meeting_facts(meeting) | {"moved": moved, "by": doing.act.person}
    if meeting.owner != doing.act.person:
        doing.tell(meeting.owner, Said.MEETING_SET, **facts)
    return Reply(what=Said.MEETING_SET, facts=facts)


def _plan_of(meeting: PostMortem) -> MeetingPlan:
    return MeetingPlan(
        starts_at=meeting.starts_at, minutes=meeting.minutes, place=meeting.place, owner=meeting.owner
    )


def _tick(doing: Doing, meeting: PostMortem) -> None:
    """Tick the checklist's step, with when and by whom as its evidence."""
    found = observed(Sees.POST_MORTEM, ok=True, starts_at=meeting.starts_at.isoformat(), by=doing.act.person)
    number, channel = meeting.incident, doing.channel
    lines = tick_checklist(doing.tx, number, [found], channel=channel, at=doing.at)
    write_lines(doing.tx, number, lines, at=doing.at, channel=channel)


SCHEDULE_POST_MORTEM = Deed(
    do=_schedule,
    permission=Permission.COMPLETE_RECORD,
    commander_may=True,
    names="owner",
    when_closed=True,
)
#: Whoever cannot come moves it: every member, as with follow-ups.
MOVE_POST_MORTEM = Deed(do=_move, names="owner", when_closed=True)
