"""Rendering an incident's failure record anew: as a message, and as a file in its thread."""

from dataclasses import replace
from datetime import datetime

from bot.domain.ids import ChannelId, IncidentNumber
from bot.domain.timeline import Event
from bot.usecases.journal import Line, write_lines
from bot.usecases.ports import Showing, Transaction


def show_record(tx: Transaction, number: IncidentNumber, *, channel: ChannelId, at: datetime) -> None:
    """Post the record, or edit it where it stands, and upload this edition of it."""
    incident = tx.incident(number)
    edition = incident.edition + 1
    tx.save_incident(replace(incident, edition=edition))
    line = Line(event=Event.RECORD_POSTED, key=f"record:{edition}", facts={"edition": edition})
    write_lines(tx, number, [line], at=at, channel=channel)
    tx.show(Showing.RECORD, str(number), channel=channel)
    under = f"{Showing.RECORD}:{number}"
    tx.show(Showing.RECORD_FILE, f"{number}:{edition}", channel=channel, under=under)
