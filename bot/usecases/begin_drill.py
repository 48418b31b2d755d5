"""A drill begins: from now on, whatever happens on its target belongs to it and is marked as one."""

import hashlib
from dataclasses import replace
from datetime import datetime

from bot.domain.drill import LONGEST, Drill
from bot.domain.ids import IncidentNumber, TargetName, incident_label
from bot.domain.timeline import Event
from bot.usecases.begin_watch import watch_of
from bot.usecases.drill_incidents import clear_up, incidents_of
from bot.usecases.journal import Line
from bot.usecases.ports import Transaction
from bot.usecases.watch_journal import show_watch, write_watch_lines


class RealIncidentOpen(Exception):
    """A real incident is open on the target: nobody drills during a fire."""

    def __init__(self, number: IncidentNumber) -> None:
        super().__init__(f"{incident_label(number)} is open and is no drill: close it first")
        self.number = number


def begin_drill(tx: Transaction, *, scenario: str, target: TargetName, at: datetime) -> Drill:
    """Store a drill of `scenario` that begins on `target` at `at` (aware, UTC) and return it.

    Another drill of that target ends first, without a scoreboard, if it is still under way; whatever
    incident it left open is closed. The watch that is going on belongs to the drill from now on.

    Raises:
        RealIncidentOpen: an incident that belongs to no drill is open on the target.
    """
    _break_off(tx, target, at=at)
    open_one = tx.open_incident(target)
    if open_one is not None:
        raise RealIncidentOpen(open_one.number)
    drill = Drill(id=_id(target, at), scenario=scenario, target=target, created_at=at, until=at + LONGEST)
    tx.keep(drill)
    _tell_the_watch(tx, drill)
    return drill


def _id(target: TargetName, at: datetime) -> str:
    """Return an id that is the same if the transaction runs again."""
    digest = hashlib.sha256(f"{target} {at.isoformat()}".encode()).hexdigest()
    return f"drill-{at:%Y%m%d-%H%M%S}-{digest[:6]}"


def _break_off(tx: Transaction, target: TargetName, *, at: datetime) -> None:
    """End the target's drills that nobody has ended, and whatever incident any of them has left open."""
    for drill in tx.find(Drill, target=target, ended_at=None):
        numbers = [incident.number for incident in incidents_of(tx, drill)]
        ended_at = min(at, drill.until)
        tx.keep(replace(drill, ended_at=ended_at, incident=next(iter(numbers), None)))
        clear_up(tx, drill, None, at=at)
    left = tx.open_incident(target)
    if left is not None and left.drill:
        # Somebody has opened it again.
        clear_up(tx, tx.kept(Drill, left.drill), None, at=at)


def _tell_the_watch(tx: Transaction, drill: Drill) -> None:
    """Write into the timeline of the watch that is going on that its canary is the drill's."""
    watch = watch_of(tx, drill.target)
    if watch is None or not watch.going_on:
        return
    facts = {
        "drill": drill.id,
        "scenario": drill.scenario,
        "began_at": drill.created_at.isoformat(),
        "target": drill.target,
        "canary": watch.canary,
        "deployed_at": watch.deployed_at.isoformat() if watch.deployed_at else None,
    }
    line = Line(event=Event.DRILL_BEGUN, key=f"drill:{drill.id}", facts=facts)
    write_watch_lines(tx, watch, [line], at=drill.created_at)
    show_watch(tx, watch)
