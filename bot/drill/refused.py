"""Why a drill is not played, in the reader's language."""

from typing import Any

from bot.domain.ids import incident_label
from bot.slack.text import Words
from bot.usecases.begin_drill import RealIncidentOpen


class Refused(Exception):
    """A drill is not played here. `message` is marked for the catalogs by whoever raises it."""

    def __init__(self, message: str, **values: Any) -> None:
        super().__init__(message.format(**values))
        self.message = message
        self.values = values

    def said(self, words: Words) -> str:
        """Return why, and what to do about it."""
        return words.plain(self.message, **self.values)


class CannotPlay(Refused):
    """The playbook, the stories or the cloud do not hold what was asked for."""


class NotForDrills(Refused):
    """A database that must not, or cannot, keep drills."""


class NotSafe(Refused):
    """A drill in this Slack could reach production, or nobody at all."""


def why(refused: Refused | RealIncidentOpen, words: Words) -> str:
    """Return why a drill did not begin."""
    if isinstance(refused, Refused):
        return refused.said(words)
    return words.plain(
        "{label} is open and is no drill: close it first.", label=incident_label(refused.number)
    )
