"""A post-mortem was held, or is called off with a reason; either ends its reminders."""

from bot.domain.playbook import Permission
from bot.domain.post_mortem import PostMortem, called_off, held
from bot.domain.timeline import Event
from bot.usecases.act import Deed, Doing, Reply
from bot.usecases.ports import Said
from bot.usecases.remind_post_mortem import set_reminder
from bot.usecases.schedule_post_mortem import how_it_stands, stands_as_seen
from bot.usecases.show_post_mortem import meeting_facts, meeting_of, show_calendar, show_invitation


def _hold(doing: Doing) -> Reply:
    meeting = meeting_of(doing.tx, doing.incident.number)
    if meeting is None or not stands_as_seen(doing, meeting):
        return how_it_stands(meeting)
    ended = held(meeting, by=doing.act.person, at=doing.at)
    return _end(doing, ended, Event.POST_MORTEM_HELD)


def _call_off(doing: Doing) -> Reply:
    meeting = meeting_of(doing.tx, doing.incident.number)
    if meeting is None or not stands_as_seen(doing, meeting):
        return how_it_stands(meeting)
    ended = called_off(meeting, by=doing.act.person, why=doing.act.words["why"])
    show_calendar(doing.tx, ended, channel=doing.channel)
    return _end(doing, ended, Event.POST_MORTEM_CALLED_OFF)


def _end(doing: Doing, ended: PostMortem, event: Event) -> Reply:
    doing.tx.keep(ended)
    doing.write(event, **meeting_facts(ended), place=ended.place, why=ended.why)
    show_invitation(doing.tx, ended.incident, channel=doing.channel)
    set_reminder(doing.tx, ended, now=doing.at)
    facts = meeting_facts(ended) | {"by": doing.act.person}
    if ended.owner != doing.act.person:
        doing.tell(ended.owner, Said.MEETING_SET, **facts)
    return Reply(what=Said.MEETING_SET, facts=facts)


#: Whoever was there can say so.
HOLD_POST_MORTEM = Deed(do=_hold, when_closed=True)
CALL_OFF_POST_MORTEM = Deed(
    do=_call_off, permission=Permission.COMPLETE_RECORD, commander_may=True, when_closed=True
)
