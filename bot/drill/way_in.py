"""Whether a drill may run in a real Slack: only where nobody else hears what people press in it.

A second bot with the same tokens, production's above all, would get part of the clicks, and roll back what
is no drill. Over a socket Slack says how many are connected; over HTTP nobody can know where requests go.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

import aiohttp
from slack_sdk.errors import SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from bot.drill.refused import NotSafe
from bot.settings import Settings
from bot.slack.text import N_

#: For Slack's greeting on a socket, seconds.
GREETING_WITHIN_SECONDS = 10.0


async def alone_on_the_way_in(settings: Settings) -> None:
    """Return when this app has no other connection to Slack.

    Raises:
        NotSafe: see there.
    """
    if settings.slack_app_token is None:
        raise NotSafe(
            N_(
                "A drill in a real Slack needs Socket Mode ({setting}): only then can Backout see that no "
                "other Backout hears what people press in the drill."
            ),
            setting="SLACK_APP_TOKEN",
        )
    client = AsyncWebClient(base_url=settings.slack_api_url, retry_handlers=[])
    token = settings.slack_app_token.get_secret_value()
    try:
        opened = await client.apps_connections_open(app_token=token)
        greeting = await asyncio.wait_for(_greeting(str(opened["url"])), GREETING_WITHIN_SECONDS)
    except (SlackClientError, aiohttp.ClientError, OSError, TimeoutError, ValueError, TypeError) as problem:
        raise NotSafe(N_("Slack did not let us connect: {problem}"), problem=str(problem)) from problem
    others = others_connected(greeting)
    if others > 0:
        raise NotSafe(
            N_(
                "This app has {count} other connection(s) to Slack. A bot behind one of them would hear half "
                "of what people press, and could roll back production. Stop it, or make an app of its own "
                "for drills from the same manifest."
            ),
            count=others,
        )


def others_connected(greeting: Mapping[str, Any]) -> int:
    """Return how many beside us are connected, as Slack's first words on a socket say.

    Raises:
        NotSafe: they are no ``hello``, so that nothing is known of the others.
    """
    if greeting.get("type") != "hello":
        raise NotSafe(N_("Slack did not let us connect: {problem}"), problem=str(greeting.get("reason")))
    return int(greeting["num_connections"]) - 1


async def _greeting(url: str) -> Any:
    """Connect once, and return the first thing that Slack says: ``hello``, or why it does not let us."""
    async with aiohttp.ClientSession() as session, session.ws_connect(url) as socket:
        return await socket.receive_json()
