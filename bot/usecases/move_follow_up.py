"""Moving the day on which a follow-up is due, with the reason."""

from datetime import date

from bot.domain.follow_up import due_moment, due_on
from bot.domain.timeline import Event
from bot.usecases.act import Deed, Doing, Reply
from bot.usecases.change_follow_up import follow_up_of, how_it_stands, is_open, save
from bot.usecases.plan_follow_ups import set_reminder


def _move(doing: Doing) -> Reply:
    follow_up = follow_up_of(doing)
    if not is_open(follow_up):
        return how_it_stands(doing, follow_up)
    day, why = date.fromisoformat(doing.act.words["day"]), doing.act.words["why"]
    due_at = due_moment(day, zone=doing.playbook.time_zone, at=doing.at)
    moved = due_on(follow_up, due_at, by=doing.act.person, why=why)
    set_reminder(doing.tx, moved, at=doing.at)
    facts = {"before": follow_up.due_at.isoformat(), "due_at": due_at.isoformat(), "why": why}
    return save(doing, moved, Event.FOLLOW_UP_MOVED, **facts)


MOVE_FOLLOW_UP = Deed(do=_move, when_closed=True)
