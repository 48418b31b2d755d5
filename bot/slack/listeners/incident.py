"""``/incident VERB [N] [rest]``: which incident is meant, and who answers the word."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bot.domain.ids import IncidentNumber, incident_label
from bot.domain.incident import Incident, IncidentState
from bot.slack.commands import WITHOUT_INCIDENT, Answer, IncidentCommand, parse_incident, unknown_word
from bot.slack.listeners.table import Request, Table
from bot.slack.views.drill_marks import marked_answer
from bot.slack.views.incident_text import which_incident_text
from bot.slack.views.rollback_message import Message
from bot.usecases.ports import NotKept, Store, Transaction

#: What follows these may begin with a number of its own: a text, or a scenario's number in the guide.
NUMBERS_IN_TEXT = frozenset({"note", "scenario"})


@dataclass(frozen=True, kw_only=True)
class Meant:
    """The incident a command is about (None: it does not say) and the rest of the line."""

    incident: Incident | None
    rest: str
    open_ones: Sequence[Incident] = ()


def register(table: Table, *, store: Store) -> None:
    """Add it to the table; every other listeners file adds its own verbs."""

    async def incident(request: Request) -> str | Message | dict[str, Any]:
        words = request.words
        command = parse_incident(request.body.get("text", ""), words=words)
        if isinstance(command, Answer):
            return command.text
        if command.verb in WITHOUT_INCIDENT:
            return await table.plain_incident_verbs[command.verb](request, command.rest)
        handle = table.incident_verbs.get(command.verb)
        if handle is None:
            return unknown_word("/incident", command.verb, table.incident_verbs, words)
        try:
            meant = await store.look(lambda tx: meant_by(tx, command))
        except NotKept:
            return words.say(
                ":x: There is no {label}. See them with {command}.",
                label=incident_label(command.number or IncidentNumber(0)),
                command=words.code("/incident list"),
            )
        if meant.incident is None:
            return which_incident_text(command.verb, meant.open_ones, words)
        answer = await handle(request, meant.incident, meant.rest)
        return marked_answer(answer, words) if meant.incident.drill else answer

    table.commands["/incident"] = incident


def meant_by(tx: Transaction, command: IncidentCommand) -> Meant:
    """Return the incident of a command: the one it names, else the only open one.

    Raises:
        NotKept: it names one that never was.
    """
    open_ones = tx.open_incidents()
    only = open_ones[0] if len(open_ones) == 1 else None
    if command.number is None:
        return Meant(incident=only, rest=command.rest, open_ones=open_ones)
    may_be_text = command.verb in NUMBERS_IN_TEXT and command.bare
    if may_be_text and only is not None and only.number != command.number:
        # "/incident note 340 users affected": the number belongs to the text.
        named = _kept(tx, command.number)
        if named is None or named.state is IncidentState.CLOSED:
            return Meant(incident=only, rest=f"{command.number} {command.rest}".strip())
    return Meant(incident=tx.incident(command.number), rest=command.rest)


def _kept(tx: Transaction, number: IncidentNumber) -> Incident | None:
    try:
        return tx.incident(number)
    except NotKept:
        return None
