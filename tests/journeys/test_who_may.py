"""Who may act on production, who may not, and what they are told."""

import re
from pathlib import Path
from typing import Any

import pytest

from bot.slack.text import Words
from tests.journeys.rows import audited, states
from tests.journeys.world import PLAYBOOK, Bot, World, action_ids, running_bot, texts


@pytest.fixture
def bot(world: World, standing_bot: Bot) -> Bot:
    """A running bot, which nothing is rolled back with."""
    world.send_users_home()
    world.slack.events_url = standing_bot.events_url
    return standing_bot


async def card_for(world: World, user: str, channel: str = "C0OPERATIONS") -> dict[str, Any]:
    """Let somebody who may ask for a rollback, and return the question."""
    await world.slack.slash(user, channel, "/rollback canary")
    return await world.seen(channel, having="rollback.go")


async def test_the_default_actor_may(bot: Bot, world: World) -> None:
    card = await card_for(world, "U0SENA")

    assert "<@U0SENA> asks to take" in texts(card)


async def test_a_member_of_the_user_group_may(bot: Bot, world: World) -> None:
    card = await card_for(world, "U0LUBIT")

    assert "<@U0LUBIT> asks to take" in texts(card)


@pytest.mark.parametrize(
    ("user", "why", "reason"),
    [
        ("U0GITCO", "has no role that allows it", "no_role"),
        ("U0GUEST", "is a guest of this workspace", "guest"),
        ("U0OUTSIDE", "belongs to another workspace", "outsider"),
    ],
)
async def test_whoever_may_not_ask_is_told_why_and_who_may_and_it_is_kept(
    bot: Bot, world: World, user: str, why: str, reason: str
) -> None:
    await world.slack.slash(user, "C0CRITICAL", "/rollback canary force now")
    refusal = await world.seen("C0CRITICAL", having="Nothing was done", user=user)

    assert refusal["ephemeral_for"] == user
    assert f"your account {why}" in texts(refusal)
    assert "These can: <@U0SENA>, <@U0LUBIT>." in texts(refusal)
    assert audited(bot.database_url)[-1] == ("rollback_refused", user, reason)
    assert states(bot.database_url)[-1] == "refused"
    assert world.slack.messages("C0CRITICAL") == []
    assert world.cloud.updates == []


@pytest.mark.parametrize(
    ("user", "why", "reason"),
    [
        ("U0GITCO", "has no role that allows it", "no_role"),
        ("U0GUEST", "is a guest of this workspace", "guest"),
        ("U0OUTSIDE", "belongs to another workspace", "outsider"),
    ],
)
@pytest.mark.parametrize("button", ["rollback.go", "rollback.cancel"])
async def test_whoever_may_not_press_is_told_so_and_the_question_stays(
    bot: Bot, world: World, user: str, why: str, reason: str, button: str
) -> None:
    card = await card_for(world, "U0LUBIT", "C0CRITICAL")

    await world.slack.click(user, "C0CRITICAL", card["ts"], button)
    refusal = await world.seen("C0CRITICAL", having="Nothing was done", user=user)

    assert f"your account {why}" in texts(refusal)
    assert audited(bot.database_url)[-1] == ("rollback_refused", user, reason)
    assert states(bot.database_url)[-1] == "asked"
    assert "rollback.go" in action_ids(await world.seen("C0CRITICAL", having="rollback.go"))
    assert world.cloud.updates == []


async def test_a_refusal_is_told_in_the_language_of_who_asked(bot: Bot, world: World) -> None:
    refused = Words(locale="ko").say("has no role that allows it")

    await world.slack.slash("U0LEMUN", "C0OPERATIONS", "/rollback canary")
    refusal = await world.seen("C0OPERATIONS", having=refused, user="U0LEMUN")

    assert refusal["ephemeral_for"] == "U0LEMUN"


async def test_a_playbook_without_roles_lets_nobody_act(world: World, tmp_path: Path) -> None:
    closed = tmp_path / "playbook.yaml"
    text = re.sub(r"^roles:\n(?:  .*\n)+", "", PLAYBOOK.read_text(encoding="utf-8"), flags=re.MULTILINE)
    closed.write_text(text, encoding="utf-8")
    url = f"sqlite:///{tmp_path / 'backout.db'}"

    async with running_bot(world, url, playbook=closed):
        await world.slack.slash("U0LUBIT", "C0OPERATIONS", "/rollback canary force")
        refusal = await world.seen("C0OPERATIONS", having="Nobody can yet", user="U0LUBIT")

    assert "no role in the playbook allows it. Add people under `roles`." in texts(refusal)
    assert audited(url) == [("rollback_refused", "U0LUBIT", "no_role")]


async def test_while_slack_cannot_say_who_somebody_is_they_may_not_act(world: World, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'backout.db'}"
    world.slack.fail_next("users.info", error="user_not_found")

    async with running_bot(world, url):
        await world.slack.slash("U0LUBIT", "C0OPERATIONS", "/rollback canary force")
        refusal = await world.seen("C0OPERATIONS", having="could not be checked", user="U0LUBIT")

    assert "because Slack did not answer" in texts(refusal)
    assert audited(url) == [("rollback_refused", "U0LUBIT", "slack_cannot_say")]
    assert world.cloud.updates == []
