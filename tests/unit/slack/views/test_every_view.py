"""Every view, in every state, in both languages: valid Block Kit, within limits, and nobody's megaphone."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.ids import PersonId
from bot.domain.record import make_record
from bot.domain.rollback import RollbackState
from bot.domain.timeline import Event, as_it_happened
from bot.sandbox.slack.blocks import validate
from bot.slack.text import LOCALES, Words
from bot.slack.views.board import board
from bot.slack.views.incident_text import incident_line, which_incident_text
from bot.slack.views.plain_text import as_plain_text
from bot.slack.views.record import record_message
from bot.slack.views.rollback_message import headline, rollback_message
from bot.slack.views.timeline import log_message
from bot.slack.views.timeline_modal import timeline_modal
from tests.unit.slack.markup import all_texts, foreign_markup, mrkdwn_texts
from tests.unit.slack.views.everything import LATER, PLAYBOOK, entries, incidents, messages, modals, rollbacks
from tests.values import (
    SENA,
    STABLE,
    a_chain,
    a_decided_rollback,
    a_playbook,
    an_incident,
)

#: 63 characters, the longest name Google gives.
LONGEST_NAME = "a" + "-b" * 31
LONGEST_REASON = "<" * 500
PAYLOADS = (
    "<!channel>",
    "<!here|here>",
    "<@U0VICTIM>",
    "<#C0CRITICAL|x>",
    "<https://evil.example|click here>",
    "<!subteam^S0DEVOPS>",
    "<!date^1^{date}^https://evil.example|now>",
    "&lt;!channel&gt;",
    "&amp;lt;!channel>",
    "`<!channel>`",
    "<!cha" + "nnel>" * 30,
    "<",
    ">",
    "&",
    "<<!here>>",
    "{who} {0} {__class__} %s",
    "\n> quoted *bold* _italic_ ~gone~ :fire:",
    "오류율 <!here>",
    "a" * 60 + "<!channel>",
)


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("errors after the deployment", STABLE),
        (LONGEST_REASON, LONGEST_NAME),
        ("<!here> & `x`" * 400, LONGEST_NAME),
        ("", "x"),
    ],
    ids=["as usual", "longest", "longer than there is room", "empty"],
)
def test_every_message_is_valid_block_kit_with_a_text(locale: str, text: str, name: str) -> None:
    for title, message in messages(text, name, Words(locale=locale)):
        assert validate(message.blocks, "message") == [], title
        assert message.text.strip(), title
        assert len(message.text) <= 4000, title
        assert all(t.strip() for t in all_texts(message.blocks)), title


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("text", ["", "a leak", "<!here>", "<" * 2000], ids=lambda text: text[:10])
def test_every_modal_is_valid_block_kit(locale: str, text: str) -> None:
    for title, modal in modals(text, Words(locale=locale)):
        assert validate(modal, "modal") == [], title


def rung(text: str, name: str, locale: str) -> list[tuple[str, list[str]]]:
    """Return the messages in which a reference stands that is not ours."""
    found = []
    for title, message in messages(text, name, Words(locale=locale)):
        for shown in (message.text, *mrkdwn_texts(message.blocks)):
            # Sena is mentioned by our own code; nobody else may be.
            foreign = foreign_markup(shown, known=frozenset({SENA}))
            if foreign:
                found.append((title, foreign))
    return found


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("payload", PAYLOADS)
def test_nobodys_text_can_ring_mention_or_link(locale: str, payload: str) -> None:
    assert rung(payload, payload, locale) == []


@settings(max_examples=15)
# Lone surrogates never come this far: neither a database nor a playbook keeps them.
@given(st.text(st.sampled_from("<>!@#|&`^ahnelt{}:/. \n*_~U0") | st.characters(codec="utf-8"), max_size=90))
def test_no_text_whatever_can_ring_mention_or_link(text: str) -> None:
    assert rung(text, text or "x", "en") == []


def test_a_text_cut_at_slacks_limit_tears_no_reference() -> None:
    for length in range(2880, 3010, 7):
        told = a_chain(*[{}] * 3)
        told[1] = a_chain(
            {"target": "canary", "reason": "&" * (length // 5)}, event=entries("", "x")[3].event
        )[0]
        message = log_message(told, Words(locale="en"))
        for shown in (message.text, *mrkdwn_texts(message.blocks)):
            assert foreign_markup(shown) == []
            assert not re.search(r"&(?!amp;|lt;|gt;)", shown)


@pytest.mark.parametrize("locale", LOCALES)
def test_a_thousand_timeline_entries_fit_into_a_record_and_into_a_log(locale: str) -> None:
    words = Words(locale=locale)
    told = a_chain(*[{}] * 1000)
    record = make_record(
        an_incident(), [a_decided_rollback()], told, playbook=a_playbook(), names={PersonId(SENA): "Sena"}
    )

    for message in (record_message(record, words), log_message(told, words)):
        assert validate(message.blocks, "message") == []
    modal = timeline_modal(an_incident(), as_it_happened(told), words, channel="C0OPERATIONS")
    assert validate(modal, "modal") == []


def test_a_record_with_many_acts_says_how_many_are_left_out() -> None:
    told = a_chain(*[{"titles": {"en": "Check", "ko": "확인"}, "done": True}] * 40, event=Event.SCENARIO_STEP)
    record = make_record(an_incident(), [], told, playbook=a_playbook(), names={})

    shown = "\n".join(mrkdwn_texts(record_message(record, Words(locale="en")).blocks))

    assert "… 34 more in the files …" in shown
    assert "Timeline: 40 lines" in shown


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("payload", PAYLOADS)
def test_an_incident_in_a_line_rings_nobody(locale: str, payload: str) -> None:
    words = Words(locale=locale)
    listed = [incident for _, incident in incidents(payload)]

    assert foreign_markup("\n".join(incident_line(incident, words) for incident in listed)) == []
    assert foreign_markup(which_incident_text("show", listed, words)) == []


#: Words that say that it worked.
SUCCESS = {
    "en": re.compile(r"rolled back and verified|:white_check_mark: verified|\*verified\*", re.IGNORECASE),
    "ko": re.compile(r":white_check_mark: 검증|\*검증 완료\*|롤백 및 검증 완료|롤백·검증 완료"),
}


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("state", [s for s in RollbackState if s is not RollbackState.VERIFIED])
def test_nothing_but_verified_is_called_a_success(locale: str, state: RollbackState) -> None:
    words = Words(locale=locale)

    for _, rollback in rollbacks("errors", STABLE):
        if rollback.state is not state:
            continue
        message = rollback_message(rollback, PLAYBOOK, words, now=LATER)
        shown = "\n".join([message.text, *all_texts(message.blocks)])
        assert not SUCCESS[locale].search(shown), shown
        assert not SUCCESS[locale].search(headline(rollback, words))
        on_board = board(an_incident(), [rollback], words, now=LATER, playbook=PLAYBOOK)
        assert not SUCCESS[locale].search("\n".join([on_board.text, *all_texts(on_board.blocks)]))


@pytest.mark.parametrize("locale", LOCALES)
def test_a_verified_rollback_says_so(locale: str) -> None:
    words = Words(locale=locale)

    message = rollback_message(a_decided_rollback(RollbackState.VERIFIED), PLAYBOOK, words, now=LATER)

    assert SUCCESS[locale].search("\n".join([message.text, *all_texts(message.blocks)]))


@pytest.mark.parametrize("locale", LOCALES)
def test_every_state_has_a_headline_of_its_own(locale: str) -> None:
    words = Words(locale=locale)
    shown = [
        s
        for s in RollbackState
        if s
        not in (RollbackState.ASKED, RollbackState.CANCELLED, RollbackState.EXPIRED, RollbackState.REFUSED)
    ]

    lines = {headline(a_decided_rollback(state), words) for state in shown}

    assert len(lines) == len(shown)
    assert not {s.value for s in shown} & lines


def test_a_terminal_gets_every_message_without_slacks_marks() -> None:
    for title, message in messages("errors", STABLE, Words(locale="en")):
        text = as_plain_text(message)
        assert text.strip(), title
        assert not re.search(r":(white_check_mark|x|warning|no_entry|red_circle):", text), title
