"""What of a diagnosis a machine can tell from numbers, and what it leaves to people."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from bot.domain.diagnosis import Given
from bot.domain.guide import Finds
from bot.domain.machine_answers import (
    Found,
    all_endpoints_slow,
    answered_by_machine,
    every_instance,
    resources_normal,
    since_deployment,
    wanted,
)
from bot.domain.observation import Minute, Tally
from bot.domain.people import AUTOMATICS
from bot.domain.playbook import Thresholds
from bot.domain.readings import Metric, Reading, Side
from tests.guide import a_scenario
from tests.values import CANARY, GITCO, NOON, a_reading, seconds

DEPLOYED = NOON - timedelta(hours=1)


def endpoints(*slow: bool, requests: int = 20) -> dict[str, Tally]:
    """Return endpoints that take 800 ms or 150 ms."""
    return {
        f"GET /{number}": Tally(requests=requests, latencies=((850 if one else 150, requests),))
        for number, one in enumerate(slow)
    }


def memory(*percent: float | None, since: datetime = DEPLOYED, **more: float | int | None) -> list[Minute]:
    """Return one minute after the other from `since` on."""
    return [
        Minute(
            name=CANARY,
            since=since + timedelta(minutes=n),
            until=since + timedelta(minutes=n + 1),
            memory=value,
            **more,  # type: ignore[arg-type]
        )
        for n, value in enumerate(percent)
    ]


# Are all endpoints slow?


@pytest.mark.parametrize(
    ("slow", "so"),
    [
        ((True, True), True),
        ((True, True, True, True, False), True),
        ((True, True, True, False), None),
        ((True, True, False), None),
        ((True, False), False),
        ((True, False, False, False, False), False),
        ((False, False), None),
        ((True,), None),
        ((), None),
    ],
    ids=["all", "80 %", "75 %", "two thirds", "half", "one", "none", "only one known", "nothing known"],
)
def test_all_endpoints_are_slow_or_some_or_nobody_can_tell(slow: tuple[bool, ...], so: bool | None) -> None:
    found = all_endpoints_slow(endpoints(*slow), red_above_ms=500)

    assert (found.so if found else None) is so


def test_an_endpoint_says_nothing_over_few_requests() -> None:
    few = endpoints(True, True, requests=19)

    assert all_endpoints_slow(few, red_above_ms=500) is None
    assert all_endpoints_slow(few | endpoints(False, False, True), red_above_ms=500) is not None


def test_on_the_line_an_endpoint_is_not_slow() -> None:
    # The P95 of requests that all lie in the cell up to 500 ms is below it.
    on_the_line = {name: Tally(requests=20, latencies=((500, 20),)) for name in ("GET /a", "GET /b")}

    assert all_endpoints_slow(on_the_line, red_above_ms=500) is None


def test_a_log_that_could_not_be_read_says_nothing() -> None:
    assert all_endpoints_slow(None, red_above_ms=500) is None


def test_the_slowest_endpoint_is_named() -> None:
    found = all_endpoints_slow(endpoints(False, True), red_above_ms=500)

    assert found is not None
    assert found.facts == {"slow": 1, "endpoints": 2, "slowest": "GET /1"}


# Are memory and CPU normal?


def resources(memory: float | None, cpu: float | None, **more: Any) -> list[Reading]:
    """Return the canary's newest readings."""
    return [a_reading(Metric.MEMORY, memory, **more), a_reading(Metric.CPU, cpu, **more)]


@pytest.mark.parametrize(
    ("memory", "cpu", "so"),
    [
        (40.0, 30.0, True),
        (70.0, 70.0, True),
        (70.1, 30.0, False),
        (40.0, 95.0, False),
        (91.0, None, False),
        (None, 30.0, None),
        (None, None, None),
    ],
    ids=["green", "on the line", "yellow", "red", "one known, and bad", "one known, and well", "unknown"],
)
def test_resources_are_normal_while_both_are_green(
    memory: float | None, cpu: float | None, so: bool | None
) -> None:
    found = resources_normal(resources(memory, cpu), Thresholds(), now=NOON)

    assert (found.so if found else None) is so


def test_old_numbers_and_stables_own_say_nothing_of_the_canary() -> None:
    thresholds = Thresholds()
    old = resources(40.0, 30.0, until=NOON - seconds(301))
    stable = resources(40.0, 30.0, side=Side.STABLE)

    assert resources_normal(old, thresholds, now=NOON) is None
    assert resources_normal(stable, thresholds, now=NOON) is None


# One instance or all?


@pytest.mark.parametrize(
    ("median", "so"),
    [(85.0, True), (84.9, None), (65.1, None), (65.0, False), (20.0, False), (100.0, True)],
)
def test_every_instance_is_full_where_the_middle_one_is(median: float, so: bool | None) -> None:
    found = every_instance(memory(100.0, memory_median=median, instances=5))

    assert (found.so if found else None) is so


def test_the_newest_minute_that_knows_both_counts() -> None:
    minutes = memory(90.0, memory_median=30.0) + memory(None, 95.0, memory_median=None)

    found = every_instance(minutes)

    assert found is not None
    assert (found.so, found.facts["memory"]) == (False, 90.0)
    assert every_instance(memory(95.0)) is None
    assert every_instance([]) is None


# Since when?


def test_memory_that_grows_from_the_start_grows_since_the_deployment() -> None:
    found = since_deployment(memory(*(40 + n for n in range(50))), deployed_at=DEPLOYED)

    assert found is not None
    assert found.so


def test_slow_growth_from_the_start_is_since_the_deployment_as_well() -> None:
    found = since_deployment(memory(*(40 + 0.25 * n for n in range(160))), deployed_at=DEPLOYED)

    assert found is not None
    assert found.so


@pytest.mark.parametrize(("minute", "so"), [(8, True), (10, True), (12, False), (30, False)])
def test_growth_that_begins_within_ten_minutes_is_right_after_the_deployment(minute: int, so: bool) -> None:
    flat = [40.0] * minute
    minutes = memory(*flat, *(40.0 + 1.5 * (n + 1) for n in range(30)))

    found = since_deployment(minutes, deployed_at=DEPLOYED)

    assert found is not None
    assert (found.so, found.facts["began_minutes"]) == (so, float(minute))


def test_filling_up_while_starting_is_no_growth() -> None:
    minutes = memory(5.0, *[40.0] * 40, *(40.0 + 2 * n for n in range(20)))

    found = since_deployment(minutes, deployed_at=DEPLOYED)

    assert found is not None
    assert not found.so


@pytest.mark.parametrize(("risen", "told"), [(5.0, True), (4.9, False)])
def test_memory_that_has_hardly_risen_has_not_grown(risen: float, told: bool) -> None:
    minutes = memory(40.0, 40.0, 40.0, 40.0, 40.0, 40.0 + risen)

    assert (since_deployment(minutes, deployed_at=DEPLOYED) is not None) is told


def test_growth_that_was_there_before_anybody_looked_has_no_beginning() -> None:
    late = memory(*(60 + n for n in range(30)), since=DEPLOYED + timedelta(minutes=30))

    assert since_deployment(late, deployed_at=DEPLOYED) is None


def test_without_minutes_or_a_deployment_nothing_can_be_told() -> None:
    growing = memory(*(40.0 + 3 * n for n in range(30)))

    assert since_deployment(growing, deployed_at=None) is None
    assert since_deployment(growing[:5], deployed_at=DEPLOYED) is None
    assert since_deployment(memory(*[None] * 30), deployed_at=DEPLOYED) is None


# Answers.


SLOW, WELL = Found(so=True, facts={"slow": 5}), Found(so=True)


def test_one_answer_leads_to_the_next_question() -> None:
    scenario = a_scenario("response_time")
    found = {Finds.ALL_ENDPOINTS_SLOW: SLOW, Finds.RESOURCES_NORMAL: WELL}

    answers, given = answered_by_machine(scenario, (), found, at=NOON)

    assert [(one.question, one.answer, one.by) for one in answers] == [
        ("all_endpoints", "yes", AUTOMATICS),
        ("resources_normal", "yes", AUTOMATICS),
    ]
    assert [one.finds for one in given] == [Finds.ALL_ENDPOINTS_SLOW, Finds.RESOURCES_NORMAL]
    assert given[0].found.facts == {"slow": 5}


def test_a_question_nobody_can_answer_stays_and_so_do_those_after_it() -> None:
    scenario = a_scenario("response_time")

    answers, given = answered_by_machine(scenario, (), {Finds.RESOURCES_NORMAL: WELL}, at=NOON)

    assert (answers, given) == ((), ())
    assert wanted(scenario, answers) == {Finds.ALL_ENDPOINTS_SLOW, Finds.RESOURCES_NORMAL}


def test_what_a_person_answered_stays() -> None:
    scenario = a_scenario("response_time")
    theirs = Given(question="all_endpoints", answer="no", by=GITCO, at=NOON)
    found = {Finds.ALL_ENDPOINTS_SLOW: SLOW, Finds.RESOURCES_NORMAL: Found(so=False)}

    answers, _ = answered_by_machine(scenario, (theirs,), found, at=NOON + seconds(1))

    assert answers[0] == theirs
    assert (answers[1].answer, answers[1].by) == ("no", AUTOMATICS)
    assert wanted(scenario, answers) == frozenset()


def test_memorys_two_questions_are_answered_from_its_minutes() -> None:
    found = {Finds.EVERY_INSTANCE: Found(so=False), Finds.SINCE_DEPLOYMENT: Found(so=False)}

    answers, _ = answered_by_machine(a_scenario("memory"), (), found, at=NOON)

    assert [(one.question, one.answer) for one in answers] == [
        ("every_instance", "no"),
        ("since_when", "later"),
    ]


def test_a_scenario_without_questions_wants_nothing() -> None:
    scenario = a_scenario("error_rate")

    assert wanted(scenario, ()) == frozenset()
    assert answered_by_machine(scenario, (), {Finds.EVERY_INSTANCE: SLOW}, at=NOON) == ((), ())


def test_a_question_that_finds_nothing_is_for_people() -> None:
    written = a_scenario("memory").model_dump(mode="json")
    for question in written["questions"]:
        question["finds"] = None
    scenario = type(a_scenario("memory")).model_validate(written)

    found = {Finds.EVERY_INSTANCE: Found(so=True), Finds.SINCE_DEPLOYMENT: Found(so=True)}

    assert answered_by_machine(scenario, (), found, at=NOON) == ((), ())
    assert wanted(scenario, ()) == frozenset()
