"""Answers about one target; and ``/canary VERB [TARGET]``: verbs that need nothing else, any other word is
answered kindly."""

from collections.abc import Awaitable, Callable
from typing import Any

from bot.domain.ids import TargetName
from bot.slack.commands import Answer, parse_target
from bot.slack.listeners.table import Request, Table
from bot.slack.views.drill_marks import marked_answer
from bot.slack.views.rollback_message import Message
from bot.usecases.ports import Clock, Playbooks, Store
from bot.usecases.whose_drill import target_is_drilled

#: Answers a verb for one target of the playbook: a line, or a message, for the person who typed.
OnTarget = Callable[[Request, TargetName], Awaitable[str | Message]]


async def told_of(
    request: Request, target: TargetName, answer: OnTarget, *, store: Store, clock: Clock
) -> str | Message | dict[str, Any]:
    """Return what `answer` says of a target, marked where it is said in a drill of that target."""
    now = clock()
    # Asked first: once something was accepted, nothing that may fail stands before its answer.
    drilled = await store.look(lambda tx: target_is_drilled(tx, target, at=now))
    told = await answer(request, target)
    return marked_answer(told, request.words) if drilled else told


def on_target(
    table: Table, verb: str, answer: OnTarget, *, store: Store, playbooks: Playbooks, clock: Clock
) -> None:
    """Let ``/canary VERB [TARGET]`` be answered by `answer`; a target nobody knows never gets there."""

    async def handle(request: Request, rest: str) -> str | Message | dict[str, Any]:
        targets = playbooks.current().targets
        target = parse_target(verb, rest, targets=targets, words=request.words)
        if isinstance(target, Answer):
            return target.text
        return await told_of(request, target, answer, store=store, clock=clock)

    table.canary_verbs[verb] = handle
