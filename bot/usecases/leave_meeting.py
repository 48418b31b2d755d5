"""Two incidents became one: a post-mortem of the first is called off where the second has its own."""

from bot.domain.ids import IncidentNumber
from bot.domain.post_mortem import MeetingState, called_off
from bot.domain.timeline import Event
from bot.usecases.act import Doing
from bot.usecases.journal import Line, write_lines
from bot.usecases.remind_post_mortem import set_reminder
from bot.usecases.show_post_mortem import meeting_facts, meeting_of, show_calendar, show_invitation


def leave_meeting_to(doing: Doing, into: IncidentNumber) -> None:
    """Call off the meeting of the incident that was just joined, if the other's is about both.

    Where the other has none it stands: the people who are invited are the right ones.
    """
    tx, mine, other = doing.tx, meeting_of(doing.tx, doing.incident.number), meeting_of(doing.tx, into)
    if mine is None or mine.state is not MeetingState.SCHEDULED:
        return
    if other is None or other.state is MeetingState.CALLED_OFF:
        return
    ended = called_off(mine, by=None, why="")
    tx.keep(ended)
    facts = meeting_facts(ended) | {"place": ended.place, "into": into}
    line = Line(event=Event.POST_MORTEM_CALLED_OFF, key=f"meeting:{ended.sequence}", facts=facts)
    write_lines(tx, ended.incident, [line], at=doing.at, channel=doing.channel)
    show_calendar(tx, ended, channel=doing.channel)
    show_invitation(tx, ended.incident, channel=doing.channel)
    set_reminder(tx, ended, now=doing.at)
