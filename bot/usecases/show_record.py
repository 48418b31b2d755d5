"""Rendering an incident's failure record anew: as a message, and by a workflow as files in its thread."""

from dataclasses import replace
from datetime import datetime

from bot.domain.ids import ChannelId, IncidentNumber
from bot.domain.timeline import Event
from bot.usecases.journal import Line, write_lines
from bot.usecases.ports import Showing, Transaction, Workflow
from bot.usecases.read_case import seals_of


def show_record(tx: Transaction, number: IncidentNumber, *, channel: ChannelId, at: datetime) -> None:
    """Post the record, or edit it where it stands, and let a new edition of it be filed and uploaded."""
    incident = tx.incident(number)
    edition = incident.edition + 1
    tx.save_incident(replace(incident, edition=edition))
    facts = {"edition": edition, "seals": seals_of(tx, number)}
    line = Line(event=Event.RECORD_POSTED, key=f"record:{edition}", facts=facts)
    write_lines(tx, number, [line], at=at, channel=channel)
    tx.show(Showing.RECORD, str(number), channel=channel)
    tx.start(Workflow.PUBLISH, f"{number}:{edition}", incident=str(number), edition=str(edition))
