"""The one border at which whatever belongs to a drill is marked as one, and the drill's scoreboard.

Whether something belongs to a drill is read from stored rows, so that the same rows are rendered the same:
what was made in a drill stays marked after its end, and what comes later on the same target is not.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from bot.adapters.message_files import File, Files
from bot.adapters.watch_rendering import WATCHES
from bot.domain.alert import Alert
from bot.domain.announcement import Announcement
from bot.domain.drill import Drill, any_concerns
from bot.domain.ids import ChangeId, IncidentNumber, RollbackId
from bot.domain.playbook import Playbook
from bot.domain.timeline import Entry, Event
from bot.domain.watch import Watch, watch_chain
from bot.slack.text import Words
from bot.slack.views.drill_board import scoreboard_message
from bot.slack.views.drill_marks import drill_line, marked, marked_message
from bot.slack.views.rollback_message import Message
from bot.usecases.end_drill import read_scoreboard
from bot.usecases.ports import Showing, Transaction
from bot.usecases.whose_drill import incident_is_drilled, made_in_drill

#: What is about nothing that happened: a Home marks the lines that belong to a drill by itself.
_ABOUT_NOTHING = frozenset({Showing.HOME, Showing.STATS, Showing.STATS_FILE})
#: Texts for people; the subject begins with the announcement's id.
_ANNOUNCEMENTS = frozenset({Showing.APPROVAL, Showing.ANNOUNCEMENT, Showing.UPDATE_DUE})
#: Parts of a notice's facts that name the target they are about.
_ABOUT = ("status", "finding", "readiness")


def scoreboard_rendering(tx: Transaction, id: str, *, current: Playbook, words: Words) -> Message:
    """Return a drill's scoreboard. Raises `NotKept`."""
    return scoreboard_message(read_scoreboard(tx, id, current), words)


def belongs_to_drill(
    tx: Transaction, what: Showing, subject: str, facts: Mapping[str, Any], *, now: datetime
) -> bool:
    """True when `what` of `subject` belongs to a drill's incident; or, without an incident, to a target on
    which a drill was under way when it was made. A notice is made when it is rendered, `now` (aware, UTC).
    """
    if what in _ABOUT_NOTHING:
        return False
    drills = tx.find(Drill)
    if not drills:
        return False
    if what is Showing.SCOREBOARD:
        return True
    if what is Showing.NOTICE:
        return _notice(tx, facts, drills, now)
    if what in WATCHES:
        return _of_watch(tx, what, subject, drills)
    if what is Showing.ROLLBACK:
        rollback = tx.rollback(RollbackId(subject))
        return made_in_drill(tx, rollback.incident, rollback.target, rollback.asked_at, drills)
    if what is Showing.CHANGE:
        change = tx.change(ChangeId(subject))
        return made_in_drill(tx, change.incident, change.target, change.asked_at, drills)
    if what in _ANNOUNCEMENTS:
        return incident_is_drilled(tx, tx.kept(Announcement, subject.partition(":")[0]).incident)
    number = re.match(r"\d+", subject)
    return number is not None and incident_is_drilled(tx, IncidentNumber(int(number[0])))


def _notice(tx: Transaction, facts: Mapping[str, Any], drills: Sequence[Drill], now: datetime) -> bool:
    if facts.get("incident") is not None:
        return incident_is_drilled(tx, IncidentNumber(int(facts["incident"])))
    parts = [facts, *(part for name in _ABOUT if isinstance(part := facts.get(name), Mapping))]
    return any(any_concerns(str(part.get("target")), now, drills) for part in parts)


def _of_watch(tx: Transaction, what: Showing, subject: str, drills: Sequence[Drill]) -> bool:
    if what is Showing.ALERT:
        alert = tx.kept(Alert, subject.partition(":")[0])
        return made_in_drill(tx, alert.incident, alert.target, alert.created_at, drills)
    about, _, span = (subject, "", "") if what is Showing.WATCH else subject.rpartition(":")
    if _is_after_all(tx, about, drills):
        return False
    since = _drilled_from(tx.timeline(watch_chain(about)), about, drills)
    return since is not None and (not span or int(span.partition("-")[0]) >= since)


def _is_after_all(tx: Transaction, subject: str, drills: Sequence[Drill]) -> bool:
    """True for a watch that began after the target's last drill: its timeline need not be read."""
    target = subject.rpartition(":")[0]
    newest = next((watch for watch in tx.find(Watch, id=target) if watch.subject == subject), None)
    ends = [drill.ended_at or drill.until for drill in drills if drill.target == target]
    return newest is not None and max(ends, default=newest.created_at) <= newest.created_at


def _drilled_from(entries: Sequence[Entry], subject: str, drills: Sequence[Drill]) -> int | None:
    """Return the first line of a watch that belongs to a drill, None where its canary was never one's."""
    target = subject.rpartition(":")[0]
    if entries and any_concerns(target, entries[0].at, drills):
        return entries[0].sequence
    return next((entry.sequence for entry in entries if entry.event is Event.DRILL_BEGUN), None)


def with_mark(shown: Message | File | Files, words: Words) -> Message | File | Files:
    """Return a finished message, or files, that say in their first words that this is a drill."""
    if isinstance(shown, Message):
        return marked_message(shown, words)
    if isinstance(shown, File):
        return replace(_titled(shown, words), comment=_comment(shown.comment, words))
    files = tuple(_titled(file, words) for file in shown.files)
    return Files(files=files, comment=_comment(shown.comment, words))


def _titled(file: File, words: Words) -> File:
    return replace(file, title=marked(file.title, words))


def _comment(comment: str, words: Words) -> str:
    return marked(comment, words) if comment else drill_line(words)
