"""The failure record: what only people know, asked in a modal."""

from collections.abc import Mapping
from typing import Any

from bot.domain.ids import ChannelId, IncidentNumber
from bot.domain.incident import FailureType, FromPeople, Incident, Severity
from bot.domain.review import Found, found_in_review
from bot.slack.ids import ActionId, CallbackId
from bot.slack.listeners.fields import Fields
from bot.slack.listeners.table import Request, Table
from bot.slack.text import Words
from bot.slack.views.record_modal import LONGEST_TEXT, MOST_MINUTES, MOST_USERS, record_modal
from bot.usecases.complete_record import RecordAnswers, accept_answers
from bot.usecases.editions import playbook_of
from bot.usecases.ports import Clock, Playbooks, Store, Transaction


def register(table: Table, *, store: Store, playbooks: Playbooks, clock: Clock) -> None:
    """Add it to the table."""

    async def asked(request: Request, number: IncidentNumber) -> dict[str, Any]:
        current = playbooks.current()

        def read(tx: Transaction) -> tuple[Incident, tuple[Found, ...]]:
            incident = tx.incident(number)
            return incident, found_in_review(incident, playbook_of(tx, incident, current))

        incident, found = await store.look(read)
        return record_modal(incident, request.words, channel=request.sender.channel, found=found)

    async def by_command(request: Request, incident: Incident, rest: str) -> dict[str, Any]:
        return await asked(request, incident.number)

    async def by_button(request: Request, action: Mapping[str, Any]) -> dict[str, Any]:
        return await asked(request, IncidentNumber(int(action["value"])))

    async def save(request: Request) -> dict[str, str] | None:
        answers, errors = read_answers(request)
        if errors or answers is None:
            return errors
        await accept_answers(request.key, answers, store=store, clock=clock)
        return None

    table.incident_verbs["record"] = by_command
    table.presses[ActionId.COMPLETE_RECORD] = by_button
    table.submissions[CallbackId.COMPLETE_RECORD] = save


def read_answers(request: Request) -> tuple[RecordAnswers | None, dict[str, str]]:
    """Read a submitted record modal; errors by block id say what to write instead."""
    view = request.body["view"]
    fields = Fields(view)
    number, _, channel = view["private_metadata"].partition(":")
    errors: dict[str, str] = {}
    people = FromPeople(
        cause=fields.text(ActionId.RECORD_CAUSE, limit=LONGEST_TEXT),
        users_affected=_number(fields, ActionId.RECORD_USERS, MOST_USERS, errors, request.words),
        data_loss={"yes": True, "no": False}.get(fields.chosen(ActionId.RECORD_DATA_LOSS) or ""),
        down_minutes=_number(fields, ActionId.RECORD_DOWN, MOST_MINUTES, errors, request.words),
        actions=fields.text(ActionId.RECORD_ACTIONS, limit=LONGEST_TEXT),
        improvements=fields.text(ActionId.RECORD_IMPROVEMENTS, limit=LONGEST_TEXT),
    )
    if errors:
        return None, errors
    answers = RecordAnswers(
        incident=IncidentNumber(int(number)),
        person=request.sender.person,
        acting_team=request.sender.team,
        channel=ChannelId(channel),
        failure_type=FailureType(fields.chosen(ActionId.RECORD_TYPE) or FailureType.OTHER),
        severity=Severity(fields.chosen(ActionId.RECORD_SEVERITY) or Severity.MEDIUM),
        people=people,
    )
    return answers, errors


def _number(fields: Fields, action: ActionId, most: int, errors: dict[str, str], words: Words) -> int | None:
    number = fields.whole(action)
    if fields.written(action) and (number is None or number > most):
        errors[action] = words.plain("Write a whole number from 0 to {most}.", most=most)
        return None
    return number
