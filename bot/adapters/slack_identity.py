"""Who we are at Slack, asked once and kept: no request waits for it."""

import asyncio

import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.adapters.slack_errors import NO_ANSWER
from bot.slack.gate import Identity

log = structlog.get_logger()

#: How often Slack is asked who we are until it answers, seconds.
IDENTITY_RETRY_SECONDS = 5.0


class OwnIdentity:
    """Our app and workspace, once Slack has told."""

    def __init__(self, slack: AsyncWebClient) -> None:
        self._slack = slack
        self.identity: Identity | None = None
        self.bot_user_id: str | None = None
        self.bot_id: str | None = None
        #: Our workspace's address, for links to messages.
        self.url = ""

    async def learn(self) -> None:
        """Ask until Slack answers. A wrong token is logged each time: nothing can be posted with it."""
        while self.identity is None:
            try:
                answer = await self._slack.auth_test()
                bot = await self._slack.bots_info(bot=answer["bot_id"])
                self.bot_user_id, self.bot_id = answer["user_id"], answer["bot_id"]
                self.url = str(answer.get("url") or "")
                self.identity = Identity(team_id=answer["team_id"], app_id=bot["bot"]["app_id"])
            except (SlackApiError, *NO_ANSWER) as error:
                log.error("slack_does_not_know_us", why=repr(error)[:300])
                await asyncio.sleep(IDENTITY_RETRY_SECONDS)
