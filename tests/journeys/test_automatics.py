"""The bot rolls back by itself: only where a person has armed it, never against one, and once."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.domain.alert import AlertState
from bot.domain.automatics import Automatics, NotByItself
from bot.domain.incident import Severity
from bot.domain.paging import Page
from bot.domain.rollback import RollbackState
from bot.domain.timeline import Event
from bot.domain.watch import WatchState
from bot.sandbox.cloud import Fault
from tests.journeys.incidents import board_of, log_of, told
from tests.journeys.kept import kept, keys_posted
from tests.journeys.rows import audited
from tests.journeys.stored import stored
from tests.journeys.watched import (
    CANARY,
    CHANNEL,
    DOWN_WITHIN,
    INCIDENTS,
    SERVICE,
    STABLE,
    alert_shown,
    probed_well,
    said_below,
    shown,
    the_alerts,
    the_automatics,
    the_watch,
    watch_shown,
    watching_playbook,
)
from tests.journeys.world import World, action_ids, running_bot, texts, until

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


async def arm(world: World, url: str) -> dict[str, Any]:
    """Arm the target as Lubit does it: look at the back-test first, then press the button."""
    await world.slack.slash("U0LUBIT", CHANNEL, "/canary auto canary")
    asked = await world.seen(CHANNEL, having="automatics.arm", user="U0LUBIT")
    assert not any(automatics.armed for automatics in stored(url, Automatics)), "asking alone has armed it"
    await world.slack.click("U0LUBIT", CHANNEL, asked["ts"], "automatics.arm")
    await told(world, "U0LUBIT", "Automatic rollback: *armed* by <@U0LUBIT>")
    return asked


async def test_a_person_who_presses_stop_in_time_keeps_the_bot_from_rolling_back(
    world: World, database_url: str, tmp_path: Path
) -> None:
    playbook = watching_playbook(tmp_path)
    # Without users there is but the one alarm, of the probe.
    world.cloud.load(SERVICE, 0)
    async with running_bot(world, database_url, playbook=playbook):
        await watch_shown(world, having="Automatic rollback: *off*")
        asked = await arm(world, database_url)
        await watch_shown(world, having="Automatic rollback: *armed* by <@U0LUBIT>")
        await probed_well(database_url)
        world.cloud.set_fault(SERVICE, Fault.DOWN, True)
        alert = await alert_shown(world, "canary-1-1", having="rolls back by itself", within=DOWN_WITHIN)
        fires_at = the_alerts(database_url)[0].fires_at
        await world.slack.click("U0GITCO", INCIDENTS, alert["ts"], "alert.stop")
        stopped = await alert_shown(world, "canary-1-1", having="<@U0GITCO> stopped the automatic rollback")
        off = await watch_shown(world, having="<@U0GITCO> stopped an automatic rollback")
        line = await said_below(world, off, "<@U0GITCO> stopped the automatic rollback")
        # Beyond the time at which it would have acted.
        now = datetime.now(UTC)
        await asyncio.sleep(max(((fires_at or now) - now).total_seconds(), 0) + 3)
        left = kept(database_url)

    assert "*Back-test*: it would have fired" in texts(asked)
    assert asked["ephemeral_for"] == "U0LUBIT"
    assert fires_at is not None
    assert "alert.stop" in action_ids(alert)
    assert "does not answer" in texts(alert)
    assert "alert.stop" not in action_ids(stopped)
    # Who wanted to look first may still roll back.
    assert action_ids(stopped) == ["alert.roll_back"]
    assert "Automatic rollback: *off*" in texts(off)
    assert "announced that it rolls back" in line
    assert left.rollbacks == ()
    assert world.cloud.updates == []
    assert not left.lines(Event.AUTOMATIC_FIRED)
    assert len(left.lines(Event.AUTOMATIC_STOPPED)) == 1
    (found,) = the_alerts(database_url)
    assert (found.state, found.by) == (AlertState.STOPPED, "U0GITCO")
    automatics = the_automatics(database_url)
    assert (automatics.armed, automatics.by, automatics.refused) == (False, "U0GITCO", (CANARY,))
    events = [(event, actor) for event, actor, _ in audited(database_url)]
    assert ("automatics_armed", "U0LUBIT") in events
    assert ("automatics_off", "U0GITCO") in events
    assert the_watch(database_url).state is WatchState.WATCHING


async def test_when_nobody_stops_it_the_bot_rolls_back_once_and_then_only_recommends(
    world: World, database_url: str, tmp_path: Path
) -> None:
    async with running_bot(world, database_url, playbook=watching_playbook(tmp_path)):
        await watch_shown(world)
        await arm(world, database_url)
        await probed_well(database_url)
        world.cloud.set_fault(SERVICE, Fault.DOWN, True)
        counting = await alert_shown(world, "canary-1-1", having="rolls back by itself", within=DOWN_WITHIN)
        await alert_shown(world, "canary-1-1", having="asked for the rollback by itself")
        await until(
            lambda: [r.state for r in kept(database_url).rollbacks] == [RollbackState.VERIFIED],
            what="a verified rollback",
        )
        board = await board_of(world, 1, having="INC-1")
        pages = await until(lambda: stored(database_url, Page), what="a call to the deployment lead")
        afterwards = await watch_shown(world, having="rolled back, watching stable")
        automatics = the_automatics(database_url)

        newcomer = await world.cloud.deploy(SERVICE, percent=10)
        await watch_shown(world, number=2, having=newcomer)
        world.cloud.set_fault(SERVICE, Fault.DOWN, True)
        again = await alert_shown(world, "canary-2-1", having="nobody has armed it", within=180)
        world.send_users_home()
        # As long as the rule lets people stop it, and some more.
        await asyncio.sleep(22)
        left = kept(database_url)

    assert "alert.stop" in action_ids(counting)
    assert f"100 % of the traffic goes to {STABLE}" in str(counting["blocks"])
    assert "Nobody stopped it" in log_of(world, board)
    (rollback,) = left.rollbacks
    assert (rollback.asked_by, rollback.forced) == ("backout", True)
    assert rollback.plan is not None
    assert (rollback.plan.canary, rollback.plan.stable) == (CANARY, STABLE)
    # One write is the bot's, the other the newcomer's deployment is not made through this API.
    assert len(world.cloud.updates) == 1
    first, second = the_alerts(database_url)
    assert (first.state, first.by, first.rollback) == (AlertState.ROLLED_BACK, "backout", rollback.id)
    assert [page.contact for page in pages] == ["deployment_lead"]
    assert "watch.roll_back" not in action_ids(afterwards)
    assert (automatics.armed, automatics.off_why) == (False, "fired")
    assert (automatics.rolled_to, automatics.rolled_from) == ((STABLE,), (CANARY,))
    assert (second.state, second.not_by_itself) == (AlertState.OPEN, NotByItself.NOT_ARMED)
    assert "alert.stop" not in action_ids(again)
    assert "alert.roll_back" in action_ids(again)
    assert left.incidents[0].severity is Severity.CRITICAL
    assert len(shown(world, CHANNEL, "watch:canary:1")) == 1
    twice = {key: n for key, n in keys_posted(world, CHANNEL, INCIDENTS).items() if key and n > 1}
    assert not twice
    assert newcomer != CANARY
