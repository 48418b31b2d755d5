"""Beginning and ending a watch, in the caller's transaction."""

from datetime import datetime

from bot.domain.ids import PersonId, TargetName
from bot.domain.playbook import Playbook
from bot.domain.timeline import BACKOUT, Event
from bot.domain.watch import CanarySeen, EndedWhy, Watch, begun, ended, turn_id
from bot.usecases.automatics import remember_taken_out
from bot.usecases.end_alerts import end_alerts
from bot.usecases.journal import Line
from bot.usecases.ports import NotKept, Transaction, Workflow
from bot.usecases.watch_journal import show_watch, watch_key, write_watch_lines


def watch_of(tx: Transaction, target: TargetName) -> Watch | None:
    """Return and lock the target's newest watch, None when there never was one."""
    try:
        return tx.kept(Watch, target)
    except NotKept:
        return None


def begin_watch(
    tx: Transaction,
    target: TargetName,
    seen: CanarySeen,
    *,
    last: Watch | None,
    playbook: Playbook,
    by: PersonId,
    at: datetime,
) -> Watch:
    """Store a new watch, let its first turn begin, show it, and return it.

    `last` is the target's watch before it, as the caller has locked it; it has ended. A watch that
    somebody else has begun at the same moment is returned as it is.
    """
    channel = playbook.channels.watch or playbook.channels.incidents
    watch = begun(target, seen, last=last, by=by, channel=channel, at=at)
    # The very first watch has no row that could be locked, so the second to come waits here.
    if not tx.first_time(watch_key(watch.subject), at=at):
        return watch_of(tx, target) or watch
    tx.keep(watch)
    facts = {
        "target": target,
        "number": watch.number,
        "canary": watch.canary,
        "stable": watch.stable,
        "percent": watch.percent,
        "deployed_at": watch.deployed_at.isoformat() if watch.deployed_at else None,
        "by_itself": by == BACKOUT,
    }
    show_watch(tx, watch)
    write_watch_lines(tx, watch, [Line(event=Event.WATCH_BEGUN, key="begun", actor=by, facts=facts)], at=at)
    start_turn(tx, watch)
    return watch


def start_turn(tx: Transaction, watch: Watch) -> None:
    """Let a workflow take the watch's turn."""
    about = {"target": watch.id, "number": str(watch.number), "turn": str(watch.turn)}
    tx.start(Workflow.WATCH, turn_id(watch), **about)


def end_watch(
    tx: Transaction,
    watch: Watch,
    why: EndedWhy,
    *,
    playbook: Playbook,
    at: datetime,
    by: PersonId | None = None,
) -> Watch:
    """Store the watch's end, call off what nobody has answered, and show both."""
    over = ended(watch, why, by=by, at=at)
    tx.keep(over)
    end_alerts(tx, over, playbook=playbook, at=at)
    if why is EndedWhy.CANARY_HAS_NONE:
        remember_taken_out(tx, over, at=at)
    facts = {
        "why": why.value,
        "canary": watch.canary,
        "percent": watch.percent,
        "minutes": round((at - watch.created_at).total_seconds() / 60, 1),
        "alerts": watch.alerts,
    }
    line = Line(event=Event.WATCH_ENDED, key="ended", actor=by or BACKOUT, facts=facts)
    write_watch_lines(tx, over, [line], at=at)
    show_watch(tx, over)
    return over
