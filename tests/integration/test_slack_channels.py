"""Which channels there are, asked of a Slack that answers as Slack does."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from bot.adapters.slack_channels import SlackChannels
from bot.sandbox.slack import SandboxSlack
from bot.usecases.ports import PeopleUnknown
from tests.integration.sandbox.slack_workspace import SCOPES, client_of, running_slack


@pytest_asyncio.fixture(loop_scope="session")
async def slack() -> AsyncIterator[SandboxSlack]:
    """A fresh workspace."""
    async with running_slack(scopes=SCOPES) as running:
        yield running


async def test_what_is_not_there_is_named(slack: SandboxSlack) -> None:
    channels = SlackChannels(client_of(slack))

    missing = await channels.missing(frozenset({"#operations", "#nowhere", "C0STATUS", "C0GONE"}))

    assert missing == {"#nowhere", "C0GONE"}
    assert await channels.missing(frozenset()) == frozenset()


async def test_without_the_scope_or_a_token_nobody_can_say(slack: SandboxSlack) -> None:
    client = client_of(slack)
    client.token = None
    with pytest.raises(PeopleUnknown, match="no Slack token"):
        await SlackChannels(client).missing(frozenset({"#operations"}))

    async with running_slack(scopes=[s for s in SCOPES if s != "channels:read"]) as blind:
        for name in ("#operations", "C0STATUS"):
            with pytest.raises(PeopleUnknown, match="missing_scope"):
                await SlackChannels(client_of(blind)).missing(frozenset({name}))
