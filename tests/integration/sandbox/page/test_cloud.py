"""The cloud panel shows traffic and health, and its switches break the canary."""

from playwright.async_api import expect

from tests.integration.sandbox.page.conftest import OpenPage
from tests.integration.sandbox.page.server import PageServer


async def test_traffic_and_health_of_every_service_are_shown(server: PageServer, open_page: OpenPage) -> None:
    page = await open_page()

    api = page.get_by_role("article", name="ion-api", exact=True)
    bars = api.get_by_role("img")
    await expect(bars.first).to_have_attribute(
        "aria-label", "Traffic: ion-api-00041-kim 90 %, ion-api-00042-lee 10 %"
    )
    await expect(bars.last).to_have_attribute("aria-label", "Changing to: ion-api-00041-kim 100 %")
    canary = api.locator("[data-revision=ion-api-00042-lee] td")
    await expect(canary).to_have_text(["2.1", "▲ 5.4", "△ 312"])
    await expect(page.get_by_role("article", name="ion-chat-router")).to_contain_text("ion-chat-canary 5 %")


async def test_a_revision_without_requests_shows_no_numbers(server: PageServer, open_page: OpenPage) -> None:
    page = await open_page()

    idle = page.locator("[data-revision=ion-chat-canary-00007-abc] td")

    await expect(idle).to_have_text(["0.0", "–", "–"])


async def test_a_switch_makes_the_canary_fail(server: PageServer, open_page: OpenPage) -> None:
    page = await open_page()

    await page.locator("[data-fault=errors][data-service=ion-api]").click()

    await expect(page.locator("[data-service-card=ion-api]")).to_be_visible()
    for _ in range(200):
        if server.posted:
            break
        await page.wait_for_timeout(25)
    assert server.posted == [("cloud/fault", {"service": "ion-api", "fault": "errors", "on": True})]


async def test_switches_show_what_the_cloud_says(server: PageServer, open_page: OpenPage) -> None:
    page = await open_page()
    down = page.locator("[data-fault=down][data-service=ion-chat-canary]")
    await expect(down).to_be_checked()
    await expect(page.locator("[data-service=ion-chat-router]")).to_have_count(0)

    await down.focus()
    server.cloud["services"][2]["faults"]["down"] = False

    await expect(down).not_to_be_checked()
    await expect(down).to_be_focused()


async def test_the_panel_can_be_put_away(server: PageServer, open_page: OpenPage) -> None:
    page = await open_page()

    await page.get_by_role("button", name="Cloud").click()

    await expect(page.get_by_test_id("cloud")).to_be_hidden()
    await expect(page.locator("#toggle-cloud")).to_have_attribute("aria-expanded", "false")
