"""Bringing an incident's cards up to date: the board, the diagnosis and the checklist."""

from collections.abc import Mapping
from datetime import timedelta

from bot.domain.ids import ChannelId, IncidentNumber
from bot.domain.incident import IncidentState
from bot.usecases.ports import Clock, Playbooks, Showing, Steps, Store, Transaction, Workflow
from bot.usecases.show_checklist import show_checklist

#: The cards count minutes, so they are rendered anew this often, for this long.
FRESH_EVERY, FRESH_FOR = timedelta(seconds=60), timedelta(hours=4)


def show_incident(tx: Transaction, number: IncidentNumber, *, channel: ChannelId) -> None:
    """Post the incident's cards, or edit them where they stand."""
    for what in (Showing.BOARD, Showing.DIAGNOSIS):
        tx.show(what, str(number), channel=channel)
    show_checklist(tx, number, channel=channel)
    tx.refresh_homes(number)


async def tick(
    arguments: Mapping[str, str], *, steps: Steps, store: Store, playbooks: Playbooks, clock: Clock
) -> None:
    """Render the cards of an open incident anew, and come back in a minute."""
    number = IncidentNumber(int(arguments["incident"]))
    channel = ChannelId(playbooks.current().channels.incidents)
    now = clock()

    def freshen(tx: Transaction) -> str:
        incident = tx.incident(number)
        if incident.state is not IncidentState.OPEN or now - incident.opened_at > FRESH_FOR:
            return "not any more"
        show_incident(tx, number, channel=channel)
        tx.wake(Workflow.TICK, str(number), at=now + FRESH_EVERY, incident=str(number))
        return "fresh"

    await steps.step("tick", lambda: store.change(freshen), into=str)
