"""One Chromium and one stand-in server for all tests of the page, each test with a window that is empty."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest
from playwright.async_api import Browser, Page

from tests.browser import running_browser
from tests.integration.sandbox.page.samples import Json, cloud, workspace
from tests.integration.sandbox.page.server import PageServer, serving
from tests.integration.sandbox.page.windows import Window, Windows

#: open_page(hash="", ready="#messages [data-key]", expected_errors=(), **options of `new_page`)
OpenPage = Callable[..., Awaitable[Page]]


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with running_browser() as running:
        yield running


@pytest.fixture(scope="session")
async def page_server() -> AsyncIterator[PageServer]:
    async with serving(PageServer(workspace(), cloud())) as running:
        yield running


@pytest.fixture
def server(page_server: PageServer) -> PageServer:
    """The one stand-in server, as if it had just been started."""
    page_server.begin(workspace(), cloud())
    return page_server


@pytest.fixture(scope="session")
async def windows(browser: Browser) -> AsyncIterator[Windows]:
    async with AsyncExitStack() as stack:
        yield Windows(browser, stack)


@pytest.fixture
async def open_page(windows: Windows, server: PageServer) -> AsyncIterator[OpenPage]:
    """Open the page as it stands on the server; English unless the hash names somebody else."""
    opened: list[Window] = []

    async def open_one(hash: str = "#user=U0GITCO", **options: Any) -> Page:
        window = await windows.take(expected_errors=options.pop("expected_errors", ()), **options)
        opened.append(window)
        await window.page.goto(server.address + hash)
        await window.page.locator("#messages [data-key]").first.wait_for()
        return window.page

    yield open_one
    for window in opened:
        await windows.give_back(window)


def showing(server: PageServer, *messages: Json) -> None:
    """Let #operations hold exactly these messages."""
    server.state["messages"] = {"C0OPERATIONS": list(messages)}
    server.changed()
