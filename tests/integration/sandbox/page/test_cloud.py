"""The cloud panel shows traffic and health, moves the deployment on, and breaks the canary or more."""

from typing import Any

from playwright.async_api import expect

from tests.browser import assert_accessible
from tests.integration.sandbox.page.conftest import OpenPage
from tests.integration.sandbox.page.server import PageServer

#: Return the switches, buttons and pieces of text of the panel that have no words.
WORDLESS = """
() => [...document.querySelectorAll("#cloud :is(h2, h3, p, th, legend, label, button, [aria-label])")]
  .filter((node) => node.checkVisibility() && !node.matches(".cloud-status, [role=status]"))
  .filter((node) => /undefined|null|^\\s*$/.test(node.getAttribute("aria-label") ?? node.textContent))
  .map((node) => node.outerHTML.slice(0, 120))
"""


async def posted(server: PageServer, path: str) -> dict[str, Any]:
    """Return the only body that the page posted to a path, once it has."""
    await server.until(lambda: bool(server.sent(path)))
    (body,) = server.sent(path)
    return body


async def test_traffic_and_health_of_every_service_are_shown(server: PageServer, open_page: OpenPage) -> None:
    page = await open_page()

    api = page.get_by_role("article", name="ion-api", exact=True)
    await expect(api.locator(".bar-traffic")).to_have_attribute(
        "aria-label", "Traffic: ion-api-00041-kim 90 %, ion-api-00042-lee 10 %"
    )
    await expect(api.locator(".bar-wanted")).to_have_attribute(
        "aria-label", "Changing to: ion-api-00041-kim 100 %"
    )
    canary = api.locator("[data-revision=ion-api-00042-lee]")
    await expect(canary.locator("td")).to_have_text(["2.1", "▲ 5.4", "△ 312", "△ 72", "▲ 91"])
    await expect(canary.locator(".deployed")).to_contain_text("ion-api:42, deployed")
    router = page.get_by_role("article", name="ion-chat-router")
    await expect(router).to_contain_text("ion-chat-canary 5 %")
    await expect(router.locator(".since")).to_contain_text("by deployer")


async def test_a_chart_says_in_words_what_it_draws(server: PageServer, open_page: OpenPage) -> None:
    page = await open_page()

    charts = page.locator("[data-revision=ion-api-00042-lee] svg[role=img]")

    await expect(charts.nth(1)).to_have_attribute(
        "aria-label",
        "Errors %, last 5 minutes: now 5.4, between 2.7 and 5.4; over the red line, 1",
    )
    await expect(charts.nth(2)).to_have_attribute(
        "aria-label",
        "P95 ms, last 5 minutes: now 312, between 156 and 312; over the yellow line, 200",
    )
    assert await charts.nth(0).locator("line").count() == 0
    assert await charts.nth(1).locator("line").count() == 2
    # Nothing was measured at first, then eight pieces of half, then three of all: one line without a gap.
    drawn = await charts.nth(1).locator("path").get_attribute("d")
    assert drawn is not None
    assert (drawn.count("M"), drawn.count("L")) == (1, 10)


async def test_a_revision_without_requests_shows_no_numbers(server: PageServer, open_page: OpenPage) -> None:
    page = await open_page()

    idle = page.locator("[data-revision=ion-chat-canary-00007-abc]")

    await expect(idle.locator("td")).to_have_text(["0.0", "–", "–", "–", "–"])
    await expect(idle.locator("svg").nth(1)).to_have_attribute("aria-label", "Errors %: nothing measured yet")


async def test_what_is_pressed_is_asked_of_the_cloud(server: PageServer, open_page: OpenPage) -> None:
    page = await open_page()
    api = page.locator("[data-service-card=ion-api]")
    chat = page.locator("[data-service-card=ion-chat-canary]")

    pressed = [
        api.get_by_role("switch", name="Errors"),
        api.get_by_role("button", name="25 %"),
        page.locator("[data-service-card=ion-chat-router]").get_by_text("Deploy a new canary"),
        chat.get_by_role("button", name="Let a user report it"),
        chat.get_by_role("button", name="Restore from the backup"),
        page.get_by_role("switch", name="Google unavailable"),
        page.get_by_role("button", name="Everything back to normal"),
    ]
    for number, control in enumerate(pressed, start=1):
        await control.click()
        await server.until_posted(number)

    assert await posted(server, "cloud/normal") == {}
    assert server.posted[:-1] == [
        ("cloud/fault", {"service": "ion-api", "fault": "errors", "on": True}),
        ("cloud/stage", {"service": "ion-api", "percent": 25}),
        ("cloud/deploy", {"service": "ion-chat-router"}),
        ("cloud/report", {"service": "ion-chat-canary", "locale": "en-US"}),
        ("cloud/restore", {"service": "ion-chat-canary"}),
        ("cloud/trouble", {"trouble": "google_unavailable", "on": True}),
    ]
    await expect(page.locator(".cloud-status")).to_have_text(
        "Everything is back to normal. Traffic is as it was."
    )


async def test_a_refusal_is_said_aloud(server: PageServer, open_page: OpenPage) -> None:
    server.answers["cloud/stage"] = {"ok": False, "error": "traffic targets sum to 90"}
    page = await open_page()

    await page.locator("[data-service-card=ion-api] [data-stage='5']").click()

    status = page.locator("#cloud [role=status]")
    await expect(status).to_have_text("That did not work: traffic targets sum to 90")


async def test_switches_and_stages_show_what_the_cloud_says(server: PageServer, open_page: OpenPage) -> None:
    page = await open_page()
    down = page.locator("[data-fault=down][data-service=ion-chat-canary]")
    api = page.locator("[data-service-card=ion-api]")
    await expect(down).to_be_checked()
    await expect(page.locator("[data-service=ion-chat-router]")).to_have_count(0)
    await expect(api.locator("[aria-pressed=true]")).to_have_text("10 %")
    await expect(api.locator(".stage-now")).to_have_text("canary 10 % → 0 %")
    await expect(api.locator(".losses")).to_be_hidden()
    await expect(page.locator(".losses:visible")).to_contain_text("12 users miss their conversations")

    await down.focus()
    server.cloud["services"][2]["faults"]["down"] = False
    server.cloud["services"][0]["stage"] |= {"percent": 0}
    server.cloud["troubles"]["competing"] = True

    await expect(down).not_to_be_checked()
    await expect(down).to_be_focused()
    await expect(api.locator("[aria-pressed=true]")).to_have_count(0)
    await expect(api.locator(".stage-now")).to_have_text("canary 0 %")
    await expect(page.get_by_role("switch", name="Competing deployment")).to_be_checked()


async def test_every_failure_shows_its_symptom(server: PageServer, open_page: OpenPage) -> None:
    page = await open_page()

    symptoms = page.locator("[data-service-card=ion-api] .switches .switch p")

    await expect(symptoms).to_have_text(
        [
            "Error rate 0 % → 5 %",
            "P95 150 ms → 800 ms",
            "Memory 60 % → 95 % → 99 %",
            "Answers stay 200, but what users wrote is gone",
            "The service does not respond",
            "Only /api/recommend: 800 ms",
        ]
    )
    errors = page.locator("[data-fault=errors][data-service=ion-api]")
    await expect(errors).to_have_accessible_description("Error rate 0 % → 5 %")
    assert await page.evaluate(WORDLESS) == []


async def test_the_panel_is_readable_in_a_narrow_window_and_in_korean(
    server: PageServer, open_page: OpenPage
) -> None:
    page = await open_page("#user=U0SENA", width=390)
    await page.locator("#toggle-cloud").click()
    await page.get_by_test_id("troubles").wait_for()

    assert await page.evaluate(WORDLESS) == []
    assert await page.evaluate(
        "document.querySelector('#cloud').scrollWidth <= document.querySelector('#cloud').clientWidth"
    )
    await assert_accessible(page)


async def test_the_keyboard_works_the_panel(server: PageServer, open_page: OpenPage) -> None:
    page = await open_page()
    errors = page.locator("[data-fault=errors][data-service=ion-api]")

    await errors.focus()
    await page.keyboard.press("Space")
    assert await posted(server, "cloud/fault") == {"service": "ion-api", "fault": "errors", "on": True}
    await expect(errors).to_be_focused()
    for _ in range(6):
        await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")

    assert await posted(server, "cloud/stage") == {"service": "ion-api", "percent": 5}


async def test_the_panel_can_be_put_away(server: PageServer, open_page: OpenPage) -> None:
    page = await open_page()

    await page.get_by_role("button", name="Cloud").click()

    await expect(page.get_by_test_id("cloud")).to_be_hidden()
    await expect(page.locator("#toggle-cloud")).to_have_attribute("aria-expanded", "false")
