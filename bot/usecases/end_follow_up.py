"""A follow-up is done, dropped with a reason, or opened again."""

from bot.domain.follow_up import NEXT_STATES, FollowUpState, moved
from bot.domain.timeline import Event
from bot.usecases.act import Deed, Doing, Reply
from bot.usecases.change_follow_up import follow_up_of, how_it_stands, save
from bot.usecases.plan_follow_ups import set_reminder


def _finish(doing: Doing) -> Reply:
    return _to(doing, FollowUpState.DONE, Event.FOLLOW_UP_DONE)


def _drop(doing: Doing) -> Reply:
    return _to(doing, FollowUpState.DROPPED, Event.FOLLOW_UP_DROPPED)


def _reopen(doing: Doing) -> Reply:
    return _to(doing, FollowUpState.OPEN, Event.FOLLOW_UP_REOPENED)


def _to(doing: Doing, wanted: FollowUpState, event: Event) -> Reply:
    follow_up = follow_up_of(doing)
    if wanted not in NEXT_STATES[follow_up.state]:
        return how_it_stands(doing, follow_up)
    why = doing.act.words.get("why", "")
    ended = moved(follow_up, wanted, at=doing.at, by=doing.act.person, why=why)
    set_reminder(doing.tx, ended, at=doing.at)
    return save(doing, ended, event, why=why)


FINISH_FOLLOW_UP = Deed(do=_finish, when_closed=True)
DROP_FOLLOW_UP = Deed(do=_drop, when_closed=True)
REOPEN_FOLLOW_UP = Deed(do=_reopen, when_closed=True)
