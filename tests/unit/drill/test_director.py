"""The director, with a store in memory and a stage that only listens."""

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from bot.adapters.playbook_file import read_playbook
from bot.domain.drill import Drill, Milestone
from bot.domain.ids import TargetName
from bot.domain.playbook import Playbook
from bot.drill.desk import DrillDesk
from bot.drill.director import Director
from bot.drill.refused import CannotPlay
from bot.drill.story import Line, Story
from bot.sandbox.run import PLAYBOOK
from bot.usecases.begin_drill import RealIncidentOpen
from tests.drills import FAST, a_drill
from tests.fakes import FakePlaybooks, FakeStore, HeldClock
from tests.values import an_incident


@dataclass
class Listening:
    """A stage on which everybody is heard."""

    heard: list[Line] = field(default_factory=list)

    async def speak(self, line: Line, *, locale: str) -> None:
        self.heard.append(line)


@dataclass
class Painted:
    """A scenery of which only the changes are known."""

    target: str = "canary"
    changes: list[str] = field(default_factory=list)

    async def prepare(self) -> None:
        self.changes.append("prepared")

    def break_down(self, story: Story) -> None:
        self.changes.append(story.fault)

    def mend(self) -> None:
        self.changes.append("mended")


@dataclass
class Remembered:
    """Drills from before, kept in memory."""

    drills: list[Drill] = field(default_factory=list)

    async def all(self) -> tuple[Drill, ...]:
        return tuple(self.drills)

    async def add(self, drill: Drill) -> None:
        self.drills.append(drill)


@dataclass
class House:
    """A director at work, and everything around it."""

    setting: Painted = field(default_factory=Painted)
    stage: Listening = field(default_factory=Listening)
    past: Remembered = field(default_factory=Remembered)
    clock: HeldClock = field(default_factory=HeldClock)

    def __post_init__(self) -> None:
        self.director = Director(
            setting=self.setting,
            stage=self.stage,
            store=FakeStore(),
            playbooks=FakePlaybooks(guide()),
            past=self.past,
            locale="en",
            speed=1000,
            clock=self.clock,
            patience_seconds=0,
        )


@cache
def guide() -> Playbook:
    """Return the guide, with the sandbox's people."""
    return read_playbook(PLAYBOOK)


@pytest.fixture
def house() -> House:
    return House()


async def test_the_canary_is_well_first_then_fails_and_is_mended_in_the_end(house: House) -> None:
    drill = await house.director.begin("memory")
    before = list(house.stage.heard)
    board = await house.director.end()

    assert house.setting.changes == ["prepared", "leak", "mended"]
    assert [line.who for line in before] == ["gitco"]
    assert board.drill.id == drill.id
    assert house.past.drills == [board.drill]
    assert house.director.drill is None


async def test_a_drill_is_compared_with_the_teams_drills_from_before(house: House) -> None:
    house.past.drills.append(a_drill("before", reached=FAST, created_at=house.clock() - timedelta(days=90)))

    await house.director.begin("error_rate")
    board = await house.director.end()

    detected = next(one for one in board.scores if one.milestone is Milestone.DETECTED)
    assert board.compared == 1
    assert (detected.best, detected.last) == (FAST[Milestone.DETECTED], FAST[Milestone.DETECTED])


async def test_what_is_over_is_complained_of_no_more(house: House) -> None:
    await house.director.begin("service_down")
    house.director._stop_telling()
    house.director.reached = {Milestone.ROLLED_BACK: house.clock()}

    due = [line for line in house.director._story("service_down").lines if house.director._is_due(line)]
    said = [line for line in due if line.until not in house.director.reached]

    assert said == []


async def test_a_drill_is_over_after_an_hour_or_when_it_is_stopped(house: House) -> None:
    stopped = asyncio.Event()
    drill = await house.director.begin("memory")

    stopped.set()
    await house.director.over(stopped)
    stopped.clear()
    house.clock.now = drill.until
    await house.director.over(stopped)

    assert (await house.director.end()).drill.ended_at == drill.until


async def test_nobody_drills_during_a_fire(house: House) -> None:
    await house.director.store.change(
        lambda tx: tx.add_incident(an_incident(target=TargetName("canary"), opened_at=house.clock()))
    )

    with pytest.raises(RealIncidentOpen):
        await house.director.begin("memory")

    assert house.setting.changes == []


async def test_what_nobody_can_tell_is_not_begun(house: House) -> None:
    with pytest.raises(CannotPlay, match="no scenario earthquake"):
        await house.director.begin("earthquake")

    assert house.setting.changes == []


async def test_the_desk_begins_and_ends_a_drill_for_the_page(house: House) -> None:
    desk = DrillDesk()
    transport = httpx.ASGITransport(app=Starlette(routes=desk.routes()))
    async with httpx.AsyncClient(transport=transport, base_url="http://sandbox") as page:
        starting = (await page.get("/sandbox/drill")).json()
        desk.director = house.director
        refused = [
            (await page.post("/sandbox/drill", content='{"begin": "memory"}')).status_code,
            (await page.post("/sandbox/drill", json={"begin": "earthquake"})).status_code,
            (await page.post("/sandbox/drill", json=["begin"])).status_code,
        ]
        begun = await page.post("/sandbox/drill", json={"begin": "memory"})
        running = await reaching(page, "running")
        await page.post("/sandbox/drill", json={"stop": True})
        ended = await reaching(page, "ended")
        await desk.close()

    assert (starting["phase"], refused) == ("starting", [415, 400, 400])
    assert begun.json() == {"ok": True, "error": None}
    assert [one["number"] for one in running["scenarios"]] == [1, 2, 3, 4, 5]
    assert (running["scenario"], running["drill"]["next"]["milestone"]) == ("memory", "detected")
    assert [score["milestone"] for score in ended["scores"]] == list(Milestone)
    assert {score["result"] for score in ended["scores"]} == {"missed", "not_asked_for"}
    assert [score["by"] for score in ended["scores"]] == [300, 60, 120, 300, None, 600]


async def test_the_page_says_why_a_drill_was_not_begun(house: House) -> None:
    await house.director.store.change(
        lambda tx: tx.add_incident(an_incident(target=TargetName("canary"), opened_at=house.clock()))
    )
    desk = DrillDesk()
    desk.director = house.director
    transport = httpx.ASGITransport(app=Starlette(routes=desk.routes()))

    desk.begin("memory")
    async with httpx.AsyncClient(transport=transport, base_url="http://sandbox") as page:
        shown = await reaching(page, "idle")
    await desk.close()

    assert shown["problem"]["en"].endswith("is open and is no drill: close it first.")
    assert "훈련이 아닌 장애" in shown["problem"]["ko"]


async def reaching(page: httpx.AsyncClient, phase: str) -> dict[str, Any]:
    """Ask until the drill has come so far, and return what is shown then."""
    async with asyncio.timeout(30):
        while True:
            shown: dict[str, Any] = (await page.get("/sandbox/drill")).json()
            if shown["phase"] == phase:
                return shown
            await asyncio.sleep(0.01)
