"""Writing a watch's timeline, and showing the new lines in its thread."""

from collections.abc import Iterable
from datetime import datetime

from bot.domain.ids import ChannelId
from bot.domain.watch import Watch, watch_chain
from bot.usecases.journal import Line
from bot.usecases.ports import Showing, Transaction


def watch_key(subject: str) -> str:
    """Return the key of a watch's message, under which its lines are posted; see `Watch.subject`."""
    return f"{Showing.WATCH}:{subject}"


def write_watch_lines(
    tx: Transaction, watch: Watch, lines: Iterable[Line], *, at: datetime, quietly: bool = False
) -> None:
    """Append `lines` to the watch's timeline and post those that are new in its thread, as one message.

    `quietly` posts nothing: the thread is for what changes.
    """
    new = [
        sequence
        for line in lines
        if (
            sequence := tx.write_down(
                watch_chain(watch.subject), line.event, key=line.key, at=at, actor=line.actor, **line.facts
            )
        )
    ]
    if new and not quietly:
        subject = f"{watch.subject}:{new[0]}-{new[-1]}"
        channel = ChannelId(watch.channel)
        tx.show(Showing.WATCH_LOG, subject, channel=channel, under=watch_key(watch.subject))


def show_watch(tx: Transaction, watch: Watch) -> None:
    """Post the watch's message, or edit it where it stands."""
    tx.show(Showing.WATCH, watch.subject, channel=ChannelId(watch.channel))
