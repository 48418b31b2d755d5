"""When to decide what: which of the guide's rules apply, and the numbers that made them apply.

Source: guide, "When to decide what".
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bot.domain.flags import Colour, Flag
from bot.domain.guide import Rule, Scenario, Situation
from bot.domain.incident import FailureType
from bot.domain.readings import Metric, Side


@dataclass(frozen=True, kw_only=True)
class Applied:
    """A rule that applies. `flags` are the red flags of the canary behind it; none: people have said so.

    `in_a_row` counts the distinct readings of the same revision that were bad one after another.
    """

    rule: Rule
    flags: tuple[Flag, ...] = ()
    in_a_row: int = 0


#: Which kind of failure makes a crisis, where people have named it.
_CRISES = {Situation.DATA_LOSS: FailureType.DATA_LOSS, Situation.MEMORY_EXPLOSION: FailureType.MEMORY}


def applying(
    rules: Sequence[Rule],
    flags: Iterable[Flag] = (),
    *,
    scenario: Scenario | None = None,
    failure_type: FailureType | None = None,
    in_a_row: int = 1,
    down: bool = False,
) -> tuple[Applied, ...]:
    """Return the rules that apply now, in the guide's order.

    Args:
        flags: the newest ones; only red ones of the canary count, so thin and old data never do.
        scenario: what people have chosen, and `failure_type` what the record says.
        in_a_row: how many distinct readings of the canary's error rate were red one after another,
            the newest among them. One reading alone says "once" and no more.
        down: a probe has found the canary's service not answering.
    """
    red = [f for f in flags if f.colour is Colour.RED and f.reading.side is Side.CANARY]
    kind = scenario.failure_type if scenario else failure_type
    found = []
    for rule in rules:
        seen = tuple(f for f in red if f.reading.metric is _METRICS.get(rule.when))
        if rule.when in _RATES:
            if seen and in_a_row >= rule.readings:
                found.append(Applied(rule=rule, flags=seen, in_a_row=in_a_row))
        elif rule.when is Situation.SERVICE_DOWN:
            # The record has no failure type of its own for it; the scenario's key is the guide's.
            if down or (scenario is not None and scenario.key == Situation.SERVICE_DOWN):
                found.append(Applied(rule=rule))
        elif seen or kind is _CRISES.get(rule.when):
            found.append(Applied(rule=rule, flags=seen))
    return _the_graver(found)


_RATES = (Situation.ERROR_RATE_ONCE, Situation.ERROR_RATE_IN_A_ROW)
_METRICS = {
    Situation.ERROR_RATE_ONCE: Metric.ERROR_RATE,
    Situation.ERROR_RATE_IN_A_ROW: Metric.ERROR_RATE,
    Situation.MEMORY_EXPLOSION: Metric.MEMORY,
}


def _the_graver(found: list[Applied]) -> tuple[Applied, ...]:
    """Leave "watch more closely" out where the same readings recommend a rollback."""
    in_a_row = any(applied.rule.when is Situation.ERROR_RATE_IN_A_ROW for applied in found)
    return tuple(a for a in found if not (in_a_row and a.rule.when is Situation.ERROR_RATE_ONCE))
