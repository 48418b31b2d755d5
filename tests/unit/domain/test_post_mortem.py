"""The post-mortem: when it is proposed, what may become of it, and when people are reminded."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest

from bot.domain.ids import IncidentNumber
from bot.domain.incident import Severity
from bot.domain.post_mortem import (
    ASK_AT_MOST,
    LATEST,
    REMIND_BEFORE,
    REST,
    IllegalMeeting,
    MeetingPlan,
    MeetingState,
    NotThen,
    PostMortem,
    Reminder,
    called_off,
    held,
    is_expected,
    is_working_day,
    next_asking,
    next_reminder,
    not_then,
    planned_meeting,
    proposals,
    working_days,
)
from tests.values import GITCO, NOON, SENA, an_incident

SEOUL, NEW_YORK, BERLIN = "Asia/Seoul", "America/New_York", "Europe/Berlin"
ZONES = (SEOUL, NEW_YORK, BERLIN, "UTC", "Pacific/Auckland", "Asia/Kolkata")
SECOND, MINUTE, HOUR, DAY = (timedelta(**{unit: 1}) for unit in ("seconds", "minutes", "hours", "days"))


def local(zone: str, *parts: int) -> datetime:
    """Return a wall-clock time as UTC."""
    return datetime(*parts, tzinfo=ZoneInfo(zone)).astimezone(UTC)  # type: ignore[misc, arg-type]


def written(moments: tuple[datetime, ...], zone: str) -> list[str]:
    """Return moments as a calendar on the wall shows them."""
    return [f"{moment.astimezone(ZoneInfo(zone)):%a %m-%d %H:%M}" for moment in moments]


def proposed(now: datetime, zone: str = SEOUL, *, since: datetime | None = None) -> list[str]:
    """Return what is proposed at `now`, the incident over at `since` (now)."""
    return written(proposals(since=since or now, now=now, zone=zone), zone)


def a_meeting(**more: object) -> PostMortem:
    """Return one on Tuesday, 3 March 2026, at 10:00 in Seoul, for an hour."""
    fields: dict[str, object] = {
        "id": "12", "incident": IncidentNumber(12), "state": MeetingState.SCHEDULED, "created_at": NOON,
        "starts_at": local(SEOUL, 2026, 3, 3, 10), "minutes": 60, "zone": SEOUL, "place": "Room 5",
        "owner": SENA,
    }  # fmt: skip
    return PostMortem(**(fields | more))  # type: ignore[arg-type]


# Proposing.


#: When somebody is expected at work, in the playbook's zone; what is proposed lies within it as a whole.
WORK_BEGINS, WORK_ENDS = time(9, 0), time(18, 0)


def within_work(starts_at: datetime, minutes: int, zone: str) -> bool:
    """True when a meeting lies on a working day within working hours of `zone`."""
    local = starts_at.astimezone(ZoneInfo(zone))
    over = (starts_at + timedelta(minutes=minutes)).astimezone(ZoneInfo(zone))
    same_day = local.date() == over.date() and is_working_day(local.date())
    return same_day and local.time() >= WORK_BEGINS and over.time() <= WORK_ENDS


def test_on_a_monday_afternoon_the_next_three_days_are_proposed() -> None:
    assert proposed(local(SEOUL, 2026, 3, 2, 15)) == ["Tue 03-03 10:00", "Wed 03-04 10:00", "Thu 03-05 14:00"]


def test_whoever_was_up_until_ten_in_the_evening_may_still_meet_at_ten() -> None:
    on_the_line = local(SEOUL, 2026, 3, 2, 22)

    assert proposed(on_the_line - SECOND)[0] == "Tue 03-03 10:00"
    assert proposed(on_the_line)[0] == "Tue 03-03 10:00"
    assert proposed(on_the_line + SECOND)[0] == "Wed 03-04 10:00"


def test_a_friday_night_is_followed_by_a_weekend() -> None:
    assert proposed(local(SEOUL, 2026, 3, 6, 23)) == ["Mon 03-09 10:00", "Tue 03-10 10:00", "Wed 03-11 14:00"]


def test_a_thursday_night_leaves_monday_first() -> None:
    assert proposed(local(SEOUL, 2026, 3, 5, 23, 30))[0] == "Mon 03-09 10:00"


@pytest.mark.parametrize("hour", [0, 9, 23])
def test_on_a_weekend_monday_comes_first_unless_the_night_was_too_short(hour: int) -> None:
    first = proposed(local(SEOUL, 2026, 3, 8, hour))[0]

    assert first == ("Tue 03-10 10:00" if hour == 23 else "Mon 03-09 10:00")


def test_the_day_is_the_zones_and_not_utcs() -> None:
    late_in_utc = datetime(2026, 3, 2, 20, 0, tzinfo=UTC)

    assert proposed(late_in_utc, SEOUL)[0] == "Wed 03-04 10:00"  # Five on Tuesday morning there.
    assert proposed(late_in_utc, NEW_YORK)[0] == "Tue 03-03 10:00"  # Three on Monday afternoon.


def test_an_incident_long_over_is_met_about_tomorrow() -> None:
    now = local(SEOUL, 2026, 3, 2, 23)

    assert proposed(now, since=now - 3 * DAY)[0] == "Tue 03-03 10:00"


@pytest.mark.parametrize(
    ("zone", "friday", "offsets"),
    [
        (NEW_YORK, (2026, 3, 6, 12), {"-0400"}),
        (NEW_YORK, (2026, 10, 30, 12), {"-0500"}),
        (BERLIN, (2026, 3, 27, 12), {"+0200"}),
        (BERLIN, (2026, 10, 23, 12), {"+0100"}),
    ],
)
def test_ten_stays_ten_when_the_clocks_change_over_the_weekend(
    zone: str, friday: tuple[int, ...], offsets: set[str]
) -> None:
    found = proposals(since=local(zone, *friday), now=local(zone, *friday), zone=zone)

    assert [one[-5:] for one in written(found, zone)] == ["10:00", "10:00", "14:00"]
    assert {f"{one.astimezone(ZoneInfo(zone)):%z}" for one in found} == offsets


def test_the_rest_is_twelve_hours_also_in_the_night_of_the_change() -> None:
    # The night to Sunday, 29 March, has an hour less; Sunday at 22:00 is past it.
    night = local(BERLIN, 2026, 3, 29, 22)

    assert proposed(night, BERLIN)[0] == "Mon 03-30 10:00"
    assert proposed(night + SECOND, BERLIN)[0] == "Tue 03-31 10:00"


@pytest.mark.parametrize("zone", ZONES)
def test_whatever_the_hour_of_the_year_the_proposals_keep_every_promise(zone: str) -> None:
    for hours in range(0, 366 * 24, 5):
        now = datetime(2026, 1, 1, tzinfo=UTC) + hours * HOUR
        found = proposals(since=now, now=now, zone=zone)

        assert len(found) == 3
        assert list(found) == sorted(found)
        assert all(moment >= now + REST and within_work(moment, 90, zone) for moment in found)


def test_working_hours_are_kept_as_a_whole_or_not_at_all() -> None:
    nine, five = local(SEOUL, 2026, 3, 3, 9), local(SEOUL, 2026, 3, 3, 17)

    assert within_work(nine, 60, SEOUL)
    assert within_work(five, 60, SEOUL)
    assert not within_work(nine - MINUTE, 60, SEOUL)
    assert not within_work(five + MINUTE, 60, SEOUL)
    assert not within_work(local(SEOUL, 2026, 3, 7, 10), 60, SEOUL)


def test_working_days_leave_the_weekend_out() -> None:
    saturday = local(SEOUL, 2026, 3, 7, 10).astimezone(ZoneInfo(SEOUL)).date()

    first = [f"{day:%a}" for day in islice(working_days(saturday), 6)]
    assert first == ["Mon", "Tue", "Wed", "Thu", "Fri", "Mon"]


def test_a_time_of_ones_own_lies_ahead_and_within_a_year() -> None:
    assert not_then(NOON, now=NOON) is NotThen.PAST
    assert not_then(NOON - SECOND, now=NOON) is NotThen.PAST
    assert not_then(NOON + SECOND, now=NOON) is None
    assert not_then(NOON + LATEST, now=NOON) is None
    assert not_then(NOON + LATEST + SECOND, now=NOON) is NotThen.FAR


# What becomes of it.


def a_plan() -> MeetingPlan:
    return MeetingPlan(starts_at=NOON + DAY, minutes=30, place="", owner=GITCO)


def planned(before: PostMortem | None) -> PostMortem:
    return planned_meeting(
        before, a_plan(), incident=IncidentNumber(12), zone=SEOUL, by=GITCO, at=NOON + HOUR
    )


def test_the_first_one_counts_from_zero() -> None:
    meeting = planned(None)

    assert (meeting.id, meeting.sequence, meeting.state) == ("12", 0, MeetingState.SCHEDULED)
    assert meeting.created_at == NOON + HOUR


def test_a_moved_one_counts_on_and_is_asked_about_anew() -> None:
    meeting = planned(a_meeting(sequence=3, reminded=7))

    assert (meeting.sequence, meeting.reminded, meeting.created_at) == (4, 0, NOON)
    assert meeting.starts_at == NOON + DAY


def test_one_that_was_called_off_can_be_scheduled_anew() -> None:
    off = called_off(a_meeting(), by=SENA, why="nobody has time")

    assert (off.state, off.sequence, off.why) == (MeetingState.CALLED_OFF, 1, "nobody has time")
    assert (planned(off).state, planned(off).sequence, planned(off).why) == (MeetingState.SCHEDULED, 2, "")


def test_one_that_was_held_stays_held() -> None:
    over = held(a_meeting(), by=GITCO, at=NOON)

    assert (over.state, over.held_at, over.by, over.sequence) == (MeetingState.HELD, NOON, GITCO, 0)
    with pytest.raises(IllegalMeeting):
        planned(over)
    with pytest.raises(IllegalMeeting):
        held(over, by=SENA, at=NOON)
    with pytest.raises(IllegalMeeting):
        called_off(over, by=SENA, why="")


# Reminding.


def test_before_it_begins_everybody_is_reminded_a_quarter_of_an_hour_ahead() -> None:
    meeting = a_meeting()
    soon = meeting.starts_at - REMIND_BEFORE

    assert next_reminder(meeting, now=NOON - DAY) == (Reminder.SOON, soon)
    assert next_reminder(meeting, now=soon - SECOND) == (Reminder.SOON, soon)


def test_from_then_on_it_is_asked_about_on_the_next_working_day_at_ten() -> None:
    meeting = a_meeting()
    wednesday = local(SEOUL, 2026, 3, 4, 10)

    assert next_reminder(meeting, now=meeting.starts_at - REMIND_BEFORE) == (Reminder.HELD, wednesday)
    assert next_reminder(meeting, now=meeting.ends_at) == (Reminder.HELD, wednesday)
    assert next_reminder(meeting, now=wednesday) == (Reminder.HELD, wednesday + DAY)


def test_one_that_ends_before_ten_is_asked_about_on_its_own_day() -> None:
    early = a_meeting(starts_at=local(SEOUL, 2026, 3, 3, 9), minutes=30)

    assert next_reminder(early, now=early.ends_at) == (Reminder.HELD, local(SEOUL, 2026, 3, 3, 10))


def test_one_that_ends_at_ten_is_asked_about_a_day_later() -> None:
    assert next_asking(local(SEOUL, 2026, 3, 3, 10), SEOUL) == local(SEOUL, 2026, 3, 4, 10)


def test_nobody_is_asked_on_a_weekend() -> None:
    friday = a_meeting(starts_at=local(SEOUL, 2026, 3, 6, 14))

    assert next_reminder(friday, now=friday.ends_at) == (Reminder.HELD, local(SEOUL, 2026, 3, 9, 10))


def test_after_ten_questions_others_hear_of_it_once() -> None:
    after = NOON + 30 * DAY

    def asked(times: int) -> Reminder | None:
        found = next_reminder(a_meeting(reminded=times), now=after)
        return found[0] if found else None

    assert asked(ASK_AT_MOST - 1) is Reminder.HELD
    assert asked(ASK_AT_MOST) is Reminder.UNANSWERED
    assert asked(ASK_AT_MOST + 1) is None


@pytest.mark.parametrize("state", [MeetingState.HELD, MeetingState.CALLED_OFF])
def test_what_has_ended_is_not_reminded_of(state: MeetingState) -> None:
    assert next_reminder(a_meeting(state=state), now=NOON) is None


@pytest.mark.parametrize("severity", Severity)
def test_a_post_mortem_is_expected_after_what_was_grave(severity: Severity) -> None:
    incident = an_incident(severity=severity)

    assert is_expected(incident) is (severity in (Severity.CRITICAL, Severity.HIGH))
    assert not is_expected(replace(incident, merged_into=IncidentNumber(13)))
