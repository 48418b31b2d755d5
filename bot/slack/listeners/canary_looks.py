"""``/canary logs`` and ``/canary probe``: one look, for the person who asks."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from bot.domain.ids import TargetName
from bot.slack.commands import Answer, LookCommand, parse_logs, parse_probe
from bot.slack.listeners.table import Request, Table
from bot.slack.listeners.targets import told_of
from bot.slack.text import Markup
from bot.slack.views.rollback_message import Message
from bot.usecases.look_at_canary import AskForLook, ask_for_look
from bot.usecases.ports import Clock, Playbooks, Store


def register(table: Table, *, store: Store, playbooks: Playbooks, clock: Clock) -> None:
    """Add them to the table."""

    async def asked(
        request: Request, command: LookCommand | Answer, says: Callable[[Request, LookCommand], Markup]
    ) -> str | Message | dict[str, Any]:
        if isinstance(command, Answer):
            return command.text

        async def ask(request: Request, target: TargetName) -> str:
            wanted = AskForLook(
                key=request.key,
                look=command.look,
                target=target,
                person=request.sender.person,
                channel=request.sender.channel,
                acting_team=request.sender.team,
            )
            await ask_for_look(wanted, store=store, clock=clock)
            return says(request, command)

        return await told_of(request, command.target, ask, store=store, clock=clock)

    async def logs(request: Request, rest: str) -> str | Message | dict[str, Any]:
        command = parse_logs(rest, targets=playbooks.current().targets, words=request.words)
        return await asked(request, command, _reading)

    async def probe(request: Request, rest: str) -> str | Message | dict[str, Any]:
        command = parse_probe(rest, targets=playbooks.current().targets, words=request.words)
        return await asked(request, command, _probing)

    table.canary_verbs["logs"] = logs
    table.canary_verbs["probe"] = probe


def _reading(request: Request, command: LookCommand) -> Markup:
    return request.words.say("Reading the log of {target} …", target=request.words.bold(command.target))


def _probing(request: Request, command: LookCommand) -> Markup:
    words, action = request.words, command.look.action()
    least = timedelta(milliseconds=(action.requests - 1) * action.pause_ms)
    return words.say(
        "Sending {requests} requests to each side of {target}, {pause} ms apart; that takes {least} or "
        "more …",
        requests=action.requests,
        target=words.bold(command.target),
        pause=action.pause_ms,
        least=words.duration(least),
    )
