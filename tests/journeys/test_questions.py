"""What is asked before a rollback, and what each answer does."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.adapters.cloud_run import CloudRun
from bot.adapters.playbook_file import read_playbook
from bot.domain.ids import RevisionName, ServiceName
from bot.domain.rollback import PinTraffic
from bot.sandbox.names import API_CANARY, API_STABLE
from tests.journeys.incidents import close
from tests.journeys.rows import audited, change_rollbacks, states
from tests.journeys.world import PLAYBOOK, World, action_ids, running_bot, texts, until

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


async def give_everything_to_stable(world: World) -> None:
    """Take the canary out of traffic, as somebody with ``gcloud`` would."""
    google = CloudRun(f"http://{world.cloud.grpc_address}", "")
    target = read_playbook(PLAYBOOK).targets["canary"]
    try:
        state = await google.look(target)
        write = PinTraffic(service=ServiceName("ion-api"), revision=RevisionName(API_STABLE), tags=())
        await google.write(target, write, state=state)
    finally:
        await google.close()
    await settled(world, {API_STABLE: 100})
    world.cloud.updates.clear()


async def settled(world: World, wanted: dict[str, int]) -> None:
    """Wait until ``ion-api`` is seen to serve exactly these shares."""

    def serves() -> bool:
        api = next(s for s in world.cloud.snapshot()["services"] if s["name"] == "ion-api")
        shares = {line["name"]: line["percent"] for line in api["traffic"] if line["percent"]}
        return shares == wanted and not api["reconciling"]

    await until(serves, what=f"traffic {wanted}")


def asked_in_slack(world: World) -> bool:
    """True when a question with a *Roll back* button was ever sent."""
    return any("rollback.go" in str(call.params) for call in world.slack.calls)


async def test_with_force_a_bad_canary_goes_at_once_and_nobody_is_asked(
    world: World, database_url: str
) -> None:
    await world.make_the_canary_fail()

    async with running_bot(world, database_url):
        await world.slack.slash("U0LUBIT", "C0OPERATIONS", "/rollback canary force it burns")
        verdict = await world.seen("C0OPERATIONS", having="rolled back and verified")

    assert "Forced: health was not asked about." in texts(verdict)
    assert "it burns" in texts(verdict)
    assert not asked_in_slack(world)
    assert len(world.cloud.updates) == 1


async def test_a_healthy_canary_is_asked_about_once_more_and_only_the_second_press_acts(
    world: World, database_url: str
) -> None:
    async with running_bot(world, database_url):
        await world.slack.slash("U0LUBIT", "C0OPERATIONS", "/rollback canary")
        card = await world.seen("C0OPERATIONS", having="nothing is yellow or red")
        await world.slack.click("U0LUBIT", "C0OPERATIONS", card["ts"], "rollback.go")
        again = await world.seen("C0OPERATIONS", having="You asked to roll it back all the same. Really?")
        writes_after_one_press = len(world.cloud.updates)
        await world.slack.click("U0LUBIT", "C0OPERATIONS", card["ts"], "rollback.go")
        verdict = await world.seen("C0OPERATIONS", having="rolled back and verified")

    assert writes_after_one_press == 0
    assert again["ts"] == verdict["ts"] == card["ts"]
    assert len(world.cloud.updates) == 1


async def test_cancel_changes_nothing(world: World, database_url: str) -> None:
    async with running_bot(world, database_url):
        await world.slack.slash("U0LUBIT", "C0OPERATIONS", "/rollback canary")
        card = await world.seen("C0OPERATIONS", having="rollback.cancel")
        await world.slack.click("U0LUBIT", "C0OPERATIONS", card["ts"], "rollback.cancel")
        cancelled = await world.seen("C0OPERATIONS", having="cancelled by <@U0LUBIT>. Nothing was changed.")

    assert cancelled["ts"] == card["ts"]
    assert not action_ids(cancelled)
    assert world.cloud.updates == []
    assert world.slack.messages("C0CRITICAL") == []
    assert audited(database_url) == [("rollback_cancelled", "U0LUBIT", "")]


async def test_where_nothing_is_to_be_rolled_back_the_bot_says_so_and_does_nothing(
    world: World, database_url: str
) -> None:
    await give_everything_to_stable(world)

    async with running_bot(world, database_url):
        await world.slack.slash("U0LUBIT", "C0OPERATIONS", "/rollback canary force")
        notice = await world.seen("C0OPERATIONS", having="Nothing to roll back", user="U0LUBIT")

    assert API_STABLE in texts(notice)
    assert notice["ephemeral_for"] == "U0LUBIT"
    assert world.cloud.updates == []
    assert world.slack.messages("C0CRITICAL") == []
    assert states(database_url) == ["nothing_to_roll_back"]


async def test_a_second_rollback_joins_the_open_incident_and_after_closing_it_a_new_one_is_opened(
    world: World, database_url: str
) -> None:
    async with running_bot(world, database_url):
        await world.slack.slash("U0LUBIT", "C0OPERATIONS", "/rollback canary force first")
        await world.seen("C0OPERATIONS", having="rolled back and verified")
        second = await world.cloud.deploy("ion-api", percent=10)
        await settled(world, {API_STABLE: 90, second: 10})
        await world.slack.slash("U0LUBIT", "C0OPERATIONS", "/rollback canary force second")
        await until(lambda: states(database_url) == ["verified", "verified"], what="the second rollback")
        board = await world.seen("C0CRITICAL", having="incident.close")
        await close(world, "U0LUBIT", board)
        closed = await world.seen("C0CRITICAL", having="INC-1 · canary · Closed")
        third = await world.cloud.deploy("ion-api", percent=10)
        await settled(world, {API_STABLE: 90, third: 10})
        await world.slack.slash("U0LUBIT", "C0OPERATIONS", "/rollback canary force third")
        await world.seen("C0CRITICAL", having="INC-2 · canary")

    log = "\n".join(map(texts, world.slack.messages("C0CRITICAL", thread_ts=board["ts"])))
    assert "<@U0LUBIT> joined this incident with another rollback" in log
    assert "Incident closed by <@U0LUBIT>" in log
    assert closed["ts"] == board["ts"]
    assert "incident.close" not in action_ids(closed)


async def test_a_canary_with_all_the_traffic_asks_which_revision_is_stable_and_goes_there(
    world: World, database_url: str
) -> None:
    newest = await world.cloud.deploy("ion-api", percent=100)
    await settled(world, {newest: 100})

    async with running_bot(world, database_url):
        await world.slack.slash("U0LUBIT", "C0OPERATIONS", "/rollback canary")
        question = await world.seen("C0OPERATIONS", having="rollback.choose_stable")
        await world.slack.click(
            "U0LUBIT", "C0OPERATIONS", question["ts"], "rollback.choose_stable", selected=API_STABLE
        )
        card = await world.seen("C0OPERATIONS", having="rollback.go")
        await world.slack.click("U0LUBIT", "C0OPERATIONS", card["ts"], "rollback.go")
        await world.seen("C0OPERATIONS", having="The canary looks healthy.* You asked")
        await world.slack.click("U0LUBIT", "C0OPERATIONS", card["ts"], "rollback.go")
        await world.seen("C0OPERATIONS", having="rolled back and verified")

    assert question["ts"] == card["ts"]
    assert f"{newest}` has 100 % of the traffic" in texts(question)
    assert f"`{newest}` out of traffic (100 % now) and give everything to `{API_STABLE}`" in texts(card)
    [update] = world.cloud.updates
    assert [(line.revision, line.percent) for line in update.service.traffic if line.percent] == [
        (API_STABLE, 100)
    ]


async def test_a_deployment_between_question_and_press_is_noticed_and_asked_about_afresh(
    world: World, database_url: str
) -> None:
    await world.make_the_canary_fail()

    async with running_bot(world, database_url):
        await world.slack.slash("U0LUBIT", "C0OPERATIONS", "/rollback canary errors")
        card = await world.seen("C0OPERATIONS", having="rollback.go")
        newest = await world.cloud.deploy("ion-api", percent=20)
        await world.slack.click("U0LUBIT", "C0OPERATIONS", card["ts"], "rollback.go")
        stopped = await world.seen("C0OPERATIONS", having="so nothing was done. A fresh question follows.")
        fresh = await world.seen("C0OPERATIONS", having=f"`{newest}` out of traffic")

    assert API_CANARY in texts(card)
    assert stopped["ts"] == card["ts"]
    assert fresh["ts"] != card["ts"]
    assert "Reason: errors" in texts(fresh)
    assert "rollback.go" in action_ids(fresh)
    assert world.cloud.updates == []


async def test_a_card_older_than_a_quarter_of_an_hour_does_nothing_and_says_so(
    world: World, database_url: str
) -> None:
    async with running_bot(world, database_url):
        await world.slack.slash("U0LUBIT", "C0OPERATIONS", "/rollback canary")
        card = await world.seen("C0OPERATIONS", having="rollback.go")
        change_rollbacks(database_url, asked_at=datetime.now(UTC) - timedelta(minutes=20))
        await world.slack.click("U0LUBIT", "C0OPERATIONS", card["ts"], "rollback.go")
        notice = await world.seen("C0OPERATIONS", having="That question is over 15 minutes", user="U0LUBIT")
        expired = await world.seen("C0OPERATIONS", having="so it no longer counts")

    assert "/rollback canary" in texts(notice)
    assert expired["ts"] == card["ts"]
    assert not action_ids(expired)
    assert states(database_url) == ["expired"]
    assert world.cloud.updates == []
