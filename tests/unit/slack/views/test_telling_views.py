"""Texts for people, readiness and App Home: valid Block Kit in both languages, and nobody's megaphone."""

import pytest

from bot.domain.announcement import AnnouncementState, in_fields
from bot.domain.flags import Colour
from bot.sandbox.slack.blocks import validate
from bot.slack.text import LOCALES, Words
from bot.slack.views.announcement import announcement_message, text_blocks
from bot.slack.views.home import home_view
from bot.slack.views.plain_text import as_plain_text
from bot.slack.views.readiness import readiness_message, readiness_text
from bot.slack.views.tell_modal import TellDraft, read_draft, tell_modal, unedited
from tests.unit.slack.markup import all_texts, foreign_markup, mrkdwn_texts
from tests.unit.slack.views.telling_views import (
    CHANNEL,
    PLANS,
    an_announcement,
    home_views,
    homes,
    readinesses,
    telling_messages,
    telling_modals,
)
from tests.unit.slack.views.test_every_view import PAYLOADS
from tests.values import NOON, SENA, a_playbook, seconds

LONG = ("<!here> & `x` and so on " * 30 + "\n") * 15
TEXTS = ("", "errors after the deployment", "<" * 3000, "&" * 12_000, LONG, "오류율 급증 " * 900)


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("text", TEXTS)
def test_every_message_modal_and_home_is_what_slack_takes(locale: str, text: str) -> None:
    words = Words(locale=locale)
    for title, message in telling_messages(text, words):
        assert validate(message.blocks, "message") == [], title
        assert message.text.strip(), title
        assert len(message.text) <= 4000, title
    for title, modal in telling_modals(text, words):
        assert validate(modal, "modal") == [], title
        assert len(modal["private_metadata"]) <= 3000, title
    for title, view in home_views(text, words):
        assert validate(view, "home") == [], title
        assert len(view["blocks"]) <= 100, title


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("payload", PAYLOADS)
def test_nobodys_text_can_ring_mention_or_link(locale: str, payload: str) -> None:
    words, ours = Words(locale=locale), frozenset({SENA, "U0LUBIT"})
    shown = [m.blocks for _, m in telling_messages(payload, words)]
    shown += [view["blocks"] for _, view in [*telling_modals(payload, words), *home_views(payload, words)]]
    for blocks in shown:
        for text in mrkdwn_texts(blocks):
            assert foreign_markup(text, known=ours) == [], text


def test_a_text_is_posted_whole_however_long_it_is() -> None:
    text = "\n".join(f"line {n} & <more>" for n in range(600))

    shown = "\n".join(mrkdwn_texts(text_blocks(text)))

    assert "line 0 &amp; &lt;more&gt;" in shown
    assert all(f"line {n} " in shown for n in range(600))
    assert len(text_blocks(text)) < 45


def test_a_text_longer_than_a_field_fills_several_and_comes_back_whole() -> None:
    text = "\n".join(f"line {n}" for n in range(900))
    draft = TellDraft(
        number=an_announcement().incident,
        notice="data_loss",
        locale="en",
        text=text,
        version="v",
        template="t",
        channel=CHANNEL,
    )
    modal = tell_modal(draft, PLANS, Words(locale="en"))
    inputs = [block for block in modal["blocks"] if block["type"] == "input"]

    values = {
        b["block_id"]: {b["element"]["action_id"]: {"value": b["element"]["initial_value"]}} for b in inputs
    }
    back = read_draft(modal | {"state": {"values": values}})

    assert len(inputs) == len(in_fields(text)) == 3
    assert back == draft
    assert not unedited(back)


def test_an_announcement_speaks_the_language_it_was_written_in() -> None:
    one = an_announcement(state=AnnouncementState.POSTED, next_due_at=NOON)

    assert "다음 소식" in as_plain_text(announcement_message(one, Words(locale="ko")))
    assert "next update" in as_plain_text(announcement_message(one, Words(locale="en")))


def test_home_is_never_green_without_fresh_data() -> None:
    words = Words(locale="en")
    for title, home in homes("x"):
        late = NOON + seconds(86_400)
        shown = "\n".join(all_texts(home_view(home, a_playbook(), words, now=late, slack_url=None)["blocks"]))
        targets = shown.partition("Targets")[2].partition("Readiness")[0]
        assert f":large_{Colour.GREEN}_circle:" not in targets, title


def test_home_says_how_many_more_there_are() -> None:
    for title, view in home_views("x", Words(locale="en")):
        if "full" in title:
            assert "… and 65 more" in "\n".join(all_texts(view["blocks"]))


def test_home_leads_to_the_messages_themselves() -> None:
    for title, view in home_views("x", Words(locale="en")):
        urls = {b["accessory"]["url"] for b in view["blocks"] if "accessory" in b}
        expected = {f"https://home.slack.example/archives/{CHANNEL}/p1000001"} if "full" in title else set()
        assert expected <= urls or "None" in title, title


@pytest.mark.parametrize("locale", LOCALES)
def test_a_terminal_gets_every_point(locale: str) -> None:
    for readiness in readinesses("x"):
        text = readiness_text(readiness, Words(locale=locale))
        assert text.count("\n") >= len(readiness.answers)


def test_a_point_that_people_confirm_has_a_button() -> None:
    every = list(readinesses("x"))[1]
    message = readiness_message(every, Words(locale="en"))

    with_button = {b["accessory"]["value"] for b in message.blocks if "accessory" in b}

    assert with_button == {a.point for a in every.answers if a.confirmable or a.reading}
