"""The questions of a scenario: one at a time, answers lead where the guide leads, and can be revised."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.diagnosis import Given, NotAsked, answered, cleared, diagnose
from bot.domain.guide import Scenario
from tests.guide import SCENARIOS, a_scenario
from tests.values import NOON, SENA, seconds


def said(question: str, answer: str, *, after: int = 0) -> Given:
    return Given(question=question, answer=answer, by=SENA, at=NOON + seconds(after))


def branching() -> Scenario:
    """Where "yes" leads past the second question, which the guide's own scenarios never do."""
    text = {"en": "x", "ko": "x"}

    def question(key: str, **leads: str | None) -> dict[str, object]:
        answers = [{"key": a, "say": text, "means": text, "next": n} for a, n in leads.items()]
        return {"key": key, "ask": text, "answers": answers}

    written = a_scenario("response_time").model_dump(mode="json")
    written["questions"] = [
        question("first", yes="third", no="second"),
        question("second", yes="third", no=None),
        question("third", yes=None, no=None),
    ]
    written["before_rollback"] = a_scenario("data_loss").model_dump(mode="json")["before_rollback"]
    return Scenario.model_validate(written)


def test_the_first_question_is_asked_first() -> None:
    found = diagnose(a_scenario("response_time"), ())

    assert (found.asked.key if found.asked else None, found.path, found.done) == ("all_endpoints", (), False)


@pytest.mark.parametrize(
    ("first", "second", "meaning", "suggested"),
    [
        ("yes", "yes", ("Infrastructure (memory/CPU/network)", "Application logic"), ("roll_back",)),
        (
            "yes",
            "no",
            ("Infrastructure (memory/CPU/network)", "Autoscaling, or add resources"),
            ("add_resources",),
        ),
        (
            "no",
            "yes",
            ("One feature (recommendation engine)", "Application logic"),
            ("probe_endpoint", "roll_back"),
        ),
        (
            "no",
            "no",
            ("One feature (recommendation engine)", "Autoscaling, or add resources"),
            ("probe_endpoint", "add_resources"),
        ),
    ],
)
def test_slow_answers_mean_what_the_guide_says(
    first: str, second: str, meaning: tuple[str, str], suggested: tuple[str, ...]
) -> None:
    found = diagnose(
        a_scenario("response_time"), (said("all_endpoints", first), said("resources_normal", second))
    )

    assert tuple(reached.answer.means.en for reached in found.path) == meaning
    assert found.suggests == suggested
    assert found.done


@pytest.mark.parametrize(
    ("every", "since", "meaning"),
    [
        ("yes", "after_deployment", ("The application leaks memory", "Almost certainly the new code")),
        ("no", "later", ("One instance's problem", "Accumulation over time (sessions and the like)")),
    ],
)
def test_growing_memory_means_what_the_guide_says(every: str, since: str, meaning: tuple[str, str]) -> None:
    found = diagnose(a_scenario("memory"), (said("every_instance", every), said("since_when", since)))

    assert tuple(reached.answer.means.en for reached in found.path) == meaning


@pytest.mark.parametrize("key", ["error_rate", "data_loss", "service_down"])
def test_a_scenario_without_questions_asks_none_and_is_never_done_asking(key: str) -> None:
    found = diagnose(a_scenario(key), ())

    assert (found.asked, found.path, found.done, found.suggests) == (None, (), False, ())


def test_a_question_that_is_not_open_cannot_be_answered() -> None:
    with pytest.raises(NotAsked):
        answered(a_scenario("response_time"), (), said("resources_normal", "yes"))


@pytest.mark.parametrize("given", [said("all_endpoints", "perhaps"), said("since_when", "later")])
def test_an_answer_nobody_offered_is_none(given: Given) -> None:
    with pytest.raises(NotAsked):
        answered(a_scenario("response_time"), (), given)


def test_revising_drops_what_the_path_no_longer_reaches() -> None:
    scenario = branching()
    long = (said("first", "no"), said("second", "yes"), said("third", "no"))

    revised = answered(scenario, long, said("second", "no"))
    led_past = answered(scenario, long, said("first", "yes"))

    assert [(one.question, one.answer) for one in revised] == [("first", "no"), ("second", "no")]
    assert [(one.question, one.answer) for one in led_past] == [("first", "yes"), ("third", "no")]


def test_the_answer_before_a_rollback_is_no_part_of_the_path_and_stays() -> None:
    scenario = branching()
    safety = said("migration", "yes")

    answers = answered(scenario, answered(scenario, (safety,), said("first", "no")), said("first", "yes"))

    assert safety in answers
    known = cleared(scenario, answers)
    assert known is not None
    assert known.answer.holds_back


def test_the_question_before_a_rollback_can_be_revised_and_takes_its_own_answers_only() -> None:
    scenario = a_scenario("data_loss")

    answers = answered(scenario, (said("migration", "yes"),), said("migration", "no", after=5))

    assert [(one.answer, one.at - NOON) for one in answers] == [("no", timedelta(seconds=5))]
    with pytest.raises(NotAsked):
        answered(scenario, answers, said("migration", "maybe"))


def test_nothing_is_cleared_where_nothing_is_asked_or_answered() -> None:
    assert cleared(None, ()) is None
    assert cleared(a_scenario("memory"), (said("migration", "no"),)) is None
    assert cleared(a_scenario("data_loss"), ()) is None


_SOME = st.tuples(
    st.sampled_from(["first", "second", "third", "all_endpoints", "resources_normal", "every_instance",
                     "since_when", "migration"]),
    st.sampled_from(["yes", "no", "not_known", "after_deployment", "later"]),
)  # fmt: skip


@given(st.sampled_from([*SCENARIOS, "branching"]), st.lists(_SOME, max_size=25))
def test_whatever_is_answered_and_revised_the_answers_stay_on_a_path(
    key: str, presses: list[tuple[str, str]]
) -> None:
    scenario = branching() if key == "branching" else a_scenario(key)
    answers: tuple[Given, ...] = ()

    for number, (question, answer) in enumerate(presses):
        try:
            answers = answered(scenario, answers, said(question, answer, after=number))
        except NotAsked:
            continue
        found = diagnose(scenario, answers)
        before = scenario.before_rollback.key if scenario.before_rollback else None
        assert [g for g in answers if g.question != before] == [reached.given for reached in found.path]
        assert sum(g.question == before for g in answers) <= 1
        leads = [reached.answer.next for reached in found.path]
        follow = [reached.question.key for reached in found.path[1:]]
        assert leads[: len(follow)] == follow
        assert (found.asked.key if found.asked else None) == (leads[-1] if leads else _first(scenario))
        assert any(g.question == question and g.answer == answer for g in answers)


def _first(scenario: Scenario) -> str | None:
    return scenario.questions[0].key if scenario.questions else None
