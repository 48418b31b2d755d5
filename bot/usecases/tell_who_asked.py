"""Answering one person who asked for something, where they asked."""

from collections.abc import Mapping
from typing import Any

from bot.domain.ids import ChannelId, PersonId
from bot.usecases.ports import Notice, Said, Transaction


def tell_who_asked(
    tx: Transaction, arguments: Mapping[str, str], what: Said, facts: Mapping[str, Any]
) -> str:
    """Tell it to `arguments`' person and channel, once for each of their requests; return what was said."""
    person, channel = PersonId(arguments["person"]), ChannelId(arguments["channel"])
    tx.tell(Notice(what=what, person=person, channel=channel, facts=facts), key=f"{what}:{arguments['key']}")
    return what
