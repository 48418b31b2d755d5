"""Closing an incident after a look at what is open, opening it again, and joining it to another."""

from collections.abc import Mapping
from typing import Any

from bot.domain.acts import Verb
from bot.domain.ids import IncidentNumber, incident_label
from bot.domain.incident import Incident, IncidentState
from bot.slack.commands import read_number
from bot.slack.ids import ActionId, CallbackId
from bot.slack.listeners.acts import act_of
from bot.slack.listeners.fields import from_modal
from bot.slack.listeners.table import Request, Table
from bot.slack.views.closing import closing_modal
from bot.usecases.act import accept_act
from bot.usecases.editions import playbook_of
from bot.usecases.look_what_is_open import look_what_is_open
from bot.usecases.ports import Clock, Playbooks, Store, Transaction


def register(table: Table, *, store: Store, playbooks: Playbooks, clock: Clock) -> None:
    """Add them to the table."""
    answers = _Ending(store=store, playbooks=playbooks, clock=clock)
    table.incident_verbs["close"] = answers.by_command
    table.incident_verbs["reopen"] = answers.reopen
    table.incident_verbs["join"] = answers.join
    table.presses[ActionId.CLOSE_INCIDENT] = answers.by_button
    table.presses[ActionId.REOPEN_INCIDENT] = answers.reopen_by_button
    table.submissions[CallbackId.CLOSE] = answers.close


class _Ending:
    """What is answered to whoever closes, reopens or joins incidents."""

    def __init__(self, *, store: Store, playbooks: Playbooks, clock: Clock) -> None:
        self._store = store
        self._playbooks = playbooks
        self._clock = clock

    async def by_command(self, request: Request, incident: Incident, rest: str) -> str | dict[str, Any]:
        return await self._ask(request, incident.number)

    async def by_button(self, request: Request, action: Mapping[str, Any]) -> dict[str, Any] | None:
        asked = await self._ask(request, IncidentNumber(int(action["value"])))
        return asked if isinstance(asked, dict) else None

    async def _ask(self, request: Request, number: IncidentNumber) -> str | dict[str, Any]:
        def look(tx: Transaction) -> dict[str, Any] | None:
            incident = tx.incident(number)
            if incident.state is IncidentState.CLOSED:
                return None
            playbook = playbook_of(tx, incident, self._playbooks.current())
            left = look_what_is_open(tx, incident, playbook)
            return closing_modal(incident, left, playbook, request.words, channel=request.sender.channel)

        asked = await self._store.look(look)
        if asked is not None:
            return asked
        # A press on an older board, or a closed one by its number: the act answers with how it stands.
        await self._act(request, Verb.CLOSE, number)
        return request.words.say("Closing {label} …", label=request.words.bold(incident_label(number)))

    async def close(self, request: Request) -> None:
        there, (number,), _ = from_modal(request)
        await self._act(there, Verb.CLOSE, IncidentNumber(int(number)))

    async def reopen(self, request: Request, incident: Incident, rest: str) -> str:
        await self._act(request, Verb.REOPEN, incident.number)
        label = request.words.bold(incident_label(incident.number))
        return request.words.say("Reopening {label} …", label=label)

    async def reopen_by_button(self, request: Request, action: Mapping[str, Any]) -> None:
        await self._act(request, Verb.REOPEN, IncidentNumber(int(action["value"])))

    async def join(self, request: Request, incident: Incident, rest: str) -> str:
        into, words = read_number(rest), request.words
        if into is None or into == incident.number:
            example = words.code(f"/incident join {incident.number} {incident.number + 1}")
            return words.say(
                ":x: Write two different numbers, such as {example}: the first one is closed, its timeline "
                "stays, and the second one goes on.",
                example=example,
            )
        await accept_act(
            act_of(request, Verb.JOIN, incident.number, into=str(into)), store=self._store, clock=self._clock
        )
        return words.say(
            "Joining {label} to {into} …",
            label=words.bold(incident_label(incident.number)),
            into=words.bold(incident_label(into)),
        )

    async def _act(self, request: Request, verb: Verb, number: IncidentNumber) -> None:
        await accept_act(act_of(request, verb, number), store=self._store, clock=self._clock)
