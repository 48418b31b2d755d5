"""A deployment is watched by itself: what it sees and says, and that nothing is lost or doubled."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import psycopg
import pytest
from sqlalchemy import make_url

from bot.domain.alarm import AlarmKind
from bot.domain.alert import AlertState
from bot.domain.incident import Severity
from bot.domain.rollback import RollbackState
from bot.domain.timeline import Event
from bot.domain.watch import EndedWhy, WatchSource, WatchState
from bot.sandbox.cloud import Fault
from bot.slack.text import Words
from tests.journeys.incidents import board_of, opened, told
from tests.journeys.kept import kept, keys_posted
from tests.journeys.killed_bot import LEASE, NAME
from tests.journeys.rows import audited
from tests.journeys.watched import (
    CANARY,
    CHANNEL,
    DOWN_WITHIN,
    ERRORS_WITHIN,
    INCIDENTS,
    SERVICE,
    STABLE,
    WATCHED_LOAD,
    alert_shown,
    probed_well,
    said_below,
    shown,
    the_alerts,
    the_automatics,
    the_watch,
    thread_of,
    watch_shown,
    watching_playbook,
)
from tests.journeys.world import HURRIED_LOAD, Bot, World, action_ids, running_bot, texts, until

ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
WITH_SHORT_LEASE = ("-m", "tests.journeys.killed_bot")
#: Seconds. Shorter, and a bot that stands still for a moment is taken for a dead one.
SHORT = "5"
#: One after the other until somebody lets them.
ALWAYS = 10**6


@ON_SQLITE
async def test_a_canary_that_fails_is_seen_and_a_person_rolls_it_back(
    world: World, database_url: str, tmp_path: Path
) -> None:
    async with running_bot(world, database_url, playbook=watching_playbook(tmp_path)):
        begun = await watch_shown(world, having="Watching canary: canary at 10 %")
        world.cloud.load(SERVICE, WATCHED_LOAD)
        healthy = await watch_shown(world, having="large_green_circle")
        assert not shown(world, INCIDENTS, "alert:canary-1-1")
        world.cloud.set_fault(SERVICE, Fault.ERRORS, True)
        alert = await alert_shown(world, "canary-1-1", having="Recommended: roll back", within=ERRORS_WITHIN)
        world.bring_users("canary")
        board = await board_of(world, 1)
        opened_by_it = kept(database_url)
        await world.slack.click("U0GITCO", INCIDENTS, alert["ts"], "alert.roll_back")
        await told(world, "U0GITCO", "your account has no role that allows it", INCIDENTS)
        assert not kept(database_url).rollbacks
        await world.slack.click("U0SENA", INCIDENTS, alert["ts"], "alert.roll_back")
        settled = await alert_shown(world, "canary-1-1", having="<@U0SENA> asked for the rollback")
        await until(
            lambda: [r.state for r in kept(database_url).rollbacks] == [RollbackState.VERIFIED],
            what="a verified rollback",
        )
        afterwards = await watch_shown(world, having="rolled back, watching stable")
        thread = await said_below(world, afterwards, "is being rolled back: stable is watched for")
        left = kept(database_url)

    # One message, edited where it stands.
    assert begun["ts"] == healthy["ts"] == afterwards["ts"]
    assert len(shown(world, CHANNEL, "watch:canary:1")) == 1
    assert "began to watch" in thread
    assert CANARY in texts(begun)
    assert STABLE in texts(begun)
    assert "because nobody has armed it" in texts(alert) or "the playbook's mode for it is" in texts(alert)
    assert "stable" in texts(alert)
    assert "Recommended: roll back" in texts(alert)
    assert "alert.stop" not in action_ids(alert)
    assert "INC-1" in texts(alert)
    assert "alert.roll_back" not in action_ids(settled)
    (incident,) = left.incidents
    assert (incident.scenario, incident.severity) == ("error_rate", Severity.HIGH)
    assert "→" in (incident.seen or "")
    assert incident.deployed_at is not None
    (line,) = [e for e in opened_by_it.timeline if e.event is Event.INCIDENT_OPENED]
    assert line.actor == "backout"
    assert 9 <= line.facts["minutes"] <= 15
    assert line.facts["now"]["error_rate"] > 1
    assert "error rate" in texts(board)
    (rollback,) = left.rollbacks
    assert (rollback.asked_by, rollback.forced) == ("U0SENA", True)
    assert len(world.cloud.updates) == 1
    assert the_watch(database_url).state is WatchState.AFTERWARDS
    assert the_automatics(database_url).rolled_from == (CANARY,)
    assert "watch.roll_back" not in action_ids(afterwards)
    (found,) = the_alerts(database_url)
    assert (found.state, found.by) == (AlertState.ROLLED_BACK, "U0SENA")


@contextlib.asynccontextmanager
async def bots(world: World, url: str, playbook: Path) -> AsyncIterator[dict[str, Bot]]:
    """Run one bot on SQLite, and two on PostgreSQL, by name; a dead one's work is soon somebody else's."""
    names = ("one",) if url.startswith("sqlite") else ("one", "two")
    async with contextlib.AsyncExitStack() as stack:
        yield {
            name: await stack.enter_async_context(
                running_bot(
                    world,
                    url,
                    playbook=playbook,
                    command=WITH_SHORT_LEASE,
                    extra={LEASE: SHORT, NAME: name},
                )
            )
            for name in names
        }


def who_watches(url: str) -> str:
    """Return the name of the bot that has the watch's newest turn."""
    if url.startswith("sqlite"):
        return "one"
    where = make_url(url)
    with psycopg.connect(dbname=where.database, user="postgres", host=str(where.query["host"])) as connection:
        row = connection.execute(
            "SELECT executor_id FROM dbos.workflow_status WHERE workflow_uuid LIKE 'watch:%' "
            "ORDER BY workflow_uuid DESC LIMIT 1"
        ).fetchone()
    return str(row[0]).partition("-")[0] if row else ""


async def _die(running: dict[str, Bot], url: str) -> None:
    """Kill whoever watches; where nobody else could go on, let it start again."""
    name = await until(lambda: who_watches(url), what="somebody who watches")
    died = running[name]
    await died.kill()
    if len(running) == 1:
        await asyncio.sleep(2)
        await died.start()
    else:
        other = next(bot for bot in running.values() if bot is not died)
        other.world.slack.events_url = other.events_url


async def test_killed_in_the_middle_of_a_watch_it_counts_every_request_once_and_alerts_once(
    world: World, database_url: str, tmp_path: Path
) -> None:
    world.cloud.load(SERVICE, 0)
    async with bots(world, database_url, watching_playbook(tmp_path)) as running:
        await watch_shown(world)
        await until(lambda: the_watch(database_url).judge.until, what="a first bucket")
        world.cloud.set_fault(SERVICE, Fault.ERRORS, True)
        world.cloud.load(SERVICE, WATCHED_LOAD)
        await until(lambda: the_watch(database_url).judge.requests > 100, what="requests that were judged")
        await _die(running, database_url)
        read_until = the_watch(database_url).read_until
        await until(lambda: the_watch(database_url).read_until != read_until, what="somebody who goes on")
        await alert_shown(world, "canary-1-1", within=ERRORS_WITHIN)
        world.cloud.load(SERVICE, 0)
        counted = the_watch(database_url).judge.requests
        answered = await until(lambda: _all_judged(world, database_url), what="every request to be judged")
        # One more bucket, so that whatever is doubled would show.
        await asyncio.sleep(12)
        left, watch = kept(database_url), the_watch(database_url)

    assert counted > 100
    assert watch.judge.requests == answered
    assert watch.alerts == 1
    assert len(the_alerts(database_url)) == len(left.incidents) == 1
    assert len(shown(world, CHANNEL, "watch:canary:1")) == 1
    assert not shown(world, CHANNEL, "watch:canary:2")
    posted = keys_posted(world, CHANNEL, INCIDENTS)
    assert not {key: times for key, times in posted.items() if key and times > 1}


def _all_judged(world: World, url: str) -> int | None:
    """Return how many answers the canary gave its users once as many, or more, have been judged."""
    answered = sum(n for (revision, _), n in world.cloud.answers(SERVICE).items() if revision == CANARY)
    return answered if the_watch(url).judge.requests >= answered else None


@ON_SQLITE
async def test_sources_that_cannot_be_read_are_said_and_nothing_is_green_without_them(
    world: World, database_url: str, tmp_path: Path
) -> None:
    # A few users, so that there are samples of memory.
    world.cloud.load(SERVICE, 5)
    away = ("ListTimeSeries", "ListLogEntries", "TailLogEntries")
    for method in away:
        world.cloud.fail(method, grpc.StatusCode.UNAVAILABLE, times=ALWAYS)
    async with running_bot(world, database_url, playbook=watching_playbook(tmp_path)):
        watch = await watch_shown(world)
        await said_below(world, watch, "Request log: cannot be read")
        await said_below(world, watch, "Cloud Monitoring: cannot be read")
        lost = thread_of(world, watch)
        dark = await until(lambda: _dark(world), what="a watch that reads nothing")
        for method in away:
            world.cloud.fail(method, grpc.StatusCode.OK, times=0)
        await said_below(world, watch, "Request log: can be read again")
        await said_below(world, watch, "Cloud Monitoring: can be read again", within=180)
        light = await watch_shown(world, having="green · Memory, canary", within=180)

    assert lost.count("Request log: cannot be read") == lost.count("Cloud Monitoring: cannot be read") == 1
    assert "UNAVAILABLE" in lost.upper() or "unavailable" in lost
    assert "large_green_circle" not in texts(dark)
    assert "could not be read" not in texts(light)
    assert the_alerts(database_url) == []
    assert kept(database_url).incidents == ()
    sources = the_watch(database_url).sources
    assert sources[WatchSource.REQUEST_LOG].problem is sources[WatchSource.MONITORING].problem is None


def _dark(world: World) -> dict[str, Any] | None:
    """Return the watch's message once it says of both sources that they could not be read."""
    (watch,) = shown(world, CHANNEL, "watch:canary:1")
    sources = ("Request log", "Cloud Monitoring")
    return watch if all(f"{source}: could not be read" in texts(watch) for source in sources) else None


@ON_SQLITE
async def test_a_slow_canary_is_diagnosed_as_far_as_numbers_can(
    world: World, database_url: str, tmp_path: Path
) -> None:
    playbook = watching_playbook(tmp_path, red_p95_ms=600)
    async with running_bot(world, database_url, playbook=playbook):
        await watch_shown(world)
        world.cloud.load(SERVICE, HURRIED_LOAD)
        world.cloud.set_fault(SERVICE, Fault.SLOW, True)
        alert = await alert_shown(world, "canary-1-1", having="Recommended: roll back", within=ERRORS_WITHIN)
        await until(lambda: len(kept(database_url).lines(Event.QUESTION_ANSWERED)) == 2, what="two answers")
        left = kept(database_url)

    assert "slower than 600 ms" in texts(alert) or "P95 response time" in texts(alert)
    assert left.incidents[0].scenario == "response_time"
    endpoints, resources = left.lines(Event.QUESTION_ANSWERED)
    assert endpoints.actor == resources.actor == "backout"
    assert endpoints.facts["found"]["finds"] == "all_endpoints_slow"
    assert resources.facts["found"]["finds"] == "resources_normal"
    given = {one.question: (one.answer, one.by) for one in left.incidents[0].answers}
    assert given == {"all_endpoints": ("yes", "backout"), "resources_normal": ("yes", "backout")}
    assert left.rollbacks == ()


@ON_SQLITE
async def test_people_hold_the_automatics_and_say_that_it_is_not_the_canary(
    world: World, database_url: str, tmp_path: Path
) -> None:
    # Without users there is but the one alarm, of the probe.
    world.cloud.load(SERVICE, 0)
    async with running_bot(world, database_url, playbook=watching_playbook(tmp_path)):
        await watch_shown(world)
        await probed_well(database_url)
        world.cloud.set_fault(SERVICE, Fault.DOWN, True)
        alert = await alert_shown(world, "canary-1-1", having="nobody has armed it", within=DOWN_WITHIN)
        await world.slack.click("U0GITCO", INCIDENTS, alert["ts"], "alert.hold")
        await told(world, "U0GITCO", "wait until", INCIDENTS)
        held = the_automatics(database_url)
        await world.slack.click("U0LUBIT", INCIDENTS, alert["ts"], "alert.not_the_canary")
        asked = await opened(world, "U0LUBIT", callback="alert.not_the_canary")
        silent = await world.slack.submit("U0LUBIT", asked["id"], {})
        await world.slack.submit("U0LUBIT", asked["id"], {"alert.why": "the probe's own network <!here>"})
        settled = await alert_shown(world, "canary-1-1", having="<@U0LUBIT> says that it is not the canary")
        world.cloud.set_fault(SERVICE, Fault.DOWN, False)
        world.bring_users("canary")
        await until(lambda: not the_watch(database_url).judge.said, what="the alarm's end")
        world.cloud.load(SERVICE, 0)
        # Whoever is cut off would be an alarm of its own.
        await until(lambda: world.cloud.is_quiet, what="the last answer")
        world.cloud.set_fault(SERVICE, Fault.DOWN, True)
        await until(
            lambda: AlarmKind.SERVICE_DOWN in the_watch(database_url).judge.said,
            what="the same alarm",
            within=DOWN_WITHIN,
        )
        await until(lambda: kept(database_url).unsent == 0, what="the last message")

    assert held.held_by == "U0GITCO"
    assert held.held_until is not None
    assert not held.armed
    assert "errors" in (silent.body or {})
    assert "the probe's own network" in texts(settled)
    assert "<!here>" not in texts(settled)
    assert action_ids(settled) == []
    (found,) = the_alerts(database_url)
    assert (found.state, found.by) == (AlertState.NOT_THE_CANARY, "U0LUBIT")
    assert the_automatics(database_url).refused == (CANARY,)
    assert kept(database_url).rollbacks == ()
    assert world.cloud.updates == []


@ON_SQLITE
async def test_people_watch_and_arm_by_command_in_their_language(
    world: World, database_url: str, tmp_path: Path
) -> None:
    async with running_bot(world, database_url, playbook=watching_playbook(tmp_path)):
        first = await watch_shown(world)
        await world.slack.slash("U0LUBIT", CHANNEL, "/canary watch canary")
        await told(world, "U0LUBIT", "*canary* is watched already")
        await world.slack.slash("U0LEMUN", CHANNEL, "/canary unwatch canary")
        await told(world, "U0LEMUN", "관찰을 끝냈습니다")
        ended = await watch_shown(world, having="<@U0LEMUN> stopped it")
        over = the_watch(database_url)
        await world.slack.slash("U0LUBIT", CHANNEL, "/canary unwatch canary")
        await told(world, "U0LUBIT", "Nothing of *canary* is being watched")
        await world.slack.slash("U0LUBIT", CHANNEL, "/canary watch canary")
        await told(world, "U0LUBIT", "*canary* is watched now")
        second = await watch_shown(world, number=2, having="begun by <@U0LUBIT>")

        await world.slack.slash("U0LEMUN", CHANNEL, "/canary auto canary")
        refused = await told(world, "U0LEMUN", Words(locale="ko").say("has no role that allows it"))
        await world.slack.slash("U0SENA", CHANNEL, "/canary auto canary")
        asked = await world.seen(CHANNEL, having="automatics.arm")
        await world.slack.click("U0SENA", CHANNEL, asked["ts"], "automatics.arm")
        await told(world, "U0SENA", "자동 롤백: *켜짐*")
        armed = the_automatics(database_url)
        await world.slack.slash("U0GITCO", CHANNEL, "/canary disarm canary")
        await until(lambda: not the_automatics(database_url).armed, what="disarmed")
        off = await watch_shown(world, number=2, having="<@U0GITCO> switched it off")

    assert (over.ended_by, over.ended_why) == ("U0LEMUN", EndedWhy.BY_A_PERSON)
    assert ended["ts"] == first["ts"] != second["ts"]
    assert action_ids(ended) == []
    assert the_watch(database_url).started_by == "U0LUBIT"
    assert "automatics.arm" not in refused
    assert "지난 기록 시험" in texts(asked)
    assert (armed.armed, armed.by) == (True, "U0SENA")
    assert (the_automatics(database_url).by, the_automatics(database_url).off_why) == ("U0GITCO", "person")
    assert "Automatic rollback: *off*" in texts(off)
    assert [(event, actor) for event, actor, _ in audited(database_url)] == [
        ("act_refused", "U0LEMUN"),
        ("automatics_armed", "U0SENA"),
        ("automatics_off", "U0GITCO"),
    ]
