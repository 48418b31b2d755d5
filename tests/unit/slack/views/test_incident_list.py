"""``/incident list`` as people see it."""

from datetime import timedelta
from typing import Any

import pytest

from bot.domain.ids import ChannelId, IncidentNumber
from bot.domain.incident import IncidentState
from bot.domain.incident_search import (
    BadSearch,
    BadWhy,
    Known,
    Listed,
    Listing,
    Search,
    parse_search,
    parse_span,
)
from bot.domain.rollback import RollbackState
from bot.sandbox.slack.blocks import validate
from bot.slack.text import LOCALES, Words
from bot.slack.views.incident_list import (
    bad_search_example,
    bad_search_text,
    incident_list_message,
    listed_line,
    read_value,
)
from tests.unit.slack.markup import foreign_markup, mrkdwn_texts
from tests.values import NOON, an_incident

EN = Words(locale="en")
KNOWN = Known(targets=("canary", "chat"), scenarios={1: "error_rate"}, zone="UTC", now=NOON)
URL = "https://acme.example.com/"


def listed(number: int = 12, **more: Any) -> Listed:
    known: dict[str, Any] = {
        "scenario": {"en": "Memory leak", "ko": "메모리 누수"},
        "verdict": RollbackState.VERIFIED,
        "board": (ChannelId("C0CRITICAL"), "1767225600.000100"),
    }
    incident = an_incident(number=IncidentNumber(number), **more.pop("incident", {}))
    return Listed(incident=incident, **(known | more))


def listing(*lines: Listed, page: int = 1, pages: int = 1, total: int | None = None) -> Listing:
    count = len(lines) if total is None else total
    return Listing(search=Search(), listed=lines, page=page, pages=pages, total=count)


@pytest.mark.parametrize(("locale", "mark"), [("en", "DRILL: "), ("ko", "훈련: ")])
def test_a_drill_is_marked_in_the_list(locale: str, mark: str) -> None:
    words = Words(locale=locale)

    drill = listed_line(listed(incident={"drill": "d1"}), words, now=NOON)
    real = listed_line(listed(), words, now=NOON)

    assert drill == mark + real


def test_a_line_says_what_it_was_how_long_and_how_it_ended() -> None:
    line = listed_line(listed(), EN, now=NOON + timedelta(minutes=5), slack_url=URL)

    first, second = line.splitlines()
    assert first == (
        "*INC-12* · canary · Memory leak · High · "
        "<https://acme.example.com/archives/C0CRITICAL/p1767225600000100|board>"
    )
    assert second.endswith("· open for 5 min 00 s · rollback: verified")


def test_one_that_is_over_says_how_long_it_took() -> None:
    over = {"state": IncidentState.CLOSED, "closed_at": NOON + timedelta(minutes=35)}

    closed = listed_line(listed(incident=over), EN, now=NOON)
    joined = listed_line(
        listed(incident=over | {"merged_into": IncidentNumber(3)}, verdict=None), EN, now=NOON
    )

    assert "closed after 35 min 00 s · rollback: verified" in closed
    assert "joined to INC-3 after 35 min 00 s · no rollback" in joined


@pytest.mark.parametrize(("board", "url"), [(None, URL), ((ChannelId("C0"), "1.2"), "")])
def test_without_a_board_or_our_address_there_is_no_link(board: Any, url: str) -> None:
    assert "board" not in listed_line(listed(board=board), EN, now=NOON, slack_url=url)


def test_a_scenario_that_nobody_chose_is_said_to_be_none() -> None:
    assert "· no scenario ·" in listed_line(listed(scenario={}), EN, now=NOON)


@pytest.mark.parametrize(
    ("page", "buttons"),
    [(1, ["2|open"]), (2, ["1|open", "3|open"]), (3, ["2|open"])],
)
def test_each_page_leads_to_the_ones_beside_it_with_the_search(page: int, buttons: list[str]) -> None:
    shown = incident_list_message(listing(listed(), page=page, pages=3, total=25), EN, now=NOON, typed="open")

    elements = shown.blocks[-1]["elements"]
    assert [element["value"] for element in elements] == buttons
    assert len({element["action_id"] for element in elements}) == len(elements)
    assert [read_value(value)[1] for value in buttons] == ["open"] * len(buttons)
    assert f"25 incidents, page {page} of 3 · `open`" in str(shown.blocks)


def test_one_page_has_no_buttons() -> None:
    shown = incident_list_message(listing(listed()), EN, now=NOON)

    assert [block["type"] for block in shown.blocks] == ["section", "context"]


def test_nothing_found_says_what_was_looked_for() -> None:
    assert incident_list_message(listing(), EN, now=NOON).text == "There is no incident yet."
    nothing = incident_list_message(listing(), EN, now=NOON, typed="chat `x`").text
    assert nothing == "No incident fits `chat 'x'`. `/incident list` shows them all."


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("typed", ["", "<!channel>", "x" * 400, "`<@U0VICTIM>` & <"])
def test_every_list_is_valid_and_rings_nobody(locale: str, typed: str) -> None:
    words = Words(locale=locale)
    hostile = listed(scenario={"en": typed, "ko": typed}, incident={"target": typed})

    shown = incident_list_message(
        listing(*[hostile] * 10, page=2, pages=3, total=25), words, now=NOON, typed=typed
    )

    assert validate(shown.blocks, "message") == []
    assert [text for text in mrkdwn_texts(shown.blocks) if foreign_markup(text)] == []


# What to write instead.


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("why", list(BadWhy))
def test_a_bad_search_is_answered_with_a_line_to_copy(why: BadWhy, locale: str) -> None:
    words = Words(locale=locale)
    bad = BadSearch(why, "<!channel> `x`", near="")

    text = bad_search_text(bad, KNOWN, words, command="/incident list")

    assert text.startswith(":x: ")
    assert "/incident help" in text
    assert foreign_markup(text) == []


@pytest.mark.parametrize(
    "typed",
    [
        "since:2026-13-01", "since:2026-10-02 until:2026-10-01", "scenario:eror_rate", "scenario:9",
        "target:canry", "severity:hihg", "state:opne", "by:", "since:", "severity:",
        "open closed", "sicne:2026-10-01",
    ],
)  # fmt: skip
def test_what_is_proposed_instead_can_be_read(typed: str) -> None:
    with pytest.raises(BadSearch) as bad:
        parse_search(typed, KNOWN)

    proposed = bad_search_example(bad.value, KNOWN, command="/incident list")

    parse_search(proposed.removeprefix("/incident list "), KNOWN)


@pytest.mark.parametrize("typed", ["everything", "canry", "last 0 days", "last 30 days until:2000-01-01"])
def test_what_is_proposed_instead_of_a_span_can_be_read(typed: str) -> None:
    with pytest.raises(BadSearch) as bad:
        parse_span(typed, KNOWN)

    proposed = bad_search_example(bad.value, KNOWN, command="/incident stats")

    parse_span(proposed.removeprefix("/incident stats "), KNOWN)
