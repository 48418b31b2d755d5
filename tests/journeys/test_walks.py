"""The guide's five scenarios on the page, from the symptom to the record, by clicking what a person sees."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from tests.browser import assert_accessible, running_browser, watched_page
from tests.journeys.visitor import GENERAL, INCIDENTS, OPERATIONS, PATIENCE_MS, STATUS, Visitor
from tests.journeys.world import World, running_bot

#: Who walks, by the language of channel and person.
WALKERS = {"en": "U0LUBIT", "ko": "U0SENA"}
VERIFIED = {"en": "is rolled back and verified", "ko": "롤백 및 검증 완료"}
REPORT = {"en": "My conversation history is gone", "ko": "대화 기록이 사라졌어요"}
NOTICE = {
    "en": "Every conversation is back. We write here again within the hour.",
    "ko": "대화 기록을 모두 복구했습니다. 한 시간 안에 다시 알려 드립니다.",
}
RECORD = {"en": "Deployment failure record", "ko": "배포 실패 기록"}
#: The sub-steps of scenario 4's clock.
RESTORED = (
    "diagnosis.step#clock.restore.restore_backup",
    "diagnosis.step#clock.restore.review_transactions",
)
TOLD = (
    "diagnosis.step#clock.tell_users.announce",
    "diagnosis.step#clock.tell_users.say_when",
    "diagnosis.step#clock.tell_users.plan_compensation",
)
CONFIRMED = (
    "diagnosis.step#clock.confirm.verify_integrity",
    "diagnosis.step#clock.confirm.check_users",
)

Walk = Callable[[Visitor, World], Awaitable[None]]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """One browser for all walks; each has a window of its own."""
    async with running_browser() as running:
        yield running


async def declares(visitor: Visitor, scenario: str, target: str = "canary") -> None:
    """Declare an incident in #operations, and go where it is."""
    await visitor.types("/incident new")
    await visitor.chooses(target=target, scenario=scenario)
    # The scenario chose the severity: the modal is drawn anew, and will stay as it is.
    severity = visitor.dialog.locator("[data-action-id='declare.severity']")
    await expect(severity).not_to_have_value("medium", timeout=PATIENCE_MS)
    await visitor.fills("declare.seen", "Users see it too")
    await visitor.submits()
    await visitor.opens(INCIDENTS)


async def error_rate(visitor: Visitor, world: World) -> None:
    """Scenario 1: detected, then rolled back by hand."""
    await visitor.breaks("ion-api", "errors")
    await world.make_the_canary_fail()
    await declares(visitor, "error_rate")
    await visitor.press("diagnosis.look#action:detect", "diagnosis.roll_back#action:roll_back")
    await visitor.rolls_back()


async def response_time(visitor: Visitor, world: World) -> None:
    """Scenario 2: the two questions, the slow requests, the probe, option A."""
    await visitor.breaks("ion-api", "slow")
    await declares(visitor, "response_time")
    await visitor.press("diagnosis.answer#no")
    await visitor.press("diagnosis.answer#yes")
    await visitor.press("diagnosis.look#action:slow_requests", "diagnosis.look#action:probe_endpoint")
    await visitor.press("diagnosis.roll_back#option:roll_back")
    await visitor.rolls_back()


async def memory(visitor: Visitor, world: World) -> None:
    """Scenario 3: the new code leaks, the emergency rollback."""
    await visitor.breaks("ion-api", "leak")
    await declares(visitor, "memory")
    await visitor.press("diagnosis.answer#yes")
    await visitor.press("diagnosis.answer#after_deployment")
    await visitor.confirms("diagnosis.roll_back#action:emergency_rollback")


async def data_loss(visitor: Visitor, world: World) -> None:
    """Scenario 4: a user reports it, and its clock: roll back, restore, tell users, confirm."""
    await visitor.breaks("ion-api", "lost")
    await visitor.page.click("[data-service-card=ion-api] [data-loss=report]")
    await visitor.opens(GENERAL)
    await visitor.sees(REPORT[visitor.locale])
    await declares(visitor, "data_loss")

    await visitor.press("diagnosis.roll_back#clock:roll_back")
    await visitor.chooses(safety="no")
    await visitor.submits()
    await visitor.press(*RESTORED)
    await visitor.page.click("[data-service-card=ion-api] [data-loss=restore]")
    # A text that speaks of a rollback under way comes back as soon as that one is verified.
    await visitor.sees(VERIFIED[visitor.locale])
    await tells_users(visitor)
    await visitor.press(*TOLD, *CONFIRMED)


async def tells_users(visitor: Visitor) -> None:
    """Write the notice, agree to it as it stands, and see it where users read."""
    await visitor.press("tell.open")
    await expect(visitor.dialog).to_be_visible()
    await assert_accessible(visitor.page)
    await visitor.fills("tell.text.0", NOTICE[visitor.locale])
    await visitor.submits()
    await visitor.press("tell.approve")
    await visitor.opens(STATUS)
    await visitor.sees(NOTICE[visitor.locale])
    await visitor.opens(INCIDENTS)


async def service_down(visitor: Visitor, world: World) -> None:
    """Scenario 5: its state, its logs, the rollback, the alternative path."""
    world.bring_users("chat")
    await visitor.breaks("ion-chat-canary", "down")
    await declares(visitor, "service_down", target="chat")
    await visitor.press("diagnosis.look#action:describe", "diagnosis.look#action:logs")
    await visitor.confirms("diagnosis.roll_back#action:roll_back")
    await visitor.press("diagnosis.look#action:health")


# Each takes the processor six seconds.
@pytest.mark.parametrize("locale", ["en", "ko"])
@pytest.mark.parametrize("walk", [error_rate, response_time, memory, data_loss, service_down])
async def test_a_scenario_is_walked_from_the_symptom_to_the_record(
    walk: Walk, locale: str, world: World, browser: Browser, tmp_path: Path
) -> None:
    async with (
        running_bot(world, f"sqlite:///{tmp_path / 'backout.db'}", locale=locale),
        watched_page(browser) as page,
    ):
        visitor = Visitor(page=page, locale=locale)
        await page.goto(f"{world.slack.base_url}/#user={WALKERS[locale]}&channel={OPERATIONS}")

        await walk(visitor, world)

        await visitor.sees(VERIFIED[locale], RECORD[locale])
        await assert_accessible(page)
    assert len(world.cloud.updates) == 1
