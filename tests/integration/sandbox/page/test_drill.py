"""The drill panel: chosen and started, followed on a clock, stopped, and scored."""

from typing import Any

from playwright.async_api import expect

from tests.browser import assert_accessible
from tests.integration.sandbox.page.conftest import OpenPage
from tests.integration.sandbox.page.samples import drill
from tests.integration.sandbox.page.server import PageServer


async def test_a_drill_is_started_followed_stopped_and_scored(
    server: PageServer, open_page: OpenPage
) -> None:
    server.drill = drill("idle", scenario="")
    page = await open_page()
    await page.get_by_label("Scenario").select_option("data_loss")
    await page.get_by_role("button", name="Start drill").click()
    await expect_posted(server, {"begin": "data_loss"})

    late = {"milestone": "users_told", "by": 145}
    reached = [{"milestone": "detected", "at": 25.0}, {"milestone": "decided", "at": 61.4}]
    server.drill = drill("running", drill={"seconds": 200.0, "reached": reached, "next": late})
    panel = page.get_by_test_id("drill")
    await expect(panel.locator("[data-reached]")).to_have_text(["✓ Detected 00:25", "✓ Decided 01:01"])
    await expect(panel).to_contain_text("Next: Users told, due at 02:25. Too late already!")
    await expect(page.get_by_test_id("drill-mark")).to_contain_text("DRILL 03:2")
    await expect(page.locator("body.drilling")).to_be_visible()
    await assert_accessible(page)

    await page.get_by_role("button", name="Stop").click()
    await expect_posted(server, {"stop": True})
    score = {"milestone": "users_told", "result": "late", "reached": 200.0, "by": 145.0, "last": 90.0}
    server.drill = drill("ended", scores=[score, score | {"milestone": "detected", "last": None}])
    told, detected = (panel.locator(f"[data-milestone={one}] td") for one in ("users_told", "detected"))
    await expect(told).to_have_text(["03:20", "02:25", "01:30", "▲ late"])
    await expect(detected).to_have_text(["03:20", "02:25", "–", "▲ late"])
    await expect(page.get_by_test_id("drill-mark")).to_be_hidden()
    await expect(panel.get_by_role("button", name="Start drill")).to_be_focused()
    await assert_accessible(page)


async def test_a_clock_that_does_not_answer_at_first_is_asked_again(
    server: PageServer, open_page: OpenPage
) -> None:
    server.drill_failures = 1
    server.drill = drill("starting", scenarios=[], scenario="")
    page = await open_page(expected_errors=["503"])
    # Whoever asks a third time has drawn the second answer.
    await expect_asked(server, 3)
    await expect(page.get_by_test_id("drill")).to_be_hidden()

    server.drill = drill("idle", scenario="")

    await expect(page.get_by_role("button", name="Start drill")).to_be_visible()


async def test_why_a_drill_was_refused_stays_to_be_read(server: PageServer, open_page: OpenPage) -> None:
    server.drill = drill("idle", scenario="")
    server.answers["drill"] = {"ok": False, "error": "invalid_arguments"}
    page = await open_page()
    status = page.get_by_test_id("drill").get_by_role("status")

    await page.get_by_role("button", name="Start drill").click()

    await expect(status).to_contain_text("the app answered with “invalid_arguments”")
    await expect_asked(server, server.drill_reads + 2)
    await expect(status).to_contain_text("the app answered with “invalid_arguments”")
    server.drill = drill("preparing")
    await expect(status).to_contain_text("The canary was just deployed")


async def expect_asked(server: PageServer, times: int) -> None:
    """Wait until the page has asked for the drill so many times since it was opened."""
    await server.until(lambda: server.drill_reads >= times)


async def expect_posted(server: PageServer, body: dict[str, Any]) -> None:
    """Wait until the page has sent this about drills, and nothing else since."""
    await server.until(lambda: server.sent("drill")[-1:] == [body])
