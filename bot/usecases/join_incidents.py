"""Joining two incidents that turned out to be one: the first is closed, its timeline stays."""

from dataclasses import replace

from bot.domain.ids import IncidentNumber
from bot.domain.incident import Incident, IncidentState
from bot.domain.playbook import Permission
from bot.domain.timeline import Event
from bot.usecases.act import Deed, Doing, Reply
from bot.usecases.close_incident import cannot_end, end
from bot.usecases.journal import Line, write_lines
from bot.usecases.leave_meeting import leave_meeting_to
from bot.usecases.look_what_is_open import look_what_is_open
from bot.usecases.ports import NotKept, Said
from bot.usecases.show_incident import show_incident


def _join(doing: Doing) -> Reply | None:
    into = _other(doing)
    if into is None or into.number == doing.incident.number or into.state is IncidentState.CLOSED:
        return Reply(what=Said.CANNOT_JOIN, facts={"into": int(doing.act.words["into"])})
    if bool(into.drill) is not bool(doing.incident.drill):
        # What is real would be left out of the statistics, or what is not would enter them.
        return Reply(what=Said.CANNOT_JOIN, facts={"into": into.number, "drill": True})
    left = look_what_is_open(doing.tx, doing.incident, doing.playbook)
    if left.keeps_it_open:
        return cannot_end(left)
    doing.write(Event.JOINED_TO, into=into.number, target=into.target)
    end(
        doing,
        replace(doing.incident, state=IncidentState.CLOSED, closed_at=doing.at, merged_into=into.number),
    )
    leave_meeting_to(doing, into.number)
    _tell_the_other(doing, into)
    return None


def _other(doing: Doing) -> Incident | None:
    try:
        return doing.tx.incident(IncidentNumber(int(doing.act.words["into"])))
    except NotKept:
        return None


def _tell_the_other(doing: Doing, into: Incident) -> None:
    joined = doing.incident
    facts = {"joined": joined.number, "target": joined.target, "seen": joined.seen}
    key = f"joined:{joined.number}:{doing.act.key}"
    line = Line(event=Event.OTHER_JOINED, key=key, actor=doing.act.person, facts=facts)
    write_lines(doing.tx, into.number, [line], at=doing.at, channel=doing.channel)
    show_incident(doing.tx, into.number, channel=doing.channel)


JOIN = Deed(do=_join, permission=Permission.COMPLETE_RECORD, commander_may=True)
