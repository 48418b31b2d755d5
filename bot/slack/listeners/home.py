"""App Home is opened."""

from collections.abc import Mapping
from typing import Any

from bot.slack.listeners.table import Request, Table
from bot.usecases.ports import Clock, Store
from bot.usecases.show_home import open_home


def register(table: Table, *, store: Store, clock: Clock) -> None:
    """Add it to the table."""

    async def opened(request: Request, event: Mapping[str, Any]) -> None:
        # The same event tells of the Messages tab, where there is nothing of ours to draw.
        if event.get("tab") == "home":
            await open_home(request.key, request.sender.person, store=store, clock=clock)

    table.events["app_home_opened"] = opened
