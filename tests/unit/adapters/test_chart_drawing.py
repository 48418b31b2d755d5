"""Where marks, gaps and times go on a picture."""

import random
from datetime import timedelta

import pytest

from bot.adapters.chart_card import PAD, SMALL, WIDTH, text_width
from bot.adapters.chart_drawing import LEFT, MOST_MARKS, RIGHT, gaps, placed, times_of, whole_times
from bot.domain.observation import Point, SideValues
from bot.domain.picture import Mark, Picture
from bot.domain.playbook import Thresholds
from bot.domain.readings import Metric
from tests.values import NOON


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


def a_picture(*marks: float, known: tuple[float, ...] = (), **more: object) -> Picture:
    """Return an hour's picture with marks, and minutes with an error rate, so many minutes before noon."""
    fields: dict[str, object] = {
        "title": "canary",
        "canary": "canary",
        "stable": "stable",
        "metrics": ("Error rate, %", "P95, ms", "Memory, %", "CPU, %"),
        "points": tuple(Point(at=NOON - minutes(ago), stable=SideValues(error_rate=1)) for ago in known),
        "thresholds": Thresholds(),
        "until": NOON,
        "marks": tuple(Mark(at=NOON - minutes(ago), text="rollback decided") for ago in marks),
    }
    return Picture(**(fields | more))  # type: ignore[arg-type]


def test_no_label_covers_another_or_leaves_the_card() -> None:
    chance = random.Random(12)
    for _ in range(50):
        picture = a_picture(*(chance.uniform(0, 60) for _ in range(4)))

        labels = placed(picture, times_of(picture))

        assert sorted(label.row for label in labels) == [0, 1, 2, 3]
        for label in labels:
            wide = text_width(label.text, SMALL)
            start = label.x - 8 - wide if label.before else label.x + 8
            assert start >= 0
            assert start + wide <= WIDTH - PAD + 8


def test_marks_at_the_same_moment_have_rows_of_their_own() -> None:
    picture = a_picture(1, 1, 1)

    labels = placed(picture, times_of(picture))

    assert sorted(label.row for label in labels) == [0, 1, 2]
    assert len({label.x for label in labels}) == 1


def test_of_too_many_marks_the_first_and_the_newest_are_shown() -> None:
    picture = a_picture(50, 40, 30, 20, 10, 5, 4, 3)

    labels = placed(picture, times_of(picture))

    shown = sorted(label.x for label in labels)
    assert len(shown) == MOST_MARKS
    times = times_of(picture)
    wanted = [times.pixel(NOON - minutes(ago)) for ago in (50, 20, 10, 5, 4, 3)]
    assert shown == wanted


def test_a_mark_outside_of_the_picture_is_left_out() -> None:
    picture = a_picture(61, -1)

    assert placed(picture, times_of(picture)) == []


def test_a_label_says_when_in_the_readers_zone() -> None:
    picture = a_picture(30, zone="Asia/Seoul")

    assert placed(picture, times_of(picture))[0].text == "20:30 rollback decided"


def test_where_neither_side_has_a_number_there_is_a_gap() -> None:
    picture = a_picture(known=(60, 59, 58, 50, 49, 3), since=NOON - minutes(60))

    found = gaps(picture, Metric.ERROR_RATE, times_of(picture))

    assert [((NOON - a) / minutes(1), (NOON - b) / minutes(1)) for a, b in found] == [(58, 50), (49, 3)]


@pytest.mark.parametrize(("newest", "count"), [(3, 0), (4, 0), (5, 1)])
def test_the_newest_minutes_may_still_be_on_their_way(newest: int, count: int) -> None:
    picture = a_picture(known=tuple(range(60, newest - 1, -1)), since=NOON - minutes(60))

    assert len(gaps(picture, Metric.ERROR_RATE, times_of(picture))) == count


def test_a_panel_without_any_number_is_one_gap() -> None:
    picture = a_picture(known=(10, 5), since=NOON - minutes(60))

    assert gaps(picture, Metric.CPU, times_of(picture)) == [(NOON - minutes(60), NOON)]


def test_times_are_round_in_the_readers_day() -> None:
    picture = a_picture(zone="Asia/Kathmandu", since=NOON - minutes(57))
    times = times_of(picture)

    shown = [times.clock(at) for at in whole_times(times)]

    # 11:03 to 12:00 UTC is five hours and three quarters later there.
    assert shown == ["17:00", "17:15", "17:30", "17:45"]
    assert all(LEFT <= times.pixel(at) <= RIGHT for at in whole_times(times))


@pytest.mark.parametrize("length", [10, 15, 22, 35, 60, 90, 24 * 60])
def test_there_are_a_few_times_whatever_is_shown(length: int) -> None:
    times = times_of(a_picture(since=NOON - minutes(length)))

    assert 2 <= len(whole_times(times)) <= 6


def test_what_is_shorter_than_ten_minutes_is_shown_with_what_came_before() -> None:
    times = times_of(a_picture(since=NOON - minutes(3)))

    assert times.length == 10
