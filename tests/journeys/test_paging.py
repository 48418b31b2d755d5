"""Calling people: posted where the guide says, answered by button, passed on in time, across restarts."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from bot.domain.timeline import Event
from tests.journeys.incidents import board_of, declare, logged, opened, told
from tests.journeys.kept import kept, keys_posted
from tests.journeys.world import PLAYBOOK, Bot, World, action_ids, running_bot, texts, until

CHANNELS = ("C0OPERATIONS", "C0BACKEND", "C0DEVOPS", "C0MONITORING", "C0CRITICAL")
#: Three seconds: long enough to be seen waiting, short enough to wait for.
SOON = 0.05


@pytest.fixture(autouse=True)
def nobody_uses_the_service(world: World) -> None:
    """Nothing is rolled back here: users would be but work for the machine."""
    world.send_users_home()


@pytest.fixture
def url(tmp_path: Path) -> str:
    """An empty SQLite database."""
    return f"sqlite:///{tmp_path / 'backout.db'}"


def a_playbook(folder: Path, *, empty: tuple[str, ...] = (), **minutes: float) -> Path:
    """Write the journeys' playbook with other minutes, a manager, and some slots [TBD]."""
    yaml = YAML(typ="rt", pure=True)
    document = yaml.load(PLAYBOOK.read_text())
    document["contacts"]["manager"] |= {"name": "Mina", "phone": "+82 2 1234 5678"}
    document["contacts"]["deployment_lead"]["page_at"] = ["critical"]
    for key, within in minutes.items():
        document["contacts"][key]["within_minutes"] = within
    for key in empty:
        document["contacts"][key]["name"] = ""
    file = folder / "playbook.yaml"
    with file.open("w") as opened_file:
        yaml.dump(document, opened_file)
    return file


async def called(world: World, channel: str, *, having: str = "page.take") -> dict[str, Any]:
    """Wait for a call in a contact's channel."""
    return await world.seen(channel, having=having)


async def press(world: World, user: str, channel: str, message: dict[str, Any], action: str) -> None:
    """Press a button of a call."""
    await world.slack.click(user, channel, message["ts"], action)


async def stands(world: World, channel: str, message: dict[str, Any], *, having: str) -> dict[str, Any]:
    """Wait until a message, edited in place, says something."""

    def look() -> dict[str, Any] | None:
        found = [m for m in world.slack.messages(channel) if m["ts"] == message["ts"]]
        return found[0] if found and having in texts(found[0]) else None

    return await until(look, what=f"{having!r} in {texts(message)}")


async def in_trouble(world: World) -> dict[str, Any]:
    """Declare an incident and return its board."""
    await declare(world, "U0LUBIT")
    return await board_of(world, 1)


async def test_the_one_who_is_called_is_on_it_and_gets_the_role(world: World, url: str) -> None:
    async with running_bot(world, url):
        board = await in_trouble(world)
        await world.slack.slash("U0LUBIT", "C0OPERATIONS", "/incident page backend <!here> 5xx everywhere")
        call = await called(world, "C0BACKEND")
        await press(world, "U0GITCO", "C0BACKEND", call, "page.take")
        answered = await stands(world, "C0BACKEND", call, having="is on it since")
        log = await logged(world, board, having="is on it (Backend engineer (Gitco))")
        await board_of(world, 1, having="<@U0GITCO>")

    asked = texts(call)
    assert "<@U0GITCO> Backend engineer (Gitco): please answer by" in asked
    assert "&lt;!here&gt; 5xx everywhere" in asked or "@here 5xx everywhere" in asked
    assert f"/archives/C0CRITICAL/p{board['ts'].replace('.', '')}" in asked
    assert action_ids(answered) == []
    assert "calls Backend engineer (Gitco)" in log
    assert await told(world, "U0LUBIT", "is called and should answer by")


async def test_whom_to_call_is_chosen_in_a_modal_that_says_how_they_are_reached(
    world: World, url: str
) -> None:
    async with running_bot(world, url):
        await in_trouble(world)
        await world.slack.slash("U0LUBIT", "C0OPERATIONS", "/incident page 1")
        view = await opened(world, "U0LUBIT", title="Call for")
        shown = texts(view | {"text": ""})
        await world.slack.submit(
            "U0LUBIT", view["id"], {"page.contact": "devops", "page.reason": "more memory"}
        )
        call = await called(world, "C0DEVOPS")

    assert "Backend engineer (Gitco): within 2 min, #backend; then DevOps engineer" in shown
    assert "more memory" in texts(call)
    assert "<@U0LUBIT>" in texts(call) or "<!subteam^S0DEVOPS>" in texts(call)


async def test_cant_asks_why_and_calls_the_next_at_once(world: World, url: str) -> None:
    async with running_bot(world, url):
        board = await in_trouble(world)
        await world.slack.slash("U0LUBIT", "C0OPERATIONS", "/incident page backend")
        call = await called(world, "C0BACKEND")
        await press(world, "U0GITCO", "C0BACKEND", call, "page.cant")
        view = await opened(world, "U0GITCO", title="Can't come")
        await world.slack.submit("U0GITCO", view["id"], {"page.why": "on a train"})
        await called(world, "C0DEVOPS")
        declined = await stands(world, "C0BACKEND", call, having="on a train")
        log = await logged(world, board, having="Next in line: DevOps engineer (Lubit)")

    assert "DevOps engineer (Lubit) was called next." in texts(declined)
    assert "can't come (Backend engineer (Gitco)): on a train" in log


async def test_nobody_answers_one_after_the_other_to_the_manager_and_then_the_channel_is_told(
    world: World, url: str, tmp_path: Path
) -> None:
    # The manager's call is seen waiting: for as long as a slow machine takes to show it.
    playbook = a_playbook(tmp_path, backend=SOON, devops=SOON, manager=3 * SOON, empty=("monitoring",))

    async with running_bot(world, url, playbook=playbook):
        board = await in_trouble(world)
        await world.slack.slash("U0LUBIT", "C0OPERATIONS", "/incident page backend 5xx")
        first = await called(world, "C0BACKEND")
        second = await called(world, "C0DEVOPS")
        await stands(world, "C0BACKEND", first, having="nobody answered within")
        manager = await called(world, "C0CRITICAL", having="page.no_answer")
        end = await world.seen("C0CRITICAL", having="INC-1 · canary: nobody answered")
        log = await logged(world, board, having="nobody is left to call by itself")

    assert "5xx" in texts(second)
    assert "call Manager" in texts(manager)
    assert "`+82" in texts(manager)
    assert "Monitoring: nobody is entered in the playbook ([TBD])" in log
    for part in ("Backend engineer (Gitco): nobody answered", "/incident page 1", "page.open"):
        assert part in texts(end) or part in action_ids(end)


async def test_the_manager_is_reached_by_telephone(world: World, url: str, tmp_path: Path) -> None:
    async with running_bot(world, url, playbook=a_playbook(tmp_path)):
        board = await in_trouble(world)
        await world.slack.slash("U0LUBIT", "C0OPERATIONS", "/incident page manager")
        call = await called(world, "C0CRITICAL", having="page.no_answer")
        await press(world, "U0LUBIT", "C0CRITICAL", call, "page.take")
        await stands(world, "C0CRITICAL", call, having="called by <@U0LUBIT>")
        await logged(world, board, having="they are on it")


async def test_a_call_waits_on_through_a_restart_and_is_passed_on_once(
    world: World, url: str, tmp_path: Path
) -> None:
    playbook = a_playbook(tmp_path, backend=2 * SOON)

    async with running_bot(world, url, playbook=playbook) as bot:
        await in_trouble(world)
        await world.slack.slash("U0LUBIT", "C0OPERATIONS", "/incident page backend")
        call = await called(world, "C0BACKEND")
        await until(lambda: kept(url).unsent == 0, what="the last message")
        await bot.kill()
        # Its time is up while nobody is there to see it.
        await asyncio.sleep(2 * SOON * 60)
        await bot.start()
        await called(world, "C0DEVOPS")
        await stands(world, "C0BACKEND", call, having="nobody answered within")
        await until(lambda: kept(url).unsent == 0, what="the last message")
        left = kept(url)

    assert len(left.lines(Event.PAGE_SENT)) == 2
    assert len(left.lines(Event.PAGE_UNANSWERED)) == 1
    twice = {key: n for key, n in keys_posted(world, *CHANNELS).items() if key and n > 1}
    assert not twice


async def test_who_answers_late_is_told_who_is_on_it_and_thanked(
    world: World, url: str, tmp_path: Path
) -> None:
    async with running_bot(world, url, playbook=a_playbook(tmp_path, backend=SOON)):
        board = await in_trouble(world)
        await world.slack.slash("U0LUBIT", "C0OPERATIONS", "/incident page backend")
        first = await called(world, "C0BACKEND")
        second = await called(world, "C0DEVOPS")
        await press(world, "U0LUBIT", "C0DEVOPS", second, "page.take")
        await stands(world, "C0DEVOPS", second, having="is on it since")
        late = await stands(world, "C0BACKEND", first, having="nobody answered within")
        await press(world, "U0GITCO", "C0BACKEND", late, "page.take")
        thanks = await told(world, "U0GITCO", "Thank you for coming", channel="C0BACKEND")
        await logged(world, board, having="answered late")

    assert "<@U0LUBIT> is on it already" in thanks


async def test_two_who_press_at_once_are_one_who_is_on_it_and_one_who_is_told(world: World, url: str) -> None:
    async with running_bot(world, url):
        await in_trouble(world)
        await world.slack.slash("U0SENA", "C0OPERATIONS", "/incident page devops")
        call = await called(world, "C0DEVOPS")
        await asyncio.gather(
            *(press(world, user, "C0DEVOPS", call, "page.take") for user in ("U0LUBIT", "U0LEMUN"))
        )
        await stands(world, "C0DEVOPS", call, having="is on it since")
        await until(lambda: kept(url).unsent == 0, what="the last message")
        left = kept(url)

    (answer,) = left.lines(Event.PAGE_ANSWERED)
    other = "U0LEMUN" if answer.actor == "U0LUBIT" else "U0LUBIT"
    # Lemun reads Korean.
    having = "이미 대응하고 있습니다" if other == "U0LEMUN" else "is on it already"
    assert answer.actor in await told(world, other, having, channel="C0DEVOPS")


async def test_a_channel_that_is_not_there_brings_the_call_into_the_incident_channel(
    world: World, url: str
) -> None:
    async with running_bot(world, url):
        board = await in_trouble(world)
        world.slack.workspace.contents.conversations["C0BACKEND"].archived = True
        await world.slack.slash("U0LUBIT", "C0OPERATIONS", "/incident page backend")
        call = await called(world, "C0CRITICAL", having="This should be in #backend")
        await press(world, "U0GITCO", "C0CRITICAL", call, "page.take")
        await stands(world, "C0CRITICAL", call, having="is on it since")
        await logged(world, board, having="could not be posted in #backend")


async def test_a_critical_incident_calls_the_deployment_lead_by_itself(
    world: World, url: str, tmp_path: Path
) -> None:
    async with running_bot(world, url, playbook=a_playbook(tmp_path)):
        await declare(world, "U0GITCO", severity="critical")
        board = await board_of(world, 1)
        call = await called(world, "C0OPERATIONS")
        log = await logged(world, board, having="Backout calls Deployment lead (Sena)")

    assert "<@U0SENA>" in texts(call)
    assert log.index("declared") < log.index("Backout calls")


async def test_closing_the_incident_calls_everybody_off(world: World, url: str) -> None:
    async with running_bot(world, url) as bot:
        await in_trouble(world)
        await world.slack.slash("U0LUBIT", "C0OPERATIONS", "/incident page backend")
        call = await called(world, "C0BACKEND")
        await close(world, bot)
        off = await stands(world, "C0BACKEND", call, having="called off")

    assert action_ids(off) == []


async def close(world: World, bot: Bot) -> None:
    """Close the only incident."""
    await world.slack.slash("U0LUBIT", "C0OPERATIONS", "/incident close 1")
    view = await opened(world, "U0LUBIT", title="Close")
    await world.slack.submit("U0LUBIT", view["id"], {})


async def test_a_contact_nobody_knows_is_answered_with_those_there_are(world: World, url: str) -> None:
    async with running_bot(world, url):
        await in_trouble(world)
        await world.slack.slash("U0LUBIT", "C0OPERATIONS", "/incident page bakend 5xx")
        answer = await told(world, "U0LUBIT", "nobody was called")

    assert "`/incident page 1 backend`" in answer
    assert "deployment_lead, backend, devops, monitoring, manager" in answer
