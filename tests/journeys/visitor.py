"""Somebody before the sandbox's page: types, clicks, and looks at what is there."""

import re
from dataclasses import dataclass

from playwright.async_api import Locator, Page, expect

#: A bot at work behind the page: wait as long as the other journeys do.
PATIENCE_MS = 60_000
#: What a rollback's message shows once its question was answered.
UNDER_WAY_OR_ASKED_AGAIN = re.compile("⏳|✅|Yes, roll back|네, 롤백")
OPERATIONS, INCIDENTS, GENERAL, STATUS = "C0OPERATIONS", "C0CRITICAL", "C0GENERAL", "C0STATUS"


@dataclass(frozen=True, kw_only=True)
class Visitor:
    """One person at one page. `press` and `sees` wait, for a bot behind it is at work."""

    page: Page
    locale: str

    async def opens(self, channel: str) -> None:
        """Open a channel in the sidebar."""
        await self.page.click(f"[data-channel={channel}]")

    async def types(self, text: str) -> None:
        """Type into the message box and send it."""
        await self.page.fill("#composer", text)
        await self.page.press("#composer", "Enter")

    async def breaks(self, service: str, fault: str) -> None:
        """Switch a failure on in the cloud panel, and see it on."""
        switch = self.page.locator(f"[data-fault={fault}][data-service={service}]")
        await switch.click()
        await expect(switch).to_be_checked()

    async def press(self, *actions: str) -> None:
        """Press buttons of messages, one after the other: the newest with this action id."""
        for action in actions:
            await self._control(action).click(timeout=PATIENCE_MS)

    async def confirms(self, action: str) -> None:
        """Press a button that asks back, and say that it is meant."""
        await self.press(action)
        await self.page.click("[data-confirm=yes]")

    async def rolls_back(self) -> None:
        """Answer the question before a rollback, once more where the bot finds the canary healthy."""
        ts = (
            await self._control("rollback.go")
            .locator("xpath=ancestor::article")
            .get_attribute("data-ts", timeout=PATIENCE_MS)
        )
        row = self.page.locator(f"#messages article[data-ts='{ts}']")
        await self.confirms("rollback.go")
        await expect(row).to_contain_text(UNDER_WAY_OR_ASKED_AGAIN, timeout=PATIENCE_MS)
        if await row.locator("[data-action-id='rollback.go']").count():
            await self.confirms("rollback.go")

    async def sees(self, *texts: str) -> None:
        """Wait until the open channel shows all of this."""
        for text in texts:
            await expect(self.page.locator("#messages")).to_contain_text(text, timeout=PATIENCE_MS)

    async def chooses(self, **chosen: str) -> None:
        """Fill in the selects of the open modal: ``scenario="memory"`` for the input ``declare.scenario``."""
        for name, value in chosen.items():
            await self.dialog.locator(f"select[data-action-id$='.{name}']").select_option(value)

    async def fills(self, action: str, text: str) -> None:
        """Fill in a text field of the open modal."""
        await self.dialog.locator(f"[data-action-id='{action}']").fill(text, timeout=PATIENCE_MS)

    async def submits(self) -> None:
        """Send the open modal, and see it go."""
        await self.page.click("[data-modal=submit]")
        await expect(self.dialog).to_have_count(0, timeout=PATIENCE_MS)

    @property
    def dialog(self) -> Locator:
        """The open modal."""
        return self.page.locator("dialog[data-view-id]")

    def _control(self, action: str) -> Locator:
        return self.page.locator(f"#messages [data-action-id='{action}']").last
