"""Command and parts: taken by a button, handed over and changed in modals."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bot.domain.acts import Verb
from bot.domain.ids import IncidentNumber
from bot.slack.ids import ActionId, CallbackId
from bot.slack.listeners.acts import act_of
from bot.slack.listeners.fields import from_modal
from bot.slack.listeners.table import Request, Table
from bot.usecases.act import accept_act
from bot.usecases.ports import Clock, Playbooks, Store


def register(table: Table, *, store: Store, playbooks: Playbooks, clock: Clock) -> None:
    """Add them to the table; the modals are opened from the board's menu."""

    async def take(request: Request, action: Mapping[str, Any]) -> None:
        number, _, seen = action["value"].partition(":")
        act = act_of(request, Verb.TAKE_COMMAND, IncidentNumber(int(number)), seen=seen)
        await accept_act(act, store=store, clock=clock)

    async def hand_over(request: Request) -> dict[str, str] | None:
        there, (number, seen), fields = from_modal(request)
        to = fields.person(ActionId.HAND_OVER_TO)
        if not to:
            return {ActionId.HAND_OVER_TO: request.words.plain("Choose somebody.")}
        act = act_of(there, Verb.HAND_OVER, IncidentNumber(int(number)), to=to, seen=seen)
        await accept_act(act, store=store, clock=clock)
        return None

    async def save_roles(request: Request) -> None:
        there, (number, had), fields = from_modal(request)
        before, wanted = set(filter(None, had.split(","))), set(fields.all_chosen(ActionId.MY_ROLES))
        changes = [(role, Verb.GIVE_UP_ROLE) for role in sorted(before - wanted)]
        changes += [(role, Verb.TAKE_ROLE) for role in sorted(wanted - before)]
        for role, verb in changes:
            act = act_of(there, verb, IncidentNumber(int(number)), role=role)
            await accept_act(replace(act, key=f"{act.key}:{role}"), store=store, clock=clock)

    table.presses[ActionId.TAKE_COMMAND] = take
    table.submissions[CallbackId.HAND_OVER] = hand_over
    table.submissions[CallbackId.ROLES] = save_roles
