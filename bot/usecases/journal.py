"""Writing the timeline, and showing the new lines in the incident's thread."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bot.domain.ids import ChannelId, IncidentNumber
from bot.domain.timeline import AUDIT, BACKOUT, Event, incident_chain
from bot.usecases.ports import Showing, Transaction


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line to write: what happened, by whom; `key` makes it unique in its timeline."""

    event: Event
    key: str
    actor: str = BACKOUT
    facts: Mapping[str, Any] = field(default_factory=dict)


def board_key(number: IncidentNumber) -> str:
    """Return the key of an incident's board, under which its log lines are posted."""
    return f"{Showing.BOARD}:{number}"


def write_lines(
    tx: Transaction, number: IncidentNumber, lines: Iterable[Line], *, at: datetime, channel: ChannelId
) -> None:
    """Append `lines` to the incident's timeline and post those that are new in its thread, as one message."""
    new = [
        sequence
        for line in lines
        if (
            sequence := tx.write_down(
                incident_chain(number), line.event, key=line.key, at=at, actor=line.actor, **line.facts
            )
        )
    ]
    if new:
        # Whatever changes for anybody leaves a line: a page, a step, a follow-up.
        tx.refresh_homes(number)
        tx.show(Showing.LOG, f"{number}:{new[0]}-{new[-1]}", channel=channel, under=board_key(number))


def audit(tx: Transaction, line: Line, *, at: datetime) -> None:
    """Append a line that belongs to no incident."""
    tx.write_down(AUDIT, line.event, key=line.key, at=at, actor=line.actor, **line.facts)
