"""The tour leads on the page: it points at the next thing and goes on when that has happened."""

import asyncio
from typing import Any

import pytest
from playwright.async_api import FloatRect, Locator, Page, expect

from tests.browser import PATIENCE_MS, assert_accessible
from tests.integration.sandbox.page.conftest import OpenPage
from tests.integration.sandbox.page.samples import CONFIRM, Json, bot_message, button, drill, section
from tests.integration.sandbox.page.server import PageServer

GO = {"type": "actions", "elements": [button("rollback.go", "Roll back", style="danger", confirm=CONFIRM)]}


def kept(number: int, key: str, *blocks: Json) -> Json:
    """Return the bot's message about `key`."""
    metadata = {"event_type": "backout", "event_payload": {"key": key}}
    return bot_message(number, *blocks, metadata=metadata)


QUESTION = kept(10, "rollback:1", section("Roll back canary?"), GO)
WITHDRAWN = kept(10, "rollback:1", section("Cancelled"))
UNDER_WAY = kept(10, "rollback:1", section(":white_check_mark: requested\n:hourglass_flowing_sand: applied"))
VERIFIED = kept(10, "rollback:1", section(":white_check_mark: Traffic is 100 % stable"))
RED = kept(3, "watch:canary:1", section(":red_circle: red · Error rate"))


def happens(server: PageServer, operations: list[Json], incidents: list[Json] | None = None) -> None:
    """Let #operations and #critical-incidents hold exactly these messages."""
    server.state["messages"] = {"C0OPERATIONS": operations, "C0CRITICAL": incidents or []}
    server.changed()


def card(page: Page) -> Locator:
    """Return the tour's card."""
    return page.get_by_test_id("tour-card")


async def at_step(page: Page, title: str) -> None:
    """Wait until the tour stands at the step with this title."""
    await expect(card(page).get_by_role("heading")).to_have_text(title)


async def uncovered(page: Page, pointed_at: str) -> None:
    """Wait until nothing of what the tour points at is under its card."""
    one = other = None
    try:
        async with asyncio.timeout(PATIENCE_MS / 1000):
            while one is None or other is None or _overlap(one, other):
                # A card that moves is there soon, and looking is work for the page.
                await asyncio.sleep(0.025)
                one = await card(page).bounding_box()
                other = await page.locator(pointed_at).first.bounding_box()
    except TimeoutError:
        raise AssertionError(f"the card {one} covers {pointed_at} {other}") from None


def _overlap(one: FloatRect, other: FloatRect) -> bool:
    across = min(one["x"] + one["width"], other["x"] + other["width"]) - max(one["x"], other["x"])
    down = min(one["y"] + one["height"], other["y"] + other["height"]) - max(one["y"], other["y"])
    return across > 0 and down > 0


async def test_the_first_visit_is_led_from_the_failure_to_the_record(
    server: PageServer, open_page: OpenPage
) -> None:
    page = await open_page("#user=U0LUBIT", is_first_visit=True)

    await at_step(page, "A bad deployment, in three minutes")
    await expect(card(page)).to_be_focused()
    await card(page).get_by_role("button", name="Next").click()
    await at_step(page, "Make the canary fail")
    await uncovered(page, "[data-fault=errors][data-service=ion-api]")
    await card(page).get_by_role("button", name="Go to the switch").click()
    await expect(page.locator("[data-fault=errors][data-service=ion-api]")).to_be_focused()
    server.cloud["services"][0]["faults"]["errors"] = True
    await at_step(page, "Wait until Backout sees it")
    happens(server, [], [RED])
    await at_step(page, "Roll it back")
    await uncovered(page, "#composer")
    await card(page).get_by_role("button", name="Type it for me").click()
    await expect(page.locator("#composer")).to_have_value("/rollback canary")
    await page.press("#composer", "Enter")
    happens(server, [QUESTION], [RED])
    await at_step(page, "One look, one click")
    await uncovered(page, "[data-action-id='rollback.go']")
    await card(page).get_by_role("button", name="Go to the button").click()
    await page.keyboard.press("Enter")
    await expect(page.locator("[data-confirm=yes]")).to_be_visible()
    await expect(card(page)).to_be_hidden()
    await page.click("[data-confirm=yes]")
    happens(server, [UNDER_WAY], [RED])
    await at_step(page, "Watch the proof")
    happens(server, [VERIFIED], [kept(11, "checklist:1", section("Checklist"))])
    await at_step(page, "This is the verdict")
    await card(page).get_by_role("button", name="Next").click()
    await at_step(page, "An incident was opened as well")
    await page.click("[data-channel=C0CRITICAL]")
    await at_step(page, "The checklist")
    happens(
        server,
        [VERIFIED],
        [kept(11, "checklist:1", section("Checklist")), kept(12, "record:1", section("R"))],
    )
    await card(page).get_by_role("button", name="Next").click()
    await at_step(page, "The failure record")
    await uncovered(page, "[data-ts$='.000100']:last-child")
    await card(page).get_by_role("button", name="Finish").click()

    await expect(card(page)).to_be_hidden()
    await expect(page.get_by_role("button", name="Tour")).to_be_focused()
    assert [path for path, _ in server.posted if path != "home"] == ["slash", "action"]
    await page.reload()
    await page.locator("#messages [data-key]").first.wait_for()
    await expect(page.locator("[data-service-card=ion-api]")).to_be_visible()
    await expect(card(page)).to_be_hidden()


async def test_the_first_visit_is_not_led_through_a_drill_or_over_its_scoreboard(
    server: PageServer, open_page: OpenPage
) -> None:
    server.drill_failures = 1
    server.drill = drill("running", drill={"seconds": 20.0, "reached": [], "next": None})
    page = await open_page("#user=U0LUBIT", is_first_visit=True, expected_errors=["503"])
    # As soon as the cloud is there the tour would begin, and of the drill nothing is known then.
    await page.locator("body.drilling [data-service-card=ion-api]").wait_for()
    await expect(card(page)).to_be_hidden()

    server.drill = drill("ended")

    await page.get_by_test_id("drill-scores").wait_for()
    server.cloud["services"][0]["faults"]["errors"] = True
    await expect(page.locator("[data-fault=errors][data-service=ion-api]")).to_be_checked()
    # Whatever that change of the cloud leads to is drawn in the next frame.
    await page.evaluate("new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))")
    await expect(card(page)).to_be_hidden()


async def test_a_withdrawn_rollback_is_asked_for_again(server: PageServer, open_page: OpenPage) -> None:
    server.cloud["services"][0]["faults"]["errors"] = True
    happens(server, [kept(1, "rollback:0", section(":white_check_mark: of the day before"))], [RED])
    page = await open_page("#user=U0LUBIT")
    await page.get_by_role("button", name="Tour").click()
    await card(page).get_by_role("button", name="Next").click()
    await at_step(page, "Roll it back")
    happens(server, [QUESTION], [RED])
    await at_step(page, "One look, one click")

    happens(server, [WITHDRAWN], [RED])

    await at_step(page, "Roll it back")
    happens(server, [WITHDRAWN, kept(11, "rollback:2", section("Roll back canary?"), GO)], [RED])
    await at_step(page, "One look, one click")


async def test_without_a_canary_it_begins_with_deploying_one(server: PageServer, open_page: OpenPage) -> None:
    stable, canary = server.cloud["services"][0]["traffic"]
    server.cloud["services"][0]["traffic"] = [stable | {"percent": 100}]
    page = await open_page("#user=U0LUBIT")
    await page.get_by_role("button", name="Tour").click()
    await card(page).get_by_role("button", name="Next").click()
    await at_step(page, "Deploy a canary first")

    server.cloud["services"][0]["traffic"] = [stable, canary]

    await at_step(page, "Make the canary fail")


@pytest.mark.parametrize("options", [{}, {"width": 390, "height": 780, "color_scheme": "dark"}])
async def test_in_korean_it_is_led_by_keyboard_and_ends_with_escape(
    server: PageServer, open_page: OpenPage, options: dict[str, Any]
) -> None:
    page = await open_page("#user=U0SENA&tour=off", **options)
    await expect(card(page)).to_be_hidden()
    await page.focus("#start-tour")
    await page.keyboard.press("Enter")
    await at_step(page, "잘못된 배포, 3분 안에")
    await assert_accessible(page)
    await page.keyboard.press("Tab")
    await page.keyboard.press("Tab")

    await page.keyboard.press("Enter")
    await at_step(page, "카나리를 고장 내기")
    await page.keyboard.press("Shift+Tab")
    await page.keyboard.press("Enter")

    await expect(page.locator("[data-fault=errors][data-service=ion-api]")).to_be_focused()
    await uncovered(page, "[data-fault=errors][data-service=ion-api]")
    await assert_accessible(page)
    await page.keyboard.press("Escape")
    await expect(card(page)).to_be_hidden()


async def test_whoever_may_not_roll_back_is_told_whom_to_act_as(
    server: PageServer, open_page: OpenPage
) -> None:
    server.cloud["services"][0]["faults"]["errors"] = True
    happens(server, [], [RED])
    page = await open_page("#user=U0GITCO")
    await page.get_by_role("button", name="Tour").click()
    await card(page).get_by_role("button", name="Next").click()

    await expect(card(page)).to_contain_text("may not roll back: choose Sena or Lubit")
    await page.select_option("#acting-user", "U0LUBIT")
    await expect(card(page)).not_to_contain_text("may not roll back")
