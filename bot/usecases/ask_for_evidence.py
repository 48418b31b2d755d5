"""Somebody wants evidence taken now: before they change something, or to see what has become of it."""

from bot.domain.exhibit import Moment
from bot.domain.playbook import Permission
from bot.usecases.act import Deed, Doing, Reply
from bot.usecases.collect_evidence import start_collecting
from bot.usecases.ports import Said


def _take(doing: Doing) -> Reply:
    """Take it; whoever asks within the same minute waits for the same files."""
    if doing.tx.first_time(f"evidence:{doing.incident.number}:{doing.at:%Y%m%d%H%M}", at=doing.at):
        start_collecting(
            doing.tx,
            doing.incident.number,
            Moment.ASKED,
            about=doing.act.key.rpartition(":")[2],
            at=doing.at,
            asked_by=doing.act.person,
        )
    return Reply(what=Said.EVIDENCE_ASKED)


TAKE_EVIDENCE = Deed(do=_take, permission=Permission.COMPLETE_RECORD, commander_may=True)
