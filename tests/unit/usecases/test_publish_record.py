"""One edition of the record: filed once and for good, posted, and copied into a canvas where there is one."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.exhibit import Exhibit, ExhibitKind, Moment, sha256_of
from bot.domain.first_reading import FirstReading
from bot.domain.ids import ChannelId, IncidentNumber, RollbackId
from bot.domain.record import edition_id
from bot.domain.rollback import RollbackState
from bot.domain.snapshot import Snapshot
from bot.usecases.ports import Canvases, RecordFile, Records, RenderedRecord, Showing
from bot.usecases.publish_record import LOOKS, Publishing, publish_record
from tests.fakes import FakePlaybooks, FakeSteps, FakeStore, FakeVault, HeldClock
from tests.values import CANARY, NOON, STABLE, a_decided_rollback, an_incident

ONE = IncidentNumber(1)
HEAD = "ab" * 32


class CountedRecords(Records):
    """A record whose text says how often it was rendered; `problem` is why there is no PDF."""

    def __init__(self) -> None:
        self.count = 0
        self.problem: str | None = None

    async def render(self, number: IncidentNumber, edition: int) -> RenderedRecord:
        """See `Records.render`."""
        self.count += 1
        text = f"edition {edition}, rendering {self.count}".encode()
        pdf = RecordFile(name="record.pdf", problem=self.problem)
        files = (
            RecordFile(name="record.md", content=text),
            pdf if self.problem else replace(pdf, content=text),
        )
        return RenderedRecord(head=HEAD, files=files)

    async def canvas(self, number: IncidentNumber) -> tuple[str, str]:
        """See `Records.canvas`."""
        return "Record", f"rendered {self.count} times"


class NotedCanvases(Canvases):
    """Slack's canvases in memory. `id` is what a new one gets; empty: there are none."""

    def __init__(self) -> None:
        self.id = "F0NEW"
        self.written: list[tuple[str, str, str]] = []

    async def put(self, title: str, markdown: str, *, channel: ChannelId, canvas: str) -> str:
        """See `Canvases.put`."""
        id = canvas or self.id
        if id:
            self.written.append((id, channel, markdown))
        return id


class World:
    """An incident of edition 1, rolled back and verified at noon."""

    def __init__(self) -> None:
        self.store, self.vault, self.clock = FakeStore(), FakeVault(), HeldClock()
        self.records, self.canvases = CountedRecords(), NotedCanvases()

    async def begun(self, *, edition: int = 1, canvas: str = "", taken: bool = True) -> None:
        rollback = a_decided_rollback(
            RollbackState.VERIFIED, incident=ONE, requested_at=NOON, settled_at=NOON, ended_at=NOON
        )
        incident = an_incident(number=ONE, edition=edition, canvas=canvas)
        self.store.kept.incidents[ONE] = incident
        self.store.kept.rollbacks[rollback.id] = rollback
        self.store.kept.standing["board:1"] = (ChannelId("C0CRITICAL"), "1.0")
        if taken:
            await self.take(rollback.id)

    async def take(self, rollback: RollbackId) -> None:
        snapshot = Snapshot(
            id=f"1:verification-{rollback}",
            incident=ONE,
            moment=Moment.VERIFICATION,
            created_at=NOON,
            canary=CANARY,
            stable=STABLE,
            reading=FirstReading(since=NOON, until=NOON),
            rollback=rollback,
        )
        await self.store.change(lambda tx: tx.keep(snapshot))

    async def publish(self, edition: int = 1, steps: FakeSteps | None = None) -> FakeSteps:
        use = Publishing(
            store=self.store,
            playbooks=FakePlaybooks(),
            records=self.records,
            vault=self.vault,
            canvases=self.canvases,
            clock=self.clock,
        )
        known = steps or FakeSteps()
        await publish_record({"incident": "1", "edition": str(edition)}, steps=known, use=use)
        return known

    async def exhibits(self, edition: int = 1) -> tuple[Exhibit, ...]:
        return await self.store.look(lambda tx: tx.find(Exhibit, snapshot=edition_id(ONE, edition)))


@pytest.fixture
def world() -> World:
    return World()


async def test_every_file_is_kept_with_its_hash_and_posted_under_the_record(world: World) -> None:
    await world.begun()

    await world.publish()

    for exhibit in await world.exhibits():
        content = world.vault.contents[exhibit.place]
        assert (exhibit.kind, exhibit.size, exhibit.sha256) == (
            ExhibitKind.RECORD, len(content), sha256_of(content),
        )  # fmt: skip
        assert exhibit.source == f"timeline head {HEAD}"
        assert exhibit.place == f"INC-1/record-1/{exhibit.sha256[:12]}/{exhibit.name}"
    message = world.store.kept.messages["record_file:1:1"]
    assert (message.what, message.under) == (Showing.RECORD_FILE, "record:1")
    assert "record:1" in world.store.kept.messages


async def test_an_edition_is_filed_once_whatever_dies(world: World) -> None:
    await world.begun()
    await world.publish()
    before = (await world.exhibits(), dict(world.vault.contents))

    await world.publish()

    assert (await world.exhibits(), world.vault.contents) == before


async def test_a_later_edition_has_files_of_its_own(world: World) -> None:
    await world.begun()
    await world.publish(1)
    first = dict(world.vault.contents)

    await world.begun(edition=2)
    await world.publish(2)

    assert world.vault.contents.items() > first.items()
    assert len(await world.exhibits(1)) == len(await world.exhibits(2)) == 2


async def test_what_cannot_be_printed_is_a_line_and_the_rest_is_posted(world: World) -> None:
    await world.begun()
    world.records.problem = "no process could be started"

    await world.publish()

    told = {one.name: (one.problem, one.sha256 != "") for one in await world.exhibits()}
    assert told == {"record.md": (None, True), "record.pdf": ("no process could be started", False)}
    assert "record_file:1:1" in world.store.kept.messages


async def test_a_vault_that_is_down_keeps_nobody_from_reading_the_record(world: World) -> None:
    await world.begun()
    world.vault.down = "the bucket does not answer"

    await world.publish()

    assert {one.problem for one in await world.exhibits()} == {"the bucket does not answer"}
    assert "record_file:1:1" in world.store.kept.messages


# Waiting for the evidence of the verdict.


async def test_the_record_waits_for_the_evidence_of_its_verdict_but_not_for_ever(world: World) -> None:
    await world.begun(taken=False)

    steps = await world.publish()

    assert sum(name.startswith("wait") for name in steps.done) == LOOKS
    assert await world.exhibits()


@pytest.mark.parametrize("taken", [True, False])
async def test_nothing_is_waited_for_when_it_is_there_or_too_long_ago(world: World, taken: bool) -> None:
    await world.begun(taken=taken)
    if not taken:
        world.clock.now = NOON + timedelta(minutes=2, seconds=1)

    steps = await world.publish()

    assert steps.done["wait 0"] is False


async def test_an_incident_without_a_rollback_waits_for_nothing(world: World) -> None:
    await world.begun(taken=False)
    world.store.kept.rollbacks.clear()

    assert (await world.publish()).done["wait 0"] is False


# The canvas.


async def test_the_first_edition_makes_a_canvas_and_the_message_leads_to_it(world: World) -> None:
    await world.begun()
    before = world.store.kept.messages.get("record:1")

    await world.publish()

    assert world.canvases.written == [("F0NEW", "C0CRITICAL", "rendered 1 times")]
    assert world.store.kept.incidents[ONE].canvas == "F0NEW"
    assert before is None
    assert world.store.kept.messages["record:1"].wanted == 2


async def test_later_editions_are_written_into_the_same_canvas(world: World) -> None:
    await world.begun(edition=2, canvas="F0KNOWN")

    await world.publish(2)

    assert [id for id, _, _ in world.canvases.written] == ["F0KNOWN"]


async def test_an_older_edition_does_not_overwrite_a_newer_one_there(world: World) -> None:
    await world.begun(edition=2, canvas="F0KNOWN")

    await world.publish(1)

    assert world.canvases.written == []


async def test_without_canvases_the_record_is_as_it_would_be_anyway(world: World) -> None:
    await world.begun()
    world.canvases.id = ""

    await world.publish()

    assert world.store.kept.incidents[ONE].canvas == ""
    assert "record_file:1:1" in world.store.kept.messages
