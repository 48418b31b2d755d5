"""How a rollback ends when Google or the service does not oblige: in words, with no false success."""

from pathlib import Path

import grpc
import pytest

from bot.sandbox.cloud import Fault
from bot.sandbox.names import API_STABLE
from tests.journeys.rows import states
from tests.journeys.world import PLAYBOOK, USUAL_LOAD, World, running_bot, texts, until

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

BY_HAND = f"gcloud run services update-traffic ion-api --to-revisions={API_STABLE}=100"


@pytest.fixture
def hasty_playbook(tmp_path: Path) -> Path:
    """The journeys' playbook, with little patience for what will not come."""
    text = PLAYBOOK.read_text(encoding="utf-8")
    for setting, usual in (("settle_within_seconds", 20), ("confirm_within_seconds", 25)):
        assert f"{setting}: {usual}" in text
        text = text.replace(f"{setting}: {usual}", f"{setting}: 5")
    file = tmp_path / "playbook.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def success_was_claimed(world: World) -> bool:
    """True when any message ever said that the rollback is verified."""
    return any("rolled back and verified" in str(call.params) for call in world.slack.calls)


async def test_a_stable_that_is_broken_too_is_never_called_a_success(
    world: World, database_url: str, hasty_playbook: Path
) -> None:
    world.cloud.set_fault("ion-api", Fault.ERRORS, True, revision=API_STABLE)
    # In the five seconds that the bot is given enough of them come, although the machine stands still.
    world.cloud.load("ion-api", 2 * USUAL_LOAD)

    async with running_bot(world, database_url, playbook=hasty_playbook):
        await world.slack.slash("U0LUBIT", "C0OPERATIONS", "/rollback canary force")
        verdict = await world.seen("C0OPERATIONS", having="Rollback of canary applied, but NOT verified")
        record = await world.seen("C0CRITICAL", having="Deployment failure record")

    assert "Error rate on stable: *not OK*" in texts(verdict)
    assert "Stable itself is not well, so it may not be the canary's fault" in texts(verdict)
    assert "applied, not verified" in texts(record)
    assert not success_was_claimed(world)


async def test_too_few_requests_prove_nothing(world: World, database_url: str, hasty_playbook: Path) -> None:
    world.cloud.load("ion-api", 0)

    async with running_bot(world, database_url, playbook=hasty_playbook):
        await world.slack.slash("U0LUBIT", "C0OPERATIONS", "/rollback canary force")
        verdict = await world.seen("C0OPERATIONS", having="Rollback of canary applied, but NOT verified")

    assert "Error rate on stable: *inconclusive*" in texts(verdict)
    assert "needs at least 20 requests" in texts(verdict)
    assert "No request reaches the canary: *inconclusive*" in texts(verdict)
    assert "Traffic is 100 % stable: *proven*" in texts(verdict)
    assert not success_was_claimed(world)


async def test_a_change_that_never_settles_ends_as_not_verified_within_the_time_to_settle(
    world: World, database_url: str, hasty_playbook: Path
) -> None:
    world.cloud.behaviour.never_settle = True

    async with running_bot(world, database_url, playbook=hasty_playbook):
        await world.slack.slash("U0LUBIT", "C0OPERATIONS", "/rollback canary force")
        verdict = await world.seen("C0OPERATIONS", having="Rollback of canary applied, but NOT verified")

    assert "Cloud Run has not settled" in texts(verdict)
    assert BY_HAND in texts(verdict)
    assert len(world.cloud.updates) == 1
    assert not success_was_claimed(world)


async def test_a_service_that_cannot_be_read_is_said_in_words_and_nothing_is_done(
    world: World, database_url: str
) -> None:
    denied = "Permission 'run.services.get' denied on resource 'ion-api'."

    async with running_bot(world, database_url):
        world.cloud.fail("GetService", grpc.StatusCode.PERMISSION_DENIED, detail=denied)
        await world.slack.slash("U0LUBIT", "C0OPERATIONS", "/rollback canary")
        forbidden = await world.seen("C0OPERATIONS", having="run.services.get", user="U0LUBIT")
        world.cloud.fail("GetService", grpc.StatusCode.NOT_FOUND, detail="Resource does not exist.")
        await world.slack.slash("U0LUBIT", "C0OPERATIONS", "/rollback canary")
        missing = await world.seen("C0OPERATIONS", having="Google knows none such", user="U0LUBIT")

    assert "Give the bot's service account the permission `run.services.get`" in texts(forbidden)
    for notice in (forbidden, missing):
        assert "Nothing was changed." in texts(notice)
        assert "gcloud run services update-traffic ion-api" in texts(notice)
        assert notice["ephemeral_for"] == "U0LUBIT"
    assert states(database_url) == ["failed", "failed"]
    assert world.cloud.updates == []


async def test_a_refused_write_ends_as_failed_with_the_missing_permission_and_the_line_by_hand(
    world: World, database_url: str
) -> None:
    denied = "Permission 'run.services.update' denied on resource 'ion-api'."
    world.cloud.fail("UpdateService", grpc.StatusCode.PERMISSION_DENIED, detail=denied)

    async with running_bot(world, database_url):
        await world.slack.slash("U0LUBIT", "C0OPERATIONS", "/rollback canary force")
        verdict = await world.seen("C0OPERATIONS", having="The rollback of canary FAILED")

    assert "run.services.update" in texts(verdict)
    assert BY_HAND in texts(verdict)
    assert world.cloud.updates == []
    assert not success_was_claimed(world)


@pytest.mark.parametrize("after_effect", [False, True], ids=["before_the_effect", "after_the_effect"])
async def test_a_write_without_a_clear_answer_is_looked_after_and_lands_exactly_once(
    world: World, database_url: str, after_effect: bool
) -> None:
    world.cloud.fail("UpdateService", grpc.StatusCode.UNAVAILABLE, after_effect=after_effect)

    async with running_bot(world, database_url):
        await world.slack.slash("U0LUBIT", "C0OPERATIONS", "/rollback canary force")
        await world.seen("C0OPERATIONS", having="rolled back and verified")
        board = await world.seen("C0CRITICAL", having="incident.close")
        thread = board["ts"]
        await until(
            lambda: "Outcome unknown after" in log_of(world, thread), what="the doubt in the incident's log"
        )

    assert len(world.cloud.updates) == 1


async def test_google_that_answers_nothing_for_a_while_holds_a_rollback_up_and_no_more(
    world: World, database_url: str
) -> None:
    async with running_bot(world, database_url):
        await world.slack.slash("U0LUBIT", "C0OPERATIONS", "/rollback canary force")
        await until(lambda: world.cloud.updates, what="the write")
        world.cloud.fail("GetService", grpc.StatusCode.UNAVAILABLE, times=4)
        await world.seen("C0OPERATIONS", having="rolled back and verified")

    assert len(world.cloud.updates) == 1


def log_of(world: World, board: str) -> str:
    """Return everything in the thread of an incident's board."""
    return "\n".join(map(texts, world.slack.messages("C0CRITICAL", thread_ts=board)))
