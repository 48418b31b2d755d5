"""Light and dark, wide and narrow, English and Korean: readable, labelled, and usable with the keyboard."""

from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser import assert_accessible, watched_page
from tests.integration.sandbox.page.conftest import OpenPage, showing
from tests.integration.sandbox.page.samples import (
    BOARD,
    CHOICES,
    MARKUP,
    MOMENT,
    MORE_BLOCKS,
    PICKERS,
    RICH,
    asking,
    bot_message,
    modal,
    person_message,
    section,
)
from tests.integration.sandbox.page.server import PageServer

#: Return what tells the focused element from others.
FOCUSED = """
() => {
  const { id, dataset } = document.activeElement;
  return id || dataset.actionId || dataset.channel || dataset.fault;
}
"""

#: As a browser answers where it is told to block what sites would store.
NOTHING_KEPT = """
Object.defineProperty(window, "localStorage", {
  get() {
    throw new DOMException("Access is denied for this document.", "SecurityError");
  },
});
"""

#: One that the acting person shares, and one of somebody else's.
REACTIONS = [
    {"name": "eyes", "count": 2, "users": ["U0SENA", "U0GITCO"]},
    {"name": "memo", "count": 1, "users": ["U0LUBIT"]},
]


def show_everything(server: PageServer, user: str = "U0SENA") -> None:
    """Let #operations hold one of everything; `user` sees the ephemeral message."""
    thread_ts = f"{MOMENT + 60}.000100"
    showing(
        server,
        bot_message(1, *BOARD, edited={"ts": "1"}),
        bot_message(2, *CHOICES),
        bot_message(3, *RICH),
        bot_message(4, *MORE_BLOCKS, reactions=REACTIONS),
        person_message(5, "U0LUBIT", MARKUP),
        bot_message(6, section("only for you"), ephemeral_for=user),
        person_message(7, "U0GITCO", "looking, <@U0SENA>", thread_ts=thread_ts),
    )


async def open_thread(page: Page) -> None:
    await page.get_by_test_id("replies").click()
    await page.locator("#thread-messages article").nth(1).wait_for()


#: Gitco reads English, Sena Korean.
LOOKS: list[tuple[str, dict[str, Any]]] = [("U0GITCO", {}), ("U0SENA", {"color_scheme": "dark"})]


@pytest.mark.parametrize(("user", "options"), LOOKS, ids=["light English", "dark Korean"])
async def test_everything_is_accessible(
    server: PageServer, open_page: OpenPage, user: str, options: dict[str, Any]
) -> None:
    show_everything(server, user)
    page = await open_page(f"#user={user}", **options)
    # The cloud has tests of its own.
    await page.click("#toggle-cloud")

    await open_thread(page)
    await page.locator("#thread-composer").press_sequentially("@")
    await page.locator("#thread-composer-commands [role=option]").first.wait_for()
    await assert_accessible(page)

    await page.locator("#messages").get_by_test_id("message-menu").last.focus()
    await page.keyboard.press("Enter")
    await page.get_by_role("menu").wait_for()
    await assert_accessible(page, within=".menu")

    await page.keyboard.press("Escape")
    server.state["views"] = {user: [modal(blocks=[*modal()["blocks"], *asking(*PICKERS)])]}
    server.changed()
    await page.locator("dialog [data-modal=submit]").click()
    await page.locator("[aria-invalid]").first.wait_for()
    await assert_accessible(page, within="dialog")


async def test_a_narrow_window_is_accessible(server: PageServer, open_page: OpenPage) -> None:
    server.state["views"] = {"U0SENA": [{"id": "V0HOME", "type": "home", "hash": "1.a", "blocks": BOARD}]}
    page = await open_page("#user=U0SENA&channel=home", width=390)

    await page.locator("[data-action-id=rollback]").click()
    await page.get_by_test_id("confirm-dialog").wait_for()
    await assert_accessible(page, within="dialog")

    await page.keyboard.press("Escape")
    await page.click("#toggle-sidebar")
    await page.locator("[data-channel=C0BACKEND]").wait_for()
    await assert_accessible(page)


async def test_light_and_dark_follow_the_system_until_one_chooses(
    server: PageServer, open_page: OpenPage
) -> None:
    background = "getComputedStyle(document.body).backgroundColor"
    page = await open_page(color_scheme="dark")

    as_the_system = await page.evaluate(background)
    await page.get_by_role("button", name="Light or dark").click()
    await expect(page.get_by_role("menuitemradio", name="As the system is")).to_be_focused()
    await page.keyboard.press("l")
    await page.keyboard.press("Enter")
    chosen = await page.evaluate(background)
    await page.reload()

    assert (as_the_system, chosen) == ("rgb(26, 29, 33)", "rgb(255, 255, 255)")
    assert await page.evaluate(background) == chosen


async def test_nothing_is_cut_off_at_any_width(server: PageServer, open_page: OpenPage) -> None:
    show_everything(server)
    page = await open_page("")
    await page.locator("[data-service-card]").first.wait_for()

    for width in (320, 390, 768, 1024, 1720):
        await page.set_viewport_size({"width": width, "height": 800})
        for part in ("document.documentElement", "document.getElementById('messages')"):
            assert await page.evaluate(f"{part}.scrollWidth <= {part}.clientWidth"), (part, width)
        await expect(page.locator("#composer")).to_be_in_viewport()
    await page.set_viewport_size({"width": 1280, "height": 800})


async def test_a_narrow_window_shows_one_thing_at_a_time(server: PageServer, open_page: OpenPage) -> None:
    show_everything(server)
    page = await open_page(width=400)
    await expect(page.locator("#sidebar")).to_be_hidden()
    await expect(page.get_by_test_id("cloud")).to_be_hidden()

    await page.get_by_role("button", name="Channels").click()
    await expect(page.locator("[data-channel=C0BACKEND]")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.locator("#sidebar")).to_be_hidden()
    await page.get_by_role("button", name="Channels").click()
    await page.click("[data-channel=C0BACKEND]")

    await expect(page.locator("#sidebar")).to_be_hidden()
    await expect(page.locator("#channel-name")).to_have_text("#backend")
    await page.get_by_role("button", name="Cloud").click()
    await expect(page.get_by_test_id("cloud").locator("[data-service-card]").first).to_be_in_viewport()


async def test_a_browser_that_keeps_nothing_shows_the_page_as_any_other(
    server: PageServer, browser: Browser
) -> None:
    async with watched_page(browser) as page:
        await page.add_init_script(NOTHING_KEPT)
        await page.goto(server.url + "#user=U0GITCO")
        await page.locator("[data-service-card]").first.wait_for()

        await page.click("#theme")
        await page.get_by_role("menuitemradio", name="Dark").click()

        await expect(page.locator("html")).to_have_attribute("data-theme", "dark")


async def test_the_keyboard_reaches_everything(server: PageServer, open_page: OpenPage) -> None:
    showing(server, bot_message(1, *BOARD))
    page = await open_page()
    await page.locator("[data-service-card]").first.wait_for()

    reached: set[Any] = set()
    for _ in range(60):
        await page.keyboard.press("Tab")
        reached.add(await page.evaluate(FOCUSED))

    assert {"acting-user", "theme", "toggle-cloud", "C0BACKEND", "messages", "composer"} <= reached
    assert {"rollback", "watch", "more", "severity", "errors", "slow", "down"} <= reached


async def test_keys_go_from_part_to_part_and_from_message_to_message(
    server: PageServer, open_page: OpenPage
) -> None:
    showing(server, *(person_message(number, "U0LUBIT", f"line {number}") for number in range(1, 4)))
    page = await open_page()
    focused = "document.activeElement.textContent"

    await page.locator("#acting-user").focus()
    await page.keyboard.press("F6")
    assert await page.evaluate(focused) == "#operations"
    await page.keyboard.press("ArrowDown")
    assert await page.evaluate(focused) == "#backend"
    await page.keyboard.press("F6")
    await page.keyboard.press("ArrowUp")
    await page.keyboard.press("ArrowUp")

    await expect(page.locator("article", has_text="line 2")).to_be_focused()
    await page.keyboard.press("F6")
    await expect(page.locator("#composer")).to_be_focused()
    await page.keyboard.press("Shift+F6")
    await page.keyboard.press("Shift+F6")
    assert await page.evaluate(focused) == "#operations"
