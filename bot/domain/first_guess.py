"""What kind of failure the flags, or an alarm, point to, before people have said anything."""

from collections.abc import Iterable, Mapping

from bot.domain.alarm import Alarm, AlarmKind
from bot.domain.flags import Colour, Flag
from bot.domain.guide import Scenario
from bot.domain.incident import FailureType, Severity
from bot.domain.playbook import Playbook
from bot.domain.readings import Metric, Side
from bot.domain.symptoms import metric_of

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


#: The guide's scenario of that name, by what an alarm is about.
_SCENARIOS: Mapping[Metric, str] = {
    Metric.ERROR_RATE: "error_rate",
    Metric.P95: "response_time",
    Metric.MEMORY: "memory",
}
_DOWN = "service_down"


def scenario_of(alarm: Alarm, playbook: Playbook) -> Scenario | None:
    """Return the playbook's scenario for what an alarm saw: the one of the guide's key, else of its type."""
    down = alarm.kind is AlarmKind.SERVICE_DOWN
    metric = metric_of(alarm)
    key = _DOWN if down else _SCENARIOS.get(metric) if metric else None
    found = playbook.scenario(key)
    if found is not None or down or metric not in _POINTS_TO:
        return found
    wanted = _POINTS_TO[metric]
    return next((scenario for scenario in playbook.scenarios if scenario.failure_type is wanted), None)


def guess_from_alarm(alarm: Alarm, playbook: Playbook) -> tuple[FailureType, Severity]:
    """Return type and severity of what an alarm saw: its scenario's, or the guide's own where it has none.

    In the guide full memory and a service that is down are Critical, the other two High.
    """
    scenario = scenario_of(alarm, playbook)
    if scenario is not None:
        return scenario.failure_type, scenario.severity
    metric = metric_of(alarm)
    failure = _POINTS_TO.get(metric, FailureType.OTHER) if metric else FailureType.OTHER
    crisis = alarm.kind in (AlarmKind.SERVICE_DOWN, AlarmKind.MEMORY_EXPLOSION)
    return failure, Severity.CRITICAL if crisis else Severity.HIGH
