"""How a failing canary was before and how it is now, and which of the guide's scenarios that is."""

import pytest

from bot.domain.alarm import AlarmKind, Level
from bot.domain.first_guess import guess_from_alarm, scenario_of
from bot.domain.incident import FailureType, Severity
from bot.domain.observation import Point, SideValues
from bot.domain.readings import Metric
from bot.domain.symptoms import as_facts, in_short, symptoms
from tests.alerts import a_point, an_alarm, an_alarming_playbook
from tests.values import NOON, a_playbook, seconds


def test_symptoms_read_as_the_guide_writes_them() -> None:
    points = (a_point(-10, canary=(0.2, 150.0)), a_point(-1, canary=(0.3, 160.0)))
    alarm = an_alarm()

    found = symptoms(points, alarm)

    assert in_short(found, alarm) == "error rate 0.2 % → 5.1 %, P95 150 ms → 160 ms"
    assert as_facts(found.before) == {"error_rate": 0.2, "p95": 150.0}
    assert as_facts(found.now) == {"error_rate": 5.1, "p95": 160.0}


@pytest.mark.parametrize(
    ("minute", "before"), [(-5.1, 0.9), (-5, 0.9), (-4.9, 0.1)], ids=["older", "on the line", "younger"]
)
def test_right_after_a_deployment_stable_says_how_it_was(minute: float, before: float) -> None:
    points = (a_point(minute, canary=(0.9, None)), a_point(-1, canary=(4.0, None)))

    assert symptoms(points, an_alarm()).before[Metric.ERROR_RATE] == before


def test_what_nobody_measured_is_not_made_up() -> None:
    alarm = an_alarm()

    found = symptoms((), alarm)

    assert (dict(found.before), dict(found.now)) == ({}, {Metric.ERROR_RATE: 5.1})
    assert in_short(found, alarm) == "error rate 5.1 %"


def test_the_alarms_own_number_comes_first() -> None:
    memory = Point(at=NOON, canary=SideValues(error_rate=0.2, memory=88.0), stable=SideValues(memory=60.0))
    alarm = an_alarm(AlarmKind.MEMORY_EXPLOSION, Level.ACT, memory=91.0, value=None)

    assert in_short(symptoms((memory,), alarm), alarm) == "memory 60 % → 91 %, error rate 0.2 %"


def test_a_service_that_is_down_says_so() -> None:
    alarm = an_alarm(AlarmKind.SERVICE_DOWN, Level.ACT, value=None)

    assert in_short(symptoms((), alarm), alarm) == "service down"


@pytest.mark.parametrize(
    ("kind", "metric", "scenario", "severity"),
    [
        (AlarmKind.ERROR_RATE_IN_A_ROW, "error_rate", "error_rate", Severity.HIGH),
        (AlarmKind.EARLY_WARNING, "error_rate", "error_rate", Severity.HIGH),
        (AlarmKind.RESPONSE_TIME, "p95", "response_time", Severity.HIGH),
        (AlarmKind.MEMORY_EXPLOSION, "memory", "memory", Severity.CRITICAL),
        (AlarmKind.SERVICE_DOWN, "probe", "service_down", Severity.CRITICAL),
        (AlarmKind.SHARED, "p95", "response_time", Severity.HIGH),
        (AlarmKind.SHARED, "error_rate", "error_rate", Severity.HIGH),
    ],
)
def test_each_alarm_has_its_scenario(kind: AlarmKind, metric: str, scenario: str, severity: Severity) -> None:
    playbook, alarm = an_alarming_playbook(), an_alarm(kind, metric=metric)

    found = scenario_of(alarm, playbook)

    assert found is not None
    assert found.key == scenario
    assert guess_from_alarm(alarm, playbook) == (found.failure_type, severity)


def test_a_scenario_of_another_name_is_found_by_its_type() -> None:
    guide = an_alarming_playbook().model_dump(mode="json")
    renamed = [s | {"key": f"our_{s['key']}"} for s in guide["scenarios"]]
    playbook = an_alarming_playbook(scenarios=renamed)

    memory = scenario_of(an_alarm(AlarmKind.MEMORY_EXPLOSION), playbook)
    down = scenario_of(an_alarm(AlarmKind.SERVICE_DOWN, value=None), playbook)

    assert memory is not None
    assert memory.key == "our_memory"
    assert down is None


def test_without_scenarios_the_guides_own_severities_hold() -> None:
    bare = a_playbook()

    assert guess_from_alarm(an_alarm(), bare) == (FailureType.ERROR_RATE, Severity.HIGH)
    down = an_alarm(AlarmKind.SERVICE_DOWN, Level.ACT)
    assert guess_from_alarm(down, bare) == (FailureType.OTHER, Severity.CRITICAL)
    memory = an_alarm(AlarmKind.MEMORY_EXPLOSION, Level.ACT)
    assert guess_from_alarm(memory, bare) == (FailureType.MEMORY, Severity.CRITICAL)


def test_a_value_that_is_no_number_is_left_out() -> None:
    late = (a_point(-1, canary=(None, None), stable=(None, None)),)
    alarm = an_alarm(value=True, at=NOON + seconds(1))

    assert symptoms(late, alarm).now == {}
