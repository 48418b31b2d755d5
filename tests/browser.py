"""A real, headless Chromium for tests that look at the sandbox's page the way a person does."""

import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Literal

from playwright.async_api import Browser, ConsoleMessage, Error, Page, async_playwright, expect

#: Debian's chromium; another one can be named in the environment.
DEFAULT_EXECUTABLE = "/usr/bin/chromium"

#: Keep the browser on this machine: nothing is fetched, updated or synchronised.
ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

#: What axe-core checks: WCAG 2.0 to 2.2, levels A and AA, which includes contrast. Of its "best practice"
#: rules, which go beyond the standard, those about headings and landmarks: they say how one moves about.
AXE_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
AXE_MORE_RULES = ["empty-heading", "heading-order", "landmark-unique", "page-has-heading-one", "region"]

_AXE_RUN = """
async ([tags, rules, within]) => {
  const known = axe.getRules(tags).map(({ ruleId }) => ruleId);
  const options = { runOnly: [...known, ...rules], resultTypes: ["violations"], elementRef: false };
  const { violations } = await axe.run(within ?? document, options);
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, target, any, all, none }) => {
      const why = [...any, ...all, ...none].map(({ message }) => message).join("; ");
      return `${id}: ${target.join(" ")}: ${why}: ${html.slice(0, 160)}`;
    }),
  );
}
"""

#: What the page's tour remembers of a visitor; about:blank can remember nothing.
_TOUR_SEEN = "if (location.protocol === 'http:') localStorage.setItem('backout.tour', 'seen');"

#: A page answers within milliseconds; on a machine busy with other tests within seconds.
PATIENCE_MS = 60_000
# What is expected of a page has a patience of its own, five seconds where nobody says otherwise.
expect.set_options(timeout=PATIENCE_MS)


def executable() -> Path:
    """Return the browser to start: ``BACKOUT_CHROMIUM``, or Debian's."""
    return Path(os.environ.get("BACKOUT_CHROMIUM", DEFAULT_EXECUTABLE))


@asynccontextmanager
async def running_browser() -> AsyncIterator[Browser]:
    """Start Chromium, give it, and end it."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=executable(), args=list(ARGUMENTS), timeout=2 * PATIENCE_MS
        )
        try:
            yield browser
        finally:
            await browser.close()


@asynccontextmanager
async def watched_page(
    browser: Browser,
    *,
    color_scheme: Literal["light", "dark"] = "light",
    width: int = 1280,
    height: int = 800,
    expected_errors: Sequence[str] = (),
) -> AsyncIterator[Page]:
    """Give a fresh page and, once the test is done with it, fail on anything its console complained about.

    Args:
        browser: see `running_browser`.
        color_scheme: what ``prefers-color-scheme`` answers.
        width: of the window, CSS pixels.
        height: of the window, CSS pixels.
        expected_errors: a complaint that contains one of these is left out.
    """
    page = await new_page(browser, color_scheme=color_scheme, width=width, height=height)
    complaints = listen(page)
    try:
        yield page
    finally:
        await page.context.close()
    assert_nothing_unexpected(complaints, expected_errors)


async def new_page(
    browser: Browser,
    *,
    color_scheme: Literal["light", "dark"] = "light",
    width: int = 1280,
    height: int = 800,
    is_first_visit: bool = False,
) -> Page:
    """Return a page with a context of its own, which the caller closes; see `watched_page`.

    On a first visit the page begins its tour.
    """
    context = await browser.new_context(
        color_scheme=color_scheme, viewport={"width": width, "height": height}, locale="en-US"
    )
    context.set_default_timeout(PATIENCE_MS)
    if not is_first_visit:
        await context.add_init_script(_TOUR_SEEN)
    return await context.new_page()


def assert_nothing_unexpected(complaints: Sequence[str], expected_errors: Sequence[str] = ()) -> None:
    """Fail with what `listen` heard, but for complaints that contain one of `expected_errors`."""
    unexpected = [line for line in complaints if not any(known in line for known in expected_errors)]
    assert not unexpected, "\n".join(["the page's console complained:", *unexpected])


@asynccontextmanager
async def browser_page(
    *,
    color_scheme: Literal["light", "dark"] = "light",
    width: int = 1280,
    height: int = 800,
    expected_errors: Sequence[str] = (),
) -> AsyncIterator[Page]:
    """Give a page of a browser of its own; see `watched_page`."""
    async with (
        running_browser() as browser,
        watched_page(
            browser, color_scheme=color_scheme, width=width, height=height, expected_errors=expected_errors
        ) as page,
    ):
        yield page


async def assert_accessible(page: Page, within: str | None = None) -> None:
    """Fail with every fault that axe-core finds in what the page shows now; see `AXE_RULES`.

    axe is handed to the page by the debugger, which the page's security policy lets through.

    Args:
        page: as a person would see it.
        within: look only inside the element with this selector, which is faster than the whole page.
    """
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(_axe())
    faults: list[str] = await page.evaluate(_AXE_RUN, [AXE_RULES, AXE_MORE_RULES, within])
    assert not faults, "\n".join(["faults of accessibility:", *faults])


@cache
def _axe() -> str:
    return files("axe_playwright_python").joinpath("axe.min.js").read_text()


def listen(page: Page) -> list[str]:
    """Return a list that fills with everything that the page's console complains about."""
    complaints: list[str] = []

    def on_console(message: ConsoleMessage) -> None:
        if message.type == "error":
            complaints.append(f"{message.text} ({message.location.get('url', '')})")

    def on_error(error: Error) -> None:
        complaints.append(f"uncaught: {error}")

    page.on("console", on_console)
    page.on("pageerror", on_error)
    return complaints
