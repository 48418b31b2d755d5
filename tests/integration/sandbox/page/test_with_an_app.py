"""The page, the sandbox's own server and a real Bolt app together: what a person clicks, the app answers."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from playwright.async_api import Page, expect
from slack_bolt.async_app import AsyncAck
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from bot.sandbox.slack import SandboxSlack
from tests.browser import PATIENCE_MS
from tests.integration.sandbox.google_clients import eventually
from tests.integration.sandbox.page.samples import cloud
from tests.integration.sandbox.page.windows import Windows
from tests.integration.sandbox.slack_workspace import (
    CRITICAL,
    Receiver,
    a_manifest,
    buttons,
    modal,
    running_bot,
    section,
    text_input,
)

Json = dict[str, Any]


@pytest.fixture(scope="session")
async def running_slack() -> AsyncIterator[SandboxSlack]:
    sandbox = SandboxSlack(
        manifest=a_manifest(),
        events_url="http://127.0.0.1:9/slack/events",
        # Slack's three seconds have tests of their own; here a busy machine would break them.
        patience_seconds=PATIENCE_MS / 1000,
    )
    sandbox.extra_routes.append(Route("/sandbox/cloud", _cloud))
    await sandbox.start()
    yield sandbox
    await sandbox.stop()


@pytest.fixture
def slack(running_slack: SandboxSlack) -> SandboxSlack:
    """The one workspace of these tests, as if nobody had done anything yet."""
    running_slack.reset()
    return running_slack


async def _cloud(request: Request) -> JSONResponse:
    return JSONResponse(cloud())


@pytest.fixture
async def app(slack: SandboxSlack) -> AsyncIterator[Receiver]:
    async with running_bot(slack) as receiver:
        yield receiver


@pytest.fixture
async def page(slack: SandboxSlack, app: Receiver, windows: Windows) -> AsyncIterator[Page]:
    """The page as Gitco sees it, in the incident channel."""
    window = await windows.take()
    await window.page.goto(f"{slack.base_url}/#user=U0GITCO&channel={CRITICAL}")
    await window.page.locator(f"[data-channel={CRITICAL}]").wait_for()
    yield window.page
    await windows.give_back(window)


async def test_a_global_shortcut_opens_a_modal_that_is_filled_in(
    slack: SandboxSlack, app: Receiver, page: Page
) -> None:
    submitted: list[Json] = []

    async def opens(ack: AsyncAck, shortcut: Json) -> None:
        owner = {"type": "users_select", "action_id": "owner"}
        blocks = [text_input("why", block_id="why"), text_input("owner", block_id="owner", element=owner)]
        await app.client.views_open(trigger_id=shortcut["trigger_id"], view=modal(*blocks))
        await ack()

    async def submits(ack: AsyncAck, view: Json) -> None:
        submitted.append(view["state"]["values"])
        await ack()

    app.app.shortcut("declare")(opens)
    app.app.view("asked")(submits)

    await page.get_by_role("button", name="Shortcuts").click()
    await page.get_by_role("menuitem", name="Declare").click()
    await page.locator("dialog").get_by_label("why").fill("errors")
    await page.locator("dialog").get_by_label("owner").select_option(label="Mina (manager)")
    await page.click("[data-modal=submit]")

    await expect(page.locator("dialog")).to_have_count(0)
    assert submitted == [
        {
            "why": {"why": {"type": "plain_text_input", "value": "errors"}},
            "owner": {"owner": {"type": "users_select", "selected_user": "U0MANAGER"}},
        }
    ]


async def test_a_choice_in_a_modal_changes_it_and_keeps_what_was_typed(
    slack: SandboxSlack, app: Receiver, page: Page
) -> None:
    names = [{"text": {"type": "plain_text", "text": name}, "value": name} for name in ("errors", "loss")]
    select = {"type": "static_select", "action_id": "scenario", "options": names}
    scenario = text_input("scenario", block_id="scenario", element=select, dispatch_action=True)
    asked = modal(text_input("why", block_id="why"), scenario)
    seen: list[Any] = []

    async def opens(ack: AsyncAck, shortcut: Json) -> None:
        await app.client.views_open(trigger_id=shortcut["trigger_id"], view=asked)
        await ack()

    async def changes(ack: AsyncAck, body: Json) -> None:
        seen.append(body["view"]["state"]["values"]["why"]["why"]["value"])
        more = [*asked["blocks"], text_input("lost", block_id="lost")]
        view, opened = {**asked, "blocks": more}, body["view"]
        await app.client.views_update(view_id=opened["id"], hash=opened["hash"], view=view)
        await ack()

    app.app.shortcut("declare")(opens)
    app.app.action("scenario")(changes)

    await page.get_by_role("button", name="Shortcuts").click()
    await page.get_by_role("menuitem", name="Declare").click()
    dialog = page.locator("dialog")
    await dialog.get_by_label("why").fill("half a sen")
    await dialog.get_by_label("scenario").select_option("loss")

    await expect(dialog.get_by_label("lost")).to_be_visible()
    await expect(dialog.get_by_label("why")).to_have_value("half a sen")
    await expect(dialog.get_by_label("scenario")).to_have_value("loss")
    assert seen == ["half a sen"]


async def test_a_message_shortcut_hands_the_message_to_the_app(
    slack: SandboxSlack, app: Receiver, page: Page
) -> None:
    kept: list[str] = []

    async def keeps(ack: AsyncAck, shortcut: Json) -> None:
        kept.append(shortcut["message"]["text"])
        await ack()

    app.app.shortcut("keep")(keeps)
    await slack.say("U0SENA", CRITICAL, "checkout fails")

    row = page.locator("#messages article", has_text="checkout fails")
    await row.hover()
    await row.get_by_test_id("message-menu").click()
    await page.get_by_role("menuitem", name="Keep").click()

    await eventually(lambda: bool(kept))
    await expect(row.locator(".failure")).to_be_empty()
    assert kept == ["checkout fails"]


async def test_a_reaction_is_shown_and_told(slack: SandboxSlack, app: Receiver, page: Page) -> None:
    heard: list[Json] = []

    async def reacted(event: Json) -> None:
        heard.append(event)

    app.app.event("reaction_added")(reacted)
    app.app.event("reaction_removed")(reacted)
    await slack.say("U0SENA", CRITICAL, "checkout fails")

    row = page.locator("#messages article", has_text="checkout fails")
    await row.hover()
    await row.get_by_test_id("react").click()
    await page.get_by_role("menuitem", name="pushpin").click()
    await expect(row.locator("[data-reaction=pushpin]")).to_have_text("📌 1")
    await row.locator("[data-reaction=pushpin]").click()

    await expect(row.locator("[data-reaction]")).to_have_count(0)
    await eventually(lambda: len(heard) > 1)
    assert [(event["type"], event["user"]) for event in heard] == [
        ("reaction_added", "U0GITCO"),
        ("reaction_removed", "U0GITCO"),
    ]


async def test_the_home_is_each_persons_own_and_works(slack: SandboxSlack, app: Receiver, page: Page) -> None:
    async def publish(user: str, text: str) -> None:
        view = {"type": "home", "blocks": [section(text), buttons("refresh")]}
        await app.client.views_publish(user_id=user, view=view)

    async def opened(event: Json) -> None:
        if event["tab"] == "home":
            await publish(event["user"], f"for {event['user']}")

    async def refreshes(ack: AsyncAck, body: Json) -> None:
        await publish(body["user"]["id"], "fresh")
        await ack()

    app.app.event("app_home_opened")(opened)
    app.app.action("refresh")(refreshes)

    await page.click("[data-channel=home]")
    await expect(page.locator(".home")).to_contain_text("for U0GITCO")
    await page.select_option("#acting-user", "U0LUBIT")
    await expect(page.locator(".home")).to_contain_text("for U0LUBIT")
    await page.click("[data-action-id=refresh]")

    await expect(page.locator(".home")).to_contain_text("fresh")
    home = slack.home("U0GITCO")
    assert home is not None
    assert home["blocks"][0]["text"]["text"] == "for U0GITCO"


async def test_a_permalink_opens_the_page_at_its_message(
    slack: SandboxSlack, app: Receiver, page: Page
) -> None:
    await slack.say("U0SENA", CRITICAL, "root")
    root = slack.messages(CRITICAL)[0]["ts"]
    await slack.say("U0SENA", CRITICAL, "the answer", thread_ts=root)
    reply = slack.messages(CRITICAL, thread_ts=root)[0]["ts"]
    link = await app.client.chat_getPermalink(channel=CRITICAL, message_ts=reply)

    await page.goto("about:blank")
    await page.goto(str(link["permalink"]))

    await expect(page.locator("#thread-messages")).to_contain_text("the answer")
