"""``/canary VERB [TARGET]``: verbs that need nothing but a target; any other word is answered kindly."""

from collections.abc import Awaitable, Callable

from bot.domain.ids import TargetName
from bot.slack.commands import Answer, parse_target
from bot.slack.listeners.table import Request, Table
from bot.slack.views.rollback_message import Message
from bot.usecases.ports import Playbooks

#: Answers a verb for one target of the playbook: a line, or a message, for the person who typed.
OnTarget = Callable[[Request, TargetName], Awaitable[str | Message]]


def on_target(table: Table, verb: str, answer: OnTarget, *, playbooks: Playbooks) -> None:
    """Let ``/canary VERB [TARGET]`` be answered by `answer`; a target nobody knows never gets there."""

    async def handle(request: Request, rest: str) -> str | Message:
        targets = playbooks.current().targets
        target = parse_target(verb, rest, targets=targets, words=request.words)
        return target.text if isinstance(target, Answer) else await answer(request, target)

    table.canary_verbs[verb] = handle
