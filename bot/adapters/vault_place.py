"""Where a file may be kept: a relative path of safe names, whatever a row of the database says."""

import re

from bot.usecases.ports import VaultDown

#: Longest path, the database column's.
LONGEST_PLACE = 300
_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]*"
_PLACE = re.compile(rf"{_NAME}(/{_NAME})*")


def parts_of(place: str) -> tuple[str, ...]:
    """Return the names that `place` is made of, folders first.

    Raises:
        VaultDown: it is no path of safe names: somebody has changed the row that it was made from.
    """
    if len(place) > LONGEST_PLACE or not _PLACE.fullmatch(place):
        raise VaultDown(f"{place[:LONGEST_PLACE]!r} is no place for evidence")
    return tuple(place.split("/"))
