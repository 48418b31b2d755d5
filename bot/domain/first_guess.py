"""What kind of failure the flags point to, before people have said anything."""

from collections.abc import Iterable

from bot.domain.flags import Colour, Flag
from bot.domain.incident import FailureType, Severity
from bot.domain.readings import Metric, Side

#: Which failure a red (or else yellow) flag of the canary points to. Memory first: the guide calls
#: it a crisis. CPU has no failure type of its own in the guide's record.
_POINTS_TO = {
    Metric.MEMORY: FailureType.MEMORY,
    Metric.ERROR_RATE: FailureType.ERROR_RATE,
    Metric.P95: FailureType.RESPONSE_TIME,
}


def first_guess(flags: Iterable[Flag]) -> tuple[FailureType, Severity]:
    """Guess type and severity from the canary's flags; people can correct both in the record.

    Red memory is a crisis in the guide, so Critical; any other red High; yellow Medium; without a
    coloured flag it is "other", Medium: somebody had a reason to roll back.
    """
    canary = [f for f in flags if f.reading.side is Side.CANARY]
    for colour, severity in ((Colour.RED, Severity.HIGH), (Colour.YELLOW, Severity.MEDIUM)):
        seen = {f.reading.metric for f in canary if f.colour is colour}
        for metric, failure in _POINTS_TO.items():
            if metric in seen:
                crisis = metric is Metric.MEMORY and colour is Colour.RED
                return failure, Severity.CRITICAL if crisis else severity
        if seen:
            return FailureType.OTHER, severity
    return FailureType.OTHER, Severity.MEDIUM
