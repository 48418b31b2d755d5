"""The rollback checklist: the controls of its steps, their modals, and ``/incident checklist``."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bot.domain.acts import Act, Verb
from bot.domain.checklist import StepState
from bot.domain.ids import ChannelId
from bot.domain.incident import Incident, IncidentState
from bot.domain.steps import Step, seen_assigned, seen_mark, step_of
from bot.slack.ids import ActionId, CallbackId
from bot.slack.listeners.acts import act_of
from bot.slack.listeners.fields import Fields
from bot.slack.listeners.table import Request, Table
from bot.slack.views.announcement import channel_names
from bot.slack.views.checklist_card import StepChoice, StepPress, checklist_lines, read_press
from bot.slack.views.step_modals import LONGEST_WHY, assign_modal, read_metadata, why_modal
from bot.usecases.act import accept_act
from bot.usecases.editions import playbook_of
from bot.usecases.ports import Clock, NotKept, Playbooks, Showing, Store, Transaction
from bot.usecases.show_checklist import show_checklist

#: Which state a choice marks; the others take back or assign.
_MARKS = {
    StepChoice.DONE: StepState.DONE,
    StepChoice.DONE_BECAUSE: StepState.DONE,
    StepChoice.SKIP: StepState.SKIPPED,
    StepChoice.NOT_OK: StepState.NOT_OK,
}
_ASKS_WHY = frozenset({StepChoice.DONE_BECAUSE, StepChoice.SKIP, StepChoice.NOT_OK, StepChoice.UNDO_BECAUSE})


def register(table: Table, *, store: Store, playbooks: Playbooks, clock: Clock) -> None:
    """Add them to the table."""

    async def present(press: StepPress) -> Step | None:
        """Return the step as it is now, None when it is gone or can no longer be changed."""
        current = playbooks.current()

        def read(tx: Transaction) -> Step | None:
            try:
                incident = tx.incident(press.incident)
            except NotKept:
                return None
            if incident.state is not IncidentState.OPEN:
                return None
            return step_of(incident, playbook_of(tx, incident, current), press.step)

        return await store.look(read)

    async def pressed(request: Request, action: Mapping[str, Any]) -> dict[str, Any] | None:
        chosen = action.get("selected_option") or action
        press = read_press(chosen["value"])
        channel = request.sender.channel
        if press.choice in _ASKS_WHY or press.choice is StepChoice.ASSIGN:
            step = await present(press)
            if step is not None and _is_what_was_seen(press, step):
                if press.choice is StepChoice.ASSIGN:
                    return assign_modal(press, step, request.words, channel=channel)
                return why_modal(press, step, request.words, channel=channel, now=clock())
        # What is older than the present state is answered where it is weighed, and nobody types in vain.
        await accept_act(act_of_press(request, press), store=store, clock=clock)
        return None

    async def give_reason(request: Request) -> dict[str, str] | None:
        press, channel = read_metadata(request.body["view"]["private_metadata"])
        why = Fields(request.body["view"]).text(ActionId.STEP_WHY, limit=LONGEST_WHY)
        if not why:
            return {"why": request.words.plain("Write a reason.")}
        act = replace(act_of_press(request, press, why=why), channel=channel)
        await accept_act(act, store=store, clock=clock)
        return None

    async def assign(request: Request) -> dict[str, str] | None:
        press, channel = read_metadata(request.body["view"]["private_metadata"])
        owner = Fields(request.body["view"]).person(ActionId.STEP_OWNER)
        if not owner:
            return {"owner": request.words.plain("Choose a person.")}
        act = replace(act_of_press(request, press, owner=owner), channel=channel)
        await accept_act(act, store=store, clock=clock)
        return None

    async def show(request: Request, incident: Incident, rest: str) -> str:
        current, words = playbooks.current(), request.words

        def bring_up(tx: Transaction) -> tuple[str, str] | None:
            show_checklist(tx, incident.number, channel=ChannelId(current.channels.incidents))
            return tx.standing(f"{Showing.CHECKLIST}:{incident.number}")

        place = await store.change(bring_up)
        playbook = await store.look(lambda tx: playbook_of(tx, incident, current))
        told = checklist_lines(incident, playbook, words, now=clock())
        if not playbook.checklist:
            return told
        channel = channel_names([place[0] if place else current.channels.incidents])
        where = words.say("The card with the buttons is in {channel}.", channel=channel)
        return f"{told}\n{where}"

    table.presses[ActionId.STEP_DONE] = pressed
    table.presses[ActionId.STEP_MORE] = pressed
    table.submissions[CallbackId.STEP_WHY] = give_reason
    table.submissions[CallbackId.STEP_ASSIGN] = assign
    table.incident_verbs["checklist"] = show


def _is_what_was_seen(press: StepPress, step: Step) -> bool:
    if press.choice is StepChoice.ASSIGN:
        return step.open and press.seen == seen_assigned(step.assigned)
    return press.seen == seen_mark(step.mark)


def act_of_press(request: Request, press: StepPress, *, why: str = "", owner: str = "") -> Act:
    """Return the act a press on a step stands for; without an owner it is the person's own."""
    words = {"step": press.step, "seen": press.seen}
    if press.choice in (StepChoice.TAKE, StepChoice.ASSIGN):
        words["owner"] = owner or request.sender.person
        return act_of(request, Verb.ASSIGN_STEP, press.incident, **words)
    words["why"] = why
    if press.choice in _MARKS:
        state = _MARKS[press.choice].value
        return act_of(request, Verb.MARK_STEP, press.incident, state=state, **words)
    return act_of(request, Verb.UNDO_STEP, press.incident, **words)
