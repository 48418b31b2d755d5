"""Closing an incident: the next rollback of its target opens a new one."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from bot.domain.ids import ChannelId, IncidentNumber, PersonId
from bot.domain.incident import Incident, IncidentState
from bot.domain.playbook import Permission
from bot.domain.timeline import Event
from bot.usecases.accept import accept
from bot.usecases.authorize import Acting, authorize, refusal_facts
from bot.usecases.journal import Line, audit, write_lines
from bot.usecases.ports import (
    Clock,
    Notice,
    NotKept,
    Said,
    Showing,
    Steps,
    Store,
    Transaction,
    Workflow,
)


async def accept_closing(
    key: str,
    number: IncidentNumber,
    person: PersonId,
    acting_team: str | None,
    channel: ChannelId,
    *,
    store: Store,
    clock: Clock,
) -> None:
    """Write the wish down, once per `key`."""
    who = {"person": person, "acting_team": acting_team or "", "channel": channel}
    id = f"{number}:{key}"
    wish = {"incident": str(number), **who}
    await accept(key, Workflow.CLOSE, id, store=store, clock=clock, **wish, key=key)


async def close_incident(arguments: Mapping[str, str], *, steps: Steps, use: Acting) -> None:
    """Close an incident, or say why not."""
    await steps.step("close", lambda: _close(arguments, use), into=str)


async def _close(arguments: Mapping[str, str], use: Acting) -> str:
    playbook = use.playbooks.current()
    key, person = arguments["key"], PersonId(arguments["person"])
    number, channel = IncidentNumber(int(arguments["incident"])), ChannelId(arguments["channel"])
    no = await authorize(
        person,
        Permission.COMPLETE_RECORD,
        acting_team=arguments["acting_team"] or None,
        playbook=playbook,
        people=use.people,
    )
    now = use.clock()

    def close(tx: Transaction) -> str:
        facts: dict[str, object] = {"incident": number}
        if no is not None:
            facts |= refusal_facts(no)
            audit(
                tx, Line(event=Event.CLOSE_REFUSED, key=f"refused:{key}", actor=person, facts=facts), at=now
            )
            what = Said.REFUSED
        else:
            what = _closed(tx, number, person, ChannelId(playbook.channels.incidents), at=now, key=key)
        tx.tell(Notice(what=what, person=person, channel=channel, facts=facts), key=f"{what}:{key}")
        return what

    return await use.store.change(close)


def _closed(
    tx: Transaction, number: IncidentNumber, by: PersonId, incidents: ChannelId, *, at: datetime, key: str
) -> Said:
    try:
        incident = tx.incident(number)
    except NotKept:
        return Said.NO_SUCH_INCIDENT
    if _still_running(tx, incident):
        return Said.STILL_RUNNING
    if incident.state is IncidentState.OPEN:
        tx.save_incident(replace(incident, state=IncidentState.CLOSED, closed_at=at))
        line = Line(event=Event.INCIDENT_CLOSED, key=f"closed:{key}", actor=by)
        write_lines(tx, number, [line], at=at, channel=incidents)
        tx.show(Showing.BOARD, str(number), channel=incidents)
    return Said.INCIDENT_CLOSED


def _still_running(tx: Transaction, incident: Incident) -> bool:
    running = tx.running_rollback(incident.target)
    return running is not None and running.incident == incident.number
