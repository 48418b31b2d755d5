"""One Chromium for all tests of the page, and a stand-in server for each."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest
from playwright.async_api import Browser, Page

from tests.browser import running_browser, watched_page
from tests.integration.sandbox.page.samples import Json, cloud, workspace
from tests.integration.sandbox.page.server import PageServer, serving

#: open_page(hash="", ready="#messages [data-key]", **options of `watched_page`)
OpenPage = Callable[..., Awaitable[Page]]


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with running_browser() as running:
        yield running


@pytest.fixture
async def server() -> AsyncIterator[PageServer]:
    async with serving(PageServer(workspace(), cloud())) as running:
        yield running


@pytest.fixture
async def open_page(browser: Browser, server: PageServer) -> AsyncIterator[OpenPage]:
    """Open the page as it stands on the server; English unless the hash names somebody else."""
    async with AsyncExitStack() as stack:

        async def opened(hash: str = "#user=U0GITCO", **options: Any) -> Page:
            page = await stack.enter_async_context(watched_page(browser, **options))
            await page.goto(server.url + hash)
            await page.locator("#messages [data-key]").first.wait_for()
            return page

        yield opened


def showing(server: PageServer, *messages: Json) -> None:
    """Let #operations hold exactly these messages."""
    server.state["messages"] = {"C0OPERATIONS": list(messages)}
    server.changed()
