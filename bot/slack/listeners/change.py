"""Less traffic or more resources for a canary: the buttons, the modals, and the buttons of the card."""

from collections.abc import Mapping
from typing import Any

from bot.domain.change import ChangeKind
from bot.domain.ids import ChangeId, ChannelId, IncidentNumber, TargetName
from bot.domain.resources import MOST_INSTANCES, Resource, Resources
from bot.slack.ids import ActionId, CallbackId
from bot.slack.listeners.fields import Fields
from bot.slack.listeners.table import Request, Table
from bot.slack.text import Words
from bot.slack.views.change_modals import add_resources_modal, read_metadata, reduce_traffic_modal
from bot.usecases.ask_for_change import AskForChange, ask_for_change
from bot.usecases.decide_change import ChangeChoice, ChangeDecision, accept_change_decision
from bot.usecases.open_change import open_change
from bot.usecases.ports import Clock, Playbooks, Store


def register(table: Table, *, store: Store, playbooks: Playbooks, clock: Clock) -> None:
    """Add them to the table."""

    async def target_of(request: Request, number: IncidentNumber) -> TargetName | None:
        sender = request.sender
        return await open_change(request.key, number, sender.person, sender.channel, store=store)

    async def reduce(request: Request, action: Mapping[str, Any]) -> dict[str, Any] | None:
        number = IncidentNumber(int(action["value"]))
        target = await target_of(request, number)
        if target is None:
            return None
        return reduce_traffic_modal(target, number, None, request.words, channel=request.sender.channel)

    async def add(request: Request, action: Mapping[str, Any]) -> dict[str, Any] | None:
        number = IncidentNumber(int(action["value"]))
        target = await target_of(request, number)
        if target is None:
            return None
        return add_resources_modal(target, number, request.words, channel=request.sender.channel)

    async def ask(request: Request, kind: ChangeKind, **wanted: Any) -> None:
        target, incident, channel = read_metadata(request.body["view"]["private_metadata"])
        asked = AskForChange(
            key=request.key,
            kind=kind,
            target=target,
            incident=incident,
            person=request.sender.person,
            acting_team=request.sender.team,
            channel=ChannelId(channel),
            **wanted,
        )
        await ask_for_change(asked, store=store, clock=clock, playbook=playbooks.current())

    async def submit_traffic(request: Request) -> dict[str, str] | None:
        percent, errors = read_percent(request)
        if percent is not None:
            await ask(request, ChangeKind.REDUCE_TRAFFIC, percent=percent)
        return errors or None

    async def submit_resources(request: Request) -> dict[str, str] | None:
        resources, errors = read_resources(request)
        if not errors:
            await ask(request, ChangeKind.ADD_RESOURCES, resources=resources)
        return errors or None

    async def decide(request: Request, action: Mapping[str, Any], choice: ChangeChoice) -> None:
        decision = ChangeDecision(
            change=ChangeId(action["value"]),
            choice=choice,
            person=request.sender.person,
            acting_team=request.sender.team,
            channel=request.sender.channel,
        )
        await accept_change_decision(request.key, decision, store=store, clock=clock)

    async def go(request: Request, action: Mapping[str, Any]) -> None:
        await decide(request, action, ChangeChoice.DO_IT)

    async def cancel(request: Request, action: Mapping[str, Any]) -> None:
        await decide(request, action, ChangeChoice.CANCEL)

    table.presses[ActionId.REDUCE_TRAFFIC] = reduce
    table.presses[ActionId.ADD_RESOURCES] = add
    table.presses[ActionId.CHANGE_GO] = go
    table.presses[ActionId.CHANGE_CANCEL] = cancel
    table.submissions[CallbackId.REDUCE_TRAFFIC] = submit_traffic
    table.submissions[CallbackId.ADD_RESOURCES] = submit_resources


def read_percent(request: Request) -> tuple[int | None, dict[str, str]]:
    """Read the share asked for; errors by block id say what to write instead."""
    target, _, _ = read_metadata(request.body["view"]["private_metadata"])
    percent, words = Fields(request.body["view"]).whole(ActionId.CHANGE_PERCENT), request.words
    if percent == 0:
        error = words.plain("No traffic at all is a rollback: use /rollback {target}.", target=target)
    elif percent is None or not 1 <= percent <= 99:
        error = words.plain("Write a whole number from 1 to 99, lower than the canary's share now.")
    else:
        return percent, {}
    return None, {ActionId.CHANGE_PERCENT: error}


def read_resources(request: Request) -> tuple[Resources, dict[str, str]]:
    """Read what is asked for; errors by block id say what to write instead."""
    fields, errors, words = Fields(request.body["view"]), dict[str, str](), request.words
    found: dict[str, int | None] = {
        Resource.MEMORY.value: fields.whole(ActionId.CHANGE_MEMORY),
        Resource.CPU.value: fields.whole(ActionId.CHANGE_CPU),
        Resource.MIN_INSTANCES.value: _instances(fields, ActionId.CHANGE_MIN_INSTANCES, errors, words),
        Resource.MAX_INSTANCES.value: _instances(fields, ActionId.CHANGE_MAX_INSTANCES, errors, words),
    }
    fewest, most = found[Resource.MIN_INSTANCES.value], found[Resource.MAX_INSTANCES.value]
    if fewest is not None and most is not None and fewest > most:
        errors[ActionId.CHANGE_MAX_INSTANCES] = words.plain(
            "Max instances must be at least min instances: write {fewest} or more.", fewest=fewest
        )
    if not errors and not any(amount is not None for amount in found.values()):
        errors[ActionId.CHANGE_MEMORY] = words.plain("Choose at least one of the four.")
    return Resources(**found), errors


def _instances(fields: Fields, action: ActionId, errors: dict[str, str], words: Words) -> int | None:
    number = fields.whole(action)
    if fields.written(action) and (number is None or not 1 <= number <= MOST_INSTANCES):
        errors[action] = words.plain("Write a whole number from 1 to {most}.", most=MOST_INSTANCES)
    return number
