"""A turn of a watch, or a scouting, broke off: the watch goes on, and people see that it was blind."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from bot.domain.ids import TargetName
from bot.domain.timeline import Event
from bot.domain.watch import WatchSource
from bot.usecases.begin_watch import watch_of
from bot.usecases.journal import Line
from bot.usecases.ports import Transaction, Workflow
from bot.usecases.scout import SCOUT_EVERY, scout_again
from bot.usecases.watch_journal import show_watch, write_watch_lines


def report_broken_watch(
    tx: Transaction, workflow: Workflow, arguments: Mapping[str, str], reference: str, *, at: datetime
) -> None:
    """Keep scouting, or show every source of the watch as lost until the scout has given it another turn."""
    if workflow is Workflow.SCOUT:
        scout_again(tx, at=at + SCOUT_EVERY)
    if workflow is Workflow.WATCH:
        _show_blind(tx, arguments, f"broken:{reference}", at=at)


def _show_blind(tx: Transaction, arguments: Mapping[str, str], problem: str, *, at: datetime) -> None:
    watch = watch_of(tx, TargetName(arguments["target"]))
    mine = (int(arguments["number"]), int(arguments["turn"]))
    if watch is None or not watch.going_on or (watch.number, watch.turn) != mine:
        return
    first = WatchSource.REQUEST_LOG not in watch.carried.lost
    lost = {WatchSource.REQUEST_LOG: watch.looked_at or at, **watch.carried.lost}
    blind = replace(
        watch,
        sources={source: replace(state, problem=problem) for source, state in watch.sources.items()},
        # What was seen before says nothing about now, and must not stay green.
        readings=tuple(replace(reading, value=None, problem=problem) for reading in watch.readings),
        official=(),
        carried=replace(watch.carried, tick=watch.carried.tick + 1, lost=lost),
    )
    tx.keep(blind)
    if first:
        facts = {"source": WatchSource.REQUEST_LOG.value, "well": False, "problem": problem}
        line = Line(event=Event.WATCH_SOURCE, key=f"broken:{watch.carried.tick}", facts=facts)
        write_watch_lines(tx, blind, [line], at=at)
    show_watch(tx, blind)
