"""Messages of Slack as the use-cases take them."""

from datetime import UTC, datetime
from typing import Any

import pytest

from bot.domain.ids import ChannelId
from bot.slack.text import clean
from bot.slack.written import LONGEST_MESSAGE, message_of, permalink, written

CHANNEL = ChannelId("C0CRITICAL")
TS = "1772452800.000100"


def a_message(**more: Any) -> dict[str, Any]:
    """Return a message of Sena's as Slack sends it."""
    return {"type": "message", "user": "U0SENA", "ts": TS, "text": "errors"} | more


def a_shortcut(**more: Any) -> dict[str, Any]:
    """Return the payload of a message shortcut."""
    return {"team": {"domain": "ion"}, "channel": {"id": CHANNEL}, "message": a_message(**more)}


def test_a_message_keeps_its_author_time_and_thread() -> None:
    read = message_of(a_shortcut(thread_ts="1772452700.000000"))

    assert (read.author, read.text, read.thread) == ("U0SENA", "errors", "1772452700.000000")
    assert read.at == datetime(2026, 3, 2, 12, 0, 0, 100, tzinfo=UTC)


@pytest.mark.parametrize(
    ("more", "author"),
    [
        ({"user": None, "bot_profile": {"name": "Grafana"}}, "Grafana"),
        ({"user": None, "username": "pager"}, "pager"),
        ({"user": None}, "?"),
    ],
)
def test_what_a_bot_wrote_goes_by_its_name(more: dict[str, Any], author: str) -> None:
    assert written(a_message(**more), channel=CHANNEL).author == author


def test_an_alert_that_is_all_attachment_keeps_its_words() -> None:
    alert = a_message(text="", attachments=[{"fallback": "5xx is 12 %"}, {"text": "P95 is high"}, {}])

    assert written(alert, channel=CHANNEL).text == "5xx is 12 %\nP95 is high"


def test_mentions_become_words_and_nothing_is_lost_of_40000_characters() -> None:
    long = f"<@U0LEMUN|lemun> saw &lt;b&gt; {'가' * 39_900}end"

    text = written(a_message(text=long), channel=CHANNEL).text

    assert text.startswith("@lemun saw <b> 가")
    assert text.endswith("end")
    assert clean(text, limit=LONGEST_MESSAGE) == text


def test_files_are_kept_by_name_and_address() -> None:
    files = [{"id": "F1", "name": "graph.png", "permalink": "https://ion.slack.com/files/F1"}, {"id": "F2"}]

    assert written(a_message(files=files), channel=CHANNEL).files == (
        ("graph.png", "https://ion.slack.com/files/F1"),
        ("F2", ""),
    )


@pytest.mark.parametrize(
    ("thread", "address"),
    [
        (None, "https://ion.slack.com/archives/C0CRITICAL/p1772452800000100"),
        (TS, "https://ion.slack.com/archives/C0CRITICAL/p1772452800000100"),
        (
            "1772452700.000000",
            "https://ion.slack.com/archives/C0CRITICAL/p1772452800000100"
            "?thread_ts=1772452700.000000&cid=C0CRITICAL",
        ),
    ],
)
def test_a_permalink_is_made_as_slack_makes_it(thread: str | None, address: str) -> None:
    more = {"thread_ts": thread} if thread else {}

    assert permalink(a_shortcut(**more)) == address
