"""Less traffic or more resources for the canary: pressed, asked, confirmed, seen; on both topologies."""

import asyncio
from typing import Any

import pytest
from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy import select

from bot.adapters.cloud_run import CloudRun
from bot.adapters.database.engine import Database
from bot.adapters.database.engine import database_url as parsed
from bot.adapters.database.store import SqlStore
from bot.adapters.database.tables import ChangeRow
from bot.adapters.playbook_file import read_playbook
from bot.domain.ids import IncidentNumber, TargetName
from bot.domain.incident import IncidentState
from bot.domain.traffic import TargetState
from bot.sandbox.names import API_CANARY, API_STABLE, BOT_TOKEN
from bot.slack.ids import ActionId
from bot.slack.views.parts import actions, button
from tests.journeys.rows import audited, session
from tests.journeys.world import (
    PATIENCE_SECONDS,
    PLAYBOOK,
    World,
    action_ids,
    running_bot,
    texts,
    until,
)
from tests.values import an_incident

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

CHANNEL = "C0CRITICAL"


async def open_incident(world: World, database_url: str, *, target: str = "canary", **more: Any) -> str:
    """Open an incident and post a message that carries its buttons; return the message's ts."""
    database = Database(parsed(database_url))
    try:
        store = SqlStore(database, lambda *_: None)
        draft = an_incident(number=IncidentNumber(0), target=TargetName(target), **more)
        incident = await store.change(lambda tx: tx.add_incident(draft))
    finally:
        database.close()
    number = str(incident.number)
    controls = actions(
        button("Reduce the traffic", action=ActionId.REDUCE_TRAFFIC, value=number),
        button("Add resources", action=ActionId.ADD_RESOURCES, value=number),
    )
    client = AsyncWebClient(token=BOT_TOKEN, base_url=world.slack.api_url)
    posted = await client.chat_postMessage(channel=CHANNEL, text="What to do?", blocks=[controls])
    return str(posted["ts"])


async def fill_in(
    world: World, ts: str, action: ActionId, values: dict[str, Any], user: str = "U0SENA"
) -> Any:
    """Press a button of the incident, fill the modal in, and return Slack's answer to the submission."""
    await world.slack.click(user, CHANNEL, ts, action)
    view = world.slack.views(user)[-1]
    return await world.slack.submit(user, view["id"], values)


async def confirmed(world: World, *, ends: str, user: str = "U0SENA") -> dict[str, Any]:
    """Press *Do it* on the newest card and wait until it says `ends`."""
    card = await world.seen(CHANNEL, having="change.go")
    await world.slack.click(user, CHANNEL, card["ts"], "change.go")
    ended = await world.seen(CHANNEL, having=ends)
    assert ended["ts"] == card["ts"]
    return ended


async def look(world: World, target: str = "canary") -> TargetState:
    """Read a target as the bot does."""
    google = CloudRun(f"http://{world.cloud.grpc_address}", "")
    try:
        return await google.look(read_playbook(PLAYBOOK).targets[target])
    finally:
        await google.close()


def changes(database_url: str) -> list[ChangeRow]:
    """Return every change, oldest first."""
    with session(database_url) as opened:
        return list(opened.scalars(select(ChangeRow).order_by(ChangeRow.asked_at)))


def observed(state: TargetState) -> dict[str, int]:
    """Return who is seen to serve how much, percent."""
    return {str(line.revision): line.percent for line in state.switch.observed if line.percent}


async def test_the_canarys_traffic_is_reduced_from_the_press_to_the_proof(
    world: World, database_url: str
) -> None:
    async with running_bot(world, database_url):
        ts = await open_incident(world, database_url)
        await fill_in(world, ts, ActionId.REDUCE_TRAFFIC, {"change.percent": "3"})
        card = await world.seen(CHANNEL, having="change.go")
        nothing_yet = list(world.cloud.updates)
        ended = await confirmed(world, ends="The canary's traffic on canary is reduced")
        state = await look(world)

    assert nothing_yet == []
    assert "<@U0SENA> asks to reduce the canary's traffic" in texts(card)
    assert "10 % → 3 %" in texts(card)
    assert not action_ids(ended)
    assert observed(state) == {API_STABLE: 97, API_CANARY: 3}
    assert [line.tag for line in state.switch.wanted if line.tag] == ["canary"]
    [update] = world.cloud.updates
    assert list(update.update_mask.paths) == ["traffic"]
    [row] = changes(database_url)
    assert (row.state, row.writes, row.decided_by) == ("done", 1, "U0SENA")


async def test_the_router_is_told_the_new_share_and_users_feel_it(world: World, database_url: str) -> None:
    async with running_bot(world, database_url):
        ts = await open_incident(world, database_url, target="chat")
        await fill_in(world, ts, ActionId.REDUCE_TRAFFIC, {"change.percent": "2"})
        await confirmed(world, ends="The canary's traffic on chat is reduced")
        state = await look(world, "chat")

    assert state.switch.environment["CANARY_TRAFFIC_PERCENTAGE"] == "2"
    assert state.switch.environment["PHASE4_ENABLED"] == "true"
    assert len(world.cloud.updates) == 1


async def test_more_memory_and_cpu_come_with_a_new_revision_that_takes_over_the_canarys_share(
    world: World, database_url: str
) -> None:
    async with running_bot(world, database_url):
        ts = await open_incident(world, database_url)
        wanted = {"change.memory": "2048", "change.cpu": "2000", "change.max_instances": "20"}
        await fill_in(world, ts, ActionId.ADD_RESOURCES, wanted)
        card = await world.seen(CHANNEL, having="change.go")
        await confirmed(world, ends="The canary of canary has more resources")
        state = await look(world)

    assert "memory 512 MiB → 2 GiB, CPU 1 CPU → 2 CPU, max instances 5 → 20" in texts(card)
    first, second = world.cloud.updates
    assert set(first.update_mask.paths) == {"template.containers", "template.scaling", "template.revision"}
    assert list(second.update_mask.paths) == ["traffic"]
    new = state.switch.latest_created
    assert observed(state) == {API_STABLE: 90, str(new): 10}
    assert (state.switch.resources.memory_mib, state.switch.resources.cpu_milli) == (2048, 2000)
    assert state.switch.resources.max_instances == 20


async def test_a_canary_service_of_its_own_follows_its_newest_revision(
    world: World, database_url: str
) -> None:
    async with running_bot(world, database_url):
        ts = await open_incident(world, database_url, target="chat")
        await fill_in(world, ts, ActionId.ADD_RESOURCES, {"change.memory": "1024"})
        await confirmed(world, ends="The canary of chat has more resources")
        state = await look(world, "chat")

    [update] = world.cloud.updates
    assert update.service.name.endswith("/ion-chat-canary")
    assert set(update.update_mask.paths) == {"template.containers", "template.revision"}
    assert state.canary is not None
    assert state.canary.resources.memory_mib == 1024
    assert state.canary.resources.max_instances == 5


async def test_what_cannot_be_asked_is_said_in_the_modal_and_what_cannot_be_done_on_the_card(
    world: World, database_url: str
) -> None:
    async with running_bot(world, database_url):
        ts = await open_incident(world, database_url)
        none = await fill_in(world, ts, ActionId.REDUCE_TRAFFIC, {"change.percent": "0"})
        await world.slack.close_view("U0SENA", world.slack.views("U0SENA")[-1]["id"])
        empty = await fill_in(world, ts, ActionId.ADD_RESOURCES, {})
        await world.slack.close_view("U0SENA", world.slack.views("U0SENA")[-1]["id"])
        await fill_in(world, ts, ActionId.REDUCE_TRAFFIC, {"change.percent": "40"})
        raised = await world.seen(CHANNEL, having="The canary's traffic on canary stays")
        await fill_in(world, ts, ActionId.ADD_RESOURCES, {"change.memory": "8192"})
        too_big = await world.seen(CHANNEL, having="The canary's resources on canary stay")

    assert "/rollback canary" in none.body["errors"]["change.percent"]
    assert "Choose at least one" in empty.body["errors"]["change.memory"]
    assert "write a number from 1 to 9" in texts(raised)
    assert "8 GiB of memory need 2 CPU at least" in texts(too_big)
    assert world.cloud.updates == []
    assert [row.state for row in changes(database_url)] == ["refused", "refused"]


async def test_who_has_no_role_is_refused_and_a_closed_incident_answers_kindly(
    world: World, database_url: str
) -> None:
    async with running_bot(world, database_url):
        ts = await open_incident(world, database_url)
        await fill_in(world, ts, ActionId.REDUCE_TRAFFIC, {"change.percent": "3"}, user="U0GITCO")
        refusal = await world.seen(CHANNEL, having="Nothing was done", user="U0GITCO")
        closed = await open_incident(world, database_url, target="chat", state=IncidentState.CLOSED)
        await world.slack.click("U0SENA", CHANNEL, closed, ActionId.REDUCE_TRAFFIC)
        kindly = await world.seen(CHANNEL, having="INC-2", user="U0SENA")

    assert refusal["ephemeral_for"] == "U0GITCO"
    assert audited(database_url) == [("change_refused", "U0GITCO", "no_role")]
    assert kindly["ephemeral_for"] == "U0SENA"
    assert world.slack.views("U0SENA") == []
    assert world.cloud.updates == []


async def test_cancel_changes_nothing(world: World, database_url: str) -> None:
    async with running_bot(world, database_url):
        ts = await open_incident(world, database_url)
        await fill_in(world, ts, ActionId.REDUCE_TRAFFIC, {"change.percent": "3"})
        card = await world.seen(CHANNEL, having="change.go")
        await world.slack.click("U0LUBIT", CHANNEL, card["ts"], "change.cancel")
        withdrawn = await world.seen(CHANNEL, having="was withdrawn by <@U0LUBIT>. Nothing was changed.")

    assert withdrawn["ts"] == card["ts"]
    assert not action_ids(withdrawn)
    assert world.cloud.updates == []


async def test_two_people_who_press_at_once_start_it_once(world: World, database_url: str) -> None:
    async with running_bot(world, database_url):
        ts = await open_incident(world, database_url)
        await fill_in(world, ts, ActionId.REDUCE_TRAFFIC, {"change.percent": "3"})
        card = await world.seen(CHANNEL, having="change.go")
        await asyncio.gather(
            *(world.slack.click(user, CHANNEL, card["ts"], "change.go") for user in ("U0SENA", "U0LUBIT"))
        )
        await world.seen(CHANNEL, having="The canary's traffic on canary is reduced")
        winner = changes(database_url)[0].decided_by
        late = "U0LUBIT" if winner == "U0SENA" else "U0SENA"
        told = await world.seen(CHANNEL, having="That question is settled", user=late)

    assert told["ephemeral_for"] == late
    assert len(world.cloud.updates) == 1


async def test_a_rollback_goes_first_and_the_change_stops(world: World, database_url: str) -> None:
    world.cloud.behaviour.settle_seconds = 2.0

    async with running_bot(world, database_url):
        ts = await open_incident(world, database_url)
        await fill_in(world, ts, ActionId.ADD_RESOURCES, {"change.memory": "1024"})
        card = await world.seen(CHANNEL, having="change.go")
        await world.slack.click("U0SENA", CHANNEL, card["ts"], "change.go")
        await until(lambda: world.cloud.updates, what="the first write of the change")
        await world.slack.slash("U0LUBIT", "C0OPERATIONS", "/rollback canary force now")
        stopped = await world.seen(CHANNEL, having="canary: overtaken by a rollback")
        await world.seen("C0OPERATIONS", having="rolled back and verified")
        state = await look(world)

    assert "A rollback by <@U0LUBIT> goes first" in texts(stopped)
    assert observed(state) == {API_STABLE: 100}
    assert changes(database_url)[0].state == "overtaken_by_a_rollback"


@pytest.mark.parametrize("moment", ["before", "after"])
async def test_killed_at_its_write_it_goes_on_and_writes_once(
    world: World, database_url: str, moment: str
) -> None:
    reached = asyncio.Event()
    gate = asyncio.Event()

    async def hold(method: str, when: str) -> None:
        if method == "UpdateService" and when == moment and not reached.is_set():
            reached.set()
            await gate.wait()

    async with running_bot(world, database_url) as bot:
        ts = await open_incident(world, database_url)
        await fill_in(world, ts, ActionId.REDUCE_TRAFFIC, {"change.percent": "3"})
        card = await world.seen(CHANNEL, having="change.go")
        world.cloud.hook = hold
        await world.slack.click("U0SENA", CHANNEL, card["ts"], "change.go")
        await asyncio.wait_for(reached.wait(), PATIENCE_SECONDS)
        await bot.kill()
        gate.set()
        world.cloud.hook = None
        await bot.start()
        await world.seen(CHANNEL, having="The canary's traffic on canary is reduced")
        state = await look(world)

    assert observed(state) == {API_STABLE: 97, API_CANARY: 3}
    assert changes(database_url)[0].state == "done"
    assert len(world.cloud.updates) <= 2
