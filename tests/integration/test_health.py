"""What the bot says about itself over HTTP, on both databases."""

import fcntl
import json
import socket
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from bot.adapters.durable import _is_locked, _lock_file
from bot.bootstrap import House, build, working
from bot.domain.ids import ChannelId, PersonId, RollbackId, TargetName
from bot.domain.incident import FailureType, Incident, IncidentState, Severity
from bot.domain.rollback import Rollback, RollbackState
from bot.health import Gauge, health_routes
from bot.settings import Settings
from bot.usecases.ports import Showing, Transaction
from tests.integration.patience import PATIENCE_SECONDS

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
PLAYBOOK = Path(__file__).parents[1] / "journeys" / "playbook.yaml"


@asynccontextmanager
async def a_house(database_url: str, *, migrated: bool = True) -> AsyncIterator[House]:
    """Wire a house without Slack or Google behind it."""
    house = build(Settings(DATABASE_URL=database_url, BACKOUT_PLAYBOOK=PLAYBOOK))
    if migrated:
        house.migrate()
    try:
        yield house
    finally:
        await house.close()


async def get(house: House, path: str, *, within_seconds: float = PATIENCE_SECONDS) -> httpx.Response:
    app = Starlette(routes=health_routes(house, within_seconds=within_seconds))
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://backout.example.com") as client:
        return await client.get(path)


async def samples(house: House) -> dict[str, str]:
    """Return what ``/metrics`` says: sample to value."""
    lines = (await get(house, "/metrics")).text.splitlines()
    return dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))


def nowhere(database_url: str) -> str:
    """Return the URL of a database that is not there, on a server (or disk) that is."""
    if database_url.startswith("sqlite"):
        return database_url.replace("backout.db", "no-such-directory/backout.db")
    address, _, query = database_url.partition("?")
    return f"{address}_gone?{query}"


def a_rollback(id: str, state: RollbackState) -> Rollback:
    return Rollback(
        id=RollbackId(id),
        target=TargetName("canary"),
        state=state,
        asked_by=PersonId("U0SENA"),
        asked_at=NOON,
        reason="",
        forced=False,
        channel="C0OPERATIONS",
        playbook_version="journeys-1",
    )


def an_incident() -> Incident:
    return Incident(
        number=0,  # type: ignore[arg-type]
        target=TargetName("canary"),
        state=IncidentState.OPEN,
        severity=Severity.HIGH,
        failure_type=FailureType.ERROR_RATE,
        opened_at=NOON,
        opened_by=PersonId("U0SENA"),
        playbook_version="journeys-1",
    )


def some_work(tx: Transaction) -> None:
    tx.add_rollback(a_rollback("one", RollbackState.VERIFIED))
    tx.add_rollback(a_rollback("two", RollbackState.VERIFIED))
    tx.add_rollback(a_rollback("three", RollbackState.REQUESTED))
    incident = tx.add_incident(an_incident())
    tx.show(Showing.BOARD, str(incident.number), channel=ChannelId("C0CRITICAL"))


async def test_a_process_is_alive_whatever_its_database_does(database_url: str) -> None:
    async with a_house(nowhere(database_url), migrated=False) as house:
        answer = await get(house, "/healthz")

    assert (answer.status_code, answer.text) == (200, "alive\n")


async def test_it_is_ready_while_a_worker_runs_and_not_after(database_url: str) -> None:
    async with a_house(database_url) as house:
        before = await get(house, "/readyz")
        async with working(house):
            during, counted = await get(house, "/readyz"), await samples(house)
        after, counted_after = await get(house, "/readyz"), await samples(house)

    assert (before.status_code, before.json()["problems"]) == (503, ["no worker is running"])
    assert (during.status_code, during.json()) == (200, {"ready": True, "problems": []})
    assert after.status_code == 503
    assert counted["backout_workers_alive"] == "1"
    assert counted_after["backout_workers_alive"] == "0"


def test_looking_for_a_worker_never_keeps_one_from_starting(tmp_path: Path) -> None:
    path = tmp_path / "backout.db.worker"
    done = threading.Event()

    def look() -> None:
        while not done.is_set():
            _is_locked(path)
            time.sleep(0.001)

    lookers = [threading.Thread(target=look) for _ in range(2)]
    for looker in lookers:
        looker.start()
    try:
        for _ in range(50):
            _lock_file(path).close()
    finally:
        done.set()
        for looker in lookers:
            looker.join()


def test_two_who_look_for_a_worker_do_not_take_each_other_for_one(tmp_path: Path) -> None:
    path = tmp_path / "backout.db.worker"

    with path.open("a") as other:
        fcntl.flock(other, fcntl.LOCK_SH)
        seen = _is_locked(path)

    assert not seen


@pytest.mark.parametrize("path", ["/readyz", "/metrics"])
async def test_a_database_that_is_gone_is_a_short_problem_without_its_address(
    database_url: str, path: str
) -> None:
    async with a_house(nowhere(database_url), migrated=False) as house:
        answer = await get(house, path)

    assert answer.status_code == 503
    assert "the database cannot be reached: OperationalError" in answer.text
    assert len(answer.text) < 120
    assert "no-such-directory" not in answer.text
    assert "_gone" not in answer.text


@pytest.mark.parametrize("path", ["/readyz", "/metrics"])
async def test_a_database_that_never_answers_is_given_up_soon(path: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgresql://nobody@127.0.0.1:{silent.getsockname()[1]}/backout?connect_timeout=2"
        async with a_house(url, migrated=False) as house:
            answer = await get(house, path, within_seconds=0.1)
            # Whoever has knocked, or does so only now, is sent away: the house closes when all have ended.
            silent.close()

    assert answer.status_code == 503
    assert "the database does not answer in time" in answer.text


async def test_a_database_without_tables_says_what_to_run(database_url: str) -> None:
    async with a_house(database_url, migrated=False) as house:
        ready, metrics = await get(house, "/readyz"), await get(house, "/metrics")

    assert ready.status_code == 503
    assert ready.json()["problems"] == ["the database has no tables: run backout migrate"]
    assert metrics.status_code == 503


async def test_the_numbers_are_those_of_the_database(database_url: str) -> None:
    async with a_house(database_url) as house:
        await house.store.change(some_work)
        counted = await samples(house)

    assert counted['backout_rollbacks{state="verified"}'] == "2"
    assert counted['backout_rollbacks{state="requested"}'] == "1"
    assert counted['backout_incidents_open{target="canary"}'] == "1"
    assert counted["backout_messages_waiting"] == "1"
    assert counted["backout_workers_alive"] == "0"


async def test_what_there_is_none_of_is_zero_and_not_missing(database_url: str) -> None:
    async with a_house(database_url) as house:
        counted = await samples(house)

    assert {f'backout_rollbacks{{state="{state}"}}' for state in RollbackState} <= counted.keys()
    assert {f'backout_incidents_open{{target="{target}"}}' for target in ("canary", "chat")} <= counted.keys()
    assert set(counted.values()) == {"0"}


async def test_the_numbers_are_in_prometheus_text_format(database_url: str) -> None:
    async with a_house(database_url) as house:
        answer = await get(house, "/metrics")

    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert answer.text.endswith("\n")
    names = [line.split()[2] for line in answer.text.splitlines() if line.startswith("# TYPE ")]
    assert len(names) == len(set(names)) == 4
    assert all(line.endswith(" gauge") for line in answer.text.splitlines() if line.startswith("# TYPE "))


def test_a_label_is_escaped_so_that_it_cannot_write_a_line_of_its_own() -> None:
    gauge = Gauge(name="open", help="Open.", label="target", values={'a"b\\c\nd 9': 1})

    assert str(gauge).splitlines()[2:] == [r'open{target="a\"b\\c\nd 9"} 1']


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
async def test_health_is_read_and_never_written(path: str, tmp_path: Path) -> None:
    async with a_house(f"sqlite:///{tmp_path}/backout.db", migrated=False) as house:
        app = Starlette(routes=health_routes(house))
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://backout.example.com") as client:
            answer = await client.post(path, content=json.dumps({}))

    assert answer.status_code == 405
