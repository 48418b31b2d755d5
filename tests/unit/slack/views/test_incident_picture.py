"""The texts of an incident's picture, and what is said where there is none."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.incident_picture import MemoryAhead, Scene, scene_of
from bot.domain.picture import MarkKind, Picture
from bot.domain.playbook import Thresholds
from bot.domain.readings import Metric
from bot.sandbox.slack.blocks import validate
from bot.slack.text import LOCALES, Words
from bot.slack.views.picture import incident_picture, mark_name, no_incident_picture, picture_alt
from bot.slack.views.record_picture import record_picture
from tests.unit.adapters.records import a_complete_record
from tests.unit.slack.markup import foreign_markup, mrkdwn_texts
from tests.unit.slack.views.watch_views import a_point
from tests.values import CANARY, NOON, an_incident

EN = Words(locale="en", zone="Asia/Seoul")
KO = Words(locale="ko", zone="Asia/Seoul")
NASTY = "<!channel> & `x` {why}"


def a_scene(**more: object) -> Scene:
    incident = an_incident(deployed_at=NOON - timedelta(minutes=20))
    scene = scene_of(incident, (), (), (a_point(1), a_point(0, canary=None)), until=NOON, canary=CANARY)
    return replace(scene, **more)  # type: ignore[arg-type]


def drawn(scene: Scene, words: Words = EN) -> Picture:
    return incident_picture(scene, label="INC-12", target="canary", thresholds=Thresholds(), words=words)


def test_a_picture_names_incident_target_sides_and_marks() -> None:
    english, korean = drawn(a_scene()), drawn(a_scene(), KO)

    assert (english.title, english.zone) == ("INC-12 · canary", "Asia/Seoul")
    assert (english.canary, english.stable) == (f"canary: {CANARY}", "stable")
    assert [(mark.text, mark.kind) for mark in english.marks] == [
        ("deployed", MarkKind.DEPLOYED),
        ("detected", MarkKind.DETECTED),
    ]
    assert [mark.text for mark in korean.marks] == ["배포", "감지"]
    assert korean.nothing == "데이터 없음"


def test_a_picture_of_memory_says_when_it_will_be_full() -> None:
    ahead = MemoryAhead(
        at=NOON, value=80, until=NOON + timedelta(minutes=9), last=100, full_at=NOON + timedelta(minutes=9)
    )

    sure = drawn(a_scene(only=Metric.MEMORY, ahead=ahead))
    unsure = drawn(a_scene(only=Metric.MEMORY, ahead=replace(ahead, full_at=None, last=95)))

    assert (sure.title, sure.only) == ("INC-12 · canary: memory", Metric.MEMORY)
    assert sure.trend is not None
    assert (sure.trend.text, sure.trend.last_value) == ("heading for full at 21:09", 100)
    assert unsure.trend is not None
    assert unsure.trend.text == "where the canary's is heading"


@pytest.mark.parametrize("locale", LOCALES)
def test_every_mark_has_a_name_of_its_own(locale: str) -> None:
    names = [mark_name(kind, Words(locale=locale)) for kind in MarkKind]

    assert len(set(names)) == len(names)


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("why", ["", NASTY])
@pytest.mark.parametrize("empty", [True, False])
def test_what_is_said_instead_is_valid_block_kit_and_rings_nobody(locale: str, why: str, empty: bool) -> None:
    scene = a_scene(points=()) if empty else a_scene()

    message = no_incident_picture(scene, why, Words(locale=locale))

    assert list(validate(message.blocks, "message")) == []
    assert [found for text in mrkdwn_texts(message.blocks) for found in foreign_markup(text)] == []


def test_a_figure_that_is_not_known_is_no_zero() -> None:
    text = no_incident_picture(a_scene(), "no colours left", EN).text

    assert "• canary: error rate no data, P95 80 ms" in text
    assert "• stable: error rate 0.10 %" in text


def test_whoever_cannot_see_it_is_told_what_it_shows() -> None:
    assert "Error rate, P95 response time, memory and CPU" in picture_alt(EN)
    assert "에러율" in picture_alt(KO)


def test_a_records_picture_is_the_same_whenever_it_is_made() -> None:
    record = replace(a_complete_record(), points=(a_point(1), a_point(0)), deployed_at=None)

    picture = record_picture(record, EN)

    assert picture == record_picture(record, EN)
    assert picture.title == "INC-12 · canary"
    ends = [r.ended_at for r in record.rollbacks if r.ended_at is not None]
    assert picture.until == max([NOON, *ends])
