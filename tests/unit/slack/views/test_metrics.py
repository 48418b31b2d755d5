"""What is said of the metrics and the status from the watch, and the texts of the picture."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.ids import TargetName
from bot.domain.last_hour import Happened, LastHour, hour_of_watch
from bot.domain.readings import Metric, Side
from bot.domain.status import ServingLine, Status
from bot.sandbox.slack.blocks import validate
from bot.slack.text import LOCALES, Words
from bot.slack.views.metrics import metrics_message
from bot.slack.views.picture import picture_message, picture_of
from bot.slack.views.plain_text import as_plain_text
from bot.slack.views.rollback_message import Message
from bot.slack.views.status import status_message
from tests.unit.slack.markup import foreign_markup, mrkdwn_texts
from tests.unit.slack.views.watch_views import a_watch
from tests.values import CANARY, CANARY_TARGET, HEALTHY, NOON, SICK, STABLE, a_playbook, a_reading, seconds

EN = Words(locale="en")
NASTY = "<!channel> & `x` {why}"


def a_status(**more: object) -> Status:
    """Return what the watch knew twelve seconds ago."""
    status = Status(
        target=CANARY_TARGET,
        read_at=NOON + seconds(12),
        serving=(
            ServingLine(name=STABLE, percent=90, role="stable"),
            ServingLine(name=CANARY, percent=10, role="canary"),
        ),
        readings=SICK,
        seen_at=NOON,
        silent=(("monitoring", NASTY),),
    )
    return replace(status, **more)  # type: ignore[arg-type]


def an_hour() -> LastHour:
    return hour_of_watch(a_watch(), until=NOON)


def said(message: Message) -> str:
    return as_plain_text(message)


def test_the_worst_metric_comes_first_with_sample_source_age_and_its_last_hour() -> None:
    lines = said(metrics_message(a_status(), an_hour(), a_playbook(), EN)).splitlines()

    assert lines[1] == "● red · Error rate, canary: 12.50 % (25 of 200 requests, request log, 12 s old)"
    assert lines[2].strip("`") == "▁" * 30
    assert len([line for line in lines if "·" in line and "(" in line]) == len(SICK)


def test_a_metric_without_an_hour_has_no_row_of_blocks() -> None:
    text = said(metrics_message(a_status(), replace(an_hour(), points=()), a_playbook(), EN))

    assert "▁" not in text
    assert "Error rate, canary" in text


def test_how_old_it_is_and_what_cannot_be_read_is_said() -> None:
    for message in (
        metrics_message(a_status(), an_hour(), a_playbook(), EN),
        status_message(a_status(), a_playbook(), EN),
    ):
        text = said(message)
        assert "From the watch, whose newest number is 12 s old." in text
        assert "! Cloud Monitoring cannot be read: &lt;!channel&gt;" in text


def test_a_status_from_the_watch_does_not_say_that_traffic_has_settled() -> None:
    text = said(status_message(a_status(), a_playbook(), EN))

    assert f"10 % → `{CANARY}` (canary)" in text
    assert "Settled" not in text
    assert "Cloud Run is still applying" not in text


def test_old_numbers_are_grey_in_what_the_watch_knew_as_well() -> None:
    old = tuple(replace(reading, until=NOON - timedelta(minutes=10)) for reading in HEALTHY)

    text = said(metrics_message(a_status(readings=old), an_hour(), a_playbook(), EN))

    assert "green" not in text
    assert "stale" in text


@pytest.mark.parametrize(("errors", "colour"), [(2, "yellow"), (3, "red")])
def test_an_error_rate_is_red_where_it_is_for_the_judge(errors: int, colour: str) -> None:
    status = a_status(readings=(a_reading(Metric.ERROR_RATE, errors, errors=errors, sample=100),))

    for message in (
        metrics_message(status, an_hour(), a_playbook(), EN),
        status_message(status, a_playbook(), EN),
    ):
        assert f"{colour} · Error rate, canary" in said(message)


@pytest.mark.parametrize("locale", LOCALES)
def test_each_is_valid_block_kit_and_rings_nobody(locale: str) -> None:
    words = Words(locale=locale)
    readings = tuple(a_reading(m, None, s, problem=NASTY) for m in Metric for s in Side)
    status = a_status(target=TargetName(NASTY), readings=readings)
    facts = ({"target": NASTY}, {"target": NASTY, "why": NASTY}, {"target": NASTY, "file": "F0123456789"})
    messages = [
        metrics_message(status, an_hour(), a_playbook(), words),
        status_message(status, a_playbook(), words),
        *(picture_message(one, words) for one in facts),
    ]

    for message in messages:
        assert list(validate(message.blocks, "message")) == []
        assert [found for text in mrkdwn_texts(message.blocks) for found in foreign_markup(text)] == []
        assert message.text


def test_a_picture_speaks_the_readers_language_in_the_readers_zone() -> None:
    hour = replace(an_hour(), happened=((NOON, Happened.DEPLOYED), (NOON, Happened.ROLLED_BACK)))

    english = picture_of(hour, a_playbook().thresholds, EN)
    korean = picture_of(hour, a_playbook().thresholds, Words(locale="ko", zone="Asia/Seoul"))

    assert english.title == "canary: the last hour"
    assert english.metrics == ("Error rate, %", "P95 response time, ms", "Memory, %", "CPU, %")
    assert (english.canary, english.stable) == (f"canary: {CANARY}", f"stable: {STABLE}")
    assert [mark.text for mark in english.marks] == ["deployed", "rolled back"]
    assert korean.zone == "Asia/Seoul"
    assert korean.title != english.title
    assert korean.metrics[0] != english.metrics[0]


def test_a_side_that_is_not_there_has_no_name() -> None:
    picture = picture_of(replace(an_hour(), canary=""), a_playbook().thresholds, EN)

    assert picture.canary == "canary"


def test_the_message_shows_the_uploaded_file() -> None:
    message = picture_message({"target": "canary", "file": "F0123456789"}, EN)

    (image,) = message.blocks
    assert image["slack_file"] == {"id": "F0123456789"}
    assert "canary" in message.text


def test_without_a_picture_it_says_why() -> None:
    assert "the last hour holds no numbers" in said(picture_message({"target": "canary"}, EN))
    assert "just now: no colours" in said(picture_message({"target": "canary", "why": "no colours"}, EN))
