"""The files of evidence of an incident, listed, and evidence taken on somebody's word."""

from collections.abc import Mapping
from typing import Any

from bot.domain.acts import Verb
from bot.domain.exhibit import Exhibit
from bot.domain.ids import IncidentNumber
from bot.domain.incident import Incident
from bot.domain.taking import Taking, takings
from bot.slack.ids import ActionId
from bot.slack.listeners.acts import act_of
from bot.slack.listeners.fields import from_modal
from bot.slack.listeners.table import Request, Table
from bot.slack.views.exhibits import evidence_modal
from bot.usecases.act import accept_act
from bot.usecases.ports import Clock, Store, Transaction


def register(table: Table, *, store: Store, clock: Clock) -> None:
    """Add them to the table."""

    async def show(request: Request, incident: Incident, rest: str) -> dict[str, Any]:
        _, taken = await store.look(lambda tx: _read(tx, incident.number))
        return evidence_modal(incident, taken, request.words, channel=request.sender.channel)

    async def take(request: Request, action: Mapping[str, Any]) -> dict[str, Any]:
        number = IncidentNumber(int(action["value"]))
        there, _, _ = from_modal(request)
        await accept_act(act_of(there, Verb.TAKE_EVIDENCE, number), store=store, clock=clock)
        incident, taken = await store.look(lambda tx: _read(tx, number))
        return evidence_modal(incident, taken, request.words, channel=there.sender.channel, asked=True)

    table.incident_verbs["evidence"] = show
    table.presses[ActionId.TAKE_EVIDENCE] = take


def _read(tx: Transaction, number: IncidentNumber) -> tuple[Incident, tuple[Taking, ...]]:
    return tx.incident(number), takings(tx.find(Exhibit, incident=number))
