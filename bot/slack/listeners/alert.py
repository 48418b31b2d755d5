"""The buttons of an alert: stop, roll back now, not the canary, wait."""

from collections.abc import Mapping
from typing import Any

from bot.slack.ids import ActionId, CallbackId
from bot.slack.listeners.fields import from_modal
from bot.slack.listeners.table import Request, Table
from bot.slack.views.alert_message import not_the_canary_modal
from bot.slack.views.modals import LONGEST_WHY
from bot.usecases.answer_alert import AlertAnswer, Reply, accept_alert_answer
from bot.usecases.ports import Clock, Store


def register(table: Table, *, store: Store, clock: Clock) -> None:
    """Add them to the table."""

    async def answer(request: Request, alert: str, reply: Reply, why: str = "") -> None:
        given = AlertAnswer(
            alert=alert,
            reply=reply,
            person=request.sender.person,
            acting_team=request.sender.team,
            channel=request.sender.channel,
            why=why,
        )
        await accept_alert_answer(request.key, given, store=store, clock=clock)

    async def stop(request: Request, action: Mapping[str, Any]) -> None:
        await answer(request, action["value"], Reply.STOP)

    async def roll_back(request: Request, action: Mapping[str, Any]) -> None:
        await answer(request, action["value"], Reply.ROLL_BACK)

    async def hold(request: Request, action: Mapping[str, Any]) -> None:
        await answer(request, action["value"], Reply.HOLD)

    async def ask_why(request: Request, action: Mapping[str, Any]) -> dict[str, Any]:
        return not_the_canary_modal(action["value"], request.words, channel=request.sender.channel)

    async def not_the_canary(request: Request) -> dict[str, str] | None:
        there, (alert,), fields = from_modal(request)
        why = fields.text(ActionId.ALERT_WHY, limit=LONGEST_WHY)
        if not why:
            return {ActionId.ALERT_WHY: request.words.plain("Say in a word or two why it is not the canary.")}
        await answer(there, alert, Reply.NOT_THE_CANARY, why)
        return None

    table.presses[ActionId.ALERT_STOP] = stop
    table.presses[ActionId.ALERT_ROLL_BACK] = roll_back
    table.presses[ActionId.ALERT_HOLD] = hold
    table.presses[ActionId.ALERT_NOT_THE_CANARY] = ask_why
    table.submissions[CallbackId.ALERT_NOT_THE_CANARY] = not_the_canary
