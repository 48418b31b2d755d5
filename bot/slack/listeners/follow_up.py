"""Follow-ups: the command, and the buttons and modals of their cards."""

from collections.abc import Mapping
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from bot.domain.acts import Verb
from bot.domain.follow_up import FollowUp, is_past
from bot.domain.ids import incident_in, incident_label
from bot.domain.incident import Incident
from bot.slack.ids import ActionId, CallbackId
from bot.slack.listeners.acts import act_of
from bot.slack.listeners.fields import from_modal
from bot.slack.listeners.table import OnPress, OnSubmit, Request, Table
from bot.slack.text import Words
from bot.slack.views.drill_marks import marked_modal
from bot.slack.views.follow_up_modals import drop_modal, give_modal, move_modal
from bot.slack.views.modals import LONGEST_WHY
from bot.usecases.act import accept_act
from bot.usecases.ports import Clock, Playbooks, Store, Transaction
from bot.usecases.show_follow_ups import show_privately


class _Form(Protocol):
    def __call__(self, follow_up: FollowUp, words: Words, /, *, channel: str) -> dict[str, Any]: ...


def register(table: Table, *, store: Store, playbooks: Playbooks, clock: Clock) -> None:
    """Add them to the table."""

    async def command(request: Request, incident: Incident, rest: str) -> str:
        sender, at = request.sender, clock()
        await store.change(
            lambda tx: show_privately(tx, incident.number, sender.person, sender.channel, request.key, at=at)
        )
        label = request.words.bold(incident_label(incident.number))
        return request.words.say("The follow-ups of {label} …", label=label)

    async def _act(request: Request, verb: Verb, id: str, **words: str) -> None:
        act = act_of(request, verb, incident_in(id), follow_up=id, **words)
        await accept_act(act, store=store, clock=clock)

    def press(verb: Verb) -> OnPress:
        async def pressed(request: Request, action: Mapping[str, Any]) -> None:
            await _act(request, verb, action["value"])

        return pressed

    def asking(form: _Form) -> OnPress:
        async def pressed(request: Request, action: Mapping[str, Any]) -> dict[str, Any]:
            follow_up, incident = await store.look(lambda tx: _read(tx, action["value"]))
            made = form(follow_up, request.words, channel=request.sender.channel)
            # The cards are shown to one person as well, and Slack does not echo the mark of such a message.
            return marked_modal(made, request.words) if incident.drill else made

        return pressed

    def moving(follow_up: FollowUp, words: Words, *, channel: str) -> dict[str, Any]:
        zone = ZoneInfo(playbooks.current().time_zone)
        day = max(follow_up.due_at, clock()).astimezone(zone).date()
        return move_modal(follow_up, words, day=day, channel=channel)

    async def give(request: Request) -> dict[str, str] | None:
        there, (id,), fields = from_modal(request)
        owner = fields.person(ActionId.FOLLOW_UP_OWNER)
        if not owner:
            return {ActionId.FOLLOW_UP_OWNER: request.words.plain("Choose somebody.")}
        await _act(there, Verb.ASSIGN_FOLLOW_UP, id, owner=owner)
        return None

    async def move(request: Request) -> dict[str, str] | None:
        there, (id,), fields = from_modal(request)
        words, day = request.words, fields.day(ActionId.FOLLOW_UP_DAY)
        why = fields.text(ActionId.FOLLOW_UP_WHY, limit=LONGEST_WHY)
        if day is None or is_past(day, zone=playbooks.current().time_zone, at=clock()):
            return {ActionId.FOLLOW_UP_DAY: words.plain("Choose today or a later day.")}
        if not why:
            return {ActionId.FOLLOW_UP_WHY: words.plain("Write a reason; it stands in the timeline.")}
        await _act(there, Verb.MOVE_FOLLOW_UP, id, day=day.isoformat(), why=why)
        return None

    async def drop(request: Request) -> dict[str, str] | None:
        there, (id,), fields = from_modal(request)
        why = fields.text(ActionId.FOLLOW_UP_WHY, limit=LONGEST_WHY)
        if not why:
            words = request.words
            return {ActionId.FOLLOW_UP_WHY: words.plain("Write a reason; it stands in the timeline.")}
        await _act(there, Verb.DROP_FOLLOW_UP, id, why=why)
        return None

    table.incident_verbs["followups"] = command
    presses: dict[str, OnPress] = {
        ActionId.FOLLOW_UP_TAKE: press(Verb.TAKE_FOLLOW_UP),
        ActionId.FOLLOW_UP_DONE: press(Verb.FINISH_FOLLOW_UP),
        ActionId.FOLLOW_UP_REOPEN: press(Verb.REOPEN_FOLLOW_UP),
        ActionId.FOLLOW_UP_ASSIGN: asking(give_modal),
        ActionId.FOLLOW_UP_MOVE: asking(moving),
        ActionId.FOLLOW_UP_DROP: asking(drop_modal),
    }
    submissions: dict[str, OnSubmit] = {
        CallbackId.FOLLOW_UP_ASSIGN: give,
        CallbackId.FOLLOW_UP_MOVE: move,
        CallbackId.FOLLOW_UP_DROP: drop,
    }
    table.presses |= presses
    table.submissions |= submissions


def _read(tx: Transaction, id: str) -> tuple[FollowUp, Incident]:
    return tx.kept(FollowUp, id), tx.incident(incident_in(id))
