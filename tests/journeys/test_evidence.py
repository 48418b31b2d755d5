"""Evidence taken at the decision and at the verdict: kept, hashed, uploaded, and in nobody's way."""

import asyncio
import hashlib
import json
import re
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest
import pytest_asyncio

from bot.domain.exhibit import Exhibit, ExhibitKind, Moment
from bot.domain.rollback import RollbackState
from bot.domain.snapshot import Snapshot
from bot.domain.timeline import Event, first_broken
from tests.journeys.kept import Kept, kept
from tests.journeys.killed_bot import KILL_AT, LEASE
from tests.journeys.rows import session
from tests.journeys.stored import everything_in, stored
from tests.journeys.world import Bot, World, running_bot, texts, until
from tests.postgres import PostgresServer

#: The guide's names and ours beside them, as they are listed.
NAMES = [
    r"error_logs_\d{8}_\d{6}\.txt",
    r"slow_requests_\d{8}_\d{6}\.txt",
    r"metrics_snapshot_\d{8}_\d{6}\.json",
    r"canary_config_\d{8}_\d{6}\.json",
    r"traffic_\d{8}_\d{6}\.json",
    r"probe_\d{8}_\d{6}\.json",
]
ROLL_BACK = "/rollback canary force errors"


@pytest_asyncio.fixture(scope="module", loop_scope="session", params=["sqlite", "postgresql"])
async def rolled_back(
    shared_world: World, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Bot]:
    """A bot that has rolled a failing canary back and told everything about it."""
    shared_world.reset()
    url = f"sqlite:///{tmp_path_factory.mktemp('bot') / 'backout.db'}"
    if request.param == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgres_server")
        url = server.create_database()
    async with running_bot(shared_world, url) as running:
        await shared_world.make_the_canary_fail()
        await shared_world.slack.slash("U0SENA", "C0OPERATIONS", ROLL_BACK)
        await evidence_told(shared_world, url, 2)
        yield running
    if request.param == "postgresql":
        server.drop_database(url)


@pytest_asyncio.fixture(loop_scope="session")
async def one_bot(world: World, tmp_path: Path) -> AsyncIterator[Bot]:
    """A bot for one test, on SQLite."""
    async with running_bot(world, f"sqlite:///{tmp_path / 'backout.db'}") as running:
        yield running


async def evidence_told(world: World, url: str, times: int) -> None:
    """Wait until evidence was taken so many times and all of its files are in the thread."""
    await until(lambda: len(stored(url, Snapshot)) >= times, what=f"{times} takings of evidence")
    there = [exhibit.name for exhibit in stored(url, Exhibit) if is_evidence(exhibit) and not exhibit.problem]
    await until(lambda: set(there) <= {file["name"] for file in world.slack.files()}, what=str(there))


def is_evidence(exhibit: Exhibit) -> bool:
    """True for what machines said."""
    return exhibit.kind is not ExhibitKind.RECORD


def taken(url: str, moment: Moment) -> tuple[Snapshot, dict[str, Exhibit]]:
    """Return what was taken at a moment, the files by kind."""
    (snapshot,) = stored(url, Snapshot, moment=moment)
    return snapshot, {exhibit.kind: exhibit for exhibit in stored(url, Exhibit, snapshot=snapshot.id)}


def content(world: World, exhibit: Exhibit) -> str:
    """Return what Slack got."""
    (file,) = [file for file in world.slack.files() if file["name"] == exhibit.name]
    text: str = file["content"].decode()
    return text


def messages_with_evidence(world: World) -> list[dict[str, Any]]:
    """Return every message that carries evidence, oldest first."""
    found = []
    for message in world.slack.messages("C0CRITICAL"):
        for reply in world.slack.messages("C0CRITICAL", thread_ts=message["ts"]):
            names = [file["name"] for file in reply.get("files") or ()]
            if any(re.fullmatch(pattern, name) for pattern in NAMES for name in names):
                found.append(reply)
    return found


async def test_each_moment_is_one_message_with_the_guides_files(
    rolled_back: Bot, shared_world: World
) -> None:
    decision, verdict = messages_with_evidence(shared_world)

    for message in (decision, verdict):
        names = [file["name"] for file in message["files"]]
        assert len(names) == len(NAMES)
        assert all(re.fullmatch(pattern, name) for pattern, name in zip(NAMES, names, strict=True)), names
    assert "*Evidence*, at the decision" in decision["text"]
    assert "*Evidence*, at the verdict" in verdict["text"]


async def test_what_is_kept_is_what_slack_got_and_its_hash_says_so(
    rolled_back: Bot, shared_world: World
) -> None:
    uploaded = {file["name"]: file["content"] for file in shared_world.slack.files()}
    exhibits = [exhibit for exhibit in stored(rolled_back.database_url, Exhibit) if is_evidence(exhibit)]

    assert len(exhibits) == 2 * len(NAMES)
    with session(rolled_back.database_url) as opened:
        rows = opened.connection().exec_driver_sql("SELECT place, content FROM exhibit_content").all()
    contents = {place: bytes(kept_there) for place, kept_there in rows}
    for exhibit in exhibits:
        kept_there = contents[exhibit.place]
        assert kept_there == uploaded[exhibit.name]
        assert (exhibit.size, exhibit.sha256) == (len(kept_there), hashlib.sha256(kept_there).hexdigest())
        assert exhibit.source
        assert exhibit.problem is None


async def test_the_timeline_holds_the_hashes(rolled_back: Bot) -> None:
    left = kept(rolled_back.database_url)
    exhibits = stored(rolled_back.database_url, Exhibit)

    lines = left.lines(Event.EVIDENCE_TAKEN)

    assert [line.facts["moment"] for line in lines] == ["decision", "verification"]
    written = {tuple(file) for line in lines for file in line.facts["files"]}
    assert written == {(e.name, e.size, e.sha256) for e in exhibits if is_evidence(e)}
    assert first_broken(left.timeline) is None


async def test_a_person_can_read_the_error_log(rolled_back: Bot, shared_world: World) -> None:
    snapshot, files = taken(rolled_back.database_url, Moment.VERIFICATION)
    head, _, body = content(shared_world, files["error_logs"]).partition("\n\n")

    lines = body.splitlines()
    assert f"canary {snapshot.canary}, stable {snapshot.stable}" in head
    assert "severity>=ERROR" in head
    assert "since the deployment" in head or "the deployment is older" in head
    assert 0 < len(lines) <= 100
    times = [line.partition(" ")[0] for line in lines if not line.startswith(" ")]
    assert times == sorted(times, reverse=True)
    assert any("→ 500" in line for line in lines)


async def test_the_files_hold_what_the_cloud_said(rolled_back: Bot, shared_world: World) -> None:
    snapshot, files = taken(rolled_back.database_url, Moment.DECISION)
    metrics, config, traffic, probe = (
        json.loads(content(shared_world, files[kind]))
        for kind in ("metrics_snapshot", "canary_config", "traffic", "probe")
    )

    assert {reading["side"] for reading in metrics["readings"]} == {"canary", "stable"}
    assert {reading["unit"] for reading in metrics["readings"]} == {"%", "ms"}
    assert all(reading["age_seconds"] >= 0 for reading in metrics["readings"])
    assert config["canary"]["revision"] == snapshot.canary
    assert config["stable"]["revision"] == snapshot.stable
    service = traffic["services"]["switch"]
    assert {one["name"] for one in service["revisions"]} >= {snapshot.canary, snapshot.stable}
    assert service["last_changed_by"]
    assert traffic["rollback"]["out_of_traffic"] == snapshot.canary
    assert probe["sides"]["stable"]["sent"] == 5


async def test_before_and_after_can_be_compared(rolled_back: Bot, shared_world: World) -> None:
    snapshot, files = taken(rolled_back.database_url, Moment.VERIFICATION)

    after = json.loads(content(shared_world, files["traffic"]))["services"]["switch"]

    shares = {one["revision"]: one["percent"] for one in after["traffic_observed"] if one["percent"]}
    assert shares == {snapshot.stable: 100}
    # What the canary did before the traffic had settled is the decision's business.
    assert (snapshot.reading.failed[0], snapshot.reading.lines[0]) == (0, 0)
    assert snapshot.deployed_at is not None


async def test_the_board_lists_the_files(rolled_back: Bot, shared_world: World) -> None:
    def listed() -> bool:
        board = shared_world.message("C0CRITICAL", having="Evidence at the verdict")
        return board is not None and all(re.search(pattern, texts(board)) for pattern in NAMES)

    await until(listed, what="the board's list")


async def test_the_list_shows_every_file_and_evidence_can_be_taken_again(
    rolled_back: Bot, shared_world: World
) -> None:
    world, url = shared_world, rolled_back.database_url
    await world.slack.slash("U0LUBIT", "C0OPERATIONS", "/incident evidence")
    (view,) = world.slack.views("U0LUBIT")
    shown = texts(view)
    for exhibit in filter(is_evidence, stored(url, Exhibit)):
        assert exhibit.name in shown
        assert exhibit.sha256[:12] in shown

    await world.slack.click_view("U0LUBIT", view["id"], "evidence.take")

    await until(lambda: stored(url, Snapshot, moment=Moment.ASKED), what="evidence that was asked for")
    (snapshot,) = stored(url, Snapshot, moment=Moment.ASKED)
    assert snapshot.asked_by == "U0LUBIT"
    await evidence_told(world, url, 3)
    assert "Asked for. If you may" in texts(world.slack.views("U0LUBIT")[-1])


async def test_a_guest_takes_no_evidence(rolled_back: Bot, shared_world: World) -> None:
    world, before = shared_world, len(stored(rolled_back.database_url, Snapshot))
    await world.slack.slash("U0GUEST", "C0CRITICAL", "/incident evidence")
    view = world.slack.views("U0GUEST")[-1]

    await world.slack.click_view("U0GUEST", view["id"], "evidence.take")
    await world.seen("C0CRITICAL", having="is a guest of this workspace", user="U0GUEST")

    assert len(stored(rolled_back.database_url, Snapshot)) == before


async def test_a_source_that_refuses_is_said_and_the_others_are_kept(world: World, one_bot: Bot) -> None:
    database_url = one_bot.database_url
    denied = grpc.StatusCode.PERMISSION_DENIED
    for method in ("ListTimeSeries", "GetRevision"):
        world.cloud.fail(method, denied, detail="Permission denied on it", times=1000)

    await world.slack.slash("U0SENA", "C0OPERATIONS", ROLL_BACK)
    await evidence_told(world, database_url, 2)

    snapshot, files = taken(database_url, Moment.DECISION)
    assert "Permission denied on it" in (files["canary_config"].problem or "")
    assert (files["canary_config"].size, files["canary_config"].sha256) == (0, "")
    assert {kind for kind, file in files.items() if file.problem is None} == {
        "error_logs", "slow_requests", "metrics_snapshot", "traffic", "probe",
    }  # fmt: skip
    metrics = json.loads(content(world, files["metrics_snapshot"]))
    assert {reading["value"] for reading in metrics["readings"]} == {None}
    assert metrics["could_not_be_read"]
    first, _ = messages_with_evidence(world)
    assert "Could not read configuration, because: " in first["text"]
    await until(
        lambda: "Could not read Cloud Monitoring, because: " in everything_in(world, "C0CRITICAL"),
        what="what is said of Cloud Monitoring",
    )
    assert [problem.partition(":")[0] for problem in snapshot.reading.problems] == [
        "minutes", "configuration_canary", "configuration_stable",
    ]  # fmt: skip


async def test_the_rollback_waits_for_no_source(world: World, one_bot: Bot) -> None:
    database_url, released = one_bot.database_url, asyncio.Event()
    hold = {"ListTimeSeries", "GetRevision"}

    async def held(method: str, when: str) -> None:
        if method in hold and when == "before":
            await released.wait()

    world.cloud.hook = held
    try:
        await world.slack.slash("U0SENA", "C0OPERATIONS", ROLL_BACK)
        await until(lambda: verified(database_url), what="the verdict")
        await world.seen("C0CRITICAL", having="Deployment failure record")
        # Until the bot has waited long enough for what is held.
        await until(lambda: stored(database_url, Snapshot, moment=Moment.DECISION), what="the evidence")
    finally:
        released.set()
        world.cloud.hook = None

    await evidence_told(world, database_url, 2)
    _, files = taken(database_url, Moment.DECISION)
    assert files["canary_config"].problem


def verified(url: str) -> bool:
    """True when the rollback has been verified."""
    return [rollback.state for rollback in kept(url).rollbacks] == [RollbackState.VERIFIED]


async def test_evidence_goes_where_the_setting_says(world: World, tmp_path: Path) -> None:
    url, directory = f"sqlite:///{tmp_path / 'backout.db'}", tmp_path / "evidence"
    async with running_bot(world, url, extra={"BACKOUT_EVIDENCE": str(directory)}):
        await world.slack.slash("U0SENA", "C0OPERATIONS", ROLL_BACK)
        await evidence_told(world, url, 2)

    exhibits = [exhibit for exhibit in stored(url, Exhibit) if is_evidence(exhibit)]
    assert len(exhibits) == 2 * len(NAMES)
    for exhibit in exhibits:
        assert hashlib.sha256((directory / exhibit.place).read_bytes()).hexdigest() == exhibit.sha256
    with session(url) as opened:
        count = opened.connection().exec_driver_sql("SELECT count(*) FROM exhibit_content").scalar_one()
    assert count == 0


async def test_a_vault_that_takes_nothing_is_said_and_the_figures_are_kept(
    world: World, tmp_path: Path
) -> None:
    url, directory = f"sqlite:///{tmp_path / 'backout.db'}", tmp_path / "evidence"
    directory.write_text("no directory")
    async with running_bot(world, url, extra={"BACKOUT_EVIDENCE": str(directory)}):
        await world.slack.slash("U0SENA", "C0OPERATIONS", ROLL_BACK)
        await until(lambda: len(stored(url, Snapshot)) == 2, what="two takings")
        await until(
            lambda: "cannot write evidence in" in everything_in(world, "C0CRITICAL"), what="the problem"
        )
        await until(lambda: verified(url), what="the verdict")

    exhibits = [exhibit for exhibit in stored(url, Exhibit) if is_evidence(exhibit)]
    assert all("cannot write evidence in" in (exhibit.problem or "") for exhibit in exhibits)
    assert all(snapshot.reading.requests != (None, None) for snapshot in stored(url, Snapshot))


@pytest.mark.parametrize(
    "moment",
    [
        "keep_evidence before its commit 1",
        "keep_evidence after its commit 1",
        "collect is recorded 1",
        "send files.completeUploadExternal, before 1",
        "send files.completeUploadExternal, after 1",
    ],
)
async def test_killed_in_the_middle_it_goes_on_and_no_file_comes_twice(
    world: World, tmp_path: Path, moment: str
) -> None:
    url = f"sqlite:///{tmp_path / 'backout.db'}"
    command = ("-m", "tests.journeys.killed_bot")
    died = Bot(world=world, database_url=url, command=command, extra={KILL_AT: moment, LEASE: "1.5"})
    await died.start()
    try:
        await world.slack.slash("U0SENA", "C0OPERATIONS", ROLL_BACK)
        await until(lambda: died.process is None or died.process.returncode is not None, what=moment)
    finally:
        await died.kill()

    async with running_bot(world, url, command=command, extra={LEASE: "1.5"}):
        await evidence_told(world, url, 2)
        left = await until(lambda: quiet(url), what="the last message")

    assert len(left.lines(Event.EVIDENCE_TAKEN)) == 2
    assert len(messages_with_evidence(world)) == 2
    names = Counter(file["name"] for file in world.slack.files() if file["channels"])
    assert set(names.values()) == {1}
    uploaded = {file["name"]: file["content"] for file in world.slack.files() if file["channels"]}
    for exhibit in stored(url, Exhibit):
        if is_evidence(exhibit):
            assert hashlib.sha256(uploaded[exhibit.name]).hexdigest() == exhibit.sha256


def quiet(url: str) -> Kept | None:
    """Return what is kept once everything is told."""
    left = kept(url)
    return left if left.unsent == 0 else None
