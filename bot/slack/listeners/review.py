"""The review after a failure: the controls of its points, and the modal that asks what was found."""

from collections.abc import Mapping
from typing import Any

from bot.domain.acts import Act, Verb
from bot.domain.review import Reviewed, reviewed
from bot.domain.steps import seen_mark
from bot.slack.ids import ActionId, CallbackId
from bot.slack.listeners.acts import act_of
from bot.slack.listeners.fields import from_modal
from bot.slack.listeners.table import Request, Table
from bot.slack.views.modals import LONGEST_WHY
from bot.slack.views.review_card import (
    STATES,
    ReviewChoice,
    ReviewPress,
    found_modal,
    read_review_press,
)
from bot.usecases.act import accept_act
from bot.usecases.editions import playbook_of
from bot.usecases.ports import Clock, NotKept, Playbooks, Store, Transaction


def register(table: Table, *, store: Store, playbooks: Playbooks, clock: Clock) -> None:
    """Add them to the table."""

    async def present(press: ReviewPress) -> Reviewed | None:
        """Return the point as it is now, None when it is gone."""
        current = playbooks.current()

        def read(tx: Transaction) -> Reviewed | None:
            try:
                incident = tx.incident(press.incident)
            except NotKept:
                return None
            return reviewed(incident, playbook_of(tx, incident, current), press.point)

        return await store.look(read)

    async def pressed(request: Request, action: Mapping[str, Any]) -> dict[str, Any] | None:
        chosen = action.get("selected_option") or action
        press = read_review_press(chosen["value"])
        if press.choice is ReviewChoice.FOUND:
            point = await present(press)
            if point is not None and press.seen == seen_mark(point.mark):
                return found_modal(press, point, request.words, channel=request.sender.channel)
        # What is older than the present state is answered where it is weighed, and nobody types in vain.
        await accept_act(act_of_review(request, press), store=store, clock=clock)
        return None

    async def found(request: Request) -> dict[str, str] | None:
        there, (value,), fields = from_modal(request)
        note = fields.text(ActionId.REVIEW_NOTE, limit=LONGEST_WHY)
        if not note:
            return {ActionId.REVIEW_NOTE: request.words.plain("Write what was found.")}
        act = act_of_review(there, read_review_press(value), why=note)
        await accept_act(act, store=store, clock=clock)
        return None

    table.presses[ActionId.REVIEW_POINT] = pressed
    table.submissions[CallbackId.REVIEW] = found


def act_of_review(request: Request, press: ReviewPress, *, why: str = "") -> Act:
    """Return the act a press on a point stands for."""
    return act_of(
        request,
        Verb.REVIEW,
        press.incident,
        point=press.point,
        state=STATES[press.choice].value,
        seen=press.seen,
        why=why,
    )
