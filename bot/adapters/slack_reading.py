"""Reading messages that people wrote in Slack, and their permalinks."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.adapters.slack_errors import NO_ANSWER, code_of, may_pass, retry_after_seconds
from bot.domain.ids import ChannelId
from bot.slack.written import written
from bot.usecases.ports import Messages, MessageUnreadable, Written

log = structlog.get_logger()

#: Nobody waits at a screen for these: a limit of Slack's is waited for, up to so long.
TRIES, CALL_SECONDS, PAUSE_SECONDS, LONGEST_WAIT_SECONDS = 4, 10.0, 1.0, 60.0
#: A thread's first message comes along whatever is asked for.
AROUND = 3


class SlackReading(Messages):
    """`Messages` over Slack's Web API."""

    def __init__(
        self, client: AsyncWebClient, *, pause: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        self._client = client
        self._pause = pause
        self._links: dict[tuple[str, str], str] = {}

    async def message(self, channel: ChannelId, ts: str) -> Written:
        """See `Messages.message`. A reply is found by its own ts, as a message without a thread is."""
        answer = await self._ask(
            lambda: self._client.conversations_replies(
                channel=channel, ts=ts, oldest=ts, latest=ts, inclusive=True, limit=AROUND
            )
        )
        found = next((one for one in answer.get("messages") or () if one.get("ts") == ts), None)
        if found is None:
            raise MessageUnreadable("message_not_found")
        return replace(written(found, channel=channel), link=await self.link(channel, ts))

    async def link(self, channel: ChannelId, ts: str) -> str:
        """See `Messages.link`. A permalink never changes, so each is asked for once."""
        kept = self._links.get((channel, ts))
        if kept:
            return kept
        try:
            answer = await self._ask(lambda: self._client.chat_getPermalink(channel=channel, message_ts=ts))
        except MessageUnreadable as error:
            log.warning("no_permalink", channel=channel, why=str(error))
            return ""
        self._links[channel, ts] = str(answer.get("permalink") or "")
        return self._links[channel, ts]

    async def _ask(self, call: Callable[[], Awaitable[Any]]) -> dict[str, Any]:
        why = "no answer"
        for tries_left in reversed(range(TRIES)):
            wait = PAUSE_SECONDS
            try:
                async with asyncio.timeout(CALL_SECONDS):
                    answer = (await call()).data
                    return answer if isinstance(answer, dict) else {}
            except SlackApiError as error:
                limited = retry_after_seconds(error)
                if limited is None and not may_pass(error):
                    raise MessageUnreadable(str(code_of(error))) from error
                why, wait = str(code_of(error)), limited or wait
            except NO_ANSWER as error:
                why = repr(error)[:200]
            if tries_left:
                await self._pause(min(wait, LONGEST_WAIT_SECONDS))
        raise MessageUnreadable(why)
