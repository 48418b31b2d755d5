"""Command of an incident: taken by a button, taken over with a second thought, or handed on."""

from dataclasses import replace

from bot.domain.ids import PersonId
from bot.domain.timeline import Event
from bot.usecases.act import Deed, Doing, Reply
from bot.usecases.ports import Said


def _take(doing: Doing) -> Reply | None:
    """Take command from whom the person saw in command (``seen``, empty for nobody), and no other."""
    me, holder = doing.act.person, doing.incident.commander
    if holder == me:
        return Reply(what=Said.COMMAND_IS_YOURS)
    if (holder or "") != doing.act.words["seen"]:
        return Reply(what=Said.COMMAND_ELSEWHERE, facts={"by": holder})
    doing.save(replace(doing.incident, commander=me))
    doing.write(Event.COMMAND_TAKEN, before=holder)
    if holder is not None:
        doing.tell(holder, Said.COMMAND_TAKEN)
    return Reply(what=Said.COMMAND_IS_YOURS)


def _hand_over(doing: Doing) -> Reply | None:
    to, holder = PersonId(doing.act.words["to"]), doing.incident.commander
    if holder == to:
        return Reply(what=Said.COMMAND_ELSEWHERE, facts={"by": holder})
    if holder not in (None, doing.act.person) and holder != (doing.act.words["seen"] or None):
        return Reply(what=Said.COMMAND_ELSEWHERE, facts={"by": holder})
    doing.save(replace(doing.incident, commander=to))
    doing.write(Event.COMMAND_HANDED_OVER, to=to, before=holder)
    doing.tell(to, Said.COMMAND_GIVEN)
    if holder not in (None, doing.act.person):
        doing.tell(PersonId(holder or ""), Said.COMMAND_TAKEN)
    return None


TAKE_COMMAND = Deed(do=_take)
HAND_OVER = Deed(do=_hand_over, names="to")
