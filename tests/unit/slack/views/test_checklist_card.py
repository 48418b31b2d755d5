"""The checklist's card, modals, lines and notices: within Slack's limits, in both languages."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from bot.domain.checklist import Assigned, Mark, StepState
from bot.domain.flags import flags
from bot.domain.guide import Sees
from bot.domain.ids import IncidentNumber, PersonId
from bot.domain.incident import Incident, IncidentState
from bot.domain.observed import Observed, all_green, errors_dropped, observed
from bot.domain.playbook import Playbook
from bot.domain.readings import Metric, Side
from bot.domain.rollback import Proof, Verdict
from bot.domain.steps import cards, marked_by_machine, marked_by_person, step_of
from bot.domain.timeline import BACKOUT, Event
from bot.sandbox.slack.blocks import validate
from bot.slack.text import LOCALES, MARKDOWN, PLAIN, Words
from bot.slack.views.checklist_card import (
    StepChoice,
    StepPress,
    checklist_card,
    checklist_lines,
    read_press,
)
from bot.slack.views.notices import notice_message
from bot.slack.views.plain_text import as_plain_text
from bot.slack.views.step_modals import LONGEST_WHY, assign_modal, read_metadata, why_modal
from bot.slack.views.step_words import seen_words
from bot.slack.views.timeline import entry_line, log_message
from bot.usecases.tick_checklist import seen_in_evidence, step_facts
from tests.checklists import GUIDE, a_phase, a_playbook_with, a_step, minutes
from tests.unit.slack.markup import all_texts, foreign_markup, mrkdwn_texts
from tests.values import (
    GITCO,
    NOON,
    SENA,
    a_chain,
    a_playbook,
    a_reading,
    an_incident,
    counts,
    evidence,
    seconds,
)

LATER = NOON + minutes(3)
HOSTILE = "<!channel> <https://evil.example|x> & `code` *bold*"
#: A key and a number as long as they can be.
LONGEST_KEY = "k" * 40
MANY = a_playbook_with(
    *[a_phase(f"p{p}", p, p + 1, *[a_step(f"s{p}_{n}") for n in range(9)]) for p in range(8)]
)


def seen(ok: bool = True, name: str = "ion-api") -> list[Observed]:
    """Return one observation of everything the bot can see."""
    verdict = Verdict.PROVEN if ok else Verdict.DISPROVEN
    proofs = [evidence(p, verdict) for p in (Proof.TRAFFIC, Proof.ERROR_RATE, Proof.P95)]
    before = [counts(requests=900), counts(Side.CANARY, requests=100, errors=50)]
    drop = errors_dropped(before, [counts(requests=1000, errors=0 if ok else 60)])
    value = 0.1 if ok else 12.0
    green = all_green(
        flags(
            [a_reading(m, value, Side.STABLE) for m in Metric] if ok else [a_reading(value=value)],
            a_playbook().thresholds,
            now=NOON + seconds(1),
        )
    )
    assert drop is not None
    assert green is not None
    at = NOON.isoformat()
    executed = {"service": name, "stable": name} if ok else {"outcome": "failed"}
    return [
        *seen_in_evidence(proofs),
        drop,
        green,
        observed(Sees.ROLLBACK_DECIDED, ok=ok, by=SENA, canary=name, stable=name),
        observed(Sees.TEAM_ALERTED, ok=ok, channel="C0CRITICAL", at=at, edition=1),
        observed(Sees.ROLLBACK_EXECUTED, ok=ok, **executed),
        observed(Sees.RECORDED, ok=ok, channel="C0CRITICAL", at=at, edition=3),
        observed(Sees.POST_MORTEM, ok=ok, starts_at=at, by=SENA),
    ]


def mark_of(one: Observed) -> Mark:
    """Return the bot's mark."""
    mark = marked_by_machine(None, ok=one.ok, facts=one.facts, at=NOON)
    assert mark is not None
    return mark


def overridden(one: Observed, why: str) -> Mark:
    """Return a person's mark over the bot's."""
    mark = marked_by_person(
        mark_of(one), StepState.SKIPPED, by=GITCO, at=NOON + seconds(5), why=why, seen=None
    )
    assert isinstance(mark, Mark)
    return mark


def incidents(hostile: str = HOSTILE, playbook: Playbook = GUIDE) -> Iterator[tuple[str, Incident]]:
    """Yield incidents with marks of every kind at every step."""
    everything = {one.sees: one for one in seen(name=hostile)}
    keys = [step.key for step in playbook.steps()]
    yield "before the decision", an_incident()
    base = an_incident(decided_at=NOON, commander=SENA)
    yield "just decided", base
    for state in StepState:
        mark = Mark(state=state, by=GITCO, at=NOON, why=hostile[:LONGEST_WHY])
        yield f"all {state}", replace(base, marks=dict.fromkeys(keys, mark))
    for ok in (True, False):
        by_sees = {one.sees: mark_of(one) for one in seen(ok, hostile)}
        ticked = {s.key: by_sees[s.sees] for s in playbook.steps() if s.sees in by_sees}
        yield f"seen {ok}", replace(base, marks=ticked)
    over = {s.key: overridden(everything[s.sees], hostile[:LONGEST_WHY]) for s in playbook.steps() if s.sees}
    yield "overridden", replace(base, marks=over)
    given = Assigned(owner=PersonId("cli:" + hostile[:50]), by=SENA, at=NOON)
    yield "assigned", replace(base, assigned=dict.fromkeys(keys, given), commander=None)
    yield "closed", replace(base, state=IncidentState.CLOSED, marks=over)


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("playbook", [GUIDE, MANY], ids=["guide", "long"])
@pytest.mark.parametrize("text", [HOSTILE, "<" * LONGEST_WHY, "plain"])
def test_every_card_is_valid_block_kit_and_rings_nobody_else(
    locale: str, playbook: Playbook, text: str
) -> None:
    words = Words(locale=locale)

    for title, incident in incidents(text, playbook):
        for place in range(1, len(cards(playbook.checklist)) + 1):
            card = checklist_card(incident, playbook, words, now=LATER, place=place)
            assert validate(card.blocks, "message") == [], title
            for shown in (card.text, *mrkdwn_texts(card.blocks)):
                foreign = foreign_markup(shown, known=frozenset({SENA, GITCO}))
                assert [f for f in foreign if not f.startswith("https://console.example.com/")] == [], title


@pytest.mark.parametrize("playbook", [GUIDE, MANY], ids=["guide", "long"])
def test_every_step_is_on_exactly_one_card(playbook: Playbook) -> None:
    incident = an_incident(decided_at=NOON)
    words = Words(locale="en")
    dealt = len(cards(playbook.checklist))

    shown = [
        text
        for place in range(1, dealt + 1)
        for text in mrkdwn_texts(checklist_card(incident, playbook, words, now=LATER, place=place).blocks)
    ]

    for step in playbook.steps():
        assert sum(f"*{step.title.en}*" in text for text in shown) == 1


def test_a_team_with_long_names_of_its_own_still_gets_its_card() -> None:
    long = {"en": "&" * 1000, "ko": "가" * 1000}
    playbook = a_playbook_with(
        a_phase("one", 0, 1, *[{"key": f"s{n}", "title": long} for n in range(20)]), links={}
    )

    for locale in LOCALES:
        card = checklist_card(an_incident(decided_at=NOON), playbook, Words(locale=locale), now=LATER)
        assert validate(card.blocks, "message") == []


def test_an_open_step_shows_owner_and_link_and_the_phase_its_time() -> None:
    incident = an_incident(decided_at=NOON, roles={"backend": GITCO}, commander=SENA)

    shown = "\n".join(mrkdwn_texts(checklist_card(incident, GUIDE, Words(locale="en"), now=LATER).blocks))

    assert "*2 · Phase confirm* (1–2 min) · :alarm_clock: overdue by 1 min 00 s" in shown
    assert "*3 · Phase verify* (2–5 min) · due in 2 min 00 s" in shown
    assert ":white_large_square: *Step users_report*\nFor <@U0GITCO>, by role" in shown
    assert "<https://console.example.com/us-central1/ion-api?canary=ion-api&amp;project=|Console>" in shown
    assert "0 of 12 steps settled, 6 overdue." in shown


def test_a_machines_mark_shows_number_limit_sample_source_and_age() -> None:
    marks = {"error_rate": mark_of(next(one for one in seen() if one.sees is Sees.ERROR_RATE))}
    incident = an_incident(decided_at=NOON, marks=marks)

    shown = "\n".join(mrkdwn_texts(checklist_card(incident, GUIDE, Words(locale="en"), now=LATER).blocks))

    assert "0.10 %, must be under 0.5 %, 200 requests (request log, 2 min 40 s old)" in shown


def test_what_the_bot_saw_is_shown_beside_a_persons_word() -> None:
    one = next(one for one in seen() if one.sees is Sees.P95)
    incident = an_incident(decided_at=NOON, marks={"response_time": overridden(one, "it is slow for me")})

    shown = "\n".join(mrkdwn_texts(checklist_card(incident, GUIDE, Words(locale="en"), now=LATER).blocks))

    assert "*skipped*: <@U0GITCO>" in shown
    assert "because: it is slow for me" in shown
    assert "Backout saw it done at" in shown
    assert "80 ms, must be under 200 ms, 200 requests" in shown


def test_a_closed_incident_offers_no_controls() -> None:
    closed = an_incident(decided_at=NOON, state=IncidentState.CLOSED)

    card = checklist_card(closed, GUIDE, Words(locale="en"), now=LATER)

    assert not any(block["type"] == "actions" or "accessory" in block for block in card.blocks)


def test_without_a_checklist_the_card_says_so() -> None:
    card = checklist_card(an_incident(), a_playbook(), Words(locale="en"), now=LATER)

    assert validate(card.blocks, "message") == []
    assert "has no checklist" in "\n".join(mrkdwn_texts(card.blocks))


@pytest.mark.parametrize("choice", list(StepChoice))
def test_a_press_is_read_back_as_it_was_written_and_fits_into_an_option(choice: StepChoice) -> None:
    press = StepPress(choice=choice, incident=IncidentNumber(999_999), step=LONGEST_KEY, seen="1772452800123")

    assert read_press(press.value()) == press
    assert len(press.value()) <= 75
    assert read_metadata(f"{press.value()}:C0CRITICAL") == (press, "C0CRITICAL")


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("text", [HOSTILE, "<" * LONGEST_WHY])
def test_every_modal_is_valid_block_kit_and_rings_nobody(locale: str, text: str) -> None:
    words = Words(locale=locale)
    for title, incident in incidents(text):
        step = step_of(incident, GUIDE, "error_rate")
        assert step is not None
        for choice in StepChoice:
            press = StepPress(choice=choice, incident=incident.number, step=step.key, seen="0")
            asked = why_modal(press, step, words, channel="C0CRITICAL", now=LATER)
            given = assign_modal(press, step, words, channel="C0CRITICAL")
            for modal in (asked, given):
                assert validate(modal, "modal") == [], title
                for shown in mrkdwn_texts(modal):
                    assert foreign_markup(shown, known=frozenset({SENA, GITCO})) == []


def entries(hostile: str) -> Iterator[tuple[Event, dict[str, Any]]]:
    """Yield the facts of every line about steps."""
    about = step_facts(GUIDE.steps()[0]) | {"titles": {"en": hostile, "ko": hostile}}
    for state in ("done", "skipped", "not_ok"):
        for overrides in (True, False):
            marked = {"state": state, "why": hostile, "before": "not_ok", "overrides": overrides}
            yield Event.STEP_MARKED, about | marked
            yield Event.STEP_UNDONE, about | marked | {"state": "todo", "why": ""}
    yield Event.STEP_ASSIGNED, about | {"owner": GITCO}
    for ok in (True, False):
        for one in seen(ok, hostile):
            facts = about | {"ok": ok, "facts": dict(one.facts)}
            yield Event.STEP_SEEN, facts
            yield Event.STEP_SEEN, facts | {"stays": "skipped", "whose": GITCO}
    for whom in ("owner", "commander"):
        for owner in (None, GITCO, SENA):
            reminded = {"person": SENA, "whom": whom, "owner": owner, "due_at": NOON.isoformat()}
            yield Event.STEP_REMINDED, about | reminded


@pytest.mark.parametrize("locale", LOCALES)
def test_every_line_about_a_step_reads_well_in_every_medium(locale: str) -> None:
    for event, facts in entries(HOSTILE):
        entry = replace(a_chain(facts, event=event)[0], actor=GITCO)
        message = log_message([entry], Words(locale=locale))
        assert validate(message.blocks, "message") == []
        for shown in (message.text, *mrkdwn_texts(message.blocks)):
            assert foreign_markup(shown, known=frozenset({SENA, GITCO})) == []
        for style in (MARKDOWN, PLAIN):
            line = entry_line(entry, Words(locale=locale, style=style, names={GITCO: "Gitco"}))
            assert "Gitco" in line or event in (Event.STEP_SEEN, Event.STEP_REMINDED)
            assert "\n" not in line


def test_a_reminder_mentions_the_person_it_is_for() -> None:
    told = {
        (facts["whom"], facts["owner"]): entry_line(a_chain(facts, event=event)[0], Words(locale="en"))
        for event, facts in entries("Call the lead")
        if event is Event.STEP_REMINDED
    }

    assert all(f"<@{SENA}>" in line for line in told.values())
    assert "<@U0GITCO>" in told["commander", GITCO]


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("now", [None, LATER])
def test_everything_the_bot_saw_has_words_of_its_own(locale: str, now: Any) -> None:
    words = Words(locale=locale)

    told = [seen_words(one.facts, words, now=now) for ok in (True, False) for one in seen(ok)]

    assert {one.sees for one in seen()} == set(Sees)
    assert all(line.strip() for line in told)


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("by", [None, BACKOUT, GITCO])
@pytest.mark.parametrize("what", ["step_faster", "step_changed", "step_why_needed", "step_taken"])
def test_every_notice_about_a_step_is_valid_and_gives_back_what_was_written(
    locale: str, by: str | None, what: str
) -> None:
    for state in StepState:
        who = by or (GITCO if what == "step_taken" else None)
        facts = step_facts(GUIDE.steps()[0]) | {
            "what": what, "incident": 12, "state": state.value, "by": who,
            "at": NOON.isoformat(), "why": HOSTILE, "owner": SENA, "wrote": HOSTILE,
        }  # fmt: skip
        message = notice_message(facts, Words(locale=locale), now=LATER)
        assert validate(message.blocks, "message") == []
        assert foreign_markup(message.text, known=frozenset({SENA, GITCO})) == []
        if what == "step_changed":
            assert "evil.example|x&gt; &amp; `code`" in message.text


@pytest.mark.parametrize("locale", LOCALES)
def test_a_step_nobody_knows_is_named(locale: str) -> None:
    facts = {"what": "no_such_step", "incident": 12, "step": HOSTILE[:40]}

    message = notice_message(facts, Words(locale=locale), now=LATER)

    assert foreign_markup(message.text) == []


@pytest.mark.parametrize("locale", LOCALES)
def test_the_checklist_as_a_text_names_every_step(locale: str) -> None:
    for title, incident in incidents():
        told = checklist_lines(incident, GUIDE, Words(locale=locale), now=LATER)
        assert all(step.title.in_(locale) in told for step in GUIDE.steps()), title
        assert foreign_markup(told, known=frozenset({SENA, GITCO})) == [], title


def test_a_terminal_can_show_the_card() -> None:
    card = checklist_card(an_incident(decided_at=NOON), GUIDE, Words(locale="en"), now=LATER)

    assert "Step users_report" in as_plain_text(card)


@pytest.mark.parametrize("locale", LOCALES)
def test_no_korean_stands_on_an_english_card_and_no_english_sentence_on_a_korean_one(locale: str) -> None:
    other = {"en": "국면", "ko": "Phase "}[locale]
    for title, incident in incidents("x"):
        card = checklist_card(incident, GUIDE, Words(locale=locale), now=LATER)
        assert not any(other in text for text in all_texts(card.blocks)), title
