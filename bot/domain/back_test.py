"""What the bot would have done on what has been: a target's past minutes through the very same deciding."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import NamedTuple

from bot.domain.alarm import Alarm, Level
from bot.domain.alert import way_of
from bot.domain.guide import Mode
from bot.domain.judge import JudgeState, judge
from bot.domain.observation import Minute, Observation
from bot.domain.playbook import Playbook
from bot.domain.readings import Source
from bot.domain.watch_numbers import gauges_of, minute_tally


class Pair(NamedTuple):
    """One minute in which traffic was split: the canary is the one that got less of it."""

    canary: Minute
    stable: Minute


@dataclass(frozen=True, kw_only=True)
class Hit:
    """One rollback the bot would have asked for by itself, had it been armed."""

    canary: str
    mode: Mode
    alarm: Alarm


@dataclass(frozen=True, kw_only=True)
class BackTest:
    """What past minutes came to.

    `minutes` counts those in which traffic was split, `canaries` how many canaries that were. Of each
    canary only the first rollback counts, because it has no traffic after it: `fired` are those of rules
    whose mode is ``auto``, `would_fire` also those of rules that could be made so. `recommended` counts
    the canaries of which at least a rollback would have been recommended.
    """

    minutes: int = 0
    canaries: int = 0
    fired: tuple[Hit, ...] = ()
    would_fire: tuple[Hit, ...] = ()
    recommended: int = 0


def back_test(minutes: Iterable[Minute], playbook: Playbook, *, canary_name: str | None = None) -> BackTest:
    """Judge past minutes, in any order, as the watch would have judged them from Cloud Monitoring alone.

    The request log is not kept so long, and probes of the past cannot be asked for: the watch itself
    is faster, and sees a service that is down.

    Args:
        canary_name: who the canary is where that is known (topology ``services``); without it, in each
            minute, the one of two with fewer requests.
    """
    pairs = split_minutes(minutes, canary_name=canary_name)
    found: list[Hit] = []
    recommended: set[str] = set()
    state = JudgeState()
    for pair in pairs:
        judged = judge(state, _observation(pair), playbook)
        state = judged.state
        for alarm in judged.alarms:
            if alarm.level is not Level.TELL:
                recommended.add(pair.canary.name)
            if alarm.level is Level.ACT:
                mode = way_of(playbook, alarm.kind).mode
                found.append(Hit(canary=pair.canary.name, mode=mode, alarm=alarm))
    return BackTest(
        minutes=len(pairs),
        canaries=len({pair.canary.name for pair in pairs}),
        fired=_first_of_each(hit for hit in found if hit.mode is Mode.AUTO),
        would_fire=_first_of_each(found),
        recommended=len(recommended),
    )


def split_minutes(minutes: Iterable[Minute], *, canary_name: str | None = None) -> tuple[Pair, ...]:
    """Return the minutes in which two had traffic, oldest first.

    Of three or more nobody can say afterwards which were canary and stable, so such a minute is left out.
    """
    busy = sorted((m for m in minutes if m.requests), key=lambda m: (m.until, m.name))
    pairs = (_pair(tuple(group), canary_name) for _, group in groupby(busy, key=lambda m: m.until))
    return tuple(pair for pair in pairs if pair is not None)


def _pair(found: Sequence[Minute], canary_name: str | None) -> Pair | None:
    if len(found) != 2:
        return None
    less, more = sorted(found, key=lambda minute: (minute.requests or 0, minute.name))
    if canary_name is not None and less.name != canary_name:
        less, more = more, less
    return Pair(canary=less, stable=more) if canary_name in (None, less.name) else None


def _observation(pair: Pair) -> Observation:
    canary, stable = pair
    requests = (canary.requests or 0) + (stable.requests or 0)
    return Observation(
        revision=canary.name,
        since=canary.since,
        until=canary.until,
        source=Source.MONITORING,
        canary=minute_tally(canary),
        stable=minute_tally(stable),
        canary_gauges=gauges_of(canary),
        stable_gauges=gauges_of(stable),
        canary_percent=round(100 * (canary.requests or 0) / requests) if requests else None,
        canary_p95_ms=canary.p95_ms,
        stable_p95_ms=stable.p95_ms,
    )


def _first_of_each(hits: Iterable[Hit]) -> tuple[Hit, ...]:
    first: dict[str, Hit] = {}
    for hit in hits:
        first.setdefault(hit.canary, hit)
    return tuple(first.values())


def span(minutes: Sequence[Minute]) -> tuple[datetime, datetime] | None:
    """Return from when to when there are minutes, None when there are none."""
    return (min(m.since for m in minutes), max(m.until for m in minutes)) if minutes else None
