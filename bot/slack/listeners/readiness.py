"""``/canary ready``, and the buttons by which people confirm what no machine can check."""

from collections.abc import Mapping
from typing import Any

from bot.domain.ids import TargetName
from bot.slack.commands import DEFAULT_TARGET
from bot.slack.ids import ActionId
from bot.slack.listeners.table import Request, Table
from bot.slack.listeners.targets import on_target
from bot.usecases.check_readiness import ask_for_readiness
from bot.usecases.confirm_point import accept_confirmation
from bot.usecases.ports import Clock, Playbooks, Store


def register(table: Table, *, store: Store, playbooks: Playbooks, clock: Clock) -> None:
    """Add them to the table."""

    async def ask(request: Request, target: TargetName) -> None:
        sender = request.sender
        await ask_for_readiness(
            request.key,
            target,
            sender.person,
            sender.channel,
            acting_team=sender.team,
            store=store,
            clock=clock,
        )

    async def ready(request: Request, target: TargetName) -> str:
        await ask(request, target)
        return request.words.say(
            "Checking whether the team is ready for {target} …", target=request.words.bold(target)
        )

    async def check(request: Request, action: Mapping[str, Any]) -> None:
        targets = playbooks.current().targets
        wanted = TargetName(str(action.get("value") or DEFAULT_TARGET))
        await ask(request, wanted if wanted in targets else TargetName(next(iter(targets))))

    async def confirm(request: Request, action: Mapping[str, Any]) -> None:
        sender = request.sender
        await accept_confirmation(
            request.key,
            str(action["value"]),
            sender.person,
            sender.channel,
            acting_team=sender.team,
            store=store,
            clock=clock,
        )

    on_target(table, "ready", ready, store=store, playbooks=playbooks, clock=clock)
    table.presses[ActionId.CHECK_READINESS] = check
    table.presses[ActionId.CONFIRM_POINT] = confirm
