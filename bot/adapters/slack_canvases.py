"""Slack's canvases: where the workspace allows them, and without a word to people where it does not."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.adapters.slack_errors import NO_ANSWER, code_of, may_pass, retry_after_seconds
from bot.domain.ids import ChannelId
from bot.usecases.ports import Canvases, People, PeopleUnknown

log = structlog.get_logger()

#: The record stands in the channel and as files already, so a canvas is worth a few tries and no more.
TRIES, CALL_SECONDS, PAUSE_SECONDS, LONGEST_WAIT_SECONDS = 3, 15.0, 1.0, 60.0
#: Somebody has deleted the canvas, or taken it from us: a new one is made.
_GONE = frozenset({"canvas_not_found", "canvas_deleted", "access_denied", "not_found"})


class SlackCanvases(Canvases):
    """`Canvases` over Slack's Web API; standalone ones, which need a paid plan.

    A channel's own canvas, all that the free plan has, is one for all its incidents: the next one would
    overwrite it, so it is left alone.
    """

    def __init__(
        self,
        client: AsyncWebClient,
        *,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._client = client
        self._pause = pause

    async def put(self, title: str, markdown: str, *, channel: ChannelId, canvas: str) -> str:
        """See `Canvases.put`."""
        if self._client.token is None:
            return ""
        content = {"type": "markdown", "markdown": markdown}
        try:
            known = canvas and await self._edited(canvas, content)
            return canvas if known else await self._created(title, content, channel)
        except SlackApiError as error:
            log.info("no_canvas", why=code_of(error))
            return ""
        except NO_ANSWER as error:
            log.info("no_canvas", why=repr(error)[:300])
            return ""

    async def _edited(self, canvas: str, content: dict[str, str]) -> bool:
        """Write all of it anew; False where it is gone."""
        changes = [{"operation": "replace", "document_content": content}]
        try:
            await self._call(lambda: self._client.canvases_edit(canvas_id=canvas, changes=changes))
        except SlackApiError as error:
            if code_of(error) in _GONE:
                return False
            raise
        return True

    async def _created(self, title: str, content: dict[str, str], channel: ChannelId) -> str:
        answer = await self._call(lambda: self._client.canvases_create(title=title, document_content=content))
        id = str(answer["canvas_id"])
        # Until then nobody but us can read it.
        await self._call(
            lambda: self._client.canvases_access_set(
                canvas_id=id, access_level="read", channel_ids=[str(channel)]
            )
        )
        return id

    async def _call(self, call: Callable[[], Awaitable[Any]]) -> Any:
        """Call; what Slack limits, or fails at by itself, is tried again."""
        for left in reversed(range(TRIES)):
            try:
                async with asyncio.timeout(CALL_SECONDS):
                    return await call()
            except SlackApiError as error:
                limited = retry_after_seconds(error)
                if not left or (limited is None and not may_pass(error)):
                    raise
                await self._pause(min(PAUSE_SECONDS if limited is None else limited, LONGEST_WAIT_SECONDS))
        raise AssertionError("the last try returns or raises")


async def canvas_address(people: People, canvas: str) -> str:
    """Return where a canvas can be read; empty where Slack does not say which workspace is ours."""
    try:
        return f"{(await people.home_url()).rstrip('/')}/docs/{await people.home_team()}/{canvas}"
    except PeopleUnknown:
        return ""
