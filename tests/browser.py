"""A real, headless Chromium for tests that look at the sandbox's page the way a person does."""

import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal

from playwright.async_api import Browser, ConsoleMessage, Error, Page, async_playwright

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

#: A page answers within milliseconds; on a machine busy with other tests within seconds.
PATIENCE_MS = 15_000


def executable() -> Path:
    """Return the browser to start: ``BACKOUT_CHROMIUM``, or Debian's."""
    return Path(os.environ.get("BACKOUT_CHROMIUM", DEFAULT_EXECUTABLE))


@asynccontextmanager
async def running_browser() -> AsyncIterator[Browser]:
    """Start Chromium, give it, and end it."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=executable(), args=list(ARGUMENTS))
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
    context = await browser.new_context(
        color_scheme=color_scheme, viewport={"width": width, "height": height}, locale="en-US"
    )
    context.set_default_timeout(PATIENCE_MS)
    page = await context.new_page()
    complaints = _listen(page)
    try:
        yield page
    finally:
        await context.close()
    unexpected = [line for line in complaints if not any(known in line for known in expected_errors)]
    assert unexpected == [], "the page's console complained"


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


def _listen(page: Page) -> list[str]:
    complaints: list[str] = []

    def on_console(message: ConsoleMessage) -> None:
        if message.type == "error":
            complaints.append(f"{message.text} ({message.location.get('url', '')})")

    def on_error(error: Error) -> None:
        complaints.append(f"uncaught: {error}")

    page.on("console", on_console)
    page.on("pageerror", on_error)
    return complaints
