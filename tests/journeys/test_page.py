"""A newcomer's first minutes: led by the tour from the failure to the record. Takes the README's pictures."""

import os
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from bot.sandbox.run import PLAYBOOK as SANDBOX_PLAYBOOK
from tests.browser import assert_nothing_unexpected, listen, new_page, running_browser
from tests.journeys.visitor import INCIDENTS, OPERATIONS, PATIENCE_MS, Visitor
from tests.journeys.world import PLAYBOOK, ROOT, World, running_bot

#: Set to have the pictures in the README taken anew (``make picture``).
TAKE_PICTURE = "BACKOUT_TAKE_PICTURE"
#: What the charts of the cloud show after so long is worth a picture.
EXPOSURE_MS = 75_000
ERRORS = "[data-fault=errors][data-service=ion-api]"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_newcomer_is_led_from_a_bad_canary_to_its_record(
    world: World, database_url: str, tmp_path: Path
) -> None:
    taken = bool(os.environ.get(TAKE_PICTURE))
    pictures = ROOT / "docs" if taken else tmp_path
    playbook = SANDBOX_PLAYBOOK if taken else PLAYBOOK
    async with (
        running_bot(world, database_url, playbook=playbook, copied=not taken, draws=taken),
        running_browser() as browser,
    ):
        page = await new_page(browser, width=1360, height=860, is_first_visit=True)
        complaints = listen(page)
        visitor = Visitor(page=page, locale="en")
        await page.goto(f"{world.slack.base_url}/#user=U0LUBIT&channel={OPERATIONS}")

        await leads(page, "see", "next")
        await leads(page, "break", "help")
        await page.keyboard.press("Space")
        await expect(page.locator(ERRORS)).to_be_checked()
        await world.make_the_canary_fail()
        if taken:
            await page.wait_for_timeout(EXPOSURE_MS)
            await page.screenshot(path=pictures / "tour.png")
        else:
            # These journeys' bot watches nothing by itself.
            await leads(page, "seen", "next")
        await leads(page, "ask", "help")
        await page.press("#composer", "Enter")
        await leads(page, "confirm", "help")
        await page.keyboard.press("Enter")
        await page.click("[data-confirm=yes]")
        await leads(page, "verdict", "next")
        await leads(page, "incidents", "help")
        await leads(page, "checklist", "next")
        await visitor.sees("Deployment failure record")
        await leads(page, "record", "next")
        await visitor.opens(OPERATIONS)
        await visitor.sees("canary is rolled back and verified")
        await page.screenshot(path=pictures / "sandbox.png")

        await visitor.opens(INCIDENTS)
        await visitor.press("record.complete")
        await visitor.dialog.get_by_label("Root cause").fill("A query without an index")
        await visitor.submits()
        await visitor.sees("A query without an index")
        await page.context.close()
    assert_nothing_unexpected(complaints)
    assert len(world.cloud.updates) == 1


async def leads(page: Page, step: str, button: str) -> None:
    """Wait until the tour stands at a step, and press a button of its card."""
    await expect(page.locator("body")).to_have_attribute("data-tour-step", step, timeout=PATIENCE_MS)
    await page.click(f"[data-tour={button}]")
