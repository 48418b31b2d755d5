"""``/incident``, and the buttons and the modal of an incident's record."""

from collections.abc import Mapping
from typing import Any

from bot.domain.ids import ChannelId, IncidentNumber, incident_label
from bot.domain.incident import FailureType, FromPeople, Severity
from bot.domain.timeline import incident_chain
from bot.slack.commands import Answer, IncidentCommand, parse_incident
from bot.slack.ids import ActionId, CallbackId
from bot.slack.listeners.table import Request, Table
from bot.slack.text import Words, clean
from bot.slack.views.incident_text import incident_list_text, incident_text
from bot.slack.views.record_modal import LONGEST_TEXT, MOST_MINUTES, MOST_USERS, record_modal
from bot.usecases.close_incident import accept_closing
from bot.usecases.complete_record import RecordAnswers, accept_answers
from bot.usecases.ports import Clock, NotKept, Store

#: How many incidents ``/incident list`` shows.
LISTED = 15


def register(table: Table, *, store: Store, clock: Clock) -> None:
    """Add them to the table."""

    async def incident(request: Request) -> str | dict[str, Any]:
        command = parse_incident(request.body.get("text", ""), words=request.words)
        if isinstance(command, Answer):
            return command.text
        if command.verb == "list" or command.number is None:
            found = await store.look(lambda tx: tx.incidents(limit=LISTED))
            return incident_list_text(found, request.words)
        try:
            return await _about_one(request, command, command.number)
        except NotKept:
            return request.words.say(
                ":x: There is no {label}. See them with {command}.",
                label=incident_label(command.number),
                command=request.words.code("/incident list"),
            )

    async def _about_one(
        request: Request, command: IncidentCommand, number: IncidentNumber
    ) -> str | dict[str, Any]:
        words = request.words
        known = await store.look(lambda tx: tx.incident(number))
        if command.verb == "close":
            await _close(request, number)
            return words.say("Closing {label} …", label=words.bold(incident_label(number)))
        if command.verb == "record":
            return record_modal(known, words, channel=request.sender.channel)
        entries = await store.look(lambda tx: tx.timeline(incident_chain(number)))
        return incident_text(known, entries, words)

    async def _close(request: Request, number: IncidentNumber) -> None:
        sender = request.sender
        await accept_closing(
            request.key, number, sender.person, sender.team, sender.channel, store=store, clock=clock
        )

    async def close(request: Request, action: Mapping[str, Any]) -> None:
        await _close(request, IncidentNumber(int(action["value"])))

    async def open_record(request: Request, action: Mapping[str, Any]) -> dict[str, Any]:
        number = IncidentNumber(int(action["value"]))
        known = await store.look(lambda tx: tx.incident(number))
        return record_modal(known, request.words, channel=request.sender.channel)

    async def save_record(request: Request) -> dict[str, str] | None:
        answers, errors = read_answers(request)
        if errors or answers is None:
            return errors
        await accept_answers(request.key, answers, store=store, clock=clock)
        return None

    table.commands["/incident"] = incident
    table.presses[ActionId.CLOSE_INCIDENT] = close
    table.presses[ActionId.COMPLETE_RECORD] = open_record
    table.submissions[CallbackId.COMPLETE_RECORD] = save_record


def read_answers(request: Request) -> tuple[RecordAnswers | None, dict[str, str]]:
    """Read a submitted record modal; errors by block id say what to write instead."""
    view = request.body["view"]
    values = {action: field for block in view["state"]["values"].values() for action, field in block.items()}
    number, _, channel = view["private_metadata"].partition(":")
    errors: dict[str, str] = {}
    people = FromPeople(
        cause=_text(values, ActionId.RECORD_CAUSE),
        users_affected=_number(values, ActionId.RECORD_USERS, MOST_USERS, errors, request.words),
        data_loss={"yes": True, "no": False}.get(_chosen(values, ActionId.RECORD_DATA_LOSS) or ""),
        down_minutes=_number(values, ActionId.RECORD_DOWN, MOST_MINUTES, errors, request.words),
        actions=_text(values, ActionId.RECORD_ACTIONS),
        improvements=_text(values, ActionId.RECORD_IMPROVEMENTS),
    )
    if errors:
        return None, errors
    answers = RecordAnswers(
        incident=IncidentNumber(int(number)),
        person=request.sender.person,
        acting_team=request.sender.team,
        channel=ChannelId(channel),
        failure_type=FailureType(_chosen(values, ActionId.RECORD_TYPE) or FailureType.OTHER),
        severity=Severity(_chosen(values, ActionId.RECORD_SEVERITY) or Severity.MEDIUM),
        people=people,
    )
    return answers, errors


def _text(values: Mapping[str, Any], action: ActionId) -> str:
    return clean((values.get(action) or {}).get("value") or "", limit=LONGEST_TEXT)


def _chosen(values: Mapping[str, Any], action: ActionId) -> str | None:
    option = (values.get(action) or {}).get("selected_option")
    return option["value"] if option else None


def _number(
    values: Mapping[str, Any], action: ActionId, most: int, errors: dict[str, str], words: Words
) -> int | None:
    written = str((values.get(action) or {}).get("value") or "").strip()
    if not written:
        return None
    if written.isascii() and written.isdigit() and int(written) <= most:
        return int(written)
    errors[action] = words.plain("Write a whole number from 0 to {most}.", most=most)
    return None
