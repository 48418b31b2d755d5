"""A meeting as an iCalendar file (RFC 5545): the same entry makes the same bytes.

It is published (METHOD:PUBLISH, RFC 5546) and invites nobody by e-mail: Backout knows no addresses, so
there is no ATTENDEE, and no ORGANIZER either, whose value would have to be one.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from bot.domain.calendar_entry import CalendarEntry
from bot.domain.post_mortem import REMIND_BEFORE

if TYPE_CHECKING:
    from icalendar import Event, Timezone

#: How much of a zone's clock changes goes along, on either side of the meeting: clients that know the zone
#: by its name use their own table, and the others need it for this one moment.
AROUND = timedelta(days=366)
_UTC_ZONES = frozenset({"UTC", "Etc/UTC"})
_STEP = timedelta(days=1)


def calendar_file(entry: CalendarEntry) -> bytes:
    """Return the file, UTF-8 with CRLF, no line longer than 75 octets."""
    # Imported with the first meeting: no command waits for it.
    from icalendar import Calendar

    calendar: Calendar = Calendar()
    calendar.add("prodid", "-//Backout//Post-mortem//EN")
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", "PUBLISH")
    if entry.zone not in _UTC_ZONES:
        calendar.add_component(_timezone(entry))
    calendar.add_component(_event(entry))
    return bytes(calendar.to_ical())


def _event(entry: CalendarEntry) -> "Event":
    from icalendar import Event

    event: Event = Event()
    event.add("uid", entry.uid)
    event.add("dtstamp", _second(entry.changed_at))
    event.add("last-modified", _second(entry.changed_at))
    event.add("sequence", entry.sequence)
    begins, ends = _local(entry.starts_at, entry.zone), _local(entry.ends_at, entry.zone)
    if begins.fold or ends.fold:
        # A wall clock that shows an hour twice means the first time by it (RFC 5545, 3.3.5).
        begins, ends = begins.astimezone(UTC), ends.astimezone(UTC)
    event.add("dtstart", begins)
    event.add("dtend", ends)
    event.add("summary", entry.title)
    event.add("description", entry.description)
    if entry.place:
        event.add("location", entry.place)
    event.add("status", "CANCELLED" if entry.cancelled else "CONFIRMED")
    event.add("transp", "TRANSPARENT" if entry.cancelled else "OPAQUE")
    if not entry.cancelled:
        _ring(event, entry.title)
    return event


def _ring(event: "Event", text: str) -> None:
    from icalendar import Alarm

    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("description", text)
    alarm.add("trigger", -REMIND_BEFORE)
    event.add_component(alarm)


def _second(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(microsecond=0)


def _local(at: datetime, zone: str) -> datetime:
    """Return a moment in its zone; in UTC itself it is written with a Z, and needs no zone."""
    return _second(at) if zone in _UTC_ZONES else _second(at).astimezone(ZoneInfo(zone))


# The zone's own rules. The library writes the beginning of summer time an hour late (RFC 5545, 3.6.5: the
# onset is local time by the offset before it), so they are written here.


def _timezone(entry: CalendarEntry) -> "Timezone":
    from icalendar import Timezone, TimezoneDaylight, TimezoneStandard

    zone = ZoneInfo(entry.zone)
    timezone: Timezone = Timezone()
    timezone.add("tzid", entry.zone)
    for onset in _onsets(zone, entry.starts_at - AROUND, entry.ends_at + AROUND):
        before, after = (onset - timedelta(seconds=1)).astimezone(zone), onset.astimezone(zone)
        part = TimezoneDaylight() if after.dst() else TimezoneStandard()
        part.add("dtstart", (onset + _offset(before)).replace(tzinfo=None))
        part.add("tzoffsetfrom", _offset(before))
        part.add("tzoffsetto", _offset(after))
        part.add("tzname", after.tzname() or entry.zone)
        timezone.add_component(part)
    return timezone


def _offset(local: datetime) -> timedelta:
    return local.utcoffset() or timedelta()


def _onsets(zone: ZoneInfo, since: datetime, until: datetime) -> Iterator[datetime]:
    """Yield `since` as a whole hour, and then every moment (UTC) at which the zone's clocks change."""
    at = since.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    yield at
    while at < until:
        following = at + _STEP
        if _rule(at, zone) != _rule(following, zone):
            yield _changed_between(at, following, zone)
        at = following


def _changed_between(first: datetime, last: datetime, zone: ZoneInfo) -> datetime:
    """Return the first second at which the rule of `last` holds."""
    old = _rule(first, zone)
    while last - first > timedelta(seconds=1):
        middle = first + timedelta(seconds=(last - first) // timedelta(seconds=2))
        first, last = (middle, last) if _rule(middle, zone) == old else (first, middle)
    return last


def _rule(at: datetime, zone: ZoneInfo) -> tuple[timedelta | None, timedelta | None, str | None]:
    local = at.astimezone(zone)
    return local.utcoffset(), local.dst(), local.tzname()
