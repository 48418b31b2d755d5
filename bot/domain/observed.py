"""What the bot saw of a step it can see for itself: is it as it should be, and what that rests on.

Too little to tell is never an `Observed`: the step stays open until more is known.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from bot.domain.flags import Colour, Flag
from bot.domain.guide import Sees
from bot.domain.readings import Metric, RequestCounts

#: "Dropped sharply" (guide, checklist, phase 3): at most one error in so many is left, at the same number
#: of requests; that is at least 90 % fewer. The guide gives no number; this one is ours.
LEFT_ONE_IN = 10
#: So many errors before, and so many to be expected afterwards had nothing changed; with fewer the drop
#: could be luck. Had nothing changed, one error or none where ten are expected comes once in 2000.
FEWEST_ERRORS = 10


@dataclass(frozen=True, kw_only=True)
class Observed:
    """One thing the bot looked at; `facts` are plain JSON values that the views put into words."""

    sees: Sees
    ok: bool
    facts: Mapping[str, Any]


def observed(sees: Sees, *, ok: bool, **facts: Any) -> Observed:
    """Return an observation whose facts say what it is about."""
    return Observed(sees=sees, ok=ok, facts={"sees": sees.value, **facts})


def errors_dropped(before: Iterable[RequestCounts], after: Iterable[RequestCounts]) -> Observed | None:
    """Return whether the request log's errors dropped sharply, None when that cannot be told.

    Args:
        before: what both sides answered before the rollback.
        after: what both sides answered since.
    """
    then, now = list(before), list(after)
    if any(counts.problem or counts.truncated for counts in (*then, *now)):
        return None
    errors, requests = _sums(then)
    errors_now, requests_now = _sums(now)
    if errors < FEWEST_ERRORS or not requests_now:
        return None
    # In whole numbers, so that what lies on the line does so exactly.
    if errors * requests_now < FEWEST_ERRORS * requests:
        return None
    return observed(
        Sees.LOG_ERRORS_DROPPED,
        ok=LEFT_ONE_IN * errors_now * requests <= errors * requests_now,
        before={"errors": errors, "requests": requests},
        after={"errors": errors_now, "requests": requests_now},
        source="request_log",
        until=max(counts.until for counts in now).isoformat(),
    )


def _sums(counts: Iterable[RequestCounts]) -> tuple[int, int]:
    known = list(counts)
    return sum(one.errors for one in known), sum(one.requests for one in known)


def all_green(flags: Iterable[Flag]) -> Observed | None:
    """Return whether every indicator is green, None when that cannot be told: grey is not green.

    Args:
        flags: stable's, of every metric.
    """
    shown = list(flags)
    bad = any(flag.colour in (Colour.RED, Colour.YELLOW) for flag in shown)
    green = {flag.reading.metric for flag in shown if flag.colour is Colour.GREEN}
    if not bad and green != set(Metric):
        return None
    return observed(Sees.ALL_GREEN, ok=not bad, flags=[_flag_facts(flag) for flag in shown])


def _flag_facts(flag: Flag) -> dict[str, Any]:
    reading = flag.reading
    return {
        "metric": reading.metric.value,
        "colour": flag.colour.value,
        "value": reading.value,
        "sample": reading.sample,
        "source": reading.source.value,
        "until": reading.until.isoformat(),
    }
