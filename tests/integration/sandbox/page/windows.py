"""Browser windows that are used again: opening one costs more than most tests of the page."""

from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

from playwright.async_api import Browser, Page

from tests.browser import assert_nothing_unexpected, listen, new_page


@dataclass(kw_only=True)
class Window:
    """A page, what its console complained about, and what it was opened with."""

    page: Page
    complaints: list[str]
    options: dict[str, Any]
    expected_errors: Sequence[str] = ()


class Windows:
    """Lends windows to tests. One comes back empty: a blank page, nothing stored, no complaint."""

    def __init__(self, browser: Browser, stack: AsyncExitStack) -> None:
        self._browser = browser
        self._stack = stack
        self._free: list[Window] = []

    async def take(self, *, expected_errors: Sequence[str] = (), **options: Any) -> Window:
        """Return a window with the `options` of `new_page`."""
        found = next((window for window in self._free if window.options == options), None)
        if found is None:
            page = await new_page(self._browser, **options)
            self._stack.push_async_callback(page.context.close)
            return Window(
                page=page, complaints=listen(page), options=options, expected_errors=expected_errors
            )
        self._free.remove(found)
        found.expected_errors = expected_errors
        return found

    async def give_back(self, window: Window) -> None:
        """Empty the window, and fail on anything its console complained about."""
        await window.page.evaluate("localStorage.clear()")
        await window.page.goto("about:blank")
        complaints = list(window.complaints)
        window.complaints.clear()
        self._free.append(window)
        assert_nothing_unexpected(complaints, window.expected_errors)
