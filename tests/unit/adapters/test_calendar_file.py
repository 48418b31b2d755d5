"""The calendar's file: read back by a library, and held against RFC 5545 by hand."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from icalendar import Calendar

from bot.adapters.calendar_file import calendar_file
from bot.domain.calendar_entry import CalendarEntry, meeting_uid
from tests.values import NOON, an_incident

ZONES = ("Asia/Seoul", "America/New_York", "Europe/Berlin", "UTC", "Pacific/Auckland", "Asia/Kathmandu")


def an_entry(**more: Any) -> CalendarEntry:
    """Return a meeting on Tuesday, 3 March 2026, at 10:00 in Seoul."""
    fields: dict[str, Any] = {
        "uid": "post-mortem-INC-12-20260302T120000Z@backout", "sequence": 0, "changed_at": NOON,
        "starts_at": datetime(2026, 3, 3, 1, 0, tzinfo=UTC), "minutes": 60, "zone": "Asia/Seoul",
        "title": "Post-mortem of INC-12 (canary)", "description": "Incident INC-12.\nCauses, not culprits.",
        "place": "Room 5",
    }  # fmt: skip
    return CalendarEntry(**(fields | more))


def event_in(content: bytes) -> Any:
    """Return the one event of a file."""
    events = Calendar.from_ical(content).walk("VEVENT")
    assert len(events) == 1
    return events[0]


def lines_of(content: bytes) -> list[str]:
    """Return the unfolded lines."""
    return content.decode().replace("\r\n ", "").split("\r\n")


def assert_is_icalendar(content: bytes) -> None:
    """Check what RFC 5545, 3.1 and 3.3.11, asks of every line."""
    assert content.endswith(b"END:VCALENDAR\r\n")
    assert b"\n" not in content.replace(b"\r\n", b"")
    assert b"\r" not in content.replace(b"\r\n", b"")
    for line in content.split(b"\r\n"):
        assert len(line) <= 75
        line.decode()  # A fold never splits a character.
    assert not re.search(rb"[\x00-\x09\x0b\x0c\x0e-\x1f\x7f]", content)
    for unfolded in lines_of(content)[:-1]:
        assert re.match(r"[A-Z-]+[;:]", unfolded), unfolded


# What it says.


def test_it_is_read_back_as_it_was_written() -> None:
    event = event_in(calendar_file(an_entry()))

    assert event["uid"] == "post-mortem-INC-12-20260302T120000Z@backout"
    assert event["summary"] == "Post-mortem of INC-12 (canary)"
    assert event["description"] == "Incident INC-12.\nCauses, not culprits."
    assert (event["location"], event["status"], event["sequence"]) == ("Room 5", "CONFIRMED", 0)
    assert event["dtstart"].dt == datetime(2026, 3, 3, 10, 0, tzinfo=ZoneInfo("Asia/Seoul"))
    assert event["dtend"].dt - event["dtstart"].dt == timedelta(hours=1)
    assert event["dtstamp"].dt == NOON


def test_what_a_calendar_must_know_stands_in_it() -> None:
    lines = lines_of(calendar_file(an_entry()))

    assert lines[0] == "BEGIN:VCALENDAR"
    assert {"VERSION:2.0", "METHOD:PUBLISH", "CALSCALE:GREGORIAN"} <= set(lines)
    assert "DTSTART;TZID=Asia/Seoul:20260303T100000" in lines
    assert "TRIGGER:-PT15M" in lines
    assert not [line for line in lines if line.startswith(("ORGANIZER", "ATTENDEE"))]


def test_it_rings_a_quarter_of_an_hour_before() -> None:
    (alarm,) = event_in(calendar_file(an_entry())).walk("VALARM")

    assert (alarm["action"], alarm["trigger"].dt) == ("DISPLAY", timedelta(minutes=-15))


def test_a_moved_one_has_the_same_uid_and_a_higher_sequence() -> None:
    first, second = an_entry(), an_entry(sequence=1, starts_at=NOON + timedelta(days=2))

    before, after = event_in(calendar_file(first)), event_in(calendar_file(second))

    assert before["uid"] == after["uid"]
    assert (before["sequence"], after["sequence"]) == (0, 1)


def test_one_that_was_called_off_is_cancelled_and_does_not_ring() -> None:
    event = event_in(calendar_file(an_entry(sequence=2, cancelled=True)))

    assert event["status"] == "CANCELLED"
    assert event.walk("VALARM") == []


def test_without_a_place_there_is_no_location() -> None:
    assert "LOCATION" not in event_in(calendar_file(an_entry(place="")))


def test_the_uid_tells_incidents_apart_also_of_two_installations() -> None:
    one = an_incident(opened_at=NOON)

    assert meeting_uid(one) == meeting_uid(replace(one, seen="something else"))
    assert meeting_uid(one) != meeting_uid(replace(one, opened_at=NOON + timedelta(seconds=1)))
    assert re.fullmatch(r"post-mortem-INC-\d+-\d{8}T\d{6}Z@backout", meeting_uid(one))


# How it is written.


HOSTILE = 'a,b;c\\d:e"f\ng: DTSTART:20990101T000000Z'


def test_what_people_write_stays_text() -> None:
    content = calendar_file(an_entry(title=HOSTILE, place=HOSTILE, description=HOSTILE))

    event = event_in(content)
    assert_is_icalendar(content)
    assert [event[name] for name in ("summary", "location", "description")] == [HOSTILE] * 3
    assert len([line for line in lines_of(content) if line.startswith("DTSTART:2099")]) == 0


def test_korean_is_folded_between_characters() -> None:
    title = "카나리 배포 후 오류율이 급격히 증가한 문제에 대한 포스트모템 회의 " * 5

    content = calendar_file(an_entry(title=title))

    assert_is_icalendar(content)
    assert event_in(content)["summary"] == title


@given(
    title=st.text(st.characters(exclude_categories=("Cc", "Cs")), max_size=300),
    place=st.text(st.characters(exclude_categories=("Cc", "Cs")), max_size=300),
)
def test_any_text_makes_a_file_that_is_read_back(title: str, place: str) -> None:
    content = calendar_file(an_entry(title=title, place=place))

    assert_is_icalendar(content)
    assert event_in(content)["summary"] == title
    assert event_in(content).get("location", "") == place


@pytest.mark.parametrize("zone", ZONES)
def test_the_same_entry_makes_the_same_bytes(zone: str) -> None:
    entry = an_entry(zone=zone)

    assert calendar_file(entry) == calendar_file(entry)
    assert_is_icalendar(calendar_file(entry))


# The zone.


def by_its_own_rules(content: bytes, local: datetime) -> datetime:
    """Return the UTC that a client makes of a local time which knows the zone from the file alone."""
    onsets: list[tuple[datetime, timedelta]] = []
    part: Any
    for part in Calendar.from_ical(content).walk():
        if part.name in ("STANDARD", "DAYLIGHT"):
            onsets.append((part["dtstart"].dt, part["tzoffsetto"].td))
    begun = [(onset, offset) for onset, offset in sorted(onsets) if onset <= local]
    return (local - begun[-1][1]).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "starts_at"),
    [
        ("Asia/Seoul", datetime(2026, 3, 3, 1, tzinfo=UTC)),
        ("America/New_York", datetime(2026, 3, 8, 6, 59, tzinfo=UTC)),  # A minute before summer time.
        ("America/New_York", datetime(2026, 3, 8, 7, 0, tzinfo=UTC)),  # As it begins.
        ("America/New_York", datetime(2026, 3, 9, 14, tzinfo=UTC)),
        ("America/New_York", datetime(2026, 11, 1, 4, 59, tzinfo=UTC)),  # Over a minute before it ends.
        ("America/New_York", datetime(2026, 11, 2, 15, tzinfo=UTC)),
        ("Europe/Berlin", datetime(2026, 3, 29, 0, 59, tzinfo=UTC)),
        ("Europe/Berlin", datetime(2026, 3, 29, 1, 0, tzinfo=UTC)),
        ("Europe/Berlin", datetime(2026, 10, 26, 9, tzinfo=UTC)),
        ("Pacific/Auckland", datetime(2026, 4, 4, 22, tzinfo=UTC)),
        ("Asia/Kathmandu", datetime(2026, 4, 4, 4, 15, tzinfo=UTC)),
    ],
)
def test_the_files_own_zone_leads_to_the_same_moment(zone: str, starts_at: datetime) -> None:
    content = calendar_file(an_entry(zone=zone, starts_at=starts_at))

    (written,) = (line for line in lines_of(content) if line.startswith(f"DTSTART;TZID={zone}:"))
    local = datetime.strptime(written.partition(":")[2], "%Y%m%dT%H%M%S")  # noqa: DTZ007 - a wall clock's
    assert by_its_own_rules(content, local) == starts_at


def test_summer_time_begins_by_the_clock_that_stood_before_it() -> None:
    lines = lines_of(calendar_file(an_entry(zone="America/New_York")))

    # 3.6.5: "the onset in local time"; two in the night, and not three.
    assert "DTSTART:20260308T020000" in lines
    assert lines[lines.index("DTSTART:20260308T020000") + 2 :][:2] == [
        "TZOFFSETFROM:-0500",
        "TZOFFSETTO:-0400",
    ]


def test_in_utc_it_needs_no_zone() -> None:
    lines = lines_of(calendar_file(an_entry(zone="UTC")))

    assert "DTSTART:20260303T010000Z" in lines
    assert "BEGIN:VTIMEZONE" not in lines


def test_an_hour_that_comes_twice_is_written_so_that_it_cannot_be_mistaken() -> None:
    second_time = datetime(2026, 11, 1, 6, 30, tzinfo=UTC)

    lines = lines_of(calendar_file(an_entry(zone="America/New_York", starts_at=second_time)))

    assert "DTSTART:20261101T063000Z" in lines
