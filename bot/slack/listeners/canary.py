"""``/canary VERB [rest]``: who answers the word; and how the canary stands."""

from typing import Any

from bot.domain.ids import TargetName
from bot.slack.commands import canary_help, first_word, typed, unknown_word
from bot.slack.listeners.table import Request, Table
from bot.slack.listeners.targets import on_target
from bot.slack.views.metrics import metrics_message
from bot.slack.views.rollback_message import Message
from bot.slack.views.status import status_message
from bot.usecases.known_status import ask_for_metrics, read_known
from bot.usecases.ports import Clock, Playbooks, Store
from bot.usecases.report_status import ask_for_status


def register(table: Table, *, store: Store, playbooks: Playbooks, clock: Clock) -> None:
    """Add it to the table; other listeners files add verbs of their own."""

    async def canary(request: Request) -> str | Message | dict[str, Any]:
        verb, rest = first_word(typed(request.body.get("text", "")))
        verb = verb.lower()
        if verb in ("", "help"):
            return canary_help(playbooks.current().targets, request.words)
        handle = table.canary_verbs.get(verb)
        if handle is None:
            return unknown_word("/canary", verb, table.canary_verbs, request.words)
        return await handle(request, rest)

    async def status(request: Request, target: TargetName) -> str | Message:
        known = await read_known(target, store=store, clock=clock)
        if known is not None:
            return status_message(known.status, playbooks.current(), request.words)
        sender = request.sender
        await ask_for_status(request.key, target, sender.person, sender.channel, store=store, clock=clock)
        return request.words.say("Looking at {target} …", target=request.words.bold(target))

    async def metrics(request: Request, target: TargetName) -> str | Message:
        sender = request.sender
        known = await ask_for_metrics(
            request.key,
            target,
            sender.person,
            sender.channel,
            acting_team=sender.team,
            store=store,
            clock=clock,
        )
        if known is not None:
            return metrics_message(known.status, known.hour, playbooks.current(), request.words)
        return request.words.say("Looking at {target} …", target=request.words.bold(target))

    table.commands["/canary"] = canary
    on_target(table, "status", status, store=store, playbooks=playbooks, clock=clock)
    on_target(table, "metrics", metrics, store=store, playbooks=playbooks, clock=clock)
