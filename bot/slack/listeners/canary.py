"""``/canary``: how the canary stands."""

from bot.slack.commands import Answer, parse_canary
from bot.slack.listeners.table import Request, Table
from bot.usecases.ports import Clock, Playbooks, Store
from bot.usecases.report_status import ask_for_status


def register(table: Table, *, store: Store, playbooks: Playbooks, clock: Clock) -> None:
    """Add it to the table."""

    async def canary(request: Request) -> str:
        targets = playbooks.current().targets
        command = parse_canary(request.body.get("text", ""), targets=targets, words=request.words)
        if isinstance(command, Answer):
            return command.text
        sender = request.sender
        await ask_for_status(
            request.key, command.target, sender.person, sender.channel, store=store, clock=clock
        )
        return request.words.say("Looking at {target} …", target=request.words.bold(command.target))

    table.commands["/canary"] = canary
