"""What timelines and single people are told of watches, alarms and automatics."""

from dataclasses import replace
from typing import Any

import pytest

from bot.domain.bad_input import BadEntry
from bot.domain.ids import PersonId
from bot.domain.incident import IncidentState
from bot.domain.plausible import Ignored
from bot.domain.timeline import Event
from bot.slack.text import LOCALES, PLAIN, Words
from bot.slack.views.automatics_views import automatics_message, back_test_message
from bot.slack.views.bad_input_words import bad_input_kind, bad_input_text
from bot.slack.views.board import board
from bot.slack.views.notices import notice_message
from bot.slack.views.plain_text import as_plain_text
from bot.slack.views.timeline import sentence
from tests.guide import the_guide
from tests.unit.slack.views.watch_views import BACKOUT, FACTS, a_back_test, minutes
from tests.values import CANARY, NOON, SENA, STABLE, a_chain, a_playbook, an_incident, seconds

WORDS = Words(locale="en", style=PLAIN)


def told(event: Event, facts: dict[str, Any], *, by: str = BACKOUT) -> str:
    """Return an event as a sentence."""
    entry = replace(a_chain(facts, event=event)[0], actor=by, at=NOON)
    return sentence(entry, WORDS)


FLAG = {
    "metric": "error_rate", "side": "canary", "colour": "red", "why": None, "value": 12.5, "sample": 200,
    "errors": 25, "source": "request_log", "until": (NOON - seconds(5)).isoformat(), "problem": None,
}  # fmt: skip
ALERT = {"alert": "canary-3-1", "kind": "early_warning", "canary": CANARY, "stable": STABLE}


@pytest.mark.parametrize("locale", LOCALES)
def test_every_kind_of_bad_input_has_a_name_of_its_own(locale: str) -> None:
    kinds = [*Ignored, *BadEntry]

    names = {bad_input_text(bad_input_kind(kind.value), Words(locale=locale)) for kind in kinds}

    assert len(names) == len(kinds)


@pytest.mark.parametrize(
    ("event", "facts", "by", "said"),
    [
        (
            Event.WATCH_BEGUN,
            {"canary": CANARY, "stable": STABLE, "percent": 10},
            BACKOUT,
            f"Backout began to watch {CANARY} (10 % of the traffic), compared with {STABLE}",
        ),
        (
            Event.WATCH_CHANGED,
            {"what": "percent", "before": 10, "percent": 25},
            BACKOUT,
            "The canary's share of the traffic: 10 % → *25 %*",
        ),
        (
            Event.WATCH_CHANGED,
            {"what": "closely", "kind": "error_rate_once", "until": NOON.isoformat(), "minutes": 10.0},
            BACKOUT,
            "Watched more closely until 12:00:00 UTC (the error rate is red)",
        ),
        (
            Event.WATCH_CHANGED,
            {"what": "afterwards", "canary": CANARY, "minutes": 15.0, "rollback": "f00d"},
            BACKOUT,
            f"{CANARY} is being rolled back: stable is watched for 15 min",
        ),
        (
            Event.WATCH_CHANGED,
            {"what": "clock_back", "seconds": 90},
            BACKOUT,
            "The clock was put back by 1 min 30 s: minutes may be missing",
        ),
        (
            Event.WATCH_CHANGED,
            {"what": "ignored", "kind": "negative", "count": 3, "source": "monitoring", "example": ""},
            BACKOUT,
            "Bad input is left out and not judged: below zero, 3 × (Cloud Monitoring)",
        ),
        (
            Event.WATCH_CHANGED,
            {
                "what": "ignored",
                "kind": "impossible_entries",
                "count": 1,
                "source": "request_log",
                "example": "an entry of ion-api has no time",
            },
            BACKOUT,
            "Bad input is left out and not judged: entries with a time or latency that cannot be, 1 × "
            "(request log), such as: an entry of ion-api has no time",
        ),
        (
            Event.WATCH_CHECK,
            {"canary": CANARY, "percent": 10, "afterwards": False, "flags": [FLAG]},
            BACKOUT,
            f"The guide's check, {CANARY} at 10 %: :red_circle: red · Error rate, canary: 12.50 % (25 of 200 "
            "requests, request log, 5 s old)",
        ),
        (
            Event.WATCH_CHECK,
            {"canary": CANARY, "percent": 0, "afterwards": True, "flags": []},
            BACKOUT,
            "The guide's check after the rollback: no numbers",
        ),
        (
            Event.WATCH_SOURCE,
            {"source": "request_log", "well": False, "problem": "403 denied"},
            BACKOUT,
            "Request log: cannot be read: 403 denied",
        ),
        (
            Event.WATCH_SOURCE,
            {"source": "probe", "well": True, "seconds": 125},
            BACKOUT,
            "Probe: can be read again, after 2 min 05 s",
        ),
        (
            Event.WATCH_ENDED,
            {"why": "by_a_person", "canary": CANARY, "minutes": 61.5, "alerts": 2},
            SENA,
            f"The watch of {CANARY} has ended after 1 h 01 min, alerts: 2: U0SENA stopped it.",
        ),
        (
            Event.ALARM_RAISED,
            FACTS["cpu"] | {"kind": "cpu", "level": "tell", "revision": CANARY},  # type: ignore[index]
            BACKOUT,
            f"Backout saw: CPU of the canary {CANARY} is 96 % (Cloud Monitoring, 0 s old), above 90 % in 3 "
            "readings in a row. It is told, and nothing more.",
        ),
        (
            Event.ALERT_ANSWERED,
            ALERT | {"reply": "not_the_canary", "why": "the database"},
            SENA,
            "U0SENA answered the alert: it is not the canary: the database",
        ),
        (
            Event.AUTOMATIC_ANNOUNCED,
            ALERT | {"fires_at": NOON.isoformat(), "stop_seconds": 10, "if_full": True},
            BACKOUT,
            f"Backout announced that it rolls back {CANARY} by itself at 12:00:00 UTC if the score is full "
            "by then (more errors than allowed); anybody can stop it",
        ),
        (
            Event.AUTOMATIC_ANNOUNCED,
            ALERT | {"fires_at": NOON.isoformat(), "stop_seconds": 10},
            BACKOUT,
            f"Backout announced that it rolls back {CANARY} by itself at 12:00:00 UTC (more errors than "
            "allowed); "
            "anybody can stop it",
        ),
        (
            Event.AUTOMATIC_STOPPED,
            {"alert": "canary-3-1", "why": "not_confirmed", "detail": ""},
            BACKOUT,
            "Backout did not roll back by itself, because this is sure enough to recommend it, not to act",
        ),
        (
            Event.AUTOMATIC_STOPPED,
            {"alert": "canary-3-1", "reply": "stop", "why": "person"},
            SENA,
            "U0SENA stopped the automatic rollback",
        ),
        (
            Event.AUTOMATIC_FIRED,
            ALERT | {"rollback": "f00d"},
            BACKOUT,
            f"Nobody stopped it: Backout rolls back by itself, {CANARY} → {STABLE} (more errors than "
            "allowed)",
        ),
        (
            Event.AUTOMATICS_HELD,
            {"target": "canary", "until": NOON.isoformat()},
            SENA,
            "U0SENA put the automatics of canary on hold until 12:00:00 UTC",
        ),
        (
            Event.AUTOMATICS_ARMED,
            {"target": "canary", "why": ""},
            SENA,
            "U0SENA armed the automatics of canary: Backout may roll it back by itself, once",
        ),
        (
            Event.AUTOMATICS_OFF,
            {"target": "canary", "why": "fired"},
            BACKOUT,
            "The automatics of canary are off: it has rolled back once",
        ),
        (
            Event.INCIDENT_JOINED,
            {"watched": True, "target": "canary"},
            BACKOUT,
            "Backout sees trouble with this target as well, and adds it here",
        ),
        (Event.INCIDENT_JOINED, {}, SENA, "U0SENA joined this incident with another rollback"),
    ],
)
def test_the_timeline_tells_it(event: Event, facts: dict[str, Any], by: str, said: str) -> None:
    assert told(event, facts, by=by) == said


def test_an_incident_that_the_watch_opened_tells_before_and_now_and_how_long_after_the_deployment() -> None:
    facts = {
        "watched": True, "seen": "error rate 0.2 % → 5.1 %", "severity": "high", "minutes": 12.4,
        "scenario_name": {"en": "Error rate jumps", "ko": "에러율 급증"},
        "before": {"error_rate": 0.2, "p95": 150.0}, "now": {"error_rate": 5.1, "p95": 160.0, "cpu": 30.0},
    }  # fmt: skip

    assert told(Event.INCIDENT_OPENED, facts) == (
        "Incident opened by Backout 12 min after the deployment, severity High, scenario Error rate jumps. "
        "Backout saw: Error rate 0.20 % → 5.10 %, P95 response time 150 ms → 160 ms, CPU 30 %"
    )


def test_an_incident_that_a_rollback_opened_reads_as_before() -> None:
    assert told(Event.INCIDENT_OPENED, {"target": "canary"}, by=SENA) == "Incident opened by U0SENA"


def test_the_board_of_an_incident_that_the_watch_opened_says_what_it_saw() -> None:
    opened = an_incident(
        opened_by=BACKOUT, seen="error rate 0.2 % → 5.1 %", deployed_at=NOON - minutes(12), opened_at=NOON
    )

    def texts(**more: Any) -> str:
        incident = replace(opened, **more)
        return as_plain_text(board(incident, [], Words(locale="en"), now=NOON, playbook=a_playbook()))

    assert "Backout saw*, 12 min after the deployment: error rate 0.2 % → 5.1 %" in texts() or (
        "Backout saw, 12 min after the deployment: error rate 0.2 % → 5.1 %" in texts()
    )
    assert "by Backout" in texts()
    assert "Backout saw" in texts(deployed_at=None)
    assert "Backout saw" not in texts(opened_by=SENA)
    assert "Backout saw" not in texts(state=IncidentState.CLOSED, closed_at=NOON)


def test_backout_is_called_by_its_name_in_every_medium() -> None:
    assert Words(locale="en").person("backout") == WORDS.person("backout") == "Backout"


def notice(facts: dict[str, Any]) -> str:
    """Return a notice, two minutes after noon."""
    return notice_message(facts, WORDS, now=NOON + minutes(2)).text


WATCHED = {
    "target": "canary", "number": 3, "canary": CANARY, "stable": STABLE, "percent": 10, "by": SENA,
    "at": NOON.isoformat(),
}  # fmt: skip


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        (WATCHED | {"what": "watch_begun"}, f"canary is watched now: {CANARY} with 10 % of the traffic"),
        (WATCHED | {"what": "watched_already"}, "U0SENA began it 2 min 00 s ago. Nothing was changed."),
        (WATCHED | {"what": "watch_ended"}, "canary is not watched any more"),
        (
            WATCHED | {"what": "not_watched"},
            f"The last watch, of {CANARY}, ended at 2026-03-02 12:00:00 UTC.",
        ),
        ({"what": "not_watched", "target": "canary"}, "Nothing of canary is being watched"),
        (
            {"what": "no_canary", "target": "canary", "why": "fault", "detail": "403"},
            "Cloud Run could not be read, so canary is not watched: 403",
        ),
        (
            {"what": "no_canary", "target": "canary", "why": "canary_has_everything", "detail": CANARY},
            f"{CANARY} has all of the traffic of canary: there is nothing to compare it with",
        ),
        (
            {"what": "no_canary", "target": "canary", "why": "no_split", "detail": STABLE},
            "canary has no canary with traffic, so there is nothing to watch.",
        ),
        (
            {"what": "alert_answered", "target": "canary", "reply": "stop", "automatics_off": True},
            "Stopped: canary is not rolled back by itself, and its automatics are off",
        ),
        (
            {"what": "alert_answered", "target": "canary", "reply": "hold", "until": NOON.isoformat()},
            "The automatics of canary wait until 12:00:00 UTC.",
        ),
        (
            {
                "what": "alert_decided",
                "target": "canary",
                "state": "stopped",
                "by": SENA,
                "at": NOON.isoformat(),
            },
            "This alert is settled: stopped. Nothing was done twice. U0SENA was faster, 2 min 00 s ago.",
        ),
        (
            {"what": "alert_decided", "target": "canary", "state": "over", "by": None, "at": None},
            "This alert is settled: over. Nothing was done twice.",
        ),
    ],
)
def test_whoever_asked_or_pressed_is_told(facts: dict[str, Any], said: str) -> None:
    assert said in notice(facts)


def test_the_back_test_says_how_often_when_and_by_which_rule_it_would_have_fired() -> None:
    text = as_plain_text(back_test_message(a_back_test(), the_guide(), Words(locale="en"), now=NOON))

    assert "Back-test: it would have fired 0 times in the last 7 days, over 411 minutes with a canary" in text
    assert "With every rule in mode `auto`: once." in text
    assert "• <!date^" in text
    assert f"mode `recommend`: The canary `{CANARY}` has produced 13 more errors" in text
    assert "What arming means" in text
    assert "At most 1 an hour and 2 a day." in text


def armed_buttons(facts: dict[str, Any]) -> list[str]:
    message = back_test_message(facts, the_guide(), Words(locale="en"), now=NOON)
    return [element["action_id"] for element in message.blocks[-1]["elements"]]


def test_arming_is_a_second_step_with_a_question() -> None:
    message = back_test_message(a_back_test(), the_guide(), Words(locale="en"), now=NOON)

    [arm] = message.blocks[-1]["elements"]
    assert (arm["action_id"], arm["value"], arm["style"]) == ("automatics.arm", "canary", "danger")
    assert arm["confirm"]["title"]["text"] == "Arm canary?"


def test_what_is_armed_can_be_disarmed() -> None:
    assert armed_buttons(a_back_test(armed=True, by=SENA)) == ["automatics.disarm"]


def test_a_back_test_on_nothing_or_on_part_of_it_says_so() -> None:
    nothing = a_back_test(minutes=0, canaries=0, would_count=0, times=[])

    text = as_plain_text(back_test_message(nothing, the_guide(), Words(locale="en"), now=NOON))
    part = as_plain_text(back_test_message(a_back_test("429"), the_guide(), Words(locale="en"), now=NOON))

    assert "There was no minute with a canary to test it on: this says nothing." in text
    assert "Not all of it could be read, so it may have fired more often: 429" in part
    assert "Not all of it" not in text


def test_the_canary_of_the_moment_may_stay_untouched_all_the_same() -> None:
    facts = a_back_test(canary=CANARY, not_by_itself="person_said_no")

    text = as_plain_text(back_test_message(facts, the_guide(), Words(locale="en"), now=NOON))

    assert f"`{CANARY}`, would not be rolled back by itself all the same, because a person has said" in text


@pytest.mark.parametrize(("changed", "said"), [(True, False), (False, True)])
def test_switching_what_is_so_already_says_that_nothing_was_changed(changed: bool, said: bool) -> None:
    facts = a_back_test(armed=True, by=PersonId(SENA), at=NOON.isoformat(), changed=changed)

    text = as_plain_text(automatics_message(facts, the_guide(), Words(locale="en"), now=NOON))

    assert ("Nothing was changed." in text) is said
    assert "Automatic rollback: armed by <@U0SENA>" in text
