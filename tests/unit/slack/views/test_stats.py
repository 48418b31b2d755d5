"""Statistics as people see them: in Slack, in a terminal, as a file and as a picture."""

import csv
import io
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.domain.alarm import AlarmKind
from bot.domain.alert import Alert, AlertState
from bot.domain.ids import IncidentNumber
from bot.domain.incident import IncidentState
from bot.domain.looking_back import REPORT, Begun, Past, Report, Stage, Wanted, Way, look_back, read_written
from bot.domain.rollback import RollbackState
from bot.sandbox.slack.blocks import validate
from bot.slack.text import LOCALES, PLAIN, Words
from bot.slack.views.pages import as_markdown
from bot.slack.views.stats import (
    rule_name,
    short_stage,
    stage_name,
    stats_file_message,
    stats_message,
    stats_picture,
    way_name,
)
from bot.slack.views.stats_file import COLUMNS, stats_csv, stats_file_name
from bot.slack.views.stats_text import stats_text
from tests.guide import the_guide
from tests.unit.slack.markup import foreign_markup, mrkdwn_texts
from tests.values import CANARY, CANARY_TARGET, NOON, SENA, STABLE, a_plan, a_rollback, an_incident, seconds

PLAYBOOK = the_guide()
LEAK = PLAYBOOK.scenarios[2].key
EN = Words(locale="en")
WANTED = Wanted(since=NOON - timedelta(days=90), until=NOON + timedelta(days=1), zone="Asia/Seoul")


def a_report(wanted: Wanted = WANTED, *, scenario: str = LEAK) -> Report:
    """Return two months with three incidents, one of them open, one rollback and one false alarm."""
    over = {"state": IncidentState.CLOSED, "closed_at": NOON + seconds(600)}
    incidents = (
        an_incident(number=IncidentNumber(1), scenario=scenario, deployed_at=NOON - seconds(120), **over),
        an_incident(number=IncidentNumber(2), deployed_at=NOON - seconds(240), **over),
        an_incident(number=IncidentNumber(3), opened_at=NOON - timedelta(days=20), deployed_at=None),
    )
    rollback = a_rollback(
        RollbackState.VERIFIED,
        incident=IncidentNumber(1),
        plan=a_plan(),
        decided_by=SENA,
        deployed_at=NOON - seconds(120),
        requested_at=NOON + seconds(30),
        applied_at=NOON + seconds(35),
        settled_at=NOON + seconds(40),
        ended_at=NOON + seconds(55),
    )
    alert = Alert(
        id="a",
        target=CANARY_TARGET,
        state=AlertState.NOT_THE_CANARY,
        created_at=NOON,
        kind=AlarmKind.CPU,
        mode="tell",
        canary=CANARY,
        stable=STABLE,
        percent=10,
    )
    begun = [
        Begun(target=CANARY_TARGET, canary=name, deployed_at=None, at=NOON - seconds(60))
        for name in ("a", "b")
    ]
    past = Past(incidents=incidents, rollbacks=(rollback,), alerts=(alert,), begun=tuple(begun))
    return look_back(past, wanted)


def facts(report: Report | None = None, **more: Any) -> dict[str, Any]:
    return {"report": REPORT.dump_python(replace(report or a_report(), incidents=()), mode="json")} | more


def test_the_message_says_every_figure_with_what_it_is_of() -> None:
    shown = stats_message(facts(file="F0PICTURE"), PLAYBOOK, EN)

    text = "\n".join(mrkdwn_texts(shown.blocks))
    assert shown.blocks[0]["text"]["text"] == "Looking back: 2025-12-02 to 2026-03-03"
    assert "*3* incidents, 1 of them still open" in text
    assert "*1* rollbacks were decided\n• 1 by hand\n• verdicts: verified 1" in text
    assert (
        "*Time to detect*: median 3 min 00 s, worst 4 min 00 s (INC-2), of 2; 1 not known or not yet" in text
    )
    assert "*Time to roll back*: median 10 s, worst 10 s (INC-1), of 1\n" in text
    assert (
        "*Change failure rate*: 33.3 %; 1 of 3 different canaries that had traffic were rolled back; 1 were "
        "never watched" in text
    )
    assert "*By scenario*" in text
    assert "• 2026-02: 1 incidents" in text
    assert "CPU stays red: 1 alerts, 1 false alarms (100.0 %), 0 rolled back by people, 0 by the bot" in text
    assert shown.blocks[-2]["slack_file"] == {"id": "F0PICTURE"}


def test_the_button_remembers_what_was_looked_back_on() -> None:
    (button,) = stats_message(facts(), PLAYBOOK, EN).blocks[-1]["elements"]

    assert (button["action_id"], read_written(button["value"])) == ("stats.file", WANTED)


def test_a_picture_that_could_not_be_drawn_is_one_line() -> None:
    shown = stats_message(facts(why="no colours left"), PLAYBOOK, EN)

    assert "There is no picture just now: no colours left" in str(shown.blocks[-2])


def test_nothing_to_tell_is_said_in_a_line() -> None:
    empty = look_back(Past(), WANTED)

    shown = stats_message(facts(empty), PLAYBOOK, EN)

    assert "there was no incident, and no canary was seen" in shown.text
    assert [block["type"] for block in shown.blocks] == ["section"]


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("scenario", [LEAK, "<!channel>", "", "`x` *y* <@U0VICTIM>"])
@pytest.mark.parametrize("more", [{}, {"file": "F0"}, {"why": "<!here> `x`"}])
def test_every_message_is_valid_and_rings_nobody(locale: str, scenario: str, more: dict[str, Any]) -> None:
    words = Words(locale=locale)
    wanted = replace(WANTED, scenario=scenario)

    for report in (a_report(scenario=scenario), a_report(wanted, scenario=scenario)):
        shown = stats_message(facts(report, **more), PLAYBOOK, words)
        assert validate(shown.blocks, "message") == []
        assert [text for text in mrkdwn_texts(shown.blocks) if foreign_markup(text)] == []
    assert foreign_markup(stats_file_message(wanted, PLAYBOOK, words).text) == []


def test_many_months_scenarios_and_rules_still_fit() -> None:
    incidents = [
        an_incident(
            number=IncidentNumber(n), scenario=f"scenario_{n % 40}", opened_at=NOON - timedelta(days=n * 10)
        )
        for n in range(1, 200)
    ]
    ever = replace(WANTED, since=NOON - timedelta(days=4000))

    shown = stats_message(facts(look_back(Past(incidents=tuple(incidents)), ever)), PLAYBOOK, EN)

    assert validate(shown.blocks, "message") == []
    assert "… and 32 more in the file" in str(shown.blocks)


@pytest.mark.parametrize("locale", LOCALES)
def test_everything_has_a_name(locale: str) -> None:
    words = Words(locale=locale)

    assert all(stage_name(stage, words) and short_stage(stage, words) for stage in Stage)
    assert all(way_name(way, words) for way in Way)
    assert all(rule_name(kind, words) for kind in AlarmKind)


# The picture.


def test_the_picture_holds_minutes_counts_and_percent() -> None:
    picture = stats_picture(a_report(), PLAYBOOK, EN)

    assert picture.months == ("2026-02", "2026-03")
    assert (picture.phases[0].median, picture.phases[0].worst) == (3, 4)
    assert picture.phases[2].median == pytest.approx(1 / 6)
    assert sum(sum(stack.counts) for stack in picture.stacks) == 3
    assert all(len(stack.counts) == 2 for stack in picture.stacks)
    assert picture.failure_rates[0] is None
    assert picture.failure_rates[1] == pytest.approx(100 / 3)


def test_of_many_months_the_picture_shows_the_newest_twelve() -> None:
    old = an_incident(opened_at=NOON - timedelta(days=800))
    ever = replace(WANTED, since=NOON - timedelta(days=4000))

    picture = stats_picture(
        look_back(Past(incidents=(old, an_incident(number=IncidentNumber(13)))), ever), PLAYBOOK, EN
    )

    assert (len(picture.months), picture.months[-1]) == (12, "2026-03")
    assert {len(stack.counts) for stack in picture.stacks} == {len(picture.failure_rates)} == {12}


def test_the_picture_of_nothing_is_empty() -> None:
    picture = stats_picture(look_back(Past(), WANTED), PLAYBOOK, EN)

    assert (picture.months, picture.stacks, picture.failure_rates) == ((), (), ())
    assert {phase.median for phase in picture.phases} == {None}


# The file.


def rows(report: Report) -> dict[tuple[str, str, str], dict[str, str]]:
    read = csv.DictReader(io.StringIO(stats_csv(report)))
    assert tuple(read.fieldnames or ()) == COLUMNS
    return {(row["group"], row["key"], row["figure"]): row for row in read}


def test_the_file_has_each_figure_in_a_row_of_its_own() -> None:
    found = rows(a_report())

    detect = found["all", "", "time_to_detect"]
    assert [detect[name] for name in ("value", "unit", "worst", "worst_incident", "of", "left_out")] == [
        "180", "seconds", "240", "INC-2", "2", "1",
    ]  # fmt: skip
    assert found["month", "2026-03", "change_failure_rate"]["value"] == "0.3333"
    assert found["scenario", LEAK, "incidents"]["value"] == "1"
    assert found["rule", "cpu", "false_share"]["value"] == "1"
    assert found["incident", "INC-1", "time_to_verify"]["value"] == "15"
    assert ("incident", "INC-3", "time_to_detect") not in found
    assert found["all", "", "rollbacks_by_hand"]["value"] == "1"


def test_what_is_not_known_is_an_empty_cell_and_never_nought() -> None:
    found = rows(look_back(Past(), WANTED))

    assert found["all", "", "time_to_resolve"]["value"] == ""
    assert found["all", "", "change_failure_rate"]["value"] == ""
    assert found["all", "", "incidents"]["value"] == "0"


@pytest.mark.parametrize("formula", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", " =1"])
def test_no_cell_is_a_formula(formula: str) -> None:
    read = csv.reader(io.StringIO(stats_csv(a_report(scenario=formula))))

    assert [cell for row in read for cell in row if cell.lstrip()[:1] in ("=", "+", "-", "@")] == []


def test_the_files_name_says_what_it_holds() -> None:
    assert stats_file_name(WANTED) == "incident-statistics-20251202-20260303.csv"
    narrowed = replace(WANTED, target="chat", scenario="memory_leak")
    assert stats_file_name(narrowed) == "incident-statistics-20251202-20260303-chat-memory_leak.csv"


# The terminal.


@pytest.mark.parametrize("locale", LOCALES)
def test_the_terminal_has_tables_without_a_mark_of_slack(locale: str) -> None:
    words = Words(locale=locale, style=PLAIN, zone="Asia/Seoul")

    shown = as_markdown(stats_text(a_report(), PLAYBOOK, words))

    assert "INC-2" in shown
    assert "33.3 % (1/3)" in shown
    assert PLAYBOOK.scenarios[2].name.in_(locale) in shown
    assert ":bar_chart:" not in shown
    assert as_markdown(stats_text(look_back(Past(), WANTED), PLAYBOOK, words)).count("\n\n") == 1
