"""Which channels there are, by Slack."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.adapters.slack_errors import NO_ANSWER, code_of
from bot.usecases.ports import Channels, PeopleUnknown

#: For one call; somebody waits for the answer.
CALL_SECONDS = 10.0
#: Slack recommends no more; a large workspace takes several pages.
PAGE_SIZE = 200


class SlackChannels(Channels):
    """`Channels` over Slack's Web API. Private channels are seen only where the bot is a member."""

    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client

    async def missing(self, names: frozenset[str]) -> frozenset[str]:
        """See `Channels.missing`."""
        by_name = {name for name in names if name.startswith("#")}
        there = await self._listed(by_name) if by_name else set()
        for id in names - by_name:
            if await self._exists(id):
                there.add(id)
        return frozenset(names - there)

    async def _listed(self, wanted: set[str]) -> set[str]:
        """Return those of `wanted` that are listed; reading ends with the last one found."""
        found: set[str] = set()
        cursor = ""
        while True:
            answer = await self._call(
                self._client.conversations_list,
                types="public_channel",
                exclude_archived=True,
                limit=PAGE_SIZE,
                cursor=cursor,
            )
            found |= {f"#{channel['name']}" for channel in answer.get("channels") or ()} & wanted
            cursor = (answer.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor or found == wanted:
                return found

    async def _exists(self, id: str) -> bool:
        try:
            answer = await self._call(self._client.conversations_info, channel=id)
        except SlackApiError as error:
            if code_of(error) == "channel_not_found":
                return False
            raise PeopleUnknown(f"conversations.info: {code_of(error)}") from error
        return not (answer.get("channel") or {}).get("is_archived", False)

    async def _call(
        self, method: Callable[..., Awaitable[AsyncSlackResponse]], **arguments: Any
    ) -> dict[str, Any]:
        if self._client.token is None:
            raise PeopleUnknown("there is no Slack token")
        try:
            async with asyncio.timeout(CALL_SECONDS):
                answer = (await method(**arguments)).data
        except SlackApiError as error:
            if code_of(error) == "channel_not_found":
                raise
            raise PeopleUnknown(f"{method.__name__}: {code_of(error)}") from error
        except NO_ANSWER as error:
            raise PeopleUnknown(f"{method.__name__}: {error!r}") from error
        return answer if isinstance(answer, dict) else {}
