"""The main job as a newcomer does it: by clicking what the page shows. Takes the README's picture."""

import os
from pathlib import Path

import pytest
from playwright.async_api import expect

from bot.sandbox.run import PLAYBOOK as SANDBOX_PLAYBOOK
from tests.browser import browser_page
from tests.journeys.world import PLAYBOOK, ROOT, World, running_bot

#: Set to have the picture in the README taken anew (``make picture``).
TAKE_PICTURE = "BACKOUT_TAKE_PICTURE"
#: A bot at work behind the page: wait as long as the other journeys do.
PATIENCE_MS = 60_000


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_newcomer_rolls_a_bad_canary_back_on_the_page(
    world: World, database_url: str, tmp_path: Path
) -> None:
    taken = bool(os.environ.get(TAKE_PICTURE))
    picture = ROOT / "docs" / "sandbox.png" if taken else tmp_path / "sandbox.png"
    playbook = SANDBOX_PLAYBOOK if taken else PLAYBOOK
    async with (
        running_bot(world, database_url, playbook=playbook, copied=False, draws=True),
        browser_page(width=1360, height=860) as page,
    ):
        await page.goto(f"{world.slack.base_url}/#user=U0LUBIT&channel=C0OPERATIONS")
        await page.click("[data-fault=errors][data-service=ion-api]")
        await world.make_the_canary_fail()
        await page.fill("#composer", "/rollback canary errors after the deployment")
        await page.press("#composer", "Enter")
        await page.click("#messages [data-action-id='rollback.go']", timeout=PATIENCE_MS)
        await page.click("[data-confirm=yes]")

        verdict = page.locator("#messages", has_text="canary is rolled back and verified")
        await expect(verdict).to_be_visible(timeout=PATIENCE_MS)
        await page.screenshot(path=picture)
        await page.click("[data-channel=C0CRITICAL]")

        await expect(page.locator("#messages", has_text="Deployment failure record")).to_be_visible(
            timeout=PATIENCE_MS
        )
    assert picture.stat().st_size > 50_000
    assert len(world.cloud.updates) == 1


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_the_record_is_completed_in_a_modal_on_the_page(world: World, database_url: str) -> None:
    await world.make_the_canary_fail()
    async with running_bot(world, database_url), browser_page() as page:
        await world.slack.slash("U0SENA", "C0OPERATIONS", "/rollback canary force")
        await world.seen("C0CRITICAL", having="Deployment failure record")

        await page.goto(f"{world.slack.base_url}/#user=U0LUBIT&channel=C0CRITICAL")
        await page.click("#messages [data-action-id='record.complete'] >> nth=-1", timeout=PATIENCE_MS)
        dialog = page.locator("dialog[data-view-id]")
        await dialog.get_by_label("Root cause").fill("A query without an index")
        await page.click("[data-modal=submit]")

        record = page.locator("#messages", has_text="A query without an index")
        await expect(record).to_be_visible(timeout=PATIENCE_MS)
