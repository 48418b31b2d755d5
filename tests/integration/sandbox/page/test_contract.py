"""The page on the sandbox's own server: both sides mean the same by every endpoint."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from playwright.async_api import Browser, expect
from slack_sdk.web.async_client import AsyncWebClient
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from bot.sandbox import names
from bot.sandbox.slack import SandboxSlack
from tests.browser import PATIENCE_MS, watched_page
from tests.integration.sandbox.page.samples import BOARD, cloud, workspace

SCOPES = ["channels:join", "chat:write", "commands", "files:write"]
MANIFEST: dict[str, Any] = {
    "display_information": {"name": "Backout"},
    "features": {
        "app_home": {"home_tab_enabled": True, "messages_tab_enabled": True},
        "bot_user": {"display_name": "backout"},
        "slash_commands": [{"command": "/rollback", "description": "Roll back", "usage_hint": "TARGET"}],
    },
    "oauth_config": {"scopes": {"bot": SCOPES}},
    "settings": {},
}


@pytest.fixture
async def slack() -> AsyncIterator[SandboxSlack]:
    # Port 9 (discard) answers nothing: the bot is down.
    nowhere = "http://127.0.0.1:9/slack/events"
    sandbox = SandboxSlack(manifest=MANIFEST, events_url=nowhere, patience_seconds=PATIENCE_MS / 1000)
    sandbox.extra_routes.append(Route("/sandbox/cloud", _cloud))
    await sandbox.start()
    yield sandbox
    await sandbox.stop()


async def _cloud(request: Request) -> JSONResponse:
    return JSONResponse(cloud())


async def test_what_the_bot_posts_is_shown_and_what_a_person_does_is_answered(
    slack: SandboxSlack, browser: Browser
) -> None:
    async with watched_page(browser) as page:
        await page.goto(f"{slack.base_url}/#user=U0GITCO")
        await page.locator("[data-channel=C0OPERATIONS]").wait_for()
        bot = AsyncWebClient(token=names.BOT_TOKEN, base_url=slack.api_url)
        await bot.conversations_join(channel="C0OPERATIONS")
        await bot.chat_postMessage(channel="C0OPERATIONS", text="board", blocks=[*BOARD[:1], BOARD[-1]])
        await bot.files_upload_v2(
            channel="C0OPERATIONS", content="# It", filename="it.md", title="The record"
        )

        await expect(page.locator("#messages h3")).to_have_text("🚨 ion-api: error rate jumps")
        await expect(page.get_by_role("region", name="Preview: The record")).to_have_text("# It")
        await page.fill("#composer", "ask @sena <now>")
        await page.press("#composer", "Enter")
        await expect(page.get_by_text("ask @Sena <now>")).to_be_visible()
        await page.fill("#composer", "/rollback canary")
        await page.press("#composer", "Enter")
        await expect(page.get_by_test_id("composer-error").first).to_contain_text("dispatch_failed")
        await page.click("[data-action-id=details]")
        await expect(page.locator("#messages .failure").first).to_contain_text("dispatch_failed")


async def test_the_stand_in_of_the_other_tests_has_the_real_servers_keys(slack: SandboxSlack) -> None:
    stand_in = workspace()

    async with httpx.AsyncClient(base_url=slack.base_url) as client:
        real = (await client.get("/sandbox/state", params={"user": "U0GITCO"})).json()

    assert stand_in.keys() == real.keys()
    assert stand_in["channels"][0].keys() == real["channels"][0].keys()
    assert stand_in["commands"][0].keys() == real["commands"][0].keys()
    assert set(stand_in["own_commands"]) < set(real["own_commands"])
