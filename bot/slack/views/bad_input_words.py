"""What bad input is called, by kind; the watch's timeline and the replay share it."""

from collections.abc import Mapping

from bot.domain.bad_input import BadEntry
from bot.domain.plausible import Ignored
from bot.slack.text import N_, Words

_BAD: Mapping[Ignored | BadEntry, str] = {
    Ignored.TWICE: N_("the same window again"),
    Ignored.LATE: N_("too late"),
    Ignored.OVERLAPS: N_("a window that overlaps the one before"),
    Ignored.OTHER_REVISION: N_("of another revision, and too late"),
    Ignored.NO_LENGTH: N_("a window without length"),
    Ignored.NOT_A_NUMBER: N_("not a number"),
    Ignored.NEGATIVE: N_("below zero"),
    Ignored.TOO_LARGE: N_("larger than can be"),
    Ignored.MORE_ERRORS_THAN_REQUESTS: N_("more errors than requests"),
    Ignored.MORE_LATENCIES_THAN_REQUESTS: N_("more latencies than requests"),
    Ignored.NO_PERCENTAGE: N_("no percentage"),
    BadEntry.LATE: N_("entries that came after their time was closed"),
    BadEntry.TWICE: N_("entries that came twice"),
    BadEntry.ODD: N_("entries with a time or latency that cannot be"),
}


def bad_input_text(kind: Ignored | BadEntry, words: Words) -> str:
    """Return why something was left out, in a few words."""
    return words.plain(_BAD[kind])


def bad_input_kind(written: str) -> Ignored | BadEntry:
    """Return the kind that a timeline's line names."""
    return BadEntry(written) if written in set(BadEntry) else Ignored(written)
