"""``/canary logs`` and ``/canary probe``: one look, for the person who asks."""

from datetime import timedelta

from bot.slack.commands import Answer, LookCommand, parse_logs, parse_probe
from bot.slack.listeners.table import Request, Table
from bot.slack.text import Markup
from bot.usecases.look_at_canary import AskForLook, ask_for_look
from bot.usecases.ports import Clock, Playbooks, Store


def register(table: Table, *, store: Store, playbooks: Playbooks, clock: Clock) -> None:
    """Add them to the table."""

    async def ask(request: Request, command: LookCommand) -> None:
        asked = AskForLook(
            key=request.key,
            look=command.look,
            target=command.target,
            person=request.sender.person,
            channel=request.sender.channel,
            acting_team=request.sender.team,
        )
        await ask_for_look(asked, store=store, clock=clock)

    async def logs(request: Request, rest: str) -> str:
        command = parse_logs(rest, targets=playbooks.current().targets, words=request.words)
        if isinstance(command, Answer):
            return command.text
        await ask(request, command)
        return request.words.say("Reading the log of {target} …", target=request.words.bold(command.target))

    async def probe(request: Request, rest: str) -> str:
        command = parse_probe(rest, targets=playbooks.current().targets, words=request.words)
        if isinstance(command, Answer):
            return command.text
        await ask(request, command)
        return _probing(request, command)

    table.canary_verbs["logs"] = logs
    table.canary_verbs["probe"] = probe


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
