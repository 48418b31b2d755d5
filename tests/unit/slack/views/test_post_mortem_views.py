"""What is shown of a post-mortem: valid, harmless, and in nobody's wrong time zone."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.ids import IncidentNumber
from bot.domain.post_mortem import MeetingState
from bot.domain.timeline import Event
from bot.sandbox.slack.blocks import validate
from bot.slack.ids import ActionId
from bot.slack.text import LOCALES, PLAIN, Words
from bot.slack.views.board import board
from bot.slack.views.notices import notice_message
from bot.slack.views.post_mortem_message import invitation
from bot.slack.views.post_mortem_modal import meeting_modal
from bot.slack.views.post_mortem_words import place_name, zone_time
from bot.slack.views.timeline import sentence
from bot.usecases.show_post_mortem import meeting_facts
from tests.unit.slack.markup import all_texts, foreign_markup, mrkdwn_texts
from tests.unit.slack.views.post_mortem_views import (
    ZONE,
    a_meeting,
    post_mortem_event_facts,
    post_mortem_messages,
    post_mortem_modals,
    post_mortem_notices,
)
from tests.values import NOON, SENA, a_chain, a_playbook, an_incident

ENGLISH = Words(locale="en")
PAYLOADS = ("", "Room 5", "<!channel>", "<@U0VICTIM>", "&lt;!here&gt;", "`<!here>`", "{who} {0}", "<" * 2000)


def pressed(blocks: list[dict[str, object]]) -> list[str]:
    """Return the ids of the controls."""
    found: list[str] = []
    for block in blocks:
        if block["type"] == "actions":
            found += [str(element["action_id"]) for element in block["elements"]]  # type: ignore[attr-defined]
    return found


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("text", PAYLOADS)
def test_every_message_is_valid_and_rings_nobody_it_should_not(locale: str, text: str) -> None:
    words = Words(locale=locale)
    told = [(t, notice_message(facts, words, now=NOON)) for t, facts in post_mortem_notices(text)]

    for title, message in [*post_mortem_messages(text, words), *told]:
        assert validate(message.blocks, "message") == [], title
        assert message.text.strip(), title
        assert all(shown.strip() for shown in all_texts(message.blocks)), title
        for shown in (message.text, *mrkdwn_texts(message.blocks)):
            assert foreign_markup(shown, known=frozenset({SENA})) == [], title


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("text", PAYLOADS)
def test_every_modal_is_valid(locale: str, text: str) -> None:
    for title, modal in post_mortem_modals(text, Words(locale=locale)):
        assert validate(modal, "modal") == [], title


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("event", [e for e in Event if e.value.startswith("post_mortem")])
def test_every_line_says_what_happened(locale: str, event: Event) -> None:
    entry = a_chain(post_mortem_event_facts(event, "Room 5"), event=event)[0]

    assert sentence(entry, Words(locale=locale))
    assert "<" not in sentence(entry, Words(locale=locale, style=PLAIN))


def test_a_meeting_that_was_joined_away_says_to_which() -> None:
    facts = post_mortem_event_facts(Event.POST_MORTEM_CALLED_OFF, "") | {"into": 13}

    assert "that of INC-13" in sentence(a_chain(facts, event=Event.POST_MORTEM_CALLED_OFF)[0], ENGLISH)


def test_the_zones_time_stands_beside_the_readers_with_its_offset() -> None:
    meeting = a_meeting()

    fields = invitation(meeting, meeting_facts(meeting), "", ENGLISH).blocks[1]["fields"]

    at = int(meeting.starts_at.timestamp())
    assert fields[0]["text"] == (
        f"*When*\n<!date^{at}^{{date_long}} {{time}}|2026-03-03 12:00 UTC>\n"
        "Tue 2026-03-03 21:00–22:00 (UTC+09:00, Asia/Seoul)"
    )


def test_a_meeting_over_midnight_and_one_in_korean_are_read_right() -> None:
    starts_at = NOON + timedelta(hours=2, minutes=30)

    assert zone_time(starts_at, 60, ZONE, ENGLISH) == "Mon 2026-03-02 23:30–00:30 (UTC+09:00, Asia/Seoul)"
    assert zone_time(starts_at, 60, "UTC", Words(locale="ko")) == "월 2026-03-02 14:30–15:30 (UTC)"


def test_a_link_can_be_followed_and_anything_else_is_text() -> None:
    assert place_name("https://meet.example.com/a?b=c", ENGLISH).startswith(
        "<https://meet.example.com/a?b=c|"
    )
    assert place_name("javascript:alert(1)", ENGLISH) == "javascript:alert(1)"
    assert place_name("", ENGLISH) == "not said yet"


@pytest.mark.parametrize(
    ("state", "controls"),
    [
        (
            MeetingState.SCHEDULED,
            [ActionId.POST_MORTEM_HELD, ActionId.POST_MORTEM_MOVE, ActionId.POST_MORTEM_CALL_OFF],
        ),
        (MeetingState.HELD, []),
        (MeetingState.CALLED_OFF, [ActionId.SCHEDULE_POST_MORTEM]),
    ],
)
def test_what_can_be_done_goes_by_how_it_stands(state: MeetingState, controls: list[str]) -> None:
    meeting = a_meeting(state=state, by=SENA)

    assert pressed(invitation(meeting, meeting_facts(meeting), "Come!", ENGLISH).blocks) == controls


def test_three_times_are_proposed_in_the_playbooks_zone() -> None:
    modal = next(modal for _, modal in post_mortem_modals("", ENGLISH))
    choice = modal["blocks"][0]["element"]

    assert [option["text"]["text"] for option in choice["options"]] == [
        "Tue 2026-03-03 10:00 (UTC+09:00)",
        "Wed 2026-03-04 10:00 (UTC+09:00)",
        "Thu 2026-03-05 14:00 (UTC+09:00)",
    ]
    assert choice["initial_option"] == choice["options"][0]


def test_moving_begins_with_what_was_chosen_before() -> None:
    before = replace(a_meeting("Room 7"), minutes=90)

    modal = meeting_modal(
        IncidentNumber(12), before, meeting_facts(before), [NOON], ENGLISH, zone=ZONE, owner=SENA,
        channel="C0OPERATIONS",
    )  # fmt: skip

    elements = {block["block_id"]: block["element"] for block in modal["blocks"] if "element" in block}
    assert elements[ActionId.POST_MORTEM_PLACE]["initial_value"] == "Room 7"
    assert elements[ActionId.POST_MORTEM_MINUTES]["initial_option"]["value"] == "90"


@pytest.mark.parametrize(
    ("state", "says"), [("scheduled", "<!date^"), ("held", "held"), ("called_off", "cancelled")]
)
def test_the_board_says_when_it_is_and_what_became_of_it(state: str, says: str) -> None:
    meeting = a_meeting(state=MeetingState(state))

    shown = board(an_incident(), [], ENGLISH, now=NOON, playbook=a_playbook(), meeting=meeting)
    without = board(an_incident(), [], ENGLISH, now=NOON, playbook=a_playbook())

    (line,) = (text for text in all_texts(shown.blocks) if text.startswith("*Post-mortem*"))
    assert says in line
    assert not [text for text in all_texts(without.blocks) if "Post-mortem" in text]


def test_moving_keeps_the_time_unless_another_is_chosen() -> None:
    before, other = a_meeting(), NOON + timedelta(days=2)

    modal = meeting_modal(
        IncidentNumber(12), before, meeting_facts(before), [before.starts_at, other], ENGLISH, zone=ZONE,
        owner=SENA, channel="C0OPERATIONS",
    )  # fmt: skip

    choice = modal["blocks"][0]["element"]
    assert [option["value"] for option in choice["options"]] == [
        before.starts_at.isoformat(),
        other.isoformat(),
    ]
    assert choice["initial_option"]["text"]["text"] == "as it is: Tue 2026-03-03 21:00 (UTC+09:00)"
    assert choice["initial_option"] == choice["options"][0]
