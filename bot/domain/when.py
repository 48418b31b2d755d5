"""When something happened, as a person writes it: a time of day or so long ago."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?")
_AGO = re.compile(r"-(\d{1,4})(s|m|h|d)")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def looks_like_a_time(text: str) -> bool:
    """True for ``14:05``, ``14:05:30`` and ``-10m``, also where the numbers are impossible."""
    return bool(re.fullmatch(r"\d{1,2}:\d{2}(:\d{2})?|-\d{1,4}[smhd]", text.lower()))


def read_when(text: str, *, zone: str, now: datetime) -> datetime | None:
    """Return the moment (aware, UTC) that ``14:05`` or ``-10m`` means; None when it means none.

    A time of day is in `zone` (an IANA name) and the latest one that is not in the future, so that
    23:58 written at five past midnight is last night's.
    """
    ago = _AGO.fullmatch(text.lower())
    if ago is not None:
        return now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    clock = _CLOCK.fullmatch(text)
    if clock is None:
        return None
    local = now.astimezone(ZoneInfo(zone))
    meant = local.replace(hour=int(clock[1]), minute=int(clock[2]), second=int(clock[3] or 0), microsecond=0)
    if meant > local:
        meant -= timedelta(days=1)
    return meant.astimezone(UTC)
