"""Keeping one tick of a watch: state, timeline, alarms and messages, all in one transaction or not at all."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from bot.domain.bad_input import to_tell, told
from bot.domain.flags import Colour, Flag, flags
from bot.domain.ids import ChannelId, PersonId
from bot.domain.looked import CloudLook, Looked
from bot.domain.playbook import Playbook
from bot.domain.rollback import RUNNING, Rollback, RollbackState
from bot.domain.tick import Judge, Ticked, ticked
from bot.domain.timeline import BACKOUT, Event
from bot.domain.watch import (
    AFTERWARDS_FOR,
    CLOSELY_FOR,
    EndedWhy,
    SourceState,
    Watch,
    WatchSource,
    WatchState,
    due_check,
    rolled_back,
    what_became,
)
from bot.usecases.begin_watch import begin_watch, end_watch, start_turn, watch_of
from bot.usecases.end_alerts import end_alerts
from bot.usecases.journal import Line, write_lines
from bot.usecases.ports import Transaction
from bot.usecases.raise_alert import raise_alarms
from bot.usecases.watch_journal import show_watch, write_watch_lines

#: A source that has given nothing for so long is said to be lost; a single failed call is no news.
LOST_AFTER = timedelta(seconds=30)
#: Rollbacks that took the canary's traffic away, or are at it.
_OURS = RUNNING | {RollbackState.VERIFIED, RollbackState.NOT_VERIFIED}


@dataclass(frozen=True, kw_only=True)
class Tick:
    """What is to be kept: `expected` is the watch it goes on from, `last` hands the watch to its next turn.

    `show` says that the message has not been edited for long enough.
    """

    expected: Watch
    looked: Looked
    playbook: Playbook
    judge: Judge
    last: bool = False
    show: bool = False


def keep_tick(tx: Transaction, tick: Tick) -> Watch | None:
    """Keep one tick and return the watch; None where it ends.

    None, and nothing changes, also when somebody else has gone on from `expected` meanwhile.
    """
    kept = watch_of(tx, tick.expected.id)
    if kept is None or not is_still(kept, tick.expected):
        return None
    at, playbook = tick.looked.at, tick.playbook
    after = ticked(kept, tick.looked, playbook, judge=tick.judge)
    watch = after.watch
    why = _ending(kept, tick.looked.cloud, playbook, at=at)
    if why is EndedWhy.CANARY_HAS_NONE and watch.state is WatchState.WATCHING:
        rollback = _our_rollback(tx, watch)
        if rollback is not None:
            return _goes_on_afterwards(tx, watch, rollback, tick)
    if why is not None:
        _ends(tx, watch, why, tick)
        return None
    if after.alarms:
        watch = raise_alarms(tx, watch, after.alarms, playbook=playbook, at=at)
    watch, lines = _news(watch, after, at=at)
    watch, check = _check(tx, watch, playbook, at=at)
    if tick.last:
        watch = replace(watch, turn=watch.turn + 1)
        start_turn(tx, watch)
    tx.keep(watch)
    write_watch_lines(tx, watch, lines, at=at)
    first_numbers = _has_numbers(watch) and not _has_numbers(kept)
    if lines or check or after.alarms or tick.show or first_numbers:
        show_watch(tx, watch)
    return watch


def _has_numbers(watch: Watch) -> bool:
    return any(reading.value is not None for reading in watch.readings)


def is_still(kept: Watch, expected: Watch) -> bool:
    """True when nobody has gone on from `expected`: same watch, same turn, same tick."""
    return kept.going_on and _fence(kept) == _fence(expected)


def _fence(watch: Watch) -> tuple[int, int, int, datetime | None]:
    return watch.number, watch.turn, watch.carried.tick, watch.read_until


# How it ends.


def _ending(watch: Watch, cloud: CloudLook | None, playbook: Playbook, *, at: datetime) -> EndedWhy | None:
    if playbook.target(watch.id) is None:
        return EndedWhy.TARGET_GONE
    if watch.state is WatchState.AFTERWARDS:
        return _afterwards_over(watch, cloud, at=at)
    return what_became(watch, cloud.seen, share=cloud.share) if cloud is not None else None


def _afterwards_over(watch: Watch, cloud: CloudLook | None, *, at: datetime) -> EndedWhy | None:
    if cloud is not None and cloud.seen is not None and cloud.seen.percent > 0:
        # Somebody has given a canary traffic again, be it the same one.
        return EndedWhy.NEW_CANARY
    over = abs(at - (watch.rolled_back_at or at)) >= AFTERWARDS_FOR
    return EndedWhy.CANARY_HAS_NONE if over else None


def _our_rollback(tx: Transaction, watch: Watch) -> Rollback | None:
    """Return our own rollback that took the canary's traffic away, None when somebody else did."""
    rollback = tx.last_rollback(watch.id)
    if rollback is None or rollback.plan is None or rollback.state not in _OURS:
        return None
    since = rollback.requested_at or rollback.asked_at
    return rollback if rollback.plan.canary == watch.canary and since >= watch.created_at else None


def _goes_on_afterwards(tx: Transaction, watch: Watch, rollback: Rollback, tick: Tick) -> Watch:
    at = tick.looked.at
    watch = rolled_back(watch, at=at)
    end_alerts(tx, watch, playbook=tick.playbook, at=at)
    if tick.last:
        watch = replace(watch, turn=watch.turn + 1)
        start_turn(tx, watch)
    tx.keep(watch)
    facts = {
        "what": "afterwards",
        "canary": watch.canary,
        "rollback": rollback.id,
        "minutes": AFTERWARDS_FOR.total_seconds() / 60,
    }
    write_watch_lines(tx, watch, [_line(Event.WATCH_CHANGED, "afterwards", facts)], at=at)
    show_watch(tx, watch)
    return watch


def _ends(tx: Transaction, watch: Watch, why: EndedWhy, tick: Tick) -> None:
    """End the watch; where another canary has taken its place, another watch begins."""
    at, cloud = tick.looked.at, tick.looked.cloud
    over = end_watch(tx, watch, why, playbook=tick.playbook, at=at)
    if why is EndedWhy.NEW_CANARY and cloud is not None and cloud.seen is not None:
        by = PersonId(BACKOUT)
        begin_watch(tx, watch.id, cloud.seen, last=over, playbook=tick.playbook, by=by, at=at)


# What is told.


def _line(event: Event, key: str, facts: dict[str, Any]) -> Line:
    return Line(event=event, key=key, facts=facts)


def _news(watch: Watch, after: Ticked, *, at: datetime) -> tuple[Watch, list[Line]]:
    """Return the lines about whatever has changed; the watch remembers which sources were called lost."""
    stamp = f"{watch.carried.tick}"
    lines = []
    if after.put_back_seconds:
        facts = {"what": "clock_back", "seconds": round(after.put_back_seconds)}
        lines.append(_line(Event.WATCH_CHANGED, f"clock:{stamp}", facts))
    if after.percent_before is not None:
        facts = {"what": "percent", "percent": watch.percent, "before": after.percent_before}
        lines.append(_line(Event.WATCH_CHANGED, f"percent:{stamp}", facts))
    if after.closely_since is not None and watch.closely_until is not None:
        facts = {
            "what": "closely",
            "kind": after.closely_since.value,
            "until": watch.closely_until.isoformat(),
            "minutes": CLOSELY_FOR.total_seconds() / 60,
        }
        lines.append(_line(Event.WATCH_CHANGED, f"closely:{stamp}", facts))
    lost = dict(watch.carried.lost)
    for source, state in watch.sources.items():
        line = _about_source(source, state, lost, watch, at=at)
        if line is not None:
            lines.append(line)
    if lost != watch.carried.lost:
        watch = replace(watch, carried=replace(watch.carried, lost=lost))
    watch, bad = _about_bad_input(watch, at=at)
    return watch, [*lines, *bad]


def _about_bad_input(watch: Watch, *, at: datetime) -> tuple[Watch, list[Line]]:
    """Return a line for each kind of bad input that is to be named now; the watch remembers that it was."""
    known = watch.carried.bad
    kinds = to_tell(known, at=at)
    if not kinds:
        return watch, []
    lines = [
        _line(
            Event.WATCH_CHANGED,
            f"ignored:{kind}:{watch.carried.tick}",
            {
                "what": "ignored",
                "kind": kind,
                "count": known[kind].count,
                "source": known[kind].source.value,
                "example": known[kind].example[:500],
            },
        )
        for kind in kinds
    ]
    return replace(watch, carried=replace(watch.carried, bad=told(known, kinds, at=at))), lines


def _about_source(
    source: WatchSource, state: SourceState, lost: dict[WatchSource, datetime], watch: Watch, *, at: datetime
) -> Line | None:
    """Return the line that a source is lost, or back; `lost` is brought up to date."""
    key = f"source:{source}:{watch.carried.tick}"
    if state.problem is None:
        since = lost.pop(source, None)
        if since is None:
            return None
        facts = {"source": source.value, "well": True, "seconds": round(abs(at - since).total_seconds())}
        return _line(Event.WATCH_SOURCE, key, facts)
    since = state.well_at or watch.created_at
    if source in lost or at - since < LOST_AFTER:
        return None
    lost[source] = since
    facts = {"source": source.value, "well": False, "problem": state.problem[:500]}
    return _line(Event.WATCH_SOURCE, key, facts)


def _check(tx: Transaction, watch: Watch, playbook: Playbook, *, at: datetime) -> tuple[Watch, bool]:
    """Write the guide's five-minute check down when it is due; True when it was.

    The thread gets it only where a colour has changed; the incident that is open on the target gets each.
    """
    if not due_check(watch, playbook.thresholds, now=at):
        return watch, False
    found = flags(watch.readings, playbook.thresholds, now=at, min_errors=playbook.watch.min_errors)
    colours = {f"{flag.reading.side}:{flag.reading.metric}": flag.colour.value for flag in found}
    facts = {
        "canary": watch.canary,
        "percent": watch.percent,
        "afterwards": watch.state is WatchState.AFTERWARDS,
        "flags": [flag_facts(flag) for flag in found],
    }
    line = _line(Event.WATCH_CHECK, f"check:{watch.subject}:{watch.carried.tick}", facts)
    write_watch_lines(tx, watch, [line], at=at, quietly=colours == watch.carried.colours)
    incident = tx.open_incident(watch.id)
    if incident is not None:
        write_lines(tx, incident.number, [line], at=at, channel=ChannelId(playbook.channels.incidents))
    carried = replace(watch.carried, colours=colours)
    return replace(watch, checked_at=at, carried=carried), True


def flag_facts(flag: Flag) -> dict[str, Any]:
    """Return a flag with its reading as JSON facts for the timeline."""
    reading = flag.reading
    return {
        "metric": reading.metric.value,
        "side": reading.side.value,
        "colour": flag.colour.value,
        "why": flag.why.value if flag.why else None,
        "value": reading.value,
        "sample": reading.sample,
        "errors": reading.errors,
        "source": reading.source.value,
        "until": reading.until.isoformat(),
        "problem": reading.problem,
    }


def is_restless(watch: Watch, playbook: Playbook, *, at: datetime) -> bool:
    """True while there is something to see: a caution, or a flag that is yellow or red."""
    found = flags(watch.readings, playbook.thresholds, now=at, min_errors=playbook.watch.min_errors)
    return watch.closely(now=at) or any(flag.colour in (Colour.YELLOW, Colour.RED) for flag in found)
