"""The rollback checklist, walked: the bot ticks what it sees, people do the rest, nothing is forgotten."""

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest

from bot.domain.checklist import StepState
from bot.domain.timeline import BACKOUT, Event
from bot.sandbox.cloud import Fault
from bot.sandbox.slack.block_elements import options_of
from bot.sandbox.slack.blocks import elements_of
from tests.journeys.kept import Kept, kept
from tests.journeys.world import HURRIED_LOAD, PLAYBOOK, World, running_bot, texts, until

ROOM = "C0CRITICAL"
CARD = "rollback checklist"
HANGUL = re.compile("[가-힣]")
#: The guide's phases with a step of our own that is due 1.2 seconds after the decision.
HURRIED = """
checklist:
  - key: at_once
    name: {en: At once, ko: 지금 바로}
    from_minutes: 0
    to_minutes: 0.02
    steps:
      - {key: call_lead, title: {en: Call the lead, ko: 리더에게 전화}, owner: backend}
      - {key: decide, title: {en: Decide, ko: 결정}, sees: rollback_decided}
"""


@pytest.fixture
def hurried_playbook(tmp_path: Path) -> Path:
    """The journeys' playbook with a checklist whose first phase is over after 1.2 seconds."""
    file = tmp_path / "hurried.yaml"
    file.write_text(PLAYBOOK.read_text(encoding="utf-8") + HURRIED, encoding="utf-8")
    return file


@pytest.fixture
def long_playbook(tmp_path: Path) -> Path:
    """The journeys' playbook with a checklist of sixty steps."""
    steps = "\n".join(f"      - {{key: s{n}, title: {{en: Thing {n}, ko: 할 일 {n}}}}}" for n in range(1, 61))
    phase = (
        "  - key: all\n    name: {en: All, ko: 전부}\n    from_minutes: 0\n    to_minutes: 60\n    steps:\n"
    )
    file = tmp_path / "long.yaml"
    file.write_text(f"{PLAYBOOK.read_text(encoding='utf-8')}\nchecklist:\n{phase}{steps}\n", encoding="utf-8")
    return file


def marks(url: str) -> dict[str, tuple[StepState, str]]:
    """Return state and author of every mark of the newest incident."""
    incidents = kept(url).incidents
    return {k: (m.state, m.by) for k, m in incidents[0].marks.items()} if incidents else {}


async def marked(url: str, step: str, state: StepState, by: str) -> Kept:
    """Wait until a step is marked so by that person, or by the bot."""
    await until(lambda: marks(url).get(step) == (state, by), what=f"{step} {state} by {by}")
    return kept(url)


async def card_saying(world: World, *said: str, user: str = "U0SENA") -> dict[str, Any]:
    """Wait until the card says all of this, and return it."""

    def look() -> dict[str, Any] | None:
        card = world.message(ROOM, having=CARD, user=user)
        return card if card and all(s in texts(card) for s in said) else None

    try:
        return await until(look, what=f"{said} on the card")
    except AssertionError as error:
        there = world.message(ROOM, having=CARD, user=user)
        raise AssertionError(f"{error}; it says:\n{texts(there) if there else 'nothing'}") from None


def menu_value(card: dict[str, Any], step: str, choice: str) -> str:
    """Return the value of one choice in a step's menu, as it stands on the card."""
    block = next(b for b in card["blocks"] if b.get("block_id") == f"step:{step}")
    values = [o["value"] for e in elements_of(block) if e["type"] == "overflow" for o in options_of(e)]
    return next(str(value) for value in values if value.partition(":")[0] == choice)


async def choose(world: World, user: str, card: dict[str, Any], step: str, choice: str) -> None:
    """Choose from a step's menu."""
    value = menu_value(card, step, choice)
    await world.slack.click(user, ROOM, card["ts"], "step.more", block_id=f"step:{step}", selected=value)


async def press_done(world: World, user: str, card: dict[str, Any], step: str) -> None:
    """Press a step's *Done*."""
    await world.slack.click(user, ROOM, card["ts"], "step.done", block_id=f"step:{step}")


async def answer(world: World, user: str, **values: str) -> None:
    """Fill in the modal that is open, and send it."""
    view = world.slack.views(user)[-1]
    delivery = await world.slack.submit(
        user, view["id"], {k.replace("_", ".", 1): v for k, v in values.items()}
    )
    assert not delivery.body, delivery.body


async def with_many_errors(world: World) -> None:
    """Let the canary answer nobody until its errors are enough to tell a sharp drop by.

    Of 5 % errors there would be ten in a quarter of a minute, but for chance.
    """
    world.cloud.set_fault("ion-api", Fault.DOWN, True)
    world.cloud.load("ion-api", HURRIED_LOAD)

    def enough() -> bool:
        answers = world.cloud.answers("ion-api")
        return sum(count for (_, status), count in answers.items() if status >= 500) >= 40

    await until(enough, what="errors")
    world.bring_users("canary")
    await asyncio.sleep(2 * world.cloud.behaviour.log_lag_seconds)


async def roll_back(world: World) -> None:
    """Roll back by force."""
    await world.slack.slash("U0LUBIT", "C0OPERATIONS", "/rollback canary force errors")


async def test_the_bot_ticks_what_it_sees_and_people_do_the_rest_across_a_restart(
    world: World, database_url: str
) -> None:
    await with_many_errors(world)
    async with running_bot(world, database_url) as bot:
        await roll_back(world)
        seen_by_bot = ["decide", "alert_team", "run_rollback", "traffic", "error_rate", "response_time"]
        for step in [*seen_by_bot, "record_rollback"]:
            await marked(database_url, step, StepState.DONE, BACKOUT)
        card = await card_saying(world, "100 % observed (Cloud Run", "must be under 0.5 %", "edition 1")

        await asyncio.gather(
            *(press_done(world, user, card, "schedule_post_mortem") for user in ("U0GITCO", "U0LUBIT"))
        )
        await until(lambda: "schedule_post_mortem" in marks(database_url), what="the mark")
        _, first = marks(database_url)["schedule_post_mortem"]
        second = {"U0GITCO": "U0LUBIT", "U0LUBIT": "U0GITCO"}[first]
        told = await world.seen(ROOM, having="was faster", user=second)
        assert f"<@{first}> was faster" in texts(told)
        assert told["ephemeral_for"] == second

        await choose(world, "U0GITCO", card, "users_report", "skip_because")
        await answer(world, "U0GITCO", step_why="<!channel> nobody is awake")
        await marked(database_url, "users_report", StepState.SKIPPED, "U0GITCO")
        card = await card_saying(world, "because: &lt;!channel&gt; nobody is awake")
        await bot.kill()
        await bot.start()

        await asyncio.gather(
            *(choose(world, user, card, "users_report", "undo") for user in ("U0LUBIT", "U0GITCO"))
        )
        await until(lambda: marks(database_url)["users_report"][0] is StepState.TODO, what="the undoing")
        _, first = marks(database_url)["users_report"]
        second = {"U0GITCO": "U0LUBIT", "U0LUBIT": "U0GITCO"}[first]
        await world.seen(ROOM, having=f"<@{first}> was faster", user=second)

        await choose(world, "U0LEMUN", card, "error_rate", "bad_because")
        await answer(world, "U0LEMUN", step_why="users still see errors")
        left = await marked(database_url, "error_rate", StepState.NOT_OK, "U0LEMUN")
        card = await card_saying(world, "because: users still see errors", "Backout saw it done at")
        assert left.incidents[0].marks["error_rate"].evidence["machine"]["state"] == "done"

        await choose(world, "U0GITCO", card, "start_analysis", "take")
        card = await card_saying(world, "For <@U0GITCO>")
        await choose(world, "U0GITCO", card, "all_green", "assign")
        await answer(world, "U0GITCO", step_owner="U0LEMUN")
        card = await card_saying(world, "For <@U0LEMUN>")
        await marked(database_url, "log_errors", StepState.DONE, BACKOUT)
        card = await card_saying(world, "errors in", "at least 90 % fewer are a sharp drop")
        for step in ("users_report", "start_analysis"):
            await press_done(world, "U0GITCO", card, step)
            await marked(database_url, step, StepState.DONE, "U0GITCO")

    left = kept(database_url)
    assert len(left.lines(Event.STEP_MARKED)) == 5
    assert len(left.lines(Event.STEP_UNDONE)) == 1
    assert len(left.lines(Event.STEP_ASSIGNED)) == 2
    seen = [line.facts["step"] for line in left.lines(Event.STEP_SEEN)]
    # Whether every indicator is green can be told a minute after: a slow machine takes as long for this.
    assert sorted(set(seen) - {"all_green"}) == sorted([*seen_by_bot, "record_rollback", "log_errors"])
    assert len(seen) == len(set(seen))
    assert sum(CARD in texts(m) for m in world.slack.messages(ROOM)) == 1


async def test_an_overdue_step_reminds_its_owner_once_though_the_bot_was_down_at_that_moment(
    world: World, database_url: str, hurried_playbook: Path
) -> None:
    async with running_bot(world, database_url, playbook=hurried_playbook) as bot:
        await roll_back(world)
        await marked(database_url, "decide", StepState.DONE, BACKOUT)
        await bot.kill()
        await asyncio.sleep(1.5)
        await bot.start()
        await until(lambda: kept(database_url).lines(Event.STEP_REMINDED), what="the reminder")
        board = await world.seen(ROOM, having="INC-1 · canary")

        def thread() -> list[str]:
            return [texts(m) for m in world.slack.messages(ROOM, thread_ts=board["ts"])]

        await until(lambda: any("should have been done by" in t for t in thread()), what="the mention")
        await asyncio.sleep(1)

    [line] = kept(database_url).lines(Event.STEP_REMINDED)
    [told] = [t for t in thread() if "should have been done by" in t]
    assert (line.facts["step"], line.facts["person"]) == ("call_lead", "U0GITCO")
    assert "<@U0GITCO>, this should have been done by" in told
    assert "Call the lead" in told


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_checklist_too_long_for_one_message_is_shown_on_several_and_every_step_can_be_done(
    world: World, database_url: str, long_playbook: Path
) -> None:
    async with running_bot(world, database_url, playbook=long_playbook):
        await roll_back(world)
        last = await world.seen(ROOM, having="rollback checklist, 3 of 3")
        await press_done(world, "U0GITCO", last, "s60")
        await marked(database_url, "s60", StepState.DONE, "U0GITCO")
        await until(lambda: "*done*: <@U0GITCO>" in texts(world.message(ROOM, having="3 of 3") or {}))

    cards = [m for m in world.slack.messages(ROOM) if CARD in texts(m)]
    said = "\n".join(map(texts, cards))
    assert len(cards) == 3
    assert all(f"*Thing {n}*" in said for n in range(1, 61))


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_asked_for_it_the_checklist_is_told_in_the_readers_language_with_its_place(
    world: World, database_url: str
) -> None:
    async with running_bot(world, database_url):
        await world.slack.slash("U0SENA", "C0OPERATIONS", "/rollback canary force errors")
        await marked(database_url, "traffic", StepState.DONE, BACKOUT)
        await until(lambda: world.message(ROOM, having=CARD), what="the card")
        await world.slack.slash("U0SENA", "C0OPERATIONS", "/incident checklist")
        told = await world.seen("C0OPERATIONS", having="트래픽 100% legacy로 복구 확인")

    assert told["ephemeral_for"] == "U0SENA"
    assert "<#C0CRITICAL>" in texts(told)
    assert ":white_check_mark: 트래픽 100% legacy로 복구 확인" in texts(told)
    assert HANGUL.search(texts(told).splitlines()[0])


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_the_card_is_korean_where_the_channels_are(world: World, database_url: str) -> None:
    async with running_bot(world, database_url, locale="ko"):
        await roll_back(world)
        await marked(database_url, "traffic", StepState.DONE, BACKOUT)
        card = await world.seen(ROOM, having="롤백 체크리스트")
        await until(
            lambda: "관측값 100%" in texts(world.message(ROOM, having="롤백 체크리스트") or {}),
            what="evidence",
        )

    assert "사용자 보고 (Slack)" in texts(card)
    assert not re.search(r"[a-z]{3,} [a-z]{3,} [a-z]{3,}", re.sub(r"<[^>]*>", "", texts(card)))
