"""Reading a timeline page by page, correcting a line, and taking it along as files."""

from collections.abc import Mapping
from typing import Any

from bot.domain.acts import Verb
from bot.domain.ids import IncidentNumber, incident_label
from bot.domain.incident import Incident
from bot.domain.timeline import Entry, as_it_happened, incident_chain
from bot.slack.ids import ActionId
from bot.slack.listeners.acts import act_of
from bot.slack.listeners.table import Request, Table
from bot.slack.modal_memory import recall
from bot.slack.views.note_modals import correct_modal
from bot.slack.views.timeline_modal import timeline_modal
from bot.usecases.act import accept_act
from bot.usecases.ports import Clock, Store, Transaction


def register(table: Table, *, store: Store, clock: Clock) -> None:
    """Add them to the table."""

    async def show(request: Request, incident: Incident, rest: str) -> str | dict[str, Any]:
        if rest and not (rest.isascii() and rest.isdigit()):
            example = request.words.code(f"/incident show {incident.number} 2")
            return request.words.say(":x: Only a page can follow, such as {example}.", example=example)
        page = int(rest[:6]) if rest else None
        return await _page(request, incident.number, page=page, channel=request.sender.channel)

    async def turn(request: Request, action: Mapping[str, Any]) -> dict[str, Any]:
        number, _, page = action["value"].partition(":")
        channel, _ = recall(request.body["view"])
        return await _page(request, IncidentNumber(int(number)), page=int(page), channel=channel)

    async def _page(
        request: Request, number: IncidentNumber, *, page: int | None, channel: str
    ) -> dict[str, Any]:
        incident, entries = await store.look(lambda tx: read(tx, number))
        told = as_it_happened(entries)
        return timeline_modal(incident, told, request.words, channel=channel, page=page)

    async def correct(request: Request, action: Mapping[str, Any]) -> dict[str, Any] | None:
        number, _, line = action["value"].partition(":")
        incident, entries = await store.look(lambda tx: read(tx, IncidentNumber(int(number))))
        wrong = next((entry for entry in entries if entry.sequence == int(line)), None)
        channel, _ = recall(request.body["view"])
        return correct_modal(incident, wrong, request.words, channel=channel) if wrong else None

    async def export(request: Request, incident: Incident, rest: str) -> str:
        await accept_act(act_of(request, Verb.EXPORT, incident.number), store=store, clock=clock)
        label = request.words.bold(incident_label(incident.number))
        return request.words.say("Writing the timeline of {label} as JSON and CSV …", label=label)

    table.incident_verbs["show"] = show
    table.incident_verbs["export"] = export
    table.presses[ActionId.TIMELINE_OLDER] = turn
    table.presses[ActionId.TIMELINE_NEWER] = turn
    table.presses[ActionId.CORRECT_LINE] = correct


def read(tx: Transaction, number: IncidentNumber) -> tuple[Incident, tuple[Entry, ...]]:
    """Return an incident with its timeline."""
    return tx.incident(number), tx.timeline(incident_chain(number))
