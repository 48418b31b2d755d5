"""What a calendar is told of a meeting, in no format yet."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bot.domain.ids import incident_label
from bot.domain.incident import Incident


@dataclass(frozen=True, kw_only=True)
class CalendarEntry:
    """One meeting as of its change number `sequence`, made at `changed_at`. Times are aware, UTC.

    `uid` stays the same over all changes. `zone` is the IANA zone in whose time it stands: a meeting at
    ten stays at ten when the clocks change.
    """

    uid: str
    sequence: int
    changed_at: datetime
    starts_at: datetime
    minutes: int
    zone: str
    title: str
    description: str
    place: str
    cancelled: bool = False

    @property
    def ends_at(self) -> datetime:
        """When it is over, UTC."""
        return self.starts_at + timedelta(minutes=self.minutes)


def meeting_uid(incident: Incident) -> str:
    """Return the UID of an incident's meeting.

    Numbers begin at 1 in every installation, so the moment at which it was opened goes along: two
    installations' meetings then never replace each other in somebody's calendar.
    """
    opened = incident.opened_at.astimezone(UTC)
    return f"post-mortem-{incident_label(incident.number)}-{opened:%Y%m%dT%H%M%SZ}@backout"
