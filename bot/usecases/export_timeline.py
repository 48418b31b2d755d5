"""The timeline as files, for whoever reads it elsewhere."""

from bot.domain.timeline import incident_chain
from bot.usecases.act import Deed, Doing, Reply
from bot.usecases.journal import board_key
from bot.usecases.ports import Said, Showing

FORMATS = ("json", "csv")


def _export(doing: Doing) -> Reply:
    """Upload the timeline as it is now; how long it is stands in the names."""
    number = doing.incident.number
    length = len(doing.tx.timeline(incident_chain(number)))
    for form in FORMATS:
        subject = f"{number}:{length}.{form}"
        doing.tx.show(Showing.TIMELINE_FILE, subject, channel=doing.channel, under=board_key(number))
    return Reply(what=Said.EXPORTED)


EXPORT = Deed(do=_export, when_closed=True)
