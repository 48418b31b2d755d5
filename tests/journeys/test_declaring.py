"""Declaring an incident, taking command and parts, and saying how bad it is: by clicking."""

import asyncio
import time
import unicodedata
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.journeys.incidents import board_of, choose, declare, log_of, logged, opened, told
from tests.journeys.world import Bot, World, running_bot, texts, until

SEEN = f"Users cannot pay 🔥 {unicodedata.normalize('NFD', '결제 오류')} \u202eabc <!channel>"


@pytest_asyncio.fixture(loop_scope="session")
async def bot(world: World, database_url: str) -> AsyncIterator[Bot]:
    """A bot with nothing behind it, on either database."""
    world.send_users_home()
    async with running_bot(world, database_url) as running:
        yield running


on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def chosen(view: dict[str, Any], action: str) -> str | None:
    """Return what a select of a modal holds."""
    for fields in view["state"]["values"].values():
        if action in fields:
            option = fields[action].get("selected_option")
            return option["value"] if option else None
    raise AssertionError(f"{action} is not in the modal")


async def test_an_incident_is_declared_and_everybody_sees_it(bot: Bot, world: World) -> None:
    await declare(world, "U0GITCO", SEEN)

    board = await board_of(world, 1)
    log = await logged(world, board, having="Incident declared by")
    notice = await told(world, "U0GITCO", "is open. Its board is in")

    assert "nobody: take it" in texts(board)
    assert "Users cannot pay 🔥" in log
    assert "결제 오류" in log
    assert "<!channel>" not in log
    assert "\u202e" not in log
    assert "INC-1" in notice
    deployed = await board_of(world, 1, having="*Deployed*")
    assert "ago" in texts(deployed)


@on_sqlite
async def test_choosing_a_scenario_chooses_its_severity_and_keeps_what_was_typed(
    bot: Bot, world: World
) -> None:
    await world.slack.press_shortcut("U0LUBIT", "declare_incident")
    view = await opened(world, "U0LUBIT", title="Declare")
    before = chosen(view, "declare.severity")

    await world.slack.click_view(
        "U0LUBIT",
        view["id"],
        "declare.scenario",
        selected="data_loss",
        values={"declare.seen": "rows are gone"},
    )
    await until(lambda: chosen(world.slack.views("U0LUBIT")[-1], "declare.severity") == "critical")
    await world.slack.submit("U0LUBIT", view["id"], {})
    board = await board_of(world, 1)

    assert before == "medium"
    assert "rows are gone" in await logged(world, board, having="Incident declared by")
    assert "Critical" in texts(board)
    assert "Data loss" in texts(board)


@on_sqlite
async def test_a_message_becomes_an_incident_with_all_of_its_40000_characters(bot: Bot, world: World) -> None:
    text = f"alarm 🔥 {'긴 글 ' * 9_000}the end"[:39_990] + " the end"
    await world.slack.say("U0LEMUN", "C0CRITICAL", text)
    message = world.slack.messages("C0CRITICAL")[-1]
    await world.slack.press_message_shortcut("U0GITCO", "C0CRITICAL", message["ts"], "declare_from_message")
    view = await opened(world, "U0GITCO", title="Declare")

    seen = next(f["declare.seen"]["value"] for f in view["state"]["values"].values() if "declare.seen" in f)
    await world.slack.submit("U0GITCO", view["id"], {})
    board = await board_of(world, 1)
    await logged(world, board, having="wrote: alarm 🔥")
    await world.slack.slash("U0GITCO", "C0OPERATIONS", "/incident export")
    files = await until(lambda: {f["name"]: f["content"].decode() for f in world.slack.files()})

    assert "/archives/C0CRITICAL/p" in seen
    assert len(seen) <= 3000
    assert any("the end" in content for content in files.values())


@on_sqlite
async def test_a_second_declaration_joins_and_says_where(bot: Bot, world: World) -> None:
    await declare(world, "U0GITCO", "first")
    board = await board_of(world, 1)

    await declare(world, "U0LEMUN", "second")
    log = await logged(world, board, having="declared it as well")
    notice = await told(world, "U0LEMUN", "INC-1")

    assert "second" in log
    assert "INC-1" in notice
    assert await count(world) == 1


async def count(world: World) -> int:
    """Return how many boards there are."""
    return sum(
        "board:" in str((message.get("metadata") or {}).get("event_payload"))
        for message in world.slack.messages("C0CRITICAL")
    )


async def test_two_at_the_same_moment_declare_one_incident(bot: Bot, world: World) -> None:
    people = ("U0GITCO", "U0LEMUN", "U0LUBIT")
    views = []
    for user in people:
        await world.slack.slash(user, "C0OPERATIONS", "/incident new")
        views.append((user, await opened(world, user, title="Declare")))

    await asyncio.gather(
        *(world.slack.submit(user, view["id"], {"declare.seen": f"seen by {user}"}) for user, view in views)
    )
    board = await board_of(world, 1)
    for user in people:
        await logged(world, board, having=f"seen by {user}")

    assert log_of(world, board).count("Incident declared by") == 1
    assert log_of(world, board).count("declared it as well") == 2
    assert await count(world) == 1


@on_sqlite
async def test_a_wrong_modal_keeps_what_was_typed_and_says_what_to_write(bot: Bot, world: World) -> None:
    await world.slack.slash("U0GITCO", "C0OPERATIONS", "/incident new chat")
    view = await opened(world, "U0GITCO", title="Declare")
    later = int(time.time()) + 3600

    answer = await world.slack.submit(
        "U0GITCO", view["id"], {"declare.seen": "errors", "declare.began": later}
    )
    view = world.slack.views("U0GITCO")[-1]
    fixed = await world.slack.submit("U0GITCO", view["id"], {"declare.began": later - 5400})
    board = await board_of(world, 1)

    assert "in the future" in answer.body["errors"]["declare.began"]
    assert not fixed.body
    assert "INC-1 · chat" in texts(board)
    assert "It began, as" in await logged(world, board, having="It began")


@on_sqlite
async def test_an_unknown_target_is_answered_with_the_nearest(bot: Bot, world: World) -> None:
    await world.slack.slash("U0GITCO", "C0OPERATIONS", "/incident new caht")

    assert "/incident new chat" in await told(world, "U0GITCO", "There is no target")


@on_sqlite
async def test_a_guest_cannot_declare_and_is_told_why(bot: Bot, world: World) -> None:
    await world.slack.slash("U0GUEST", "C0CRITICAL", "/incident new")
    view = await opened(world, "U0GUEST", title="Declare")
    await world.slack.submit("U0GUEST", view["id"], {"declare.seen": "mine"})

    refusal = await told(world, "U0GUEST", "Nothing was done", "C0CRITICAL")

    assert "is a guest of this workspace. Every member of this workspace can." in refusal
    assert await count(world) == 0


async def test_two_press_for_command_at_once_and_one_has_it(bot: Bot, world: World) -> None:
    await declare(world, "U0GITCO")
    board = await board_of(world, 1)

    await asyncio.gather(
        *(
            world.slack.click(user, "C0CRITICAL", board["ts"], "incident.take_command")
            for user in ("U0GITCO", "U0LUBIT")
        )
    )
    await logged(world, board, having="took command")
    outcomes = [
        await until(lambda user=user: _command_line(world, user), what=f"an answer for {user}")  # type: ignore[misc]
        for user in ("U0GITCO", "U0LUBIT")
    ]
    log = log_of(world, board)

    assert log.count("took command") == 1
    assert sorted("You have command" in told for told in outcomes) == [False, True]
    assert any("was faster" in told for told in outcomes)


def _command_line(world: World, user: str) -> str | None:
    for having in ("You have command", "was faster"):
        message = world.message("C0CRITICAL", having=having, user=user)
        if message is not None:
            return texts(message)
    return None


@on_sqlite
async def test_command_is_taken_over_with_both_told_and_handed_on_to_people_only(
    bot: Bot, world: World
) -> None:
    await declare(world, "U0GITCO")
    board = await board_of(world, 1)
    await world.slack.click("U0GITCO", "C0CRITICAL", board["ts"], "incident.take_command")
    board = await board_of(world, 1, having="*Command*\n<@U0GITCO>")

    await world.slack.click("U0LUBIT", "C0CRITICAL", board["ts"], "incident.take_command")
    await told(world, "U0LUBIT", "You have command")
    await told(world, "U0GITCO", "took over command")
    board = await board_of(world, 1, having="*Command*\n<@U0LUBIT>")
    await choose(world, "U0LUBIT", board, "hand_over")
    view = await opened(world, "U0LUBIT", title="Hand over")
    await world.slack.submit("U0LUBIT", view["id"], {"incident.hand_over_to": "U0BACKOUT"})
    await told(world, "U0LUBIT", "That cannot be")
    await choose(world, "U0LUBIT", board, "hand_over")
    view = await opened(world, "U0LUBIT", title="Hand over")
    await world.slack.submit("U0LUBIT", view["id"], {"incident.hand_over_to": "U0LEMUN"})

    await told(world, "U0LEMUN", "INC-1")
    await board_of(world, 1, having="*Command*\n<@U0LEMUN>")
    log = await logged(world, board, having="handed command over")
    assert "took command over from <@U0GITCO>" in log


@on_sqlite
async def test_parts_are_taken_and_given_up(bot: Bot, world: World) -> None:
    await declare(world, "U0GITCO")
    board = await board_of(world, 1)
    await choose(world, "U0LUBIT", board, "roles")
    view = await opened(world, "U0LUBIT", title="Parts")
    await world.slack.submit("U0LUBIT", view["id"], {"incident.my_roles": ["devops", "monitoring"]})
    board = await board_of(world, 1, having="DevOps engineer <@U0LUBIT>")
    await board_of(world, 1, having="Monitoring <@U0LUBIT>")

    await choose(world, "U0LUBIT", board, "roles")
    view = await opened(world, "U0LUBIT", title="Parts")
    await world.slack.submit("U0LUBIT", view["id"], {"incident.my_roles": ["devops"]})

    log = await logged(world, board, having="gave up the part of")
    assert log.count("took the part of") == 2


@on_sqlite
async def test_severity_and_scenario_change_with_their_reasons(bot: Bot, world: World) -> None:
    await declare(world, "U0GITCO")
    board = await board_of(world, 1)

    await world.slack.slash("U0GITCO", "C0OPERATIONS", "/incident scenario 3 the heap grows")
    await logged(world, board, having="the heap grows")
    await board_of(world, 1, having="3. ")
    await choose(world, "U0GITCO", board, "severity")
    view = await opened(world, "U0GITCO", title="Severity")
    missing = await world.slack.submit(
        "U0GITCO", view["id"], {"incident.severity": "low", "incident.why": "  "}
    )
    view = world.slack.views("U0GITCO")[-1]
    await world.slack.submit("U0GITCO", view["id"], {"incident.why": "only staff <!here> saw it"})
    log = await logged(world, board, having="only staff")
    await world.slack.slash("U0GITCO", "C0OPERATIONS", "/incident scenario error_rat what else")
    unknown = await told(world, "U0GITCO", "I don't know")
    await world.slack.slash("U0GITCO", "C0OPERATIONS", "/incident severity high")

    assert "incident.why" in missing.body["errors"]
    assert "<!here>" not in log
    assert "/incident scenario error_rate" in unknown
    assert "Write why after it" in await told(world, "U0GITCO", "Write why")
    await board_of(world, 1, having="Low")


@on_sqlite
async def test_two_incidents_that_are_one_are_joined(bot: Bot, world: World) -> None:
    await declare(world, "U0GITCO", "the router", target="chat")
    await board_of(world, 1)
    await declare(world, "U0GITCO", "the canary", target="canary")
    second = await board_of(world, 2)
    await world.slack.slash("U0GITCO", "C0OPERATIONS", "/incident show")
    which = await told(world, "U0GITCO", "These are open")

    await world.slack.slash("U0GITCO", "C0OPERATIONS", "/incident join 1 2")
    first = await board_of(world, 1, having="Joined to INC-2")
    log = await logged(world, second, having="to this incident; its timeline stays there")

    assert "INC-1 (chat), INC-2 (canary)" in which
    assert "/archives/" in log
    assert "incident.reopen" not in str(first["blocks"])
    await world.slack.slash("U0GITCO", "C0OPERATIONS", "/incident join 2 1")
    assert "that one is not open" in await told(world, "U0GITCO", "cannot be joined")
