"""A drill's scoreboard, short enough for 3 a.m., in Slack and in a terminal."""

from bot.domain.drill import Milestone
from bot.domain.timeline import Event
from bot.slack.text import Words
from bot.slack.views.drill_board import scoreboard_message, scoreboard_text
from bot.slack.views.pages import as_markdown
from bot.slack.views.timeline import sentence
from tests.drills import FAST
from tests.unit.slack.markup import all_texts
from tests.unit.slack.views.drill_views import a_scoreboard, drill_event_facts, slow
from tests.values import a_chain

EN, KO = Words(locale="en"), Words(locale="ko")


def test_a_fast_drill_says_so_first_and_gives_no_advice() -> None:
    message = scoreboard_message(a_scoreboard(), EN)
    title, result, lines, *rest = all_texts(message.blocks)

    assert title == "Drill over: Error rate jumps right after the deployment"
    assert result == "*5 of 5 within the guide's minutes* on canary · INC-12"
    assert lines.splitlines() == [
        ":white_check_mark: *Detected*: *40 s*, in time (guide: 5 min after the failure)",
        ":white_check_mark: *Decided*: *1 min 00 s*, in time (guide: 1 min after detection)",
        ":white_check_mark: *Rolled back*: *1 min 30 s*, in time (guide: 2 min after the decision)",
        ":white_check_mark: *Verified*: *2 min 00 s*, in time (guide: 3 min after the decision)",
        ":white_circle: *Users told*: not asked for here",
        ":white_check_mark: *Record complete*: *8 min 00 s*, in time (guide: 10 min after the decision)",
    ]
    assert not any("What to do better" in text or "last drills" in text for text in rest)
    assert rest[-1] == (
        "Where the playbook says so: Detected: how often a deployment is looked at; "
        "Decided: checklist, Immediately; Rolled back: checklist, Confirm; "
        "Verified: the scenario's expected recovery; Record complete: checklist, Record"
    )
    assert message.text.startswith("Drill over: ")


def test_a_slow_drill_says_by_how_much_and_what_would_have_been_faster() -> None:
    shown = "\n".join(all_texts(scoreboard_message(slow(), EN).blocks))

    assert "*1 of 6 within the guide's minutes*" in shown
    assert (
        ":warning: *Detected*: *6 min 40 s*, too late by 1 min 40 s (guide: 5 min after the failure)" in shown
    )
    assert ":x: *Verified*: not reached (guide: 5 min after the decision)" in shown
    assert ":x: *Users told*: not reached (guide: 2 min after detection)" in shown
    assert "• Watch every deployment: `/canary watch canary`" in shown
    assert "• Tell users before everything is known: `/incident update` has the text ready." in shown
    assert "*Your last drills of this* (2): best · median · last" in shown
    assert "Decided: 1 min 01 s · 1 min 02 s · 1 min 02 s" in shown


def test_a_milestone_late_by_less_than_a_second_is_late_by_one() -> None:
    board = a_scoreboard(reached={**FAST, Milestone.DETECTED: 300.2})

    assert "too late by 1 s " in "\n".join(all_texts(scoreboard_message(board, EN).blocks))


def test_a_terminal_gets_the_same_as_a_table() -> None:
    text = as_markdown(scoreboard_text(slow(), EN))

    assert "| Milestone | After | Guide | Result | Best | Median | Last |" in text
    assert "| Decided | 8 min 20 s | 1 min after detection | too late by 40 s | 1 min 01 s |" in text
    assert "| Verified | - | 5 min after the decision | not reached | 2 min 00 s |" in text
    assert "## What to do better" in text
    assert "*" not in text.replace("**", "")


def test_both_languages_have_the_scoreboard() -> None:
    korean = scoreboard_message(slow(), KO)

    assert korean.text.startswith("훈련 종료: 데이터 손실/오염")
    assert "6개 중 1개가 가이드의 시간 안에 완료" in korean.text


def test_a_timeline_begins_by_saying_that_it_is_a_drill() -> None:
    entry = a_chain(drill_event_facts(Event.DRILL_BEGUN, "Memory explosion"), event=Event.DRILL_BEGUN)[0]

    assert sentence(entry, EN).startswith(
        "DRILL: a failure made on purpose, to practise: *Memory explosion*, since "
    )
    assert sentence(entry, KO).startswith("훈련: ")
