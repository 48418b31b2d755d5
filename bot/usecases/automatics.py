"""One target's automatics as they are stored: read, changed, and what speaks against using them now."""

from collections.abc import Callable, Iterable
from datetime import datetime

from bot.domain.automatics import Automatics, NotByItself, not_by_itself, rolled_back
from bot.domain.ids import ChannelId, IncidentNumber, TargetName
from bot.domain.playbook import Playbook
from bot.domain.rollback import Plan, Rollback
from bot.domain.watch import Watch
from bot.usecases.before_rollback import safety_of
from bot.usecases.journal import Line, audit, write_lines
from bot.usecases.ports import NotKept, Transaction
from bot.usecases.watch_journal import write_watch_lines


def automatics_of(tx: Transaction, target: TargetName) -> Automatics | None:
    """Return and lock a target's automatics; None where nobody has ever armed or refused anything."""
    try:
        return tx.kept(Automatics, target)
    except NotKept:
        return None


def change_automatics(
    tx: Transaction, target: TargetName, change: Callable[[Automatics], Automatics], *, at: datetime
) -> Automatics:
    """Store a target's automatics as `change` makes them, and return them."""
    changed = change(automatics_of(tx, target) or Automatics(id=target, created_at=at))
    tx.keep(changed)
    return changed


def speaks_against(tx: Transaction, watch: Watch, playbook: Playbook, *, at: datetime) -> NotByItself | None:
    """Return why the canary of `watch` may not be rolled back by the bot itself now, whatever its numbers.

    Where an incident asks a question before a rollback, a machine never answers it.
    """
    no = not_by_itself(
        automatics_of(tx, watch.id),
        canary=watch.identity,
        now=at,
        most_per_hour=playbook.watch.most_automatic_per_hour,
        most_per_day=playbook.watch.most_automatic_per_day,
    )
    if no is not None:
        return no
    if tx.running_rollback(watch.id) is not None or tx.running_change(watch.id) is not None:
        return NotByItself.ALREADY_RUNNING
    safety = safety_of(tx, watch.id, playbook)
    if safety is not None and (safety.open or safety.holds_back):
        return NotByItself.SAFETY_FIRST
    return None


def remember_rollback(tx: Transaction, rollback: Rollback, plan: Plan, *, at: datetime) -> None:
    """Remember that this canary was to be rolled back, so that the bot never undoes a person's second try.

    Before it is known whether the rollback went through: where that stays unknown, people decide.
    """
    watched = (w for w in tx.find(Watch, id=rollback.target) if w.going_on and w.canary == plan.canary)
    canary = next((watch.identity for watch in watched), plan.canary)
    change_automatics(tx, rollback.target, lambda known: rolled_back(known, canary), at=at)


def remember_taken_out(tx: Transaction, watch: Watch, *, at: datetime) -> None:
    """Remember a canary that has lost its traffic, be it by a command of Google's own: a rollback as well."""
    change_automatics(tx, watch.id, lambda known: rolled_back(known, watch.identity), at=at)


def write_beside(
    tx: Transaction,
    watch: Watch | None,
    incident: IncidentNumber | None,
    lines: Iterable[Line],
    playbook: Playbook,
    *,
    at: datetime,
) -> None:
    """Write the same lines into the watch's timeline and the incident's, as far as there are these."""
    written = list(lines)
    if watch is not None:
        write_watch_lines(tx, watch, written, at=at)
    if incident is not None:
        write_lines(tx, incident, written, at=at, channel=ChannelId(playbook.channels.incidents))


def write_everywhere(
    tx: Transaction, target: TargetName, line: Line, playbook: Playbook, *, at: datetime
) -> None:
    """Write a line about a target's automatics into the audit chain, its watch's and its incident's."""
    watch = next((watch for watch in tx.find(Watch, id=target) if watch.going_on), None)
    incident = tx.open_incident(target)
    write_beside(tx, watch, incident.number if incident else None, [line], playbook, at=at)
    audit(tx, line, at=at)
