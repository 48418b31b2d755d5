"""``/rollback`` and the buttons of its card."""

from collections.abc import Mapping
from typing import Any

from bot.domain.ids import RevisionName, RollbackId
from bot.slack.commands import Answer, parse_rollback
from bot.slack.ids import ActionId
from bot.slack.listeners.table import Request, Table
from bot.slack.views.drill_marks import marked_answer
from bot.slack.views.rollback_message import Message
from bot.usecases.ask_for_rollback import AskForRollback, ask_for_rollback
from bot.usecases.decide_rollback import Choice, Decision, accept_decision
from bot.usecases.ports import Clock, Playbooks, Store


def register(table: Table, *, store: Store, playbooks: Playbooks, clock: Clock) -> None:
    """Add them to the table."""

    async def rollback(request: Request) -> str | Message | dict[str, Any]:
        playbook = playbooks.current()
        command = parse_rollback(request.body.get("text", ""), targets=playbook.targets, words=request.words)
        if isinstance(command, Answer):
            return command.text

        wanted = AskForRollback(
            key=request.key,
            target=command.target,
            person=request.sender.person,
            acting_team=request.sender.team,
            channel=request.sender.channel,
            reason=command.reason,
            forced=command.forced,
        )
        asked = await ask_for_rollback(wanted, store=store, clock=clock, playbook=playbook)
        told = request.words.say("Looking at {target} …", target=request.words.bold(command.target))
        return marked_answer(told, request.words) if asked.in_drill else told

    async def decide(
        request: Request, choice: Choice, id: str, *, stable: str | None = None, all_the_same: bool = False
    ) -> None:
        decision = Decision(
            rollback=RollbackId(id),
            choice=choice,
            person=request.sender.person,
            acting_team=request.sender.team,
            channel=request.sender.channel,
            stable=RevisionName(stable) if stable else None,
            all_the_same=all_the_same,
        )
        await accept_decision(request.key, decision, store=store, clock=clock)

    async def go(request: Request, action: Mapping[str, Any]) -> None:
        await decide(request, Choice.ROLL_BACK, action["value"])

    async def go_all_the_same(request: Request, action: Mapping[str, Any]) -> None:
        await decide(request, Choice.ROLL_BACK, action["value"], all_the_same=True)

    async def cancel(request: Request, action: Mapping[str, Any]) -> None:
        await decide(request, Choice.CANCEL, action["value"])

    async def choose_stable(request: Request, action: Mapping[str, Any]) -> None:
        chosen = (action.get("selected_option") or {}).get("value")
        await decide(request, Choice.STABLE, action["block_id"].partition(":")[2], stable=chosen)

    table.commands["/rollback"] = rollback
    table.presses[ActionId.ROLL_BACK] = go
    table.presses[ActionId.ROLL_BACK_ALL_THE_SAME] = go_all_the_same
    table.presses[ActionId.CANCEL] = cancel
    table.presses[ActionId.CHOOSE_STABLE] = choose_stable
