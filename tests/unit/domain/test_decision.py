"""When to decide what: the guide's rules, with the numbers that made them apply."""

import pytest

from bot.domain.decision import Applied, applying
from bot.domain.flags import flags
from bot.domain.incident import FailureType
from bot.domain.readings import Metric, Reading, Side
from tests.guide import a_scenario, the_guide
from tests.values import NOON, a_reading, seconds


def applied(*readings: Reading, **more: object) -> tuple[Applied, ...]:
    coloured = flags(readings, the_guide().thresholds, now=NOON + seconds(1))
    return applying(the_guide().rules, coloured, **more)  # type: ignore[arg-type]


def verdicts(found: tuple[Applied, ...]) -> list[tuple[str, str, str]]:
    return [(a.rule.situation.en, a.rule.verdict.en, a.rule.action.en) for a in found]


ONCE = ("Error rate > 1 % (once)", "Caution", "Watch more closely")
IN_A_ROW = ("Error rate > 1 % (three times in a row)", "Danger", "Rollback recommended")
LOSS = ("Data loss", "Crisis", "Roll back at once, and recover")
EXPLOSION = ("Memory explosion", "Crisis", "Roll back at once")
DOWN = ("Service down", "Crisis", "Roll back at once")


@pytest.mark.parametrize(("percent", "found"), [(0.9, []), (1.0, []), (1.1, [ONCE])])
def test_an_error_rate_above_one_percent_once_asks_to_watch(
    percent: float, found: list[tuple[str, str, str]]
) -> None:
    assert verdicts(applied(a_reading(Metric.ERROR_RATE, percent))) == found


@pytest.mark.parametrize(("times", "found"), [(1, ONCE), (2, ONCE), (3, IN_A_ROW), (4, IN_A_ROW)])
def test_three_in_a_row_recommend_a_rollback_instead(times: int, found: tuple[str, str, str]) -> None:
    assert verdicts(applied(a_reading(Metric.ERROR_RATE, 5.0), in_a_row=times)) == [found]


def test_the_numbers_that_made_a_rule_apply_go_along() -> None:
    (found,) = applied(a_reading(Metric.ERROR_RATE, 5.0), a_reading(Metric.P95, 900.0))

    assert [f.reading.value for f in found.flags] == [5.0]


@pytest.mark.parametrize(
    "reading",
    [
        a_reading(Metric.ERROR_RATE, 50.0, Side.STABLE),
        a_reading(Metric.ERROR_RATE, 50.0, sample=3),
        a_reading(Metric.ERROR_RATE, None),
        a_reading(Metric.ERROR_RATE, 50.0, until=NOON - seconds(3600)),
    ],
)
def test_stable_thin_missing_and_old_readings_decide_nothing(reading: Reading) -> None:
    assert applied(reading) == ()


def test_red_memory_is_an_explosion() -> None:
    found = applied(a_reading(Metric.MEMORY, 97.0))

    assert verdicts(found) == [EXPLOSION]
    assert found[0].flags[0].reading.value == 97.0


@pytest.mark.parametrize(
    ("key", "rule"), [("memory", EXPLOSION), ("data_loss", LOSS), ("service_down", DOWN)]
)
def test_a_crisis_that_people_have_named_needs_no_number(key: str, rule: tuple[str, str, str]) -> None:
    found = applied(scenario=a_scenario(key))

    assert verdicts(found) == [rule]
    assert found[0].flags == ()


def test_a_failure_type_speaks_where_no_scenario_was_chosen() -> None:
    assert verdicts(applied(failure_type=FailureType.DATA_LOSS)) == [LOSS]
    assert verdicts(applied(failure_type=FailureType.OTHER)) == []


def test_a_service_that_does_not_answer_is_down() -> None:
    assert verdicts(applied(down=True)) == [DOWN]


def test_nothing_applies_to_a_calm_canary_in_an_ordinary_scenario() -> None:
    assert applied(a_reading(), scenario=a_scenario("response_time")) == ()


def test_a_playbook_without_rules_decides_nothing() -> None:
    assert applying((), flags([a_reading(Metric.MEMORY, 99.0)], the_guide().thresholds, now=NOON)) == ()
