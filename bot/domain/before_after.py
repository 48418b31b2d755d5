"""Two first readings of one incident compared: what was there before the rollback and is there after it."""

from dataclasses import dataclass

from bot.domain.first_reading import ErrorGroup, FirstReading


@dataclass(frozen=True, kw_only=True)
class Compared:
    """What became of the kinds of errors that the canary had, as far as both readings keep them.

    `gone` is how many of them neither side has any more, None where a log of the second reading could not
    be read. `stay` are those that some side still has, and `came` those that nobody had before; empty where
    the first reading cannot say what there was.
    """

    gone: int | None
    stay: tuple[ErrorGroup, ...]
    came: tuple[ErrorGroup, ...]


def compared(before: FirstReading, after: FirstReading) -> Compared:
    """Return what became of the kinds of errors; endpoints are not told apart, for a path may be new."""
    had = {group.shape for group in before.groups if group.canary}
    known = {group.shape for group in before.groups}
    now = [group for group in after.groups if group.canary or group.stable]
    stay = tuple(group for group in now if group.shape in had)
    read = None not in after.lines
    complete = None not in before.lines and before.kinds == len(before.groups)
    return Compared(
        gone=len(had - {group.shape for group in stay}) if read else None,
        stay=stay,
        came=tuple(group for group in now if group.shape not in known) if complete else (),
    )
