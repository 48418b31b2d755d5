"""A channel does not take a text for people: its author is told, and the timeline says so."""

from bot.domain.announcement import Announcement
from bot.domain.ids import ChannelId
from bot.domain.timeline import Event
from bot.usecases.editions import playbook_of
from bot.usecases.journal import Line, write_lines
from bot.usecases.ports import Clock, Notice, Playbooks, Said, Showing, Store, Transaction


async def report_refused_channel(
    what: Showing, subject: str, why: str, *, store: Store, playbooks: Playbooks, clock: Clock
) -> None:
    """Tell that Slack refused `subject` for good, as `why` (Slack's code) says; other messages are logged."""
    if what is not Showing.ANNOUNCEMENT:
        return
    id, _, channel = subject.partition(":")

    def tell(tx: Transaction) -> None:
        announcement = tx.kept(Announcement, id)
        incident = tx.incident(announcement.incident)
        playbook = playbook_of(tx, incident, playbooks.current())
        facts = {"channel": channel, "why": why, "notice": announcement.notice}
        key = f"refused:{subject}"
        line = Line(event=Event.ANNOUNCEMENT_REFUSED, key=key, facts=facts)
        incidents = ChannelId(playbook.channels.incidents)
        write_lines(tx, incident.number, [line], at=clock(), channel=incidents)
        author = announcement.written_by
        told = facts | {"incident": incident.number, "text": announcement.text}
        # To the author directly: the incident channel may be the very one that refuses.
        notice = Notice(what=Said.CHANNEL_REFUSED, person=author, channel=ChannelId(author), facts=told)
        tx.tell(notice, key=key)

    await store.change(tell)
