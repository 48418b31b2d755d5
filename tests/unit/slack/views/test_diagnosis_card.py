"""The card of a scenario: everything the guide says of it, in both languages, within Slack's limits."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.domain.checklist import Mark, StepState
from bot.domain.circumstances import Circumstances
from bot.domain.diagnosis import Given, Safety, cleared
from bot.domain.guide import Scenario
from bot.domain.ids import ChannelId
from bot.domain.incident import Incident, IncidentState
from bot.domain.playbook import Playbook
from bot.domain.readings import Metric
from bot.domain.rollback import Rollback, RollbackState
from bot.sandbox.slack.blocks import validate
from bot.slack.text import LOCALES, Words
from bot.slack.views.diagnosis_card import diagnosis_card
from bot.slack.views.rollback_message import Message, rollback_message
from bot.slack.views.safety import safety_modal
from tests.guide import SCENARIOS, a_scenario, in_scenario, the_guide
from tests.unit.slack.markup import all_texts, foreign_markup, mrkdwn_texts
from tests.values import (
    CANARY_TARGET,
    NOON,
    SENA,
    SICK,
    a_decided_rollback,
    a_plan,
    a_reading,
    a_rollback,
    an_incident,
    seconds,
)

EN, KO = Words(locale="en"), Words(locale="ko")


def shown(
    incident: Incident,
    words: Words = EN,
    *,
    playbook: Playbook | None = None,
    rollbacks: tuple[Rollback, ...] = (),
    after_minutes: float = 1,
    page: int = 1,
    **more: Any,
) -> Message:
    guide = playbook or the_guide()
    scenario = guide.scenario(incident.scenario)
    beside = Circumstances(
        now=NOON + timedelta(minutes=after_minutes),
        target=guide.targets.get(CANARY_TARGET),
        rollbacks=rollbacks,
        safety=safety_of(incident, scenario),
        **more,
    )
    return diagnosis_card(incident, guide, words, beside=beside, page=page)


def safety_of(incident: Incident, scenario: Scenario | None) -> Safety | None:
    if scenario is None or scenario.before_rollback is None:
        return None
    return Safety(
        incident=incident.number,
        question=scenario.before_rollback,
        cleared=cleared(scenario, incident.answers),
    )


def text_of(message: Message) -> str:
    return "\n".join(all_texts(message.blocks))


def controls(message: Message) -> dict[str, dict[str, Any]]:
    found = {}
    for block in message.blocks:
        for element in [*block.get("elements", []), block.get("accessory") or {}]:
            if "action_id" in element:
                found[element["action_id"]] = element
    return found


def answers(*pairs: tuple[str, str]) -> tuple[Given, ...]:
    return tuple(Given(question=q, answer=a, by=SENA, at=NOON) for q, a in pairs)


def every_state(key: str) -> Iterator[Incident]:
    """Yield the incident fresh, half way, done, and closed."""
    given = {
        "response_time": [("all_endpoints", "no"), ("resources_normal", "no")],
        "memory": [("every_instance", "yes"), ("since_when", "later")],
        "data_loss": [("migration", "yes")],
    }.get(key, [])
    done = Mark(state=StepState.DONE, by=SENA, at=NOON)
    undone = replace(done, state=StepState.TODO)
    keys = ["clock.restore.restore_backup", "clock.confirm.verify_integrity", "action.find_where"]
    for count in range(len(given) + 1):
        for marks in ({}, dict.fromkeys(keys, done), dict.fromkeys(keys, undone)):
            yield in_scenario(key, answers=answers(*given[:count]), marks=marks)
    yield in_scenario(key, answers=answers(*given), state=IncidentState.CLOSED, closed_at=NOON)


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("key", SCENARIOS)
def test_every_state_of_every_scenario_is_what_slack_takes(key: str, locale: str) -> None:
    for incident in every_state(key):
        for rollbacks in ((), (a_decided_rollback(),), (a_decided_rollback(RollbackState.VERIFIED),)):
            for minutes in (0, 3, 500):
                message = shown(
                    incident,
                    Words(locale=locale),
                    rollbacks=rollbacks,
                    after_minutes=minutes,
                    readings=SICK,
                    read_at=NOON,
                )
                assert validate(message.blocks, "message") == []
                assert all(text.strip() for text in all_texts(message.blocks))


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("key", SCENARIOS)
def test_everything_the_guide_says_of_a_scenario_stands_on_its_card(key: str, locale: str) -> None:
    scenario, words = a_scenario(key), Words(locale=locale)
    written = scenario.model_dump(exclude={"questions", "before_rollback"})

    text = text_of(shown(in_scenario(key), words))

    for line in texts_in(written, locale):
        assert words.safe(line) in text, line
    if scenario.questions:
        assert scenario.questions[0].ask.in_(locale) in text


def texts_in(written: Any, locale: str) -> Iterator[str]:
    if isinstance(written, dict):
        if set(written) == {"en", "ko"}:
            yield written[locale]
            return
        for part in written.values():
            yield from texts_in(part, locale)
    if isinstance(written, list | tuple):
        for part in written:
            yield from texts_in(part, locale)


def test_where_no_scenario_was_chosen_the_five_are_offered() -> None:
    found = controls(shown(an_incident()))

    assert [element["value"] for element in found.values()] == [f"12:{key}" for key in SCENARIOS]
    assert validate(shown(an_incident(), KO).blocks, "message") == []


def test_questions_are_asked_one_at_a_time() -> None:
    first = shown(in_scenario("response_time"))
    then = shown(in_scenario("response_time", answers=answers(("all_endpoints", "yes"))))

    assert "Are all endpoints slow?" in text_of(first)
    assert "Are memory and CPU normal?" not in text_of(first)
    assert "Are memory and CPU normal?" in text_of(then)
    assert "Infrastructure (memory/CPU/network)" in text_of(then)
    assert controls(then)["diagnosis.answer#no"]["value"] == "12:resources_normal:no::"


def test_an_answer_shows_who_gave_it_and_can_be_revised() -> None:
    card = shown(in_scenario("response_time", answers=answers(("all_endpoints", "yes"))))

    revise = controls(card)["diagnosis.revise#all_endpoints"]

    assert f"<@{SENA}>" in text_of(card)
    assert [o["value"] for o in revise["options"]] == ["12:all_endpoints:no:yes:"]


def test_what_the_answers_suggest_is_marked_and_so_is_what_the_guide_recommends() -> None:
    given = answers(("all_endpoints", "no"), ("resources_normal", "no"))
    text = text_of(shown(in_scenario("response_time", answers=given)))

    assert "*A: Roll back* :star: recommended\n" in text
    assert "*C: Add resources* :point_left: the answers suggest this" in text
    assert "3-1. *Probe that endpoint* :point_left:" in text
    assert "The answers suggest: *Probe that endpoint; Add resources*" in text


def test_the_table_of_options_is_the_guides() -> None:
    text = text_of(shown(in_scenario("response_time")))

    for line in (
        "Time: 2 min · Risk: low · Result: Normal at once",
        "Time: 1 min · Risk: low · Result: Partly better",
        "Time: 5 min · Risk: medium · Result: May get better",
        "Time: 30 min or more · Risk: high · Result: Dangerous",
    ):
        assert line in text


@pytest.mark.parametrize(
    ("key", "buttons"),
    [
        ("error_rate", ["look#action:detect", "roll_back#action:roll_back", "look#action:status"]),
        (
            "response_time",
            [
                "look#action:metrics", "look#action:slow_requests", "step#action.find_where",
                "look#action:probe_endpoint", "roll_back#option:roll_back", "option#option:hotfix",
            ],
        ),
        ("memory", ["roll_back#action:emergency_rollback", "look#action:status"]),
        ("data_loss", ["roll_back#clock:roll_back", "step#clock.confirm.verify_integrity"]),
        (
            "service_down",
            ["look#action:describe", "look#action:logs", "roll_back#action:roll_back", "look#action:health"],
        ),
    ],
)  # fmt: skip
def test_every_action_has_a_button_that_does_it(key: str, buttons: list[str]) -> None:
    found = controls(shown(in_scenario(key)))

    assert {f"diagnosis.{button}" for button in buttons} <= set(found)


def test_guarded_changes_notices_and_pages_have_their_buttons() -> None:
    slow, loss = controls(shown(in_scenario("response_time"))), controls(shown(in_scenario("data_loss")))
    memory = controls(shown(in_scenario("memory")))

    assert (slow["change.reduce_traffic"]["value"], slow["change.add_resources"]["value"]) == ("12", "12")
    assert loss["tell.open"]["value"] == "12:data_loss"
    assert memory["link.open#action:memory_dump"]["url"].startswith(
        "https://console.cloud.google.com/profiler/ion-api"
    )


def test_force_asks_for_a_confirmation_and_the_ordinary_rollback_has_a_card_for_it() -> None:
    forced = controls(shown(in_scenario("memory")))["diagnosis.roll_back#action:emergency_rollback"]
    ordinary = controls(shown(in_scenario("error_rate")))["diagnosis.roll_back#action:roll_back"]

    assert (forced["value"], forced["style"], forced["confirm"]["style"]) == ("12:force:", "danger", "danger")
    assert (ordinary["value"], "confirm" in ordinary) == ("12:ask:", False)


def test_the_question_before_a_rollback_is_put_first_and_its_answer_can_hold_it_back() -> None:
    fresh = shown(in_scenario("data_loss"))
    held = shown(in_scenario("data_loss", answers=answers(("migration", "yes"))))
    button = controls(held)["diagnosis.roll_back#clock:roll_back"]

    assert "Does a database migration of this deployment make the old code unsafe?" in text_of(fresh)
    assert controls(fresh)["diagnosis.answer#not_known"]["value"] == "12:migration:not_known::"
    assert "The old code could damage the data further" in text_of(held)
    assert button["value"] == "12:force:all_the_same"
    assert button["text"]["text"] == "Roll back all the same"
    assert "Stop writes" in button["confirm"]["text"]["text"]


def test_a_closed_incident_has_nothing_to_press() -> None:
    for key in (*SCENARIOS, None):
        closed = in_scenario(key or "", scenario=key, state=IncidentState.CLOSED)
        assert controls(shown(closed)) == {}


def test_overdue_steps_are_marked_and_done_ones_say_who_did_them() -> None:
    marks = {"clock.restore.restore_backup": Mark(state=StepState.DONE, by=SENA, at=NOON)}
    card = shown(in_scenario("data_loss", marks=marks), after_minutes=3)
    text = text_of(card)

    assert ":red_circle: `01:00` *Start data recovery*" in text
    assert "2 min 00 s late" in text
    assert ":white_circle: `04:00` *Confirm complete recovery*" in text
    assert f"done by <@{SENA}>" in text
    assert controls(card)["diagnosis.step#clock.restore.restore_backup"]["value"].endswith(":no")


def test_recovery_is_counted_down_and_asks_to_escalate_when_it_is_over() -> None:
    requested = (a_decided_rollback(RollbackState.APPLIED),)

    before = text_of(shown(in_scenario("error_rate")))
    during = text_of(shown(in_scenario("error_rate"), rollbacks=requested, after_minutes=2))
    over = text_of(shown(in_scenario("error_rate"), rollbacks=requested, after_minutes=6))

    assert "Expected recovery: 2–3 minutes, counted from the rollback." in before
    assert "*1 min 10 s* left" in during
    assert "It should have recovered 2 min 50 s ago: *escalate*" in over
    assert "Expected recovery: 2–4 hours (Depends on the size of the backup)" in text_of(
        shown(in_scenario("data_loss"))
    )


def test_the_rules_that_apply_are_shown_with_their_numbers() -> None:
    readings = (a_reading(Metric.ERROR_RATE, 5.0, errors=10), a_reading(Metric.MEMORY, 97.0))

    text = text_of(shown(in_scenario("memory"), readings=readings, read_at=NOON))

    assert "Memory explosion → *Crisis*: *Roll back at once*" in text
    assert "*97 %*" in text
    assert "Error rate &gt; 1 % (once) → *Caution*: *Watch more closely*" in text
    assert "*5.00 %* (10 of 200 requests" in text


def hostile(text: str) -> Playbook:
    """Return the guide with `text` wherever a person may write one, as long as the playbook lets them."""

    def everywhere(part: Any) -> Any:
        if isinstance(part, dict):
            if set(part) == {"en", "ko"}:
                return dict.fromkeys(part, text[:75])
            return {key: everywhere(value) for key, value in part.items()}
        return [everywhere(one) for one in part] if isinstance(part, list) else part

    written = the_guide().model_dump(mode="json", by_alias=True)
    written["scenarios"], written["rules"] = everywhere(written["scenarios"]), everywhere(written["rules"])
    return Playbook.model_validate(written)


@pytest.mark.parametrize(
    "payload", ["<!channel>", "<@U0VICTIM>", "<https://evil.example|x>", "&lt;!here>", "`<!here>`"]
)
def test_no_text_of_a_playbook_can_ring_or_link(payload: str) -> None:
    playbook = hostile(payload)
    for key in (*SCENARIOS, None):
        for incident in every_state(key or "error_rate"):
            message = shown(replace(incident, scenario=key), playbook=playbook)
            for text in mrkdwn_texts(message.blocks):
                assert foreign_markup(text, known=frozenset({SENA})) == []


def long_one(count: int, text: str = "&") -> Playbook:
    """Return a guide whose scenario 2 has `count` of everything, each with the longest texts there may be."""
    written = the_guide().model_dump(mode="json", by_alias=True)
    slow = written["scenarios"][1]
    long, short = {"en": text * 1000, "ko": text * 1000}, {"en": text * 75, "ko": text * 75}
    slow["actions"] = [
        {"key": f"a{n}", "title": short, "note": long, "details": [long] * 3, "does": "status"}
        for n in range(count)
    ]
    slow["options"] = [
        {"key": f"o{n}", "title": short, "minutes": 1, "risk": "low", "result": long} for n in range(count)
    ]
    slow["questions"] = []
    slow["follow_ups"] = [{"key": f"f{n}", "title": long} for n in range(count)]
    written["scenarios"] += [
        {**slow, "key": f"s{n}", "number": 10 + n, "actions": slow["actions"][:1], "options": []}
        for n in range(count)
    ]
    return Playbook.model_validate(written)


@pytest.mark.parametrize(("count", "text"), [(30, "x"), (40, "&")])
def test_what_is_longer_than_a_message_is_on_further_pages_and_nothing_is_left_out(
    count: int, text: str
) -> None:
    playbook, incident = long_one(count, text), in_scenario("response_time")

    pages: list[Message] = []
    while not pages or f"diagnosis.page#{len(pages) + 1}" in controls(pages[-1]):
        pages.append(shown(incident, playbook=playbook, page=len(pages) + 1))

    assert len(pages) > 2
    found = {id for page in pages for id in controls(page)}
    assert {f"diagnosis.look#action:a{n}" for n in range(count)} <= found
    assert {f"diagnosis.option#option:o{n}" for n in range(count)} <= found
    for page in pages:
        assert validate(page.blocks, "message") == []
        assert all(len(shown_text) < 3000 for shown_text in mrkdwn_texts(page.blocks))
    everything = "".join(text_of(page) for page in pages)
    assert everything.count(text if text == "x" else "&amp;") >= count * (75 + 4000 + 75 + 1000 + 1000)


def test_forty_scenarios_are_offered_too() -> None:
    message = shown(an_incident(), playbook=long_one(40, "y"))

    assert validate(message.blocks, "message") == []
    assert len([id for id in controls(message) if id.startswith("diagnosis.scenario#")]) == 45


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("forced", [True, False])
def test_the_question_before_a_rollback_is_a_modal_slack_takes(locale: str, forced: bool) -> None:
    safety = safety_of(in_scenario("data_loss"), a_scenario("data_loss"))
    assert safety is not None

    modal = safety_modal(safety, Words(locale=locale), forced=forced, channel=ChannelId("C0CRITICAL"))

    assert validate(modal, "modal") == []
    assert modal["private_metadata"] == f"12:migration:{'force' if forced else 'roll_back'}:C0CRITICAL"


def test_the_rollback_card_holds_back_until_the_question_is_answered() -> None:
    rollback = a_rollback(plan=a_plan(), before=SICK)

    def card(*given: tuple[str, str]) -> Message:
        safety = safety_of(in_scenario("data_loss", answers=answers(*given)), a_scenario("data_loss"))
        return rollback_message(rollback, the_guide(), EN, now=NOON + seconds(1), safety=safety)

    fresh, held, cleared_one = card(), card(("migration", "not_known")), card(("migration", "no"))

    assert "rollback.go" not in controls(fresh)
    assert controls(fresh)["diagnosis.answer#no"]["value"] == "12:migration:no::f00d"
    assert "rollback.go" not in controls(held)
    assert controls(held)["rollback.all_the_same"]["value"] == "f00d"
    assert "rollback.go" in controls(cleared_one)
    for message in (fresh, held, cleared_one):
        assert validate(message.blocks, "message") == []
        assert "Error rate &gt; 1 % (once) → *Caution*" in text_of(message)
