"""Socket Mode as Slack keeps it, tried by Slack's own client and Bolt's handler."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import httpx
import pytest
from aiohttp import ClientSession, ClientWebSocketResponse, WSMsgType, WSServerHandshakeError
from slack_bolt.adapter.socket_mode import aiohttp as aiohttp_handler
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox import names
from bot.sandbox.slack import SandboxSlack
from bot.sandbox.slack.deliveries import FIRST, Attempt, Delivery
from bot.sandbox.slack.socket_mode import MOST_SOCKETS, NotConnected
from tests.integration.sandbox.slack_workspace import (
    CRITICAL,
    PATIENCE_SECONDS,
    Clock,
    Receiver,
    a_manifest,
    at_once,
    client_of,
    modal,
    running_bot,
    running_slack,
)

Json = dict[str, Any]
#: Between two signs of life of Slack's client. It gives a socket up that owes it an answer for half of that,
#: on a busy machine too.
PING_SECONDS = 3600.0
#: How soon it looks whether its socket is still there, where that is tried.
LOOK_SECONDS = 3.0


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def slack(clock: Clock) -> AsyncIterator[SandboxSlack]:
    async with running_slack(clock=clock) as served:
        await served.socket_mode.switch(on=True)
        yield served


@pytest.fixture
async def http() -> AsyncIterator[ClientSession]:
    async with ClientSession() as session:
        yield session


async def until(slack: SandboxSlack, *, connections: int) -> None:
    """Wait until so many sockets are open."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        # Nobody is told when an app's socket comes or goes.
        while slack.socket_mode.connections != connections:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


class Client(SocketModeClient):
    """Slack's own client, which can be kept from coming back and says what it is about.

    `heeded` counts the messages that told it to open another socket and that it has done with. One may lead
    to two sockets, the second in place of the first: where the old one's end comes right behind, the client
    heeds that as well.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.heeded = 0
        self.coming_back = asyncio.Event()
        self.may_come_back = asyncio.Event()
        self.may_come_back.set()
        # It would wait 5 seconds for itself, then go on at the same time, and lose one of the two sockets.
        self._one_at_a_time = asyncio.Lock()

    async def connect_to_new_endpoint(self, force: bool = False) -> None:
        async with self._one_at_a_time:
            self.coming_back.set()
            await self.may_come_back.wait()
            await super().connect_to_new_endpoint(force)
        self.heeded += force

    @property
    def address(self) -> Any:
        """Return its end of the socket that it reads, None without one."""
        session = self.current_session
        return None if session is None or session.closed else session.get_extra_info("sockname")


class Bolt:
    """A real Bolt app with its own Socket Mode handler; `heard` is what reached its listeners."""

    def __init__(self, slack: SandboxSlack) -> None:
        self.clients: list[Client] = []
        self._slack = slack
        client = AsyncWebClient(token=names.BOT_TOKEN, base_url=slack.api_url)
        self.app = AsyncApp(client=client, signing_secret="unused", process_before_response=True)
        self.heard: list[Json] = []

        @self.app.command("/rollback")
        async def command(ack: AsyncAck, body: Json) -> None:
            self.heard.append(body)
            await ack(f"heard {body['text']}")

        @self.app.command("/canary")
        async def ask(ack: AsyncAck, body: Json, client: AsyncWebClient) -> None:
            await client.views_open(trigger_id=body["trigger_id"], view=modal())
            await ack()

        @self.app.view("asked")
        async def submitted(ack: AsyncAck, body: Json) -> None:
            self.heard.append(body)
            await ack(response_action="errors", errors={"why": "say more"})

        @self.app.event("reaction_added")
        async def reacted(event: Json) -> None:
            self.heard.append(event)

    @asynccontextmanager
    async def connected(
        self, sockets: int = 1, *, first_looks_after: float = PING_SECONDS
    ) -> AsyncIterator[None]:
        """Keep so many sockets open while the block runs.

        The first one's client looks whether it is still there every `first_looks_after` seconds.
        """
        async with AsyncExitStack() as stack:
            for _ in range(sockets):
                handler = self._handler()
                stack.push_async_callback(handler.close_async)
                await handler.connect_async()
                self.clients.append(handler.client)
                if len(self.clients) == 1:
                    # In time: nothing but this has run since it was connected.
                    handler.client.ping_interval = first_looks_after
            await self.back(heeded=0)
            yield

    def _handler(self) -> Any:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(aiohttp_handler, "SocketModeClient", Client)
            return AsyncSocketModeHandler(self.app, names.APP_TOKEN, ping_interval=PING_SECONDS)

    async def back(self, *, heeded: int) -> None:
        """Return once every client has heeded so many messages, and reads what Slack sends.

        How many sockets there are says little: until all is done the right number may be of the wrong ones.
        """

        def is_back() -> bool:
            transports = [socket.transport for socket in self._slack.socket_mode._sockets]
            ends = {transport and transport.get_extra_info("peername") for transport in transports}
            mine = {client.address for client in self.clients}
            return ends == mine and all(client.heeded == heeded for client in self.clients)

        async with asyncio.timeout(PATIENCE_SECONDS):
            while not is_back():  # noqa: ASYNC110 - nobody is told
                await asyncio.sleep(0.01)


async def address_of(slack: SandboxSlack) -> str:
    answer = await client_of(slack).apps_connections_open(app_token=names.APP_TOKEN)
    return str(answer["url"])


async def opened(slack: SandboxSlack, http: ClientSession, more: str = "") -> ClientWebSocketResponse:
    return await http.ws_connect(await address_of(slack) + more)


async def test_a_command_a_submission_and_an_event_go_through_bolts_own_handler(slack: SandboxSlack) -> None:
    bolt = Bolt(slack)
    async with bolt.connected():
        command = await slack.slash("U0SENA", CRITICAL, "/rollback canary force")
        await slack.slash("U0SENA", CRITICAL, "/canary ask")
        (view,) = slack.views("U0SENA")
        refused = await slack.submit("U0SENA", view["id"], {"why": "because"})
        ts = slack.messages(CRITICAL, user="U0SENA")[0]["ts"]
        posted = await client_of(slack).chat_postMessage(channel=CRITICAL, text="x")
        await slack.react("U0SENA", CRITICAL, posted["ts"], "eyes")
    await until(slack, connections=0)

    kinds = [(sent["type"], sent["accepts_response_payload"]) for sent in slack.socket_mode.sent]
    assert (command.status, command.shown, command.body) == (200, None, {"text": "heard canary force"})
    assert slack.messages(CRITICAL, user="U0SENA")[0]["text"] == "heard canary force"
    assert ts
    assert refused.body == {"response_action": "errors", "errors": {"why": "say more"}}
    assert kinds == [
        ("slash_commands", True),
        ("slash_commands", True),
        ("interactive", True),
        ("events_api", False),
    ]
    assert [heard.get("type", heard.get("command")) for heard in bolt.heard] == [
        "/rollback",
        "view_submission",
        "reaction_added",
    ]


async def test_nothing_goes_over_http_while_it_is_on_and_everything_once_it_is_off(
    slack: SandboxSlack,
) -> None:
    ts = await a_message(slack)
    async with running_bot(slack) as receiver:
        receiver.answer = (200, "")
        unheard = await slack.slash("U0SENA", CRITICAL, "/rollback canary")
        await slack.react("U0SENA", CRITICAL, ts, "eyes")
        before = list(receiver.received)
        await slack.socket_mode.switch(on=False)
        await slack.slash("U0SENA", CRITICAL, "/rollback canary")
        await slack.react("U0SENA", CRITICAL, ts, "tada")

    command, event = [body for body, _ in receiver.received]
    assert unheard.shown == "dispatch_failed"
    assert before == []
    assert "command=%2Frollback" in command
    assert json.loads(event)["event"]["reaction"] == "tada"


async def a_message(slack: SandboxSlack) -> str:
    return str((await client_of(slack).chat_postMessage(channel=CRITICAL, text="x"))["ts"])


async def test_an_address_needs_the_apps_own_token_with_its_scope(slack: SandboxSlack) -> None:
    slack.workspace.app_level_scopes = ("authorizations:read",)

    async def error(token: str | None) -> Json:
        async with httpx.AsyncClient(base_url=slack.api_url, timeout=PATIENCE_SECONDS) as client:
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            body: Json = (await client.post("apps.connections.open", headers=headers)).json()
        return body

    lacking = await error(names.APP_TOKEN)
    slack.workspace.app_level_scopes += ("connections:write",)

    assert lacking == {
        "ok": False,
        "error": "missing_scope",
        "needed": "connections:write",
        "provided": "authorizations:read",
    }
    assert (await error(names.BOT_TOKEN))["error"] == "not_allowed_token_type"
    assert (await error("xapp-wrong"))["error"] == "invalid_auth"
    assert (await error(None))["error"] == "not_authed"
    assert (await error(names.APP_TOKEN))["url"].startswith("ws://127.0.0.1:")


async def test_addresses_are_of_the_first_tier_with_a_small_burst(slack: SandboxSlack, clock: Clock) -> None:
    clock.stand_still()
    for _ in range(10):
        await address_of(slack)

    with pytest.raises(SlackApiError) as limited:
        await address_of(slack)
    clock.ahead_seconds += 60
    await address_of(slack)

    assert limited.value.response["error"] == "ratelimited"
    assert limited.value.response.headers["Retry-After"] == "60"


async def test_an_address_is_good_for_one_socket_and_half_a_minute(
    slack: SandboxSlack, http: ClientSession, clock: Clock
) -> None:
    clock.stand_still()
    used, old = await address_of(slack), await address_of(slack)
    async with http.ws_connect(used) as socket:
        hello = await socket.receive_json()
        with pytest.raises(WSServerHandshakeError, match="408"):
            await http.ws_connect(used)
    clock.ahead_seconds += 31
    with pytest.raises(WSServerHandshakeError, match="408"):
        await http.ws_connect(old)

    assert hello == {
        "type": "hello",
        "num_connections": 1,
        "debug_info": {
            "host": hello["debug_info"]["host"],
            "build_number": 1,
            "approximate_connection_time": 3600,
        },
        "connection_info": {"app_id": names.APP_ID},
    }


async def test_each_envelope_goes_to_one_of_the_sockets(slack: SandboxSlack, http: ClientSession) -> None:
    sockets = [await opened(slack, http) for _ in range(2)]
    hellos = [await socket.receive_json() for socket in sockets]

    async def acknowledged(socket: ClientWebSocketResponse) -> str:
        envelope = await socket.receive_json()
        await socket.send_json({"envelope_id": envelope["envelope_id"]})
        return str(envelope["payload"]["text"])

    taking = asyncio.gather(*map(acknowledged, sockets))
    for text in ("one", "two"):
        assert (await slack.slash("U0SENA", CRITICAL, f"/rollback {text}")).shown is None

    assert [hello["num_connections"] for hello in hellos] == [1, 2]
    assert await taking == ["one", "two"]


async def test_the_eleventh_socket_is_one_too_many(slack: SandboxSlack, http: ClientSession) -> None:
    addresses = [slack.socket_mode.new_address() for _ in range(MOST_SOCKETS + 1)]
    sockets = [await http.ws_connect(address) for address in addresses]
    said = [await socket.receive_json() for socket in sockets]

    assert [hello["num_connections"] for hello in said[:-1]] == list(range(1, MOST_SOCKETS + 1))
    assert (said[-1]["type"], said[-1]["reason"]) == ("disconnect", "too_many_websockets")
    assert (await sockets[-1].receive()).type is WSMsgType.CLOSE


async def test_a_switched_off_app_is_told_so_and_gets_no_socket(
    slack: SandboxSlack, http: ClientSession
) -> None:
    socket = await opened(slack, http)
    await socket.receive_json()

    switching = asyncio.create_task(slack.socket_mode.switch(on=False))
    told = await socket.receive_json()
    await socket.receive()
    await switching
    late = await (await opened(slack, http)).receive_json()

    assert (told["type"], told["reason"]) == ("disconnect", "link_disabled")
    assert late["reason"] == "link_disabled"
    assert slack.socket_mode.connections == 0


async def test_a_socket_grows_old_is_warned_and_ends(slack: SandboxSlack, http: ClientSession) -> None:
    slack.socket_mode.lifetime_seconds, slack.socket_mode.notice_seconds = 0.2, 0.1
    socket = await opened(slack, http)

    said = [await socket.receive_json() for _ in range(3)]

    assert [message.get("reason", message["type"]) for message in said] == [
        "hello",
        "warning",
        "refresh_requested",
    ]
    assert (await socket.receive()).type is WSMsgType.CLOSE


async def test_debugging_reconnects_shortens_a_sockets_life(slack: SandboxSlack, http: ClientSession) -> None:
    socket = await opened(slack, http, "&debug_reconnects=true")

    hello = await socket.receive_json()

    assert hello["debug_info"]["approximate_connection_time"] == 360


@pytest.mark.parametrize("how", ["warn", "refresh"])
async def test_slacks_own_client_comes_back_when_it_is_told_to(slack: SandboxSlack, how: str) -> None:
    bolt = Bolt(slack)
    async with bolt.connected(sockets=2):
        await getattr(slack.socket_mode, how)()
        await bolt.back(heeded=1)
        answers = [await slack.slash("U0SENA", CRITICAL, f"/rollback {number}") for number in range(2)]

    assert slack.socket_mode.opened >= 4
    assert [answer.shown for answer in answers] == [None, None]
    assert [heard["text"] for heard in bolt.heard] == ["0", "1"]


async def test_slacks_own_client_comes_back_when_it_was_cut_off_and_the_other_socket_serves_meanwhile(
    slack: SandboxSlack,
) -> None:
    async def both(text: str) -> list[str | None]:
        """Send as many commands as there are sockets, each of which gets one if it is open."""
        return [(await slack.slash("U0SENA", CRITICAL, f"/rollback {text}")).shown for _ in range(2)]

    bolt = Bolt(slack)
    async with bolt.connected(sockets=2, first_looks_after=LOOK_SECONDS):
        oldest, _ = bolt.clients
        oldest.may_come_back.clear()
        slack.socket_mode.cut(1)
        await until(slack, connections=1)
        meanwhile = await both("meanwhile")
        async with asyncio.timeout(PATIENCE_SECONDS):
            await oldest.coming_back.wait()
        oldest.ping_interval = PING_SECONDS
        oldest.may_come_back.set()
        await bolt.back(heeded=0)
        afterwards = await both("afterwards")

    assert slack.socket_mode.opened == 3
    assert (meanwhile, afterwards) == ([None, None], [None, None])
    assert [heard["text"] for heard in bolt.heard] == ["meanwhile"] * 2 + ["afterwards"] * 2


async def test_an_envelope_that_nobody_acknowledges_timed_out(
    slack: SandboxSlack, http: ClientSession
) -> None:
    envelope = {"envelope_id": "1", "type": "slash_commands", "accepts_response_payload": True}
    with pytest.raises(NotConnected):
        await slack.socket_mode.send(envelope, within_seconds=0.05)
    socket = await opened(slack, http)
    await socket.receive_json()
    await socket.send_str("no json")
    await socket.send_json({"envelope_id": "of nobody"})

    with pytest.raises(TimeoutError):
        await slack.socket_mode.send(envelope, within_seconds=0.05)

    assert slack.socket_mode.connections == 1


async def test_a_payload_that_an_envelope_does_not_accept_is_ignored(
    slack: SandboxSlack, http: ClientSession
) -> None:
    socket = await opened(slack, http)
    await socket.receive_json()
    envelope = {"envelope_id": "1", "type": "interactive", "accepts_response_payload": False}

    sending = asyncio.create_task(slack.socket_mode.send(envelope))
    await socket.receive_json()
    await socket.send_json({"envelope_id": "1", "payload": {"text": "unwanted"}})

    assert await sending == {}


async def test_an_event_that_is_not_acknowledged_comes_again_over_a_socket(http: ClientSession) -> None:
    paused: list[float] = []

    async def pause(seconds: float) -> None:
        paused.append(seconds)

    async with running_slack(sleep=pause, patience_seconds=0.1) as slack:
        await slack.socket_mode.switch(on=True)
        ts = await a_message(slack)
        socket = await opened(slack, http)
        await socket.receive_json()
        reacting = asyncio.create_task(slack.react("U0SENA", CRITICAL, ts, "eyes"))
        envelopes = [await socket.receive_json() for _ in range(4)]
        await reacting

    assert [(sent["retry_attempt"], sent["retry_reason"]) for sent in envelopes] == [
        (0, ""),
        (1, "timeout"),
        (2, "timeout"),
        (3, "timeout"),
    ]
    assert len({sent["payload"]["event_id"] for sent in envelopes}) == 1
    assert len({sent["envelope_id"] for sent in envelopes}) == 4
    assert paused == [0.1, 60.0, 300.0]


async def test_over_http_the_pauses_and_reasons_are_slacks_and_no_retry_is_honoured() -> None:
    paused: list[float] = []

    async def pause(seconds: float) -> None:
        paused.append(seconds)

    async def retries(receiver: Receiver, slack: SandboxSlack) -> list[tuple[str, str]]:
        await slack.react("U0SENA", CRITICAL, await a_message(slack), "eyes")
        await slack.settled()
        headers = [headers for _, headers in receiver.received]
        receiver.received.clear()
        return [
            (found["x-slack-retry-num"], found["x-slack-retry-reason"])
            for found in headers
            if "x-slack-retry-num" in found
        ]

    patient = running_slack(sleep=pause)
    async with patient as slack, running_bot(slack) as receiver:
        receiver.answer = (500, "")
        failing = await retries(receiver, slack)
        receiver.answer_headers = {"x-slack-no-retry": "1"}
        unwilling = await retries(receiver, slack)
        receiver.answer, receiver.answer_headers = (202, ""), {}
        taken = await retries(receiver, slack)

    assert failing == [("1", "http_error"), ("2", "http_error"), ("3", "http_error")]
    assert (unwilling, taken) == ([], [])
    assert paused == [0.1, 60.0, 300.0]


async def test_an_event_that_is_answered_too_late_over_http_comes_again_as_timed_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given: list[Attempt] = []

    async with running_slack(sleep=at_once, patience_seconds=0.1) as slack, running_bot(slack) as receiver:
        deliver = slack._courier.event

        # Noted here, for on a busy machine the request itself may come too late to be sent.
        async def noted(payload: Json, attempt: Attempt = FIRST) -> Delivery:
            given.append(attempt)
            return await deliver(payload, attempt)

        monkeypatch.setattr(slack._courier, "event", noted)
        receiver.answering.clear()
        await slack.react("U0SENA", CRITICAL, await a_message(slack), "eyes")
        await slack.settled()
        receiver.answering.set()

    assert given == [FIRST, *(Attempt(number, "http_timeout") for number in (1, 2, 3))]


@pytest.mark.parametrize("is_under_way", [False, True])
async def test_after_a_reset_nothing_that_was_missed_comes_again(is_under_way: bool) -> None:
    pausing, due = asyncio.Event(), asyncio.Event()

    async def until_due(_: float) -> None:
        pausing.set()
        await due.wait()

    patient = running_slack(sleep=until_due)
    async with patient as slack, running_bot(slack) as receiver:
        receiver.answer = (500, "")
        if is_under_way:
            receiver.answering.clear()
        reacting = asyncio.create_task(slack.react("U0SENA", CRITICAL, await a_message(slack), "eyes"))
        await (receiver.until_received(1) if is_under_way else pausing.wait())

        slack.reset()
        receiver.answering.set()
        due.set()
        await reacting
        await slack.settled()

        assert len(receiver.received) == 1
        assert pausing.is_set() is not is_under_way


@pytest.mark.parametrize("at_first", [False, True])
async def test_a_reset_leaves_socket_mode_as_the_manifest_has_it(at_first: bool) -> None:
    manifest = a_manifest()
    manifest["settings"]["socket_mode_enabled"] = at_first
    slack = SandboxSlack(manifest=manifest, events_url="http://127.0.0.1:9/slack/events")
    await slack.socket_mode.switch(on=not at_first)

    slack.reset()

    assert slack.socket_mode.enabled is at_first


async def test_a_socket_that_outlives_a_reset_hears_nothing_and_gets_no_other_beside_it(
    slack: SandboxSlack, http: ClientSession
) -> None:
    socket = await opened(slack, http)
    await until(slack, connections=1)

    slack.reset()
    async with running_bot(slack) as receiver:
        receiver.answer = (200, "")
        await slack.slash("U0SENA", CRITICAL, "/rollback canary")
    refused = await (await opened(slack, http)).receive_json()

    assert len(receiver.received) == 1
    assert slack.socket_mode.sent == []
    assert (refused["reason"], slack.socket_mode.connections) == ("link_disabled", 1)
    assert not socket.closed
