"""Light and dark, wide and narrow, English and Korean: readable, labelled, and usable with the keyboard."""

from typing import Any, Literal

import pytest
from playwright.async_api import Page, expect

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

#: WCAG 2.2, 1.4.3 (AA), normal text.
LEAST_CONTRAST = 4.5

#: Return [contrast ratio, text] of every visible text whose contrast is below the argument.
FAINT_TEXTS = """
(least) => {
  const channels = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const over = (top, below) => {
    const alpha = top[3] ?? 1;
    return [0, 1, 2].map((i) => top[i] * alpha + below[i] * (1 - alpha));
  };
  const behind = (node) => {
    if (!node) return [255, 255, 255];
    const own = channels(getComputedStyle(node).backgroundColor);
    return (own[3] ?? 1) === 1 ? own.slice(0, 3) : over(own, behind(node.parentElement));
  };
  const linear = (part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
  const light = (colour) => {
    const [red, green, blue] = colour.map((channel) => linear(channel / 255));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const isShown = (node) => node.checkVisibility({ visibilityProperty: true }) && !node.closest(":disabled");
  const contrast = (node) => {
    const back = behind(node);
    const pair = [light(over(channels(getComputedStyle(node).color), back)), light(back)];
    return (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
  };
  const faint = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const { data, parentElement } = walker.currentNode;
    if (!data.trim() || !isShown(parentElement) || contrast(parentElement) >= least) continue;
    faint.push([contrast(parentElement).toFixed(2), data.trim().slice(0, 40)]);
  }
  return faint;
}
"""

#: Return the outer HTML of every control that has no name for a screen reader.
UNLABELLED = """
() => {
  const controls = "button, input, select, textarea, a, fieldset, dialog, img, [role], [tabindex='0']";
  const nameless = ["alert", "status"];
  const named = ["option", "menuitem"];
  const nameOf = (node) => {
    const ids = (node.getAttribute("aria-labelledby") ?? "").split(" ");
    const by = ids.map((id) => document.getElementById(id)?.textContent);
    const labels = [...(node.labels ?? [])].map((label) => label.textContent);
    const hasOwn = ["BUTTON", "A"].includes(node.tagName) || named.includes(node.getAttribute("role"));
    const own = hasOwn ? node.textContent : "";
    return [node.getAttribute("aria-label"), ...by, ...labels, own].join("").trim();
  };
  return [...document.querySelectorAll(controls)]
    .filter((node) => !nameless.includes(node.getAttribute("role")))
    .filter((node) => !nameOf(node) && !(node.tagName === "IMG" && node.hasAttribute("alt")))
    .map((node) => node.outerHTML.slice(0, 160));
}
"""

#: Return what tells the focused element from others.
FOCUSED = """
() => {
  const { id, dataset } = document.activeElement;
  return id || dataset.actionId || dataset.channel || dataset.fault;
}
"""


#: One that the acting person shares, and one of somebody else's.
REACTIONS = [
    {"name": "eyes", "count": 2, "users": ["U0SENA", "U0GITCO"]},
    {"name": "memo", "count": 1, "users": ["U0LUBIT"]},
]


def show_everything(server: PageServer) -> None:
    """Let #operations hold one of everything."""
    thread_ts = f"{MOMENT + 60}.000100"
    showing(
        server,
        bot_message(1, *BOARD, edited={"ts": "1"}),
        bot_message(2, *CHOICES),
        bot_message(3, *RICH),
        bot_message(4, *MORE_BLOCKS, reactions=REACTIONS),
        person_message(5, "U0LUBIT", MARKUP),
        bot_message(6, section("only for you"), ephemeral_for="U0SENA"),
        person_message(7, "U0GITCO", "looking, <@U0SENA>", thread_ts=thread_ts),
    )


async def open_thread(page: Page) -> None:
    await page.get_by_test_id("replies").click()
    await page.locator("#thread-messages article").nth(1).wait_for()


@pytest.mark.parametrize("color_scheme", ["light", "dark"])
async def test_every_text_stands_out_from_its_background(
    server: PageServer, open_page: OpenPage, color_scheme: Literal["light", "dark"]
) -> None:
    show_everything(server)
    page = await open_page("", color_scheme=color_scheme)
    await open_thread(page)
    await page.locator("[data-service-card]").first.wait_for()

    conversation = await page.evaluate(FAINT_TEXTS, LEAST_CONTRAST)
    await page.get_by_test_id("message-menu").first.focus()
    await page.keyboard.press("Enter")
    menu = await page.evaluate(FAINT_TEXTS, LEAST_CONTRAST)
    server.state["views"] = {"U0SENA": [modal(blocks=[*modal()["blocks"], *asking(*PICKERS)])]}
    server.changed()
    await page.locator("dialog [data-modal=submit]").click()
    dialog = await page.evaluate(FAINT_TEXTS, LEAST_CONTRAST)

    assert conversation == []
    assert menu == []
    assert dialog == []


async def test_light_and_dark_follow_the_system(server: PageServer, open_page: OpenPage) -> None:
    background = "getComputedStyle(document.body).backgroundColor"

    light = await (await open_page(color_scheme="light")).evaluate(background)
    dark = await (await open_page(color_scheme="dark")).evaluate(background)

    assert (light, dark) == ("rgb(255, 255, 255)", "rgb(26, 29, 33)")


@pytest.mark.parametrize("user", ["U0GITCO", "U0SENA"])
async def test_every_control_has_a_name(server: PageServer, open_page: OpenPage, user: str) -> None:
    show_everything(server)
    page = await open_page(f"#user={user}")
    await open_thread(page)
    await page.locator("[data-service-card]").first.wait_for()
    await page.locator("#messages [data-action-id=more]").click()

    conversation = await page.evaluate(UNLABELLED)
    server.state["views"] = {user: [modal(blocks=[*modal()["blocks"], *asking(*PICKERS)])]}
    server.changed()
    await page.locator("dialog[data-view-id]").wait_for()
    dialog = await page.evaluate(UNLABELLED)

    assert conversation == []
    assert dialog == []


@pytest.mark.parametrize("width", [320, 420, 768, 1024, 1720])
async def test_nothing_is_cut_off_at_any_width(server: PageServer, open_page: OpenPage, width: int) -> None:
    show_everything(server)
    page = await open_page("", width=width)

    for part in ("document.documentElement", "document.getElementById('messages')"):
        assert await page.evaluate(f"{part}.scrollWidth <= {part}.clientWidth"), part
    await expect(page.locator("#composer")).to_be_in_viewport()


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
    await expect(page.locator("[data-fault=errors]").first).to_be_in_viewport()


async def test_the_keyboard_reaches_everything(server: PageServer, open_page: OpenPage) -> None:
    show_everything(server)
    page = await open_page()
    await page.locator("[data-service-card]").first.wait_for()

    reached: set[Any] = set()
    for _ in range(110):
        await page.keyboard.press("Tab")
        reached.add(await page.evaluate(FOCUSED))

    assert {"acting-user", "toggle-cloud", "C0BACKEND", "messages", "composer"} <= reached
    assert {"rollback", "watch", "more", "severity", "errors", "slow", "down"} <= reached
