"""Watches and alerts as messages: reads the stored facts and hands them to a view."""

from datetime import datetime

from bot.domain.alert import Alert
from bot.domain.automatics import Automatics
from bot.domain.ids import TargetName
from bot.domain.playbook import Playbook
from bot.domain.watch import Watch, watch_chain
from bot.slack.text import Words
from bot.slack.views.alert_message import alert_message
from bot.slack.views.rollback_message import Message
from bot.slack.views.timeline import log_message
from bot.slack.views.watch_message import replaced_watch_message, watch_message
from bot.usecases.ports import Showing, Transaction

#: What this module renders.
WATCHES = frozenset({Showing.WATCH, Showing.WATCH_LOG, Showing.ALERT})


def watch_rendering(
    tx: Transaction, what: Showing, subject: str, *, current: Playbook, words: Words, now: datetime
) -> Message:
    """Return what `what` of `subject` looks like now (aware, UTC)."""
    if what is Showing.ALERT:
        return alert_message(tx.kept(Alert, subject.partition(":")[0]), current, words, now=now)
    if what is Showing.WATCH_LOG:
        about, _, span = subject.rpartition(":")
        first, last = (int(part) for part in span.split("-"))
        entries = tx.timeline(watch_chain(about))
        return log_message([e for e in entries if first <= e.sequence <= last], words)
    return _watch(tx, subject, current, words, now=now)


def _watch(tx: Transaction, subject: str, current: Playbook, words: Words, *, now: datetime) -> Message:
    """Render a target's watch; of one whose row the next one has taken, its timeline tells the end."""
    target = TargetName(subject.partition(":")[0])
    watch = tx.kept(Watch, target)
    if watch.subject != subject:
        return replaced_watch_message(target, tx.timeline(watch_chain(subject)), words)
    automatics = next(iter(tx.find(Automatics, id=target)), None)
    return watch_message(watch, current, words, now=now, automatics=automatics)
