"""When something happened, as people write it."""

from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.when import looks_like_a_time, read_when

NOW = datetime(2026, 3, 2, 0, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "zone", "meant"),
    [
        ("-10m", "UTC", NOW - timedelta(minutes=10)),
        ("-90s", "Asia/Seoul", NOW - timedelta(seconds=90)),
        ("-2H", "UTC", NOW - timedelta(hours=2)),
        ("00:05", "UTC", NOW),
        ("0:04", "UTC", NOW - timedelta(minutes=1)),
        ("23:58", "UTC", datetime(2026, 3, 1, 23, 58, tzinfo=UTC)),
        ("09:05", "Asia/Seoul", NOW),
        ("09:06", "Asia/Seoul", datetime(2026, 3, 1, 0, 6, tzinfo=UTC)),
        ("19:00:30", "America/New_York", datetime(2026, 3, 2, 0, 0, 30, tzinfo=UTC)),
    ],
)
def test_a_time_is_the_latest_one_that_has_passed(written: str, zone: str, meant: datetime) -> None:
    assert looks_like_a_time(written)
    assert read_when(written, zone=zone, now=NOW) == meant


@pytest.mark.parametrize("written", ["25:00", "12:60", "1:2:3"])
def test_an_impossible_time_means_nothing(written: str) -> None:
    assert read_when(written, zone="UTC", now=NOW) is None


@pytest.mark.parametrize("text", ["340", "-", "-10", "10m", "deploy", "1.5", "12h30"])
def test_a_text_is_no_time(text: str) -> None:
    assert not looks_like_a_time(text)


@given(st.times(), st.sampled_from(["UTC", "Asia/Seoul", "America/New_York", "Pacific/Apia"]))
def test_no_time_of_day_lies_in_the_future_or_more_than_a_day_back(clock: time, zone: str) -> None:
    meant = read_when(f"{clock:%H:%M}", zone=zone, now=NOW)

    assert meant is not None
    assert NOW - timedelta(hours=25) < meant <= NOW
