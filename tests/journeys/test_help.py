"""Help, and words that nobody knows: a clear answer at once, and nothing changed."""

from pathlib import Path

import grpc
import pytest

from bot.adapters.database.tables import RollbackRow
from bot.slack.text import Words
from tests.journeys.incidents import close, opened
from tests.journeys.rows import count
from tests.journeys.world import PLAYBOOK, Bot, World, running_bot, texts, until


@pytest.fixture
def bot(world: World, standing_bot: Bot) -> Bot:
    """A running bot, which nothing is rolled back with."""
    world.send_users_home()
    world.slack.events_url = standing_bot.events_url
    return standing_bot


async def answer(world: World, typed: str, *, user: str = "U0LUBIT") -> str:
    """Type a command and return what the bot answers at once."""
    delivery = await world.slack.slash(user, "C0OPERATIONS", typed)
    assert delivery.status == 200
    assert delivery.body["response_type"] == "ephemeral"
    return str(delivery.body["text"])


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("/rollback", "*/rollback TARGET [force] [reason …]* takes a canary out of traffic"),
        ("/rollback help", "Targets: canary, chat."),
        ("/rollback canry force now", "Did you mean `/rollback canary force now`?"),
        ("/rollback zzz", "There is no target `zzz`. Targets: canary, chat. Nothing was changed."),
        ("/rollback <!channel> now", "There is no target `&lt;!channel&gt;`."),
        ("/canary", "*/canary status [TARGET]*"),
        ("/canary help", "Targets: canary, chat."),
        ("/canary stauts", "I don't know `/canary stauts`. Did you mean `/canary status`?"),
        ("/canary status chut", "There is no target `chut`. Try `/canary status chat`."),
        ("/canary metrics chut", "There is no target `chut`. Try `/canary metrics chat`."),
        ("/canary logs slwo", "I don't know `slwo`. Try `/canary logs slow`"),
        ("/canary probe 20 requests", "Write how many requests each side gets (1 to 100)"),
        ("/incident", "*/incident new [TARGET]* declares an incident."),
        ("/incident help", "*/incident close [N]* closes it, after showing"),
        ("/incident lsit", "Did you mean `/incident list`?"),
        ("/incident list", "There is no incident yet."),
        ("/incident show", "Which one? Write its number, such as `/incident show 12`."),
        ("/incident show 99", "There is no INC-99. See them with `/incident list`."),
        ("/incident close INC-99", "There is no INC-99."),
        ("/incident record 99999999999", "Which one? Write its number"),
    ],
)
async def test_a_command_explains_itself_and_an_unknown_word_is_answered_with_the_nearest(
    bot: Bot, world: World, typed: str, told: str
) -> None:
    assert told in await answer(world, typed)
    assert count(bot.database_url, RollbackRow) == 0


async def test_a_reason_that_is_too_long_is_given_back_whole(bot: Bot, world: World) -> None:
    reason = " ".join(f"word{number}" for number in range(100))

    told = await answer(world, f"/rollback canary {reason}")

    assert f"The reason has {len(reason)} characters, 500 are possible. Nothing was changed." in told
    assert f"/rollback canary {reason}" in told
    assert count(bot.database_url, RollbackRow) == 0


async def test_a_korean_reader_is_answered_in_korean_once_slack_has_told_their_language(
    bot: Bot, world: World
) -> None:
    await answer(world, "/canary status", user="U0SENA")
    title = Words(locale="ko").plain("Status of {target}", target="canary")
    await world.seen("C0OPERATIONS", having=title)

    told = await answer(world, "/incident list", user="U0SENA")

    assert told == Words(locale="ko").say("There is no incident yet.")


async def test_a_status_with_cloud_run_unreachable_says_so(bot: Bot, world: World) -> None:
    # However often it is asked.
    world.cloud.fail("GetService", grpc.StatusCode.UNAVAILABLE, times=1000)

    await world.slack.slash("U0LUBIT", "C0OPERATIONS", "/canary status")
    status = await world.seen("C0OPERATIONS", having="Cloud Run could not be read", user="U0LUBIT")

    assert "No open incident." in texts(status)


async def test_status_and_incidents_tell_how_things_stand_before_and_after_a_rollback(
    world: World, tmp_path: Path
) -> None:
    async with running_bot(world, f"sqlite:///{tmp_path / 'backout.db'}"):
        await world.slack.slash("U0LUBIT", "C0OPERATIONS", "/canary status")
        before = await world.seen("C0OPERATIONS", having="No open incident.", user="U0LUBIT")
        await world.slack.slash("U0LUBIT", "C0OPERATIONS", "/rollback canary force")
        await world.seen("C0OPERATIONS", having="rolled back and verified")
        await world.slack.slash("U0LUBIT", "C0OPERATIONS", "/canary status canary")
        after = await world.seen("C0OPERATIONS", having="Open incident: *INC-1*", user="U0LUBIT")
        listed = await answer(world, "/incident list")
        await world.slack.slash("U0LUBIT", "C0OPERATIONS", "/incident show inc-1")
        shown = texts(await opened(world, "U0LUBIT", callback="timeline.show") | {"text": ""})
        await close(world, "U0LUBIT", await world.seen("C0CRITICAL", having="incident.close"))
        await world.seen("C0CRITICAL", having="INC-1 is closed", user="U0LUBIT")
        listed_after = await answer(world, "/incident list")

    assert "90 % → `ion-api-00041-kim` (stable)" in texts(before)
    assert "10 % → `ion-api-00042-lee` (canary)" in texts(before)
    assert "100 % → `ion-api-00041-kim` (stable)" in texts(after)
    assert "Last rollback: *verified*, by <@U0LUBIT>" in texts(after)
    assert "*INC-1* · canary" in listed
    assert "· open for " in listed
    assert "Verdict: *verified*" in shown
    assert "· closed after " in listed_after


async def test_a_broken_playbook_leaves_the_last_good_one_serving_and_a_mended_one_is_taken_up(
    world: World, tmp_path: Path
) -> None:
    good = PLAYBOOK.read_text(encoding="utf-8")
    broken = good.replace("region: us-central1", "regoin: us-central1", 1)
    line = broken[: broken.index("regoin")].count("\n") + 1
    mended = good.replace("\n  chat:\n", "\n  talk:\n")
    playbook, log = tmp_path / "playbook.yaml", tmp_path / "bot.log"
    playbook.write_text(good, encoding="utf-8")

    async with running_bot(world, f"sqlite:///{tmp_path / 'backout.db'}", playbook=playbook, log=log):
        playbook.write_text(broken, encoding="utf-8")
        while_broken = await answer(world, "/rollback help")
        await until(lambda: f"playbook.yaml:{line}: " in log.read_text(), what="the fault in the log")
        playbook.write_text(mended, encoding="utf-8")
        await answer(world, "/rollback help")
        # The older one serves for the moment that reading takes: nobody waits for a file.
        await until(lambda: "playbook_reloaded" in log.read_text(), what="the mended playbook")
        once_mended = await answer(world, "/rollback help")

    assert "Targets: canary, chat." in while_broken
    assert "did you mean 'region'" in log.read_text()
    assert "Targets: canary, talk." in once_mended
