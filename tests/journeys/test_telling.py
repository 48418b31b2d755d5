"""People are told: written in a modal from a template, previewed, agreed on, posted, and reminded of."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest_asyncio

from bot.domain.announcement import Announcement, AnnouncementState
from bot.domain.timeline import Event
from tests.journeys.incidents import board_of, declare
from tests.journeys.kept import kept, keys_posted
from tests.journeys.stored import everything_in, stored
from tests.journeys.world import PLAYBOOK, Bot, World, running_bot, texts, until

#: Updates are due after a second or two instead of half an hour, and one channel does not exist.
HURRIED = """
notices:
  incident_opened:
    title: {en: Incident opened, ko: 장애 발생 안내}
    template: incident_opened.md
    channels: ["#critical-incidents"]
    next_update_minutes: 0.05
  data_loss:
    title: {en: Data-loss notice, ko: 데이터 손실 공지}
    template: data_loss.md
    channels: ["#critical-incidents", "#status"]
    needs_approval: true
  resolved:
    title: {en: Resolved, ko: 복구 완료 안내}
    template: resolved.md
    channels: ["#status", "#nowhere"]
  post_mortem:
    title: {en: Post-mortem invitation, ko: Post-Mortem 회의 안내}
    template: post_mortem_invitation.md
    channels: ["#critical-incidents"]
"""


@pytest_asyncio.fixture(loop_scope="session")
async def bot(world: World, tmp_path: Path) -> AsyncIterator[Bot]:
    """A bot with incident 1 open, declared by Gitco; nobody has command."""
    world.send_users_home()
    playbook = tmp_path / "playbook.yaml"
    playbook.write_text(PLAYBOOK.read_text(encoding="utf-8") + HURRIED, encoding="utf-8")
    async with running_bot(world, f"sqlite:///{tmp_path / 'backout.db'}", playbook=playbook) as running:
        await declare(world, "U0GITCO", "my conversation history is gone", scenario="data_loss")
        await board_of(world, 1)
        yield running


async def telling(world: World, user: str, rest: str = "") -> dict[str, Any]:
    """Type the command and return the modal it opens."""
    await world.slack.slash(user, "C0CRITICAL", f"/incident update 1 {rest}")
    return now_open(world, user)


def now_open(world: World, user: str) -> dict[str, Any]:
    """Return the modal somebody looks at."""
    view: dict[str, Any] = world.slack.views(user)[-1]
    return view


def fields(view: dict[str, Any]) -> dict[str, str]:
    """Return the text fields of a modal with what they hold, by action id."""
    values = {id: one for block in view["state"]["values"].values() for id, one in block.items()}
    return {id: one.get("value") or "" for id, one in values.items() if id.startswith("tell.text")}


def shown(view: dict[str, Any]) -> str:
    """Return what a view says, without its fields."""
    return texts({"blocks": [block for block in view["blocks"] if block["type"] != "input"]})


async def sent(world: World, user: str, view: dict[str, Any], text: str) -> Any:
    """Type `text` into the field and submit."""
    return await world.slack.submit(user, view["id"], {next(iter(fields(view))): text})


async def waiting(world: World, *, user: str = "U0GITCO", text: str = "We lost data.") -> dict[str, Any]:
    """Write a notice that needs approval and return its card."""
    await sent(world, user, await telling(world, user, "data_loss"), text)
    return await world.seen("C0CRITICAL", having="tell.approve")


async def in_command(world: World, user: str) -> None:
    """Let somebody take command."""
    board = await board_of(world, 1)
    await world.slack.click(user, "C0CRITICAL", board["ts"], "incident.take_command")
    await world.seen("C0CRITICAL", having=f"<@{user}>")


def states(bot: Bot) -> list[AnnouncementState]:
    """Return how every text stands."""
    return [one.state for one in stored(bot.database_url, Announcement)]


def posted(world: World, *channels: str) -> int:
    """Count the texts that stand in channels."""
    return sum(n for key, n in keys_posted(world, *channels).items() if key.startswith("announcement:"))


async def whispered(world: World, user: str, having: str) -> str:
    """Wait for a line only `user` sees, in the channel or directly."""

    def found() -> str | None:
        for channel in ("C0CRITICAL", f"D{user[1:]}"):
            for message in world.slack.messages(channel, user=user):
                if having in texts(message):
                    return texts(message)
        return None

    return await until(found, what=f"{having!r} for {user}")


async def test_a_status_update_is_posted_once_and_rings_nobody(bot: Bot, world: World) -> None:
    view = await telling(world, "U0GITCO", "incident_opened")
    assert "INC-1" in fields(view)["tell.text.0"]
    assert "my conversation history is gone" in fields(view)["tell.text.0"]
    assert "#critical-incidents" in shown(view)

    await sent(world, "U0GITCO", view, "We are on it.\n*Bold* stays. <!channel> @here <@U0SENA>")

    message = await world.seen("C0CRITICAL", having="We are on it.")
    assert "*Bold* stays. &lt;!channel&gt; @here &lt;@U0SENA&gt;" in texts(message)
    assert "next update by" in texts(message)
    await until(lambda: kept(bot.database_url).lines(Event.ANNOUNCEMENT_POSTED), what="the line")
    assert posted(world, "C0CRITICAL") == 1
    assert states(bot) == [AnnouncementState.POSTED]


async def test_the_preview_shows_what_will_be_posted_and_keeps_what_was_typed(bot: Bot, world: World) -> None:
    view = await telling(world, "U0LUBIT", "incident_opened")
    typed = {"tell.text.0": "Looking into it. <!here>"}

    await world.slack.click_view("U0LUBIT", view["id"], "tell.preview", values=typed)

    view = now_open(world, "U0LUBIT")
    assert fields(view) == typed
    assert "Looking into it. &lt;!here&gt;" in shown(view)
    assert states(bot) == []


async def test_another_language_brings_its_template_and_never_takes_typed_words(
    bot: Bot, world: World
) -> None:
    view = await telling(world, "U0LUBIT", "incident_opened")
    await world.slack.click_view("U0LUBIT", view["id"], "tell.language", selected="ko")
    view = now_open(world, "U0LUBIT")
    assert "심각도" in fields(view)["tell.text.0"]

    mine = {next(iter(fields(view))): "제가 쓴 글입니다."}
    await world.slack.click_view("U0LUBIT", view["id"], "tell.notice", selected="resolved", values=mine)
    view = now_open(world, "U0LUBIT")
    assert list(fields(view).values()) == ["제가 쓴 글입니다."]
    assert "Your text was kept" in shown(view)

    await world.slack.click_view("U0LUBIT", view["id"], "tell.again")
    assert "복구 완료" in next(iter(fields(now_open(world, "U0LUBIT")).values()))


async def test_a_placeholder_keeps_a_notice_from_being_posted(bot: Bot, world: World) -> None:
    view = await telling(world, "U0GITCO", "data_loss")
    text = fields(view)["tell.text.0"]
    assert "[[Compensation plan: who gets what, how, and by when]]" in text
    # Two to four hours from now, as the guide says.
    assert "in 2–4 hours" in text

    delivery = await world.slack.submit("U0GITCO", view["id"], {})

    assert "Compensation plan" in str(delivery.body)
    assert states(bot) == []
    assert fields(now_open(world, "U0GITCO"))["tell.text.0"] == text


async def test_a_notice_to_users_waits_until_the_commander_agrees(bot: Bot, world: World) -> None:
    card = await waiting(world)
    await in_command(world, "U0LEMUN")
    assert posted(world, "C0STATUS", "C0CRITICAL") == 0

    await world.slack.click("U0LEMUN", "C0CRITICAL", card["ts"], "tell.approve")

    await world.seen("C0STATUS", having="We lost data.")
    await world.seen("C0CRITICAL", having="Approved by <@U0LEMUN>")
    await until(lambda: kept(bot.database_url).unsent == 0, what="the last message")
    assert (posted(world, "C0STATUS"), posted(world, "C0CRITICAL")) == (1, 1)

    # A press on what is decided changes nothing, and says so.
    value = next(e for b in card["blocks"] if b["type"] == "actions" for e in b["elements"])["value"]
    assert value.startswith("1:")
    assert states(bot) == [AnnouncementState.POSTED]


async def test_who_wrote_a_text_does_not_approve_it_while_somebody_else_has_command(
    bot: Bot, world: World
) -> None:
    await in_command(world, "U0LEMUN")
    card = await waiting(world, user="U0LUBIT")

    await world.slack.click("U0LUBIT", "C0CRITICAL", card["ts"], "tell.approve")

    assert "U0LEMUN" in await whispered(world, "U0LUBIT", "does not approve it")
    assert states(bot) == [AnnouncementState.WAITING]
    # Without a role and without command nobody approves.
    await world.slack.click("U0GITCO", "C0CRITICAL", card["ts"], "tell.approve")
    await whispered(world, "U0GITCO", "has no role")
    assert posted(world, "C0STATUS") == 0


async def test_two_who_approve_at_once_post_it_once(bot: Bot, world: World) -> None:
    import asyncio

    card = await waiting(world)

    await asyncio.gather(
        world.slack.click("U0SENA", "C0CRITICAL", card["ts"], "tell.approve"),
        world.slack.click("U0LUBIT", "C0CRITICAL", card["ts"], "tell.approve"),
    )

    await world.seen("C0STATUS", having="We lost data.")
    await until(lambda: kept(bot.database_url).unsent == 0, what="the last message")
    assert posted(world, "C0STATUS") == 1
    assert len(kept(bot.database_url).lines(Event.ANNOUNCEMENT_POSTED)) == 1


async def test_an_edit_makes_an_older_card_worthless(bot: Bot, world: World) -> None:
    card = await waiting(world)
    await world.slack.click("U0LUBIT", "C0CRITICAL", card["ts"], "tell.edit")
    await sent(world, "U0LUBIT", now_open(world, "U0LUBIT"), "We lost some data.")
    fresh = await world.seen("C0CRITICAL", having="We lost some data.")
    assert fresh["ts"] == card["ts"]

    await world.slack.click("U0SENA", "C0CRITICAL", card["ts"], "tell.approve")

    await world.seen("C0STATUS", having="We lost some data.")
    assert "We lost data." not in everything_in(world, "C0STATUS")


async def test_a_dropped_text_is_never_posted_and_the_reason_is_kept(bot: Bot, world: World) -> None:
    card = await waiting(world)
    await world.slack.click("U0GITCO", "C0CRITICAL", card["ts"], "tell.edit")
    editing = now_open(world, "U0GITCO")
    await world.slack.click("U0SENA", "C0CRITICAL", card["ts"], "tell.drop")
    await world.slack.submit("U0SENA", now_open(world, "U0SENA")["id"], {"tell.why": "Too early."})
    await world.seen("C0CRITICAL", having="Data-loss notice: dropped")

    # Whoever was editing it meanwhile loses nothing.
    await sent(world, "U0GITCO", editing, "We lost data, more precisely this much.")

    await world.seen("C0CRITICAL", having="more precisely this much")
    await until(lambda: len(states(bot)) == 2, what="the new text")
    assert sorted(states(bot)) == [AnnouncementState.DROPPED, AnnouncementState.WAITING]
    assert posted(world, "C0STATUS") == 0
    assert "Too early." in everything_in(world, "C0CRITICAL")


async def test_a_text_drawn_up_before_the_incident_changed_is_kept_and_shown_again(
    bot: Bot, world: World
) -> None:
    view = await telling(world, "U0GITCO", "incident_opened")
    await in_command(world, "U0LEMUN")
    await sent(world, "U0GITCO", view, "Severity is high.")

    view = now_open(world, "U0GITCO")
    assert "has changed since this text was drawn up" in shown(view)
    assert list(fields(view).values()) == ["Severity is high."]
    assert states(bot) == []

    await world.slack.submit("U0GITCO", view["id"], {})
    await world.seen("C0CRITICAL", having="Severity is high.")


async def test_a_channel_that_refuses_is_told_to_the_author_and_in_the_timeline(
    bot: Bot, world: World
) -> None:
    view = await telling(world, "U0GITCO", "resolved")
    await sent(world, "U0GITCO", view, "All is well again.")

    await world.seen("C0STATUS", having="All is well again.")
    assert "#nowhere" in await whispered(world, "U0GITCO", "did not take your text")
    await until(lambda: kept(bot.database_url).lines(Event.ANNOUNCEMENT_REFUSED), what="the line")


async def test_the_next_update_is_reminded_of_until_somebody_writes_it(bot: Bot, world: World) -> None:
    await in_command(world, "U0LEMUN")
    await sent(world, "U0GITCO", await telling(world, "U0GITCO", "incident_opened"), "First.")
    board = await board_of(world, 1)

    def reminders() -> list[dict[str, Any]]:
        thread = world.slack.messages("C0CRITICAL", thread_ts=board["ts"])
        return [one for one in thread if "the next update is due" in texts(one)]

    await until(lambda: len(reminders()) >= 2, what="two reminders")
    assert "<@U0LEMUN>" in texts(reminders()[0])
    await world.slack.click("U0LEMUN", "C0CRITICAL", reminders()[-1]["ts"], "tell.open")
    await sent(world, "U0LEMUN", now_open(world, "U0LEMUN"), "Second.")
    await until(lambda: len(states(bot)) == 2, what="the second text")


async def test_the_reader_sees_modals_in_their_own_language(bot: Bot, world: World) -> None:
    await world.slack.open_home("U0SENA", "home")
    await until(lambda: world.slack.home("U0SENA"), what="Sena's Home")

    view = await telling(world, "U0SENA", "incident_opened")

    assert view["title"]["text"] == "상황 알리기"
    # The channel's language is what the text begins with.
    assert "Severity" in fields(view)["tell.text.0"]


async def test_a_wrong_notice_is_answered_with_the_nearest_one(bot: Bot, world: World) -> None:
    await world.slack.slash("U0LUBIT", "C0CRITICAL", "/incident update 1 resolvd")

    assert "/incident update 1 resolved" in await whispered(world, "U0LUBIT", "There is no notice")
