"""Slack and cloud side by side: the cloud's panel reaches Slack, which suffers until told otherwise."""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import httpx
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox import names
from bot.sandbox.cloud import SandboxCloud, Trouble
from bot.sandbox.slack import SandboxSlack
from bot.sandbox.slack.faults import Fault
from bot.sandbox.together import REPORT_CHANNEL, REPORTER, SUFFERINGS, put_together
from tests.integration.sandbox.slack_workspace import PATIENCE_SECONDS

MANIFEST: dict[str, Any] = {
    "display_information": {"name": "Backout"},
    "features": {"bot_user": {"display_name": "backout"}},
    "oauth_config": {"scopes": {"bot": ["chat:write"]}},
    "settings": {},
}


@pytest.fixture(scope="module")
async def slack() -> AsyncIterator[SandboxSlack]:
    # Port 9 (discard) answers nothing: there is no bot.
    sandbox = SandboxSlack(manifest=MANIFEST, events_url="http://127.0.0.1:9/slack/events")
    put_together(sandbox, SandboxCloud())
    await sandbox.start()
    yield sandbox
    await sandbox.stop()


@pytest.fixture
async def bot(slack: SandboxSlack) -> AsyncIterator[AsyncWebClient]:
    slack.reset()
    async with aiohttp.ClientSession() as session:
        yield AsyncWebClient(
            token=names.BOT_TOKEN, base_url=slack.api_url, session=session, retry_handlers=[]
        )


def beside(slack: SandboxSlack) -> SandboxCloud:
    """Return a cloud, not running, with this Slack beside it."""
    cloud = SandboxCloud()
    put_together(slack, cloud)
    return cloud


def test_the_page_serves_the_cloud_too() -> None:
    slack = SandboxSlack(manifest=MANIFEST, events_url="http://127.0.0.1:9/slack/events")

    put_together(slack, SandboxCloud())

    assert {"/sandbox/cloud", "/sandbox/cloud/trouble"} <= {route.path for route in slack.extra_routes}


@pytest.mark.parametrize(
    ("locale", "said"), [("en-US", "conversation history is gone"), ("ko-KR", "대화 기록이 사라졌")]
)
async def test_a_user_reports_in_general(
    slack: SandboxSlack, bot: AsyncWebClient, locale: str, said: str
) -> None:
    await beside(slack).let_a_user_report(locale=locale)

    (message,) = slack.messages(REPORT_CHANNEL)
    assert (message["user"], said in message["text"]) == (REPORTER, True)


@pytest.mark.parametrize(
    ("trouble", "status", "retry_after"),
    [(Trouble.SLACK_LIMITED, 429, "5"), (Trouble.SLACK_FAILING, 500, None)],
)
async def test_every_call_fails_until_slack_is_well_again(
    slack: SandboxSlack, bot: AsyncWebClient, trouble: Trouble, status: int, retry_after: str | None
) -> None:
    slack.suffer(SUFFERINGS[trouble])
    answers = []
    for call in (bot.auth_test, bot.auth_test):
        with pytest.raises(SlackApiError) as refused:
            await call()
        answers.append(refused.value.response)
    async with httpx.AsyncClient(timeout=PATIENCE_SECONDS) as client:
        answered = await client.post(f"{slack.base_url}/actions/any", json={"text": "hello"})

    slack.suffer(None)

    assert [answer.status_code for answer in answers] == [status, status]
    assert {answer.headers.get("retry-after") for answer in answers} == {retry_after}
    assert (answered.status_code, answered.headers.get("retry-after")) == (status, retry_after)
    assert (await bot.auth_test())["ok"]


async def test_a_silent_slack_drops_every_connection(slack: SandboxSlack, bot: AsyncWebClient) -> None:
    slack.suffer(SUFFERINGS[Trouble.SLACK_SILENT])
    with pytest.raises(aiohttp.ClientError):
        await bot.auth_test()
    async with httpx.AsyncClient(timeout=PATIENCE_SECONDS) as client:
        with pytest.raises(httpx.TransportError):
            await client.post(f"{slack.base_url}/actions/any", json={"text": "hello"})

    slack.suffer(None)

    assert (await bot.auth_test())["ok"]


async def test_a_call_that_was_to_fail_once_does_so_first(slack: SandboxSlack, bot: AsyncWebClient) -> None:
    slack.suffer(Fault(status=500))
    slack.fail_next("auth.test", error="team_access_not_granted")

    codes = []
    for _ in range(2):
        with pytest.raises(SlackApiError) as refused:
            await bot.auth_test()
        codes.append(refused.value.response["error"])
    slack.suffer(None)

    assert codes == ["team_access_not_granted", "internal_error"]
