"""A real fault of each scenario, and a record whose every figure is what the service itself counted."""

import asyncio
import hashlib
import json
import zipfile
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from bot.domain.exhibit import Exhibit, ExhibitKind, Moment
from bot.domain.readings import Metric, Reading, Side, Source
from bot.domain.snapshot import Snapshot
from bot.sandbox.cloud import Fault
from tests.journeys.kept import kept
from tests.journeys.stored import stored
from tests.journeys.world import HURRIED_LOAD, Bot, World, backout, running_bot, until

#: The guide's five, by what is done to the canary; lost data is reported by people and breaks nothing.
SCENARIOS = {
    "error rate": Fault.ERRORS,
    "response time": Fault.SLOW,
    "memory": Fault.LEAK,
    "data loss": None,
    "down": Fault.DOWN,
}
#: So many requests that one in twenty can be told.
ENOUGH = 80


@pytest_asyncio.fixture(loop_scope="session")
async def bot(world: World, tmp_path: Path) -> AsyncIterator[Bot]:
    """A bot on SQLite."""
    async with running_bot(world, f"sqlite:///{tmp_path / 'backout.db'}") as running:
        yield running


async def fail(world: World, fault: Fault | None) -> None:
    """Let the canary fail in one way until enough users have met it, and then nobody asks anything more."""
    world.cloud.behaviour.leak_per_minute = 60.0
    # Half of them are soon enough.
    await world.cloud.move("ion-api", 50)
    world.cloud.load("ion-api", HURRIED_LOAD)
    beginning = datetime.now(UTC)
    if fault is not None:
        world.cloud.set_fault("ion-api", fault, True)

    def has_failed() -> bool:
        seen = world.cloud.truth("ion-api", since=beginning)
        return seen.requests >= ENOUGH and (seen.kills > 0 or fault is not Fault.LEAK)

    await until(has_failed, what=f"users of {fault}")
    # What is counted while it goes on depends on when: so nothing does.
    world.cloud.load("ion-api", 0)
    world.cloud.set_fault("ion-api", Fault.LEAK, False)
    await until(lambda: world.cloud.is_quiet, what="the last answer")
    # The bot reads up to a second ago; until then everything stands in the log.
    await asyncio.sleep(1 + 4 * world.cloud.behaviour.log_lag_seconds)


async def rolled_back(bot: Bot, world: World, reason: str) -> None:
    """Roll back; once what was before is read, users come again, so that it can be proven."""
    await world.slack.slash("U0SENA", "C0OPERATIONS", f"/rollback canary force {reason}")
    await until(lambda: kept(bot.database_url).rollbacks[0].before, what="the numbers")
    await until(lambda: stored(bot.database_url, Snapshot, moment=Moment.DECISION), what="the evidence")
    world.bring_users("canary")


async def record_of(bot: Bot) -> dict[str, Any]:
    """Return the record as the command line renders it, once evidence was taken twice."""
    await until(lambda: len(stored(bot.database_url, Snapshot)) >= 2, what="evidence, twice")
    ran = await backout(bot.environment(), "record", "show", "INC-1", "--format", "json")
    assert ran.code == 0, ran.complained
    record: dict[str, Any] = json.loads(ran.said)["record"]
    return record


def reading(readings: tuple[Reading, ...], metric: Metric) -> Reading:
    """Return the canary's reading of a metric out of the request log."""
    (found,) = [
        r for r in readings if (r.metric, r.side, r.source) == (metric, Side.CANARY, Source.REQUEST_LOG)
    ]
    return found


@pytest.mark.parametrize("scenario", SCENARIOS)
async def test_the_record_says_what_the_service_counted(bot: Bot, world: World, scenario: str) -> None:
    await fail(world, SCENARIOS[scenario])

    await rolled_back(bot, world, scenario)
    record = await record_of(bot)

    (rollback,) = kept(bot.database_url).rollbacks
    assert rollback.plan is not None
    canary = rollback.plan.canary
    symptoms = {symptom["metric"]: symptom for symptom in record["symptoms"]}

    rate = reading(rollback.before, Metric.ERROR_RATE)
    counted = world.cloud.truth("ion-api", canary, since=rate.since, until=rate.until)
    assert counted.requests >= ENOUGH
    assert (rate.sample, rate.errors) == (counted.requests, counted.errors)
    assert rate.errors is not None
    assert rate.value == pytest.approx(100 * rate.errors / rate.sample)
    assert symptoms["error_rate"]["peak"]["value"] == pytest.approx(rate.value)
    assert (rate.errors > 0) == (scenario in ("error rate", "down")) or scenario == "memory"
    assert symptoms["error_rate"]["after"]["value"] == 0
    assert symptoms["error_rate"]["after"]["side"] == "stable"

    slow = reading(rollback.before, Metric.P95)
    answered = world.cloud.truth("ion-api", canary, since=slow.since, until=slow.until).percentile_ms(95)
    assert answered is not None
    assert slow.value == pytest.approx(answered, rel=0.3)
    worst = symptoms["p95"]["peak"]["value"]
    assert worst >= (slow.value or 0)
    # The worst minute may be another one than the reading's. A healthy canary takes 180 ms at the most: where
    # the machine stood still meanwhile, the service was slow as well.
    slowest = world.cloud.truth("ion-api", canary, since=datetime.min.replace(tzinfo=UTC)).percentile_ms(100)
    assert slowest is not None
    assert worst > 500 if scenario == "response time" else worst <= 500 or slowest > 350

    (decision,) = stored(bot.database_url, Snapshot, moment=Moment.DECISION)
    about = decision.reading
    whole = world.cloud.truth("ion-api", canary, since=about.since, until=about.until)
    assert decision.reading.clients is not None
    assert record["clients"] == {
        "seen": decision.reading.clients.seen,
        "failed": decision.reading.clients.failed,
        "truncated": False,
    }
    assert (record["clients"]["seen"], record["clients"]["failed"]) == (whole.clients, whole.failing_clients)
    if scenario == "memory":
        (ending,) = decision.reading.endings or ()
        assert ending.count == whole.kills > 0

    assert rollback.requested_at is not None
    assert rollback.settled_at is not None
    assert rollback.ended_at is not None
    times = record["times"]
    assert seconds(times["roll_back"]) == (rollback.settled_at - rollback.requested_at).total_seconds()
    assert seconds(times["verify"]) == (rollback.ended_at - rollback.settled_at).total_seconds()
    assert record["outcome"] == rollback.state == "verified"


def seconds(written: str) -> float:
    """Return the length of an ISO 8601 duration of minutes and seconds."""
    minutes, _, rest = written.removeprefix("PT").rpartition("M")
    return 60 * float(minutes or 0) + float(rest.removesuffix("S") or 0)


async def test_what_is_listed_as_evidence_is_what_is_kept_and_can_be_taken_along(
    bot: Bot, world: World, tmp_path: Path
) -> None:
    await fail(world, Fault.ERRORS)
    await rolled_back(bot, world, "errors")
    record = await record_of(bot)

    files = [e for e in stored(bot.database_url, Exhibit) if e.kind is not ExhibitKind.RECORD]
    checked = await backout(bot.environment(), "record", "verify", "INC-1", "--head", record["head"])

    assert {(e["name"], e["sha256"]) for e in record["exhibits"]} == {(e.name, e.sha256) for e in files}
    assert checked.code == 0, checked.said

    archive = tmp_path / "INC-1.zip"
    packed = await backout(bot.environment(), "record", "archive", "INC-1", "--out", str(archive))
    assert packed.code == 0, packed.complained
    with zipfile.ZipFile(archive) as opened:
        inside = {name.rpartition("/")[2]: opened.read(name) for name in opened.namelist()}
    assert {hashlib.sha256(inside[e.name]).hexdigest() for e in files} == {e.sha256 for e in files}

    over = await backout(
        {**bot.environment(), "BACKOUT_EVIDENCE_DAYS": "1"}, "evidence", "retire", "--dry-run"
    )
    assert over.code == 0
    assert over.said.startswith("0 files")
