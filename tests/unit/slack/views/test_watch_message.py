"""A watch as people read it: what is known, from where, how old, what comes next, and never too long."""

from dataclasses import replace
from typing import Any

import pytest

from bot.domain.automatics import OffWhy
from bot.domain.detection import Excess
from bot.domain.ids import PersonId
from bot.domain.judge_state import JudgeState, Streak
from bot.domain.observation import Point, SideValues
from bot.domain.readings import Metric, Side, Source
from bot.domain.timeline import Event
from bot.domain.watch import Carried, EndedWhy, SourceState, WatchSource, WatchState
from bot.slack.text import Words
from bot.slack.views.plain_text import as_plain_text
from bot.slack.views.watch_message import replaced_watch_message, watch_message
from tests.guide import the_guide
from tests.unit.slack.views.watch_views import BACKOUT, a_point, a_watch, automatics, minutes
from tests.values import CANARY, HEALTHY, NOON, SENA, STABLE, a_chain, a_playbook, a_reading, seconds

EN = Words(locale="en")


def shown(watch: Any, **more: Any) -> str:
    """Return a watch's texts at noon, by the guide."""
    message = watch_message(watch, the_guide(), EN, **({"now": NOON} | more))
    return as_plain_text(message)


def pressable(watch: Any) -> list[tuple[str, str]]:
    """Return action and value of each button."""
    blocks = watch_message(watch, the_guide(), EN, now=NOON).blocks
    rows = [block["elements"] for block in blocks if block["type"] == "actions"]
    return [(element["action_id"], element["value"]) for row in rows for element in row]


def test_it_says_who_is_watched_with_what_share_and_how_long_after_the_deployment() -> None:
    text = shown(a_watch())

    assert "Watching canary: canary at 10 %" in text
    assert f"`{CANARY}` has 10 % of the traffic, `{STABLE}` the rest. Deployed 1 h 03 min ago." in text


def test_the_worst_flag_stands_first_with_sample_source_and_age() -> None:
    text = shown(a_watch(), now=NOON + seconds(5))

    first = next(line for line in text.splitlines() if line.startswith("●"))
    assert first == "● red · Error rate, canary: 12.50 % (25 of 200 requests, request log, 5 s old)"


@pytest.mark.parametrize(("errors", "worst"), [(2, "yellow"), (3, "red")])
def test_an_error_rate_made_of_fewer_errors_than_a_reading_needs_is_not_red(errors: int, worst: str) -> None:
    rate = a_reading(Metric.ERROR_RATE, errors, errors=errors, sample=100)

    text = shown(a_watch(readings=(rate,), official=(rate,)))

    assert text.count(f"{worst} · Error rate, canary") == 2


def test_grey_flags_say_why() -> None:
    failed = a_reading(Metric.ERROR_RATE, None, problem="403 denied")

    text = shown(a_watch(readings=(failed, *HEALTHY[1:])))

    assert "○ grey · Error rate, canary: no data (could not be read: 403 denied, request log)" in text


def test_official_numbers_stand_beside_those_of_the_log() -> None:
    official = a_reading(value=0.2, source=Source.MONITORING, until=NOON - seconds(130))

    text = shown(a_watch(official=(official,)))

    assert (
        "Officially: ● green · Error rate, canary: 0.20 % (200 requests, Cloud Monitoring, 2 min 10 s old)"
        in text
    )


def test_the_last_hour_is_drawn_to_one_scale_for_both_sides_with_the_red_line() -> None:
    points = tuple(
        a_point(60 - minute, canary=0.0 if minute < 30 else 5.0, stable=0.0) for minute in range(60)
    )

    lines = shown(a_watch(points=points)).splitlines()

    place = lines.index("Error rate, the last hour (red above 1 %)")
    assert lines[place + 1] == f"`{'▁' * 14}{'█' * 16}` canary: last 5.00 %, highest 5.00 %"
    assert lines[place + 2] == f"`{'▁' * 30}` stable: last 0.00 %, highest 0.00 %"
    assert "P95 response time, the last hour (red above 500 ms)" in lines


def test_minutes_that_nobody_knows_are_gaps() -> None:
    known = Point(at=NOON, canary=SideValues(error_rate=0.5), stable=SideValues())

    text = shown(a_watch(points=(known,)))

    assert f"`{'·' * 29}▅` canary: last 0.50 %, highest 0.50 %" in text
    assert f"`{'·' * 30}` stable: no data" in text
    assert "Memory, the last hour" not in text


def test_the_guides_streak_stands_beside_the_score_each_with_source_and_age() -> None:
    judged = JudgeState(
        until=NOON - seconds(6),
        height=12.0,
        errors_warning=Excess(level=6.0),
        errors_trigger=Excess(level=3.0),
        error_streak=Streak(bad=2, until=NOON - seconds(20)),
    )

    text = shown(a_watch(judge=judged))

    assert "The guide's rule: 2 of 3 red readings in a row (request log, 20 s old)" in text
    assert (
        "The score: 50 % full for a warning, 25 % for acting; it fills with errors beyond 1 % "
        "(request log, 6 s old)" in text
    )
    assert "slowness" not in text


def test_a_score_of_slowness_is_shown_once_it_fills() -> None:
    judged = JudgeState(until=NOON, slow_height=10.0, slow_warning=Excess(level=2.0))

    assert "The score of slowness: 20 % full for a warning, 0 % for acting" in shown(a_watch(judge=judged))


@pytest.mark.parametrize(("bad", "said"), [(0, "0 of 3"), (3, "3 of 3"), (9, "3 of 3")])
def test_the_streak_never_counts_beyond_what_the_rule_wants(bad: int, said: str) -> None:
    judged = JudgeState(error_streak=Streak(bad=bad, until=NOON))

    assert f"{said} red readings in a row" in shown(a_watch(judge=judged))


def test_before_anything_was_read_it_says_so() -> None:
    text = shown(a_watch(judge=JudgeState(), readings=(), points=()))

    assert "No numbers yet." in text
    assert "0 of 3 red readings in a row (nothing read yet)" in text


def test_a_log_that_fails_says_since_when_and_what_takes_its_place() -> None:
    source = SourceState(well_at=NOON - minutes(1), problem="403 denied", suppressed=12)

    text = shown(a_watch(sources={WatchSource.REQUEST_LOG: source}))

    assert "Request log: could not be read since" in text
    assert "403 denied. Cloud Monitoring takes its place, which is minutes late." in text
    assert "Request log: Google left 12 entries out, so counts are too low." in text


def test_a_source_that_is_well_is_no_warning() -> None:
    text = shown(a_watch(sources={WatchSource.PROBE: SourceState(well_at=NOON, live=True)}))

    assert "Probe" not in text
    assert "\n! " not in text


@pytest.mark.parametrize(
    ("minutes_ago", "said"),
    [
        (2.0, "is due in 3 min"),
        (4.0, "is due in 1 min"),
        (4.5, "is due in 1 min"),
        (5.0, "is due now"),
        (9.0, "is due now"),
    ],
)
def test_the_guides_next_check_is_counted_down(minutes_ago: float, said: str) -> None:
    text = shown(a_watch(checked_at=NOON - minutes(minutes_ago)))

    assert f"The guide's check, every 5 min, {said}" in text


def test_closer_watching_says_until_when() -> None:
    assert "Watched more closely until" in shown(a_watch(closely_until=NOON + minutes(1)))
    assert "Watched more closely until" not in shown(a_watch(closely_until=NOON))


def test_a_services_canary_names_the_revision_it_runs() -> None:
    watch = a_watch(canary="ion-chat-canary", carried=Carried(revision="ion-chat-canary-00007-abc"))

    assert "It runs `ion-chat-canary-00007-abc`." in shown(watch)
    assert "It runs" not in shown(a_watch())


@pytest.mark.parametrize(
    ("known", "said"),
    [
        (None, "Automatic rollback: off. Arm it with `/canary auto canary`."),
        (automatics(held_until=NOON + seconds(1), held_by=SENA), "Automatic rollback: on hold until"),
        (automatics(held_until=NOON, held_by=SENA), "Automatic rollback: armed by <@U0SENA>"),
        (automatics(armed=False, off_why=OffWhy.FIRED.value), "it has rolled back once"),
        (automatics(armed=False, off_why=OffWhy.STOPPED.value), "<@U0SENA> stopped an automatic rollback"),
        (automatics(armed=False, off_why=OffWhy.PERSON.value), "<@U0SENA> switched it off"),
    ],
)
def test_it_says_whether_the_bot_may_act_by_whose_word(known: Any, said: str) -> None:
    assert said in shown(a_watch(), automatics=known)


def test_armed_without_a_rule_that_acts_says_that_it_only_recommends() -> None:
    auto = a_playbook(watch={"early_warning": {"mode": "auto"}})

    armed = as_plain_text(watch_message(a_watch(), auto, EN, now=NOON, automatics=automatics()))
    idle = as_plain_text(watch_message(a_watch(), a_playbook(), EN, now=NOON, automatics=automatics()))

    assert "it will only recommend" not in armed
    assert "no rule of the playbook has `mode: auto`, so it will only recommend" in idle


def test_a_watch_can_be_stopped_and_rolled_back_from() -> None:
    assert pressable(a_watch()) == [
        ("watch.roll_back", "canary"),
        ("canary.status", "canary"),
        ("watch.stop", "canary:3"),
    ]


def test_after_a_rollback_stable_is_watched_and_nothing_is_left_to_roll_back() -> None:
    watch = a_watch(state=WatchState.AFTERWARDS, rolled_back_at=NOON)

    text = shown(watch)

    assert "canary: rolled back, watching stable" in text
    assert f"`{CANARY}` was rolled back at" in text
    assert "for the checklist." in text
    assert "The score" not in text
    assert [action for action, _ in pressable(watch)] == ["canary.status", "watch.stop"]


@pytest.mark.parametrize(
    ("why", "said"),
    [
        (EndedWhy.CANARY_HAS_ALL, "The canary has all of the traffic now."),
        (EndedWhy.CANARY_HAS_NONE, "The canary has no traffic any more."),
        (EndedWhy.NEW_CANARY, "Another canary has taken its place"),
        (EndedWhy.BY_A_PERSON, "<@U0SENA> stopped it."),
        (EndedWhy.TARGET_GONE, "The target is not in the playbook any more."),
    ],
)
def test_an_ended_watch_says_why_by_whom_and_how_to_go_on(why: EndedWhy, said: str) -> None:
    by = SENA if why is EndedWhy.BY_A_PERSON else None
    watch = a_watch(state=WatchState.ENDED, ended_at=NOON, ended_why=why, ended_by=by)

    text = shown(watch, now=NOON + minutes(500))

    assert said in text
    assert "Watch again with `/canary watch canary`." in text
    assert "0 s old" in text  # As it was at its end, not stale.
    assert pressable(watch) == []


def test_a_watch_that_another_one_replaced_is_told_by_its_timeline() -> None:
    begun = {"target": "canary", "number": 3, "canary": CANARY, "stable": STABLE, "percent": 10}
    ended = {"why": "new_canary", "canary": CANARY, "percent": 10, "minutes": 61.5, "alerts": 0}
    entries = [
        replace(a_chain(begun, event=Event.WATCH_BEGUN)[0], actor=BACKOUT),
        replace(a_chain({}, event=Event.WATCH_CHECK)[0], actor=BACKOUT),
        replace(a_chain(ended, event=Event.WATCH_ENDED)[0], actor=BACKOUT),
    ]

    message = replaced_watch_message(a_watch().id, entries, EN)

    text = as_plain_text(message)
    assert "canary: the watch has ended" in text
    assert f"Backout began to watch `{CANARY}` (10 % of the traffic), compared with `{STABLE}`" in text
    assert "Another canary has taken its place" in text
    assert len(text.splitlines()) == 3


def test_who_begins_a_watch_is_said() -> None:
    assert "Watch 3, begun by Backout," in shown(a_watch())
    assert "Watch 3, begun by <@U0SENA>," in shown(a_watch(started_by=PersonId(SENA)))


def test_both_sides_are_told_apart() -> None:
    text = shown(a_watch(readings=(a_reading(side=Side.CANARY), a_reading(side=Side.STABLE))))

    assert text.count("Error rate, canary: 0.10 %") == text.count("Error rate, stable: 0.10 %") == 1
