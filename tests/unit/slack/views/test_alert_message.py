"""An alert as people read it: one sentence with its numbers, both modes, and what can still be answered."""

from dataclasses import replace
from typing import Any

import pytest

from bot.domain.alarm import AlarmKind
from bot.domain.alert import Alert, AlertState
from bot.domain.automatics import NotByItself
from bot.slack.text import Words
from bot.slack.views.alert_message import alert_message, not_the_canary_modal
from bot.slack.views.parts import Block
from bot.slack.views.plain_text import as_plain_text
from tests.guide import the_guide
from tests.unit.slack.markup import all_texts
from tests.unit.slack.views.watch_views import BACKOUT, FACTS, an_alert
from tests.values import CANARY, NOON, SENA, STABLE, a_playbook, seconds

EN = Words(locale="en")


def shown(alert: Alert, **more: Any) -> str:
    """Return an alert's texts, three seconds after it was raised, by the guide."""
    return as_plain_text(alert_message(alert, the_guide(), EN, **({"now": NOON + seconds(3)} | more)))


def buttons(alert: Alert) -> list[Block]:
    """Return an alert's buttons in order."""
    blocks = alert_message(alert, the_guide(), EN, now=NOON).blocks
    return [element for block in blocks if block["type"] == "actions" for element in block["elements"]]


def pressable(alert: Alert) -> list[str]:
    """Return the actions of an alert's buttons in order."""
    return [element["action_id"] for element in buttons(alert)]


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        (
            AlarmKind.ERROR_RATE_ONCE,
            f"Error rate of the canary `{CANARY}` is 5.10 % (34 of 667 requests, request log, 4 s old), "
            "above "
            "1 %; stable: 0.20 % of 6,003 requests.",
        ),
        (
            AlarmKind.ERROR_RATE_IN_A_ROW,
            f"Error rate of the canary `{CANARY}` is 5.10 % (34 of 667 requests, request log, 4 s old), "
            "above "
            "1 % in 3 readings in a row; stable: 0.20 % of 6,003 requests.",
        ),
        (AlarmKind.DATA_LOSS, "People report that data is lost."),
        (
            AlarmKind.MEMORY_EXPLOSION,
            f"Memory of the canary `{CANARY}` is at 88 % (Cloud Monitoring, 2 min 10 s old), red above "
            "85 %, and "
            "rises by 2.1 points a minute: full in 5 min 40 s.",
        ),
        (
            AlarmKind.SERVICE_DOWN,
            f"The canary `{CANARY}` does not answer: 3 probes in a row have failed, over 10 s (probe, 0 "
            "s old), "
            "while stable answers.",
        ),
        (
            AlarmKind.EARLY_WARNING,
            f"The canary `{CANARY}` has produced 13 more errors than an error rate of 1 % allows, built "
            "up over "
            "90 s, and stable is not seeing the same (34 of 667 requests, request log, 4 s old); "
            "stable: 0.20 % "
            "of 6,003 requests.",
        ),
        (
            AlarmKind.RESPONSE_TIME,
            f"P95 response time of the canary `{CANARY}` is 812 ms (34 of 667 requests, request log, 4 "
            "s old), "
            "above 500 ms in 3 readings in a row; stable: 90 ms of 6,003 requests.",
        ),
        (
            AlarmKind.CPU,
            f"CPU of the canary `{CANARY}` is 96 % (Cloud Monitoring, 0 s old), above 90 % in 3 "
            "readings in a "
            "row.",
        ),
        (
            AlarmKind.SHARED,
            f"The canary `{CANARY}` has produced 13 more errors than an error rate of 1 % allows, built "
            "up over "
            "90 s (34 of 667 requests, request log, 4 s old), but stable is just as bad; stable: 4.80 % of "
            "6,003 requests.",
        ),
    ],
)
def test_the_rule_is_one_sentence_with_its_numbers(kind: AlarmKind, sentence: str) -> None:
    assert sentence in shown(an_alert(kind)).splitlines()


@pytest.mark.parametrize(
    ("kind", "more", "sentence"),
    [
        (
            AlarmKind.EARLY_WARNING,
            {"no_baseline": True, "stable_value": None},
            "and stable has no traffic to compare with (34 of 667 requests, request log, 4 s old).",
        ),
        (
            AlarmKind.EARLY_WARNING,
            {"metric": "p95", "limit": 500.0, "line_percent": 5.0, "slow_percent": 40.0},
            "has answered 13 more requests slower than 500 ms than the 5 % that are allowed, built up "
            "over 90 s, "
            "and stable is not seeing the same (34 slow ones of 667 requests, request log, 4 s old).",
        ),
        (
            AlarmKind.SHARED,
            {"excess": None, "value": 7.0, "stable_value": None, "stable_is_bad": 0.065},
            "is 7.00 % (34 of 667 requests, request log, 4 s old), but stable is just as bad: 6.50 % of its "
            "requests.",
        ),
        (
            AlarmKind.MEMORY_EXPLOSION,
            {"percent_per_minute": -0.2, "full_in_seconds": None, "stable_value": 41.0},
            "is at 88 % (Cloud Monitoring, 2 min 10 s old), red above 85 %; stable: 41 %.",
        ),
        (
            AlarmKind.SHARED,
            FACTS[AlarmKind.MEMORY_EXPLOSION]
            | {"excess": None, "requests": None, "stable_requests": None}
            | {"metric": "memory", "value": 88.0, "stable_value": 91.0},
            f"Memory of the canary `{CANARY}` is 88 % (Cloud Monitoring, 2 min 10 s old), but stable is "
            "just as "
            "bad; stable: 91 %.",
        ),
        (
            AlarmKind.SERVICE_DOWN,
            {"source": "request_log", "failures": 14, "seconds": 31.0},
            "answers nothing well: 14 requests in a row have failed, over 31 s (request log, 0 s old), while "
            "stable answers.",
        ),
        (
            AlarmKind.SERVICE_DOWN,
            {"missing": 21.4, "seconds": 40.0, "problem": "connection refused"},
            "is silent: 21 requests that stable's traffic implies did not come, over 40 s (probe, 0 s "
            "old), while "
            "stable answers: connection refused.",
        ),
        (
            AlarmKind.SERVICE_DOWN,
            {"stable_well": False, "answers_requests": True},
            "(probe, 0 s old); stable does not answer either; but the canary answers users' requests all the "
            "same.",
        ),
    ],
)
def test_the_sentence_says_what_is_special(kind: AlarmKind, more: dict[str, Any], sentence: str) -> None:
    assert sentence in shown(an_alert(kind, facts=FACTS[kind] | more))


def test_the_guides_own_words_and_its_streak_beside_the_score_are_shown() -> None:
    facts = FACTS[AlarmKind.ERROR_RATE_IN_A_ROW] | {"score_percent": 100.0, "trigger_percent": 41.2}

    text = shown(an_alert(facts=facts))

    assert "!! Danger · canary: the error rate stays red" in text
    assert "→ Danger: Rollback recommended" in text
    assert (
        "At that time the guide's rule: 3 of 3 red readings in a row; the score: 100 % full for a warning, "
        "41 % for acting." in text
    )


def test_a_rule_that_recommends_says_what_it_would_do_by_itself() -> None:
    alert = an_alert(not_by_itself=NotByItself.RULE_MODE.value)

    assert (
        "Recommended: roll back. The bot only recommends it, because the playbook's mode for it is "
        "`recommend`. "
        "In mode `auto` it would roll back by itself within 10 s." in shown(alert)
    )


def test_what_would_have_held_it_back_in_mode_auto_is_said_too() -> None:
    facts = FACTS[AlarmKind.ERROR_RATE_IN_A_ROW] | {"level": "act", "held_back": "not_armed"}

    text = shown(an_alert(not_by_itself=NotByItself.RULE_MODE.value, facts=facts))

    assert "In mode `auto` it would not roll back by itself either, because nobody has armed it." in text


def test_a_rule_that_acts_says_what_kept_it_from_acting() -> None:
    text = shown(an_alert(mode="auto", not_by_itself=NotByItself.ON_HOLD.value))

    assert (
        "because somebody has put the automatics on hold. Otherwise it would roll back by itself within"
        in text
    )


def test_a_rule_without_time_to_stop_it_acts_at_once() -> None:
    playbook = a_playbook(watch={"early_warning": {"stop_seconds": 0}})
    alert = an_alert(AlarmKind.EARLY_WARNING, not_by_itself=NotByItself.RULE_MODE.value)

    text = as_plain_text(alert_message(alert, playbook, EN, now=NOON))

    assert "In mode `auto` it would roll back by itself at once." in text


def test_every_reason_not_to_act_has_words_of_its_own() -> None:
    told = {
        shown(an_alert(mode="auto", not_by_itself=why.value)).split("because ")[1].splitlines()[0]
        for why in NotByItself
    }

    assert len(told) == len(NotByItself)
    assert not any(why.value in line for why in NotByItself for line in told if "_" in why.value)


def test_an_open_alert_can_be_answered_in_three_ways() -> None:
    assert pressable(an_alert()) == ["alert.roll_back", "alert.not_the_canary", "alert.hold"]
    assert {element["value"] for element in buttons(an_alert())} == {"a1e57"}


def test_rolling_back_now_asks_once_more() -> None:
    go = buttons(an_alert())[0]

    assert go["text"]["text"] == "Roll back now"
    assert f"100 % of the traffic goes to {STABLE}; {CANARY} gets none." in list(all_texts(go["confirm"]))


def test_holding_says_for_how_long() -> None:
    assert buttons(an_alert())[-1]["text"]["text"] == "Hold automatics for 15 min"


def test_a_countdown_says_when_it_fires_and_stop_comes_first() -> None:
    alert = an_alert(state=AlertState.COUNTDOWN, mode="auto", fires_at=NOON + seconds(10))

    text = shown(alert)

    assert "Backout rolls back by itself at <!date^" in text
    assert "12:00:10 UTC> unless somebody presses Stop. In mode `recommend` it would only ask." in text
    assert pressable(alert) == ["alert.stop", "alert.roll_back", "alert.not_the_canary", "alert.hold"]


def test_a_countdown_that_is_over_says_that_it_is_rolling_back() -> None:
    alert = an_alert(state=AlertState.COUNTDOWN, mode="auto", fires_at=NOON + seconds(10))

    assert "is rolling back by itself" not in shown(alert, now=NOON + seconds(9.9))
    assert "Backout is rolling back by itself." in shown(alert, now=NOON + seconds(10))


def announced_ahead(**more: Any) -> Alert:
    """Return an alert whose rollback is announced while the score is but nearly full."""
    facts = FACTS[AlarmKind.EARLY_WARNING] | {"level": "nearly", "kind": "early_warning"}
    return an_alert(
        AlarmKind.EARLY_WARNING,
        state=AlertState.COUNTDOWN,
        mode="auto",
        fires_at=NOON + seconds(10),
        facts=facts | {"trigger_percent": 92.6} | more,
    )


def test_a_countdown_ahead_of_the_score_says_how_full_it_is_and_that_it_has_to_be_full() -> None:
    alert = announced_ahead()

    text = shown(alert)

    assert "The score is 92 % full; it rolls back only if it is full by then." in text
    assert pressable(alert) == ["alert.stop", "alert.roll_back", "alert.not_the_canary", "alert.hold"]


def test_a_score_that_is_nearly_full_is_never_called_full() -> None:
    assert "The score is 99 % full" in shown(announced_ahead(trigger_percent=99.9))


def test_a_countdown_that_is_over_ahead_of_the_score_says_that_it_waits() -> None:
    text = shown(announced_ahead(), now=NOON + seconds(10))

    assert "Backout waits up to 20 s more" in text
    assert "is rolling back by itself" not in text


def test_once_it_is_sure_a_countdown_needs_no_if() -> None:
    assert "only if it is full" not in shown(announced_ahead(level="act", trigger_percent=100.0))


@pytest.mark.parametrize("state", [AlertState.TOLD, AlertState.OPEN])
def test_what_stable_shares_is_not_the_canarys_fault_and_offers_no_rollback(state: AlertState) -> None:
    alert = an_alert(AlarmKind.SHARED, state=state)

    text = shown(alert)

    assert "Not the canary's fault · canary: stable is just as bad" in text
    assert "It is not the canary's fault, so nothing is rolled back, in no mode" in text
    assert "Recommended" not in text
    assert pressable(alert) == ["alert.hold"]


def test_what_is_only_told_offers_no_rollback_either() -> None:
    alert = an_alert(state=AlertState.TOLD, mode="tell", not_by_itself=NotByItself.RULE_MODE.value)

    assert "In mode `tell` it only tells; nothing was changed." in shown(alert)
    assert pressable(alert) == ["alert.not_the_canary", "alert.hold"]


@pytest.mark.parametrize(
    ("state", "by", "said"),
    [
        (AlertState.ROLLED_BACK, SENA, "<@U0SENA> asked for the rollback, "),
        (AlertState.ROLLED_BACK, BACKOUT, "Backout asked for the rollback by itself, "),
        (AlertState.STOPPED, SENA, "<@U0SENA> stopped the automatic rollback, "),
        (AlertState.NOT_THE_CANARY, SENA, "<@U0SENA> says that it is not the canary, "),
        (AlertState.OVER, None, "Over since "),
    ],
)
def test_an_ended_alert_says_who_when_and_why(state: AlertState, by: Any, said: str) -> None:
    alert = an_alert(state=state, by=by, at=NOON + seconds(7), why="the database is down")

    text = shown(alert)

    assert said in text
    assert "12:00:07 UTC>" in text
    assert "Reason: the database is down" in text
    assert "!! " not in text


@pytest.mark.parametrize("state", [AlertState.ROLLED_BACK, AlertState.NOT_THE_CANARY, AlertState.OVER])
def test_an_ended_alert_has_no_buttons(state: AlertState) -> None:
    assert pressable(an_alert(state=state, by=SENA, at=NOON)) == []


def test_whoever_stopped_the_bot_can_still_roll_back() -> None:
    assert pressable(an_alert(state=AlertState.STOPPED, by=SENA, at=NOON)) == ["alert.roll_back"]


def test_later_alarms_of_other_kinds_are_added() -> None:
    later = FACTS[AlarmKind.CPU] | {"kind": "cpu", "at": (NOON + seconds(60)).isoformat()}

    text = shown(an_alert(also=(later,)))

    assert "Also, at <!date^" in text
    assert f"CPU of the canary `{CANARY}` is 96 % (Cloud Monitoring, 1 min 00 s old)" in text


def test_minutes_since_the_deployment_and_the_incident_stand_below() -> None:
    text = shown(an_alert())

    assert f"`{CANARY}` has 10 % of the traffic, `{STABLE}` the rest." in text
    assert "Deployed 12 min before. Incident INC-12." in text
    assert "Deployed" not in shown(replace(an_alert(), minutes=None))


def test_why_it_is_not_the_canary_must_be_said() -> None:
    modal = not_the_canary_modal("a1e57", EN, channel="C0CRITICAL")

    [asked] = [block for block in modal["blocks"] if block["type"] == "input"]
    assert asked["optional"] is False
    assert modal["private_metadata"] == "C0CRITICAL\na1e57"


def test_a_playbooks_own_verdict_heads_the_alert_in_its_language() -> None:
    title = alert_message(an_alert(), the_guide(), Words(locale="ko"), now=NOON).blocks[0]["text"]["text"]

    assert "위험" in title
