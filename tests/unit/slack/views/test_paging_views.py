"""Pages and follow-ups in both languages: valid Block Kit, and they ring whom the playbook names only."""

from dataclasses import replace

import pytest

from bot.domain.follow_up import FollowUpState
from bot.domain.paging import PageState, first_page
from bot.domain.status import Postponed, Status
from bot.domain.timeline import Event
from bot.sandbox.slack.blocks import validate
from bot.slack.text import LOCALES, PLAIN, Words
from bot.slack.views.page_lines import page_state_name
from bot.slack.views.page_message import page_end_message, page_message
from bot.slack.views.status import status_message
from bot.slack.views.timeline import sentence
from tests.paging import a_playbook_with_contacts, contact
from tests.unit.slack.markup import all_texts, foreign_markup, mrkdwn_texts, references
from tests.unit.slack.views.paging_views import (
    BOARD,
    follow_ups,
    lines,
    pages,
    some_incidents,
    task_facts,
    task_messages,
    task_modals,
)
from tests.values import CANARY_TARGET, GITCO, LUBIT, NOON, SENA, a_chain, an_incident

ENGLISH, PLAYBOOK = Words(locale="en"), a_playbook_with_contacts()
PAYLOADS = (
    "<!channel>",
    "<@U0VICTIM>",
    "<https://evil.example|x>",
    "<!subteam^S0X>",
    "&lt;!here>",
    "`<!here>`",
)


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("text", ["errors", "", "<!here> & `x`" * 400, "<" * 3000, "오류 " * 900])
def test_every_message_is_valid_block_kit_with_a_text(locale: str, text: str) -> None:
    for title, message in task_messages(text, Words(locale=locale)):
        assert validate(message.blocks, "message") == [], title
        assert message.text.strip(), title
        assert len(message.text) <= 4000, title
        assert all(t.strip() for t in all_texts(message.blocks)), title


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("text", ["errors", "<!here>" * 400])
def test_every_modal_is_valid_block_kit(locale: str, text: str) -> None:
    for title, modal in task_modals(text, Words(locale=locale)):
        assert validate(modal, "modal") == [], title


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("payload", PAYLOADS)
def test_nobodys_text_can_ring_mention_or_link(locale: str, payload: str) -> None:
    words = Words(locale=locale)
    for title, message in task_messages(payload, words):
        for shown in (message.text, *mrkdwn_texts(message.blocks)):
            assert foreign_markup(shown, known=frozenset({SENA})) == [], title


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("style", ["slack", "plain"])
def test_every_event_has_its_sentence(locale: str, style: str) -> None:
    words = Words(locale=locale) if style == "slack" else Words(locale=locale, style=PLAIN)
    for event in Event:
        facts = task_facts(event, "<!here>")
        if facts:
            told = sentence(a_chain(facts, event=event)[0], words)
            assert told
            assert "<!here>" not in told or style == "plain"


def a_page_message(to: str, *, state: PageState = PageState.WAITING, board: str | None = None) -> str:
    page = first_page(PLAYBOOK, to, id="12-a", incident=an_incident().number, by=LUBIT, reason="5xx", at=NOON)
    ended = replace(page, state=state)
    message = page_message(ended, [ended], an_incident(), PLAYBOOK, ENGLISH, board=board)
    return "\n".join([message.text, *all_texts(message.blocks)])


def test_a_page_rings_the_contact_of_the_playbook() -> None:
    assert f"@{GITCO}" in references(a_page_message("backend"))
    assert "!subteam^S0DEVOPS" in references(a_page_message("devops"))


@pytest.mark.parametrize("state", [s for s in PageState if s is not PageState.WAITING])
def test_a_page_that_has_ended_rings_nobody_of_the_playbook(state: PageState) -> None:
    told = references(a_page_message("backend", state=state) + a_page_message("devops", state=state))

    assert f"@{GITCO}" not in told
    assert "!subteam^S0DEVOPS" not in told


def test_a_page_says_what_how_bad_who_asks_by_when_and_leads_to_the_board() -> None:
    told = a_page_message("backend", board=BOARD)

    for part in ("INC-12 · canary", "Error-rate jump", "High", f"<@{LUBIT}>", "12:02:00 UTC", "5xx"):
        assert part in told
    assert f"<{BOARD}|INC-12>" in told
    assert "Without an answer DevOps engineer (Lubit) is called next." in told


def test_the_manager_is_called_by_telephone() -> None:
    told = a_page_message("manager")

    assert f"<@{LUBIT}>: call Manager (Mina) now, `+82 2 1234 5678`" in told
    assert "I called, they are on it" in told
    assert "No answer" in told


def test_the_end_of_the_line_says_who_was_tried_and_what_to_do() -> None:
    page = first_page(
        PLAYBOOK, "devops", id="12-a", incident=an_incident().number, by=LUBIT, reason="", at=NOON
    )
    tried = [replace(page, state=PageState.UNANSWERED)]
    nobody = a_playbook_with_contacts(contact("manager", name=""))

    told = "\n".join(all_texts(page_end_message(tried, an_incident(), nobody, ENGLISH).blocks))

    assert "DevOps engineer (Lubit): nobody answered within 2 min 00 s" in told
    assert "Monitoring: nobody is entered in the playbook ([TBD])" in told
    assert "Manager: nobody is entered in the playbook ([TBD])" in told
    assert "/incident page 12" in told
    assert "The playbook holds no telephone number." in told


def test_a_closed_incident_leaves_no_button_on_its_pages() -> None:
    closed = list(some_incidents(""))[-1]
    for _, page in pages(PLAYBOOK, ""):
        for line in lines(page):
            message = page_message(page, line, closed, PLAYBOOK, ENGLISH)
            assert not [block for block in message.blocks if block["type"] == "actions"]


@pytest.mark.parametrize("locale", LOCALES)
def test_every_state_has_a_name(locale: str) -> None:
    assert len({page_state_name(state, Words(locale=locale)) for state in PageState}) == len(PageState)


def test_the_follow_ups_of_tests_are_in_every_state() -> None:
    assert {follow_up.state for _, follow_up in follow_ups("x")} == set(FollowUpState)


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("text", ["Postpone", "<!here>" * 400])
def test_a_status_says_that_the_next_deployment_is_postponed(locale: str, text: str) -> None:
    titles = {"en": text, "ko": text}
    line = Postponed(incident=an_incident().number, titles=titles, since=NOON, owner=SENA)
    nobodys = replace(line, owner=None)
    status = Status(target=CANARY_TARGET, read_at=NOON, postponed=(line, nobodys) * 15)

    message = status_message(status, PLAYBOOK, Words(locale=locale))

    assert validate(message.blocks, "message") == []
    assert "`/incident followups 12`" in "\n".join(all_texts(message.blocks))
    for shown in (message.text, *mrkdwn_texts(message.blocks)):
        assert foreign_markup(shown, known=frozenset({SENA})) == []
