"""Taking a follow-up, or giving it to somebody, who is told."""

from bot.domain.follow_up import given_to
from bot.domain.ids import ChannelId, PersonId
from bot.domain.timeline import Event
from bot.usecases.act import Deed, Doing, Reply
from bot.usecases.change_follow_up import follow_up_of, how_it_stands, is_open, save, state_facts
from bot.usecases.ports import Notice, Said


def _take(doing: Doing) -> Reply:
    return _give(doing, doing.act.person)


def _assign(doing: Doing) -> Reply:
    return _give(doing, PersonId(doing.act.words["owner"]))


def _give(doing: Doing, owner: PersonId) -> Reply:
    follow_up = follow_up_of(doing)
    if not is_open(follow_up) or follow_up.owner == owner:
        return how_it_stands(doing, follow_up)
    given = given_to(follow_up, owner, by=doing.act.person)
    if owner == doing.act.person:
        return save(doing, given, Event.FOLLOW_UP_TAKEN)
    facts = state_facts(given) | {"incident": doing.incident.number}
    notice = Notice(what=Said.FOLLOW_UP_GIVEN, person=owner, channel=ChannelId(owner), facts=facts)
    doing.tx.tell(notice, key=f"given:{doing.act.key}")
    return save(doing, given, Event.FOLLOW_UP_GIVEN, owner=owner)


TAKE_FOLLOW_UP = Deed(do=_take, when_closed=True)
ASSIGN_FOLLOW_UP = Deed(do=_assign, when_closed=True, names="owner")
